# SPDX-License-Identifier: Apache-2.0
"""Networks of crossing corridors for the band bench: generated grids, and one row for each."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from lvbo.bench.band_rows import BandModel, Limits, Measured, rounded
from lvbo.bench.instances import PARTS
from lvbo.progression.network_bands import NetworkBandPlan, NetworkBandProblem, network_value
from lvbo.progression.network_solve import network_bands
from lvbo.progression.problem import BandProblem, Pattern, SpeedRange, Window
from lvbo.progression.walk import walk_plan

SPEED_MPS: SpeedRange = (11.111, 15.278)  # 40 to 55 km/h
SPACING_M = (250.0, 600.0)
FIXED_MS = (80_000,)
FREE_MS = tuple(range(60_000, 110_001, 1000))
WARM_UP = 3  # a grid of this size is solved before anything is timed

Greens = tuple[tuple[Window, Window], tuple[Window, Window]]  # by street: outbound, inbound


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInstance:
    """Hold one generated network."""

    name: str
    problem: NetworkBandProblem


def generate_networks(sizes: Sequence[int], seed: int = 1) -> tuple[NetworkInstance, ...]:
    """Return k x k grids: at one cycle with and without left-turn phases, and with a free cycle.

    All streets are two-way and weigh as much as they are long; the value is the mean share of the
    cycle that a direction's band has.
    """
    return tuple(
        NetworkInstance(
            name=f"grid_{k}x{k}_{'leadlag' if free else 'plain'}_{cycle}_{seed}",
            problem=grid_network(k, random.Random(f"{k} {free} {seed}"), cycles, free=free),
        )
        for k in sizes
        for free, cycle, cycles in (
            (False, "80s", FIXED_MS),
            (True, "80s", FIXED_MS),
            (False, "60-110s", FREE_MS),
        )
    )


def grid_network(
    k: int, source: random.Random, cycles_ms: tuple[int, ...], *, free: bool
) -> NetworkBandProblem:
    """Return a grid of k x k signals; with `free` each left turn may lead or lag."""
    east, north = ([round(source.uniform(*SPACING_M), 1) for _ in range(k - 1)] for _ in range(2))
    share = 0.5 / (k * (sum(east) + sum(north)))
    signals = [_signal(source, free=free) for _ in range(k * k)]
    corridors, nodes, names = [], [], []
    for street, metres in ((0, east), (1, north)):
        for line in range(k):
            own = [line * k + i if street == 0 else i * k + line for i in range(k)]
            patterns = [
                tuple(
                    Pattern(outbound=(g[street][0],), inbound=(g[street][1],)) for g in signals[v]
                )
                for v in own
            ]
            corridors.append(
                BandProblem(
                    patterns=tuple(patterns),
                    parts_per_cycle=PARTS,
                    cycles_ms=cycles_ms,
                    distance_out_m=tuple(metres),
                    distance_in_m=tuple(metres),
                    speed_out_mps=(SPEED_MPS,) * (k - 1),
                    speed_in_mps=(SPEED_MPS,) * (k - 1),
                    weight_out=share * sum(metres),
                    weight_in=share * sum(metres),
                )
            )
            nodes.append(tuple(own))
            names.append(f"{('west', 'south')[street]} {line + 1}")
    return NetworkBandProblem(corridors=tuple(corridors), nodes=tuple(nodes), names=tuple(names))


def _signal(source: random.Random, *, free: bool) -> tuple[Greens, ...]:
    """Return the sequences of a signal: one, or the 16 orders of four left turns."""
    if not free:
        first = round(source.uniform(0.35, 0.55) * PARTS)
        one, other = (0, first), (first, PARTS - first)
        return (((one, one), (other, other)),)
    first = round(source.uniform(0.42, 0.58) * PARTS)
    lefts = [round(source.uniform(0.08, 0.15) * PARTS) for _ in range(4)]
    east, north = (
        [
            ((start + a, length - lefts[i]), (start + b, length - lefts[i + 1]))
            for a in (0, lefts[i])
            for b in (0, lefts[i + 1])
        ]
        for start, length, i in ((0, first, 0), (first, PARTS - first, 2))
    )
    return tuple(product(east, north))


def measure_network(instance: NetworkInstance, limits: Limits) -> Measured:
    """Return the row of one network: ours walked corridor by corridor, HiGHS beside it."""
    problem = instance.problem
    start = time.process_time_ns()
    answer = network_bands(problem)
    ours_ms = (time.process_time_ns() - start) / 1e6
    value = network_value(problem, answer.exact)
    cycles = problem.corridors[0].cycles_ms
    bounds = [answer.bound] if len(cycles) == 1 else []
    highs = None
    if limits.with_highs:
        from lvbo.bench.milp_network import prove_network

        highs = prove_network(problem, limit_s=limits.highs_limit_s)
        bounds.append(highs.bound)
    bound = min(bounds, default=None)
    row = {
        "instance": instance.name,
        "model": str(BandModel.NETWORK),
        "signals": problem.size,
        "value": round(value, 6),
        "expected": None,
        "violations": breaches(problem, answer.exact) + breaches(problem, answer.whole),
        "cycle_s": answer.exact.cycle_ms / 1000,
        "grid_s": 1.0 if len(cycles) > 1 else 0.0,
        "ours_ms": round(ours_ms, 3),
        "highs_value": rounded(highs and highs.value, 6),
        "highs_ms": rounded(highs and highs.cpu_ms, 3),
        "highs_proved": highs and highs.proved,
        "bound": rounded(bound, 6),
        "gap": None if bound is None or value <= 0 else round(bound / value - 1, 6),
    }
    return Measured(row=row)


def breaches(problem: NetworkBandProblem, plan: NetworkBandPlan) -> int:
    """Return what the walker finds wrong: claims and limits of each corridor, nodes that differ."""
    found = 0
    for corridor, nodes, runs in zip(problem.corridors, problem.nodes, plan.corridors, strict=True):
        found += len(walk_plan(corridor, runs).violations)
        found += runs.cycle_ms != plan.cycle_ms
        for v, offset, pattern in zip(nodes, runs.offsets_ms, runs.patterns, strict=True):
            found += (offset, pattern) != (plan.offsets_ms[v], plan.patterns[v])
    return found


def warm_up() -> None:
    """Solve a small network, so that nothing is compiled while others are timed."""
    network_bands(generate_networks((WARM_UP,), seed=0)[1].problem)
