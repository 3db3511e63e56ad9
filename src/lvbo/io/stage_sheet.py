# SPDX-License-Identifier: Apache-2.0
"""The stage sheet (配时表): plans as an engineer hands them over, in CSV or XLSX.

First the schedule, then one block for each controller and period: who, which plan, cycle, offset,
reference, how it gets into step where the plan set says so, and one row for each stage. The green
of a stage is its steady green and its flash together; yellow and all-red are its interstage.
Calendars are not part of a sheet, nor is how a plan is taken up at other times than its switch.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lvbo.errors import Finding, Severity, UsageError
from lvbo.ids import ControllerId, PhaseId
from lvbo.io.atomic import write_whole
from lvbo.io.stage_words import WORDS, Words, served
from lvbo.network.network import Network
from lvbo.signal.plan import Plan, StageGreen
from lvbo.signal.rules import Controller, SignalRules
from lvbo.signal.schedule import Assignment, PlanSet, clock
from lvbo.signal.stages import as_stages
from lvbo.signal.transition import AS_EVER
from lvbo.text import Language

JOINT = " + "
Cell = str | int | float


class RowKind(StrEnum):
    """What a row of the sheet is, so that it can be made to look so."""

    TITLE = "title"
    HEAD = "head"
    COLUMNS = "columns"
    STAGE = "stage"
    TOTAL = "total"
    BLANK = "blank"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One row of a sheet."""

    kind: RowKind
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One worksheet; in CSV the pages follow each other."""

    name: str
    rows: tuple[SheetRow, ...]


def write_stage_sheet(
    plans: PlanSet, network: Network, path: Path, language: Language
) -> tuple[Finding, ...]:
    """Write a stage sheet, CSV or XLSX by the name of the file; return what it cannot express.

    CSV is UTF-8 with a byte order mark, so that Excel reads it.

    Raises:
        UsageError: LV358 for another kind of file.
        ToolError: LV340 where the file cannot be written.

    """
    if path.suffix.lower() not in {".csv", ".xlsx"}:
        raise UsageError("LV358", place=str(path), suffix=path.suffix)
    pages, findings = stage_pages(plans, network, language)
    if path.suffix.lower() == ".xlsx":
        from lvbo.io.stage_xlsx import workbook_bytes

        write_whole(path, workbook_bytes(pages, WORDS[language]))
    else:
        write_whole(path, _csv_text(pages).encode("utf-8-sig"))
    return findings


def stage_pages(
    plans: PlanSet, network: Network, language: Language
) -> tuple[tuple[Page, ...], tuple[Finding, ...]]:
    """Return the pages of a sheet, the schedule first, and what stages cannot express."""
    words = WORDS[language]
    pages = [_schedule_page(plans, words)]
    findings: list[Finding] = []
    for name in plans.controllers:
        rows: list[SheetRow] = []
        for plan, run in _runs(plans, name):
            controller = network.controller_index.get(name)
            rules = controller.rules if controller else None
            stages = as_stages(plan, rules, least_ds=1) if rules else None
            if controller is None or stages is None:
                fields = {"plan": plan.id}
                findings.append(
                    Finding(code="LV357", place=name, severity=Severity.WARNING, fields=fields)
                )
                continue
            rows += _heads(plan, controller, run, words)
            rows += _way_row(plans, run, words)
            rows.append(_columns(words))
            rows += _stage_rows(stages, network, controller.rules, language)
        if rows:
            title = SheetRow(kind=RowKind.TITLE, cells=(f"{words.title} {name}",))
            pages.append(Page(name=name, rows=(title, *rows)))
    return tuple(pages), tuple(findings)


def _runs(plans: PlanSet, controller: ControllerId) -> Iterator[tuple[Plan, Assignment | None]]:
    """Yield the plans of a controller in the order in which they run, idle ones last."""
    starts = {(d.day_type, p.name): p.start_s for d in plans.day_plans for p in d.periods}
    own = [a for a in plans.assignments if a.controller == controller]
    for run in sorted(own, key=lambda a: (a.day_type, starts.get((a.day_type, a.period), 0))):
        yield plans.plan_index[controller, run.plan], run
    busy = {run.plan for run in own}
    for plan in plans.plans:
        if plan.controller == controller and plan.id not in busy:
            yield plan, None


def _schedule_page(plans: PlanSet, words: Words) -> Page:
    rows = [
        SheetRow(kind=RowKind.TITLE, cells=(words.schedule,)),
        SheetRow(
            kind=RowKind.COLUMNS, cells=(words.day_type, words.period, words.start, words.end)
        ),
    ]
    for day in sorted(plans.day_plans, key=lambda d: d.day_type):
        rows += [
            SheetRow(
                kind=RowKind.STAGE,
                cells=(day.day_type, p.name, clock(p.start_s), clock(p.end_s or 86_400)),
            )
            for p in sorted(day.periods)
        ]
    return Page(name=words.schedule, rows=(*rows, SheetRow(kind=RowKind.BLANK)))


def _heads(
    plan: Plan, controller: Controller, run: Assignment | None, words: Words
) -> tuple[SheetRow, ...]:
    first = (
        *(words.controller, plan.controller, words.name, controller.name),
        *(words.plan, plan.id, words.cycle, _s(plan.cycle_ds)),
    )
    second = (
        *(words.day_type, run.day_type if run else "", words.period, run.period if run else ""),
        *(words.offset, _s(plan.offset_ds), words.reference, plan.reference or ""),
    )
    return (
        SheetRow(kind=RowKind.HEAD, cells=first),
        SheetRow(kind=RowKind.HEAD, cells=second),
    )


def _way_row(plans: PlanSet, run: Assignment | None, words: Words) -> Iterator[SheetRow]:
    """Yield how the controller gets into step when this period begins, where something is said."""
    if run is None:
        return
    switches = [switch for day in plans.day_plans for switch in day.switches]
    found = [s for s in switches if (s.day_type, s.after) == (run.day_type, run.period)]
    rules = {plans.transition(run.controller, switch) for switch in found} - {AS_EVER}
    for rule in rules if len(rules) == 1 else ():
        cells = (
            *(words.way, str(getattr(words, rule.way)), words.longer, _percent(rule.longer)),
            *(words.shorter, _percent(rule.shorter)),
        )
        yield SheetRow(kind=RowKind.HEAD, cells=cells)


def _columns(words: Words) -> SheetRow:
    columns = (
        *(words.stage, words.phases, words.movements, words.green),
        *(words.flash, words.yellow, words.all_red, words.length),
    )
    return SheetRow(kind=RowKind.COLUMNS, cells=columns)


def _stage_rows(
    stages: Sequence[StageGreen], network: Network, rules: SignalRules, language: Language
) -> Iterator[SheetRow]:
    sums = [0] * 5
    for number, stage in enumerate(stages):
        lit = stages[number - 1] if not stage.phases else stage
        following = stages[(number + 1) % len(stages)]
        ending = [p for p in lit.phases if p not in following.phases or lit is not stage]
        times = _times(stage, rules, ending)
        sums = [a + b for a, b in zip(sums, times, strict=True)]
        names = served(network, rules, stage.phases, language)
        cells: tuple[Cell, ...] = (
            stage.id,
            JOINT.join(stage.phases),
            names,
            *(_s(t) for t in times),
        )
        yield SheetRow(kind=RowKind.STAGE, cells=cells)
    total = WORDS[language].total
    yield SheetRow(kind=RowKind.TOTAL, cells=(total, "", "", *(_s(t) for t in sums)))
    yield SheetRow(kind=RowKind.BLANK)


def _times(stage: StageGreen, rules: SignalRules, ending: Sequence[PhaseId]) -> list[int]:
    """Return steady green, flash, yellow, all-red and length of a stage, in tenths.

    The flash is that of the vehicle phases that end with the stage, or of the walk where only walks
    end. A stage without phases is the yellow of the phases before it, then all red.
    """
    if not stage.phases:
        whole = stage.green_ds + stage.interstage_ds
        yellow = min(max((rules.phase_index[p].yellow_ds for p in ending), default=0), whole)
        return [0, 0, yellow, whole - yellow, whole]
    phases = [rules.phase_index[phase] for phase in ending]
    vehicles = [phase for phase in phases if phase.yellow_ds] or phases
    flash = min(max((p.flash_ds for p in vehicles), default=0), stage.green_ds)
    yellow = min(max((p.yellow_ds for p in phases), default=0), stage.interstage_ds)
    return [
        stage.green_ds - flash,
        flash,
        yellow,
        stage.interstage_ds - yellow,
        stage.green_ds + stage.interstage_ds,
    ]


def _csv_text(pages: Sequence[Page]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    for page in pages:
        writer.writerows(row.cells for row in page.rows)
    return buffer.getvalue()


def _percent(share: float) -> float:
    percent = round(100 * share, 2)
    return percent if percent % 1 else int(percent)


def _s(tenths: int) -> float:
    return tenths / 10 if tenths % 10 else tenths // 10
