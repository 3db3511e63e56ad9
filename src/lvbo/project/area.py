# SPDX-License-Identifier: Apache-2.0
"""The line over a whole area: counts to plans for all signals, with gains, reasons, trade-offs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.demand.speeds import platoon_speeds
from lvbo.detection.counts import Counts
from lvbo.errors import Finding, InfeasibleError, InputError, Severity
from lvbo.ids import LinkId, MovementId
from lvbo.network.network import Network
from lvbo.optimize.aims import Aim, objective_of, passenger_worth
from lvbo.optimize.answers import (
    check_limits,
    compare_in_force,
    coupling_findings,
    flow_findings,
    wave_findings,
    with_kept,
)
from lvbo.optimize.area_plan import AreaGoal, AreaPlan, Bands, optimize_area
from lvbo.optimize.curve import Asked, TradeOff, period_demand, trade_off
from lvbo.optimize.daily import Limited, limit_plans
from lvbo.optimize.deadline import Deadline, within
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.executor import TaskRunner
from lvbo.optimize.gains import PeriodGains, Spans, Waved, period_gains, spans_in_force
from lvbo.optimize.mesh import Traits
from lvbo.optimize.robust import SPREAD, Borne, bear_days
from lvbo.optimize.search import ENDLESS, Effort, timed
from lvbo.progression.coordinate import Street, evaluate_wave
from lvbo.progression.wave import PeriodWave, Wave, WaveSettings
from lvbo.project.calibration import (
    fit_finding,
    fitted_traits,
    profile_findings,
    seen_profiles,
    with_profiles,
)
from lvbo.project.line import Designed
from lvbo.project.steps import Progress, Steps, silent
from lvbo.project.trial import Trial
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.model import CycleLimits
from lvbo.timing.periods import Periods, find_periods
from lvbo.timing.plans import (
    controller_models,
    coordination_groups,
    mean_volumes,
    period_volumes,
)
from lvbo.timing.repair import repair_clearance

FOR_PLANS, FOR_PLANS_ALONE, FOR_PRICE = 0.67, 0.9, 0.3
"""Shares of the time that is left: for plans, also where no trade-off follows, for their waves."""


@dataclass(frozen=True, kw_only=True)
class AreaWish:
    """What a user asks of an area: streets in order of precedence, bands, aim, limits, effort.

    `seconds` is the time for everything that is searched; None searches as long as `kicks` say.
    With `least_gain` kicks end when the latter half of them has saved less than that share.
    `samples` demands, days of a period, are planned for at once.
    `bus_ph` are buses per hour by movement: those aboard then count. With the network file
    `fit_on` the area model is first fitted to a short simulation of its busiest period.
    """

    streets: tuple[str, ...] = ()
    bands: Bands = Bands.HARD
    aim: Aim = Aim.BALANCED
    limits: CycleLimits = field(default_factory=CycleLimits)
    settings: WaveSettings = field(default_factory=WaveSettings)
    most_plans: int | None = None
    kicks: int = 20
    seconds: float | None = None
    least_gain: float | None = None
    samples: int = 1
    seed: int = 0
    bus_ph: Mapping[MovementId, float] | None = None
    with_curve: bool = True
    traits: Traits = field(default_factory=Traits)
    fit_on: Path | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class AreaDesign:
    """Plans for an area and all that a user wants to know of them."""

    designed: Designed
    goal: AreaGoal
    gains: tuple[PeriodGains, ...]
    kept: tuple[tuple[str, str], ...] = ()
    curve: TradeOff | None = None
    limited: Limited | None = None
    borne: tuple[Borne, ...] = ()

    @property
    def plans(self) -> PlanSet:
        """Return the plans."""
        return self.designed.plans

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what was found on the way, in the order of the line."""
        return self.designed.findings

    def with_finding(self, finding: Finding) -> AreaDesign:
        """Return the design with one more thing to say."""
        plans = replace(self.plans, findings=(finding, *self.plans.findings))
        return replace(self, designed=replace(self.designed, plans=plans))


def in_force(network: Network, plans: PlanSet) -> PlanSet:
    """Return the plans with the clearance they lack, as far as their cycles have room for it."""
    index = network.controller_index

    def repaired(plan: Plan) -> Plan:
        try:
            return repair_clearance(plan, index[plan.controller].rules)
        except InfeasibleError:  # LV604: measured as it is, but never kept
            return plan

    return plans.mapped(repaired)


