# SPDX-License-Identifier: Apache-2.0
"""The plan in force as a controller of the registry."""

from __future__ import annotations

from collections.abc import Mapping

from lvbo.control.fixed import PlanController
from lvbo.control.gate import make_gate
from lvbo.control.protocols import Order
from lvbo.control.registry import Maker, Situation
from lvbo.errors import UsageError
from lvbo.signal.schedule import one_period


def make(situation: Situation) -> PlanController:
    """Return what runs the plan of a site.

    Raises:
        UsageError: LV745 where the site has no plan.

    """
    if situation.plan is None:
        raise UsageError("LV745", place=situation.site.id)
    gate = make_gate(situation.site, None, Order.ANY)
    return PlanController(situation.site, gate, one_period((situation.plan,)))


MAKERS: Mapping[str, Maker] = {"fixed": make}
