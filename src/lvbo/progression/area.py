# SPDX-License-Identifier: Apache-2.0
"""Signals that share a cycle as one model of platoons: what plans cost, and better offsets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId, LaneId, LinkId, MovementId
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.signal.plan import Plan
from lvbo.timing.model import STATUS, ControllerModel

if TYPE_CHECKING:
    from lvbo.progression._area_kernels import Area

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Volumes = Mapping[MovementId, float]
Allowed = Callable[[ControllerId, Mapping[ControllerId, Plan]], Iterable[int]]
"""Say which whole-second offsets a controller may take, given the plans as they are."""

ALPHA = 0.1
"""Robertson's dispersion factor: times of driving spread by about a tenth of their mean."""
BETA = 1 / (1 + ALPHA)
"""His lag factor, so that the mean of the times is that of driving (Yu and Van Aerde 1995)."""
START_S = 4.0
"""Who starts from a stand and crosses the intersection comes so much later than at full speed."""
SPEED_SHARE = 0.75
"""Platoons run at this share of the limit where no speed was measured."""
FAR_M = 2500.0
ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCost:
    """What plans cost by the model, in veh-s per hour, by controller; stops at their price.

    `between_vehs_ph` is the part of lanes that platoons reach from another of the signals: all that
    offsets change.
    """

    delay_vehs_ph: Mapping[ControllerId, float]
    between_vehs_ph: float

    @property
    def total(self) -> float:
        """Return the sum over all controllers."""
        return sum(self.delay_vehs_ph.values())


