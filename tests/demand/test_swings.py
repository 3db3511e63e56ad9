# SPDX-License-Identifier: Apache-2.0
"""Flows swing by what they change from slot to slot beyond chance and the time of day."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lvbo.demand.demand import Demand
from lvbo.demand.swings import swings_h
from lvbo.ids import MovementId

A, B = MovementId("a"), MovementId("b")
SLOT_S = 300
ALL_OF = np.eye(2)


def demand(counts: NDArray[np.float64], slot_s: int = SLOT_S) -> Demand:
    """Return days of counts, vehicles by (day, slot, movement)."""
    days, slots, _ = counts.shape
    volume = counts * 3600 / slot_s
    return Demand(
        days=tuple(f"d{k}" for k in range(days)),
        day_types=("workday",) * days,
        first_s=0,
        slot_s=slot_s,
        slots=slots,
        movements=(A, B),
        volume_vph=volume,
        lower_vph=volume,
        upper_vph=volume,
        saturated=np.zeros(volume.shape, dtype=bool),
        saturations=(),
    )


def test_flows_that_swing_as_in_the_example() -> None:
    """Slots of 20, 40, 20, 40, ... vehicles on a, 30 always on b: I = 8.8 and 1."""
    counts = np.empty((1, 14, 2))
    counts[0, :, 0] = [20, 40] * 7
    counts[0, :, 1] = 30

    swing_h = swings_h(demand(counts), (A, B), ALL_OF)

    level = ((80 / 3) ** 2 + (100 / 3) ** 2) / 2
    assert swing_h[0] == pytest.approx((40**2 / 6 - 30) / level / 12)
    assert 1 + 360 * swing_h[0] == pytest.approx(8.8, abs=0.05)
    assert swing_h[1] == 0


def test_a_steady_rise_is_no_swing() -> None:
    rise = np.linspace(10, 200, 24)[None, :, None].repeat(2, axis=2)

    assert (swings_h(demand(rise), (A, B), ALL_OF) == 0).all()


def test_chance_is_no_swing() -> None:
    """Poisson counts leave I within a tenth of 1, also on a lane of halves."""
    counts = np.random.default_rng(1).poisson(30, (40, 60, 2)).astype(float)

    swing_h = swings_h(demand(counts), (A, B), np.array([[1, 0], [0.5, 0.5], [0, 1]]))

    assert 360 * swing_h == pytest.approx(0, abs=0.1)


def test_swings_of_a_lane_are_those_of_its_flow() -> None:
    """Movements that swing against each other make a lane that does not."""
    counts = np.empty((2, 14, 2))
    counts[:, :, 0], counts[:, :, 1] = [20, 40] * 7, [40, 20] * 7

    one, both = swings_h(demand(counts), (A, B), np.array([[1.0, 0.0], [1.0, 1.0]]))

    assert one > 0
    assert both == 0


def test_a_vehicle_now_and_then_is_no_endless_swing() -> None:
    """Two in every other slot, nobody between: c^2 below 6, I below 7 for a vehicle a slot."""
    counts = np.array([2.0, 0.0] * 7)[None, :, None].repeat(2, axis=2)

    swing_h = swings_h(demand(counts), (A, B), ALL_OF)

    assert (swing_h > 0).all()
    assert (1 + 12 * swing_h < 7).all()


def test_slots_nobody_observed_and_movements_nobody_knows_tell_nothing() -> None:
    counts = np.empty((1, 14, 2))
    counts[0, :, 0] = [20, 40] * 7
    counts[0, :, 1] = np.nan

    swing_h = swings_h(demand(counts), (A, B, MovementId("c")), np.eye(3))

    assert swing_h[0] > 0
    assert (swing_h[1:] == 0).all()


@pytest.mark.parametrize(("slots", "slot_s"), [(2, 300), (14, 3600)])
def test_few_or_long_slots_tell_nothing(slots: int, slot_s: int) -> None:
    counts = np.array([20.0, 40.0] * 7)[None, :slots, None].repeat(2, axis=2)

    assert (swings_h(demand(counts, slot_s), (A, B), ALL_OF) == 0).all()
