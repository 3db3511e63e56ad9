# SPDX-License-Identifier: Apache-2.0
"""Set the offsets (and, where allowed, the stage orders) of a corridor to a green wave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, InputError, Severity
from lvbo.ids import ControllerId, LinkId, PhaseId
from lvbo.network.corridor import Corridor, Section, Stop
from lvbo.network.network import Network
from lvbo.progression.area import AreaModel
from lvbo.progression.band import two_way_band
from lvbo.progression.clocks import clock_findings, is_counted_on
from lvbo.progression.flows import clearances_ms, corridor_flows
from lvbo.progression.linkband import link_bands
from lvbo.progression.linkband_eval import evaluate_link_bands
from lvbo.progression.linkbands import CENTRED, LinkBandPlan, LinkBandProblem, WaveModel
from lvbo.progression.offsets import evaluate_offsets
from lvbo.progression.orders import other_orders
from lvbo.progression.posted import rounded_speeds
from lvbo.progression.problem import (
    Band,
    BandPlan,
    BandProblem,
    Lock,
    Pattern,
    PostedSpeeds,
)
from lvbo.progression.tradeoff import STOP_S, KeptBand, StreetTraffic, keep_band
from lvbo.progression.usable import usable_greens
from lvbo.progression.wave import PeriodWave, Wave, WaveSettings
from lvbo.signal.plan import Plan
from lvbo.signal.rules import Controller
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.model import ControllerModel
from lvbo.timing.plans import Volumes, controller_models, period_volumes

PARTLY, GIVEN_UP = "LV495", "LV737"
"""The findings that a part of the band is given up, and that no band binds the offsets."""
LEAST_SPEED_MPS = 3.0
SPEED_ROOM = 0.04
"""A measured speed may be off by this share: platoons spread as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """What is known beside the plans: the network allows other stage orders, demand weighs them.

    `speeds_mps` are measured platoon speeds by link; `locked` controllers keep their offsets.
    `alternatives` are other plans a controller may run, of the same cycle; `models` are those of
    the controllers at the volumes of the only period, where they were made before.
    """

    network: Network | None = None
    demand: Demand | None = None
    speeds_mps: Mapping[LinkId, float] | None = None
    locked: frozenset[ControllerId] = frozenset()
    alternatives: Mapping[ControllerId, tuple[Plan, ...]] = field(default_factory=dict)
    models: Mapping[ControllerId, ControllerModel] | None = None


def coordinate(
    corridor: Corridor,
    plans: PlanSet,
    *,
    street: Street | None = None,
    settings: WaveSettings | None = None,
) -> Wave:
    """Return the plans with the widest two-way wave along the corridor in every period.

    Cycles and greens stay as they are; offsets become whole seconds. Where one direction alone is
    worth more, the one-way wave is taken, and the result says so.

    Raises:
        InputError: LV450 fewer than two signals, LV451 a controller has no plan, LV452 cycles that
            have no common one.

    """
    known, laid = street or Street(), settings or WaveSettings()
    return over_periods(corridor, plans, known, laid, Task.solved)


def evaluate_wave(
    corridor: Corridor,
    plans: PlanSet,
    *,
    street: Street | None = None,
    settings: WaveSettings | None = None,
) -> Wave:
    """Return the waves that the plans give as they are; nothing is solved for.

    Raises:
        InputError: as `coordinate`.

    """
    known, laid = street or Street(), settings or WaveSettings()
    return over_periods(corridor, plans, known, laid, Task.evaluated)


def over_periods(
    corridor: Corridor,
    plans: PlanSet,
    street: Street,
    settings: WaveSettings,
    made: Callable[[Task], PeriodWave],
) -> Wave:
    """Return the waves made of every period in turn, and the plans that run them all.

    Raises:
        InputError: as `coordinate`.

    """
    if len(corridor.stops) < 2:  # noqa: PLR2004  a wave needs two signals
        raise InputError("LV450", place=corridor.name, signals=len(corridor.stops))
    waves, current = [], plans
    for day in plans.day_plans:
        for period in day.periods:
            wave = made(Task(corridor, current, street, settings, day, period))
            waves.append(wave)
            current = current.with_plans(wave.plans)
    return Wave(corridor=corridor, plans=current, periods=tuple(waves), settings=settings)


