# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from tests.cross import CYCLE_S, TURNS, cross, cross_plans, movement

from lvbo.demand.demand import Demand, Saturation
from lvbo.demand.estimate import estimate_demand
from lvbo.detection.counts import Counts
from lvbo.detection.detector import Detector, DetectorKind
from lvbo.detection.tables import COUNTS, Meaning, Target
from lvbo.errors import InputError
from lvbo.ids import DetectorId, LaneId, LinkId
from lvbo.network.network import Network

SLOT_S = 900
SLOTS = 24
FIRST = datetime(2025, 12, 7, 22, 0, tzinfo=UTC)
Array = NDArray[np.float64]
Seen = dict[tuple[str, str], Array]


@pytest.fixture(scope="module")
def network() -> Network:
    return cross()


def counts_of(
    seen: Mapping[tuple[str, str], Array], detectors: tuple[Detector, ...] = (), days: int = 1
) -> Counts:
    """Return counts from veh/h per slot by target, the same every day; NaN is not seen."""
    rows = [
        (
            kind,
            target,
            FIRST + timedelta(days=day, seconds=SLOT_S * slot),
            SLOT_S,
            f"2025-12-{8 + day:02d}",
            21_600 + SLOT_S * slot,
            "workday",
            None if np.isnan(rate) else float(rate) * SLOT_S / 3600,
            "all",
            None,
            None,
            0.0 if np.isnan(rate) else 1.0,
            "good",
        )
        for (kind, target), rates in seen.items()
        for day in range(days)
        for slot, rate in enumerate(rates)
    ]
    return Counts(table=pl.DataFrame(rows, schema=dict(COUNTS), orient="row"), detectors=detectors)


def flat(volume: float) -> Array:
    return np.full(SLOTS, volume)


def hump(low: float, high: float) -> Array:
    """Return a profile that is low, high from slot 6 to 12, and low again."""
    out = flat(low)
    out[6:12] = high
    return out


def queue(wanted: Array, capacity_vph: float) -> Array:
    """Return what a green of this capacity lets through: the rest waits for the next slots."""
    waiting, out = 0.0, np.zeros(len(wanted))
    for k, rate in enumerate(wanted):
        waiting += rate
        out[k] = min(waiting, capacity_vph)
        waiting -= out[k]
    return out


def volume_of(demand: Demand, leg: str, turn: str) -> Array:
    return demand.volume_vph[0, :, demand.movement_column[movement(leg, turn)]]


def movements_seen(volumes: Mapping[tuple[str, str], Array]) -> dict[tuple[str, str], Array]:
    every: Seen = {
        (leg, str(turn)): flat(120.0 if turn == "left" else 200.0)
        for leg in "NESW"
        for turn in TURNS
    }
    every.update(volumes)
    return {(Target.MOVEMENT, movement(*key)): value for key, value in every.items()}


LEFT_CAPACITY = 1550 * (15 - 1) / CYCLE_S
ENTRY = Detector(id=DetectorId("entry E"), kind=DetectorKind.ENTRY, link=LinkId("in-E"))


def test_a_movement_that_keeps_up_wants_what_was_served(network: Network) -> None:
    counts = counts_of(movements_seen({("E", "left"): flat(150.0)}))
    demand = estimate_demand(network, counts, plans=cross_plans())

    assert volume_of(demand, "E", "left") == pytest.approx(flat(150.0))
    assert not demand.saturated.any()


def test_a_starved_left_turn_gains_what_came_in(network: Network) -> None:
    wanted = hump(150.0, 300.0)
    served = queue(wanted, LEFT_CAPACITY)
    seen = movements_seen({("E", "left"): served})
    seen[Target.DETECTOR, "entry E"] = wanted + flat(400.0)
    demand = estimate_demand(network, counts_of(seen, (ENTRY,)), plans=cross_plans())

    assert served[6:12].max() < 0.75 * 300
    assert volume_of(demand, "E", "left")[6:12] == pytest.approx(flat(300.0)[6:12], rel=0.1)
    assert volume_of(demand, "E", "through") == pytest.approx(flat(200.0))
    assert "LV531" in {finding.code for finding in demand.findings}


def test_without_upstream_counts_the_recovery_tail_gives_the_sum(network: Network) -> None:
    wanted = hump(150.0, 300.0)
    served = queue(wanted, LEFT_CAPACITY)
    shape = {(leg, "through"): hump(300.0, 600.0) for leg in "NSW"}
    seen = movements_seen({("E", "left"): served, **shape})
    demand = estimate_demand(network, counts_of(seen), plans=cross_plans())
    found = volume_of(demand, "E", "left")

    assert found[6:12].sum() > 1.15 * served[6:12].sum()
    assert found.sum() == pytest.approx(wanted.sum(), rel=0.05)


def test_the_bounds_hold_the_truth_of_a_starved_movement(network: Network) -> None:
    wanted = hump(150.0, 300.0)
    seen = movements_seen({("E", "left"): queue(wanted, LEFT_CAPACITY)})
    seen[Target.DETECTOR, "entry E"] = wanted + flat(400.0)
    demand = estimate_demand(network, counts_of(seen, (ENTRY,)), plans=cross_plans())
    column = demand.movement_column[movement("E", "left")]

    assert (demand.lower_vph[0, 6:12, column] <= 300.0 + 1e-6).all()
    assert (demand.upper_vph[0, 6:12, column] >= 300.0 - 1e-6).all()


