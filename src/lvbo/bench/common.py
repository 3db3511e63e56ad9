# SPDX-License-Identifier: Apache-2.0
"""What every bench shares: its result, the versions and load it ran under, CPU time."""

from __future__ import annotations

import gc
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from lvbo.errors import Finding

T = TypeVar("T")
Row = Mapping[str, object]
Progress = Callable[[str, float], None]
"""Told what is being done and the share of all of it that is done."""

PACKAGES = ("lvbo", "numpy", "numba", "highspy", "eclipse-sumo", "libsumo")


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """Hold what a bench measured: rows with equal keys, and a summary of them.

    `findings` say why runs failed, where any did.
    """

    bench: str
    versions: Mapping[str, str]
    load: Mapping[str, float]
    rows: tuple[Row, ...]
    summary: Mapping[str, object]
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return {
            "bench": self.bench,
            "versions": dict(self.versions),
            "load": dict(self.load),
            "rows": [dict(row) for row in self.rows],
            "summary": dict(self.summary),
        }

    def as_table(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """Return the header and the cells of the table that a terminal prints."""
        header = tuple(self.rows[0]) if self.rows else ()
        return header, tuple(tuple(_cell(row[key]) for key in header) for row in self.rows)


def used_versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine_load() -> dict[str, float]:
    """Return the number of processors and, where the system tells, the load averages."""
    load: dict[str, float] = {"cpus": float(os.cpu_count() or 1)}
    if hasattr(os, "getloadavg"):
        one, five, fifteen = os.getloadavg()
        load |= {"load_1min": one, "load_5min": five, "load_15min": fifteen}
    return load


def timed(call: Callable[[], T], repeats: int = 1) -> tuple[T, float]:
    """Return what the call returns and its least CPU time over the repeats, ms."""
    least = math.inf
    result = call()
    gc.collect()
    for _ in range(repeats):
        start = time.process_time_ns()
        result = call()
        least = min(least, (time.process_time_ns() - start) / 1e6)
    return result, least


def peak_mib() -> float | None:
    """Return the most memory that this process has had so far, MiB; None where nobody tells."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of all that it has waited for, s."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def geometric_mean(values: Iterable[float]) -> float | None:
    """Return the geometric mean of positive values, None of none."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else None


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10 else f"{value:.1f}"  # noqa: PLR2004
    return str(value)


def part_of(progress: Progress | None, number: int, count: int) -> Progress:
    """Return what tells the progress of one part of so many."""

    def tell(what: str, share: float) -> None:
        if progress is not None:
            progress(what, (number + share) / count)

    return tell
