# SPDX-License-Identifier: Apache-2.0
"""Who keeps which windows of a green wave now, by the hour and by what the wave gives and costs.

A wave gives what its vehicles are spared, and costs what the sites' own searches say that keeping
its windows costs them; both are measured as it runs. What a street would be like without it nobody
can tell from that: greens that each site chooses for itself break up the platoons of all. So a wave
that seems to cost clearly more than it gives is given up for a trial. What it costs to pass the
signals is measured before and after, for all who do, and unless it is clearly less the wave is
taken up again and left alone for a good while. Cycle, greens and offsets follow the traffic slowly,
and side streets are held back from a street that fills up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.control.metering import Metering
from lvbo.control.protocols import Bools, Coordination, Observation, Reason, Wish
from lvbo.control.site import Site
from lvbo.control.slow import SlowMoves
from lvbo.control.usage import lane_lights
from lvbo.control.windows import both, coordinations
from lvbo.control.worth import Passed, Worth
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.progression.wave import PeriodWave, Wave
from lvbo.signal.schedule import DAY_S

LOOK_EVERY_S = 60
"""So often gain and price are compared."""
FADES = 0.9
"""What was measured until then still counts this much: the mean is that of ten minutes or so."""
GIVEN_UP = 0.8
"""A wave is given up for a trial while it gives less than this part of its price."""
SURE = 5
"""So many looks in a row must say so."""
OLD_ENOUGH_S = 600
"""For so long a wave is kept, or left alone in a trial, before it is judged."""
BETTER = 0.97
"""A trial is lost unless passing the signals costs less than this part of what it did."""
RESTS_S, LONGEST_REST_S = 3600, 4 * 3600
"""After a trial that was lost there is none for so long, each time twice as long as before."""
AGAIN_S = 3600
"""A wave that was given up for good is taken up again after this: traffic has changed."""
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
        self._metering = Metering(sites, waves) if supervision.meters else None
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
        along = _along(wave, self._sites)
        self._worth = {name: Worth(site, along[name]) for name, site in self._sites.items()}
        self._period = ""
        self._since_s = 0
        self._holds, self._sure = True, 0
        self._rest_s, self._rests_until_s = RESTS_S, 0
        self._with_s = 0.0
        self._passed = Passed()
        self._price = self._prices = 0.0
        self.kept: Mapping[ControllerId, Coordination] = {}

    def step(self, now_s: int) -> list[tuple[ControllerId, Reason]]:
        period = self._wave.plans.day_plan(self._day_type).at(now_s % DAY_S).name
        if period != self._period:
            self._period, self._since_s, self._holds, self._sure = period, now_s, True, 0
            self._forget()
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
        """Take in what a second of one site brought, and what its search says the windows cost."""
        if self._slow is not None:
            self._slow.learn(seen)
        if wish.price_vehs is not None:
            self._price += wish.price_vehs
            self._prices += 1
        if seen.lanes is not None:
            self._passed.add(self._worth[seen.controller].look(seen, seen.lanes))

    def _judge(self, now_s: int) -> list[tuple[ControllerId, Reason]]:
        """Compare what the wave gives and costs; return what is told where the street changes over.

        The measures fade only after they were compared.
        """
        passage_s = self._passed.passage_s
        gain = self._passed.spared_vehs
        price = self._price / max(self._prices, 1.0)
        self._passed.fade(FADES)
        self._price, self._prices = FADES * self._price, FADES * self._prices
        if now_s - self._since_s < OLD_ENOUGH_S:
            return []
        if not self._holds:
            return self._end_trial(now_s, passage_s)
        doubted = self._prices > 0 and gain < GIVEN_UP * price and now_s >= self._rests_until_s
        self._sure = self._sure + 1 if doubted else 0
        if self._sure < SURE:
            return []
        self._with_s = passage_s
        self._turn(now_s, holds=False)
        fields = {"gain": round(60 * gain, 1), "price": round(60 * price, 1)}
        return [(name, Reason(code=FREED, fields=fields)) for name in self.kept]

    def _end_trial(self, now_s: int, passage_s: float) -> list[tuple[ControllerId, Reason]]:
        """Take the wave up again where it is not clearly better without, or after a good while."""
        lost = passage_s > BETTER * self._with_s
        if not lost and now_s - self._since_s < AGAIN_S:
            return []
        if lost:
            self._rests_until_s = now_s + self._rest_s
        self._rest_s = min(2 * self._rest_s, LONGEST_REST_S) if lost else RESTS_S
        self._turn(now_s, holds=True)
        fields = {"kept": round(self._with_s, 1), "free": round(passage_s, 1)}
        return [(name, Reason(code=HELD, fields=fields)) for name in self.kept]

    def _turn(self, now_s: int, *, holds: bool) -> None:
        """Keep the windows from now on, or no longer, and measure anew."""
        self._holds, self._sure, self._since_s = holds, 0, now_s
        self.kept = {name: replace(own, holds=holds) for name, own in self.kept.items()}
        self._forget()

    def _forget(self) -> None:
        self._passed = Passed()
        self._price = self._prices = 0.0


def _along(wave: Wave, sites: Mapping[ControllerId, Site]) -> dict[ControllerId, Bools]:
    """Return which lanes of each site are those of the street, both ways, (lanes,)."""
    found = {name: np.zeros(len(site.lanes), dtype=bool) for name, site in sites.items()}
    for stop in wave.corridor.stops:
        for owner, phases in (
            (stop.outbound_controller, stop.outbound_phases),
            (stop.inbound_controller, stop.inbound_phases),
        ):
            if owner is not None and owner in sites:
                site = sites[owner]
                rows = [k for k, phase in enumerate(site.phases) if phase in phases]
                found[owner] |= lane_lights(site)[rows].any(axis=0)
    return found
