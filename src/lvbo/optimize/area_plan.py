# SPDX-License-Identifier: Apache-2.0
"""Plans for a whole area: cycles, stage orders, splits and offsets searched together.

Every group of signals is searched over its cycles; finalists are given the waves that corridors ask
for, and the rest improves around them. What is best is chosen with the platoons of the whole area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, InfeasibleError, InputError
from lvbo.ids import ControllerId, LinkId, PlanId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.optimize.cycles import Group, try_all
from lvbo.optimize.deadline import Deadline, shared_out
from lvbo.optimize.evaluate import AreaCost, AreaJudge, Plans, cycle_classes
from lvbo.optimize.executor import Serial, TaskRunner
from lvbo.optimize.grouping import find_groups
from lvbo.optimize.mesh import AreaMesh, Traits
from lvbo.optimize.rerank import transmitted
from lvbo.optimize.robust import samples
from lvbo.optimize.search import (
    AreaSearch,
    Effort,
    Found,
    Hold,
    Objective,
    Programme,
    part_of,
    plan_of,
)
from lvbo.progression.coordinate import Street, coordinate, evaluate_wave
from lvbo.progression.wave import PeriodWave, Wave, WaveSettings
from lvbo.signal.plan import Greens, Plan
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet
from lvbo.timing.cures import diagnose
from lvbo.timing.model import ControllerModel, CycleLimits, Timing
from lvbo.timing.plans import Group as SignalGroup
from lvbo.timing.plans import (
    controller_models,
    period_volumes,
    plan_name,
)

SOFT = 1.02
"""A soft wave is kept while the area costs at most 2 % more with it."""


FOR_LOOKS, FOR_CYCLES = 0.25, 0.75
"""Shares of the time that is left then: for a look at all cycles, for searching at the best."""


class Bands(StrEnum):
    """What the waves of the corridors asked for are worth."""

    HARD = "hard"
    SOFT = "soft"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class AreaGoal:
    """What an area plan is asked.

    Waves are laid on `corridors` in their order, as `bands` says. `groups` share a cycle each;
    None lets areas be found by what coordination saves. `speeds_mps` are measured speeds of
    platoons. With several `samples` plans are made for that many demands at once: days of the
    period, light to heavy, or where few days are known the mean times factors around one.
    """

    corridors: tuple[Corridor, ...] = ()
    bands: Bands = Bands.HARD
    groups: tuple[SignalGroup, ...] | None = None
    limits: CycleLimits = field(default_factory=CycleLimits)
    objective: Objective = field(default_factory=Objective)
    effort: Effort = field(default_factory=Effort)
    traits: Traits = field(default_factory=Traits)
    settings: WaveSettings = field(default_factory=WaveSettings)
    speeds_mps: Mapping[LinkId, float] | None = None
    samples: int = 1


@dataclass(frozen=True, kw_only=True)
class AreaPeriod:
    """One period of an area plan: what it costs by the model, and its waves."""

    day_type: str
    period: str
    cost: AreaCost
    waves: tuple[PeriodWave | None, ...]


@dataclass(frozen=True, kw_only=True)
class AreaPlan:
    """Plans by period with the waves they carry and what they cost."""

    plans: PlanSet
    waves: tuple[Wave, ...]
    periods: tuple[AreaPeriod, ...]


def optimize_area(
    network: Network,
    demand: Demand,
    periods: Iterable[DayPlan],
    goal: AreaGoal | None = None,
    *,
    progress: Callable[[float], None] | None = None,
    runner: TaskRunner | None = None,
) -> AreaPlan:
    """Return plans for every controller and period that cost least by the area model.

    `progress` is told the share of the work that is done. What does not depend on each other is
    given to `runner`, if any, to be done side by side: periods, then the best cycles of each group
    of signals in all of them. Where the effort has a deadline, a quarter of the time is for looking
    at cycles, three quarters of the rest for searching at the best of them.

    Raises:
        InfeasibleError: LV510 where the limits of a signal contradict; it names the smallest set.

    """
    asked, who = goal or AreaGoal(), runner or Serial()
    days, until = tuple(periods), asked.effort.until
    pairs = [(day, period) for day in days for period in day.periods]
    ends = shared_out(_share(until, FOR_LOOKS), [1.0] * len(pairs), who.workers)
    orders = [
        _Order(network=network, demand=demand, day=day, period=period, goal=asked, until=end)
        for (day, period), end in zip(pairs, ends, strict=True)
    ]
    looked = who.map(_looked, orders, _part(progress, 0.0, 0.2))
    groups = [group for own in looked for group in own.groups]
    tried = try_all(groups, asked.effort, _share(until, FOR_CYCLES), who, _part(progress, 0.2, 0.8))
    ends = shared_out(until, [1.0] * len(pairs), who.workers)
    chosen, first = [], 0
    for own, end in zip(looked, ends, strict=True):
        founds = tried[first : first + len(own.groups)]
        chosen.append(_Choice(task=own.task, founds=founds, until=end))
        first += len(own.groups)
    parts = who.map(_solved, chosen, _part(progress, 0.8, 1.0))
    done = [part.period for part in parts]
    plan_set = PlanSet(
        plans=tuple(sorted((p for part in parts for p in part.plans), key=_by_name)),
        day_plans=days,
        assignments=tuple(run for part in parts for run in part.runs),
        findings=tuple(finding for part in parts for finding in part.findings),
    )
    return AreaPlan(plans=plan_set, waves=_waves(asked, plan_set, done), periods=tuple(done))


def _by_name(plan: Plan) -> tuple[ControllerId, PlanId]:
    return plan.controller, plan.id


def _share(until: Deadline | None, share: float) -> Deadline | None:
    return None if until is None else until.after(share)


def _part(
    progress: Callable[[float], None] | None, first: float, last: float
) -> Callable[[float], None] | None:
    if progress is None:
        return None
    return lambda share: progress(first + share * (last - first))


@dataclass(frozen=True, kw_only=True)
class _Order:
    """One period to be planned; after `until` no further cycle is looked at."""

    network: Network
    demand: Demand
    day: DayPlan
    period: Period
    goal: AreaGoal
    until: Deadline | None


@dataclass(frozen=True, eq=False, kw_only=True)
class _Looked:
    """One period with its groups of signals and their best cycles."""

    task: _Task
    groups: list[Group]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Choice:
    """One period with the finalists of each group, of which one is to be chosen."""

    task: _Task
    founds: list[list[Found]]
    until: Deadline | None


@dataclass(frozen=True, kw_only=True)
class _Solved:
    """One period planned."""

    plans: tuple[Plan, ...]
    runs: tuple[Assignment, ...]
    findings: tuple[Finding, ...]
    period: AreaPeriod


def _looked(order: _Order) -> _Looked:
    """Look at the cycles of one period; wherever this runs, the result is the same."""
    task = _Task(order.network, order.demand, order.day, order.period, order.goal)
    return _Looked(task=task, groups=task.groups(order.until))


def _solved(choice: _Choice) -> _Solved:
    """Choose among finalists, waves laid; wherever this runs, the result is the same."""
    task = choice.task
    best = task.best(choice.founds, choice.until)
    return _Solved(
        plans=tuple(best.plans.values()),
        runs=tuple(
            Assignment(
                controller=c, day_type=task.day.day_type, period=task.period.name, plan=plan.id
            )
            for c, plan in sorted(best.plans.items())
        ),
        findings=tuple(task.findings(best)),
        period=task.period_of(best),
    )


def _waves(asked: AreaGoal, plans: PlanSet, done: Sequence[AreaPeriod]) -> tuple[Wave, ...]:
    found = []
    for k, corridor in enumerate(asked.corridors):
        laid = tuple(w for p in done if (w := p.waves[k]) is not None)
        if laid:
            found.append(
                Wave(corridor=corridor, plans=plans, periods=laid, settings=asked.settings)
            )
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """Plans of one period, their programmes, the waves laid, and what they cost."""

    plans: Plans
    programmes: Mapping[ControllerId, Programme]
    waves: tuple[PeriodWave | None, ...]
    cost: AreaCost
    value: float


class _Task:
    """Hold one period: models, the judge, the order."""

    def __init__(
        self, network: Network, demand: Demand, day: DayPlan, period: Period, goal: AreaGoal
    ) -> None:
        self.network, self.demand, self.goal = network, demand, goal
        self.day, self.period = day, period
        self.name: PlanId = plan_name(day.day_type, period)
        self.volumes = period_volumes(demand, day.day_type, period)
        models = controller_models(network, demand, self.volumes)
        self.models: dict[ControllerId, ControllerModel] = {m.controller.id: m for m in models}
        self.judge = AreaJudge(network, self.models, self.volumes, goal.speeds_mps, goal.traits)

    def best(self, finalists: Sequence[Sequence[Found]], until: Deadline | None) -> _Trial:
        """Return what costs least of the finalists with the waves asked for, one at least."""
        trials: list[_Trial] = []
        for k in range(max(len(found) for found in finalists)):
            if trials and until is not None and until.is_over:
                break
            founds = [found[min(k, len(found) - 1)] for found in finalists]
            trials.append(self._trial(founds, until))
        return trials[self._least(trials)]

    def _least(self, trials: Sequence[_Trial]) -> int:
        """Return which trial costs least where streets may fill up; stops as the profiles say."""
        if len(trials) == 1:
            return 0
        mesh = self.judge.mesh(tuple(self.models))
        delay = transmitted(mesh, [trial.plans for trial in trials])
        if delay is None:
            return int(np.argmin([trial.value for trial in trials]))
        stops = [self.goal.objective.stop_s * trial.cost.stops_ph for trial in trials]
        return int(np.argmin(delay + np.array(stops)))

    def groups(self, until: Deadline | None) -> list[Group]:
        """Return the groups of signals that share a cycle, with their best cycles."""
        goal = self.goal
        cycles = goal.effort.cycles_s or tuple(int(c) for c in goal.limits.cycles())
        groups = goal.groups or find_groups(self.judge, cycles, goal.objective, goal.corridors)
        members = [[c for c in g.controllers if c in self.models] for g in groups]
        used = [own for own in members if own]
        effort, found = replace(goal.effort, until=until), []
        for k, own in enumerate(used):
            search = AreaSearch(self._mesh(own), goal.objective)
            best = search.ranked(cycles, part_of(effort, k, len(used)))
            found.append(Group(search=search, cycles_s=best))
        return found

    def _mesh(self, members: Sequence[ControllerId]) -> AreaMesh:
        """Return what is searched on: the mean demand, or several."""
        if self.goal.samples <= 1:
            return self.judge.mesh(members)
        found = samples(self.demand, self.day.day_type, self.period, self.goal.samples)
        return self.judge.robust_mesh(members, found)

    def _trial(self, founds: Sequence[Found], until: Deadline | None) -> _Trial:
        """Return one choice of cycles with waves laid and the rest improved around them."""
        programmes = {c: p for found in founds for c, p in found.programmes.items()}
        free = self._around(programmes, {}, (), until)
        if self.goal.bands is Bands.NONE or not self.goal.corridors:
            return free
        others = {c: p for found in founds for c, p in found.others.items()}
        waved = self._waved(programmes, others, until)
        soft = self.goal.bands is Bands.SOFT
        return free if soft and waved.value > SOFT * free.value else waved

    def _waved(
        self,
        programmes: Mapping[ControllerId, Programme],
        others: Mapping[ControllerId, tuple[Programme, ...]],
        until: Deadline | None,
    ) -> _Trial:
        """Lay a wave on each street in turn; what it does not bind improves around it."""
        at = dict(programmes)
        plans = {c: self._plan(c, p) for c, p in at.items()}
        known = {c: {self._plan(c, p).greens: p for p in (at[c], *others.get(c, ()))} for c in at}
        waves: list[PeriodWave | None] = []
        locked: frozenset[ControllerId] = frozenset()
        for corridor in self.goal.corridors:
            wave = self._wave(corridor, plans, known, locked)
            waves.append(wave)
            if wave is not None:
                locked |= frozenset(wave.controllers)
                for c, plan in zip(wave.controllers, wave.plans, strict=True):
                    plans[c] = plan
                    at[c] = self._shifted(c, known[c][plan.greens], plan)
        return self._around(at, plans, waves, until)

    def _wave(
        self,
        corridor: Corridor,
        plans: Plans,
        known: Mapping[ControllerId, Mapping[tuple[Greens, ...], Programme]],
        locked: frozenset[ControllerId],
    ) -> PeriodWave | None:
        if locked.issuperset(corridor.controllers):
            return None
        street = Street(
            network=self.network,
            demand=self.demand,
            speeds_mps=self.goal.speeds_mps,
            locked=locked,
            alternatives={
                c: tuple(self._plan(c, p) for p in own.values()) for c, own in known.items()
            },
            models=self.models,
        )
        settings = self.goal.settings.to_build_on
        try:
            return coordinate(corridor, self._one(plans), street=street, settings=settings).periods[
                0
            ]
        except (InputError, InfeasibleError):  # cycles or offsets that do not fit each other
            return None

    def _around(
        self,
        programmes: Mapping[ControllerId, Programme],
        laid: Plans,
        waves: Sequence[PeriodWave | None],
        until: Deadline | None,
    ) -> _Trial:
        """Improve what no wave binds, and offsets within the slack of those that one does."""
        at, plans = dict(programmes), {c: self._plan(c, p) for c, p in programmes.items()}
        holds = _holds([w for w in waves if w is not None])
        plans |= {c: laid[c] for c in holds}
        for cycle_s, members in cycle_classes(plans, self.models):
            if len(members) < 2 or any(cycle_s // at[c].cycle_s > 2 for c in members):  # noqa: PLR2004
                continue
            search = AreaSearch(self._mesh(members), self.goal.objective)
            area = search.placed(at, cycle_s, holds)
            search.improve(area, until)
            for c, programme in search.programmes(area).items():
                moved = programme.offset_s - at[c].offset_s
                plans[c] = plans[c].later(moved) if c in holds else self._plan(c, programme)
                at[c] = programme
        cost = self.judge.cost(plans)
        moved_waves = tuple(None if w is None else self._again(w, plans) for w in waves)
        value = cost.delay_vehs_ph + self.goal.objective.stop_s * cost.stops_ph
        return _Trial(plans=plans, programmes=at, waves=moved_waves, cost=cost, value=value)

    def _again(self, wave: PeriodWave, plans: Plans) -> PeriodWave:
        """Return a wave as the plans give it now."""
        known = Street(network=self.network, demand=self.demand, speeds_mps=self.goal.speeds_mps)
        corridor = self._corridor_of(wave)
        found = evaluate_wave(
            corridor, self._one(plans), street=known, settings=self.goal.settings
        ).periods[0]
        return replace(found, band=wave.band, findings=wave.findings)

    def _corridor_of(self, wave: PeriodWave) -> Corridor:
        return next(c for c in self.goal.corridors if set(c.controllers) == set(wave.controllers))

    def _plan(self, controller: ControllerId, programme: Programme) -> Plan:
        return plan_of(self.models[controller], programme, self.name)

    def _shifted(self, c: ControllerId, programme: Programme, plan: Plan) -> Programme:
        """Return the programme at the offset of a plan made from it."""
        base = self._plan(c, replace(programme, offset_s=0)).offset_ds
        offset_s = round((plan.offset_ds - base) / 10) % programme.cycle_s
        return replace(programme, offset_s=offset_s)

    def _one(self, plans: Plans) -> PlanSet:
        """Return the plans as a set whose only period has the name and volumes of this one."""
        rest = Period(start_s=self.period.end_s, end_s=self.period.start_s, name="rest")
        whole = self.period.start_s == self.period.end_s
        periods = (self.period,) if whole else (self.period, rest)
        return PlanSet(
            plans=tuple(plans[c] for c in sorted(plans)),
            day_plans=(DayPlan(day_type=self.day.day_type, periods=periods),),
            assignments=tuple(
                Assignment(
                    controller=c, day_type=self.day.day_type, period=p.name, plan=plans[c].id
                )
                for c in sorted(plans)
                for p in periods
            ),
        )

    # what is told ---------------------------------------------------------------------------

    def period_of(self, trial: _Trial) -> AreaPeriod:
        """Return what is kept of a period beside its plans."""
        return AreaPeriod(
            day_type=self.day.day_type,
            period=self.period.name,
            cost=trial.cost,
            waves=trial.waves or (None,) * len(self.goal.corridors),
        )

    def findings(self, trial: _Trial) -> list[Finding]:
        """Return what the plans leave unserved, and what would cure it."""
        found: list[Finding] = []
        for c, programme in sorted(trial.programmes.items()):
            model = self.models[c]
            timing = Timing(
                order=programme.order,
                cycle_s=programme.cycle_s,
                greens_s=programme.greens_s,
                delay_vehs_ph=0.0,
                saturation=0.0,
            )
            judged = model.judged(timing, self.volumes)
            found += diagnose(model, judged, self.volumes, f"{c} {self.name}")
        return found


def _holds(waves: Sequence[PeriodWave]) -> dict[ControllerId, Hold]:
    """Return by how much the offsets on waves may move without touching a band."""
    found: dict[ControllerId, Hold] = {}
    for wave in waves:
        for c, (early_ms, late_ms) in zip(wave.controllers, wave.runs.slack_ms, strict=True):
            before = found.get(c, Hold(early_s=1 << 20, late_s=1 << 20))
            found[c] = Hold(
                early_s=min(before.early_s, max(0, early_ms // 1000)),
                late_s=min(before.late_s, max(0, late_ms // 1000)),
            )
    return found