def design_area(  # noqa: PLR0913  the line joins all of these
    network: Network,
    counts: Counts,
    shipped: PlanSet,
    wish: AreaWish | None = None,
    *,
    speeds_mps: Mapping[LinkId, float] | None = None,
    steps: Steps = silent,
    runner: TaskRunner | None = None,
) -> AreaDesign:
    """Return plans for all signals of a network, made from counts, and what they change.

    Where plans in force are no worse they stay; findings say so.

    Raises:
        InfeasibleError: LV510 where the limits of a signal contradict; it names the smallest set.

    """
    with steps("demand"):
        demand = estimate_demand(network, counts, plans=shipped)
    with steps("periods"):
        periods = find_periods(network, demand)
    known = {**platoon_speeds(counts), **(speeds_mps or {})}
    if wish is None or wish.fit_on is None:
        return plan_periods(
            network, demand, periods, shipped, wish, speeds_mps=known, steps=steps, runner=runner
        )
    with steps("calibrate"):
        trial, place = busy_trial(network, demand, periods, wish.fit_on)
        fit = fitted_traits(trial, shipped, known)
        seen = seen_profiles(trial, shipped, counts)
    wish = replace(wish, traits=with_profiles(fit.traits, seen))
    made = plan_periods(
        network, demand, periods, shipped, wish, speeds_mps=known, steps=steps, runner=runner
    )
    for said in (*profile_findings(seen, place), fit_finding(fit, place)):
        made = made.with_finding(said)
    return made


def busy_trial(
    network: Network, demand: Demand, periods: Periods, net_file: Path
) -> tuple[Trial, str]:
    """Return the period with most traffic, ready to be simulated, and what it is called."""
    day, period = max(
        ((day, period) for day in periods for period in day.periods),
        key=lambda pair: sum(period_volumes(demand, pair[0].day_type, pair[1]).values()),
    )
    part = period_demand(demand, day.day_type, period)
    trial = Trial(network=network, net_file=net_file, demand=part, day_type=day.day_type)
    return trial, f"{day.day_type} {period.name}"


def plan_periods(  # noqa: PLR0913  the line joins all of these
    network: Network,
    demand: Demand,
    periods: Periods,
    shipped: PlanSet,
    wish: AreaWish | None = None,
    *,
    speeds_mps: Mapping[LinkId, float] | None = None,
    steps: Steps = silent,
    runner: TaskRunner | None = None,
) -> AreaDesign:
    """Return plans for all signals in given periods, and what they change.

    What does not depend on each other is given to `runner`, if any. Two thirds of the time of a
    wish are for the plans, the rest for the price of waves and the trade-off.
    """
    task = _Line(network, demand, periods, shipped, wish or AreaWish(), speeds_mps, runner)
    with steps("area") as tell:
        made = task.optimized(tell)
    with steps("gains"):
        told = task.told(made)
    if not task.wish.with_curve:
        return told
    with steps("curve") as tell:
        return replace(told, curve=task.curve(told.plans, tell))


def _few_days(borne: Borne) -> Finding:
    return Finding(
        code="LV598",
        place=f"{borne.day_type} {borne.period}",
        severity=Severity.WARNING,
        fields={"asked": borne.days, "percent": round(100 * SPREAD)},
    )


def _effort(wish: AreaWish) -> Effort:
    """Return how long to search where time is not the limit."""
    if wish.least_gain is None:
        return Effort(kicks=wish.kicks, seed=wish.seed)
    return Effort(kicks=ENDLESS, least_gain=wish.least_gain, seed=wish.seed)


