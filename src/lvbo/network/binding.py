# SPDX-License-Identifier: Apache-2.0
"""Foreign keys: how the network's own names read in another format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from lvbo.ids import ControllerId, CrossingId, LaneId, LinkId, MovementId, PhaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class SumoHead:
    """One signalised SUMO connection: keyed by controller, index, from-lane and to-lane.

    Several connections may share one link index. `phases` are those that light it.
    """

    controller: ControllerId
    index: int
    from_lane: str
    to_lane: str
    movement: MovementId | None
    crossing: CrossingId | None
    phases: tuple[PhaseId, ...]


@dataclass(frozen=True, kw_only=True)
class SumoBinding:
    """How a network reads in SUMO: chains of edges, lane ids, signal heads.

    `edges` maps each SUMO edge to its link; `lanes` each SUMO lane of a chain to the stop-line
    lane it leads to (several where it fans out into bays); `sizes` is the length of the state
    string of each traffic light.
    """

    edges: tuple[tuple[str, LinkId], ...]
    lanes: tuple[tuple[str, tuple[LaneId, ...]], ...]
    heads: tuple[SumoHead, ...]
    sizes: tuple[tuple[ControllerId, int], ...]

    @cached_property
    def edge_index(self) -> Mapping[str, LinkId]:
        """Return links by SUMO edge."""
        return dict(self.edges)

    @cached_property
    def lane_index(self) -> Mapping[str, tuple[LaneId, ...]]:
        """Return stop-line lanes by SUMO lane."""
        return dict(self.lanes)

    @cached_property
    def size_index(self) -> Mapping[ControllerId, int]:
        """Return the number of state characters by controller."""
        return dict(self.sizes)

    @cached_property
    def head_index(self) -> Mapping[ControllerId, tuple[SumoHead, ...]]:
        """Return heads by controller, in index order."""
        found: dict[ControllerId, list[SumoHead]] = {c: [] for c, _ in self.sizes}
        for head in self.heads:
            found[head.controller].append(head)
        return {c: tuple(sorted(h, key=lambda x: x.index)) for c, h in found.items()}
