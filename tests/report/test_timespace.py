# SPDX-License-Identifier: Apache-2.0
"""What the layers of the time-space diagram are made of."""

from __future__ import annotations

import pytest

from lvbo.report.layers import slack_s
from lvbo.report.plots.timespace.traffic import standing
from lvbo.report.values import BandStrip, Green, SignalRow, Trace


def row(*greens: Green) -> SignalRow:
    return SignalRow(
        name="A", at_m=0.0, cycle_s=100.0, offset_s=0.0, outbound=greens, inbound=greens
    )


def band(width_s: float, *, is_outbound: bool = True) -> BandStrip:
    return BandStrip(
        is_outbound=is_outbound,
        width_s=width_s,
        cycle_s=100.0,
        fronts_s=(0.0, 30.0),
        speeds_mps=(12.0,),
    )


def test_a_vehicle_stands_while_it_is_slower_than_5_km_per_h() -> None:
    trace = Trace(
        is_outbound=True, times_s=(0, 10, 20, 40, 45), places_m=(0.0, 120.0, 130.0, 131.0, 190.0)
    )

    assert standing(trace) == [(10.0, 40.0, 131.0)]


def test_a_vehicle_that_drives_through_stands_nowhere() -> None:
    trace = Trace(is_outbound=False, times_s=(0, 10, 20), places_m=(240.0, 120.0, 0.0))

    assert standing(trace) == []


def test_green_after_the_band_lets_the_start_come_earlier_and_green_before_it_later() -> None:
    # green 20 to 60, band 25 to 45: 15 s are left after it, 5 s before it
    signal = row(Green(start_s=20.0, length_s=40.0))

    assert slack_s(signal, [(band(20.0), 25.0)]) == pytest.approx((15.0, 5.0))


def test_two_bands_leave_the_room_that_both_have() -> None:
    signal = row(Green(start_s=20.0, length_s=40.0))
    bands = [(band(20.0), 25.0), (band(10.0, is_outbound=False), 148.0)]

    assert slack_s(signal, bands) == pytest.approx((2.0, 5.0))


def test_the_window_with_room_counts() -> None:
    signal = row(Green(start_s=0.0, length_s=10.0), Green(start_s=50.0, length_s=30.0))

    assert slack_s(signal, [(band(20.0), 255.0)]) == pytest.approx((5.0, 5.0))
