# SPDX-License-Identifier: Apache-2.0
"""One street, the same cycle and greens, and the offsets of each model of a green wave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.demand.speeds import platoon_speeds
from lvbo.detection.counts import Counts
from lvbo.ids import LinkId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.optimize.executor import open_runner
from lvbo.progression.advice import advise, wave_traits
from lvbo.progression.coordinate import Street, coordinate
from lvbo.progression.linkbands import WaveModel
from lvbo.progression.wave import Wave, WaveSettings
from lvbo.project.steps import Progress
from lvbo.project.wave_rule import WaveTrial
from lvbo.project.wave_trial import Trying, least_delay, try_wave
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.plans import Group, Volumes, period_volumes, time_plans

LVBO, UNTRIED, MAXBAND = "lvbo", "untried", "maxband"
MULTIBAND, AMBAND, DELAY, UNSET = "multiband", "amband", "delay", "unset"
MODELS: Mapping[str, str] = {
    LVBO: "ours",
    UNTRIED: "ours",
    MAXBAND: "baseline",
    MULTIBAND: "ours",
    AMBAND: "ours",
    DELAY: "baseline",
    UNSET: "baseline",
}
"""All models by their fixed names: our default, tried out on traffic fitted to the counts, and what
it would be untried; bands through all signals, of the links, uneven ones of the links, each left as
solved; offsets of least delay; offsets as no one set them."""
PURE = WaveSettings(may_reorder=False, cut_delay=False)
SETTINGS: Mapping[str, WaveSettings] = {
    UNTRIED: WaveSettings(may_reorder=False),
    MAXBAND: PURE,
    MULTIBAND: replace(PURE, model=WaveModel.MULTIBAND),
    AMBAND: replace(PURE, model=WaveModel.AMBAND),
}
"""The stage orders stay, for offsets alone are judged."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every model is given of one street: the network, what was counted, the greens."""

    network: Network
    corridor: Corridor
    demand: Demand
    speeds_mps: Mapping[LinkId, float]
    plans: PlanSet

    @property
    def day(self) -> DayPlan:
        """Return the only day, of one period."""
        return self.plans.day_plans[0]

    @property
    def volumes(self) -> Volumes:
        """Return the mean volume of each movement."""
        return period_volumes(self.demand, self.day.day_type, self.day.periods[0])


def prepare(
    network: Network,
    corridor: Corridor,
    counts: Counts,
    installed: PlanSet,
    speeds_mps: Mapping[LinkId, float],
) -> Ground:
    """Return a street with new greens from counts: one cycle along it, each other signal alone."""
    demand = estimate_demand(network, counts, plans=installed)
    day_type = installed.day_plans[0].day_type
    days = (DayPlan(day_type=day_type, periods=(Period(start_s=0, end_s=0, name="all"),)),)
    along = set(corridor.controllers)
    others = tuple(Group(controllers=(c.id,)) for c in network.controllers if c.id not in along)
    groups = (Group(controllers=corridor.controllers), *others)
    return Ground(
        network=network,
        corridor=corridor,
        demand=demand,
        speeds_mps={**platoon_speeds(counts), **speeds_mps},
        plans=time_plans(network, demand, days, groups=groups),
    )


def tried_plans(
    ground: Ground, trying: Trying, *, workers: int = 1, tell: Progress | None = None
) -> tuple[PlanSet, WaveTrial | None]:
    """Return the plans of our default, tried out on traffic fitted to the counts, and the trial."""
    with open_runner(workers) as runner:
        made = try_wave(
            ground.corridor,
            ground.plans,
            _street(ground),
            trying,
            settings=SETTINGS[UNTRIED],
            runner=runner,
            tell=tell,
        )
    return made.wave.plans, next(iter(made.trials), None)


def wave_plans(ground: Ground, model: str) -> PlanSet:
    """Return the plans with the offsets of a model that is not tried out.

    Cycles, greens and stage orders stay.
    """
    made: Mapping[str, Callable[[Ground], PlanSet]] = {
        DELAY: _least_delay,
        UNSET: lambda ground: ground.plans,
    }
    if model in made:
        return made[model](ground)
    return _wave(ground, model).plans


def _wave(ground: Ground, model: str) -> Wave:
    street = _street(ground)
    return coordinate(ground.corridor, ground.plans, street=street, settings=SETTINGS[model])


def _street(ground: Ground) -> Street:
    return Street(network=ground.network, demand=ground.demand, speeds_mps=ground.speeds_mps)


def _least_delay(ground: Ground) -> PlanSet:
    """Return the offsets of least delay of all traffic at the signals of the street."""
    running = ground.plans.running(ground.day.day_type, 0)
    own = {c: running[c] for c in ground.corridor.controllers}
    made = least_delay(ground.network, ground.demand, ground.volumes, own, ground.speeds_mps)
    return ground.plans.with_plans(made.values())


def told(trial: WaveTrial | None) -> dict[str, object]:
    """Return what a trial found: what the model prefers, what was chosen, delays and stops."""
    if trial is None:
        return {}
    return {
        "preferred": trial.preferred,
        "chosen": trial.best,
        "tried": {
            own.name: {
                "delay_s": round(own.delay_s, 2),
                "stops_per_km": round(own.stops_per_km, 3),
                "runs": len(own.runs),
            }
            for own in trial.tried
        },
    }


def facts(ground: Ground) -> dict[str, object]:
    """Return what the street is like, its cycle, and the model that the program advises."""
    wave = _wave(ground, UNTRIED).periods[0]
    traits = wave_traits(wave, ground.corridor, ground.network, ground.demand, ground.volumes)
    return {
        **{name: round(value, 3) for name, value in asdict(traits).items()},
        "cycle_s": wave.cycle_s,
        "advised": str(advise(traits, ground.corridor.name).model),
    }
