# SPDX-License-Identifier: Apache-2.0
"""Four weeks of stop-line counts of `yuci`, with the faults of real detectors, and the truth.

Counts come from the demand model, not from a simulation. What is served never exceeds what the
before plan lets pass, so a saturated movement shows its green. The true demand is written apart;
no planner reads it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvbo.city.before import BeforePlan, before_plans
from lvbo.city.calendar import DAY_S, SLOT_S, period_at
from lvbo.city.demand import demand_at
from lvbo.city.faults import Faults, day_factors, with_faults
from lvbo.city.plainxml import first_lane, inbound_edge, lane_turns
from lvbo.city.routes import Movement, fit_routes
from lvbo.city.streets import STREETS, Kind, Side, Site, Turn, sites
from lvbo.city.volumes import END_GAIN_S, SATURATION_VPH, START_LOSS_S

FIRST_DAY = date(2025, 12, 8)
DAYS = 28
SLOTS = DAY_S // SLOT_S
_SIDE_NAMES = {Side.EAST: "东进口", Side.WEST: "西进口", Side.NORTH: "北进口", Side.SOUTH: "南进口"}
_TURN_NAMES = {Turn.LEFT: "左转", Turn.THROUGH: "直行", Turn.RIGHT: "右转"}
_LANE_NOISE = 0.03
_YIELDING_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLane:
    """One detector lane at a stop line; its id is the SUMO lane, which is also the detector's."""

    code: str
    site: Site
    side: Side
    turns: tuple[Turn, ...]
    place: int


@cache
def count_lanes() -> tuple[CountLane, ...]:
    """Return the detector lanes of every vehicle approach, by site and then leg."""
    return tuple(
        CountLane(
            code=f"{inbound_edge(site, leg)}_{first_lane(STREETS[leg.street]) + place}",
            site=site,
            side=side,
            turns=turns,
            place=place,
        )
        for site in sites().values()
        for side, leg in site.legs.items()
        for place, turns in enumerate(lane_turns(leg.stop_line, site, side))
    )


def days() -> tuple[date, ...]:
    """Return the counted days, 8 December 2025 to 4 January 2026."""
    return tuple(FIRST_DAY + timedelta(days=number) for number in range(DAYS))


