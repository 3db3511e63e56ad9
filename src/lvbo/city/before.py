# SPDX-License-Identifier: Apache-2.0
"""The plans that `yuci` has before anyone looks: believable, and knowing nothing of our solvers.

Cycles come from the city's period table, greens are split for equal degrees of saturation within
minimum and pedestrian times, and offsets are one-way at the posted 60 km/h: the usual local error,
because platoons drive 42 to 44.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lvbo.city.calendar import PERIODS, Period
from lvbo.city.streets import (
    FLASH_AT_NIGHT,
    STREETS,
    Kind,
    Side,
    Site,
    Turn,
    all_red_s,
    along,
    clearance_s,
    exit_side,
    sites,
)
from lvbo.city.volumes import SATURATION_VPH, Volumes, table_volumes

YELLOW_S = 3
DESIGN_SPEED_MPS = 60 / 3.6
STEADY_S = 10
SHORT_STEADY_S = 6
HALVED_FROM_S = 110
LEFT_MIN_S = 8
THROUGH_MIN_S = 15
AM_STANDARD_S = (40, 20, 32, 18)
BRANCH_SIDE_S = 18
AM_ROUND_ROBIN_S = (30, 30, 25, 25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a plan: the movements with right of way, its green and its clearance."""

    code: str
    moves: tuple[tuple[Side, Turn], ...]
    zebras: tuple[Side, ...]
    green_s: int
    yellow_s: int
    all_red_s: int

    @property
    def length_s(self) -> int:
        """Return green, yellow and all-red together."""
        return self.green_s + self.yellow_s + self.all_red_s


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforePlan:
    """One plan: its stages in order from local second 0.

    Local second 0 falls at times of day that equal the offset modulo the cycle.
    """

    site: str
    period: str
    cycle_s: int
    offset_s: int
    stages: tuple[Stage, ...]
    flashing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """A stage before its green is known."""

    code: str
    moves: tuple[tuple[Side, Turn], ...]
    zebras: tuple[Side, ...] = ()


def before_plans() -> tuple[BeforePlan, ...]:
    """Return the plan of every site and period, by site and then period."""
    return tuple(before_plan(site, period) for site in sites().values() for period in PERIODS)


def before_plan(site: Site, period: Period) -> BeforePlan:
    """Return the plan of one site in one period."""
    shapes = stage_shapes(site)
    rounds = _rounds(site, period)
    stages = []
    for length_s in rounds:
        greens = _greens(site, shapes, length_s, period)
        stages += [_stage(site, shape, green) for shape, green in zip(shapes, greens, strict=True)]
    return BeforePlan(
        site=site.code,
        period=period.code,
        cycle_s=sum(stage.length_s for stage in stages),
        offset_s=before_offset_s(site, period),
        stages=tuple(stages),
        flashing=period.code == "night" and site.code in FLASH_AT_NIGHT,
    )


def before_offset_s(site: Site, period: Period) -> int:
    """Return the one-way offset of a site: travel time at 60 km/h from the street's first site.

    Only 安宁街 and 蕴华街 have offsets; they favour eastbound traffic until 12:30, then westbound.
    """
    street = site.code.split("_")[0]
    if street not in ("AN", "YH") or period.code == "night":
        return 0
    row = along(street)
    start = row[0] if period.eastbound else row[-1]
    cycle_s = _rounds(site, period)[0] if len(_rounds(site, period)) == 1 else period.cycle_s
    return round(abs(site.x_m - start.x_m) / DESIGN_SPEED_MPS) % cycle_s


