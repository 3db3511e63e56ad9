# SPDX-License-Identifier: Apache-2.0
"""Plans to rank: designed ones and random ones, for every signal of a network, all by the rules.

Designed plans differ as plans of a street differ; random ones alone lie so close together that
their ranks are noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count, islice

import numpy as np

from lvbo.demand.demand import Demand
from lvbo.ids import ControllerId, PlanId
from lvbo.network.network import Network
from lvbo.network.place import Movement, Turn
from lvbo.progression.plan_area import AreaOrder, plan_area
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DayPlan, Period
from lvbo.timing.arrays import Array
from lvbo.timing.model import ControllerModel, CycleLimits, Timing
from lvbo.timing.plans import Volumes, controller_models, mean_volumes
from lvbo.timing.splits import equal_saturation_greens

CYCLE_S = 90
CYCLES_S = (60, 75, 110)
RANDOM_CYCLES_S = (60, 120)
STRETCH = 0.4
SHIFTED = 6
"""So many random sets of offsets are put on one set of greens."""
SPEED_SHARE = 0.85
KINDS = 3
WAYS: Mapping[str, tuple[int, int]] = {
    "east": (1, 0),
    "west": (-1, 0),
    "north": (0, 1),
    "south": (0, -1),
    "northeast": (1, 1),
    "southwest": (-1, -1),
}
"""One-way progressions: where they lead."""

Plans = Mapping[ControllerId, Plan]
Timings = Mapping[ControllerId, Timing]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One set of plans; `same_greens` says that it shares cycle and greens with others so marked.

    Those differ in offsets only.
    """

    name: str
    plans: tuple[Plan, ...]
    designed: bool
    same_greens: bool = False

    @cached_property
    def index(self) -> Plans:
        """Return the plans by controller."""
        return {plan.controller: plan for plan in self.plans}


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How many plans are drawn, by which seed; `others` are sets made elsewhere, by name."""

    count: int = 34
    seed: int = 0
    others: Mapping[str, Plans] = field(default_factory=dict)


def sample_plans(
    network: Network,
    demand: Demand,
    sampling: Sampling | None = None,
    *,
    progress: Callable[[float], None] | None = None,
) -> tuple[Sample, ...]:
    """Return so many sets of plans, designed ones first; equal seeds give equal plans."""
    asked = sampling or Sampling()
    drawn = _Drawn(network, demand, np.random.default_rng([asked.seed, 3]))
    base = drawn.timed(CYCLE_S)
    found: list[Sample] = []
    for name, plans, designed in islice(_named(drawn, base, asked.others), asked.count):
        found.append(
            Sample(
                name=name,
                plans=tuple(plan for _, plan in sorted(plans.items())),
                designed=designed,
                same_greens=_is_shifted(plans, base),
            )
        )
        if progress is not None:
            progress(len(found) / asked.count)
    return tuple(found)


def search_plans(network: Network, demand: Demand, count: int, *, seed: int) -> list[Plans]:
    """Return sets of plans of one cycle as a search tries them: greens and offsets by chance."""
    drawn = _Drawn(network, demand, np.random.default_rng([seed, 4]))
    return [drawn.shifted(drawn.stretched(CYCLE_S)) for _ in range(count)]


def _named(
    drawn: _Drawn, base: Plans, others: Mapping[str, Plans]
) -> Iterator[tuple[str, Plans, bool]]:
    """Yield sets of plans with their name, and whether they are designed; random ones never end."""
    yield f"even-{CYCLE_S}", drawn.even(CYCLE_S), True
    yield f"timed-{CYCLE_S}", base, True
    for name, way in WAYS.items():
        yield f"{name}-{CYCLE_S}", drawn.led(base, way), True
    for name, order in AREA_ORDERS.items():
        yield name, drawn.area(order), True
    for cycle_s in CYCLES_S:
        yield f"timed-{cycle_s}", drawn.timed(cycle_s), True
    for name, plans in others.items():
        yield name, plans, True
    for number in range(SHIFTED):
        yield f"shifted-{number}", drawn.shifted(base), False
    for number in count():
        yield f"random-{number}", drawn.random(number), False


def _is_shifted(plans: Plans, base: Plans) -> bool:
    """Say whether plans differ from others in their offsets at most."""
    return all(plan.at_offset(0) == base[name].at_offset(0) for name, plan in plans.items())


AREA_ORDERS: Mapping[str, AreaOrder] = {
    "area-90": AreaOrder(
        corridors=(), limits=CycleLimits(least_s=CYCLE_S, most_s=CYCLE_S), cycles=1, stop_s=0.0
    ),
    "area": AreaOrder(cycles=3, stop_s=0.0, near_best=1.0),
}


class _Drawn:
    """Hold the models of all signals and the luck that plans are drawn by."""

    def __init__(self, network: Network, demand: Demand, draw: np.random.Generator) -> None:
        self.network, self.demand, self.draw = network, demand, draw
        self.volumes: Volumes = mean_volumes(demand)
        models = controller_models(network, demand, self.volumes)
        self.models: dict[ControllerId, ControllerModel] = {m.controller.id: m for m in models}
        self._known: dict[int, Timings] = {}

    def timed(self, cycle_s: int) -> Plans:
        """Return the plans with the least delay at a cycle, each signal by itself."""
        return self._plans(self._timed(cycle_s))

    def even(self, cycle_s: int) -> Plans:
        """Return plans with the stages installed and equal greens."""
        found = {}
        for name, model in self.models.items():
            stages = len(model.orders[0].stages)
            found[name] = _timing(model, 0, cycle_s, np.ones(stages))
        return self._plans(found)

    def area(self, order: AreaOrder) -> Plans:
        """Return plans coordinated over the whole network."""
        whole = Period(start_s=0, end_s=0, name="all")
        day = DayPlan(day_type=self.demand.kinds[0], periods=(whole,))
        plans = plan_area(self.network, self.demand, (day,), order).plans
        return plans.running(day.day_type, 0)

    def random(self, number: int) -> Plans:
        """Return plans of one random cycle, greens as stretched, offsets of three kinds."""
        low, high = RANDOM_CYCLES_S
        plans = self.stretched(2 * int(self.draw.integers(low // 2, high // 2 + 1)))
        ways = list(WAYS.values())
        if number % KINDS == 1:
            return self.led(plans, ways[int(self.draw.integers(len(ways)))])
        return self.shifted(plans) if number % KINDS == KINDS - 1 else plans

    def stretched(self, cycle_s: int) -> Plans:
        """Return plans of a cycle with greens up to 40 % longer or shorter by chance."""
        found = {}
        for name, timing in self._timed(cycle_s).items():
            factors = self.draw.uniform(1 - STRETCH, 1 + STRETCH, len(timing.greens_s))
            weights = np.array(timing.greens_s) * factors
            found[name] = _timing(self.models[name], timing.order, cycle_s, weights)
        return self._plans(found)

    def shifted(self, plans: Plans) -> Plans:
        """Return the plans with random offsets."""
        return {
            name: plan.at_offset(10 * int(self.draw.integers(plan.cycle_ds // 10)))
            for name, plan in plans.items()
        }

    def led(self, plans: Plans, way: tuple[int, int]) -> Plans:
        """Return the plans with greens of through traffic that start as a platoon arrives."""
        return {name: self._led(plan, way) for name, plan in plans.items()}

    def _led(self, plan: Plan, way: tuple[int, int]) -> Plan:
        dx, dy = way
        from_deg = math.degrees(math.atan2(-dx, 0 if dx else -dy))
        rules = self.network.controller_index[plan.controller].rules
        ahead = [
            m
            for m in self.network.movements
            if plan.controller in m.controllers and m.turn is Turn.THROUGH
        ]
        if not ahead:
            return plan
        led = min(ahead, key=lambda m: self._off(m, from_deg))
        starts = [w.start_ds for p in rules.phases_of(led.id) for w in plan.windows_of(p)]
        x, y = self.network.intersection_index[led.intersection].at
        arrives_s = (dx * x + dy * y) / (SPEED_SHARE * led.speed_mps)
        return plan.at_offset(10 * round(arrives_s) - min(starts, default=0))

    def _off(self, movement: Movement, from_deg: float) -> float:
        """Return by how many degrees an approach lies off a direction."""
        bearing = self.network.link_index[movement.from_link].bearing_deg
        return abs((bearing - from_deg + 180) % 360 - 180)

    def _timed(self, cycle_s: int) -> Timings:
        if cycle_s not in self._known:
            limits = CycleLimits(least_s=cycle_s, most_s=cycle_s)
            self._known[cycle_s] = {
                name: m.design(self.volumes, limits) for name, m in self.models.items()
            }
        return self._known[cycle_s]

    def _plans(self, timings: Timings) -> Plans:
        return {
            name: self.models[name].plan(timing, PlanId("all")) for name, timing in timings.items()
        }


def _timing(model: ControllerModel, order: int, cycle_s: int, weights: Array) -> Timing:
    """Return greens in proportion to weights, none below its least, that fill a cycle."""
    between, least, _ = model.order_arrays[order]
    rest_s = cycle_s - int(between.inters.sum())
    greens = equal_saturation_greens(weights, rest_s, least_s=least)
    ends = np.rint(np.cumsum(greens)).astype(int)
    return Timing(
        order=order,
        cycle_s=cycle_s,
        greens_s=tuple(int(green) for green in np.diff(ends, prepend=0)),
        delay_vehs_ph=0.0,
        saturation=0.0,
    )
