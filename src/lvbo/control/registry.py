# SPDX-License-Identifier: Apache-2.0
"""Controllers by name: a picklable description, and what makes a controller of it for a site.

A built-in controller lives in a module of this room that has `make(situation)`; plug-ins name
themselves under the entry points `lvbo.controllers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec

from lvbo.control.protocols import Controller, Learner, Observation, Order, Wish
from lvbo.control.site import Site
from lvbo.errors import UsageError
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import PlanSet

ENTRY_POINTS = "lvbo.controllers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSpec:
    """A controller by name with its parameters, in a form that travels between processes."""

    name: str
    params: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Situation:
    """What a controller is made for: its site, the stage order, and its plans, if any.

    `plan` is the one in force at the start, `schedule` all of them by the time of day. `keeps`
    says that the site keeps the stage order of its plan, as where a green wave is to be kept.
    `led` puts its adaptive controller under the lead of a pair, where it is one of two.
    """

    site: Site
    order: Order
    plan: Plan | None = None
    schedule: PlanSet | None = None
    keeps: bool = False
    led: Callable[[Learner], Learner] | None = None
    params: Mapping[str, object]


Maker = Callable[[Situation], Controller]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn:
    """Where a built-in controller lives, and its family in tables."""

    module: str
    family: str


BUILT_IN: Mapping[str, BuiltIn] = {
    "fixed": BuiltIn(module="planned", family="fixed"),
    "actuated": BuiltIn(module="actuated", family="actuated"),
    "coordinated": BuiltIn(module="coordinated", family="actuated"),
    "max_pressure": BuiltIn(module="pressure", family="pressure"),
    "greedy": BuiltIn(module="pressure", family="pressure"),
    "position": BuiltIn(module="pressure", family="pressure"),
    "cyclic": BuiltIn(module="cyclic", family="adaptive"),
    "adaptive": BuiltIn(module="adaptive", family="adaptive"),
    "lvbo": BuiltIn(module="ladder", family="adaptive"),
}
"""The built-in controllers, in the order of tables; a module serves several by their name."""


def family(name: str) -> str:
    """Return the family of a controller in tables; plug-ins are their own."""
    return BUILT_IN[name].family if name in BUILT_IN else "plugin"


def controller_names() -> tuple[str, ...]:
    """Return the controllers that can be made here: built in, then plugged in."""
    own = [name for name, where in BUILT_IN.items() if _has(name, where)]
    return (*own, *sorted({point.name for point in entry_points(group=ENTRY_POINTS)} - set(own)))


def make_controller(spec: ControllerSpec, situation: Situation) -> Controller:
    """Return a new controller for one site.

    Raises:
        UsageError: LV741 where no controller has that name.

    """
    made = find_maker(spec.name)(situation)
    clock_s = situation.params.get("clock_s")
    if family(spec.name) == "pressure" or not isinstance(clock_s, int):
        return made  # pressures keep their own clock
    return Clocked(made, clock_s)


class Clocked:
    """Let a controller decide only every so many seconds, and hold its wish in between."""

    def __init__(self, controller: Controller, clock_s: int) -> None:
        self._controller = controller
        self._clock_s = clock_s
        self._held: Wish | None = None

    def decide(self, seen: Observation) -> Wish:
        """Return the wish of the last decision."""
        if self._held is None or seen.time_s % self._clock_s == 0:
            self._held = self._controller.decide(seen)
        return self._held


def find_maker(name: str) -> Maker:
    """Return what makes the controllers of this name.

    Raises:
        UsageError: LV741 where no controller has that name.

    """
    for point in entry_points(group=ENTRY_POINTS, name=name):
        plugged: Maker = point.load()
        return plugged
    where = BUILT_IN.get(name)
    if where is None or not _has(name, where):
        raise UsageError("LV741", place=name, known=", ".join(controller_names()))
    module = import_module(_path(where))
    maker: Maker = module.MAKERS[name]
    return maker


def _has(name: str, where: BuiltIn) -> bool:
    return find_spec(_path(where)) is not None and name in getattr(
        import_module(_path(where)), "MAKERS", {}
    )


def _path(where: BuiltIn) -> str:
    return f"lvbo.control.{where.module}"
