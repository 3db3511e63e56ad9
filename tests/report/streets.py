# SPDX-License-Identifier: Apache-2.0
"""An invented street of three signals with plans, bands and results, for reports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, Severity
from lvbo.evaluation.compare import Comparison, Difference, MovementChange
from lvbo.evaluation.intervals import interval
from lvbo.evaluation.measures import Measures
from lvbo.ids import (
    ControllerId,
    CorridorId,
    CrossingId,
    IntersectionId,
    LaneId,
    LinkId,
    MovementId,
    PhaseId,
    PlanId,
)
from lvbo.network.corridor import Corridor, Section, Stop
from lvbo.network.network import Network
from lvbo.network.place import (
    Crossing,
    Intersection,
    IntersectionKind,
    Lane,
    Leg,
    Link,
    Movement,
    Turn,
)
from lvbo.progression.problem import BandKind, BandPlan
from lvbo.report.inputs import DirectionResult, ReportInputs, Result, Sample, Source, WavePage
from lvbo.report.maps import link_states
from lvbo.report.words import Heading
from lvbo.signal.lamp import PhaseKind, Right
from lvbo.signal.plan import Greens, Plan, Window
from lvbo.signal.rules import Controller, Phase, Service, SignalRules
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet

NAMES = ("锦纶路", "中都路", "汇通路")
AT_M = (0.0, 420.0, 1030.0)
ARM_M = 200.0
STEPS = {Leg.N: (0.0, 1.0), Leg.E: (1.0, 0.0), Leg.S: (0.0, -1.0), Leg.W: (-1.0, 0.0)}
TURNS = {
    (Leg.W, Leg.E): Turn.THROUGH, (Leg.E, Leg.W): Turn.THROUGH, (Leg.N, Leg.S): Turn.THROUGH,
    (Leg.S, Leg.N): Turn.THROUGH, (Leg.W, Leg.N): Turn.LEFT, (Leg.E, Leg.S): Turn.LEFT,
    (Leg.N, Leg.E): Turn.LEFT, (Leg.S, Leg.W): Turn.LEFT,
}  # fmt: skip
PHASE_OF = {
    (Leg.W, Turn.THROUGH): "EW", (Leg.E, Turn.THROUGH): "EW", (Leg.W, Turn.LEFT): "EWL",
    (Leg.E, Turn.LEFT): "EWL", (Leg.N, Turn.THROUGH): "NS", (Leg.S, Turn.THROUGH): "NS",
    (Leg.N, Turn.LEFT): "NSL", (Leg.S, Turn.LEFT): "NSL",
}  # fmt: skip
SPANS_S = {"EW": (0, 39), "EWL": (44, 16), "NS": (65, 27), "NSL": (97, 8), "WALK": (65, 22)}
CYCLE_S = 110
SEEDS = (1, 2, 3, 4, 5)


def street() -> Network:
    """Return three crossings on a street that runs from west to east."""
    places = tuple(_place(k) for k in range(len(NAMES)))
    links = tuple(sorted(_links(), key=lambda link: link.id))
    movements = tuple(sorted(_movements(links), key=lambda movement: movement.id))
    return Network(
        intersections=places,
        links=links,
        movements=movements,
        crossings=tuple(_crossing(k, leg) for k in range(3) for leg in (Leg.E, Leg.W)),
        controllers=tuple(_controller(k, movements) for k in range(3)),
    )


def _place(k: int) -> Intersection:
    return Intersection(
        id=IntersectionId(f"X{k}"), name=NAMES[k], kind=IntersectionKind.SIGNAL, at=(AT_M[k], 0.0)
    )


def _links() -> list[Link]:
    """Return links both ways on every leg; those between two signals once each way."""
    found = []
    for k, x in enumerate(AT_M):
        for leg, (dx, dy) in STEPS.items():
            inner = (leg is Leg.E and k < 2) or (leg is Leg.W and k > 0)
            step = 1 if leg is Leg.E else -1
            other = f"X{k + step}" if inner else f"end{k}{leg}"
            far = (AT_M[k + step], 0.0) if inner else (x + ARM_M * dx, ARM_M * dy)
            found.append(_link(other, f"X{k}", far, (x, 0.0), leg))
            if not inner:
                found.append(_link(f"X{k}", other, (x, 0.0), far, leg))
    return found


def _link(start: str, end: str, a: tuple[float, float], b: tuple[float, float], leg: Leg) -> Link:
    name = LinkId(f"{start}>{end}")
    length = abs(b[0] - a[0]) + abs(b[1] - a[1])
    lane = Lane(
        id=LaneId(f"{name}_0"),
        link=name,
        index=0,
        length_m=length,
        width_m=3.2,
        speed_mps=15.0,
        classes=("passenger",),
        is_bay=False,
    )
    return Link(
        id=name,
        name="安宁街",
        start=IntersectionId(start),
        end=IntersectionId(end),
        length_m=length,
        speed_mps=15.0,
        shape=(a, b),
        lanes=(lane,),
        leg=leg,
    )


def _at(links: tuple[Link, ...], k: int, leg: Leg, *, arriving: bool) -> Link:
    """Return the link on a leg of signal k."""
    place, (dx, dy) = f"X{k}", STEPS[leg]
    for link in links:
        near, far = (link.shape[1], link.shape[0]) if arriving else link.shape
        here = link.end if arriving else link.start
        if here == place and (far[0] - near[0]) * dx + (far[1] - near[1]) * dy > 0:
            return link
    raise LookupError(place, leg)


def _movements(links: tuple[Link, ...]) -> list[Movement]:
    return [
        Movement(
            id=MovementId(f"X{k}{leg}{turn}"),
            intersection=IntersectionId(f"X{k}"),
            from_link=_at(links, k, leg, arriving=True).id,
            to_link=_at(links, k, to, arriving=False).id,
            turn=turn,
            leg=leg,
            lanes=(LaneId(f"{_at(links, k, leg, arriving=True).id}_0"),),
            length_m=20.0,
            speed_mps=10.0,
            controllers=(ControllerId(f"C{k}"),),
        )
        for k in range(3)
        for (leg, to), turn in TURNS.items()
    ]


def _crossing(k: int, leg: Leg) -> Crossing:
    side = f"X{k + 1}" if leg is Leg.E and k < 2 else f"X{k - 1}" if leg is Leg.W and k else ""
    other = side or f"end{k}{leg}"
    return Crossing(
        id=CrossingId(f"X{k}{leg}"),
        intersection=IntersectionId(f"X{k}"),
        leg=leg,
        links=(LinkId(f"{other}>X{k}"),),
        length_m=24.0,
        width_m=5.0,
        refuge_m=0.0,
        controllers=(ControllerId(f"C{k}"),),
    )


def _controller(k: int, movements: tuple[Movement, ...]) -> Controller:
    services = [
        Service(phase=PhaseId(PHASE_OF[m.leg, m.turn]), right=Right.PROTECTED, movement=m.id)
        for m in movements
        if m.intersection == f"X{k}"
    ]
    services += [
        Service(phase=PhaseId("WALK"), right=Right.PROTECTED, crossing=CrossingId(f"X{k}{leg}"))
        for leg in (Leg.E, Leg.W)
    ]
    cars = tuple(Phase(id=PhaseId(name), flash_ds=30) for name in ("EW", "EWL", "NS", "NSL"))
    walk = Phase(id=PhaseId("WALK"), kind=PhaseKind.PEDESTRIAN, yellow_ds=0, flash_ds=80)
    return Controller(
        id=ControllerId(f"C{k}"),
        intersections=(IntersectionId(f"X{k}"),),
        rules=SignalRules(phases=(*cars, walk), services=tuple(services)),
    )


def plan(k: int, offset_s: int) -> Plan:
    """Return a four-stage plan of controller k; local second 0 is the start of EW."""
    return Plan(
        id=PlanId("P1"),
        controller=ControllerId(f"C{k}"),
        cycle_ds=10 * CYCLE_S,
        offset_ds=10 * offset_s,
        reference=PhaseId("EW"),
        greens=tuple(
            Greens(
                phase=PhaseId(name),
                windows=(
                    Window(
                        start_ds=10 * start,
                        length_ds=10 * length,
                        yellow_ds=0 if name == "WALK" else 30,
                    ),
                ),
            )
            for name, (start, length) in sorted(SPANS_S.items())
        ),
    )


def plans(offsets_s: tuple[int, ...]) -> PlanSet:
    """Return one plan per controller for the peak and the rest of a workday."""
    periods = (
        Period(start_s=25200, end_s=30600, name="早高峰"),
        Period(start_s=30600, end_s=25200, name="平峰"),
    )
    listed = tuple(plan(k, offset) for k, offset in enumerate(offsets_s))
    return PlanSet(
        plans=listed,
        day_plans=(DayPlan(day_type="workday", periods=periods),),
        assignments=tuple(
            Assignment(controller=p.controller, day_type="workday", period=t.name, plan=p.id)
            for p in listed
            for t in periods
        ),
    )


def corridor() -> Corridor:
    """Return the street as a corridor, outbound from west to east."""
    stops = tuple(
        Stop(
            intersection=IntersectionId(f"X{k}"),
            outbound=MovementId(f"X{k}Wthrough"),
            inbound=MovementId(f"X{k}Ethrough"),
            outbound_controller=ControllerId(f"C{k}"),
            inbound_controller=ControllerId(f"C{k}"),
            outbound_phases=(PhaseId("EW"),),
            inbound_phases=(PhaseId("EW"),),
        )
        for k in range(3)
    )
    both = [
        tuple(
            Section(
                links=(LinkId(f"X{a}>X{b}" if out else f"X{b}>X{a}"),),
                length_m=AT_M[b] - AT_M[a],
                speed_limit_mps=15.0,
            )
            for a, b in ((0, 1), (1, 2))
        )
        for out in (True, False)
    ]
    return Corridor(
        id=CorridorId("anning"), name="安宁街", stops=stops, outbound=both[0], inbound=both[1]
    )


def band() -> BandPlan:
    """Return bands of 11 s at 12.5 m/s that fit offsets 0, 55 and 0 s both ways."""
    return BandPlan(
        kind=BandKind.TWO_WAY,
        cycle_ms=110_000,
        outbound_ms=11_000,
        inbound_ms=11_000,
        offsets_ms=(0, 55_000, 0),
        patterns=(0, 0, 0),
        travel_out_ms=(33_600, 48_800),
        travel_in_ms=(33_600, 48_800),
        front_out_ms=(28_000, 61_600, 110_400),
        front_in_ms=(110_400, 76_800, 28_000),
        slack_ms=((0, 0), (0, 0), (0, 0)),
        binding_out=(0, 2),
        binding_in=(0, 2),
        min_green_out_ms=39_000,
        min_green_in_ms=39_000,
    )


def difference(measure: str, before: float, after: float, *, less: bool = True) -> Difference:
    """Return a paired difference that wobbles by 4 % of itself and 1 % of the value."""
    wobble = (-1.0, 0.4, 0.0, 0.7, -0.1)
    changes = [(after - before) * (1 + 0.04 * w) + 0.01 * before * w for w in wobble]
    worst = max(changes) if less else min(changes)
    return Difference(
        measure=measure,
        before=before,
        after=before + sum(changes) / 5,
        change=interval(changes),
        percent=interval([100 * c / before for c in changes]),
        worst_seed=SEEDS[changes.index(worst)],
        worst=worst,
        less_is_better=less,
    )


def measures(seed: int, scale: float) -> Measures:
    """Return the measures of one seed."""
    wobble = 1 + 0.02 * (seed % 3 - 1)
    return Measures(
        seed=seed, due=2400, arrived=2380, unfinished=20, never_inserted=0,
        delay_s=60 * scale * wobble, trip_s=190 * scale * wobble, trip_p95_s=420.0,
        stops=1.9 * scale * wobble, queue=40.0, queue_longest=22.0, spillback_min=6.0 * wobble,
        throughput_vph=2380.0, co2_g=300.0, teleports=0, lamp_violations=0, bus_delay_s=40.0,
        bus_trip_s=300.0, person_delay_s=55.0 * scale * wobble, walk_delay_s=34.0 * wobble,
        walk_delay_longest_s=88.0,
    )  # fmt: skip


def comparison() -> Comparison:
    """Return a comparison in which the network gains, people on foot and one left turn lose."""
    differences = (
        difference("walk_delay_s", 33.0, 34.4),
        difference("person_delay_s", 55.0, 50.2),
        difference("delay_s", 60.0, 54.1),
        difference("trip_s", 190.0, 183.0),
        difference("trip_p95_s", 420.0, 411.0),
        difference("stops", 1.9, 1.52),
        difference("walk_delay_longest_s", 88.0, 88.3),
        difference("spillback_min", 6.1, 5.9),
        difference("bus_trip_s", 301.0, 288.0),
        difference("unfinished", 20.0, 19.0),
        difference("throughput_vph", 2380.0, 2382.0, less=False),
        difference("co2_g", 300.0, 291.0),
    )
    movements = (
        _movement("X1Nleft", 64, 52.0, 61.0),
        _movement("X1Sthrough", 240, 41.0, 42.0),
        _movement("X0Wthrough", 900, 38.0, 21.0),
        _movement("X2Ethrough", 700, 55.0, 34.0),
        _movement("X2Sleft", 90, 92.0, 84.0),
    )
    return Comparison(
        scenario="anning",
        before="shipped",
        after="lvbo",
        seeds=SEEDS,
        differences=differences,
        movements=movements,
    )


def _movement(name: str, vehicles: float, before: float, after: float) -> MovementChange:
    spread = [after - before + d for d in (-1.5, -0.4, 0.1, 0.6, 1.2)]
    return MovementChange(
        movement=name,
        street="安宁街",
        vehicles=vehicles,
        before_s=before,
        after_s=after,
        change_s=interval(spread),
    )


def demand() -> Demand:
    """Return four workdays of hourly volumes of two movements."""
    hours = np.arange(24.0)
    day = 120 + 700 * np.exp(-(((hours - 8) / 1.8) ** 2)) + 600 * np.exp(-(((hours - 18) / 2) ** 2))
    volume = np.stack([np.stack([day * s, day * s * 0.7], axis=1) for s in (0.9, 1.0, 1.05, 1.1)])
    return Demand(
        days=("2025-12-08", "2025-12-09", "2025-12-10", "2025-12-15"),
        day_types=("workday",) * 4,
        first_s=0,
        slot_s=3600,
        slots=24,
        movements=(MovementId("X0Wthrough"), MovementId("X2Ethrough")),
        volume_vph=volume,
        lower_vph=volume.copy(),
        upper_vph=volume.copy(),
        saturated=np.zeros(volume.shape, dtype=bool),
        saturations=(),
    )


def inputs() -> ReportInputs:
    """Return a whole report, with nothing measured on the street yet."""
    network, compared = street(), comparison()
    corridor_gains = (
        difference("travel_median_s", 148.0, 121.0),
        difference("travel_p95_s", 232.0, 188.0),
        difference("speed_mps", 7.0, 8.5, less=False),
        difference("stops_per_trip", 1.6, 0.7),
        difference("nonstop_share", 0.22, 0.58, less=False),
    )
    heavy = (difference("travel_median_s", 131.0, 132.0), difference("stops_per_trip", 1.1, 1.05))
    result = Result(
        source=Source.SIMULATED,
        comparison=compared,
        directions=(
            DirectionResult(heading=Heading.W, differences=heavy),
            DirectionResult(heading=Heading.E, differences=corridor_gains),
        ),
        before=tuple(measures(seed, 1.0) for seed in SEEDS),
        after=tuple(measures(seed, 0.9) for seed in SEEDS),
    )
    return ReportInputs(
        network=network,
        sample=Sample(
            place="榆次",
            corridor="安宁街",
            period="早高峰",
            start_s=25200,
            end_s=30600,
            dates="2025-12-08 – 2025-12-19",
            day_types=("workday",),
            weather="dry",
            seeds=SEEDS,
        ),
        results=(result,),
        plans_before=plans((0, 0, 0)),
        plans_after=plans((0, 55, 0)),
        waves=(WavePage(corridor=corridor(), period="早高峰", begin_s=25200.0, after=band()),),
        links=link_states(network, compared.movements, hours=1.5),
        demand=demand(),
        findings=(
            Finding(code="LV671", place="C1", severity=Severity.WARNING),
            Finding(code="LV402", place="C2", fields={"link": 1, "distance_m": 0.0}),
        ),
        manifest={
            "scenario": "anning",
            "seeds": list(SEEDS),
            "files": {"anning.net.xml": "sha256:" + "ab" * 32},
            "versions": {"lvbo": "0.1.0", "python": "3.11.7"},
        },
    )


def measured_inputs() -> ReportInputs:
    """Return the same report with a measured part beside the expected one."""
    known = inputs()
    measured = replace(known.results[0], source=Source.MEASURED)
    return replace(known, results=(*known.results, measured))
