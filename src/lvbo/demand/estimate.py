# SPDX-License-Identifier: Apache-2.0
"""From counts to demand: turning volumes, what stayed behind, gaps filled, everything said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.balance import imbalances
from lvbo.demand.demand import Demand, Saturation
from lvbo.demand.impute import fill_gaps
from lvbo.demand.lane_use import lane_flows
from lvbo.demand.saturation import Greens, observed_saturations, saturations, yielding_lanes
from lvbo.demand.served import Served, served_volumes, slots_of
from lvbo.demand.suspects import suspect_lanes
from lvbo.demand.unserved import Estimate, degrees, estimate_unserved, saturated_mask
from lvbo.detection.counts import Counts
from lvbo.detection.detector import DetectorKind
from lvbo.detection.tables import Meaning
from lvbo.errors import Finding, InputError, Severity
from lvbo.ids import LaneId
from lvbo.network.network import Network
from lvbo.signal.schedule import PlanSet

Mask = NDArray[np.bool_]


def estimate_demand(
    network: Network,
    counts: Counts,
    *,
    plans: PlanSet | None = None,
    saturation: Iterable[Saturation] = (),
    slot_s: int | None = None,
) -> Demand:
    """Return what wants to go, per movement, slot and day, with its range.

    `plans` are those in force while counting: without them a count cannot be told from a green,
    and served is taken for demand. `saturation` replaces local defaults lane by lane; stop-line
    events in the counts replace both. Slots are 15 min, or 5 min for counts under three hours.

    Raises:
        InputError: LV536 where no count belongs to a movement of the network.

    """
    served = served_volumes(network, counts, slots_of(counts, slot_s))
    if np.isnan(served.volume).all():
        raise InputError("LV536", place="counts", targets=len(served.slots.targets))
    day_types = tuple(counts.day_types[day] for day in served.slots.days)
    lanes = _saturations(network, counts, saturation)
    estimate, said = _unserved(network, counts, served, day_types, lanes, plans)
    filled = fill_gaps(
        estimate.volume, estimate.lower, estimate.upper, day_types, _beside(network, served)
    )
    findings = (
        *said,
        *_said(served, estimate),
        *_said_filled(served, filled.filled),
        *imbalances(network, served, estimate.saturated),
        *suspect_lanes(network, served),
    )
    return Demand(
        days=served.slots.days,
        day_types=day_types,
        first_s=served.slots.first_s,
        slot_s=served.slots.slot_s,
        slots=served.slots.shape[1],
        movements=served.movements,
        volume_vph=filled.volume,
        lower_vph=filled.lower,
        upper_vph=filled.upper,
        saturated=estimate.saturated,
        saturations=lanes,
        findings=findings,
        lanes_vph=tuple(sorted(lane_flows(served.slots, counts.detector_index).items())),
    )


def _saturations(
    network: Network, counts: Counts, given: Iterable[Saturation]
) -> tuple[Saturation, ...]:
    known = saturations(network, given)
    if counts.events is None:
        return known
    yielding = yielding_lanes(network)
    lanes: dict[str, LaneId] = {
        detector.id: detector.lanes[0]
        for detector in counts.detectors
        if detector.kind is DetectorKind.STOP_LINE
        and len(detector.lanes) == 1
        and detector.lanes[0] not in yielding
    }
    return observed_saturations(counts.events, lanes, known)


def _unserved(
    network: Network,
    counts: Counts,
    served: Served,
    day_types: tuple[str, ...],
    lanes: tuple[Saturation, ...],
    plans: PlanSet | None,
) -> tuple[Estimate, tuple[Finding, ...]]:
    none: Mask = np.zeros(served.volume.shape, dtype=np.bool_)
    as_counted = Estimate(
        volume=served.volume, lower=served.lower, upper=served.upper, saturated=none
    )
    if counts.meaning is Meaning.DEMAND:
        return as_counted, ()
    if plans is None or not plans.plans:
        return as_counted, (Finding(code="LV533", place="counts", severity=Severity.WARNING),)
    greens = Greens(network=network, plans=plans)
    known = {saturation.lane: saturation for saturation in lanes}
    degree, cycles = degrees(network, served, day_types, greens, known)
    saturated = saturated_mask(degree, cycles, served.slots.slot_s)
    return estimate_unserved(network, served, degree, saturated), ()


def _beside(network: Network, served: Served) -> list[list[int]]:
    """Return the columns of movements of one intersection, for each."""
    found: dict[str, list[int]] = {}
    for column, movement in enumerate(served.movements):
        place = network.movement_index[movement].intersection
        found.setdefault(place, []).append(column)
    return list(found.values())


def _said(served: Served, estimate: Estimate) -> list[Finding]:
    """Return what is not certain: open turning volumes, saturated and uncounted movements."""
    findings = [
        Finding(code="LV530", place=place, severity=Severity.ADVICE, fields={"deficit": deficit})
        for place, deficit in served.open_places
    ]
    for column in np.flatnonzero(estimate.saturated.any(axis=(0, 1))):
        mask = estimate.saturated[:, :, column]
        fields = {
            "slots": int(mask.sum()),
            "served_vph": round(float(np.nanmean(served.volume[:, :, column][mask]))),
            "wanted_vph": round(float(np.nanmean(estimate.volume[:, :, column][mask]))),
        }
        place = served.movements[column]
        findings.append(
            Finding(code="LV531", place=place, severity=Severity.WARNING, fields=fields)
        )
    unseen = [
        movement
        for k, movement in enumerate(served.movements)
        if np.isnan(served.volume[:, :, k]).all()
    ]
    if unseen:
        fields_unseen = {"movements": len(unseen), "first": ", ".join(unseen[:5])}
        findings.append(
            Finding(code="LV535", place="counts", severity=Severity.WARNING, fields=fields_unseen)
        )
    return findings


def _said_filled(served: Served, filled: Mask) -> list[Finding]:
    return [
        Finding(
            code="LV532",
            place=served.movements[column],
            severity=Severity.ADVICE,
            fields={"slots": int(filled[:, :, column].sum())},
        )
        for column in np.flatnonzero(filled.any(axis=(0, 1)))
    ]


def demand_of_types(demand: Demand, day_type: str) -> Demand:
    """Return the days of one type."""
    rows = [k for k, kind in enumerate(demand.day_types) if kind == day_type]
    return replace(
        demand,
        days=tuple(demand.days[k] for k in rows),
        day_types=tuple(demand.day_types[k] for k in rows),
        volume_vph=demand.volume_vph[rows],
        lower_vph=demand.lower_vph[rows],
        upper_vph=demand.upper_vph[rows],
        saturated=demand.saturated[rows],
    )
