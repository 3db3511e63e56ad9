# SPDX-License-Identifier: Apache-2.0
"""A street without a simulator: queues that leave by the lamps, detectors that can fail."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lvbo.control.gate import STALE_S, make_gate
from lvbo.control.guard import Guarded
from lvbo.control.protocols import (
    Bools,
    Crossings,
    Floats,
    Ints,
    Loops,
    Observation,
    Order,
    Reason,
    Vehicles,
    Verdict,
)
from lvbo.control.site import Site
from lvbo.control.stagerun import StageRun
from lvbo.control.stages import stage_table
from lvbo.ids import ControllerId
from lvbo.signal.lamp import GOING, Countdown, Lamp
from lvbo.simulation.sensing import STOP_LOOP_M, Eye, Sensing, broken_lanes
from lvbo.testing.queues import PERSONS, Gone, Queues, lay_out

START_S = 8 * 3600
RED_BEFORE_S = 100
WALKS_EVERY_S = 40
VEHICLE_M = 4.5
KEPT_S = 30
HOLD_S = 15
"""How much longer than its minimum local control holds a stage."""
BEYOND_M = 10.0
"""Somebody who has left is this far beyond the stop line, off every loop."""
_GOES = np.array([lamp in GOING for lamp in Lamp])


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a replayed street lets be seen, and what is wrong with it.

    Of the sensing, stuck lanes, noise and late commands are not replayed. The lamps are those of
    `stale_s` ago; with `full_exits` nobody can leave by every second movement.
    """

    sensing: Sensing = field(default_factory=Sensing)
    stale_s: int = 0
    full_exits: bool = False


