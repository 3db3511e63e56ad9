# SPDX-License-Identifier: Apache-2.0
"""One cycle of a chain in steps, solved for bands by link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lvbo.progression import _linkband_kernels
from lvbo.progression.chain import NO_LIMIT, Chain, Floats, Ints
from lvbo.progression.linkbands import LinkBandProblem
from lvbo.progression.problem import BandProblem

MOST_PACES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Hold a chain of places: by signal the window, q (not wrapped), w and w_in, in cycles."""

    choices: tuple[int, ...]
    q: Floats
    before_out: Floats
    after_in: Floats


class Solved(NamedTuple):
    """The value of one cycle on a grid and its best chain of places, where it was traced."""

    value: float
    places: Places | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Hold one cycle of a chain as the kernels read it; times in steps."""

    cycle_ms: float
    steps: int
    choices: Floats  # (3, m) beta, green out, green in
    links: Ints  # (4, n - 1, K)
    middle: Floats  # (n) middle link times so far

    def in_cycles(self, q: Ints, moved: Ints) -> Floats:
        """Return q of every signal, not wrapped, in cycles."""
        walked = q[0] + np.concatenate(([0], np.cumsum(moved)))
        place: Floats = (walked + self.middle) / self.steps
        return place


def grid_of(problem: LinkBandProblem, chain: Chain, cycle_ms: float, steps: int) -> Grid:
    """Return one cycle in steps."""
    street = problem.street
    per_ms = steps / cycle_ms
    low, high, near, far = _paces(street)
    clear = (chain.clear_out[1:] + chain.clear_in[:-1])[:, None]
    total = (low.min(1) + high.max(1))[:, None] / 2 - clear
    least = np.ceil((low - clear - total) * per_ms - 1e-9)
    most = np.floor((high - clear - total) * per_ms + 1e-9)
    none = least > most
    nearest = np.rint(((low + high) / 2 - clear - total) * per_ms)
    least[none] = most[none] = nearest[none]
    middle = np.concatenate(([0.0], np.cumsum(total[:, 0]))) * per_ms
    windows = chain.windows * (steps / street.parts_per_cycle)
    beta = windows[0] - windows[2] - windows[3] - np.repeat(middle, np.diff(chain.first))
    return Grid(
        cycle_ms=cycle_ms,
        steps=steps,
        choices=np.stack((beta, windows[1], windows[3])),
        links=np.stack((least, most, near, far)).astype(np.int64),
        middle=middle,
    )


def _paces(street: BandProblem) -> tuple[Floats, Floats, Ints, Ints]:
    """Return least and most times of both directions, ms, by link and pace level, and windows.

    Levels are ranges of one pace for both directions; a change of limit's size may lead from the
    middle of one to the middle of another. What this misses, the fit decides.
    """
    ranges = street.speed_out_mps + street.speed_in_mps
    slow, fast = 1 / np.array(ranges).T
    metres = np.array(street.distance_out_m + street.distance_in_m)
    least, most = fast.min(), slow.max()
    limit = street.speed_change_limit_s_per_m
    levels = 1
    if limit is not None and most - least > limit:
        levels = int(min(MOST_PACES, max(3, np.ceil(2 * (most - least) / max(limit, 1e-9)))))
    edges = np.linspace(least, most, levels + 1)
    links = street.signals - 1

    def both(pace: Floats) -> Floats:
        times = 1000 * np.clip(pace, fast[:, None], slow[:, None]) * metres[:, None]
        total: Floats = times[:links] + times[links:]
        return total

    reach = levels if limit is None else max(1, int(limit * levels / max(most - least, 1e-9)))
    level = np.arange(levels)
    near = np.tile(np.maximum(level - reach, 0), (links, 1))
    far = np.tile(np.minimum(level + reach, levels - 1), (links, 1))
    return both(edges[None, :-1]), both(edges[None, 1:]), near, far


def solve_centred(
    problem: LinkBandProblem, chain: Chain, cycle_ms: float, steps: int, *, traced: bool
) -> Solved:
    """Return the value of one cycle on a grid and, where traced, its best chain of places."""
    street = problem.street
    grid = grid_of(problem, chain, cycle_ms, steps)
    wide = [int(min(steps, green.max()) / 2 + 1.5) for green in grid.choices[1:]]
    room = np.empty((street.signals, steps, wide[0]), np.int64)
    _linkband_kernels.fill_room(chain.first, grid.choices, wide[1] - 1, room)
    levels = grid.links.shape[2]
    tables = np.empty((street.signals - 1, levels, steps, wide[0], wide[1]), np.float32)
    low, high = street.ratio_range or (0.0, NO_LIMIT)
    half_step = steps / cycle_ms / 2
    value = _linkband_kernels.run_chain(
        room,
        grid.links,
        np.array(problem.weight_out) * 2 / steps,
        np.array(problem.weight_in) * 2 / steps,
        np.array(
            [
                low,
                min(high, NO_LIMIT),
                np.floor(street.min_out_ms * half_step),
                np.floor(street.min_in_ms * half_step),
            ]
        ),
        tables,
    )
    if value < 0 or not traced:
        return Solved(value, None)
    q, moved, half = _linkband_kernels.trace_chain(room, grid.links, tables)
    place = grid.in_cycles(q, moved)
    windows = chain.windows / street.parts_per_cycle
    picked = [
        _window(windows, chain.first[i : i + 2], float(place[i]), half[:, i] / steps)
        for i in range(place.size)
    ]
    places = Places(
        choices=tuple(c for c, _, _ in picked),
        q=place,
        before_out=np.array([w for _, w, _ in picked]),
        after_in=np.array([w for _, _, w in picked]),
    )
    return Solved(value, places)


def _window(windows: Floats, own: Ints, q: float, half: Floats) -> tuple[int, float, float]:
    """Return the window with the most room for these half-bands, w and w_in in it."""
    best = (-np.inf, int(own[0]), 0.0, 0.0)
    x, y = float(half[0]), float(half[1])
    for c in range(int(own[0]), int(own[1])):
        a, g, a_in, g_in = (float(v) for v in windows[:, c])
        p = (q - (a - a_in - g_in)) % 1.0
        if g >= 1 or g_in >= 1:
            w = p - g_in / 2 if g >= 1 else g / 2
            best = max(best, (min(g - 2 * x, g_in - 2 * y), c, w, p - w))
            continue
        p -= float(p - g - g_in > 1 - p)  # just before the window rather than far behind it
        room = min(g - 2 * x, g_in - 2 * y, p - x - y, g + g_in - p - x - y)
        middle = (max(x, p - g_in + y) + min(g - x, p - y)) / 2
        w = min(max(middle, 0.0), g)
        best = max(best, (room, c, w, p - w))
    return best[1], best[2], best[3]
