# SPDX-License-Identifier: Apache-2.0
"""A scenario under a controller by its name: what it needs is prepared, then it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lvbo.control.protocols import Order
from lvbo.control.registry import BUILT_IN, ControllerSpec, find_maker
from lvbo.control.supervisor import Supervision
from lvbo.control.walks import with_walks
from lvbo.errors import InfeasibleError, UsageError
from lvbo.io.scenario import Scenario
from lvbo.progression.wave import Wave
from lvbo.project.line import installed_wave
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.simulation.controlled import BY_EITHER, PLANNED, SHOWS_GREENS, Controlling
from lvbo.simulation.escorts import Escort
from lvbo.simulation.pool import Progress
from lvbo.simulation.runs import Runs
from lvbo.simulation.sensing import parse_sensing
from lvbo.simulation.simulate import Conduct, simulate_controlled
from lvbo.simulation.tools import in_span

AREA = "area"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlOrder:
    """Who shall control a scenario, by what eyes, and under which rules.

    `street_rules` adds least greens of 10 s (7 s for lefts) and walks where the network has no
    crossings; without it the rules are those that plans run under. `escorts` drive officers'
    routes; without `priority` nobody makes way for them. On `streets` the green wave of the plans
    in force is kept, as far as it gives more than it costs. With `tracks` runs keep where vehicles
    were.
    """

    controller: str
    order: Order = Order.SKIP
    sensing: str = AREA
    street_rules: bool = False
    escorts: tuple[Escort, ...] = ()
    priority: bool = True
    streets: tuple[str, ...] = ()
    tracks: bool = False


def check_order(order: ControlOrder) -> None:
    """Refuse what is unknown before anything is read.

    Raises:
        UsageError: LV741 for an unknown controller, LV740 for unknown sensing.

    """
    find_maker(order.controller)
    parse_sensing(order.sensing)


def control_scenario(
    scenario: Scenario,
    order: ControlOrder,
    *,
    plans: PlanSet | None = None,
    seeds: Iterable[int],
    workers: int = 2,
    progress: Progress | None = None,
) -> Runs:
    """Return one run per seed under this controller, behind the gate, with what was decided.

    `plans` are in force in place of those that the scenario ships.

    Raises:
        UsageError: LV741 for an unknown controller, LV740 for unknown sensing, LV733 where the
            plans give a street no wave.
        InputError: LV210 for an unknown street, LV452 where its cycles have no common one.
        InfeasibleError: LV604 where a plan that it goes by cannot be made to keep the rules.
        ToolError: LV600 where SUMO is missing, LV601 or LV603 where it broke off.

    """
    check_order(order)
    ruled = scenario
    if order.street_rules:
        ruled = replace(scenario, network=with_walks(scenario.network))
    waves = tuple(_wave(ruled, street, plans or ruled.plans) for street in order.streets)
    schedule = _schedule(ruled, order, plans or ruled.plans)
    day_type = schedule.day_plans[0].day_type
    controlling = Controlling(
        spec=ControllerSpec(name=order.controller),
        order=order.order,
        sensing=parse_sensing(order.sensing),
        plans=schedule.running(day_type, ruled.begin_s % DAY_S),
        schedule=schedule,
        waves=waves,
        supervision=Supervision(),
        day_type=day_type,
        escorts=order.escorts,
        priority=order.priority,
    )
    conduct = Conduct(name=order.controller, trajectories=order.tracks)
    runs = simulate_controlled(
        ruled, controlling, seeds=seeds, conduct=conduct, workers=workers, progress=progress
    )
    rules = {"street_rules": order.street_rules}
    return replace(runs, manifest={**runs.manifest, **rules})


def _wave(scenario: Scenario, street: str, plans: PlanSet) -> Wave:
    """Return the wave that the plans in force give a street within the span."""
    own = scenario.network.corridor(street).controllers
    wave = installed_wave(scenario, street, in_span(scenario, plans.only(own)))
    day = wave.plans.day_plans[0]
    names = {day.at(t % DAY_S).name for t in range(scenario.begin_s, int(scenario.end_s), 60)}
    used = [w for w in wave.periods if w.day_type == day.day_type and w.period in names]
    if not any(w.runs.outbound_ms > 0 or w.runs.inbound_ms > 0 for w in used):
        raise UsageError("LV733", place=street)
    return wave


def _schedule(scenario: Scenario, order: ControlOrder, plans: PlanSet) -> PlanSet:
    """Return the plans that somebody goes by: the controller, or a site that runs only plans.

    A controller that can do without them is given those that keep the rules.
    """
    needed = [
        c.id
        for c in scenario.network.controllers
        if _goes_by_plans(order.controller)
        or c.rules.countdown in SHOWS_GREENS
        or (order.controller in BY_EITHER and _is_lawful(scenario, plans.only([c.id])))
    ]
    return in_span(scenario, plans.only(needed))


def _is_lawful(scenario: Scenario, plans: PlanSet) -> bool:
    """Say whether plans can be made to keep the rules."""
    try:
        in_span(scenario, plans)
    except InfeasibleError:
        return False
    return True


def _goes_by_plans(name: str) -> bool:
    return name in PLANNED or name not in BUILT_IN
