# SPDX-License-Identifier: Apache-2.0
"""What passed: counts of any kind to movement volumes per slot, and what came into each link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.turning import Observation, Pair, Turning, pairs_of, prior_of, turning_volumes
from lvbo.detection.counts import Counts
from lvbo.detection.detector import Detector, DetectorKind
from lvbo.detection.quality import cube_of
from lvbo.detection.tables import Target
from lvbo.ids import DetectorId, IntersectionId, LaneId, LinkId, MovementId
from lvbo.network.network import Network

Array = NDArray[np.float64]
UPSTREAM = (DetectorKind.ENTRY, DetectorKind.MID, DetectorKind.ADVANCE)
LEAST_SEEN = 0.6
LONG_S, SHORT_S = 900, 300
LONG_SPAN_S = 10_800
EXIT_WEIGHT = 0.3
REACH = 6
BLOCKED = 0.4
NOT_MOTOR = frozenset(
    {
        "bicycle",
        "bike",
        "ebike",
        "e-bike",
        "pedestrian",
        "ped",
        "自行车",
        "非机动车",
        "电动自行车",
        "行人",
    }
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Slots:
    """Counts on the slots of the demand, veh/h, and occupancy; shape (targets, days, slots)."""

    targets: tuple[tuple[str, str], ...]
    days: tuple[str, ...]
    first_s: int
    slot_s: int
    rate_vph: Array
    occupancy: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Return days and slots."""
        return int(self.rate_vph.shape[1]), int(self.rate_vph.shape[2])


@dataclass(frozen=True, eq=False, kw_only=True)
class Served:
    """Movement volumes that passed, shape (days, slots, movements), and what came into links.

    `alone` is the same without what the next intersections say: it tells where they disagree.
    `inflow` has shape (links, days, slots), in veh/h, NaN where not counted; `blocked` marks inflow
    that the queue itself held back. `open_places` gives the rank deficit of intersections.
    """

    slots: Slots
    movements: tuple[MovementId, ...]
    volume: Array
    alone: Array
    lower: Array
    upper: Array
    links: tuple[LinkId, ...]
    inflow: Array
    blocked: NDArray[np.bool_]
    open_places: tuple[tuple[IntersectionId, int], ...]


