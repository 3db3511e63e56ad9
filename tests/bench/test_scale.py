# SPDX-License-Identifier: Apache-2.0
"""The scale bench: its rows and ratios, the lattices it runs on."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.bench.common import BenchResult
from lvbo.bench.lattice import lattice_mesh, lattice_of
from lvbo.bench.scale import ScaleBench, _summary, run_scale

KEYS = [
    "task",
    "signals",
    "workers",
    "cpu_s",
    "wall_s",
    "peak_mib",
    "delay_before",
    "delay",
    "cost",
    "cycle_s",
    "areas",
]


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def result(told: list[str]) -> BenchResult:
    bench = ScaleBench(signals=(9,), workers=(1, 2), long_s=0, repeats=1)
    return run_scale(bench, progress=lambda what, _share: told.append(what))


def test_rows_have_the_agreed_keys_and_one_row_a_task_and_number_of_workers(
    result: BenchResult, told: list[str]
) -> None:
    assert [list(row) for row in result.rows] == [KEYS] * 7
    assert [(row["task"], row["workers"]) for row in result.rows] == [
        ("offsets", 1),
        ("cycles", 1),
        ("spin", 1),
        ("cycles", 2),
        ("spin", 2),
        ("areas", 1),
        ("areas", 2),
    ]
    assert len(told) == 2


def test_offsets_save_delay_and_two_workers_find_what_one_does(result: BenchResult) -> None:
    offsets, one, _, two, _, areas, both = result.rows

    assert float(str(offsets["delay"])) < float(str(offsets["delay_before"]))
    assert (one["cost"], one["delay"], one["cycle_s"]) == (
        two["cost"],
        two["delay"],
        two["cycle_s"],
    )
    assert (areas["cost"], areas["areas"]) == (both["cost"], both["areas"])


def test_the_summary_holds_exponent_speed_up_and_gaps() -> None:
    def row(task: str, signals: int, workers: int, s: float, cost: float) -> dict[str, object]:
        return {
            "task": task,
            "signals": signals,
            "workers": workers,
            "cpu_s": s,
            "wall_s": s,
            "cost": cost,
        }

    found = _summary(
        [
            row("offsets", 36, 1, 9.0, 1.0),
            row("offsets", 100, 1, 1.0, 102.0),
            row("offsets", 10_000, 1, 110.0, 1.0),
            row("offsets long", 100, 1, 60.0, 100.0),
            row("cycles", 100, 1, 9.0, 1.0),
            row("cycles", 100, 2, 5.0, 1.0),
            row("spin", 100, 1, 6.0, 0.0),
            row("spin", 100, 2, 3.0, 0.0),
            row("areas", 100, 1, 9.0, 103.02),
        ]
    )

    assert found["exponent"] == pytest.approx(np.log(110) / np.log(100))
    assert found["speed_up"] == {"cycles 100": pytest.approx(1.8), "spin 100": pytest.approx(2.0)}
    assert found["share_of_spin"] == {"cycles 100": pytest.approx(0.9)}
    assert found["gap_to_long"] == {"offsets 100": pytest.approx(0.02)}
    assert found["lost_by_areas"] == {"100": pytest.approx(0.01)}


def test_lattices_are_near_squares_whose_streets_differ() -> None:
    shapes = [(lattice_of(n).rows, lattice_of(n).columns) for n in (36, 100, 1000, 10_000)]
    lattice = lattice_of(36)
    vph = lattice.volumes_vph.sum(axis=3)

    assert shapes == [(6, 6), (10, 10), (25, 40), (100, 100)]
    assert vph[:, 0, :].mean() > 1.5 * vph[:, 1, :].mean()
    assert (lattice_of(36, 1).volumes_vph != lattice.volumes_vph).any()
    assert lattice.corridors[0] == (0, 1, 2, 3, 4, 5)
    assert lattice.corridors[2] == (0, 6, 12, 18, 24, 30)


def test_a_signal_of_a_lattice_is_what_its_volumes_say() -> None:
    """By hand: the north approach of the first signal, two lanes of through and right."""
    lattice = lattice_of(4)
    mesh = lattice_mesh(lattice)
    left, right, through = lattice.volumes_vph[0, 0, 1]
    queue, bay = mesh.queues[2], mesh.queues[3]

    assert mesh.links[1] == "0000.0000N"
    assert queue.total_vph == pytest.approx(right + through)
    assert queue.sat_vph == pytest.approx(1350 + 1650)
    assert bay.total_vph == pytest.approx(left)
    assert bay.sat_vph == pytest.approx(1550)
    assert bay.storage == pytest.approx(80 / 7.5)
