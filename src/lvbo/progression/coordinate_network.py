# SPDX-License-Identifier: Apache-2.0
"""Set the offsets (and, where allowed, the stage orders) of streets that cross, all together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lvbo.errors import Finding, InfeasibleError, Severity, UsageError
from lvbo.ids import ControllerId
from lvbo.network.corridor import Corridor
from lvbo.progression.band import two_way_band, value_of
from lvbo.progression.coordinate import Street, Task, coordinate
from lvbo.progression.linkbands import WaveModel
from lvbo.progression.network_bands import (
    NetworkBandPlan,
    NetworkBandProblem,
    NetworkBands,
    evaluate_network,
)
from lvbo.progression.network_solve import NetworkEffort, network_bands
from lvbo.progression.problem import BandPlan, BandProblem
from lvbo.progression.wave import PeriodWave, Wave, WaveSettings
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import PlanSet

FELT_MS = 500
"""A street that gives up less than this does not feel that it is crossed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkGoal:
    """Say what streets that cross want of each other.

    `held` streets (by name or id) keep the bands that they have when nothing crosses them, as
    posted waves must; `least_s` gives other least bands, outbound and inbound. `weights` weigh
    streets (1 if not named). With `one_by_one` the streets are made in the order given, each around
    those before it.
    """

    held: frozenset[str] = frozenset()
    least_s: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    one_by_one: bool = False
    effort: NetworkEffort = field(default_factory=NetworkEffort)


