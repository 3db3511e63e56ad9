# SPDX-License-Identifier: Apache-2.0
"""The facts of the demo city `yuci`: streets, sites, legs, lanes and crossings.

The street names are those of public texts. Every figure is a plausible value for a mid-size
Chinese city, chosen, not measured: the city is a schematic, no survey. Distances are metres; x
grows eastwards from 锦纶路, y northwards from 安宁街.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from types import MappingProxyType

ARM_M = 300
_WIDE_LANES = 3
WALK_MPS = 1.0


class Side(StrEnum):
    """The compass leg of a site; traffic from the west leg travels eastbound."""

    WEST = "w"
    EAST = "e"
    NORTH = "n"
    SOUTH = "s"


class Turn(StrEnum):
    """What a vehicle does at a stop line."""

    LEFT = "L"
    THROUGH = "T"
    RIGHT = "R"


class Kind(StrEnum):
    """The shape of a signal site."""

    CROSSING = "crossing"
    TEE = "tee"
    BRANCH = "branch"
    MIDBLOCK = "midblock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """One street: its lanes per direction between sites and its speeds."""

    code: str
    name: str
    lanes: int
    bike_m: float
    limit_kmh: int
    median_kmh: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine:
    """The lanes of one approach, by use.

    `mixed` lanes serve through and right, or left and right where nothing goes straight on.
    """

    lefts: int = 0
    throughs: int = 0
    mixed: int = 0
    rights: int = 0

    @property
    def lanes(self) -> int:
        """Return the number of vehicle lanes at the stop line."""
        return self.lefts + self.throughs + self.mixed + self.rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One leg of a site: the street it lies on, the node at its far end, and its stop line."""

    side: Side
    street: str
    far: str
    stop_line: StopLine
    zebra: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One signal: its place and its legs."""

    code: str
    name: str
    kind: Kind
    x_m: int
    y_m: int
    legs: Mapping[Side, Leg] = field(hash=False)
    one_approach_at_a_time: bool = False


_STREETS = (
    Street(code="AN", name="安宁街", lanes=3, bike_m=3.5, limit_kmh=60, median_kmh=42),
    Street(code="YH", name="蕴华街", lanes=3, bike_m=3.5, limit_kmh=60, median_kmh=44),
    Street(code="WH", name="文华街", lanes=2, bike_m=2.5, limit_kmh=50, median_kmh=34),
    Street(code="JL", name="锦纶路", lanes=2, bike_m=2.5, limit_kmh=40),
    Street(code="ZD", name="中都路", lanes=3, bike_m=2.5, limit_kmh=60),
    Street(code="HT", name="汇通路", lanes=3, bike_m=2.5, limit_kmh=60),
    Street(code="XJ", name="新建路", lanes=2, bike_m=2.5, limit_kmh=50),
    Street(code="YB", name="迎宾路", lanes=2, bike_m=2.5, limit_kmh=50),
    Street(code="DZ", name="安宁街东支路", lanes=2, bike_m=0.0, limit_kmh=40),
    Street(code="BZ", name="蕴华街北支路", lanes=1, bike_m=0.0, limit_kmh=30),
)
STREETS: Mapping[str, Street] = MappingProxyType({s.code: s for s in _STREETS})
ROADS = ("JL", "ZD", "HT", "XJ", "YB")
ROWS: Mapping[str, int] = MappingProxyType({"YH": 1200, "WH": 720, "AN": 0})
SPACING_M: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"AN": (420, 610, 350, 780), "YH": (430, 600, 360, 770), "WH": (410, 620, 340, 790)}
)
ROUND_ROBIN_SITE = "WH_JL"
WAITING_AREAS = ("AN_ZD", "AN_HT")
RIGHT_ARROWS = ("YH_ZD", "YH_HT")
DOUBLE_LEFTS = ("AN_ZD", "AN_HT")
FLASH_AT_NIGHT = ("AN_T", "YH_B")
SCHOOLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"school_west": ("WH_ZD", "WH_P"), "school_east": ("WH_XJ", "WH_YB")}
)
"""The street section, west end first, on which each school's gate lies."""

_THREE = StopLine(lefts=1, throughs=3, rights=1)
_TWO = StopLine(lefts=1, throughs=1, mixed=1)


def is_wide(street: Street) -> bool:
    """Return whether a street has three lanes per direction."""
    return street.lanes == _WIDE_LANES


def crossing_m(street: Street) -> int:
    """Return the length of a zebra over a street, kerb to kerb."""
    return {3: 36, 2: 24, 1: 14}[street.lanes]


def clearance_s(site: Site, side: Side) -> int:
    """Return how long a pedestrian needs for the longest undivided part of a leg's zebra."""
    street = STREETS[site.legs[side].street]
    halves = {3: 17, 2: 24, 1: 14}
    length_m = 11 if site.one_approach_at_a_time else halves[street.lanes]
    return round(length_m / WALK_MPS)


def all_red_s(site: Site) -> int:
    """Return the all-red of a site: 3 s where two three-lane streets meet, else 2 s."""
    wide = [is_wide(STREETS[leg.street]) for leg in site.legs.values()]
    return 3 if site.kind is Kind.CROSSING and all(wide) else 2


def exit_side(side: Side, turn: Turn) -> Side:
    """Return the leg by which a vehicle leaves; from the west a left turn leaves north."""
    ring = (Side.WEST, Side.NORTH, Side.EAST, Side.SOUTH)
    step = {Turn.LEFT: 1, Turn.THROUGH: 2, Turn.RIGHT: 3}[turn]
    return ring[(ring.index(side) + step) % 4]


