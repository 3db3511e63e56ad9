# SPDX-License-Identifier: Apache-2.0
"""Positioned drives (GPS tracks) matched to a corridor by projection on its two centre lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lvbo.evaluation.corridors import TRACK_COLUMNS, Way, approach_of, stop_positions_m, ways_of
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network

Floats = NDArray[np.float64]

NEAR_M = 35.0
"""Places farther from the centre line are off the street: positioning, carriageway, lanes."""
LEAST_M = 100.0
"""A stretch that gains less ground along the street tells no direction."""
PARTED_S = 60.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted:
    """What of a drive lies on a corridor (`corridor_tracks`), and how near its nearest place is."""

    tracks: pl.DataFrame
    nearest_m: float


def fit_drive(
    name: str,
    times_s: Sequence[float],
    points: Sequence[tuple[float, float]],
    corridor: Corridor,
    network: Network,
) -> Fitted:
    """Return the stretches of a drive along a corridor, in local metres and rising times.

    A stretch stays within 35 m of a centre line, has no gap of more than 60 s, and gains at least
    100 m in that line's direction.
    """
    times = np.asarray(times_s, np.float64)
    places = np.asarray(points, np.float64).reshape(-1, 2)
    rows: list[tuple[str, str, float, float]] = []
    nearest, count = np.inf, 0
    for way, _ in ways_of(corridor):
        line, at = centre_line(corridor, network, way)
        off, along = _projected(places, line, at)
        nearest = min(nearest, float(off.min(initial=np.inf)))
        sign = 1.0 if way is Way.OUTBOUND else -1.0
        for stretch in _stretches(times, off, sign * along):
            count += 1
            rows += [
                (f"{name} {count}", way.value, float(times[k]), float(along[k])) for k in stretch
            ]
    return Fitted(
        tracks=pl.DataFrame(rows, schema=TRACK_COLUMNS, orient="row").sort("vehicle", "t_s"),
        nearest_m=nearest,
    )


def centre_line(corridor: Corridor, network: Network, way: Way) -> tuple[Floats, Floats]:
    """Return the points (n, 2) of one direction's way and their places along the corridor (n).

    It begins with the link ahead of the direction's first stop line.
    """
    outward = way is Way.OUTBOUND
    sign, at = (1.0, stop_positions_m(corridor)) if outward else (-1.0, stop_positions_m(corridor))
    ways = dict(ways_of(corridor))
    sections = ways[way] if outward else ways[way][::-1]
    stops = at if outward else at[::-1]
    first = corridor.stops[0].outbound if outward else corridor.stops[-1].inbound
    start = [p for link in approach_of(first, network) for p in network.link_index[link].shape]
    lines, places = [np.asarray(start or [], np.float64).reshape(-1, 2)], []
    done = _lengths(lines[0])
    places.append(stops[0] - sign * (done[-1] - done) if done.size else done)
    for section, (begin, end) in zip(sections, pairwise(stops), strict=True):
        shape = [p for link in section.links for p in network.link_index[link].shape]
        before = lines[-1][-1:] if lines[-1].size else np.empty((0, 2))
        points = np.concatenate((before, np.asarray(shape, np.float64)))
        done = _lengths(points)
        lines.append(points)
        places.append(begin + (end - begin) * done / max(float(done[-1]), 1e-9))
    return np.concatenate(lines), np.concatenate(places)


def _lengths(points: Floats) -> Floats:
    if not points.size:
        return np.empty(0)
    steps = np.hypot(*np.diff(points, axis=0).T)
    return np.concatenate(([0.0], np.cumsum(steps)))


def _projected(points: Floats, line: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Return how far off the line each point lies, and the place of its foot along the corridor."""
    a, d = line[:-1], np.diff(line, axis=0)
    squared = np.maximum((d**2).sum(axis=1), 1e-12)
    share = np.clip(((points[:, None] - a) * d).sum(axis=2) / squared, 0, 1)
    gap = points[:, None] - (a + share[..., None] * d)
    off = np.hypot(gap[..., 0], gap[..., 1])
    best = off.argmin(axis=1)
    rows = np.arange(len(points))
    foot = at[:-1][best] + share[rows, best] * np.diff(at)[best]
    return off[rows, best], foot


def _stretches(times: Floats, off: Floats, gained: Floats) -> Iterator[range]:
    """Yield the stretches on the street that gain ground, cut where the drive turns round."""
    on = np.flatnonzero(off <= NEAR_M)
    cuts = np.flatnonzero((np.diff(on) > 1) | (np.diff(times[on]) > PARTED_S)) + 1
    for run in np.split(on, cuts):
        begin = 0
        for end in [*_turns(gained[run]), len(run) - 1]:
            if len(run) and gained[run[end]] - gained[run[begin]] >= LEAST_M:
                yield range(int(run[begin]), int(run[end]) + 1)
            begin = end


def _turns(gained: Floats) -> list[int]:
    """Return where a drive turns round: its farthest places before it goes back 100 m or more."""
    found: list[int] = []
    far, sign = 0, 0.0
    for k in range(1, gained.size):
        step = float(gained[k] - gained[far])
        if sign == 0.0:
            if abs(step) >= LEAST_M:
                sign, far = float(np.sign(step)), k
        elif step * sign >= 0:
            far = k
        elif -step * sign >= LEAST_M:
            found.append(far)
            sign, far = -sign, k
    return found
