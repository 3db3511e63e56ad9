# SPDX-License-Identifier: Apache-2.0
"""What a transition between waves costs: link transmission, and cars that drive through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lvbo.control.protocols import Bools, Ints
from lvbo.control.site import read_site
from lvbo.control.transition import Course, Moment, plan_rows
from lvbo.demand.demand import Demand
from lvbo.ids import ControllerId, PhaseId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.optimize.mesh import AreaMesh, build_mesh
from lvbo.optimize.shown import timing_of_lamps
from lvbo.optimize.transmission import Span, build_transmission
from lvbo.optimize.windows import Timing, build_windows
from lvbo.progression.coordinate import Street, evaluate_wave
from lvbo.progression.drives import Drives, drive_through
from lvbo.progression.wave import PeriodWave
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.timing.plans import controller_models, period_volumes

Lamps = Mapping[ControllerId, Ints]
"""What controllers show by second, (seconds, phases)."""
Choice = Mapping[ControllerId, int]
"""The course that each controller takes, by its number."""
WARM_S = 600
HORIZON_S = 900
"""Streets fill for ten minutes; from the change on a quarter of an hour counts."""
STOP_S = 10.0
"""What a stop of a car on the street counts beside delay, in seconds."""
LEAST_VEHH = 0.05
"""A change of courses that saves less is left: nobody could see it."""
MOST_ROUNDS = 8
SIDE_BY_SIDE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What a transition costs in the quarter of an hour after the change.

    `delay_vehh` is that of all vehicles at these signals; `stops` are those of cars that drive the
    whole street, by its through flow; `without_band` the cycles in which no such car gets through
    without a stop, outbound and inbound.
    """

    delay_vehh: float
    stops: float
    without_band: tuple[int, int]

    @property
    def cost_vehh(self) -> float:
        """Return delay with stops in it."""
        return self.delay_vehh + STOP_S * self.stops / 3600


