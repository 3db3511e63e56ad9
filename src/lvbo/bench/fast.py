# SPDX-License-Identifier: Apache-2.0
"""What the model bench asks of a fast model: delays of many plans, and the work they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId, MovementId
from lvbo.network.network import Network
from lvbo.signal.plan import Plan

Plans = Mapping[ControllerId, Plan]


class FastModel(Protocol):
    """A model of one network under one demand that values whole sets of plans."""

    @property
    def name(self) -> str:
        """Return what the model is called in tables."""
        ...

    def written(self, plans: Sequence[Plans]) -> object:
        """Return sets of plans as the model takes them; a search holds them so from the start."""
        ...

    def delays_vehs(self, written: object) -> NDArray[np.float64]:
        """Return the delay of each written set of plans in the window, veh-s."""
        ...

    def flops(self) -> float:
        """Return the floating-point operations that one set of plans takes."""
        ...

    def bytes_moved(self) -> float:
        """Return the bytes that one set of plans reads and writes."""
        ...


class Maker(Protocol):
    """Makes a model of streets on which traffic begins at second 0 with nobody there."""

    def __call__(
        self, network: Network, volumes_vph: Mapping[MovementId, float], window_s: tuple[int, int]
    ) -> FastModel:
        """Return the model of a demand in veh/h by movement, judged in a window of seconds."""
        ...
