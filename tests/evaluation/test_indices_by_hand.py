# SPDX-License-Identifier: Apache-2.0
"""Two cars, a bus and one from the side on a street of three signals: every index by hand."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean, pstdev

import polars as pl
import pytest
from tests.report import streets

from lvbo.evaluation.corridors import Way
from lvbo.evaluation.indices import CorridorMeasures, measure_coordination
from lvbo.ids import PhaseId
from lvbo.network.binding import SumoBinding, SumoHead
from lvbo.network.network import Network
from lvbo.progression.flows import SATURATION_VPS
from lvbo.simulation.runs import EDGES, PASSAGES, PERSONS, VEHICLES, LampChange, Run
from lvbo.timing.queue import vehicle_spacing_m

# vehicle, edge, entered, left, stops: links of 420 m and 610 m at 15 m/s, side link of 200 m
WAYS = (
    ("car1", "X0>X1", 0.0, 42.0, 0),
    ("car1", "X1>X2", 42.0, 100.0, 1),
    ("car1", "X2>end2E", 100.0, 110.0, 0),
    ("car2", "X0>X1", 20.0, 70.0, 1),
    ("car2", "X1>X2", 70.0, 118.0, 0),
    ("car2", "X2>end2E", 118.0, 120.0, 0),
    ("bus", "X0>X1", 0.0, 60.0, 1),
    ("bus", "X1>X2", 60.0, 160.0, 1),
    ("side", "end1N>X1", 0.0, 60.0, 1),
    ("side", "X1>end1S", 60.0, 70.0, 0),
)
QUEUES = {"X0>X1": (5, 12.0), "X1>X2": (2, 0.0), "end1N>X1": (4, 30.0)}  # longest, blocked for
LAMPS = {"C0": ((0, "G"),), "C1": ((0, "r"), (30, "G"), (60, "r")),
         "C2": ((0, "r"), (90, "G"), (120, "r"))}  # fmt: skip
LOST = (42 - 28.0, 50 - 28.0, 58 - 610 / 15, 48 - 610 / 15)  # by car and stop line


def street() -> Network:
    """Return the street with one lamp for its through phase at each signal."""
    network = streets.street()
    heads = tuple(
        SumoHead(
            controller=c.id, index=0, from_lane="a_0", to_lane="b_0", movement=None,
            crossing=None, phases=(PhaseId("EW"),),
        )
        for c in network.controllers
    )  # fmt: skip
    return replace(
        network,
        sumo=SumoBinding(
            edges=tuple((str(link.id), link.id) for link in network.links),
            lanes=(),
            heads=heads,
            sizes=tuple((c.id, 1) for c in network.controllers),
        ),
    )


def run(network: Network) -> Run:
    edges = [
        (
            str(link.id), str(link.start), str(link.end), link.length_m, link.speed_mps, 1, 0.0,
            *QUEUES.get(str(link.id), (0, 0.0)),
        )
        for link in network.links
    ]  # fmt: skip
    classes = {"car1": "passenger", "car2": "passenger", "bus": "bus", "side": "passenger"}
    vehicles = pl.DataFrame(
        [
            {**dict.fromkeys(VEHICLES), "vehicle": v, "vclass": c, "depart_s": 0.0}
            for v, c in classes.items()
        ],
        schema=VEHICLES,
    )
    lamps = tuple(
        LampChange(controller=c.id, second=float(at), state=state)
        for c in network.controllers
        for at, state in LAMPS[str(c.id)]
    )
    return Run(
        seed=0, begin_s=0, judged_from_s=0, judged_to_s=120, end_s=240.0, vehicles=vehicles,
        persons=pl.DataFrame(schema=PERSONS),
        passages=pl.DataFrame([(*way, 0.0) for way in WAYS], schema=PASSAGES, orient="row"),
        edges=pl.DataFrame(edges, schema=EDGES, orient="row"),
        tracks=None, lamps=lamps, violations=(), teleports=0, collisions=0, wall_s=0.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured() -> tuple[CorridorMeasures, ...]:
    network = street()
    return measure_coordination(run(network), streets.corridor(), network)


def test_two_of_four_arrivals_fell_into_a_green_of_a_quarter_of_the_time(
    measured: tuple[CorridorMeasures, ...],
) -> None:
    # car1 crosses at 42 s; car2 would have come at 62 s, in red; at the next signal car1 would have
    # come at 90 s, as the green begins; car2 crosses at 118 s; both are green 30 s of 120 s
    out = measured[0]

    assert (out.way, out.arrivals, out.green_arrival_share) == (Way.OUTBOUND, 4, 0.5)
    assert out.platoon_ratio == pytest.approx(2.0)


def test_stops_delay_and_flow_are_those_at_the_two_stop_lines(
    measured: tuple[CorridorMeasures, ...],
) -> None:
    out = measured[0]

    assert out.stops_per_signal == 0.5
    assert out.control_delay_s == pytest.approx(fmean(LOST))
    assert out.green_flow_vph == pytest.approx(4 / (60 / 3600))
    assert out.green_use == pytest.approx(240 / (3600 * SATURATION_VPS))
    assert out.red_queue_share == 0.0


def test_speeds_are_those_of_whole_drives_buses_by_themselves(
    measured: tuple[CorridorMeasures, ...],
) -> None:
    out, speeds = measured[0], (1030 / 100, 1030 / 98)

    assert out.speed_variation == pytest.approx(pstdev(speeds) / fmean(speeds))
    assert out.bus_speed_mps == pytest.approx(1030 / 160)
    assert out.drives.nonstop_share == 0.0


def test_queues_are_measured_against_their_room(measured: tuple[CorridorMeasures, ...]) -> None:
    out, *_, both = measured

    assert out.spillback_share == pytest.approx(12 / 240 / 2)
    assert out.queue_storage_share == pytest.approx(5 * vehicle_spacing_m() / 420)
    assert both.side_queue_m == pytest.approx(4 * vehicle_spacing_m())
    assert out.side_queue_m is None


def test_imbalance_is_the_worst_approach_over_the_mean_of_all(
    measured: tuple[CorridorMeasures, ...],
) -> None:
    by_link = (fmean(LOST[:2]), fmean(LOST[2:]), 60 - 200 / 15)

    assert measured[-1].imbalance == pytest.approx(max(by_link) / fmean(by_link))
