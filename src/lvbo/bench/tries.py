# SPDX-License-Identifier: Apache-2.0
"""Tries of controllers on seeds that are never judged, and the search for their best setting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lvbo.bench.kept import Kept
from lvbo.codec import digest
from lvbo.control.protocols import Order
from lvbo.control.registry import ControllerSpec
from lvbo.errors import LvboError
from lvbo.evaluation.measures import measure
from lvbo.ids import ControllerId
from lvbo.io.scenario import Scenario
from lvbo.project.trial import robust_delay
from lvbo.signal.plan import Plan
from lvbo.simulation.controlled import BY_PHASE, Controlling
from lvbo.simulation.runs import Run
from lvbo.simulation.sensing import Sensing
from lvbo.simulation.simulate import Conduct, simulate_controlled

Plans = Mapping[ControllerId, Plan]
Setting = Mapping[str, object]
FIXED = "fixed"
HOPELESS_S = 1e6
"""Stands for the delay of a setting that cannot run."""


class OutOfTimeError(Exception):
    """The time of the bench is over; what was tried so far is kept."""


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """A row of the table as it runs: the controller with its parameters, the plans in force.

    `setting` says what was chosen for it.
    """

    spec: ControllerSpec
    plans: Plans = field(default_factory=dict)
    setting: str = ""

    @property
    def digest(self) -> str:
        """Return what names this entrant among others."""
        return digest((self.spec, sorted(self.plans.items())))


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What all runs of one scenario share; `code` and `options` name it in the cache."""

    scenario: Scenario
    order: Order
    sensing: Sensing
    conduct: Conduct
    workers: int
    kept: Kept
    code: str
    options: tuple[object, ...] = ()
    ends: float | None = None

    def delay(self, entrant: Entrant, seeds: Sequence[int]) -> float:
        """Return the delay of an entrant over some seeds, s/veh, a bad seed counting double.

        Raises:
            OutOfTimeError: where it was not tried before and the time is over.

        """
        tried = ("try", *self.told(entrant), tuple(seeds))
        key = self.kept.key(self.code, self.scenario, *tried)
        known = self.kept.read(key)
        if known is not None:
            return float(str(known["delay_s"]))
        if self.ends is not None and time.monotonic() > self.ends:
            raise OutOfTimeError
        delay = self._run(entrant, seeds)
        if delay < HOPELESS_S:
            self.kept.write(key, {"delay_s": delay})
        return delay

    def told(self, entrant: Entrant) -> tuple[object, ...]:
        """Return all that decides a run of an entrant beside code, scenario and seed.

        Plans are let through by phase whatever the stage order; fixed ones look at nothing.
        """
        order = "" if entrant.spec.name in BY_PHASE else self.order
        sensing = "" if entrant.spec.name == FIXED else self.sensing
        return entrant.digest, order, sensing, *self.options

    def _run(self, entrant: Entrant, seeds: Sequence[int]) -> float:
        try:
            runs = self.runs(entrant, seeds)
        except LvboError:
            return HOPELESS_S
        network = self.scenario.network
        return robust_delay(tuple(measure(run, network).delay_s for run in runs))

    def runs(self, entrant: Entrant, seeds: Sequence[int]) -> tuple[Run, ...]:
        """Return one run per seed under an entrant.

        Raises:
            ToolError: LV600 where SUMO is missing, LV601 or LV603 where it broke off.

        """
        controlling = Controlling(
            spec=entrant.spec, order=self.order, sensing=self.sensing, plans=entrant.plans
        )
        made = simulate_controlled(
            self.scenario, controlling, seeds=seeds, conduct=self.conduct, workers=self.workers
        )
        return made.runs


def descend(options: Mapping[str, Sequence[object]], cost: Callable[[Setting], float]) -> Setting:
    """Return the setting of least cost found by changing one option at a time, in their order.

    It starts from the first value of each; an equal cost changes nothing.
    """
    best = {name: values[0] for name, values in options.items()}
    least = cost(best)
    for name, values in options.items():
        for value in values[1:]:
            tried = {**best, name: value}
            found = cost(tried)
            if found < least:
                best, least = tried, found
    return best
