# SPDX-License-Identifier: Apache-2.0
"""One site in the running simulation: where its zones lie, what its heads show, what is seen."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from lvbo.control.protocols import Bools, Crossings, Floats, Ints, Loops, Vehicles
from lvbo.control.site import Site
from lvbo.io.sumo_plans import STATE
from lvbo.network.binding import SumoBinding
from lvbo.signal.lamp import GOING, Lamp
from lvbo.simulation.lamps import LAMP
from lvbo.simulation.loops import loops_of, stop_lanes
from lvbo.simulation.sensing import Eye, Sensing, blurred, broken_lanes
from lvbo.simulation.traffic import CAR_RIDERS, Table

STANDING_MPS = 1.0
FULL_M = 14.0
"""An exit is full when the last vehicle on it stands with its front this near to its start."""
AT_FIRST_S = 30
"""How long the lamps found at the start are taken to have been shown."""
JUMP_M = 30.0
"""An exit shorter than this may be passed between two looks."""
GHOST = -1
"""The key of the vehicle that a stuck detector shows."""


class Lights:
    """The state string of one controller to lamps by phase and back.

    Heads beyond the length of the string are not SUMO's (people on foot where the net has no
    crossing): their characters are kept here and appended.
    """

    def __init__(self, site: Site, binding: SumoBinding) -> None:
        self.size = binding.size_index[site.id]
        self._shows = [phase.shows for phase in site.rules.phases]
        at = {phase: k for k, phase in enumerate(site.phases)}
        heads = binding.head_index[site.id]
        self._length = max([self.size, *(head.index + 1 for head in heads)])
        self._lit: list[list[int]] = [[] for _ in site.phases]
        self._by: list[set[int]] = [set() for _ in range(self._length)]
        for head in heads:
            for phase in head.phases:
                self._lit[at[phase]].append(head.index)
                self._by[head.index].add(at[phase])
        self._known: dict[str, Ints] = {}

    def beyond(self, state: str) -> str:
        """Return the part of a whole state that SUMO does not hold."""
        return state[self.size :]

    @property
    def dark(self) -> str:
        """Return the extra part when nobody may walk."""
        return "r" * (self._length - self.size)

    def state(self, lamps: Ints) -> str:
        """Return the whole state string of lamps by phase."""
        return "".join(
            STATE[max((Lamp(int(lamps[k])) for k in phases), default=Lamp.RED)]
            for phases in self._by
        )

    def lamps(self, state: str) -> Ints:
        """Return the lamps by phase of a whole state string."""
        if state not in self._known:
            self._known[state] = np.array(
                [self._lamp(k, state) for k in range(len(self._lit))], dtype=np.int64
            )
        return self._known[state]

    def _lamp(self, phase: int, state: str) -> int:
        lamp = max((LAMP[state[k]] for k in self._lit[phase]), default=Lamp.RED)
        return int(Lamp.RED if lamp in GOING and lamp is not self._shows[phase] else lamp)


class Approach:
    """What detectors see of the approaches to one site."""

    def __init__(
        self, sumo: ModuleType, site: Site, binding: SumoBinding, sensing: Sensing, seed: int
    ) -> None:
        self._sumo = sumo
        self._site = site
        self._sensing = sensing
        self._seed = seed
        self._stops = stop_lanes(site, binding)
        self.start_m = start_distances(sumo, site, {name for name, _ in self._stops})
        self.exits = _exits(site, binding)
        self.dead, self.stuck = broken_lanes(sensing, seed, tuple(map(str, site.lanes)))
        if sensing.eye is Eye.NONE:
            self.dead[:] = True
        self._rng = np.random.default_rng([seed, sum(map(ord, site.id))])
        ahead = np.zeros((len(site.zones), len(site.lanes)), dtype=bool)
        for k, zone in enumerate(site.zones):
            ahead[k, list(zone.lanes)] = True
        self._hidden: Bools = np.logical_not((ahead & ~self.dead).any(axis=1))
        self._lookup = np.zeros(0, dtype=np.int64)
        self._exit_lanes: list[NDArray[np.int64]] = []
        self._later_lanes: list[NDArray[np.int64]] = []
        self._turns: dict[tuple[int, int], int] = {}
        self._line_of = np.full(len(site.zones) + 1, -1, dtype=np.int64)  # the last for no zone
        self._left_from = np.zeros(0, dtype=np.int64)
        self._loops = loops_of(sumo, self._stops, sensing)

    def bind(self, lanes: dict[str, int]) -> None:
        """Give every zone and exit its number in the table of lanes; unknown ones are added."""
        zones = [lanes.setdefault(zone.name, len(lanes)) for zone in self._site.zones]
        self._zone_lanes = np.array(zones, dtype=np.int64)
        self._exit_lanes = [
            np.array([lanes.setdefault(name, len(lanes)) for name in names], dtype=np.int64)
            for names in self.exits
        ]
        later = [lanes_after(self._sumo, names) for names in self.exits]
        self._later_lanes = [
            np.array([lanes.setdefault(name, len(lanes)) for name in names], dtype=np.int64)
            for names in later
        ]

    def ready(self, count: int) -> None:
        """Build the tables from lanes to zones and turns, once all lanes are numbered."""
        self._lookup = np.full(count + 1, -1, dtype=np.int64)
        self._lookup[self._zone_lanes] = np.arange(len(self._zone_lanes))
        lines = dict(self._stops)
        for k, zone in enumerate(self._site.zones):
            self._line_of[k] = lines.get(zone.name, -1)
        self._turns = {
            (int(lane), int(number)): m
            for m, numbers in enumerate(self._exit_lanes)
            for lane in np.flatnonzero(self._site.uses[:, m] & ~self.dead)
            for number in numbers
        }
        for m, numbers in enumerate(self._later_lanes):
            for lane in np.flatnonzero(self._site.uses[:, m] & ~self.dead):
                for number in numbers:
                    self._turns.setdefault((int(lane), int(number)), m)

    def working(self) -> Bools:
        """Return which stop-line lanes have a detector that can be believed."""
        return ~self.dead

    def vehicles(self, table: Table) -> Vehicles | None:
        """Return what area sensing or reporting vehicles show; None with bare loops or nothing."""
        sensing = self._sensing
        if not sensing.shows_vehicles:
            return None
        zone = self._lookup[table.lane]
        distance = np.where(zone >= 0, self.start_m[zone], np.inf) - table.pos_m
        near = np.asarray(distance <= sensing.range_m, dtype=bool)
        seen = self._noticed(table) & (zone >= 0) & near & ~self._hidden[zone]
        found = Vehicles(
            key=table.key[seen],
            zone=zone[seen],
            distance_m=np.maximum(distance[seen], 0.0),
            speed_mps=table.speed_mps[seen],
            wait_s=table.wait_s[seen],
            persons=table.persons[seen],
        )
        if sensing.eye is Eye.LOOPS:
            return found
        return self._with_ghosts(blurred(found, sensing.noise_m, self._rng))

    def _noticed(self, table: Table) -> Bools:
        """Return which vehicles this kind of detector ever sees."""
        sensing = self._sensing
        seen = np.ones(len(table.key), dtype=bool)
        if sensing.eye is Eye.CONNECTED:
            seen &= table.luck < sensing.connected
        if sensing.eye is Eye.LOOPS:
            seen &= table.persons > CAR_RIDERS
        if sensing.missed:
            seen &= (table.luck * 977.0) % 1.0 >= sensing.missed
        return seen

    def crossings(self, table: Table) -> Crossings | None:
        """Return who left a stop line since the last look and which way; None with loops."""
        if self._sensing.eye not in (Eye.AREA, Eye.CONNECTED):
            return None
        most = int(table.key.max(initial=-1)) + 1
        if most > len(self._left_from):
            more = np.full(most + 100 - len(self._left_from), -1, dtype=np.int64)
            self._left_from = np.append(self._left_from, more)
        noticed = self._noticed(table)
        line = np.where(noticed, self._line_of[self._lookup[table.lane]], -1)
        self._left_from[table.key[line >= 0]] = line[line >= 0]
        away = noticed & (line < 0) & (table.lane >= 0) & (self._left_from[table.key] >= 0)
        found = []
        for key, number in zip(table.key[away].tolist(), table.lane[away].tolist(), strict=True):
            turn = self._turns.get((int(self._left_from[key]), number))
            if turn is not None:
                found.append((int(self._left_from[key]), turn))
                self._left_from[key] = -1
        lanes, turns = zip(*found, strict=True) if found else ((), ())
        return Crossings(
            lane=np.array(lanes, dtype=np.int64), movement=np.array(turns, dtype=np.int64)
        )

    def _with_ghosts(self, found: Vehicles) -> Vehicles:
        """Return vehicles with one that stands at the stop line of every stuck lane."""
        if not self.stuck.any():
            return found
        names = {name for name, lane in self._stops if self.stuck[lane]}
        zones = [k for k, zone in enumerate(self._site.zones) if zone.name in names]
        more = len(zones)
        return Vehicles(
            key=np.append(found.key, GHOST - np.arange(more)),
            zone=np.append(found.zone, np.array(zones, dtype=np.int64)),
            distance_m=np.append(found.distance_m, np.ones(more)),
            speed_mps=np.append(found.speed_mps, np.zeros(more)),
            wait_s=np.append(found.wait_s, np.full(more, 60.0)),
            persons=np.append(found.persons, np.full(more, 1.3)),
        )

    def loops(self) -> Loops | None:
        """Return what the loops saw in the last second; None with other detectors."""
        if self._sensing.eye is not Eye.LOOPS:
            return None
        read, table = self._sumo.inductionloop, self._loops
        counted = np.array([self._passed(name) for name in table.names], dtype=np.float64)
        covered = np.array([read.getLastStepOccupancy(name) / 100.0 for name in table.names])
        passed, occupied = np.zeros((2, len(table.lane)))
        np.add.at(passed, table.of, table.weight * counted)
        np.maximum.at(occupied, table.of, np.clip(covered, 0.0, 1.0))
        silent, jammed = self.dead[table.lane], self.stuck[table.lane]
        return Loops(
            lane=table.lane,
            distance_m=table.distance_m,
            share=table.share,
            passed=np.where(silent | jammed, 0.0, passed),
            occupied=np.where(silent, 0.0, np.where(jammed, 1.0, occupied)),
        )

    def _passed(self, detector: str) -> int:
        left = [x for x in self._sumo.inductionloop.getVehicleData(detector) if x[3] >= 0]
        if not self._sensing.missed:
            return len(left)
        return int((self._rng.random(len(left)) >= self._sensing.missed).sum())

    def blocked(self, table: Table) -> Bools:
        """Return, by movement, whether every exit has its last vehicle standing at its start."""
        if self._sensing.eye in (Eye.LOOPS, Eye.NONE):
            return np.zeros(len(self._site.movements), dtype=bool)
        full = (table.pos_m < FULL_M) & (table.speed_mps < STANDING_MPS)
        lanes = table.lane[full]
        return np.array(
            [len(names) > 0 and bool(np.isin(names, lanes).all()) for names in self._exit_lanes],
            dtype=bool,
        )


def start_distances(sumo: ModuleType, site: Site, stops: set[str]) -> Floats:
    """Return the way from the start of each zone to the stop line along the lanes, shape (zones,).

    A zone that leads to no other zone by itself takes the way of a neighbour on its edge.
    """
    names = [zone.name for zone in site.zones]
    length = {name: sumo.lane.getLength(name) for name in names}
    onward = {
        name: [(link[0], link[7]) for link in sumo.lane.getLinks(name) if link[0] in length]
        for name in names
    }
    found = {name: length[name] for name in names if name in stops}
    for _ in names:  # no way is longer than there are zones
        for name in names:
            ways = [found[next_] + gap for next_, gap in onward[name] if next_ in found]
            if name not in stops and ways:
                found[name] = length[name] + min(ways)
    return np.array([found.get(name, _beside(name, found, length[name])) for name in names])


def _beside(name: str, found: dict[str, float], own_m: float) -> float:
    edge = name.rpartition("_")[0]
    return min((m for other, m in found.items() if other.rpartition("_")[0] == edge), default=own_m)


def _exits(site: Site, binding: SumoBinding) -> tuple[tuple[str, ...], ...]:
    """Return SUMO's lanes that each movement leads to."""
    ways: dict[str, set[str]] = {}
    for head in binding.head_index[site.id]:
        if head.movement is not None:
            ways.setdefault(head.movement, set()).add(head.to_lane)
    return tuple(tuple(sorted(ways.get(m, ()))) for m in site.movements)


def lanes_after(sumo: ModuleType, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lanes on which those may be seen first who passed these exits between looks."""
    found: dict[str, float] = {}
    open_ = dict.fromkeys(names, 0.0)
    while open_:
        name, passed_m = open_.popitem()
        end_m = passed_m + float(sumo.lane.getLength(name))
        if end_m >= JUMP_M:
            continue
        for link in sumo.lane.getLinks(name):
            start_m = end_m + float(link[7])
            if start_m < found.get(link[0], JUMP_M):
                found[link[0]] = open_[link[0]] = start_m
    return tuple(sorted(set(found) - set(names)))
