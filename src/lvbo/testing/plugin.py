# SPDX-License-Identifier: Apache-2.0
"""What every controller must pass, ours and those plugged in: driven without a simulator.

It is put behind the gate on small sites, with sound and with troubled detectors, and everything
that is wrong is told at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from lvbo.control.calls import Calls
from lvbo.control.eyes import Eyes
from lvbo.control.gate import make_gate
from lvbo.control.guard import Guarded, guard_of_either
from lvbo.control.protocols import (
    Bools,
    Controller,
    LaneState,
    Observation,
    Verdict,
    Wish,
)
from lvbo.control.registry import Maker, Situation
from lvbo.control.stages import stage_table
from lvbo.signal.lamp import GOING, Lamp
from lvbo.signal.watch import LampChecker
from lvbo.simulation.sensing import Eye, Sensing
from lvbo.testing.replay import Condition, ReplayStreet
from lvbo.testing.sites import Shape, shapes
from lvbo.testing.values import copied, misshapen, named, spoil, unequal, unsaid

SECONDS = 200
TWIN_S = 100
"""For so long a second controller decides beside the first, to be compared."""
STARVED_S = 60
"""A phase that was called for so long in all must have been wished for."""
ANSWER_S = 5
"""So soon after an outage the site is controlled again."""
STRANGE = "LV723"
_GOES = np.array([lamp in GOING for lamp in Lamp])


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What a controller was driven through without a fault.

    `seconds` it decided; `forced` in how many of them the gate served somebody who had waited too
    long, `released` in how many local control had the site; `refused` what the gate did not grant,
    by code.
    """

    seconds: int
    forced: int
    released: int
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a drive: local control rests `rest_s` alone, then the controller decides."""

    seconds: int
    condition: Condition = Condition()  # noqa: RUF009  frozen
    rest_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that was wrong, and where it was seen first."""

    what: str
    where: str
    detail: str


def check_controller(
    maker: Maker,
    *,
    by_phase: bool = False,
    by_either: bool = False,
    params: Mapping[str, object] | None = None,
    seconds: int = SECONDS,
    seed: int = 0,
) -> Passed:
    """Drive the controllers of a maker through all shapes; return how it went.

    They must never raise, wish arrays of the right shape and type, decide alike on alike input,
    leave what they are given as it is and not lean on it later, ask for whoever calls, and live
    with dead, late and missing detectors, gaps in time and local control. Each runs behind the
    gate, whose lamps the lamp checker reads: with `by_phase` that of plans, else that of stages;
    with `by_either` plans, whose wishes name no stage, pass as well.

    Raises:
        AssertionError: with a list of all that is wrong.

    """
    guard = _by_either if by_either else _by_phase if by_phase else _by_stage
    drives = [
        _Drive(shape, maker, name=name, guard=guard, params=params or {}, seed=seed)
        for shape in shapes()
        for name in PARTS
    ]
    for drive in drives:
        drive.run(_parts(drive.name, seconds))
    went = Passed(
        seconds=sum(drive.seconds for drive in drives),
        forced=sum(drive.forced for drive in drives),
        released=sum(drive.released for drive in drives),
        refused=dict(sum((drive.refused for drive in drives), Counter[str]())),
    )
    found = [problem for drive in drives for problem in drive.problems]
    if found:
        raise AssertionError(_told(found, went))
    return went


# drives ---------------------------------------------------------------------------------------

SOUND, TROUBLED, LOOPS, BLIND = "sound sensing", "troubled sensing", "loops", "no sensing"
ONCE_FOR_ALL = frozenset({SOUND, LOOPS})
"""Drives in which the state of the lanes comes with the observation, as a simulation makes it."""
PARTS: Mapping[str, tuple[Part, ...]] = {
    SOUND: (Part(seconds=SECONDS),),
    TROUBLED: (
        Part(seconds=20),
        Part(seconds=20, condition=Condition(sensing=Sensing(dead=0.5))),
        Part(seconds=12, condition=Condition(sensing=Sensing(latency_s=3))),
        Part(seconds=8, condition=Condition(stale_s=8)),
        Part(seconds=20, condition=Condition(full_exits=True)),
        Part(seconds=20, rest_s=25),
        Part(seconds=10, condition=Condition(sensing=Sensing(eye=Eye.CONNECTED, connected=0.2))),
        Part(seconds=10, rest_s=3),
    ),
    LOOPS: (
        Part(seconds=40, condition=Condition(sensing=Sensing(eye=Eye.LOOPS))),
        Part(seconds=30, condition=Condition(sensing=Sensing(eye=Eye.LOOPS, dead=0.5))),
        Part(seconds=10, condition=Condition(sensing=Sensing(eye=Eye.LOOPS, advance=False))),
    ),
    BLIND: (Part(seconds=150, condition=Condition(sensing=Sensing(eye=Eye.NONE))),),
}


