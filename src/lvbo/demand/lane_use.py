# SPDX-License-Identifier: Apache-2.0
"""How drivers share the lanes of a stop line, where each lane was counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from lvbo.demand.served import Slots
from lvbo.detection.detector import Detector, DetectorKind
from lvbo.detection.tables import Target
from lvbo.ids import DetectorId, LaneId


def lane_flows(slots: Slots, detectors: Mapping[DetectorId, Detector]) -> dict[LaneId, float]:
    """Return the mean flow of each stop-line lane that was counted by itself, veh/h.

    One detector for all of a lane is believed before several for its turns.
    """
    whole: dict[LaneId, float] = {}
    turns: dict[LaneId, float] = defaultdict(float)
    for (kind, name), rates in zip(slots.targets, slots.rate_vph, strict=True):
        if np.isnan(rates).all():
            continue
        flow = float(np.nanmean(rates))
        if kind == Target.LANE:
            whole[LaneId(name)] = flow
            continue
        one = detectors.get(DetectorId(name)) if kind == Target.DETECTOR else None
        if one is None or one.kind is not DetectorKind.STOP_LINE or len(one.lanes) != 1:
            continue
        if one.movements:
            turns[one.lanes[0]] += flow
        else:
            whole[one.lanes[0]] = flow
    return {**turns, **whole}