@cache
def sites() -> Mapping[str, Site]:
    """Return the 18 signal sites by code, in row and then road order."""
    found = [_crossing(row, road) for row in ROWS for road in ROADS]
    found += [_tee(), _branch(), _midblock()]
    return MappingProxyType({site.code: site for site in found})


def along(street: str) -> tuple[Site, ...]:
    """Return the sites of a street, west to east or north to south."""
    found = [s for s in sites().values() if any(leg.street == street for leg in s.legs.values())]
    return tuple(sorted(found, key=lambda s: -s.y_m if street in ROADS else s.x_m))


def section(street: str) -> Mapping[str, Site]:
    """Return the sites of one street by code: the city cut down to a pilot section."""
    return MappingProxyType({site.code: site for site in along(street)})


def ends(area: Mapping[str, Site] | None = None) -> Mapping[str, tuple[int, int]]:
    """Return the places (x, y) of the nodes where an area (or the city) ends, by node code."""
    inside = sites() if area is None else area
    step = {Side.WEST: (-1, 0), Side.EAST: (1, 0), Side.NORTH: (0, 1), Side.SOUTH: (0, -1)}
    found = {}
    for site in inside.values():
        for side, leg in site.legs.items():
            if leg.far not in inside:
                dx, dy = step[side]
                found[leg.far] = (site.x_m + dx * ARM_M, site.y_m + dy * ARM_M)
    return found


def _road_x(row: str, road: str) -> int:
    return sum(SPACING_M[row][: ROADS.index(road)])


def _far(row: str, road: str, side: Side) -> str:
    """Return the node at the far end of one leg of a four-leg crossing."""
    between = {
        ("AN", "YB", Side.EAST): "AN_T",
        ("YH", "XJ", Side.EAST): "YH_B",
        ("YH", "YB", Side.WEST): "YH_B",
        ("WH", "ZD", Side.EAST): "WH_P",
        ("WH", "HT", Side.WEST): "WH_P",
    }
    if (row, road, side) in between:
        return between[row, road, side]
    if side in (Side.WEST, Side.EAST):
        at = ROADS.index(road) + (1 if side is Side.EAST else -1)
        return f"{row}_{ROADS[at]}" if 0 <= at < len(ROADS) else f"end_{row}_{side}"
    rows = tuple(ROWS)
    at = rows.index(row) + (1 if side is Side.SOUTH else -1)
    return f"{rows[at]}_{road}" if 0 <= at < len(rows) else f"end_{road}_{side}"


def _crossing(row: str, road: str) -> Site:
    code = f"{row}_{road}"
    lines = {row: _THREE if is_wide(STREETS[row]) else _TWO}
    lines[road] = _THREE if is_wide(STREETS[road]) else _TWO
    if code in DOUBLE_LEFTS:
        lines[row] = StopLine(lefts=2, throughs=3, rights=1)
    owners = {Side.WEST: row, Side.EAST: row, Side.NORTH: road, Side.SOUTH: road}
    legs = [
        Leg(side=side, street=street, far=_far(row, road, side), stop_line=lines[street])
        for side, street in owners.items()
    ]
    return Site(
        code=code,
        name=f"{STREETS[row].name}×{STREETS[road].name}",
        kind=Kind.CROSSING,
        x_m=_road_x(row, road),
        y_m=ROWS[row],
        legs=_by_side(legs),
        one_approach_at_a_time=code == ROUND_ROBIN_SITE,
    )


def _tee() -> Site:
    east = StopLine(lefts=1, throughs=3)
    west = StopLine(throughs=3, rights=1)
    south = StopLine(lefts=1, rights=1)
    legs = [
        Leg(side=Side.WEST, street="AN", far="AN_YB", stop_line=west, zebra=False),
        Leg(side=Side.EAST, street="AN", far="end_AN_e", stop_line=east),
        Leg(side=Side.SOUTH, street="DZ", far="end_DZ_s", stop_line=south),
    ]
    x_m = _road_x("AN", "YB") + 250
    name = "安宁街×东支路"
    return Site(code="AN_T", name=name, kind=Kind.TEE, x_m=x_m, y_m=0, legs=_by_side(legs))


def _branch() -> Site:
    west = StopLine(lefts=1, throughs=3)
    east = StopLine(throughs=2, mixed=1)
    legs = [
        Leg(side=Side.WEST, street="YH", far="YH_XJ", stop_line=west),
        Leg(side=Side.EAST, street="YH", far="YH_YB", stop_line=east, zebra=False),
        Leg(side=Side.NORTH, street="BZ", far="end_BZ_n", stop_line=StopLine(mixed=1)),
    ]
    x_m = _road_x("YH", "XJ") + 385
    name = "蕴华街×北支路"
    return Site(code="YH_B", name=name, kind=Kind.BRANCH, x_m=x_m, y_m=1200, legs=_by_side(legs))


def _midblock() -> Site:
    line = StopLine(throughs=2)
    legs = [
        Leg(side=Side.WEST, street="WH", far="WH_ZD", stop_line=line),
        Leg(side=Side.EAST, street="WH", far="WH_HT", stop_line=line, zebra=False),
    ]
    x_m = _road_x("WH", "ZD") + 310
    name = "文华街学校过街"
    return Site(code="WH_P", name=name, kind=Kind.MIDBLOCK, x_m=x_m, y_m=720, legs=_by_side(legs))


def _by_side(legs: Iterable[Leg]) -> Mapping[Side, Leg]:
    return MappingProxyType({leg.side: leg for leg in legs})
