# SPDX-License-Identifier: Apache-2.0
"""Lanes whose counts fit the street better exchanged, and lanes that count less than twins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.balance import LEAST_GEH, geh
from lvbo.demand.served import Served
from lvbo.detection.tables import Target
from lvbo.errors import Finding, Severity
from lvbo.ids import LaneId, LinkId, MovementId
from lvbo.network.network import Network
from lvbo.network.place import Link

Array = NDArray[np.float64]
BETTER = 0.3
TWIN_LOW = 0.88
BUSY_SHARE = 0.5
MOST_PAIRS = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class _Street:
    """Mean volumes of the busier half of the slots: per lane, per movement, and per link gap."""

    network: Network
    lanes: Mapping[LaneId, float]
    movements: Mapping[MovementId, float]
    gaps: Mapping[LinkId, float]


def suspect_lanes(network: Network, served: Served) -> tuple[Finding, ...]:
    """Return lanes side by side that look exchanged, and lanes that look like under-counting.

    Exchanged (LV537): the links behind balance far better the other way round. Under-counting
    (LV538): a lane sees less than 88 % of the lanes beside it that serve the same movements.
    """
    street = _street(network, served)
    findings = _all_exchanged(street)
    for link in network.links:
        findings += _low_twins(street, link)
    return tuple(findings)


def _all_exchanged(street: _Street) -> list[Finding]:
    """Return exchanged pairs, the one that explains most first; what it explains is settled."""
    gaps = dict(street.gaps)
    findings: list[Finding] = []
    while len(findings) < MOST_PAIRS:
        found = [pair for pair in _pairs(street, gaps) if pair.gain > 0]
        if not found:
            break
        best = max(found, key=lambda pair: pair.gain)
        for link, change in best.changes:
            gaps[link] += change
        fields = {
            "other": best.b,
            "vph": round(street.lanes[best.a]),
            "other_vph": round(street.lanes[best.b]),
        }
        findings.append(
            Finding(code="LV537", place=best.a, severity=Severity.WARNING, fields=fields)
        )
    return findings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two lanes, how much of the squared gaps their exchange settles, and by what changes."""

    a: LaneId
    b: LaneId
    gain: float
    changes: tuple[tuple[LinkId, float], ...]


def _pairs(street: _Street, gaps: Mapping[LinkId, float]) -> list[_Pair]:
    found = []
    for link in street.network.links:
        counted = [lane for lane in link.lanes if lane.id in street.lanes]
        for a, b in pairwise(sorted(counted, key=lambda lane: lane.index)):
            pair = _pair(street, gaps, a.id, b.id)
            if pair is not None:
                found.append(pair)
    return found


def _street(network: Network, served: Served) -> _Street:
    total = np.nan_to_num(served.volume).sum(axis=2)
    busy = total >= np.quantile(total, BUSY_SHARE)
    lanes = {
        LaneId(name): _mean(served.slots.rate_vph[t], busy)
        for t, (kind, name) in enumerate(served.slots.targets)
        if kind == Target.LANE
    }
    movements = {
        movement: _mean(served.alone[:, :, k], busy) for k, movement in enumerate(served.movements)
    }
    gaps = {}
    for link in network.link_index:
        out = [movements[m.id] for m in network.movements_from[link]]
        into = [movements[m.id] for m in network.movements_into[link]]
        if out and into and not np.isnan([*out, *into]).any():
            gaps[link] = sum(into) - sum(out)
    known = {lane: volume for lane, volume in lanes.items() if not np.isnan(volume)}
    return _Street(network=network, lanes=known, movements=movements, gaps=gaps)


def _mean(values: Array, busy: NDArray[np.bool_]) -> float:
    seen = values[busy & ~np.isnan(values)]
    return float(seen.mean()) if len(seen) else float("nan")


def _pair(street: _Street, gaps: Mapping[LinkId, float], a: LaneId, b: LaneId) -> _Pair | None:
    serving = street.network.lane_movements
    own, other = serving.get(a, ()), serving.get(b, ())
    if not own or not other or {m.id for m in own} & {m.id for m in other}:
        return None
    more = street.lanes[b] - street.lanes[a]
    main = [max(group, key=lambda m: street.movements[m.id]) for group in (own, other)]
    behind = [(main[0].to_link, more), (main[1].to_link, -more)]
    changes = tuple((link, change) for link, change in behind if link in gaps)
    before = sum(gaps[link] ** 2 for link, _ in changes)
    after = sum((gaps[link] + change) ** 2 for link, change in changes)
    off = float(geh(np.array(street.lanes[a]), np.array(street.lanes[b])))
    if not changes or off < LEAST_GEH or after > BETTER * before or before < more**2 / 4:
        return None
    return _Pair(a=a, b=b, gain=before - after, changes=changes)


def _low_twins(street: _Street, link: Link) -> list[Finding]:
    """Return lanes below their twins: those that serve the same movements, two others at least."""
    twins: dict[frozenset[MovementId], list[LaneId]] = {}
    for lane in link.lanes:
        serves = frozenset(m.id for m in street.network.lane_movements.get(lane.id, ()))
        if serves and lane.id in street.lanes:
            twins.setdefault(serves, []).append(lane.id)
    findings = []
    for group in twins.values():
        for name in group:
            others = [street.lanes[k] for k in group if k != name]
            if len(others) < 2:  # noqa: PLR2004  of two lanes nobody knows which is wrong
                continue
            usual = float(np.median(others))
            if 0 < street.lanes[name] < TWIN_LOW * usual:
                fields = {"percent": round(100 * street.lanes[name] / usual)}
                findings.append(
                    Finding(code="LV538", place=name, severity=Severity.ADVICE, fields=fields)
                )
    return findings
