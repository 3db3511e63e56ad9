# SPDX-License-Identifier: Apache-2.0
"""A simulation decides how much of a band stays, by a rule that one noisy run cannot turn."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.errors import UsageError
from lvbo.io.scenario import Scenario
from lvbo.network.corridor import Corridor
from lvbo.progression.choices import LEAST_DELAY, SOLVED, WaveChoice, WaveChoices, wave_choices
from lvbo.progression.coordinate import Street, Task, coordinate
from lvbo.progression.tradeoff import Plans
from lvbo.progression.wave import PeriodWave, WaveSettings
from lvbo.project.wave_rule import StreetRun, best_wave
from lvbo.project.wave_trial import SEEDS, TriedWave, Trying, try_wave, try_waves, write_trials
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.simulation.count import COUNTING_FROM, count_scenario
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import Group, time_plans

DAYS = (DayPlan(day_type="workday", periods=(Period(start_s=0, end_s=0, name="all"),)),)


# the rule ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def laid(tiny: Scenario) -> PeriodWave:
    corridor = next(c for c in tiny.network.corridors if len(c.stops) > 1)
    return coordinate(corridor, tiny.plans, street=Street(network=tiny.network)).periods[0]


def chosen(
    laid: PeriodWave, preferred: str, table: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """Return the best of waves whose delays and stops stand in a table, the widest first."""
    waves = tuple(WaveChoice(name=name, share=0.0, wave=laid) for name in table)
    choices = WaveChoices(preferred=preferred, solved=SOLVED, freest=LEAST_DELAY, waves=waves)
    found = {
        name: tuple(StreetRun(delay_s=d, stops_per_km=s) for d, s in runs)
        for name, runs in table.items()
    }
    return best_wave(choices, found)


def test_what_the_model_prefers_stays_where_nothing_is_clearly_better(laid: PeriodWave) -> None:
    """Half of the band saves 0.5 % more than a quarter: less than the margin of 1 %."""
    table = {
        SOLVED: [(60.0, 1.5)] * 4,
        "0.5": [(58.2, 1.5)] * 4,
        "0.25": [(58.5, 1.5)] * 4,
        LEAST_DELAY: [(58.0, 1.6)] * 4,
    }

    assert chosen(laid, "0.25", table) == "0.25"


def test_a_wave_that_is_clearly_better_replaces_it(laid: PeriodWave) -> None:
    """Without a band delay is 10 % above that of all of it; all of it also has the fewest stops."""
    table = {
        SOLVED: [(60.0, 1.4)] * 4,
        "0": [(66.0, 1.5)] * 4,
        LEAST_DELAY: [(65.0, 1.5)] * 4,
    }

    assert chosen(laid, "0", table) == SOLVED


def test_of_those_that_are_as_good_the_widest_replaces_it(laid: PeriodWave) -> None:
    table = {
        "1": [(57.3, 1.5)] * 4,
        SOLVED: [(60.0, 1.5)] * 4,
        "0.5": [(57.0, 1.5)] * 4,
        "0": [(66.0, 1.5)] * 4,
        LEAST_DELAY: [(58.0, 1.6)] * 4,
    }

    assert chosen(laid, "0", table) == "1"


def test_little_delay_does_not_pay_for_more_stops_than_offsets_of_least_delay(
    laid: PeriodWave,
) -> None:
    table = {
        SOLVED: [(60.0, 2.0)] * 4,
        "0.5": [(57.0, 1.6)] * 4,
        LEAST_DELAY: [(58.0, 1.5)] * 4,
    }

    assert chosen(laid, "0.5", table) == LEAST_DELAY


def test_one_run_alone_does_not_turn_the_choice(laid: PeriodWave) -> None:
    """Delay is 3 % above the best on average, all of it from one seed of four."""
    wild = [(60.0, 1.5)] * 3 + [(67.0, 1.5)]
    table = {
        SOLVED: [(60.0, 1.5)] * 4,
        "0.25": wild,
        LEAST_DELAY: [(60.0, 1.5)] * 4,
    }

    assert chosen(laid, "0.25", table) == "0.25"
    assert chosen(laid, "0.25", {**table, "0.25": [(62.0, 1.5)] * 4}) == SOLVED


def test_who_ran_fewer_seeds_is_not_chosen(laid: PeriodWave) -> None:
    table = {
        SOLVED: [(60.0, 1.5)] * 4,
        "0.5": [(40.0, 1.0)],
        LEAST_DELAY: [(60.0, 1.5)] * 4,
    }

    assert chosen(laid, SOLVED, table) == SOLVED


def test_a_street_that_nobody_drives_is_judged_by_delay(laid: PeriodWave) -> None:
    table = {
        SOLVED: [(60.0, 0.0)] * 4,
        "0": [(50.0, 0.0)] * 4,
        LEAST_DELAY: [(60.0, 0.0)] * 4,
    }

    assert chosen(laid, SOLVED, table) == "0"


# trials -----------------------------------------------------------------------------------------


class Case:
    """The tiny street with demand from counts, and greens of one cycle for it."""

    def __init__(self, tiny: Scenario) -> None:
        self.scenario, self.network = tiny, tiny.network
        self.corridor: Corridor = next(c for c in tiny.network.corridors if len(c.stops) > 1)
        counts = count_scenario(tiny, seeds=(COUNTING_FROM,), workers=1)
        self.demand: Demand = estimate_demand(tiny.network, counts, plans=tiny.plans)
        groups = (Group(controllers=self.corridor.controllers),)
        limits = CycleLimits(least_s=60, most_s=60)
        self.plans: PlanSet = time_plans(
            tiny.network, self.demand, DAYS, groups=groups, limits=limits
        )
        self.street = Street(network=tiny.network, demand=self.demand)
        self.trying = Trying(net_file=tiny.net_file, seeds=SEEDS[:2], longest_s=120)


@pytest.fixture(scope="module")
def case(tiny: Scenario) -> Case:
    return Case(tiny)


@pytest.fixture(scope="module")
def tried(case: Case) -> TriedWave:
    return try_wave(case.corridor, case.plans, case.street, case.trying)


def later(plans: Plans) -> Plans:
    """Return other offsets."""
    return {c: plan.later(7) for c, plan in plans.items()}


def task(case: Case, street: Street | None = None) -> Task:
    day = case.plans.day_plans[0]
    known = case.street if street is None else street
    return Task(case.corridor, case.plans, known, WaveSettings(), day, day.periods[0])


def test_choices_begin_with_the_widest_band_and_no_plans_come_twice(case: Case) -> None:
    choices = wave_choices(task(case), later)
    plans = [own.wave.plans for own in choices.waves]

    assert choices.waves[0].share == pytest.approx(1.0)
    assert len(plans) == len(set(plans))
    assert {choices.preferred, choices.solved, choices.freest} <= {w.name for w in choices.waves}
    assert coordinate(case.corridor, case.plans, street=case.street).periods[0].plans == (
        choices.of(choices.preferred).wave.plans
    )


def test_signals_that_may_not_move_are_not_offered_other_offsets(case: Case) -> None:
    held = replace(case.street, locked=frozenset(case.corridor.controllers))
    choices = wave_choices(task(case, held), later)

    assert LEAST_DELAY not in {own.name for own in choices.waves}
    for own in choices.waves:
        assert {p.offset_ds for p in own.wave.plans} <= {p.offset_ds for p in case.plans.plans}


def test_without_traffic_there_is_nothing_to_choose(case: Case) -> None:
    choices = wave_choices(task(case, Street(network=case.network)))

    assert [own.name for own in choices.waves] == [SOLVED]
    assert choices.preferred == choices.solved == choices.freest == SOLVED


@pytest.mark.slow
def test_a_trial_runs_all_choices_and_its_best_is_what_the_plans_run(tried: TriedWave) -> None:
    (trial,), (own,) = tried.trials, tried.wave.periods
    running = tried.wave.plans.running("workday", 0)

    assert trial.best in {share.name for share in trial.tried}
    assert {len(share.runs) for share in trial.tried} <= {1, 2}
    assert len(trial.of(trial.best).runs) == 2
    assert all(run.delay_s > 0 for share in trial.tried for run in share.runs)
    assert {plan.controller: plan for plan in own.plans}.items() <= running.items()
    assert sum(f.code in {"LV590", "LV591"} for f in own.findings) == 1
    assert not {f.code for f in own.findings} & {"LV495", "LV737"}


@pytest.mark.slow
def test_trials_repeat_themselves_and_say_how_far_they_are(case: Case, tried: TriedWave) -> None:
    said: list[float] = []
    again = try_waves([case.corridor], case.plans, case.street, case.trying, tell=said.append)

    assert [own.trials for own in again] == [tried.trials]
    assert said == sorted(said)
    assert said[-1] == pytest.approx(1.0)


@pytest.mark.slow
def test_all_runs_of_a_trial_are_written(tried: TriedWave, tmp_path: Path) -> None:
    write_trials(tmp_path / "trial.csv", [tried])
    with (tmp_path / "trial.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    (trial,) = tried.trials

    assert len(rows) == sum(len(own.runs) for own in trial.tried)
    assert {row["wave"] for row in rows if row["chosen"] == "True"} == {trial.best}
    assert {int(row["seed"]) for row in rows} == set(trial.seeds)


@pytest.mark.parametrize("missing", ["network", "demand"])
def test_a_trial_without_a_network_or_demand_is_refused(case: Case, missing: str) -> None:
    parts = {"network": case.network, "demand": case.demand, missing: None}
    street = Street(network=parts["network"], demand=parts["demand"])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="LV594"):
        try_wave(case.corridor, case.plans, street, case.trying)


def test_a_network_that_sumo_does_not_know_is_refused(case: Case) -> None:
    street = Street(network=replace(case.network, sumo=None), demand=case.demand)
    with pytest.raises(UsageError, match="LV594"):
        try_wave(case.corridor, case.plans, street, case.trying)


def test_a_period_without_traffic_is_not_tried(case: Case) -> None:
    empty = replace(case.demand, volume_vph=0.0 * case.demand.volume_vph)
    made = try_wave(case.corridor, case.plans, replace(case.street, demand=empty), case.trying)

    assert made.trials == ()
    assert "LV592" in {f.code for f in made.wave.findings}