def _parts(name: str, seconds: int) -> Iterator[Part]:
    for part in PARTS[name]:
        yield replace(part, seconds=max(1, part.seconds * seconds // SECONDS))


class _Drive:
    """One controller on one site; `problems` is what was wrong."""

    def __init__(
        self,
        shape: Shape,
        maker: Maker,
        *,
        name: str,
        guard: Callable[[Shape], Guarded],
        params: Mapping[str, object],
        seed: int,
    ) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.seconds = self.forced = self.released = 0
        self.refused: Counter[str] = Counter()
        self._shape, self._maker, self._params = shape, maker, params
        site = shape.site
        self._guard = guard(shape)
        self._eyes, self._calls = Eyes(site), Calls(site)
        self._street = ReplayStreet([site], seed=seed)
        self._checker = LampChecker(site.rules)
        self._most_red_s = self._guard.gate.red_s
        self._plans_only = shape.runs_plans_only and guard is _by_stage
        width = len(site.phases)
        self._asked_s = np.full(width, -1)
        self._called_s = np.zeros(width, dtype=np.int64)
        self._wished = np.zeros(width, dtype=bool)

    def run(self, parts: Iterator[Part]) -> None:
        """Drive through all parts, to the first second in which the controller cannot go on."""
        controller = self._made()
        twin = self._made() if self.name == SOUND else None
        if controller is None:
            return
        for part in parts:
            self._rest(part.rest_s)
            sensing = replace(part.condition.sensing, capability=self._shape.capability)
            self._street.condition = replace(part.condition, sensing=sensing)
            for second in range(part.seconds):
                compared = twin if self.seconds < TWIN_S else None
                verdict = self._second(controller, compared)
                if verdict is None:
                    return
                self._watch_return(part, second, verdict)
        self._watch_service()

    def _rest(self, seconds: int) -> None:
        for _ in range(seconds):
            self._forget()
            self._street.rest(1)
            self._read_lamps()

    def _made(self) -> Controller | None:
        situation = Situation(
            site=self._shape.site,
            order=self._shape.order,
            plan=self._shape.plan,
            params=self._params,
        )
        try:
            return self._maker(situation)
        except Exception as error:  # noqa: BLE001  whatever a plug-in raises is what is looked for
            self._note("the maker raised", named(error))
            return None

    def _second(self, controller: Controller, twin: Controller | None) -> Verdict | None:
        (raw,) = self._street.observe()
        lanes = self._eyes.look(raw)
        seen = replace(raw, lanes=lanes) if self.name in ONCE_FOR_ALL else raw
        given = copied(seen)
        wish = self._decided(controller, given)
        if wish is None:
            return None
        if changed := unequal(given, seen):
            self._note("it changes the arrays it is given", changed)
        spoil(given)
        if twin is not None:
            self._compare(wish, self._decided(twin, copied(seen)))
        verdict = self._guard(seen, wish)
        self._follow(seen, wish, verdict, lanes)
        self._street.show({seen.controller: verdict})
        self._read_lamps()
        return verdict

    def _decided(self, controller: Controller, seen: Observation) -> Wish | None:
        """Return a copy of the wish, or nothing where it is none that can be used."""
        try:
            wish: object = controller.decide(seen)
        except Exception as error:  # noqa: BLE001  whatever a plug-in raises is what is looked for
            self._note("decide raised", named(error))
            return None
        wrong = misshapen(wish, len(self._shape.site.phases))
        if wrong or not isinstance(wish, Wish):
            self._note("the wish has not the right form", wrong)
            return None
        if unread := unsaid(wish.reason):
            self._note("a reason cannot be read", unread)
        return copied(wish)

    def _compare(self, wish: Wish, other: Wish | None) -> None:
        """Tell whether the twin, which was given arrays of its own to keep, wished the same."""
        if other is not None and (unlike := unequal(wish, other)):
            self._note(
                "equal input gives unequal wishes: it decides by chance, by shared state, or by"
                " arrays that it kept from an earlier second",
                unlike,
            )

    def _follow(self, seen: Observation, wish: Wish, verdict: Verdict, lanes: LaneState) -> None:
        self.seconds += 1
        self.released += verdict.released
        self.forced += verdict.forced is not None
        self.refused.update(refusal.code for refusal in verdict.refusals)
        strange = [x for x in verdict.refusals if x.code == STRANGE]
        if strange:
            names = ", ".join(strange[0].phases)
            self._note("it wishes greens that are no stage of the site, or foes", names)
        if verdict.released:
            self._forget()
            return
        called = self._calls.of(lanes, seen.working)
        self._watch_reds(seen, np.where(self._shape.site.walks, seen.calls, called))
        self._wished |= wish.greens

    def _watch_reds(self, seen: Observation, called: Bools) -> None:
        """Tell of a phase that was called and not served in the time that the gate allows."""
        going = _GOES[seen.lamps]
        self._asked_s[going] = -1
        self._asked_s[~going & called & (self._asked_s < 0)] = seen.time_s
        self._called_s += ~going & called
        late = (self._asked_s >= 0) & (seen.time_s - self._asked_s > self._most_red_s)
        for k in np.flatnonzero(late):
            self._note("a called phase waits longer than the gate lets it", self._phase(int(k)))

    def _forget(self) -> None:
        self._asked_s[:] = -1

    def _watch_return(self, part: Part, second: int, verdict: Verdict) -> None:
        """Tell where the site stays with local control although all is well again."""
        well = part.condition.stale_s == 0 and second >= ANSWER_S
        if verdict.released and well and not self._plans_only:
            self._note("the site stays with local control", f"{second} s into a sound part")

    def _watch_service(self) -> None:
        if self.name != SOUND or self._plans_only:
            return
        for k in np.flatnonzero((self._called_s >= STARVED_S) & ~self._wished):
            told = f"{self._phase(int(k))}, called for {self._called_s[k]} s"
            self._note("it never asks for a phase that is called; only the gate serves it", told)

    def _read_lamps(self) -> None:
        second = self._street.now_s - 1
        for wrong in self._checker.see(10 * second, self._street.lamps_of(0).tolist()):
            self._note("the lamp checker found something", f"{wrong.code} {wrong.phases}")

    def _phase(self, k: int) -> str:
        return str(self._shape.site.phases[k])

    def _note(self, what: str, detail: str) -> None:
        if all(known.what != what for known in self.problems):
            where = f"{self._shape.name}, {self.name}, second {self.seconds}"
            self.problems.append(Problem(what=what, where=where, detail=detail))


def _by_stage(shape: Shape) -> Guarded:
    table = stage_table(shape.site, shape.order)
    return Guarded(shape.site, make_gate(shape.site, table, shape.order))


def _by_phase(shape: Shape) -> Guarded:
    return Guarded(shape.site, make_gate(shape.site, None, shape.order), times_walks=False)


def _by_either(shape: Shape) -> Guarded:
    return guard_of_either(shape.site, stage_table(shape.site, shape.order))


def _told(problems: list[Problem], went: Passed) -> str:
    """Return all problems as a list, those of one kind in one line, and what the gate did."""
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.what, []).append(problem)
    lines = [f"the controller fails in {len(kinds)} ways:"]
    for what, own in kinds.items():
        more = f", and in {len(own) - 1} more drives" if len(own) > 1 else ""
        lines.append(f"- {what}: {own[0].detail} ({own[0].where}{more})")
    lines.append(
        f"In {went.seconds} s the gate served somebody who had waited too long in {went.forced} s"
        f" and left the site to local control in {went.released} s."
    )
    return "\n".join(lines)
