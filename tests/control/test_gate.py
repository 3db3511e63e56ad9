# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvbo.bench.gate import run_gate
from lvbo.control import _gate_kernels as kernels
from lvbo.control._look_kernels import LAMP
from lvbo.control.gate import Gate, Memory, admit, make_gate, start
from lvbo.control.protocols import Observation, Order, Verdict, Wish
from lvbo.control.site import Site, read_site
from lvbo.control.stages import stage_table
from lvbo.ids import PhaseId
from lvbo.signal.lamp import Countdown, Lamp
from lvbo.signal.plan import Plan
from lvbo.signal.rules import Phase, PhaseLimits, SignalRules
from lvbo.signal.watch import LampChecker
from lvbo.testing import (
    EW,
    EWL,
    NS,
    NSL,
    WALK,
    head_rules,
    legal_plans,
    tiny_controller,
    tiny_network,
    tiny_rules,
)

STAGES = ((NS, WALK), (NSL,), (EW,), (EWL,))


def site_of(rules: SignalRules) -> Site:
    bare = replace(tiny_controller(), rules=replace(rules, services=()))
    return replace(read_site(tiny_network(), bare), controller=replace(bare, rules=rules))


def tiny_site(**more: object) -> Site:
    rules = replace(tiny_rules(), orders=(STAGES,))
    plain = tuple(replace(p, flash_ds=0) for p in rules.phases)
    return site_of(replace(rules, **{"phases": plain, "follows": (), **more}))  # type: ignore[arg-type]


class Walker:
    """Show what the gate allows, second by second, and read it with the lamp checker."""

    def __init__(self, site: Site, gate: Gate, called: list[PhaseId] | None = None) -> None:
        self.site, self.gate, self.t = site, gate, -1
        self.checker, self.memory = LampChecker(site.rules), Memory()
        self.lamps = np.zeros(len(site.phases), dtype=np.int64)
        self.since = np.full(len(site.phases), 100)
        self.called = None if called is None else np.isin(site.phases, called)

    def seen(self, **more: object) -> Observation:
        fields: dict[str, object] = {
            "controller": self.site.id,
            "time_s": self.t,
            "seen_s": self.t,
            "lamps": self.lamps,
            "since_s": self.since,
            "working": np.ones(0, dtype=bool),
            "blocked": np.zeros(0, dtype=bool),
            "calls": self.site.walks & (self.called if self.called is not None else True),
        }
        return Observation(**{**fields, **more})  # type: ignore[arg-type]

    def shown_after(self, phase: PhaseId) -> Lamp:
        self.wish(phase)
        return self.shows(phase)

    def wish(self, *phases: PhaseId, seconds: int = 1, stage: int = -1, **more: object) -> Verdict:
        for _ in range(seconds):
            self.t += 1
            greens = np.isin(self.site.phases, phases)
            verdict, self.memory = admit(
                self.gate,
                self.memory,
                self.seen(**more),
                Wish(greens=greens, stage=stage),
                self.called,
            )
            if verdict.lamps is not None:
                same = verdict.lamps == self.lamps
                self.since = np.where(same, self.since + 1, 1)
                self.lamps = verdict.lamps
                assert not self.checker.see(10 * self.t, verdict.lamps.tolist())
        return verdict

    def shows(self, phase: PhaseId) -> Lamp:
        return Lamp(int(self.lamps[self.site.phases.index(phase)]))


def walker(site: Site, order: Order | None = None, called: list[PhaseId] | None = None) -> Walker:
    table = None if order is None else stage_table(site, order)
    return Walker(site, make_gate(site, table), called)


def test_a_green_ends_only_after_its_minimum() -> None:
    street = walker(tiny_site())
    street.wish(NS, seconds=4)
    early = street.wish(EW)

    assert [(r.code, r.wait_s) for r in early.refusals if NS in r.phases] == [("LV725", 6)]
    street.wish(EW, seconds=5)
    assert street.shows(NS) is Lamp.GREEN
    street.wish(EW)
    assert street.shows(NS) is Lamp.YELLOW


