# SPDX-License-Identifier: Apache-2.0
"""The demand of `yuci` by route and second of the day: the truth behind its traffic and counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvbo.city.calendar import morning_weight, share_at
from lvbo.city.routes import RouteFlows
from lvbo.city.streets import SCHOOLS, Turn

SCHOOL_TIMES_S = ((26_100, 28_200), (42_000, 43_800), (49_800, 51_600), (63_600, 65_700))
SCHOOL_VPH = 250
SURGE_S = (63_300, 64_800)
SURGE_SITE = "AN_HT"
SURGE_GAIN = 0.19


def flows_at(second: float, flows: RouteFlows, *, workday: bool = True) -> NDArray[np.float64]:
    """Return the flow of every route at a second of the day, veh/h, without school and surge."""
    weight = morning_weight(second, workday=workday)
    mixed = weight * flows.morning_vph + (1.0 - weight) * flows.evening_vph
    return np.asarray(share_at(second, workday=workday) * mixed, dtype=np.float64)


def surge_factor(second: float, flows: RouteFlows) -> NDArray[np.float64]:
    """Return the factor on every route in the 25 min when 安宁街×汇通路 is over capacity."""
    factor = np.ones(len(flows.routes))
    if SURGE_S[0] <= second < SURGE_S[1]:
        for row, route in enumerate(flows.routes):
            if any(code == SURGE_SITE and turn is not Turn.RIGHT for code, _, turn in route.moves):
                factor[row] += SURGE_GAIN
    return factor


def school_edges() -> tuple[str, ...]:
    """Return the edges that pass a school, one per direction and school."""
    return tuple(
        f"{a}.{b}" for west, east in SCHOOLS.values() for a, b in ((west, east), (east, west))
    )


def school_shares(edge: str, flows: RouteFlows) -> NDArray[np.float64]:
    """Return the share of every route in the parents' cars that pass an edge; sums to 1."""
    passes = np.array([edge in route.edges for route in flows.routes])
    weights = np.where(passes, flows.morning_vph, 0.0)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def demand_at(second: float, flows: RouteFlows, *, workday: bool = True) -> NDArray[np.float64]:
    """Return the whole flow of every route at a second of the day, schools and surge included."""
    found = flows_at(second, flows, workday=workday)
    if workday:
        found = found * surge_factor(second, flows)
        if any(begin <= second < end for begin, end in SCHOOL_TIMES_S):
            for edge in school_edges():
                found = found + SCHOOL_VPH / 2 * school_shares(edge, flows)
    return found
