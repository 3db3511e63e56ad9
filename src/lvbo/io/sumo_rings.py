# SPDX-License-Identifier: Apache-2.0
"""SUMO's programmes of rings and barriers (type NEMA) as the fixed cycle they run at their longest.

Their states are of single phases, not of stages: the rings run side by side, and at a barrier all
of them change together. Without detectors each phase runs to its longest green, which is the cycle
that is read. (SUMO user documentation, Traffic Lights with NEMA Phases.)

What a signal's phases are to us follows from the states of its programmes: so states are joined
here, before there are phases of which `signal.ringbarrier` could write a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from xml.etree import ElementTree as ET

KIND, RINGS = "NEMA", ("ring1", "ring2")
BARRIERS = ("barrierPhases", "barrier2Phases", "coordinatePhases")
"""The last phases before the two barriers; the second have either name."""
NOBODY = "0"
"""Stands in a ring where it has no phase."""
YELLOW, RED = "3", "2"
"""Seconds of yellow and of red after a green that says nothing else."""
GREENS, HELD, RANK = "Gg", "R", "rusoOgGyR"
"""Characters of a green, of the red after it, and of all: of those of two rings the later one is
shown. Where one ring ends a green that the other goes on with, the link is cleared first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RingPhase:
    """One phase in its ring: its state, and green, yellow and red in tenths of a second."""

    state: str
    green_ds: int
    yellow_ds: int
    red_ds: int

    @property
    def length_ds(self) -> int:
        """Return how long it takes altogether."""
        return self.green_ds + self.yellow_ds + self.red_ds


Ring = Sequence[Sequence[RingPhase]]
"""The phases of a ring, cut at the barriers."""


def ring_intervals(
    logic: ET.Element, seconds_of: Callable[[str], float]
) -> list[tuple[int, str]] | None:
    """Return the intervals (tenths of a second, state) of one cycle of a `tlLogic` with rings.

    None where it is of another type or has no rings, names phases that it does not have, where the
    rings have not the same barriers, or states not the same length or with characters of no green
    or red. The shorter ring waits at a barrier in its last green. `seconds_of` reads a time.

    Raises:
        ValueError: where a time cannot be read.
        KeyError: where an attribute is missing.

    """
    if logic.get("type") != KIND:
        return None
    told = {p.attrib["key"]: p.attrib["value"] for p in logic.findall("param")}
    turns = {
        name: _ring_phase(p, seconds_of) for p in logic.findall("phase") if (name := p.get("name"))
    }
    rings = [ring for name in RINGS if any(ring := _cut(told.get(name, ""), told))]
    named = {name for ring in rings for part in ring for name in part}
    if not rings or not named <= set(turns) or len({len(ring) for ring in rings}) > 1:
        return None
    states = {turns[name].state for name in named}
    if len({len(state) for state in states}) > 1 or not set("".join(states)) <= set(RANK) - {HELD}:
        return None
    parts = [[[turns[name] for name in part] for part in ring] for ring in rings]
    barriers = [_barrier([ring[k] for ring in parts]) for k in range(len(rings[0]))]
    shown = [list(_shown(ring, barriers)) for ring in parts]
    return list(_together(shown, sum(map(sum, barriers))))


def _ring_phase(phase: ET.Element, seconds_of: Callable[[str], float]) -> RingPhase:
    longest = phase.get("maxDur", phase.attrib["duration"])
    times = (longest, phase.get("yellow", YELLOW), phase.get("red", RED))
    green_ds, yellow_ds, red_ds = (round(10 * seconds_of(time)) for time in times)
    return RingPhase(
        state=phase.attrib["state"], green_ds=green_ds, yellow_ds=yellow_ds, red_ds=red_ds
    )


def _cut(ring: str, told: Mapping[str, str]) -> list[list[str]]:
    """Return the names of the phases of a ring, cut after those that stand at a barrier."""
    last = {name for key in BARRIERS for name in _names(told.get(key, ""))}
    parts: list[list[str]] = [[]]
    for name in _names(ring):
        parts[-1].append(name)
        if name in last:
            parts.append([])
    found = parts if parts[-1] else parts[:-1]
    return [[name for name in part if name != NOBODY] for part in found]


def _barrier(side: Ring) -> tuple[int, int]:
    """Return when the last greens before a barrier end, in all rings at once, and what clears them.

    `side` has the phases of each ring between two barriers. Both are in tenths of a second.
    """
    ends = (sum(turn.length_ds for turn in part[:-1]) + part[-1].green_ds for part in side if part)
    clears = (part[-1].yellow_ds + part[-1].red_ds for part in side if part)
    return max(ends, default=0), max(clears, default=0)


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _shown(ring: Ring, barriers: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """Yield what a ring shows over one cycle: (tenths, state). A link green next stays green."""
    width = next((len(turn.state) for part in ring for turn in part), 0)
    red = "r" * width
    order = [state for part in ring for state in ([turn.state for turn in part] or [red])]
    number = 0
    for part, (end, clear) in zip(ring, barriers, strict=True):
        spare = end - sum(turn.length_ds for turn in part[:-1])
        if not part:
            number += 1
            yield end + clear, red
        for k, turn in enumerate(part):
            number += 1
            after, last = order[number % len(order)], k == len(part) - 1
            yield spare if last else turn.green_ds, turn.state
            yield turn.yellow_ds, _ending(turn.state, after, "y")
            red_ds = clear - turn.yellow_ds if last else turn.red_ds
            yield red_ds, _ending(turn.state, after, HELD)


def _ending(state: str, after: str, shown: str) -> str:
    """Return what is shown between two phases of a ring, `shown` on links whose green ends."""
    return "".join(
        (a if a in GREENS else shown) if s in GREENS else s
        for s, a in zip(state, after, strict=True)
    )


def _together(
    rings: Sequence[Sequence[tuple[int, str]]], cycle_ds: int
) -> Iterator[tuple[int, str]]:
    """Yield what all rings show together; no two intervals in a row are the same."""
    starts = [list(_starts(ring)) for ring in rings]
    moments = sorted({at for ring in starts for at, _ in ring} | {cycle_ds})
    states = [
        (end - at, _joined([_at(ring, at) for ring in starts])) for at, end in pairwise(moments)
    ]
    for state, run in groupby(states, key=lambda pair: pair[1]):
        yield sum(length for length, _ in run), state


def _starts(ring: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    at = 0
    for length, state in ring:
        if length > 0:
            yield at, state
        at += length


def _at(starts: Sequence[tuple[int, str]], at: int) -> str:
    return next(state for start, state in reversed(starts) if start <= at)


def _joined(states: Sequence[str]) -> str:
    shown = "".join(max(column, key=RANK.index) for column in zip(*states, strict=True))
    return shown.replace(HELD, "r")