def test_a_foe_starts_when_the_intergreen_is_over_and_not_before() -> None:
    street = walker(tiny_site())
    street.wish(NS, seconds=10)
    shown = [street.shown_after(EW) for _ in range(6)]

    assert shown == [*[Lamp.RED] * 5, Lamp.GREEN]


def test_the_clearance_of_people_is_never_cut() -> None:
    street = walker(tiny_site())
    street.wish(WALK, seconds=10)
    shown = [street.shown_after(EW) for _ in range(13)]

    assert shown.index(Lamp.GREEN) == 12


def test_an_announced_end_can_not_be_taken_back() -> None:
    site = site_of(replace(tiny_rules(), follows=()))
    street = walker(site)
    street.wish(NS, seconds=12)
    street.wish()
    back = street.wish(NS)

    assert [r.code for r in back.refusals] == ["LV726"]
    street.wish(NS)
    assert street.shows(NS) is Lamp.GREEN
    street.wish(NS)
    assert street.shows(NS) is Lamp.YELLOW


def test_two_foes_in_one_wish_are_both_refused() -> None:
    street = walker(tiny_site())
    both = street.wish(NS, EW)

    assert [(r.code, r.phases) for r in both.refusals] == [("LV723", (NS, EW))]


def test_the_waiting_area_is_served_directly_after_its_through() -> None:
    rules = replace(tiny_rules(), phases=tuple(replace(p, flash_ds=0) for p in tiny_rules().phases))
    street = walker(site_of(rules))
    street.wish(NS, seconds=10)
    other = street.wish(EW, seconds=20)

    assert [r.code for r in other.refusals] == ["LV729"]
    street.wish(NSL)
    assert street.shows(NSL) is Lamp.GREEN


def test_red_amber_comes_before_green() -> None:
    phases = tuple(replace(p, flash_ds=0, red_amber_ds=20) for p in tiny_rules().phases)
    street = walker(tiny_site(phases=phases))
    shown = [street.shown_after(NS) for _ in range(3)]

    assert shown == [Lamp.RED_AMBER, Lamp.RED_AMBER, Lamp.GREEN]


def test_a_head_may_change_between_its_lamps_without_yellow() -> None:
    site = site_of(head_rules())
    lp, lg, opp = site.phases
    street = walker(site)
    street.wish(lg, seconds=5)
    street.wish(lp)

    assert (street.shows(lp), street.shows(lg)) == (Lamp.PERMITTED, Lamp.RED)
    street.wish(lp, opp, seconds=4)
    assert street.shows(opp) is Lamp.RED
    street.wish(lp, opp)
    assert street.shows(opp) is Lamp.GREEN


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"seen_s": -100}, "LV720"),
        ({"time_s": 3, "seen_s": 3}, "LV720"),
        ({"lamps": np.array([7, 0, 7, 0, 0])}, "LV721"),
        ({"lamps": np.array([7.0, 0, 0, 0, np.nan])}, "LV721"),
        ({"lamps": np.array([7, 0])}, "LV721"),
        ({"lamps": np.array([0, 0, 7, 0, 0])}, "LV722"),
    ],
)
def test_lamps_that_can_not_be_believed_release_the_site(
    more: dict[str, object], code: str
) -> None:
    street = walker(tiny_site())
    street.wish(NS, seconds=20)
    verdict = street.wish(NS, **more)  # type: ignore[arg-type]

    assert verdict.released
    assert [r.code for r in verdict.refusals] == [code]


def test_lamps_that_come_late_are_known_again() -> None:
    street = walker(tiny_site())
    street.wish(NS, seconds=20)
    late = street.lamps.copy()
    street.wish(EW, seconds=3)

    assert not street.wish(EW, lamps=late).released


def test_a_wish_that_can_not_be_read_changes_nothing() -> None:
    street = walker(tiny_site())
    street.wish(NS, seconds=20)
    street.t += 1
    verdict, _ = admit(
        street.gate, street.memory, street.seen(), Wish(greens=np.array([True, False]))
    )

    assert verdict.lamps is not None
    assert verdict.lamps.tolist() == street.lamps.tolist()
    assert verdict.refusals[0].code == "LV723"


def test_a_countdown_of_whole_greens_lets_only_plans_run() -> None:
    site = tiny_site(countdown=Countdown.FULL)

    assert walker(site, Order.ANY).wish(NS).refusals[0].code == "LV727"
    assert not walker(site).wish(NS).released


