# SPDX-License-Identifier: Apache-2.0
"""Whether the street shows what we believe: our timelines against the lamps of a SUMO run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lvbo.errors import Finding
from lvbo.ids import ControllerId, PlanId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import StateTable
from lvbo.network.binding import SumoHead
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S
from lvbo.simulation.files import copy_additionals
from lvbo.simulation.runs import LampChange
from lvbo.simulation.sumo import Setup, watch_lamps

STEP_DS = 10
"""SUMO shows a change from the beginning of the step (of one second) in which it falls."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Miss:
    """One second in which one link showed something else."""

    link: int
    second: int
    expected: str
    shown: str


def self_check(scenario: Scenario, *, cycles: int = 2) -> tuple[Finding, ...]:
    """Return every link whose lamp in SUMO is not the one our timeline says; none is good.

    State characters that drive no connection (LV201) have no lamp and are not looked at.

    The shipped programmes run without traffic: `cycles` cycles of each controller from the begin
    of the scenario, and in a second run one cycle before and `cycles` after every switch of the
    day. Plans that SUMO does not run as fixed time (findings LV213, LV214, LV237) are left out, and
    so is what comes after a switch by a procedure of SUMO's own (LV215): it stays out of step.

    Raises:
        ToolError: LV600 SUMO missing, LV601 SUMO refused the files.

    """
    longest = max((-(-plan.cycle_ds // 10) for plan in scenario.plans.plans), default=0)
    if not longest:
        return ()
    first = ((scenario.begin_s, scenario.begin_s + cycles * longest),)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = list(compare_lamps(scenario, _shown(scenario, first, folder), first))
        switches = _switches(scenario, longest, cycles)
        if switches:
            found += compare_lamps(scenario, _shown(scenario, switches, folder), switches)
    return tuple({(f.place, f.fields["link"]): f for f in reversed(found)}.values())[::-1]


def _shown(scenario: Scenario, spans: tuple[Span, ...], folder: Path) -> tuple[LampChange, ...]:
    setup = Setup(
        folder=folder,
        net_file=scenario.net_file,
        route_files=(),
        additional_files=copy_additionals(scenario, folder, keep_signals=True),
        begin_s=spans[0][0],
        end_s=spans[-1][1],
        step_s=1.0,
        seed=0,
        teleport_s=-1,
    )
    return watch_lamps(setup, spans)


def _switches(scenario: Scenario, longest: int, cycles: int) -> tuple[Span, ...]:
    """Return the spans around the switches of the day, merged where they touch, in order."""
    periods = scenario.plans.day_plans[0].periods
    merged: list[Span] = []
    for at in sorted(period.start_s for period in periods) if len(periods) > 1 else ():
        begin, end = max(0, at - longest), at + cycles * longest
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    return tuple(merged)


def compare_lamps(
    scenario: Scenario, lamps: tuple[LampChange, ...], spans: tuple[Span, ...]
) -> tuple[Finding, ...]:
    """Return one finding per controller and link whose shown lamps differ from the plans'."""
    changes: dict[ControllerId, list[LampChange]] = {}
    for change in lamps:
        changes.setdefault(change.controller, []).append(change)
    loose = _loose(scenario)
    found: list[Finding] = []
    for controller in scenario.plans.controllers:
        misses = _misses(scenario, controller, changes.get(controller, []), spans, loose)
        found += _told(controller, tuple(misses))
    return tuple(found)


def _told(controller: ControllerId, misses: tuple[_Miss, ...]) -> Iterator[Finding]:
    by_link: dict[int, list[_Miss]] = {}
    for miss in misses:
        by_link.setdefault(miss.link, []).append(miss)
    for link, listed in sorted(by_link.items()):
        first = listed[0]
        yield Finding(
            code="LV219",
            place=controller,
            fields={
                "link": link,
                "second": first.second,
                "expected": first.expected,
                "shown": first.shown,
                "seconds": len(listed),
            },
        )


def _misses(
    scenario: Scenario,
    controller: ControllerId,
    changes: list[LampChange],
    spans: tuple[Span, ...],
    loose: frozenset[tuple[str, str]],
) -> Iterator[_Miss]:
    driven = {head.index for head in _heads(scenario, controller)}
    expect = _Expected(scenario, controller, loose, spans[0][0])
    seconds = (second for begin, end in spans for second in range(begin, end))
    shown, k = "", 0
    for second in seconds:
        while k < len(changes) and changes[k].second <= second:
            shown, k = changes[k].state.replace("Y", "y"), k + 1  # to SUMO both are yellow
        expected = expect.at(second)
        if expected is None or expected == shown:
            continue
        for link, (ours, theirs) in enumerate(
            zip(expected, shown.ljust(len(expected)), strict=False)
        ):
            if ours != theirs and link in driven:
                yield _Miss(link=link, second=second, expected=ours, shown=theirs)


def _heads(scenario: Scenario, controller: ControllerId) -> tuple[SumoHead, ...]:
    sumo = scenario.network.sumo
    return sumo.head_index[controller] if sumo is not None else ()


def _loose(scenario: Scenario) -> frozenset[tuple[str, str]]:
    """Return the (controller, plan) that SUMO does not run as written; an empty plan means all."""
    codes = {"LV213", "LV214", "LV215", "LV237"}
    return frozenset(
        (str(f.fields["controller"]), "" if f.code == "LV215" else str(f.fields["plan"]))
        for f in scenario.plans.findings
        if f.code in codes
    )


class _Expected:
    """Hold the state strings of one controller over the day, as our plans have them."""

    def __init__(
        self,
        scenario: Scenario,
        controller: ControllerId,
        loose: frozenset[tuple[str, str]],
        begin: int,
    ) -> None:
        day = scenario.plans.day_plans[0]
        runs = {p: scenario.plans.run_index[controller, day.day_type, p.name] for p in day.periods}
        self.starts = sorted(
            ((period.start_s, plan) for period, plan in runs.items()), key=lambda row: row[0]
        )
        self.controller = controller
        self.loose = loose
        self.tables: dict[PlanId, StateTable] = {
            plan.id: StateTable(plan, scenario.network) for plan in runs.values()
        }
        self.known: dict[tuple[PlanId, int], str] = {}
        smooth = (str(controller), "") in loose
        self.only = self._row(begin)[0] if smooth else None

    def _row(self, second: int) -> tuple[int, Plan]:
        local = second % DAY_S
        return next((row for row in reversed(self.starts) if row[0] <= local), self.starts[-1])

    def at(self, second: int) -> str | None:
        """Return the state at a second of the day, None where it cannot be said."""
        start, plan = self._row(second)
        if (str(self.controller), str(plan.id)) in self.loose or self.only not in {None, start}:
            return None
        key = plan.id, plan.local_ds(10 * second + STEP_DS - 1)
        if key not in self.known:
            self.known[key] = self.tables[plan.id].at(key[1])
        return self.known[key]
