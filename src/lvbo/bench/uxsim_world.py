# SPDX-License-Identifier: Apache-2.0
"""UXsim's C++ engine on the same streets, vehicles and plans; it need not be installed.

UXsim gives a signal to a link, not to a turn: a link goes while those have green who do not turn
from a bay, bays are left out. Queues discharge at the lanes' saturation flow, vehicles keep to
their routes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from lvbo.demand.saturation import saturations
from lvbo.ids import ControllerId, LinkId
from lvbo.io.scenario import Scenario
from lvbo.network.network import Network
from lvbo.network.place import IntersectionKind, Movement
from lvbo.signal.plan import Plan, Window

WANTED = "uxsim==1.15.1"
JAM_PER_M = 1 / 7.5
PLENTY_VPH = 1e5

Plans = Mapping[ControllerId, Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldRun:
    """What one run gave: delay in the window, veh-s, and the CPU time of its simulation alone."""

    delay_vehs: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trips:
    """Vehicles as links driven and second of departure."""

    routes: tuple[tuple[LinkId, ...], ...]
    departs_s: tuple[float, ...]


def has_uxsim() -> bool:
    """Say whether UXsim can be used here."""
    return find_spec("uxsim") is not None


def read_trips(scenario: Scenario) -> Trips:
    """Return the vehicles of the scenario's route files."""
    found = sorted(_vehicles(scenario))
    return Trips(
        routes=tuple(route for _, route in found), departs_s=tuple(depart for depart, _ in found)
    )


def run_uxsim(scenario: Scenario, trips: Trips, plans: Plans, *, platoon: int) -> WorldRun:
    """Run plans once with `platoon` vehicles as one (UXsim's deltan); its time step is as many s.

    The window is that of the scenario. Building the streets is not timed.
    """
    uxsim = import_module("uxsim")

    world = _world(uxsim, scenario, plans, platoon)
    for route, depart_s in zip(trips.routes[::platoon], trips.departs_s[::platoon], strict=True):
        links = scenario.network.link_index
        vehicle = world.addVehicle(str(links[route[0]].start), str(links[route[-1]].end), depart_s)
        vehicle.enforce_route([str(link) for link in route])
    world.finalize_scenario()
    began = time.process_time()
    world.exec_simulation()
    cpu_s = time.process_time() - began
    return WorldRun(delay_vehs=delay_vehs(world, scenario, trips), cpu_s=cpu_s)


def _vehicles(scenario: Scenario) -> Iterator[tuple[float, tuple[LinkId, ...]]]:
    links = scenario.network.sumo.edge_index if scenario.network.sumo else {}
    for file in scenario.route_files:
        for vehicle in ET.parse(file).getroot().iter("vehicle"):
            route = vehicle.find("route")
            edges = [] if route is None else route.attrib["edges"].split()
            driven = dict.fromkeys(links[edge] for edge in edges)
            yield float(vehicle.attrib["depart"]) - scenario.begin_s, tuple(driven)


def _world(uxsim: ModuleType, scenario: Scenario, plans: Plans, platoon: int) -> Any:  # noqa: ANN401
    network = scenario.network
    world = uxsim.World(
        cpp=True,
        deltan=platoon,
        tmax=scenario.end_s - scenario.begin_s,
        random_seed=0,
        print_mode=0,
        save_mode=0,
        show_mode=0,
    )
    signals = {
        place: signal_of(network, plan, scenario.begin_s, platoon)
        for name, plan in plans.items()
        for place in network.controller_index[name].intersections
    }
    for place in network.intersections:
        signal = signals.get(place.id)
        lengths = [0.0] if signal is None else list(signal.lengths_s)
        world.addNode(str(place.id), *place.at, signal=lengths)
    flow = {s.lane: s.flow_vph for s in saturations(network)}
    for link in network.links:
        signal = signals.get(link.end)
        world.addLink(
            str(link.id),
            str(link.start),
            str(link.end),
            length=link.length_m,
            free_flow_speed=link.speed_mps,
            jam_density_per_lane=JAM_PER_M,
            number_of_lanes=sum(not lane.is_bay for lane in link.lanes),
            signal_group=[0] if signal is None else list(signal.greens[link.id]),
            capacity_out=sum(flow.get(x.id, PLENTY_VPH) for x in link.lanes if not x.is_bay) / 3600,
        )
    return world


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSignal:
    """A plan as UXsim takes it, from the start of the run: intervals, and which let a link go."""

    lengths_s: tuple[float, ...]
    greens: Mapping[LinkId, tuple[int, ...]]


def signal_of(network: Network, plan: Plan, begin_s: int, step_s: int) -> WorldSignal:
    """Return a plan in whole steps.

    UXsim goes on to the next interval in the first step in which more than its length has passed,
    so that half a step less gives the length itself.
    """
    now_ds, cycle_ds = plan.local_ds(10 * begin_s), plan.cycle_ds
    windows: dict[LinkId, list[Window]] = {}
    rules = network.controller_index[plan.controller].rules
    for movement in network.movements:
        if plan.controller in movement.controllers and not _is_of_bay(network, movement):
            own = (w for phase in rules.phases_of(movement.id) for w in plan.windows_of(phase))
            windows.setdefault(movement.from_link, []).extend(own)
    moments = {t for ws in windows.values() for w in ws for t in (w.start_ds, w.end_ds)}
    step_ds = 10 * step_s
    cuts = {step_ds * round((t - now_ds) % cycle_ds / step_ds) for t in moments}
    starts = sorted({0, *(cut for cut in cuts if cut < cycle_ds)})
    spans = list(pairwise([*starts, cycle_ds]))
    return WorldSignal(
        lengths_s=tuple(max((b - a) / 10, step_s) - step_s / 2 for a, b in spans),
        greens={
            link: tuple(
                k
                for k, (a, b) in enumerate(spans)
                if any(((a + b) / 2 + now_ds - w.start_ds) % cycle_ds < w.length_ds for w in ws)
            )
            for link, ws in windows.items()
        },
    )


def _is_of_bay(network: Network, movement: Movement) -> bool:
    return all(network.lane_index[lane].is_bay for lane in movement.lanes)


def delay_vehs(world: Any, scenario: Scenario, trips: Trips) -> float:  # noqa: ANN401
    """Return time spent beyond free flow in the window: on links, and waiting to enter."""
    step_s = world.DELTAT
    first, last = (
        int(t // step_s) for t in (scenario.warm_up_s, scenario.end_s - scenario.begin_s)
    )
    spent_vehs, entered = 0.0, np.zeros(last - first)
    inner = {i.id for i in scenario.network.intersections if i.kind is not IntersectionKind.EDGE}
    for link in scenario.network.links:
        found = world.get_link(str(link.id))
        came, left = (np.asarray(a)[first:last] for a in (found.cum_arrival, found.cum_departure))
        spent_vehs += step_s * float((came - left).sum())
        spent_vehs -= float(left[-1] - left[0]) * link.length_m / link.speed_mps
        if link.start not in inner:
            entered += came
    moments = step_s * np.arange(first, last)
    due = np.searchsorted(np.array(trips.departs_s), moments, side="right")
    return float(spent_vehs + step_s * np.maximum(due - entered, 0).sum())
