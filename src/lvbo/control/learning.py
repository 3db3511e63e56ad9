# SPDX-License-Identifier: Apache-2.0
"""What a site teaches its controller as it runs: turns, discharge, pace. Bounded, from priors."""

from __future__ import annotations

import numpy as np

from lvbo.control._count_kernels import LEAST_VPS, MOST_VPS, STEADY_VPS, count_discharge
from lvbo.control.protocols import Bools, Crossings, Floats, Ints
from lvbo.control.site import TURN_SHARE, Site

TURN_WEIGHT = 4.0
"""How many vehicles the prior of a lane's turns is worth."""
TURN_MEMORY = 120.0
"""Of so many vehicles the shares of a lane are made; older ones fade."""
STEADY_WEIGHT_S = 60.0
"""How many seconds of discharge the prior is worth."""
FIRST_VEHICLES = (
    0.0, 1.2, 1.6, 2.0, 2.4, 2.9, 3.4, 4.0, 4.6, 5.2, 5.8, 6.35, 6.9, 7.45, 8.0, 8.5,
)  # fmt: skip
"""Vehicles over the stop line after so many seconds of green, measured in simulation: the first
leaves at once, the second after 3.1 s, the third after 5.3 s, the fifth after 8.6 s."""
MOST_SHARE = 0.5
"""A green that serves less than this part of what the best one of a lane does is not its own."""
FLOWING_S = len(FIRST_VEHICLES) - 1
START_WEIGHT = 12.0
"""How many starts of a queue the prior of the first seconds is worth."""


def prior_counts(site: Site) -> Floats:
    """Return what each movement counts on each lane before any was seen, (lanes, movements)."""
    worth = np.array([TURN_SHARE[turn] for turn in site.turns])
    return np.asarray(np.where(site.uses, worth[None, :], 0.0))


def prior_shares(site: Site) -> Floats:
    """Return what part of each lane is taken to make each movement, (lanes, movements)."""
    counts = prior_counts(site)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9))


def mostly(serves: Bools, site: Site) -> Bools:
    """Return which lanes each of some phases or stages serves for the most part, (n, lanes).

    `serves` (n, movements) says which movements they serve. The most is measured by what the best
    of them does for the lane: a turn at red is little of a lane that also goes straight, and all
    of one that only turns.
    """
    share = serves.astype(float) @ prior_shares(site).T
    return np.asarray((share > 0) & (share >= MOST_SHARE * share.max(axis=0)))


class Learned:
    """Shares of turns by lane, saturation flow by lane, and the start of a queue, at one site.

    `shares` (lanes, movements), `flow_vps` (lanes,), `profile` (F + 1,): discharge of a queue in so
    many seconds of green, in seconds of steady flow.
    """

    def __init__(self, site: Site) -> None:
        prior = prior_counts(site)
        total = prior.sum(axis=1, keepdims=True)
        self._turns = TURN_WEIGHT * prior / np.where(total > 0, total, 1.0)
        lanes = len(site.lanes)
        self._left = np.full(lanes, STEADY_VPS * STEADY_WEIGHT_S)
        self._open_s = np.full(lanes, STEADY_WEIGHT_S)
        self._first = np.diff(np.array(FIRST_VEHICLES)) * START_WEIGHT
        self._starts = np.full(FLOWING_S, START_WEIGHT)
        self._queue = np.zeros(lanes)
        self._gone = np.zeros(lanes)

    @property
    def shares(self) -> Floats:
        """Return what part of each lane's traffic makes each movement, (lanes, movements)."""
        total = self._turns.sum(axis=1, keepdims=True)
        return np.asarray(self._turns / np.where(total > 0, total, 1.0))

    @property
    def flow_vps(self) -> Floats:
        """Return the saturation flow by lane."""
        return np.asarray(np.minimum(np.maximum(self._left / self._open_s, LEAST_VPS), MOST_VPS))

    @property
    def profile(self) -> Floats:
        """Return what a queue discharges in so many seconds of green, in seconds of steady flow."""
        steps = self._first / self._starts / STEADY_VPS
        return np.concatenate([[0.0], np.cumsum(steps)])

    def turned(self, crossed: Crossings) -> None:
        """Take in vehicles that were seen to turn."""
        np.add.at(self._turns, (crossed.lane, crossed.movement), 1.0)
        total = self._turns.sum(axis=1, keepdims=True)
        self._turns *= np.minimum(1.0, TURN_MEMORY / np.maximum(total, 1e-9))

    def discharged(self, left: Floats, queue: Floats, green_s: Ints, free: Bools) -> None:
        """Take in one second of every lane.

        `left` (lanes,) are the vehicles that left in it, `queue` those standing now, `green_s` for
        how long the lane has had green at its end (0 at red), `free` where nothing holds a queue
        back. Only the part of the queue that stood when green began teaches anything.
        """
        queues, starts = (self._queue, self._gone), (self._first, self._starts)
        count_discharge(left, queue, green_s, free, *queues, *starts, self._left, self._open_s)
