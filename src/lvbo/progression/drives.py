# SPDX-License-Identifier: Apache-2.0
"""Cars that drive along a street while its lamps are not those of a steady plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drives:
    """What cars meet that pass the first stop line of a direction, one in each green second.

    `departures` cars made `stops` stops in all; `bands_s` are, by cycle of the first signal, the
    longest run of seconds whose cars met no red.
    """

    departures: int
    stops: int
    bands_s: tuple[int, ...]

    @property
    def without_band(self) -> int:
        """Return in how many cycles no car got through without a stop."""
        return sum(band == 0 for band in self.bands_s)


def drive_through(
    greens: Sequence[Bools], drive_s: Sequence[int], span: tuple[int, int], cycle_s: int
) -> Drives:
    """Drive cars through greens by second, in driving order; a car at red waits for green.

    `greens[k]` is of stop line k, all from the same second on; `drive_s[k]` leads from k to k + 1.
    Cars leave in [span[0], span[1]), one in each second in which the first stop line is green. A
    car that green does not reach before the end of the recording is held to stop there.
    """
    starts = np.arange(*span)
    starts = starts[greens[0][starts]]
    at, stops = starts.copy(), np.zeros(len(starts), np.int64)
    for green, drive in zip(greens[1:], drive_s, strict=True):
        arrive = np.minimum(at + drive, len(green) - 1)
        stops += ~green[arrive]
        at = _next_green(green)[arrive]
    free = np.zeros(span[1] - span[0], dtype=bool)
    free[starts[stops == 0] - span[0]] = True
    cuts = range(0, len(free) - cycle_s + 1, cycle_s)
    return Drives(
        departures=len(starts),
        stops=int(stops.sum()),
        bands_s=tuple(_longest_run(free[k : k + cycle_s]) for k in cuts),
    )


def _next_green(green: Bools) -> NDArray[np.int64]:
    """Return the first green second from each one on; the last second where there is none."""
    last = len(green) - 1
    own = np.where(green, np.arange(len(green)), last)
    return np.minimum.accumulate(own[::-1])[::-1]


def _longest_run(row: Bools) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
