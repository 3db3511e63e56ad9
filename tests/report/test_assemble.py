# SPDX-License-Identifier: Apache-2.0
"""What a report is made of agrees with the runs and waves it is made from."""

from __future__ import annotations

import pytest
from tests.report import streets

from lvbo.ids import ControllerId, MovementId
from lvbo.report.annex import aim_blocks
from lvbo.report.assemble import period_curve
from lvbo.report.inputs import DirectionResult
from lvbo.report.maps import flow_day, link_states, los_map
from lvbo.report.street import _bends
from lvbo.report.words import Heading, Words
from lvbo.text import Language
from lvbo.timing.periods import PeriodChoice

EN, ZH = Words(language=Language.EN), Words(language=Language.ZH)
NETWORK = streets.street()


def test_costs_of_periods_are_shown_in_vehicle_hours() -> None:
    choice = PeriodChoice(
        day_type="workday",
        controllers=(ControllerId("C0"),),
        numbers=(1, 2),
        held_out=(7200.0, 3600.0),
        error=(360.0, 0.0),
        chosen=2,
        breaks=(),
    )

    curve = period_curve(choice, EN)

    assert (curve.costs, curve.errors, curve.chosen) == ((2.0, 1.0), (0.1, 0.0), 2)


def test_a_link_has_the_mean_delay_of_its_movements_by_vehicles() -> None:
    changes = (
        streets._movement("X0Wthrough", 300, 0.0, 20.0),
        streets._movement("X0Wleft", 100, 0.0, 60.0),
    )
    states = {s.link: s for s in link_states(NETWORK, changes, hours=2.0)}
    west = states[NETWORK.movement_index[MovementId("X0Wthrough")].from_link]

    assert west.flow_vph == 200.0
    assert west.delay_s == pytest.approx(30.0)


def test_only_links_that_end_at_a_signal_have_a_level() -> None:
    states = link_states(NETWORK, streets.comparison().movements, hours=1.0)
    shown = los_map(NETWORK, states, "", "")
    outward = [
        link
        for link, known in zip(shown.links, NETWORK.links, strict=True)
        if known.end.startswith("end")
    ]

    assert outward
    assert all(link.delay_s is None for link in outward)


def test_the_flow_of_a_day_is_the_sum_of_its_movements() -> None:
    demand = streets.demand()
    flow = flow_day(demand, streets.plans((0, 0, 0)), "workday", EN)

    assert flow is not None
    assert flow.flow_vph[0, 8] == pytest.approx(demand.volume_vph[0, 8].sum())
    assert flow_day(demand, streets.plans((0, 0, 0)), "weekend", EN) is None


def test_periods_over_midnight_are_drawn_in_two_parts() -> None:
    flow = flow_day(streets.demand(), streets.plans((0, 0, 0)), "workday", EN)

    assert flow is not None
    assert [(p.start_s, p.end_s) for p in flow.periods] == [
        (0, 25200), (25200, 30600), (30600, 86400),
    ]  # fmt: skip


def test_a_thinned_way_keeps_its_stops() -> None:
    times = [float(t) for t in range(100)]
    places = [10.0 * min(t, 40.0) if t < 70 else 400 + 10 * (t - 70) for t in times]

    kept = _bends(times, places)

    assert {0, 40, 99} <= set(kept)
    assert len(kept) < 8


def test_indices_stand_under_their_aim_in_the_order_of_the_standard() -> None:
    names = ("nonstop_share", "imbalance", "platoon_ratio", "speed_variation", "stops_per_km")
    direction = DirectionResult(
        heading=Heading.E,
        differences=tuple(streets.difference(name, 2.0, 1.0) for name in names),
        street="安宁街",
    )
    blocks = [(b.heading, [x.measure for x in b.lines]) for b in aim_blocks(direction, ZH)]

    assert blocks == [
        ("安宁街 由西向东：安全保障", ["协调速度变异系数"]),
        ("安宁街 由西向东：效率提升", ["协调方向不停车通过率", "协调队列比"]),
        ("安宁街 由西向东：均衡调控", ["失衡系数"]),
        ("安宁街 由西向东：协调效果", ["每公里停车次数"]),
    ]
