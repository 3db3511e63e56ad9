# SPDX-License-Identifier: Apache-2.0
"""A street in SUMO: what its detectors see, second by second, and lamps as the gate allows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from types import ModuleType

import numpy as np

from lvbo.control.protocols import Crossings, Ints, Loops, Observation, Vehicles, Verdict
from lvbo.control.site import Site
from lvbo.errors import UsageError
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.simulation.approach import AT_FIRST_S, Approach, Lights
from lvbo.simulation.runs import LampChange
from lvbo.simulation.sensing import Sensing
from lvbo.simulation.traffic import Table, Traffic

LOCKED_S = 300.0
"""A vehicle that stands longer than this is counted as locked."""


_Look = tuple[Vehicles | None, Loops | None, Crossings | None]


class SumoStreet:
    """A running simulation as a street of sites; implements `lvbo.control.protocols.Street`.

    `changes` are all lamps shown so far, heads of people on foot included; `worst_wait_s` is the
    longest time that anyone stood at once, `locked` who stood longer than `LOCKED_S`, and
    `first_locked` SUMO's lane on which the first of them did, None where nobody did.
    """

    def __init__(
        self,
        sumo: ModuleType,
        network: Network,
        sites: Sequence[Site],
        *,
        sensing: Sensing | None = None,
        seed: int = 0,
    ) -> None:
        if network.sumo is None:
            raise UsageError("LV123", place=", ".join(site.id for site in sites))
        self._sumo = sumo
        self.sensing = sensing or Sensing()
        self.sites = tuple(sorted(sites, key=lambda site: site.id))
        self._lights = {s.id: Lights(s, network.sumo) for s in self.sites}
        lanes: dict[str, int] = {}
        self._approaches = {
            s.id: Approach(sumo, s, network.sumo, self.sensing, seed) for s in self.sites
        }
        for approach in self._approaches.values():
            approach.bind(lanes)
        for approach in self._approaches.values():
            approach.ready(len(lanes))
        self._traffic = Traffic(sumo, lanes, seed)
        self._own_programme = {s.id: sumo.trafficlight.getProgram(s.id) for s in self.sites}
        self._extra = {s.id: self._lights[s.id].dark for s in self.sites}
        self._set: dict[ControllerId, str | None] = dict.fromkeys(self._lights)
        self._shown = {s.id: self._state(s.id) for s in self.sites}
        begin = sumo.simulation.getTime()
        self._since = {
            s.id: np.full(len(s.phases), int(begin) - AT_FIRST_S, dtype=np.int64)
            for s in self.sites
        }
        self._past: dict[ControllerId, deque[_Look]] = {
            s.id: deque(maxlen=self.sensing.latency_s + 1) for s in self.sites
        }
        self.changes: list[LampChange] = []
        self._recorded: dict[str, str] = {}
        self._others = sorted(set(sumo.trafficlight.getIDList()) - {str(s) for s in self._lights})
        self.teleports = self.collisions = 0
        self.worst_wait_s = 0.0
        self.locked: set[int] = set()
        self.first_locked: str | None = None

    @property
    def now_s(self) -> float:
        """Return the time of the simulation."""
        return float(self._sumo.simulation.getTime())

    def observe(self) -> tuple[Observation, ...]:
        """Return what is seen now, one observation per site, in the order of their ids."""
        table = self._traffic.read()
        self._watch_waits(table)
        now = int(self.now_s)
        return tuple(self._observe(site, table, now) for site in self.sites)

    def _observe(self, site: Site, table: Table, now: int) -> Observation:
        approach = self._approaches[site.id]
        past = self._past[site.id]
        past.append((approach.vehicles(table), approach.loops(), approach.crossings(table)))
        vehicles, loops, crossed = past[0]
        return Observation(
            controller=site.id,
            time_s=now,
            seen_s=now,
            lamps=self._lights[site.id].lamps(self._shown[site.id]),
            since_s=now - self._since[site.id],
            vehicles=vehicles,
            loops=loops,
            crossed=crossed,
            sampled=self.sensing.is_sampled,
            working=approach.working(),
            blocked=approach.blocked(table),
            calls=site.walks.copy(),
            capability=self.sensing.capability,
        )

    def show(self, verdicts: Mapping[ControllerId, Verdict]) -> None:
        """Show these lamps from now on, and let a second pass."""
        for name, verdict in verdicts.items():
            if verdict.lamps is None:
                self._release(name)
            else:
                self._light(name, verdict.lamps)
        end = self.now_s + 1.0
        while self.now_s < end - 1e-6:
            second = self.now_s
            self._sumo.simulationStep()
            self.teleports += self._sumo.simulation.getStartingTeleportNumber()
            self.collisions += self._sumo.simulation.getCollidingVehiclesNumber()
            self._traffic.step()
            self._record(second)

    def _light(self, name: ControllerId, lamps: Ints) -> None:
        lights = self._lights[name]
        state = lights.state(lamps)
        self._extra[name] = lights.beyond(state)
        own = state[: lights.size]
        if self._set[name] != own:
            self._sumo.trafficlight.setRedYellowGreenState(name, own)
            self._set[name] = own

    def _release(self, name: ControllerId) -> None:
        """Let the programme of the site itself run again; nobody walks where it has no heads."""
        self._extra[name] = self._lights[name].dark
        if self._set[name] is not None:
            self._sumo.trafficlight.setProgram(name, self._own_programme[name])
            self._set[name] = None

    def _state(self, name: ControllerId) -> str:
        return str(self._sumo.trafficlight.getRedYellowGreenState(name)) + self._extra[name]

    def _record(self, second: float) -> None:
        """Take the lamps that held from `second` on, of all lights."""
        for site in self.sites:
            state = self._state(site.id)
            if state != self._shown[site.id]:
                lights = self._lights[site.id]
                changed = lights.lamps(state) != lights.lamps(self._shown[site.id])
                self._since[site.id][changed] = int(second)
                self._shown[site.id] = state
            self._note(site.id, second, state)
        for name in self._others:
            state = self._sumo.trafficlight.getRedYellowGreenState(name)
            self._note(ControllerId(name), second, state)

    def _note(self, name: ControllerId, second: float, state: str) -> None:
        if self._recorded.get(name) != state:
            self._recorded[name] = state
            self.changes.append(LampChange(controller=name, second=second, state=state))

    def _watch_waits(self, table: Table) -> None:
        if len(table.wait_s):
            self.worst_wait_s = max(self.worst_wait_s, float(table.wait_s.max()))
            if self.first_locked is None and table.wait_s.max() > LOCKED_S:
                self.first_locked = self._traffic.lane_of(int(table.key[table.wait_s.argmax()]))
            self.locked.update(table.key[table.wait_s > LOCKED_S].tolist())
