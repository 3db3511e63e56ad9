# SPDX-License-Identifier: Apache-2.0
"""A proof pairs runs by seed, and does not depend on when its runs began."""

from __future__ import annotations

import threading
import time

import pytest

from lvbo.errors import InputError
from lvbo.io.scenario import Scenario
from lvbo.project.proof import Proof, Rehearsal, prove
from lvbo.simulation.runs import Runs
from lvbo.simulation.tools import repaired

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def early(tiny: Scenario) -> Proof:
    """Return a proof whose first runs began before the new plans were there."""
    with Rehearsal(tiny, seeds=SEEDS, workers=2, spare=1) as rehearsal:
        return rehearsal.prove(repaired(tiny.plans, tiny))


def same(one: Runs, other: Runs) -> bool:
    """Say whether every vehicle of every run did the same."""
    pairs = zip(one.runs, other.runs, strict=True)
    return one.seeds == other.seeds and all(a.vehicles.equals(b.vehicles) for a, b in pairs)


def test_runs_that_began_early_are_those_of_the_plans_in_force(
    early: Proof, safe_runs: Runs
) -> None:
    assert early.before.seeds == early.after.seeds == SEEDS
    assert same(early.before, safe_runs)
    assert same(early.after, safe_runs)
    assert early.after.manifest["seeds"] == list(SEEDS)


def test_one_worker_proves_the_same_as_two(tiny: Scenario, early: Proof) -> None:
    alone = prove(tiny, repaired(tiny.plans, tiny), seeds=SEEDS, workers=1)

    assert same(alone.before, early.before)
    assert same(alone.after, early.after)


def test_only_the_first_seed_keeps_its_trajectories(early: Proof) -> None:
    assert early.tracked_before is not None
    assert early.tracked_before.seed == SEEDS[0]
    assert early.tracked_before.tracks is not None
    assert all(run.tracks is None for run in (*early.before.runs, *early.after.runs))


def test_unsafe_new_plans_stop_the_proof(tiny: Scenario) -> None:
    with pytest.raises(InputError) as refused:
        prove(tiny, tiny.plans, seeds=SEEDS)

    assert refused.value.code == "LV602"


def test_leaving_a_rehearsal_ends_its_runs(tiny: Scenario) -> None:
    began, threads = time.monotonic(), threading.active_count()
    with Rehearsal(tiny, seeds=range(50), workers=2, spare=1):
        time.sleep(0.3)

    assert threading.active_count() == threads
    assert time.monotonic() - began < 10
