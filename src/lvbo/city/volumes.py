# SPDX-License-Identifier: Apache-2.0
"""The turning volumes that an engineer of `yuci` has on the table, in veh/h of the AM peak hour.

They are the design figures of the schematic, chosen and not measured. Morning is heavy eastbound
on the streets, northbound on 中都路 and southbound on 汇通路; the evening is the mirror times 0.95
in the day's curve.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from lvbo.city.streets import (
    DOUBLE_LEFTS,
    STREETS,
    Kind,
    Side,
    Site,
    Turn,
    exit_side,
    is_wide,
    sites,
)

Volumes = Mapping[tuple[str, Side, Turn], float]

SATURATION_VPH: Mapping[str, int] = MappingProxyType({"T": 1650, "L": 1550, "TR": 1350, "R": 1200})
START_LOSS_S = 2.0
END_GAIN_S = 1.0
PEAK_HOUR_FACTOR = 0.90

_HEAVY = {
    "AN": (190, 1150, 180),
    "YH": (160, 1000, 150),
    "WH": (110, 480, 120),
    "wide": (160, 780, 160),
    "narrow": (90, 380, 100),
}
_LIGHT = {
    "AN": (150, 720, 150),
    "YH": (120, 640, 120),
    "WH": (110, 480, 120),
    "wide": (130, 560, 130),
    "narrow": (90, 380, 100),
}
_MORNING_HEAVY = {"AN": Side.WEST, "YH": Side.WEST, "ZD": Side.SOUTH, "HT": Side.NORTH}
_DOUBLE_LEFT_VPH = 300
_ROUND_ROBIN_EASE = 0.75  # 文华×锦纶 lies at the edge of the city
_SIDE_STREETS: Volumes = MappingProxyType(
    {
        ("AN_T", Side.WEST, Turn.RIGHT): 110.0,
        ("AN_T", Side.EAST, Turn.LEFT): 130.0,
        ("AN_T", Side.SOUTH, Turn.LEFT): 150.0,
        ("AN_T", Side.SOUTH, Turn.RIGHT): 120.0,
        ("YH_B", Side.WEST, Turn.LEFT): 40.0,
        ("YH_B", Side.EAST, Turn.RIGHT): 50.0,
        ("YH_B", Side.NORTH, Turn.LEFT): 50.0,
        ("YH_B", Side.NORTH, Turn.RIGHT): 60.0,
    }
)


@cache
def table_volumes(*, morning: bool) -> Volumes:
    """Return the design volume of every movement (site, leg of arrival, turn), veh/h."""
    found: dict[tuple[str, Side, Turn], float] = {}
    for site in sites().values():
        for side in site.legs:
            for turn in Turn:
                if exit_side(side, turn) in site.legs:
                    found[site.code, side, turn] = _volume(site, side, turn, morning=morning)
    return MappingProxyType(found)


def _volume(site: Site, side: Side, turn: Turn, *, morning: bool) -> float:
    if (site.code, side, turn) in _SIDE_STREETS:
        return _SIDE_STREETS[site.code, side, turn]
    street = site.legs[side].street
    heavy = _is_heavy(street, side, morning=morning)
    left, through, right = (_HEAVY if heavy else _LIGHT)[_volume_class(street)]
    if site.kind is Kind.MIDBLOCK:
        return float(through + left + right)
    if site.kind is not Kind.CROSSING:
        return float(through + left + right) - 130.0
    if turn is Turn.LEFT and heavy and street == "AN" and site.code in DOUBLE_LEFTS:
        return float(_DOUBLE_LEFT_VPH)
    ease = _ROUND_ROBIN_EASE if site.one_approach_at_a_time else 1.0
    return ease * {Turn.LEFT: left, Turn.THROUGH: through, Turn.RIGHT: right}[turn]


def _is_heavy(street: str, side: Side, *, morning: bool) -> bool:
    peak = _MORNING_HEAVY.get(street)
    if peak is None:
        return True
    return (side is peak) == morning


def _volume_class(street: str) -> str:
    if street in ("AN", "YH", "WH"):
        return street
    return "wide" if is_wide(STREETS[street]) else "narrow"
