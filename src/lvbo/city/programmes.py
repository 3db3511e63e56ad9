# SPDX-License-Identifier: Apache-2.0
"""Before plans as SUMO programmes: one lamp state per link and second, found by connection.

The index of a link is read from the network, never assumed. A zebra shows `G` while walking may
begin and `r` for the whole clearance (SUMO has no flashing walk); the vehicle's green flash lies
inside `G` for the same reason. Bicycles end 4 s before the cars beside them, because they clear
slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from xml.etree import ElementTree as ET

from lvbo.city.before import SHORT_STEADY_S, STEADY_S, YELLOW_S, BeforePlan, Stage
from lvbo.city.calendar import SWITCHES
from lvbo.city.netconvert import SignalLink
from lvbo.city.plainxml import inbound_edge, outbound_edge
from lvbo.city.streets import (
    RIGHT_ARROWS,
    STREETS,
    Kind,
    Side,
    Site,
    Turn,
    clearance_s,
    exit_side,
    sites,
)

BIKE_EARLY_CUT_S = 4
_BIKE_LANE = 1
_LONGEST_CLEARANCE_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A green of one link within a cycle, [begin, end) in seconds, and whether yellow follows."""

    begin_s: int
    end_s: int
    lamp: str = "G"
    yellow: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUse:
    """What a signal link serves: a movement by car or bicycle, or the zebra of a leg."""

    side: Side
    turn: Turn | None
    bicycle: bool = False


def link_use(site: Site, link: SignalLink) -> LinkUse:
    """Return what a link of the network serves, from the edges it joins."""
    for side, leg in site.legs.items():
        if inbound_edge(site, leg) in link.edges_crossed:
            return LinkUse(side=side, turn=None)
        if inbound_edge(site, leg) == link.from_edge:
            turn = _turn(site, side, link.to_edge)
            bicycle = link.from_lane == _BIKE_LANE and bool(STREETS[leg.street].bike_m)
            return LinkUse(side=side, turn=turn, bicycle=bicycle)
    raise KeyError(link)


def programme(plan: BeforePlan, links: Sequence[SignalLink]) -> ET.Element:
    """Return one plan as a SUMO `tlLogic`; it covers every link index of the controller once."""
    site = sites()[plan.site]
    logic = ET.Element(
        "tlLogic", id=plan.site, type="static", programID=plan.period, offset=str(plan.offset_s)
    )
    if plan.flashing:
        state = "".join(_flashing(link_use(site, link)) for link in links)
        ET.SubElement(logic, "phase", duration=str(plan.cycle_s), state=state)
        return logic
    shown = [_windows(plan, site, link_use(site, link)) for link in links]
    edges = sorted({0, plan.cycle_s} | _edges(shown, plan.cycle_s))
    for begin, end in pairwise(edges):
        state = "".join(_lamp(windows, begin, plan.cycle_s) for windows in shown)
        ET.SubElement(logic, "phase", duration=str(end - begin), state=state)
    return logic


def programmes(
    plans: Iterable[BeforePlan], links: Iterable[SignalLink]
) -> dict[str, list[ET.Element]]:
    """Return the programmes of all plans by period."""
    by_controller: dict[str, list[SignalLink]] = {}
    for link in links:
        by_controller.setdefault(link.controller, []).append(link)
    found: dict[str, list[ET.Element]] = {}
    for plan in plans:
        own = sorted(by_controller[plan.site], key=lambda link: link.index)
        found.setdefault(plan.period, []).append(programme(plan, own))
    return found


def switching(area: Iterable[str]) -> list[ET.Element]:
    """Return the weekday switching of some controllers as SUMO WAUT elements."""
    codes = list(area)
    found = []
    for code in codes:
        waut = ET.Element("WAUT", id=f"weekday.{code}", refTime="0", startProg=SWITCHES[0][1])
        for second, period in SWITCHES[1:]:
            ET.SubElement(waut, "wautSwitch", time=str(second), to=period)
        found.append(waut)
    found += [
        ET.Element("wautJunction", wautID=f"weekday.{code}", junctionID=code) for code in codes
    ]
    return found


