# SPDX-License-Identifier: Apache-2.0
"""Whether the windows of a green wave were kept, read from the lamps of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lvbo.control.protocols import BandWindow, Coordination
from lvbo.ids import ControllerId, PhaseId
from lvbo.network.network import Network
from lvbo.simulation.lamps import lit_phases
from lvbo.simulation.runs import Run

Shown = Sequence[tuple[float, frozenset[PhaseId]]]
"""From when on which phases were going, in order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsKept:
    """How many windows lay whole in the judged span, and how many were green from end to end.

    `green_share` is the share of all their time that was green.
    """

    windows: int
    kept: int
    green_share: float

    @property
    def kept_share(self) -> float | None:
        """Return the share of windows that were kept; None where there were none."""
        return self.kept / self.windows if self.windows else None


def windows_kept(
    run: Run,
    network: Network,
    coordinations: Mapping[ControllerId, Coordination],
    until_s: float = float("inf"),
) -> WindowsKept:
    """Return how a run kept the windows of its waves, all sites together, until they were moved."""
    last_s = min(run.judged_to_s, until_s)
    shown = lit_phases(network, run.lamps)
    windows = kept = 0
    green = total = 0.0
    for name, coordination in sorted(coordinations.items()):
        sync_s = network.controller_index[name].sync_s
        for window in coordination.windows:
            for begin, end in _spans(window, sync_s, run.judged_from_s, last_s):
                lit = _lit_s(shown[name], window.phases, begin, end)
                windows += 1
                kept += lit >= end - begin
                green, total = green + lit, total + end - begin
    return WindowsKept(windows=windows, kept=kept, green_share=green / total if total else 0.0)


def _spans(
    window: BandWindow, sync_s: int, first_s: float, last_s: float
) -> Iterator[tuple[int, int]]:
    """Yield the whole seconds of every time that a window comes within a span."""
    cycle = window.cycle_ds // 10
    start = -(-window.start_ds // 10) + sync_s
    length = (window.start_ds + window.length_ds) // 10 - -(-window.start_ds // 10)
    begin = start + cycle * -int((start - first_s) // cycle)
    while begin + length <= last_s:
        yield begin, begin + length
        begin += cycle


def _lit_s(shown: Shown, phases: Sequence[PhaseId], begin: float, end: float) -> float:
    """Return for how long one of the phases was going between two times, s."""
    lit = 0.0
    for k, (since, going) in enumerate(shown):
        until = shown[k + 1][0] if k + 1 < len(shown) else end
        if going.intersection(phases):
            lit += max(0.0, min(until, end) - max(since, begin))
    return lit
