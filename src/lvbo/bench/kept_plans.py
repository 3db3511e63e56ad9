# SPDX-License-Identifier: Apache-2.0
"""Plans that were made for a bench and runs that judged them, kept in a folder between calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lvbo.bench.kept import DESIGN_ROOMS, Kept, code_digest
from lvbo.codec import digest, from_plain, to_plain
from lvbo.errors import LvboError
from lvbo.evaluation.measures import Measures
from lvbo.io.scenario import Scenario
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.controls import Control

ALL_ROOMS = (*DESIGN_ROOMS, "optimize", "project")
"""The rooms whose code decides what plans are entered."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One controller of one scenario: its plans, or why there are none."""

    controller: str
    plans: PlanSet | None
    control: Control = Control.FIXED
    kept: bool = False
    failed: LvboError | None = None
    cpu_s: float | None = None


class KeptPlans:
    """Hold a scenario and what was made and run on it before with the same code and files.

    Without a folder nothing is kept. What failed is never kept.
    """

    def __init__(self, folder: Path | None, scenario: Scenario) -> None:
        self.scenario = scenario
        self._kept = Kept(folder)

    def entries(self, what: str, make: Callable[[], dict[str, Entry]]) -> dict[str, Entry]:
        """Return entries made before under a name, else those that are made now."""
        key = self._kept.key(code_digest(ALL_ROOMS), self.scenario, "entries", what)
        known = self._kept.read(key)
        if known is not None:
            return {name: _entry(name, held) for name, held in known.items()}
        made = make()
        if all(entry.failed is None for entry in made.values()):
            self._kept.write(key, {name: _plain(entry) for name, entry in made.items()})
        return made

    def measures(
        self,
        entry: Entry,
        seeds: Sequence[int],
        make: Callable[[Sequence[int]], Sequence[Measures]],
    ) -> tuple[Measures, ...]:
        """Return what runs of an entry gave, one a seed; those that are not known are made now."""
        plans = None if entry.plans is None else digest(_bare(entry.plans))
        told = code_digest(), self.scenario, "runs", plans, str(entry.control)
        keys = {seed: self._kept.key(*told, seed) for seed in seeds}
        read = {seed: self._kept.read(key) for seed, key in keys.items()}
        found = {seed: from_plain(Measures, row) for seed, row in read.items() if row is not None}
        missing = [seed for seed in seeds if seed not in found]
        for own in make(missing) if missing else ():
            found[own.seed] = own
            self._kept.write(keys[own.seed], asdict(own))
        return tuple(found[seed] for seed in seeds)


def _plain(entry: Entry) -> dict[str, object]:
    plans = None if entry.plans is None else to_plain(_bare(entry.plans))
    return {"plans": plans, "kept": entry.kept, "cpu_s": entry.cpu_s}


def _entry(name: str, held: object) -> Entry:
    told: Mapping[str, object] = held if isinstance(held, dict) else {}
    plans, cpu_s = told.get("plans"), told.get("cpu_s")
    return Entry(
        controller=name,
        plans=None if plans is None else from_plain(PlanSet, plans),
        kept=told.get("kept") is True,
        cpu_s=cpu_s if isinstance(cpu_s, float) else None,
    )


def _bare(plans: PlanSet) -> PlanSet:
    """Return the plans without what was found on the way: findings have no plain form."""
    return replace(plans, findings=())
