# SPDX-License-Identifier: Apache-2.0
"""Waves, platoons and area plans on a small generated street network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.streets import flat_demand, four_signals

from lvbo.demand.demand import Array, Demand
from lvbo.errors import InputError
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.progression._area_kernels import disperse
from lvbo.progression.area import ALPHA, BETA, START_S, AreaModel
from lvbo.progression.coordinate import Street, coordinate, evaluate_wave
from lvbo.progression.explain import explain_wave
from lvbo.progression.linkbands import LinkBandProblem, WaveModel
from lvbo.progression.plan_area import AreaOrder, plan_area
from lvbo.progression.ranking import CARRIED, ON_RED, rank_corridors
from lvbo.progression.usable import joined
from lvbo.progression.walk import walk_plan
from lvbo.progression.walk_links import walk_links
from lvbo.progression.wave import WaveSettings
from lvbo.signal.check import check_plan
from lvbo.signal.plan import Plan, Window
from lvbo.signal.rules import Clock
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import (
    controller_models,
    coordination_groups,
    each_alone,
    mean_volumes,
    time_plans,
)

THROUGH_VPH, TURN_VPH = 600.0, 60.0
DAYS = (DayPlan(day_type="workday", periods=(Period(start_s=0, end_s=0, name="all"),)),)
LIMITS = CycleLimits(least_s=60, most_s=90)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return four_signals(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="module")
def demand(network: Network) -> Demand:
    return flat_demand(network, THROUGH_VPH, TURN_VPH)


@pytest.fixture(scope="module")
def plans(network: Network, demand: Demand) -> PlanSet:
    return time_plans(network, demand, DAYS, limits=LIMITS)


def running(plans: PlanSet) -> dict[ControllerId, Plan]:
    return dict(plans.running("workday", 0))


def test_signals_of_one_street_share_a_cycle(network: Network, plans: PlanSet) -> None:
    largest = max(coordination_groups(network), key=lambda group: len(group.controllers))

    assert largest.controllers == ("A0", "B0", "C0", "D0")
    assert len({running(plans)[c].cycle_ds for c in largest.controllers}) == 1


def test_plans_keep_every_hard_rule(network: Network, plans: PlanSet) -> None:
    findings = [
        finding
        for plan in plans.plans
        for finding in check_plan(plan, network.controller_index[plan.controller].rules)
        if finding.severity == "error"
    ]

    assert findings == []


def test_the_walker_confirms_every_band_of_a_coordinated_street(
    network: Network, demand: Demand, plans: PlanSet
) -> None:
    street = Street(network=network, demand=demand)
    wave = coordinate(network.corridors[0], plans, street=street).periods[0]

    walk = walk_plan(wave.problem, wave.runs)

    assert wave.runs.sum_ms > 0
    assert not walk.violations
    assert walk.outbound_ms >= wave.runs.outbound_ms
    assert walk.inbound_ms >= wave.runs.inbound_ms


@pytest.mark.parametrize("model", [WaveModel.MULTIBAND, WaveModel.AMBAND])
def test_bands_of_each_section_are_walked_on_a_coordinated_street(
    network: Network, demand: Demand, plans: PlanSet, model: WaveModel
) -> None:
    street = Street(network=network, demand=demand)
    corridor = network.corridors[0]
    through = coordinate(corridor, plans, street=street).periods[0]
    own = coordinate(corridor, plans, street=street, settings=WaveSettings(model=model)).periods[0]
    links = own.links
    assert links is not None
    ones = (1.0,) * 3
    asked = LinkBandProblem(street=own.problem, weight_out=ones, weight_in=ones, least_side=0.0)

    assert walk_links(asked, links).violations == ()
    assert sum(links.bands_out_ms + links.bands_in_ms) >= 3 * through.runs.sum_ms - 3_000
    assert [p.offset_ds * 100 for p in own.plans] == list(links.offsets_ms)

    kept = plans.with_plans(own.plans)
    seen = evaluate_wave(corridor, kept, street=street, settings=WaveSettings(model=model))
    measured = seen.periods[0].links
    assert measured is not None
    assert measured.offsets_ms == links.offsets_ms


def test_reasons_name_controllers_and_signs_are_round(
    network: Network, demand: Demand, plans: PlanSet
) -> None:
    street = Street(network=network, demand=demand)
    settings = WaveSettings(posted_step_kmh=5.0)
    own = coordinate(network.corridors[0], plans, street=street, settings=settings).periods[0]
    places = {reason.place for reason in explain_wave(own)}
    signs = [round(3.6 * v, 1) for v in own.speeds_out_mps]

    assert places & set(own.controllers)
    assert not any(place.startswith("signal") for place in places)
    assert signs == pytest.approx([5 * round(v / 5) for v in signs], abs=0.05)


def test_a_wave_measured_without_solving_is_the_wave_that_was_solved_for(
    network: Network, plans: PlanSet
) -> None:
    solved = coordinate(network.corridors[0], plans)
    measured = evaluate_wave(network.corridors[0], solved.plans)

    assert measured.periods[0].runs.sum_ms >= solved.periods[0].runs.sum_ms


def test_coordination_keeps_cycles_and_greens(network: Network, plans: PlanSet) -> None:
    after = coordinate(network.corridors[0], plans).plans

    assert [p.cycle_ds for p in after.plans] == [p.cycle_ds for p in plans.plans]
    assert [p.greens for p in after.plans] == [p.greens for p in plans.plans]


def test_a_second_signal_that_is_later_by_the_drive_serves_outbound(
    network: Network, plans: PlanSet
) -> None:
    corridor = network.corridors[0]
    drives_s = [s.length_m / (0.76 * s.speed_limit_mps) for s in corridor.outbound]
    at_s = {c: round(sum(drives_s[:k])) for k, c in enumerate(corridor.controllers)}
    bands = []
    for sign in (10, -10):
        moved = plans.mapped(
            lambda plan, sign=sign: plan.at_offset(sign * at_s.get(plan.controller, 0))  # type: ignore[misc]
        )
        (wave,) = evaluate_wave(corridor, moved, street=Street(network=network)).periods
        bands.append((wave.runs.outbound_ms, wave.runs.inbound_ms))

    (out, _), (_, back) = bands
    assert out == pytest.approx(wave.runs.min_green_out_ms, abs=3000)
    assert back == pytest.approx(wave.runs.min_green_in_ms, abs=3000)
    assert bands[0][1] < bands[0][0] / 2
    assert bands[1][0] < bands[1][1] / 2


def test_locked_signals_keep_their_offsets(network: Network, plans: PlanSet) -> None:
    corridor = network.corridors[0]
    first = corridor.controllers[0]
    moved = plans.mapped(lambda p: p.later(7) if p.controller == first else p)

    street = Street(network=network, locked=frozenset({first}))
    after = coordinate(corridor, moved, street=street).plans

    assert running(after)[first].offset_ds == 70


def test_a_corridor_of_one_signal_is_refused(network: Network, plans: PlanSet) -> None:
    corridor = network.corridors[0].between(0, 0)

    with pytest.raises(InputError) as refused:
        coordinate(corridor, plans)

    assert refused.value.code == "LV450"


def test_bands_keep_the_ratio_that_is_asked(network: Network, plans: PlanSet) -> None:
    street = Street(network=network)
    asked = WaveSettings(ratio_range=(0.8, 1.25), may_reorder=False)
    even = coordinate(network.corridors[0], plans, street=street, settings=asked)
    band = even.periods[0].band

    assert band is not None
    if band.two_way is None:
        assert "LV409" in {f.code for f in even.findings}
    else:
        assert 0.8 <= band.two_way.inbound_ms / band.two_way.outbound_ms <= 1.25


def with_clock(network: Network, controller: str, clock: Clock) -> Network:
    own = tuple(replace(c, clock=clock) if c.id == controller else c for c in network.controllers)
    return replace(network, controllers=own)


@pytest.mark.parametrize(
    ("clock", "code"), [(Clock(linked=False), "LV448"), (Clock(drift_s_pd=6), "LV449")]
)
def test_a_wave_does_not_count_on_a_clock_that_nobody_keeps(
    network: Network, plans: PlanSet, clock: Clock, code: str
) -> None:
    alone = with_clock(network, "B0", clock)
    odd = plans.with_plans(p.later(17) for p in plans.plans if p.controller == "B0")
    linked = coordinate(network.corridors[0], odd, street=Street(network=network))
    made = coordinate(alone.corridors[0], odd, street=Street(network=alone))
    own = ControllerId("B0")

    assert running(made.plans)[own] == running(odd)[own]
    assert made.periods[0].runs.sum_ms >= linked.periods[0].runs.sum_ms
    assert [f.code for f in made.findings] == [code]


def test_a_clock_that_drifts_takes_its_worst_from_the_band(
    network: Network, plans: PlanSet
) -> None:
    """Off by 2 s either way at every signal: 4 s less green, and so 4 s less of each band."""
    loose = replace(
        network,
        controllers=tuple(replace(c, clock=Clock(drift_s_pd=2)) for c in network.controllers),
    )
    sure, less = (
        coordinate(n.corridors[0], plans, street=Street(network=n)).periods[0].runs
        for n in (network, loose)
    )
    directions = (less.outbound_ms > 0) + (less.inbound_ms > 0)

    assert sure.kind is less.kind
    assert sure.sum_ms - less.sum_ms == 4_000 * directions


def test_cycles_that_do_not_fit_are_refused(network: Network, demand: Demand) -> None:
    corridor = network.corridors[0]
    short = time_plans(network, demand, DAYS, limits=CycleLimits(least_s=60, most_s=60))
    longer = time_plans(network, demand, DAYS, limits=CycleLimits(least_s=70, most_s=70))
    own = corridor.controllers[0]
    mixed = short.with_plans(p for p in longer.plans if p.controller == own)

    with pytest.raises(InputError) as refused:
        coordinate(corridor, mixed)

    assert refused.value.code == "LV452"


def test_windows_of_several_phases_join_over_the_end_of_the_cycle() -> None:
    windows = [Window(start_ds=900, length_ds=150), Window(start_ds=20, length_ds=100)]

    assert joined(windows, 1000) == [(900, 220)]


def test_platoons_that_meet_green_cost_less(network: Network, demand: Demand) -> None:
    volumes = mean_volumes(demand)
    models = {m.controller.id: m for m in controller_models(network, demand)}
    area = AreaModel(network, models, volumes)
    plans = running(time_plans(network, demand, DAYS, limits=LIMITS))

    polished = area.polish(plans)

    assert area.cost(polished).total < area.cost(plans).total


def test_platoons_come_after_the_mean_time_of_driving_and_spread_by_a_tenth() -> None:
    drive_s, pulse, arrive = 40.0, np.zeros(120), np.zeros(120)
    pulse[0] = 1.0

    disperse(pulse, 1.0, round(BETA * drive_s), 1 / (1 + ALPHA * BETA * drive_s), arrive)

    seconds = np.arange(120)
    mean = float(arrive @ seconds)
    spread = float(np.sqrt(arrive @ (seconds - mean) ** 2))
    assert arrive.sum() == pytest.approx(1.0)
    assert mean == pytest.approx(drive_s, abs=0.6)
    assert spread == pytest.approx(0.1 * drive_s, abs=0.6)


def test_who_starts_from_a_stand_takes_longer_than_the_speed_of_platoons(
    network: Network, demand: Demand
) -> None:
    models = {m.controller.id: m for m in controller_models(network, demand)}
    volumes = mean_volumes(demand)
    slow, fast = (
        AreaModel(network, models, volumes, {link.id: mps for link in network.links}).feeds
        for mps in (8.0, 16.0)
    )

    for one, other in zip(slow, fast, strict=True):
        assert one[3] - START_S == pytest.approx(2 * (other[3] - START_S))
        assert other[3] > START_S


def test_moving_all_offsets_together_changes_nothing(network: Network, demand: Demand) -> None:
    models = {m.controller.id: m for m in controller_models(network, demand)}
    area = AreaModel(network, models, mean_volumes(demand))
    plans = running(time_plans(network, demand, DAYS, limits=LIMITS))
    later = {c: plan.later(13) for c, plan in plans.items()}

    assert area.cost(later).total == pytest.approx(area.cost(plans).total, rel=1e-3)


def test_signals_alone_see_uniform_arrivals_and_the_model_agrees(
    network: Network, demand: Demand
) -> None:
    volumes = mean_volumes(demand)
    models = {m.controller.id: m for m in controller_models(network, demand)}
    alone = running(time_plans(network, demand, DAYS, groups=each_alone(network)))
    first = min(models)
    area = AreaModel(network, {first: models[first]}, volumes)

    cost = area.cost({first: alone[first]}).total
    timing = models[first].design(volumes)

    assert cost == pytest.approx(timing.delay_vehs_ph, rel=0.05)


def test_an_area_plan_keeps_the_bands_it_reports(network: Network, demand: Demand) -> None:
    order = AreaOrder(limits=LIMITS, cycles=2)
    area = plan_area(network, demand, DAYS, order)

    wave = area.waves[0].periods[0]
    walk = walk_plan(wave.problem, wave.runs)

    assert not walk.violations
    assert walk.outbound_ms >= wave.runs.outbound_ms
    assert {p.controller for p in area.plans.plans} == {c.id for c in network.controllers}


def test_a_stop_that_costs_more_never_makes_the_offsets_free(
    network: Network, demand: Demand
) -> None:
    volumes = mean_volumes(demand)
    models = {m.controller.id: m for m in controller_models(network, demand)}
    plans = running(time_plans(network, demand, DAYS, limits=LIMITS))

    free = AreaModel(network, models, volumes).cost(plans).total
    dear = AreaModel(network, models, volumes, stop_s=20.0).cost(plans).total

    assert dear > free


def test_streets_are_ranked_by_what_a_wave_would_save(
    network: Network, demand: Demand, plans: PlanSet
) -> None:
    ranked = rank_corridors(network, demand, DAYS, plans)
    (best,) = ranked

    assert best.corridor.controllers == ("A0", "B0", "C0", "D0")
    assert best.saving_vehh > 0
    assert best.in_force is not None
    assert "LV460" in [reason.code for reason in best.reasons]


def several_days(demand: Demand, factors: Sequence[float]) -> Demand:
    """Return the demand of one day as counted on several, each its own multiple."""

    def stacked(array: Array) -> Array:
        return np.concatenate([factor * array for factor in factors])

    return replace(
        demand,
        days=tuple(f"day-{k}" for k in range(len(factors))),
        day_types=demand.day_types * len(factors),
        volume_vph=stacked(demand.volume_vph),
        lower_vph=stacked(demand.lower_vph),
        upper_vph=stacked(demand.upper_vph),
        saturated=np.concatenate([demand.saturated] * len(factors)),
    )


def test_the_days_counted_bound_what_a_wave_would_save(
    network: Network, demand: Demand, plans: PlanSet
) -> None:
    factors = (0.6, 0.9, 1.0, 1.2)
    several = several_days(demand, factors)
    (one,) = rank_corridors(network, demand, DAYS, plans)
    (best,) = rank_corridors(network, several, DAYS, plans)
    (again,) = rank_corridors(network, several, DAYS, plans)
    (even,) = rank_corridors(network, several_days(demand, (1.0, 1.0)), DAYS, plans)

    assert one.range_vehh is None  # of one day nothing is known about another
    assert best.range_vehh is not None
    assert best.range_vehh == again.range_vehh
    low, high = best.range_vehh
    assert 0.5 * best.saving_vehh < low < best.saving_vehh < high < 1.5 * best.saving_vehh
    assert even.range_vehh == pytest.approx((one.saving_vehh, one.saving_vehh))


def test_a_wave_brings_platoons_on_green_and_offsets_against_it_are_named(
    network: Network, demand: Demand, plans: PlanSet
) -> None:
    wave = coordinate(network.corridors[0], plans, street=Street(network=network, demand=demand))
    late_s = {c: 40 * k for k, c in enumerate(wave.corridor.controllers)}
    against = plans.mapped(lambda plan: plan.at_offset(10 * late_s.get(plan.controller, 0)))
    (good,) = rank_corridors(network, demand, DAYS, wave.plans)
    (bad,) = rank_corridors(network, demand, DAYS, against)

    assert good.platoon_ratio is not None
    assert bad.platoon_ratio is not None
    assert good.platoon_ratio > 1
    assert bad.platoon_ratio < ON_RED
    assert "LV459" in [reason.code for reason in bad.reasons]
    assert "LV459" not in [reason.code for reason in good.reasons]


def test_cycles_that_have_no_common_one_have_no_platoon_ratio(
    network: Network, demand: Demand, plans: PlanSet
) -> None:
    other = time_plans(
        network, demand, DAYS, groups=each_alone(network), limits=CycleLimits(least_s=70, most_s=70)
    )
    mixed = plans.with_plans([running(other)[ControllerId("A0")]])

    (found,) = rank_corridors(network, demand, DAYS, mixed)

    assert found.platoon_ratio is None


def test_offsets_that_already_make_a_wave_are_named(network: Network, demand: Demand) -> None:
    area = plan_area(network, demand, DAYS, AreaOrder(limits=LIMITS))
    (best,) = rank_corridors(network, demand, DAYS, area.plans)

    assert best.in_force is not None
    assert best.in_force > CARRIED
    assert "LV465" in [reason.code for reason in best.reasons]
