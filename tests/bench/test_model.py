# SPDX-License-Identifier: Apache-2.0
"""The model bench: its rows, what it keeps, what it refuses; a model that is SUMO ranks as SUMO."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.bench.alone import alone

from lvbo.bench import model_ranks, model_speed
from lvbo.bench.ceilings import Ceilings
from lvbo.bench.kept import Kept
from lvbo.bench.model import CALIBRATION_SEED, ModelBench, run_model
from lvbo.bench.model_ranks import Ranked, RankTask, rank, ranking_rows
from lvbo.bench.model_rows import COLUMNS
from lvbo.errors import ToolError, UsageError
from lvbo.simulation import plain

CEILINGS = Ceilings(flops=1e11, near_bytes=1e11, far_bytes=1e10)


def number(value: object) -> float:
    return float(str(value))


@pytest.fixture
def without_uxsim(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (model_speed, model_ranks):
        monkeypatch.setattr(module, "has_uxsim", lambda: False)
    monkeypatch.setattr(model_speed, "measure_ceilings", lambda: CEILINGS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def kept(folder: Path) -> Kept:
    return Kept(folder)


def task(folder: Path, kept: Kept) -> RankTask:
    return RankTask(
        folder=folder,
        side=2,
        seed=1,
        saturation=0.4,
        plans=6,
        makers=(alone,),
        kept=kept,
        workers=2,
    )


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory, kept: Kept) -> Ranked:
    return rank(task(tmp_path_factory.mktemp("grid"), kept), lambda _what, _share: None)


@pytest.mark.slow
@pytest.mark.usefixtures("without_uxsim")
def test_rows_have_the_agreed_keys_and_say_what_is_not_installed(
    folder: Path,
) -> None:
    told: list[float] = []
    bench = ModelBench(
        signals=4, speed_signals=4, plans=6, levels=(0.4,), makers=(alone,), cache=folder
    )
    result = run_model(bench, progress=lambda _what, share: told.append(share))
    speed = [row for row in result.rows if row["part"] == "speed"]
    ranking = [row for row in result.rows if row["part"] == "ranking"]

    assert all(tuple(row) == COLUMNS for row in result.rows)
    assert [(row["engine"], row["plans"]) for row in speed] == [
        ("sumo-micro", 1),
        ("sumo-meso", 1),
        ("uxsim-5", 1),
        ("uxsim-1", 1),
        ("alone", 1),
        ("alone", 64),
    ]
    assert [row["engine"] for row in ranking] == ["sumo-meso", "uxsim-5", "uxsim-1", "alone"]
    for row in result.rows:
        missing = str(row["engine"]).startswith("uxsim")
        assert row["status"] == ("missing" if missing else "ok")
        assert (row["cpu_ms_per_plan"] is None) == (missing or row["part"] == "ranking")
    meso, one = speed[1], speed[4]
    ratio = number(meso["cpu_ms_per_plan"]) / number(one["cpu_ms_per_plan"])
    assert one["ratio_to_meso"] == pytest.approx(ratio)
    work = 30 * 48 / (number(one["cpu_ms_per_plan"]) / 1000)
    assert one["flop_share"] == pytest.approx(work / CEILINGS.flops)
    assert one["ratio_to_uxsim"] is None
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1
    assert result.summary["grids"] == {
        "judged_seed": 1,
        "calibration_seed": CALIBRATION_SEED,
        "held_out": True,
    }


@pytest.mark.slow
def test_runs_of_sumo_are_kept_and_not_made_again(
    tmp_path: Path, ranked: Ranked, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ToolError("LV600", tool="sumo")

    monkeypatch.setattr(plain, "run_plain", refuse)
    again = rank(task(tmp_path, kept), lambda _what, _share: None)

    assert again.delays == ranked.delays
    assert [s.plans for s in again.samples] == [s.plans for s in ranked.samples]
    with pytest.raises(ToolError, match="LV600"):
        rank(task(tmp_path, Kept(None)), lambda _what, _share: None)


@pytest.mark.slow
def test_an_engine_that_says_what_sumo_says_ranks_alike_and_its_opposite_the_other_way(
    ranked: Ranked,
) -> None:
    micro = ranked.delays["sumo-micro"]
    assert micro is not None
    delays: dict[str, Sequence[float] | None] = {
        "sumo-micro": micro,
        "twice": [2 * d for d in micro],
        "opposite": [-d for d in micro],
        "none": None,
    }
    twice, opposite, none = ranking_rows(
        Ranked(
            asked=0.4,
            grid=ranked.grid,
            samples=ranked.samples,
            delays=delays,
            noise=0.0,
            spread=0.0,
        )
    )

    assert twice["spearman"] == twice["kendall"] == twice["offsets_only_spearman"] == 1
    assert twice["delay_ratio"] == pytest.approx(2)
    assert opposite["spearman"] == opposite["offsets_only_spearman"] == pytest.approx(-1)
    assert none["status"] == "missing"
    assert ranked.spread == pytest.approx(np.std(micro, ddof=1) / np.mean(micro))
    assert 0 < ranked.noise < 0.2


@pytest.mark.parametrize(
    "wrong",
    [{"signals": 35}, {"speed_signals": 1}, {"plans": 2}, {"levels": ()}, {"levels": (0.6, 1.6)}],
)
def test_what_cannot_be_run_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="LV618"):
        run_model(ModelBench(**wrong))  # type: ignore[arg-type]