class ReplayStreet:
    """A street of sites, the same for the same seed; implements `lvbo.control.protocols.Street`.

    Vehicles come by chance, about `load` of what the stages can serve, and go by the lamps. A site
    that is released is run by a local control of its own, which walks through its stages; one that
    is told nothing keeps its lamps for `STALE_S` and then does the same. `condition` may be changed
    between two seconds.
    """

    def __init__(
        self,
        sites: Sequence[Site],
        *,
        seed: int = 0,
        load: float = 0.7,
        condition: Condition | None = None,
    ) -> None:
        self.sites = tuple(sorted(sites, key=lambda site: site.id))
        self.now_s = START_S
        self.condition = condition or Condition()
        self._seed = seed
        self._layout = lay_out(self.sites)
        self._rng = np.random.default_rng(seed)
        self.queues = Queues(self._layout, self._rng, load=load)
        count = int(self._layout.phases[-1])
        self.lamps = np.zeros(count, dtype=np.int64)
        self._since = np.full(count, START_S - RED_BEFORE_S, dtype=np.int64)
        self._walks = np.concatenate([site.walks for site in self.sites])
        self._calls = np.zeros(count, dtype=bool)
        self._eyes = [_Eyes(site) for site in self.sites]
        self._broken: tuple[Sensing, list[Bools]] | None = None
        self._local: dict[int, _LocalControl] = {}
        self._silent_s = np.zeros(len(self.sites), dtype=np.int64)
        self._shown: deque[tuple[Ints, Ints]] = deque(maxlen=KEPT_S)
        self._past: deque[_Sight] = deque(maxlen=KEPT_S)

    @property
    def vehicles(self) -> int:
        """Return how many vehicles are on the road now."""
        return len(self.queues.key)

    def observe(self) -> tuple[Observation, ...]:
        """Return what is seen now, one observation per site, in the order of their ids."""
        late = self.condition.sensing.latency_s
        self._past.appendleft(_look(self.queues))
        self._shown.appendleft((self.lamps.copy(), self._since.copy()))
        sight = self._past[min(late, len(self._past) - 1)]
        bounds = np.searchsorted(sight.lane, self._layout.lanes)
        return tuple(
            self._seen(k, self.condition, sight, slice(bounds[k], bounds[k + 1]))
            for k in range(len(self.sites))
        )

    def show(self, verdicts: Mapping[ControllerId, Verdict]) -> None:
        """Show these lamps from now on, and let a second pass."""
        lamps = self.lamps.copy()
        for k, site in enumerate(self.sites):
            lamps[self._phases(k)] = self._shown_by(k, verdicts.get(site.id))
        self.light(lamps)

    def light(self, lamps: Ints) -> None:
        """Show these lamps of all sites, (phases of all,), unasked, and let a second pass."""
        self._since[lamps != self.lamps] = self.now_s
        self.lamps = lamps
        self._pass()

    def rest(self, seconds: int) -> None:
        """Let seconds pass in which nobody asks or commands."""
        for _ in range(seconds):
            self.show({})

    def lamps_of(self, site: int) -> Ints:
        """Return what the phases of a site show, by its number."""
        return self.lamps[self._phases(site)]

    def _pass(self) -> None:
        going = _GOES[self.lamps]
        full = np.zeros(int(self._layout.moves[-1]), dtype=bool)
        if self.condition.full_exits:
            full[::2] = True
        self.queues.step(self.now_s, going, full)
        self._calls |= self._walks & (self._rng.random(len(going)) < 1.0 / WALKS_EVERY_S)
        self._calls &= ~going
        self.now_s += 1

    def _phases(self, k: int) -> slice:
        return slice(int(self._layout.phases[k]), int(self._layout.phases[k + 1]))

    def _shown_by(self, k: int, verdict: Verdict | None) -> Ints:
        self._silent_s[k] = self._silent_s[k] + 1 if verdict is None else 0
        if verdict is not None and verdict.lamps is not None:
            self._local.pop(k, None)
            return verdict.lamps
        waits = verdict is None and self._silent_s[k] <= STALE_S and k not in self._local
        return self.lamps_of(k) if waits else self._by_itself(k)

    def _by_itself(self, k: int) -> Ints:
        local = self._local.setdefault(k, _LocalControl(self.sites[k]))
        bare = Condition(sensing=Sensing(eye=Eye.NONE))
        verdict = local.decide(self._seen(k, bare, None, slice(0, 0)))
        return self.lamps_of(k) if verdict.lamps is None else verdict.lamps

    def _seen(self, k: int, condition: Condition, sight: _Sight | None, own: slice) -> Observation:
        """Return the observation of one site; `own` are its vehicles in what was seen."""
        site, phases = self.sites[k], self._phases(k)
        sensing, stale = condition.sensing, condition.stale_s
        lamps, since = self.lamps, self._since
        if stale and sight is not None:
            lamps, since = self._shown[min(stale, len(self._shown) - 1)]
        working = ~self._dead(k, sensing) & (sensing.eye is not Eye.NONE)
        blocked = np.zeros(len(site.movements), dtype=bool)
        if condition.full_exits and sensing.eye in (Eye.AREA, Eye.CONNECTED):
            blocked[int(self._layout.moves[k]) % 2 :: 2] = True
        return Observation(
            controller=site.id,
            time_s=self.now_s,
            seen_s=self.now_s - stale,
            lamps=lamps[phases].copy(),
            since_s=self.now_s - stale - since[phases],
            vehicles=None if sight is None else self._vehicles(k, sensing, sight, own),
            loops=None if sight is None else self._loops(k, sensing, sight),
            crossed=None if sight is None else self._crossed(k, sensing, sight),
            sampled=sensing.eye is Eye.CONNECTED,
            working=working,
            blocked=blocked,
            calls=self._calls[phases].copy(),
            capability=sensing.capability,
        )

    def _dead(self, k: int, sensing: Sensing) -> Bools:
        if self._broken is None or self._broken[0] is not sensing:
            seed = self._seed
            each = [broken_lanes(sensing, seed, tuple(map(str, s.lanes)))[0] for s in self.sites]
            self._broken = (sensing, each)
        return self._broken[1][k]

    def _vehicles(self, k: int, sensing: Sensing, sight: _Sight, own: slice) -> Vehicles | None:
        if sensing.eye not in (Eye.AREA, Eye.CONNECTED):
            return None
        eyes = self._eyes[k]
        lane = sight.lane[own] - self._layout.lanes[k]
        left_m, key = sight.left_m[own], sight.key[own]
        seen = (left_m <= sensing.range_m) & _noticed(key, sensing) & ~self._dead(k, sensing)[lane]
        lane, left_m = lane[seen], left_m[seen]
        return Vehicles(
            key=key[seen],
            zone=np.where(left_m <= eyes.length_m[lane], eyes.near[lane], eyes.far[lane]),
            distance_m=left_m,
            speed_mps=sight.speed_mps[own][seen],
            wait_s=sight.wait_s[own][seen],
            persons=np.full(len(lane), PERSONS),
        )

    def _crossed(self, k: int, sensing: Sensing, sight: _Sight) -> Crossings | None:
        if sensing.eye not in (Eye.AREA, Eye.CONNECTED):
            return None
        gone, first = sight.gone, self._layout.lanes
        low, high = np.searchsorted(gone.lane, first[k : k + 2])
        lane = gone.lane[low:high] - first[k]
        seen = _noticed(gone.key[low:high], sensing) & ~self._dead(k, sensing)[lane]
        move = gone.move[low:high] - self._layout.moves[k]
        return Crossings(lane=lane[seen], movement=move[seen])

    def _loops(self, k: int, sensing: Sensing, sight: _Sight) -> Loops | None:
        if sensing.eye is not Eye.LOOPS:
            return None
        lanes = self._layout.lanes
        low, high = np.searchsorted(sight.all_lane, lanes[k : k + 2])
        lane = sight.all_lane[low:high] - lanes[k]
        before, now = sight.all_before_m[low:high], sight.all_left_m[low:high]
        places = self._eyes[k].loops_m(sensing)
        alive = ~self._dead(k, sensing)
        passed = [_counted(lane, (before > at[lane]) & (now <= at[lane]), alive) for at in places]
        over = [
            _counted(lane, (now <= at[lane]) & (now + VEHICLE_M > at[lane]), alive) for at in places
        ]
        return Loops(
            lane=np.tile(np.arange(len(alive)), len(places)),
            distance_m=np.concatenate(places),
            share=np.ones(len(alive) * len(places)),
            passed=np.concatenate(passed),
            occupied=np.minimum(np.concatenate(over), 1.0),
        )


