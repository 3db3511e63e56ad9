# SPDX-License-Identifier: Apache-2.0
"""A whole area second by second: queues that grow, fill their street and hold the signal before.

Where cyclic profiles say what a plan costs once everything repeats, this says what happens from now
on: over-saturation, spillback, a change of plans, the next quarter of an hour. The method is in
`_transmission_kernels`; docs/transmission.md says what it leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.plan_windows import Serving, all_serving, windows_of_plans
from lvbo.optimize.web import build_web
from lvbo.optimize.windows import (
    Change,
    Windows,
    aligned,
    blank,
    show,
)
from lvbo.signal.plan import Plan

if TYPE_CHECKING:
    from lvbo.optimize._transmission_values import Desk, Tally, Tide, Web

Floats = NDArray[np.float64]

WAVE_MPS = 5.0
"""How fast the end of a dissolving queue moves back: 18 km/h."""
HOURS = 0.25
"""The analysis period of the random delay."""
Plans = Sequence[Mapping[ControllerId, Plan]]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Start:
    """All vehicles of sixteen candidates at a second, to go on from."""

    second: int
    tide: Tide

    def of(self, candidate: int) -> Start:
        """Return the start at which all candidates are where one of them is."""
        return Start(
            second=self.second,
            tide=type(self.tide)(
                *(np.repeat(rows[:, [candidate]], rows.shape[1], 1) for rows in self.tide)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """Other plans from a second on, each signal at its own."""

    plans: Plans
    at_s: Mapping[ControllerId, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How long to run, when delay counts (all the time if not said), and how much begins.

    Seconds are absolute; a run without a start begins at 0 with empty streets. `factor` times the
    arrivals of the mesh begin. The queues of candidate `watched` are kept as a series.
    """

    end_s: int
    window_s: tuple[int, int] | None = None
    factor: float = 1.0
    watched: int | None = None


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Transmitted:
    """What came of each candidate; the last axis of arrays is the candidate.

    In the window, veh-s: `waiting_vehs` at the stop lines of each queue, bays and their entrances
    included, `kept_vehs` outside of each full link, `random_vehs` what chance adds at each queue;
    `came` are the vehicles that came to each queue. In the whole run, veh: who `entered` the links,
    `left` the area, is `inside` or `outside` at the end. `fullest` is the largest share of the room
    of each link ever taken: at 1 it held others back. `series` has the end of each block and then
    the queues of the candidate asked for.
    """

    waiting_vehs: Floats
    kept_vehs: Floats
    random_vehs: Floats
    came: Floats
    entered: Floats
    left: Floats
    inside: Floats
    outside: Floats
    fullest: Floats
    series: NDArray[np.float32]
    strict_share: float
    end: Start

    @property
    def delay_vehs(self) -> Floats:
        """Return the whole delay of each candidate."""
        return np.asarray(
            self.waiting_vehs.sum(axis=0)
            + self.kept_vehs.sum(axis=0)
            + self.random_vehs.sum(axis=0)
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Transmission:
    """An area, ready to be run."""

    mesh: AreaMesh
    web: Web
    block_s: int
    serving: tuple[Serving | None, ...]

    def run(
        self, plans: Plans, span: Span, start: Start | None = None, then: Then | None = None
    ) -> Transmitted:
        """Run up to sixteen sets of plans, and others afterwards if so said.

        Raises:
            ValueError: for more plans than fit, or a cycle shorter than a block.

        """
        change = None
        if then is not None:
            at_s = np.array([then.at_s[c] for c in self.mesh.controllers], np.int64)
            windows = windows_of_plans(self.mesh, then.plans, self.serving)
            change = Change(windows=windows, at_s=at_s)
        return self.run_windows(
            windows_of_plans(self.mesh, plans, self.serving), span, start=start, change=change
        )

    def run_windows(
        self,
        windows: Windows,
        span: Span,
        *,
        start: Start | None = None,
        change: Change | None = None,
        strict: bool = False,
    ) -> Transmitted:
        """Run windows instead of plans.

        `strict` runs all signals second by second, as if everything could fill up at any time.

        Raises:
            ValueError: for a cycle shorter than a block.

        """
        from lvbo.optimize._transmission_kernels import transmit

        self._check(windows, change)
        begin = start or Start(second=0, tide=self._empty())
        tide = type(begin.tide)(*(aligned(rows) for rows in begin.tide))
        shows = show(self.web, self.mesh.arrays.turn_move, windows, begin.second, change)
        window = span.window_s or (begin.second, span.end_s)
        tally, series = self._tally(), self._series(begin.second, span.end_s, span.watched)
        slow = transmit(
            self.web, shows, tide, tally, self._desk(), begin.second, span.end_s, window,
            self.block_s, span.factor, int(strict), span.watched or 0, series,
        )  # fmt: skip
        end = Start(second=span.end_s, tide=tide)
        seconds = (span.end_s - begin.second) * len(self.mesh.controllers)
        return self._result(windows.plans, tally, end, window, series, slow / max(1, seconds))

    def _check(self, windows: Windows, change: Change | None) -> None:
        shortest = float(windows.cycle_s.min())
        if change is not None:
            shortest = min(shortest, float(change.windows.cycle_s.min()))
        if shortest < self.block_s:
            message = f"a cycle of {shortest} s, at least {self.block_s} s are needed"
            raise ValueError(message)

    # arrays ---------------------------------------------------------------------------------

    def _empty(self) -> Tide:
        """Return streets without vehicles."""
        from lvbo.optimize._transmission_values import Tide

        queues, links, pipes = self._sizes
        return Tide(
            ring=blank(int(self.web.ring[-1])),
            value=blank(pipes),
            here=blank(queues),
            behind=blank(queues),
            outside=blank(links),
            taken=blank(links),
            outs=blank(int(self.web.slots[-1])),
            release=blank(links),
            flowing=blank(queues),
            turning=blank(6 * queues),
        )

    @property
    def _sizes(self) -> tuple[int, int, int]:
        return len(self.web.link), len(self.web.queues) - 1, len(self.web.into)

    def _tally(self) -> Tally:
        from lvbo.optimize._transmission_values import Tally

        queues, links, _ = self._sizes
        return Tally(
            waits=blank(queues),
            kept=blank(links),
            came=blank(queues),
            room=blank(queues),
            entered=blank(links),
            left=blank(len(self.web.links) - 1),
            peak=blank(links),
        )

    def _desk(self) -> Desk:
        from lvbo.optimize._link_kernels import BLOCK
        from lvbo.optimize._transmission_values import Desk

        _, links, _ = self._sizes
        web = self.web
        most_links = int(np.diff(web.links).max())
        most_queues = int(np.diff(web.queues[web.links]).max())
        of_queues = ("send", "held", "want", "free", "gone", "stood", "before")
        of_seconds = ("rate", "leave")
        of_pipes = ("avail", "wish")
        return Desk(
            allow=blank(links),
            entry=blank(links),
            tight=np.zeros(links, np.int64),
            slot=np.zeros(links, np.int64),
            dark=np.zeros(most_queues, np.int64),
            arrive=blank(most_links * BLOCK),
            coming=blank(most_links),
            flow=blank(BLOCK),
            **{name: blank(most_queues) for name in of_queues},
            **{name: blank(most_queues * BLOCK) for name in of_seconds},
            **{name: blank(int(np.diff(web.pipes).max(initial=0))) for name in of_pipes},
        )

    def _series(self, begin_s: int, end_s: int, watched: int | None) -> NDArray[np.float32]:
        many = 0 if watched is None else (end_s - begin_s) // self.block_s + 4
        return np.zeros((many, 1 + len(self.web.link)), np.float32)

    # what came of it ------------------------------------------------------------------------

    def _result(
        self,
        plans: int,
        tally: Tally,
        end: Start,
        window: tuple[int, int],
        series: NDArray[np.float32],
        strict_share: float,
    ) -> Transmitted:
        def own(rows: NDArray[np.float32]) -> Floats:
            return rows[:, :plans].astype(np.float64)

        return Transmitted(
            waiting_vehs=own(tally.waits),
            kept_vehs=own(tally.kept),
            random_vehs=random_delay(
                own(tally.came),
                own(tally.room),
                window[1] - window[0],
                self.mesh.arrays.variance[:, None].astype(np.float64),
            ),
            came=own(tally.came),
            entered=own(tally.entered).sum(axis=0),
            left=own(tally.left).sum(axis=0),
            inside=self.inside(end)[:plans],
            outside=own(end.tide.outside).sum(axis=0),
            fullest=own(tally.peak) / self.web.storage[:, None],
            series=series[series[:, 0] > 0],
            strict_share=strict_share,
            end=end,
        )

    def inside(self, at: Start) -> Floats:
        """Count the vehicles on links, from where each of them is."""
        tide, web = at.tide, self.web
        pipe = np.repeat(np.arange(len(web.into)), web.lag)
        ahead = np.arange(len(pipe)) - np.repeat(np.cumsum(web.lag) - web.lag, web.lag)
        coming = web.ring[pipe] + (at.second + ahead) % np.diff(web.ring)[pipe]
        rest = (1 - web.smooth) / web.smooth
        parts = (tide.here, tide.behind, tide.ring[coming], rest[:, None] * tide.value)
        return np.asarray(np.sum([rows.sum(axis=0, dtype=np.float64) for rows in parts], axis=0))


def build_transmission(mesh: AreaMesh, wave_mps: float = WAVE_MPS) -> Transmission:
    """Return an area ready to be run."""
    built = build_web(mesh, wave_mps)
    return Transmission(mesh=mesh, web=built.web, block_s=built.block_s, serving=all_serving(mesh))


def random_delay(came: Floats, room: Floats, window_s: float, variance: Floats) -> Floats:
    """Return the veh-s that chance adds where `came` vehicles meet `room` for so many.

    `variance` of arrivals is that over their mean: HCM 7 eq. 19-26 (k = 0.5) less what a queue
    model counts itself, the steady overflow 1800 T (x - 1) beyond saturation; the rest is largest
    at x = 1 and vanishes to both sides, as in the coordinate transformation of Kimber and Hollis
    (1979).
    """
    room_vph = np.maximum(room * 3600 / max(window_s, 1e-9), 1.0)
    x = came * 3600 / max(window_s, 1e-9) / room_vph
    bend = np.sqrt((x - 1) ** 2 + 4 * variance * x / (HOURS * room_vph))
    return np.asarray(came * 900 * HOURS * (bend - np.abs(x - 1)))
