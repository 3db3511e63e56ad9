# SPDX-License-Identifier: Apache-2.0
"""What drives and stands in a time-space diagram: traces, queues, wedges, detector ticks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lvbo.report.plots.timespace.frame import Array, Frame, repeats
from lvbo.report.plots.timespace.lamps import BAR_CM
from lvbo.report.values import TimeSpace, Trace, Wedge

TRACE_OUT = "#00395C"
TRACE_IN = "#7A4300"
QUEUE = "#8E1B5A"
TICK_OUT = "#00395C"
TICK_IN = "#7A4300"
STANDING_MPS = 5 / 3.6
"""Slower vehicles stand in a queue."""
TICK_CM = 0.22
GAP_CM = 0.26
"""Ticks begin this far from the stop line, just clear of its bars."""


def draw_traces(frame: Frame, traces: Iterable[Trace]) -> None:
    """Draw the way of every vehicle, those of one direction in one colour."""
    for is_outbound, colour in ((True, TRACE_OUT), (False, TRACE_IN)):
        lines = [
            frame.put(trace.times_s, frame.scaled(trace.places_m))
            for trace in traces
            if trace.is_outbound is is_outbound and len(trace.times_s) > 1
        ]
        frame.lines(lines, colour, 8, width=0.45, alpha=0.65)


def standing(trace: Trace) -> list[tuple[float, float, float]]:
    """Return begin, end in s and place in m of each time a vehicle stands."""
    times, places = np.asarray(trace.times_s), np.asarray(trace.places_m)
    slow = np.abs(np.diff(places)) < STANDING_MPS * np.diff(times)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], slow.astype(int), [0]))))
    return [
        (float(times[a]), float(times[b]), float(places[b]))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def draw_queues(frame: Frame, traces: Iterable[Trace]) -> None:
    """Draw standing vehicles; those of one queue lie side by side as a wedge."""
    lines = [
        frame.put([begin, end], frame.scaled([place, place]))
        for trace in traces
        for begin, end, place in standing(trace)
    ]
    frame.lines(lines, QUEUE, 3.5, width=1.3, alpha=0.8)


def draw_wedges(frame: Frame, diagram: TimeSpace) -> None:
    """Draw the queue of every red as a triangle up the street from its stop line."""
    shapes = [
        frame.put(np.asarray([wedge.begin_s, wedge.go_s, wedge.end_s]) + k * wedge.cycle_s, places)
        for wedge in diagram.wedges
        for places in [_corners(frame, diagram, wedge)]
        for k in repeats(wedge.begin_s, wedge.end_s, wedge.cycle_s, diagram)
    ]
    frame.fill(shapes, QUEUE, 3, alpha=0.55)


def _corners(frame: Frame, diagram: TimeSpace, wedge: Wedge) -> Array:
    """Return the drawn places of a wedge; its base lies along the edge of the bars, to be seen."""
    at, sign = diagram.signals[wedge.signal].at_m, -1 if wedge.is_outbound else 1
    drawn = frame.scaled([at, at, at + sign * wedge.reach_m])
    return drawn + sign * frame.units(BAR_CM)


def draw_ticks(frame: Frame, diagram: TimeSpace) -> None:
    """Draw one short line for every actuation; at stop lines they stand clear of the bars."""
    for is_outbound, colour in ((True, TICK_OUT), (False, TICK_IN)):
        sign = -1 if is_outbound else 1
        near, far = (sign * frame.units(cm) for cm in (GAP_CM, GAP_CM + TICK_CM))
        lines = []
        for tick in diagram.ticks:
            if tick.is_outbound is is_outbound:
                at = float(frame.scaled([tick.at_m])[0])
                lines.append(frame.put([tick.at_s] * 2, [at + near, at + far]))
        frame.lines(lines, colour, 7.5, width=0.8, alpha=0.9)