def test_a_stage_that_is_called_is_not_passed_over() -> None:
    called = walker(tiny_site(), Order.SKIP, [NSL])
    called.wish(NS, seconds=20)
    free = walker(tiny_site(), Order.SKIP, [EW])
    free.wish(NS, seconds=20)

    assert [r.code for r in called.wish(EW).refusals] == ["LV724"]
    assert not [r for r in free.wish(EW).refusals if r.code == "LV724"]


def test_the_starts_of_a_stage_may_be_held_back_but_not_beyond_the_maximum_red() -> None:
    site = tiny_site()
    stages = stage_table(site, Order.ANY).greens
    stage = next(k for k, row in enumerate(stages) if row[site.phases.index(EW)])
    street = walker(site, Order.ANY, [EW])
    street.wish(NS, seconds=30)
    street.wish(EW, stage=stage)
    verdict = street.wish(stage=stage, seconds=20)

    assert street.shows(NS) is Lamp.RED
    assert street.shows(EW) is Lamp.RED
    assert not verdict.refusals
    assert street.wish(EW, stage=stage, seconds=3).forced is None
    assert street.shows(EW) is Lamp.GREEN

    late = walker(site, Order.ANY, [EW])
    late.wish(NS, seconds=30)
    late.wish(EW, stage=stage)
    forced = [late.wish(stage=stage).forced for _ in range(400)]

    assert EW in forced


def test_without_skips_only_the_next_stage_is_granted() -> None:
    street = walker(tiny_site(), Order.FIXED)
    street.wish(NS, seconds=20)

    assert [r.code for r in street.wish(EW).refusals] == ["LV724"]
    assert not [r for r in street.wish(NSL).refusals if r.code == "LV724"]


@pytest.mark.parametrize("order", list(Order))
def test_no_called_phase_waits_longer_than_its_maximum_red(order: Order) -> None:
    limits = tuple(
        PhaseLimits(phase=p, min_green_ds=100, max_red_ds=1000) for p in (NS, EW, WALK)
    ) + tuple(PhaseLimits(phase=p, min_green_ds=50, max_red_ds=1000) for p in (NSL, EWL))
    street = walker(tiny_site(limits=limits), order)
    waits = dict.fromkeys(street.site.phases, 0)
    longest, forced = 0, 0
    for _ in range(1000):
        forced += street.wish(NS).forced is not None
        waits = {p: 0 if street.shows(p) is Lamp.GREEN else n + 1 for p, n in waits.items()}
        longest = max(longest, *waits.values())

    assert 80 < longest <= 100
    assert forced


