# SPDX-License-Identifier: Apache-2.0
"""How stop-line lanes discharge: local defaults, measured headways, what a plan lets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lvbo.demand.demand import Saturation
from lvbo.detection.tables import DETECTOR_OFF, DETECTOR_ON
from lvbo.ids import ControllerId, LaneId, MovementId, PhaseId
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.signal.lamp import Right
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import PlanSet

THROUGH_VPH = 1650.0
LEFT_VPH = 1550.0
THROUGH_RIGHT_VPH = 1350.0
RIGHT_VPH = 1200.0
FULL_WIDTH_M = 3.25
LEAST_HEADWAYS = 30
LEAST_LANES = 3
QUEUE_GAP_S = 3.6
FIRST_IN_QUEUE = 4
LAST_IN_QUEUE = 12
STANDING_S = 3.0


def default_saturation(network: Network, lane: LaneId) -> Saturation:
    """Return what a lane of this use discharges in a mid-size Chinese city (local practice).

    Lanes narrower than 3 m lose 4 % (HCM 7, Exhibit 19-20).
    """
    turns = {movement.turn for movement in network.lane_movements.get(lane, ())}
    flow = THROUGH_VPH
    if turns and turns <= {Turn.LEFT, Turn.UTURN}:
        flow = LEFT_VPH
    elif turns == {Turn.RIGHT}:
        flow = RIGHT_VPH
    elif Turn.RIGHT in turns:
        flow = THROUGH_RIGHT_VPH
    width = network.lane_index[lane].width_m
    narrow = 0.96 if 0 < width < 3.0 else 1.0  # noqa: PLR2004  10 ft in the source
    return Saturation(lane=lane, flow_vph=flow * narrow)


def saturations(network: Network, given: Iterable[Saturation] = ()) -> tuple[Saturation, ...]:
    """Return the saturation of every stop-line lane that serves a movement, given ones first."""
    stated = {saturation.lane: saturation for saturation in given}
    return tuple(
        stated.get(lane) or default_saturation(network, lane)
        for lane in sorted(network.lane_movements)
    )


def observed_saturations(
    events: pl.DataFrame, lanes: Mapping[str, LaneId], known: Sequence[Saturation]
) -> tuple[Saturation, ...]:
    """Return saturations with the flow of lanes measured from stop-line detector events.

    A vehicle that stands on the loop opens a queue; headways count from the fifth vehicle of it to
    the twelfth, as long as no gap exceeds 3.6 s (HCM 7, chapter 31, field measurement). `lanes`
    tells the lane of a device. Lanes with fewer than 30 headways keep what was known, times what
    the measured lanes of the site show in the median where there are three of them.
    """
    measured: dict[LaneId, float] = {}
    for (device,), rows in events.sort("device", "t_utc").group_by(["device"], maintain_order=True):
        lane = lanes.get(str(device))
        if lane is None:
            continue
        seconds = rows["t_utc"].dt.epoch("ms").to_numpy() / 1000
        headways = _queue_headways(seconds, rows["code"].to_numpy())
        if len(headways) >= LEAST_HEADWAYS:
            measured[lane] = 3600.0 / float(headways.mean())
    usual = {s.lane: s.flow_vph for s in known}
    ratios = [flow / usual[lane] for lane, flow in measured.items() if lane in usual]
    site = float(np.median(ratios)) if len(ratios) >= LEAST_LANES else 1.0
    return tuple(
        replace(s, flow_vph=measured[s.lane], observed=True)
        if s.lane in measured
        else replace(s, flow_vph=s.flow_vph if s.observed else site * s.flow_vph)
        for s in known
    )


def yielding_lanes(network: Network) -> frozenset[LaneId]:
    """Return lanes with a turn that yields to others: their headways show gaps, not discharge."""
    yields = {
        service.movement
        for controller in network.controllers
        for service in controller.rules.services
        if service.right is not Right.PROTECTED and service.movement is not None
    }
    return frozenset(lane for movement in yields for lane in network.movement_index[movement].lanes)


def _queue_headways(seconds: NDArray[np.float64], codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the headways of the fifth to twelfth vehicle of every queue, front to front."""
    kept = []
    place, last_s, on_s = 0, -np.inf, -np.inf
    for now_s, code in zip(seconds, codes, strict=True):
        if code == DETECTOR_OFF:
            if now_s - on_s >= STANDING_S:
                place, last_s = 1, now_s
        elif code == DETECTOR_ON:
            on_s = now_s
            gap = now_s - last_s
            place = place + 1 if place and gap <= QUEUE_GAP_S else 0
            if FIRST_IN_QUEUE < place <= LAST_IN_QUEUE:
                kept.append(gap)
            last_s = now_s
    return np.array(kept)


@dataclass(frozen=True, kw_only=True)
class Greens:
    """What the plans in force give each movement."""

    network: Network
    plans: PlanSet

    @cached_property
    def _running(self) -> dict[tuple[str, str], Mapping[ControllerId, Plan]]:
        found: dict[tuple[str, str], dict[ControllerId, Plan]] = {}
        for (controller, kind, name), plan in self.plans.run_index.items():
            found.setdefault((kind, name), {})[controller] = plan
        return dict(found)

    @cached_property
    def _kinds(self) -> tuple[str, ...]:
        return tuple(day.day_type for day in self.plans.day_plans)

    def at(self, day_type: str, second: int) -> Mapping[ControllerId, Plan]:
        """Return the plan of each controller; a day type without a day plan runs the first one."""
        kind = day_type if day_type in self._kinds else self._kinds[0]
        period = self.plans.day_plan(kind).at(second).name
        return self._running.get((kind, period), {})

    def share(
        self, movement: MovementId, running: Mapping[ControllerId, Plan], lost_s: float
    ) -> float | None:
        """Return effective green over cycle of a movement, None where no plan tells.

        `lost_s` is start-up loss less end gain, once per window. A right turn on red counts as
        green all the time: its own limit is the gaps, not the lamps.
        """
        found = self.network.movement_index[movement]
        shares = []
        for controller in found.controllers:
            plan = running.get(controller)
            if plan is not None:
                shares.append(self._share_of(controller, movement, plan, lost_s))
        return min(shares) if shares else None

    def _share_of(
        self, controller: ControllerId, movement: MovementId, plan: Plan, lost_s: float
    ) -> float:
        rules = self.network.controller_index[controller].rules
        total = 0.0
        for service in rules.services:
            if service.movement != movement:
                continue
            if service.right is Right.ON_RED_AFTER_STOP:
                return 1.0
            if rules.phase_index[service.phase].is_going:
                total += _useful_s(plan, service.phase, lost_s)
        return min(1.0, total / plan.cycle_s)

    def cycle_s(self, running: Mapping[ControllerId, Plan], movement: MovementId) -> float:
        """Return the longest cycle that a movement sees, zero where there is no plan."""
        found = self.network.movement_index[movement]
        cycles = [running[c].cycle_s for c in found.controllers if c in running]
        return max(cycles, default=0.0)


def _useful_s(plan: Plan, phase: PhaseId, lost_s: float) -> float:
    total = 0.0
    for window in plan.windows_of(phase):
        length_s = window.length_ds / 10
        whole = window.length_ds >= plan.cycle_ds
        total += length_s if whole else max(0.0, length_s - lost_s)
    return total
