# SPDX-License-Identifier: Apache-2.0
"""The officer before a controller passes what every controller must, with detectors in trouble."""

from __future__ import annotations

import pytest

from lvbo.control import actuated
from lvbo.control.officer import OfficerController
from lvbo.control.registry import Situation
from lvbo.control.routes import Desk, Route, RouteStop
from lvbo.control.stages import stage_table
from lvbo.testing import check_controller


def routes_of(situation: Situation, every_s: int) -> list[Route]:
    """Return a route by each phase of vehicles of a site in turn, none of which ever reports."""
    site = situation.site
    wheels = [p for p, afoot in zip(site.phases, site.walks, strict=True) if not afoot]
    return [
        Route(
            name=f"{k}",
            rank=1 + k % 2,
            start_s=every_s * k,
            pace_mps=10.0,
            links=(),
            stops=(RouteStop(controller=site.id, phases=(wheels[k % len(wheels)],), metres=400.0),),
        )
        for k in range(30)
    ]


@pytest.mark.parametrize("every_s", [45, 90])
def test_an_officer_with_many_routes_passes_as_a_controller(every_s: int) -> None:
    def make(situation: Situation) -> OfficerController:
        inner = actuated.MAKERS["actuated"](situation)
        table = stage_table(situation.site, situation.order)
        desk = Desk(routes_of(situation, every_s))
        return OfficerController(inner, situation.site, table, desk)

    passed = check_controller(make)

    assert passed.seconds > 0
