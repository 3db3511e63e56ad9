# SPDX-License-Identifier: Apache-2.0
"""Who competes in the control bench, and the plans that plan-based rivals run."""

from __future__ import annotations

from lvbo.simulation.controlled import PLANNED
from lvbo.simulation.tools import in_force as street_plans

__all__ = ["ALWAYS", "JUDGED", "street_plans"]

JUDGED = "lvbo"
ALWAYS = PLANNED
"""Controllers that need plans under every protocol."""
