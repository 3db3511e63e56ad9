# SPDX-License-Identifier: Apache-2.0
"""The plans of a wave follow the traffic slowly: cycle, greens, and with them offsets and windows.

What left each lane in its green says how much of it its stage needs. Greens and the common cycle
move by a bounded step to where the vehicles counted would wait less, by the delay of fixed plans
(HCM 7), and the band solver finds the offsets for the new greens in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.control.background import plan_table
from lvbo.control.lamps import goes
from lvbo.control.protocols import Bools, Floats, Ints, Observation, Order
from lvbo.control.retime import next_greens, wanted_by_stage
from lvbo.control.site import Site
from lvbo.control.stageplans import StagePlans
from lvbo.control.usage import HEADWAY_S, lane_lights
from lvbo.errors import LvboError
from lvbo.ids import ControllerId, LinkId
from lvbo.network.network import Network
from lvbo.progression.coordinate import Street, coordinate
from lvbo.progression.wave import PeriodWave, Wave
from lvbo.signal.lamp import Lamp
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import one_period
from lvbo.timing.delay import control_delay

MOVE_EVERY_S = 900
"""So often plans may move."""
LEAST_GAIN, LOOKS = 0.02, 2
"""A move must spare so much of the delay, so many times in a row: it costs a cycle in which the
wave is not yet there, and the reckoning knows nothing of platoons. Moved at once, every 5 min, a
street whose greens are mostly minima had 3 % less delay and a fifth more stops."""
GREEN_STEP_S, CYCLE_STEP_S = 4, 6
LEAST_CYCLE_S, MOST_CYCLE_S = 50, 140


class SlowMoves:
    """Measure the sites of one street, and move their plans together."""

    def __init__(self, network: Network, sites: Mapping[ControllerId, Site], wave: Wave) -> None:
        self._network, self._sites, self._wave = network, sites, wave
        self._lights = {name: lane_lights(site) for name, site in sites.items()}
        self._first: PeriodWave | None = None
        self._now: PeriodWave | None = None
        self._next_s = 0
        self._begun_s = self._sure = 0
        self._left: dict[ControllerId, Floats] = {}
        self._seen: dict[ControllerId, Floats] = {}

    def begin(self, wave: PeriodWave | None, now_s: int) -> None:
        """Start from the wave of a period, with nothing measured."""
        self._first = self._now = wave
        self._sure = 0
        self._forget(now_s)

    def _forget(self, now_s: int) -> None:
        self._begun_s, self._next_s = now_s, now_s + MOVE_EVERY_S
        self._left = {name: np.zeros(len(s.lanes)) for name, s in self._sites.items()}
        self._seen = {name: np.zeros(len(s.lanes)) for name, s in self._sites.items()}

    def learn(self, seen: Observation) -> None:
        """Take in who left the lanes of a site in the second before, in their green or yellow.

        Who turns right at red needs no green, although his lane may share it with those who do.
        """
        if seen.lanes is None:
            return
        going = goes(seen.lamps) | (seen.lamps == int(Lamp.YELLOW))
        lit = self._lights[seen.controller][going].any(axis=0)
        self._left[seen.controller] += np.where(lit, seen.lanes.left, 0.0)
        self._seen[seen.controller] += seen.working

    def step(self, now_s: int) -> PeriodWave | None:
        """Return the wave with moved plans where it is time and something moves, else None."""
        if self._first is None or self._now is None or now_s < self._next_s:
            return None
        span = max(now_s - self._begun_s, 1)
        moved = self._moved(self._first, self._now, span)
        self._forget(now_s)
        self._sure = 0 if moved is None else self._sure + 1
        if self._sure < LOOKS:
            return None
        self._now = moved
        return moved

    def _moved(self, first: PeriodWave, wave: PeriodWave, span_s: int) -> PeriodWave | None:
        """Return the wave with greens and cycle one step nearer to what the traffic needs.

        Plans are stretched from those of the period, so that walks cut short become long again.
        """
        begun = dict(zip(first.controllers, first.plans, strict=True))
        plans = dict(zip(wave.controllers, wave.plans, strict=True))
        if set(plans) - set(self._sites) or any(
            100 * plan.cycle_ds != wave.runs.cycle_ms for plan in plans.values()
        ):
            return None
        loads = [self._load(name, begun[name], plan, span_s) for name, plan in plans.items()]
        now_s = wave.runs.cycle_ms // 1000
        before = sum(load.delay_vph(load.now_s, now_s) for load in loads)
        steps = [_step(loads, cycle) for cycle in _cycles(loads, now_s)]
        after, greens = min(steps, key=lambda step: step[0], default=(before, []))
        if after >= (1 - LEAST_GAIN) * before:
            return None
        found = [load.own.plan(own) for load, own in zip(loads, greens, strict=True)]
        built = {plan.controller: plan for plan in found if plan is not None}
        return self._coordinated(built, wave) if len(built) == len(plans) else None

    def _load(self, name: ControllerId, first: Plan, plan: Plan, span_s: int) -> _Load:
        site = self._sites[name]
        own, now = (StagePlans(site, plan_table(site, Order.FIXED, p), p) for p in (first, plan))
        lights = own.lanes_of(self._lights[name])
        parts = now.greens_s / now.cycle_s
        seen = np.asarray(self._seen[name] > span_s / 2)
        wanted = HEADWAY_S * self._left[name] / span_s
        return _Load(
            own=own,
            now_s=now.greens_s,
            lights=lights,
            vph=np.where(seen, 3600 / span_s * self._left[name], 0.0),
            rates=wanted_by_stage(lights * parts[:, None], wanted, seen, parts),
        )

    def _coordinated(
        self, plans: Mapping[ControllerId, Plan], wave: PeriodWave
    ) -> PeriodWave | None:
        """Return the widest wave of the moved plans; None where a way would lose its own."""
        street = Street(network=self._network, speeds_mps=self._speeds(wave))
        settings = replace(self._wave.settings, may_reorder=False)
        plan_set = one_period(plans.values(), day_type=wave.day_type, period=wave.period)
        try:
            found = coordinate(self._wave.corridor, plan_set, street=street, settings=settings)
        except LvboError:
            return None
        moved = found.periods[0]
        runs, ran = moved.runs, wave.runs
        lost = (ran.outbound_ms and not runs.outbound_ms) or (
            ran.inbound_ms and not runs.inbound_ms
        )
        return None if lost else moved

    def _speeds(self, wave: PeriodWave) -> dict[LinkId, float]:
        """Return the middle of the speeds that the wave was laid out for, by link, m/s."""
        corridor, problem = self._wave.corridor, wave.problem
        sides = (
            (corridor.outbound, problem.speed_out_mps),
            (corridor.inbound, problem.speed_in_mps),
        )
        return {
            link: (low + high) / 2
            for sections, speeds in sides
            for section, (low, high) in zip(sections, speeds, strict=False)
            for link in section.links
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class _Load:
    """The plan of a site and what its traffic asks of it.

    `now_s` (stages,) are the greens that run, `lights` (stages, lanes), `vph` (lanes,), `rates`
    (stages,) the green wanted by second of time.
    """

    own: StagePlans
    now_s: Ints
    lights: Bools
    vph: Floats
    rates: Floats

    def delay_vph(self, greens_s: Ints, cycle_s: int) -> float:
        """Return what these greens let vehicles wait, veh-s by hour; of lanes never lit nothing."""
        green_s = self.lights.T @ greens_s
        lit = green_s > 0
        wait_s = control_delay(self.vph[lit], 3600 / HEADWAY_S, green_s[lit], cycle_s)
        return float(self.vph[lit] @ wait_s)


def _cycles(loads: Sequence[_Load], now_s: int) -> list[int]:
    """Return the common cycles that may be run next, a step apart at most, s."""
    least = max(load.own.frame.least_cycle_s for load in loads)
    low, high = max(LEAST_CYCLE_S, least), max(MOST_CYCLE_S, least)
    near = (int(np.clip(now_s + step, low, high)) for step in (-CYCLE_STEP_S, 0, CYCLE_STEP_S))
    return [cycle for cycle in dict.fromkeys(near) if abs(cycle - now_s) <= CYCLE_STEP_S]


def _step(loads: Sequence[_Load], cycle_s: int) -> tuple[float, list[Ints]]:
    """Return what all wait, veh-s by hour, once greens have moved a step at that cycle; those."""
    greens = [
        next_greens(each.own.frame, each.rates * cycle_s, each.now_s, cycle_s, GREEN_STEP_S)
        for each in loads
    ]
    waits = [each.delay_vph(own, cycle_s) for each, own in zip(loads, greens, strict=True)]
    return sum(waits), greens
