# SPDX-License-Identifier: Apache-2.0
"""Vehicles on the lanes of many sites at once: they come by chance, queue, and go by the lamps.

Each follows the one ahead as Newell (2002) has it: a second later it is at most where that one was,
less the room it takes. They gain speed slowly, so that a queue starts one by one. Lanes, movements
and phases of all sites are numbered through, site by site.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvbo.control.protocols import Bools, Floats, Ints
from lvbo.control.site import NONE, PROTECTED, REACH_M, TURN_SHARE, YIELDING, Site

ROOM_M = 9.0
"""What a vehicle and the gap before it take: 1.8 s of headway at 11 m/s, 2,000 veh/h."""
GAIN_MPS = 2.0
PACE = 0.8
"""The share of the limit that vehicles drive when nobody is ahead."""
GAP_CHANCE = 0.25
"""How likely one second offers a gap to somebody who gives way."""
NEAR_M = 40.0
"""Somebody with the right of way this near to the stop line is in the way."""
SATURATION_VPS = 0.5
PLATOON_S = 90
LONG_S = 900
STILL_MPS = 0.1
PERSONS = 1.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Where each site has its phases, lanes and movements in the arrays of all.

    `phases`, `lanes`, `moves` (sites + 1,) are first numbers; `pairs` (pairs, 3) are phase,
    movement and how the first serves the second; `foes` (pairs, 2) a movement that yields and one
    it yields to; `choice`, `share` (lanes, most movements) the movements of a lane and the summed
    shares of those that make them; `enter_m` is where vehicles come into sight.
    """

    phases: Ints
    lanes: Ints
    moves: Ints
    pairs: Ints
    foes: Ints
    choice: Ints
    share: Floats
    enter_m: Floats
    pace_mps: Floats
    busy: Floats


