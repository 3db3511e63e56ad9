# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from lvbo.ids import ControllerId, PlanId
from lvbo.network.network import Network
from lvbo.optimize.mesh import build_mesh
from lvbo.optimize.plan_windows import windows_of_plans
from lvbo.optimize.shown import timing_of_lamps
from lvbo.optimize.transmission import Span, build_transmission
from lvbo.optimize.windows import build_windows
from lvbo.signal.plan import Plan
from lvbo.timing.model import ControllerModel, CycleLimits
from lvbo.timing.plans import Volumes

SECONDS = 720


def rows(model: ControllerModel, plan: Plan) -> np.ndarray:
    """Return what a plan shows second by second."""
    phases = model.controller.rules.phases
    return np.array(
        [[int(plan.lamp(p, plan.local_ds(10 * t))) for p in phases] for t in range(SECONDS)]
    )


def test_lamps_second_by_second_serve_as_the_plan_behind_them(
    network: Network, models: dict[ControllerId, ControllerModel], volumes: Volumes
) -> None:
    """Cycles of 60 s fit the recording of 720 s."""
    mesh = build_mesh(network, models, volumes)
    limits = CycleLimits(least_s=60, most_s=60)
    plans = {
        c: model.plan(model.design(volumes, limits), PlanId("P")).later(7 * k)
        for k, (c, model) in enumerate(sorted(models.items()))
    }
    transmission = build_transmission(mesh)
    shown = build_windows(
        [
            [timing_of_lamps(model, rows(model, plans[c]), mesh.loss_gain_s[s])]
            for s, (c, model) in enumerate(zip(mesh.controllers, mesh.models, strict=True))
        ]
    )
    span = Span(end_s=SECONDS, window_s=(240, SECONDS))
    by_lamps = transmission.run_windows(shown, span)
    by_plans = transmission.run_windows(windows_of_plans(mesh, [plans]), span)

    assert by_lamps.delay_vehs[0] == pytest.approx(by_plans.delay_vehs[0], rel=1e-4)
    assert by_lamps.left[0] == pytest.approx(by_plans.left[0], rel=1e-4)
