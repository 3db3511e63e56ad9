# SPDX-License-Identifier: Apache-2.0
"""Red waves in SUMO: a section fills before a bottleneck, gates upstream hold, cars are counted.

The last signal of a generated street has too little green, so that the section before it fills. The
gates run the red wave that was planned, or their plans as they are. From the second in which the
section is full in both runs of a seed it is counted how many come in, who had green and found no
room, and who stood at the gates: by when each vehicle came to a link and left it, as the forecast
defines it (`progression.holdflow`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lvbo.bench.common import Row
from lvbo.bench.grids import Grid
from lvbo.bench.transition_rows import RED_WAVE, row
from lvbo.ids import ControllerId, LinkId
from lvbo.network.corridor import Corridor, Stop
from lvbo.network.network import Network
from lvbo.progression.holding import CYCLES, GAIN_S, START_S, HoldPlan, cut_green, hold_before
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import one_period
from lvbo.simulation.runs import Run
from lvbo.simulation.simulate import Conduct, simulate

Floats = NDArray[np.float64]
MOST_CUT_S = 60
AS_IS, HELD = "as_is", "held"
FULL = 0.85
"""Vehicles on a section, of those that fit bumper to bumper at 7.5 m, that make it full."""
FULL_BY_S = 1100
"""A section that is not full by then never is in time."""
FILLED_S = 1000
"""So long it is watched at most."""


@dataclass(frozen=True, kw_only=True)
class RedWave:
    """A bottleneck at the last signal outbound, the plans around it, and the red wave against it.

    `plans` are as they are, by controller; those of `hold.plans` go in their place.
    """

    corridor: Corridor
    plans: Mapping[ControllerId, Plan]
    hold: HoldPlan

    @property
    def held(self) -> Mapping[ControllerId, Plan]:
        """Return the plans with the red wave."""
        return {**self.plans, **{plan.controller: plan for plan in self.hold.plans}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was counted in the cycles of the forecast.

    `inflow` vehicles a cycle entered the section, `inside` were there on average; `blocked` had
    green before it and found no room; `held` stood at each gate at most, in driving order.
    """

    inflow: float
    inside: float
    blocked: float
    held: tuple[float, ...]


def plan_red_wave(
    made: Grid, corridor: Corridor, plans: Mapping[ControllerId, Plan]
) -> RedWave | None:
    """Return the red wave before the last section outbound; None where no green can be taken."""
    last = corridor.stops[-1]
    name = last.outbound_controller or ControllerId("")
    narrow = _narrowest(made.network, last, plans[name])
    if narrow is None:
        return None
    before = {**plans, name: narrow}
    section = corridor.outbound[-1].links[-1]
    hold = hold_before(made.network, corridor, before, made.volumes_vph, section)
    return RedWave(corridor=corridor, plans=before, hold=hold)


def _narrowest(network: Network, stop: Stop, plan: Plan) -> Plan | None:
    """Return the lawful plan with the least green for the street; None where none is less."""
    controller, found = network.controller_index[plan.controller], plan
    for cut_s in range(MOST_CUT_S, 0, -1):
        made = cut_green(found, controller, stop.outbound_phases, 10 * cut_s)
        found = made or found
    return None if found is plan else found


def red_rows(made: Grid, wave: RedWave, seeds: Sequence[int], workers: int) -> Sequence[Row]:
    """Return a row for each seed with the plans as they are, and one with the red wave."""
    network, hold = made.network, wave.hold
    watched_s = min(FILLED_S, (CYCLES + 1) * hold.cycle_s)
    scenario = replace(made.scenario, end_s=FULL_BY_S + watched_s, run_out_s=0)
    ways = {AS_IS: wave.plans, HELD: wave.held}
    runs = {
        name: simulate(
            scenario,
            one_period(plans.values()),
            seeds=seeds,
            conduct=Conduct(name=name),
            workers=workers,
        ).runs
        for name, plans in ways.items()
    }
    rows: list[Row] = []
    for pair in zip(*runs.values(), strict=True):
        full = [_full_from(run, network, hold) for run in pair]
        for (name, plans), run in zip(ways.items(), pair, strict=True):
            begin_s = max(full)
            seen = count_red_wave(run, network, wave, plans, begin_s)
            rows.append(_row(made, wave, name, run, seen, begin_s))
    return rows


def _row(made: Grid, wave: RedWave, name: str, run: Run, seen: Seen, begin_s: int) -> Row:
    hold, gate = wave.hold, worst_gate(wave.hold)
    as_is, own = name == AS_IS, wave.hold.gates[gate]
    return row(
        part=RED_WAVE,
        scenario=made.scenario.name,
        corridor=wave.corridor.name,
        way=name,
        change_s=begin_s,
        seed=run.seed,
        section=str(hold.section),
        room=hold.room,
        measured_inside=seen.inside,
        predicted_inflow=float(np.mean(hold.inflow_before if as_is else hold.inflow)),
        measured_inflow=seen.inflow,
        predicted_blocked=hold.blocked_before if as_is else hold.blocked,
        measured_blocked=seen.blocked,
        gate_room=own.room,
        predicted_held=own.held_before if as_is else own.held,
        measured_held=seen.held[gate],
        lamp_violations=len(run.violations),
        status="ok" if begin_s < FULL_BY_S else "never_full",
    )