class Judge:
    """Say what a choice of courses costs; sixteen choices at a time."""

    def __init__(
        self,
        network: Network,
        corridor: Corridor,
        plans: PlanSet,
        demand: Demand,
        moment: Moment,
        found: Mapping[ControllerId, Sequence[Course]],
    ) -> None:
        self.network, self.corridor, self.found, self.moment = network, corridor, found, moment
        self.plans = plans
        day = plans.day_plan(moment.day_type)
        period = day.at(moment.change_s)
        self.volumes = period_volumes(demand, moment.day_type, period)
        models = {m.controller.id: m for m in controller_models(network, demand, self.volumes)}
        own = {c: models[c] for c in corridor.controllers if c in models}
        self.mesh: AreaMesh = build_mesh(network, own, self.volumes)
        self.transmission = build_transmission(self.mesh)
        self.timings = [
            [self._timing(s, course.lamps) for course in found[c]]
            for s, c in enumerate(self.mesh.controllers)
        ]
        street = Street(network=network, demand=demand)
        waves = evaluate_wave(corridor, plans, street=street)
        self.wave: PeriodWave = waves.at(period.name, moment.day_type)

    def _timing(self, s: int, lamps: Ints) -> Timing:
        return timing_of_lamps(self.mesh.models[s], lamps, self.mesh.loss_gain_s[s])

    # choosing -------------------------------------------------------------------------------

    def best(self) -> dict[ControllerId, int]:
        """Return the course of each controller from which no single change saves anything."""
        held = dict.fromkeys(self.found, 0)
        cost = self._costs([held])[0]
        for _ in range(MOST_ROUNDS):
            tried = list(self._changes(held))
            costs = [c for part in _parts(tried) for c in self._costs(part)]
            better = sorted((c, k) for k, c in enumerate(costs) if c < cost - LEAST_VEHH)
            if not better:
                break
            joint = dict(held)
            for _, k in reversed(better):
                joint |= {c: n for c, n in tried[k].items() if n != held[c]}
            together = self._costs([joint])[0]
            held, cost = (joint, together) if together < better[0][0] else (
                tried[better[0][1]], better[0][0])  # fmt: skip
        return held

    def _changes(self, held: Choice) -> Iterator[dict[ControllerId, int]]:
        for controller, own in self.found.items():
            for k in range(len(own)):
                if k != held[controller]:
                    yield {**held, controller: k}

    def _costs(self, choices: Sequence[Choice]) -> list[float]:
        return [damage.cost_vehh for damage in self.damages(choices)]

    # judging --------------------------------------------------------------------------------

    def damages(self, choices: Sequence[Choice]) -> list[Damage]:
        """Return what up to sixteen choices cost."""
        timings = [
            [self.timings[s][choice[c]] for choice in choices]
            for s, c in enumerate(self.mesh.controllers)
        ]
        lamps = [{c: own[choice[c]].lamps for c, own in self.found.items()} for choice in choices]
        return self._damages(timings, lamps)

    def at_once(self) -> Damage:
        """Return what the new plans cost if they were in step from the change on."""
        rows = {}
        before_s, after_s = WARM_S, HORIZON_S
        for c in self.found:
            site = read_site(self.network, self.network.controller_index[c])
            old, new = (
                self.plans.running(self.moment.day_type, s % DAY_S)[c]
                for s in (self.moment.change_s - 1, self.moment.change_s)
            )
            rows[c] = np.concatenate(
                [
                    plan_rows(site, old, self.moment.begin_s, before_s),
                    plan_rows(site, new, self.moment.change_s, after_s),
                ]
            )
        timings = [[self._timing(s, rows[c])] for s, c in enumerate(self.mesh.controllers)]
        return self._damages(timings, [rows])[0]

    def _damages(
        self,
        timings: Sequence[Sequence[Timing]],
        lamps: Sequence[Lamps],
    ) -> list[Damage]:
        end = WARM_S + HORIZON_S
        span = Span(end_s=end, window_s=(WARM_S, end))
        delays = self.transmission.run_windows(build_windows(timings), span).delay_vehs
        found = []
        for k, rows in enumerate(lamps):
            drives = [self._drives(rows, outbound=side) for side in (True, False)]
            stops = sum(self._flow_vps(outbound=side) * HORIZON_S * _per_car(d)
                        for side, d in zip((True, False), drives, strict=True))  # fmt: skip
            without = [d.without_band if d else 0 for d in drives]
            found.append(
                Damage(
                    delay_vehh=float(delays[k]) / 3600,
                    stops=stops,
                    without_band=(without[0], without[1]),
                )
            )
        return found

    def _flow_vps(self, *, outbound: bool) -> float:
        """Return the through flow of a direction: the least of its stop lines."""
        moves = [s.outbound if outbound else s.inbound for s in self.corridor.stops]
        return min((self.volumes.get(m, 0.0) for m in moves if m is not None), default=0.0) / 3600

    def _drives(
        self,
        lamps: Lamps,
        *,
        outbound: bool,
    ) -> Drives | None:
        stops = self.corridor.stops if outbound else self.corridor.stops[::-1]
        if not (self.corridor.outbound if outbound else self.corridor.inbound):
            return None
        runs = self.wave.runs
        times = runs.travel_out_ms if outbound else runs.travel_in_ms[::-1]
        greens = []
        for stop in stops:
            controller = stop.outbound_controller if outbound else stop.inbound_controller
            phases = stop.outbound_phases if outbound else stop.inbound_phases
            greens.append(self._greens(controller, phases, lamps))
        return drive_through(
            greens,
            [round(t / 1000) for t in times],
            (WARM_S, WARM_S + HORIZON_S - sum(times) // 1000),
            round(runs.cycle_ms / 1000),
        )

    def _greens(
        self,
        controller: ControllerId | None,
        phases: Sequence[PhaseId],
        lamps: Lamps,
    ) -> Bools:
        seconds = WARM_S + HORIZON_S
        if controller is None:
            return np.ones(seconds, dtype=bool)
        rules = self.network.controller_index[controller].rules
        number = {p.id: k for k, p in enumerate(rules.phases)}
        green = np.zeros(seconds, dtype=bool)
        for p in phases:
            green |= lamps[controller][:, number[p]] == int(rules.phase_index[p].shows)
        return green


def _per_car(drives: Drives | None) -> float:
    return drives.stops / drives.departures if drives and drives.departures else 0.0


def _parts(
    tried: Sequence[dict[ControllerId, int]],
) -> Iterator[Sequence[dict[ControllerId, int]]]:
    for k in range(0, len(tried), SIDE_BY_SIDE):
        yield tried[k : k + SIDE_BY_SIDE]
