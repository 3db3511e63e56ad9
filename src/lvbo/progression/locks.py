# SPDX-License-Identifier: Apache-2.0
"""Bands where some signals may not move against each other.

With fixed link times between them, the greens of locked signals fold into the greens of the first
of them: the windows in which a car passes all of them. The others then let everything pass, and
the chain is solved as if there were no lock. Link times between locked signals are tried at
several speeds of their range; the rest of the chain stays free. With fixed speeds this is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from lvbo.errors import InfeasibleError, UsageError
from lvbo.progression.chain import Chain, Ints, Links, build_chain, with_travel
from lvbo.progression.offsets import Setting, fix_times
from lvbo.progression.problem import BandKind, BandProblem, Pattern, Window
from lvbo.progression.search import Found, find_one_way, find_two_way

SPEEDS = tuple(k / 8 for k in range(9))  # shares of the link-time range between locked signals
MOST_COMBINATIONS = 4096
Members = dict[int, int]  # signal to offset, ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One cycle and one speed between locked signals, as a chain without locks."""

    asked: BandProblem
    groups: list[Members]
    problem: BandProblem
    chain: Chain
    combos: dict[int, tuple[tuple[int, ...], ...]]  # by first member: sequences of all members

    def restored(self, found: Found) -> Found:
        """Return the setting of all signals from that of the folded chain."""
        return _restored(self.asked, self, self.groups, found) if self.groups else found


def unlocked_cases(problem: BandProblem) -> Iterator[Case]:
    """Return chains without locks whose settings, restored, keep the locks of the problem."""
    groups = _groups(problem)
    if groups:
        yield from _cases(problem, groups)
        return
    yield Case(asked=problem, groups=[], problem=problem, chain=build_chain(problem), combos={})


def find_locked(problem: BandProblem) -> tuple[Found | None, Found, Found]:
    """Return the best two-way, outbound and inbound settings that keep the locks."""
    groups = _groups(problem)
    best: dict[BandKind, tuple[float, Found]] = {}
    for case in _cases(problem, groups):
        cycle_ms = case.problem.cycles_ms[0]
        tried = [
            find_two_way(case.problem, case.chain),
            find_one_way(case.problem, case.chain, cycle_ms, BandKind.OUTBOUND),
            find_one_way(case.problem, case.chain, cycle_ms, BandKind.INBOUND),
        ]
        for found in tried:
            if found is None:
                continue
            kind = found.setting.kind
            weighted = problem.weight_out * found.outbound_ms + problem.weight_in * found.inbound_ms
            if kind is not BandKind.TWO_WAY:
                weighted = found.outbound_ms + found.inbound_ms
            value = weighted / cycle_ms
            if kind not in best or value > best[kind][0]:
                best[kind] = (value, case.restored(found))
    if BandKind.OUTBOUND not in best:
        locked = tuple(s for group in groups for s in group)
        raise InfeasibleError("LV411", signals=locked, conflict=("locks", "speed ranges"))
    both = best.get(BandKind.TWO_WAY)
    return both[1] if both else None, best[BandKind.OUTBOUND][1], best[BandKind.INBOUND][1]


def _groups(problem: BandProblem) -> list[Members]:
    """Return the rigid groups; all absolute locks are one."""
    fixed: Members = {}
    groups: list[Members] = []
    for lock in problem.locks:
        members = dict(zip(lock.signals, lock.offsets_ms, strict=True))
        if lock.absolute:
            fixed |= members
        else:
            groups.append(members)
    groups += [fixed] if fixed else []
    named = [s for group in groups for s in group]
    if len(named) != len(set(named)):
        raise UsageError("LV408", signals=tuple(named), offsets_ms=(), n=problem.signals)
    return [dict(sorted(group.items())) for group in groups]


def _cases(problem: BandProblem, groups: list[Members]) -> Iterator[Case]:
    chain = build_chain(problem)
    held = _held_links(problem, groups)
    same = bool(
        np.all(chain.travel_out.lo[held] == chain.travel_out.hi[held])
        and np.all(chain.travel_in.lo[held] == chain.travel_in.hi[held])
    )
    for out, back in [(0.5, 0.5)] if same else product(SPEEDS, SPEEDS):
        times = _times(problem, held, out, back)
        if times is None:
            continue
        for cycle_ms in problem.cycles_ms:
            case = _case(problem, times, groups, cycle_ms)
            if case is not None:
                yield case


def _held_links(problem: BandProblem, groups: list[Members]) -> Ints:
    links = {k for g in groups for k in range(min(g), max(g))}
    if problem.speed_change_limit_s_per_m is not None:
        links = set(range(problem.signals - 1))
    return np.array(sorted(links), np.int64)


def _times(problem: BandProblem, held: Ints, out: float, back: float) -> Chain | None:
    """Return the chain with held link times at these shares of their ranges.

    With a speed-change limit all links are held; shares that break the limit give None.
    """
    chain = build_chain(replace(problem, speed_change_limit_s_per_m=None))

    def hold(links: Links, share: float) -> Links:
        table = links.table.copy()
        at = links.lo[held] + np.rint((links.hi[held] - links.lo[held]) * share).astype(np.int64)
        table[0][held] = table[1][held] = at
        return Links(table=table)

    travel_out, travel_in = hold(chain.travel_out, out), hold(chain.travel_in, back)
    limit = problem.speed_change_limit_s_per_m
    if limit is not None:
        for links, metres in (
            (travel_out, problem.distance_out_m),
            (travel_in, problem.distance_in_m),
        ):
            pace = links.lo[:, 0] / 1000 / np.array(metres)
            if np.any(np.abs(np.diff(pace)) > limit):
                return None
        return fix_times(chain, travel_out.lo[:, 0], travel_in.lo[:, 0])
    return with_travel(chain, travel_out, travel_in)


