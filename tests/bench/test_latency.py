# SPDX-License-Identifier: Apache-2.0
"""The latency bench: its rows, its sites, what it refuses."""

from __future__ import annotations

import pytest

from lvbo.bench.latency import SEARCHED, LatencyBench, run_latency
from lvbo.errors import UsageError
from lvbo.text import Language, table

KEYS = [
    "controller",
    "sites",
    "seconds",
    "decide_ms_mean",
    "decide_ms_p50",
    "decide_ms_p99",
    "decide_ms_max",
    "gate_ms_mean",
    "all_s_mean",
    "all_s_p99",
    "all_cpu_s_p99",
    "cpu_s",
]


def test_rows_have_the_agreed_keys_and_agree_with_each_other() -> None:
    told: list[float] = []
    bench = LatencyBench(controllers=("fixed", "lvbo"), sites=3, seconds=5)
    result = run_latency(bench, progress=lambda _name, share: told.append(share))

    assert [list(row) for row in result.rows] == [KEYS, KEYS]
    assert [row["controller"] for row in result.rows] == ["fixed", "lvbo"]
    for row in result.rows:
        value = {key: float(str(row[key])) for key in KEYS[1:]}
        assert (value["sites"], value["seconds"]) == (3, 5)
        assert 0 < value["decide_ms_p50"] <= value["decide_ms_p99"] <= value["decide_ms_max"]
        assert value["all_s_mean"] == pytest.approx(3 * value["decide_ms_mean"] / 1000)
        assert value["all_s_p99"] >= value["all_s_mean"]
        assert value["cpu_s"] / 5 <= value["all_cpu_s_p99"] <= value["cpu_s"]
        assert value["gate_ms_mean"] > 0
    assert told == sorted(told)
    assert set(result.summary) == {"sites_per_core", "searched"}


def test_every_built_in_controller_is_timed_by_default() -> None:
    result = run_latency(LatencyBench(sites=1, seconds=1))

    assert {"fixed", "actuated", "coordinated", "max_pressure", "lvbo"} <= {
        str(row["controller"]) for row in result.rows
    }


def test_reasons_of_a_search_are_known_reasons() -> None:
    assert set(table(Language.EN)) >= SEARCHED


def test_an_unknown_controller_is_refused() -> None:
    with pytest.raises(UsageError, match="LV741"):
        run_latency(LatencyBench(controllers=("magic",)))
