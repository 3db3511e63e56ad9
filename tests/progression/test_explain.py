# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.problems import plain, random_problem

from lvbo.progression.band import two_way_band, widest_two_way
from lvbo.progression.explain import explain_band, gains_of_green
from lvbo.progression.problem import BandProblem
from lvbo.text import Language, say


def told(problem: BandProblem) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for finding in explain_band(problem, two_way_band(problem)):
        found.setdefault(finding.code, []).append({**finding.fields, "place": finding.place})
    return found


def test_three_seconds_at_the_one_short_green_widen_both_bands_by_three() -> None:
    # half a cycle of driving: each band is the shortest green, 20 s at signal 1
    problem = plain((30, 20, 30), (30, 30))
    plan = widest_two_way(problem)
    assert plan is not None
    gains = gains_of_green(problem, plan)

    assert [g.gain_ms for g in gains] == [0, 6_000, 0]
    (said,) = told(problem)["LV475"]
    assert said == {"place": "signal 1", "extra_s": 3.0, "gain_s": 6.0}


def test_signals_that_hold_the_bands_together_are_told() -> None:
    # two equal greens: one alone cannot widen a band that the other holds
    assert told(plain((20, 20), (30,)))["LV476"] == [{"place": "corridor", "extra_s": 3.0}]
    assert {f["place"] for f in told(plain((20, 20), (30,)))["LV474"]} == {"signal 0", "signal 1"}


def test_a_cycle_is_compared_with_the_next_best() -> None:
    # 30 s of driving fit a cycle of 60 s; at 80 s they are 10 s short of half a cycle
    problem = replace(plain((20, 20), (30,)), cycles_ms=(60_000, 80_000))
    (said,) = told(problem)["LV472"]

    assert (said["cycle_s"], said["other_s"], said["count"]) == (60.0, 80.0, 2)
    # 20 s of 60 are a third each way; at 80 s greens are 26.7 s, of 53.3 s 20 are lost
    assert said["percent"] == pytest.approx(100 * (2 / 3 - (2 / 3 - 20 / 80)), abs=0.1)


def test_a_one_way_wave_is_justified_by_what_both_ways_would_be_worth() -> None:
    said = told(plain((20, 20), (15,)))

    assert "LV470" not in said
    assert said["LV471"][0]["percent"] == 33


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_more_green_never_narrows_the_bands(seed: int) -> None:
    problem = random_problem(seed, 4, cycles_s=(60,))
    plan = widest_two_way(problem)

    if plan is not None:
        there = replace(problem, cycles_ms=(plan.cycle_ms,))
        for gain in gains_of_green(problem, plan, 5_000):
            assert 0 <= gain.gain_ms <= 10_002
            patterns = tuple(
                tuple(
                    replace(
                        p,
                        outbound=tuple((s, g + 5_000) for s, g in p.outbound),
                        inbound=tuple((s, g + 5_000) for s, g in p.inbound),
                    )
                    for p in own
                )
                if i == gain.signal
                else own
                for i, own in enumerate(there.patterns)
            )
            again = widest_two_way(replace(there, patterns=patterns))
            assert again is not None
            assert again.sum_ms == plan.sum_ms + gain.gain_ms


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_a_sequence_taken_is_worth_what_is_said(seed: int) -> None:
    problem = random_problem(seed, 4, cycles_s=(60,))
    band = two_way_band(problem)

    for finding in explain_band(problem, band):
        if finding.code == "LV473" and band.two_way:
            signal = int(finding.place.split()[1])
            own = problem.patterns[signal]
            rest = tuple(p for k, p in enumerate(own) if k != band.two_way.patterns[signal])
            patterns = (*problem.patterns[:signal], rest, *problem.patterns[signal + 1 :])
            rival = widest_two_way(replace(problem, patterns=patterns))
            left = rival.sum_ms if rival else 0
            assert finding.fields["lost_s"] == round((band.two_way.sum_ms - left) / 1000, 1)


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_has_a_sentence(language: Language) -> None:
    problem = replace(random_problem(8, 5), cycles_ms=(60_000, 70_000, 80_000))

    for finding in explain_band(problem, two_way_band(problem)):
        sentence = say(finding.code, language, place=finding.place, **finding.fields)
        assert "{" not in sentence