class Task:
    """Hold one corridor in one period."""

    def __init__(
        self,
        corridor: Corridor,
        plans: PlanSet,
        street: Street,
        settings: WaveSettings,
        day: DayPlan,
        period: Period,
    ) -> None:
        self.corridor, self.street, self.settings = corridor, street, settings
        self.day, self.period = day, period
        self.plans = [self._plan(plans, stop) for stop in corridor.stops]
        self.share_cycle(max(plan.cycle_ds for plan in self.plans))
        self.choices = [self._choices(k) for k in range(len(self.plans))]

    def _plan(self, plans: PlanSet, stop: Stop) -> Plan:
        owner = stop.outbound_controller or stop.inbound_controller
        key = (owner, self.day.day_type, self.period.name)
        if owner is None or key not in plans.run_index:
            raise InputError("LV451", place=self.corridor.name, controller=owner)
        return plans.run_index[owner, self.day.day_type, self.period.name]

    def share_cycle(self, cycle_ds: int) -> None:
        """Take the cycle of a network that this corridor is part of."""
        for plan in self.plans:
            if cycle_ds % plan.cycle_ds:
                raise InputError(
                    "LV452",
                    place=f"{self.corridor.name} {self.period.name}",
                    controller=plan.controller,
                    cycle_s=plan.cycle_s,
                    common_s=cycle_ds / 10,
                )
        self.cycle_ds = cycle_ds

    # the problem ----------------------------------------------------------------------------

    def _choices(self, k: int) -> list[Plan]:
        """Return the plan of a stop and, where allowed, the same greens in other stage orders."""
        plan, stop = self.plans[k], self.corridor.stops[k]
        network = self.street.network
        fixed = plan.controller in self.street.locked or not self.settings.may_reorder
        if network is not None:
            fixed |= not is_counted_on(network.controller_index[plan.controller].clock)
        shared = sum(p.controller == plan.controller for p in self.plans) > 1
        if network is None or fixed or shared or not _both(stop):
            return [plan]
        given = self.street.alternatives.get(plan.controller)
        if given is not None:
            return [plan, *(p for p in given if p.cycle_ds == plan.cycle_ds)]
        return [plan, *other_orders(plan, network.controller_index[plan.controller].rules)]

    def problem(self) -> BandProblem:
        """Return what the band solver is asked."""
        corridor, cycle_ms = self.corridor, 100 * self.cycle_ds
        out, back = corridor.outbound, corridor.inbound
        volumes = self.volumes()
        clear_out, clear_in = self._clearances(volumes)
        weight_out, weight_in = self._weights(volumes)
        return BandProblem(
            patterns=tuple(
                tuple(self._pattern(plan, corridor.stops[k]) for plan in choice)
                for k, choice in enumerate(self.choices)
            ),
            parts_per_cycle=cycle_ms,
            cycles_ms=(cycle_ms,),
            distance_out_m=tuple(s.length_m for s in out or back),
            distance_in_m=tuple(s.length_m for s in back or out),
            speed_out_mps=tuple(self._speeds(s) for s in out or back),
            speed_in_mps=tuple(self._speeds(s) for s in back or out),
            clearance_out_ms=clear_out,
            clearance_in_ms=clear_in,
            weight_out=weight_out,
            weight_in=weight_in,
            ratio_range=self.settings.ratio_range if corridor.inbound else None,
            speed_change_limit_s_per_m=self.settings.speed_change_limit_s_per_m,
            locks=self._locks(),
            posted=self._posted(),
        )

    def _posted(self) -> PostedSpeeds | None:
        """Return the signs to choose from, one per section."""
        step = self.settings.posted_step_kmh
        if step is None:
            return None
        sections = self.corridor.outbound or self.corridor.inbound
        ranges = [self._speeds(s) for s in (*self.corridor.outbound, *self.corridor.inbound)]
        low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
        return PostedSpeeds(
            sections=tuple(range(len(sections))), speeds_mps=rounded_speeds(low, high, step)
        )

    def _pattern(self, plan: Plan, stop: Stop) -> Pattern:
        own_ms, times = 100 * plan.cycle_ds, self.cycle_ds // plan.cycle_ds
        whole = ((0, own_ms),)
        pattern = Pattern(
            outbound=self._windows(plan, stop.outbound_phases) if stop.outbound else whole,
            inbound=self._windows(plan, stop.inbound_phases) if stop.inbound else whole,
        )
        return pattern if times == 1 else pattern.repeated(times, 100 * self.cycle_ds)

    def _windows(self, plan: Plan, phases: Iterable[PhaseId]) -> tuple[tuple[int, int], ...]:
        """Return the usable greens of a movement in ms on the plan's own cycle."""
        controller = self._controller(plan)
        if controller is not None and not is_counted_on(controller.clock):
            return ((0, 100 * plan.cycle_ds),)
        return usable_greens(plan, phases, self.settings, controller, self.corridor.name)

    def _controller(self, plan: Plan) -> Controller | None:
        network = self.street.network
        return network.controller_index[plan.controller] if network else None

    def _set(self, k: int, runs: BandPlan | LinkBandPlan) -> Plan:
        """Return the plan that signal k runs; one not counted on keeps its own."""
        controller = self._controller(self.plans[k])
        if controller is not None and not is_counted_on(controller.clock):
            return self.plans[k]
        return self.choices[k][runs.patterns[k]].at_offset(runs.offsets_ms[k] // 100)

    def as_given(self, runs: BandPlan) -> dict[ControllerId, Plan]:
        """Return the plans with the stage orders of a band plan and the offsets they came with."""
        own = (self.choices[k][pattern] for k, pattern in enumerate(runs.patterns))
        return {plan.controller: plan for plan in own}

    def _speeds(self, section: Section) -> tuple[float, float]:
        measured = self.street.speeds_mps or {}
        network = self.street.network
        if network is not None and all(link in measured for link in section.links):
            lengths = [network.link_index[link].length_m for link in section.links]
            times = [m / measured[x] for m, x in zip(lengths, section.links, strict=True)]
            speed = max(LEAST_SPEED_MPS, sum(lengths) / sum(times))
            return (1 - SPEED_ROOM) * speed, (1 + SPEED_ROOM) * speed
        low, high = self.settings.speed_low, self.settings.speed_high
        return low * section.speed_limit_mps, high * section.speed_limit_mps

    def volumes(self) -> Volumes | None:
        """Return the mean volume of each movement in the period, veh/h, where it is known."""
        if self.street.demand is None:
            return None
        return period_volumes(self.street.demand, self.day.day_type, self.period)

    def through_vph(self) -> float:
        """Return the mean through flow of a stop line of the corridor; 1 where none is known."""
        volumes = self.volumes()
        if volumes is None:
            return 1.0
        flows = [
            volumes.get(m, 0.0) for s in self.corridor.stops for m in (s.outbound, s.inbound) if m
        ]
        return sum(flows) / len(flows)

    def _weights(self, volumes: Volumes | None) -> tuple[float, float]:
        """Return the weights of the directions: their share of the corridor's through flow."""
        if not self.corridor.inbound:
            return 1.0, 0.0
        if volumes is None:
            return 1.0, 1.0
        out = sum(volumes.get(s.outbound, 0.0) for s in self.corridor.stops if s.outbound)
        back = sum(volumes.get(s.inbound, 0.0) for s in self.corridor.stops if s.inbound)
        if out + back <= 0:
            return 1.0, 1.0
        return 2 * out / (out + back), 2 * back / (out + back)

    def _clearances(self, volumes: Volumes | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
        network = self.street.network
        if volumes is None or network is None or not self.settings.clear_queues:
            return (), ()
        return clearances_ms(self.corridor, network, volumes, self.plans, self.cycle_ds)

    def _locks(self) -> tuple[Lock, ...]:
        """Return the locks: controllers with fixed offsets, and those that own several stops."""
        locks = []
        for controller in dict.fromkeys(p.controller for p in self.plans):
            own = tuple(k for k, p in enumerate(self.plans) if p.controller == controller)
            offset = 100 * self.plans[own[0]].offset_ds
            if controller in self.street.locked:
                locks.append(Lock(signals=own, offsets_ms=(offset,) * len(own)))
            elif len(own) > 1:
                locks.append(Lock(signals=own, offsets_ms=(0,) * len(own), absolute=False))
        return tuple(locks)

    # answers --------------------------------------------------------------------------------

    def solved(self) -> PeriodWave:
        """Return the wave with the best offsets."""
        problem = self.problem()
        if self.settings.model is not WaveModel.TWO_WAY:
            return self._solved_by_link(problem)
        band = two_way_band(problem)
        traffic = self.traffic(band.whole)
        if traffic is None:
            return self.with_band(problem, band)
        kept = keep_band(problem, band.whole, traffic, least_share=self.settings.least_share)
        return self.with_band(problem, band, kept)

    def with_band(
        self, problem: BandProblem, band: Band, kept: KeptBand | None = None
    ) -> PeriodWave:
        """Return the wave with what is kept of a band; None keeps it as it was solved."""
        runs = band.whole if kept is None else kept.plan
        told = () if kept is None else self._given_up(kept)
        plans = tuple(self._set(k, runs) for k in range(len(self.plans)))
        wave = self._wave(problem, runs, plans, (*band.findings, *told), band)
        return replace(wave, given_up=kept is not None and kept.given_up)

    def _solved_by_link(self, problem: BandProblem) -> PeriodWave:
        """Return the wave whose bands of each link are worth most."""
        answer = link_bands(self._by_link(problem))
        links = answer.whole
        runs = evaluate_offsets(problem, links.cycle_ms, links.offsets_ms, links.patterns)
        plans = tuple(self._set(k, links) for k in range(len(self.plans)))
        wave = self._wave(problem, runs, plans, answer.findings, None)
        return replace(wave, links=links, findings=answer.findings)

    def _by_link(self, problem: BandProblem) -> LinkBandProblem:
        side = CENTRED if self.settings.model is WaveModel.MULTIBAND else self.settings.least_side
        weight_out, weight_in = self._link_weights()
        return LinkBandProblem(
            street=problem, weight_out=weight_out, weight_in=weight_in, least_side=side
        )

    def _link_weights(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return flow over saturation flow by link and direction, with a mean of 1."""
        links = len(self.plans) - 1
        volumes, network = self.volumes(), self.street.network
        back = (1.0 if self.corridor.inbound else 0.0,) * links
        if volumes is None or network is None:
            return (1.0,) * links, back
        flows = corridor_flows(self.corridor, network, volumes)
        out = zip(flows.volume_out_vph[1:], flows.saturation_out_vph[1:], strict=True)
        home = zip(flows.volume_in_vph[:-1], flows.saturation_in_vph[:-1], strict=True)
        loads = [v / s for v, s in out], [v / s for v, s in home]
        total = sum(loads[0]) + sum(loads[1])
        if total <= 0:
            return (1.0,) * links, back
        scale = 2 * links / total
        return tuple(scale * x for x in loads[0]), tuple(scale * x for x in loads[1])

    def traffic(self, runs: BandPlan) -> StreetTraffic | None:
        """Return the traffic at the signals, with the stage orders of a band plan.

        None where it is not known or not asked for, or the cycle has a broken second.
        """
        volumes, network, demand = self.volumes(), self.street.network, self.street.demand
        if volumes is None or network is None or demand is None:
            return None
        if not self.settings.cut_delay or runs.cycle_ms % 1000:
            return None
        plans = tuple(self._set(k, runs) for k in range(len(self.plans)))
        own = {p.controller for p in plans}
        models = self._models(network, demand, volumes, own)
        if len(models) < len(own):  # who is always green has no model
            return None
        adrift = {c for c in models if not is_counted_on(network.controller_index[c].clock)}
        area = AreaModel(network, models, volumes, self.street.speeds_mps, stop_s=STOP_S)
        return StreetTraffic(area=area, plans=plans, held=self.street.locked | adrift)

    def _models(
        self, network: Network, demand: Demand, volumes: Volumes, own: set[ControllerId]
    ) -> dict[ControllerId, ControllerModel]:
        known = self.street.models
        if known is not None:
            return {c: known[c] for c in own if c in known}
        made = controller_models(network, demand, volumes, only=own)
        return {m.controller.id: m for m in made}

    def _given_up(self, kept: KeptBand) -> Iterator[Finding]:
        percent = round(100 * (1 - kept.share))
        if percent > 0:
            yield Finding(
                code=GIVEN_UP if kept.given_up else PARTLY,
                place=f"{self.corridor.name} {self.period.name}",
                severity=Severity.ADVICE,
                fields={"percent": percent, **_extra(kept)},
            )

    def laid(
        self, problem: BandProblem, runs: BandPlan, findings: Sequence[Finding] = ()
    ) -> PeriodWave:
        """Return the wave of bands that were found elsewhere."""
        plans = tuple(self._set(k, runs) for k in range(len(self.plans)))
        return self._wave(problem, runs, plans, findings, None)

    def evaluated(self) -> PeriodWave:
        """Return the wave of the plans as they are."""
        self.choices = [[plan] for plan in self.plans]
        problem = self.problem()
        offsets = tuple(100 * plan.offset_ds for plan in self.plans)
        patterns = (0,) * len(offsets)
        runs = evaluate_offsets(problem, 100 * self.cycle_ds, offsets, patterns)
        wave = self._wave(problem, runs, tuple(self.plans), (), None)
        if self.settings.model is WaveModel.TWO_WAY:
            return wave
        links = evaluate_link_bands(self._by_link(problem), runs.cycle_ms, offsets, patterns)
        return replace(wave, links=links, findings=() if links else wave.findings)

    def _wave(
        self,
        problem: BandProblem,
        runs: BandPlan,
        plans: tuple[Plan, ...],
        findings: Sequence[Finding],
        band: Band | None,
    ) -> PeriodWave:
        return PeriodWave(
            day_type=self.day.day_type,
            period=self.period.name,
            problem=problem,
            runs=runs,
            band=band,
            controllers=tuple(plan.controller for plan in plans),
            plans=plans,
            choices=tuple(tuple(choice) for choice in self.choices),
            findings=(*findings, *self._doubts(runs, findings)),
        )

    def _doubts(self, runs: BandPlan, told: Sequence[Finding]) -> list[Finding]:
        place = f"{self.corridor.name} {self.period.name}"
        own = dict.fromkeys(plan.controller for plan in self.plans)
        network = self.street.network
        known = [network.controller_index[c] for c in own] if network else []
        found = list(clock_findings(known, place))
        given_up = any(finding.code == GIVEN_UP for finding in told)
        if runs.outbound_ms <= 0 and runs.inbound_ms <= 0 and not given_up:
            found.append(Finding(code="LV454", place=place, severity=Severity.WARNING))
        return found


def _extra(kept: KeptBand) -> dict[str, float]:
    """Return what all of a band would cost over what was kept, in per cent of it."""
    pairs = {
        "cost_percent": (kept.whole.index_s_per_h, kept.now.index_s_per_h),
        "delay_percent": (kept.whole.delay_s_per_h, kept.now.delay_s_per_h),
        "stops_percent": (kept.whole.stops_per_h, kept.now.stops_per_h),
    }
    return {
        name: round(100 * (whole / now - 1), 1) if now > 0 else 0.0
        for name, (whole, now) in pairs.items()
    }


def _both(stop: Stop) -> bool:
    return stop.outbound is not None and stop.inbound is not None
