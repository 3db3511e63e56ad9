# SPDX-License-Identifier: Apache-2.0
"""A run in which controllers decide every second and the gate has the last word."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType

import numpy as np

from lvbo.control.background import plan_table
from lvbo.control.close_links import CloseLinks
from lvbo.control.gate import make_gate
from lvbo.control.guard import Guarded, guard_of_either
from lvbo.control.health import Lookout
from lvbo.control.leading import leaders
from lvbo.control.neighbours import Neighbours
from lvbo.control.pairs import Pair, find_pairs
from lvbo.control.protocols import Controller, Observation, Order, Verdict, Wish
from lvbo.control.registry import ControllerSpec, Situation, make_controller
from lvbo.control.site import Site, read_site
from lvbo.control.stages import StageTable, stage_table
from lvbo.control.supervisor import NONE_OF_IT, Supervision, Supervisor
from lvbo.errors import UsageError
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.progression.wave import Wave
from lvbo.signal.lamp import Countdown
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.decisions import PLANS_ONLY, DecisionLog
from lvbo.simulation.escorts import Escort, Escorting
from lvbo.simulation.local import LocalControl
from lvbo.simulation.runs import Controlled
from lvbo.simulation.sensing import Sensing
from lvbo.simulation.street import SumoStreet
from lvbo.simulation.sumo import REPORT_EVERY_S, Ended, Report, Setup, ended_now, run_sumo

BY_PHASE = frozenset({"fixed", "cyclic"})
"""Controllers that wish for phases, not for stages of the site."""
RUNS_PLANS = ControllerSpec(name="fixed")
SHOWS_GREENS = (Countdown.FULL, Countdown.LEARNING)
"""Countdowns that show whole greens, so that nothing but a plan can run below them."""
BY_EITHER = frozenset({"lvbo"})
"""Controllers that wish now for stages, now for phases: they fall back to plans where there are."""
PLANNED = frozenset({"fixed", "cyclic", "coordinated", "actuated"})
"""Controllers that go by the plan in force."""
LEADS_PAIRS = frozenset({"lvbo"})
"""Controllers that lead pairs of signals a few metres apart as one."""
ON_PLAN = frozenset({"coordinated"})
"""Controllers of stages in the order that the plan in force writes them."""

Guard = Callable[[Observation, Wish], Verdict]
"""The gate of one site with its memory."""


@dataclass(frozen=True, kw_only=True)
class Controlling:
    """Who controls a run and by what eyes.

    `plans` are those in force at the start, by controller, `schedule` those of the whole day;
    `local` is what a site runs by itself while it is given away.
    `waves` are the green waves that are to be kept on days of `day_type`.
    `escorts` drive officers' routes; only with `priority` do signals go before others for them.
    """

    spec: ControllerSpec
    order: Order = Order.SKIP
    sensing: Sensing = field(default_factory=Sensing)
    plans: Mapping[ControllerId, Plan] = field(default_factory=dict)
    schedule: PlanSet | None = None
    local: Mapping[ControllerId, Plan] = field(default_factory=dict)
    waves: tuple[Wave, ...] = ()
    supervision: Supervision = NONE_OF_IT
    day_type: str = "workday"
    escorts: tuple[Escort, ...] = ()
    priority: bool = True


class Driver:
    """Move a simulation on under controllers; `facts` are there once it has ended, `log` grows."""

    def __init__(
        self,
        network: Network,
        controllers: Mapping[ControllerId, Controller],
        sites: tuple[Site, ...],
        *,
        guards: Mapping[ControllerId, Guard],
        sensing: Sensing,
        seed: int,
    ) -> None:
        self._network = network
        self._controllers = controllers
        self._sites = sites
        self._guards = guards
        self._sensing = sensing
        self._seed = seed
        self._late: dict[ControllerId, deque[Wish]] = {
            site.id: deque(maxlen=sensing.command_s + 1) for site in sites
        }
        self._lookouts = {site.id: Lookout(site) for site in sites}
        self._neighbours = Neighbours(network, sites)
        self._close = CloseLinks(network, sites)
        self.supervisor = Supervisor(network, sites, (), "")
        self._refused: Counter[str] = Counter()
        self._forced = self._released = 0
        self._decision_ms: list[float] = []
        self.facts: Controlled | None = None
        self.log = DecisionLog({site.id: site.phases for site in sites})
        self.local: Mapping[ControllerId, LocalControl] = {}
        self.bound: frozenset[ControllerId] = frozenset()  # sites that run plans whoever controls
        self.escorting: Escorting | None = None
        self._pairs: Sequence[tuple[ControllerId, ControllerId]] = ()
        self._around_pairs = self._close

    def lead(self, pairs: Sequence[tuple[ControllerId, ControllerId]]) -> None:
        """Show the controllers of each pair what is seen of both."""
        self._pairs = pairs
        self._around_pairs = CloseLinks(self._network, self._sites, pairs=pairs)

    def __call__(self, sumo: ModuleType, setup: Setup, report: Report | None) -> Ended:
        """Take the running simulation to the end of its span."""
        began = time.perf_counter()
        street = SumoStreet(
            sumo, self._network, self._sites, sensing=self._sensing, seed=self._seed
        )
        for name in sorted(self.bound):
            self.log.say(setup.begin_s, name, PLANS_ONLY)
        next_report = float(setup.begin_s)
        while street.now_s < setup.end_s:
            self._supervise(int(street.now_s))
            seen = self._among([self._look(each) for each in street.observe()])
            self._neighbours.step()
            if self.escorting is not None:
                self.escorting.step(sumo, int(street.now_s))
            street.show({each.controller: self._decide(each) for each in seen})
            if report is not None and street.now_s >= next_report:
                report((street.now_s - setup.begin_s) / (setup.end_s - setup.begin_s))
                next_report = street.now_s + REPORT_EVERY_S
        self.facts = self._facts(street)
        return ended_now(
            sumo,
            setup,
            tuple(street.changes),
            (street.teleports, street.collisions),
            time.perf_counter() - began,
        )

    def _supervise(self, now_s: int) -> None:
        """Take up what waves ask for in this second, and log what was changed."""
        self.supervisor.step(now_s)
        for name, reason in self.supervisor.told:
            self.log.say(now_s, name, reason.code, reason.fields)

    def _look(self, seen: Observation) -> Observation:
        """Return the observation as all who decide take it: lanes, and whom to believe."""
        name = seen.controller
        looked = self._lookouts[name].look(seen, self._neighbours.announced(name))
        if looked.lanes is not None:
            self._neighbours.take(name, looked.lanes.left)
        blocked = self.supervisor.held_back(name, looked.blocked)
        return replace(looked, keep=self.supervisor.keep(name), blocked=blocked)

    def _among(self, seen: list[Observation]) -> list[Observation]:
        """Return the observations with what signals near each other know of one another."""
        looked = self._close.look(seen)
        if not self._pairs:
            return looked
        now = {each.controller: each for each in self._around_pairs.look(seen)}
        both = {name: (now[a], now[b]) for a, b in self._pairs for name in (a, b)}
        return [replace(o, pair=both[o.controller]) if o.controller in both else o for o in looked]

    def _decide(self, seen: Observation) -> Verdict:
        """Return what the gate grants of the wish that has reached the site by now."""
        start = time.perf_counter()
        wish = self._controllers[seen.controller].decide(seen)
        self._decision_ms.append(1000 * (time.perf_counter() - start))
        self.supervisor.learn(seen, wish)
        late = self._late[seen.controller]
        late.append(wish)
        verdict = self._guards[seen.controller](seen, late[0])
        self._refused.update(refusal.code for refusal in verdict.refusals)
        self._forced += verdict.forced is not None
        self._released += verdict.released
        self.log.note(seen, late[0], verdict)
        local = self.local.get(seen.controller)
        return local.decide(seen) if verdict.released and local is not None else verdict

    def _facts(self, street: SumoStreet) -> Controlled:
        times = np.array(self._decision_ms or [0.0])
        return Controlled(
            worst_wait_s=street.worst_wait_s,
            locks=len(street.locked),
            first_locked=street.first_locked,
            refused=dict(self._refused),
            forced=self._forced,
            released=self._released,
            decision_ms_mean=float(times.mean()),
            decision_ms_p99=float(np.percentile(times, 99)),
        )


def run_controlled(
    setup: Setup,
    network: Network,
    controllers: Mapping[ControllerId, Controller],
    *,
    sensing: Sensing | None = None,
    guards: Mapping[ControllerId, Guard] | None = None,
    report: Report | None = None,
) -> tuple[Ended, Controlled]:
    """Run SUMO once under these controllers, in this process; sites without one run their own.

    Without `guards` every site has the gate, which lets any safe greens through.

    Raises:
        ToolError: LV600 SUMO missing, LV601 SUMO refused or broke off.

    """
    sites = tuple(read_site(network, network.controller_index[name]) for name in controllers)
    driver = Driver(
        network,
        controllers,
        sites,
        guards=guards or {site.id: make_guard(RUNS_PLANS, _bare(site)) for site in sites},
        sensing=sensing or Sensing(),
        seed=setup.seed,
    )
    ended = run_sumo(setup, report, driver)
    if driver.facts is None:  # the drive always leaves facts; without them the run was none
        raise UsageError("LV742", place=str(setup.net_file))
    return ended, driver.facts


def driven(network: Network, controlling: Controlling, seed: int) -> Driver:
    """Return what drives a run as described: a controller and a gate for every site.

    A site whose countdown shows whole greens runs its plans, where it has some.
    """
    planned = set(controlling.schedule.controllers if controlling.schedule is not None else ())
    by_phase = controlling.spec.name in BY_PHASE
    sites = tuple(
        read_site(network, controller)
        for controller in network.controllers
        if controller.rules.orders or (by_phase and controller.id in planned)
    )
    situations = {site.id: _situation(site, controlling) for site in sites}
    pairs = _pairs(network, sites, controlling)
    for name, led in leaders(pairs, situations).items():
        situations[name] = replace(situations[name], led=led)
    bound = frozenset(name for name, own in situations.items() if _is_bound(own))
    specs = {s.id: RUNS_PLANS if s.id in bound else controlling.spec for s in sites}
    escorting = Escorting(controlling.escorts, network, priority=controlling.priority)
    driver = Driver(
        network,
        {
            s.id: escorting.before(
                make_controller(specs[s.id], situations[s.id]),
                s,
                _stages(situations[s.id], by_phase=by_phase),
                bound=s.id in bound,
            )
            for s in sites
        },
        sites,
        guards={site.id: make_guard(specs[site.id], situations[site.id]) for site in sites},
        sensing=controlling.sensing,
        seed=seed,
    )
    index = {site.id: site for site in sites}
    driver.local = {
        name: LocalControl(index[name], plan)
        for name, plan in controlling.local.items()
        if name in index
    }
    driver.bound = frozenset() if by_phase else bound
    driver.lead([pair.ids for pair in pairs])
    driver.supervisor = Supervisor(
        network, sites, controlling.waves, controlling.day_type, controlling.supervision
    )
    driver.escorting = escorting if controlling.escorts else None
    return driver


def _pairs(network: Network, sites: Sequence[Site], controlling: Controlling) -> tuple[Pair, ...]:
    """Return the signals that are led as one: none that keeps waves, nor by a clock of its own."""
    spec = controlling.spec
    if spec.name not in LEADS_PAIRS or "clock_s" in dict(spec.params):
        return ()
    kept = {name for wave in controlling.waves for name in wave.corridor.controllers}
    return find_pairs(network, [s for s in sites if s.id not in kept], controlling.order)


def _stages(situation: Situation, *, by_phase: bool) -> StageTable:
    """Return the stages that a site is led through: those of its gate."""
    if by_phase:
        return stage_table(situation.site, Order.ANY)
    return plan_table(situation.site, situation.order, situation.plan if situation.keeps else None)


def _situation(site: Site, controlling: Controlling) -> Situation:
    schedule = controlling.schedule
    return Situation(
        site=site,
        order=controlling.order,
        plan=controlling.plans.get(site.id),
        schedule=None if schedule is None else schedule.only({site.id}),
        keeps=controlling.spec.name in ON_PLAN
        or any(site.id in wave.corridor.controllers for wave in controlling.waves),
        params=dict(controlling.spec.params),
    )


def _bare(site: Site) -> Situation:
    return Situation(site=site, order=Order.ANY, params={})


def _is_bound(situation: Situation) -> bool:
    planned = situation.schedule is not None and bool(situation.schedule.plans)
    return planned and situation.site.rules.countdown in SHOWS_GREENS


def make_guard(spec: ControllerSpec, situation: Situation) -> Guard:
    """Return the gate of a site for such a controller.

    Plans are let through by phase, as they may overlap; all others by the stages of the site, or
    of its plan where the controller runs on one or keeps a wave.
    """
    site, order = situation.site, situation.order
    if spec.name in BY_PHASE:
        return Guarded(site, make_gate(site, None, order), times_walks=False)
    table = _stages(situation, by_phase=False)
    if spec.name in BY_EITHER:
        return guard_of_either(site, table)
    return Guarded(site, make_gate(site, table, order), times_walks=True)