@dataclass(frozen=True, kw_only=True)
class NetworkWave:
    """The waves of several streets, in the order given, and the plan set that runs them all."""

    waves: tuple[Wave, ...]
    plans: PlanSet

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what was found on any street."""
        return tuple(f for wave in self.waves for f in wave.findings)


def coordinate_network(
    corridors: Sequence[Corridor],
    plans: PlanSet,
    *,
    street: Street | None = None,
    settings: WaveSettings | None = None,
    goal: NetworkGoal | None = None,
) -> NetworkWave:
    """Return the plans with the widest waves on all streets, weighted, in every period.

    Streets that share controllers are solved together: one offset and one stage order per
    controller serve them all. The result is never worth less than the streets one after another.
    Only bands through all signals are made together.

    Raises:
        InputError: as `coordinate`, for any of the streets.
        UsageError: LV489 another model than two_way, or a name that is none of the streets.
        InfeasibleError: LV485, LV486 a street cannot keep its least bands.

    """
    known, laid, wish = street or Street(), settings or WaveSettings(), goal or NetworkGoal()
    groups = _groups(corridors)
    apart = wish.one_by_one or len(groups) == len(corridors)
    _check(corridors, wish, WaveModel.TWO_WAY if apart else laid.model)
    if apart:
        return _in_turn(corridors, plans, known, laid, wish)
    rival = _rival(corridors, plans, known, laid, wish)
    current = plans
    periods: list[list[PeriodWave]] = [[] for _ in corridors]
    for day in plans.day_plans:
        for period in day.periods:
            tasks = [Task(c, current, known, laid, day, period) for c in corridors]
            for group in groups:
                found = _solved(tasks, group, rival, wish)
                for k, wave in zip(group, found, strict=True):
                    periods[k].append(wave)
                    current = current.with_plans(wave.plans)
    waves = [
        Wave(corridor=c, plans=current, periods=tuple(p), settings=laid)
        for c, p in zip(corridors, periods, strict=True)
    ]
    return NetworkWave(waves=tuple(waves), plans=current)


def _check(corridors: Sequence[Corridor], goal: NetworkGoal, model: WaveModel) -> None:
    names = {name for c in corridors for name in (c.name, str(c.id))}
    unknown = {*goal.held, *goal.least_s, *goal.weights} - names
    if unknown or model is not WaveModel.TWO_WAY:
        raise UsageError("LV489", place=", ".join(sorted(unknown)) or "-", model=str(model))


def _named(corridor: Corridor, names: Iterable[str]) -> str | None:
    """Return the name or id of a street that stands among these."""
    return next((n for n in names if n in (corridor.name, str(corridor.id))), None)


def _groups(corridors: Sequence[Corridor]) -> list[list[int]]:
    """Return which streets hang together by shared controllers, in the order given."""
    groups: list[list[int]] = []
    for k, corridor in enumerate(corridors):
        own = set(corridor.controllers)
        joined = [g for g in groups if any(own & set(corridors[m].controllers) for m in g)]
        groups = [g for g in groups if g not in joined]
        groups.append(sorted([k, *(m for g in joined for m in g)]))
    return sorted(groups)


# one after another ------------------------------------------------------------------------------


def _in_turn(
    corridors: Sequence[Corridor],
    plans: PlanSet,
    street: Street,
    settings: WaveSettings,
    goal: NetworkGoal,
) -> NetworkWave:
    """Return the streets made one by one, held ones first; what one has set stays."""
    made: dict[int, Wave] = {}
    order = sorted(range(len(corridors)), key=lambda k: _named(corridors[k], goal.held) is None)
    for k in order:
        locked = street.locked | {c for wave in made.values() for c in wave.corridor.controllers}
        known = replace(street, locked=frozenset(locked))
        made[k] = coordinate(corridors[k], plans, street=known, settings=settings)
        plans = made[k].plans
    waves = tuple(replace(made[k], plans=plans) for k in range(len(corridors)))
    return NetworkWave(waves=waves, plans=plans)


def _rival(
    corridors: Sequence[Corridor],
    plans: PlanSet,
    street: Street,
    settings: WaveSettings,
    goal: NetworkGoal,
) -> NetworkWave | None:
    """Return the streets made one by one, None where later ones find no plan around the first."""
    try:
        return _in_turn(corridors, plans, street, settings, goal)
    except (InfeasibleError, UsageError):
        return None


# together ---------------------------------------------------------------------------------------


def _solved(
    tasks: Sequence[Task], group: Sequence[int], rival: NetworkWave | None, goal: NetworkGoal
) -> list[PeriodWave]:
    kept: list[PeriodWave] = []
    if rival is not None:
        kept = [rival.waves[k].at(tasks[k].period.name, tasks[k].day.day_type) for k in group]
    if len(group) == 1:
        return kept or [tasks[group[0]].solved()]
    crossing = _Crossing([tasks[k] for k in group], goal)
    waves = crossing.solved(kept)
    if kept and crossing.keeps(kept) and crossing.value(kept) > crossing.value(waves):
        return kept
    return waves


class _Crossing:
    """Hold streets that share controllers in one period, as one problem over nodes."""

    def __init__(self, tasks: Sequence[Task], goal: NetworkGoal) -> None:
        self.tasks, self.goal = tasks, goal
        cycle = max(task.cycle_ds for task in tasks)
        for task in tasks:
            task.share_cycle(cycle)
        self.names = [f"{t.corridor.name} {t.period.name}" for t in tasks]
        self.controllers = list(dict.fromkeys(p.controller for t in tasks for p in t.plans))
        self.choices = {c: self._choices(c) for c in self.controllers}
        for task in tasks:
            task.choices = [self.choices[p.controller] for p in task.plans]
        self.asked = [task.problem() for task in tasks]
        self.problem = self._problem()

    def _choices(self, controller: ControllerId) -> list[Plan]:
        """Return the plans that a controller may run for all streets through it."""
        offered = [
            (task, task.choices[k])
            for task in self.tasks
            for k, plan in enumerate(task.plans)
            if plan.controller == controller
        ]
        streets = [id(task) for task, _ in offered]
        if len(set(streets)) < len(streets):  # several stop lines of one street: as they are
            return offered[0][1][:1]
        return max((choices for _, choices in offered), key=len)

    def _problem(self) -> NetworkBandProblem:
        node = {c: k for k, c in enumerate(self.controllers)}
        locked = {c for task in self.tasks for c in task.street.locked}
        plan_of = {p.controller: p for task in self.tasks for p in task.plans}
        flows = [task.through_vph() for task in self.tasks]
        mean = sum(flows) / len(flows)
        return NetworkBandProblem(
            corridors=tuple(
                self._corridor(task, asked, flow / mean if mean > 0 else 1.0)
                for task, asked, flow in zip(self.tasks, self.asked, flows, strict=True)
            ),
            nodes=tuple(tuple(node[p.controller] for p in task.plans) for task in self.tasks),
            names=tuple(self.names),
            fixed_ms=tuple((k, 100 * plan_of[c].offset_ds) for c, k in node.items() if c in locked),
        )

    def _corridor(self, task: Task, asked: BandProblem, flow: float) -> BandProblem:
        """Return the problem of one street as a network takes it: least bands, no locks."""
        held = _named(task.corridor, self.goal.held)
        least = _named(task.corridor, self.goal.least_s)
        weight = flow * self.goal.weights.get(_named(task.corridor, self.goal.weights) or "", 1.0)
        signed = asked.posted is not None or asked.speed_change_limit_s_per_m is not None
        runs = two_way_band(asked).whole if held or signed else None
        least_ms = (asked.min_out_ms, asked.min_in_ms)
        if least:
            out_s, in_s = self.goal.least_s[least]
            least_ms = round(1000 * out_s), round(1000 * in_s)
        elif held and runs:
            least_ms = runs.outbound_ms, runs.inbound_ms
        laid = _at_speeds_of(asked, runs) if signed and runs else asked
        return replace(
            laid,
            locks=(),
            weight_out=weight * asked.weight_out,
            weight_in=weight * asked.weight_in,
            min_out_ms=least_ms[0],
            min_in_ms=least_ms[1],
        )

    # answers --------------------------------------------------------------------------------

    def solved(self, rival: Sequence[PeriodWave]) -> list[PeriodWave]:
        """Return the waves of all streets with one offset and sequence per controller."""
        known = [plan for plan in (self._as_network(rival),) if plan]
        answer = network_bands(self.problem, self.goal.effort, known=known)
        return [
            task.laid(asked, runs, [self._cost(k, answer)])
            for k, (task, asked, runs) in enumerate(
                zip(self.tasks, self.asked, answer.whole.corridors, strict=True)
            )
        ]

    def _as_network(self, rival: Sequence[PeriodWave]) -> NetworkBandPlan | None:
        """Return waves that were made one by one as a plan of the network, if they are one."""
        if not rival:
            return None
        plans = {p.controller: p for wave in rival for p in wave.plans}
        sequences = []
        for c in self.controllers:
            same = [q.at_offset(plans[c].offset_ds) == plans[c] for q in self.choices[c]]
            if not any(same):
                return None
            sequences.append(same.index(True))
        offsets = [100 * plans[c].offset_ds for c in self.controllers]
        return evaluate_network(self.problem, self.asked[0].cycles_ms[0], offsets, sequences)

    def value(self, waves: Sequence[PeriodWave]) -> float:
        """Return the weighted bands of all streets, in cycles."""
        return sum(
            value_of(c, wave.runs) for c, wave in zip(self.problem.corridors, waves, strict=True)
        )

    def keeps(self, waves: Sequence[PeriodWave]) -> bool:
        """Return whether all streets have their least bands."""
        return all(
            wave.runs.outbound_ms >= c.min_out_ms and wave.runs.inbound_ms >= c.min_in_ms
            for c, wave in zip(self.problem.corridors, waves, strict=True)
        )

    def _cost(self, k: int, answer: NetworkBands) -> Finding:
        """Say what the crossing streets cost a street."""
        alone, runs = answer.alone[k], answer.whole.corridors[k]
        own = set(self.problem.nodes[k])
        others = [
            self.tasks[m].corridor.name
            for m, nodes in enumerate(self.problem.nodes)
            if m != k and own & set(nodes)
        ]
        lost_ms = alone.sum_ms - runs.sum_ms
        return Finding(
            code="LV487" if lost_ms >= FELT_MS else "LV488",
            place=self.names[k],
            severity=Severity.ADVICE,
            fields={
                "crossing": ", ".join(others),
                "out_s": round(runs.outbound_ms / 1000, 1),
                "in_s": round(runs.inbound_ms / 1000, 1),
                "alone_out_s": round(alone.outbound_ms / 1000, 1),
                "alone_in_s": round(alone.inbound_ms / 1000, 1),
                "lost_s": round(lost_ms / 1000, 1),
            },
        )


def _at_speeds_of(asked: BandProblem, runs: BandPlan) -> BandProblem:
    """Return the problem with the speeds of a plan, in place of signs and limits on changes."""

    def speeds(metres: Sequence[float], times: Sequence[int]) -> tuple[tuple[float, float], ...]:
        return tuple((1000 * d / ms, 1000 * d / ms) for d, ms in zip(metres, times, strict=True))

    return replace(
        asked,
        posted=None,
        speed_change_limit_s_per_m=None,
        speed_out_mps=speeds(asked.distance_out_m, runs.travel_out_ms),
        speed_in_mps=speeds(asked.distance_in_m, runs.travel_in_ms),
    )
