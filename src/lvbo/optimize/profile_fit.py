# SPDX-License-Identifier: Apache-2.0
"""Fit dispersion and platoon speed to what loops saw: who left a stop line, who arrived downstream.

Both are folded on the cycle of the signal before, second by second. What arrives is what left,
later and spread (Robertson, 1969), and a steady rest from elsewhere. Half of the streets serve the
fit, the others only judge it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lvbo.detection.counts import Counts
from lvbo.detection.detector import Detector, DetectorKind
from lvbo.detection.passings import passings
from lvbo.ids import LaneId, LinkId
from lvbo.optimize.evaluate import Plans
from lvbo.optimize.mesh import AreaMesh, Pipe, Traits

Floats = NDArray[np.float64]

ALPHAS = tuple(round(0.05 * k, 2) for k in range(1, 21))
SPEED_SHARES = tuple(round(0.5 + 0.025 * k, 3) for k in range(25))
LEAST_STREETS = 4
"""With fewer streets nothing can be held out."""
LEAST_VEHICLES = 60
"""Thinner streams are noise."""
UPSTREAM = (DetectorKind.ADVANCE, DetectorKind.MID)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Stretch:
    """A street between a stop line and loops ahead, seen over many cycles.

    `time_s` is the drive at the usual share of the limit. `left` and `came` are vehicles by second
    of the cycle, shape (cycle,).
    """

    link: LinkId
    time_s: float
    left: Floats
    came: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFit:
    """Dispersion and speed fitted to profiles, and how far arrivals are off on streets held out.

    Errors are sums of absolute differences over the sum of arrivals, before and after. No streets
    means that too little was seen: the usual traits stay.
    """

    traits: Traits
    held_out_before: float
    held_out: float
    streets: int


def fit_profiles(stretches: Sequence[Stretch], usual: Traits | None = None) -> ProfileFit:
    """Return the dispersion and the share of the limit that explain arrivals best."""
    known = usual or Traits()
    listed = sorted(stretches, key=lambda s: s.link)
    if len(listed) < LEAST_STREETS:
        return ProfileFit(traits=known, held_out_before=0.0, held_out=0.0, streets=0)
    fitted, judged = listed[::2], listed[1::2]
    tried = [
        replace(known, alpha=alpha, speed_share=share)
        for alpha, share in product(ALPHAS, SPEED_SHARES)
    ]
    best = min((known, *tried), key=lambda traits: _unlike(fitted, traits, known))
    return ProfileFit(
        traits=best,
        held_out_before=_off(judged, known, known),
        held_out=_off(judged, best, known),
        streets=len(judged),
    )


def _unlike(stretches: Sequence[Stretch], traits: Traits, usual: Traits) -> float:
    """Return the squared error of smoothed arrivals, each street by its chance (Poisson)."""
    apart = ((_smooth(arrivals(s, traits, usual) - s.came) ** 2).sum() for s in stretches)
    return float(sum(a / s.came.mean() for a, s in zip(apart, stretches, strict=True)))


def _off(stretches: Sequence[Stretch], traits: Traits, usual: Traits) -> float:
    """Return the error of all smoothed arrivals, as a share of them."""
    apart = [np.abs(_smooth(arrivals(s, traits, usual) - s.came)).sum() for s in stretches]
    return float(np.sum(apart) / np.sum([s.came.sum() for s in stretches]))


def _smooth(values: Floats) -> Floats:
    """Return means of five seconds around the cycle: single vehicles come by chance."""
    return np.asarray(np.mean([np.roll(values, k) for k in range(-2, 3)], axis=0))


def arrivals(stretch: Stretch, traits: Traits, usual: Traits) -> Floats:
    """Return who arrives by second of the cycle: a share of who left, spread, and a steady rest.

    Robertson's recursion on a cycle that repeats, in closed form by its Fourier transform.
    """
    time_s = stretch.time_s * usual.speed_share / traits.speed_share
    smooth = 1 / (1 + traits.alpha * traits.beta * time_s)
    wave = -2j * np.pi * np.fft.fftfreq(len(stretch.left))
    spread = smooth / (1 - (1 - smooth) * np.exp(wave)) * np.exp(wave * traits.beta * time_s)
    flow = np.real(np.fft.ifft(np.fft.fft(stretch.left) * spread))
    both = np.stack([flow, np.ones(len(flow))], axis=1)
    share, rest = np.linalg.lstsq(both, stretch.came, rcond=None)[0]
    if share < 0 or rest < 0:
        share, rest = max(0.0, float(flow @ stretch.came) / max(float(flow @ flow), 1e-9)), 0.0
    return np.asarray(share * flow + rest)


# from counts ----------------------------------------------------------------------------------


def stretches_of(
    mesh: AreaMesh, plans: Plans, counts: Counts, span_s: tuple[int, int]
) -> list[Stretch]:
    """Return the streets of a mesh on which loops saw both ends second by second.

    A street counts where one signal alone feeds it, the stop lines before it have loops by lane,
    and advance or mid loops lie on it. Between two seconds of the day, in which these plans run,
    all days are folded together on the cycle of the signal before.
    """
    lanes, ahead = _by_lane(counts.detectors), _ahead(counts.detectors)
    fed = np.bincount([pipe.link for pipe in mesh.pipes], minlength=len(mesh.links))
    begin, end = span_s
    seen = {name: t[(begin <= t) & (t < end)] for name, t in passings(counts).items()}
    found: list[Stretch] = []
    for pipe in mesh.pipes:
        loops = ahead.get(mesh.links[pipe.link], [])
        if fed[pipe.link] == 1 and loops:
            cycle_s = _cycle_s(mesh, plans, pipe)
            found += _stretch(mesh, pipe, loops, _Seen(seconds=seen, lanes=lanes, cycle_s=cycle_s))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """When vehicles passed each detector, seconds of the day; loops by lane; the cycle in s."""

    seconds: Mapping[str, Floats]
    lanes: Mapping[LaneId, Sequence[str]]
    cycle_s: int | None

    def folded(self, names: Sequence[str]) -> Floats:
        """Return vehicles by second of the cycle."""
        cycle = self.cycle_s or 1
        own = [self.seconds[name] for name in names if name in self.seconds]
        bins = np.concatenate(own) % cycle if own else np.zeros(0)
        return np.bincount(bins.astype(np.int64), minlength=cycle).astype(np.float64)


def _stretch(
    mesh: AreaMesh, pipe: Pipe, loops: Sequence[Detector], seen: _Seen
) -> Iterator[Stretch]:
    if seen.cycle_s is None:
        return
    left = np.zeros(seen.cycle_s)
    for q, share in pipe.shares:
        names = [name for lane in mesh.queues[q].lanes for name in seen.lanes.get(lane, ())]
        if not names:
            return
        left += share * seen.folded(names)
    came = seen.folded([str(loop.id) for loop in loops])
    part = 1 - float(np.mean([loop.to_stop_m for loop in loops])) / pipe.length_m
    if min(left.sum(), came.sum()) >= LEAST_VEHICLES and part > 0:
        yield Stretch(link=mesh.links[pipe.link], time_s=part * pipe.time_s, left=left, came=came)


def _cycle_s(mesh: AreaMesh, plans: Plans, pipe: Pipe) -> int | None:
    """Return the cycle of the signal before, None where it is no whole number of seconds."""
    cycle_ds = plans[mesh.controllers[pipe.source]].cycle_ds
    return cycle_ds // 10 if cycle_ds % 10 == 0 else None


def _by_lane(detectors: Sequence[Detector]) -> dict[LaneId, list[str]]:
    """Return the stop-line loops that see all of one lane, by lane."""
    found: dict[LaneId, list[str]] = {}
    for one in detectors:
        if one.kind is DetectorKind.STOP_LINE and len(one.lanes) == 1 and not one.movements:
            found.setdefault(one.lanes[0], [str(one.id)])
    return found


def _ahead(detectors: Sequence[Detector]) -> dict[LinkId, list[Detector]]:
    """Return the loops that lie on a street before its stop line, by link."""
    found: dict[LinkId, list[Detector]] = {}
    for one in detectors:
        if one.kind in UPSTREAM and one.link is not None:
            found.setdefault(one.link, []).append(one)
    return found
