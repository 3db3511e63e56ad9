# SPDX-License-Identifier: Apache-2.0
"""Who keeps which windows of a green wave now, by the hour and by what the wave gives and costs.

A wave gives what its vehicles save by not stopping, and costs what the sites' own searches say that
keeping its windows costs them; both are measured as it runs. It is given up while it costs clearly
more than it gives, and taken up again when it clearly gives more. Cycle, greens and offsets follow
the traffic slowly, and side streets are held back from a street that fills up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.control.metering import Metering
from lvbo.control.protocols import Bools, Coordination, LaneState, Observation, Reason, Wish
from lvbo.control.site import Site
from lvbo.control.slow import SlowMoves
from lvbo.control.usage import lane_lights
from lvbo.control.windows import both, coordinations, in_window
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.progression.wave import PeriodWave, Wave
from lvbo.signal.schedule import DAY_S

LOOK_EVERY_S = 60
"""So often gain and price are compared."""
FADES = 0.9
"""What was measured until then still counts this much: the mean is that of ten minutes or so."""
GIVEN_UP, TAKEN_UP = 0.8, 1.2
"""A wave is given up while it gives less than this part of its price, and taken up above that."""
SURE = 5
"""So many looks in a row must say the same."""
STANDS = 0.5
"""Fewer vehicles than this stand there: nobody."""
STOP_S = 12.0
"""A stop that is saved is worth its wait and so many seconds: braking, starting, and the fuel."""
WAITS_S = 20.0
"""The wait of a stop before any was measured."""
OLD_ENOUGH_S = 600
"""For so long a wave is kept before it is judged."""
HELD, FREED, MOVED = "LV775", "LV776", "LV777"


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """What the supervisor may do: give waves up and take them up, move their plans, hold back."""

    switches: bool = True
    moves: bool = True
    meters: bool = True


NONE_OF_IT = Supervision(switches=False, moves=False, meters=False)


class Supervisor:
    """Tell each site every second what to keep; learn from what it sees and wishes."""

    def __init__(
        self,
        network: Network,
        sites: Sequence[Site],
        waves: Sequence[Wave],
        day_type: str,
        supervision: Supervision = NONE_OF_IT,
    ) -> None:
        own = {site.id: site for site in sites}
        self._may = supervision
        self._streets = [_Street(network, own, wave, day_type, supervision) for wave in waves]
        self._metering = Metering(network, sites, waves) if supervision.meters else None
        self._joined: dict[ControllerId, tuple[tuple[Coordination, ...], Coordination | None]] = {}
        self.told: list[tuple[ControllerId, Reason]] = []

    def step(self, now_s: int) -> None:
        """Take up the waves of this second, and judge those that run; `told` says what changed."""
        self.told = [told for street in self._streets for told in street.step(now_s)]

    def keep(self, name: ControllerId) -> Coordination | None:
        """Return what a site shall keep now, of all its waves."""
        own = tuple(street.kept[name] for street in self._streets if name in street.kept)
        if len(own) < 2:  # noqa: PLR2004  one street, or none
            return next(iter(own), None)
        before, joined = self._joined.get(name, ((), None))
        if len(before) != len(own) or any(a is not b for a, b in zip(before, own, strict=True)):
            joined = both(own)
            self._joined[name] = own, joined
        return joined

    def held_back(self, name: ControllerId, blocked: Bools) -> Bools:
        """Return the movements without a free exit, and those held back for the street."""
        return blocked if self._metering is None else self._metering.held_back(name, blocked)

    def learn(self, seen: Observation, wish: Wish) -> None:
        """Take in what a site saw and wished in this second."""
        if self._metering is not None:
            self._metering.look(seen)
        for street in self._streets:
            if seen.controller in street.kept:
                street.learn(seen, wish)


class _Street:
    """One street: its wave of the hour, what it gives, what it costs, whether it is held."""

    def __init__(
        self,
        network: Network,
        sites: Mapping[ControllerId, Site],
        wave: Wave,
        day_type: str,
        supervision: Supervision,
    ) -> None:
        self._wave, self._day_type, self._may = wave, day_type, supervision
        self._sites = {name: sites[name] for name in wave.corridor.controllers if name in sites}
        self._slow = SlowMoves(network, self._sites, wave) if supervision.moves else None
        self._lights = {name: lane_lights(site) for name, site in self._sites.items()}
        self._period = ""
        self._since_s = 0
        self._holds, self._sure = True, 0
        self._in = _Arrivals()
        self._out = _Arrivals()
        self._price = self._prices = 0.0
        self.kept: Mapping[ControllerId, Coordination] = {}

    def step(self, now_s: int) -> list[tuple[ControllerId, Reason]]:
        period = self._wave.plans.day_plan(self._day_type).at(now_s % DAY_S).name
        if period != self._period:
            self._period, self._since_s, self._holds, self._sure = period, now_s, True, 0
            own = self._of_period(period)
            self._take(own)
            if self._slow is not None:
                self._slow.begin(own, now_s)
            return []
        found = []
        if self._slow is not None and (moved := self._slow.step(now_s)) is not None:
            self._take(moved)
            cycle = moved.runs.cycle_ms // 1000
            found += [(n, Reason(code=MOVED, fields={"cycle_s": cycle})) for n in self.kept]
        if now_s % LOOK_EVERY_S == 0 and self._may.switches:
            found += self._judge(now_s)
        return found

    def _of_period(self, period: str) -> PeriodWave | None:
        return next(
            (w for w in self._wave.periods if (w.day_type, w.period) == (self._day_type, period)),
            None,
        )

    def _take(self, wave: PeriodWave | None) -> None:
        found = {} if wave is None else coordinations(self._wave.corridor, wave)
        self.kept = {
            name: replace(own, holds=self._holds)
            for name, own in found.items()
            if name in self._sites
        }

    def learn(self, seen: Observation, wish: Wish) -> None:
        """Count who comes within windows and outside, and who of them has to stop."""
        name, lanes = seen.controller, seen.lanes
        if self._slow is not None:
            self._slow.learn(seen)
        if wish.price_vehs is not None:
            self._price += wish.price_vehs
            self._prices += 1
        if lanes is None:
            return
        site, lights = self._sites[name], self._lights[name]
        for window in self.kept[name].windows:
            rows = [k for k, phase in enumerate(site.phases) if phase in window.phases]
            along = np.asarray(lights[rows].any(axis=0))
            inside = in_window(window, seen.time_s - site.controller.sync_s)
            (self._in if inside else self._out).add(lanes, along)

    def _judge(self, now_s: int) -> list[tuple[ControllerId, Reason]]:
        """Compare gain and price; return what is told where the street changes over."""
        gain, price = self._gain_vehs(), self._price / max(self._prices, 1.0)
        for arrivals in (self._in, self._out):
            arrivals.fade()
        self._price, self._prices = FADES * self._price, FADES * self._prices
        if now_s - self._since_s < OLD_ENOUGH_S or not self._prices:
            return []
        says = gain < GIVEN_UP * price if self._holds else gain > TAKEN_UP * price
        self._sure = self._sure + 1 if says else 0
        if self._sure < SURE:
            return []
        self._holds, self._sure = not self._holds, 0
        self.kept = {name: replace(own, holds=self._holds) for name, own in self.kept.items()}
        code = HELD if self._holds else FREED
        fields = {"gain": round(60 * gain, 1), "price": round(60 * price, 1)}
        return [(name, Reason(code=code, fields=fields)) for name in self.kept]

    def _gain_vehs(self) -> float:
        """Return what the windows save by second, veh-s: stops that do not happen."""
        saved = max(self._out.stop_share - self._in.stop_share, 0.0)
        return self._in.rate_vps * saved * (STOP_S + self._out.wait_s)


@dataclass
class _Arrivals:
    """Who left the stop lines of a street, who of them stood before, and the time they stood."""

    seconds: float = 0.0
    came: float = 0.0
    stopped: float = 0.0
    queued: float = 0.0

    def add(self, lanes: LaneState, along: Bools) -> None:
        stood = along & (lanes.queue > STANDS)
        self.seconds += 1
        self.came += float(lanes.left[along].sum())
        self.stopped += float(lanes.left[stood].sum())
        self.queued += float(lanes.queue[along].sum())

    def fade(self) -> None:
        self.seconds, self.came = FADES * self.seconds, FADES * self.came
        self.stopped, self.queued = FADES * self.stopped, FADES * self.queued

    @property
    def rate_vps(self) -> float:
        return self.came / max(self.seconds, 1.0)

    @property
    def stop_share(self) -> float:
        return self.stopped / max(self.came, 1.0)

    @property
    def wait_s(self) -> float:
        return self.queued / self.stopped if self.stopped > 1 else WAITS_S
