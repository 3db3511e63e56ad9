# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from lvbo.errors import PlanError
from lvbo.ids import MovementId, PhaseId, PlanId, StageId
from lvbo.signal.check import is_safe
from lvbo.signal.lamp import Conflict, Right
from lvbo.signal.plan import Greens, Plan, Window
from lvbo.signal.ringbarrier import (
    Barrier,
    Overlap,
    RingBarrier,
    Split,
    as_ring_barrier,
    from_ring_barrier,
)
from lvbo.signal.rules import (
    ConflictMatrix,
    IntergreenMatrix,
    Phase,
    PhaseLimits,
    Service,
    SignalRules,
)
from lvbo.signal.stages import from_stages
from lvbo.testing import NS, TINY, tiny_plan, tiny_rules

P1, P2, P3, P4, P5, P6, P7, P8, OA = (PhaseId(n) for n in "12345678A")
TOGETHER = {(P1, P5), (P1, P6), (P2, P5), (P2, P6), (P3, P7), (P3, P8), (P4, P7), (P4, P8)}
RINGS = ((P1, P2, P3, P4), (P5, P6, P7, P8))
RIGHT_TURN = Overlap(phase=OA, parents=(P2, P3))


def nema_rules() -> SignalRules:
    """Return eight phases in two rings and an overlap of 2 and 3; yellow 4 s, intergreens 5 s."""
    ids = (P1, P2, P3, P4, P5, P6, P7, P8)
    apart = [(a, b) for a in ids for b in ids if a < b and (a, b) not in TOGETHER]
    apart += [(P1, OA), (P4, OA)]
    both_ways = [*apart, *((b, a) for a, b in apart)]
    return SignalRules(
        phases=tuple(Phase(id=p, yellow_ds=40) for p in (*ids, OA)),
        services=tuple(
            Service(phase=p, right=Right.PROTECTED, movement=MovementId(f"m{p}"))
            for p in (*ids, OA)
        ),
        conflicts=ConflictMatrix(pairs=tuple((a, b, Conflict.FORBIDDEN) for a, b in apart)),
        intergreens=IntergreenMatrix(pairs=tuple((a, b, 50) for a, b in both_ways)),
        limits=tuple(PhaseLimits(phase=p, min_green_ds=50) for p in (*ids, OA)),
    )


def splits(*pairs: tuple[PhaseId, int]) -> tuple[Split, ...]:
    return tuple(Split(phase=p, length_ds=10 * s, red_ds=10) for p, s in pairs)


def eight(*, lag: bool = False) -> RingBarrier:
    first = splits((P2, 35), (P1, 15)) if lag else splits((P1, 15), (P2, 35))
    return RingBarrier(
        barriers=(
            Barrier(rings=(first, splits((P5, 20), (P6, 30)))),
            Barrier(rings=(splits((P3, 15), (P4, 25)), splits((P7, 18), (P8, 22)))),
        ),
        overlaps=(RIGHT_TURN,),
    )


def built(writing: RingBarrier) -> Plan:
    return from_ring_barrier(PlanId("P1"), TINY, nema_rules(), writing, 100, P2)


def test_rings_give_the_timeline_of_the_book() -> None:
    plan = built(eight())

    assert plan.cycle_ds == 900
    assert plan.offset_ds == 100
    assert plan.windows_of(P2) == (Window(start_ds=0, length_ds=300, yellow_ds=40),)
    assert plan.windows_of(P1) == (Window(start_ds=750, length_ds=100, yellow_ds=40),)
    assert plan.windows_of(P6) == (Window(start_ds=50, length_ds=250, yellow_ds=40),)
    assert plan.windows_of(P8) == (Window(start_ds=530, length_ds=170, yellow_ds=40),)
    assert is_safe(plan, nema_rules())


def test_an_overlap_goes_through_the_clearance_between_its_parents() -> None:
    plan = built(eight())

    assert plan.windows_of(OA) == (Window(start_ds=0, length_ds=450, yellow_ds=40),)


def test_a_lagging_left_comes_after_its_through() -> None:
    plan = built(eight(lag=True))

    assert plan.windows_of(P1)[0].start_ds == 350
    assert is_safe(plan, nema_rules())


@pytest.mark.parametrize("lag", [False, True])
def test_the_writing_is_found_again(lag: bool) -> None:  # noqa: FBT001  a case, not an interface
    plan = built(eight(lag=lag))
    found = as_ring_barrier(plan, nema_rules(), RINGS, (RIGHT_TURN,))

    assert found is not None
    again = built(found)
    assert again == plan
    firsts = {tuple(s.phase for ring in b.rings for s in ring) for b in found.barriers}
    assert (P3, P4, P7, P8) in firsts


def test_both_writings_of_one_plan_agree() -> None:
    rings = built(
        RingBarrier(
            barriers=(
                Barrier(rings=(splits((P1, 15), (P2, 35)), splits((P5, 15), (P6, 35)))),
                Barrier(rings=(splits((P3, 15), (P4, 25)), splits((P7, 15), (P8, 25)))),
            )
        )
    )
    order = (((P1, P5), 100), ((P2, P6), 300), ((P3, P7), 100), ((P4, P8), 200))
    stages = [(StageId(f"S{k}"), phases, green) for k, (phases, green) in enumerate(order)]
    sequence = from_stages(PlanId("P1"), TINY, nema_rules(), stages, 100, P2)

    assert replace(sequence, stages=()) == rings
    assert as_ring_barrier(sequence, nema_rules(), RINGS) is not None


def test_a_plan_that_rings_cannot_express_says_so() -> None:
    plan = built(eight())
    twice = tuple(
        Greens(phase=P8, windows=(*g.windows, Window(start_ds=100, length_ds=50)))
        if g.phase == P8
        else g
        for g in plan.greens
    )

    assert as_ring_barrier(plan, nema_rules(), RINGS) is None
    assert as_ring_barrier(replace(plan, greens=twice), nema_rules(), RINGS) is None
    assert as_ring_barrier(tiny_plan(), tiny_rules(), ((NS,), (P1,))) is None


def test_rings_that_miss_the_barrier_are_refused() -> None:
    with pytest.raises(PlanError) as caught:
        built(
            RingBarrier(barriers=(Barrier(rings=(splits((P2, 35)), splits((P5, 20), (P6, 16)))),))
        )

    assert caught.value.code == "LV336"
    assert caught.value.fields["sums_s"] == "35, 36"


@pytest.mark.parametrize(
    ("ring", "code"),
    [(((P2, 5),), "LV337"), (((PhaseId("9"), 20),), "LV331"), (((P6, 20),), "LV334")],
)
def test_a_wrong_ring_is_refused(ring: tuple[tuple[PhaseId, int], ...], code: str) -> None:
    with pytest.raises(PlanError) as caught:
        built(RingBarrier(barriers=(Barrier(rings=(splits(*ring),)),)))

    assert caught.value.code == code
