# SPDX-License-Identifier: Apache-2.0
"""The gate bench: millions of wishes, random and adversarial, lamps read by the lamp checker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvbo.bench.common import BenchResult, Row, machine_load, used_versions
from lvbo.city.build import yuci_folder
from lvbo.control import _gate_kernels as kernels
from lvbo.control._look_kernels import TIME
from lvbo.control.fixed import plan_wish
from lvbo.control.gate import Gate, make_gate, start
from lvbo.control.protocols import Order
from lvbo.control.site import Site, read_site
from lvbo.control.stages import StageTable, change_times, stage_table
from lvbo.errors import InfeasibleError
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Plan
from lvbo.signal.watch import LampChecker
from lvbo.timing.repair import repair_clearance

WISHES = 10_000_000
CHUNK = 20_000
BUNDLED = "yuci.am.sumocfg"
LEGAL_CYCLES = 5
FAR = 1 << 40
"""Stands for a call that never comes."""

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Wishes = tuple[Flags, Ints]
"""Greens (seconds, phases) and the stage named each second, -1 for none."""


def run_gate(
    scenarios: Sequence[Path] | None = None,
    *,
    wishes: int = WISHES,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> BenchResult:
    """Return one row per imported controller: wishes decided, unsafe lamps, legal wishes refused.

    A quarter of the wishes each: any phases in any mix; the site's stages in any order, in the
    site's order with skips, and without. `unsafe` counts what the lamp checker, which shares no
    code with the gate, finds in the lamps. `late` counts the calls that the lamps did not serve
    within the longest red that the gate promises; it promises none without stages.
    `legal_refused` counts seconds in which a legal plan
    of the site, or a walk through its stages, did not get the lamps that the plan (or the table of
    changes) has at that second.
    """
    found = [
        (f"{scenario.name}/{controller.id}", read_site(scenario.network, controller), plans)
        for scenario in (read_scenario(p) for p in (scenarios or [yuci_folder() / BUNDLED]))
        for controller in scenario.network.controllers
        for plans in [[p for p in scenario.plans.plans if p.controller == controller.id]]
    ]
    rows: list[Row] = []
    each = -(-wishes // max(len(found), 1))
    for k, (name, site, plans) in enumerate(found):
        if progress:
            progress(name, k / len(found))
        rng = np.random.default_rng([seed, k])
        decided, unsafe, late = _attack(site, each, rng)
        rows.append(
            {
                "controller": name,
                "wishes": decided,
                "unsafe": unsafe,
                "late": late,
                "legal_refused": _plans_refused(site, plans) + _walk_refused(site, rng),
            }
        )
    return BenchResult(
        bench="gate",
        versions=used_versions(),
        load=machine_load(),
        rows=tuple(rows),
        summary={
            "controllers": len(rows),
            **{
                what: sum(int(str(row[what])) for row in rows)
                for what in ("wishes", "unsafe", "late", "legal_refused")
            },
        },
    )


def _attack(site: Site, count: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """Return how many wishes were decided, and what was unsafe or late in the lamps."""
    gates = [make_gate(site)]
    if site.rules.orders:
        gates += [make_gate(site, stage_table(site, order)) for order in Order]
    share = -(-count // len(gates))
    unsafe = late = 0
    for gate in gates:
        checker, waits = LampChecker(site.rules), Waits(site, gate)
        state, scalars, _ = start(gate, -1, *_all_red(site))
        for begin in range(0, share, CHUNK):
            began = int(scalars[TIME]) + 1
            wishes = _wishes(gate, min(CHUNK, share - begin), rng)
            called = _calls(wishes[0].shape, rng)
            lamps = _shown(gate, state, scalars, wishes, called, rng)
            unsafe += _unsafe(checker, began, lamps)
            if gate.stages is not None:
                late += waits.late(lamps, called)
    return share * len(gates), unsafe, late


def _all_red(site: Site) -> tuple[Ints, Ints]:
    width = len(site.phases)
    return np.zeros(width, dtype=np.int64), np.full(width, 100, dtype=np.int64)


def _wishes(gate: Gate, count: int, rng: np.random.Generator) -> Wishes:
    """Return wishes held for 1 to 30 s: random phases, or stages with phases flipped at times."""
    width = len(gate.phases)
    holds = rng.integers(1, 30, count)
    if gate.stages is None:
        greens = rng.random((count, width)) < rng.random((count, 1))
        return np.repeat(greens, holds, axis=0)[:count], np.full(count, -1, dtype=np.int64)
    named = np.repeat(rng.integers(0, gate.stages.count, count), holds)[:count]
    flips = rng.random((count, width)) < 0.01  # noqa: PLR2004
    return gate.stages.greens[named] ^ flips, named


def _calls(shape: tuple[int, ...], rng: np.random.Generator) -> Flags:
    """Return who calls in each second, (seconds, phases): few, some or many for 20 s each."""
    count, width = shape
    blocks = (count // 20 + 1, 1)
    often = rng.choice([0.02, 0.2, 0.5], blocks)
    return np.repeat(rng.random((blocks[0], width)) < often, 20, axis=0)[:count]


def _shown(
    gate: Gate,
    state: Ints,
    scalars: Ints,
    wishes: Wishes,
    called: Flags,
    rng: np.random.Generator,
) -> Ints:
    """Return the lamps under these wishes and calls, (seconds, phases)."""
    greens, named = wishes
    yellow = rng.integers(-1, 7, greens.shape)
    preparing = rng.random(greens.shape) < 0.01  # noqa: PLR2004
    lamps = np.empty(greens.shape, dtype=np.int64)
    kernels.run(gate.rules, state, scalars, greens, named, yellow, preparing, called, lamps)
    return lamps


def _unsafe(checker: LampChecker, began: int, lamps: Ints) -> int:
    changed = np.ones(len(lamps), dtype=bool)
    changed[1:] = (lamps[1:] != lamps[:-1]).any(axis=1)
    times = 10 * (began + np.arange(len(lamps)))
    return sum(len(checker.see(int(times[k]), lamps[k].tolist())) for k in np.flatnonzero(changed))


class Waits:
    """Count calls that lamps do not serve in time; reads lamps and calls, nothing of the gate.

    A phase that calls while its head is dark waits until the head is lit, by itself or by a mate.
    Bounds are the longest reds that the gate states for the phases that its stages serve.
    """

    def __init__(self, site: Site, gate: Gate) -> None:
        at = {phase: k for k, phase in enumerate(site.phases)}
        self._heads = np.eye(len(at), dtype=bool)
        for phase, mates in site.rules.mates.items():
            self._heads[at[phase], [at[mate] for mate in mates]] = True
        self._shows = np.array([int(phase.shows) for phase in site.rules.phases])
        goes = np.array([phase.is_going for phase in site.rules.phases], dtype=bool)
        self._promised = goes & (gate.home >= 0)
        self._bound_s = gate.red_s
        self._since: Ints = np.full(len(at), FAR)

    def late(self, lamps: Ints, called: Flags) -> int:
        """Return how many calls became late in these seconds, (seconds, phases) each."""
        lit = (lamps == self._shows) @ self._heads.T
        second = np.arange(len(lamps))[:, None]
        last = np.maximum.accumulate(np.where(lit, second, -1))
        ahead = np.minimum.accumulate(np.where(called, second, FAR)[::-1])[::-1]
        first = np.append(ahead, np.full((1, len(self._heads)), FAR), axis=0)
        since = np.take_along_axis(first, last + 1, axis=0)
        since = np.where(last < 0, np.minimum(since, self._since), since)
        waits = np.where(lit | (since > second), -1, second - since)
        self._since = np.where(waits[-1] >= 0, since[-1] - len(lamps), FAR)
        return int(((waits == self._bound_s) & self._promised).sum())


def _plans_refused(site: Site, plans: Sequence[Plan]) -> int:
    """Return in how many seconds the lamps were not those of the site's plans, made safe."""
    refused = 0
    for plan in plans:
        try:
            safe = repair_clearance(plan, site.rules)
        except InfeasibleError:
            continue
        if is_safe(safe, site.rules) and safe.cycle_ds % 10 == 0:
            refused += _plan_refused(site, safe)
    return refused


