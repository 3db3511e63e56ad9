# SPDX-License-Identifier: Apache-2.0
"""Lane states from loops: a count between two places, kept true by what the loops show."""

from __future__ import annotations

import numpy as np

from lvbo.control._sight_kernels import CAR_PERSONS
from lvbo.control.estimate import (
    MOST_QUEUE,
    NEAR_M,
    SPACE_M,
    Announced,
    BlindQueue,
    Rates,
    Served,
    complete,
)
from lvbo.control.protocols import Bools, Floats, Ints, LaneState, Loops, Observation, Vehicles
from lvbo.control.queue_end import COVERED, HIT, WAVE_MPS, QueueEnd
from lvbo.control.site import REACH_M, Site
from lvbo.control.weaving import Weaving

GAP_S, EMPTY_S = 2, 3
"""Nobody over the stop line for so long, in green and at red: the queue is gone, or never was."""
SEVERAL, SEVERAL_S = 1.5, 2
"""Where more are counted than this, it takes so much longer: who starts leaves gaps."""
SLACK_S = 3.0
"""So much longer than it takes in free traffic may a queue take to come to a green line."""
HALF = 0.5


class LoopEye:
    """Lane states of loops at the stop line and, where there are some, upstream of it.

    Who passes the advance loop reaches the line after the free drive, and leaves at the stop-line
    loop. Vehicles change lanes between, so the count is corrected: a stop line that stays free
    empties its lane, a covered one holds one vehicle at least, and what is taken from a lane or
    given to it comes from or goes to those beside it. A covered advance loop holds as many as stand
    up to it, and behind it those who come unseen, until a gap tells that the last one has passed.
    """

    def __init__(self, site: Site, span_s: int, near_m: float = NEAR_M) -> None:
        lanes = len(site.lanes)
        self._site, self._span, self._near_m = site, span_s, near_m
        self._rates, self._served = Rates(site), Served(site, most=True)
        self._blind, self._weaving = BlindQueue(lanes), Weaving(site)
        self._at_line = self._upstream = np.zeros(0, dtype=bool)
        self._has_far = np.zeros(lanes, dtype=bool)
        self._far_m, self._share = np.zeros(lanes), np.ones(lanes)
        self._eta_s = np.zeros(lanes, dtype=np.int64)
        self._coming = np.zeros((lanes, span_s))
        self._line = np.zeros(lanes)
        self._hidden = np.zeros(lanes)
        self._free_s = np.full(lanes, 1000.0)
        self._end = QueueEnd(lanes)
        self._gone: Floats = np.zeros((lanes, 1))
        self._is_new: Floats = np.zeros((lanes, 1))
        self._wait_s = np.zeros(lanes)
        self._number = np.zeros(lanes, dtype=np.int64)
        self._aboard = Aboard(site)
        self._beside = site.mates - np.eye(lanes)

    def look(self, seen: Observation, announced: Announced | None = None) -> LaneState:
        """Return the lanes now."""
        loops = seen.loops if seen.loops is not None else no_loops()
        if loops.lane.shape != self._at_line.shape:
            self._bind(loops)
        lanes = len(self._line)
        line = _Lane.of(loops, self._at_line, lanes)
        far = _Lane.of(loops, self._upstream, lanes)
        green = self._served.green_s(seen)
        self._weaving.take(far.passed, line.passed, self._has_far, seen.working)
        entered = self._weaving.shared(far.passed)
        self._rates.take(np.where(self._has_far, entered, line.passed), seen.working)
        self._arrive(entered)
        self._leave(line, green > GAP_S)
        self._hold(line)
        self._end.look(far.passed, far.occupied, self._far_m, green)
        self._bound(line, green)
        stands = (line.occupied >= COVERED) & (line.passed <= 0)
        here = stands | (self._line > HALF)
        self._wait_s = np.where(here & (line.passed <= 0), self._wait_s + 1.0, 0.0)
        self._number += line.passed > 0
        queue, coming = self._line + self._hidden, self._coming.sum(axis=1)
        state = LaneState(
            queue=queue,
            arrivals=self._coming.astype(np.float32),
            present=queue + coming,
            near=self._nearness(queue),
            wait_s=self._wait_s,
            left=line.passed,
            rate_vps=self._rates.vps,
            gap_s=np.where(self._close() > HALF, 0.0, self._free_s),
            head=np.where(here, self._number, -1),
            stands=stands,
            load=self._aboard.load(seen.vehicles, queue + coming),
            endless=np.ones(lanes, dtype=bool),
        )
        blind = self._blind.step(self._rates.vps, green)
        return complete(state, seen.working, blind, self._rates, self._eta_s + 1, announced)

    def _bind(self, loops: Loops) -> None:
        """Take note of where the loops lie: at the stop line, and the farthest ones upstream."""
        lanes = len(self._line)
        nearest, farthest = np.full(lanes, np.inf), np.full(lanes, -1.0)
        np.minimum.at(nearest, loops.lane, loops.distance_m)
        np.maximum.at(farthest, loops.lane, loops.distance_m)
        self._has_far = farthest > nearest
        self._far_m = np.where(self._has_far, farthest, 0.0)
        eta = (self._far_m / self._site.speed_mps).round().astype(np.int64)
        self._eta_s = np.minimum(eta, self._span - 1)
        self._at_line = loops.distance_m <= nearest[loops.lane]
        self._upstream = ~self._at_line & (loops.distance_m >= farthest[loops.lane])
        wave_s = self._far_m / WAVE_MPS
        seconds = np.arange(np.ceil(wave_s).max(initial=1.0))
        self._is_new = (seconds < wave_s[:, None]).astype(np.float64)
        self._gone = np.zeros(self._is_new.shape)
        self._share[loops.lane[self._upstream]] = loops.share[self._upstream]

    def _close(self) -> Floats:
        """Return who is on the way within the distance that counts as close, by lane."""
        until = np.maximum(np.round(self._near_m / self._site.speed_mps), 1.0)
        return np.asarray((self._coming * (np.arange(self._span) < until[:, None])).sum(axis=1))

    def _nearness(self, queue: Floats) -> Floats:
        """Return the vehicles on the lane weighted by nearness; a queue fills the lane from 0 m."""
        paces = np.arange(self._span)[None, :] * self._site.speed_mps[:, None]
        coming = (self._coming * np.maximum(0.0, 1.0 - paces / REACH_M)).sum(axis=1)
        return np.asarray(coming + queue * np.maximum(0.0, 1.0 - 0.5 * SPACE_M * queue / REACH_M))

    def _arrive(self, entered: Floats) -> None:
        """Let a second pass, and take in who passed upstream."""
        self._line += self._coming[:, 0]
        self._coming[:, :-1] = self._coming[:, 1:]
        self._coming[:, -1] = 0.0
        known = np.minimum(self._hidden, entered)  # they were counted where nobody saw them
        self._hidden -= known
        self._line += known
        lanes = np.arange(len(self._line))
        self._coming[lanes, self._eta_s] += entered - known

    def _leave(self, line: _Lane, open_: Bools) -> None:
        over = np.maximum(line.passed - self._line, 0.0)  # came unseen, or sooner than thought
        self._line = np.maximum(self._line - line.passed, 0.0)
        unseen = np.minimum(over, self._hidden)
        self._hidden -= unseen
        self._hurry(over - unseen)
        hit = (line.passed > 0) | (line.occupied > HIT)
        self._free_s = np.where(hit, 0.0, self._free_s + 1.0)
        longer = np.where(self._line > SEVERAL, SEVERAL_S, 0)
        gone = self._free_s >= np.where(open_, GAP_S, EMPTY_S) + longer
        elsewhere = np.where(gone, self._line, 0.0)
        self._line = self._line - elsewhere + self._to_neighbours(elsewhere, hit & ~open_)
        self._hidden = np.where(gone, 0.0, self._hidden)
        self._end.forget(gone)

    def _hurry(self, wanted: Floats) -> Floats:
        """Take so many of those on the way who come first, (lanes,); return who there were."""
        until = self._coming.cumsum(axis=1)
        taken = np.minimum(wanted, until[:, -1])
        self._coming = np.diff(np.maximum(until - taken[:, None], 0.0), axis=1, prepend=0.0)
        return np.asarray(taken)

    def _to_neighbours(self, moved: Floats, wants: Bools) -> Floats:
        """Return what comes to each lane when `moved` turns out to stand beside its own lane."""
        ways = self._beside * wants[None, :]
        total = ways.sum(axis=1, keepdims=True)
        return np.asarray(moved @ (ways / np.maximum(total, 1.0)))

    def _hold(self, line: _Lane) -> None:
        """Count one vehicle at least where one is at the line: who is on the way, or one beside."""
        held = (line.occupied > HIT) & (line.passed <= 0)
        missing = np.where(held, np.maximum(1.0 - self._line, 0.0), 0.0)
        early = self._hurry(missing)
        spare = np.where(self._end.packed, 0.0, np.maximum(self._line - held, 0.0))
        taken = self._to_neighbours(missing - early, spare > 0)
        self._line = self._line + missing - np.minimum(taken, spare)

    def _bound(self, line: _Lane, green: Ints) -> None:
        """Bring the count between what the advance loop shows at least and at most.

        Between the loops stand no more than there is room for; the others stand behind them, the
        first of them on the loop. Who leaves the line leaves room behind him until the start of
        those behind him has come to the loop.
        """
        end, room = self._end, self._far_m / SPACE_M
        shut_in = self._shut_in(green)
        self._gone[:, 1:] = self._gone[:, :-1]
        self._gone[:, 0] = line.passed
        left = (self._gone * self._is_new).sum(axis=1)
        least = np.maximum(self._share * (room - 1.0) - left, 0.0)
        known = self._line + self._coming.sum(axis=1)
        self._line = np.where(end.reached, np.maximum(known, least), self._line)
        self._coming[end.reached] = 0.0
        self._line = np.where(self._has_far, np.minimum(self._line, room + 1.0), self._line)
        self._line[shut_in] = 0.0
        grows = end.packed | (~self._has_far & (line.occupied >= COVERED))
        self._hidden = self._hidden + self._rates.vps * grows
        self._hidden = np.where(end.reached, np.maximum(self._hidden, self._share), self._hidden)
        seen = (self._has_far & ~end.packed) | shut_in
        self._hidden = np.where(seen, 0.0, np.minimum(self._hidden, MOST_QUEUE))

    def _shut_in(self, green: Ints) -> Bools:
        """Return the lanes on which some stand whom those beside them keep from the line.

        The advance loop stays covered and the line free for longer after the start of green than
        it takes until those at the loop start, and until they have come to the line.
        """
        due_s = self._far_m * (1.0 / WAVE_MPS + 1.0 / self._site.speed_mps) + SLACK_S
        return np.asarray(self._end.reached & (np.minimum(green, self._free_s) > due_s))