def stage_shapes(site: Site) -> tuple[_Shape, ...]:
    """Return the stages of a site in their order, without times."""
    west, east, north, south = Side.WEST, Side.EAST, Side.NORTH, Side.SOUTH
    if site.kind is Kind.TEE:
        return (
            _Shape(code="E-W T", moves=_moves((west, east), "T"), zebras=(south,)),
            _Shape(code="E L", moves=((east, Turn.LEFT), (east, Turn.THROUGH))),
            _Shape(code="S", moves=_moves((south,), "LR"), zebras=(east,)),
        )
    if site.kind is Kind.BRANCH:
        main = (*_moves((west, east), "TR"), (west, Turn.LEFT))
        side = _Shape(code="N", moves=_moves((north,), "LR"), zebras=(west,))
        return (_Shape(code="E-W", moves=main, zebras=(north,)), side)
    if site.kind is Kind.MIDBLOCK:
        main = _moves((west, east), "T")
        return (_Shape(code="E-W", moves=main), _Shape(code="ped", moves=(), zebras=(west,)))
    if site.one_approach_at_a_time:
        kerb = {west: south, east: north, south: east, north: west}
        order = (west, east, south, north)
        return tuple(
            _Shape(code=s.upper(), moves=_moves((s,), "LTR"), zebras=(kerb[s],)) for s in order
        )
    return (
        _Shape(code="E-W T", moves=_moves((west, east), "TR"), zebras=(north, south)),
        _Shape(code="E-W L", moves=_moves((west, east), "L")),
        _Shape(code="N-S T", moves=_moves((north, south), "TR"), zebras=(west, east)),
        _Shape(code="N-S L", moves=_moves((north, south), "L")),
    )


def flow_ratio(site: Site, moves: Sequence[tuple[Side, Turn]], volumes: Volumes) -> float:
    """Return the largest volume over saturation flow among the lane groups of some movements."""
    return max((_lane_group_ratio(site, side, turn, volumes) for side, turn in moves), default=0.0)


def _lane_group_ratio(site: Site, side: Side, turn: Turn, volumes: Volumes) -> float:
    line = site.legs[side].stop_line
    by_turn = {t: volumes.get((site.code, side, t), 0.0) for t in Turn}
    if exit_side(side, turn) not in site.legs:
        return 0.0
    if turn is Turn.LEFT and line.lefts:
        return by_turn[turn] / (line.lefts * SATURATION_VPH["L"])
    if turn is Turn.RIGHT and line.rights:
        return 0.0  # a right lane of its own yields all the time; it needs no stage
    mixed = sum(by_turn.values()) - (by_turn[Turn.LEFT] if line.lefts else 0.0)
    mixed -= by_turn[Turn.RIGHT] if line.rights else 0.0
    room = line.throughs * SATURATION_VPH["T"] + line.mixed * SATURATION_VPH["TR"]
    return mixed / room


def _moves(sides: Sequence[Side], turns: str) -> tuple[tuple[Side, Turn], ...]:
    return tuple((side, Turn(turn)) for side in sides for turn in turns)


def _stage(site: Site, shape: _Shape, green_s: int) -> Stage:
    return Stage(
        code=shape.code,
        moves=shape.moves,
        zebras=shape.zebras,
        green_s=green_s,
        yellow_s=YELLOW_S if shape.moves else 0,
        all_red_s=_clear_s(site, shape) - (YELLOW_S if shape.moves else 0),
    )