class AreaModel:
    """The lanes of many controllers and who feeds whom; volumes fixed, plans to be tried.

    `stop_s` is what a stop costs, in seconds of delay. Platoons pass between controllers whose
    cycles are equal or whole fractions of each other; elsewhere arrivals are uniform.
    """

    def __init__(
        self,
        network: Network,
        models: Mapping[ControllerId, ControllerModel],
        volumes: Volumes,
        speeds_mps: Mapping[LinkId, float] | None = None,
        *,
        stop_s: float = 0.0,
    ) -> None:
        self.network, self.models, self.volumes = network, dict(models), volumes
        self.speeds = dict(speeds_mps or {})
        self.stop_s = stop_s
        self.lane_vph = {c: m.lane_volumes(volumes) for c, m in self.models.items()}
        self.feeds = self._feeds()

    # who feeds whom -------------------------------------------------------------------------

    def _feeds(self) -> list[tuple[LaneId, LaneId, float, float]]:
        """Return (source lane, target lane, share, travel s) for all platoons between models."""
        owners = {lane: c for c, m in self.models.items() for lane in m.lanes}
        found = []
        for model in self.models.values():
            for m, movement in enumerate(model.movements):
                arrival = self._arrival(movement)
                if arrival is None:
                    continue
                link, kept, time_s = arrival
                for lane, target_share in self._lane_split(link, owners).items():
                    for k, source in enumerate(model.lanes):
                        own = self._share_of_lane(model, k, m)
                        if own * target_share * kept > 0:
                            found.append((source, lane, own * target_share * kept, time_s))
        return found

    def _share_of_lane(self, model: ControllerModel, lane: int, movement: int) -> float:
        turns = model.layout.turn_move[lane]
        hits = np.flatnonzero(turns == movement)
        return float(model.layout.turn_share[lane, hits[0]]) if len(hits) else 0.0

    def _arrival(self, movement: MovementId) -> tuple[LinkId, float, float] | None:
        """Return the next link with a signal, the share that stays on the way, and the time."""
        current = self.network.movement_index[movement]
        kept, metres, time_s = 1.0, 0.0, START_S
        while metres < FAR_M:
            link = self.network.link_index[current.to_link]
            speed = self.speeds.get(link.id, SPEED_SHARE * link.speed_mps)
            metres += link.length_m + current.length_m
            time_s += (link.length_m + current.length_m) / speed
            ahead = self.network.movements_from[link.id]
            if any(m.controllers for m in ahead):
                return link.id, kept, time_s
            through = [m for m in ahead if m.turn is Turn.THROUGH]
            if not through:
                return None
            total = sum(self.volumes.get(m.id, 0.0) for m in ahead)
            current = max(through, key=lambda m: (self.volumes.get(m.id, 0.0), m.id))
            kept *= self.volumes.get(current.id, 0.0) / total if total > 0 else 1.0
        return None

    def _lane_split(
        self, link: LinkId, owners: Mapping[LaneId, ControllerId]
    ) -> dict[LaneId, float]:
        """Return the share of a link's flow on each of its stop-line lanes."""
        lanes = [x.id for x in self.network.link_index[link].lanes if x.id in owners]
        flows = {
            lane: self.lane_vph[owners[lane]][self.models[owners[lane]].lanes.index(lane)]
            for lane in lanes
        }
        total = sum(flows.values())
        return {lane: float(flow / total) for lane, flow in flows.items()} if total > 0 else {}

    # plans to arrays ------------------------------------------------------------------------

    def classes(self, plans: Mapping[ControllerId, Plan]) -> list[tuple[int, list[ControllerId]]]:
        """Return controllers by common cycle in s: (cycle, members), longest cycle first."""
        found: list[tuple[int, list[ControllerId]]] = []
        order = sorted(self.models, key=lambda c: (-plans[c].cycle_ds, c))
        for c in order:
            cycle = -(-plans[c].cycle_ds // 10)
            fits = next((cls for cls in found if cls[0] % cycle == 0), None)
            if fits is not None and plans[c].cycle_ds % 10 == 0:
                fits[1].append(c)
            else:
                found.append((cycle, [c]))
        return found

    def _rates(self, plan: Plan, cycle_s: int) -> Floats:
        from lvbo.timing import _flow_kernels as kernels

        model = self.models[plan.controller]
        work = kernels.scratch(len(model.movements), len(model.lanes), cycle_s)
        own = round(plan.cycle_ds / 10)
        work.status[:, :] = np.tile(movement_status(model, plan, own), cycle_s // own + 1)[
            :, :cycle_s
        ]
        rates = np.zeros((len(model.lanes), cycle_s))
        volume = self.lane_vph[plan.controller]
        kernels.plan_rates(cycle_s, model.layout, volume, model.hours, work, rates)
        return rates

    def _area(
        self, cycle_s: int, members: list[ControllerId], plans: Mapping[ControllerId, Plan]
    ) -> Area:
        from lvbo.progression._area_kernels import Area

        lanes = [lane for c in members for lane in self.models[c].lanes]
        place = {lane: k for k, lane in enumerate(lanes)}
        sizes = [len(self.models[c].lanes) for c in members]
        feeds = [f for f in self.feeds if f[0] in place and f[1] in place]
        feeds.sort(key=lambda f: (place[f[1]], place[f[0]]))
        total = np.concatenate([self.lane_vph[c] for c in members]) / 3600.0
        fed = np.zeros(len(lanes))
        for source, target, share, _ in feeds:
            fed[place[target]] += share * total[place[source]]
        smooth = [1.0 / (1.0 + ALPHA * BETA * f[3]) for f in feeds]
        return Area(
            np.ascontiguousarray(np.concatenate([self._rates(plans[c], cycle_s) for c in members])),
            np.repeat(np.arange(len(members)), sizes),
            np.maximum(0.0, total - fed),
            total,
            np.array([place[f[0]] for f in feeds], dtype=np.int64),
            np.array([f[2] for f in feeds]),
            np.array([round(BETA * f[3]) for f in feeds], dtype=np.int64),
            np.array(smooth),
            np.searchsorted([place[f[1]] for f in feeds], np.arange(len(lanes) + 1)),
            np.concatenate([[0], np.cumsum(sizes)]),
            self.stop_s,
        )

    # answers --------------------------------------------------------------------------------

    def cost(self, plans: Mapping[ControllerId, Plan], *, stop_s: float | None = None) -> AreaCost:
        """Return what the plans cost with the platoons they make; a stop its price, or another."""
        found: dict[ControllerId, float] = {}
        between = 0.0
        for cycle_s, members in self.classes(plans):
            run = _Run(self, cycle_s, members, plans)
            if stop_s is not None:
                run.area = run.area._replace(stop_s=stop_s)
            run.settle()
            found.update(run.costs())
            between += float(run.by_lane[np.diff(run.area.into) > 0].sum())
        return AreaCost(delay_vehs_ph=found, between_vehs_ph=between)

    def saturation(self, plans: Mapping[ControllerId, Plan]) -> float:
        """Return the largest degree of saturation of a lane under the plans."""
        most = 0.0
        for controller in self.models:
            cycle_s = -(-plans[controller].cycle_ds // 10)
            capacity = 3600.0 * self._rates(plans[controller], cycle_s).mean(axis=1)
            volume = self.lane_vph[controller]
            known = (capacity > 0) & (volume > 0)
            most = max(most, float((volume[known] / capacity[known]).max(initial=0.0)))
        return most

    def mean_cost(
        self, plans: Mapping[ControllerId, Plan], draws: Sequence[Mapping[ControllerId, int]]
    ) -> float:
        """Return the mean total cost of the plans at several sets of offsets in whole seconds."""
        return float(self.costs_at(plans, draws).mean())

    def costs_at(
        self, plans: Mapping[ControllerId, Plan], draws: Sequence[Mapping[ControllerId, int]]
    ) -> Floats:
        """Return the total cost of the plans at each of several sets of whole-second offsets."""
        totals = np.zeros(len(draws))
        for cycle_s, members in self.classes(plans):
            run = _Run(self, cycle_s, members, plans)
            totals += [run.total_at([draw[c] for c in members]) for draw in draws]
        return totals

    def polish(
        self, plans: Mapping[ControllerId, Plan], allowed: Allowed | None = None
    ) -> dict[ControllerId, Plan]:
        """Return the plans with offsets that cost less, within what is allowed of each controller.

        One signal after the other takes its best offset until nothing moves; deterministic.
        """
        out = dict(plans)
        for cycle_s, members in self.classes(plans):
            if len(members) > 1:
                _Run(self, cycle_s, members, out).improve(out, allowed)
        return out


class _Run:
    """Hold the arrays of one class of controllers while offsets move."""

    def __init__(
        self,
        model: AreaModel,
        cycle_s: int,
        members: list[ControllerId],
        plans: Mapping[ControllerId, Plan],
    ) -> None:
        self.model, self.cycle_s, self.members = model, cycle_s, members
        self.area = model._area(cycle_s, members, plans)  # noqa: SLF001  one pair of classes
        offsets = [round(plans[c].offset_ds / 10) for c in members]
        self.offsets = np.array(offsets, dtype=np.int64)
        self.leave = np.repeat(self.area.total[:, None], cycle_s, axis=1)
        self.delay = np.zeros(len(self.area.total))
        self.scale, self.later = self._beside()

    def settle(self, sweeps: int = 4) -> float:
        """Run the queues until profiles have passed several links; return veh-s per cycle."""
        from lvbo.progression._area_kernels import run_area

        return float(run_area(self.area, self.offsets, sweeps, self.leave, self.delay))

    def total_at(self, offsets_s: Sequence[int]) -> float:
        """Return veh-s per hour of all controllers at these offsets."""
        self.offsets[:] = offsets_s
        self.leave[:] = self.area.total[:, None]
        self.settle()
        return float(self.by_lane.sum())

    @property
    def by_lane(self) -> Floats:
        """Return veh-s per hour by lane, random and oversaturation delay included."""
        return self.scale * self.delay + self.later

    def costs(self) -> dict[ControllerId, float]:
        """Return veh-s per hour by controller."""
        by_lane = self.by_lane
        ends = zip(self.area.first[:-1], self.area.first[1:], strict=True)
        return {
            controller: float(by_lane[a:b].sum())
            for controller, (a, b) in zip(self.members, ends, strict=True)
        }

    def _beside(self) -> tuple[Floats, Floats]:
        """Return per lane what turns its delay per cycle into that of an hour, and what is added.

        Offsets change neither.
        """
        from lvbo.timing._flow_kernels import incremental_s

        volume, capacity = 3600.0 * self.area.total, 3600.0 * self.area.rates.mean(axis=1)
        load = np.ones(len(volume))
        busy = volume > 0
        load[busy] = np.minimum(1.0, 0.98 * capacity[busy] / volume[busy])
        models = [self.model.models[name] for name in self.members]
        hours = [models[s].hours for s in self.area.owner]
        swings = np.concatenate([model.layout.swing_h for model in models])
        later = [
            incremental_s(v, c, h, swing) * v
            for v, c, h, swing in zip(volume, capacity, hours, swings, strict=True)
        ]
        return 3600.0 / self.cycle_s / np.maximum(load, 0.02), np.array(later)

    def improve(self, plans: dict[ControllerId, Plan], allowed: Allowed | None) -> None:
        """Move offsets in `plans` while the area gets better."""
        from lvbo.progression._area_kernels import best_offset

        self.settle()
        for _ in range(ROUNDS):
            moved = False
            for s, controller in enumerate(self.members):
                own = plans[controller].cycle_ds // 10
                choice = range(own) if allowed is None else allowed(controller, plans)
                options = np.array(sorted(set(choice)), dtype=np.int64)
                if len(options) == 0:
                    continue
                best = int(best_offset(self.area, s, options, self.offsets, self.leave))
                if best != self.offsets[s]:
                    moved = True
                    self.offsets[s] = best
                    plans[controller] = plans[controller].at_offset(10 * best)
                    self.settle(1)
            self.settle(2)
            if not moved:
                return


def movement_status(model: ControllerModel, plan: Plan, cycle_s: int) -> Ints:
    """Return what lamps give each movement each second: 0 red, 1 permitted, 2 protected.

    Shape (movements, cycle), on the plan's own clock.
    """
    rules = model.controller.rules
    row = {m: k for k, m in enumerate(model.movements)}
    status = np.zeros((len(model.movements), cycle_s), dtype=np.int64)
    serves: dict[str, list[int]] = defaultdict(list)
    for service in rules.services:
        if service.movement in row:
            serves[service.phase].append(row[service.movement])
    for greens in plan.greens:
        shown = STATUS.get(rules.phase_index[greens.phase].shows, 1)
        for window in greens.windows:
            first, last = round(window.start_ds / 10), round(window.end_ds / 10)
            seconds = np.arange(first, last) % cycle_s
            for k in serves[greens.phase]:
                status[k, seconds] = np.maximum(status[k, seconds], shown)
    return status
