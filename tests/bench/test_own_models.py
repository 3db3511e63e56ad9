# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from lvbo.bench.fast import Plans
from lvbo.bench.grids import Grid, make_grid_at
from lvbo.bench.own_models import profile_model, transmission_model
from lvbo.bench.plan_samples import search_plans
from lvbo.ids import PlanId
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import controller_models

WINDOW_S = (600, 1800)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    return make_grid_at(tmp_path_factory.mktemp("grid"), side=2, saturation=0.6, seed=3)


@pytest.fixture(scope="module")
def plans(grid: Grid) -> list[Plans]:
    return search_plans(grid.network, grid.demand, 20, seed=2)


def test_both_models_say_about_the_same_below_saturation(grid: Grid, plans: list[Plans]) -> None:
    found = []
    for maker in (profile_model, transmission_model):
        model = maker(grid.network, grid.volumes_vph, WINDOW_S)
        found.append(model.delays_vehs(model.written(plans)))

    assert found[0] == pytest.approx(found[1], rel=0.1)
    assert np.corrcoef(found[0], found[1])[0, 1] > 0.95


def test_many_plans_are_valued_as_each_alone(grid: Grid, plans: list[Plans]) -> None:
    for maker in (profile_model, transmission_model):
        model = maker(grid.network, grid.volumes_vph, WINDOW_S)
        many = model.delays_vehs(model.written(plans))
        one = model.delays_vehs(model.written([plans[17]]))

        assert len(many) == len(plans)
        assert one[0] == pytest.approx(many[17], rel=1e-3)


def test_signals_with_cycles_of_their_own_are_valued_apart(grid: Grid, plans: list[Plans]) -> None:
    model = profile_model(grid.network, grid.volumes_vph, WINDOW_S)
    models = {m.controller.id: m for m in controller_models(grid.network, grid.demand)}
    first, *others = sorted(models)
    limits = CycleLimits(least_s=70, most_s=70)
    timing = models[first].design(grid.volumes_vph, limits)
    mixed = {**plans[0], first: models[first].plan(timing, PlanId("all"))}
    written = model.written([mixed])
    values = model.delays_vehs(written)

    assert sorted((b.cycle_s, len(b.profiles.mesh.controllers)) for b in written) == [
        (70, 1),
        (90, len(others)),
    ]
    assert np.isfinite(values).all()
    assert values[0] > 0
