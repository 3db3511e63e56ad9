# SPDX-License-Identifier: Apache-2.0
"""Paths through a network whose flows add up to the movement volumes: routes from counts.

The estimator is the Poisson maximum-likelihood (entropy) path-flow iteration started at a prior: it
keeps what the prior says wherever the volumes leave it open, and no flow is ever negative.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.balance import geh
from lvbo.errors import Finding, InputError, Severity
from lvbo.ids import LinkId, MovementId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.network.place import Movement, Turn

Array = NDArray[np.float64]
Path = tuple[LinkId, ...]
ROUNDS = 400
KEPT_PATHS = 3
DETOUR = 1.6
AGAIN = 1.4
TURN_S = {Turn.THROUGH: 0.0, Turn.RIGHT: 5.0, Turn.LEFT: 15.0, Turn.UTURN: 120.0}
LEAST_END_VPH = 20.0
LEAST_END_SHARE = 0.1
GOOD_GEH = 5.0
GOOD_SHARE = 0.85


@dataclass(frozen=True, eq=False, kw_only=True)
class RouteFit:
    """Paths with their flows in veh/h, and how well movement volumes are met.

    `wanted_vph`, `fitted_vph` and `geh` are per counted movement.
    """

    paths: tuple[Path, ...]
    flow_vph: Array
    movements: tuple[MovementId, ...]
    wanted_vph: Array
    fitted_vph: Array
    geh: Array
    findings: tuple[Finding, ...]

    @property
    def good_share(self) -> float:
        """Return the share of movements met within GEH 5."""
        return float((self.geh < GOOD_GEH).mean()) if len(self.geh) else 0.0


def _for_cars(network: Network) -> Network:
    """Return the network without the movements that private cars may not make."""
    return replace(
        network, movements=tuple(m for m in network.movements if _admits_cars(network, m))
    )


def _admits_cars(network: Network, movement: Movement) -> bool:
    onto = network.link_index[movement.to_link]
    lanes = [network.lane_index[lane] for lane in movement.lanes]
    return all(not group or any(x.for_cars for x in group) for group in (lanes, onto.lanes))


def fit_routes(
    network: Network,
    volumes_vph: Mapping[MovementId, float],
    *,
    through_share: float = 0.35,
) -> RouteFit:
    """Return flows on candidate paths that fit movement volumes; NaN volumes are not fitted.

    Candidates are up to three short paths between all places where traffic can begin and end, and
    the whole length of each corridor. `through_share` is the prior share of traffic on a corridor's
    first link that stays on it to the end.

    Raises:
        InputError: LV545 where no path touches a counted movement.

    """
    network = _for_cars(network)
    open_ = network.movement_index
    known = {m: v for m, v in volumes_vph.items() if np.isfinite(v) and m in open_}
    paths = _candidates(network, known)
    movements = tuple(sorted(known))
    steps = [_movements_of(network, path) for path in paths]
    row = {movement: k for k, movement in enumerate(movements)}
    matrix = np.zeros((len(movements), len(paths)))
    for p, taken in enumerate(steps):
        for movement in taken:
            if movement in row:
                matrix[row[movement], p] += 1
    if not matrix.any():
        raise InputError("LV545", place="demand", movements=len(movements))
    wanted = np.array([known[m] for m in movements])
    prior = _prior(network, paths, known, through_share)
    flow = _fit(matrix, wanted, prior)
    fitted = matrix @ flow
    apart = geh(fitted, wanted)
    return RouteFit(
        paths=tuple(paths),
        flow_vph=flow,
        movements=movements,
        wanted_vph=wanted,
        fitted_vph=fitted,
        geh=apart,
        findings=_said(movements, matrix, wanted, fitted, apart),
    )


def _fit(matrix: Array, wanted: Array, prior: Array) -> Array:
    reach = np.maximum(matrix.sum(axis=0), 1e-12)
    flow = np.maximum(prior, 1e-3)
    for _ in range(ROUNDS):
        made = np.maximum(matrix @ flow, 1e-9)
        flow = flow * (matrix.T @ (wanted / made)) / reach
    return np.where(matrix.any(axis=0), flow, 0.0)


def _candidates(network: Network, known: Mapping[MovementId, float]) -> list[Path]:
    starts, ends = _ends(network, known)
    found: dict[Path, None] = {}
    for start in starts:
        for path in _from(network, start, ends):
            found.setdefault(path)
    for corridor in network.corridors:
        for way in (corridor, corridor.reversed()):
            movements = [stop.outbound for stop in way.stops if stop.outbound is not None]
            whole = _along(network, movements)
            if whole is not None:
                found.setdefault(whole)
    return list(found)


def _ends(
    network: Network, known: Mapping[MovementId, float]
) -> tuple[tuple[LinkId, ...], frozenset[LinkId]]:
    """Return links on which trips begin and end: at the edge, or where counts do not balance."""
    starts, ends = [], []
    for link in network.link_index:
        out = [m.id for m in network.movements_from[link] if m.turn is not Turn.UTURN]
        into = [m.id for m in network.movements_into[link] if m.turn is not Turn.UTURN]
        gone = sum(known.get(m, 0.0) for m in out)
        came = sum(known.get(m, 0.0) for m in into)
        counted = all(m in known for m in (*out, *into))
        least = max(LEAST_END_VPH, LEAST_END_SHARE * max(gone, came))
        if out and (not into or (counted and gone - came > least)):
            starts.append(link)
        if into and (not out or (counted and came - gone > least)):
            ends.append(link)
    return tuple(sorted(starts)), frozenset(ends)


def _from(network: Network, start: LinkId, ends: frozenset[LinkId]) -> Iterable[Path]:
    """Yield up to three short paths from one link to each end, none much longer than the best."""
    slower: dict[LinkId, float] = {}
    best: dict[LinkId, float] = {}
    for _ in range(KEPT_PATHS):
        cost, before = _tree(network, start, slower)
        used: set[LinkId] = set()
        for end in sorted(ends & cost.keys() - {start}):
            path = _back(before, end)
            seconds = _seconds(network, path)
            best.setdefault(end, seconds)
            if seconds <= DETOUR * best[end]:
                yield path
                used.update(path[1:-1])
        for link in used:
            slower[link] = slower.get(link, 1.0) * AGAIN


def _tree(
    network: Network, start: LinkId, slower: Mapping[LinkId, float]
) -> tuple[dict[LinkId, float], dict[LinkId, LinkId]]:
    """Return travel times in s from the end of `start`, and the link before each (Dijkstra)."""
    cost = {start: 0.0}
    before: dict[LinkId, LinkId] = {}
    heap: list[tuple[float, LinkId]] = [(0.0, start)]
    done: set[LinkId] = set()
    while heap:
        so_far, link = heapq.heappop(heap)
        if link in done:
            continue
        done.add(link)
        for movement in network.movements_from[link]:
            new = so_far + _step_s(network, movement) * slower.get(movement.to_link, 1.0)
            if new < cost.get(movement.to_link, np.inf):
                cost[movement.to_link] = new
                before[movement.to_link] = link
                heapq.heappush(heap, (new, movement.to_link))
    return cost, before


def _step_s(network: Network, movement: Movement) -> float:
    link = network.link_index[movement.to_link]
    return link.length_m / max(link.speed_mps, 0.1) + TURN_S[movement.turn]


def _back(before: Mapping[LinkId, LinkId], end: LinkId) -> Path:
    path = [end]
    while path[-1] in before:
        path.append(before[path[-1]])
    return tuple(reversed(path))


def _seconds(network: Network, path: Path) -> float:
    links = (network.link_index[link] for link in path)
    return sum(link.length_m / max(link.speed_mps, 0.1) for link in links)


def _along(network: Network, movements: list[MovementId]) -> Path | None:
    """Return the links of a chain of movements, None where it does not hang together."""
    if not movements:
        return None
    steps = [network.movement_index[m] for m in movements]
    path = [steps[0].from_link]
    for step in steps:
        if step.from_link != path[-1]:
            return None
        path.append(step.to_link)
    return tuple(path)


def _movements_of(network: Network, path: Path) -> list[MovementId]:
    """Return the movements that a path takes."""
    taken = []
    for a, b in pairwise(path):
        found = next((m.id for m in network.movements_from[a] if m.to_link == b), None)
        if found is not None:
            taken.append(found)
    return taken


def _prior(
    network: Network,
    paths: list[Path],
    known: Mapping[MovementId, float],
    through_share: float,
) -> Array:
    """Return prior flows: what leaves the first link, shared by what enters the last ones."""
    leaving = {
        link: sum(known.get(m.id, 0.0) for m in out) for link, out in network.movements_from.items()
    }
    entering = {
        link: sum(known.get(m.id, 0.0) for m in into)
        for link, into in network.movements_into.items()
    }
    weight = np.array([entering[path[-1]] + 1.0 for path in paths])
    first: dict[LinkId, list[int]] = {}
    for p, path in enumerate(paths):
        first.setdefault(path[0], []).append(p)
    whole = {_ends_of(c) for corridor in network.corridors for c in (corridor, corridor.reversed())}
    prior = np.zeros(len(paths))
    for link, own in first.items():
        prior[own] = leaving[link] * weight[own] / weight[own].sum()
        through = [p for p in own if (paths[p][1:2], paths[p][-2:-1]) in whole]
        if through and len(through) < len(own):
            rest = [p for p in own if p not in through]
            prior[through] *= through_share * leaving[link] / max(prior[through].sum(), 1e-9)
            prior[rest] *= (1 - through_share) * leaving[link] / max(prior[rest].sum(), 1e-9)
    return prior


def _ends_of(corridor: Corridor) -> tuple[Path, Path]:
    """Return the second and the last but one link of a corridor's whole way, outbound."""
    sections = corridor.outbound
    if not sections:
        return (), ()
    return sections[0].links[:1], sections[-1].links[-1:]


def _said(
    movements: tuple[MovementId, ...],
    matrix: Array,
    wanted: Array,
    fitted: Array,
    apart: Array,
) -> tuple[Finding, ...]:
    findings = [
        Finding(
            code="LV546",
            place=movements[k],
            severity=Severity.WARNING,
            fields={
                "wanted_vph": round(float(wanted[k])),
                "fitted_vph": round(float(fitted[k])),
                "geh": round(float(apart[k]), 1),
            },
        )
        for k in np.flatnonzero(apart >= GOOD_GEH)
    ]
    missed = int(((~matrix.any(axis=1)) & (wanted > 0)).sum())
    good = float((apart < GOOD_GEH).mean())
    if good < GOOD_SHARE or missed:
        fields = {"percent": round(100 * good), "missed": missed}
        findings.append(
            Finding(code="LV547", place="routes", severity=Severity.WARNING, fields=fields)
        )
    return tuple(findings)
