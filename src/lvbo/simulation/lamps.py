# SPDX-License-Identifier: Apache-2.0
"""Recorded state strings to lamps per phase, and what the lamp checker says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lvbo.errors import Finding
from lvbo.ids import ControllerId, PhaseId
from lvbo.network.network import Network
from lvbo.signal.lamp import GOING, Lamp
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
