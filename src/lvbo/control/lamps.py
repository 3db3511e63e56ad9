# SPDX-License-Identifier: Apache-2.0
"""Which phases go, from the lamps that a site shows."""

from __future__ import annotations

import numpy as np

from lvbo.control.protocols import Bools, Ints
from lvbo.signal.lamp import GOING, Lamp

_GOES = np.isin(np.arange(max(Lamp) + 2), [int(lamp) for lamp in GOING])


def goes(lamps: Ints) -> Bools:
    """Return which phases may go, (phases,); a number that is no lamp does not."""
    return _GOES.take(lamps, mode="clip")