class _Line:
    """Hold what all steps of one area need."""

    def __init__(  # noqa: PLR0913, PLR0917  the line joins all of these
        self,
        network: Network,
        demand: Demand,
        periods: Periods,
        shipped: PlanSet,
        wish: AreaWish,
        speeds_mps: Mapping[LinkId, float] | None,
        runner: TaskRunner | None,
    ) -> None:
        self.network, self.demand, self.periods = network, demand, periods
        self.shipped, self.wish, self.runner = shipped, wish, runner
        self.until = None if wish.seconds is None else within(wish.seconds)
        self.days = [(day, period) for day in periods for period in day.periods]
        self.goal = self._goal(speeds_mps)
        self.judges = {(d.day_type, p.name): self._judge(d, p) for d, p in self.days}
        self.findings: list[Finding] = []

    def _goal(self, speeds_mps: Mapping[LinkId, float] | None) -> AreaGoal:
        wish = self.wish
        worth = None
        if wish.bus_ph:
            worth = passenger_worth(mean_volumes(self.demand), wish.bus_ph)
        return AreaGoal(
            corridors=tuple(self.network.corridor(name) for name in wish.streets),
            bands=wish.bands if wish.streets else Bands.NONE,
            limits=wish.limits,
            objective=objective_of(wish.aim),
            effort=_effort(wish),
            samples=wish.samples,
            traits=replace(wish.traits, worth=worth),
            settings=wish.settings,
            speeds_mps=speeds_mps,
        )

    def _judge(self, day: DayPlan, period: Period) -> AreaJudge:
        """Return the judge of a period; it counts vehicles, whoever is aboard."""
        volumes = period_volumes(self.demand, day.day_type, period)
        models = {m.controller.id: m for m in controller_models(self.network, self.demand, volumes)}
        return AreaJudge(self.network, models, volumes, self.goal.speeds_mps)

    # steps ----------------------------------------------------------------------------------

    def optimized(self, tell: Progress) -> AreaPlan:
        """Return the plans of the search."""
        self.findings += coupling_findings(self.network, self.goal)
        for judge in self.judges.values():
            check_limits(tuple(judge.models.values()), self.goal)
        goal = self.goal
        if self.until is not None:
            until = self.until.after(FOR_PLANS if self.wish.with_curve else FOR_PLANS_ALONE)
            least_gain = self.wish.least_gain or 0.0
            goal = replace(goal, effort=timed(goal.effort, until, least_gain))
        line = (self.network, self.demand, self.periods, goal)
        return optimize_area(*line, progress=tell, runner=self.runner)

    def told(self, made: AreaPlan) -> AreaDesign:
        """Return the answer: what is in force where that is better, few plans if asked, gains."""
        kept = self._kept(made)
        plans = with_kept(made.plans, kept)
        limited = self._limited(plans)
        plans = plans if limited is None else limited.plans
        waves = self._waves(made, plans)
        gains = tuple(self._gains(plans, waves))
        borne = tuple(self._borne(plans)) if self.goal.samples > 1 else ()
        plans = replace(plans, findings=(*plans.findings, *self.findings))
        waves = tuple(replace(wave, plans=plans) for wave in waves)
        return AreaDesign(
            designed=Designed(demand=self.demand, periods=self.periods, plans=plans, waves=waves),
            goal=self.goal,
            gains=gains,
            kept=tuple(kept),
            limited=limited,
            borne=borne,
        )

    def _spans(self, plans: PlanSet, day: DayPlan, period: Period) -> Spans:
        new = plans.running(day.day_type, period.start_s)
        return spans_in_force(self.shipped, day.day_type, period, new)

    def _kept(self, made: AreaPlan) -> dict[tuple[str, str], Plans]:
        found: dict[tuple[str, str], Plans] = {}
        for (day, period), own in zip(self.days, made.periods, strict=True):
            moment = day.day_type, period.name
            when, judge = f"{day.day_type} {period.name}", self.judges[moment]
            self.findings += flow_findings(judge, when)
            self.findings += wave_findings(self.goal, own, when)
            new = made.plans.running(day.day_type, period.start_s)
            spans = self._spans(made.plans, day, period)
            waves = any(wave is not None for wave in own.waves)
            answer = compare_in_force(judge, new, spans, self.goal, waves=waves)
            said = answer.finding(when, self.goal.bands)
            self.findings += [] if said is None else [said]
            if answer.kept is not None:
                found[moment] = answer.kept
        return found

    def _limited(self, plans: PlanSet) -> Limited | None:
        most = self.wish.most_plans
        if most is None:
            return None
        groups = coordination_groups(self.network)
        found = limit_plans(plans, self.judges, groups, most, stop_s=self.goal.objective.stop_s)
        self.findings.append(
            Finding(
                code="LV587",
                place="",
                severity=Severity.ADVICE,
                fields={
                    "most": most,
                    "percent": round(100 * found.share, 1),
                    "vehh": round((found.limited_vehs - found.free_vehs) / 3600, 1),
                },
            )
        )
        return found

    def _waves(self, made: AreaPlan, plans: PlanSet) -> tuple[Wave, ...]:
        """Return the waves as the final plans give them."""
        found = []
        for wave in made.waves:
            laid = [self._wave_of(wave, own, plans) for own in wave.periods]
            whole = tuple(w for w in laid if w is not None)
            if whole:
                found.append(replace(wave, plans=plans, periods=whole))
        return tuple(found)

    def _wave_of(self, wave: Wave, own: PeriodWave, plans: PlanSet) -> PeriodWave | None:
        """Return a wave of one period; measured anew where its plans are others now."""
        now = [plans.plan(c, own.day_type, own.period) for c in own.controllers]
        if tuple(now) == own.plans:
            return own
        day = DayPlan(day_type=own.day_type, periods=(Period(start_s=0, end_s=0, name=own.period),))
        runs = [
            a for a in plans.assignments if (a.day_type, a.period) == (own.day_type, own.period)
        ]
        single = replace(plans, day_plans=(day,), assignments=tuple(runs))
        period = next(p for d, p in self.days if (d.day_type, p.name) == (own.day_type, own.period))
        street = Street(
            network=self.network,
            demand=period_demand(self.demand, own.day_type, period),
            speeds_mps=self.goal.speeds_mps,
        )
        try:
            seen = evaluate_wave(wave.corridor, single, street=street, settings=wave.settings)
        except (InputError, InfeasibleError):  # plans that give this street no wave
            return None
        return seen.periods[0]

    def _gains(self, plans: PlanSet, waves: Sequence[Wave]) -> list[PeriodGains]:
        free = self._free() if waves else None
        found = []
        for day, period in self.days:
            moment = day.day_type, period.name
            new = plans.running(day.day_type, period.start_s)
            streets = {
                c: wave.corridor.name
                for wave in waves
                for own in wave.periods
                if (own.day_type, own.period) == moment
                for c in own.controllers
            }
            waved = None
            if free is not None and streets:
                bare = {**new, **free.plans.running(day.day_type, period.start_s)}
                waved = Waved(plans=bare, streets=streets)
            spans = self._spans(plans, day, period)
            found.append(period_gains(self.judges[moment], moment, spans, new, waved))
        return found

    def _free(self) -> AreaPlan:
        """Return plans without waves, from a short search: what a wave costs is the difference."""
        return self._short(replace(self.goal, bands=Bands.NONE))

    def _short(self, goal: AreaGoal) -> AreaPlan:
        """Return the plans of a short search."""
        effort = Effort(kicks=0, seed=self.wish.seed, until=self._share(FOR_PRICE))
        brief = replace(goal, effort=effort)
        return optimize_area(self.network, self.demand, self.periods, brief, runner=self.runner)

    def _borne(self, plans: PlanSet) -> list[Borne]:
        """Return how plans bear the days of each period, beside plans for its mean demand."""
        plain = self._short(replace(self.goal, samples=1)).plans
        found = []
        for day, period in self.days:
            new = plans.running(day.day_type, period.start_s)
            mean = {**new, **plain.running(day.day_type, period.start_s)}
            own = bear_days(
                self.judges[day.day_type, period.name],
                self.demand,
                (day.day_type, period),
                (self._spans(plans, day, period), mean, new),
                self.goal.samples,
            )
            found.append(own)
            if not own.counted:
                self.findings.append(_few_days(own))
        return found

    def _share(self, share: float) -> Deadline | None:
        return None if self.until is None else self.until.after(share)

    def curve(self, plans: PlanSet, tell: Progress) -> TradeOff:
        """Return the trade-off of the busiest period, the one with most delay in an hour."""
        day, period = max(self.days, key=lambda pair: self._delay(plans, *pair))
        spans = self._spans(plans, day, period)
        asked = Asked(
            day_type=day.day_type,
            period=period,
            judge=self.judges[day.day_type, period.name],
            chosen=plans.running(day.day_type, period.start_s),
            before=max(spans, key=lambda span: span[0])[1],
        )
        line = (self.network, self.demand, asked, self.goal)
        return trade_off(*line, tell=tell, until=self.until, runner=self.runner)

    def _delay(self, plans: PlanSet, day: DayPlan, period: Period) -> float:
        judge = self.judges[day.day_type, period.name]
        return judge.cost(plans.running(day.day_type, period.start_s)).delay_vehs_ph
