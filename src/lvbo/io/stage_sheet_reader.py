# SPDX-License-Identifier: Apache-2.0
"""Read a stage sheet (配时表) back into plans, in CSV or XLSX, Chinese or English."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lvbo.errors import Finding, InputError
from lvbo.ids import ControllerId, PhaseId, PlanId, StageId
from lvbo.io.plan_rows import clock_second, minimum_findings
from lvbo.io.stage_sheet import JOINT
from lvbo.io.stage_words import WORDS
from lvbo.network.network import Network
from lvbo.signal.plan import Plan, StageGreen, referenced
from lvbo.signal.rules import SignalRules
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet
from lvbo.signal.stages import stage_greens
from lvbo.signal.transition import LONGER, SHORTER, Transition, TransitionRule

FIELDS = (
    *("controller", "name", "plan", "cycle", "day_type", "period", "offset", "reference"),
    *("start", "end", "stage", "phases", "movements", "green", "flash", "yellow", "all_red"),
    *("length", "total", "way", "longer", "shorter"),
    *Transition,
)
NAMES: Mapping[str, str] = {
    str(getattr(words, name)).casefold(): name for words in WORDS.values() for name in FIELDS
}
NEEDED = ("controller", "plan", "cycle", "offset", "reference")
TIMES = ("green", "flash", "yellow", "all_red")
SHARES = {"longer": LONGER, "shorter": SHORTER}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    place: str
    cells: tuple[str, ...]

    @property
    def first(self) -> str:
        """Return the field that the first cell names, or nothing."""
        return NAMES.get(self.cells[0].casefold(), "") if self.cells else ""


@dataclass(slots=True, kw_only=True)
class _Block:
    """The rows of one controller and period as they are read."""

    place: str
    head: dict[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    rows: list[_Row] = field(default_factory=list)
    closed: bool = False


def read_stage_sheet(path: Path, network: Network) -> PlanSet:
    """Return the plans of a stage sheet, each built from its stages with the controller's phases.

    Raises:
        InputError: with every finding of the file, each with its row.

    """
    reader = _Reader(network)
    blocks = list(reader.blocks(_rows(path)))
    if not blocks:
        raise InputError("LV350", place=path.name)
    for block in blocks:
        reader.read(block)
    days = reader.day_plans()
    rules = tuple(reader.transitions(blocks, days))
    if reader.findings:
        raise InputError.of(reader.findings)
    plans = tuple(plan for _, plan in sorted(reader.plans.items()))
    return PlanSet(
        plans=plans, day_plans=days, assignments=tuple(reader.assignments), transitions=rules
    )


def _rows(path: Path) -> list[_Row]:
    if not path.is_file():
        raise InputError("LV341", place=str(path))
    if path.suffix.lower() == ".xlsx":
        return _workbook_rows(path)
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        lines = csv.reader(io.StringIO(text, newline=""))
        return [
            _Row(place=f"{path.name}:{number}", cells=tuple(cell.strip() for cell in cells))
            for number, cells in enumerate(lines, start=1)
        ]
    raise InputError("LV351", place=path.name, reason="UTF-8, GB18030")


def _workbook_rows(path: Path) -> list[_Row]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise InputError("LV351", place=path.name, reason=str(error)) from None
    rows: list[_Row] = []
    for sheet in book.worksheets:
        rows += [
            _Row(
                place=f"{path.name}[{sheet.title}]:{number}",
                cells=tuple("" if cell is None else str(cell).strip() for cell in cells),
            )
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1)
        ]
        rows.append(_Row(place=path.name, cells=()))  # a worksheet ends what it began
    book.close()
    return rows


class _Reader:
    """What a sheet says so far, and all that is wrong with it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.findings: list[Finding] = []
        self.plans: dict[tuple[ControllerId, PlanId], Plan] = {}
        self.assignments: list[Assignment] = []
        self.periods: dict[str, list[Period]] = {}
        self.day_places: dict[str, str] = {}

    def blocks(self, rows: Sequence[_Row]) -> Iterator[_Block]:
        """Yield the blocks of plans; take in the schedule on the way."""
        block: _Block | None = None
        in_schedule = False
        for row in rows:
            if row.first == "controller":
                if block is not None:
                    yield block
                block, in_schedule = _Block(place=row.place), False
            if row.first == "day_type" and _field(row, 1) == "period":
                in_schedule = True
            elif in_schedule and any(row.cells):
                self._period(row)
            elif in_schedule:
                in_schedule = False
            elif block is not None:
                _take(block, row)
        if block is not None:
            yield block

    def read(self, block: _Block) -> None:
        """Build the plan of a block and say when it runs."""
        missing = [name for name in NEEDED if not block.head.get(name)]
        missing += [name for name in ("stage", "phases", *TIMES) if name not in block.columns]
        if missing:
            words = ", ".join(
                " / ".join(str(getattr(w, name)) for w in WORDS.values()) for name in missing
            )
            self._add("LV356", block.place, fields=words)
            return
        controller = self.network.controller_index.get(ControllerId(block.head["controller"]))
        if controller is None:
            known = ", ".join(self.network.controller_index)
            self._add("LV345", block.place, controller=block.head["controller"], known=known)
            return
        found = len(self.findings)
        stages = [s for s in (self._stage(block, row, controller.rules) for row in block.rows) if s]
        if len(self.findings) == found and self._sums_up(block, stages):
            self._keep(block, _plan(block, stages, controller.rules))

    def day_plans(self) -> tuple[DayPlan, ...]:
        """Return the day plans of the schedule."""
        days = []
        for day, periods in sorted(self.periods.items()):
            try:
                days.append(DayPlan(day_type=day, periods=tuple(sorted(periods))))
            except InputError as error:
                self._add("LV310", self.day_places[day], periods=error.fields["periods"])
        known = {(day, period.name) for day, listed in self.periods.items() for period in listed}
        for run in self.assignments:
            if (run.day_type, run.period) not in known:
                self._add(
                    "LV347", run.controller, plan=run.plan, day=run.day_type, period=run.period
                )
        return tuple(days)

    def transitions(
        self, blocks: Sequence[_Block], days: Sequence[DayPlan]
    ) -> Iterator[TransitionRule]:
        """Yield how controllers get into step at the switches into the periods of blocks."""
        for block in (block for block in blocks if block.head.get("way")):
            run = (block.head.get("day_type", ""), block.head.get("period", ""))
            way = NAMES.get(block.head["way"].casefold(), "")
            shares = {
                name: _share(block.head.get(name, ""), usual) for name, usual in SHARES.items()
            }
            bad = [name for name, share in shares.items() if share is None]
            if way not in set(Transition) or bad:
                found = block.head[bad[0]] if bad else block.head["way"]
                expected = "20 (%)" if bad else ", ".join(Transition)
                self._add("LV305", block.place, found=found, expected=expected)
                continue
            for switch in (s for d in days for s in d.switches if (s.day_type, s.after) == run):
                try:
                    yield TransitionRule(
                        way=Transition(way),
                        longer=shares["longer"] or 0.0,
                        shorter=shares["shorter"] or 0.0,
                        controller=ControllerId(block.head["controller"]),
                        switch=switch,
                    )
                except InputError as error:
                    rest = {k: v for k, v in error.fields.items() if k != "place"}
                    self._add(error.code, block.place, **rest)
                    break

    def _period(self, row: _Row) -> None:
        cells = (*row.cells, "", "", "", "")[:4]
        start, end = clock_second(cells[2][:8]), clock_second(cells[3][:8])
        if start is None or end is None:
            bad = cells[2] if start is None else cells[3]
            self._add("LV305", row.place, found=bad, expected="07:30")
            return
        self.day_places.setdefault(cells[0], row.place)
        period = Period(start_s=start, end_s=end, name=cells[1])
        self.periods.setdefault(cells[0], []).append(period)

    def _stage(self, block: _Block, row: _Row, rules: SignalRules) -> StageGreen | None:
        """Return the stage of one row, or None with findings."""
        cells = dict(zip(block.columns, row.cells, strict=False))
        phases = [part.strip() for part in cells.get("phases", "").split(JOINT) if part.strip()]
        strange = [phase for phase in phases if phase not in rules.phase_index]
        for phase in strange:
            self._add("LV352", row.place, stage=cells["stage"], phase=phase)
        times = {name: _tenths(cells.get(name, "")) for name in TIMES}
        wrong = [name for name, tenths in times.items() if tenths is None or tenths < 0]
        for name in wrong:
            self._add("LV305", row.place, found=cells.get(name, ""), expected="0.1 s")
        green, flash, yellow, red = (times[name] or 0 for name in TIMES)
        if strange or wrong:
            return None
        if not phases and green + flash + yellow + red > 0:
            whole = green + flash + yellow + red
            return StageGreen(
                id=StageId(cells["stage"]), phases=(), green_ds=whole, interstage_ds=0
            )
        if green + flash <= 0:
            self._add("LV305", row.place, found=(green + flash) / 10, expected="> 0 s")
            return None
        return StageGreen(
            id=StageId(cells["stage"]),
            phases=tuple(sorted(PhaseId(phase) for phase in phases)),
            green_ds=green + flash,
            interstage_ds=yellow + red,
        )

    def _sums_up(self, block: _Block, stages: Sequence[StageGreen]) -> bool:
        """Check that cycle and offset are numbers, and that the stages fill the cycle."""
        cycle, offset = _tenths(block.head["cycle"]), _tenths(block.head["offset"])
        for text, tenths in ((block.head["cycle"], cycle), (block.head["offset"], offset)):
            if tenths is None:
                self._add("LV305", block.place, found=text, expected="0.1 s")
        total = sum(stage.green_ds + stage.interstage_ds for stage in stages)
        if cycle is None or offset is None:
            return False
        if total != cycle or cycle <= 0:
            plan = block.head["plan"]
            self._add("LV353", block.place, plan=plan, sum_s=total / 10, cycle_s=cycle / 10)
            return False
        if not 0 <= offset < cycle:
            names = {"controller": block.head["controller"], "plan": block.head["plan"]}
            self._add("LV303", block.place, **names, offset_s=offset / 10, cycle_s=cycle / 10)
            return False
        if not any(block.head["reference"] in stage.phases for stage in stages):
            names = {"controller": block.head["controller"], "plan": block.head["plan"]}
            self._add("LV334", block.place, **names, phase=block.head["reference"])
            return False
        return True

    def _keep(self, block: _Block, plan: Plan) -> None:
        key = (plan.controller, plan.id)
        if self.plans.get(key, plan) != plan:
            self._add("LV354", block.place, controller=plan.controller, plan=plan.id)
            return
        if key not in self.plans:
            self.findings.extend(minimum_findings(plan, self.network, block.place))
        self.plans[key] = plan
        if block.head.get("period"):
            run = Assignment(
                controller=plan.controller,
                day_type=block.head.get("day_type", ""),
                period=block.head["period"],
                plan=plan.id,
            )
            self.assignments.append(run)

    def _add(self, code: str, place: str, /, **fields: object) -> None:
        self.findings.append(Finding(code=code, place=place, fields=fields))