def test_without_plans_a_count_is_taken_for_demand_and_said_so(network: Network) -> None:
    served = queue(hump(150.0, 300.0), LEFT_CAPACITY)
    demand = estimate_demand(network, counts_of(movements_seen({("E", "left"): served})))

    assert volume_of(demand, "E", "left") == pytest.approx(served)
    assert "LV533" in {finding.code for finding in demand.findings}


def test_counts_that_are_demand_stay_as_they_are(network: Network) -> None:
    counts = replace(
        counts_of(movements_seen({("E", "left"): flat(600.0)})), meaning=Meaning.DEMAND
    )
    demand = estimate_demand(network, counts, plans=cross_plans())

    assert volume_of(demand, "E", "left") == pytest.approx(flat(600.0))


def test_a_given_saturation_flow_decides_what_is_saturated(network: Network) -> None:
    counts = counts_of(movements_seen({("E", "left"): flat(LEFT_CAPACITY)}))
    wide = [Saturation(lane=LaneId("in-E_2"), flow_vph=2000.0)]
    by_default = estimate_demand(network, counts, plans=cross_plans())
    by_site = estimate_demand(network, counts, plans=cross_plans(), saturation=wide)
    column = by_default.movement_column[movement("E", "left")]

    assert by_default.saturated[0][:, column].all()
    assert not by_site.saturated.any()


def test_lane_counts_give_turning_volumes_with_a_range(network: Network) -> None:
    lanes = {"in-E_0": 240.0, "in-E_1": 320.0, "in-E_2": 130.0}
    seen: Seen = {(Target.LANE, lane): flat(volume) for lane, volume in lanes.items()}
    demand = estimate_demand(network, counts_of(seen))
    right = demand.movement_column[movement("E", "right")]

    assert volume_of(demand, "E", "left") == pytest.approx(flat(130.0))
    assert volume_of(demand, "E", "through") + volume_of(demand, "E", "right") == pytest.approx(
        flat(560.0)
    )
    assert demand.lower_vph[0, 0, right] == pytest.approx(0.0)
    assert demand.upper_vph[0, 0, right] == pytest.approx(240.0, rel=0.03)
    assert [f.fields["deficit"] for f in demand.findings if f.code == "LV530"] == [1 + 3 * 3]


def test_flows_of_lanes_counted_one_by_one_are_kept(network: Network) -> None:
    lane, left = LaneId("in-E_1"), LaneId("in-E_2")
    turns = tuple(
        Detector(
            id=DetectorId(f"loop-{turn}"),
            kind=DetectorKind.STOP_LINE,
            lanes=(left,),
            movements=(movement("E", turn),),
        )
        for turn in ("left", "through")
    )
    seen: Seen = {
        (Target.LANE, lane): flat(320.0),
        (Target.DETECTOR, "loop-left"): flat(130.0),
        (Target.DETECTOR, "loop-through"): flat(20.0),
    }
    demand = estimate_demand(network, counts_of(seen, turns))

    assert dict(demand.lanes_vph) == {lane: pytest.approx(320.0), left: pytest.approx(150.0)}


def test_an_exit_count_settles_a_shared_lane(network: Network) -> None:
    lanes: Seen = {(Target.LANE, f"in-{leg}_{k}"): flat(200.0) for leg in "NESW" for k in range(3)}
    exit_north = Detector(id=DetectorId("exit N"), kind=DetectorKind.ENTRY, link=LinkId("out-N"))
    into = [m for m in network.movements if m.to_link == "out-N"]
    few, many = (
        estimate_demand(
            network,
            counts_of({**lanes, (Target.DETECTOR, "exit N"): flat(volume)}, (exit_north,)),
        )
        for volume in (600.0, 720.0)
    )
    right = next(m for m in into if m.turn == "right")

    assert volume_of(many, right.leg, "right")[0] > volume_of(few, right.leg, "right")[0] + 30


def test_an_approach_count_is_divided_and_its_sum_kept(network: Network) -> None:
    demand = estimate_demand(network, counts_of({(Target.LINK, "in-E"): flat(800.0)}))
    parts = [volume_of(demand, "E", turn) for turn in TURNS]

    assert sum(parts) == pytest.approx(flat(800.0))
    assert parts[1][0] > parts[0][0] > 0


def test_a_gap_is_filled_from_like_days_and_said(network: Network) -> None:
    seen = movements_seen({})
    counts = counts_of(seen, days=3)
    hole = (pl.col("day") == "2025-12-09") & (pl.col("target") == movement("E", "left"))
    table = counts.table.with_columns(
        pl.when(hole & (pl.col("second") < 30_000)).then(None).otherwise("volume").alias("volume")
    )
    demand = estimate_demand(network, replace(counts, table=table))
    column = demand.movement_column[movement("E", "left")]

    assert demand.volume_vph[1, :, column] == pytest.approx(flat(120.0))
    assert {f.place for f in demand.findings if f.code == "LV532"} == {movement("E", "left")}


def test_counts_of_another_place_are_refused(network: Network) -> None:
    with pytest.raises(InputError) as caught:
        estimate_demand(network, counts_of({(Target.LANE, "elsewhere"): flat(100.0)}))

    assert caught.value.code == "LV536"


def test_a_lane_that_counts_less_than_its_twins_is_suspected() -> None:
    wide = cross(through_lanes=3)
    lanes: Seen = {(Target.LANE, f"in-E_{k}"): flat(300.0) for k in (1, 3, 4)}
    lanes[Target.LANE, "in-E_2"] = flat(240.0)
    found = estimate_demand(wide, counts_of(lanes)).findings

    assert [(f.place, f.fields["percent"]) for f in found if f.code == "LV538"] == [("in-E_2", 80)]
