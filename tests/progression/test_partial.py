# SPDX-License-Identifier: Apache-2.0
"""Bands through part of a street, and how much of the greens of a link its band uses."""

from __future__ import annotations

import pytest
from tests.progression.problems import plain

from lvbo.progression.attain import link_attainability
from lvbo.progression.offsets import evaluate_offsets
from lvbo.progression.partial import part_bands
from lvbo.progression.problem import BandKind, BandPlan, BandProblem


def street(offsets_s: tuple[int, ...]) -> tuple[BandProblem, BandPlan]:
    """Return four signals of 20 s green in 60 s, 30 s apart, at these offsets."""
    problem = plain((20, 20, 20, 20), (30, 30, 30))
    offsets = tuple(1000 * s for s in offsets_s)
    return problem, evaluate_offsets(problem, 60_000, offsets, (0,) * 4)


def test_where_no_band_runs_through_parts_reach_as_far_as_one_does() -> None:
    # outbound 0 -> 1 -> 2 in step; from 2 to 3 the green comes 20 s too early: nothing passes
    problem, runs = street((0, 30, 0, 10))
    parts = part_bands(problem, runs)
    out = [p for p in parts if p.direction is BandKind.OUTBOUND]

    assert runs.outbound_ms == 0
    assert [(p.first, len(p.plan.offsets_ms), p.plan.outbound_ms) for p in out] == [(0, 3, 20_000)]


def test_a_whole_band_leaves_no_part_worth_showing() -> None:
    problem, runs = street((0, 30, 0, 30))

    assert runs.outbound_ms == runs.inbound_ms == 20_000
    assert part_bands(problem, runs) == ()


def test_inbound_parts_begin_where_inbound_traffic_comes_from() -> None:
    # each green comes 6 s late for the band from the signal before: 14, 8 and 2 s are left
    problem, runs = street((48, 12, 36, 0))
    back = [p for p in part_bands(problem, runs) if p.direction is BandKind.INBOUND]

    assert runs.inbound_ms == 2_000
    assert [(p.first, len(p.plan.offsets_ms), p.plan.inbound_ms) for p in back] == [
        (1, 3, 8_000),
        (0, 2, 14_000),
    ]


def test_the_attainability_of_a_link_is_its_band_over_the_shorter_green() -> None:
    problem = plain((20, 10, 20), (30, 30))
    runs = evaluate_offsets(problem, 60_000, (0, 30_000, 15_000), (0,) * 3)
    found = link_attainability(problem, runs)

    assert found.outbound == pytest.approx((1.0, 0.0))
    assert found.mean((3.0, 1.0)) == pytest.approx((0.75, 0.5 * sum(found.inbound)))
