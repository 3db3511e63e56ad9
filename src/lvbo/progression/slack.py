# SPDX-License-Identifier: Apache-2.0
"""Keep the band, and use what room it leaves to cut delay and stops.

Each signal may move inside its own slack without touching the bands, for these are straight lines
that do not move. Within this room the offsets with the least delay + penalty x stops are found:
upstream departures are frozen, every link's cost is tabulated against the difference of its two
offsets, a chain of such tables is solved exactly, and the departures are computed again, until
nothing improves (Hillier 1966 for the tables, Robertson 1969 for the platoons).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lvbo.errors import UsageError
from lvbo.progression import _slack_kernels
from lvbo.progression.chain import Chain, Floats, Ints, build_chain
from lvbo.progression.offsets import Setting, fix_times, plan_at
from lvbo.progression.problem import BandPlan, BandProblem, Window

SECOND_MS = 1000
HOUR_S = 3600
ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CorridorFlows:
    """Hold the through traffic of both directions at each of n signals, in signal order.

    Volumes and saturation flows are vehicles per hour of the whole approach. The turn-in shares
    (0 to 1) say how much of a volume entered since the signal before and arrives evenly; at the
    first signal of a direction everything does. `alpha` is Robertson's platoon dispersion factor.
    """

    volume_out_vph: tuple[float, ...]
    volume_in_vph: tuple[float, ...]
    saturation_out_vph: tuple[float, ...]
    saturation_in_vph: tuple[float, ...]
    turn_in_out: tuple[float, ...]
    turn_in_in: tuple[float, ...]
    alpha: float = 0.35
    stop_penalty_s: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Hold delay and stops of the coordinated directions per hour, and their weighted sum."""

    delay_s_per_h: float
    stops_per_h: float
    index_s_per_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackUse:
    """Hold the plan with the same bands and the least cost found, and the cost before and after."""

    plan: BandPlan
    before: Cost
    after: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One direction in driving order, in steps of one second: rates in veh per step."""

    service: Floats  # (n, C) on the signals' own clocks
    platoon: Floats  # (n) share of the flow that comes with the platoon, times the flow
    steady: Floats  # (n) flow that comes evenly
    drive_s: Floats  # (n - 1)
    alpha: float


def cut_delay_in_slack(problem: BandProblem, plan: BandPlan, flows: CorridorFlows) -> SlackUse:
    """Return the plan moved within its slack to the least delay and stops; bands stay.

    The plan must have a cycle and offsets of whole seconds (`Band.whole`).
    """
    if plan.cycle_ms % SECOND_MS:
        raise UsageError("LV413", cycle_ms=plan.cycle_ms)
    _check_flows(problem, flows)
    ways = _ways(problem, plan, flows)
    offsets = np.array(plan.offsets_ms, np.int64) // SECOND_MS
    low, high = _room(plan)
    penalty = flows.stop_penalty_s
    start = best = _cost(ways, offsets, plan, penalty)
    moves = best_moves = np.zeros(offsets.size, np.int64)
    for _ in range(ROUNDS):
        tables = _tables(ways, offsets + moves, penalty)
        moves = _slack_kernels.best_chain(tables, offsets, low, high)
        cost = _cost(ways, offsets + moves, plan, penalty)
        if cost.index_s_per_h >= best.index_s_per_h - 1e-9:
            break
        best, best_moves = cost, moves
    return SlackUse(plan=_moved(problem, plan, best_moves), before=start, after=best)


def cost_of(problem: BandProblem, plan: BandPlan, flows: CorridorFlows) -> Cost:
    """Return delay and stops of the coordinated directions at these offsets."""
    _check_flows(problem, flows)
    offsets = np.array(plan.offsets_ms, np.int64) // SECOND_MS
    return _cost(_ways(problem, plan, flows), offsets, plan, flows.stop_penalty_s)


def platoon_ratio(problem: BandProblem, plan: BandPlan, flows: CorridorFlows) -> float | None:
    """Return how much more of the traffic arrives on green than greens are of the cycle.

    The share of arrivals on green over the share of green (Highway Capacity Manual, chapter 19),
    weighted by arrivals, at signals that others lie ahead of; 1 is arrivals by chance. None where
    nobody arrives, or the cycle has a broken second.
    """
    if plan.cycle_ms % SECOND_MS:
        return None
    _check_flows(problem, flows)
    offsets = np.array(plan.offsets_ms, np.int64) // SECOND_MS
    out, back = _ways(problem, plan, flows)
    on_green = by_chance = 0.0
    for way, at in ((out, offsets), (back, offsets[::-1])):
        _, _, platoons = _drive(way, at)
        for i, platoon in enumerate(platoons, start=1):
            arrivals = np.roll(platoon, int(at[i - 1] - at[i])) + way.steady[i]
            green = way.service[i] / max(float(way.service[i].max()), 1e-12)
            on_green += float(arrivals @ green)
            by_chance += float(arrivals.sum() * green.mean())
    return on_green / by_chance if by_chance > 0 else None


def _check_flows(problem: BandProblem, flows: CorridorFlows) -> None:
    for field in (
        "volume_out_vph",
        "volume_in_vph",
        "saturation_out_vph",
        "saturation_in_vph",
        "turn_in_out",
        "turn_in_in",
    ):
        values = getattr(flows, field)
        if len(values) != problem.signals:
            raise UsageError("LV400", field=field, found=len(values), expected=problem.signals)


def _room(plan: BandPlan) -> tuple[Ints, Ints]:
    """Return the whole seconds by which each signal may move, at most half a cycle."""
    half = plan.cycle_ms // SECOND_MS // 2
    room = np.array(plan.slack_ms, np.int64) // SECOND_MS
    return -np.clip(room[:, 0], 0, half), np.clip(room[:, 1], 0, half - 1)


def _ways(problem: BandProblem, plan: BandPlan, flows: CorridorFlows) -> tuple[_Way, _Way]:
    chosen = [problem.patterns[i][p] for i, p in enumerate(plan.patterns)]
    out = _way(
        _green_shares([p.outbound for p in chosen], problem.parts_per_cycle, plan.cycle_ms),
        (flows.volume_out_vph, flows.saturation_out_vph, flows.turn_in_out),
        plan.travel_out_ms,
        flows.alpha,
    )
    back = _way(
        _green_shares([p.inbound for p in chosen][::-1], problem.parts_per_cycle, plan.cycle_ms),
        (
            flows.volume_in_vph[::-1],
            flows.saturation_in_vph[::-1],
            flows.turn_in_in[::-1],
        ),
        plan.travel_in_ms[::-1],
        flows.alpha,
    )
    return out, back


def _way(
    green: Floats,
    flow: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]],
    travel_ms: tuple[int, ...],
    alpha: float,
) -> _Way:
    volume, saturation, turn_in = (np.array(x, np.float64) for x in flow)
    turn_in[0] = 1.0
    per_step = volume / HOUR_S
    return _Way(
        service=green * (saturation / HOUR_S)[:, None],
        platoon=per_step * (1 - turn_in),
        steady=per_step * turn_in,
        drive_s=np.array(travel_ms, np.float64) / SECOND_MS,
        alpha=alpha,
    )


def _green_shares(windows: list[tuple[Window, ...]], parts: int, cycle_ms: int) -> Floats:
    """Return how much of each second of its own clock a signal is green, (n, C)."""
    seconds = cycle_ms // SECOND_MS
    shares = np.zeros((len(windows), seconds))
    edges = np.arange(seconds, dtype=np.float64)
    for row, signal in enumerate(windows):
        for start, length in signal:
            begin = start / parts * seconds
            for wrap in (-seconds, 0):
                a, b = begin + wrap, begin + wrap + length / parts * seconds
                shares[row] += np.clip(np.minimum(edges + 1, b) - np.maximum(edges, a), 0, 1)
    return np.minimum(shares, 1.0)


def _drive(way: _Way, offsets: Ints) -> tuple[float, float, list[Floats]]:
    """Return delay, stops (per cycle) and the platoon's arrivals (n - 1) on upstream clocks."""
    n, cycle = way.service.shape
    departures = np.empty(cycle)
    delay, stops = _slack_kernels.serve(np.full(cycle, way.steady[0]), way.service[0], departures)
    platoons: list[Floats] = []
    for i in range(1, n):
        total = max(float(departures.sum()), 1e-12)
        shape = departures * (way.platoon[i] * cycle / total)
        platoons.append(_slack_kernels.disperse(shape, way.drive_s[i - 1], way.alpha))
        arrivals = np.roll(platoons[-1], int(offsets[i - 1] - offsets[i])) + way.steady[i]
        departures = np.empty(cycle)
        more_delay, more_stops = _slack_kernels.serve(arrivals, way.service[i], departures)
        delay += more_delay
        stops += more_stops
    return delay, stops, platoons


