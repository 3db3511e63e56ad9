# SPDX-License-Identifier: Apache-2.0
"""What joins two signals: delay saved by the best offset, or FHWA's coupling index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lvbo.bench.lattice import Lattice, lattice_mesh
from lvbo.optimize.coupling import delay_tables, savings
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.search import AreaSearch

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Area

CYCLE_S = 80


@pytest.fixture(scope="module")
def mesh() -> AreaMesh:
    return lattice_mesh(Lattice(rows=1, columns=3))


@pytest.fixture
def area(mesh: AreaMesh) -> Area:
    found = AreaSearch(mesh=mesh).start(CYCLE_S)
    assert found is not None
    return found


def test_a_table_says_what_the_search_pays_at_every_offset(mesh: AreaMesh, area: Area) -> None:
    """One signal later than the other is platoons that come earlier by as much."""
    from lvbo.optimize._alone_kernels import one_cost
    from lvbo.optimize._descent_kernels import settle

    table, even = delay_tables(area)
    pipe = next(p for p, way in enumerate(mesh.pipes) if way.source == 0)
    alone = one_cost(area, 1)
    settle(area, 0)
    for later in (0, 1, 17, 63):
        area.at.offset[1] = later
        paid = one_cost(area, 1) - alone

        assert table[pipe, -later % CYCLE_S] - even[pipe] == pytest.approx(paid, abs=0.05)
    assert np.ptp(table[pipe]) > 1


def test_what_is_saved_is_the_even_cost_less_that_of_the_best_common_offset(
    mesh: AreaMesh, area: Area
) -> None:
    table, even = delay_tables(area)
    there = next(p for p, w in enumerate(mesh.pipes) if (w.source, w.link // 4) == (0, 1))
    back = next(p for p, w in enumerate(mesh.pipes) if (w.source, w.link // 4) == (1, 0))
    both = [table[there, -r % CYCLE_S] + table[back, r] for r in range(CYCLE_S)]
    found = savings(mesh, area, step_s=1)

    assert [(c.first, c.second) for c in found] == [
        (mesh.controllers[0], mesh.controllers[1]),
        (mesh.controllers[1], mesh.controllers[2]),
    ]
    assert found[0].weight == pytest.approx(3600 * (even[there] + even[back] - min(both)), rel=1e-5)
    assert found[0].weight > 0
