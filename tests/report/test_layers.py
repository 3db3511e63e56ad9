# SPDX-License-Identifier: Apache-2.0
"""The layers of a time-space diagram, on a street of three signals with cycles of 110 s."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tests.report import streets

from lvbo.detection.detector import Detector, DetectorKind
from lvbo.detection.tables import DETECTOR_OFF, DETECTOR_ON, EVENTS
from lvbo.ids import DetectorId, LaneId, MovementId
from lvbo.network.binding import SumoBinding, SumoHead
from lvbo.network.network import Network
from lvbo.progression.flows import SATURATION_VPS
from lvbo.progression.linkbands import LinkBandPlan
from lvbo.progression.problem import BandKind
from lvbo.report.layers import Layers, band_strips, changed_s, link_strips, ticks
from lvbo.report.street import Caption, coordinated_phases, timespace
from lvbo.report.values import StripKind, TimeSpace
from lvbo.report.words import Words
from lvbo.signal.lamp import Lamp
from lvbo.simulation.runs import LampChange
from lvbo.text import Language
from lvbo.timing.queue import vehicle_spacing_m

NETWORK, CORRIDOR = streets.street(), streets.corridor()


def diagram(layers: Layers, network: Network = NETWORK) -> TimeSpace:
    plans = {p.controller: p for p in streets.plans((0, 55, 0)).plans}
    return timespace(
        network, CORRIDOR, plans, caption=Caption(title="x"), begin_s=0.0, layers=layers,
        band=streets.band(),
    )  # fmt: skip


def test_a_band_leaves_a_signal_before_it_comes_where_a_queue_is_cleared() -> None:
    band = replace(streets.band(), front_out_ms=(28_000, 57_600, 106_400))
    out = band_strips(CORRIDOR, band)[0]

    assert out.ends_s(0) == (28.0, 61.6)  # arrives at 61.6, leaves at 57.6
    assert out.ends_s(1) == pytest.approx((57.6, 106.4))


def test_an_inbound_band_arrives_at_the_signal_before_in_outbound_order() -> None:
    back = band_strips(CORRIDOR, streets.band())[1]

    assert back.ends_s(1) == (76.8, 28.0)


def test_bands_by_link_lie_about_their_line() -> None:
    plan = LinkBandPlan(
        kind=BandKind.OUTBOUND,
        cycle_ms=110_000,
        offsets_ms=(0, 0, 0),
        patterns=(0, 0, 0),
        travel_out_ms=(30_000, 50_000),
        travel_in_ms=(30_000, 50_000),
        line_out_ms=(20_000, 50_000, 100_000),
        line_in_ms=(),
        sides_out_ms=((4_000, 6_000), (0, 0)),
        sides_in_ms=(),
    )
    (strip,) = link_strips(CORRIDOR, plan)

    assert (strip.kind, strip.first, strip.width_s) == (StripKind.LINK, 0, 10.0)
    assert strip.ends_s(0) == (16.0, 46.0)
    assert strip.speeds_mps == (14.0,)


def test_a_queue_grows_in_red_and_its_tail_is_where_the_starting_wave_meets_it() -> None:
    # all 400 veh/h at the first signal come evenly to its one lane; red lasts from 39 to 110 s
    found = diagram(Layers(volumes={MovementId("X0Wthrough"): 400.0})).wedges
    first = next(w for w in found if w.is_outbound and w.signal == 0)
    rate, begin, go = 400 / 3600, -71.0, 2.0
    gone = (SATURATION_VPS * go - rate * begin) / (SATURATION_VPS - rate)

    assert (first.begin_s, first.go_s) == (begin, go)
    assert first.end_s == pytest.approx(gone)
    assert first.reach_m == pytest.approx(rate * (gone - begin) * vehicle_spacing_m())


def test_a_queue_that_green_cannot_clear_ends_with_the_green() -> None:
    found = diagram(Layers(volumes={MovementId("X0Wthrough"): 1500.0})).wedges
    first = next(w for w in found if w.is_outbound and w.signal == 0)

    assert first.end_s == 39.0
    assert first.reach_m == pytest.approx(SATURATION_VPS * 37 * vehicle_spacing_m())


def test_the_protected_left_turn_of_the_same_approach_is_shown_beside_the_through_green() -> None:
    row = diagram(Layers()).signals[1]

    assert [(g.start_s, g.length_s) for g in row.left_outbound] == [(99.0, 16.0)]
    assert row.outbound[0].start_s == 55.0


def test_moved_offsets_are_told_the_short_way_round() -> None:
    before = {p.controller: p for p in streets.plans((105, 55, 12)).plans}
    moved = [row.moved_s for row in diagram(Layers(before=before)).signals]
    plan = streets.plan(0, 0)

    assert moved == [5.0, 0.0, -12.0]
    assert changed_s(plan, replace(streets.plan(0, 3), cycle_ds=1200)) is None


def test_slack_is_what_the_band_leaves() -> None:
    band = replace(streets.band(), slack_ms=((1000, 2000), (0, 90_000), (0, 0)))
    plans = {p.controller: p for p in streets.plans((0, 55, 0)).plans}
    shown = timespace(NETWORK, CORRIDOR, plans, caption=Caption(title="x"), begin_s=0.0, band=band)

    assert [row.slack_s for row in shown.signals] == [(1.0, 2.0), (0.0, 55.0), (0.0, 0.0)]


def lit() -> Network:
    """Return the street with one SUMO head for the through phase of the first controller."""
    controller = NETWORK.controllers[0]
    heads = (
        SumoHead(
            controller=controller.id, index=0, from_lane="a_0", to_lane="b_0",
            movement=MovementId("X0Wthrough"), crossing=None,
            phases=CORRIDOR.stops[0].outbound_phases,
        ),
    )  # fmt: skip
    sizes = tuple((c.id, 1) for c in NETWORK.controllers)
    return replace(NETWORK, sumo=SumoBinding(edges=(), lanes=(), heads=heads, sizes=sizes))


def test_lamps_are_drawn_as_they_were_with_their_flash_at_the_end() -> None:
    name = NETWORK.controllers[0].id
    states = ((0.0, "r"), (20.0, "G"), (50.0, "y"), (53.0, "r"), (900.0, "G"))
    lamps = tuple(LampChange(controller=name, second=s, state=x) for s, x in states)
    rows = diagram(Layers(lamps=lamps), lit()).signals
    seen = [(s.begin_s, s.end_s, s.lamp, s.is_flashing) for s in rows[0].shown_outbound]

    assert seen == [
        (0.0, 20.0, Lamp.RED, False),
        (20.0, 50.0, Lamp.GREEN, False),
        (47.0, 50.0, Lamp.GREEN, True),
        (50.0, 53.0, Lamp.YELLOW, False),
        (53.0, 900.0, Lamp.RED, False),
    ]
    assert rows[1].shown_outbound == ()
    assert {s.lamp for s in rows[0].shown_left_outbound} == {Lamp.RED}


def test_a_tick_lies_where_its_detector_does_up_the_street() -> None:
    def loop(name: str, lane: str) -> Detector:
        return Detector(
            id=DetectorId(name), kind=DetectorKind.ADVANCE, lanes=(LaneId(lane),), to_stop_m=40.0
        )

    midnight = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        ("out", midnight + timedelta(seconds=25), DETECTOR_ON, 0),
        ("out", midnight + timedelta(seconds=26), DETECTOR_OFF, 0),
        ("back", midnight + timedelta(seconds=30), DETECTOR_ON, 0),
        ("side", midnight + timedelta(seconds=30), DETECTOR_ON, 0),
    ]
    events = pl.DataFrame(rows, schema=dict(EVENTS), orient="row")
    loops = [loop("out", "X0>X1_0"), loop("back", "X2>X1_0"), loop("side", "end1N>X1_0")]
    found = ticks(NETWORK, CORRIDOR, events, loops, midnight.timestamp())

    assert [(t.is_outbound, t.at_s, t.at_m) for t in found] == [
        (True, 25.0, 380.0),
        (False, 30.0, 460.0),
    ]


def test_the_phases_of_the_wave_are_named() -> None:
    names = coordinated_phases(NETWORK, CORRIDOR, Words(language=Language.EN))

    assert names == ("E+W through",) * 3
