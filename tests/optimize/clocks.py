# SPDX-License-Identifier: Apache-2.0
"""A clock for tests of deadlines."""

from __future__ import annotations


class Ticking:
    """A clock that goes on by a second whenever somebody looks at it."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> float:
        """Return how often it was looked at before."""
        self.looks += 1
        return float(self.looks - 1)
