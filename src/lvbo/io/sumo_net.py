# SPDX-License-Identifier: Apache-2.0
"""Any SUMO network to a `Network`, and its programmes and switching tables to a `PlanSet`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lvbo.errors import Finding, InputError, Severity
from lvbo.ids import PlanId
from lvbo.io.sumo_conflicts import build_rules
from lvbo.io.sumo_graph import RAIL, Graph, build_graph
from lvbo.io.sumo_paths import Paths
from lvbo.io.sumo_signals import SignalPart, build_signals
from lvbo.io.sumo_xml import RawNet, RawWaut, read_raw_net
from lvbo.network.binding import SumoBinding
from lvbo.network.network import Network
from lvbo.signal.rules import Controller
from lvbo.signal.schedule import DAY_S, Assignment, DayPlan, Period, PlanSet, clock

DAY_TYPE = "workday"


def read_network(path: Path | str, additional: Iterable[Path | str] = ()) -> Network:
    """Return the street of a `.net.xml` (or `.gz`), with the rules of its signals.

    Raises:
        InputError: with every problem of the files at once.

    """
    return read_network_and_plans(Path(path), tuple(Path(a) for a in additional))[0]


def read_network_and_plans(
    path: Path, additional: tuple[Path, ...] = ()
) -> tuple[Network, PlanSet]:
    """Return the network and the plans it ships; the plans carry the doubts of the import.

    Raises:
        InputError: with every problem of the files at once.

    """
    raw = read_raw_net(path, additional)
    _check_references(raw, path.name)
    _leave_rail(raw)
    graph = build_graph(raw)
    parts = build_signals(raw, graph)
    errors = [f for f in raw.findings if f.severity is Severity.ERROR]
    if not graph.links:
        errors.append(Finding(code="LV116", place=path.name))
    if errors:
        raise InputError.of(errors)
    paths = Paths(raw, graph)
    network = Network(
        intersections=graph.intersections,
        links=graph.links,
        movements=graph.movements,
        crossings=graph.crossings,
        controllers=tuple(
            Controller(
                id=part.controller, intersections=part.intersections, rules=build_rules(paths, part)
            )
            for part in parts
        ),
        sumo=_binding(graph, parts),
        left_hand=raw.left_hand,
    )
    return network, _plan_set(raw, parts)


def _check_references(raw: RawNet, file: str) -> None:
    lanes = {lane.id for edge in raw.edges.values() for lane in edge.lanes}
    for c in raw.connections:
        for lane in (c.from_lane, c.to_lane):
            if lane not in lanes:
                raw.doubt("LV110", f"{file}: {c.start} > {c.end}", lane=lane)
    for edge in raw.edges.values():
        for node in (edge.start, edge.end):
            if not edge.function and node not in raw.junctions:
                raw.doubt("LV111", f"{file}: {edge.id}", junction=node)


def _leave_rail(raw: RawNet) -> None:
    """Take the signals of railways out of the records: the railway controls them."""
    rail = {junction.id for junction in raw.junctions.values() if junction.type in RAIL}
    lights = {logic.tl for logic in raw.logics} | {c.tl for c in raw.connections}
    for light in sorted(rail & lights):
        raw.doubt("LV217", light, Severity.ADVICE)
    for connection in raw.connections:
        if connection.tl in rail:
            connection.tl = ""
    raw.logics = [logic for logic in raw.logics if logic.tl not in rail]


def _binding(graph: Graph, parts: tuple[SignalPart, ...]) -> SumoBinding:
    return SumoBinding(
        edges=tuple(sorted(graph.edge_links.items())),
        lanes=tuple(sorted(graph.lane_lanes.items())),
        heads=tuple(head for part in parts for head in part.bindings()),
        sizes=tuple((part.controller, part.size) for part in parts),
    )


# schedules ------------------------------------------------------------------------------------


def _plan_set(raw: RawNet, parts: tuple[SignalPart, ...]) -> PlanSet:
    """Return the plans with their switching; without a table the last programme runs all day."""
    tables = {light: waut for waut in raw.wauts.values() for light in waut.lights}
    switching = {part.controller: _switches(raw, part, tables) for part in parts}
    starts = sorted({second for table in switching.values() for second in table}) or [0]
    periods = tuple(
        Period(start_s=a, end_s=b % DAY_S, name=f"p{clock(a).replace(':', '')}")
        for a, b in zip(starts, [*starts[1:], starts[0]], strict=True)
    )
    if len(periods) == 1:
        periods = (Period(start_s=0, end_s=0, name="all"),)
    return PlanSet(
        plans=tuple(
            sorted(
                (plan for part in parts for plan in part.plans), key=lambda p: (p.controller, p.id)
            )
        ),
        day_plans=(DayPlan(day_type=DAY_TYPE, periods=periods),),
        assignments=tuple(
            Assignment(
                controller=controller,
                day_type=DAY_TYPE,
                period=period.name,
                plan=_at(table, period.start_s),
            )
            for controller, table in sorted(switching.items())
            for period in periods
        ),
        findings=tuple(f for f in raw.findings if f.severity is not Severity.ERROR),
    )


def _switches(raw: RawNet, part: SignalPart, tables: dict[str, RawWaut]) -> dict[int, PlanId]:
    """Return the plan from each second of the day on; second 0 is always there."""
    known = {plan.id for plan in part.plans}
    waut = tables.get(part.controller)
    if waut is None:
        return {0: part.plans[-1].id}
    for procedure in sorted(waut.procedures):
        raw.doubt(
            "LV215",
            f"{waut.id}: {part.controller}",
            Severity.WARNING,
            procedure=procedure,
            controller=part.controller,
        )
    rows = [(0.0, waut.start), *sorted(waut.switches)]
    lost = sorted({name for _, name in rows if name not in known})
    if lost:
        raw.doubt(
            "LV216",
            f"{waut.id}: {part.controller}",
            Severity.WARNING,
            missing=", ".join(lost),
            known=", ".join(sorted(known)),
        )
    table = {
        int(waut.reference_s * (second > 0) + second) % DAY_S: PlanId(name)
        for second, name in rows
        if name in known
    }
    table.setdefault(0, part.plans[-1].id)
    return table


def _at(table: dict[int, PlanId], second: int) -> PlanId:
    return table[max(start for start in table if start <= second)]
