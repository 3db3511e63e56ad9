# SPDX-License-Identifier: Apache-2.0
"""How a plan shows the stages of a site, and the cycle it gives control that keeps to it.

Times are tenths of a second. A stage stands in the plan while all its vehicle phases go; one stage,
that of the reference phase, is coordinated: its end is the yield point, from which the cycle of the
background is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvbo.control.protocols import Bools, Ints, Order
from lvbo.control.site import Site
from lvbo.control.stages import StageTable, stage_table
from lvbo.signal.orders import stage_sets
from lvbo.signal.plan import Plan

NEVER_DS = -1
"""The force-off of a stage that the plan does not show."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Background:
    """The cycle of a plan by stages, counted from the yield point of its coordinated stage.

    `start_ds`, `off_ds`, `green_ds` (stages,) say when the plan starts a stage, when it forces it
    off, and what green it gives it; the coordinated stage `main` ends with the cycle. A stage that
    the plan does not show has `NEVER_DS` as its force-off. `yield_ds` is the local time of the
    yield point.
    """

    main: int
    cycle_ds: int
    yield_ds: int
    start_ds: Ints
    off_ds: Ints
    green_ds: Ints

    def since_ds(self, local_ds: int) -> int:
        """Return the time since the yield point at a local time of the plan, [0, cycle)."""
        return (local_ds - self.yield_ds) % self.cycle_ds


def plan_table(site: Site, order: Order, plan: Plan | None) -> StageTable:
    """Return the stages of a site in the order in which a plan shows them.

    That is the usual one where the plan keeps to it, or where no stages can be read off the plan.
    """
    usual = stage_table(site, order)
    if plan is None or _shows(site, usual, plan):
        return usual
    written = [stage.phases for stage in plan.stages] or stage_sets(site.rules.phases, plan)
    sets = tuple(tuple(p for p in phases if p in site.phases) for phases in written)
    own = stage_table(site, order, sets) if sets else usual
    return own if _shows(site, own, plan) else usual


def _shows(site: Site, table: StageTable, plan: Plan) -> bool:
    """Say whether a plan shows every stage of a table, in its order."""
    own = list(table.cycle)
    spans = stage_spans(site, table, plan)[own]
    first = int(np.argmin(spans[:, 0]))
    turned = np.roll(spans[:, 0], -first)
    return bool((spans[:, 1] > 0).all() and (np.diff(turned) > 0).all())


def background(site: Site, table: StageTable, plan: Plan) -> Background:
    """Return the cycle of a plan in these stages, every stage with room for its minimum.

    Where the plan gives a stage less than its minimum, or less time for a change than the stages
    need, its force-off moves back and those that follow with it; the coordinated stage gives the
    time.
    """
    spans = stage_spans(site, table, plan)
    main = main_stage(site, table, plan, spans)
    cycle = plan.cycle_ds
    end = int(spans[main].sum()) % cycle
    start = np.where(spans[:, 1] > 0, (spans[:, 0] - end) % cycle, NEVER_DS)
    off = np.where(spans[:, 1] > 0, start + spans[:, 1], NEVER_DS)
    off[main] = cycle
    at, ring = 0, _ring(table, main)
    before = main
    for stage in ring[1:]:
        if off[stage] == NEVER_DS:
            continue
        earliest = at + 10 * int(change_s(table)[before, stage])
        start[stage] = max(int(start[stage]), earliest)
        off[stage] = at = max(int(off[stage]), int(start[stage]) + 10 * int(table.least_s[stage]))
        before = stage
    home = 10 * change_s(table)[:, main]
    start[main] = max(int(start[main]), at + int(home[before]))
    straight = table.legal[:, main] & (off != NEVER_DS) & (np.arange(table.count) != main)
    off = np.where(straight, np.minimum(off, start[main] - home), off)
    return Background(
        main=main,
        cycle_ds=cycle,
        yield_ds=end,
        start_ds=start,
        off_ds=off,
        green_ds=np.where(off == NEVER_DS, 0, off - start),
    )


def _ring(table: StageTable, main: int) -> list[int]:
    """Return the stages of the order from the coordinated one on."""
    at = table.cycle.index(main) if main in table.cycle else 0
    return [*table.cycle[at:], *table.cycle[:at]]


def change_s(table: StageTable) -> Ints:
    """Return the time from the end of a stage to the full green of another, s (stages, stages)."""
    return np.asarray(table.change_s.max(axis=2))


def main_stage(site: Site, table: StageTable, plan: Plan, spans: Ints) -> int:
    """Return the stage that the plan shows first with its reference phase, else its first one."""
    shown = spans[:, 1] > 0
    own = shown.copy()
    if plan.reference in site.phases:
        own &= table.greens[:, site.phases.index(plan.reference)]
    found = np.flatnonzero(own if own.any() else shown)
    if not len(found):
        return table.cycle[0]
    return int(min(found, key=lambda s: (spans[s, 0], s)))


def stage_spans(site: Site, table: StageTable, plan: Plan) -> Ints:
    """Return when the plan shows each stage: local start and length, shape (stages, 2).

    That is the longest time in which all vehicle phases of the stage go, and no others where there
    is such a time; a stage of people on foot goes by its walks. Zero length: not shown.
    """
    lit, starts, lengths = _lit(site, plan)
    spans = np.zeros((table.count, 2), dtype=np.int64)
    changing = np.array([0 < plan.green_ds(p) < plan.cycle_ds for p in site.phases])
    for s in table.cycle:
        wheels = table.greens[s] & changing & ~site.walks
        needed = wheels if wheels.any() else table.greens[s] & changing
        if not needed.any() or not len(lit):
            continue
        all_go = lit[:, needed].all(axis=1)
        alone = all_go & (lit[:, changing & ~site.walks].sum(axis=1) == wheels.sum())
        spans[s] = _longest(np.asarray(alone if alone.any() else all_go), starts, lengths)
    return spans


def _lit(site: Site, plan: Plan) -> tuple[Bools, Ints, Ints]:
    """Return what goes between any two changes of the plan: (pieces, phases), starts, lengths."""
    cycle = plan.cycle_ds
    windows = [plan.windows_of(p) for p in site.phases]
    edges = sorted({t % cycle for own in windows for w in own for t in (w.start_ds, w.end_ds)})
    lit = np.array(
        [[any((at - w.start_ds) % cycle < w.length_ds for w in own) for own in windows]
         for at in edges],
        dtype=bool,
    )  # fmt: skip
    starts = np.array(edges, dtype=np.int64)
    return lit, starts, np.asarray((np.roll(starts, -1) - starts - 1) % cycle + 1)


def _longest(marked: Bools, starts: Ints, lengths: Ints) -> tuple[int, int]:
    """Return start and length of the longest run of marked pieces round the cycle."""
    count = len(marked)
    best = (0, 0)
    for k in np.flatnonzero(marked & ~np.roll(marked, 1)) if not marked.all() else [0]:
        run = _run(marked, int(k))
        length = int(sum(lengths[(k + i) % count] for i in range(run)))
        if length > best[1]:
            best = int(starts[k]), length
    return best


def _run(marked: Sequence[bool] | Bools, first: int) -> int:
    """Return how many pieces from the first on are marked."""
    count = len(marked)
    return next((i for i in range(count) if not marked[(first + i) % count]), count)
