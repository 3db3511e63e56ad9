# SPDX-License-Identifier: Apache-2.0
"""From a plan to its stage sheet 配时表: what goes in each stage, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lvbo.ids import PhaseId
from lvbo.network.network import Network
from lvbo.report.names import (
    controller_name,
    leg_bearing,
    merged_legs,
    nearest,
    phases_name,
)
from lvbo.report.values import Arrow, LampRow, LampRun, StageCell, StageSheet
from lvbo.report.words import Words
from lvbo.signal.lamp import Lamp, PhaseKind, Right
from lvbo.signal.plan import Plan, Window
from lvbo.signal.rules import Controller, Phase, Service

ON_FOOT = frozenset({PhaseKind.PEDESTRIAN, PhaseKind.BICYCLE})
SHORTEST_STAGE_DS = 20
LONGEST_GAP_DS = 100


@dataclass(frozen=True, slots=True)
class _Span:
    """A span of the cycle in which the same traffic goes; it may run over the end."""

    start_ds: int
    length_ds: int
    phases: frozenset[PhaseId]
    goes: frozenset[str]

    def and_then(self, other: _Span) -> _Span:
        """Return both spans as one."""
        return _Span(
            self.start_ds,
            self.length_ds + other.length_ds,
            self.phases | other.phases,
            self.goes,
        )


def stage_sheet(
    network: Network, controller: Controller, plan: Plan, words: Words, subtitle: str = ""
) -> StageSheet:
    """Return the stages of a plan as a Chinese plan sheet lists them.

    A stage is a span in which the same vehicle phases go; phases that run on through a change of
    the others make no stage of their own. Its yellow and all-red are those that follow it.
    """
    spans = _spans(plan, controller)
    kept = _stages(spans)
    legs = _legs(network, controller)
    cells = tuple(
        _cell(network, controller, plan, legs, _Place(spans, kept, k), words)
        for k in range(len(kept))
    )
    return StageSheet(
        title=controller_name(network, controller),
        subtitle=subtitle,
        cycle_s=plan.cycle_s,
        offset_s=plan.offset_s,
        legs_deg=legs,
        cells=cells,
        rows=tuple(_rows(network, controller, plan, words)),
        borders_s=tuple(spans[i].start_ds / 10 for i in kept),
        left_hand=network.left_hand,
    )


def _moving(plan: Plan, controller: Controller) -> dict[PhaseId, tuple[Window, ...]]:
    """Return the windows of the vehicle phases that change within the cycle."""
    return {
        phase.id: windows
        for phase in controller.rules.phases
        if phase.is_going
        and phase.kind not in ON_FOOT
        and (windows := plan.windows_of(phase.id))
        and windows[0].length_ds < plan.cycle_ds
    }


def _spans(plan: Plan, controller: Controller) -> list[_Span]:
    moving, cycle = _moving(plan, controller), plan.cycle_ds
    borders = {t % cycle for ws in moving.values() for w in ws for t in (w.start_ds, w.end_ds)}
    times = sorted(borders)
    found: list[_Span] = []
    for k, start in enumerate(times):
        length = (times[(k + 1) % len(times)] - start) % cycle or cycle
        going = frozenset(
            phase
            for phase, windows in moving.items()
            if any((start - w.start_ds) % cycle < w.length_ds for w in windows)
        )
        span = _Span(start, length, going, _traffic(controller, going))
        if found and found[-1].goes == span.goes:
            found[-1] = found[-1].and_then(span)
        else:
            found.append(span)
    return found


def _traffic(controller: Controller, phases: frozenset[PhaseId]) -> frozenset[str]:
    """Return what these phases let go: movements, whatever their right; else the phase itself."""
    served = {str(s.movement) for s in controller.rules.services if s.phase in phases}
    return frozenset(served or phases)


def _stages(spans: Sequence[_Span]) -> list[int]:
    """Return the spans that are stages, by place in the list."""
    kept = []
    for k, span in enumerate(spans):
        before, after = spans[k - 1].goes, spans[(k + 1) % len(spans)].goes
        runs_on = span.goes <= before and span.goes <= after
        if span.phases and span.length_ds >= SHORTEST_STAGE_DS:
            if runs_on and span.length_ds <= LONGEST_GAP_DS and len(spans) > 1:
                continue
            kept.append(k)
    return kept


def _legs(network: Network, controller: Controller) -> tuple[float, ...]:
    places = set(controller.intersections)
    bearings = []
    for link in network.links:
        if link.end in places and link.start not in places:
            bearings.append(leg_bearing(network, link.id, arriving=True))
        elif link.start in places and link.end not in places:
            bearings.append(leg_bearing(network, link.id, arriving=False))
    return merged_legs(bearings) or (0.0, 90.0, 180.0, 270.0)


@dataclass(frozen=True, slots=True)
class _Place:
    """One stage among the spans of its cycle."""

    spans: Sequence[_Span]
    kept: Sequence[int]
    number: int

    @property
    def span(self) -> _Span:
        return self.spans[self.kept[self.number]]

    def step(self, steps: int) -> _Place:
        """Return the stage some stages later, round the cycle."""
        return _Place(self.spans, self.kept, (self.number + steps) % len(self.kept))

    def ending(self, plan: Plan) -> list[tuple[Window, PhaseId]]:
        """Return the windows that end with this stage."""
        end = (self.span.start_ds + self.span.length_ds) % plan.cycle_ds
        return [
            (window, phase)
            for phase in self.span.phases
            for window in plan.windows_of(phase)
            if window.end_ds % plan.cycle_ds == end
        ]

    def gap_ds(self, plan: Plan) -> int:
        """Return the time from the end of this stage to the start of the next."""
        end = self.span.start_ds + self.span.length_ds
        return (self.step(1).span.start_ds - end) % plan.cycle_ds

    def tail_ds(self, plan: Plan) -> int:
        """Return the yellow after this stage that falls into the green of the next.

        Where some traffic runs on, the next stage begins for it in the yellow of the others.
        """
        if self.gap_ds(plan) or len(self.kept) == 1:
            return 0
        yellow = max((window.yellow_ds for window, _ in self.ending(plan)), default=0)
        return yellow if yellow < self.step(1).span.length_ds else 0


def _cell(
    network: Network,
    controller: Controller,
    plan: Plan,
    legs: tuple[float, ...],
    place: _Place,
    words: Words,
) -> StageCell:
    span, gap, ending = place.span, place.gap_ds(plan), place.ending(plan)
    phases = controller.rules.phase_index
    green = span.length_ds - place.step(-1).tail_ds(plan)
    flash = min(green, max((phases[phase].flash_ds for _, phase in ending), default=0))
    after = gap or place.tail_ds(plan)
    yellow = min(after, max((window.yellow_ds for window, _ in ending), default=0))
    return StageCell(
        name=words("fig_stage", number=place.number + 1),
        arrows=tuple(_arrows(network, controller, span.phases, legs)),
        zebras_deg=tuple(_zebras(network, controller, plan, legs, span)),
        green_s=(green - flash) / 10,
        flash_s=flash / 10,
        yellow_s=yellow / 10,
        all_red_s=(after - yellow) / 10,
    )


def _yields(service: Service, phase: Phase) -> bool:
    return service.right is not Right.PROTECTED or phase.shows is not Lamp.GREEN


def _arrows(
    network: Network,
    controller: Controller,
    phases: frozenset[PhaseId],
    legs: tuple[float, ...],
) -> Iterator[Arrow]:
    """Return one arrow per movement that goes; protected where any phase protects it."""
    yielding: dict[tuple[float, float], bool] = {}
    for service in controller.rules.services:
        if service.phase in phases and service.movement is not None:
            movement = network.movement_index[service.movement]
            key = (
                nearest(leg_bearing(network, movement.from_link, arriving=True), legs),
                nearest(leg_bearing(network, movement.to_link, arriving=False), legs),
            )
            here = _yields(service, controller.rules.phase_index[service.phase])
            yielding[key] = yielding.get(key, True) and here
    for (start, end), here in sorted(yielding.items()):
        yield Arrow(from_deg=start, to_deg=end, yields=here)


def _zebras(
    network: Network, controller: Controller, plan: Plan, legs: tuple[float, ...], span: _Span
) -> Iterator[float]:
    """Return the legs whose people on foot have green for a good part of the stage."""
    shown = set()
    for service in controller.rules.services:
        if service.crossing is None or not _walks_in(plan, service.phase, span):
            continue
        crossing = network.crossing_index[service.crossing]
        for link in crossing.links:
            arriving = network.link_index[link].end == crossing.intersection
            shown.add(nearest(leg_bearing(network, link, arriving=arriving), legs))
    yield from sorted(shown)


def _walks_in(plan: Plan, phase: PhaseId, span: _Span) -> bool:
    middle = span.start_ds + min(span.length_ds // 2, 50)
    return any(
        (middle - window.start_ds) % plan.cycle_ds < window.length_ds
        for window in plan.windows_of(phase)
    )


def _rows(network: Network, controller: Controller, plan: Plan, words: Words) -> Iterator[LampRow]:
    """Return the lamps of every phase, by first start; always green, then on foot, last.

    Phases that show the same share a row.
    """
    listed = [p for p in controller.rules.phases if plan.windows_of(p.id)]
    listed.sort(key=lambda p: (p.kind in ON_FOOT, *_first(plan, p), p.id))
    alike: dict[tuple[PhaseKind, Lamp, tuple[LampRun, ...]], list[PhaseId]] = {}
    for phase in listed:
        runs = [r for w in plan.windows_of(phase.id) for r in _runs(w, phase, plan.cycle_ds)]
        alike.setdefault((phase.kind, phase.shows, tuple(runs)), []).append(phase.id)
    for (_, _, shown), phases in alike.items():
        yield LampRow(name=phases_name(network, controller, phases, words), runs=shown)


def _first(plan: Plan, phase: Phase) -> tuple[bool, int]:
    first = plan.windows_of(phase.id)[0]
    return first.length_ds >= plan.cycle_ds, first.start_ds


def _runs(window: Window, phase: Phase, cycle_ds: int) -> Iterator[LampRun]:
    if window.length_ds >= cycle_ds:
        yield LampRun(lamp=phase.shows, start_s=0.0, length_s=cycle_ds / 10)
        return
    flash = min(phase.flash_ds, window.length_ds)
    steady = window.length_ds - flash
    parts = (
        (Lamp.RED_AMBER, window.start_ds - window.red_amber_ds, window.red_amber_ds, False),
        (phase.shows, window.start_ds, steady, False),
        (phase.shows, window.start_ds + steady, flash, True),
        (Lamp.YELLOW, window.end_ds, window.yellow_ds, False),
    )
    for lamp, start, length, flashing in parts:
        yield from _cut(lamp, start % cycle_ds, length, cycle_ds, flashing=flashing)


def _cut(
    lamp: Lamp, start_ds: int, length_ds: int, cycle_ds: int, *, flashing: bool
) -> Iterator[LampRun]:
    """Return a run in one piece, or in two where it runs over the end of the cycle."""
    first = min(length_ds, cycle_ds - start_ds)
    for start, length in ((start_ds, first), (0, length_ds - first)):
        if length > 0:
            yield LampRun(lamp=lamp, start_s=start / 10, length_s=length / 10, is_flashing=flashing)
