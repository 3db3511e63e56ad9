# SPDX-License-Identifier: Apache-2.0
"""What lies over a time-space diagram: bands of links and parts, queues, lamps, detectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lvbo.detection.detector import Detector
from lvbo.detection.tables import DETECTOR_ON
from lvbo.evaluation.corridors import stop_positions_m
from lvbo.ids import ControllerId, LinkId, PhaseId
from lvbo.network.corridor import Corridor, Section
from lvbo.network.network import Network
from lvbo.progression.flows import SATURATION_VPS, START_S, corridor_flows
from lvbo.progression.linkbands import LinkBandPlan, Sides
from lvbo.progression.partial import PartBand
from lvbo.progression.problem import BandKind, BandPlan
from lvbo.report.values import (
    BandStrip,
    Green,
    Shown,
    SignalRow,
    StripKind,
    Tick,
    Trace,
    TraceSource,
    Wedge,
)
from lvbo.signal.lamp import GOING
from lvbo.signal.plan import Plan
from lvbo.simulation.lamps import shown_lamps
from lvbo.simulation.runs import LampChange
from lvbo.timing.plans import Volumes
from lvbo.timing.queue import vehicle_spacing_m

LEAST_QUEUE_VEH = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """What is drawn beside plans and bands: all of it may be missing.

    `links` are bands by link with the slack `link_slack_ms` that they leave, `parts` those through
    part of the street. `volumes` in veh/h by movement give the queues ahead of the bands. `before`
    holds the plans that offsets are compared with. With `lamps` what was shown is drawn instead of
    the plans.
    """

    links: LinkBandPlan | None = None
    link_slack_ms: tuple[tuple[int, int], ...] = ()
    parts: tuple[PartBand, ...] = ()
    volumes: Volumes | None = None
    before: Mapping[ControllerId, Plan] | None = None
    lamps: tuple[LampChange, ...] = ()
    ticks: tuple[Tick, ...] = ()
    traces: tuple[Trace, ...] = ()
    source: TraceSource = TraceSource.SIMULATED


def band_strips(corridor: Corridor, band: BandPlan) -> tuple[BandStrip, ...]:
    """Return the bands of a plan as strips, without those of no width."""
    return tuple(_strips(corridor, band, StripKind.THROUGH, 0, tuple(BandKind)))


def part_strips(corridor: Corridor, parts: Iterable[PartBand]) -> tuple[BandStrip, ...]:
    """Return bands through parts of a corridor as strips."""
    return tuple(
        strip
        for part in parts
        for strip in _strips(corridor, part.plan, StripKind.PART, part.first, (part.direction,))
    )


def _strips(
    corridor: Corridor, band: BandPlan, kind: StripKind, first: int, ways: Sequence[BandKind]
) -> Iterator[BandStrip]:
    links = slice(first, first + len(band.offsets_ms) - 1)
    out, back = corridor.outbound[links], corridor.inbound[links]
    if band.outbound_ms > 0 and out and BandKind.OUTBOUND in ways:
        fronts, travel = band.front_out_ms, band.travel_out_ms
        arrivals = [front + ms for front, ms in zip(fronts, travel, strict=False)]
        yield _strip(out, (fronts, arrivals, travel), band.outbound_ms, band.cycle_ms, kind, first)
    if band.inbound_ms > 0 and back and BandKind.INBOUND in ways:
        fronts, travel = band.front_in_ms, band.travel_in_ms
        arrivals = [front + ms for front, ms in zip(fronts[1:], travel, strict=True)]
        strip = _strip(
            back, (fronts, arrivals, travel), band.inbound_ms, band.cycle_ms, kind, first, back=True
        )
        yield strip


def _strip(  # noqa: PLR0913  a strip is made of all of these
    sections: Sequence[Section],
    times_ms: tuple[Sequence[int], Sequence[int], Sequence[int]],
    width_ms: int,
    cycle_ms: int,
    kind: StripKind,
    first: int,
    *,
    back: bool = False,
) -> BandStrip:
    fronts, arrivals, travel = times_ms
    return BandStrip(
        is_outbound=not back,
        width_s=width_ms / 1000,
        cycle_s=cycle_ms / 1000,
        fronts_s=tuple(ms / 1000 for ms in fronts),
        speeds_mps=tuple(
            1000 * section.length_m / ms for section, ms in zip(sections, travel, strict=True)
        ),
        arrivals_s=tuple(ms / 1000 for ms in arrivals),
        kind=kind,
        first=first,
    )


def link_strips(corridor: Corridor, links: LinkBandPlan) -> tuple[BandStrip, ...]:
    """Return one strip per link and direction about the lines of a plan of bands by link."""
    found: list[BandStrip] = []
    sides: Sides
    for k, sides in enumerate(links.sides_out_ms):
        if corridor.outbound and sum(sides) > 0:
            front, travel = links.line_out_ms[k] - sides[0], links.travel_out_ms[k]
            times = ((front, links.line_out_ms[k + 1] - sides[0]), (front + travel,), (travel,))
            found.append(
                _strip(
                    corridor.outbound[k : k + 1],
                    times,
                    sum(sides),
                    links.cycle_ms,
                    StripKind.LINK,
                    k,
                )
            )
    for k, sides in enumerate(links.sides_in_ms):
        if corridor.inbound and sum(sides) > 0:
            front, travel = links.line_in_ms[k + 1] - sides[0], links.travel_in_ms[k]
            times = ((links.line_in_ms[k] - sides[0], front), (front + travel,), (travel,))
            found.append(
                _strip(
                    corridor.inbound[k : k + 1],
                    times,
                    sum(sides),
                    links.cycle_ms,
                    StripKind.LINK,
                    k,
                    back=True,
                )
            )
    return tuple(found)


def wedges(
    network: Network, corridor: Corridor, rows: Sequence[SignalRow], volumes: Volumes
) -> tuple[Wedge, ...]:
    """Return the queues that stand ahead of the bands, one per red.

    They are made of the traffic that turned in since the signal before and comes evenly (all of
    it at the first signal), per lane; they grow through the red and start at saturation flow after
    2 s, as in queue clearance (`progression.flows`). The tail is where arrivals and starting wave
    meet (Lighthill and Whitham 1955); a vehicle takes the room of HCM 7, eq. 31-155.
    """
    flows = corridor_flows(corridor, network, volumes)
    last = len(rows) - 1
    found: list[Wedge] = []
    for k, row in enumerate(rows):
        out = _standing_vps(
            flows.volume_out_vph[k], flows.saturation_out_vph[k], flows.turn_in_out[k] if k else 1.0
        )
        share = flows.turn_in_in[k] if k < last else 1.0
        back = _standing_vps(flows.volume_in_vph[k], flows.saturation_in_vph[k], share)
        for is_outbound, greens, vps in ((True, row.outbound, out), (False, row.inbound, back)):
            for begin, start, end in _reds(greens, row.cycle_s):
                wedge = _wedge(begin, start, end, vps)
                if wedge is not None:
                    go, gone, vehicles = wedge
                    found.append(
                        Wedge(
                            is_outbound=is_outbound,
                            signal=k,
                            cycle_s=row.cycle_s,
                            begin_s=begin,
                            go_s=go,
                            end_s=gone,
                            reach_m=vehicles * vehicle_spacing_m(),
                        )
                    )
    return tuple(found)


def _standing_vps(volume_vph: float, saturation_vph: float, share: float) -> float:
    """Return what comes evenly to one lane, veh/s."""
    lanes = saturation_vph / (3600 * SATURATION_VPS)
    return volume_vph * share / 3600 / lanes


def _reds(greens: Sequence[Green], cycle_s: float) -> Iterator[tuple[float, float, float]]:
    """Yield begin of red, begin and end of the green after it."""
    for k, green in enumerate(greens):
        before = greens[k - 1]
        since = (green.start_s - before.start_s) % cycle_s or cycle_s
        red_s = since - before.length_s
        if red_s > 0:
            yield green.start_s - red_s, green.start_s, green.start_s + green.length_s


def _wedge(begin: float, start: float, end: float, vps: float) -> tuple[float, float, float] | None:
    """Return when a queue starts to move, when it is gone, and of how many vehicles it was."""
    go = start + START_S
    if vps < SATURATION_VPS:
        gone = min(end, (SATURATION_VPS * go - vps * begin) / (SATURATION_VPS - vps))
    else:
        gone = end
    vehicles = min(vps * (gone - begin), SATURATION_VPS * (gone - go))
    return (go, gone, vehicles) if vehicles >= LEAST_QUEUE_VEH else None


def shown(
    network: Network,
    changes: Sequence[LampChange],
    controller: ControllerId | None,
    phases: tuple[PhaseId, ...],
    span_s: tuple[float, float],
) -> tuple[Shown, ...]:
    """Return what the lamps of some phases showed within a span; the flash is cut from its end."""
    if controller is None or not phases or not changes:
        return ()
    index = network.controller_index[controller].rules.phase_index
    flash_s = max(index[p].flash_ds for p in phases) / 10
    listed = shown_lamps(network, changes, controller, phases)
    ends = [*(at for at, _ in listed[1:]), span_s[1]][: len(listed)]
    found: list[Shown] = []
    for (begin, lamp), end in zip(listed, ends, strict=True):
        if end <= span_s[0] or begin >= span_s[1]:
            continue
        flash = min(flash_s, end - begin) if lamp in GOING and end < span_s[1] else 0.0
        found.append(Shown(begin_s=begin, end_s=end, lamp=lamp))
        if flash > 0:
            found.append(Shown(begin_s=end - flash, end_s=end, lamp=lamp, is_flashing=True))
    return tuple(found)


def ticks(
    network: Network,
    corridor: Corridor,
    events: pl.DataFrame,
    detectors: Iterable[Detector],
    zone_midnight_s: float,
) -> tuple[Tick, ...]:
    """Return the actuations (`EVENTS`) of detectors on the links that lead to the stop lines.

    `zone_midnight_s` is the local midnight of the day drawn, seconds since 1970.
    """
    ends = _ends_of_links(network, corridor)
    placed: dict[str, tuple[bool, float]] = {}
    for detector in detectors:
        link = detector.link or next((network.lane_index[x].link for x in detector.lanes), None)
        if link in ends:
            is_outbound, at_m = ends[link]
            back = detector.to_stop_m
            placed[detector.id] = (is_outbound, at_m - back if is_outbound else at_m + back)
    on = events.filter(pl.col("code") == DETECTOR_ON)
    rows = on.select("device", pl.col("t_utc").dt.epoch("ms") / 1000).iter_rows()
    return tuple(
        Tick(is_outbound=placed[name][0], at_s=t - zone_midnight_s, at_m=placed[name][1])
        for name, t in rows
        if name in placed
    )


def _ends_of_links(network: Network, corridor: Corridor) -> dict[LinkId, tuple[bool, float]]:
    """Return, for each link that ends at a stop line of the corridor, direction and place."""
    found: dict[LinkId, tuple[bool, float]] = {}
    for stop, at_m in zip(corridor.stops, stop_positions_m(corridor), strict=True):
        for movement, is_outbound in ((stop.outbound, True), (stop.inbound, False)):
            if movement is not None:
                found[network.movement_index[movement].from_link] = (is_outbound, at_m)
    return found


def changed_s(plan: Plan, before: Plan | None) -> float | None:
    """Return by how much an offset was moved, the short way round; None where cycles differ."""
    if before is None or before.cycle_ds != plan.cycle_ds:
        return None
    half = plan.cycle_ds / 2
    return ((plan.offset_ds - before.offset_ds + half) % plan.cycle_ds - half) / 10
