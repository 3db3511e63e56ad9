# SPDX-License-Identifier: Apache-2.0
"""How a corridor was coordinated in one run: arrivals on green, and the indices of GA/T 527.2.

GA/T 527.2-2024 names indices for corridors under four aims. Its text was not at hand: the names
are the standard's, every definition here is ours, written after the name. `AIMS` says which index
stands under which aim; that order, too, is read from the numbering of the names alone.

Cars and trucks count (all but `corridors.APART`), at the stop lines where a section ends: the
first signal of a direction has no signal before it that could be coordinated with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import fmean, median, pstdev

import polars as pl

from lvbo.evaluation.corridors import (
    APART,
    Way,
    WayMeasures,
    corridor_drives,
    measure_corridor,
    ways_of,
)
from lvbo.evaluation.measures import BUSES
from lvbo.evaluation.movements import link_visits
from lvbo.ids import LinkId, MovementId, PhaseId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.flows import SATURATION_VPS
from lvbo.simulation.lamps import lit_phases
from lvbo.simulation.runs import Run
from lvbo.timing.queue import vehicle_spacing_m

Span = tuple[float, float]


class Aim(StrEnum):
    """The four aims of GA/T 527.2-2024."""

    SAFETY = "safety"
    EFFICIENCY = "efficiency"
    PRIORITY = "priority"
    BALANCE = "balance"


AIMS: Mapping[str, Aim] = {
    "spillback_share": Aim.SAFETY,
    "speed_variation": Aim.SAFETY,
    "stops_per_signal": Aim.EFFICIENCY,
    "green_use": Aim.EFFICIENCY,
    "control_delay_s": Aim.EFFICIENCY,
    "speed_mps": Aim.EFFICIENCY,
    "green_flow_vph": Aim.EFFICIENCY,
    "nonstop_share": Aim.EFFICIENCY,
    "platoon_ratio": Aim.EFFICIENCY,
    "bus_speed_mps": Aim.PRIORITY,
    "red_queue_share": Aim.BALANCE,
    "queue_storage_share": Aim.BALANCE,
    "side_queue_m": Aim.BALANCE,
    "imbalance": Aim.BALANCE,
}
"""The corridor indices by our names, in the order of the standard's numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorridorMeasures:
    """One direction of a corridor in one run, or both; None where there was nobody to measure.

    With the name in GA/T 527.2 after which a measure is defined, where it has one:

    - `drives`: stops per km, share of drives without a stop 协调方向不停车通过率, space-mean speed
      协调方向平均行程速度, median and 95th percentile of travel time.
    - `arrivals`, `green_arrival_share` (AoG): the share of arrivals at stop lines that fell into a
      shown green. Who does not stop arrives when crossing the line, who stops when those who did
      not (their median) would have come.
    - `platoon_ratio` 协调队列比: AoG over the share of time that was green, by arrivals (HCM 7,
      ch. 19): 1 is chance.
    - `stops_per_signal` 交叉口停车次数: stops per vehicle and stop line.
    - `control_delay_s` 平均控制延误: time on the link less its length at the limit, per vehicle.
    - `green_flow_vph` 协调方向单位绿灯通过量: vehicles per hour of green and lane.
    - `green_use` 绿灯利用率: the same over the saturation flow of a lane (1,656 veh/h).
    - `speed_variation` 协调速度变异系数: standard deviation over mean of the speeds of those who
      drove the whole street.
    - `spillback_share` 溢流率: share of the run in which a stopped vehicle stood at the upstream
      end of a link of the street, mean of its links.
    - `red_queue_share` 红初最大排队比: the longest queue still there when a red began, over the
      length of its link, per lane.
    - `queue_storage_share` 协调路段排队长度空间占比: the longest queue of a link over its room.
    - `bus_speed_mps`: space-mean speed of buses along the street, after the priority indices.
    - `side_queue_m` 非协调方向最大排队长度: the longest queue per lane on the other approaches.
    - `imbalance` 失衡系数: control delay of the worst approach of the street's signals over the
      mean of all of them. This and `side_queue_m` belong to both directions together.
    """

    way: Way
    drives: WayMeasures
    arrivals: int
    green_arrival_share: float | None
    platoon_ratio: float | None
    stops_per_signal: float | None
    control_delay_s: float | None
    green_flow_vph: float | None
    green_use: float | None
    speed_variation: float | None
    spillback_share: float | None
    red_queue_share: float | None
    queue_storage_share: float | None
    bus_speed_mps: float | None
    side_queue_m: float | None
    imbalance: float | None

    @property
    def values(self) -> Mapping[str, float | None]:
        """Return every measure by name, those of the drives among them."""
        own = {k: v for k, v in asdict(self).items() if k not in {"way", "drives"}}
        return {**{k: v for k, v in asdict(self.drives).items() if k != "way"}, **own}


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What passed one stop line of a direction in the judged span, and the greens it was shown.

    `rows` are arrival, leaving, stops and delay of each vehicle; `length_m` and `lanes` are those
    of the link ahead.
    """

    rows: tuple[tuple[float, float, int, float], ...]
    greens: tuple[Span, ...]
    span: Span
    length_m: float
    lanes: int

    @property
    def green_s(self) -> float:
        """Return how long it was green in the span."""
        first, last = self.span
        return sum(max(0.0, min(b, last) - max(a, first)) for a, b in self.greens)

    @property
    def on_green(self) -> int:
        """Return how many arrived in a green; who crosses as it ends has used it."""
        begins = [a for a, _ in self.greens]
        return sum(self._is_green(row[0], begins) for row in self.rows)

    def _is_green(self, at_s: float, begins: Sequence[float]) -> bool:
        k = bisect_left(begins, at_s) - 1
        return k >= 0 and at_s <= self.greens[k][1]

    @property
    def longest_leftover(self) -> int:
        """Return the most vehicles that stood there when a red began."""
        ends = [b for _, b in self.greens if self.span[0] <= b < self.span[1]]
        return max((sum(row[0] < end < row[1] for row in self.rows) for end in ends), default=0)


def measure_coordination(
    run: Run, corridor: Corridor, network: Network
) -> tuple[CorridorMeasures, ...]:
    """Return the measures of each direction that a corridor has, and of both where it has two."""
    apart = run.vehicles.filter(pl.col("vclass").is_in(APART))["vehicle"].implode()
    visits = link_visits(run, network).with_columns(
        to_link=pl.col("link").shift(-1).over("vehicle")
    )
    cars = visits.filter(~pl.col("vehicle").is_in(apart))
    passed = _passed(run, corridor, network, cars)
    found = []
    for drives in measure_corridor(run, corridor, network):
        own = [p for way in passed if drives.way in (way, Way.BOTH) for p in passed[way]]
        found.append(_measures(run, corridor, network, drives, own, cars))
    return tuple(found)


def _passed(
    run: Run, corridor: Corridor, network: Network, cars: pl.DataFrame
) -> dict[Way, list[Passed]]:
    lit = lit_phases(network, run.lamps)
    found: dict[Way, list[Passed]] = {}
    for way, _ in ways_of(corridor):
        stops = corridor.stops[1:] if way is Way.OUTBOUND else corridor.stops[:-1]
        for stop in stops:
            outward = way is Way.OUTBOUND
            movement = stop.outbound if outward else stop.inbound
            controller = stop.outbound_controller if outward else stop.inbound_controller
            phases = stop.outbound_phases if outward else stop.inbound_phases
            if movement is not None and controller is not None:
                greens = green_spans(lit.get(controller, ()), phases, run.end_s)
                found.setdefault(way, []).append(_at(run, network, cars, movement, greens))
    return found


def green_spans(
    lit: Sequence[tuple[float, frozenset[PhaseId]]], phases: Sequence[PhaseId], end_s: float
) -> tuple[Span, ...]:
    """Return the spans in which one of the phases was going, joined where they touch."""
    found: list[Span] = []
    for k, (begin, going) in enumerate(lit):
        end = lit[k + 1][0] if k + 1 < len(lit) else end_s
        if not going.intersection(phases):
            continue
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return tuple(found)


def _at(
    run: Run,
    network: Network,
    cars: pl.DataFrame,
    movement: MovementId,
    greens: tuple[Span, ...],
) -> Passed:
    served = network.movement_index[movement]
    link = network.link_index[served.from_link]
    span = (float(run.judged_from_s), float(run.judged_to_s))
    own = cars.filter(
        (pl.col("link") == str(served.from_link))
        & (pl.col("to_link") == str(served.to_link))
        & pl.col("leave_s").is_between(*span, closed="left")
    )
    rows = own.select("enter_s", "leave_s", "stops", "time_s", "free_s").rows()
    pace = median([r[3] for r in rows if not r[2]] or [r[4] for r in rows] or [0.0])
    return Passed(
        rows=tuple(
            (leave if not stops else min(leave, enter + pace), leave, stops, max(0.0, time - free))
            for enter, leave, stops, time, free in rows
        ),
        greens=greens,
        span=span,
        length_m=link.length_m,
        lanes=max(1, sum(network.lane_index[lane].for_cars for lane in served.lanes)),
    )


def _measures(
    run: Run,
    corridor: Corridor,
    network: Network,
    drives: WayMeasures,
    passed: Sequence[Passed],
    cars: pl.DataFrame,
) -> CorridorMeasures:
    way = drives.way
    rows = [row for p in passed for row in p.rows]
    share = sum(p.on_green for p in passed) / len(rows) if rows else None
    chance = sum(len(p.rows) * p.green_s / (p.span[1] - p.span[0]) for p in passed)
    lane_green_h = sum(p.green_s * p.lanes for p in passed) / 3600
    flow = len(rows) / lane_green_h if lane_green_h else None
    links = [x for w, sections in ways_of(corridor) if way in (w, Way.BOTH) for s in sections
             for x in s.links]  # fmt: skip
    both = way is Way.BOTH
    return CorridorMeasures(
        way=way,
        drives=drives,
        arrivals=len(rows),
        green_arrival_share=share,
        platoon_ratio=None if share is None or not chance else share * len(rows) / chance,
        stops_per_signal=fmean(row[2] for row in rows) if rows else None,
        control_delay_s=fmean(row[3] for row in rows) if rows else None,
        green_flow_vph=flow,
        green_use=None if flow is None else flow / (3600 * SATURATION_VPS),
        speed_variation=_variation(run, corridor, network, way),
        spillback_share=_spillback_share(run, network, links),
        red_queue_share=max(
            (
                p.longest_leftover * vehicle_spacing_m() / (p.length_m * p.lanes)
                for p in passed
                if p.rows
            ),
            default=None,
        ),
        queue_storage_share=max(_storage(run, network, links), default=None),
        bus_speed_mps=_bus_speed(run, corridor, network, way),
        side_queue_m=max(_side_queues(run, corridor, network), default=None) if both else None,
        imbalance=_imbalance(run, corridor, network, cars) if both else None,
    )


def _drives(run: Run, corridor: Corridor, network: Network, way: Way) -> pl.DataFrame:
    drives = corridor_drives(run, corridor, network)
    return drives if way is Way.BOTH else drives.filter(pl.col("way") == way.value)


def _variation(run: Run, corridor: Corridor, network: Network, way: Way) -> float | None:
    apart = run.vehicles.filter(pl.col("vclass").is_in(APART))["vehicle"].implode()
    most = max(len(sections) for _, sections in ways_of(corridor))
    whole = _drives(run, corridor, network, way).filter(
        (pl.col("sections") >= most) & ~pl.col("vehicle").is_in(apart)
    )
    speeds = (whole["length_m"] / whole["time_s"]).to_list()
    return pstdev(speeds) / fmean(speeds) if speeds else None


def _bus_speed(run: Run, corridor: Corridor, network: Network, way: Way) -> float | None:
    buses = run.vehicles.filter(pl.col("vclass").is_in(BUSES))["vehicle"].implode()
    own = _drives(run, corridor, network, way).filter(pl.col("vehicle").is_in(buses))
    time_s = float(own["time_s"].sum())
    return float(own["length_m"].sum()) / time_s if time_s else None


def _edges(run: Run, network: Network) -> pl.DataFrame:
    """Return the edges of the run with their links."""
    edges = () if network.sumo is None else network.sumo.edges
    links = pl.DataFrame(
        [(edge, str(link)) for edge, link in edges],
        schema={"edge": pl.String, "link": pl.String},
        orient="row",
    )
    return run.edges.join(links, on="edge")


def _spillback_share(run: Run, network: Network, links: Sequence[LinkId]) -> float | None:
    own = _edges(run, network).filter(pl.col("link").is_in([str(link) for link in links]))
    blocked = own.group_by("link").agg(pl.col("blocked_s").max())["blocked_s"].to_list()
    return fmean(blocked) / (run.end_s - run.begin_s) if blocked else None


def _storage(run: Run, network: Network, links: Sequence[LinkId]) -> Iterator[float]:
    """Yield, for each link, the room its longest queues took over the room there is."""
    edges = _edges(run, network)
    for link in links:
        own = edges.filter(pl.col("link") == str(link))
        room = float((own["length_m"] * own["lanes"]).sum())
        if room > 0:
            yield float(own["queue_max"].sum()) * vehicle_spacing_m() / room


def _side_links(corridor: Corridor, network: Network) -> list[LinkId]:
    """Return the approaches of the corridor's signals that are no part of it."""
    own = {
        network.movement_index[m].from_link
        for stop in corridor.stops
        for m in (stop.outbound, stop.inbound)
        if m is not None
    }
    return sorted(_approaches(corridor, network) - own)


def _approaches(corridor: Corridor, network: Network) -> set[LinkId]:
    places = {stop.intersection for stop in corridor.stops}
    return {m.from_link for m in network.movements if m.intersection in places and m.controllers}


def _side_queues(run: Run, corridor: Corridor, network: Network) -> Iterator[float]:
    edges = _edges(run, network)
    for link in _side_links(corridor, network):
        for row in edges.filter(pl.col("link") == str(link)).iter_rows(named=True):
            yield row["queue_max"] * vehicle_spacing_m() / row["lanes"]


def _imbalance(run: Run, corridor: Corridor, network: Network, cars: pl.DataFrame) -> float | None:
    links = [str(link) for link in _approaches(corridor, network)]
    own = cars.filter(
        pl.col("link").is_in(links)
        & pl.col("to_link").is_not_null()
        & pl.col("leave_s").is_between(run.judged_from_s, run.judged_to_s, closed="left")
    )
    delay = (pl.col("time_s") - pl.col("free_s")).clip(lower_bound=0)
    delays = own.group_by("link").agg(delay=delay.mean())["delay"].to_list()
    return max(delays) / fmean(delays) if delays and fmean(delays) > 0 else None
