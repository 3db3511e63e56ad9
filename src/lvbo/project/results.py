# SPDX-License-Identifier: Apache-2.0
"""What a proof leaves on disk: plan files, figures, numbers and the report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lvbo.codec import to_document
from lvbo.detection.counts import Counts
from lvbo.errors import Finding, InputError
from lvbo.network.network import Network
from lvbo.progression.problem import BandPlan
from lvbo.progression.wave import Wave
from lvbo.project.line import Designed, installed_wave
from lvbo.project.plan_files import write_plans
from lvbo.project.proof import Proof
from lvbo.project.steps import Steps, silent
from lvbo.report.assemble import simulated_result
from lvbo.report.inputs import ReportInputs, Result, Sample, WavePage
from lvbo.report.maps import link_states
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.text import Language
from lvbo.timing.periods import PeriodChoice

REPORT, NUMBERS = "report.html", "comparison.json"
INTO_RUN_S = 300
"""Diagrams begin this long after the judged window does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What the report says it is about: a place, dates, the day type, and notices on page one."""

    place: str
    dates: str = ""
    day_type: str = "workday"
    weather: str = "dry"
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Results:
    """What was proved, ready to be shown: the result and all that the report is made of."""

    result: Result
    inputs: ReportInputs


def gather(
    proof: Proof,
    designed: Designed | None,
    occasion: Occasion,
    *,
    counts: Counts | None = None,
    streets: Sequence[str] = (),
) -> Results:
    """Return the result of a proof with everything beside it that a reader wants to see."""
    scenario, network = proof.scenario, proof.scenario.network
    corridors = [network.corridor(name) for name in streets]
    result = simulated_result(network, corridors, proof.before, proof.after)
    judged_from = scenario.begin_s + scenario.warm_up_s
    hours = (scenario.end_s - judged_from) / 3600
    after = proof.plans_after.day_plan(occasion.day_type).at(judged_from % DAY_S)
    inputs = ReportInputs(
        network=network,
        sample=Sample(
            place=occasion.place,
            corridor="、".join(streets) or scenario.name,
            period=after.name,
            start_s=judged_from,
            end_s=scenario.end_s,
            dates=occasion.dates,
            day_types=(occasion.day_type,),
            weather=occasion.weather,
            seeds=proof.before.seeds,
        ),
        results=(result,),
        plans_before=proof.plans_before,
        plans_after=proof.plans_after,
        day_type=occasion.day_type,
        waves=tuple(_wave_pages(proof, designed, streets, occasion.day_type)),
        links=link_states(network, result.comparison.movements, hours),
        demand=designed.demand if designed else None,
        period_choice=_choice(designed, occasion.day_type),
        findings=(*scenario.plans.findings, *(designed.findings if designed else ())),
        data_findings=counts.findings if counts else (),
        notices=occasion.notices,
        manifest=proof.after.manifest,
    )
    return Results(result=result, inputs=inputs)


def _choice(designed: Designed | None, day_type: str) -> PeriodChoice | None:
    choices = designed.periods.choices if designed else ()
    return next((choice for choice in choices if choice.day_type == day_type), None)


def _wave_pages(
    proof: Proof, designed: Designed | None, streets: Sequence[str], day_type: str
) -> Iterator[WavePage]:
    scenario = proof.scenario
    second = (scenario.begin_s + scenario.warm_up_s) % DAY_S
    made = {wave.corridor.name: wave for wave in (designed.waves if designed else ())}
    for name in streets:
        after = made.get(name) or installed_wave(scenario, name, proof.plans_after)
        yield WavePage(
            corridor=scenario.network.corridor(name),
            period=proof.plans_after.day_plan(day_type).at(second).name,
            begin_s=float(scenario.begin_s + scenario.warm_up_s + INTO_RUN_S),
            before=_before(proof, name, second, day_type),
            after=_band(after, second, day_type),
            run_before=proof.tracked_before,
            run_after=proof.tracked_after,
        )


def _before(proof: Proof, name: str, second: int, day_type: str) -> BandPlan | None:
    """Return the band of the plans in force; None where their cycles make none."""
    try:
        wave = installed_wave(proof.scenario, name, proof.plans_before)
    except InputError:
        return None
    return _band(wave, second, day_type)


def _band(wave: Wave, second: int, day_type: str) -> BandPlan | None:
    period = wave.plans.day_plan(day_type).at(second).name
    return wave.at(period, day_type).runs


# files ----------------------------------------------------------------------------------------


def write_results(
    results: Results, folder: Path, *, first: Language = Language.ZH, steps: Steps = silent
) -> Path:
    """Write plans, figures, numbers and the report into a folder; return the report's path."""
    from lvbo.project.pictures import write_figures
    from lvbo.report.page import build_report

    inputs = results.inputs
    with steps("plan_files"):
        plan_folder = folder / "plans"
        plan_folder.mkdir(parents=True, exist_ok=True)
        write_plan_files(inputs.plans_after, inputs.network, plan_folder)
        write_plans(inputs.plans_before, plan_folder / "before.toml")
        write_numbers(results.result, folder / NUMBERS)
    with steps("figures") as tell:
        write_figures(inputs, folder / "figures", tell)
    with steps("report"):
        return build_report(inputs, folder / REPORT, first=first)


def write_plan_files(plans: PlanSet, network: Network, folder: Path) -> tuple[Finding, ...]:
    """Write the plans as text, SUMO programmes and stage sheets; return what could not be said."""
    found = list(write_plans(plans, folder / "plans.toml", network))
    for day in plans.day_plans:
        name = f"plans.{day.day_type}.add.xml"
        found += write_plans(plans, folder / name, network, day_type=day.day_type)
    for language in Language:
        for kind in ("csv", "xlsx"):
            path = folder / f"stage-sheet-{language}.{kind}"
            found += write_plans(plans, path, network, language=language)
    return tuple(found)


def write_numbers(result: Result, path: Path) -> None:
    """Write the comparison as JSON."""
    text = json.dumps(to_document(result.comparison), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
