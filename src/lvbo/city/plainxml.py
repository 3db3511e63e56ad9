# SPDX-License-Identifier: Apache-2.0
"""The street network of `yuci` as SUMO plain XML: nodes, edges, connections, crossings.

An approach with bays is two edges, `A.B` and its last part `A.B.s`. Lane 0 is the sidewalk, lane 1
the bicycle lane where there is one; vehicle lanes follow from right to left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from lvbo.city.streets import (
    STREETS,
    Leg,
    Side,
    Site,
    StopLine,
    Street,
    Turn,
    ends,
    exit_side,
    is_wide,
)

Area = Mapping[str, Site]
"""The sites that are built, by code; what lies beyond is cut off."""

THROUGH_WIDTH_M = 3.25
TURN_WIDTH_M = 3.0
SIDEWALK_M = 3.0
ZEBRA_M = 5.0
_HALF_JUNCTION_M = 28


def first_lane(street: Street) -> int:
    """Return the index of the kerb vehicle lane of every edge of a street."""
    return 2 if street.bike_m else 1


def inbound_edge(site: Site, leg: Leg) -> str:
    """Return the edge that ends at the stop line of a leg."""
    return f"{leg.far}.{site.code}.s" if has_bay(leg) else f"{leg.far}.{site.code}"


def outbound_edge(site: Site, leg: Leg) -> str:
    """Return the edge by which traffic leaves a site over a leg."""
    return f"{site.code}.{leg.far}"


def has_bay(leg: Leg) -> bool:
    """Return whether the stop line has more lanes than the street."""
    return leg.stop_line.lanes > STREETS[leg.street].lanes


def lane_turns(line: StopLine, site: Site, side: Side) -> tuple[tuple[Turn, ...], ...]:
    """Return the turns of each vehicle lane of an approach, from right to left."""
    shared = [turn for turn in Turn if exit_side(side, turn) in site.legs]
    mixed = (Turn.LEFT, Turn.RIGHT) if Turn.THROUGH not in shared else (Turn.THROUGH, Turn.RIGHT)
    lanes: list[tuple[Turn, ...]] = [(Turn.RIGHT,)] * line.rights
    lanes += [mixed] * line.mixed
    lanes += [(Turn.THROUGH,)] * line.throughs
    lanes += [(Turn.LEFT,)] * line.lefts
    return tuple(lanes)


def node_xml(area: Area) -> ET.Element:
    """Return all nodes: sites, the starts of the bays, and the ends of the area."""
    root = ET.Element("nodes")
    outside = ends(area)
    for code, (x_m, y_m) in sorted(outside.items()):
        _add(root, "node", id=code, x=x_m, y=y_m, type="dead_end")
    for site in area.values():
        _add(root, "node", id=site.code, x=site.x_m, y=site.y_m, type="traffic_light", radius=4)
        for side, leg in site.legs.items():
            if has_bay(leg):
                x_m, y_m = _bay_start(site, side, leg, area)
                _add(root, "node", id=f"{leg.far}.{site.code}.b", x=x_m, y=y_m, type="priority")
    return root


def edge_xml(area: Area) -> ET.Element:
    """Return all edges with their lanes and street names."""
    root = ET.Element("edges")
    for site in area.values():
        for leg in site.legs.values():
            plain = f"{leg.far}.{site.code}"
            if has_bay(leg):
                _edge(root, plain, leg.far, f"{plain}.b", leg, _plain_widths(leg))
                _edge(root, f"{plain}.s", f"{plain}.b", site.code, leg, _stop_line_widths(leg))
            else:
                _edge(root, plain, leg.far, site.code, leg, _plain_widths(leg))
            if leg.far not in area:
                back = outbound_edge(site, leg)
                _edge(root, back, site.code, leg.far, leg, _plain_widths(leg))
    return root


def connection_xml(area: Area) -> ET.Element:
    """Return all lane-to-lane connections and the zebras."""
    root = ET.Element("connections")
    for site in area.values():
        for side, leg in site.legs.items():
            if has_bay(leg):
                _bay_links(root, site, leg)
            for turn in Turn:
                if exit_side(side, turn) in site.legs:
                    _turn_links(root, site, side, turn)
        for leg in site.legs.values():
            if leg.zebra:
                pair = f"{inbound_edge(site, leg)} {outbound_edge(site, leg)}"
                _add(root, "crossing", node=site.code, edges=pair, width=ZEBRA_M, priority="true")
    return root


def _add(root: ET.Element, tag: str, **fields: object) -> ET.Element:
    names = {key.rstrip("_"): str(value) for key, value in fields.items()}
    return ET.SubElement(root, tag, names)


def _bay_start(site: Site, side: Side, leg: Leg, area: Area) -> tuple[int, int]:
    reach = _HALF_JUNCTION_M + (80 if is_wide(STREETS[leg.street]) else 65)
    step = {Side.WEST: (-1, 0), Side.EAST: (1, 0), Side.NORTH: (0, 1), Side.SOUTH: (0, -1)}[side]
    far_x, far_y = _place(leg.far, area)
    length = abs(far_x - site.x_m) + abs(far_y - site.y_m)
    share = reach / length
    if step[0]:
        return site.x_m + step[0] * reach, round(site.y_m + (far_y - site.y_m) * share)
    return round(site.x_m + (far_x - site.x_m) * share), site.y_m + step[1] * reach


def _place(code: str, area: Area) -> tuple[int, int]:
    if code in area:
        return area[code].x_m, area[code].y_m
    return ends(area)[code]


def _plain_widths(leg: Leg) -> list[float]:
    return [THROUGH_WIDTH_M] * STREETS[leg.street].lanes


def _stop_line_widths(leg: Leg) -> list[float]:
    line = leg.stop_line
    straight = line.mixed + line.throughs
    return [TURN_WIDTH_M] * line.rights + [THROUGH_WIDTH_M] * straight + [TURN_WIDTH_M] * line.lefts


def _edge(root: ET.Element, code: str, start: str, end: str, leg: Leg, widths: list[float]) -> None:
    street = STREETS[leg.street]
    base = first_lane(street)
    edge = _add(
        root,
        "edge",
        id=code,
        from_=start,
        to=end,
        name=street.name,
        numLanes=base + len(widths),
        speed=f"{street.limit_kmh / 3.6:.3f}",
        priority=street.lanes,
    )
    _add(edge, "lane", index=0, allow="pedestrian", width=SIDEWALK_M, speed="2.78")
    if street.bike_m:
        _add(edge, "lane", index=1, allow="bicycle", width=street.bike_m, speed="5.56")
    for index, width in enumerate(widths, start=base):
        _add(edge, "lane", index=index, disallow="pedestrian bicycle", width=width)


def _bay_links(root: ET.Element, site: Site, leg: Leg) -> None:
    """Connect a street's lanes with those of its stop line; outer lanes fan out into the bays."""
    start, end = f"{leg.far}.{site.code}", f"{leg.far}.{site.code}.s"
    street = STREETS[leg.street]
    base, line = first_lane(street), leg.stop_line
    if street.bike_m:
        _add(root, "connection", from_=start, to=end, fromLane=1, toLane=1)
    for target in range(line.lanes):
        source = min(max(target - line.rights, 0), street.lanes - 1)
        fields = {"from_": start, "to": end, "fromLane": base + source, "toLane": base + target}
        _add(root, "connection", **fields)