def _full_from(run: Run, network: Network, hold: HoldPlan) -> int:
    """Return the second in which the section becomes full; the last one where it never does."""
    times = _times(run, network, hold.section)
    inside = _standing(times["enter_s"].to_numpy(), times["leave_s"].to_numpy(), (0, FULL_BY_S))
    full = np.flatnonzero(inside >= FULL * hold.room)
    return int(full[0]) if len(full) else FULL_BY_S


def count_red_wave(
    run: Run, network: Network, wave: RedWave, plans: Mapping[ControllerId, Plan], begin_s: int
) -> Seen:
    """Return what a run under these plans shows in the cycles of the forecast from `begin_s` on."""
    seconds = CYCLES * wave.hold.cycle_s
    span = (begin_s, begin_s + seconds)
    stops = wave.corridor.stops[-1 - len(wave.hold.gates) :]
    moves = [network.movement_index[s.outbound] for s in stops if s.outbound is not None]
    links = [m.from_link for m in moves]
    times = {link: _times(run, network, link) for link in links}
    held, blocked = [], 0.0
    for k, (link, following) in enumerate(pairwise(links)):
        held.append(float(_standing(*_at_line(network, times[link], link), span).max(initial=0.0)))
        if k == len(links) - 2:
            going = times[link].join(
                times[following].select("vehicle", on_s="enter_s"), on="vehicle"
            )
            on_way = going.filter(pl.col("on_s") >= pl.col("enter_s"))
            came, left = _at_line(network, on_way, link)
            green = _green(network, stops[k], plans, span)
            blocked = _blocked(came, left, green, span, wave.hold.saturation_vps)
    enter, leave = (times[links[-1]][c].to_numpy() for c in ("enter_s", "leave_s"))
    return Seen(
        inflow=float(((enter >= span[0]) & (enter < span[1])).sum()) / CYCLES,
        inside=float(_standing(enter, leave, span).mean()),
        blocked=blocked,
        held=tuple(held),
    )


def _times(run: Run, network: Network, link: LinkId) -> pl.DataFrame:
    """Return when each vehicle came to a link and left it; one that is there still leaves never."""
    known = network.sumo.edge_index if network.sumo is not None else {}
    edges = [edge for edge, own in known.items() if own == link]
    return (
        run.passages.filter(pl.col("edge").is_in(edges))
        .group_by("vehicle")
        .agg(pl.col("enter_s").min(), pl.col("leave_s").fill_null(np.inf).max())
    )


def _at_line(network: Network, times: pl.DataFrame, link: LinkId) -> tuple[Floats, Floats]:
    """Return when vehicles would come to the stop line of a link at its speed, and left it."""
    own = network.link_index[link]
    came = times["enter_s"].to_numpy() + own.length_m / own.speed_mps
    return came, np.maximum(came, times["leave_s"].to_numpy())


def _standing(came: Floats, left: Floats, span: tuple[int, int]) -> Floats:
    """Return by second how many have come and not left."""
    at = np.arange(*span)
    there = (came[None, :] <= at[:, None]) & (left[None, :] > at[:, None])
    return np.asarray(there.sum(axis=1), dtype=np.float64)


def _green(
    network: Network, stop: Stop, plans: Mapping[ControllerId, Plan], span: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return the seconds in which the street may go at a stop line, as the forecast has them."""
    name = stop.outbound_controller or ControllerId("")
    phases = [network.controller_index[name].rules.phase_index[p] for p in stop.outbound_phases]
    plan = plans[name]

    def shows(t: int) -> bool:
        return any(plan.lamp(p, plan.local_ds(10 * t)) is p.shows for p in phases)

    return np.array(
        [shows(t - GAIN_S) and (shows(t - START_S) or not shows(t)) for t in range(*span)]
    )


def _blocked(
    came: Floats, left: Floats, green: NDArray[np.bool_], span: tuple[int, int], most_vps: float
) -> float:
    """Return who had green and did not go, as many as there are at once in each green."""
    total, freely, stuck, worst = 0.0, 0.0, 0.0, 0.0
    for k, t in enumerate(range(*span)):
        if not green[k]:
            total, stuck, worst = total + worst, 0.0, 0.0
            continue
        begins = k == 0 or not green[k - 1]
        waiting = float(((came <= t) & (left > t - 1)).sum())
        arrived = float(((came > t - 1) & (came <= t)).sum())
        freely = waiting if begins else freely + arrived
        could = min(freely, most_vps)
        freely -= could
        stuck += could - float(((left > t - 1) & (left <= t)).sum())
        worst = max(worst, stuck)
    return total + worst


def worst_gate(hold: HoldPlan) -> int:
    """Return the gate whose room is used most, by its number in driving order."""
    used: Sequence[float] = [gate.held / gate.room for gate in hold.gates]
    return int(np.argmax(used))