def _case(problem: BandProblem, times: Chain, groups: list[Members], cycle_ms: int) -> Case | None:
    """Return the chain of one cycle with each group folded into its first member."""
    always = ((0, cycle_ms),)
    patterns: list[tuple[Pattern, ...]] = [
        tuple(_in_ms(p, problem.parts_per_cycle, cycle_ms) for p in signal)
        for signal in problem.patterns
    ]
    combos: dict[int, tuple[tuple[int, ...], ...]] = {}
    for group in groups:
        folded = _fold(patterns, times, group, cycle_ms)
        if not folded:
            return None
        first = min(group)
        combos[first] = tuple(folded)
        for signal in group:
            patterns[signal] = (Pattern(outbound=always, inbound=always),)
        patterns[first] = tuple(folded.values())
    reduced = replace(
        problem,
        patterns=tuple(patterns),
        parts_per_cycle=cycle_ms,
        cycles_ms=(cycle_ms,),
        locks=(),
        speed_change_limit_s_per_m=None,
    )
    arrays = build_chain(reduced)
    chain = replace(arrays, travel_out=times.travel_out, travel_in=times.travel_in, both=times.both)
    return Case(asked=problem, groups=groups, problem=reduced, chain=chain, combos=combos)


def _in_ms(pattern: Pattern, parts: int, cycle_ms: int) -> Pattern:
    def scaled(windows: tuple[Window, ...]) -> tuple[Window, ...]:
        found = []
        for start, length in windows:
            begin = -(-start * cycle_ms // parts)
            size = cycle_ms if length >= parts else (start + length) * cycle_ms // parts - begin
            found.append((begin % cycle_ms, max(size, 1)))
        return tuple(found)

    return Pattern(outbound=scaled(pattern.outbound), inbound=scaled(pattern.inbound))


def _fold(
    patterns: list[tuple[Pattern, ...]], times: Chain, group: Members, cycle_ms: int
) -> dict[tuple[int, ...], Pattern]:
    """Return the common greens on the clock of the first member, by sequences of the members.

    A direction without common green gets a window of one millisecond, as good as none.
    """
    out = np.concatenate(([0], np.cumsum(times.travel_out.lo[:, 0] - times.clear_out[1:])))
    back = np.concatenate(([0], np.cumsum(times.travel_in.lo[:, 0] - times.clear_in[:-1])))
    first = min(group)
    count = int(np.prod([len(patterns[s]) for s in group]))
    if count > MOST_COMBINATIONS:
        raise UsageError("LV410", signals=tuple(group), combinations=count, limit=MOST_COMBINATIONS)
    folded: dict[tuple[int, ...], Pattern] = {}
    for sequences in product(*(range(len(patterns[s])) for s in group)):
        outbound: list[Window] = [(0, cycle_ms)]
        inbound: list[Window] = [(0, cycle_ms)]
        for signal, sequence in zip(group, sequences, strict=True):
            later = group[signal] - group[first]
            p = patterns[signal][sequence]
            there = later - int(out[signal] - out[first])
            home = later + int(back[signal] - back[first])
            outbound = _common(outbound, p.outbound, there, cycle_ms)
            inbound = _common(inbound, p.inbound, home, cycle_ms)
        if outbound or inbound:
            folded[sequences] = Pattern(
                outbound=tuple(outbound) or ((0, 1),), inbound=tuple(inbound) or ((0, 1),)
            )
    return folded


def _common(
    known: list[Window], windows: tuple[Window, ...], shift_ms: int, cycle_ms: int
) -> list[Window]:
    """Return where windows of a circle overlap the known ones, after a shift."""
    found: list[Window] = []
    for start, length in known:
        for begin, size in windows:
            if length >= cycle_ms:
                found.append(((begin + shift_ms) % cycle_ms, size))
                continue
            if size >= cycle_ms:
                found.append((start, length))
                continue
            at = (begin + shift_ms - start) % cycle_ms
            for a in (at, at - cycle_ms):
                low, high = max(a, 0), min(a + size, length)
                if low < high:
                    found.append(((start + low) % cycle_ms, high - low))
    return found


def _restored(problem: BandProblem, case: Case, groups: list[Members], found: Found) -> Found:
    """Return the setting of all signals from that of the folded chain."""
    cycle_ms = found.setting.cycle_ms
    offsets = found.setting.offsets_ms.copy()
    patterns = list(found.setting.patterns)
    for group in groups:
        first = min(group)
        sequences = case.combos[first][patterns[first]]
        for signal, sequence in zip(group, sequences, strict=True):
            offsets[signal] = offsets[first] + group[signal] - group[first]
            patterns[signal] = sequence
    fixed = {s for lock in problem.locks if lock.absolute for s in lock.signals}
    anchor = next((g for g in groups if fixed & set(g)), None)
    if anchor is not None:
        offsets += anchor[min(anchor)] - offsets[min(anchor)]
    else:
        offsets -= offsets[0]
    setting = Setting(
        cycle_ms=cycle_ms,
        offsets_ms=offsets % cycle_ms,
        patterns=tuple(patterns),
        kind=found.setting.kind,
    )
    return replace(found, setting=setting)
