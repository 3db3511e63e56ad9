# SPDX-License-Identifier: Apache-2.0
"""Greens by formula: triangles of uniform arrivals beside the profiles second by second."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.bench.lattice import Lattice, lattice_mesh
from lvbo.ids import ControllerId
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.search import AreaSearch
from lvbo.timing.model import ControllerModel


def both_ways(mesh: AreaMesh) -> list[tuple[float, float]]:
    """Return what each signal costs by formula and by profiles, timed alone at 80 s."""
    from lvbo.optimize._descent_kernels import ALONE, EVEN, as_set, look_at

    area = AreaSearch(mesh).start(80)
    assert area is not None
    found = []
    for s in range(len(mesh.controllers)):
        costs = []
        for counted in (EVEN, ALONE):
            as_set(area, s)
            look_at(area, s, counted)
            costs.append(float(area.trial.found[0, 0]))
        found.append((costs[0], costs[1]))
    return found


def test_where_nobody_yields_triangles_are_the_profiles() -> None:
    for formula, profiles in both_ways(lattice_mesh(Lattice(rows=3, columns=3))):
        assert formula == pytest.approx(profiles, rel=0.03)


def test_where_turns_share_lanes_and_yield_triangles_are_near_the_profiles(
    judge: AreaJudge, models: dict[ControllerId, ControllerModel]
) -> None:
    costs = np.array(both_ways(judge.mesh(tuple(models))))

    assert costs[:, 0] == pytest.approx(costs[:, 1], rel=0.35)
    assert costs[:, 0].sum() == pytest.approx(costs[:, 1].sum(), rel=0.15)
