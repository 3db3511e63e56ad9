# SPDX-License-Identifier: Apache-2.0
"""Windows in which a green wave passes a signal, and what they leave free to choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lvbo.control._plan_values import Street
from lvbo.control._queue_kernels import NONE as UNSERVED
from lvbo.control._window_kernels import NEVER, first_steps, soonest
from lvbo.control.protocols import EARLY_S, BandWindow, Bools, Coordination, Ints
from lvbo.control.site import Site
from lvbo.control.stages import StageTable
from lvbo.ids import ControllerId
from lvbo.network.corridor import Corridor
from lvbo.progression.wave import PeriodWave

FAR_S = 600
"""A lane that no stage serves is taken to wait so long."""
SHORT_M, SHORT_EARLY_S = 400.0, 2
"""Where the next signal is nearer than this, platoons that start early only stop there."""


def coordinations(corridor: Corridor, wave: PeriodWave) -> Mapping[ControllerId, Coordination]:
    """Return what each controller of a corridor keeps of a wave, bands as wide as designed."""
    cycle = wave.runs.cycle_ms // 100
    found: dict[ControllerId, list[BandWindow]] = {}
    for k, stop in enumerate(corridor.stops):
        sides = (
            (stop.outbound_controller, stop.outbound_phases, wave.runs.front_out_ms,
             wave.runs.outbound_ms),
            (stop.inbound_controller, stop.inbound_phases, wave.runs.front_in_ms,
             wave.runs.inbound_ms),
        )  # fmt: skip
        for owner, phases, fronts, width_ms in sides:
            if owner is None or not fronts or width_ms <= 0:
                continue
            start, length = -(-fronts[k] // 100), width_ms // 100
            found.setdefault(owner, []).append(
                BandWindow(
                    phases=phases,
                    start_ds=start % cycle,
                    length_ds=min(length, cycle),
                    cycle_ds=cycle,
                )
            )
    plans = dict(zip(wave.controllers, wave.plans, strict=True))
    early = _early(corridor)
    return {
        name: Coordination(plan=plans[name], windows=tuple(windows), early_s=early[name])
        for name, windows in found.items()
    }


def _early(corridor: Corridor) -> dict[ControllerId, int]:
    """Return how early each signal may start, by the distances to the next ones."""
    sections = corridor.outbound or corridor.inbound
    lengths = [section.length_m for section in sections]
    found: dict[ControllerId, int] = {}
    for k, stop in enumerate(corridor.stops):
        next_m = min([*lengths[k : k + 1], *lengths[max(k - 1, 0) : k]], default=np.inf)
        bound = SHORT_EARLY_S if next_m < SHORT_M else EARLY_S
        for owner in (stop.outbound_controller, stop.inbound_controller):
            if owner is not None:
                found[owner] = min(bound, found.get(owner, EARLY_S))
    return found


class Calendar:
    """Say second by second of the cycle which stages keep the windows, and which may start.

    `keeps` (stages, cycle): the stage shows what every window of that second asks for. `starts`
    (stages, cycle): the stage may begin then; those that serve windows may not from the end of the
    plan's green until shortly before its next. `coordinated` (stages,) are the stages that serve
    every window, or some where none serves all.
    """

    def __init__(self, site: Site, table: StageTable, coordination: Coordination) -> None:
        self._sync_s = site.controller.sync_s
        windows = coordination.windows
        self.cycle_s = max(w.cycle_ds for w in windows) // 10
        at = {phase: k for k, phase in enumerate(site.phases)}
        rows = [[at[p] for p in window.phases if p in at] for window in windows]
        serves = np.array([table.greens[:, own].any(axis=1) for own in rows])
        self.keeps: Bools = np.ones((table.count, self.cycle_s), dtype=bool)
        some: Bools = np.asarray(serves.any(axis=0))
        self.starts: Bools = np.repeat(~some[:, None], self.cycle_s, axis=1)
        for window, own in zip(windows, serves, strict=True):
            self.keeps[:, _seconds(window, self.cycle_s)] &= own[:, None]
            self.starts[own] |= self._in_time(window, coordination)
        whole: Bools = np.asarray(serves.all(axis=0))
        self.coordinated: Bools = whole if whole.any() else some

    def _in_time(self, window: BandWindow, coordination: Coordination) -> Bools:
        """Return the seconds of the cycle in which a green of this window may start."""
        plan = coordination.plan
        found = np.zeros(self.cycle_s, dtype=bool)
        for green in (w for phase in window.phases for w in plan.windows_of(phase)):
            first = (green.start_ds + plan.offset_ds) // 10 - coordination.early_s
            last = (green.end_ds + plan.offset_ds) // 10
            for turn in range(0, self.cycle_s, plan.cycle_ds // 10):
                found[(np.arange(first, last) + turn) % self.cycle_s] = True
        return found

    def ahead(self, now_s: int, span_s: int) -> tuple[Bools, Bools]:
        """Return, by stage, which of the next seconds break a window, and when it may start.

        Shapes (stages, span) and (stages, span + 1).
        """
        seconds = (now_s - self._sync_s + np.arange(span_s + 1)) % self.cycle_s
        return ~self.keeps[:, seconds[:-1]], self.starts[:, seconds]


class Held(NamedTuple):
    """What the search must know of windows; fields as in `lvbo.control._plan_values.Now`."""

    breaks: Bools
    starts: Bools
    first: Bools
    lost: Ints
    holds: bool
    soon_s: Ints


def free(stages: int, lanes: int, span_s: int) -> Held:
    """Return what the search must know where nothing has to be kept."""
    return Held(
        breaks=np.zeros((stages, span_s), dtype=bool),
        starts=np.ones((stages, span_s + 1), dtype=bool),
        first=np.ones(stages, dtype=bool),
        lost=np.zeros((stages, span_s + 1), dtype=np.int64),
        holds=False,
        soon_s=np.zeros((stages, lanes, 1), dtype=np.int64),
    )


class Onward(NamedTuple):
    """What may follow the stage that runs now, (stages,), and what what later on, (stages, stages).

    The stage that runs is past its minimum.
    """

    stage: int
    now: Bools
    later: Bools


def held(calendar: Calendar, street: Street, onward: Onward, now_s: int, span_s: int) -> Held:
    """Return what the windows ask for in the next seconds.

    It looks a cycle farther than the search, to which the next window after its end matters too.
    All arrays are whole ones, as of `free`: for parts of others the search would be compiled anew.
    """
    breaks, starts = calendar.ahead(now_s, span_s + calendar.cycle_s)
    how = (onward.later, street.change_s, street.least_s, street.hold_s)
    now, lost = first_steps(breaks, starts, *how, onward.stage, onward.now)
    soon = soonest(breaks, starts, *how, lost)[:, :, : span_s + 1]
    serves = street.kind != UNSERVED
    by_lane = np.where(serves[None, :, :, None], soon[:, :, None, :], NEVER).min(axis=1)
    return Held(
        breaks=np.ascontiguousarray(breaks[:, :span_s]),
        starts=np.ascontiguousarray(starts[:, : span_s + 1]),
        first=np.asarray(now == now.min()),
        lost=np.ascontiguousarray(lost[:, : span_s + 1]),
        holds=True,
        soon_s=np.minimum(by_lane, FAR_S),
    )


def in_window(window: BandWindow, clock_s: int) -> bool:
    """Say whether a second of the controller's clock lies in a window."""
    return (10 * clock_s - window.start_ds) % window.cycle_ds < window.length_ds


def _seconds(window: BandWindow, cycle_s: int) -> Ints:
    """Return the seconds of the cycle that a window touches, and the one before it."""
    first, last = window.start_ds // 10 - 1, -(-(window.start_ds + window.length_ds) // 10)
    return np.arange(first, min(last, first + cycle_s)) % cycle_s


def both(own: Sequence[Coordination]) -> Coordination:
    """Return one coordination with the windows of those that hold, or of all where none does."""
    holding = [each for each in own if each.holds] or list(own)
    windows = tuple(w for each in holding for w in each.windows)
    return replace(holding[0], windows=windows, early_s=min(each.early_s for each in holding))
