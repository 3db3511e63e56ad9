# SPDX-License-Identifier: Apache-2.0
"""The best plans for a scenario: shipped ones that keep the rules, stretched, or designed.

The scenario is counted, and designs are tried out, on seeds that are never judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lvbo.bench.kept import DESIGN_ROOMS, code_digest
from lvbo.bench.tries import FIXED, Entrant, Ground, Plans
from lvbo.codec import from_plain, to_plain
from lvbo.control.background import plan_table
from lvbo.control.protocols import Order
from lvbo.control.registry import ControllerSpec
from lvbo.control.site import Site, read_site
from lvbo.control.stageplans import StagePlans
from lvbo.control.walks import plan_with_walks
from lvbo.demand.estimate import estimate_demand
from lvbo.errors import LvboError
from lvbo.io.scenario import Scenario
from lvbo.network.network import Network
from lvbo.progression.plan_area import AreaOrder, plan_area
from lvbo.signal.check import check_plan, is_safe
from lvbo.signal.plan import Plan
from lvbo.signal.rules import SignalRules
from lvbo.signal.schedule import DAY_S, DayPlan, Period, PlanSet
from lvbo.simulation.count import COUNTING_FROM, count_scenario
from lvbo.timing.insert import made_safe
from lvbo.timing.join import join_heads
from lvbo.timing.model import CycleLimits

SHIPPED = "shipped"
CYCLES_S = ((40, 120), (80, 120), (40, 100), (40, 80))
"""Between which cycles designs are made; the model does not see spillback and hidden waits."""
FACTORS = (0.85, 1.15, 1.3)
"""The shipped cycles are tried so many times as long, greens in proportion."""
COUNTED, TRIED = 3, 2
"""On how many seeds a scenario is counted, and its designs are tried."""
LONG_RED = "LV227"
HOPELESS = 1.3
"""Designs with 30 % more delay than the best on the first seed are not tried on the others."""


def street_plans(scenario: Scenario) -> Plans:
    """Return the programmes in force at the start, with walks, keeping all rules.

    Raises:
        InfeasibleError: LV604 where a programme cannot be made to keep them.

    """
    return _in_force(scenario, scenario.plans)


def _in_force(scenario: Scenario, plans: PlanSet) -> Plans:
    day_type = plans.day_plans[0].day_type
    running = plans.running(day_type, scenario.begin_s % DAY_S)
    index = scenario.network.controller_index
    return {name: _lawful(plan, index[name].rules) for name, plan in running.items()}


def _lawful(plan: Plan, rules: SignalRules) -> Plan:
    walks = {p.id for p in rules.phases if p.kind == "pedestrian"}
    if walks <= set(plan.index) and is_safe(plan, rules):
        return plan
    return made_safe(plan_with_walks(plan, rules), rules)


def best_plans(ground: Ground, judged: Sequence[int]) -> tuple[str, Plans]:
    """Return the name and the plans of what does best when run fixed: shipped or not.

    Where nothing could be designed, the name says why.

    Raises:
        InfeasibleError: LV604 where the shipped programmes cannot be made to keep the rules.
        OutOfTimeError: where the time of the bench is over.

    """
    shipped = street_plans(ground.scenario)
    seeds = free_seeds(COUNTING_FROM, COUNTED, judged)
    failed = ""
    candidates = {SHIPPED: shipped, **stretched_plans(ground.scenario, shipped)}
    try:
        candidates |= _kept_designs(ground, seeds)
    except LvboError as error:
        failed = f", no design: {error.code}"
    first, *others = seeds[:TRIED]
    delay = {name: _fixed(ground, plans, [first]) for name, plans in candidates.items()}
    most = HOPELESS * min(delay.values())
    whole = {
        name: _fixed(ground, candidates[name], [first, *others])
        for name, found_s in delay.items()
        if found_s <= most
    }
    best = min(whole, key=lambda name: whole[name])
    return best + failed, candidates[best]


def stretched_plans(scenario: Scenario, shipped: Plans) -> dict[str, Plans]:
    """Return the shipped plans at other cycles; a plan that cannot change stays."""
    network = scenario.network
    found: dict[str, Plans] = {}
    for factor in FACTORS:
        plans = {
            name: _at_factor(read_site(network, network.controller_index[name]), plan, factor)
            for name, plan in shipped.items()
        }
        if plans != shipped and not _has_long_red(plans, network):
            found[f"{SHIPPED} x {factor:g}"] = plans
    return found


def _at_factor(site: Site, plan: Plan, factor: float) -> Plan:
    if not site.rules.orders:
        return plan
    made = StagePlans(site, plan_table(site, Order.FIXED, plan), plan).at_cycle(
        round(factor * plan.cycle_ds / 10)
    )
    return plan if made is None else made.at_offset(round(factor * plan.offset_ds))


def free_seeds(first: int, count: int, judged: Sequence[int]) -> tuple[int, ...]:
    """Return so many seeds from the first on that are not judged."""
    free = (seed for seed in range(first, first + count + len(judged)) if seed not in set(judged))
    return tuple(seed for seed, _ in zip(free, range(count), strict=False))


def _fixed(ground: Ground, plans: Plans, seeds: Sequence[int]) -> float:
    return ground.delay(Entrant(spec=ControllerSpec(name=FIXED), plans=plans), seeds)


def _kept_designs(ground: Ground, seeds: Sequence[int]) -> Mapping[str, Plans]:
    """Return the designs by name, made once and kept."""
    code = code_digest(DESIGN_ROOMS)
    key = ground.kept.key(code, ground.scenario, "designs", CYCLES_S, seeds, *ground.options)
    known = ground.kept.read(key)
    if known is not None:
        listed = {name: from_plain(tuple[Plan, ...], data) for name, data in known.items()}
        return {name: {p.controller: p for p in plans} for name, plans in listed.items()}
    found = dict(_designs(ground, seeds))
    ground.kept.write(key, {name: to_plain(tuple(plans.values())) for name, plans in found.items()})
    return found


def _designs(ground: Ground, seeds: Sequence[int]) -> Iterator[tuple[str, Plans]]:
    """Yield designs from counts that keep every rule and the longest red, equal ones once."""
    scenario = ground.scenario
    counts = count_scenario(scenario, seeds=seeds, workers=ground.workers)
    demand = estimate_demand(scenario.network, counts, plans=scenario.plans)
    whole_day = Period(start_s=0, end_s=0, name="all")
    days = (DayPlan(day_type=scenario.plans.day_plans[0].day_type, periods=(whole_day,)),)
    made: list[Plans] = []
    for least_s, most_s in CYCLES_S:
        limits = CycleLimits(least_s=least_s, most_s=most_s)
        order = AreaOrder(stop_s=0.0, near_best=1.0, limits=limits)
        try:
            area = plan_area(scenario.network, demand, days, order).plans
            plans = _joined(_in_force(scenario, area), scenario.network)
        except LvboError:
            continue
        if plans not in made and not _has_long_red(plans, scenario.network):
            made.append(plans)
            yield f"designed {least_s}-{most_s} s", plans


def _joined(plans: Plans, network: Network) -> Plans:
    index = network.controller_index
    return {name: join_heads(plan, index[name].rules) for name, plan in plans.items()}


def _has_long_red(plans: Plans, network: Network) -> bool:
    """Say whether a phase stays red for longer than the gate lets it."""
    index = network.controller_index
    return any(
        finding.code == LONG_RED
        for name, plan in plans.items()
        for finding in check_plan(plan, index[name].rules)
    )
