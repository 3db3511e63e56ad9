# SPDX-License-Identifier: Apache-2.0
"""Buses that stand at stops between signals: their path along a street, and who stays in its band.

A bus reaches a stop line later by its dwell, of which only mean and spread are known. No band holds
buses over several stops: it would be wider than any green. So a line has a band from the last
signal before each stop to the last one before the next. It counts on an interval of the dwell, as
wide as holds a wanted share of buses, and every green on the way must hold the earliest and the
latest of them (bands of buses beside cars: Ma, Zou, An, Gartner, Wang 2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from lvbo.errors import Finding, InputError
from lvbo.ids import LinkId
from lvbo.network.corridor import Corridor, Section
from lvbo.progression.pathband import Leg, Path, PathBandPlan
from lvbo.progression.problem import Window

Floats = npt.NDArray[np.float64]

SLOWING_MPS2 = 1.0
"""How fast a bus slows down for a stop and gains speed after it: comfortable for who stands."""
GRID_MS = 500
"""Dwell times are summed on a grid of this size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusStop:
    """One stop: the link it lies on, mean and standard deviation of the time a bus stands."""

    link: LinkId
    dwell_s: float
    spread_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BusLine:
    """Buses that drive along a whole street in one direction and stop on the way."""

    name: str
    buses_ph: float
    persons: float
    speed_mps: float
    stops: tuple[BusStop, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BusWay:
    """A line on a street: its direction, and by section (driving order) when it is at the end.

    `drive_s` without dwell, `dwell_s` and `spread_s` of the stops of that section.
    """

    line: BusLine
    outbound: bool
    drive_s: tuple[float, ...]
    dwell_s: tuple[float, ...]
    spread_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BusPart:
    """The part of a way that has one band; its first stop line is number `first` of the way."""

    first: int
    way: BusWay


def bus_way(line: BusLine, corridor: Corridor, place: str) -> BusWay:
    """Return how a line drives along a street.

    Raises:
        InputError: LV441 for every stop that is not on the street, or that lies on the other side
            than the first.

    """
    ahead = {link: k for k, s in enumerate(corridor.outbound) for link in s.links}
    home = {link: k for k, s in enumerate(corridor.inbound[::-1]) for link in s.links}
    outbound = bool(line.stops) and line.stops[0].link in ahead
    own = ahead if outbound else home
    lost = [stop.link for stop in line.stops if stop.link not in own]
    if lost or not line.stops:
        raise InputError.of(
            Finding(
                code="LV441",
                place=place,
                fields={"line": line.name, "link": link, "street": corridor.name},
            )
            for link in lost or ("-",)
        )
    sections = corridor.outbound if outbound else corridor.inbound[::-1]
    at = [[s for s in line.stops if own[s.link] == k] for k in range(len(sections))]
    return BusWay(
        line=line,
        outbound=outbound,
        drive_s=tuple(
            _drive_s(line, section, len(here)) for section, here in zip(sections, at, strict=True)
        ),
        dwell_s=tuple(sum(s.dwell_s for s in here) for here in at),
        spread_s=tuple(math.sqrt(sum(s.spread_s**2 for s in here)) for here in at),
    )


def bus_parts(way: BusWay) -> tuple[BusPart, ...]:
    """Return the parts of a way: from the last signal before each stop to that before the next."""
    stops = [k for k, dwell_s in enumerate(way.dwell_s) if dwell_s > 0 or way.spread_s[k] > 0]
    cuts = sorted({0, *stops, len(way.drive_s)})
    return tuple(
        BusPart(
            first=a,
            way=replace(
                way,
                drive_s=way.drive_s[a:b],
                dwell_s=way.dwell_s[a:b],
                spread_s=way.spread_s[a:b],
            ),
        )
        for a, b in pairwise(cuts)
    )


def _drive_s(line: BusLine, section: Section, stops: int) -> float:
    """Return the time over a section; a stop costs v / a in slowing down and gaining speed."""
    speed = min(line.speed_mps, section.speed_limit_mps)
    return section.length_m / speed + stops * speed / SLOWING_MPS2


def bus_path(
    way: BusWay,
    windows: Sequence[tuple[tuple[Window, ...], ...]],
    signals: Sequence[int],
    counted: float,
    weight: float,
) -> Path:
    """Return the path of a line; its band counts on the middle `counted` share of its dwell.

    `windows[k]` are those of stop line k by sequence, `signals[k]` its signal, in driving order.
    """
    z = NormalDist().inv_cdf(0.5 + counted / 2)
    legs = [Leg(signal=signals[0], windows=windows[0])]
    earliest, mean, variance = 0.0, 0.0, 0.0
    for k, drive_s in enumerate(way.drive_s):
        mean += way.dwell_s[k]
        variance += way.spread_s[k] ** 2
        least = mean - z * math.sqrt(variance)
        legs.append(
            Leg(
                signal=signals[k + 1],
                windows=windows[k + 1],
                extra_ms=round(1000 * (drive_s + least - earliest)),
                spread_ms=round(2000 * z * math.sqrt(variance)),
            )
        )
        earliest = least
    return Path(name=way.line.name, weight=weight, legs=tuple(legs))


def share_without_stop(way: BusWay, path: Path, plan: PathBandPlan, band: int) -> float:
    """Return the share of dwell times at which a bus of the band meets no red, [0, 1].

    Buses pass the first stop line evenly over the band (number `band` of the plan; over the first
    green where there is no band). Dwell is normal and independent from stop to stop.
    """
    first = path.legs[0]
    windows = first.windows[plan.patterns[first.signal]]
    front, width = plan.fronts_ms[band], plan.bands_ms[band]
    if front is None:
        front, width = windows[0][0] + plan.offsets_ms[first.signal], windows[0][1]
    cells = max(1, min(width, plan.cycle_ms) // GRID_MS)
    begin, mass = front % plan.cycle_ms, np.full(cells, 1.0 / cells)
    for k, leg in enumerate(path.legs[1:]):
        begin += round(1000 * way.drive_s[k])
        begin, mass = _dwelt(begin, mass, way.dwell_s[k], way.spread_s[k])
        mass = mass * _is_green(leg, plan, begin + GRID_MS * np.arange(mass.size))
    return float(mass.sum())


def _dwelt(begin: int, mass: Floats, mean_s: float, spread_s: float) -> tuple[int, Floats]:
    """Return where buses are after a dwell: first instant, ms, and shares by cell."""
    if spread_s <= 0:
        return begin + round(1000 * mean_s), mass
    low = math.floor(max(0.0, mean_s - 4 * spread_s) * 1000 / GRID_MS)
    high = math.ceil((mean_s + 4 * spread_s) * 1000 / GRID_MS)
    dwell = NormalDist(mean_s, spread_s)
    edges = [dwell.cdf((k - 0.5) * GRID_MS / 1000) for k in range(low, high + 2)]
    weights = np.diff(edges)
    return begin + low * GRID_MS, np.convolve(mass, weights / weights.sum())


def _is_green(leg: Leg, plan: PathBandPlan, at_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    green = np.zeros(at_ms.size, dtype=bool)
    for start, length in leg.windows[plan.patterns[leg.signal]]:
        since = (at_ms - plan.offsets_ms[leg.signal] - start) % plan.cycle_ms
        green |= since < length
    return green
