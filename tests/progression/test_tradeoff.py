# SPDX-License-Identifier: Apache-2.0
"""How much of a band is kept on a small generated street, and what is told about it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.progression.problems import plain
from tests.progression.test_slack import flows
from tests.streets import flat_demand, four_signals

from lvbo.demand.demand import Demand
from lvbo.network.network import Network
from lvbo.progression.area import AreaModel
from lvbo.progression.band import two_way_band
from lvbo.progression.coordinate import Street, coordinate
from lvbo.progression.slack import platoon_ratio
from lvbo.progression.tradeoff import STOP_S, KeptBand, StreetTraffic, keep_band
from lvbo.progression.walk import walk_plan
from lvbo.progression.wave import PeriodWave, WaveSettings
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import controller_models, mean_volumes, time_plans

DAYS = (DayPlan(day_type="workday", periods=(Period(start_s=0, end_s=0, name="all"),)),)
LIMITS = CycleLimits(least_s=60, most_s=90)
PURE = WaveSettings(may_reorder=False, cut_delay=False)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return four_signals(tmp_path_factory.mktemp("street"))


class Case:
    """One demand on the street: greens for it, the widest band, the traffic."""

    def __init__(
        self,
        network: Network,
        through_vph: float,
        turn_vph: float,
        limits: CycleLimits = LIMITS,
    ) -> None:
        self.network, self.corridor = network, network.corridors[0]
        self.demand: Demand = flat_demand(network, through_vph, turn_vph)
        self.plans: PlanSet = time_plans(network, self.demand, DAYS, limits=limits)
        self.pure = self.laid(PURE)
        volumes = mean_volumes(self.demand)
        made = controller_models(network, self.demand, volumes, only=self.corridor.controllers)
        models = {m.controller.id: m for m in made}
        area = AreaModel(network, models, volumes, stop_s=STOP_S)
        self.traffic = StreetTraffic(area=area, plans=self.pure.plans)

    def laid(self, settings: WaveSettings) -> PeriodWave:
        street = Street(network=self.network, demand=self.demand)
        return coordinate(self.corridor, self.plans, street=street, settings=settings).periods[0]

    def kept(self, *, most_cost: float = 0.01, least_share: float = 0.0) -> KeptBand:
        return keep_band(
            self.pure.problem,
            self.pure.runs,
            self.traffic,
            most_cost=most_cost,
            least_share=least_share,
        )

    def of_all(self, kept: KeptBand) -> float:
        return self.traffic.of_all_s_per_h(self.traffic.at(kept.plan))


@pytest.fixture(scope="module")
def calm(network: Network) -> Case:
    return Case(network, 500.0, 20.0)


@pytest.fixture(scope="module")
def turning(network: Network) -> Case:
    """Return a street on which more vehicles turn in than drive on."""
    return Case(network, 20.0, 80.0, CycleLimits(least_s=120, most_s=120))


@pytest.fixture(scope="module")
def mixed(network: Network) -> Case:
    return Case(network, 400.0, 100.0)


def test_what_is_kept_is_there_and_costs_no_more_than_allowed(mixed: Case) -> None:
    pure, before = mixed.pure, mixed.pure.runs
    best = mixed.kept(most_cost=0.0)
    least, of_all = best.now.index_s_per_h, mixed.of_all(best)
    shares = []

    for most in (0.0, 0.005, 0.02, math.inf):
        kept = mixed.kept(most_cost=most)
        shares.append(kept.share)

        assert kept.now.index_s_per_h <= least + most * of_all + 1e-6
        assert kept.now.index_s_per_h <= kept.whole.index_s_per_h
        assert walk_plan(pure.problem, kept.plan).violations == ()
        assert mixed.traffic.cost(mixed.traffic.at(kept.plan)).index_s_per_h == pytest.approx(
            kept.now.index_s_per_h
        )

    assert shares == sorted(shares)
    assert shares[0] < shares[-1]
    assert mixed.kept(most_cost=math.inf).plan.sum_ms == before.sum_ms


def test_a_band_is_given_up_where_it_costs_more_than_it_saves(turning: Case) -> None:
    kept, whole = turning.kept(), turning.laid(WaveSettings(may_reorder=False, least_share=1.0))
    told = turning.laid(WaveSettings(may_reorder=False))
    (finding,) = told.findings

    assert kept.given_up
    saved = kept.whole.index_s_per_h - kept.now.index_s_per_h
    assert saved > 0.01 * turning.of_all(kept)
    assert finding.code == "LV737"
    assert finding.fields["delay_percent"] == pytest.approx(
        100 * (kept.whole.delay_s_per_h / kept.now.delay_s_per_h - 1), abs=0.1
    )
    assert finding.fields["stops_percent"] == pytest.approx(
        100 * (kept.whole.stops_per_h / kept.now.stops_per_h - 1), abs=0.1
    )
    assert told.runs.offsets_ms == kept.plan.offsets_ms
    assert whole.findings == ()
    assert whole.runs.sum_ms == turning.pure.runs.sum_ms


def test_a_band_is_kept_where_nearly_all_drive_through(calm: Case) -> None:
    kept = calm.kept()

    assert not kept.given_up
    assert kept.share >= 0.5


def test_what_a_band_costs_is_seen_beside_all_delay_at_its_signals(mixed: Case) -> None:
    whole, free = mixed.kept(least_share=1.0), mixed.kept(most_cost=0.0)
    cost = whole.now.index_s_per_h - free.now.index_s_per_h
    of_all = mixed.of_all(free)

    assert of_all > free.now.index_s_per_h
    assert mixed.kept(most_cost=1.01 * cost / of_all).plan.sum_ms == whole.plan.sum_ms
    assert mixed.kept(most_cost=0.99 * cost / of_all).plan.sum_ms < whole.plan.sum_ms


def test_so_much_of_a_band_stays_as_is_asked(mixed: Case) -> None:
    before = mixed.pure.runs

    for share in (0.25, 0.5, 0.75, 1.0):
        kept = mixed.kept(least_share=share)
        assert not kept.given_up
        assert kept.plan.outbound_ms > share * before.outbound_ms - 1000
        assert kept.plan.inbound_ms > share * before.inbound_ms - 1000

    built_on = mixed.laid(WaveSettings(may_reorder=False).to_build_on)
    assert built_on.runs.sum_ms > before.sum_ms / 2 - 2000


def test_who_is_held_keeps_its_offset(turning: Case) -> None:
    held = turning.traffic.controllers[1]
    traffic = replace(turning.traffic, held=frozenset({held}))
    at = traffic.at(turning.pure.runs)

    moved = traffic.free(at)

    assert moved[held] == at[held]
    assert traffic.cost(moved).index_s_per_h < traffic.cost(at).index_s_per_h


def test_platoons_that_arrive_in_the_green_have_the_ratio_that_a_pencil_finds() -> None:
    # cycle 60, greens 20 s, no dispersion: the platoon is 8 s under way (Robertson's lag of 10 s)
    problem = plain((20, 20), (10,))
    plan = two_way_band(problem).whole
    traffic = replace(flows(2, 300, 0), turn_in_out=(0.0, 0.0), turn_in_in=(0.0, 0.0), alpha=0.0)

    found = [
        platoon_ratio(problem, replace(plan, offsets_ms=(0, offset_ms)), traffic)
        for offset_ms in (8_000, 13_000, 38_000)
    ]

    # of 5 vehicles 3.75 leave in the first 5 s of green: all arrive on a third of the cycle, then
    # a quarter of them does, then nobody
    assert found == pytest.approx([3.0, 3.0 / 4, 0.0], abs=0.01)
