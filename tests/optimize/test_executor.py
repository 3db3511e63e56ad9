# SPDX-License-Identifier: Apache-2.0
"""Tasks run here, in processes, on a cluster: the same results; killed workers cost no result."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvbo.errors import InfeasibleError, ToolError
from lvbo.optimize.executor import TRIES, Cluster, Pool, Serial, TaskRunner, open_runner

NUMBERS = list(range(9))


def halved(number: int) -> tuple[int, float]:
    return number, number / 2


def pid(_task: int) -> int:
    return os.getpid()


def die_once(marker: Path) -> str:
    """Kill the worker the first time."""
    if not marker.exists():
        marker.write_text("was here")
        os._exit(3)
    return marker.name


def die_always(folder: Path) -> None:
    folder.joinpath(f"{len(list(folder.iterdir()))}").write_text("tried")
    os._exit(3)


def refuse(number: int) -> int:
    if number == 2:
        message = "two"
        raise ValueError(message)
    return number


def contradict(_task: int) -> None:
    raise InfeasibleError("LV510", conflict=("cycle", "walk"), controller="J1")


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as pool:
        yield pool


def test_processes_return_what_one_would_in_the_order_of_the_tasks(pool: Pool) -> None:
    told: list[float] = []

    assert pool.map(halved, NUMBERS, told.append) == Serial().map(halved, NUMBERS)
    assert told == [(k + 1) / len(NUMBERS) for k in range(len(NUMBERS))]


def test_one_runner_alone_tells_its_progress_too() -> None:
    told: list[float] = []
    Serial().map(halved, [1, 2], told.append)

    assert told == [0.5, 1.0]


def test_tasks_run_in_other_processes_that_stay(pool: Pool) -> None:
    first, second = set(pool.map(pid, NUMBERS)), set(pool.map(pid, NUMBERS))

    assert os.getpid() not in first
    assert len(first | second) <= 2


def test_an_error_of_ours_comes_back_as_it_was(pool: Pool) -> None:
    with pytest.raises(InfeasibleError) as caught:
        pool.map(contradict, [0])

    assert caught.value.code == "LV510"
    assert caught.value.conflict == ("cycle", "walk")
    assert caught.value.fields == {"conflict": "cycle, walk", "controller": "J1"}


def test_a_task_whose_worker_was_killed_is_done_again(pool: Pool, tmp_path: Path) -> None:
    markers = [tmp_path / name for name in ("a", "b", "c")]
    markers[0].write_text("no kill")
    markers[2].write_text("no kill")

    assert pool.map(die_once, markers) == ["a", "b", "c"]


def test_a_task_that_always_kills_its_worker_is_given_up(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="LV680"):
        pool.map(die_always, [tmp_path])

    assert len(list(tmp_path.iterdir())) == TRIES


def test_a_task_that_fails_says_so_and_is_not_done_again(pool: Pool) -> None:
    with pytest.raises(ValueError, match="two"):
        pool.map(refuse, NUMBERS)


def test_one_worker_needs_no_process() -> None:
    with open_runner(1) as alone, open_runner(2) as two:
        assert isinstance(alone, Serial)
        assert isinstance(two, Pool)
        assert two.workers == 2


def test_without_dask_a_cluster_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolError, match="LV681"):
        open_runner(cluster="tcp://127.0.0.1:1")


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_returns_what_one_process_would_also_after_a_worker_was_killed(
    tmp_path: Path,
) -> None:
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
        Cluster(local.scheduler_address) as cluster,
    ):
        runner: TaskRunner = cluster

        assert runner.workers == 2
        assert runner.map(halved, NUMBERS) == Serial().map(halved, NUMBERS)
        with pytest.raises(ValueError, match="two"):
            runner.map(refuse, NUMBERS)

        assert runner.map(die_once, [tmp_path / "a", tmp_path / "b"]) == ["a", "b"]


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_does_not_answer_is_named() -> None:
    with pytest.raises(ToolError, match="LV682"):
        Cluster("tcp://127.0.0.1:1", timeout_s=1)
