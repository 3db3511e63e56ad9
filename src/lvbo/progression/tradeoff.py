# SPDX-License-Identifier: Apache-2.0
"""How much of a band to keep: all of it, unless less of it costs less delay and fewer stops.

A narrower band leaves each signal more room, none at all leaves them free. For each share of the
band the offsets within its room are moved to less delay and fewer stops of all who drive between
the signals, turning in and off too; the widest share is kept that costs little more than the least,
beside all delay at these signals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lvbo.ids import ControllerId
from lvbo.progression.area import AreaModel
from lvbo.progression.problem import BandPlan, BandProblem
from lvbo.progression.room import Room
from lvbo.progression.slack import SECOND_MS, Cost
from lvbo.signal.plan import Plan

SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
"""The shares of the band that are tried."""
MOST_COST = 0.01
"""What a band may cost over the least, as a share of delay and stops of all at its signals."""
STOP_S = 20.0
"""What a stop costs, in seconds of delay."""
STEP_S = 4
"""Where no band binds them, the signals beyond each section first move together by such steps."""

Plans = Mapping[ControllerId, Plan]


@dataclass(frozen=True, eq=False, kw_only=True)
class StreetTraffic:
    """The traffic of a street: a model of its signals, and the plan that each of them runs.

    `area` prices a stop with `STOP_S`; `plans[k]` is what signal k of the problem runs, `held` are
    controllers whose offsets stay.
    """

    area: AreaModel
    plans: tuple[Plan, ...]
    held: frozenset[ControllerId] = frozenset()

    @property
    def controllers(self) -> tuple[ControllerId, ...]:
        """Return the controller of each signal."""
        return tuple(plan.controller for plan in self.plans)

    def at(self, runs: BandPlan) -> dict[ControllerId, Plan]:
        """Return the plans at the offsets of a band plan; who is held keeps its own."""
        return {
            p.controller: p if p.controller in self.held else p.at_offset(ms // 100)
            for p, ms in zip(self.plans, runs.offsets_ms, strict=True)
        }

    def cost(self, plans: Plans) -> Cost:
        """Return delay and stops per hour of all traffic on the sections between the signals."""
        delay = self.area.cost(plans, stop_s=0.0).between_vehs_ph
        index = self.area.cost(plans, stop_s=STOP_S).between_vehs_ph
        return Cost(delay_s_per_h=delay, stops_per_h=(index - delay) / STOP_S, index_s_per_h=index)

    def of_all_s_per_h(self, plans: Plans) -> float:
        """Return delay and priced stops per hour of all at the signals, side streets too."""
        return self.area.cost(plans, stop_s=STOP_S).total

    def within(self, room: Room, plans: Plans) -> dict[ControllerId, Plan]:
        """Return the plans moved within a room to less delay and fewer stops."""

        def allowed(controller: ControllerId, now: Plans) -> list[int]:
            cycle, at = now[controller].cycle_ds // 10, now[controller].offset_ds // 10
            if controller in self.held:
                return [at % cycle]
            return [(at + s) % cycle for s in room.shifts(controller, now)]

        return self.area.polish(plans, allowed)

    def free(self, plans: Plans) -> dict[ControllerId, Plan]:
        """Return the plans moved anywhere, first all signals beyond each section together.

        They never cost more than before.
        """
        order = list(dict.fromkeys(self.controllers))
        out = dict(plans)
        for k in range(1, len(order)):
            tail = [c for c in order[k:] if c not in self.held]
            draws = [
                {c: (p.offset_ds // 10 + (s if c in tail else 0)) for c, p in out.items()}
                for s in range(0, max(p.cycle_ds for p in out.values()) // 10, STEP_S)
            ]
            best = draws[int(self.area.costs_at(out, draws).argmin())]
            out = {c: p.at_offset(10 * best[c]) for c, p in out.items()}
        moved = self.area.polish(
            out, lambda c, now: [now[c].offset_ds // 10] if c in self.held else _whole(now[c])
        )
        return min((moved, dict(plans)), key=lambda found: self.cost(found).index_s_per_h)


def _whole(plan: Plan) -> range:
    return range(plan.cycle_ds // 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBand:
    """Hold the plan that is kept, the share of both bands together in it, and what was weighed.

    `asked` is the share that had to stay; `whole` is the cost with all of the band, `now` that of
    the plan. Where no band binds the offsets, `given_up`, the plan has those that its offsets
    happen to give.
    """

    plan: BandPlan
    asked: float
    share: float
    whole: Cost
    now: Cost

    @property
    def given_up(self) -> bool:
        """Say whether no band binds the offsets."""
        return self.asked == 0.0


@dataclass(frozen=True, kw_only=True)
class _Trial:
    share: float
    plans: Plans
    cost: Cost


def keep_band(
    problem: BandProblem,
    plan: BandPlan,
    traffic: StreetTraffic,
    *,
    most_cost: float = MOST_COST,
    least_share: float = 0.0,
) -> KeptBand:
    """Return the plan with the largest share of its bands whose cost is near the least.

    Its bands are as wide as its offsets give, in the directions that had one. At least
    `least_share` of them stays.

    The plan must have a cycle and offsets of whole seconds (`Band.whole`).
    """
    found = kept_bands(problem, plan, traffic, least_share=least_share)
    return best_kept(found, traffic, most_cost=most_cost)


def best_kept(
    kept: Sequence[KeptBand], traffic: StreetTraffic, *, most_cost: float = MOST_COST
) -> KeptBand:
    """Return the first of these, the widest first, whose cost is near the least."""
    least = min(kept, key=lambda own: own.now.index_s_per_h)
    of_all = traffic.of_all_s_per_h(traffic.at(least.plan))
    most = least.now.index_s_per_h + most_cost * of_all
    return next(own for own in kept if own.now.index_s_per_h <= most)


def kept_bands(
    problem: BandProblem, plan: BandPlan, traffic: StreetTraffic, *, least_share: float = 0.0
) -> tuple[KeptBand, ...]:
    """Return what each share of the bands that may stay gives, the largest first.

    The plan must have a cycle and offsets of whole seconds (`Band.whole`).
    """
    tried = list(_tried(problem, plan, traffic, least_share))
    whole = tried[0].cost
    return tuple(_kept(problem, plan, traffic, found, whole) for found in tried)


def freed_band(
    problem: BandProblem, plan: BandPlan, traffic: StreetTraffic, plans: Plans, whole: Cost
) -> KeptBand:
    """Return what stays of the bands at offsets that were found without them."""
    own = {c: plans[c] for c in traffic.controllers}
    found = _Trial(share=0.0, plans=own, cost=traffic.cost(own))
    return _kept(problem, plan, traffic, found, whole)


def _kept(
    problem: BandProblem, plan: BandPlan, traffic: StreetTraffic, found: _Trial, whole: Cost
) -> KeptBand:
    chosen = _chosen(problem, plan, traffic, found)
    return KeptBand(
        plan=chosen,
        asked=found.share,
        share=chosen.sum_ms / plan.sum_ms if plan.sum_ms else 1.0,
        whole=whole,
        now=found.cost,
    )


def _tried(
    problem: BandProblem, plan: BandPlan, traffic: StreetTraffic, least_share: float
) -> Iterator[_Trial]:
    """Yield each share, its plans reached from those of the share before."""
    plans = traffic.at(plan)
    for share in SHARES:
        if share < least_share:
            return
        if share > 0:
            room = Room(problem, _narrowed(plan, share), traffic.controllers, fixed=True)
            plans = traffic.within(room, plans)
        else:
            plans = traffic.free(plans)
        yield _Trial(share=share, plans=plans, cost=traffic.cost(plans))


def _narrowed(plan: BandPlan, share: float) -> BandPlan:
    """Return the plan with a share of its bands, in whole seconds where not all of them stay."""
    if share == 1:
        return plan
    out, back = (
        int(share * band // SECOND_MS) * SECOND_MS for band in (plan.outbound_ms, plan.inbound_ms)
    )
    return replace(plan, outbound_ms=out, inbound_ms=back)


def _chosen(
    problem: BandProblem, plan: BandPlan, traffic: StreetTraffic, found: _Trial
) -> BandPlan:
    """Return the band plan of a trial: bands as wide as its offsets give where they had one."""
    room = Room(problem, plan, traffic.controllers, fixed=found.share > 0)
    if found.share == 1:
        return room.kept(found.plans)
    widest = room.at(found.plans)
    if found.share == 0:
        return widest
    out = widest.outbound_ms if plan.outbound_ms else 0
    back = widest.inbound_ms if plan.inbound_ms else 0
    return room.at(found.plans, (out, back))
