# SPDX-License-Identifier: Apache-2.0
"""What the layers of the time-space diagram are made of."""

from __future__ import annotations

from lvbo.report.plots.timespace.traffic import standing
from lvbo.report.values import Trace


def test_a_vehicle_stands_while_it_is_slower_than_5_km_per_h() -> None:
    trace = Trace(
        is_outbound=True, times_s=(0, 10, 20, 40, 45), places_m=(0.0, 120.0, 130.0, 131.0, 190.0)
    )

    assert standing(trace) == [(10.0, 40.0, 131.0)]


def test_a_vehicle_that_drives_through_stands_nowhere() -> None:
    trace = Trace(is_outbound=False, times_s=(0, 10, 20), places_m=(240.0, 120.0, 0.0))

    assert standing(trace) == []
