# SPDX-License-Identifier: Apache-2.0
"""What counts say of the traffic of a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lvbo.cli.load import Place, the_counts
from lvbo.cli.session import Session

if TYPE_CHECKING:
    from lvbo.demand.demand import Demand
    from lvbo.detection.counts import Counts
    from lvbo.ids import LinkId
    from lvbo.progression.coordinate import Street
    from lvbo.signal.schedule import PlanSet


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What is known of the traffic of a place: its demand, where it was counted, and speeds."""

    demand: Demand | None
    speeds_mps: Mapping[LinkId, float]

    def on(self, place: Place) -> Street:
        """Return the street that this traffic drives on."""
        from lvbo.progression.coordinate import Street

        return Street(network=place.network, demand=self.demand, speeds_mps=self.speeds_mps)


def known_traffic(
    session: Session, place: Place, counts: Sequence[Path] | None, plans: PlanSet
) -> Traffic:
    """Return the traffic that counts say; where none were named, the speeds of the place alone."""
    from lvbo.demand.speeds import platoon_speeds

    if not counts:
        return Traffic(demand=None, speeds_mps=place.speeds_mps)
    seen, demand = _counted(session, place, counts, plans)
    return Traffic(demand=demand, speeds_mps={**platoon_speeds(seen), **place.speeds_mps})


def known_demand(
    session: Session, place: Place, counts: Sequence[Path] | None, plans: PlanSet
) -> Demand:
    """Return the demand that counts say; LV712 where none were named."""
    return _counted(session, place, counts, plans)[1]


def _counted(
    session: Session, place: Place, counts: Sequence[Path] | None, plans: PlanSet
) -> tuple[Counts, Demand]:
    from lvbo.demand.estimate import estimate_demand

    with session.step("counts"):
        seen = the_counts(counts, place.network)
    with session.step("demand"):
        return seen, estimate_demand(place.network, seen, plans=plans)
