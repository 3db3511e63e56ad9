# SPDX-License-Identifier: Apache-2.0
"""Pairs of signals led as one: which modes fit, the ring through both orders, rules as one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from tests.control.test_close_links import LONG_M, look
from tests.simulation.tiny import build_tiny

from lvbo.control.adaptive import AdaptiveController
from lvbo.control.background import stage_spans
from lvbo.control.gate import make_gate
from lvbo.control.halves import Half, half_of, shortest_ring
from lvbo.control.leading import HOLD_S, Leader, leaders
from lvbo.control.merging import Merger, merged_rules
from lvbo.control.pairs import TURN_S, Pair, find_pairs
from lvbo.control.protocols import Observation, Order, Reason, Wish
from lvbo.control.registry import Situation
from lvbo.control.site import NONE, Site, read_site
from lvbo.control.stages import StageTable, stage_table
from lvbo.errors import UsageError
from lvbo.ids import ControllerId, PhaseId
from lvbo.io.sumo_scenario import read_scenario
from lvbo.network.network import Network
from lvbo.signal.plan import Plan

A, B = ControllerId("A"), ControllerId("B")
MORE = 2
"""Both signals have two stages, and their ring four."""


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[ControllerId, Plan]:
    scenario = read_scenario(build_tiny(tmp_path_factory.mktemp("plans")))
    return {plan.controller: plan for plan in scenario.plans.plans}


@pytest.fixture(scope="module")
def pair(network: Network, sites: dict[ControllerId, Site]) -> Pair:
    (found,) = find_pairs(network, list(sites.values()), Order.SKIP, short_m=LONG_M, more=MORE)
    return found


def lets_in(pair: Pair, which: int, mode: int) -> bool:
    """Say whether somebody drives from one signal straight to the stop line of the other one."""
    half, other = pair.halves[which], pair.halves[1 - which]
    served = (half.site.serves[half.greens[mode]] > NONE).any(axis=0)
    straight = np.array([turn.value == "through" for turn in half.site.turns])
    onward = np.isin(np.array(half.site.exits), np.array(other.site.links))
    return bool((served & straight & onward).any())


def test_only_links_both_ways_without_room_make_a_pair(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    both = list(sites.values())

    assert find_pairs(network, both, Order.SKIP) == ()
    assert find_pairs(network, both[:1], Order.SKIP, short_m=LONG_M, more=MORE) == ()


def test_a_ring_longer_than_both_orders_makes_no_pair(
    network: Network, sites: dict[ControllerId, Site], pair: Pair
) -> None:
    both = list(sites.values())

    assert [len(half.table.cycle) for half in pair.halves] == [2, 2]
    assert len(pair.table.cycle) == 2 + MORE
    assert find_pairs(network, both, Order.SKIP, short_m=LONG_M, more=MORE - 1) == ()
    assert find_pairs(network, both, Order.SKIP, short_m=LONG_M) == ()


@pytest.mark.parametrize("order", [Order.SKIP, Order.FIXED])
def test_no_two_modes_that_both_let_in_are_changed_into_or_kept(
    network: Network, sites: dict[ControllerId, Site], order: Order
) -> None:
    (pair,) = find_pairs(network, list(sites.values()), order, short_m=LONG_M, more=MORE)
    both = [
        k for k, (a, b) in enumerate(pair.places) if lets_in(pair, 0, a) and lets_in(pair, 1, b)
    ]

    assert both
    assert not pair.table.legal[:, both].any()
    assert set(both).isdisjoint(pair.table.cycle)


def test_the_ring_goes_through_the_stages_of_both_orders_and_every_step_is_legal(
    pair: Pair,
) -> None:
    ring = pair.places[: len(pair.table.cycle)]
    steps = [*pairwise(pair.table.cycle), (pair.table.cycle[-1], 0)]

    for which, half in enumerate(pair.halves):
        assert {int(half.stage[place[which]]) for place in ring} == set(half.table.cycle)
    assert all(pair.table.legal[a, b] for a, b in steps)
    assert any(lets_in(pair, 0, a) for a, _ in ring)
    assert any(lets_in(pair, 1, b) for _, b in ring)


def test_where_any_stage_may_follow_a_pair_keeps_to_the_order_all_the_same(
    network: Network, sites: dict[ControllerId, Site], pair: Pair
) -> None:
    (free,) = find_pairs(network, list(sites.values()), Order.ANY, short_m=LONG_M, more=MORE)

    assert free.places == pair.places
    assert (free.table.legal == pair.table.legal).all()
    for half in free.halves:  # stages have the numbers that the gate of any order knows
        wide = stage_table(half.site, Order.ANY)
        assert (wide.greens[: half.table.count] == half.table.greens).all()


def test_whoever_is_let_in_finds_the_other_signal_open(pair: Pair) -> None:
    stays = [place for k, place in enumerate(pair.places) if pair.table.legal[k, k]]

    for a, b in stays:
        assert pair.halves[1].opens[b] or not pair.halves[0].enters[a]
        assert pair.halves[0].opens[a] or not pair.halves[1].enters[b]


def test_a_change_that_one_signal_may_not_make_the_pair_does_not_make(pair: Pair) -> None:
    for k, j in product(range(pair.table.count), repeat=2):
        if not pair.table.legal[k, j]:
            continue
        for which, half in enumerate(pair.halves):
            own, to = (half.stage[pair.places[x][which]] for x in (k, j))
            assert half.table.legal[own, to]


MAIN, OUT, CROSS, WAITS = range(4)
"""The modes of a signal of a diamond: it lets in, only lets out, lets others cross, or waits."""


def diamond(site: Site, *, legal: np.ndarray | None = None) -> Half:
    """Return one of two signals of a diamond interchange; `legal` (stages, stages) unless all."""
    dark = np.zeros((3, len(site.phases)), dtype=bool)
    table = StageTable(
        order=Order.SKIP,
        cycle=(MAIN, OUT, CROSS),
        greens=dark,
        legal=np.ones((3, 3), dtype=bool) if legal is None else legal,
        change_s=np.zeros((3, 3, len(site.phases)), dtype=np.int64),
        least_s=np.zeros(3, dtype=np.int64),
        over=np.zeros((3, 3, 3), dtype=np.int64),
    )
    return Half(
        site=site,
        table=table,
        greens=dark[[0, 0, 0, 0]],
        stage=np.array([MAIN, OUT, CROSS, MAIN]),
        enters=np.array([True, False, False, False]),
        opens=np.array([True, True, False, True]),
        into=dark[0],
        at_once=np.zeros((3, 3), dtype=bool),
        turn=(WAITS, MAIN, OUT, CROSS),
        spare=np.array([False, True, False, True]),
    )


@pytest.mark.parametrize(
    ("fit", "ring"),
    [
        # one lets in with the other open, then the other one, then both cross streets
        (
            {(WAITS, MAIN), (MAIN, OUT), (CROSS, CROSS)},
            ((WAITS, MAIN), (MAIN, OUT), (CROSS, CROSS)),
        ),
        # cross streets one after the other, as at a diamond in four phases
        (
            {(MAIN, OUT), (OUT, CROSS), (OUT, MAIN), (CROSS, OUT)},
            ((MAIN, OUT), (OUT, CROSS), (OUT, MAIN), (CROSS, OUT)),
        ),
        ({(MAIN, OUT), (CROSS, CROSS)}, ()),
    ],
)
def test_the_shortest_ring_of_small_cases_is_the_known_one(
    sites: dict[ControllerId, Site],
    fit: set[tuple[int, int]],
    ring: tuple[tuple[int, int], ...],
) -> None:
    found = shortest_ring((diamond(sites[A]), diamond(sites[A])), fit)

    assert len(found) == len(ring)
    assert any(found[k:] + found[:k] == ring for k in range(max(len(ring), 1)))


def test_a_ring_makes_no_step_that_one_of_both_may_not_make(
    sites: dict[ControllerId, Site],
) -> None:
    legal = np.ones((3, 3), dtype=bool)
    legal[MAIN, CROSS] = False  # those who are let in are let out first
    fit = {(WAITS, MAIN), (MAIN, OUT), (CROSS, CROSS)}

    assert shortest_ring((diamond(sites[A], legal=legal), diamond(sites[A])), fit) == ()
    ring = shortest_ring((diamond(sites[A], legal=legal), diamond(sites[A])), fit | {(OUT, OUT)})
    assert set(ring) == fit | {(OUT, OUT)}


def test_a_phase_that_never_changes_lets_nobody_in_by_turns(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    a = sites[A]
    fixed = next(p for p in a.phases if p == "S.LR")
    rules = replace(a.rules, permanent=(fixed,))
    own = read_site(network, replace(a.controller, rules=rules))
    (pair,) = find_pairs(network, [own, sites[B]], Order.SKIP, short_m=LONG_M, more=MORE)
    half = pair.halves[0]

    assert not half.into[own.phases.index(fixed)]
    assert half.greens[:, own.phases.index(fixed)].all()
    assert not half.enters.all()


def test_nobody_waits_whose_green_would_begin_at_once(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    a = sites[A]
    (main, cross) = a.rules.orders[0]
    out = tuple(p for p in main if p != "W.T")
    turned = replace(a.controller, rules=replace(a.rules, orders=((out, main, cross),)))
    half = half_of(read_site(network, turned), sites[B], Order.SKIP)

    assert half.at_once[0, 1]
    assert not half.waits.any()  # it would look like the stage before
    assert half.turn == (0, 1, 2)


def test_rules_of_both_keep_what_each_of_them_forbids(pair: Pair) -> None:
    for half in pair.halves:
        own, rules = half.site.controller, pair.site.rules
        for a, b, need in own.rules.foes:
            ends, starts = (PhaseId(f"{own.id}/{name}") for name in (a, b))
            assert rules.forbidden(ends, starts)
            assert rules.intergreen_ds(ends, starts) == need
        for name, limit in own.rules.limit_index.items():
            both = rules.limit_index[PhaseId(f"{own.id}/{name}")]
            assert replace(both, phase=name) == replace(limit, phase=name)
    first, second = (half.site.controller for half in pair.halves)
    plain = merged_rules(first, second)
    assert len(pair.site.rules.foes) > len(plain.foes)


def seen_of(pair: Pair, time_s: int, greens: tuple[int, int]) -> list[Observation]:
    """Return what is seen of both in these modes, each with the pair."""
    both = []
    for half, mode in zip(pair.halves, greens, strict=True):
        shown = look(half.site, green=False)
        shows = np.array([int(p.shows) for p in half.site.rules.phases])
        lamps = np.where(half.greens[mode] & ~half.site.walks, shows, shown.lamps)
        both.append(replace(shown, time_s=time_s, seen_s=time_s, lamps=lamps))
    return [replace(each, pair=(both[0], both[1])) for each in both]


def test_what_is_seen_of_both_is_told_in_the_numbers_of_the_pair(pair: Pair) -> None:
    parts = tuple(half.site for half in pair.halves)
    seen = [look(part, green=False) for part in parts]
    for part, each in zip(parts, seen, strict=True):
        assert each.lanes is not None
        each.lanes.queue[:] = [number(lane) for lane in part.lanes]
        each.blocked[:] = [number(name) % 2 == 0 for name in part.movements]
    both = Merger(pair.site, parts).merged(seen)

    assert both.lanes is not None
    assert both.lanes.queue.tolist() == [number(lane) for lane in pair.site.lanes]
    assert both.blocked.tolist() == [number(name) % 2 == 0 for name in pair.site.movements]
    assert len(both.lamps) == len(pair.site.phases)


def test_a_pair_is_led_only_while_both_ask(pair: Pair) -> None:
    leader = Leader(pair, AdaptiveController(pair.site, pair.table))
    first, second = pair.places[0]

    def ask(time_s: int, which: tuple[int, ...]) -> list[Wish | None]:
        seen = seen_of(pair, time_s, (first, second))
        return [leader.wish(k, seen[k]) for k in which]

    assert ask(0, (0, 1)) == [None, None]
    assert ask(100, (0, 1)) == [None, None]
    assert all(wish is not None for wish in ask(101, (0, 1)))
    assert all(wish is not None for wish in ask(102, (0,)))
    assert ask(103, (0, 1)) == [None, None]
    assert all(wish is not None for wish in ask(104, (0, 1)))
    assert leader.wish(0, look(pair.halves[0].site, green=False)) is None  # nothing of both


def number(name: str) -> int:
    """Return a number that tells names apart."""
    return sum(k * ord(letter) for k, letter in enumerate(name, start=1)) % 997


class Asks:
    """A controller of a pair that always asks for one of its stages."""

    late_s = 0

    def __init__(self, pair: Pair, stage: int) -> None:
        self._wish = Wish(
            greens=pair.table.greens[stage], stage=stage, reason=Reason(code="LV770", fields={})
        )

    def hurry(self) -> None:
        """Forget nothing."""

    def watch(self, _: Observation) -> None:
        """Learn nothing."""

    def decide(self, _: Observation) -> Wish:
        """Return the wish."""
        return self._wish


def test_a_signal_stays_open_until_those_on_the_way_are_through(pair: Pair) -> None:
    (b,) = (k for k in range(len(pair.halves[1].greens)) if lets_in(pair, 1, k))
    waits = int(np.flatnonzero(pair.halves[0].waits)[0])
    closed = int(np.flatnonzero(~pair.halves[0].opens)[0])
    at, to = (pair.places.index(place) for place in ((waits, b), (closed, closed)))
    leader = Leader(pair, Asks(pair, to))
    assert at != to

    def stage_of_first(time_s: int, far: int) -> int:
        seen = seen_of(pair, time_s, (waits, far))
        wishes = [leader.wish(k, each) for k, each in enumerate(seen)]
        return -1 if wishes[0] is None else wishes[0].stage

    own = int(pair.halves[0].stage[waits])
    assert [stage_of_first(100, b), stage_of_first(101, b)] == [-1, own]
    after = [stage_of_first(102 + k, closed) for k in range(HOLD_S + 2)]
    assert after == [own] * HOLD_S + [int(pair.halves[0].stage[closed])] * 2


def test_those_from_one_side_wait_for_those_from_the_other(pair: Pair) -> None:
    (a,), (b,) = ([k for k in range(3) if lets_in(pair, which, k)] for which in (0, 1))
    waits = [int(np.flatnonzero(half.waits)[0]) for half in pair.halves]
    leader = Leader(pair, Asks(pair, pair.places.index((a, waits[1]))))
    into = pair.halves[0].into

    def lets_first(time_s: int, far: int) -> bool | None:
        seen = seen_of(pair, time_s, (waits[0], far))
        wishes = [leader.wish(k, each) for k, each in enumerate(seen)]
        return None if wishes[0] is None else bool(wishes[0].greens[into].any())

    assert [lets_first(100, b), lets_first(101, b)] == [None, False]
    after = [lets_first(102 + k, waits[1]) for k in range(TURN_S + 1)]
    assert after == [False] * (TURN_S - 1) + [True] * 2


def test_nobody_is_promised_a_stage_that_may_not_stay(pair: Pair) -> None:
    home = make_gate(pair.site, pair.table).home

    assert not pair.table.legal.diagonal().all()
    assert pair.table.legal[home[home >= 0], home[home >= 0]].all()


def test_both_signals_of_a_pair_share_one_leader_with_their_settings(pair: Pair) -> None:
    own = {
        half.site.id: Situation(site=half.site, order=Order.SKIP, params={"bus": 2.0})
        for half in pair.halves
    }
    found = leaders([pair], own)
    alone = [AdaptiveController(half.site, half.table) for half in pair.halves]
    first, second = (
        vars(found[name](each))["_leader"] for name, each in zip((A, B), alone, strict=True)
    )

    assert first is second
    assert vars(first.adaptive)["_bus"] == 2.0
    with pytest.raises(UsageError) as error:
        leaders([pair], {k: replace(x, params={"tram": 2.0}) for k, x in own.items()})
    assert error.value.code == "LV731"


def test_where_nobody_sees_a_pair_lasts_as_long_as_the_longer_of_both_plans(
    pair: Pair, plans: dict[ControllerId, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {
        half.site.id: Situation(
            site=half.site, order=Order.SKIP, plan=plans[half.site.id], params={}
        )
        for half in pair.halves
    }

    def usual_s() -> list[int]:
        leader = vars(leaders([pair], own)[A](AdaptiveController(pair.site, pair.table)))["_leader"]
        return list(vars(leader.adaptive)["_usual_s"])

    def longer_at_b(site: Site, table: StageTable, plan: Plan) -> np.ndarray:
        return stage_spans(site, table, plan) + (200 if site.id == B else 0)

    plain = usual_s()
    monkeypatch.setattr("lvbo.control.leading.stage_spans", longer_at_b)

    assert min(plain) > 0
    assert usual_s() == [k + 20 for k in plain]  # both run the same plan
