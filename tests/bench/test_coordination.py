# SPDX-License-Identifier: Apache-2.0
"""The coordination bench: rows, keys, and demand that brings the street to the saturation asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lvbo.bench.coordination import WAYS, CoordinationBench, run_coordination
from lvbo.city.build import pilot_folder
from lvbo.errors import UsageError
from lvbo.signal.lamp import Countdown

KEYS = {
    "countdown",
    "scenario", "corridor", "controller", "x", "demand", "seed", "delay_s",
    "corridor_stops_per_km", "corridor_median_s", "windows", "windows_kept", "green_share",
    "unfinished", "lamp_violations", "locks", "locked_at", "rules_fired",
}  # fmt: skip


def test_a_bench_without_seeds_is_refused() -> None:
    with pytest.raises(UsageError, match="LV743"):
        run_coordination(bench=CoordinationBench(seeds=0))


@pytest.mark.slow
def test_every_way_has_a_row_and_keeping_the_wave_keeps_more_of_it_than_chance(
    tmp_path: Path,
) -> None:
    config = short(tmp_path, seconds=400)
    bench = CoordinationBench(
        saturations=(0.6,), seeds=1, first_seed=100, sensing="area", countdown=Countdown.NONE
    )
    result = run_coordination([config], bench=bench)
    rows = {str(row["controller"]): row for row in result.rows}

    assert tuple(rows) == WAYS
    assert all(set(row) == KEYS for row in rows.values())
    assert all(row["countdown"] == "none" for row in rows.values())
    assert all(row["lamp_violations"] == 0 for row in rows.values())
    assert float(str(rows["wave"]["windows_kept"])) >= 2 / 3  # it starts within the first of three
    kept, free = (float(str(rows[way]["windows_kept"])) for way in ("kept", "free"))
    assert kept >= free + 0.2
    assert set(result.summary) == {"short"}


def short(folder: Path, *, seconds: int) -> Path:
    """Return the pilot section in a few minutes."""
    for file in pilot_folder().iterdir():
        if file.name.startswith(("yuci.net", "yuci.add", "yuci.demo", "yuci.site")):
            shutil.copy(file, folder)
    config = folder / "yuci.demo.sumocfg"
    text = config.read_text(encoding="utf-8").replace('"35400"', f'"{33300 + seconds}"')
    (folder / "short.sumocfg").write_text(text, encoding="utf-8")
    config.unlink()
    return folder / "short.sumocfg"
