# SPDX-License-Identifier: Apache-2.0
"""A crossroads of four stages by hand, and a street that scripted road users drive on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from lvbo.control.gate import make_gate
from lvbo.control.guard import Guarded
from lvbo.control.protocols import (
    Controller,
    Coordination,
    Loops,
    Observation,
    Reason,
    Vehicles,
    Wish,
)
from lvbo.control.site import PROTECTED, YIELDING, Site, Zone
from lvbo.control.stages import StageTable
from lvbo.ids import LaneId, LinkId, MovementId, PhaseId
from lvbo.network.place import Turn
from lvbo.signal.lamp import PhaseKind
from lvbo.signal.plan import Plan
from lvbo.signal.rules import SignalRules
from lvbo.signal.watch import LampChecker
from lvbo.testing import EW, EWL, NS, NSL, WALK, plan_of, tiny_controller, tiny_rules

WHEELS = (NS, NSL, EW, EWL)
LANE = {phase: k for k, phase in enumerate(WHEELS)}
NOBODY: Mapping[int, tuple[float, float]] = {}

Traffic = Callable[[int], Mapping[int, tuple[float, float]]]
"""By second: lane to distance from the stop line, m, and speed, m/s; one vehicle a lane."""


def crossroads_rules(*, walks: bool = False) -> SignalRules:
    """Return the tiny rules with their four stages in order, no waiting area, no walk.

    The longest red is far away: the gate serves nobody by itself.
    """
    rules = tiny_rules()
    rules = rules.with_limits(replace(limit, max_red_ds=9000) for limit in rules.limits)
    first = (NS, WALK) if walks else (NS,)
    orders = ((first, (NSL,), (EW,), (EWL,)),)
    if walks:
        return replace(rules, orders=orders, follows=())
    return replace(
        rules,
        orders=orders,
        follows=(),
        phases=tuple(p for p in rules.phases if p.kind is not PhaseKind.PEDESTRIAN),
        services=tuple(s for s in rules.services if s.phase != WALK),
        limits=tuple(x for x in rules.limits if x.phase != WALK),
        conflicts=replace(
            rules.conflicts, pairs=tuple(x for x in rules.conflicts.pairs if WALK not in x[:2])
        ),
        intergreens=replace(
            rules.intergreens, pairs=tuple(x for x in rules.intergreens.pairs if WALK not in x[:2])
        ),
    )


def crossroads(*, walks: bool = False) -> Site:
    """Return the site: one lane, movement and zone for each vehicle phase, all protected."""
    rules = crossroads_rules(walks=walks)
    serves = np.zeros((len(rules.phases), len(WHEELS)), dtype=np.int8)
    for k, phase in enumerate(rules.phases):
        if phase.id in LANE:
            serves[k, LANE[phase.id]] = PROTECTED
    return Site(
        controller=replace(tiny_controller(), rules=rules),
        lanes=tuple(LaneId(str(p)) for p in WHEELS),
        links=tuple(LinkId(str(p)) for p in WHEELS),
        movements=tuple(MovementId(f"go {p}") for p in WHEELS),
        turns=(Turn.THROUGH,) * len(WHEELS),
        exits=tuple(LinkId(f"after {p}") for p in WHEELS),
        zones=tuple(Zone(name=str(p), lanes=(k,), shares=(1.0,)) for k, p in enumerate(WHEELS)),
        length_m=np.full(len(WHEELS), 200.0),
        speed_mps=np.full(len(WHEELS), 14.0),
        uses=np.eye(len(WHEELS), dtype=bool),
        serves=serves,
        yields=np.zeros((len(WHEELS), len(WHEELS)), dtype=bool),
    )


def turns_on_red(site: Site) -> Site:
    """Return the site whose NS lane also turns right, yielding, while EW or EWL is green."""
    turn, at = MovementId("right on red"), LANE[NS]
    uses = np.column_stack([site.uses, np.arange(len(site.lanes)) == at])
    right = np.isin(site.phases, (EW, EWL)) * YIELDING + np.isin(site.phases, (NS,)) * PROTECTED
    count = uses.shape[1]
    return replace(
        site,
        movements=(*site.movements, turn),
        turns=(*site.turns, Turn.RIGHT),
        exits=(*site.exits, LinkId("after the turn")),
        uses=uses,
        serves=np.column_stack([site.serves, right.astype(np.int8)]),
        yields=np.zeros((count, count), dtype=bool),
    )


def crossroads_plan(site: Site, offset_s: int = 0) -> Plan:
    """Return NS 0 to 30 s, NSL 35 to 50, EW 55 to 80, EWL 85 to 95, of 100 s."""
    spans = {NS: (0, 30), NSL: (35, 15), EW: (55, 25), EWL: (85, 10)}
    return plan_of(site.rules, spans, cycle_s=100, offset_s=offset_s, reference=NS)


def standing(*phases: str) -> dict[int, tuple[float, float]]:
    """Return one vehicle that stands at the stop line of each of these phases."""
    return {k: (2.0, 0.0) for p, k in LANE.items() if p in phases}


def vehicles(found: Mapping[int, tuple[float, float]]) -> Vehicles:
    """Return vehicles as area sensing shows them."""
    count = len(found)
    return Vehicles(
        key=np.array(list(found), dtype=np.int64),
        zone=np.array(list(found), dtype=np.int64),
        distance_m=np.array([far for far, _ in found.values()], dtype=np.float64),
        speed_mps=np.array([pace for _, pace in found.values()], dtype=np.float64),
        wait_s=np.zeros(count),
        persons=np.ones(count),
    )


class Queues:
    """Vehicles that arrive evenly, stand in line, and leave one every 2 s of green.

    `vph` is the demand by phase. `arrives` says whether traffic comes in a second at all, as
    platoons do.
    """

    def __init__(
        self,
        site: Site,
        vph: Mapping[PhaseId, float],
        arrives: Callable[[PhaseId, int], bool] | None = None,
    ) -> None:
        self._shows = [int(p.shows) for p in site.rules.phases]
        self._at = [site.phases.index(p) for p in WHEELS]
        self._vph = vph
        self._arrives = arrives or (lambda _phase, _second: True)
        self._due = dict.fromkeys(WHEELS, 0.0)
        self._green_s = dict.fromkeys(WHEELS, 0)
        self._next = 0
        self.lines: dict[PhaseId, list[int]] = {p: [] for p in WHEELS}

    def step(self, now_s: int, lamps: np.ndarray) -> dict[PhaseId, bool]:
        """Let a second pass; return who passed the stop line."""
        passed = {}
        for phase, at in zip(WHEELS, self._at, strict=True):
            self._due[phase] += self._vph.get(phase, 0.0) / 3600
            if self._due[phase] >= 1 and self._arrives(phase, now_s):
                self._due[phase] -= 1
                self._next += 1
                self.lines[phase].append(self._next)
            goes = lamps[at] == self._shows[at]
            self._green_s[phase] = self._green_s[phase] + 1 if goes else 0
            passed[phase] = bool(goes and self.lines[phase] and self._green_s[phase] % 2 == 0)
            if passed[phase]:
                self.lines[phase].pop(0)
        return passed

    def vehicles(self) -> Vehicles:
        """Return the lines as area sensing shows them, moving in green."""
        rows = [
            (key, LANE[p], 5.0 + 7.5 * k, 8.0 if self._green_s[p] else 0.0)
            for p, line in self.lines.items()
            for k, key in enumerate(line)
        ]
        return Vehicles(
            key=np.array([r[0] for r in rows], dtype=np.int64),
            zone=np.array([r[1] for r in rows], dtype=np.int64),
            distance_m=np.array([r[2] for r in rows], dtype=np.float64),
            speed_mps=np.array([r[3] for r in rows], dtype=np.float64),
            wait_s=np.zeros(len(rows)),
            persons=np.ones(len(rows)),
        )

    def loops(self, passed: Mapping[PhaseId, bool]) -> Loops:
        """Return a loop at each stop line and an advance loop 40 m back."""
        long = [len(self.lines[p]) > 5 for p in WHEELS]  # as far as the loop
        return Loops(
            lane=np.repeat(np.arange(len(WHEELS)), 2),
            distance_m=np.tile([1.0, 40.0], len(WHEELS)),
            share=np.ones(2 * len(WHEELS)),
            passed=np.ravel([[float(passed[p]), 0.0] for p in WHEELS]),
            occupied=np.ravel(
                [
                    [float(bool(self.lines[p])), float(far)]
                    for p, far in zip(WHEELS, long, strict=True)
                ]
            ),
        )


class Stretch:
    """Drive a controller through its gate, second by second; the lamp checker must be content.

    `rows` are the lamps shown, `reasons` why, `prices` what a wave costs; by the second. `refused`
    are the codes of what the gate did not grant. Wishes reach it `late_s` late.
    """

    def __init__(
        self,
        site: Site,
        controller: Controller,
        table: StageTable | None,
        *,
        begin_s: int = 0,
        working: np.ndarray | None = None,
        keep: Coordination | None = None,
        late_s: int = 0,
    ) -> None:
        self.site, self.controller = site, controller
        self.now_s = begin_s
        self.rows: list[np.ndarray] = []
        self.reasons: list[Reason | None] = []
        self.prices: list[float | None] = []
        self.refused: set[str] = set()
        self._keep = keep
        self._wishes: deque[Wish] = deque(maxlen=late_s + 1)
        self._begin_s = begin_s
        self._working = np.ones(len(site.lanes), dtype=bool) if working is None else working
        order = None if table is None else table.order
        self._guard = Guarded(site, make_gate(site, table, order), times_walks=table is not None)
        self._checker = LampChecker(site.rules)
        self._lamps = np.zeros(len(site.phases), dtype=np.int64)
        self._since = np.full(len(site.phases), 100)

    def run(self, seconds: int, traffic: Traffic) -> None:
        """Let this many seconds pass under area sensing."""
        for _ in range(seconds):
            self._step(vehicles(traffic(self.now_s)), None)

    def drive(self, seconds: int, queues: Queues, *, by_loops: bool = False) -> None:
        """Let this many seconds pass in which vehicles queue and discharge by the lamps shown."""
        for _ in range(seconds):
            passed = queues.step(self.now_s, self._lamps)
            if by_loops:
                self._step(None, queues.loops(passed))
            else:
                self._step(queues.vehicles(), None)

    def _step(self, seen_vehicles: Vehicles | None, seen_loops: Loops | None) -> None:
        seen = Observation(
            controller=self.site.id,
            time_s=self.now_s,
            seen_s=self.now_s,
            lamps=self._lamps,
            since_s=self._since,
            vehicles=seen_vehicles,
            loops=seen_loops,
            working=self._working,
            blocked=np.zeros(len(self.site.movements), dtype=bool),
            calls=self.site.walks.copy(),
            keep=self._keep,
        )
        wish = self.controller.decide(seen)
        self._wishes.append(wish)
        verdict = self._guard(seen, self._wishes[0])
        assert verdict.lamps is not None
        assert not self._checker.see(10 * self.now_s, verdict.lamps.tolist())
        self._since = np.where(verdict.lamps == self._lamps, self._since + 1, 1)
        self._lamps = verdict.lamps
        self.rows.append(verdict.lamps)
        self.reasons.append(wish.reason)
        self.prices.append(wish.price_vehs)
        self.refused.update(refusal.code for refusal in verdict.refusals)
        self.now_s += 1

    def greens(self, phase: str) -> list[tuple[int, int]]:
        """Return begin and end of every green of a phase, seconds of the area clock."""
        at = [str(p) for p in self.site.phases].index(phase)
        shows = int(self.site.rules.phases[at].shows)
        lit = np.array([row[at] == shows for row in self.rows], dtype=bool)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], lit, [False]]).astype(int)))
        return [(int(a) + self._begin_s, int(b) + self._begin_s)
                for a, b in zip(edges[::2], edges[1::2], strict=True)]  # fmt: skip

    def is_lit(self, phase: str, second: int) -> bool:
        """Say whether a phase shows green in a second of the area clock."""
        return any(a <= second < b for a, b in self.greens(phase))
