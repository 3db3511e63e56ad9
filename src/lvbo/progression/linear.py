# SPDX-License-Identifier: Apache-2.0
"""Small linear programmes of a chain of signals, written row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lvbo.progression import _linear_kernels

Floats = npt.NDArray[np.float64]
Terms = Mapping[int, float]

ROUNDS = 80
ROOM = 1e-7
"""Rows that are equations get this much room on either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """Hold the values of the columns and the objective."""

    columns: Floats
    value: float


@dataclass(slots=True)
class Programme:
    """A programme under construction: maximise the costs of the columns within the rows.

    The first `border` columns may stand in any row; the others should be added in the order of
    the chain, for a row costs as much as its columns lie apart.
    """

    border: int = 0
    costs: list[float] = field(default_factory=list)
    guess: list[float] = field(default_factory=list)
    _cols: list[int] = field(default_factory=list)
    _vals: list[float] = field(default_factory=list)
    _start: list[int] = field(default_factory=lambda: [0])
    _rhs: list[float] = field(default_factory=list)

    def column(self, guess: float = 0.0, *, cost: float = 0.0) -> int:
        """Add a column that may take any value; return its number."""
        self.costs.append(cost)
        self.guess.append(guess)
        return len(self.costs) - 1

    def at_most(self, terms: Terms, high: float = 0.0) -> None:
        """Add sum of terms <= high."""
        for column, value in terms.items():
            if value:
                self._cols.append(column)
                self._vals.append(value)
        self._start.append(len(self._cols))
        self._rhs.append(high)

    def between(self, low: float, terms: Terms, high: float) -> None:
        """Add low <= sum of terms <= high; where both are equal they get a little room."""
        room = ROOM if high - low < ROOM else 0.0
        self.at_most(terms, high + room)
        self.at_most({column: -value for column, value in terms.items()}, room - low)

    def solve(self, rounds: int = ROUNDS) -> Optimum | None:
        """Return the optimum, None where the rows contradict each other."""
        start, cols = np.array(self._start, np.int64), np.array(self._cols, np.int64)
        x, value, found = _linear_kernels.maximise(
            start,
            cols,
            np.array(self._vals),
            np.array(self._rhs),
            np.array(self.costs),
            np.array(self.guess),
            self.border,
            self._width(start, cols),
            rounds,
        )
        return Optimum(columns=x, value=value) if found else None

    def _width(self, start: npt.NDArray[np.int64], cols: npt.NDArray[np.int64]) -> int:
        """Return how far the columns of a row lie apart at most, the border left out."""
        inner = np.where(cols < self.border, len(self.costs), cols)
        low = np.minimum.reduceat(inner, start[:-1])
        high = np.maximum.reduceat(np.where(cols < self.border, -1, cols), start[:-1])
        return int(max(0, (high - low)[high >= 0].max(initial=0)))
