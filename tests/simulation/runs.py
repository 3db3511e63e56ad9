# SPDX-License-Identifier: Apache-2.0
"""The tiny street and its runs as fixtures, made once per session; rooms take them by import."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.simulation.runs import Runs
from lvbo.simulation.simulate import Conduct, simulate
from lvbo.simulation.tools import repaired


@pytest.fixture(scope="session")
def tiny_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny(tiny_config: Path) -> Scenario:
    return read_scenario(tiny_config)


@pytest.fixture(scope="session")
def shipped_runs(tiny: Scenario) -> Runs:
    """Return two seeds of the programmes as netconvert made them, with trajectories."""
    return simulate(
        tiny, None, seeds=[0, 1], conduct=Conduct(name="shipped_raw", trajectories=True)
    )


@pytest.fixture(scope="session")
def safe_runs(tiny: Scenario) -> Runs:
    """Return the same two seeds of the same programmes with the clearance they lack."""
    return simulate(tiny, repaired(tiny.plans, tiny), seeds=[0, 1])
