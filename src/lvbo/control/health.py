# SPDX-License-Identifier: Apache-2.0
"""Which detectors of a site can be believed, and whether the site does as it is told.

Detectors are data that nobody has promised: what a lane shows is compared with its own greens, with
its own past and with the lanes beside it. A lane in doubt counts as one without a detector.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lvbo.control.estimate import Announced, Served
from lvbo.control.eyes import STILL_M, STILL_MPS, Eyes
from lvbo.control.lamps import goes
from lvbo.control.protocols import (
    Bools,
    Capability,
    Floats,
    Ints,
    Loops,
    Observation,
    Vehicles,
    Wish,
)
from lvbo.control.queue_end import COVERED, HIT
from lvbo.control.site import NONE, PROTECTED, Site
from lvbo.signal.lamp import Countdown

STARTED_S = 4
"""So long into a green the first vehicle has left."""
STUCK_S = 60.0
"""A stop line covered for so long in protected green while others flow is not covered at all."""
YIELDS = 0.2
"""A second of green in which the lane may have to yield counts only so much."""
STUCK_OTHERS = 15.0
"""So many must have left other lanes in that time."""
LONG_S, LONG_OTHERS, GREENS = 600.0, 60.0, 5
"""Nor is one covered at all for so long, in so many greens that the first one could have left in,
while so many left other lanes and no exit of its own is seen to be full."""
PROOF = 3
"""So many vehicles must pass before a detector that was stuck is believed again."""
SILENT = 30.0
"""A lane on which so many should have come, and nobody came, has a silent detector."""
ELSEWHERE = 0.3
"""What others of the site say of how many should have come, beside lanes of the same link."""
MEMORY_S, KNOWN_S = 1800.0, 600.0
"""Over how long the usual flow of a lane is taken, and from when on it is known."""
SITE_MEMORY_S = 60.0
CHATTER_S, MOST_VPS = 30.0, 1.0
"""No lane carries more than this over so many seconds."""
_WHOLE = (Countdown.FULL, Countdown.LEARNING)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _AtLine:
    """What raw detectors show of each lane now, (lanes,): covered line, passages, any activity."""

    covered: Bools
    passed: Floats
    active: Bools


class Doubts:
    """Doubt detectors of one site that are stuck, silent or chatter."""

    def __init__(self, site: Site) -> None:
        lanes = len(site.lanes)
        self._site, self._served = site, Served(site)
        lone = [z.lanes[0] if z.shares == (1.0,) else -1 for z in site.zones]
        self._lane_at = np.array(lone, dtype=np.int64)
        self._first = np.full(lanes, -1, dtype=np.int64)
        self._held_s = np.zeros(lanes)
        self._others = np.zeros(lanes)
        self._long = np.zeros((3, lanes))
        self._proof = np.zeros(lanes, dtype=np.int64)
        self._stuck = np.zeros(lanes, dtype=bool)
        self._known_s = np.zeros(lanes)
        self._usual_vps = np.zeros(lanes)
        self._missed = np.zeros(lanes)
        self._now_vps = np.zeros(lanes)
        self._mates = site.mates - np.eye(lanes)
        self._brief_vps = np.zeros(lanes)

    def believed(self, seen: Observation) -> Bools:
        """Return which lanes have a detector that can be believed, (lanes,), after this second."""
        line = self._at_line(seen)
        if line is None:
            return seen.working
        self._feel_stuck(seen, line)
        self._feel_silent(seen.working, line)
        brief = self._brief_vps + (line.passed - self._brief_vps) / CHATTER_S
        self._brief_vps = brief
        doubted = self._stuck | (self._missed >= SILENT) | (brief > MOST_VPS)
        return seen.working & ~doubted if doubted.any() else seen.working

    def _at_line(self, seen: Observation) -> _AtLine | None:
        if seen.loops is not None:
            return _by_loops(seen.loops, len(self._site.lanes))
        if seen.vehicles is not None and not seen.sampled:
            return self._by_vehicles(seen.vehicles)
        return None

    def _by_vehicles(self, vehicles: Vehicles) -> _AtLine:
        """Take the first vehicle of each lane; another one than before has passed."""
        lanes = len(self._site.lanes)
        lane = self._lane_at[vehicles.zone]
        own = np.flatnonzero(lane >= 0)
        far_first = own[np.argsort(-vehicles.distance_m[own], kind="stable")]
        first = np.full(lanes, -1, dtype=np.int64)
        first[lane[far_first]] = far_first
        some = first >= 0
        key = np.where(some, vehicles.key[first] if len(vehicles.key) else -1, -1)
        still = np.zeros(lanes, dtype=bool)
        near = (vehicles.speed_mps < STILL_MPS) & (vehicles.distance_m < STILL_M)
        still[some] = near[first[some]]
        passed = (key != self._first) & (self._first != -1)
        self._first = key
        return _AtLine(covered=still & ~passed, passed=passed.astype(float), active=some)

    def _feel_stuck(self, seen: Observation, line: _AtLine) -> None:
        """Count greens in which a covered line does not move while others do."""
        going = goes(seen.lamps)
        best = self._site.serves[going].max(axis=0, initial=NONE)
        wanted = self._site.uses & ~seen.blocked[None, :]
        free = ~(wanted & (best < PROTECTED)[None, :]).any(axis=1) & wanted.any(axis=1)
        open_ = wanted.any(axis=1)
        may_go = (self._served.green_s(seen) > STARTED_S) & line.covered & open_
        self._held_s += np.where(may_go, np.where(free, 1.0, YIELDS), 0.0)
        self._others += np.where(may_go, line.passed.sum() - line.passed, 0.0)
        moved = (line.passed > 0) | ~line.covered
        self._proof = np.where(self._stuck, self._proof + (line.passed > 0), 0)
        kept = self._stuck & (self._proof < PROOF)
        self._held_s[moved] = self._others[moved] = 0.0
        found = (self._held_s >= STUCK_S) & (self._others >= STUCK_OTHERS)
        begins = (self._served.green_s(seen) == STARTED_S) & open_
        others = np.where(open_, line.passed.sum() - line.passed, 0.0)
        self._long += np.array([line.covered & open_, others, begins])
        self._long[:, moved] = 0.0
        limits = np.array([LONG_S, LONG_OTHERS, GREENS])[:, None]
        self._stuck = kept | found | (self._long >= limits).all(axis=0)

    def _feel_silent(self, working: Bools, line: _AtLine) -> None:
        """Count whom a lane without any sign should have seen, by how busy those beside it are."""
        self._now_vps = self._now_vps + (line.passed - self._now_vps) / SITE_MEMORY_S
        beside = _ratio(self._mates @ self._now_vps, self._mates @ self._usual_vps)
        site = _ratio(self._now_vps.sum(keepdims=True), self._usual_vps.sum(keepdims=True))
        busy = np.maximum(beside, ELSEWHERE * site)
        sure = working & (self._known_s >= KNOWN_S)
        missed = self._missed + busy * self._usual_vps
        self._missed = np.where(line.active | ~sure, 0.0, missed)
        learns = working & (self._missed < SILENT / 2)
        self._known_s += learns
        memory = np.clip(self._known_s, 1.0, MEMORY_S)
        step = (line.passed - self._usual_vps) / memory
        self._usual_vps = np.where(learns, self._usual_vps + step, self._usual_vps)


def _ratio(now: Floats, usual: Floats) -> Floats:
    """Return what part of the usual flow there is now, 0 to 1."""
    return np.asarray(np.clip(now / np.maximum(usual, 1e-9), 0.0, 1.0))


def _by_loops(loops: Loops, lanes: int) -> _AtLine:
    """Take the loop nearest to the stop line, and activity from all of a lane."""
    nearest = np.full(lanes, np.inf)
    np.minimum.at(nearest, loops.lane, loops.distance_m)
    line = loops.distance_m <= nearest[loops.lane]
    passed, occupied, active = np.zeros((3, lanes))
    np.add.at(passed, loops.lane[line], loops.passed[line])
    np.maximum.at(occupied, loops.lane[line], loops.occupied[line])
    np.maximum.at(active, loops.lane, np.maximum(loops.occupied - HIT, loops.passed))
    return _AtLine(covered=(occupied >= COVERED) & (passed <= 0), passed=passed, active=active > 0)


class Lookout:
    """Make of an observation what all who decide go by: lanes, and whom to believe."""

    def __init__(self, site: Site) -> None:
        self._eyes, self._doubts = Eyes(site), Doubts(site)

    def look(self, seen: Observation, announced: Announced | None = None) -> Observation:
        """Return the observation with the state of its lanes; those in doubt do not work."""
        believed = self._doubts.believed(seen)
        sure = seen if believed is seen.working else replace(seen, working=believed)
        return replace(sure, lanes=self._eyes.look(sure, announced))


# the site as a whole ----------------------------------------------------------------------------

UNLIKE_S = 45
"""A site that never shows what is wished for so long does not obey."""
REFUSED_S = 20
"""So many seconds of wishes without any change of the lamps: the site takes no commands."""
STALE_S = 5
"""Lamps read longer ago than this are not believed, as by the gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a site is: what a rung of the ladder may need of it.

    `share` of its lanes has a detector that can be believed; the lamps were read `age_s` ago;
    `unlike_s` says for how long they have not been what was wished, `ignored_s` how many seconds of
    wishes passed since they changed last. Commands take effect `late_s` later than at once.
    `plans_only` says that its countdown shows whole greens.
    """

    share: float
    age_s: int
    capability: Capability
    plans_only: bool
    unlike_s: int = 0
    ignored_s: int = 0
    late_s: int = 0

    @property
    def is_stale(self) -> bool:
        """Say whether the lamps are not known."""
        return not 0 <= self.age_s <= STALE_S

    @property
    def obeys(self) -> bool:
        """Say whether the site shows what is wished."""
        return self.unlike_s < UNLIKE_S and self.ignored_s < REFUSED_S


class Monitor:
    """Follow the health of one site; what was wished is told after each second."""

    def __init__(self, site: Site) -> None:
        self._site = site
        fixed = np.isin(np.array(site.phases, dtype=object), site.rules.permanent)
        self._counts = np.array([p.is_going for p in site.rules.phases]) & ~site.walks & ~fixed
        self._lamps: Ints = np.zeros(0, dtype=np.int64)
        self._wished: Bools | None = None
        self._unlike_s = self._ignored_s = 0

    def look(self, seen: Observation) -> Health:
        """Return how the site is in this second."""
        self._compare(seen)
        blind = seen.vehicles is None and seen.loops is None
        return Health(
            share=0.0 if blind or not len(seen.working) else float(seen.working.mean()),
            age_s=seen.time_s - seen.seen_s,
            capability=seen.capability,
            plans_only=self._site.rules.countdown in _WHOLE,
            unlike_s=self._unlike_s,
            ignored_s=self._ignored_s,
        )

    def tell(self, wish: Wish) -> None:
        """Take in what was wished in this second."""
        self._wished = None if wish.release else wish.greens.copy()

    def forget(self) -> None:
        """Begin anew, as after a change of who decides."""
        self._wished, self._unlike_s, self._ignored_s = None, 0, 0

    def _compare(self, seen: Observation) -> None:
        changed = not np.array_equal(seen.lamps, self._lamps)
        self._lamps = seen.lamps.copy()
        if self._wished is None or not seen.time_s - seen.seen_s <= STALE_S:
            self._unlike_s = self._ignored_s = 0
            return
        going = goes(seen.lamps)
        unlike = bool(((going != self._wished) & self._counts).any())
        self._unlike_s = self._unlike_s + 1 if unlike else 0
        self._ignored_s = 0 if changed else self._ignored_s + unlike
