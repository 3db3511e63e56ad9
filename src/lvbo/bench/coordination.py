# SPDX-License-Identifier: Apache-2.0
"""The coordination bench: a green wave run fixed, kept by the adaptive controller, and given up.

Plans are designed from counts; demand is scaled until the busiest signal of the street has the
degree of saturation asked for, the plans staying as they are. Countdowns that show whole greens are
exchanged, for all alike, for such as show the last seconds, or are switched off as streets do that
run adaptively.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from lvbo.bench.common import BenchResult, Progress, Row, machine_load, used_versions
from lvbo.bench.tries import FIXED
from lvbo.city.build import pilot_folder
from lvbo.control.protocols import Order
from lvbo.control.registry import ControllerSpec
from lvbo.control.site import PROTECTED, read_site
from lvbo.control.supervisor import MOVED, NONE_OF_IT, Supervision
from lvbo.control.walks import with_walks
from lvbo.control.windows import coordinations
from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.demand.saturation import saturations
from lvbo.demand.speeds import platoon_speeds
from lvbo.errors import UsageError
from lvbo.evaluation.corridors import Way, measure_corridor
from lvbo.evaluation.intervals import interval
from lvbo.evaluation.measures import measure
from lvbo.evaluation.windows import windows_kept
from lvbo.ids import LaneId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.plan_area import AreaOrder, plan_area
from lvbo.progression.wave import Wave, WaveSettings
from lvbo.project.line import link_speeds
from lvbo.signal.lamp import Countdown
from lvbo.signal.plan import Plan
from lvbo.signal.rules import Controller
from lvbo.signal.schedule import DayPlan, Period
from lvbo.simulation.controlled import SHOWS_GREENS, Controlling
from lvbo.simulation.count import count_scenario
from lvbo.simulation.runs import Run
from lvbo.simulation.sensing import parse_sensing
from lvbo.simulation.simulate import Conduct, simulate_controlled
from lvbo.timing.plans import controller_models, mean_volumes

WAVE, KEPT, LED, FREE = "wave", "kept", "supervised", "free"
WAYS = (WAVE, KEPT, LED, FREE)
"""The plans run fixed; the adaptive controller in the windows of the wave, always or as far as the
supervisor keeps, moves and meters; and without them."""
JUDGED = "lvbo"
PERIOD = "all"
SETTINGS = WaveSettings(speed_low=0.62, speed_high=0.85, clear_queues=False, least_share=1.0)
"""As wide a range of speeds as practice allows: two bands where there is room for two, all kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinationBench:
    """What is run: degrees of saturation, seeds, sensing; `corridor` by name, else the longest.

    `countdown` is what displays of whole greens, below which nothing but plans can run, show
    instead; `none` is a display that is switched off.
    """

    saturations: tuple[float, ...] = (0.5, 0.7, 0.85, 0.9)
    seeds: int = 3
    first_seed: int = 0
    sensing: str = "loops"
    order: Order = Order.SKIP
    corridor: str = ""
    countdown: Countdown = Countdown.LAST_SECONDS
    workers: int = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class _Street:
    """A scenario with the wave of its street, and demand by degree of saturation."""

    scenario: Scenario
    corridor: Corridor
    wave: Wave
    demands: tuple[tuple[float, float], ...]


