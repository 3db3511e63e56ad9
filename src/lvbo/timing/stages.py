# SPDX-License-Identifier: Apache-2.0
"""Which stage sequences a controller may run: those it ships with and others its rules allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import permutations, product

from lvbo.ids import LinkId, PhaseId
from lvbo.network.network import Network
from lvbo.network.place import Movement, Turn
from lvbo.signal.lamp import Lamp, PhaseKind
from lvbo.signal.rules import Controller, SignalRules, StageSets
from lvbo.timing.inner import inner_feeds, kept_clear, shuts_in

OPPOSING_DEG = 50.0


class Pattern(StrEnum):
    """How opposing approaches share their time (放行方式)."""

    SHIPPED = "shipped"
    TOGETHER = "together"
    THROUGH_FIRST = "through_first"
    LEFT_FIRST = "left_first"
    LEAD_LAG = "lead_lag"
    BY_APPROACH = "by_approach"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOrder:
    """Stages in order, each the set of phases with green; `pattern` says where it comes from."""

    pattern: str
    stages: StageSets


def stage_orders(network: Network, controller: Controller) -> tuple[StageOrder, ...]:
    """Return the permitted sequences: those of the site first, then generated ones.

    Where the site forbids skipping, or a waiting area orders its stages, only sequences that keep
    to that are returned. A controller of several intersections keeps the site's orders: between
    its stop lines there is little room, and the order is what keeps it clear. Those that do not are
    given what they lack, or left out. A controller with a phase that serves nobody we know (a
    train) keeps to the site's orders as well: only they light it.
    """
    rules = controller.rules
    shipped = [StageOrder(pattern=Pattern.SHIPPED, stages=stages) for stages in rules.orders]
    found = [order for order in shipped if _keeps_apart(rules, order)]
    single = len(controller.intersections) == 1
    if not found or (rules.may_skip and single and _all_known(rules)):
        found += _generated(network, controller, found)
    found = _clear_inside(network, controller, found)
    needed = _needed(rules)
    kept: dict[StageSets, StageOrder] = {}
    for order in found:
        fits = _covers(rules, order, needed) and keeps_waiting_areas(rules, order.stages)
        if fits and (order.stages not in kept or order.pattern == Pattern.TOGETHER):
            kept[order.stages] = order  # equal stages have one name, the plainest
    return tuple(kept.values())


def _clear_inside(
    network: Network, controller: Controller, found: Sequence[StageOrder]
) -> list[StageOrder]:
    """Return the orders that shut nobody in between two stop lines; all where every one does."""
    feeds = inner_feeds(network, controller)
    rules = controller.rules
    cleared = [replace(o, stages=kept_clear(rules, o.stages, feeds)) for o in found]
    whole = [o for o in cleared if _distinct(o)] or list(found)
    return [o for o in whole if not shuts_in(rules, o.stages, feeds)] or whole


# what must be served --------------------------------------------------------------------------


def _targets(rules: SignalRules, phase: PhaseId) -> frozenset[str]:
    return frozenset(str(s.movement or s.crossing) for s in rules.services if s.phase == phase)


def _needed(rules: SignalRules) -> frozenset[str]:
    """Return the movements and crossings that the site serves and that are not always free."""
    site = {phase for order in rules.orders for stage in order for phase in stage}
    lit = site or {p.id for p in rules.phases if p.is_going}
    free = {t for phase in rules.permanent for t in _targets(rules, phase)}
    return frozenset(t for phase in lit for t in _targets(rules, phase)) - free


def _all_known(rules: SignalRules) -> bool:
    """Say whether every phase of the site's stages serves a movement or a crossing."""
    return all(_targets(rules, p) for order in rules.orders for stage in order for p in stage)


def _keeps_apart(rules: SignalRules, sequence: StageOrder) -> bool:
    """Say whether no stage gives green to two foes; a site's own programme may do so."""
    return not any(rules.forbidden(a, b) for s in sequence.stages for a in s for b in s)


def _covers(rules: SignalRules, sequence: StageOrder, needed: frozenset[str]) -> bool:
    served = {t for stage in sequence.stages for phase in stage for t in _targets(rules, phase)}
    return needed <= served


def keeps_waiting_areas(rules: SignalRules, stages: Sequence[Sequence[PhaseId]]) -> bool:
    """Say whether every phase with a waiting area starts directly after the one it follows."""
    for rule in rules.follows:
        for k, stage in enumerate(stages):
            before = stages[k - 1]
            if rule.phase in stage and rule.phase not in before and rule.after not in before:
                return False
    return True


# generated sequences --------------------------------------------------------------------------


def _generated(
    network: Network, controller: Controller, shipped: Sequence[StageOrder]
) -> list[StageOrder]:
    maker = _Maker(network, controller)
    axes = maker.axes()
    if not axes:
        return []  # every head is always green: there is nothing to order
    needed = _needed(maker.rules)
    found: list[StageOrder] = []
    for choice in product(*(maker.options(axis) for axis in axes)):
        blocks = [stages for _, stages in choice]
        name = "+".join(dict.fromkeys(pattern for pattern, _ in choice))
        orders = permutations(blocks) if len(blocks) <= 3 else [tuple(blocks)]  # noqa: PLR2004
        for order in orders:
            if order[0] != blocks[0]:
                continue  # a turned order is the same cycle
            base = [s for block in order for s in block]
            made = StageOrder(pattern=name, stages=maker.completed(base))
            if not shipped and not _covers(maker.rules, made, needed):  # arrows left no walk
                made = StageOrder(pattern=name, stages=maker.completed(base, walks_first=True))
            found.append(made)
    known = {s.stages for s in shipped}
    return [s for s in dict.fromkeys(found) if s.stages not in known and _distinct(s)]


