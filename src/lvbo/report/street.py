# SPDX-License-Identifier: Apache-2.0
"""From a corridor, its plans and its bands to a time-space diagram 时距图."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from lvbo.evaluation.corridors import Way, corridor_tracks, stop_positions_m
from lvbo.ids import ControllerId, MovementId, PhaseId
from lvbo.network.corridor import Corridor, Stop
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.progression.problem import BandPlan
from lvbo.report.layers import (
    Layers,
    band_strips,
    changed_s,
    link_strips,
    part_strips,
    shown,
    wedges,
)
from lvbo.report.names import bearing, phases_name
from lvbo.report.values import Green, SignalRow, TimeSpace, Trace
from lvbo.report.words import Heading, Words, heading_of
from lvbo.signal.lamp import Right
from lvbo.signal.plan import Plan
from lvbo.simulation.runs import LampChange, Run

RIDERS = ("bicycle", "moped", "scooter")
NEAR_M = 2.5
PARTED_S = 60.0
"""A vehicle not seen on the street for longer has left it and come back: two traces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """The words above a diagram, and the names of each signal's coordinated phases."""

    title: str
    subtitle: str = ""
    phases: tuple[str, ...] = ()


def headings(network: Network, corridor: Corridor) -> tuple[Heading, Heading]:
    """Return the compass directions of outbound and inbound traffic."""
    ends = [network.intersection_index[corridor.stops[k].intersection].at for k in (0, -1)]
    out = bearing(ends[0], ends[1])
    return heading_of(out), heading_of(out + 180)


def coordinated_phases(network: Network, corridor: Corridor, words: Words) -> tuple[str, ...]:
    """Return the names of the phases that the wave runs through, by signal."""
    found = []
    for stop in corridor.stops:
        owner = stop.outbound_controller or stop.inbound_controller
        same = stop.outbound_controller == owner
        phases = dict.fromkeys((*(stop.outbound_phases if same else ()), *_inbound(stop, owner)))
        named = owner is not None and phases
        controller = network.controller_index[owner] if named and owner is not None else None
        found.append(phases_name(network, controller, list(phases), words) if controller else "")
    return tuple(found)


def _inbound(stop: Stop, owner: ControllerId | None) -> tuple[PhaseId, ...]:
    return stop.inbound_phases if stop.inbound_controller == owner else ()


def timespace(  # noqa: PLR0913  a diagram joins all of these
    network: Network,
    corridor: Corridor,
    plans: Mapping[ControllerId, Plan],
    *,
    caption: Caption,
    begin_s: float,
    band: BandPlan | None = None,
    run: Run | None = None,
    layers: Layers | None = None,
    cycles: int = 4,
) -> TimeSpace:
    """Return what a time-space diagram of a corridor shows from `begin_s` on.

    With a run that kept trajectories, its vehicles are drawn too, both ways. Slack is that of the
    bands through all signals, else of the bands by link.
    """
    over = layers or Layers()
    places = stop_positions_m(corridor)
    rows = [_row(network, corridor, k, places[k], plans) for k in range(len(corridor.stops))]
    longest = max((row.cycle_s for row in rows), default=100.0)
    span = (begin_s, begin_s + cycles * longest)
    strips = (
        *(band_strips(corridor, band) if band is not None and over.links is None else ()),
        *(link_strips(corridor, over.links) if over.links is not None else ()),
        *part_strips(corridor, over.parts),
    )
    queues = () if over.volumes is None else wedges(network, corridor, rows, over.volumes)
    outbound, inbound = headings(network, corridor)
    if over.lamps:
        stops = zip(rows, corridor.stops, strict=True)
        rows = [_as_shown(network, row, stop, over.lamps, span) for row, stop in stops]
    return TimeSpace(
        title=caption.title,
        subtitle=caption.subtitle,
        outbound_heading=outbound,
        inbound_heading=inbound,
        begin_s=span[0],
        end_s=span[1],
        signals=tuple(
            replace(
                row,
                phases=caption.phases[k] if caption.phases else "",
                slack_s=_slack(row, k, band, over),
                moved_s=_moved_s(corridor.stops[k], plans, over),
            )
            for k, row in enumerate(rows)
        ),
        bands=strips,
        traces=(*over.traces, *(() if run is None else traces(network, corridor, run, span))),
        source=over.source,
        wedges=queues,
        ticks=tuple(tick for tick in over.ticks if span[0] <= tick.at_s <= span[1]),
    )


