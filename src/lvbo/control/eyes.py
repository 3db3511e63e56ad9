# SPDX-License-Identifier: Apache-2.0
"""Lane states of areas and of vehicles that report; and the choice of the eye that fits."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from lvbo.control._sight_kernels import BRAKE, CAR_PERSONS, absent, gather
from lvbo.control.estimate import (
    NEAR_M,
    SPACE_M,
    Announced,
    BlindQueue,
    LaneEye,
    Rates,
    Served,
    complete,
    reach_m,
)
from lvbo.control.loop_eye import LoopEye
from lvbo.control.protocols import Bools, Floats, Ints, LaneState, Observation, Vehicles
from lvbo.control.site import Site
from lvbo.control.ways import Beyond, Ways

STILL_MPS, STILL_M, STILL_S = 1.0, 15.0, 4
"""Who stands near the line; a lane whose first one stands in green for so long does not flow."""
FREE_M = 40.0
PACE_STEP, PACE_QUANTILE = 0.05, 0.7
SLOWEST, FASTEST = 0.4, 1.15
"""Bounds of the pace learned, as shares of the limit."""
FREED_S = 3
"""So long in green without a queue, and reporters leave: nobody stands any more."""
HIDDEN_S, CROSSING_MPS = 5, 3.0
"""So long one is in mind who drives through a junction; as fast at least, if from a stand."""
FORESIGHT_PRIOR, FORESIGHT_MEMORY = 2.0, 60.0
"""How many vehicles the range is worth as a guess of where sight ends; of how many it is made."""
FIRST_SHARE, SHARE_WEIGHT = 0.2, 20.0


class Pace:
    """The speed at which free vehicles drive by lane, learned within bounds, m/s."""

    def __init__(self, site: Site) -> None:
        self._limit = site.speed_mps
        self.mps: Floats = site.speed_mps.copy()

    def take(self, lane: Ints, speed_mps: Floats) -> None:
        """Move towards the upper part of the speeds seen."""
        up = speed_mps > self.mps[lane]
        step = np.where(up, PACE_QUANTILE, PACE_QUANTILE - 1.0) * PACE_STEP
        np.add.at(self.mps, lane, step)
        least, most = SLOWEST * self._limit, FASTEST * self._limit
        self.mps = np.minimum(np.maximum(self.mps, least), most)


class Hidden:
    """Keep those in mind who drive through a junction without signals on their way to the line.

    Nobody looks at the middle of a junction: who vanishes at the end of a stretch before it comes
    to a stop line some seconds later, or went elsewhere.
    """

    def __init__(self, before: Bools) -> None:
        self._before = before
        self._last = nobody()
        self._age_s = np.zeros(0, dtype=np.int64)

    def with_hidden(self, vehicles: Vehicles) -> Vehicles:
        """Return all who are seen, and those who vanished from `before` (zones,) just now."""
        if not self._before.any():
            return vehicles
        kept = absent(self._last.key, vehicles.key) & (self._age_s < HIDDEN_S)
        hidden = _chosen(self._last, kept)
        pace = np.maximum(hidden.speed_mps, CROSSING_MPS)
        away = np.maximum(hidden.distance_m - pace, 0.0)
        hidden = replace(hidden, distance_m=away, speed_mps=pace)
        before = self._before[vehicles.zone]
        self._last = _joined(_chosen(vehicles, before), hidden)
        self._age_s = np.append(np.zeros(before.sum(), dtype=np.int64), self._age_s[kept] + 1)
        return _joined(vehicles, hidden)


class Foresight:
    """For how long ahead arrivals are seen by lane, from those who came into sight; s.

    Sight may end on short stretches before its range does, and not at one distance.
    """

    def __init__(self, first_s: Floats) -> None:
        self._sum = FORESIGHT_PRIOR * first_s
        self._weight = np.full(len(first_s), FORESIGHT_PRIOR)

    @property
    def seconds(self) -> Floats:
        """Return it, (lanes,)."""
        return np.asarray(self._sum / self._weight)

    def take(self, lane: Ints, share: Floats, ahead_s: Floats) -> None:
        """Take in that somebody came into sight, on the lanes he may come to."""
        self._sum[lane] += share * ahead_s
        self._weight[lane] += share
        fade = np.minimum(1.0, FORESIGHT_MEMORY / self._weight)
        self._sum *= fade
        self._weight *= fade


class AreaEye:
    """Lane states of area sensing: who is where within its range."""

    def __init__(self, site: Site, span_s: int, near_m: float = NEAR_M) -> None:
        self._site, self._span, self._near_m = site, span_s, near_m
        self._ways = Ways(site)
        self._lane_at = self._ways.lone
        self._hidden = Hidden(self._ways.lone[: len(site.zones)] < 0)
        self._beyond = Beyond(len(self._ways.lone))
        self._foresight = Foresight(reach_m(site) / site.speed_mps)
        self._pace, self._rates = Pace(site), Rates(site)
        self._blind, self._served = BlindQueue(len(site.lanes)), Served(site)
        self._gap_s = np.full(len(site.lanes), 1000.0)
        self._still_s = np.zeros(len(site.lanes), dtype=np.int64)
        self._keys = np.zeros(0, dtype=np.int64)
        self._lanes = np.zeros(0, dtype=np.int64)

    def look(self, seen: Observation, announced: Announced | None = None) -> LaneState:
        """Return the lanes now."""
        shown = seen.vehicles if seen.vehicles is not None else nobody()
        vehicles = self._hidden.with_hidden(shown)
        stretch = self._ways.stretch(vehicles.zone, vehicles.distance_m)
        self._ways.take(vehicles.key, stretch)
        green = self._served.green_s(seen)
        flows = (green > 0) & (self._still_s < STILL_S)
        queue, arrivals, head, wait, load, count, close = gather(
            stretch,
            vehicles.distance_m,
            vehicles.speed_mps,
            vehicles.wait_s,
            vehicles.persons,
            self._ways.first,
            self._ways.lane,
            self._ways.share,
            self._ways.lone,
            self._site.length_m,
            self._pace.mps,
            flows,
            self._span,
        )
        at = np.maximum(head, 0)
        some = head >= 0
        key, stands = np.full(len(head), -1, dtype=np.int64), np.zeros(len(head), dtype=bool)
        if some.any():
            key[some] = vehicles.key[at[some]]
            still = (vehicles.speed_mps < STILL_MPS) & (vehicles.distance_m < STILL_M)
            stands[some] = still[at[some]]
        self._still_s = np.where((green > 0) & stands, self._still_s + 1, 0)
        came, left = self._passages(vehicles, stretch)
        self._rates.take(came, seen.working)
        self._see_pace(vehicles, queue)
        beyond = self._ways.by_lane(self._beyond.queue)
        state = LaneState(
            queue=queue + beyond,
            arrivals=arrivals,
            present=count,
            near=close,
            wait_s=wait,
            left=left,
            rate_vps=self._rates.vps,
            gap_s=self._see_gaps(vehicles),
            head=key,
            stands=stands,
            load=load / CAR_PERSONS,
            endless=beyond > 0,
        )
        blind = self._blind.step(self._rates.vps, green)
        out_s = np.minimum(self._span, self._foresight.seconds).astype(np.int64)
        return complete(state, seen.working, blind, self._rates, out_s, announced)

    def lane_at(self, zone: Ints) -> Ints:
        """Return the stop-line lane that each of these zones alone leads to, or -1."""
        return np.asarray(self._lane_at[zone])

    def _passages(self, vehicles: Vehicles, stretch: Ints) -> tuple[Floats, Floats]:
        """Return by lane who came into sight and who left the stop line since the last second."""
        lanes = len(self._site.lanes)
        new = absent(vehicles.key, self._keys)
        self._beyond.step(stretch, vehicles.distance_m, vehicles.speed_mps, new)
        came = np.zeros(lanes)
        for v in np.flatnonzero(new).tolist():
            zone = int(stretch[v])
            own = slice(self._ways.first[zone], self._ways.first[zone + 1])
            lane, share, free = self._ways.lane[own], self._ways.share[own], self._pace.mps
            np.add.at(came, lane, share)
            slow = np.maximum(free[lane] - vehicles.speed_mps[v], 0.0)
            ahead_s = vehicles.distance_m[v] / free[lane] + slow**2 / (BRAKE * free[lane])
            self._foresight.take(lane, share, ahead_s)
        gone = absent(self._keys, vehicles.key) & (self._lanes >= 0)
        left = np.bincount(self._lanes[gone], minlength=lanes).astype(float)
        self._keys = vehicles.key
        self._lanes = self._lane_at[vehicles.zone]
        return came, left

    def _see_pace(self, vehicles: Vehicles, queue: Floats) -> None:
        lane = self._lane_at[vehicles.zone]
        free = (lane >= 0) & (vehicles.distance_m > FREE_M)
        free &= queue[np.maximum(lane, 0)] < 1.0
        if free.any():
            self._pace.take(lane[free], vehicles.speed_mps[free])

    def _see_gaps(self, vehicles: Vehicles) -> Floats:
        lane = self._lane_at[vehicles.zone]
        close = (lane >= 0) & (vehicles.distance_m <= self._near_m)
        self._gap_s = self._gap_s + 1.0
        self._gap_s[lane[close]] = 0.0
        return self._gap_s


class ReportEye:
    """Lane states of vehicles that report, a share of all that is estimated.

    A reporter that stands at a distance tells of a queue up to it; of those between, and of those
    who come, only the mean is known. The share is that of reporters among the places of the queue
    up to the last of them.
    """

    def __init__(self, site: Site, span_s: int, near_m: float = NEAR_M) -> None:
        self._area = AreaEye(site, span_s, near_m)
        self._served = Served(site)
        self._queue = BlindQueue(len(site.lanes))
        self._among, self._places = FIRST_SHARE * SHARE_WEIGHT, SHARE_WEIGHT
        self._site = site

    @property
    def share(self) -> float:
        """Return the share of vehicles that report."""
        return float(np.clip(self._among / self._places, 0.02, 1.0))

    def look(self, seen: Observation, announced: Announced | None = None) -> LaneState:
        """Return the lanes now."""
        state = self._area.look(seen, announced)
        vehicles = seen.vehicles if seen.vehicles is not None else nobody()
        green = self._served.green_s(seen)
        places, among = self._standing(vehicles)
        self._learn(places, among, green)
        all_vps = state.rate_vps / self.share
        queue = self._queue.step(all_vps, green, places)
        freed = (green > FREED_S) & (places <= 0) & (state.left > 0)
        self._queue.queue = np.where(freed, 0.0, queue)
        unseen = all_vps * (1.0 - self.share)
        arrivals = state.arrivals + unseen[:, None].astype(np.float32)
        queue = np.where(seen.working, self._queue.queue, state.queue)
        return replace(
            state,
            queue=queue,
            arrivals=arrivals,
            present=np.maximum(state.present, queue),
            near=np.maximum(state.near, queue),
            rate_vps=all_vps,
            stands=state.stands & (places > 0),
            endless=np.ones_like(state.endless),
        )

    def _standing(self, vehicles: Vehicles) -> tuple[Floats, Floats]:
        """Return by lane the place in the queue of the last reporter, and how many report."""
        lanes = len(self._site.lanes)
        lane = self._area.lane_at(vehicles.zone)
        still = (lane >= 0) & (vehicles.speed_mps < STILL_MPS)
        places, among = np.zeros(lanes), np.zeros(lanes)
        np.maximum.at(places, lane[still], vehicles.distance_m[still] / SPACE_M + 1.0)
        np.add.at(among, lane[still], 1.0)
        return places, among

    def _learn(self, places: Floats, among: Floats, green: Ints) -> None:
        """Compare reporters with places, once per queue: in the first second of its green."""
        now = (green == 1) & (places >= 3.0)  # noqa: PLR2004  a queue, not one vehicle
        self._among += float(among[now].sum())
        self._places += float(places[now].sum())
        if self._places > 40 * SHARE_WEIGHT:
            self._among, self._places = self._among / 2, self._places / 2


SPAN_S = 90
"""How far ahead arrivals are told."""


class Eyes:
    """Choose the eye by what an observation brings; a site may change its detectors."""

    def __init__(self, site: Site, span_s: int = SPAN_S, *, near_m: float = NEAR_M) -> None:
        self._site, self._span, self._near_m = site, span_s, near_m
        self._made: dict[type[LaneEye], LaneEye] = {}

    def look(self, seen: Observation, announced: Announced | None = None) -> LaneState:
        """Return the lanes now: as they were made for all, or made here."""
        if seen.lanes is not None and self._near_m == NEAR_M:
            return seen.lanes
        kind: type[LaneEye] = AreaEye
        if seen.loops is not None:
            kind = LoopEye
        elif seen.sampled:
            kind = ReportEye
        if kind not in self._made:
            self._made[kind] = kind(self._site, self._span, self._near_m)  # type: ignore[call-arg]
        return self._made[kind].look(seen, announced)


def _chosen(vehicles: Vehicles, which: Bools) -> Vehicles:
    """Return some of the vehicles."""
    return Vehicles(**{f.name: getattr(vehicles, f.name)[which] for f in fields(Vehicles)})


def _joined(first: Vehicles, second: Vehicles) -> Vehicles:
    """Return the vehicles of both."""
    if not len(second.key):
        return first
    both = {f.name: (getattr(first, f.name), getattr(second, f.name)) for f in fields(Vehicles)}
    return Vehicles(**{name: np.concatenate(parts) for name, parts in both.items()})


def nobody() -> Vehicles:
    """Return no vehicles."""
    none = np.zeros(0)
    number = none.astype(np.int64)
    return Vehicles(
        key=number, zone=number, distance_m=none, speed_mps=none, wait_s=none, persons=none
    )
