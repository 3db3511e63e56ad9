# SPDX-License-Identifier: Apache-2.0
"""The same offset counted from other points of the cycle, as other makes and tools count it.

Our offset is the area-clock time, modulo the plan's cycle, at which the first green of the named
reference phase starts; larger is later. Each function here returns the number another convention
writes; `moved_to` turns such a number back into a plan.
"""

from __future__ import annotations

from collections.abc import Callable

from lvbo.errors import PlanError
from lvbo.ids import PhaseId
from lvbo.signal.plan import Plan, Window

Reading = Callable[[Plan], int]


def start_of_green(plan: Plan, phase: PhaseId) -> int:
    """Return the offset counted to the start of the first green of any phase, in tenths."""
    return (plan.offset_ds + _first(plan, phase).start_ds) % plan.cycle_ds


def end_of_green(plan: Plan, phase: PhaseId) -> int:
    """Return the offset counted to the end of the first green of a phase, in tenths.

    The flash lies inside the green. NEMA's yield point and the start of yellow are this instant.
    """
    return (plan.offset_ds + _first(plan, phase).end_ds) % plan.cycle_ds


def start_of_flash(plan: Plan, phase: PhaseId, flash_ds: int) -> int:
    """Return the offset counted to the start of the flash before the end of green, in tenths.

    Where coordination is referenced to the flashing walk, this is the yield point.
    """
    return (end_of_green(plan, phase) - flash_ds) % plan.cycle_ds


def end_of_yellow(plan: Plan, phase: PhaseId) -> int:
    """Return the offset counted to the start of red of a phase, in tenths."""
    window = _first(plan, phase)
    return (plan.offset_ds + window.end_ds + window.yellow_ds) % plan.cycle_ds


def first_interval(plan: Plan, local_ds: int) -> int:
    """Return SUMO's offset when its first interval begins at this local time, in tenths.

    SUMO shows at time t what its programme shows (t - offset) after its first interval began.
    """
    return (plan.offset_ds + local_ds) % plan.cycle_ds


def reversed_counter(plan: Plan, zero_ds: int = 0) -> int:
    """Return the offset of a controller whose cycle counter is (clock + offset) modulo the cycle.

    So counted (as in RSMP), larger is earlier. `zero_ds` is the local time at which the counter
    is zero.
    """
    return -(plan.offset_ds + zero_ds) % plan.cycle_ds


def moved_to(plan: Plan, reading: Reading, value_ds: int) -> Plan:
    """Return the plan at the offset for which `reading` gives this value.

    Every reading rises or falls by one tenth when the plan goes one tenth later; which of the two
    is seen by trying.
    """
    here = reading(plan)
    rises = (reading(plan.at_offset(plan.offset_ds + 1)) - here) % plan.cycle_ds == 1
    away = value_ds - here
    return plan.at_offset(plan.offset_ds + (away if rises else -away))


def _first(plan: Plan, phase: PhaseId) -> Window:
    windows = plan.windows_of(phase)
    if not windows:
        raise PlanError("LV334", controller=plan.controller, plan=plan.id, phase=phase)
    return windows[0]