class Aboard:
    """Tell how many are aboard, by lane, where buses report themselves to a site of loops."""

    def __init__(self, site: Site) -> None:
        self._ahead = np.zeros((len(site.zones), len(site.lanes)))
        for k, zone in enumerate(site.zones):
            self._ahead[k, list(zone.lanes)] = zone.shares

    def load(self, reporting: Vehicles | None, present: Floats) -> Floats:
        """Return the persons in a vehicle over those in a car; who does not report is a car."""
        if reporting is None or not len(reporting.key):
            return np.ones(self._ahead.shape[1])
        ahead = self._ahead[reporting.zone]
        buses = ahead.sum(axis=0)
        riders = reporting.persons @ ahead / CAR_PERSONS
        all_ = np.maximum(np.maximum(present, buses), 1.0)
        return np.asarray((all_ - buses + riders) / all_)


class _Lane:
    """What loops at one place saw, by lane."""

    def __init__(self, passed: Floats, occupied: Floats) -> None:
        self.passed, self.occupied = passed, occupied

    @classmethod
    def of(cls, loops: Loops, some: Bools, lanes: int) -> _Lane:
        passed, occupied = np.zeros(lanes), np.zeros(lanes)
        np.add.at(passed, loops.lane[some], loops.passed[some])
        np.maximum.at(occupied, loops.lane[some], loops.occupied[some])
        return cls(passed, occupied)


def no_loops() -> Loops:
    """Return no loops."""
    none = np.zeros(0)
    lane = none.astype(np.int64)
    return Loops(lane=lane, distance_m=none, share=none, passed=none, occupied=none)