# parts ----------------------------------------------------------------------------------------


class _Eyes:
    """Where a site looks: the zone of each lane near and far, and its loops, m upstream."""

    def __init__(self, site: Site) -> None:
        count = len(site.lanes)
        self.near, self.far = np.zeros((2, count), dtype=np.int64)
        for k, zone in enumerate(site.zones):
            own = list(zone.lanes)
            if zone.shares == (1.0,):
                self.near[own] = self.far[own] = k
        for k, zone in enumerate(site.zones):
            if zone.shares != (1.0,):
                self.far[list(zone.lanes)] = k
        self.length_m, self._speed_mps = site.length_m, site.speed_mps

    def loops_m(self, sensing: Sensing) -> tuple[Floats, ...]:
        """Return where the loops at the lines lie, and those in advance of them, if any."""
        line = np.full(len(self.length_m), STOP_LOOP_M)
        if not sensing.advance:
            return (line,)
        wanted_m = np.minimum(sensing.advances_m(self._speed_mps), self.length_m - 1)
        return line, np.maximum(STOP_LOOP_M, wanted_m)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sight:
    """Where everybody was at one second; the arrays of all include those who just left."""

    lane: Ints
    key: Ints
    left_m: Floats
    speed_mps: Floats
    wait_s: Floats
    all_lane: Ints
    all_before_m: Floats
    all_left_m: Floats
    gone: Gone


def _look(queues: Queues) -> _Sight:
    gone = queues.gone
    everyone = np.concatenate([queues.lane, gone.lane])
    order = np.argsort(everyone, kind="stable")
    return _Sight(
        lane=queues.lane,
        key=queues.key,
        left_m=queues.left_m,
        speed_mps=queues.speed_mps,
        wait_s=queues.wait_s,
        all_lane=everyone[order],
        all_before_m=np.concatenate([queues.before_m, gone.before_m])[order],
        all_left_m=np.concatenate([queues.left_m, np.full(len(gone.lane), -BEYOND_M)])[order],
        gone=gone,
    )


def _noticed(key: Ints, sensing: Sensing) -> Bools:
    """Return which vehicles this kind of detector ever sees."""
    luck = (key * 0.6180339887) % 1.0  # a number in [0, 1) that belongs to a vehicle
    share = sensing.connected if sensing.eye is Eye.CONNECTED else 1.0 - sensing.missed
    return np.asarray(luck < share)


def _counted(lane: Ints, which: Bools, alive: Bools) -> Floats:
    found = np.bincount(lane[which], minlength=len(alive)).astype(np.float64)
    return np.where(alive, found, 0.0)


class _LocalControl:
    """What a controller does when it is left alone: its stages in order, each for some time."""

    def __init__(self, site: Site) -> None:
        plain = replace(site.rules, countdown=Countdown.NONE)
        own = replace(site, controller=replace(site.controller, rules=plain))
        table = stage_table(own, Order.FIXED)
        self._run = StageRun(own, table)
        self._guard = Guarded(own, make_gate(own, table))

    def decide(self, seen: Observation) -> Verdict:
        run = self._run
        run.follow(seen)
        held = run.table.least_s[run.stage] + HOLD_S
        if run.is_steady and run.age_s(seen.time_s) >= held:
            ahead = run.table.cycle.index(run.stage) + 1
            run.ask(run.table.cycle[ahead % len(run.table.cycle)], seen.time_s)
        return self._guard(seen, run.wish(Reason(code="LV770", fields={"stage": run.target + 1})))