def _slack(row: SignalRow, k: int, band: BandPlan | None, over: Layers) -> tuple[float, float]:
    by_link = over.link_slack_ms
    through = band.slack_ms if band is not None and band.sum_ms > 0 else ()
    slack = through if over.links is None else by_link
    if not slack:
        return (0.0, 0.0)
    earlier, later = slack[k]
    most = row.cycle_s / 2
    return min(earlier / 1000, most), min(later / 1000, most)


def _moved_s(stop: Stop, plans: Mapping[ControllerId, Plan], over: Layers) -> float | None:
    owner = stop.outbound_controller or stop.inbound_controller
    if over.before is None or owner is None or owner not in plans:
        return None
    return changed_s(plans[owner], over.before.get(owner))


def _as_shown(
    network: Network,
    row: SignalRow,
    stop: Stop,
    lamps: Sequence[LampChange],
    span: tuple[float, float],
) -> SignalRow:
    """Return a signal with what its lamps were."""
    out, back = stop.outbound_controller, stop.inbound_controller
    left_out = _left_phases(network, out, stop.outbound)
    left_back = _left_phases(network, back, stop.inbound)
    return replace(
        row,
        shown_outbound=shown(network, lamps, out, stop.outbound_phases, span),
        shown_inbound=shown(network, lamps, back, stop.inbound_phases, span),
        shown_left_outbound=shown(network, lamps, out, left_out, span),
        shown_left_inbound=shown(network, lamps, back, left_back, span),
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
    out, back = stop.outbound_controller, stop.inbound_controller
    left_out = _left_phases(network, out, stop.outbound)
    left_back = _left_phases(network, back, stop.inbound)
    return SignalRow(
        name=place.name or str(place.id),
        at_m=at_m,
        cycle_s=plan.cycle_s if plan else 100.0,
        offset_s=plan.offset_s if plan else 0.0,
        outbound=_greens(network, out, stop.outbound_phases, plans),
        inbound=_greens(network, back, stop.inbound_phases, plans),
        left_outbound=_greens(network, out, left_out, plans),
        left_inbound=_greens(network, back, left_back, plans),
    )


def _left_phases(
    network: Network, controller: ControllerId | None, through: MovementId | None
) -> tuple[PhaseId, ...]:
    """Return the phases that protect the left turn from the same approach as a movement."""
    if controller is None or through is None:
        return ()
    approach = network.movement_index[through].from_link
    lefts = {m.id for m in network.movements_from[approach] if m.turn is Turn.LEFT}
    services = network.controller_index[controller].rules.services
    found = [s.phase for s in services if s.movement in lefts and s.right is Right.PROTECTED]
    return tuple(dict.fromkeys(found))


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
                    least_s=owner.rules.limit_index[phase_id].min_green_ds / 10,
                )
            )
    return tuple(sorted(found, key=lambda green: green.start_s))


def traces(
    network: Network, corridor: Corridor, run: Run, span_s: tuple[float, float]
) -> Iterator[Trace]:
    """Return the way of every vehicle along the street, in both directions.

    Vehicles that turn in or off appear for the links they drive; bicycles are left out, and a run
    without trajectories gives none.
    """
    riders = run.vehicles.filter(run.vehicles["vclass"].is_in(RIDERS))["vehicle"].to_list()
    tracks = corridor_tracks(run, corridor, network)
    yield from lines_of(tracks.filter(~tracks["vehicle"].is_in(riders)), span_s)


def lines_of(tracks: pl.DataFrame, span_s: tuple[float, float]) -> Iterator[Trace]:
    """Return the lines of places along a corridor (`corridor_tracks`) within a span of time."""
    tracks = tracks.filter(tracks["t_s"].is_between(*span_s))
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
