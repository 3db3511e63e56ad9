# SPDX-License-Identifier: Apache-2.0
"""Plan sets as TOML that a person can read, and whose differences a person can read.

Times are seconds. Plans stand in the order of controller and id, one line for each phase and each
stage, so that a changed green is a changed line. A `[[transition]]` says how controllers get into
step: `way` and the shares by which a cycle may grow (`longer`) and shrink (`shorter`) on it, for
one `controller` or all, at one switch (`day`, `before`, `after`) or at all; without any, the
quicker way within the usual shares. Findings of a plan set are not written.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from lvbo.codec import SCHEMA, from_plain
from lvbo.errors import Finding, InputError
from lvbo.ids import ControllerId, PhaseId, PlanId, StageId
from lvbo.io.atomic import write_whole
from lvbo.io.plan_rows import check_known, clock_second, minimum_findings
from lvbo.network.network import Network
from lvbo.signal.plan import Greens, Plan, StageGreen, Window
from lvbo.signal.schedule import Assignment, Calendar, DayPlan, Period, PlanSet, clock
from lvbo.signal.transition import LONGER, SHORTER, Switch, Transition, TransitionRule

T = TypeVar("T")

BARE = re.compile(r"[A-Za-z0-9_-]+")
DECODE_LINE = re.compile(r"at line (\d+)")


def write_plans(plans: PlanSet, path: Path) -> None:
    """Write a plan set as TOML, whole or not at all.

    Raises:
        ToolError: LV340 where the file cannot be written.

    """
    write_whole(path, plans_text(plans).encode())


def plans_text(plans: PlanSet) -> str:
    """Return a plan set as TOML text."""
    parts = [f'lvbo = {SCHEMA}\ntype = "PlanSet"\n', _calendar_text(plans.calendar)]
    often = plans.calendar.weekdays.count  # the first day type of a file is the one that is run
    days = sorted(plans.day_plans, key=lambda d: (-often(d.day_type), d.day_type))
    parts.extend(_day_text(day) for day in days)
    parts.extend(_transition_text(rule) for rule in sorted(plans.transitions, key=_general_first))
    for plan in sorted(plans.plans, key=lambda p: (p.controller, p.id)):
        own = [a for a in plans.assignments if (a.controller, a.plan) == (plan.controller, plan.id)]
        parts.append(_plan_text(plan, own))
    return "\n".join(parts)


def read_plans(path: Path | str, network: Network | None = None) -> PlanSet:
    """Return the plan set of a TOML file; a network lets names and minimum greens be checked.

    Raises:
        InputError: with every finding of the file, each with its line.

    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except FileNotFoundError:
        raise InputError("LV341", place=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = DECODE_LINE.search(str(error))
        place = f"{path.name}:{line[1]}" if line else path.name
        raise InputError("LV342", place=place, reason=str(error)) from None
    reader = _Reader(path.name, text, raw)
    reader.read()
    if network is not None:
        reader.check(network)
    if reader.findings:
        raise InputError.of(reader.findings)
    return reader.plan_set()


@dataclass(frozen=True, slots=True, kw_only=True)
class _PeriodRecord:
    name: str
    start: str
    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _DayRecord:
    type: str
    periods: tuple[_PeriodRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunRecord:
    day: str
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _GreenRecord:
    start_s: float
    length_s: float
    yellow_s: float = 0
    red_amber_s: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _StageRecord:
    id: str
    phases: tuple[str, ...]
    green_s: float
    interstage_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlanRecord:
    controller: str
    id: str
    cycle_s: float
    offset_s: float
    greens: dict[str, tuple[_GreenRecord, ...]]
    reference: str | None = None
    runs: tuple[_RunRecord, ...] = ()
    stages: tuple[_StageRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _TransitionRecord:
    way: Transition = Transition.SHORTEST
    longer: float = LONGER
    shorter: float = SHORTER
    controller: str | None = None
    day: str | None = None
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _CalendarRecord:
    weekdays: tuple[str, str, str, str, str, str, str]
    dates: dict[str, str] = field(default_factory=dict)


class _Reader:
    """What one file says, and all that is wrong with it."""

    def __init__(self, name: str, text: str, raw: Mapping[str, Any]) -> None:
        self.name = name
        self.lines = text.splitlines()
        self.raw = raw
        self.findings: list[Finding] = []
        self.calendar = Calendar()
        self.days: list[DayPlan] = []
        self.plans: list[tuple[str, Plan]] = []
        self.assignments: list[Assignment] = []
        self.known: set[tuple[str, str]] = set()
        self.transitions: list[tuple[str, TransitionRule]] = []

    def read(self) -> None:
        """Read the header, the calendar, the days, then the plans."""
        known = {"lvbo", "type", "calendar", "day", "transition", "plan"}
        for key in sorted(set(self.raw) - known):
            self._add("LV307", self._line(key), field=key, known=", ".join(sorted(known)))
        found = f"{self.raw.get('type')} {self.raw.get('lvbo')}"
        if found != f"PlanSet {SCHEMA}":
            self._add("LV308", f"{self.name}:1", found=found, expected=f"PlanSet {SCHEMA}")
            return
        if "calendar" in self.raw:
            self._read_calendar()
        for place, day in self._records("day", _DayRecord):
            self._read_day(place, day)
        for place, plan in self._records("plan", _PlanRecord):
            self._read_plan(place, plan)
        for place, transition in self._records("transition", _TransitionRecord):
            self._read_transition(place, transition)

    def check(self, network: Network) -> None:
        """Check names and minimum greens against the controllers of a network."""
        for place, plan in self.plans:
            self.findings.extend(check_known(plan, network, place))
            self.findings.extend(minimum_findings(plan, network, place))

    def plan_set(self) -> PlanSet:
        """Return the values; to be called when nothing was found."""
        return PlanSet(
            plans=tuple(sorted((p for _, p in self.plans), key=lambda p: (p.controller, p.id))),
            day_plans=tuple(self.days),
            assignments=tuple(self.assignments),
            calendar=self.calendar,
            transitions=tuple(rule for _, rule in self.transitions),
        )

    def _records(self, table: str, kind: type[T]) -> Iterator[tuple[str, T]]:
        """Yield place and record of each `[[table]]` that reads as such."""
        listed = self.raw.get(table, [])
        if not isinstance(listed, list):
            self._add("LV305", self._line(table), found=table, expected=f"[[{table}]]")
            return
        for number, data in enumerate(listed):
            first = self._header(table, number)
            try:
                yield f"{self.name}:{first}", from_plain(kind, data, "")
            except InputError as error:
                self._misread(error, first)

    def _misread(self, error: InputError, first: int) -> None:
        """Turn the path of a codec message into the line of its key."""
        path = str(error.fields["place"]).split(".")
        named = re.sub(r"\[.*", "", path[2] if path[1:2] == ["greens"] and path[2:] else path[-1])
        key = re.sub(r"\[.*", "", path[1]) if len(path) > 1 else ""
        place = self._line(named or key, first)
        rest = {k: v for k, v in error.fields.items() if k != "place"}
        self._add(error.code, place, **rest)

    def _read_calendar(self) -> None:
        place = self._line("[calendar]")
        try:
            record = from_plain(_CalendarRecord, self.raw["calendar"], "")
            dates = tuple((date.fromisoformat(day), kind) for day, kind in record.dates.items())
        except InputError as error:
            rest = {k: v for k, v in error.fields.items() if k != "place"}
            self._add(error.code, place, **rest)
        except ValueError as error:
            self._add("LV305", place, found=str(error), expected="2026-12-31")
        else:
            self.calendar = Calendar(weekdays=record.weekdays, dates=dates)

    def _read_day(self, place: str, record: _DayRecord) -> None:
        self.known |= {(record.type, period.name) for period in record.periods}
        bad = [at for p in record.periods for at in (p.start, p.end) if clock_second(at) is None]
        if bad:
            self._add("LV305", place, found=bad[0], expected="07:30")
            return
        periods = tuple(
            Period(start_s=clock_second(p.start) or 0, end_s=clock_second(p.end) or 0, name=p.name)
            for p in record.periods
        )
        try:
            self.days.append(DayPlan(day_type=record.type, periods=periods))
        except InputError as error:
            self._add(error.code, place, periods=error.fields["periods"])

    def _read_plan(self, place: str, record: _PlanRecord) -> None:
        if any((p.controller, p.id) == (record.controller, record.id) for _, p in self.plans):
            self._add("LV346", place, controller=record.controller, plan=record.id)
            return
        try:
            plan = _plan(record)
        except InputError as error:
            rest = {k: v for k, v in error.fields.items() if k != "place"}
            self._add(error.code, place, **rest)
            return
        self.plans.append((place, plan))
        for run in record.runs:
            if (run.day, run.period) not in self.known:
                self._add("LV347", place, plan=record.id, day=run.day, period=run.period)
            self.assignments.append(
                Assignment(
                    controller=plan.controller, day_type=run.day, period=run.period, plan=plan.id
                )
            )

    def _read_transition(self, place: str, record: _TransitionRecord) -> None:
        named = (record.day, record.before, record.after)
        switch = _switch(*named)
        if switch is None and any(name is not None for name in named):
            lost = [k for k in ("day", "before", "after") if getattr(record, k) is None]
            self._add("LV306", place, field=", ".join(lost))
            return
        known = [switch for day in self.days for switch in day.switches]
        if switch is not None and switch not in known:
            there = ", ".join(str(each) for each in known)
            self._add("LV348", place, switch=str(switch), known=there)
            return
        controllers = sorted({plan.controller for _, plan in self.plans})
        if record.controller is not None and record.controller not in controllers:
            listed = ", ".join(controllers)
            self._add("LV349", place, controller=record.controller, known=listed)
            return
        try:
            rule = TransitionRule(
                way=record.way,
                longer=record.longer,
                shorter=record.shorter,
                controller=None if record.controller is None else ControllerId(record.controller),
                switch=switch,
            )
        except InputError as error:
            rest = {k: v for k, v in error.fields.items() if k != "place"}
            self._add(error.code, place, **rest)
            return
        if any(rule.scope == other.scope for _, other in self.transitions):
            names = [str(part or "*") for part in rule.scope]
            self._add("LV313", place, controller=names[0], switch=names[1])
            return
        self.transitions.append((place, rule))

    def _header(self, table: str, number: int) -> int:
        """Return the line of the n-th `[[table]]`, counted from 1."""
        heads = [i for i, line in enumerate(self.lines, 1) if line.strip() == f"[[{table}]]"]
        return heads[number] if number < len(heads) else 1

    def _line(self, key: str, first: int = 1) -> str:
        """Return the place of a key at or below a line, that of the line itself if not found."""
        sought = re.compile(rf"\s*(?:\"?{re.escape(key)}\"?\s*=|{re.escape(key)}\s*$)")
        for number in range(first, len(self.lines) + 1):
            if sought.match(self.lines[number - 1]):
                return f"{self.name}:{number}"
            if number > first and self.lines[number - 1].startswith("[["):
                break
        return f"{self.name}:{first}"

    def _add(self, code: str, place: str, /, **fields: object) -> None:
        self.findings.append(Finding(code=code, place=place, fields=fields))


def _switch(day: str | None, before: str | None, after: str | None) -> Switch | None:
    if day is None or before is None or after is None:
        return None
    return Switch(day_type=day, before=before, after=after)


def _plan(record: _PlanRecord) -> Plan:
    return Plan(
        id=PlanId(record.id),
        controller=ControllerId(record.controller),
        cycle_ds=_tenths(record.cycle_s),
        offset_ds=_tenths(record.offset_s),
        reference=None if record.reference is None else PhaseId(record.reference),
        greens=tuple(
            Greens(phase=PhaseId(phase), windows=tuple(_window(green) for green in greens))
            for phase, greens in sorted(record.greens.items())
        ),
        stages=tuple(
            StageGreen(
                id=StageId(stage.id),
                phases=tuple(PhaseId(phase) for phase in stage.phases),
                green_ds=_tenths(stage.green_s),
                interstage_ds=_tenths(stage.interstage_s),
            )
            for stage in record.stages
        ),
    )


def _window(green: _GreenRecord) -> Window:
    return Window(
        start_ds=_tenths(green.start_s),
        length_ds=_tenths(green.length_s),
        yellow_ds=_tenths(green.yellow_s),
        red_amber_ds=_tenths(green.red_amber_s),
    )


def _tenths(seconds: float) -> int:
    """Return seconds as tenths; a finer value is refused rather than rounded."""
    tenths = round(seconds * 10)
    if abs(tenths - seconds * 10) > 1e-6:  # noqa: PLR2004  far below a tenth, above float noise
        raise InputError("LV305", place="", found=seconds, expected="0.1 s")
    return tenths


def _calendar_text(calendar: Calendar) -> str:
    lines = ["[calendar]", f"weekdays = {_list(calendar.weekdays)}"]
    if calendar.dates:
        lines += ["", "[calendar.dates]"]
        lines += [f"{day.isoformat()} = {_text(kind)}" for day, kind in sorted(calendar.dates)]
    return "\n".join(lines) + "\n"


def _day_text(day: DayPlan) -> str:
    lines = ["[[day]]", f"type = {_text(day.day_type)}", "periods = ["]
    for period in sorted(day.periods):
        start, end = clock(period.start_s), clock(period.end_s or 86_400)
        lines.append(f'  {{ start = "{start}", end = "{end}", name = {_text(period.name)} }},')
    return "\n".join([*lines, "]"]) + "\n"


def _general_first(rule: TransitionRule) -> tuple[str, tuple[str, ...]]:
    switch = rule.switch
    names = () if switch is None else (switch.day_type, switch.before, switch.after)
    return rule.controller or "", names


def _transition_text(rule: TransitionRule) -> str:
    lines = ["[[transition]]"]
    if rule.controller is not None:
        lines.append(f"controller = {_text(rule.controller)}")
    if rule.switch is not None:
        lines.append(f"day = {_text(rule.switch.day_type)}")
        lines.append(f"before = {_text(rule.switch.before)}")
        lines.append(f"after = {_text(rule.switch.after)}")
    lines.append(f"way = {_text(rule.way)}")
    if rule.way is not Transition.SUBTRACT or rule.longer != LONGER:
        lines.append(f"longer = {rule.longer:g}")
    if rule.way in {Transition.SUBTRACT, Transition.SHORTEST} or rule.shorter != SHORTER:
        lines.append(f"shorter = {rule.shorter:g}")
    return "\n".join(lines) + "\n"


def _plan_text(plan: Plan, runs: Iterable[Assignment]) -> str:
    lines = [
        "[[plan]]",
        f"controller = {_text(plan.controller)}",
        f"id = {_text(plan.id)}",
        f"cycle_s = {_s(plan.cycle_ds)}",
        f"offset_s = {_s(plan.offset_ds)}",
    ]
    if plan.reference is not None:
        lines.append(f"reference = {_text(plan.reference)}")
    listed = sorted(runs, key=lambda a: (a.day_type, a.period))
    own = [f"{{ day = {_text(a.day_type)}, period = {_text(a.period)} }}" for a in listed]
    lines += _block("runs", own)
    lines += _block("stages", [_stage_text(stage) for stage in plan.stages])
    lines += ["", "[plan.greens]"]
    for greens in sorted(plan.greens, key=lambda g: g.phase):
        inside = ", ".join(_window_text(window) for window in greens.windows)
        lines.append(f"{_key(greens.phase)} = [{inside}]")
    return "\n".join(lines) + "\n"


def _block(name: str, rows: Sequence[str]) -> list[str]:
    return [f"{name} = [", *(f"  {row}," for row in rows), "]"] if rows else []


def _stage_text(stage: StageGreen) -> str:
    return (
        f"{{ id = {_text(stage.id)}, green_s = {_s(stage.green_ds)}, "
        f"interstage_s = {_s(stage.interstage_ds)}, phases = {_list(stage.phases)} }}"
    )


def _window_text(window: Window) -> str:
    parts = [f"start_s = {_s(window.start_ds)}", f"length_s = {_s(window.length_ds)}"]
    if window.yellow_ds:
        parts.append(f"yellow_s = {_s(window.yellow_ds)}")
    if window.red_amber_ds:
        parts.append(f"red_amber_s = {_s(window.red_amber_ds)}")
    return f"{{ {', '.join(parts)} }}"


def _s(tenths: int) -> str:
    return f"{tenths / 10:.1f}" if tenths % 10 else str(tenths // 10)


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(_text(item) for item in items)}]"