def _distinct(sequence: StageOrder) -> bool:
    stages = sequence.stages
    return all(a and a != b for a, b in zip(stages, [*stages[1:], stages[0]], strict=True)) or (
        len(stages) == 1
    )


class _Maker:
    """Build stages of one controller from its approaches."""

    def __init__(self, network: Network, controller: Controller) -> None:
        self.rules = controller.rules
        self.network = network
        index = network.movement_index
        free = set(self.rules.permanent)
        self.phases = [p for p in self.rules.phases if p.is_going and p.id not in free]
        self.movements: Mapping[PhaseId, list[Movement]] = {
            p.id: [index[s.movement] for s in self.rules.services if s.phase == p.id and s.movement]
            for p in self.phases
        }

    def axes(self) -> list[tuple[LinkId, ...]]:
        """Return the approaches paired where they oppose each other, busiest street first."""
        links = sorted({m.from_link for ms in self.movements.values() for m in ms})
        lanes = {link: len(self.network.link_index[link].car_lanes) for link in links}
        open_ = sorted(links, key=lambda link: (-lanes[link], link))
        axes: list[tuple[LinkId, ...]] = []
        while open_:
            first = open_.pop(0)
            facing = [x for x in open_ if self._oppose(first, x)]
            if facing:
                best = min(facing, key=lambda x: abs(abs(self._angle(first, x)) - 180))
                open_.remove(best)
                axes.append((first, best))
            else:
                axes.append((first,))
        return axes

    def _angle(self, a: LinkId, b: LinkId) -> float:
        links = self.network.link_index
        return (links[a].bearing_deg - links[b].bearing_deg) % 360

    def _oppose(self, a: LinkId, b: LinkId) -> bool:
        return abs(self._angle(a, b) - 180) <= OPPOSING_DEG

    def _of(self, link: LinkId, turns: Iterable[Turn]) -> list[PhaseId]:
        wanted = set(turns)
        return [
            p.id
            for p in self.phases
            if p.shows is Lamp.GREEN
            and any(m.from_link == link and m.turn in wanted for m in self.movements[p.id])
        ]

    def options(self, axis: tuple[LinkId, ...]) -> list[tuple[Pattern, StageSets]]:
        """Return the ways to serve one axis, as base sets of phases per stage."""
        every = [self._of(link, Turn) or self._any(link) for link in axis]
        if len(axis) == 1:
            return [(Pattern.BY_APPROACH, (tuple(every[0]),))]
        through = [self._of(x, (Turn.THROUGH,)) or self._any(x) for x in axis]
        across = Turn.RIGHT if self.network.left_hand else Turn.LEFT
        left = [self._of(x, (across,)) for x in axis]
        split = (self._set(every[0]), self._set(every[1]))
        found: list[tuple[Pattern, StageSets]] = [(Pattern.BY_APPROACH, split)]
        together = self._set([*through[0], *through[1]])
        found.append((Pattern.TOGETHER, (together,)))
        lefts = self._set([*left[0], *left[1]])
        if lefts:
            found.append((Pattern.THROUGH_FIRST, (together, lefts)))
            found.append((Pattern.LEFT_FIRST, (lefts, together)))
        if left[0] and left[1]:
            ends = self._set([*through[0], *left[0]]), self._set([*through[1], *left[1]])
            found.append((Pattern.LEAD_LAG, (ends[0], together, ends[1])))
            found.append((Pattern.LEAD_LAG, (ends[1], together, ends[0])))
        return [(p, s) for p, s in found if all(self._legal(stage) for stage in s)]

    def _any(self, link: LinkId) -> list[PhaseId]:
        return [p.id for p in self.phases if any(m.from_link == link for m in self.movements[p.id])]

    @staticmethod
    def _set(phases: Iterable[PhaseId]) -> tuple[PhaseId, ...]:
        return tuple(sorted(set(phases)))

    def _legal(self, stage: Sequence[PhaseId]) -> bool:
        return not any(self.rules.forbidden(a, b) for a in stage for b in stage)

    def completed(
        self, stages: Sequence[Sequence[PhaseId]], *, walks_first: bool = False
    ) -> StageSets:
        """Return the stages with every phase added that may go along, the most useful first."""
        full = tuple(self._complete(stage, walks_first=walks_first) for stage in stages)
        return tuple(dict.fromkeys(full)) if len(set(full)) < len(full) else full

    def _complete(self, stage: Sequence[PhaseId], *, walks_first: bool) -> tuple[PhaseId, ...]:
        chosen = set(stage)
        links = {m.from_link for p in stage for m in self.movements[p]}
        walks = PhaseKind.PEDESTRIAN if walks_first else None
        order = sorted(
            self.phases, key=lambda p: (p.kind is not walks, self._rank(p.id, links), p.id)
        )
        for phase in order:
            fits = not any(self.rules.forbidden(phase.id, other) for other in chosen)
            if fits and not self._doubles(phase.id, chosen):
                chosen.add(phase.id)
        return tuple(sorted(chosen))

    def _rank(self, phase: PhaseId, links: set[LinkId]) -> tuple[bool, int]:
        info = self.rules.phase_index[phase]
        own = any(m.from_link in links for m in self.movements.get(phase, ()))
        kinds = {Lamp.GREEN: 0, Lamp.PERMITTED: 1, Lamp.STOP_THEN_GO: 3}
        rank = 2 if info.kind is PhaseKind.PEDESTRIAN else kinds.get(info.shows, 4)
        return not own, rank

    def _doubles(self, phase: PhaseId, chosen: set[PhaseId]) -> bool:
        """Say whether the same heads are lit already by a better right."""
        own = _targets(self.rules, phase)
        return any(own and own <= _targets(self.rules, other) for other in chosen)
