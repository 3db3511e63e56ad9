# SPDX-License-Identifier: Apache-2.0
"""What a wave may count on where clocks run off or nobody sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lvbo.errors import Finding, Severity
from lvbo.progression.problem import Window
from lvbo.signal.rules import Clock, Controller

ALARM_S, BROKEN_S = 2.0, 5.0
"""Practice: a clock further off than the first is an alarm, than the second no wave."""


def is_counted_on(clock: Clock) -> bool:
    """Say whether a wave may count on the greens of a controller with this clock."""
    return clock.linked and clock.worst_s <= BROKEN_S


def surely_green(windows: Iterable[Window], clock: Clock, own_ms: int) -> tuple[Window, ...]:
    """Return what of the windows is green however far the clock is off, ms of the own cycle."""
    off_ms = round(1000 * clock.worst_s)
    return tuple(
        (start, length)
        if length >= own_ms
        else ((start + off_ms) % own_ms, max(1, length - 2 * off_ms))
        for start, length in windows
    )


def clock_findings(controllers: Iterable[Controller], street: str) -> Iterator[Finding]:
    """Yield what must be said of the clocks along a street."""
    for controller in controllers:
        clock = controller.clock
        fields = {"street": street, "worst_s": round(clock.worst_s, 1)}
        if not clock.linked:
            yield _found("LV448", controller, Severity.WARNING, street=street)
        elif clock.worst_s > BROKEN_S:
            yield _found("LV449", controller, Severity.WARNING, **fields)
        elif clock.worst_s > 0:
            worse = clock.worst_s > ALARM_S
            yield _found("LV455", controller, Severity.WARNING if worse else Severity.ADVICE,
                         **fields)  # fmt: skip


def _found(code: str, controller: Controller, severity: Severity, **fields: object) -> Finding:
    return Finding(code=code, place=controller.id, severity=severity, fields=fields)