def _rounds(site: Site, period: Period) -> tuple[int, ...]:
    """Return the lengths of the stage sequences within a cycle.

    Half-cycle sites run half the cycle; 135 s has no half in whole seconds, so they run two in it.
    """
    cycle_s = period.cycle_s
    halves = site.kind is Kind.BRANCH or (site.kind is Kind.MIDBLOCK and cycle_s >= HALVED_FROM_S)
    if not halves or period.code == "night":
        return (cycle_s,)
    return (cycle_s // 2,) if cycle_s % 2 == 0 else (cycle_s // 2, cycle_s - cycle_s // 2)


def _greens(site: Site, shapes: Sequence[_Shape], length_s: int, period: Period) -> tuple[int, ...]:
    """Return the greens of one stage sequence: the city's own sheet, else split equally."""
    if site.kind is Kind.BRANCH:
        return (length_s - 2 * _clear_s(site, shapes[0]) - BRANCH_SIDE_S, BRANCH_SIDE_S)
    return _sheet(site, period) or _split(site, shapes, length_s, period)


def _sheet(site: Site, period: Period) -> tuple[int, ...]:
    """Return the greens of the city's own AM sheet, where it gives them."""
    if period.code != "am":
        return ()
    if site.one_approach_at_a_time:
        return AM_ROUND_ROBIN_S
    lanes = sorted(STREETS[leg.street].lanes for leg in site.legs.values())
    if site.kind is Kind.CROSSING and lanes == [2, 2, 3, 3]:
        return AM_STANDARD_S
    return ()


def _split(site: Site, shapes: Sequence[_Shape], length_s: int, period: Period) -> tuple[int, ...]:
    """Split a cycle for equal degrees of saturation, no stage below its minimum."""
    room = length_s - sum(_clear_s(site, shape) for shape in shapes)
    volumes = _period_volumes(period)
    ratios = [flow_ratio(site, _own_moves(shape, shapes), volumes) for shape in shapes]
    for rule in (_strict, _overlapping, _narrow_only, _vehicles_only):
        minima = [rule(site, shape) for shape in shapes]
        if sum(minima) <= room:
            return _fill(ratios, minima, room)
    return _fill(ratios, [0] * len(shapes), room)


def _own_moves(shape: _Shape, shapes: Sequence[_Shape]) -> list[tuple[Side, Turn]]:
    """Return the movements that only this stage serves; the stage must be long enough for them."""
    others = {move for other in shapes if other is not shape for move in other.moves}
    return [move for move in shape.moves if move not in others] or list(shape.moves)


def _clear_s(site: Site, shape: _Shape) -> int:
    if shape.moves:
        return YELLOW_S + all_red_s(site)
    return max(clearance_s(site, side) for side in shape.zebras)


def _fill(ratios: Sequence[float], minima: Sequence[int], room: int) -> tuple[int, ...]:
    """Give each stage green in proportion to its ratio; stages at a minimum stay there."""
    held: set[int] = set()
    while True:
        free = [i for i in range(len(ratios)) if i not in held]
        left = room - sum(minima[i] for i in held)
        total = sum(ratios[i] for i in free)
        greens = {i: left * ratios[i] / total for i in free} if total else {}
        short = {i for i in free if greens.get(i, 0.0) < minima[i]}
        if not short or short == set(free):
            break
        held |= short
    shares = [float(minima[i]) if i in held else greens.get(i, 0.0) for i in range(len(ratios))]
    return _whole(shares, room)


def _whole(shares: Sequence[float], room: int) -> tuple[int, ...]:
    """Round by running sums, so that the whole is exactly the room."""
    sums = [0.0]
    for share in shares:
        sums.append(sums[-1] + share)
    edges = [round(value * room / sums[-1]) for value in sums]
    return tuple(right - left for left, right in pairwise(edges))


def _period_volumes(period: Period) -> Volumes:
    both = [table_volumes(morning=True), table_volumes(morning=False)]
    if period.code in ("dawn", "am"):
        return both[0]
    if period.code == "pm":
        return both[1]
    return {key: (both[0][key] + both[1][key]) / 2 for key in both[0]}


def _vehicle_min(shape: _Shape) -> int:
    if not shape.moves:
        return SHORT_STEADY_S
    return LEFT_MIN_S if all(turn is Turn.LEFT for _, turn in shape.moves) else THROUGH_MIN_S


def _with_zebras(site: Site, shape: _Shape, need: Callable[[int], int], longest_s: int = 99) -> int:
    if not shape.moves:
        return SHORT_STEADY_S
    times = [clearance_s(site, side) for side in shape.zebras]
    return max([_vehicle_min(shape), *(need(time) for time in times if time <= longest_s)])


def _strict(site: Site, shape: _Shape) -> int:
    """Return the green that holds the steady walk and the whole clearance."""
    return _with_zebras(site, shape, lambda time: STEADY_S + time)


def _overlapping(site: Site, shape: _Shape) -> int:
    """Return the green if the clearance may run on through yellow and all-red."""
    clear_s = _clear_s(site, shape)
    return _with_zebras(site, shape, lambda time: SHORT_STEADY_S + time - clear_s)


def _narrow_only(site: Site, shape: _Shape) -> int:
    """Return the green if zebras without a refuge are served on request only, as at night."""
    clear_s = _clear_s(site, shape)
    return _with_zebras(site, shape, lambda time: SHORT_STEADY_S + time - clear_s, longest_s=17)


def _vehicles_only(_site: Site, shape: _Shape) -> int:
    """Return the green if no zebra is served without a request."""
    return _vehicle_min(shape)
