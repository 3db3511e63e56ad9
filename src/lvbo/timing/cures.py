# SPDX-License-Identifier: Apache-2.0
"""What would cure a controller whose demand is over its capacity: findings, never changes.

Lane use (an approach whose other movements have room), stage merge (two stages whose critical
demands fit in one would save an intergreen), gating (hold traffic back upstream), and storage.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lvbo.errors import Finding, Severity
from lvbo.timing.problem import FittedPlan, StageProblem
from lvbo.timing.queue import Lane, back_of_queue, storage_finding, vehicle_spacing_m

_ROOM = 0.7
_LIGHT = 0.12


def diagnose(problem: StageProblem, plan: FittedPlan) -> FittedPlan:
    """Return the plan with findings: queues without room, overloads, and what would help."""
    found = _storage(problem, plan)
    if plan.over_capacity:
        found += [*_overloads(problem, plan), *_lane_use(problem, plan)]
        found += _merges(problem) or _gating(problem, plan)
    return replace(plan, findings=(*plan.findings, *found))


def _storage(problem: StageProblem, plan: FittedPlan) -> list[Finding]:
    """Return movements whose 95th percentile back of queue is longer than its storage."""
    count = len(problem.movements)
    room = np.broadcast_to(np.asarray(problem.storage_m, float), (count,))
    lanes = np.broadcast_to(np.asarray(problem.lanes, float), (count,))
    found = []
    for m in np.flatnonzero(np.isfinite(room) & (np.asarray(problem.volume_vph) > 0)):
        queue = _queue_veh(problem, plan, int(m), float(lanes[m]))
        place = f"{problem.controller} {problem.movements[m]}".strip()
        finding = storage_finding(place, queue, float(room[m]), vehicle_spacing_m())
        found += [finding] if finding else []
    return found


def _queue_veh(problem: StageProblem, plan: FittedPlan, m: int, lanes: float) -> float:
    """Return the 95th percentile back of queue per lane of one movement, veh."""
    if plan.green_s[m] <= 0 or plan.capacity_vph[m] <= 0:
        return float(problem.volume_vph[m] * np.asarray(problem.conditions.period_h)) / lanes
    lane = Lane(
        volume_vph=float(problem.volume_vph[m]) / lanes,
        saturation_vph=float(plan.capacity_vph[m] / lanes * plan.cycle_s / plan.green_s[m]),
        green_s=float(plan.green_s[m]),
        cycle_s=plan.cycle_s,
    )
    return back_of_queue(lane, float(plan.incremental_s[m])).percentile_veh(lane)


def _overloads(problem: StageProblem, plan: FittedPlan) -> list[Finding]:
    """Return one finding per movement that wants more than it gets, the worst first."""
    worst_first = np.argsort(-plan.x, kind="stable")
    return [_overload(problem, plan, int(m)) for m in worst_first if plan.x[m] > 1]


def _overload(problem: StageProblem, plan: FittedPlan, m: int) -> Finding:
    movement, x = problem.movements[m], round(float(plan.x[m]), 2)
    hours = float(plan.hours_to_clear[m])
    if not np.isfinite(hours):
        return _finding("LV526", problem, movement=movement, x=x, cycle_s=plan.cycle_s)
    lasting = round(hours, 2)
    return _finding("LV520", problem, movement=movement, x=x, cycle_s=plan.cycle_s, hours=lasting)


def _lane_use(problem: StageProblem, plan: FittedPlan) -> list[Finding]:
    """Return overloaded movements beside which another movement of the approach has room."""
    found = []
    for m in np.flatnonzero(plan.x > 1):
        mates = [
            n
            for n in range(len(problem.approaches))
            if n != m and problem.approaches[n] == problem.approaches[m] and plan.x[n] < _ROOM
        ]
        if mates:
            spare = min(mates, key=lambda n: float(plan.x[n]))
            found.append(
                _finding(
                    "LV521",
                    problem,
                    movement=problem.movements[m],
                    other=problem.movements[spare],
                    x=round(float(plan.x[spare]), 2),
                )
            )
    return found


def _merges(problem: StageProblem) -> list[Finding]:
    """Return a lightly used stage whose own time would bring the rest below capacity."""
    own = np.asarray(problem.saturation_vph) > 0
    y = np.asarray(problem.volume_vph) / np.maximum(np.asarray(problem.saturation_vph), 1e-9)
    ratios = np.where(own & (own.sum(axis=0) == 1), y, 0.0).max(axis=1)
    if len(ratios) < 3 or ratios.sum() >= 1:  # noqa: PLR2004 - two stages cannot be merged
        return []
    light = int(np.argmin(ratios))
    if ratios[light] > _LIGHT:
        return []
    saved = float(np.asarray(problem.intergreen_s)[light])
    return [_finding("LV522", problem, stage=problem.stages[light], saved_s=round(saved, 1))]


def _gating(problem: StageProblem, plan: FittedPlan) -> list[Finding]:
    """Return how much less would have to arrive for the critical movement to clear."""
    worst = int(np.argmax(plan.x))
    excess = float(problem.volume_vph[worst] - 0.95 * plan.capacity_vph[worst])
    return [
        _finding(
            "LV523", problem, movement=problem.movements[worst], excess_vph=round(max(0.0, excess))
        )
    ]


def _finding(code: str, problem: StageProblem, **fields: object) -> Finding:
    return Finding(
        code=code,
        place=problem.controller,
        severity=Severity.WARNING,
        fields={"controller": problem.controller, **fields},
    )
