# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from tests.progression.problems import plain, random_problem

from lvbo.progression.band import two_way_band, value_of
from lvbo.progression.slack import CorridorFlows, cut_delay_in_slack
from lvbo.progression.ties import TIE, least_delay_band
from lvbo.progression.walk import walk_plan


def flows(n: int, out: float, back: float) -> CorridorFlows:
    return CorridorFlows(
        volume_out_vph=(out,) * n,
        volume_in_vph=(back,) * n,
        saturation_out_vph=(1_700.0,) * n,
        saturation_in_vph=(1_700.0,) * n,
        turn_in_out=(0.1,) * n,
        turn_in_in=(0.1,) * n,
    )


def test_of_equal_sums_the_heavier_direction_gets_the_wider_band() -> None:
    # 25 s of driving leave 30 s for both bands; even, 20 + 10 and 10 + 20 are all worth the same
    problem = plain((20, 20), (25,))
    out = least_delay_band(problem, flows(2, 480, 60))
    back = least_delay_band(problem, flows(2, 60, 480))

    assert out.tied == back.tied == 3
    assert out.use.plan.outbound_ms > out.use.plan.inbound_ms
    assert back.use.plan.inbound_ms > back.use.plan.outbound_ms


def test_no_band_is_given_up_and_no_delay_added_by_breaking_ties() -> None:
    problem = replace(random_problem(4, 5), cycles_ms=(60_000, 66_000, 72_000))
    traffic = flows(5, 500, 300)
    plain_answer = two_way_band(problem)
    settled = least_delay_band(problem, traffic)
    alone = cut_delay_in_slack(problem, plain_answer.whole, traffic)

    assert value_of(problem, settled.use.plan) >= value_of(problem, plain_answer.whole) - TIE
    assert settled.use.after.index_s_per_h <= alone.after.index_s_per_h + 1e-6
    assert walk_plan(problem, settled.use.plan).violations == ()
