# SPDX-License-Identifier: Apache-2.0
"""Mean volumes of a period are those of the slots that were seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.streets import flat_demand, four_signals

from lvbo.demand.demand import Demand
from lvbo.signal.schedule import Period
from lvbo.timing.plans import day_volumes, mean_volumes, period_volumes

ALL = Period(start_s=0, end_s=0, name="all")


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> Demand:
    """Return demand of 300 veh/h in two slots, of which one movement was never seen.

    Nothing was seen in a third slot, as where counting ends within it.
    """
    flat = flat_demand(four_signals(tmp_path_factory.mktemp("street")), 600, 60)
    volume = np.full((1, 3, len(flat.movements)), 300.0)
    volume[:, 2] = np.nan
    volume[:, :, 0] = np.nan
    return replace(
        flat,
        days=flat.days[:1],
        day_types=flat.day_types[:1],
        slots=3,
        volume_vph=volume,
        lower_vph=volume.copy(),
        upper_vph=volume.copy(),
        saturated=np.zeros(volume.shape, bool),
    )


def test_slots_that_were_not_seen_do_not_count_as_empty_streets(gappy: Demand) -> None:
    unseen, *others = gappy.movements
    kind = gappy.day_types[0]
    (of_day,) = day_volumes(gappy, kind, ALL)

    for volumes in (period_volumes(gappy, kind, ALL), mean_volumes(gappy), of_day):
        assert volumes[unseen] == 0.0
        assert {volumes[movement] for movement in others} == {300.0}
