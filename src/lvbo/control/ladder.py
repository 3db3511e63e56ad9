# SPDX-License-Identifier: Apache-2.0
"""The controller of a street as it is: adaptive where it can be, and a ladder of others below.

Each rung says what it needs: equipment that takes stages, lanes whose detectors can be believed,
lamps that were just read. Where that is missing a rung below takes over: at once where lamps,
equipment or obedience fail, after `CONFIRM_S` where detectors do. Up again it goes only after a
longer time in which all was well, twice as long each time that it falls back soon. Whoever takes
over begins from the lamps that are shown, so that a change of rung is no jump on the street.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.control import actuated, adaptive, coordinated, cyclic, planned
from lvbo.control.background import plan_table
from lvbo.control.health import Health, Lookout, Monitor
from lvbo.control.lamps import goes
from lvbo.control.protocols import Capability, Controller, Learner, Observation, Reason, Wish
from lvbo.control.registry import Maker, Situation
from lvbo.control.site import Site
from lvbo.control.stages import StageTable
from lvbo.signal.lamp import Lamp

CONFIRM_S = 10
"""So long detectors must be missed before a rung is left for that."""
WELL_S, MOST_WELL_S = 120, 1920
"""So long all must be well before a higher rung is taken; what repeated falls make it at most."""
FRESH_S = 2
"""So long lamps must be fresh before control is taken back from the site."""
CALM_S = 120
"""For so long a way up waits for lamps that show a stage."""
MARGIN = 0.1
"""Where detectors failed, so much more of the lanes than a rung needs must be seen to go up."""
ADAPTIVE_SHARE, CYCLIC_SHARE, ACTUATED_SHARE = 0.6, 0.8, 0.1
"""The part of the lanes that each must see. With every second lane dead the actuated controller,
which holds unseen lanes as long as the plan does, delays less than any other; on one signal of
eight lanes 37 s against 49 s of the adaptive one and 46 s of the plan. With every fourth dead the
adaptive one had 1.05, 0.93 and 0.76 of its delay on cologne1, cologne8 and ingolstadt1."""
MOST_LATE_S = 4
"""Where commands are later than this, stages cannot be changed second by second."""
LOCAL = "local"
STALE, WHOLE_GREENS, EQUIPMENT, LATE, DISOBEYED, DETECTORS = (
    "LV750", "LV751", "LV752", "LV753", "LV754", "LV755",
)  # fmt: skip
"""Why a rung cannot be: codes of the tables of text."""
TAKEN_BACK, ALL_WELL = "LV756", "LV757"
_RANK = {Capability.PLAN: 0, Capability.CYCLE: 1, Capability.STAGE: 2}
_CHANGING = (int(Lamp.YELLOW), int(Lamp.RED_AMBER))


@dataclass(frozen=True, kw_only=True, eq=False)
class Rung:
    """A way to control a site: what it needs, and what makes its controller at take-over.

    `capability` is what the equipment must accept, `share` the part of the lanes that must be seen.
    With `learns` the controller is a `Learner`, made once and kept. `make` is told whether somebody
    decided before, so that it must begin from the lamps shown.
    """

    name: str
    capability: Capability
    share: float
    make: Callable[[bool], Controller]
    learns: bool = False

    @property
    def takes_stages(self) -> bool:
        """Say whether this rung asks for stages second by second."""
        return self.capability is Capability.STAGE

    def made(self, *, joins: bool) -> Controller:
        """Return a new controller; one that joins begins from the lamps shown."""
        return self.make(joins)

    def lacks(self, health: Health, *, margin: float = 0.0) -> str:
        """Return the code of what is missing for this rung, or nothing."""
        if health.is_stale:
            return STALE
        if health.plans_only and self.capability is not Capability.PLAN:
            return WHOLE_GREENS
        if _RANK[health.capability] < _RANK[self.capability]:
            return EQUIPMENT
        if self.takes_stages and health.late_s > MOST_LATE_S:
            return LATE
        if self.share and health.share < min(self.share + margin, 1.0):
            return DETECTORS
        return ""


class LadderController:
    """Let the highest rung decide that the site can bear; below the last is local control."""

    def __init__(self, site: Site, table: StageTable, rungs: Sequence[Rung]) -> None:
        self._site, self._table, self._rungs = site, table, tuple(rungs)
        self._lookout, self._monitor = Lookout(site), Monitor(site)
        learners = {k: rung.made(joins=False) for k, rung in enumerate(rungs) if rung.learns}
        self._learners = {k: c for k, c in learners.items() if isinstance(c, Learner)}
        self._local = len(self._rungs)
        self._at: int | None = None
        self._controller: Controller | None = None
        self._since_s = self._bad_s = self._good_s = 0
        self._rest_s = FRESH_S
        self._well_s = WELL_S
        self._margin = 0.0

    @property
    def rung(self) -> str:
        """Return the name of the rung that decides."""
        at = self._local if self._at is None else self._at
        return self._name(at)

    @property
    def late_s(self) -> int:
        """Return how much later than at once commands take effect, as learned, s."""
        return max((c.late_s for c in self._learners.values()), default=0)

    def decide(self, seen: Observation) -> Wish:
        """Return what the rung wants that decides now; where it is a new one, say why."""
        looked = seen if seen.lanes is not None else self._lookout.look(seen)
        health = replace(self._monitor.look(looked), late_s=self.late_s)
        why = self._step(looked, health)
        for k, learner in self._learners.items():
            if k != self._at:
                learner.watch(looked)
        wish = self._wish(looked)
        self._monitor.tell(wish)
        return wish if why is None else replace(wish, reason=why)

    def _wish(self, seen: Observation) -> Wish:
        if self._controller is not None:
            return self._controller.decide(seen)
        shows = np.array([int(phase.shows) for phase in self._site.rules.phases])
        return Wish(greens=seen.lamps == shows, release=True)

    # which rung

    def _step(self, seen: Observation, health: Health) -> Reason | None:
        """Stay on the rung, or go to another one and say why."""
        now = seen.time_s
        if self._at is None:
            first = self._first(health)
            why = self._rungs[0].lacks(health)
            told = None if first == 0 else self._told(why, first, health)
            self._go(first, now)
            return told
        if self._at == self._local:
            return self._take_back(now, health)
        lack = self._rungs[self._at].lacks(health) if health.obeys else DISOBEYED
        if lack:
            self._good_s = now
            urgent = lack != DETECTORS
            return self._fall(now, lack, health) if urgent or self._is_sure(now) else None
        self._bad_s = now
        return self._climb(seen, health)

    def _is_sure(self, now_s: int) -> bool:
        return now_s - self._bad_s >= CONFIRM_S

    def _first(self, health: Health) -> int:
        """Return the highest rung that lacks nothing."""
        free = (k for k, rung in enumerate(self._rungs) if not rung.lacks(health))
        return next(free, self._local)

    def _fall(self, now_s: int, lack: str, health: Health) -> Reason:
        """Go to the next rung below that lacks nothing."""
        at = self._local if self._at is None else self._at
        below = [
            k
            for k, rung in enumerate(self._rungs)
            if k > at and not rung.lacks(health) and (lack != DISOBEYED or not rung.takes_stages)
        ]
        stays = lack == DISOBEYED and not self._rungs[at].takes_stages
        to = self._local if stays else next(iter(below), self._local)
        soon = self._since_s and now_s - self._since_s < 2 * self._well_s
        self._well_s = min(2 * self._well_s, MOST_WELL_S) if soon else WELL_S
        self._rest_s = FRESH_S if lack == STALE else self._well_s
        self._margin = MARGIN if lack == DETECTORS else 0.0
        for learner in self._learners.values():
            learner.hurry()  # it is learned anew where stages are asked for again
        told = self._told(lack, to, health)
        self._go(to, now_s)
        return told

    def _take_back(self, now_s: int, health: Health) -> Reason | None:
        """Take control back from the site, to the lowest rung that can be."""
        usable = [k for k, rung in enumerate(self._rungs) if not rung.lacks(health)]
        if health.is_stale or not usable:
            self._bad_s = now_s
            return None
        if now_s - self._bad_s < self._rest_s:
            return None
        self._go(usable[-1], now_s)
        return self._told(TAKEN_BACK, usable[-1], health)

    def _climb(self, seen: Observation, health: Health) -> Reason | None:
        """Go up where all has been well for long, and the lamps show a stage."""
        now, at = seen.time_s, self._local if self._at is None else self._at
        above = (k for k in range(at) if not self._rungs[k].lacks(health, margin=self._margin))
        to = next(above, None)
        if to is None:
            self._good_s = now
            return None
        well_s = now - self._good_s
        if well_s < self._well_s or (well_s < self._well_s + CALM_S and not self._is_calm(seen)):
            return None
        told = self._told(ALL_WELL, to, health, well_s=well_s)
        self._go(to, now)
        self._since_s = now
        return told

    def _is_calm(self, seen: Observation) -> bool:
        """Say whether the lamps show a stage and nothing changes."""
        going = goes(seen.lamps)
        changing = np.isin(seen.lamps, _CHANGING).any()
        return not changing and self._table.stage_of(going, self._site.walks) >= 0

    def _go(self, to: int, now_s: int) -> None:
        joins = self._at is not None
        self._at = to
        self._bad_s = self._good_s = now_s
        self._monitor.forget()
        if to == self._local:
            self._controller = None
        else:
            self._controller = self._learners.get(to) or self._rungs[to].made(joins=joins)

    def _name(self, rung: int) -> str:
        return LOCAL if rung == self._local else self._rungs[rung].name

    def _told(self, code: str, to: int, health: Health, *, well_s: int = 0) -> Reason:
        fields: Mapping[str, Mapping[str, object]] = {
            STALE: {"age_s": health.age_s},
            EQUIPMENT: {"capability": str(health.capability)},
            LATE: {"late_s": health.late_s},
            DISOBEYED: {"wait_s": max(health.unlike_s, health.ignored_s)},
            DETECTORS: {"share": round(100 * health.share)},
            ALL_WELL: {"well_s": well_s},
        }
        return Reason(code=code, fields={"rung": self._name(to), **fields.get(code, {})})


def make(situation: Situation) -> LadderController:
    """Return the ladder of a site: the rungs that its stages and plans allow.

    Raises:
        PlanError: LV730 where the site has no stage at all.

    """
    plan = situation.plan if situation.keeps else None
    table = plan_table(situation.site, situation.order, plan)
    return LadderController(situation.site, table, rungs_of(situation))


def rungs_of(situation: Situation) -> tuple[Rung, ...]:
    """Return the rungs of a site, the highest first; without a plan the lowest needs no sensing."""
    plain = replace(situation, params={})
    site, plan, schedule = situation.site, situation.plan, situation.schedule
    has_plans = plan is not None or (schedule is not None and site.id in schedule.controllers)
    stage, cycle = Capability.STAGE, Capability.CYCLE
    rungs = [
        Rung(
            name="adaptive",
            capability=stage,
            share=ADAPTIVE_SHARE,
            make=lambda _: _adaptive(situation),
            learns=True,
        )
    ]
    if plan is not None:
        rungs.append(
            Rung(
                name="cyclic",
                capability=cycle,
                share=CYCLIC_SHARE,
                make=lambda joins: cyclic.make(plain, joins=joins),
            )
        )
    on_wave = situation.keeps and plan is not None
    rungs.append(
        Rung(
            name="coordinated" if on_wave else "actuated",
            capability=stage,
            share=ACTUATED_SHARE if has_plans else 0.0,
            make=lambda _: coordinated.make(plain) if on_wave else actuated.make(plain),
        )
    )
    if has_plans:
        rungs.append(
            Rung(
                name="fixed",
                capability=Capability.PLAN,
                share=0.0,
                make=lambda joins: planned.make(plain, joins=joins),
            )
        )
    return tuple(rungs)


def _adaptive(situation: Situation) -> Controller:
    """Return the adaptive controller of a site, led with another one where it is of a pair."""
    alone = adaptive.make(situation)
    return alone if situation.led is None else situation.led(alone)


MAKERS: Mapping[str, Maker] = {"lvbo": make}
