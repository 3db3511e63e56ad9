# SPDX-License-Identifier: Apache-2.0
"""From link states and demand to the values that the map and the day's flow are drawn from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lvbo.demand.demand import Demand
from lvbo.evaluation.compare import MovementChange
from lvbo.ids import MovementId
from lvbo.network.network import Network
from lvbo.network.place import IntersectionKind
from lvbo.report.inputs import LinkState
from lvbo.report.values import FlowDay, LosLink, LosMap, PeriodSpan
from lvbo.report.words import Words
from lvbo.signal.schedule import DAY_S, PlanSet, clock


def link_states(
    network: Network, movements: Iterable[MovementChange], hours: float
) -> tuple[LinkState, ...]:
    """Return flow and mean control delay after the change, by link that ends at a signal."""
    vehicles: dict[str, float] = {}
    delays: dict[str, float] = {}
    for change in movements:
        link = network.movement_index[MovementId(change.movement)].from_link
        vehicles[link] = vehicles.get(link, 0.0) + change.vehicles
        delays[link] = delays.get(link, 0.0) + change.vehicles * change.after_s
    return tuple(
        LinkState(
            link=link.id,
            flow_vph=vehicles.get(link.id, 0.0) / hours,
            delay_s=delays[link.id] / vehicles[link.id] if vehicles.get(link.id) else None,
        )
        for link in network.links
    )


def los_map(network: Network, states: Iterable[LinkState], title: str, stamp: str) -> LosMap:
    """Return the map of the network with these states; levels only where a signal stands."""
    known = {state.link: state for state in states}
    signals = {p.id for p in network.intersections if p.kind is IntersectionKind.SIGNAL}
    links = []
    for link in network.links:
        state = known.get(link.id)
        delay = state.delay_s if state is not None and link.end in signals else None
        flow = state.flow_vph if state is not None else 0.0
        links.append(LosLink(shape=link.shape, flow_vph=flow, delay_s=delay))
    places = [p for p in network.intersections if p.id in signals]
    return LosMap(
        title=title,
        stamp=stamp,
        links=tuple(links),
        discs=tuple((*p.at, p.name if len(places) <= 24 else "") for p in places),  # noqa: PLR2004
        left_hand=network.left_hand,
    )


def flow_day(demand: Demand, plans: PlanSet, day_type: str, words: Words) -> FlowDay | None:
    """Return the flow of all movements over the days of a type, with the periods of the plans.

    None where no such day was observed. Slots in which nothing is known are left out of a line.
    """
    rows = [k for k, kind in enumerate(demand.day_types) if kind == day_type]
    if not rows or demand.slots < 2:  # noqa: PLR2004  one slot is no course of the day
        return None
    known = demand.volume_vph[rows]
    total = np.where(np.isnan(known).all(axis=2), np.nan, np.nansum(known, axis=2))
    seen = ~np.isnan(total).all(axis=0)
    return FlowDay(
        title=words("report_flow_title"),
        subtitle=words("report_flow_note", n=len(rows)),
        starts_s=np.asarray(demand.slot_starts_s(), dtype=float)[seen],
        flow_vph=total[:, seen],
        periods=tuple(_periods(plans, day_type, words)),
    )


def _periods(plans: PlanSet, day_type: str, words: Words) -> list[PeriodSpan]:
    """Return the periods of a day, those over midnight in two parts, with their longest cycle."""
    found = []
    for period in plans.day_plan(day_type).periods:
        cycles = [
            plan.cycle_s
            for (_, kind, name), plan in plans.run_index.items()
            if kind == day_type and name == period.name
        ]
        end = period.start_s + period.length_s
        name = words.period(period.name) or clock(period.start_s)
        parts = [(period.start_s, min(end, DAY_S)), (0, end - DAY_S)]
        found += [
            PeriodSpan(start_s=a, end_s=b, name=name, cycle_s=max(cycles, default=None))
            for a, b in parts
            if b > a
        ]
    return sorted(found, key=lambda span: span.start_s)
