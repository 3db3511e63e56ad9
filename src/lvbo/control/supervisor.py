# SPDX-License-Identifier: Apache-2.0
"""What each signal of a street shall keep of its green wave now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lvbo.control.protocols import Coordination
from lvbo.control.windows import coordinations, joined
from lvbo.ids import ControllerId
from lvbo.progression.wave import PeriodWave, Wave
from lvbo.signal.schedule import DAY_S, PlanSet


class Supervisor:
    """Say who keeps which windows; the waves are those of the time of day."""

    def __init__(self, waves: Sequence[Wave], day_type: str) -> None:
        self._waves = tuple(waves)
        self._day_type = day_type
        self._period = ""
        self._kept: Mapping[ControllerId, Coordination] = {}

    def step(self, now_s: int) -> None:
        """Take up the waves of this second."""
        period = _period(self._waves[0].plans, self._day_type, now_s) if self._waves else ""
        if period != self._period:
            self._period = period
            self._kept = joined(
                coordinations(wave.corridor, own)
                for wave in self._waves
                for own in _of_period(wave, self._day_type, period)
            )

    def keep(self, name: ControllerId) -> Coordination | None:
        """Return what a site shall keep now."""
        return self._kept.get(name)


def _period(plans: PlanSet, day_type: str, now_s: int) -> str:
    return plans.day_plan(day_type).at(now_s % DAY_S).name


def _of_period(wave: Wave, day_type: str, period: str) -> list[PeriodWave]:
    return [w for w in wave.periods if (w.day_type, w.period) == (day_type, period)]
