# SPDX-License-Identifier: Apache-2.0
"""Offsets by tables of delay: a sum of rows, kicks that keep count, signals that are bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lvbo.bench.lattice import Lattice, lattice_mesh
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.search import AreaSearch
from lvbo.optimize.tables import make_ties, preset_offsets

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Area

CYCLE_S = 80


@pytest.fixture(scope="module")
def search() -> AreaSearch:
    return AreaSearch(mesh=lattice_mesh(Lattice(rows=3, columns=3)))


@pytest.fixture
def area(search: AreaSearch) -> Area:
    found = search.start(CYCLE_S)
    assert found is not None
    return found


@pytest.fixture
def mesh(search: AreaSearch) -> AreaMesh:
    return search.mesh


def test_the_best_offset_of_a_signal_is_the_best_of_all_sums_of_rows(
    mesh: AreaMesh, area: Area
) -> None:
    from lvbo.optimize._table_kernels import best_offset, table_cost

    ties = make_ties(area)
    offset = np.random.default_rng(1).integers(0, CYCLE_S, len(mesh.controllers))
    for s in range(len(offset)):
        costs = []
        for tried in range(CYCLE_S):
            other = offset.copy()
            other[s] = tried
            costs.append(table_cost(ties, other))
        best = best_offset(ties, offset, s, np.zeros(CYCLE_S, np.float32))

        assert costs[best] == pytest.approx(min(costs), abs=1e-3)


def test_kicks_only_keep_what_costs_less(mesh: AreaMesh, area: Area) -> None:
    from lvbo.optimize._table_kernels import kick_tables, make_sheet, table_cost

    ties = make_ties(area)
    offset = np.random.default_rng(2).integers(0, CYCLE_S, len(mesh.controllers))
    sheet = make_sheet(len(offset), CYCLE_S)
    cost = table_cost(ties, offset)
    kept = 0
    for seed in range(60):
        better = kick_tables(ties, offset, 1, 4, seed, sheet)
        now = table_cost(ties, offset)

        assert (now < cost - 1e-5) == bool(better)
        assert better or now == pytest.approx(cost, abs=1e-9)
        kept, cost = kept + better, now
    assert 3 < kept < 60


def test_offsets_by_tables_save_delay_in_the_model(area: Area) -> None:
    from lvbo.optimize._descent_kernels import settle_all

    before = settle_all(area, 4)
    preset_offsets(area)
    after = settle_all(area, 4)

    assert after < 0.9 * before


def test_a_table_counts_from_the_offsets_as_they_are(mesh: AreaMesh, area: Area) -> None:
    """Moving all signals and asking again gives the same costs of the same offsets."""
    level = make_ties(area).table
    area.at.offset[:] = np.arange(len(mesh.controllers)) * 16 % CYCLE_S
    moved = make_ties(area).table

    assert np.abs(level - moved).max() < 0.1
    assert np.ptp(level, axis=1).min() > 0.5


def test_bound_signals_stay_and_the_same_seed_gives_the_same_offsets(area: Area) -> None:
    area.at.offset[4] = 33
    area.at.early[4] = area.at.late[4] = 0
    preset_offsets(area, seed=7)
    first = area.at.offset.copy()
    area.at.offset[:] = 0
    area.at.offset[4] = 33
    preset_offsets(area, seed=7)

    assert first[4] == 33
    assert (area.at.offset == first).all()
    assert len(set(first.tolist())) > 1
