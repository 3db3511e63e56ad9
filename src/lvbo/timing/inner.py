# SPDX-License-Identifier: Apache-2.0
"""Stop lines inside an intersection: who passed the outer one must not be shut in before the inner.

A controller of several nodes often has two stop lines a few metres apart. If both end together, the
last vehicles stand between them, on the paths of those who go next, and the junction is blocked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from lvbo.ids import MovementId, PhaseId
from lvbo.network.network import Network
from lvbo.signal.lamp import Lamp
from lvbo.signal.rules import Controller, SignalRules, StageSets

INNER_M = 20.0
"""Shorter links between two stop lines hold fewer vehicles than pass as a green ends."""

Feeds = Mapping[MovementId, frozenset[MovementId]]


def inner_feeds(network: Network, controller: Controller) -> Feeds:
    """Return each movement from a short link behind another stop line, and those that feed it."""
    own = {s.movement for s in controller.rules.services if s.movement is not None}
    movements = [network.movement_index[m] for m in sorted(own)]
    found: dict[MovementId, set[MovementId]] = defaultdict(set)
    for inner in movements:
        if network.link_index[inner.from_link].length_m < INNER_M:
            found[inner.id] |= {m.id for m in movements if m.to_link == inner.from_link}
    return {inner: frozenset(feeds) for inner, feeds in found.items() if feeds}


def kept_clear(rules: SignalRules, stages: StageSets, feeds: Feeds) -> StageSets:
    """Return stages with green for inner stop lines while they are fed and one stage longer.

    A green that yields will do. It is added where no foe forbids it.
    """
    phases = {inner: _phases(rules, inner, feeds) for inner in feeds}
    found = []
    for k, stage in enumerate(stages):
        lit = list(stage)
        for inner in _wanted(rules, stages, feeds, k):
            fits = [p for p in phases[inner] if not any(rules.forbidden(p, o) for o in lit)]
            if fits and not _serves(rules, lit, inner):
                lit.append(fits[0])
        found.append(tuple(sorted(lit)))
    return tuple(found)


def shuts_in(rules: SignalRules, stages: StageSets, feeds: Feeds) -> bool:
    """Say whether an inner stop line is closed while it is fed or in the stage after."""
    return any(
        not _serves(rules, stage, inner)
        for k, stage in enumerate(stages)
        for inner in _wanted(rules, stages, feeds, k)
    )


def _wanted(rules: SignalRules, stages: StageSets, feeds: Feeds, k: int) -> Iterator[MovementId]:
    """Yield the inner movements that a stage or the one before it feeds."""
    for inner, outer in sorted(feeds.items()):
        if any(_serves(rules, stages[j], m) for j in (k - 1, k) for m in outer):
            yield inner


def _serves(rules: SignalRules, stage: Sequence[PhaseId], movement: MovementId) -> bool:
    lit = {*stage, *rules.permanent}
    return any(s.movement == movement and s.phase in lit for s in rules.services)


def _phases(rules: SignalRules, movement: MovementId, feeds: Feeds) -> list[PhaseId]:
    """Return the phases that serve a movement and no stop line but inner ones, green first."""
    others = {s.phase for s in rules.services if s.movement not in feeds}
    own = {s.phase for s in rules.services if s.movement == movement} - others
    return sorted(own, key=lambda p: (rules.phase_index[p].shows is not Lamp.GREEN, p))
