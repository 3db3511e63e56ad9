# SPDX-License-Identifier: Apache-2.0
"""Two crossings in a row: what one loses, the other must see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tests.cross import cross

from lvbo.demand.estimate import estimate_demand
from lvbo.detection.counts import Counts
from lvbo.detection.tables import COUNTS, Target
from lvbo.errors import Finding
from lvbo.ids import IntersectionId, LaneId, LinkId, MovementId
from lvbo.network.network import Network
from lvbo.network.place import Turn

START = datetime(2025, 12, 8, tzinfo=UTC)


def two_crossings() -> Network:
    """Return crossings X and Y; the western exit of X, out-W, is the eastern approach of Y."""
    first = cross()
    place = IntersectionId("Y")
    entry = replace(
        first.link_index[LinkId("out-W")],
        end=place,
        lanes=tuple(
            replace(lane, id=LaneId(f"out-W_{lane.index}"), link=LinkId("out-W"))
            for lane in first.link_index[LinkId("in-E")].lanes
        ),
    )
    leaving = [
        replace(first.link_index[LinkId(f"out-{leg}")], id=LinkId(f"Y-out-{leg}"), start=place)
        for leg in "NSW"
    ]
    onward = [
        replace(
            movement,
            id=MovementId(f"Y-{movement.id}"),
            intersection=place,
            from_link=entry.id,
            to_link=LinkId(f"Y-{movement.to_link}"),
            lanes=tuple(LaneId(lane.replace("in-E", "out-W")) for lane in movement.lanes),
            controllers=(),
        )
        for movement in first.movements
        if movement.from_link == "in-E"
    ]
    links = [link for link in first.links if link.id != entry.id]
    return replace(
        first,
        links=tuple(sorted([*links, entry, *leaving], key=lambda link: link.id)),
        movements=tuple(sorted([*first.movements, *onward], key=lambda m: m.id)),
    )


def findings(volumes: dict[str, float], code: str) -> list[Finding]:
    rows = [
        (
            str(Target.MOVEMENT) if "-" in name and "_" not in name else str(Target.LANE),
            name,
            START + timedelta(seconds=900 * slot),
            900,
            "2025-12-08",
            900 * slot,
            "workday",
            volume / 4,
            "all",
            None,
            None,
            1.0,
            "good",
        )
        for name, volume in volumes.items()
        for slot in range(24)
    ]
    counts = Counts(table=pl.DataFrame(rows, schema=dict(COUNTS), orient="row"))
    found = estimate_demand(two_crossings(), counts).findings
    return [finding for finding in found if finding.code == code]


EAST = {"in-E_0": 250.0, "in-E_1": 400.0, "in-E_2": 80.0}
OTHERS = {
    f"{leg}-{turn}": {"left": 60.0, "through": 300.0, "right": 50.0}[turn]
    for leg in "NSW"
    for turn in Turn
    if turn is not Turn.UTURN
}
NEXT = {"out-W_0": 240.0, "out-W_1": 350.0, "out-W_2": 70.0}


@pytest.fixture
def street() -> dict[str, float]:
    """Return lane and movement volumes that agree: 600 through and 60 and 50 turned in go west."""
    return {**EAST, **OTHERS, **NEXT}


def test_counts_that_agree_are_not_suspected(street: dict[str, float]) -> None:
    assert findings(street, "LV537") == []
    assert findings(street, "LV534") == []


def test_lanes_exchanged_all_along_are_found_by_what_comes_next(street: dict[str, float]) -> None:
    street["in-E_1"], street["in-E_2"] = street["in-E_2"], street["in-E_1"]
    found = findings(street, "LV537")

    assert [(f.place, f.fields["other"]) for f in found] == [("in-E_1", "in-E_2")]


def test_a_link_that_loses_cars_is_named(street: dict[str, float]) -> None:
    for lane in NEXT:
        street[lane] *= 0.7
    found = findings(street, "LV534")

    assert [f.place for f in found] == ["out-W"]
    assert 60 <= int(str(found[0].fields["percent"])) <= 75
