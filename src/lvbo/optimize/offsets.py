# SPDX-License-Identifier: Apache-2.0
"""Offsets alone: plans keep their cycles and greens, whoever made them, and move on the clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from lvbo.ids import ControllerId
from lvbo.optimize.evaluate import AreaJudge, Plans, cycle_classes
from lvbo.optimize.lamps import rights
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.search import AreaSearch, Effort, Objective
from lvbo.optimize.stagetable import NEVER, StageTable, empty_lamps
from lvbo.signal.plan import Plan

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Stages


def best_offsets(
    judge: AreaJudge, plans: Plans, objective: Objective | None = None, effort: Effort | None = None
) -> dict[ControllerId, Plan]:
    """Return the plans with the offsets that cost least; cycles and greens stay as they are.

    Signals whose cycles are equal or whole fractions of each other move together, whole seconds.
    """
    asked, out = effort or Effort(), dict(plans)
    for cycle_s, members in cycle_classes(plans, judge.models):
        if len(members) < 2:  # noqa: PLR2004  one alone has nobody to wait for
            continue
        mesh = judge.mesh(members)
        table = table_of_plans(mesh, plans, cycle_s)
        search = AreaSearch(mesh=mesh, objective=objective or Objective(), table=table)
        area = search.blank(cycle_s)
        for s, c in enumerate(mesh.controllers):
            area.at.offset[s] = plans[c].offset_ds // 10
            area.at.keep[s] = 1
        search.improve(area, greens=False)
        search.kick(area, asked)
        for s, c in enumerate(mesh.controllers):
            out[c] = plans[c].at_offset(10 * int(area.at.offset[s]))
    return out


def table_of_plans(mesh: AreaMesh, plans: Mapping[ControllerId, Plan], cycle_s: int) -> StageTable:
    """Return one row for each signal: the windows of its plan as they stand."""
    keys: list[list[tuple[int, int, int]]] = []
    rows: list[list[tuple[float, float, bool]]] = []
    for model, (loss, gain) in zip(mesh.models, mesh.loss_gain_s, strict=True):
        plan = plans[model.controller.id]
        found = rights(model, plan, loss, gain)
        own = plan.cycle_ds / 10
        turns = round(cycle_s / own)
        keys.append(
            [
                (r.move, r.right, k * turns + turn)
                for k, r in enumerate(found)
                for turn in range(turns)
            ]
        )
        rows.append(
            [(r.begin_s + turn * own, r.length_s, r.ends) for r in found for turn in range(turns)]
        )
    return StageTable(
        order=np.zeros(len(rows), np.int64),
        stages=_fixed_stages(rows),
        lamps=empty_lamps(keys, mesh),
    )


def _fixed_stages(rows: list[list[tuple[float, float, bool]]]) -> Stages:
    from lvbo.optimize._descent_kernels import FIXED
    from lvbo.optimize._profile_values import Stages

    count, widest = len(rows), max((len(row) for row in rows), default=1)
    opens = np.full((count, widest), NEVER, np.int64)
    closes = np.full((count, widest), FIXED, np.int64)
    late, past, red = (np.zeros((count, widest), np.float32) for _ in range(3))
    for r, row in enumerate(rows):
        for v, (begin_s, length_s, ends) in enumerate(row):
            opens[r, v], late[r, v], past[r, v], red[r, v] = 0, begin_s, length_s, float(ends)
    whole = np.zeros((count, 1), np.int64)
    return Stages(
        first=np.arange(count + 1),
        size=np.ones(count, np.int64),
        times=np.ones(count, np.int64),
        inter=whole,
        low=whole,
        high=whole,
        opens=opens,
        closes=closes,
        turn=np.zeros((count, widest), np.int64),
        late=late,
        past=past,
        red=red,
    )
