# SPDX-License-Identifier: Apache-2.0
"""SUMO's delays of plans on one grid, micro and meso, kept so that no run is made twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lvbo.bench.fast import Plans
from lvbo.bench.grids import Grid
from lvbo.bench.kept import DESIGN_ROOMS, Kept, code_digest
from lvbo.bench.plan_samples import Sample, Sampling, sample_plans
from lvbo.codec import digest, from_plain, to_plain
from lvbo.errors import LvboError
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import states
from lvbo.signal.schedule import one_period
from lvbo.simulation import plain
from lvbo.simulation.sumo import sumo_version
from lvbo.simulation.tools import adapt_with_sumo

SEED, OTHER_SEED = 0, 1
ADAPTED, COORDINATED = "sumo-adapted", "sumo-coordinated"

Tell = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class Referee:
    """Runs plans on a grid in SUMO, several at once."""

    scenario: Scenario
    kept: Kept
    workers: int = 2

    def delays_vehs(
        self, plans: Sequence[Plans], tell: Tell, *, seed: int = SEED, mesoscopic: bool = False
    ) -> list[float]:
        """Return the delay of each set of plans in the window; `tell` is told the share done."""
        found: list[float] = []
        with ThreadPoolExecutor(max_workers=max(1, self.workers)) as pool:
            for delay_vehs in pool.map(
                lambda one: self._delay(one, seed, mesoscopic=mesoscopic), plans
            ):
                found.append(delay_vehs)
                tell(len(found) / len(plans))
        return found

    def _delay(self, plans: Plans, seed: int, *, mesoscopic: bool) -> float:
        scenario = self.scenario
        given = digest(
            [(c, p.offset_ds, states(p, scenario.network)) for c, p in sorted(plans.items())]
        )
        told = ("plain", given, seed, mesoscopic, scenario.warm_up_s)
        key = self.kept.key(_code(), scenario, *told)
        known = self.kept.read(key)
        if known is not None:
            return float(str(known["delay_vehs"]))
        run = plain.run_plain(
            scenario, one_period(plans.values()), seed=seed, mesoscopic=mesoscopic
        )
        self.kept.write(key, {"delay_vehs": run.delay_vehs})
        return run.delay_vehs


def _code() -> str:
    """Return what names SUMO and the measure: a run depends on no other code of ours."""
    measure = hashlib.sha256(Path(plain.__file__).read_bytes()).hexdigest()
    return f"{sumo_version()} {measure}"


def samples_of(grid: Grid, count: int, kept: Kept, tell: Tell) -> tuple[Sample, ...]:
    """Return the plans that are ranked on a grid, SUMO's own among them, made once and kept."""
    key = kept.key(code_digest(DESIGN_ROOMS), grid.scenario, "samples", count)
    known = kept.read(key)
    if known is not None:
        return from_plain(tuple[Sample, ...], known["samples"])
    sampling = Sampling(count=count, others=dict(_by_sumo(grid.scenario)))
    made = sample_plans(grid.network, grid.demand, sampling, progress=tell)
    kept.write(key, {"samples": to_plain(made)})
    return made


def _by_sumo(scenario: Scenario) -> Iterable[tuple[str, Plans]]:
    """Yield what SUMO's planners propose for the grid's traffic, where they do."""
    found = adapt_with_sumo(scenario)
    for name, plans in (
        (ADAPTED, found.cycle_adaptation),
        (COORDINATED, found.cycle_adaptation_coordinated),
    ):
        if not isinstance(plans, LvboError):
            yield name, plans.running(plans.day_plans[0].day_type, 0)
