# SPDX-License-Identifier: Apache-2.0
"""How controllers pass from one plan to the next: which way, and by how much a cycle may change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lvbo.errors import InputError
from lvbo.ids import ControllerId

LONGER, SHORTER = 0.20, 0.15
"""The most a cycle is lengthened and shortened by on the way into step, where nothing is said."""
MOST_LONGER, MOST_SHORTER = 1.0, 0.5
"""What may be said at most; minimum greens are kept in any case."""


class Transition(StrEnum):
    """How a plan gets into step: stand in the reference green, slow down, hurry, the quicker."""

    DWELL = "dwell"
    ADD = "add"
    SUBTRACT = "subtract"
    SHORTEST = "shortest"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Switch:
    """The moment of a day type at which one period gives way to the next, by their names."""

    day_type: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.day_type} {self.before} - {self.after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRule:
    """Say how controllers get into step: no cycle grows or shrinks by more than these shares.

    It holds for one controller or for all, at one switch or at all. A rule for the controller goes
    before one for all, then one for the switch before one for all.

    Raises:
        InputError: LV312 where a share is not within its bounds.

    """

    way: Transition = Transition.SHORTEST
    longer: float = LONGER
    shorter: float = SHORTER
    controller: ControllerId | None = None
    switch: Switch | None = None

    def __post_init__(self) -> None:
        if not (0 < self.longer <= MOST_LONGER and 0 < self.shorter <= MOST_SHORTER):
            raise InputError(
                "LV312",
                place=self.controller or "",
                longer=self.longer,
                shorter=self.shorter,
                most_longer=MOST_LONGER,
                most_shorter=MOST_SHORTER,
            )

    @property
    def scope(self) -> tuple[ControllerId | None, Switch | None]:
        """Return what the rule is for; of two rules with one scope only one can hold."""
        return self.controller, self.switch


AS_EVER = TransitionRule()
"""What holds where no rule does."""
