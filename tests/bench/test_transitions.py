# SPDX-License-Identifier: Apache-2.0
"""The bench of transitions: one way to count, rows and summaries, what is refused."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from lvbo.bench.arteries import Artery, make_artery
from lvbo.bench.red_waves import _blocked, plan_red_wave
from lvbo.bench.transition_rows import COLUMNS, RED_WAVE, TRANSITION, row
from lvbo.bench.transition_summary import summary
from lvbo.bench.transitions import (
    AFTER,
    BEFORE,
    METHODS,
    TransitionsBench,
    _case,
    _corridor,
    _street,
    _wave,
    _write_way,
    run_transitions,
)
from lvbo.errors import UsageError
from lvbo.signal.check import is_safe

SMALL = Artery(name="small", signals=3, saturation=0.6)


def way(name: str, moment: int, predicted: float, *measured: float) -> list[object]:
    return [
        row(
            part=TRANSITION,
            scenario="street",
            way=name,
            change_s=moment,
            seed=seed,
            predicted_vehh=predicted,
            measured_vehh=value,
            status="ok",
        )
        for seed, value in enumerate(measured)
    ]


def test_damage_is_compared_by_rank_and_size() -> None:
    rows = [
        *way("shortest", 700, 1.0, 0.5, 1.5),
        *way("add", 700, 3.0, 2.0, 3.0),
        *way("shortest", 729, 2.0, 1.0, 1.0),
        *way("add", 729, 1.0, 4.0, 4.0),
    ]
    found = summary(rows)  # type: ignore[arg-type]
    street = found["street"]

    assert isinstance(street, dict)
    assert found["all"] == pytest.approx(
        {
            "cells": 4,
            "rank": -1 / 18,
            "within_moments": 0.0,
            "bias_vehh": (0 + 0.5 + 1 - 3) / 4,
            "error_vehh": (0 + 0.5 + 1 + 3) / 4,
        }
    )
    assert street["add"]["predicted_vehh"] == 2.0
    assert street["add"]["measured_vehh"]["mean"] == 3.25
    assert street["add"]["beyond_shortest_vehh"]["mean"] == (1.5 + 1.5 + 3 + 3) / 4


def test_red_waves_are_compared_seed_by_seed() -> None:
    values = (
        ("as_is", 0, 100, 90),
        ("held", 0, 60, 50),
        ("as_is", 1, 100, 80),
        ("held", 1, 60, 60),
    )
    rows = [
        row(
            part=RED_WAVE,
            scenario="street",
            way=name,
            seed=seed,
            status="ok",
            **{f"predicted_{k}": predicted for k in ("inflow", "blocked", "held")},
            **{f"measured_{k}": measured for k in ("inflow", "blocked", "held")},
        )
        for name, seed, predicted, measured in values
    ]
    found = summary(rows)["street red_wave"]

    assert isinstance(found, dict)
    assert found["blocked"]["predicted"] == -40
    assert found["blocked"]["measured"]["mean"] == -30


def test_who_has_green_and_no_room_is_counted_once_in_each_green() -> None:
    """Four wait, 1 veh/s may go: in the first green two go and two are stuck, later none."""
    green = np.array([False, True, True, True, True, False, True, True, False])
    came = np.zeros(4)
    left = np.array([1.0, 2.0, 6.0, 7.0])

    assert _blocked(came, left, green, (0, 9), 1.0) == 2.0
    assert _blocked(came, np.array([1.0, 2.0, 3.0, 4.0]), green, (0, 9), 1.0) == 0.0


def test_a_bottleneck_is_lawful_and_narrower_and_the_red_wave_saves(tmp_path: Path) -> None:
    made = make_artery(tmp_path, SMALL, seed=7)
    corridor = _corridor(made)
    plans = _wave(made, corridor, BEFORE).running("workday", 0)
    wave = plan_red_wave(made, corridor, plans)
    last = corridor.controllers[-1]

    assert wave is not None
    assert wave.plans[last].cycle_ds == plans[last].cycle_ds
    assert wave.plans[last] != plans[last]
    assert is_safe(wave.plans[last], made.network.controller_index[last].rules)
    assert wave.hold.blocked <= wave.hold.blocked_before
    assert set(wave.held) == set(plans)


def test_what_is_predicted_knows_how_lanes_discharge(tmp_path: Path) -> None:
    """Drivers of generated streets leave shared lanes quicker than where nothing was measured."""
    bench = TransitionsBench(street_seed=7, workers=1)
    made = _street(tmp_path, SMALL, bench)
    usual = make_artery(tmp_path / "usual", SMALL, seed=7)
    observed = [s for s in made.demand.saturations if s.observed]

    assert usual.demand.saturations == ()
    assert len(observed) > 2
    assert made.volumes_vph.keys() == usual.volumes_vph.keys()
    assert all(1000 < s.flow_vph < 2200 for s in observed)


def test_a_case_has_every_way_and_a_prediction_for_each(tmp_path: Path) -> None:
    made = make_artery(tmp_path, SMALL, seed=7)
    case = _case(made, 700)

    assert tuple(case.ways) == METHODS
    assert set(case.predicted) == {*METHODS, "at_once"}
    assert all(damage.delay_vehh > 0 for damage in case.predicted.values())
    assert case.predicted["chosen"].cost_vehh <= case.predicted["shortest"].cost_vehh + 1e-9
    assert {p.cycle_s for p in case.plans.plans if p.id == BEFORE} == {100}
    assert {p.cycle_s for p in case.plans.plans if p.id == AFTER} == {80}


def test_all_ways_show_the_same_until_the_change(tmp_path: Path) -> None:
    case = _case(make_artery(tmp_path, SMALL, seed=7), 700)
    for name, plans in {**case.ways, "at_once": case.plans}.items():
        file = tmp_path / f"{name}.add.xml"
        _write_way(case, plans, file)
        for table in ET.parse(file).getroot().iter("WAUT"):
            times = [int(each.attrib["time"]) for each in table]

            assert table.attrib["startProg"] == f"lvbo-{BEFORE}"
            assert times[0] == 700
            assert len(times) == (1 if name == "at_once" else 2)


@pytest.mark.parametrize(
    "bench",
    [
        TransitionsBench(kinds=("nowhere",)),
        TransitionsBench(seeds=0),
        TransitionsBench(moments=0),
        TransitionsBench(workers=0),
    ],
)
def test_a_bench_that_cannot_be_is_refused(bench: TransitionsBench) -> None:
    with pytest.raises(UsageError, match="LV690"):
        run_transitions(bench=bench)


@pytest.mark.slow
def test_every_way_and_seed_has_a_row_and_progress_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvbo.bench.transitions.ARTERIES", {"small": SMALL})
    told: list[float] = []
    bench = TransitionsBench(moments=1, seeds=1)
    result = run_transitions(bench=bench, progress=lambda _what, share: told.append(share))
    red = [row for row in result.rows if row["part"] == RED_WAVE]

    assert all(tuple(row) == COLUMNS for row in result.rows)
    assert [row["way"] for row in result.rows] == [*METHODS, "as_is", "held"]
    assert all(row["lamp_violations"] == 0 for row in result.rows)
    assert [row["way"] for row in red] == ["as_is", "held"]
    assert told == sorted(told)
    assert told[0] == 0
    assert 0.5 <= told[-1] < 1
