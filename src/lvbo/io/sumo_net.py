# SPDX-License-Identifier: Apache-2.0
"""Any SUMO network to a `Network`, and its programmes and switching tables to a `PlanSet`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lvbo.errors import InputError, Severity
from lvbo.ids import ControllerId, PlanId
from lvbo.io.sumo_conflicts import build_rules
from lvbo.io.sumo_graph import RAIL, Graph, build_graph
from lvbo.io.sumo_paths import Paths
from lvbo.io.sumo_signals import SignalPart, build_signals
from lvbo.io.sumo_xml import RawLogic, RawNet, RawWaut, read_raw_net
from lvbo.network.binding import SumoBinding
from lvbo.network.network import Network
from lvbo.signal.rules import Controller
from lvbo.signal.schedule import DAY_S, Assignment, DayPlan, Period, PlanSet, clock

DAY_TYPE = "workday"
OFF = "off"


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
    _refuse(raw)
    _leave_rail(raw)
    _write_off(raw)
    graph = build_graph(raw)
    parts = build_signals(raw, graph)
    if not graph.links:
        raw.doubt("LV116", path.name)
    switching = _switching(raw, parts)
    _refuse(raw)
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
    return network, _plan_set(raw, parts, switching)


def _refuse(raw: RawNet) -> None:
    """Raise one error with everything wrong so far."""
    errors = [f for f in raw.findings if f.severity is Severity.ERROR]
    if errors:
        raise InputError.of(errors)


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


def _write_off(raw: RawNet) -> None:
    """Write out SUMO's own programme `off` where a switching table names it.

    Its lamps are dark, or flash where the connection yields.
    """
    flashing = {(c.tl, c.index) for c in raw.connections if c.yields_off}
    for waut in raw.wauts.values():
        if OFF not in {waut.start, *(name for _, name in waut.switches)}:
            continue
        for light in waut.lights:
            own = [logic for logic in raw.logics if logic.tl == light]
            if own and OFF not in {logic.programme for logic in own}:
                raw.logics.insert(0, _off(own[0], waut.id, flashing))


def _off(other: RawLogic, waut: str, flashing: set[tuple[str, int | None]]) -> RawLogic:
    size = len(other.intervals[0][1])
    state = "".join("o" if (other.tl, k) in flashing else "O" for k in range(size))
    return RawLogic(
        tl=other.tl,
        programme=OFF,
        type="static",
        offset_s=0.0,
        intervals=[(other.cycle_ds, state)],
        place=f"{waut}: {other.tl}/{OFF}",
        jumps=False,
    )


def _switching(raw: RawNet, parts: tuple[SignalPart, ...]) -> dict[ControllerId, dict[int, PlanId]]:
    """Return by controller the plan from each second of the day on."""
    tables = {light: waut for waut in raw.wauts.values() for light in waut.lights}
    return {part.controller: _switches(raw, part, tables) for part in parts}


def _plan_set(
    raw: RawNet,
    parts: tuple[SignalPart, ...],
    switching: Mapping[ControllerId, Mapping[int, PlanId]],
) -> PlanSet:
    """Return the plans with their switching."""
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
    """Return the plan from each second of the day on; without a table the last programme, always.

    Without a procedure SUMO switches at the stated second to where the new programme then is.
    """
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
            missing=", ".join(lost),
            known=", ".join(sorted(known)),
        )
    if waut.switches != sorted(waut.switches) or waut.switches[-1:] > [(DAY_S, "")]:
        raw.doubt("LV218", f"{waut.id}: {part.controller}", Severity.WARNING)
    table = {
        int(waut.reference_s * (second > 0) + second): PlanId(name)
        for second, name in rows
        if name in known and waut.reference_s + second < DAY_S
    }
    table.setdefault(0, part.plans[-1].id)
    return table


def _at(table: Mapping[int, PlanId], second: int) -> PlanId:
    return table[max(start for start in table if start <= second)]
