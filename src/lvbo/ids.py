# SPDX-License-Identifier: Apache-2.0
"""Stable string identifiers, one type per kind of thing, never list positions."""

from __future__ import annotations

from typing import NewType

IntersectionId = NewType("IntersectionId", str)
ControllerId = NewType("ControllerId", str)
LinkId = NewType("LinkId", str)
LaneId = NewType("LaneId", str)
MovementId = NewType("MovementId", str)
CrossingId = NewType("CrossingId", str)
CorridorId = NewType("CorridorId", str)
PhaseId = NewType("PhaseId", str)
StageId = NewType("StageId", str)
PlanId = NewType("PlanId", str)
DetectorId = NewType("DetectorId", str)
