# SPDX-License-Identifier: Apache-2.0
"""State strings to lamps per phase: what the lamp checker says of them, what plan they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lvbo.errors import Finding
from lvbo.ids import ControllerId, PhaseId, PlanId
from lvbo.network.network import Network
from lvbo.signal.lamp import GOING, Lamp
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import Controller
from lvbo.signal.watch import LampChecker
from lvbo.simulation.runs import LampChange

LAMP = {
    "r": Lamp.RED,
    "u": Lamp.RED_AMBER,
    "y": Lamp.YELLOW,
    "Y": Lamp.YELLOW,
    "O": Lamp.DARK,
    "o": Lamp.BLINK,
    "s": Lamp.STOP_THEN_GO,
    "g": Lamp.PERMITTED,
    "G": Lamp.GREEN,
}


def watch_lamps(
    network: Network, changes: Iterable[LampChange], begin_s: float
) -> tuple[Finding, ...]:
    """Return every hard lamp rule that the recorded states of a run broke, in order of time.

    Seconds in the findings are those of the simulation.
    """
    recorded: dict[ControllerId, list[LampChange]] = {}
    for change in changes:
        recorded.setdefault(change.controller, []).append(change)
    found: list[Finding] = []
    for name, own in sorted(recorded.items()):
        controller = network.controller_index.get(name)
        if controller is not None:
            found.extend(_watch(network, controller, own, begin_s))
    return tuple(found)


def lit_phases(
    network: Network, changes: Iterable[LampChange]
) -> dict[ControllerId, tuple[tuple[float, frozenset[PhaseId]], ...]]:
    """Return by controller, in order of time, from when on which phases were going."""
    found: dict[ControllerId, list[tuple[float, frozenset[PhaseId]]]] = {}
    for change in changes:
        controller = network.controller_index.get(change.controller)
        if controller is None:
            continue
        lit = _lit(network, controller)
        going = frozenset(
            p.id
            for p in controller.rules.phases
            if _lamp(p.id, p.shows, lit, change.state) in GOING
        )
        found.setdefault(controller.id, []).append((change.second, going))
    return {name: tuple(rows) for name, rows in found.items()}


def shown_lamps(
    network: Network,
    changes: Iterable[LampChange],
    controller: ControllerId,
    phases: Sequence[PhaseId],
) -> tuple[tuple[float, Lamp], ...]:
    """Return, in order of time, from when on the brightest of some phases showed which lamp."""
    owner = network.controller_index[controller]
    lit = _lit(network, owner)
    shows = {p: owner.rules.phase_index[p].shows for p in phases}
    found: list[tuple[float, Lamp]] = []
    for change in changes:
        if change.controller == controller:
            lamp = max(_lamp(p, shows[p], lit, change.state) for p in phases)
            if not found or found[-1][1] is not lamp:
                found.append((change.second, lamp))
    return tuple(found)


def plan_of_states(
    network: Network,
    controller: Controller,
    name: str,
    intervals: Sequence[tuple[int, str]],
    offset_ds: int,
) -> Plan:
    """Return a programme of (tenths, state) as a plan over the phases that the controller has.

    Second 0 of the programme falls at area times congruent to `offset_ds`. A yellow or red-amber
    belongs to the green it touches; others are dropped.
    """
    lit = _lit(network, controller)
    cycle_ds = sum(length for length, _ in intervals)
    greens = [
        Greens(
            phase=phase.id,
            windows=tuple(
                _windows(
                    [(d, _lamp(phase.id, phase.shows, lit, s)) for d, s in intervals], phase.shows
                )
            ),
        )
        for phase in controller.rules.phases
    ]
    starting = [
        (g.windows[0].start_ds, g.phase)
        for g in greens
        if g.windows and g.windows[0].length_ds < cycle_ds
    ]
    reference = min(starting)[1] if starting else None
    return referenced(
        PlanId(name), controller.id, cycle_ds, greens, reference, offset_ds % cycle_ds
    )


def _windows(lamps: Sequence[tuple[int, Lamp]], shows: Lamp) -> Iterator[Window]:
    """Yield the greens of one phase from its lamps over one cycle, by start."""
    runs: list[tuple[Lamp, int, int]] = []  # lamp, start, length; the first may begin the cycle
    at = 0
    for length, lamp in lamps:
        if runs and runs[-1][0] is lamp:
            runs[-1] = (lamp, runs[-1][1], runs[-1][2] + length)
        else:
            runs.append((lamp, at, length))
        at += length
    if len(runs) > 1 and runs[0][0] is runs[-1][0]:
        first = runs.pop(0)
        runs[-1] = (runs[-1][0], runs[-1][1], runs[-1][2] + first[2])
    found = []
    for k, (lamp, start, length) in enumerate(runs):
        if lamp is shows and shows in GOING:
            after, before = runs[(k + 1) % len(runs)], runs[k - 1]
            found.append(
                Window(
                    start_ds=start % at,
                    length_ds=length,
                    yellow_ds=after[2] if after[0] is Lamp.YELLOW else 0,
                    red_amber_ds=before[2] if before[0] is Lamp.RED_AMBER else 0,
                )
            )
    yield from sorted(found)


def _watch(
    network: Network, controller: Controller, changes: Sequence[LampChange], begin_s: float
) -> list[Finding]:
    checker = LampChecker(controller.rules)
    lit = _lit(network, controller)
    shows = {phase.id: phase.shows for phase in controller.rules.phases}
    times = [round(10 * (change.second - begin_s)) for change in changes]
    rows = [[_lamp(p, shows[p], lit, change.state) for p in checker.phases] for change in changes]
    violations = checker.see_all(np.array(times), np.array(rows))
    shift = round(10 * begin_s)
    return [replace(v, t_ds=v.t_ds + shift).finding(str(controller.id)) for v in violations]


def _lit(network: Network, controller: Controller) -> Mapping[PhaseId, tuple[int, ...]]:
    """Return the state indices that each phase lights."""
    lit: dict[PhaseId, list[int]] = {phase.id: [] for phase in controller.rules.phases}
    if network.sumo is not None:
        for head in network.sumo.head_index[controller.id]:
            for phase in head.phases:
                lit[phase].append(head.index)
    return {phase: tuple(sorted(set(indices))) for phase, indices in lit.items()}


def _lamp(phase: PhaseId, shows: Lamp, lit: Mapping[PhaseId, tuple[int, ...]], state: str) -> Lamp:
    """Return what a phase shows: a green that belongs to another phase of the head is red here."""
    seen = [LAMP[state[index]] for index in lit[phase] if index < len(state)]
    lamp = max(seen, default=Lamp.RED)
    return Lamp.RED if lamp in GOING and lamp is not shows else lamp
