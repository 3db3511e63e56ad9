# SPDX-License-Identifier: Apache-2.0
"""Which signals share a cycle: areas by what coordination saves, joined where one cycle pays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lvbo.network.corridor import Corridor
from lvbo.optimize.areas import AreaRules, Partition, find_areas, share_cycles
from lvbo.optimize.coupling import savings
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.search import AreaSearch, Objective
from lvbo.timing.plans import Group

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Area

STEP_S = 10
"""Areas are compared at cycles so far apart."""


def find_groups(
    judge: AreaJudge,
    cycles_s: Sequence[int],
    objective: Objective | None = None,
    corridors: Sequence[Corridor] = (),
) -> tuple[Group, ...]:
    """Return the signals that should share a cycle, corridors whole.

    Areas are cut where coordination saves least; two of them then run one cycle where what they
    save together is more than what a cycle that is not their own costs each.
    """
    controllers = tuple(sorted(judge.models))
    search = AreaSearch(judge.mesh(controllers), objective)
    areas = {c: area for c in _spread(cycles_s) if (area := search.start(c)) is not None}
    if not areas:
        return tuple(Group(controllers=(c,)) for c in controllers)
    rules = AreaRules(corridors=tuple(c.controllers for c in corridors))
    middle = sorted(areas)[len(areas) // 2]
    parts = find_areas(controllers, savings(search.mesh, areas[middle]), rules)
    costs = _costs(parts, {c: _alone(area) for c, area in areas.items()}, search)
    shared = share_cycles(costs, parts.borders)
    return tuple(
        Group(controllers=tuple(sorted(c for k in one.areas for c in parts.areas[k])))
        for one in shared
    )


def _spread(cycles_s: Sequence[int]) -> list[int]:
    """Return cycles at least so far apart, the first and the last among them."""
    kept: list[int] = []
    for cycle in sorted(cycles_s):
        if not kept or cycle - kept[-1] >= STEP_S:
            kept.append(cycle)
    return sorted({*kept, max(cycles_s)})


def _alone(area: Area) -> list[float]:
    """Return what each signal costs with uniform arrivals, veh-s per hour."""
    from lvbo.optimize._alone_kernels import one_cost

    return [3600 * one_cost(area, s) for s in range(len(area.at.offset))]


def _costs(
    parts: Partition, alone: dict[int, list[float]], search: AreaSearch
) -> list[dict[int, float]]:
    number = {c: s for s, c in enumerate(search.mesh.controllers)}
    return [
        {cycle: sum(own[number[c]] for c in area) for cycle, own in alone.items()}
        for area in parts.areas
    ]
