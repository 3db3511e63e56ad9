# SPDX-License-Identifier: Apache-2.0
"""The plans of a wave follow the traffic slowly: cycle, greens, and with them offsets and windows.

What left each lane in its green says how much of it its stage needs. Greens and the common cycle
move by bounded steps, and the band solver finds the offsets for the new greens in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lvbo.control.background import plan_table
from lvbo.control.lamps import goes
from lvbo.control.protocols import Floats, Observation, Order
from lvbo.control.retime import Steps, needed_cycle, next_greens, wanted_by_stage
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

MOVE_EVERY_S = 900
"""So often plans may move: every move costs a cycle in which the wave is not yet there."""
STEPS = Steps(green_s=4, cycle_s=6, least_s=50, most_s=140, full=0.88, slack=0.6)
LEAST_MOVE_S = 2
"""Greens that would all move by less than this stay."""


class SlowMoves:
    """Measure the sites of one street, and move their plans together."""

    def __init__(self, network: Network, sites: Mapping[ControllerId, Site], wave: Wave) -> None:
        self._network, self._sites, self._wave = network, sites, wave
        self._lights = {name: lane_lights(site) for name, site in sites.items()}
        self._plans: dict[ControllerId, StagePlans] = {}
        self._now: PeriodWave | None = None
        self._next_s = 0
        self._begun_s = 0
        self._left: dict[ControllerId, Floats] = {}
        self._seen: dict[ControllerId, Floats] = {}

    def begin(self, wave: PeriodWave | None, now_s: int) -> None:
        """Start from the wave of a period, with nothing measured."""
        self._now = wave
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
        if self._now is None or now_s < self._next_s:
            return None
        span = max(now_s - self._begun_s, 1)
        moved = self._moved(self._now, span)
        self._forget(now_s)
        if moved is None:
            return None
        self._now = moved
        return moved

    def _moved(self, wave: PeriodWave, span_s: int) -> PeriodWave | None:
        """Return the wave with greens and cycle one step nearer to what the traffic needs."""
        plans = dict(zip(wave.controllers, wave.plans, strict=True))
        if set(plans) - set(self._sites) or any(
            100 * plan.cycle_ds != wave.runs.cycle_ms for plan in plans.values()
        ):
            return None
        frames = {name: self._frame(name, plan) for name, plan in plans.items()}
        rates = {name: self._rates(name, own, span_s) for name, own in frames.items()}
        cycle = self._cycle(wave.runs.cycle_ms // 1000, frames, rates)
        found = {}
        for name, own in frames.items():
            greens = next_greens(own.frame, rates[name] * cycle, own.greens_s, cycle, STEPS.green_s)
            built = own.plan(greens)
            if built is None:
                return None
            found[name] = built
        if all(_near(found[name], plans[name]) for name in plans):
            return None
        return self._coordinated(found, wave)

    def _frame(self, name: ControllerId, plan: Plan) -> StagePlans:
        site = self._sites[name]
        return StagePlans(site, plan_table(site, Order.FIXED, plan), plan)

    def _rates(self, name: ControllerId, own: StagePlans, span_s: int) -> Floats:
        """Return the green that each stage needs, per second of time."""
        lights = own.lanes_of(self._lights[name])
        given = lights * (own.greens_s / own.cycle_s)[:, None]
        wanted = HEADWAY_S * self._left[name] / span_s
        seen = np.asarray(self._seen[name] > span_s / 2)
        return wanted_by_stage(given, wanted, seen, own.greens_s / own.cycle_s)

    def _cycle(
        self,
        now_s: int,
        frames: Mapping[ControllerId, StagePlans],
        rates: Mapping[ControllerId, Floats],
    ) -> int:
        """Return the common cycle of the next while: long enough for the busiest site."""
        least = max(own.frame.least_cycle_s for own in frames.values())
        low, high = max(STEPS.least_s, least), max(STEPS.most_s, least)

        def needed(saturation: float) -> int:
            return max(
                needed_cycle(own.frame, rates[name], (low, high), saturation)
                for name, own in frames.items()
            )

        aim = int(np.clip(now_s, needed(STEPS.full), needed(STEPS.slack)))
        return int(np.clip(aim, max(now_s - STEPS.cycle_s, least), now_s + STEPS.cycle_s))

    def _coordinated(
        self, plans: Mapping[ControllerId, Plan], wave: PeriodWave
    ) -> PeriodWave | None:
        """Return the widest wave of the moved plans; None where there is none."""
        street = Street(network=self._network, speeds_mps=self._speeds(wave))
        settings = replace(self._wave.settings, may_reorder=False)
        plan_set = one_period(plans.values(), day_type=wave.day_type, period=wave.period)
        try:
            found = coordinate(self._wave.corridor, plan_set, street=street, settings=settings)
        except LvboError:
            return None
        return found.periods[0]

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


def _near(one: Plan, other: Plan) -> bool:
    """Say whether two plans of a controller hardly differ in greens, and not in cycle."""
    return one.cycle_ds == other.cycle_ds and all(
        abs(one.green_ds(p) - other.green_ds(p)) < 10 * LEAST_MOVE_S for p in one.index
    )
