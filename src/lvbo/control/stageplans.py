# SPDX-License-Identifier: Apache-2.0
"""A plan with the greens of its stages longer or shorter; all between them stays as it is.

Walks stay too, as long as there is time to clear them: else they end as much earlier as it takes,
but never before their minimum.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lvbo.control.background import main_stage, stage_spans
from lvbo.control.protocols import Bools, Ints
from lvbo.control.retime import Frame, next_greens
from lvbo.control.site import Site
from lvbo.control.stages import StageTable
from lvbo.control.usage import lane_lights
from lvbo.errors import LvboError
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Greens, Plan, Window, referenced


class StagePlans:
    """Stretch a plan in its stages: time is put in, or taken out, at the end of their greens.

    `stages` are those of the table that the plan shows, in the order in which it shows them; all
    arrays (stages,) are by that order, `main` the place of the coordinated one. `greens_s` are the
    greens of the plan. Minima are those of the table, or the plan's own greens where these are
    shorter: the plan is legal as it is.
    """

    def __init__(self, site: Site, table: StageTable, plan: Plan) -> None:
        spans = stage_spans(site, table, plan)
        shown = [int(s) for s in np.flatnonzero(spans[:, 1] > 0)]
        self.stages = tuple(sorted(shown, key=lambda s: (int(spans[s, 0]), s)))
        own = list(self.stages)
        main = main_stage(site, table, plan, spans)
        self.main = own.index(main) if main in own else 0
        self._site, self._plan = site, plan
        self._walks = {p for p, walks in zip(site.phases, site.walks, strict=True) if walks}
        self._starts_ds = spans[own, 0]
        self._ends_ds = np.minimum(spans[own].sum(axis=1), plan.cycle_ds)
        self._greens = table.greens[own]
        self.greens_s: Ints = spans[own, 1] // 10
        self.frame = Frame(
            least_s=np.minimum(table.least_s[own], self.greens_s),
            lost_s=plan.cycle_ds // 10 - int(self.greens_s.sum()),
        )

    @property
    def cycle_s(self) -> int:
        """Return the cycle of the plan, s."""
        return self._plan.cycle_ds // 10

    @property
    def main_start_ds(self) -> int:
        """Return when the coordinated stage starts on the local cycle, the same in all plans."""
        return int(self._starts_ds[self.main])

    def plan(self, greens_s: Ints) -> Plan | None:
        """Return the plan with these greens, or None where it would break a rule."""
        more_ds = 10 * (greens_s - self.greens_s)
        if not more_ds.any():
            return self._plan
        cycle_ds = self._plan.cycle_ds + int(more_ds.sum())
        stretched = [self._stretched(g, more_ds, cycle_ds) for g in self._plan.greens]
        try:
            built = referenced(
                self._plan.id,
                self._plan.controller,
                cycle_ds,
                [self._cleared(g, stretched, cycle_ds) for g in stretched],
                self._plan.reference,
                self._plan.offset_ds,
            )
        except LvboError:
            return None
        return built if is_safe(built, self._site.rules) else None

    def at_cycle(self, cycle_s: int) -> Plan | None:
        """Return the plan with its greens in proportion at another cycle, None where it cannot."""
        if cycle_s < self.frame.least_cycle_s or not len(self.greens_s):
            return None
        share = self.greens_s.astype(np.float64)
        return self.plan(next_greens(self.frame, share, self.greens_s, cycle_s, step_s=cycle_s))

    def stage_at(self, greens_s: Ints, local_ds: int) -> int:
        """Return the place of the stage that runs, or ended last, at a time on the cycle."""
        more_ds = 10 * (greens_s - self.greens_s)
        starts = [self._moved(int(start), more_ds) for start in self._starts_ds]
        return bisect_right(starts, local_ds) - 1  # before the first one the last still counts

    def lanes_of(self, lights: Bools) -> Bools:
        """Return which lanes each stage lights, (stages, lanes), from `lane_lights`."""
        wheels = self._greens & ~self._site.walks
        return np.array([lights[own].any(axis=0) for own in wheels], dtype=bool)

    def main_lanes(self) -> Bools:
        """Return the lanes that the coordinated stage serves best, (lanes,)."""
        wheels = self._greens[self.main] & ~self._site.walks
        return np.asarray(lane_lights(self._site)[wheels].any(axis=0))

    def _stretched(self, greens: Greens, more_ds: Ints, cycle_ds: int) -> Greens:
        """Return the windows of a phase with the time put in that lies within them."""
        old = self._plan.cycle_ds

        def moved(window: Window) -> Window:
            if window.length_ds >= old:
                return replace(window, length_ds=cycle_ds)
            start = self._moved(window.start_ds, more_ds)
            laps, end = divmod(window.end_ds, old)
            length = self._moved(end, more_ds) + laps * cycle_ds - start
            return replace(window, start_ds=start, length_ds=length)

        return replace(greens, windows=tuple(moved(w) for w in greens.windows))

    def _cleared(self, own: Greens, all_: Sequence[Greens], cycle_ds: int) -> Greens:
        """Return a walk that ends early enough for who starts next, if it has its minimum then."""
        rules = self._site.rules
        if own.phase not in self._walks:
            return own
        least_ds = rules.limit_index[own.phase].min_green_ds
        foes = [
            (window.start_ds, rules.intergreen_ds(own.phase, other.phase) or 0)
            for other in all_
            if rules.forbidden(own.phase, other.phase)
            for window in other.windows
        ]

        def cleared(window: Window) -> Window:
            room = [(start - window.start_ds) % cycle_ds - between for start, between in foes]
            length = min([window.length_ds, *room])
            return replace(window, length_ds=max(length, min(least_ds, window.length_ds)))

        return replace(own, windows=tuple(cleared(w) for w in own.windows))

    def _moved(self, at_ds: int, more_ds: Ints) -> int:
        """Return where a time of the plan lies once its stages end earlier or later.

        A time that falls into a part taken out moves to where that part began.
        """
        shift = 0
        for end, more in zip(self._ends_ds, more_ds, strict=True):
            if at_ds >= end:
                shift += int(more)
            elif at_ds > end + more:
                shift += int(end + more) - at_ds
        return at_ds + shift
