# SPDX-License-Identifier: Apache-2.0
"""Plans by the time of day, or the one in force, as a controller of the registry."""

from __future__ import annotations

from collections.abc import Mapping

from lvbo.control.fixed import PlanController
from lvbo.control.gate import make_gate
from lvbo.control.protocols import Order
from lvbo.control.registry import Maker, Situation
from lvbo.errors import UsageError
from lvbo.signal.schedule import one_period


def make(situation: Situation, *, joins: bool = False) -> PlanController:
    """Return what runs the plans of a site; with `joins` it takes over from the lamps shown.

    Raises:
        UsageError: LV745 where the site has no plan.

    """
    site, plans = situation.site, situation.schedule
    if plans is None and situation.plan is not None:
        plans = one_period((situation.plan,))
    if plans is None or site.id not in plans.controllers:
        raise UsageError("LV745", place=site.id)
    gate = make_gate(site, None, Order.ANY)
    return PlanController(site, gate, plans, day_type=plans.day_plans[0].day_type, joins=joins)


MAKERS: Mapping[str, Maker] = {"fixed": make}