def zebra_window(stage: Stage, begin_s: int, clear_s: int) -> Window | None:
    """Return when walking may begin on a zebra of a stage; None if it is served on request only.

    The clearance lies inside the stage's green where that leaves 10 s, else it runs on through
    yellow and all-red and leaves at least 6 s.
    """
    walk_s = stage.green_s - clear_s
    if not stage.moves:
        walk_s = stage.green_s
    elif walk_s < STEADY_S:
        walk_s += stage.yellow_s + stage.all_red_s
        walk_s = min(walk_s, STEADY_S)
    if walk_s < SHORT_STEADY_S:
        return None
    return Window(begin_s=begin_s, end_s=begin_s + walk_s, yellow=False)


def _turn(site: Site, side: Side, to_edge: str) -> Turn:
    for turn in Turn:
        leave = site.legs.get(exit_side(side, turn))
        if leave is not None and outbound_edge(site, leave) == to_edge:
            return turn
    raise KeyError(to_edge)


def _windows(plan: BeforePlan, site: Site, use: LinkUse) -> list[Window]:
    if _always_yielding(site, use):
        return [Window(begin_s=0, end_s=plan.cycle_s, lamp="g", yellow=False)]
    found: list[Window] = []
    begin = 0
    for stage in plan.stages:
        window = _window(site, use, stage, begin)
        if window is not None:
            found.append(window)
        begin += stage.length_s
    return _joined(found)


def _window(site: Site, use: LinkUse, stage: Stage, begin_s: int) -> Window | None:
    if use.turn is None:
        served = use.side in stage.zebras
        clear_s = clearance_s(site, use.side)
        return zebra_window(stage, begin_s, clear_s) if served else None
    end_s = begin_s + stage.green_s
    if site.code in RIGHT_ARROWS and use.turn is Turn.RIGHT:
        lefts_only = all(turn is Turn.LEFT for _, turn in stage.moves)
        return Window(begin_s=begin_s, end_s=end_s) if lefts_only else None
    if (use.side, use.turn) not in stage.moves:
        return None
    if use.bicycle:
        return Window(begin_s=begin_s, end_s=end_s - BIKE_EARLY_CUT_S)
    return Window(begin_s=begin_s, end_s=end_s, lamp="g" if _yields(site, use) else "G")


def _joined(windows: list[Window]) -> list[Window]:
    """Join greens of stages that follow each other, so that no yellow falls between them."""
    found: list[Window] = []
    for window in windows:
        if found and window.begin_s - found[-1].end_s <= _LONGEST_CLEARANCE_S:
            found[-1] = replace(found[-1], end_s=window.end_s)
        else:
            found.append(window)
    return found


def _always_yielding(site: Site, use: LinkUse) -> bool:
    if use.turn is not Turn.RIGHT:
        return False
    own_lane = bool(site.legs[use.side].stop_line.rights)
    return use.bicycle or (own_lane and site.code not in RIGHT_ARROWS)


def _yields(site: Site, use: LinkUse) -> bool:
    """Return whether a movement is green but gives way: a right turn, or the branch's left."""
    if use.turn is Turn.RIGHT:
        return True
    return use.turn is Turn.LEFT and site.kind is Kind.BRANCH and use.side is Side.WEST


def _flashing(use: LinkUse) -> str:
    """Return the lamp of a flashing site: all flash amber, the main street has priority."""
    return "O" if use.turn is Turn.THROUGH and use.side in (Side.WEST, Side.EAST) else "o"


def _edges(shown: Iterable[Sequence[Window]], cycle_s: int) -> set[int]:
    found: set[int] = set()
    for windows in shown:
        for window in windows:
            found |= {window.begin_s % cycle_s, window.end_s % cycle_s}
            if window.yellow:
                found.add((window.end_s + YELLOW_S) % cycle_s)
    return found


def _lamp(windows: Sequence[Window], second: int, cycle_s: int) -> str:
    for window in windows:
        if window.begin_s <= second < window.end_s:
            return window.lamp
    for window in windows:
        if window.yellow and (second - window.end_s) % cycle_s < YELLOW_S:
            return "y"
    return "r"
