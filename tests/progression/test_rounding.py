# SPDX-License-Identifier: Apache-2.0
"""Whole seconds: what rounding may and may not cost."""

from __future__ import annotations

from lvbo.progression.band import two_way_band
from lvbo.progression.problem import BandProblem, Pattern


def test_whole_seconds_keep_a_one_way_band_of_either_direction() -> None:
    def asked(weight_out: float) -> BandProblem:
        green = ((0, 24_000),)
        return BandProblem(
            patterns=((Pattern(outbound=green, inbound=green),),) * 4,
            parts_per_cycle=84_000,
            cycles_ms=(84_000,),
            distance_out_m=(406.0, 603.0, 349.0),
            distance_in_m=(419.0, 603.0, 336.0),
            speed_out_mps=((11.0, 12.0),) * 3,
            speed_in_mps=((11.0, 12.0),) * 3,
            weight_out=weight_out,
            weight_in=2.0 - weight_out,
        )

    inbound, outbound = two_way_band(asked(0.5)).whole, two_way_band(asked(1.5)).whole

    assert inbound.inbound_ms >= 23_000
    assert outbound.outbound_ms >= 23_000
