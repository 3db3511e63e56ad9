# SPDX-License-Identifier: Apache-2.0
"""The rows of the bench of transitions: transitions and red waves under the same columns."""

from __future__ import annotations

from lvbo.bench.common import Row

TRANSITION, RED_WAVE = "transition", "red_wave"
COLUMNS = (
    "part",
    "scenario",
    "corridor",
    "way",
    "change_s",
    "seed",
    "in_step_s",
    "predicted_delay_vehh",
    "measured_delay_vehh",
    "predicted_vehh",
    "measured_vehh",
    "section",
    "room",
    "measured_inside",
    "predicted_inflow",
    "measured_inflow",
    "predicted_blocked",
    "measured_blocked",
    "gate_room",
    "predicted_held",
    "measured_held",
    "lamp_violations",
    "status",
)
"""Damage is `vehh`, delay beyond that of plans in step at once. Of a red wave: vehicles inside the
section and into it by cycle, those with green and no room, those at the fullest gate."""


def row(**known: object) -> Row:
    """Return a row with these values, and none in the other columns."""
    return {name: known.get(name) for name in COLUMNS} | known
