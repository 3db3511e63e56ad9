# SPDX-License-Identifier: Apache-2.0
"""The city in the box: `yuci`, a schematic of Yuci's main streets with traffic and counts.

Street names are those of public texts; every figure is a plausible value, chosen, not measured.
"""

from __future__ import annotations

from lvbo.city.before import BeforePlan, Stage, before_plan, before_plans
from lvbo.city.build import (
    build_pilot,
    build_pilot_day,
    build_yuci,
    config_name,
    pilot_folder,
    yuci_folder,
)
from lvbo.city.calendar import DAY, PERIODS, PROOFS, SWITCHES, Period, Proof
from lvbo.city.streets import Site, sites

__all__ = [
    "DAY",
    "PERIODS",
    "PROOFS",
    "SWITCHES",
    "BeforePlan",
    "Period",
    "Proof",
    "Site",
    "Stage",
    "before_plan",
    "before_plans",
    "build_pilot",
    "build_pilot_day",
    "build_yuci",
    "config_name",
    "pilot_folder",
    "sites",
    "yuci_folder",
]
