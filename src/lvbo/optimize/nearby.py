# SPDX-License-Identifier: Apache-2.0
"""Plans near those in force: greens, cycles and offsets moved a little, judged second by second.

Where streets are full, models that see no spillback lead far astray. Small moves keep what people
who know the place have put into its plans: orders, overlaps, greens that clear inner stop lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from lvbo.ids import ControllerId
from lvbo.optimize.lamps import rights
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.transmission import Span, Transmission, Transmitted, build_transmission
from lvbo.optimize.windows import Timing, build_windows
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Plan, Window
from lvbo.signal.rules import SignalRules

STEPS_S = (4, 2)
PASSES = 3
LEAST_SPAN_DS = 50
"""Shorter spans between two changes of lamps are transitions and stay as they are."""
FACTORS = (1.0, 1.1)
"""Plans must do for the traffic as counted and for 10 % more."""
END_S = 3600
WORTH = 0.999

Plans = Mapping[ControllerId, Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a plan may move from the one in force, and how much may be tried.

    Every span of greens and the cycle change by `seconds` at most, the offset too; `runs` is the
    most runs of sixteen sets of plans.
    """

    seconds: int = 8
    runs: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What is added to each span of a plan and to its offset, s."""

    spans_s: tuple[int, ...]
    offset_s: int = 0


def plans_nearby(
    mesh: AreaMesh, plans: Plans, reach: Reach | None = None
) -> dict[ControllerId, Plan]:
    """Return safe plans within reach of these that cost least by link transmission.

    Signal by signal, those with most delay first, time is moved from one span of greens to
    another, added, or taken away, and the offset moves; what saves most stays. Plans without
    spans long enough stay as they are.
    """
    task = _Search(mesh, plans, reach or Reach())
    for step_s in STEPS_S:
        for _ in range(PASSES):
            if not task.swept(step_s):
                break
    return task.plans()


class _Search:
    """Hold plans in force, what was moved so far, and how runs are paid for."""

    def __init__(self, mesh: AreaMesh, plans: Plans, reach: Reach) -> None:
        self.mesh, self.base, self.reach = mesh, plans, reach
        self.rules = {m.controller.id: m.controller.rules for m in mesh.models}
        self.model: Transmission = build_transmission(mesh)
        self.known: dict[tuple[int, Plan], Timing] = {}
        self.at = {c: Move(spans_s=(0,) * len(spans_of(plans[c]))) for c in mesh.controllers}
        self.left = reach.runs
        self.cost = self._costs([self.plans()])[0]

    def plans(self) -> dict[ControllerId, Plan]:
        """Return the plans as they are moved now."""
        return {c: moved(self.base[c], self.at[c]) for c in self.mesh.controllers}

    def swept(self, step_s: int) -> bool:
        """Try all moves of a step at every signal; say whether any helped."""
        before = self.cost
        for c in self._by_delay():
            while self.left > 0 and self._improved(c, step_s):
                pass
        return self.left > 0 and self.cost < WORTH * before

    def _by_delay(self) -> list[ControllerId]:
        """Return the signals, those with most delay first."""
        run = self._run([self.plans()], FACTORS[0])
        waits = run.waiting_vehs[:, 0]
        own = np.bincount([q.signal for q in self.mesh.queues], waits, len(self.mesh.models))
        return [self.mesh.controllers[s] for s in np.argsort(-own, kind="stable")]

    def _improved(self, c: ControllerId, step_s: int) -> bool:
        """Make the move of one signal that saves most; say whether one saves anything."""
        moves = list(self._moves(c, step_s))
        if not moves:
            return False
        now = self.plans()
        costs = self._costs([{**now, c: moved(self.base[c], move)} for move in moves])
        best = int(np.argmin(costs))
        if costs[best] >= WORTH * self.cost:
            return False
        self.at[c], self.cost = moves[best], costs[best]
        return True

    def _moves(self, c: ControllerId, step_s: int) -> Iterator[Move]:
        """Yield the moves of a signal that stay within reach and keep every rule."""
        for move in _steps(self.at[c], step_s):
            if self._within(move) and _keeps(self.base[c], move, self.rules[c]):
                yield move

    def _within(self, move: Move) -> bool:
        most = max((abs(s) for s in (*move.spans_s, move.offset_s)), default=0)
        return max(most, abs(sum(move.spans_s))) <= self.reach.seconds

    # costs ----------------------------------------------------------------------------------

    def _costs(self, sets: Sequence[Plans]) -> list[float]:
        """Return the mean delay of sets of plans over the demands they must do for, veh-s."""
        from lvbo.optimize._wide import WIDTH

        found: list[float] = []
        for k in range(0, len(sets), WIDTH):
            part = sets[k : k + WIDTH]
            delays = [self._run(part, factor).delay_vehs for factor in FACTORS]
            found += np.mean(delays, axis=0).tolist()
        return found

    def _run(self, sets: Sequence[Plans], factor: float) -> Transmitted:
        self.left -= 1
        windows = build_windows(
            [[self._timing(s, one[c]) for one in sets] for s, c in enumerate(self.mesh.controllers)]
        )
        return self.model.run_windows(windows, Span(end_s=END_S, factor=factor))

    def _timing(self, s: int, plan: Plan) -> Timing:
        key = s, plan.at_offset(0)
        if key not in self.known:
            loss_s, gain_s = self.mesh.loss_gain_s[s]
            self.known[key] = Timing(
                cycle_s=plan.cycle_ds / 10,
                offset_s=0.0,
                gain_s=gain_s,
                rights=tuple(rights(self.mesh.models[s], plan, loss_s, gain_s)),
            )
        return replace(self.known[key], offset_s=plan.offset_ds / 10)


# moves ----------------------------------------------------------------------------------------


def spans_of(plan: Plan) -> tuple[tuple[int, int], ...]:
    """Return begin and end, tenths, of the spans between changes of greens that may be moved."""
    windows = [w for g in plan.greens for w in g.windows if w.length_ds < plan.cycle_ds]
    cuts = sorted({w.start_ds for w in windows} | {w.end_ds % plan.cycle_ds for w in windows})
    pairs = zip(cuts, [*cuts[1:], *(c + plan.cycle_ds for c in cuts[:1])], strict=True)
    return tuple(
        (begin, end)
        for begin, end in pairs
        if end - begin >= LEAST_SPAN_DS and any(_covers(w, begin, plan.cycle_ds) for w in windows)
    )


def moved(plan: Plan, move: Move) -> Plan:
    """Return a plan with time added to its spans and its offset moved; events keep their order."""
    added = [
        (begin, 10 * more_s)
        for (begin, _), more_s in zip(spans_of(plan), move.spans_s, strict=True)
        if more_s
    ]
    cycle_ds = plan.cycle_ds + sum(more for _, more in added)

    def changed(window: Window) -> Window:
        if window.length_ds >= plan.cycle_ds:
            return replace(window, length_ds=cycle_ds)
        later = sum(more for begin, more in added if begin < window.start_ds)
        inside = sum(more for begin, more in added if _covers(window, begin, plan.cycle_ds))
        return replace(
            window, start_ds=window.start_ds + later, length_ds=window.length_ds + inside
        )

    greens = tuple(
        replace(g, windows=tuple(sorted(changed(w) for w in g.windows))) for g in plan.greens
    )
    offset_ds = (plan.offset_ds + 10 * move.offset_s) % cycle_ds
    stages = () if added else plan.stages
    return replace(plan, cycle_ds=cycle_ds, offset_ds=offset_ds, greens=greens, stages=stages)


def _covers(window: Window, at_ds: int, cycle_ds: int) -> bool:
    return (at_ds - window.start_ds) % cycle_ds < window.length_ds


def _steps(now: Move, step_s: int) -> Iterator[Move]:
    """Yield what one step makes of a move."""
    for by_s in (step_s, -step_s):
        yield replace(now, offset_s=now.offset_s + by_s)
        for k in range(len(now.spans_s)):
            yield replace(now, spans_s=_with(now.spans_s, {k: by_s}))
    for give, take in permutations(range(len(now.spans_s)), 2):
        yield replace(now, spans_s=_with(now.spans_s, {give: -step_s, take: step_s}))


def _with(spans_s: tuple[int, ...], more_s: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(s + more_s.get(k, 0) for k, s in enumerate(spans_s))


def _keeps(plan: Plan, move: Move, rules: SignalRules) -> bool:
    """Say whether a moved plan keeps every span open and every rule."""
    spans = zip(spans_of(plan), move.spans_s, strict=True)
    if any(end - begin + 10 * more_s < LEAST_SPAN_DS for (begin, end), more_s in spans):
        return False
    return is_safe(moved(plan, move), rules)
