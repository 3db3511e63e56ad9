# SPDX-License-Identifier: Apache-2.0
"""The stages a site may show: those of its orders, and those in which one approach goes alone."""

from __future__ import annotations

import numpy as np

from lvbo.control.adaptive_model import make_frame
from lvbo.control.protocols import Order
from lvbo.control.site import PROTECTED
from lvbo.control.stages import approach_stages, stage_table
from lvbo.testing import four_stages, two_stages

TWO, FOUR = two_stages(), four_stages()
"""Lefts that yield; lefts with a stage of their own, and one phase for both directions."""


def test_an_approach_whose_lefts_yield_may_go_alone_where_any_stage_may_follow() -> None:
    assert {frozenset(stage) for stage in approach_stages(TWO)} == {
        frozenset(phase) for phase in ("N", "S", "E", "W")
    }
    assert stage_table(TWO, Order.ANY).count == 6
    assert stage_table(TWO, Order.SKIP).count == stage_table(TWO, Order.FIXED).count == 2


def test_no_stage_is_made_where_an_approach_has_no_phases_of_its_own() -> None:
    assert approach_stages(FOUR) == ()


def test_who_goes_alone_yields_to_nobody() -> None:
    table = stage_table(TWO, Order.ANY)
    served = make_frame(TWO, table, np.zeros(len(TWO.phases), dtype=np.int64)).served
    north = np.array([move.startswith("N") for move in TWO.movements])
    (alone,) = np.flatnonzero(table.greens[:, TWO.phases.index("N")] & (table.greens.sum(1) == 1))

    assert (served[alone, north] == PROTECTED).all()
    assert (served[alone, ~north] == 0).all()
    assert not (served[0, north] == PROTECTED).all()


def test_the_sites_order_is_the_same_with_more_stages() -> None:
    assert stage_table(TWO, Order.ANY).cycle == stage_table(TWO, Order.SKIP).cycle
