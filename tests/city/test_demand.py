# SPDX-License-Identifier: Apache-2.0
"""The demand of `yuci` keeps to its table, balances along streets, and loads sites as wished."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.city.calendar import PROOFS, share_at
from lvbo.city.demand import SURGE_GAIN, SURGE_S, demand_at, flows_at
from lvbo.city.loads import critical_saturations
from lvbo.city.routes import fit_routes
from lvbo.city.streets import Side, Turn, exit_side, sites
from lvbo.city.volumes import table_volumes

SPANS = {proof.code: proof for proof in PROOFS}


def test_the_typical_movement_lies_within_15_percent_of_the_table() -> None:
    flows = fit_routes()
    volumes = flows.movement_volumes(flows.morning_vph)
    table = table_volumes(morning=True)
    ratio = np.array([volumes[key] / table[key] for key in table])

    assert abs(float(np.median(ratio)) - 1.0) < 0.05
    assert float(np.mean(np.abs(ratio - 1.0) < 0.15)) > 0.7
    assert float(ratio.max()) < 1.25


def test_what_leaves_one_site_arrives_at_the_next() -> None:
    flows = fit_routes()
    volumes = flows.movement_volumes(flows.morning_vph)
    for site in sites().values():
        for side, leg in site.legs.items():
            if leg.far not in sites():
                continue
            there = next(s for s, o in sites()[leg.far].legs.items() if o.far == site.code)
            arriving = sum(volumes.get((leg.far, there, turn), 0.0) for turn in Turn)
            leaving = sum(
                volumes.get((site.code, come, turn), 0.0)
                for come in site.legs
                for turn in Turn
                if exit_side(come, turn) is side
            )

            assert arriving == pytest.approx(leaving, rel=1e-9)


def test_no_route_meets_a_site_twice_or_turns_more_than_twice() -> None:
    for route in fit_routes().routes:
        codes = [code for code, _, _ in route.moves]

        assert len(set(codes)) == len(codes)
        assert sum(turn is not Turn.THROUGH for _, _, turn in route.moves) <= 2


def test_the_morning_is_heavy_eastbound_and_the_evening_westbound() -> None:
    flows = fit_routes()
    morning = flows.movement_volumes(flows.morning_vph)
    evening = flows.movement_volumes(flows.evening_vph)
    east, west = ("AN_HT", Side.WEST, Turn.THROUGH), ("AN_HT", Side.EAST, Turn.THROUGH)

    assert morning[east] > 1.3 * morning[west]
    assert evening[west] > 1.3 * evening[east]


def test_shares_of_the_day_are_those_of_the_sheet() -> None:
    hours = {11.67: 0.80, 14.25: 0.72, 12.7: 0.60, 22.0: 0.25, 3.0: 0.04}
    pm_hour = np.mean([share_at(s) for s in range(63_000, 66_600, 60)])
    am_hour = np.mean([share_at(s) for s in range(26_100, 29_700, 60)])

    assert all(share_at(hour * 3600) == pytest.approx(share) for hour, share in hours.items())
    assert float(pm_hour) == pytest.approx(0.95, abs=0.03)
    assert float(am_hour) == pytest.approx(1.0, abs=0.03)
    assert share_at(8 * 3600, workday=False) < 0.4
    assert share_at(15 * 3600, workday=False) == pytest.approx(0.70)


def test_critical_saturations_lie_where_the_sheet_wants_them() -> None:
    am = critical_saturations(SPANS["am"])
    offpeak = critical_saturations(SPANS["offpeak"])
    pm = critical_saturations(SPANS["pm"])

    assert 0.85 <= max(am.values()) <= 0.94
    assert 0.85 <= max(pm.values()) <= 0.92
    assert 0.55 <= max(offpeak.values()) <= 0.70
    assert pm["AN_HT"] * (1 + SURGE_GAIN) == pytest.approx(1.03, abs=0.02)


def test_the_surge_lasts_25_minutes_and_the_schools_add_cars() -> None:
    flows = fit_routes()
    before, within = SURGE_S[0] - 1, SURGE_S[0] + 1

    assert SURGE_S[1] - SURGE_S[0] == 25 * 60
    assert demand_at(within, flows).sum() > 1.02 * demand_at(before, flows).sum()
    added = demand_at(27_000, flows) - flows_at(27_000, flows)

    assert float(added.sum()) == pytest.approx(500.0)
