# SPDX-License-Identifier: Apache-2.0
"""The lamp checker: says what was unsafe in lamps that were really shown.

It knows nothing of plans and shares no code with what makes or checks them. It reads lamp states,
phases, matrices and limits only; a lamp seen at one time holds until the next time seen.

One head may be lit by several phases: a permitted green (`PERMITTED`) before or after a protected
one (`GREEN`), or a stop-then-go arrow. Such mates serve the same movements by another lamp. While
any of them lets traffic go, the head has not ended: the change needs no yellow, and the minimum
green runs on. Towards others each phase stands alone: where a protected left turns into a permitted
one, the oncoming through (a foe of the first, yielded to by the second) must still wait its
intergreen, because a driver who entered on the protected green gives way to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lvbo.errors import Finding
from lvbo.ids import PhaseId
from lvbo.signal.lamp import GOING, OFF, Conflict, Lamp
from lvbo.signal.rules import PhaseLimits, SignalRules

Lamps = Mapping[PhaseId, Lamp] | Sequence[int] | NDArray[np.integer]

RED, RED_AMBER, YELLOW = int(Lamp.RED), int(Lamp.RED_AMBER), int(Lamp.YELLOW)
_GOING = frozenset(int(lamp) for lamp in GOING)
_OFF = frozenset(int(lamp) for lamp in OFF)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Violation:
    """One unsafe thing that was shown: when, by which phases, what was measured and required."""

    t_ds: int
    code: str
    phases: tuple[PhaseId, ...]
    measured_ds: int | None = None
    required_ds: int | None = None

    @property
    def second(self) -> float:
        """Return when it was seen, in seconds."""
        return self.t_ds / 10

    def finding(self, place: str) -> Finding:
        """Return the violation as a finding at a controller."""
        fields: dict[str, object] = {"phases": ", ".join(self.phases), "at_s": self.second}
        if self.measured_ds is not None:
            fields["found_s"] = self.measured_ds / 10
        if self.required_ds is not None:
            fields["least_s"] = self.required_ds / 10
        return Finding(code=self.code, place=place, fields=fields)


class LampChecker:
    """Check the lamps of one controller as they are shown, or a whole recording at once.

    Spans whose beginning was not seen are not judged. A head that is switched off (dark, blinking)
    ends its green without a yellow.
    """

    def __init__(self, rules: SignalRules) -> None:
        self.phases = tuple(phase.id for phase in rules.phases)
        self._limits = _Limits(rules)
        self._memory = _Memory(len(self.phases))

    def see(self, t_ds: int, lamps: Lamps) -> tuple[Violation, ...]:
        """Take the lamps from this time on; return what that shows to be wrong.

        `lamps` is a mapping by phase (a phase left out is red) or values in the order of `phases`.
        """
        if isinstance(lamps, Mapping):
            row = [int(lamps.get(phase, Lamp.RED)) for phase in self.phases]
        else:
            row = [int(lamp) for lamp in lamps]
        return _look(self._limits, self._memory, t_ds, row)

    def see_all(self, times_ds: ArrayLike, lamps: ArrayLike) -> tuple[Violation, ...]:
        """Return what is wrong in a recording: times of shape (steps,), lamps (steps, phases).

        The recording stands alone: nothing seen before counts, and nothing is kept.
        """
        times = np.asarray(times_ds, dtype=np.int64)
        shown = np.asarray(lamps, dtype=np.int64).reshape(len(times), len(self.phases))
        changed = np.ones(len(times), dtype=bool)
        changed[1:] = (shown[1:] != shown[:-1]).any(axis=1)
        memory = _Memory(len(self.phases))
        found: list[Violation] = []
        for step in np.flatnonzero(changed):
            found.extend(_look(self._limits, memory, int(times[step]), shown[step].tolist()))
        return tuple(found)


class _Limits:
    """The rules by number: a phase is its place in the order of the rules."""

    def __init__(self, rules: SignalRules) -> None:
        self.ids = tuple(phase.id for phase in rules.phases)
        self.allowed = [
            frozenset({RED, RED_AMBER, YELLOW, int(phase.shows)}) | _OFF for phase in rules.phases
        ]
        stated = {limit.phase: limit.min_green_ds for limit in rules.limits}
        self.min_green = [
            stated.get(phase, PhaseLimits(phase=phase).min_green_ds) for phase in self.ids
        ]
        self.yellow = [phase.yellow_ds for phase in rules.phases]
        self.foes = _foes(rules, self.ids)
        self.heads = _heads(rules)


class _Memory:
    """What must be remembered from one look to the next; None is never seen."""

    def __init__(self, phases: int) -> None:
        self.row: list[int] | None = None
        self.ended: list[int | None] = [None] * phases  # last end of the phase's own green
        self.head_began: list[int | None] = [None] * phases  # start of the head's present green
        self.took_part = [False] * phases  # the phase itself was lit in that green
        self.yellow_began: list[int | None] = [None] * phases


def _foes(rules: SignalRules, ids: Sequence[PhaseId]) -> list[dict[int, int | None]]:
    """Return for each phase its foes, with the intergreen from its end to their start."""
    number = {phase: i for i, phase in enumerate(ids)}
    foes: list[dict[int, int | None]] = [{} for _ in ids]
    for a, b, conflict in rules.conflicts.pairs:
        if conflict is Conflict.FORBIDDEN and a in number and b in number:
            foes[number[a]][number[b]] = None
            foes[number[b]][number[a]] = None
    for ending, starting, value in rules.intergreens.pairs:
        if ending in number and number.get(starting) in foes[number[ending]]:
            foes[number[ending]][number[starting]] = value
    return foes


def _heads(rules: SignalRules) -> list[tuple[int, ...]]:
    """Return for each phase the phases that light its head: itself and its mates."""
    serves = [
        {(s.movement, s.crossing) for s in rules.services if s.phase == phase.id}
        for phase in rules.phases
    ]
    shows = [int(phase.shows) for phase in rules.phases]
    return [
        tuple(
            j
            for j in range(len(shows))
            if j == i
            or (
                {shows[i], shows[j]} <= _GOING
                and shows[i] != shows[j]
                and serves[i]
                and serves[i] <= serves[j]
            )
        )
        for i in range(len(shows))
    ]


def _look(limits: _Limits, memory: _Memory, t_ds: int, row: list[int]) -> tuple[Violation, ...]:
    """Return what the lamps from `t_ds` on show to be wrong, and move the memory on."""
    before, memory.row = memory.row, row
    if before == row:
        return ()
    found = list(_outside(limits, t_ds, row, before))
    if before is None:
        found.extend(_clashes(limits, t_ds, row, [RED] * len(row)))
        return tuple(sorted(found))
    for phase, lamp in enumerate(row):
        if before[phase] in _GOING and lamp not in _GOING:
            memory.ended[phase] = t_ds
    found.extend(_clashes(limits, t_ds, row, before))
    found.extend(_intergreens(limits, memory, t_ds, before))
    for phase in range(len(row)):
        found.extend(_green(limits, memory, t_ds, before, phase))
        found.extend(_yellow(limits, memory, t_ds, before, phase))
        found.extend(_red_amber(limits, memory, t_ds, before, phase))
    return tuple(sorted(found))


def _outside(
    limits: _Limits, t_ds: int, row: list[int], before: list[int] | None
) -> Iterator[Violation]:
    """Yield lamps that the phase cannot show."""
    for i, lamp in enumerate(row):
        if lamp not in limits.allowed[i] and (before is None or before[i] != lamp):
            yield Violation(t_ds=t_ds, code="LV327", phases=(limits.ids[i],))


def _clashes(limits: _Limits, t_ds: int, row: list[int], before: list[int]) -> Iterator[Violation]:
    """Yield foes that have green together now and had not before."""
    going = [i for i, lamp in enumerate(row) if lamp in _GOING]
    for a in going:
        for b in going:
            new = before[a] not in _GOING or before[b] not in _GOING
            if a < b and new and b in limits.foes[a]:
                yield Violation(t_ds=t_ds, code="LV320", phases=(limits.ids[a], limits.ids[b]))


def _intergreens(
    limits: _Limits, memory: _Memory, t_ds: int, before: list[int]
) -> Iterator[Violation]:
    """Yield starts too soon after the end of a foe, or after one whose intergreen is unknown."""
    row = memory.row or []
    for b, lamp in enumerate(row):
        if lamp not in _GOING or before[b] in _GOING:
            continue
        for a in limits.foes[b]:
            ended, least = memory.ended[a], limits.foes[a][b]
            if ended is None or row[a] in _GOING:
                continue
            if least is None or t_ds - ended < least:
                yield Violation(
                    t_ds=t_ds,
                    code="LV322" if least is None else "LV321",
                    phases=(limits.ids[a], limits.ids[b]),
                    measured_ds=t_ds - ended,
                    required_ds=least,
                )


def _green(
    limits: _Limits, memory: _Memory, t_ds: int, before: list[int], phase: int
) -> Iterator[Violation]:
    """Yield a head's green that was too short or ended without yellow."""
    row, head = memory.row or [], limits.heads[phase]
    goes = any(row[i] in _GOING for i in head)
    went = any(before[i] in _GOING for i in head)
    if goes and not went:
        memory.head_began[phase], memory.took_part[phase] = t_ds, False
    if goes:
        memory.took_part[phase] |= row[phase] in _GOING
        return
    if not went:
        return
    began = memory.head_began[phase]
    memory.head_began[phase] = None
    if began is not None and memory.took_part[phase]:
        length, least = t_ds - began, limits.min_green[phase]
        if length < least:
            yield _span(limits, "LV323", phase, t_ds, length, least)
    lamp = max(row[i] for i in head)
    if before[phase] not in _GOING or limits.yellow[phase] == 0:
        return
    if lamp == YELLOW:
        memory.yellow_began[phase] = t_ds
    elif lamp not in _OFF:
        yield _span(limits, "LV324", phase, t_ds, 0, limits.yellow[phase])


