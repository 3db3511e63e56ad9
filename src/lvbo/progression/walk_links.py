# SPDX-License-Identifier: Apache-2.0
"""Measure the bands by link of a plan, with no knowledge of how the plan was found.

The plan names offsets, sequences, link times and when its lines leave their first signal. From
these alone the lines are driven again, and a band of a link is what finds green at both its ends
about the line. Arithmetic is rational. This module must not import the solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from lvbo.errors import Finding
from lvbo.progression.linkbands import LinkBandPlan, LinkBandProblem
from lvbo.progression.problem import BandKind, BandPlan, Window
from lvbo.progression.walk import check_limits

Room = tuple[Fraction, Fraction]  # green before and after the line
TICK_MS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWalk:
    """Hold the bands found by link, their weighted sum in cycles, and every breach."""

    bands_out_ms: tuple[float, ...]
    bands_in_ms: tuple[float, ...]
    value: float
    violations: tuple[Finding, ...]


def walk_links(problem: LinkBandProblem, plan: LinkBandPlan) -> LinkWalk:
    """Return the bands that cars find on every link at this plan, and every breach of a limit."""
    found: list[Finding] = []
    out = _driven(problem, plan, found, outbound=True)
    back = _driven(problem, plan, found, outbound=False)
    found += _check_claims(problem, plan, out, outbound=True)
    found += _check_claims(problem, plan, back, outbound=False)
    found += _check_street(problem, plan)
    claimed_out = [_claimed(s, r) for s, r in zip(plan.sides_out_ms, out, strict=False)]
    claimed_in = [_claimed(s, r) for s, r in zip(plan.sides_in_ms, back, strict=False)]
    value = sum(
        (w * b for w, b in zip(problem.weight_out, claimed_out, strict=False)), Fraction(0)
    ) + sum((w * b for w, b in zip(problem.weight_in, claimed_in, strict=False)), Fraction(0))
    return LinkWalk(
        bands_out_ms=tuple(float(b) for b in claimed_out),
        bands_in_ms=tuple(float(b) for b in claimed_in),
        value=float(value / plan.cycle_ms),
        violations=tuple(found),
    )


def _claimed(sides: tuple[int, int], room: Room) -> Fraction:
    """Return the claimed band as far as it finds green."""
    return min(Fraction(sides[0]), room[0]) + min(Fraction(sides[1]), room[1])


def _driven(
    problem: LinkBandProblem, plan: LinkBandPlan, found: list[Finding], *, outbound: bool
) -> list[Room]:
    """Return the common room about the line of each link, in outbound order."""
    lines = plan.line_out_ms if outbound else plan.line_in_ms
    if not lines:
        return []
    n = problem.street.signals
    order = list(range(n)) if outbound else list(range(n - 1, -1, -1))
    street = problem.street
    clear = (street.clearance_out_ms if outbound else street.clearance_in_ms) or (0,) * n
    travel = plan.travel_out_ms if outbound else plan.travel_in_ms
    at = Fraction(lines[order[0]])
    rooms: dict[int, Room] = {}
    for here, before in zip(order, [None, *order[:-1]], strict=True):
        if before is not None:
            at += travel[min(here, before)] - clear[here]
        if at != lines[here]:
            passed = {"signal": here, "claimed_ms": lines[here], "walked_ms": float(at)}
            found.append(Finding(code="LV435", place=f"signal {here}", fields=passed))
        pattern = street.patterns[here][plan.patterns[here]]
        windows = pattern.outbound if outbound else pattern.inbound
        rooms[here] = _room(windows, at - plan.offsets_ms[here], problem, plan)
        if min(rooms[here]) < -TICK_MS:
            fields = {"signal": here, "direction": "outbound" if outbound else "inbound"}
            found.append(Finding(code="LV436", place=f"signal {here}", fields=fields))
    return [
        (min(rooms[i][0], rooms[i + 1][0]), min(rooms[i][1], rooms[i + 1][1])) for i in range(n - 1)
    ]


def _room(
    windows: Sequence[Window], local: Fraction, problem: LinkBandProblem, plan: LinkBandPlan
) -> Room:
    """Return the green before and after an instant; negative where it finds red."""
    part = Fraction(plan.cycle_ms, problem.street.parts_per_cycle)
    rooms = []
    for start, length in windows:
        if length >= problem.street.parts_per_cycle:
            return Fraction(plan.cycle_ms, 2), Fraction(plan.cycle_ms, 2)
        before = (local - start * part) % plan.cycle_ms
        rooms.append((before, length * part - before))
    return max(rooms, key=min)


def _check_claims(
    problem: LinkBandProblem, plan: LinkBandPlan, rooms: Sequence[Room], *, outbound: bool
) -> list[Finding]:
    sides = plan.sides_out_ms if outbound else plan.sides_in_ms
    direction = "outbound" if outbound else "inbound"
    found = []
    for link, ((before, after), room) in enumerate(zip(sides, rooms, strict=True)):
        band = before + after
        even = min(before, after) + TICK_MS >= problem.least_side * band
        green = [max(side, Fraction(0)) + TICK_MS for side in room]
        if before > green[0] or after > green[1] or not even:
            fields = {
                "direction": direction,
                "link": link,
                "before_ms": before,
                "after_ms": after,
                "walked_before_ms": float(room[0]),
                "walked_after_ms": float(room[1]),
            }
            found.append(Finding(code="LV437", place=f"link {link}", fields=fields))
    return found


def _check_street(problem: LinkBandProblem, plan: LinkBandPlan) -> list[Finding]:
    """Check cycle, speeds and locks once, and the limits on bands link by link."""
    found = list(check_limits(replace(problem.street, ratio_range=None), _as_bands(plan, 0)))
    if plan.kind is BandKind.TWO_WAY:
        for link in range(problem.street.signals - 1):
            own = check_limits(problem.street, _as_bands(plan, link))
            found += [f for f in own if f.code in {"LV424", "LV425"}]
        found = list({(f.code, str(f.fields)): f for f in found}.values())
    return [f for f in found if plan.kind is BandKind.TWO_WAY or f.code != "LV425"]


def _as_bands(plan: LinkBandPlan, link: int) -> BandPlan:
    """Return the plan as one of through bands, with the bands of one link."""
    two_way = plan.kind is BandKind.TWO_WAY
    return BandPlan(
        kind=plan.kind,
        cycle_ms=plan.cycle_ms,
        outbound_ms=plan.bands_out_ms[link] if two_way else 0,
        inbound_ms=plan.bands_in_ms[link] if two_way else 0,
        offsets_ms=plan.offsets_ms,
        patterns=plan.patterns,
        travel_out_ms=plan.travel_out_ms,
        travel_in_ms=plan.travel_in_ms,
        front_out_ms=(),
        front_in_ms=(),
        slack_ms=(),
        binding_out=(),
        binding_in=(),
        min_green_out_ms=0,
        min_green_in_ms=0,
    )