def _take(block: _Block, row: _Row) -> None:
    """Put one row where it belongs in its block."""
    if row.first == "stage":
        block.columns = tuple(NAMES.get(cell.casefold(), cell) for cell in row.cells)
    elif row.first == "total":
        block.closed = True
    elif block.closed:
        return
    elif not block.columns:
        for name, value in zip(row.cells[::2], row.cells[1::2], strict=False):
            if name.casefold() in NAMES:
                block.head[NAMES[name.casefold()]] = value
    elif len(row.cells) > 1 and any(row.cells[1:]):
        block.rows.append(row)


def _plan(block: _Block, stages: Sequence[StageGreen], rules: SignalRules) -> Plan:
    plan = referenced(
        PlanId(block.head["plan"]),
        ControllerId(block.head["controller"]),
        sum(stage.green_ds + stage.interstage_ds for stage in stages),
        stage_greens(stages, rules),
        PhaseId(block.head["reference"]),
        0,
        tuple(stages),
    )
    return plan.at_offset(_tenths(block.head["offset"]) or 0)


def _field(row: _Row, column: int) -> str:
    return NAMES.get(row.cells[column].casefold(), "") if len(row.cells) > column else ""


def _share(text: str, usual: float) -> float | None:
    """Return per cent as a share; None for what is no number."""
    try:
        return round(float(text) / 100, 6) if text else usual
    except ValueError:
        return None


def _tenths(text: str) -> int | None:
    """Return seconds as tenths; None for what is no number or finer than a tenth."""
    try:
        seconds = float(text)
        tenths = round(seconds * 10)
    except (ValueError, OverflowError):
        return None
    return tenths if abs(tenths - seconds * 10) < 1e-6 else None  # noqa: PLR2004  float noise
