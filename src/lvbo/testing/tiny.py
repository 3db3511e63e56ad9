# SPDX-License-Identifier: Apache-2.0
"""Small controllers and hypothesis strategies for tests of whoever builds on Lvbo.

The strategies need `hypothesis`, which loads only when one of them is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from lvbo.ids import ControllerId, IntersectionId, MovementId, PhaseId, PlanId, StageId
from lvbo.network.network import Network
from lvbo.network.place import Intersection, IntersectionKind
from lvbo.signal.lamp import Conflict, Lamp, PhaseKind, Right
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import (
    ConflictMatrix,
    Controller,
    Follows,
    IntergreenMatrix,
    Phase,
    PhaseLimits,
    Service,
    SignalRules,
)
from lvbo.signal.schedule import Assignment, Calendar, DayPlan, Period, PlanSet
from lvbo.signal.stages import from_stages

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

TINY = ControllerId("tiny")
NS, NSL, EW, EWL, WALK = (PhaseId(name) for name in ("NS", "NSL", "EW", "EWL", "WALK"))
YELLOW_DS = 30
INTERGREEN_DS = 50


def tiny_rules() -> SignalRules:
    """Return four vehicle phases and a walk: every pair forbidden but NS and EW with themselves.

    Intergreens are 5 s, 12 s after the walk; minimum greens 10 s (5 s for lefts); the walk goes
    with NS. A waiting area makes NSL follow NS.
    """
    phases = (
        Phase(id=NS, flash_ds=30),
        Phase(id=NSL, kind=PhaseKind.ARROW),
        Phase(id=EW, flash_ds=30),
        Phase(id=EWL, kind=PhaseKind.ARROW),
        Phase(id=WALK, kind=PhaseKind.PEDESTRIAN, yellow_ds=0, flash_ds=80),
    )
    together = {frozenset({NS, WALK})}
    ids = [phase.id for phase in phases]
    pairs = [(a, b) for a in ids for b in ids if a < b and frozenset({a, b}) not in together]
    both_ways = [*pairs, *((b, a) for a, b in pairs)]
    return SignalRules(
        phases=phases,
        services=tuple(
            Service(phase=p, right=Right.PROTECTED, movement=MovementId(f"go {p}")) for p in ids
        ),
        conflicts=ConflictMatrix(pairs=tuple((a, b, Conflict.FORBIDDEN) for a, b in pairs)),
        intergreens=IntergreenMatrix(
            pairs=tuple((a, b, 120 if a == WALK else INTERGREEN_DS) for a, b in both_ways)
        ),
        limits=tuple(
            PhaseLimits(phase=p, min_green_ds=50 if p in (NSL, EWL) else 100) for p in ids
        ),
        follows=(Follows(phase=NSL, after=NS),),
    )


def tiny_controller() -> Controller:
    """Return a controller with the tiny rules, at one intersection."""
    return Controller(
        id=TINY, intersections=(IntersectionId("tiny"),), rules=tiny_rules(), name="Tiny"
    )


def tiny_plan(offset_s: int = 0) -> Plan:
    """Return a legal 100 s plan of the tiny controller: NS 30, NSL 15, EW 25, EWL 10 s."""
    spans = {NS: (0, 30), NSL: (35, 15), EW: (55, 25), EWL: (85, 10), WALK: (0, 23)}
    return plan_of(tiny_rules(), spans, cycle_s=100, offset_s=offset_s, reference=NS)


def plan_of(
    rules: SignalRules,
    spans_s: Mapping[PhaseId, tuple[int, int]],
    *,
    cycle_s: int,
    reference: PhaseId,
    offset_s: int = 0,
) -> Plan:
    """Return a plan from one (start, length) in seconds per phase, yellows as the phases say."""
    greens = tuple(
        Greens(
            phase=name,
            windows=(
                Window(
                    start_ds=10 * start % (10 * cycle_s),
                    length_ds=10 * length,
                    yellow_ds=rules.phase_index[name].yellow_ds,
                ),
            ),
        )
        for name, (start, length) in spans_s.items()
    )
    return referenced(PlanId("P1"), TINY, 10 * cycle_s, greens, reference, 10 * offset_s)


def head_rules() -> SignalRules:
    """Return a left turn whose head shows a permitted, then a protected green, and its foes.

    LP (permitted) and LG (protected) light one head; OPP is the oncoming through: LP yields to it,
    LG is forbidden with it. Intergreens 5 s.
    """
    left = MovementId("left")
    lp, lg, opp = PhaseId("LP"), PhaseId("LG"), PhaseId("OPP")
    return SignalRules(
        phases=(Phase(id=lp, shows=Lamp.PERMITTED), Phase(id=lg), Phase(id=opp)),
        services=(
            Service(phase=lp, right=Right.PERMITTED, movement=left),
            Service(phase=lg, right=Right.PROTECTED, movement=left),
            Service(phase=opp, right=Right.PROTECTED, movement=MovementId("through")),
        ),
        conflicts=ConflictMatrix(pairs=((lp, opp, Conflict.YIELD), (lg, opp, Conflict.FORBIDDEN))),
        intergreens=IntergreenMatrix(pairs=((lg, opp, 50), (opp, lg, 50))),
    )


def lamp_rows(plan: Plan, rules: SignalRules, cycles: int = 3) -> list[list[Lamp]]:
    """Return what every phase shows, second by second, through some cycles of a plan."""
    seconds = range(cycles * plan.cycle_ds // 10)
    return [[plan.lamp(phase, 10 * t % plan.cycle_ds) for phase in rules.phases] for t in seconds]


def legal_plans() -> SearchStrategy[tuple[SignalRules, Plan]]:
    """Return a strategy of rules with a plan that keeps them, in whole seconds.

    Phases belong to one or two consecutive groups of a random cyclic order; phases that share no
    group are forbidden together, with a random intergreen for each ordered pair.
    """
    from hypothesis import strategies as st

    @st.composite
    def drawn(draw: DrawFn) -> tuple[SignalRules, Plan]:
        sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
        groups = [[PhaseId(f"{g}{k}") for k in range(size)] for g, size in enumerate(sizes)]
        last = {
            p: g + (g < len(groups) - 1 and draw(st.booleans()))
            for g, group in enumerate(groups)
            for p in group
        }
        rules = _drawn_rules(draw, groups, last)
        greens = [draw(st.integers(5, 30)) for _ in groups]
        return rules, _earliest(rules, groups, last, greens)

    return drawn()


def _drawn_rules(
    draw: DrawFn, groups: Sequence[Sequence[PhaseId]], last: Mapping[PhaseId, int]
) -> SignalRules:
    from hypothesis import strategies as st

    first = {p: g for g, group in enumerate(groups) for p in group}
    apart = [
        (a, b) for a in first for b in first if a < b and (last[a] < first[b] or last[b] < first[a])
    ]
    both_ways = sorted([*apart, *((b, a) for a, b in apart)])
    return SignalRules(
        phases=tuple(Phase(id=p, yellow_ds=10 * draw(st.integers(3, 4))) for p in sorted(first)),
        services=tuple(
            Service(phase=p, right=Right.PROTECTED, movement=MovementId(p)) for p in sorted(first)
        ),
        conflicts=ConflictMatrix(pairs=tuple((a, b, Conflict.FORBIDDEN) for a, b in apart)),
        intergreens=IntergreenMatrix(
            pairs=tuple((a, b, 10 * draw(st.integers(4, 8))) for a, b in both_ways)
        ),
        limits=tuple(PhaseLimits(phase=p, min_green_ds=50) for p in sorted(first)),
    )


def _earliest(
    rules: SignalRules,
    groups: Sequence[Sequence[PhaseId]],
    last: Mapping[PhaseId, int],
    greens_s: Sequence[int],
) -> Plan:
    """Return the plan that starts each group as soon as the intergreens let it."""
    starts: dict[PhaseId, int] = {}
    ends: dict[PhaseId, int] = {}
    begin = 0
    for g, group in enumerate(groups):
        begin = max([begin, *(_ready(rules, ends, p) for p in group)])
        starts.update(dict.fromkeys(group, begin))
        begin += 10 * greens_s[g]
        ends.update({p: begin for p in starts if last[p] == g})
    cycle = max([begin + 50, *(_ready(rules, ends, p) - starts[p] for p in starts)])
    cycle += -cycle % 10
    spans = {p: (starts[p] // 10, (ends[p] - starts[p]) // 10) for p in starts}
    reference = groups[0][0]
    return plan_of(rules, spans, cycle_s=cycle // 10, reference=reference, offset_s=cycle // 20)


def _ready(rules: SignalRules, ends: Mapping[PhaseId, int], phase: PhaseId) -> int:
    """Return when a phase may start after all foes that have ended."""
    waits = [end + (rules.intergreen_ds(foe, phase) or 0) for foe, end in ends.items()]
    return max(waits, default=0)


def tiny_network() -> Network:
    """Return a network of the tiny controller alone: one intersection and no links."""
    place = Intersection(
        id=IntersectionId("tiny"), name="Tiny", kind=IntersectionKind.SIGNAL, at=(0.0, 0.0)
    )
    return Network(
        intersections=(place,),
        links=(),
        movements=(),
        crossings=(),
        controllers=(tiny_controller(),),
    )


def tiny_plans() -> PlanSet:
    """Return two plans of the tiny controller: P1 in the day, P2 (four stages) at night."""
    day = Period(start_s=6 * 3600, end_s=22 * 3600, name="day")
    night = Period(start_s=22 * 3600, end_s=6 * 3600, name="night")
    stages = [
        (StageId("A"), (NS, WALK), 180),
        (StageId("B"), (NSL,), 50),
        (StageId("C"), (EW,), 105),
        (StageId("D"), (EWL,), 60),
    ]
    short = from_stages(PlanId("P2"), TINY, tiny_rules(), stages, 75, EW)
    return PlanSet(
        plans=(tiny_plan(60), short),
        day_plans=(DayPlan(day_type="workday", periods=(day, night)),),
        assignments=(
            Assignment(controller=TINY, day_type="workday", period="day", plan=PlanId("P1")),
            Assignment(controller=TINY, day_type="workday", period="night", plan=PlanId("P2")),
        ),
        calendar=Calendar(dates=((date(2026, 2, 17), "workday"),)),
    )
