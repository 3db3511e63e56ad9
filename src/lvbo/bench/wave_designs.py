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
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.offsets import best_offsets
from lvbo.optimize.search import Objective
from lvbo.progression.advice import advise, wave_traits
from lvbo.progression.coordinate import Street, coordinate
from lvbo.progression.linkbands import WaveModel
from lvbo.progression.wave import Wave, WaveSettings
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.plans import Group, Volumes, controller_models, period_volumes, time_plans

LVBO, MAXBAND, MULTIBAND, AMBAND = "lvbo", "maxband", "multiband", "amband"
DELAY, UNSET = "delay", "unset"
MODELS: Mapping[str, str] = {
    LVBO: "ours",
    MAXBAND: "baseline",
    MULTIBAND: "ours",
    AMBAND: "ours",
    DELAY: "baseline",
    UNSET: "baseline",
}
"""All models by their fixed names: our default; bands through all signals, of the links, uneven
ones of the links, each left as solved; offsets of least delay; offsets as no one set them."""
PURE = WaveSettings(may_reorder=False, cut_delay=False)
SETTINGS: Mapping[str, WaveSettings] = {
    LVBO: WaveSettings(may_reorder=False),
    MAXBAND: PURE,
    MULTIBAND: replace(PURE, model=WaveModel.MULTIBAND),
    AMBAND: replace(PURE, model=WaveModel.AMBAND),
}
"""The stage orders stay, for offsets alone are judged."""
LEAST_DELAY = Objective(stop_s=0.0, spill_s=0.0)


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


def wave_plans(ground: Ground, model: str) -> PlanSet:
    """Return the plans with the offsets of a model; cycles, greens and stage orders stay."""
    made: Mapping[str, Callable[[Ground], PlanSet]] = {
        DELAY: _least_delay,
        UNSET: lambda ground: ground.plans,
    }
    if model in made:
        return made[model](ground)
    return _wave(ground, model).plans


def _wave(ground: Ground, model: str) -> Wave:
    street = Street(network=ground.network, demand=ground.demand, speeds_mps=ground.speeds_mps)
    return coordinate(ground.corridor, ground.plans, street=street, settings=SETTINGS[model])


def _least_delay(ground: Ground) -> PlanSet:
    """Return the offsets of least delay of all traffic at the signals of the street."""
    along = set(ground.corridor.controllers)
    models = {
        m.controller.id: m
        for m in controller_models(ground.network, ground.demand, ground.volumes)
        if m.controller.id in along
    }
    judge = AreaJudge(ground.network, models, ground.volumes, ground.speeds_mps)
    running = ground.plans.running(ground.day.day_type, 0)
    own = {c: running[c] for c in models}
    return ground.plans.with_plans(best_offsets(judge, own, LEAST_DELAY).values())


def facts(ground: Ground) -> dict[str, object]:
    """Return what the street is like, its cycle, and the model that the program advises."""
    wave = _wave(ground, LVBO).periods[0]
    traits = wave_traits(wave, ground.corridor, ground.network, ground.demand, ground.volumes)
    return {
        **{name: round(value, 3) for name, value in asdict(traits).items()},
        "cycle_s": wave.cycle_s,
        "advised": str(advise(traits, ground.corridor.name).model),
    }
