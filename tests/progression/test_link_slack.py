# SPDX-License-Identifier: Apache-2.0
"""How far an offset may move before a band of a link shrinks."""

from __future__ import annotations

from dataclasses import replace

from tests.progression.problems import plain

from lvbo.progression.linkband_plan import link_slack_ms
from lvbo.progression.linkbands import LinkBandPlan
from lvbo.progression.problem import BandKind, Lock

STREET = plain((20, 20, 20), (30, 30))
PLAN = LinkBandPlan(
    kind=BandKind.TWO_WAY,
    cycle_ms=60_000,
    offsets_ms=(0, 30_000, 0),
    patterns=(0, 0, 0),
    travel_out_ms=(30_000, 30_000),
    travel_in_ms=(30_000, 30_000),
    line_out_ms=(10_000, 40_000, 70_000),
    line_in_ms=(72_000, 42_000, 12_000),
    sides_out_ms=((4_000, 6_000), (0, 0)),
    sides_in_ms=((0, 0), (1_000, 1_000)),
)


def test_slack_is_the_green_left_by_the_bands_of_both_links_and_directions() -> None:
    # the outbound line has 10 s of green on either side, the inbound one 12 s before and 8 s after
    assert link_slack_ms(STREET, PLAN) == ((4_000, 6_000), (4_000, 6_000), (7_000, 11_000))


def test_locked_signals_and_those_without_a_band_do_not_move() -> None:
    locked = replace(STREET, locks=(Lock(signals=(0,), offsets_ms=(0,)),))
    bare = replace(PLAN, sides_in_ms=((0, 0), (0, 0)))

    assert [link_slack_ms(locked, bare)[k] for k in (0, 2)] == [(0, 0), (0, 0)]
