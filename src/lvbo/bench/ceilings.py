# SPDX-License-Identifier: Apache-2.0
"""The ceilings of one core, measured: 32-bit multiply-adds a second, bytes moved a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lvbo.bench._ceiling_kernels import CHAIN, multiply_add, triad
from lvbo.bench.common import timed

SHORT = 768
"""Elements of the array that multiply-adds work on: it stays in the first cache."""
NEAR_BYTES, FAR_BYTES = 768 * 1024, 384 * 1024 * 1024
"""Sizes of the three arrays of a stream together: in the second cache, and in memory."""
FLOPS_WORK, BYTES_WORK = 2e9, 3e9
REPEATS = 5
TOUCHED, WIDTH = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """Operations a second (a multiply-add counts two) and bytes a second of one core."""

    flops: float
    near_bytes: float
    far_bytes: float


def measure_ceilings(repeats: int = REPEATS) -> Ceilings:
    """Return the best of some tries, by CPU time; takes some seconds."""
    return Ceilings(
        flops=_flops(repeats),
        near_bytes=_stream(NEAR_BYTES, repeats),
        far_bytes=_stream(FAR_BYTES, repeats),
    )


def _flops(repeats: int) -> float:
    x = np.linspace(0, 1, SHORT, dtype=np.float32)
    rounds = int(FLOPS_WORK / (2 * CHAIN * SHORT))
    factor, term = np.float32(0.999), np.float32(0.001)
    _, took_ms = timed(lambda: multiply_add(x, factor, term, rounds), repeats)
    return 2 * CHAIN * SHORT * rounds / took_ms * 1000


def _stream(size: int, repeats: int) -> float:
    length = size // (TOUCHED * WIDTH)
    a, b, c = (np.full(length, k, dtype=np.float32) for k in range(TOUCHED))
    rounds = max(2, int(BYTES_WORK / size))
    _, took_ms = timed(lambda: triad(a, b, c, np.float32(1e-3), rounds), repeats)
    return TOUCHED * WIDTH * length * rounds / took_ms * 1000
