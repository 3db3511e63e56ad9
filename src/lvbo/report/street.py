# SPDX-License-Identifier: Apache-2.0
"""From a corridor, its plans and its bands to a time-space diagram 时距图."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lvbo.evaluation.corridors import Way, corridor_tracks, stop_positions_m
from lvbo.ids import ControllerId, PhaseId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.problem import BandPlan
from lvbo.report.names import bearing
from lvbo.report.values import BandStrip, Green, SignalRow, TimeSpace, Trace
from lvbo.report.words import Heading, Words, heading_of
from lvbo.signal.plan import Plan
from lvbo.simulation.runs import Run

RIDERS = ("bicycle", "moped", "scooter")
NEAR_M = 2.5
PARTED_S = 60.0
"""A vehicle not seen on the street for longer has left it and come back: two traces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """The words above a diagram."""

    title: str
    subtitle: str = ""


def headings(network: Network, corridor: Corridor) -> tuple[Heading, Heading]:
    """Return the compass directions of outbound and inbound traffic."""
    ends = [network.intersection_index[corridor.stops[k].intersection].at for k in (0, -1)]
    out = bearing(ends[0], ends[1])
    return heading_of(out), heading_of(out + 180)


def timespace(  # noqa: PLR0913  a diagram joins all of these
    network: Network,
    corridor: Corridor,
    plans: Mapping[ControllerId, Plan],
    *,
    caption: Caption,
    begin_s: float,
    band: BandPlan | None = None,
    run: Run | None = None,
    cycles: int = 4,
) -> TimeSpace:
    """Return what a time-space diagram of a corridor shows from `begin_s` on.

    With a run that kept trajectories, its vehicles are drawn too, both ways.
    """
    places = stop_positions_m(corridor)
    rows = tuple(_row(network, corridor, k, places[k], plans) for k in range(len(corridor.stops)))
    longest = max((row.cycle_s for row in rows), default=100.0)
    end_s = begin_s + cycles * longest
    outbound, inbound = headings(network, corridor)
    return TimeSpace(
        title=caption.title,
        subtitle=caption.subtitle,
        outbound_heading=outbound,
        inbound_heading=inbound,
        begin_s=begin_s,
        end_s=end_s,
        signals=rows,
        bands=() if band is None else band_strips(corridor, band),
        traces=() if run is None else tuple(traces(network, corridor, run, (begin_s, end_s))),
    )


def _row(
    network: Network,
    corridor: Corridor,
    k: int,
    at_m: float,
    plans: Mapping[ControllerId, Plan],
) -> SignalRow:
    stop = corridor.stops[k]
    controller = stop.outbound_controller or stop.inbound_controller
    plan = plans.get(controller) if controller is not None else None
    place = network.intersection_index[stop.intersection]
    return SignalRow(
        name=place.name or str(place.id),
        at_m=at_m,
        cycle_s=plan.cycle_s if plan else 100.0,
        offset_s=plan.offset_s if plan else 0.0,
        outbound=_greens(network, stop.outbound_controller, stop.outbound_phases, plans),
        inbound=_greens(network, stop.inbound_controller, stop.inbound_phases, plans),
    )


def _greens(
    network: Network,
    controller: ControllerId | None,
    phases: tuple[PhaseId, ...],
    plans: Mapping[ControllerId, Plan],
) -> tuple[Green, ...]:
    """Return the greens of some phases on the clock of the day, seconds in [0, cycle)."""
    if controller is None or controller not in plans:
        return ()
    plan, owner = plans[controller], network.controller_index[controller]
    found = []
    for phase_id in phases:
        phase = owner.rules.phase_index[phase_id]
        for window in plan.windows_of(phase_id) if phase.is_going else ():
            start_ds = (window.start_ds + plan.offset_ds + 10 * owner.sync_s) % plan.cycle_ds
            found.append(
                Green(
                    start_s=start_ds / 10,
                    length_s=window.length_ds / 10,
                    flash_s=min(phase.flash_ds, window.length_ds) / 10,
                    yellow_s=window.yellow_ds / 10,
                )
            )
    return tuple(sorted(found, key=lambda green: green.start_s))