def _turn_links(root: ET.Element, site: Site, side: Side, turn: Turn) -> None:
    leg, leave = site.legs[side], site.legs[exit_side(side, turn)]
    start, end = inbound_edge(site, leg), outbound_edge(site, leave)
    street, target = STREETS[leg.street], STREETS[leave.street]
    for source, goal in _lane_pairs(site, side, turn):
        _add(
            root,
            "connection",
            from_=start,
            to=end,
            fromLane=first_lane(street) + source,
            toLane=first_lane(target) + goal,
        )
    if street.bike_m and target.bike_m and turn is not Turn.LEFT:
        _add(root, "connection", from_=start, to=end, fromLane=1, toLane=1)


def _lane_pairs(site: Site, side: Side, turn: Turn) -> Iterator[tuple[int, int]]:
    """Yield (stop-line lane, exit lane), both counted from the right."""
    leg = site.legs[side]
    lanes = lane_turns(leg.stop_line, site, side)
    own = [index for index, turns in enumerate(lanes) if turn in turns]
    room = STREETS[site.legs[exit_side(side, turn)].street].lanes
    for rank, source in enumerate(own):
        if turn is Turn.LEFT:
            goal = max(room - len(own) + rank, 0)
        elif turn is Turn.RIGHT:
            goal = 0
        else:
            goal = min(rank, room - 1)
        yield source, goal