def loose_site() -> Site:
    """Return the tiny site with lefts that may run beside their throughs, yet in stages apart."""
    rules = tiny_rules()
    beside = ({NS, NSL}, {EW, EWL})
    return tiny_site(
        conflicts=replace(
            rules.conflicts,
            pairs=tuple(x for x in rules.conflicts.pairs if {*x[:2]} not in beside),
        ),
        intergreens=replace(
            rules.intergreens,
            pairs=tuple(x for x in rules.intergreens.pairs if {*x[:2]} not in beside),
        ),
    )


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("site", [tiny_site(), loose_site()], ids=["tight", "loose"])
@pytest.mark.parametrize("seed", range(3))
def test_the_promise_is_kept_whatever_is_wished_and_whoever_calls(
    order: Order, site: Site, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    gate = make_gate(site, stage_table(site, order))
    width = len(site.phases)
    zero = np.zeros(width, dtype=np.int64)
    state, scalars, _ = start(gate, -1, zero, zero + 100)
    asked = np.full(width, -1)
    for t in range(4000):
        wish = rng.random(width) < 0.3
        if t % 7:
            wish = gate.rules.greens[rng.integers(4)]
        called = rng.random(width) < rng.choice([0.0, 0.02, 0.5])
        preparing = rng.random(width) < 0.1
        kernels.decide(
            gate.rules, state, scalars, t, wish, -1, zero - 1, preparing, called, zero.copy(),
            zero.copy(),
        )  # fmt: skip
        going = state[LAMP] == gate.rules.shows
        asked = np.where(going, -1, np.where((asked < 0) & called, t, asked))

        assert kernels.first_late(gate.rules, state, scalars) < 0
        assert ((asked < 0) | (t - asked < gate.rules.red_s)).all()


def test_calls_are_served_in_their_order_where_stages_may_be_skipped() -> None:
    assert make_gate(tiny_site(), stage_table(tiny_site(), Order.SKIP)).rules.by_call
    assert not make_gate(tiny_site(), stage_table(tiny_site(), Order.FIXED)).rules.by_call


def test_no_sequence_of_wishes_on_a_small_intersection_is_unsafe() -> None:
    limits = tuple(PhaseLimits(phase=PhaseId(p), min_green_ds=20) for p in ("LP", "LG", "OPP"))
    rules = head_rules()
    small = replace(
        rules,
        limits=limits,
        phases=tuple(replace(p, yellow_ds=10) for p in rules.phases),
        intergreens=replace(
            rules.intergreens, pairs=tuple((a, b, 20) for a, b, _ in rules.intergreens.pairs)
        ),
    )
    site = site_of(small)
    gate = make_gate(site)
    subsets = np.array(list(product([False, True], repeat=3)))
    for hold, *turns in product((1, 2, 3), *[range(len(subsets))] * 4):
        wishes = np.repeat(subsets[turns], hold, axis=0)
        lamps = ran(gate, wishes)

        assert not LampChecker(small).see_all(10 * np.arange(len(lamps)), lamps)


def ran(gate: Gate, wishes: np.ndarray, yellow: np.ndarray | None = None) -> np.ndarray:
    zero = np.zeros(len(gate.phases), dtype=np.int64)
    state, scalars, _ = start(gate, -1, zero, zero + 100)
    lamps = np.empty(wishes.shape, dtype=np.int64)
    no = np.zeros_like(wishes)
    named = np.full(len(wishes), -1, dtype=np.int64)
    usual = np.full(wishes.shape, -1, dtype=np.int64) if yellow is None else yellow
    kernels.run(gate.rules, state, scalars, wishes, named, usual, no, no, lamps)
    return lamps


def dressed(rules: SignalRules, flash: int, amber: int) -> SignalRules:
    """Return the rules with green flash and red-amber, seconds."""
    phases: tuple[Phase, ...] = tuple(
        replace(p, flash_ds=10 * flash, red_amber_ds=10 * amber) for p in rules.phases
    )
    return replace(rules, phases=phases)


@settings(max_examples=60, deadline=None)
@given(legal_plans(), st.integers(0, 4), st.integers(0, 2), st.integers(0, 2**32))
def test_no_wish_under_any_rules_is_unsafe_and_a_legal_one_is_granted_if_held(
    drawn: tuple[SignalRules, Plan], flash: int, amber: int, seed: int
) -> None:
    rules = dressed(drawn[0], flash, amber)
    gate = make_gate(site_of(rules))
    rng = np.random.default_rng(seed)
    wishes = rng.random((100, len(rules.phases))) < rng.random((100, 1))
    held = np.repeat(wishes, rng.integers(1, 12, 100), axis=0)
    last = np.zeros((40, len(rules.phases)), dtype=bool)
    last[:, rng.integers(len(rules.phases))] = True
    lamps = ran(gate, np.concatenate([held, last]))

    assert not LampChecker(rules).see_all(10 * np.arange(len(lamps)), lamps)
    assert ((lamps[-1] == gate.rules.shows) == last[-1]).all()


@pytest.mark.slow
def test_a_hundred_thousand_wishes_on_the_city_are_safe_and_no_legal_one_is_refused() -> None:
    result = run_gate(wishes=100_000)

    assert len(result.rows) >= 10
    assert result.summary["unsafe"] == 0
    assert result.summary["legal_refused"] == 0


@pytest.mark.slow
def test_wishes_on_networks_of_others_are_safe(bench_data: Path) -> None:
    folders = [p for p in sorted((bench_data / "scenarios").iterdir()) if p.is_dir()]
    result = run_gate(folders, wishes=100_000)

    assert len(result.rows) >= 10
    assert result.summary["unsafe"] == 0
    assert result.summary["legal_refused"] == 0