def band_strips(corridor: Corridor, band: BandPlan) -> tuple[BandStrip, ...]:
    """Return the bands of a plan as strips, without those of no width."""
    sides = (
        (True, band.outbound_ms, band.front_out_ms, corridor.outbound, band.travel_out_ms),
        (False, band.inbound_ms, band.front_in_ms, corridor.inbound, band.travel_in_ms),
    )
    return tuple(
        BandStrip(
            is_outbound=is_outbound,
            width_s=width_ms / 1000,
            cycle_s=band.cycle_ms / 1000,
            fronts_s=tuple(front / 1000 for front in fronts),
            speeds_mps=tuple(
                1000 * section.length_m / travel
                for section, travel in zip(sections, travels, strict=True)
            ),
        )
        for is_outbound, width_ms, fronts, sections, travels in sides
        if width_ms > 0 and sections
    )


def traces(
    network: Network, corridor: Corridor, run: Run, span_s: tuple[float, float]
) -> Iterator[Trace]:
    """Return the way of every vehicle along the street, in both directions.

    Vehicles that turn in or off appear for the links they drive; bicycles are left out, and a run
    without trajectories gives none.
    """
    begin, end = span_s
    riders = run.vehicles.filter(run.vehicles["vclass"].is_in(RIDERS))["vehicle"].to_list()
    tracks = corridor_tracks(run, corridor, network)
    tracks = tracks.filter(tracks["t_s"].is_between(begin, end), ~tracks["vehicle"].is_in(riders))
    for (_, way), seen in tracks.group_by("vehicle", "way", maintain_order=True):
        yield from _pieces(
            seen["t_s"].to_list(), seen["x_m"].to_list(), is_outbound=way == Way.OUTBOUND
        )


def _pieces(
    times_s: Sequence[float], places_m: Sequence[float], *, is_outbound: bool
) -> Iterator[Trace]:
    cuts = [0]
    cuts += [k + 1 for k, (a, b) in enumerate(pairwise(times_s)) if b - a > PARTED_S]
    cuts.append(len(times_s))
    for first, last in pairwise(cuts):
        if last - first > 1:
            kept = [first + k for k in _bends(times_s[first:last], places_m[first:last])]
            yield Trace(
                is_outbound=is_outbound,
                times_s=tuple(times_s[k] for k in kept),
                places_m=tuple(places_m[k] for k in kept),
            )


def _bends(times_s: Sequence[float], places_m: Sequence[float]) -> list[int]:
    """Return the points that a line needs to stay within `NEAR_M` of the way (Ramer 1972)."""
    kept = {0, len(times_s) - 1}
    spans = [(0, len(times_s) - 1)]
    t, x = np.asarray(times_s), np.asarray(places_m)
    while spans:
        first, last = spans.pop()
        if last - first > 1:
            inner = slice(first + 1, last)
            off = np.abs(x[inner] - np.interp(t[inner], t[[first, last]], x[[first, last]]))
            worst = first + 1 + int(off.argmax())
            if off.max() > NEAR_M:
                kept.add(worst)
                spans += [(first, worst), (worst, last)]
    return sorted(kept)


def band_facts(band: BandPlan | None, words: Words) -> str:
    """Say how wide a band is and of which cycle, or that there is none."""
    if band is None:
        return words("report_no_band")
    return words(
        "report_band_facts",
        outbound=f"{band.outbound_ms / 1000:.0f}",
        inbound=f"{band.inbound_ms / 1000:.0f}",
        cycle=f"{band.cycle_ms / 1000:g}",
        efficiency=f"{band.efficiency:.2f}",
        attainability=f"{band.attainability:.2f}",
    )