def lay_out(sites: Sequence[Site]) -> Layout:
    """Return the arrays of some sites."""
    phases = _firsts([len(site.phases) for site in sites])
    lanes = _firsts([len(site.lanes) for site in sites])
    moves = _firsts([len(site.movements) for site in sites])
    pairs, foes = [], []
    for k, site in enumerate(sites):
        phase, move = np.nonzero(site.serves)
        pairs.append(np.stack([phase + phases[k], move + moves[k], site.serves[phase, move]], 1))
        gives, has = np.nonzero(site.yields)
        foes.append(np.stack([gives, has], 1) + moves[k])
    choice, share = _choices(sites, moves)
    return Layout(
        phases=phases,
        lanes=lanes,
        moves=moves,
        pairs=np.concatenate(pairs).astype(np.int64),
        foes=np.concatenate(foes).astype(np.int64),
        choice=choice,
        share=share,
        enter_m=np.concatenate([np.minimum(REACH_M, _sight_m(site)) for site in sites]),
        pace_mps=np.concatenate([PACE * site.speed_mps for site in sites]),
        busy=np.concatenate([_busy(site) for site in sites]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gone:
    """Who left in the last second, by lane: the movement made, and the way left before, m."""

    lane: Ints
    move: Ints
    key: Ints
    before_m: Floats


class Queues:
    """Who is on the road now; arrays of shape (vehicles,), by lane and then from its head back.

    `lane`, `move` are numbers of the layout, `left_m` the way to the stop line. `before_m` is that
    way a second ago; `gone` are the lane, movement, key and way of those who have left since.
    """

    def __init__(self, layout: Layout, rng: np.random.Generator, *, load: float) -> None:
        lanes = len(layout.enter_m)
        self.layout = layout
        self._rng = rng
        self._rate_vps = load * SATURATION_VPS * layout.busy * rng.uniform(0.5, 1.3, lanes)
        self._phase = rng.uniform(0, 1, (2, lanes))
        self._outside = np.zeros(lanes, dtype=np.int64)
        self._next_key = 0
        self.lane = np.zeros(0, dtype=np.int64)
        self.move = np.zeros(0, dtype=np.int64)
        self.key = np.zeros(0, dtype=np.int64)
        self.left_m = self.before_m = np.zeros(0)
        self.speed_mps, self.wait_s = np.zeros(0), np.zeros(0)
        self.gone = Gone(lane=self.lane, move=self.move, key=self.key, before_m=self.left_m)

    def step(self, now_s: int, going: Bools, full: Bools) -> None:
        """Let a second pass under these phases (phases,) and full exits (movements,)."""
        self._drive(going, full)
        self._arrive(now_s)

    def _drive(self, going: Bools, full: Bools) -> None:
        pace = self.layout.pace_mps[self.lane]
        wished = self.left_m - np.minimum(self.speed_mps + GAIN_MPS, pace)
        head = np.ones(len(self.lane), dtype=bool)
        head[1:] = self.lane[1:] != self.lane[:-1]
        least = np.empty(len(self.lane))
        least[1:] = self.left_m[:-1] + ROOM_M
        least[head] = np.where(self._may_go(going, full)[head], -np.inf, 0.0)
        now = np.minimum(np.maximum(wished, least), self.left_m)
        self.before_m, self.left_m = self.left_m, now
        self.speed_mps = self.before_m - now
        self.wait_s = np.where(self.speed_mps <= STILL_MPS, self.wait_s + 1.0, 0.0)
        leaves = now < 0
        self.gone = Gone(
            lane=self.lane[leaves],
            move=self.move[leaves],
            key=self.key[leaves],
            before_m=self.before_m[leaves],
        )
        self._keep(np.flatnonzero(~leaves))

    def _may_go(self, going: Bools, full: Bools) -> Bools:
        """Return whose movement is served, with a gap where it gives way, and has room ahead."""
        phase, move, how = self.layout.pairs.T
        served = np.zeros(len(full), dtype=np.int64)
        np.maximum.at(served, move, np.where(going[phase], how, NONE))
        gives, has = self.layout.foes.T
        near = np.zeros(len(full), dtype=bool)
        near[self.move[self.left_m <= NEAR_M]] = True
        busy = np.zeros(len(full), dtype=bool)
        busy[gives[(served[has] == PROTECTED) & near[has]]] = True
        gap = self._rng.random(len(self.move)) < GAP_CHANCE
        mine = served[self.move]
        yields = (mine == YIELDING) & (gap | ~busy[self.move])
        return np.asarray(((mine == PROTECTED) | yields) & ~full[self.move])

    def _arrive(self, now_s: int) -> None:
        """Let vehicles come: in platoons, more and less over a quarter of an hour."""
        slow, quick = self._phase
        swell = 1.0 + 0.5 * np.sin(2 * np.pi * (now_s / LONG_S + slow))
        burst = np.where((now_s / PLATOON_S + quick) % 1.0 < 0.4, 1.6, 0.6)  # noqa: PLR2004
        chance = self._rate_vps * swell * burst
        self._outside += self._rng.random(len(chance)) < chance
        last = np.full(len(chance), -np.inf)
        np.maximum.at(last, self.lane, self.left_m)
        comes = np.flatnonzero((self._outside > 0) & (last <= self.layout.enter_m - ROOM_M))
        self._outside[comes] -= 1
        count = len(comes)
        drawn = self._rng.random(count)
        slot = (drawn[:, None] >= self.layout.share[comes]).sum(axis=1)
        self.lane = np.append(self.lane, comes)
        self.move = np.append(self.move, self.layout.choice[comes, slot])
        self.key = np.append(self.key, self._next_key + np.arange(count))
        self._next_key += count
        self.left_m = np.append(self.left_m, self.layout.enter_m[comes])
        self.before_m = np.append(self.before_m, self.layout.enter_m[comes])
        self.speed_mps = np.append(self.speed_mps, self.layout.pace_mps[comes])
        self.wait_s = np.append(self.wait_s, np.zeros(count))
        self._keep(np.argsort(self.lane, kind="stable"))

    def _keep(self, order: Ints) -> None:
        self.lane, self.move, self.key = self.lane[order], self.move[order], self.key[order]
        self.left_m, self.before_m = self.left_m[order], self.before_m[order]
        self.speed_mps, self.wait_s = self.speed_mps[order], self.wait_s[order]


def _firsts(counts: Sequence[int]) -> Ints:
    return np.cumsum([0, *counts], dtype=np.int64)


def _choices(sites: Sequence[Site], moves: Ints) -> tuple[Ints, Floats]:
    """Return the movements of each lane and their summed shares, (lanes, most movements)."""
    most = max(int(site.uses.sum(axis=1).max(initial=1)) for site in sites)
    choice, share = [], []
    for k, site in enumerate(sites):
        worth = np.array([TURN_SHARE[turn] for turn in site.turns])
        for row in site.uses:
            made = np.flatnonzero(row)
            sums = np.cumsum(worth[made]) / worth[made].sum()
            choice.append(np.pad(made + moves[k], (0, most - len(made)), mode="edge"))
            share.append(np.pad(sums[:-1], (0, most - len(made) + 1), constant_values=2.0))
    return np.array(choice, dtype=np.int64), np.array(share)


def _sight_m(site: Site) -> Floats:
    """Return how far back from the stop line each lane reaches with what leads into it, m."""
    shared = {k for zone in site.zones if zone.shares != (1.0,) for k in zone.lanes}
    return np.array([REACH_M if k in shared else m for k, m in enumerate(site.length_m.tolist())])


def _busy(site: Site) -> Floats:
    """Return by lane the share of the stages that serve it with priority, at least one."""
    order = site.rules.orders[0]
    at = {phase: k for k, phase in enumerate(site.phases)}
    best = np.array([site.serves[[at[p] for p in stage]].max(axis=0) for stage in order])
    served = ((best == PROTECTED) @ site.uses.T).sum(axis=0)
    return np.asarray(np.maximum(served, 1) / len(order))
