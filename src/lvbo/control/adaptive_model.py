# SPDX-License-Identifier: Apache-2.0
"""What the adaptive controller knows of its site: how each stage serves each lane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.control._plan_values import Street
from lvbo.control._queue_kernels import FREE, MIXED
from lvbo.control._queue_kernels import NONE as UNSERVED
from lvbo.control.site import NONE, PROTECTED, YIELDING, Site
from lvbo.control.stages import UNKNOWN_S, StageTable, change_times

Floats = NDArray[np.float64]

SEEN_SHARE = 0.02
"""Shares of a lane's traffic below this are taken as nothing."""
FOE_SHARE = 0.03


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """What follows from site and stages alone.

    `served` (stages, movements) is how a stage serves a movement; `change_s` (stages, stages,
    phases) are the changes of vehicles; `move_ready_s` (stages, stages, movements) when it goes
    after a change, -1 never; `recall` the stages with people on foot that are served in every
    round. A change begins when it is decided: greens run on for `hold_s` (stages,), as their end
    must be announced. `least_s` is when the end of each stage may be decided, its walks cleared.
    """

    site: Site
    table: StageTable
    served: NDArray[np.int8]
    change_s: NDArray[np.int64]
    move_ready_s: NDArray[np.int64]
    recall: NDArray[np.bool_]
    least_s: NDArray[np.int64]
    hold_s: NDArray[np.int64]

    @property
    def round_s(self) -> int:
        """Return how long a round of the site's order takes, each stage with its minimum."""
        turn = list(self.table.cycle)
        after = turn[1:] + turn[:1]
        return int(self.least_s[turn].sum() + self.change_s.max(axis=2)[turn, after].sum())


def make_frame(site: Site, table: StageTable, notice_s: NDArray[np.int64]) -> Frame:
    """Return the frame of a site whose greens need notice before they end, `notice_s` (phases,).

    People stop walking before their stage ends, so that only vehicles clear in a change; the
    minimum of a stage with a walk lasts until those on foot have cleared as well.
    """
    wheels = table.greens & ~site.walks
    change = change_times(site.rules, site.phases, wheels)
    hold = np.where(wheels & ~wheels.all(axis=0), notice_s, 0).max(axis=1, initial=0)
    change = np.where(change > 0, change + hold[:, None, None], change)
    recall = _recall(site, table)
    made = table.legal & ~(table.over.astype(bool) & recall).any(axis=2)
    least = np.maximum(
        _begun_least(site, table, made) - hold, _walk_least(site, table, made, change)
    )
    return Frame(
        site=site,
        table=table,
        served=_served(site, table),
        change_s=change,
        move_ready_s=_ready(site, change),
        recall=recall,
        least_s=np.maximum(least, 1),
        hold_s=hold,
    )


def _recall(site: Site, table: StageTable) -> NDArray[np.bool_]:
    """Return the fewest stages of the site's order in which everybody on foot has walked."""
    recall = np.zeros(table.count, dtype=bool)
    left = site.walks & table.greens.any(axis=0)
    while left.any():
        best = max(range(table.count), key=lambda s: (int((table.greens[s] & left).sum()), -s))
        recall[best] = True
        left &= ~table.greens[best]
    return recall


