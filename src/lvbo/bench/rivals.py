# SPDX-License-Identifier: Apache-2.0
"""Who competes in the control bench, each set as an expert would set it, on seeds never judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lvbo.bench.ownplans import SHIPPED, best_plans, free_seeds, street_plans
from lvbo.bench.tries import FIXED, Entrant, Ground, Plans, Setting, descend
from lvbo.control.registry import ControllerSpec, family
from lvbo.simulation.sensing import Eye

JUDGED = "lvbo"
PLANNED = "planned"
COMPETITORS = (
    FIXED,
    PLANNED,
    "cyclic",
    "actuated",
    "coordinated",
    "max_pressure",
    "greedy",
    "position",
    "greedy@10",
    "position@10",
    "max_pressure@10",
    JUDGED,
)
"""Who competes where nobody is named, in the order of the table."""
TUNED_FROM, TUNED_ON = 900, 2
"""Settings are chosen on so many seeds from here on that are not judged."""

Options = Mapping[str, Sequence[object]]

PLAN = "plan"
OWN = "own"
OPTIONS: Mapping[str, Options] = {
    "actuated": {
        "watch": ("all", "protected"),
        "gap_s": (2.0, 1.0, 3.0, 4.0),
        "zone_m": (35.0, 25.0, 45.0),
        PLAN: (SHIPPED, OWN),
        "stretch": (1.3, 1.0, 1.6),
    },
    "coordinated": {
        PLAN: (OWN, SHIPPED),
        "watch": ("all", "protected"),
        "early_s": (6, 0, 20, 120),
        "force": ("fixed", "floating"),
        "gap_s": (2.0, 3.0),
    },
    "cyclic": {PLAN: (OWN, SHIPPED), "street": (True, False), "cycle_s": (4, 0)},
}
"""What is tried for each, the usual value first. Gaps are looked at once a second: of 1.0 s a
green ends at the second look that finds nobody, of 2.0 and 2.5 s at the third."""


def plain_name(name: str) -> str:
    """Return the controller that a row runs, without its clock."""
    plain = name.partition("@")[0]
    return FIXED if plain == PLANNED else plain


def row_family(name: str) -> str:
    """Return the family of a row."""
    return family(plain_name(name))


@dataclass(kw_only=True)
class Rivals:
    """Set up the entrants of one scenario; the best plans are sought once, when first needed.

    `best` are their name and the plans; `judged` the seeds that are left alone.
    """

    ground: Ground
    judged: Sequence[int]
    with_plans: bool = True
    best: tuple[str, Plans] | None = None

    def entrant(self, name: str) -> Entrant:
        """Return the row of this name as it runs.

        Raises:
            InfeasibleError: LV604 where a programme cannot be made to keep the rules.
            OutOfTimeError: where the time of the bench is over.

        """
        plain, _, clock = name.partition("@")
        params = (("clock_s", int(clock)),) if clock else ()
        if plain == PLANNED:
            label, plans = self._best_plans()
            spec = ControllerSpec(name=FIXED, params=params)
            return Entrant(spec=spec, plans=plans, setting=f"plan={label}")
        if plain in OPTIONS:
            return self._tuned(plain, params)
        plans = street_plans(self.ground.scenario) if self.with_plans or plain == FIXED else {}
        setting = f"plan={SHIPPED}" if plain == FIXED else ""
        return Entrant(spec=ControllerSpec(name=plain, params=params), plans=plans, setting=setting)

    def _best_plans(self) -> tuple[str, Plans]:
        if self.best is None:
            self.best = best_plans(self.ground, self.judged)
        return self.best

    def _tuned(self, name: str, params: tuple[tuple[str, object], ...]) -> Entrant:
        """Return a controller with the setting that did best on seeds that are not judged."""
        seeds = free_seeds(TUNED_FROM, TUNED_ON, self.judged)
        best = descend(
            self.options(name),
            lambda setting: self.ground.delay(self.made(name, params, setting), seeds),
        )
        return self.made(name, params, best)

    def options(self, name: str) -> Options:
        """Return what makes a difference here of what is tried for a controller."""
        found = dict(OPTIONS[name])
        if self._best_plans()[1] == street_plans(self.ground.scenario):
            found[PLAN] = (SHIPPED,)
        if self.ground.sensing.eye is Eye.LOOPS and "zone_m" in found:
            found["zone_m"] = found["zone_m"][:1]
        if len(self.ground.scenario.network.controllers) == 1 and "street" in found:
            found["street"] = (False,)
        return found

    def made(self, name: str, params: tuple[tuple[str, object], ...], setting: Setting) -> Entrant:
        """Return a controller with a setting; `plan` in it says which plans are in force."""
        label, plans = self._best_plans()
        if setting[PLAN] == SHIPPED:
            label, plans = SHIPPED, street_plans(self.ground.scenario)
        chosen = tuple((key, value) for key, value in setting.items() if key != PLAN)
        told = " ".join([f"plan={label}", *(f"{key}={value}" for key, value in chosen)])
        spec = ControllerSpec(name=name, params=(*params, *chosen))
        return Entrant(spec=spec, plans=plans, setting=told)
