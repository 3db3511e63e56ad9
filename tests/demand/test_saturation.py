# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tests.cross import CONTROLLER, cross, cross_plans, movement

from lvbo.demand.saturation import (
    Greens,
    default_saturation,
    observed_saturations,
    saturations,
    yielding_lanes,
)
from lvbo.detection.tables import DETECTOR_OFF, DETECTOR_ON, EVENTS
from lvbo.ids import LaneId
from lvbo.signal.lamp import Right

NETWORK = cross()
START = datetime(2025, 12, 8, tzinfo=UTC)


def events_of(headway_s: float, cycles: int = 10, vehicles: int = 10) -> pl.DataFrame:
    """Return events of queues: one vehicle waits on the loop, the others follow at a headway."""
    rows = []
    for cycle in range(cycles):
        green = 100.0 * cycle + 50
        rows += [(green - 30, DETECTOR_ON), (green + 2, DETECTOR_OFF)]
        for k in range(1, vehicles):
            front = green + 2 + headway_s * k
            rows += [(front, DETECTOR_ON), (front + 0.8, DETECTOR_OFF)]
    return pl.DataFrame(
        [("loop", START + timedelta(seconds=t), code, 0) for t, code in rows],
        schema=dict(EVENTS),
        orient="row",
    )


@pytest.mark.parametrize(
    ("lane", "flow"), [("in-E_0", 1350.0), ("in-E_1", 1650.0), ("in-E_2", 1550.0)]
)
def test_defaults_follow_local_practice(lane: str, flow: float) -> None:
    assert default_saturation(NETWORK, LaneId(lane)).flow_vph == flow


def test_every_lane_that_serves_a_movement_has_a_saturation() -> None:
    assert {s.lane for s in saturations(NETWORK)} == set(NETWORK.lane_movements)


def test_two_seconds_between_vehicles_are_1800_an_hour() -> None:
    found = observed_saturations(events_of(2.0), {"loop": LaneId("in-E_1")}, saturations(NETWORK))
    by_lane = {s.lane: s for s in found}

    assert by_lane[LaneId("in-E_1")].flow_vph == pytest.approx(1800.0)
    assert by_lane[LaneId("in-E_1")].observed
    assert by_lane[LaneId("in-W_1")].flow_vph == 1650.0


def test_traffic_that_does_not_queue_measures_nothing() -> None:
    flowing = events_of(2.0).filter(pl.col("code") == DETECTOR_ON)
    found = observed_saturations(flowing, {"loop": LaneId("in-E_1")}, saturations(NETWORK))

    assert not any(s.observed for s in found)


def test_too_few_vehicles_measure_nothing() -> None:
    few = events_of(2.0, cycles=2)
    found = observed_saturations(few, {"loop": LaneId("in-E_1")}, saturations(NETWORK))

    assert not any(s.observed for s in found)


def test_measured_lanes_lift_the_others_of_the_site() -> None:
    lanes = {f"loop{leg}": LaneId(f"in-{leg}_1") for leg in "ENS"}
    events = pl.concat([events_of(2.0).with_columns(device=pl.lit(name)) for name in lanes])
    found = {s.lane: s for s in observed_saturations(events, lanes, saturations(NETWORK))}

    assert found[LaneId("in-W_2")].flow_vph == pytest.approx(1550 * 1800 / 1650)
    assert not found[LaneId("in-W_2")].observed


def test_lanes_with_a_turn_that_yields_are_known() -> None:
    controller = NETWORK.controllers[0]
    services = tuple(
        replace(s, right=Right.PERMITTED) if s.movement == movement("E", "left") else s
        for s in controller.rules.services
    )
    rules = replace(controller.rules, services=services)
    yielding = replace(NETWORK, controllers=(replace(controller, rules=rules),))

    assert yielding_lanes(NETWORK) == frozenset()
    assert yielding_lanes(yielding) == {"in-E_2"}


def test_the_green_share_leaves_out_what_is_lost() -> None:
    greens = Greens(network=NETWORK, plans=cross_plans(east_left_s=15))
    running = greens.at("workday", 0)

    assert greens.share(movement("E", "left"), running, lost_s=1.0) == pytest.approx(0.14)
    assert greens.share(movement("N", "through"), running, lost_s=1.0) == pytest.approx(0.29)
    assert greens.cycle_s(running, movement("E", "left")) == 100.0
    assert set(running) == {CONTROLLER}