def _begun_least(site: Site, table: StageTable, made: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the longest minimum green of the phases that may begin with each stage.

    `made` (stages, stages) are the changes that are ever made. Who runs on from the stage before
    has had his minimum there, or never ends.
    """
    least = np.array([-(-site.rules.limit_index[p].min_green_ds // 10) for p in site.phases])
    begins = made[:, :, None] & ~table.greens[:, None, :] & table.greens[None]
    return np.asarray(np.where(begins.any(axis=0), least, 0).max(axis=1))


def _walk_least(
    site: Site, table: StageTable, made: NDArray[np.bool_], change: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how long each stage must last so that walks clear within it and the change after.

    Who could go before that change is over waits for them: the gate holds his green back.
    """
    least = np.zeros(table.count, dtype=np.int64)
    for walk in np.flatnonzero(site.walks):
        name = site.phases[walk]
        own = -(-site.rules.limit_index[name].min_green_ds // 10)
        for p in np.flatnonzero(table.greens[:, walk]):
            for q in np.flatnonzero(~table.greens[:, walk] & made[p]):
                for k in np.flatnonzero(table.greens[q] & ~site.walks):
                    clear = site.rules.intergreen_ds(name, site.phases[k]) or 0
                    rest = own - (-clear // 10) - int(change[p, q].max())
                    least[p] = max(least[p], rest)
    return least


def make_street(frame: Frame, share: Floats, profile: Floats) -> Street:
    """Return the arrays of the search at these shares of turns, (lanes, movements), and starts."""
    green, yields, held = (
        _small((frame.served == how).astype(float) @ share.T) for how in (PROTECTED, YIELDING, NONE)
    )
    foe, weight = _foes(frame, share)
    return Street(
        green=green.astype(np.float32),
        yields=yields.astype(np.float32),
        held=held.astype(np.float32),
        foe=foe,
        foe_share=weight.astype(np.float32),
        kind=_kinds(green, yields, held),
        legal=frame.table.legal,
        place=_places(frame.table),
        change_s=frame.change_s.max(axis=2),
        ready_s=_lane_ready(frame, share),
        way_s=_ways(frame),
        over=frame.table.over,
        recall=frame.recall,
        least_s=frame.least_s,
        hold_s=frame.hold_s,
        profile=profile.astype(np.float32),
    )


def weaker(frame: Frame) -> NDArray[np.bool_]:
    """Return by stage which stages serve no movement of a lane better, (stages, stages, lanes)."""
    how = frame.served
    no_better = how[None] <= how[:, None]
    return np.asarray((no_better[:, :, None] | ~frame.site.uses).all(axis=3))


def _kinds(green: Floats, yields: Floats, held: Floats) -> NDArray[np.int64]:
    """Return how each stage serves each lane, in the terms of the search."""
    mixed = (yields > 0) | (held > 0)
    return np.where(green + yields <= 0, UNSERVED, np.where(mixed, MIXED, FREE)).astype(np.int64)


def _small(share: Floats) -> Floats:
    return np.asarray(np.where(share < SEEN_SHARE, 0.0, share))


def _served(site: Site, table: StageTable) -> NDArray[np.int8]:
    """Return the best right by which each stage serves each movement.

    In a stage made for one approach those who have nobody to yield to go as if with priority.
    """
    found = []
    for stage, green in enumerate(table.greens):
        how = site.serves[green].max(axis=0, initial=NONE)
        if stage not in table.cycle:
            alone = ~(site.yields & (how == PROTECTED)).any(axis=1)
            how = np.where((how == YIELDING) & alone, PROTECTED, how)
        found.append(how)
    return np.array(found, dtype=np.int8)


def _ready(site: Site, times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return when each movement goes after a change: with the first of its phases, else -1."""
    serves = site.serves > NONE
    change = np.where(times < 0, UNKNOWN_S, times)
    first = np.where(serves[None, None], change[..., None], UNKNOWN_S).min(
        axis=2, initial=UNKNOWN_S
    )
    return np.where(first >= UNKNOWN_S, -1, first)


def _lane_ready(frame: Frame, share: Floats) -> NDArray[np.int64]:
    """Return when each lane goes after a change: with the last of its movements that may."""
    ready = frame.move_ready_s[:, :, None, :]
    counts = (share > SEEN_SHARE)[None, None]
    return np.asarray(np.where(counts, ready, -1).max(axis=3, initial=-1))


def _ways(frame: Frame) -> NDArray[np.int64]:
    """Return the shortest legal time from the end of a stage to the start of another, all pairs."""
    time = np.where(frame.table.legal, frame.change_s.max(axis=2), UNKNOWN_S)
    for k in range(frame.table.count):
        via = time[:, k, None] + frame.least_s[k] + time[None, k, :]
        time = np.minimum(time, via)
    np.fill_diagonal(time, 0)
    return np.asarray(time, dtype=np.int64)


def _foes(frame: Frame, share: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return by stage and lane whom a yielding lane gives way to, and how much of them matters."""
    site, stages = frame.site, frame.table.count
    found: dict[tuple[int, int], dict[int, float]] = {}
    for s in range(stages):
        goes = frame.served[s] == PROTECTED
        for m in np.flatnonzero(frame.served[s] == YIELDING):
            over = site.yields[m] & goes
            for k in np.flatnonzero(site.uses[:, m] & (share[:, m] > FOE_SHARE)).tolist():
                own = found.setdefault((s, k), {})
                for f in np.flatnonzero((site.uses & over).any(axis=1)).tolist():
                    if f != k:
                        own[f] = max(own.get(f, 0.0), float(share[f, over].sum()))
    widest = max((len(row) for row in found.values()), default=0) + 1
    foe = np.full((stages, len(site.lanes), widest), -1, dtype=np.int64)
    weight = np.zeros(foe.shape)
    for place, own in found.items():
        foe[*place, : len(own)] = list(own)
        weight[*place, : len(own)] = list(own.values())
    return foe, weight


def _places(table: StageTable) -> NDArray[np.int64]:
    place = np.full(table.count, -1, dtype=np.int64)
    place[list(table.cycle)] = np.arange(len(table.cycle))
    return place
