# SPDX-License-Identifier: Apache-2.0
"""Judge finalists second by second, with streets that fill up, before one of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lvbo.optimize.evaluate import Plans
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.transmission import Span, build_transmission

WINDOW_S = (600, 2400)
"""Streets fill for ten minutes, then half an hour counts."""


def transmitted(mesh: AreaMesh, plans: Sequence[Plans]) -> NDArray[np.float64] | None:
    """Return the delay of up to sixteen sets of plans by link transmission, veh-s per hour.

    None where a cycle is too short to be run.
    """
    model = build_transmission(mesh)
    if min(plan.cycle_ds for one in plans for plan in one.values()) < 10 * model.block_s:
        return None
    run = model.run(plans, Span(end_s=WINDOW_S[1], window_s=WINDOW_S))
    return 3600 / (WINDOW_S[1] - WINDOW_S[0]) * run.delay_vehs