def write_counts(folder: Path, *, seed: int, area: Iterable[str] | None = None) -> None:
    """Write one wide CSV a week, the detector table, and the truth into `folder`/truth.

    With an area only the detectors of its sites are written; their counts stay the same.
    """
    codes = set(sites() if area is None else area)
    shown = [number for number, lane in enumerate(count_lanes()) if lane.site.code in codes]
    rng = np.random.default_rng([seed, 20251208])
    faults = Faults.of(count_lanes())
    for week in range(DAYS // 7):
        rows: list[list[str]] = []
        for day in days()[week * 7 : week * 7 + 7]:
            rows += _day_rows(day, _day_counts(day, faults, rng)[:, shown])
        header = ["日期", "开始时间", *(count_lanes()[number].code for number in shown)]
        _write_csv(folder / f"yuci.counts.week{week + 1}.csv", header, rows)
    header, rows = detector_table()
    _write_csv(folder / "yuci.detectors.csv", header, [rows[number] for number in shown])
    if area is not None:
        return
    truth = folder / "truth"
    truth.mkdir(exist_ok=True)
    _write_csv(truth / "yuci.demand.csv", *truth_table())
    _write_csv(truth / "yuci.faults.csv", *faults.table())


def true_demand(*, workday: bool) -> dict[Movement, NDArray[np.float64]]:
    """Return the mean demand of every movement per 15-min slot of an ordinary day, veh/h; (96,)."""
    flows = fit_routes()
    slots = [
        flows.movement_volumes(demand_at(slot * SLOT_S + SLOT_S / 2, flows, workday=workday))
        for slot in range(SLOTS)
    ]
    return {move: np.array([slot[move] for slot in slots]) for move in slots[0]}


def detector_table() -> tuple[list[str], list[list[str]]]:
    """Return the table of detectors: id, site, direction words, lane from the median, position."""
    header = ["检测器编号", "路口编号", "路口名称", "流向", "车道", "距停止线(m)"]
    rows = []
    for lane in count_lanes():
        lanes = lane.site.legs[lane.side].stop_line.lanes
        place = str(lanes - lane.place)
        words = _SIDE_NAMES[lane.side] + "".join(_TURN_NAMES[turn] for turn in lane.turns)
        rows.append([lane.code, lane.site.code, lane.site.name, words, place, "2"])
    return header, rows


def truth_table() -> tuple[list[str], list[list[str]]]:
    """Return the true mean demand in veh/h: a row per movement and day type, a column per slot."""
    header = ["site", "leg", "turn", "day_type", *(_clock(slot) for slot in range(SLOTS))]
    rows = []
    for name, workday in (("workday", True), ("restday", False)):
        for (code, side, turn), values in true_demand(workday=workday).items():
            rows.append([code, side, turn, name, *(f"{value:.1f}" for value in values)])
    return header, rows


@cache
def _demand(*, workday: bool) -> Mapping[Movement, NDArray[np.float64]]:
    return true_demand(workday=workday)


def _day_counts(day: date, faults: Faults, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what the detectors write on one day; shape (96, lanes), NaN where nothing came."""
    factors = day_factors(day)
    demand = _demand(workday=factors.workday)
    level = factors.traffic * float(rng.normal(1.0, 0.02))
    served = [_served(lane, demand, level, factors.saturation, rng) for lane in count_lanes()]
    return with_faults(np.array(served).T, day, faults)


def _served(
    lane: CountLane,
    demand: Mapping[Movement, NDArray[np.float64]],
    level: float,
    saturation: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the vehicles a lane lets pass per slot; a queue goes on into the next slot."""
    wanted = rng.poisson(level * _lane_demand(lane, demand) * SLOT_S / 3600)
    room = saturation * _lane_room(lane) * rng.normal(1.0, _LANE_NOISE, SLOTS)
    found = np.zeros(SLOTS)
    waiting = 0.0
    for slot in range(SLOTS):
        waiting += float(wanted[slot])
        found[slot] = min(waiting, max(round(float(room[slot])), 0))
        waiting = min(waiting - found[slot], 40.0)  # what does not fit the street goes elsewhere
    return found


def _lane_demand(
    lane: CountLane, demand: Mapping[Movement, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return a lane's demand: lanes of one use share alike, mixed lanes balance."""
    line = lane.site.legs[lane.side].stop_line
    by_turn = {
        turn: demand.get((lane.site.code, lane.side, turn), np.zeros(SLOTS)) for turn in Turn
    }
    if lane.turns == (Turn.LEFT,):
        return by_turn[Turn.LEFT] / line.lefts
    if lane.turns == (Turn.RIGHT,):
        return by_turn[Turn.RIGHT] / line.rights
    if not line.mixed:
        return by_turn[Turn.THROUGH] / line.throughs
    if Turn.LEFT in lane.turns:
        return by_turn[Turn.LEFT] + by_turn[Turn.RIGHT]
    both = by_turn[Turn.THROUGH] + by_turn[Turn.RIGHT]
    room = line.throughs * SATURATION_VPH["T"] + line.mixed * SATURATION_VPH["TR"]
    on_mixed = np.maximum(both * SATURATION_VPH["TR"] / room, by_turn[Turn.RIGHT] / line.mixed)
    if Turn.RIGHT in lane.turns:
        return np.asarray(on_mixed, dtype=np.float64)
    return np.asarray((both - line.mixed * on_mixed) / line.throughs, dtype=np.float64)


@cache
def _plans() -> Mapping[tuple[str, str], BeforePlan]:
    return {(plan.site, plan.period): plan for plan in before_plans()}


@cache
def _lane_room(lane: CountLane) -> NDArray[np.float64]:
    """Return what the before plan lets a lane pass per slot, vehicles; shape (96,)."""
    kind = "TR" if len(lane.turns) > 1 else lane.turns[0].value
    plans = [_plans()[lane.site.code, period_at(slot * SLOT_S)] for slot in range(SLOTS)]
    shares = np.array([_green_share(lane, plan) for plan in plans])
    return np.asarray(SATURATION_VPH[kind] * shares * SLOT_S / 3600, dtype=np.float64)


def _green_share(lane: CountLane, plan: BeforePlan) -> float:
    line = lane.site.legs[lane.side].stop_line
    if plan.flashing or (lane.turns == (Turn.RIGHT,) and line.rights):
        return _YIELDING_SHARE
    ahead = tuple(turn for turn in Turn if turn in lane.turns and turn is not Turn.RIGHT)
    wanted = {(lane.side, turn) for turn in ahead or lane.turns}
    own = [stage for stage in plan.stages if wanted & set(stage.moves)]
    green = sum(stage.green_s for stage in own)
    starts = len(own)
    if lane.site.kind is Kind.TEE and len(own) > 1:
        green, starts = green + own[0].yellow_s + own[0].all_red_s, 1
    return max(green - starts * (START_LOSS_S - END_GAIN_S), 0.0) / plan.cycle_s


def _day_rows(day: date, counts: NDArray[np.float64]) -> Iterator[list[str]]:
    for slot, row in enumerate(counts):
        cells = ["" if np.isnan(value) else str(int(value)) for value in row]
        yield [day.isoformat(), _clock(slot), *cells]


def _clock(slot: int) -> str:
    return f"{slot // 4:02d}:{slot % 4 * 15:02d}"


def _write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")