def slots_of(counts: Counts, slot_s: int | None = None) -> Slots:
    """Return the counts on slots of 15 min, or 5 min where less than three hours were seen."""
    cube = cube_of(counts, skip_classes=NOT_MOTOR)
    dt_s = cube.dt_s
    wanted = slot_s or (LONG_S if cube.slots * dt_s >= LONG_SPAN_S else SHORT_S)
    length = max(wanted, dt_s) // dt_s * dt_s
    first = cube.first_s // length * length
    lead = (cube.first_s - first) // dt_s
    per = length // dt_s
    slots = -(-(lead + cube.slots) // per)
    return Slots(
        targets=cube.targets,
        days=cube.days,
        first_s=first,
        slot_s=length,
        rate_vph=_regrouped(cube.volume, lead, per, slots) * 3600 / dt_s,
        occupancy=_regrouped(cube.occupancy, lead, per, slots),
    )


def _regrouped(values: Array, lead: int, per: int, slots: int) -> Array:
    """Return the mean over `per` intervals, NaN where less than 60 % of them were seen."""
    targets, days, _ = values.shape
    padded = np.full((targets, days, slots * per), np.nan)
    padded[:, :, lead : lead + values.shape[2]] = values
    blocks = padded.reshape(targets, days, slots, per)
    seen = (~np.isnan(blocks)).sum(axis=3)
    total = np.nansum(blocks, axis=3)
    enough = seen >= LEAST_SEEN * per
    return np.where(enough, total / np.maximum(seen, 1), np.nan)


def served_volumes(network: Network, counts: Counts, slots: Slots) -> Served:
    """Return movement volumes as counted, intersection by intersection."""
    detectors = counts.detector_index
    movements = tuple(sorted(network.movement_index))
    column = {movement: k for k, movement in enumerate(movements)}
    days, length = slots.shape
    volume, lower, upper = (np.full((days, length, len(movements)), np.nan) for _ in range(3))
    links, inflow, blocked = _inflows(network, slots, detectors)
    open_places: dict[IntersectionId, int] = {}
    coming = dict(zip(links, inflow, strict=True))
    places = _by_place(network)
    todo = set(places)
    for _ in range(REACH):
        for place in sorted(todo):
            part = places[place]
            found = _solve(network, part, slots, detectors, coming)
            if found is None:
                continue
            here = [column[movement] for movement in part]
            both = ((volume, found.volume), (lower, found.lower), (upper, found.upper))
            for into, values in both:
                into[:, :, here] = values.T.reshape(days, length, len(part))
            open_places[place] = found.deficit
        todo = _reached(network, volume, column, coming)
        if not todo:
            break
    alone = volume.copy()
    leaving = {**_totals(network, volume, column), **coming}
    for place in (p for p, deficit in open_places.items() if deficit):
        part = places[place]
        found = _solve(network, part, slots, detectors, coming, leaving)
        if found is not None:
            here = [column[movement] for movement in part]
            volume[:, :, here] = found.volume.T.reshape(days, length, len(part))
    return Served(
        slots=slots,
        movements=movements,
        volume=volume,
        alone=alone,
        lower=lower,
        upper=upper,
        links=links,
        inflow=inflow,
        blocked=blocked,
        open_places=tuple(sorted((p, n) for p, n in open_places.items() if n)),
    )


def _totals(
    network: Network, volume: Array, column: Mapping[MovementId, int]
) -> dict[LinkId, Array]:
    """Return the total of each approach that was counted as a whole, (days, slots)."""
    found = {}
    for link, out in network.movements_from.items():
        total = volume[:, :, [column[m.id] for m in out]].sum(axis=2)
        if out and not np.isnan(total).all():
            found[link] = total
    return found


def _reached(
    network: Network,
    volume: Array,
    column: Mapping[MovementId, int],
    coming: dict[LinkId, Array],
) -> set[IntersectionId]:
    """Return places with uncounted links that known volumes lead into; `coming` learns them."""
    found = set()
    for link, out in network.movements_from.items():
        into = [column[m.id] for m in network.movements_into[link]]
        own = [column[m.id] for m in out]
        if link in coming or not into or not own or not np.isnan(volume[:, :, own]).all():
            continue
        total = volume[:, :, into].sum(axis=2)
        if not np.isnan(total).all():
            coming[link] = total
            found.add(network.link_index[link].end)
    return found


def _by_place(network: Network) -> Mapping[IntersectionId, tuple[MovementId, ...]]:
    found: dict[IntersectionId, list[MovementId]] = {}
    for movement in network.movements:
        found.setdefault(movement.intersection, []).append(movement.id)
    return {place: tuple(sorted(listed)) for place, listed in found.items()}


def _solve(
    network: Network,
    part: tuple[MovementId, ...],
    slots: Slots,
    detectors: Mapping[DetectorId, Detector],
    inflow: Mapping[LinkId, Array],
    leaving: Mapping[LinkId, Array] | None = None,
) -> Turning | None:
    """Return the volumes at one intersection, None where nothing there was counted.

    `inflow` counts whole approaches, `leaving` what goes into the links behind (`inflow` if None);
    the latter is soft information: cars park, and queues hold some back.
    """
    pairs = pairs_of(network, part)
    seen = [
        Observation(columns=covered, values=slots.rate_vph[t].reshape(-1))
        for t, target in enumerate(slots.targets)
        if (covered := _covered(network, pairs, target, detectors))
    ]
    counted = {column for observation in seen for column in observation.columns}
    for link in sorted({network.movement_index[m].from_link for m in part}):
        own = tuple(k for k, (_, m) in enumerate(pairs) if _from(network, m) == link)
        if link in inflow and not counted & set(own):
            seen.append(Observation(columns=own, values=inflow[link].reshape(-1)))
            counted |= set(own)
    if not seen:
        return None
    seen.extend(_exits(network, pairs, inflow if leaving is None else leaving, counted))
    return turning_volumes(pairs, part, seen, prior_of(network, pairs))


def _from(network: Network, movement: MovementId) -> LinkId:
    return network.movement_index[movement].from_link


def _exits(
    network: Network,
    pairs: tuple[Pair, ...],
    inflow: Mapping[LinkId, Array],
    counted: Iterable[int],
) -> list[Observation]:
    """Return what was counted where links begin: the sum of all movements that lead there."""
    reached = set(counted)
    found = []
    for link in sorted({network.movement_index[m].to_link for _, m in pairs}):
        into = tuple(
            k for k, (_, m) in enumerate(pairs) if network.movement_index[m].to_link == link
        )
        if link in inflow and set(into) <= reached:
            values = inflow[link].reshape(-1)
            found.append(Observation(columns=into, values=values, weight=EXIT_WEIGHT))
    return found


def _covered(
    network: Network,
    pairs: tuple[Pair, ...],
    target: tuple[str, str],
    detectors: Mapping[DetectorId, Detector],
) -> tuple[int, ...]:
    """Return the unknowns that a target sums at the stop line; none for those upstream."""
    kind, name = target
    if kind == Target.LANE:
        return _where(pairs, lanes={LaneId(name)})
    if kind == Target.MOVEMENT:
        return _where(pairs, movements={MovementId(name)})
    if kind == Target.LINK:
        return _where(pairs, movements={m.id for m in network.movements_from.get(LinkId(name), ())})
    detector = detectors.get(DetectorId(name))
    if detector is None or detector.kind is not DetectorKind.STOP_LINE:
        return ()
    if detector.movements:
        return _where(pairs, movements=set(detector.movements), lanes=set(detector.lanes) or None)
    if detector.lanes:
        return _where(pairs, lanes=set(detector.lanes))
    from_link = network.movements_from.get(detector.link, ()) if detector.link else ()
    return _where(pairs, movements={m.id for m in from_link})


def _where(
    pairs: tuple[Pair, ...],
    *,
    lanes: set[LaneId] | None = None,
    movements: set[MovementId] | None = None,
) -> tuple[int, ...]:
    return tuple(
        k
        for k, (lane, movement) in enumerate(pairs)
        if (lanes is None or lane in lanes) and (movements is None or movement in movements)
    )


def _inflows(
    network: Network, slots: Slots, detectors: Mapping[DetectorId, Detector]
) -> tuple[tuple[LinkId, ...], Array, NDArray[np.bool_]]:
    """Return what came into each link by its most upstream full set of detectors, in veh/h."""
    sets: dict[LinkId, dict[DetectorKind, list[int]]] = {}
    for t, (kind, name) in enumerate(slots.targets):
        detector = detectors.get(DetectorId(name)) if kind == Target.DETECTOR else None
        if detector is None or detector.kind not in UPSTREAM:
            continue
        link = detector.link or _link_of(network, detector)
        if link is not None:
            sets.setdefault(link, {}).setdefault(detector.kind, []).append(t)
    links = tuple(sorted(sets))
    shape = (len(links), *slots.shape)
    inflow, blocked = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
    for k, link in enumerate(links):
        rows = next(sets[link][kind] for kind in UPSTREAM if kind in sets[link])
        inflow[k] = slots.rate_vph[rows].sum(axis=0)
        blocked[k] = (np.nan_to_num(slots.occupancy[rows]) > BLOCKED).any(axis=0)
    return links, inflow, blocked


def _link_of(network: Network, detector: Detector) -> LinkId | None:
    links = {network.lane_index[lane].link for lane in detector.lanes if lane in network.lane_index}
    return links.pop() if len(links) == 1 else None
