# SPDX-License-Identifier: Apache-2.0
"""For tests of whoever builds on Lvbo: tiny values, a replayed street, what a plug-in must pass.

The hypothesis strategies need `hypothesis`, which loads only when one of them is called.
"""

from __future__ import annotations

from lvbo.testing.plugin import Passed, check_controller
from lvbo.testing.replay import Condition, ReplayStreet
from lvbo.testing.sites import Shape, four_stages, named, shapes, stage_plan, two_stages
from lvbo.testing.tiny import (
    EW,
    EWL,
    INTERGREEN_DS,
    NS,
    NSL,
    TINY,
    WALK,
    YELLOW_DS,
    head_rules,
    lamp_rows,
    legal_plans,
    plan_of,
    tiny_controller,
    tiny_network,
    tiny_plan,
    tiny_plans,
    tiny_rules,
)

__all__ = [
    "EW",
    "EWL",
    "INTERGREEN_DS",
    "NS",
    "NSL",
    "TINY",
    "WALK",
    "YELLOW_DS",
    "Condition",
    "Passed",
    "ReplayStreet",
    "Shape",
    "check_controller",
    "four_stages",
    "head_rules",
    "lamp_rows",
    "legal_plans",
    "named",
    "plan_of",
    "shapes",
    "stage_plan",
    "tiny_controller",
    "tiny_network",
    "tiny_plan",
    "tiny_plans",
    "tiny_rules",
    "two_stages",
]
