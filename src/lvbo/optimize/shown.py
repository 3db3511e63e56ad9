# SPDX-License-Identifier: Apache-2.0
"""From lamps that were shown, or will be, to the windows in which drivers may go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvbo.optimize.lamps import runs_of
from lvbo.optimize.windows import Timing
from lvbo.timing.model import STATUS, ControllerModel

Ints = NDArray[np.int64]


def timing_of_lamps(
    model: ControllerModel, lamps: Ints, loss_gain_s: tuple[float, float]
) -> Timing:
    """Return the windows of lamps by second, shape (seconds, phases in the order of the rules).

    The recording is one cycle: what it shows at its end runs on into its beginning.
    """
    loss_s, gain_s = loss_gain_s
    rules = model.controller.rules
    number = {phase.id: k for k, phase in enumerate(rules.phases)}
    row = {m: k for k, m in enumerate(model.movements)}
    status = np.zeros((len(model.movements), len(lamps)), np.int64)
    for service in rules.services:
        if service.movement not in row:
            continue
        phase = rules.phase_index[service.phase]
        shown = lamps[:, number[service.phase]] == int(phase.shows)
        line = status[row[service.movement]]
        np.maximum(line, STATUS.get(phase.shows, 1) * shown, out=line)
    return Timing(
        cycle_s=float(len(lamps)),
        offset_s=0.0,
        gain_s=gain_s,
        rights=tuple(
            right
            for m, line in enumerate(status)
            for right in runs_of(m, np.repeat(line, 10), 10 * len(lamps), loss_s, gain_s)
        ),
    )
