# SPDX-License-Identifier: Apache-2.0
"""Two sites as one: their rules, and what is seen of both in one second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from lvbo.control.protocols import Crossings, Ints, LaneState, Loops, Observation, Vehicles
from lvbo.control.site import Site
from lvbo.ids import PhaseId
from lvbo.signal.lamp import Conflict
from lvbo.signal.rules import ConflictMatrix, Controller, IntergreenMatrix, SignalRules

Apart = tuple[int, int, Conflict, int, int]
"""A phase of the first and one of the second, what they may do together, and their intergreens in
tenths of a second, from the first to the second and back."""


def merged_rules(first: Controller, second: Controller, apart: Iterable[Apart] = ()) -> SignalRules:
    """Return the rules of both as one, the phases of the first before those of the second.

    Phases are named after their controller too. The stage orders are left out: they are the
    caller's to make.
    """
    named = tuple(_renamed(controller) for controller in (first, second))
    a, b = named
    pairs = list(apart)
    names = [(a.phases[p].id, b.phases[q].id) for p, q, *_ in pairs]
    conflicts = [(x, y, kind) for (x, y), (*_, kind, _, _) in zip(names, pairs, strict=True)]
    there = [(x, y, ds) for (x, y), (*_, ds, _) in zip(names, pairs, strict=True)]
    back = [(y, x, ds) for (x, y), (*_, ds) in zip(names, pairs, strict=True)]
    return SignalRules(
        phases=(*a.phases, *b.phases),
        services=(*a.services, *b.services),
        conflicts=ConflictMatrix(pairs=(*a.conflicts.pairs, *b.conflicts.pairs, *conflicts)),
        intergreens=IntergreenMatrix(
            pairs=(*a.intergreens.pairs, *b.intergreens.pairs, *there, *back)
        ),
        limits=(*a.limits, *b.limits),
        follows=(*a.follows, *b.follows),
        may_skip=a.may_skip and b.may_skip,
        countdown=a.countdown,
        permanent=(*a.permanent, *b.permanent),
    )


def _renamed(controller: Controller) -> SignalRules:
    """Return the rules with phases named after their controller too, and no stage orders."""
    rules = controller.rules

    def name(phase: PhaseId) -> PhaseId:
        return PhaseId(f"{controller.id}/{phase}")

    return replace(
        rules,
        phases=tuple(replace(p, id=name(p.id)) for p in rules.phases),
        services=tuple(replace(s, phase=name(s.phase)) for s in rules.services),
        conflicts=ConflictMatrix(
            pairs=tuple((name(a), name(b), kind) for a, b, kind in rules.conflicts.pairs)
        ),
        intergreens=IntergreenMatrix(
            pairs=tuple((name(a), name(b), ds) for a, b, ds in rules.intergreens.pairs)
        ),
        limits=tuple(replace(limit, phase=name(limit.phase)) for limit in rules.limits),
        follows=tuple(
            replace(rule, phase=name(rule.phase), after=name(rule.after)) for rule in rules.follows
        ),
        orders=(),
        permanent=tuple(name(p) for p in rules.permanent),
    )


class Merger:
    """Make one observation of two, in the numbers of the site that both make together."""

    def __init__(self, site: Site, parts: Sequence[Site]) -> None:
        self._site = site
        lane = {name: k for k, name in enumerate(site.lanes)}
        movement = {name: k for k, name in enumerate(site.movements)}
        zone = {each.name: k for k, each in enumerate(site.zones)}
        self._lanes = [np.array([lane[x] for x in part.lanes]) for part in parts]
        self._movements = [np.array([movement[x] for x in part.movements]) for part in parts]
        self._zones = [np.array([zone[x.name] for x in part.zones]) for part in parts]

    def merged(self, seen: Sequence[Observation]) -> Observation:
        """Return what is seen of the pair; it keeps no wave."""
        first = seen[0]
        return Observation(
            controller=self._site.id,
            time_s=first.time_s,
            seen_s=min(each.seen_s for each in seen),
            lamps=np.concatenate([each.lamps for each in seen]),
            since_s=np.concatenate([each.since_s for each in seen]),
            vehicles=self._vehicles(seen),
            loops=self._loops(seen),
            crossed=self._crossed(seen),
            sampled=any(each.sampled for each in seen),
            lanes=self._lane_state(seen),
            working=_put([each.working for each in seen], self._lanes),
            blocked=_put([each.blocked for each in seen], self._movements),
            calls=np.concatenate([each.calls for each in seen]),
            capability=first.capability,
        )

    def _lane_state(self, seen: Sequence[Observation]) -> LaneState | None:
        parts = [each.lanes for each in seen if each.lanes is not None]
        if len(parts) < len(seen):
            return None
        return LaneState(
            **{
                f.name: _put([getattr(part, f.name) for part in parts], self._lanes)
                for f in fields(LaneState)
            }
        )

    def _vehicles(self, seen: Sequence[Observation]) -> Vehicles | None:
        parts = [
            replace(each.vehicles, zone=at[each.vehicles.zone])
            for each, at in zip(seen, self._zones, strict=True)
            if each.vehicles is not None
        ]
        return Vehicles(**_chained(parts)) if parts else None

    def _loops(self, seen: Sequence[Observation]) -> Loops | None:
        parts = [
            replace(each.loops, lane=at[each.loops.lane])
            for each, at in zip(seen, self._lanes, strict=True)
            if each.loops is not None
        ]
        return Loops(**_chained(parts)) if parts else None

    def _crossed(self, seen: Sequence[Observation]) -> Crossings | None:
        parts = [
            Crossings(lane=lane[each.crossed.lane], movement=movement[each.crossed.movement])
            for each, lane, movement in zip(seen, self._lanes, self._movements, strict=True)
            if each.crossed is not None
        ]
        return Crossings(**_chained(parts)) if parts else None


def _put(parts: Sequence[NDArray], places: Sequence[Ints]) -> NDArray:  # type: ignore[type-arg]
    """Return the rows of all parts, (rows, ...), each at its places in all of them."""
    found = np.zeros((sum(map(len, places)), *parts[0].shape[1:]), dtype=parts[0].dtype)
    for part, at in zip(parts, places, strict=True):
        found[at] = part
    return found


def _chained(parts: Sequence[object]) -> dict[str, NDArray]:  # type: ignore[type-arg]
    """Return the arrays of records of one kind, one after the other, by field."""
    names = [f.name for f in fields(parts[0])]  # type: ignore[arg-type]
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