def _tables(ways: tuple[_Way, _Way], offsets: Ints, penalty_s: float) -> Floats:
    """Return the cost of both directions of each link by the difference of its offsets."""
    out, back = ways
    n, cycle = out.service.shape
    tables = np.zeros((n - 1, cycle))
    _, _, platoons = _drive(out, offsets)
    for i, platoon in enumerate(platoons):
        tables[i] += _slack_kernels.link_table(
            platoon, out.service[i + 1], out.steady[i + 1], penalty_s
        )
    _, _, platoons = _drive(back, offsets[::-1])
    for i, platoon in enumerate(platoons):
        turned = _slack_kernels.link_table(
            platoon, back.service[i + 1], back.steady[i + 1], penalty_s
        )
        tables[n - 2 - i] += np.roll(turned[::-1], 1)  # difference d inbound is -d outbound
    return tables


def _cost(ways: tuple[_Way, _Way], offsets: Ints, plan: BandPlan, penalty_s: float) -> Cost:
    delay_out, stops_out, _ = _drive(ways[0], offsets)
    delay_in, stops_in, _ = _drive(ways[1], offsets[::-1])
    cycles_per_h = HOUR_S * SECOND_MS / plan.cycle_ms
    delay = (delay_out + delay_in) * cycles_per_h
    stops = (stops_out + stops_in) * cycles_per_h
    return Cost(delay_s_per_h=delay, stops_per_h=stops, index_s_per_h=delay + penalty_s * stops)


def _moved(problem: BandProblem, plan: BandPlan, moves: npt.NDArray[np.int64]) -> BandPlan:
    chain: Chain = build_chain(problem)
    chain = fix_times(
        chain, np.array(plan.travel_out_ms, np.int64), np.array(plan.travel_in_ms, np.int64)
    )
    offsets = np.array(plan.offsets_ms, np.int64) + SECOND_MS * moves
    setting = Setting(
        cycle_ms=plan.cycle_ms, offsets_ms=offsets, patterns=plan.patterns, kind=plan.kind
    )
    moved = plan_at(problem, chain, setting, (plan.outbound_ms, plan.inbound_ms))
    return replace(moved, travel_out_ms=plan.travel_out_ms, travel_in_ms=plan.travel_in_ms)
