# SPDX-License-Identifier: Apache-2.0
"""The bands by link that known offsets give: what dragging an offset shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lvbo.progression import _kernels
from lvbo.progression.chain import Chain, Floats, Ints, build_chain, time_range
from lvbo.progression.linkband_fit import Bounds, fit_structure
from lvbo.progression.linkband_plan import structure_of_plan, with_sides, written
from lvbo.progression.linkbands import LinkBandPlan, LinkBandProblem, value_of_links
from lvbo.progression.problem import BandKind

STEP_MS = 100  # places of a line in its green that are tried


def evaluate_link_bands(
    problem: LinkBandProblem, cycle_ms: int, offsets_ms: tuple[int, ...], patterns: tuple[int, ...]
) -> LinkBandPlan | None:
    """Return the bands by link at these offsets, None where no line finds green either way.

    The best line of each direction is found on a grid of 0.1 s, then fitted exactly.
    """
    chain = build_chain(problem.street)
    ways = [_Way.of(problem, cycle_ms, offsets_ms, patterns, outbound=o) for o in (True, False)]
    lines = [way.best_line(problem.least_side) for way in ways]
    if lines[0] is None and lines[1] is None:
        return None
    kind = BandKind.TWO_WAY
    if lines[0] is None or lines[1] is None:
        kind = BandKind.INBOUND if lines[0] is None else BandKind.OUTBOUND
    travel = [way.travel(line) for way, line in zip(ways, lines, strict=True)]
    plan = LinkBandPlan(
        kind=kind,
        cycle_ms=cycle_ms,
        offsets_ms=tuple(o % cycle_ms for o in offsets_ms),
        patterns=patterns,
        travel_out_ms=travel[0],
        travel_in_ms=travel[1][::-1],
        line_out_ms=() if lines[0] is None else lines[0],
        line_in_ms=() if lines[1] is None else lines[1][::-1],
        sides_out_ms=(),
        sides_in_ms=(),
    )
    plan = with_sides(problem, plan)
    return _fitted(problem, chain, plan) if kind is BandKind.TWO_WAY else plan


def _fitted(problem: LinkBandProblem, chain: Chain, plan: LinkBandPlan) -> LinkBandPlan:
    """Return the plan with its lines fitted exactly, its offsets as they are."""
    structure = structure_of_plan(problem, chain, plan)
    cycle = float(plan.cycle_ms)
    given = {i: float(o) for i, o in enumerate(structure.offsets)}
    bounds = Bounds(low_ms=cycle, high_ms=cycle, given=given, tied={})
    fit = fit_structure(problem, chain, structure, bounds)
    if fit is None:
        return plan
    laid = written(problem, chain, fit.structure, plan.cycle_ms)
    fitted = with_sides(problem, replace(laid, offsets_ms=plan.offsets_ms))
    limited = problem.street.speed_change_limit_s_per_m is not None
    if limited or value_of_links(problem, fitted) > value_of_links(problem, plan):
        return fitted
    return plan


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One direction in driving order, ms: windows on the area clock, link times, weights."""

    cycle_ms: int
    windows: tuple[tuple[tuple[int, int], ...], ...]
    least: tuple[int, ...]
    most: tuple[int, ...]
    clear: tuple[int, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(
        cls,
        problem: LinkBandProblem,
        cycle_ms: int,
        offsets_ms: tuple[int, ...],
        patterns: tuple[int, ...],
        *,
        outbound: bool,
    ) -> _Way:
        """Return one direction of a street."""
        street = problem.street
        turn = slice(None, None, 1 if outbound else -1)
        metres = (street.distance_out_m if outbound else street.distance_in_m)[turn]
        speeds = (street.speed_out_mps if outbound else street.speed_in_mps)[turn]
        clear = (street.clearance_out_ms if outbound else street.clearance_in_ms)[turn]
        ranges = [time_range(d, v) for d, v in zip(metres, speeds, strict=True)]
        windows = []
        for i, pattern in enumerate(patterns):
            own = street.patterns[i][pattern]
            raw = np.array(own.outbound if outbound else own.inbound, np.int64).T.copy()
            start, green = np.empty_like(raw[0]), np.empty_like(raw[0])
            _kernels.scale(cycle_ms, street.parts_per_cycle, raw[0], raw[1], start, green)
            windows.append(
                tuple(zip((start + offsets_ms[i]).tolist(), green.tolist(), strict=True))
            )
        return cls(
            cycle_ms=cycle_ms,
            windows=tuple(windows)[turn],
            least=tuple(low for low, _ in ranges),
            most=tuple(high for _, high in ranges),
            clear=(clear or (0,) * street.signals)[1:],
            weights=(problem.weight_out if outbound else problem.weight_in)[turn],
        )

    def travel(self, line: tuple[int, ...] | None) -> tuple[int, ...]:
        """Return the link times of a line, or those in the middle of their ranges."""
        if line is None:
            return tuple((a + b) // 2 for a, b in zip(self.least, self.most, strict=True))
        return tuple(int(d) + c for d, c in zip(np.diff(line), self.clear, strict=True))

    def best_line(self, least_side: float) -> tuple[int, ...] | None:
        """Return when the best line passes each signal, in driving order."""
        places = [self._places(w) for w in self.windows]
        value = np.zeros(places[0].shape[1])
        came: list[Ints] = []
        for i, weight in enumerate(self.weights):
            here, there = places[i], places[i + 1]
            reached = self._reached(here, there, i)
            band = _band(here[:, :, None], there[:, None, :], least_side)
            total = np.where(reached >= 0, value[:, None] + weight * band, -np.inf)
            came.append(total.argmax(0))
            value = total.max(0)
        if not np.isfinite(value.max()):
            return None
        at = [int(value.argmax())]
        for back in reversed(came):
            at.append(int(back[at[-1]]))
        at.reverse()
        line = [int(places[0][0, at[0]])]
        for i in range(len(self.weights)):
            drive = self._reached(places[i][:, [at[i]]], places[i + 1][:, [at[i + 1]]], i)
            line.append(line[-1] + int(drive[0, 0]))
        return tuple(line)

    def _places(self, windows: tuple[tuple[int, int], ...]) -> Ints:
        """Return instants of green with the green before and after them, (3, k)."""
        found = []
        for start, green in windows:
            before = np.append(np.arange(0, min(green, self.cycle_ms), STEP_MS), green)
            always = green >= self.cycle_ms
            half = np.full(before.size, self.cycle_ms // 2)
            found.append(
                np.stack((start + before, half, half))
                if always
                else np.stack((start + before, before, green - before))
            )
        return np.concatenate(found, axis=1).astype(np.int64)

    def _reached(self, here: Ints, there: Ints, link: int) -> Ints:
        """Return the time from line to line between all places, -1 where no speed brings it."""
        least, most = (x - self.clear[link] for x in (self.least[link], self.most[link]))
        drive = (there[0][None, :] - here[0][:, None] - least) % self.cycle_ms + least
        later: Ints = np.where(drive <= most, drive, -1)
        return later


def _band(here: Ints, there: Ints, least_side: float) -> Floats:
    before, after = np.minimum(here[1], there[1]), np.minimum(here[2], there[2])
    total: Floats = (before + after).astype(np.float64)
    if least_side > 0:
        factor = (1 - least_side) / least_side
        total = np.minimum(before, after * factor) + np.minimum(after, before * factor)
    return total