def _yellow(
    limits: _Limits, memory: _Memory, t_ds: int, before: list[int], phase: int
) -> Iterator[Violation]:
    """Yield a yellow after green that was too short."""
    row, head = memory.row or [], limits.heads[phase]
    began = memory.yellow_began[phase]
    lamp = max(row[i] for i in head)
    was = max(before[i] for i in head)
    if began is None or lamp == YELLOW or was != YELLOW:
        return
    memory.yellow_began[phase] = None
    if t_ds - began < limits.yellow[phase] and lamp not in _OFF:
        yield _span(limits, "LV325", phase, t_ds, t_ds - began, limits.yellow[phase])


def _red_amber(
    limits: _Limits, memory: _Memory, t_ds: int, before: list[int], phase: int
) -> Iterator[Violation]:
    """Yield a red-amber that no green followed."""
    row, head = memory.row or [], limits.heads[phase]
    lamp = max(row[i] for i in head)
    if before[phase] == RED_AMBER and lamp not in _GOING | _OFF | {RED_AMBER}:
        yield Violation(t_ds=t_ds, code="LV326", phases=(limits.ids[phase],))


def _span(
    limits: _Limits, code: str, phase: int, t_ds: int, measured_ds: int, required_ds: int
) -> Violation:
    return Violation(
        t_ds=t_ds,
        code=code,
        phases=(limits.ids[phase],),
        measured_ds=measured_ds,
        required_ds=required_ds,
    )