def _plan_refused(site: Site, plan: Plan) -> int:
    gate = make_gate(site)
    cycle = plan.cycle_ds // 10
    wishes = [plan_wish(site, plan, 10 * t, gate.notice_s) for t in range(cycle)]
    repeats = (LEGAL_CYCLES, 1)
    greens = np.tile(np.array([w.greens for w in wishes]), repeats)
    yellow = np.tile(np.array([w.yellow_s for w in wishes]), repeats)
    preparing = np.tile(np.array([w.preparing for w in wishes]), repeats)
    state, scalars, _ = start(gate, -1, *_all_red(site))
    lamps = np.empty(greens.shape, dtype=np.int64)
    named = np.full(len(greens), -1, dtype=np.int64)
    kernels.run(
        gate.rules, state, scalars, greens, named, yellow, preparing, np.zeros_like(greens), lamps
    )
    programme = np.array(
        [[plan.lamp(p, 10 * t) for p in site.rules.phases] for t in range(cycle)], dtype=np.int64
    )
    expected = np.tile(programme, repeats)
    return int((lamps != expected)[cycle:].any(axis=1).sum())


def _walk_refused(site: Site, rng: np.random.Generator) -> int:
    """Return how many phases came late in a walk through the stages, by the table of changes."""
    if not site.rules.orders:
        return 0
    table = stage_table(site, Order.FIXED)
    gate = make_gate(site, table)
    state, scalars, _ = start(gate, -1, *_all_red(site))
    change = change_times(site.rules, site.phases, table.greens)
    late = 0
    now = table.cycle[0]
    _hold(gate, table, state, scalars, now, 60)
    for step in range(1, LEGAL_CYCLES * len(table.cycle)):
        then = table.cycle[step % len(table.cycle)]
        if not table.legal[now, then]:
            break
        stand = int(change[now, then].max()) + _longest(gate) + int(rng.integers(1, 20))
        lamps = _hold(gate, table, state, scalars, then, stand)
        late += sum(_late(gate, table, change[now, then], lamps, (now, then)))
        now = then
    return late