def run_coordination(
    scenarios: Sequence[Path | str] | None = None,
    *,
    bench: CoordinationBench | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Return one row per scenario, degree of saturation, way to run the wave, and seed.

    Raises:
        UsageError: LV743 for no seeds, LV740 for unknown sensing.
        InputError: where a scenario cannot be read, or has no street to coordinate.
        ToolError: LV600 where SUMO is missing.

    """
    chosen = bench or CoordinationBench()
    parse_sensing(chosen.sensing)
    paths = scenarios or [pilot_folder() / "yuci.demo.sumocfg"]
    if chosen.seeds < 1 or not chosen.saturations:
        raise UsageError("LV743", place="-", known="-", seeds=chosen.seeds, scenarios=len(paths))
    streets = [_street(read_scenario(path), chosen) for path in paths]
    parts = [(s, x, scale, way) for s in streets for x, scale in s.demands for way in WAYS]
    rows: list[Row] = []
    for done, (street, x, scale, way) in enumerate(parts):
        if progress is not None:
            progress(f"{street.scenario.name} {way}", done / len(parts))
        rows += _rows(street, x, scale, way, chosen)
    return BenchResult(
        bench="coordination",
        versions=used_versions(),
        load=machine_load(),
        rows=tuple(rows),
        summary={s.scenario.name: _summary(s, rows) for s in streets},
    )


# the street and its wave -----------------------------------------------------------------------


def _street(read: Scenario, bench: CoordinationBench) -> _Street:
    network = _counting(with_walks(read.network), bench.countdown)
    scenario = replace(read, network=network)
    corridors = sorted(network.corridors, key=lambda c: (-c.length_m, c.name))
    corridor = network.corridor(bench.corridor) if bench.corridor else corridors[0]
    counts = count_scenario(scenario, workers=bench.workers)
    demand = estimate_demand(network, counts, plans=scenario.plans)
    day = DayPlan(
        day_type=scenario.plans.day_plans[0].day_type,
        periods=(Period(start_s=0, end_s=0, name=PERIOD),),
    )
    order = AreaOrder(
        corridors=(corridor,),
        settings=SETTINGS,
        speeds_mps={**platoon_speeds(counts), **link_speeds(scenario)},
    )
    (wave,) = plan_area(network, demand, (day,), order).waves
    at_one = _saturation(wave, scenario, demand)
    return _Street(
        scenario=scenario,
        corridor=corridor,
        wave=wave,
        demands=tuple((x, round(x / at_one, 3)) for x in bench.saturations),
    )


def _counting(network: Network, countdown: Countdown) -> Network:
    """Return the network with this countdown where displays show whole greens."""
    return replace(
        network,
        controllers=tuple(
            replace(c, rules=replace(c.rules, countdown=countdown))
            if c.rules.countdown in SHOWS_GREENS
            else c
            for c in network.controllers
        ),
    )


def _saturation(wave: Wave, scenario: Scenario, demand: Demand) -> float:
    """Return the degree of saturation of the busiest lane of the street under the demand counted.

    Lanes that only ever yield are left out: their capacity is another question.
    """
    network, volumes = scenario.network, mean_volumes(demand)
    plans = wave.plans.running(wave.plans.day_plans[0].day_type, 0)
    flows = {s.lane: s.flow_vph for s in saturations(network, demand.saturations)}
    own, most = set(wave.corridor.controllers), 0.0
    for model in controller_models(network, demand, volumes):
        if model.controller.id not in own:
            continue
        share = _green_shares(network, model.controller, plans[model.controller.id])
        for lane, vph in zip(model.lanes, model.lane_volumes(volumes), strict=True):
            if share.get(lane):
                most = max(most, float(vph) / (flows[lane] * share[lane]))
    return most


def _green_shares(network: Network, controller: Controller, plan: Plan) -> dict[LaneId, float]:
    """Return the share of the cycle in which each lane goes with priority."""
    site = read_site(network, controller)
    greens = np.array([plan.green_ds(phase) for phase in site.phases]) / plan.cycle_ds
    first = (site.serves == PROTECTED)[:, None, :] & site.uses[None]
    best = np.where(first.any(axis=2), greens[:, None], 0.0).max(axis=0, initial=0.0)
    return dict(zip(site.lanes, best.tolist(), strict=True))


# runs ------------------------------------------------------------------------------------------


def _rows(
    street: _Street, x: float, scale: float, way: str, bench: CoordinationBench
) -> Iterator[Row]:
    scenario = street.scenario
    options = dict(scenario.options) | {"scale": f"{scale:g}"}
    scaled = replace(scenario, options=tuple(options.items()))
    day_type = street.wave.plans.day_plans[0].day_type
    controlling = Controlling(
        spec=ControllerSpec(name=FIXED if way == WAVE else JUDGED),
        order=bench.order,
        sensing=parse_sensing(bench.sensing),
        plans=street.wave.plans.running(day_type, 0),
        waves=(street.wave,) if way in {KEPT, LED} else (),
        supervision=Supervision() if way == LED else NONE_OF_IT,
        day_type=day_type,
    )
    seeds = range(bench.first_seed, bench.first_seed + bench.seeds)
    runs = simulate_controlled(
        scaled, controlling, seeds=seeds, conduct=Conduct(name="bench"), workers=bench.workers
    )
    for run in runs.runs:
        yield _row(street, x, scale, way, bench, run)


def _row(
    street: _Street, x: float, scale: float, way: str, bench: CoordinationBench, run: Run
) -> Row:
    network = street.scenario.network
    m = measure(run, network)
    ways = {w.way: w for w in measure_corridor(run, street.corridor, network)}
    along = ways.get(Way.BOTH) or next(iter(ways.values()))
    designed = coordinations(street.corridor, street.wave.periods[0])
    kept = windows_kept(run, network, designed, _moved_s(run))
    facts = run.controlled
    return {
        "scenario": street.scenario.name,
        "corridor": street.corridor.name,
        "countdown": str(bench.countdown),
        "controller": way,
        "x": x,
        "demand": scale,
        "seed": run.seed,
        "delay_s": m.delay_s,
        "corridor_stops_per_km": along.stops_per_km,
        "corridor_median_s": along.travel_median_s,
        "windows": kept.windows,
        "windows_kept": kept.kept_share,
        "green_share": kept.green_share,
        "unfinished": m.unfinished,
        "lamp_violations": m.lamp_violations,
        "locks": facts.locks if facts else None,
        "locked_at": facts.first_locked if facts else None,
        "rules_fired": facts.rules_fired if facts else None,
    }


def _moved_s(run: Run) -> float:
    """Return when the wave was moved first; from then on its windows are not those designed."""
    told = run.decisions
    moves = [] if told is None else told.filter(pl.col("code") == MOVED)["second"].to_list()
    return float(min(moves, default=float("inf")))


def _summary(street: _Street, rows: Sequence[Row]) -> dict[str, object]:
    """Return by degree of saturation delay and stops of the kept wave over the fixed one, %."""
    return {
        f"x {x:g}": {
            f"{way}: {what}": _change(street.scenario.name, x, way, what, rows)
            for way in (KEPT, LED, FREE)
            for what in ("delay_s", "corridor_stops_per_km")
        }
        for x, _ in street.demands
    }


def _change(name: str, x: float, way: str, what: str, rows: Sequence[Row]) -> dict[str, object]:
    """Return the paired change against the wave run fixed, with its interval, %."""
    found = {
        w: [
            float(str(row[what]))
            for row in rows
            if (row["scenario"], row["x"], row["controller"]) == (name, x, w)
            and row[what] is not None
        ]
        for w in (WAVE, way)
    }
    before, after = found[WAVE], found[way]
    mean = float(np.mean(before))
    change = [100 * (b - a) / mean for a, b in zip(before, after, strict=True)]
    return asdict(interval(change))
