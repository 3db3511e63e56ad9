# SPDX-License-Identifier: Apache-2.0
"""The queue model of the adaptive search once more, in plain Python, and every sequence tried.

For lanes that a stage serves freely or not at all, in steps of one second. It follows the words of
`Street`, `Now` and `Taste`, and shares no code with the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lvbo.control._plan_values import Now, Street, Taste
from lvbo.control._queue_kernels import FREE, NONE
from lvbo.control.windows import free

FULL_FLOW_S = 15
EMPTY, NOBODY, SOON_S, TRIED_S, FAR_S = 0.3, 0.05, 8, 4, 900


def street_of(serves: np.ndarray, *, change_s: int = 3, least_s: int = 5) -> Street:
    """Return a street on which any stage may follow any; `serves` (stages, lanes) are flags."""
    stages, lanes = serves.shape
    zero = np.zeros((stages, lanes), dtype=np.float32)
    away = ~np.eye(stages, dtype=bool)
    stays = serves[:, None, :] & serves[None, :, :]
    ready = np.where(serves[None, :, :], np.where(stays, 0, change_s), -1)
    return Street(
        green=serves.astype(np.float32),
        yields=zero,
        held=zero,
        kind=np.where(serves, FREE, NONE).astype(np.int64),
        foe=np.full((stages, lanes, 1), -1, dtype=np.int64),
        foe_share=np.zeros((stages, lanes, 1), dtype=np.float32),
        legal=np.ones((stages, stages), dtype=bool),
        place=np.arange(stages),
        change_s=away * change_s,
        ready_s=ready.astype(np.int64),
        way_s=away * change_s,
        over=np.zeros((stages,) * 3, dtype=np.int64),
        recall=np.zeros(stages, dtype=bool),
        least_s=np.full(stages, least_s),
        hold_s=np.zeros(stages, dtype=np.int64),
        profile=np.maximum(np.arange(FULL_FLOW_S + 1) - 1.5, 0.0).astype(np.float32),
    )


def now_of(street: Street, span: int, **seen: Any) -> Now:  # noqa: ANN401  any field of Now
    """Return a second at which stage 0 runs, 20 s old, on empty lanes, but for what is seen."""
    stages, lanes = street.kind.shape
    usual: dict[str, Any] = {
        "arrivals": np.zeros((lanes, span), dtype=np.float32),
        "queue": np.zeros(lanes, dtype=np.float32),
        "flowed": np.where(street.kind[0] != NONE, FULL_FLOW_S, 0),
        "flow": np.full(lanes, 0.5, dtype=np.float32),
        "weight": np.ones(lanes, dtype=np.float32),
        "blocked": np.zeros(lanes, dtype=np.float32),
        "full_s": np.full(lanes, 10),
        "kept": np.zeros(lanes, dtype=np.float32),
        "head": np.zeros(lanes, dtype=np.int64),
        "stuck": np.zeros((stages, lanes), dtype=bool),
        "due_s": np.full(stages, 10_000),
        "must": np.zeros(stages, dtype=np.float32),
        "had": np.zeros(lanes, dtype=bool),
        "barred": np.zeros(stages, dtype=bool),
        "passes": np.zeros(stages, dtype=bool),
        "riders": np.zeros(lanes, dtype=np.float32),
        "ahead": np.zeros(lanes, dtype=np.float32),
        "comes_s": np.zeros(lanes, dtype=np.int64),
        **free(stages, lanes, span)._asdict(),
        "stage": 0,
        "age_s": 20,
    }
    made = {
        name: value.astype(usual[name].dtype)
        if isinstance(value, np.ndarray) and isinstance(usual[name], np.ndarray)
        else value
        for name, value in seen.items()
    }
    return Now(**{**usual, **made})


def by_the_second(span: int) -> Taste:
    """Return the taste that looks at every second and drops no state."""
    return Taste(fine_s=span, beam=2000, alike=2000)


@dataclass(frozen=True, slots=True)
class Moment:
    """Where one sequence stands: queues, how long each lane has flowed, the stage, the change."""

    queue: tuple[float, ...]
    flowed: tuple[int, ...]
    stage: int
    aim: int
    spent: int
    age: int
    begun: frozenset[int]
    cost: float = 0.0


def begin(now: Now) -> Moment:
    """Return the moment of now."""
    return Moment(
        queue=tuple(map(float, now.queue)),
        flowed=tuple(map(int, now.flowed)),
        stage=now.stage,
        aim=now.stage,
        spent=0,
        age=now.age_s,
        begun=frozenset({now.stage}),
    )


def step(street: Street, now: Now, taste: Taste, t: int, at: Moment) -> Moment:
    """Let one second pass."""
    money = 0.0
    queues, flows = [], []
    for k, before in enumerate(at.queue):
        come, weight = float(now.arrivals[k, t]), float(now.weight[k])
        goes, flowed = _goes(street, at, k)
        if not goes:
            queues.append(before + come)
            flows.append(0)
            money += weight * (taste.stop_s * come + before + come / 2)
            continue
        flowed = FULL_FLOW_S if before < EMPTY else flowed
        after = min(flowed + 1, FULL_FLOW_S)
        pace = (
            1.0 if flowed == FULL_FLOW_S else float(street.profile[after] - street.profile[flowed])
        )
        most = pace * float(now.flow[k])
        if t < now.full_s[k]:
            most *= 1.0 - float(now.blocked[k])
        if before <= EMPTY:
            most = max(most, min(come, 1.0))
        out = min(before + come, most) * (1.0 - float(now.kept[k]))
        queues.append(before + come - out)
        flows.append(after)
        if before > 0.5:
            money += weight * taste.join * taste.stop_s * come
        elif most <= 0:
            money += weight * taste.stop_s * come
        money += weight * (before + queues[-1]) / 2
    moved = _onward(street, at)
    money += taste.late * sum(
        _is_late(street, now, t, moved, s) for s in range(len(street.least_s))
    )
    return replace(moved, queue=tuple(queues), flowed=tuple(flows), cost=at.cost + money)


def _goes(street: Street, at: Moment, k: int) -> tuple[bool, int]:
    """Say whether lane k discharges in this second, and for how long it has before."""
    if at.stage == at.aim:
        return bool(street.kind[at.stage, k] != NONE), at.flowed[k]
    ready = int(street.ready_s[at.stage, at.aim, k])
    if ready == 0:
        return True, at.flowed[k]
    if ready < 0 or at.spent < ready:  # its green ends: those at the line still pass in yellow
        return bool(at.spent == 0 and street.kind[at.stage, k] != NONE), at.flowed[k]
    return True, 0 if at.spent == ready else at.flowed[k]


def _onward(street: Street, at: Moment) -> Moment:
    if at.stage == at.aim:
        return replace(at, age=at.age + 1)
    if at.spent + 1 < street.change_s[at.stage, at.aim]:
        return replace(at, spent=at.spent + 1)
    return replace(at, stage=at.aim, spent=0, age=0)


def _is_late(street: Street, now: Now, t: int, at: Moment, s: int) -> bool:
    left = int(street.least_s[at.aim])
    if at.stage == at.aim:
        left = max(0, left - at.age)
    return s not in at.begun and t + left + int(street.way_s[at.aim, s]) > now.due_s[s]


def branches(street: Street, now: Now, t: int, at: Moment) -> Iterator[Moment]:
    """Yield what may be done in this second: go on, or begin a change to a stage that is of use."""
    yield at
    if at.stage != at.aim or at.age < street.least_s[at.stage]:
        return
    for s in range(len(street.least_s)):
        serves = street.kind[s] != NONE
        ahead = now.arrivals[:, t : t + SOON_S].sum(axis=1)
        some = float((np.array(at.queue) + ahead)[serves].sum()) >= NOBODY
        useful = some or street.recall[s] or now.due_s[s] <= FAR_S
        if s == at.stage or not useful or not street.legal[at.stage, s]:
            continue
        if t < TRIED_S and now.barred[s]:
            continue
        yield replace(at, aim=s, spent=0, begun=at.begun | {s})


def owed(street: Street, now: Now, taste: Taste, at: Moment) -> float:
    """Return what is still to be paid at the end: queues left, stages due that never began."""
    money = sum(float(now.must[s]) for s in range(len(now.must)) if s not in at.begun)
    abreast = max(1.0, float((street.kind != NONE).sum(axis=1).mean()))
    alone_s = [queue / float(flow) for queue, flow in zip(at.queue, now.flow, strict=True)]
    for k, queue in enumerate(at.queue):
        if queue <= 1e-3:
            continue
        wait = 0.0
        if street.kind[at.aim, k] == NONE:
            ways = street.legal[at.aim] & (np.arange(len(street.legal)) != at.aim)
            wait = taste.start_s + float(street.change_s[at.aim, ways].mean())
        elif at.stage != at.aim:
            wait = max(0, int(street.ready_s[at.stage, at.aim, k]) - at.spent) + 1.5
        clear_s = max(alone_s[k], sum(alone_s) / abreast)
        money += float(now.weight[k]) * queue * (wait + clear_s / 2)
    return money


def every_sequence(street: Street, now: Now, taste: Taste) -> dict[int, float]:
    """Return the least cost by what is done first, a stage or -1 for none, over all sequences."""
    span = now.arrivals.shape[1]
    best: dict[int, float] = {}

    def follow(t: int, at: Moment, first: int) -> None:
        if t == span:
            total = at.cost + owed(street, now, taste, at)
            best[first] = min(best.get(first, np.inf), total)
            return
        for made in branches(street, now, t, at):
            own = made.aim if t == 0 and made.aim != at.aim else first
            follow(t + 1, step(street, now, taste, t, made), own)

    follow(0, begin(now), -1)
    return best