def _longest(gate: Gate) -> int:
    """Return a time after which every phase of a stage may end: minima, notice, clearance."""
    rules = gate.rules
    return int(rules.most_least_s.max() + rules.notice_s.max() + rules.foe.max(initial=0))


def _late(
    gate: Gate, table: StageTable, change_s: Ints, lamps: Ints, change: tuple[int, int]
) -> Iterator[bool]:
    """Say for each phase that starts whether it came later than notice and intergreens ask."""
    now, then = (table.greens[k] for k in change)
    notice = int(gate.notice_s[now & ~then].max(initial=0))
    for phase in np.flatnonzero(then & ~now & gate.rules.goes):
        going = lamps[:, phase] == gate.rules.shows[phase]
        yield not going.any() or int(going.argmax()) > notice + int(change_s[phase])


def _hold(
    gate: Gate, table: StageTable, state: Ints, scalars: Ints, stage: int, seconds: int
) -> Ints:
    """Wish one stage for some seconds; return the lamps shown, (seconds, phases)."""
    greens = np.tile(table.greens[stage], (seconds, 1))
    lamps = np.empty(greens.shape, dtype=np.int64)
    none = np.zeros_like(greens)
    usual = np.full(greens.shape, -1, dtype=np.int64)
    named = np.full(seconds, stage, dtype=np.int64)
    kernels.run(gate.rules, state, scalars, greens, named, usual, none, none, lamps)
    return lamps
