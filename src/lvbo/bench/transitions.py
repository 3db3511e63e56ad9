# SPDX-License-Identifier: Apache-2.0
"""The bench of transitions: what changing plans costs in SUMO, beside what was predicted.

On generated streets, of which volumes are known and the discharge of lanes is counted, one wave
gives way to another of another cycle. Each way into step runs through the gate on the same vehicles
and seeds; beside them runs what no controller can do, the new plans in step from the second of the
change. What a way costs more than that is its damage. Then the last section of each street fills,
with and without the red wave that was planned for it (`red_waves`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lvbo.bench.arteries import ARTERIES, Artery, make_artery
from lvbo.bench.common import BenchResult, Progress, Row, machine_load, part_of, used_versions
from lvbo.bench.grids import Grid, counted
from lvbo.bench.red_waves import FILLED_S, FULL_BY_S, plan_red_wave, red_rows
from lvbo.bench.transition_rows import TRANSITION, row
from lvbo.bench.transition_summary import summary
from lvbo.bench.wave_designs import SETTINGS, UNTRIED
from lvbo.control.site import read_site
from lvbo.control.transition import QUICKEST, Course, Moment, passages, played
from lvbo.demand.demand import Demand
from lvbo.errors import UsageError
from lvbo.ids import ControllerId, PlanId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import write_sumo_plans
from lvbo.network.corridor import Corridor
from lvbo.progression.coordinate import Street, coordinate
from lvbo.project.transition import plan_transition
from lvbo.project.transition_cost import HORIZON_S, WARM_S, Damage, Judge
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet
from lvbo.signal.transition import Switch, Transition, TransitionRule
from lvbo.simulation.runs import Run
from lvbo.simulation.simulate import Conduct, simulate
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import Group, time_plans

CHOSEN, AT_ONCE = "chosen", "at_once"
METHODS: tuple[str, ...] = (*Transition, CHOSEN)
"""The ways that are judged: each controller by one way in its usual bounds, and the choice."""
BEFORE, AFTER = "before", "after"
SWITCH = Switch(day_type="workday", before=BEFORE, after=AFTER)
CYCLES_S: Mapping[str, int] = {BEFORE: 100, AFTER: 80}
FIRST_S, APART_S = 700, 29
"""The plans change at this second of the run, in further moments so many seconds later each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionsBench:
    """What a bench of transitions runs: kinds of generated streets, all where none is named.

    In each of `moments` the plans change at another second of their cycles.
    """

    kinds: tuple[str, ...] = ()
    street_seed: int = 1
    moments: int = 2
    seeds: int = 5
    workers: int = 2


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One street and one moment: its traffic until the last second that counts, and its plans."""

    scenario: Scenario
    corridor: Corridor
    change_s: int
    plans: PlanSet
    """Without rules of transition."""
    ways: Mapping[str, PlanSet]
    predicted: Mapping[str, Damage]
    in_step_s: Mapping[str, int | None]


def run_transitions(
    *, bench: TransitionsBench | None = None, progress: Progress | None = None
) -> BenchResult:
    """Return one row per street, moment, way and seed, and how prediction and run compare.

    Raises:
        UsageError: LV690 for an unknown kind of street, no seeds or no moments.
        ToolError: LV600 where SUMO is missing.

    """
    chosen = bench or TransitionsBench()
    _check(chosen)
    kinds = chosen.kinds or tuple(ARTERIES)
    parts = chosen.moments + 1
    rows: list[Row] = []
    for number, kind in enumerate(kinds):
        with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
            made = _street(Path(place), ARTERIES[kind], chosen)
            for moment in range(chosen.moments):
                tell = part_of(progress, number * parts + moment, len(kinds) * parts)
                case = _case(made, FIRST_S + APART_S * moment)
                rows += _judged(case, chosen, tell)
            tell = part_of(progress, number * parts + chosen.moments, len(kinds) * parts)
            rows += _red_wave(made, chosen, tell)
    return BenchResult(
        bench="transitions",
        versions=used_versions(),
        load=machine_load(),
        rows=tuple(rows),
        summary=summary(rows),
    )


def _street(folder: Path, artery: Artery, bench: TransitionsBench) -> Grid:
    """Return a street that is long enough in use, and of which is known how lanes discharge."""
    changing_s = FIRST_S + APART_S * bench.moments + HORIZON_S
    length_s = max(changing_s, FULL_BY_S + FILLED_S)
    made = make_artery(folder, artery, seed=bench.street_seed, length_s=length_s)
    return counted(made, workers=bench.workers)


def _check(bench: TransitionsBench) -> None:
    unknown = sorted(set(bench.kinds) - set(ARTERIES))
    if unknown or min(bench.seeds, bench.moments, bench.workers) < 1:
        raise UsageError(
            "LV690",
            place=", ".join(unknown),
            models=", ".join(METHODS),
            kinds=", ".join(ARTERIES),
            seeds=bench.seeds,
        )


# plans ------------------------------------------------------------------------------------------


def _case(made: Grid, change_s: int) -> _Case:
    network, demand = made.network, _by_quarters(made.demand)
    corridor = _corridor(made)
    plans = _two_waves(made, corridor, change_s)
    choice = plan_transition(network, corridor, plans, demand, BEFORE, AFTER)
    ways = {str(way): plans.with_transitions([TransitionRule(way=way)]) for way in Transition}
    ways[CHOSEN] = plans.with_transitions(choice.rules)
    moment = Moment(
        day_type=SWITCH.day_type,
        change_s=change_s,
        begin_s=change_s - WARM_S,
        end_s=change_s + HORIZON_S,
    )
    found = {c: _courses(made, c, ways, moment) for c in corridor.controllers}
    judge = Judge(network, corridor, plans, demand, moment, found)
    damages = judge.damages([dict.fromkeys(found, k) for k in range(len(ways))])
    return _Case(
        scenario=replace(made.scenario, end_s=change_s + HORIZON_S, run_out_s=0),
        corridor=corridor,
        change_s=change_s,
        plans=plans,
        ways=ways,
        predicted={**dict(zip(ways, damages, strict=True)), AT_ONCE: judge.at_once()},
        in_step_s={name: _in_step(found, k, change_s) for k, name in enumerate(ways)},
    )


def _corridor(made: Grid) -> Corridor:
    """Return the longest street."""
    return max(made.network.corridors, key=lambda c: (len(c.stops), c.id))


def _by_quarters(demand: Demand) -> Demand:
    """Return a demand of one slot in slots of a quarter of an hour, for periods begin within it."""
    slot_s = 900
    count = demand.slots * demand.slot_s // slot_s
    volume, lower, upper = (
        np.repeat(values, count // demand.slots, axis=1)
        for values in (demand.volume_vph, demand.lower_vph, demand.upper_vph)
    )
    return replace(
        demand,
        slots=count,
        slot_s=slot_s,
        volume_vph=volume,
        lower_vph=lower,
        upper_vph=upper,
        saturated=np.zeros(volume.shape, dtype=np.bool_),
    )


def _courses(
    made: Grid, controller: ControllerId, ways: Mapping[str, PlanSet], moment: Moment
) -> tuple[Course, ...]:
    site = read_site(made.network, made.network.controller_index[controller])
    return tuple(
        played(site, plans.only([controller]), moment, QUICKEST, 0.0) for plans in ways.values()
    )


def _in_step(found: Mapping[ControllerId, Sequence[Course]], k: int, change_s: int) -> int | None:
    """Return after how many seconds the last controller is in step; None where one never is."""
    times = [own[k].in_step_s for own in found.values()]
    known = [at for at in times if at is not None]
    return max(known) - change_s if len(known) == len(times) else None


def _two_waves(made: Grid, corridor: Corridor, change_s: int) -> PlanSet:
    """Return plans of two cycles, each with its own wave, that change at a second of the day."""
    before, after = (_wave(made, corridor, name) for name in (BEFORE, AFTER))
    periods = (
        Period(start_s=change_s, end_s=0, name=AFTER),
        Period(start_s=0, end_s=change_s, name=BEFORE),
    )
    plans = (*before.plans, *after.plans)
    return PlanSet(
        plans=tuple(sorted(plans, key=lambda p: (p.controller, p.id))),
        day_plans=(DayPlan(day_type=SWITCH.day_type, periods=periods),),
        assignments=tuple(
            Assignment(
                controller=p.controller, day_type=SWITCH.day_type, period=str(p.id), plan=p.id
            )
            for p in plans
        ),
    )


def _wave(made: Grid, corridor: Corridor, name: str) -> PlanSet:
    """Return the plans of one cycle with their wave, each plan called `name`."""
    whole = Period(start_s=0, end_s=0, name="all")
    days = (DayPlan(day_type=SWITCH.day_type, periods=(whole,)),)
    cycle_s = CYCLES_S[name]
    timed = time_plans(
        made.network,
        made.demand,
        days,
        groups=(Group(controllers=corridor.controllers),),
        limits=CycleLimits(least_s=cycle_s, most_s=cycle_s),
    )
    street = Street(network=made.network, demand=made.demand)
    wave = coordinate(corridor, timed, street=street, settings=SETTINGS[UNTRIED])
    plans = tuple(replace(plan, id=PlanId(name)) for plan in wave.plans.plans)
    runs = tuple(replace(run, plan=PlanId(name)) for run in wave.plans.assignments)
    return replace(wave.plans, plans=plans, assignments=runs)


# runs -------------------------------------------------------------------------------------------


def _judged(case: _Case, bench: TransitionsBench, tell: Progress) -> Iterator[Row]:
    """Yield the rows of one street and moment."""
    known: dict[bytes, tuple[Run, ...]] = {}
    count = len(case.ways) + 1
    tell(f"{case.scenario.name}: {AT_ONCE}", 0.0)
    ideal = _runs(case, case.plans, bench, known)
    for number, (name, plans) in enumerate(case.ways.items(), start=1):
        tell(f"{case.scenario.name}: {name}", number / count)
        predicted, none = case.predicted[name], case.predicted[AT_ONCE]
        for run, other in zip(_runs(case, plans, bench, known), ideal, strict=True):
            yield row(
                part=TRANSITION,
                scenario=case.scenario.name,
                corridor=case.corridor.name,
                way=name,
                change_s=case.change_s,
                seed=run.seed,
                in_step_s=case.in_step_s[name],
                predicted_delay_vehh=predicted.delay_vehh,
                measured_delay_vehh=_delay_vehh(run),
                predicted_vehh=predicted.delay_vehh - none.delay_vehh,
                measured_vehh=_delay_vehh(run) - _delay_vehh(other),
                lamp_violations=len(run.violations),
                status="ok",
            )


def _runs(
    case: _Case, plans: PlanSet, bench: TransitionsBench, known: dict[bytes, tuple[Run, ...]]
) -> tuple[Run, ...]:
    """Return runs of the programmes of plans; without rules of transition SUMO jumps.

    Between plans they show what the gate lets through, second by second. Ways that show the same
    run once.
    """
    file = case.scenario.folder / f"way-{case.change_s}-{len(known)}.add.xml"
    _write_way(case, plans, file)
    content = file.read_bytes()
    if content not in known:
        known[content] = simulate(
            replace(case.scenario, additional_files=(file,)),
            None,
            seeds=range(bench.seeds),
            conduct=Conduct(name="transition"),
            workers=bench.workers,
        ).runs
    return known[content]


def _write_way(case: _Case, plans: PlanSet, file: Path) -> None:
    """Write the programmes of a way; at midnight, where all runs begin, nothing is passed."""
    network = case.scenario.network
    found, _ = passages(network, plans, SWITCH.day_type)
    own = [each for each in found if each.start_s == case.change_s]
    write_sumo_plans(plans, network, file, SWITCH.day_type, own)


def _delay_vehh(run: Run) -> float:
    """Return what all vehicles of a run have lost by its end, those included that wait to enter."""
    lost = run.vehicles["time_loss_s"] + run.vehicles["depart_delay_s"]
    return float(lost.sum()) / 3600


def _red_wave(made: Grid, bench: TransitionsBench, tell: Progress) -> Sequence[Row]:
    """Return the rows of the red wave of a street, none where it cannot be made narrow."""
    corridor = _corridor(made)
    tell(f"{made.scenario.name}: red wave", 0.0)
    plans = _wave(made, corridor, BEFORE).running(SWITCH.day_type, 0)
    wave = plan_red_wave(made, corridor, plans)
    seeds = range(bench.seeds)
    return () if wave is None else red_rows(made, wave, seeds, bench.workers)
