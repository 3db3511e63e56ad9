# SPDX-License-Identifier: Apache-2.0
"""From plans to the windows in which drivers may go, on the area clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId
from lvbo.optimize.mesh import AreaMesh
from lvbo.signal.plan import Plan
from lvbo.timing.model import STATUS, ControllerModel

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Lamps

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One window of one movement on the plan's own clock, in s; 1 permitted, 2 protected.

    Start-up loss and end gain are in it; `ends` says whether it ends in red.
    """

    move: int
    right: int
    begin_s: float
    length_s: float
    ends: bool


def rights(model: ControllerModel, plan: Plan, loss_s: float, gain_s: float) -> list[Right]:
    """Return when drivers of each movement may go in a plan, from its second 0."""
    found: list[Right] = []
    for m, status in enumerate(_status(model, plan)):
        found += runs_of(m, status, plan.cycle_ds, loss_s, gain_s)
    return found


def _status(model: ControllerModel, plan: Plan) -> Ints:
    """Return 0 red, 1 permitted, 2 protected, shape (movements, tenths of the cycle)."""
    rules = model.controller.rules
    row = {m: k for k, m in enumerate(model.movements)}
    out = np.zeros((len(model.movements), plan.cycle_ds), np.int64)
    for service in rules.services:
        if service.movement not in row:
            continue
        shown = STATUS.get(rules.phase_index[service.phase].shows, 1)
        line = out[row[service.movement]]
        for window in plan.windows_of(service.phase):
            last = min(window.end_ds, plan.cycle_ds)
            np.maximum(line[window.start_ds : last], shown, out=line[window.start_ds : last])
            over = window.end_ds - plan.cycle_ds
            if over > 0:
                np.maximum(line[:over], shown, out=line[:over])
    return out


def runs_of(m: int, status: Ints, cycle_ds: int, loss_s: float, gain_s: float) -> list[Right]:
    """Return the runs of equal right; loss where one follows red, gain where red follows."""
    cuts = np.flatnonzero(status != np.roll(status, 1))
    if len(cuts) == 0:
        now = int(status[0])
        whole = Right(move=m, right=now, begin_s=0.0, length_s=cycle_ds / 10, ends=False)
        return [whole] if now else []
    ends = np.append(cuts[1:], cuts[0] + cycle_ds)
    found = []
    for first, last in zip(cuts, ends, strict=True):
        now = int(status[first])
        if now == 0:
            continue
        loss = loss_s if status[first - 1] == 0 else 0.0
        gain = gain_s if status[last % cycle_ds] == 0 else 0.0
        length = max(0.0, (last - first) / 10 - loss + gain)
        begin = (first / 10 + loss) % (cycle_ds / 10)
        found.append(Right(move=m, right=now, begin_s=begin, length_s=length, ends=gain > 0))
    return found


def build_lamps(
    mesh: AreaMesh, plans: Sequence[Mapping[ControllerId, Plan]], cycle_s: int
) -> Lamps:
    """Return the windows of up to sixteen sets of plans, on a common cycle in s.

    A plan whose cycle is a whole part of the common one runs several times in it.

    Raises:
        ValueError: for more plans than fit, or a cycle that does not divide the common one.

    """
    from lvbo.optimize._profile_values import Lamps
    from lvbo.optimize._wide import WIDTH

    if not 0 < len(plans) <= WIDTH:
        message = f"{len(plans)} sets of plans, 1 to {WIDTH} fit"
        raise ValueError(message)
    full = [plans[min(b, len(plans) - 1)] for b in range(WIDTH)]
    known: dict[tuple[ControllerId, int], list[Right]] = {}
    first, rows = [0], []
    for s, controller in enumerate(mesh.controllers):
        per_plan = []
        for at in full:
            plan = at[controller]
            key = (controller, id(plan))
            if key not in known:
                known[key] = _repeated(mesh.models[s], plan, mesh.loss_gain_s[s], cycle_s)
            per_plan.append(known[key])
        rows += _aligned(per_plan)
        first.append(len(rows))
    return Lamps(
        first=np.array(first[:-1], np.int64),
        last=np.array(first[1:], np.int64),
        move=np.array([r[0] for r in rows], np.int64),
        right=np.array([r[1] for r in rows], np.int64),
        begin=np.array([r[2] for r in rows], np.float32).reshape(-1, WIDTH),
        length=np.array([r[3] for r in rows], np.float32).reshape(-1, WIDTH),
        sneak=np.array([r[4] for r in rows], np.float32).reshape(-1, WIDTH),
        gain=np.array([gain for _, gain in mesh.loss_gain_s], np.float32),
    )


def _repeated(
    model: ControllerModel, plan: Plan, loss_gain_s: tuple[int, int], cycle_s: int
) -> list[Right]:
    """Return the windows of a plan on the area clock, as often as its cycle fits."""
    own = plan.cycle_ds / 10
    times = round(cycle_s / own)
    if abs(times * own - cycle_s) > 0.5 * times:
        message = f"{plan.controller}: a cycle of {own} s does not divide {cycle_s} s"
        raise ValueError(message)
    return [
        Right(
            move=r.move,
            right=r.right,
            begin_s=(r.begin_s + plan.offset_ds / 10 + turn * own) % cycle_s,
            length_s=r.length_s,
            ends=r.ends,
        )
        for r in rights(model, plan, *loss_gain_s)
        for turn in range(times)
    ]


Row = tuple[int, int, list[float], list[float], list[float]]


def _aligned(per_plan: Sequence[Sequence[Right]]) -> list[Row]:
    """Return rows of windows of one movement and right, side by side; missing ones are empty."""
    slots: dict[tuple[int, int, int], list[Right | None]] = {}
    for b, found in enumerate(per_plan):
        seen: dict[tuple[int, int], int] = {}
        for right in found:
            nth = seen.get((right.move, right.right), 0)
            seen[right.move, right.right] = nth + 1
            key = (right.move, right.right, nth)
            slots.setdefault(key, [None] * len(per_plan))[b] = right
    return [
        (
            move,
            right,
            [r.begin_s if r else 0.0 for r in row],
            [r.length_s if r else 0.0 for r in row],
            [float(r.ends) if r else 0.0 for r in row],
        )
        for (move, right, _), row in sorted(slots.items(), key=lambda item: item[0])
    ]
