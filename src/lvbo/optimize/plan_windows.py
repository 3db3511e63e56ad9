# SPDX-License-Identifier: Apache-2.0
"""From sets of plans to their windows side by side, fast where plans are plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lvbo.ids import ControllerId, PhaseId
from lvbo.optimize.lamps import rights
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.windows import Line, Lines, Timing, Windows, align, put_together
from lvbo.signal.plan import Plan
from lvbo.timing.model import STATUS, ControllerModel

Serving = Mapping[PhaseId, Sequence[tuple[int, int]]]
"""The movements that each phase serves, with their rights."""


def windows_of_plans(
    mesh: AreaMesh,
    plans: Sequence[Mapping[ControllerId, Plan]],
    serving: Sequence[Serving | None] | None = None,
) -> Windows:
    """Return the windows of up to sixteen sets of plans; `serving` is what `all_serving` returns.

    Raises:
        ValueError: for no plan, or for more than fit.

    """
    lines, cycles = [], []
    known = all_serving(mesh) if serving is None else serving
    for s, controller in enumerate(mesh.controllers):
        own = [at[controller] for at in plans]
        loss, gain = mesh.loss_gain_s[s]
        lines.append(signal_lines(mesh.models[s], own, known[s], (loss, gain)))
        cycles.append([plan.cycle_ds / 10 for plan in own])
    return put_together(lines, [gain for _, gain in mesh.loss_gain_s], cycles)


def all_serving(mesh: AreaMesh) -> tuple[Serving | None, ...]:
    """Return for each signal whom its phases serve; nothing where phases share a movement."""
    return tuple(_serving(model) for model in mesh.models)


def signal_lines(
    model: ControllerModel,
    plans: Sequence[Plan],
    serving: Serving | None,
    loss_gain_s: tuple[float, float],
) -> Lines:
    """Return the windows of several plans of one signal side by side."""
    loss_s, gain_s = loss_gain_s
    if serving is not None and all(_is_plain(plan, serving) for plan in plans):
        return _by_phase(serving, plans, loss_s, gain_s)
    return align(
        [
            Timing(
                cycle_s=plan.cycle_ds / 10,
                offset_s=plan.offset_ds / 10,
                gain_s=gain_s,
                rights=tuple(rights(model, plan, loss_s, gain_s)),
            )
            for plan in plans
        ]
    )


def _serving(model: ControllerModel) -> Serving | None:
    rules = model.controller.rules
    number = {m: k for k, m in enumerate(model.movements)}
    found: dict[PhaseId, list[tuple[int, int]]] = {}
    seen = set()
    for service in rules.services:
        if service.movement in seen:
            return None
        if service.movement is None or service.movement not in number:
            continue
        seen.add(service.movement)
        shown = STATUS.get(rules.phase_index[service.phase].shows, 1)
        found.setdefault(service.phase, []).append((number[service.movement], shown))
    return found


def _is_plain(plan: Plan, serving: Serving) -> bool:
    """Say whether no phase has more than one window, or one that never ends."""
    return all(
        len(windows) <= 1 and all(w.length_ds < plan.cycle_ds for w in windows)
        for windows in map(plan.windows_of, serving)
    )


def _by_phase(
    serving: Serving, plans: Sequence[Plan], loss_s: float, gain_s: float
) -> dict[tuple[int, int, int], Line]:
    """Return lines that the movements of a phase share."""
    found: dict[tuple[int, int, int], Line] = {}
    ends = float(gain_s > 0)
    for phase, served in serving.items():
        line: Line = []
        for plan in plans:
            begin, length, sneak = 0.0, 0.0, 0.0
            for w in plan.windows_of(phase):
                begin = (w.start_ds + plan.offset_ds) / 10 + loss_s
                length, sneak = max(0.0, w.length_ds / 10 - loss_s + gain_s), ends
            line.append((begin % (plan.cycle_ds / 10), length, sneak))
        found.update(dict.fromkeys(((m, right, 0) for m, right in served), line))
    return found
