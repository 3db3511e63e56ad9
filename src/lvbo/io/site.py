# SPDX-License-Identifier: Apache-2.0
"""The site sheet of a network: stage order, waiting areas, countdowns, clearances, speeds.

A network file knows lanes and lamps; what the site's engineers decided stands in a `*.site.toml`
beside it. What the sheet states replaces what was computed from geometry.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lvbo.errors import Finding, InputError
from lvbo.ids import CrossingId, MovementId, PhaseId
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.signal.lamp import Countdown, PhaseKind
from lvbo.signal.rules import (
    Clock,
    Controller,
    Follows,
    IntergreenMatrix,
    Phase,
    PhaseLimits,
)
from lvbo.signal.schedule import PlanSet

SCHEMA = "lvbo-site 1"
TURNS = {"T": Turn.THROUGH, "L": Turn.LEFT, "R": Turn.RIGHT, "U": Turn.UTURN}
COUNTDOWNS = {
    "none": Countdown.NONE,
    "last": Countdown.LAST_SECONDS,
    "full": Countdown.FULL,
    "learning": Countdown.LEARNING,
}
KMH = 3.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How one configuration is judged: seconds cut off the front and run on after the end."""

    sumocfg: str
    warm_up_s: int = 0
    run_out_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSheet:
    """What a site sheet says beside the rules of controllers."""

    zone: str
    spans: tuple[Span, ...]
    speeds_mps: tuple[tuple[str, float], ...]
    coordinate: tuple[str, ...]
    controllers: Mapping[str, Mapping[str, object]]

    def span(self, sumocfg: str) -> Span:
        """Return the span of a configuration; nothing is cut off where none is stated."""
        named = {span.sumocfg: span for span in self.spans}
        return named.get(sumocfg, Span(sumocfg=sumocfg))


def find_site_sheet(folder: Path) -> Path | None:
    """Return the site sheet of a folder, if there is one.

    Raises:
        InputError: LV124 where there are several, since none of them is the one meant.

    """
    found = sorted(folder.glob("*.site.toml"))
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise InputError("LV124", place=str(folder), count=len(found), files=names)
    return found[0] if found else None


def read_site_sheet(path: Path) -> SiteSheet:
    """Read a site sheet.

    Raises:
        InputError: LV120 not TOML or not of this schema, LV121 a value of the wrong kind.

    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("LV120", place=path.name, reason=str(error)) from error
    if raw.get("schema") != SCHEMA:
        raise InputError("LV120", place=path.name, reason=f"schema {raw.get('schema')!r}")
    try:
        streets = raw.get("street", [])
        return SiteSheet(
            zone=str(raw.get("zone", "Asia/Shanghai")),
            spans=tuple(_span(row) for row in raw.get("span", [])),
            speeds_mps=tuple(
                (str(s["name"]), float(s["median_kmh"]) / KMH) for s in streets if "median_kmh" in s
            ),
            coordinate=tuple(str(s["name"]) for s in streets if s.get("coordinate")),
            controllers=dict(raw.get("controller", {})),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("LV121", place=path.name, reason=str(error)) from error


def _span(row: Mapping[str, object]) -> Span:
    return Span(
        sumocfg=str(row["sumocfg"]),
        warm_up_s=int(str(row.get("warm_up_s", 0))),
        run_out_s=int(str(row.get("run_out_s", 0))),
    )


def apply_site(network: Network, sheet: SiteSheet, plans: PlanSet, place: str) -> Network:
    """Return the network with the rules of its controllers as the sheet states them.

    A minimum green is never stricter than the shortest green of the site's own plans.

    Raises:
        InputError: LV122 for every controller of the sheet that the network does not have, LV121
            for values that make no sense.

    """
    unknown = sorted(set(sheet.controllers) - {str(c.id) for c in network.controllers})
    if unknown:
        raise InputError.of(
            Finding(code="LV122", place=place, fields={"controller": name}) for name in unknown
        )
    try:
        controllers = tuple(
            _Site(network, c, sheet.controllers[c.id], plans).applied()
            if c.id in sheet.controllers
            else c
            for c in network.controllers
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("LV121", place=place, reason=str(error)) from error
    return replace(network, controllers=controllers, zone=sheet.zone)


class _Site:
    """Hold one controller and what its sheet says."""

    def __init__(
        self,
        network: Network,
        controller: Controller,
        said: Mapping[str, object],
        plans: PlanSet,
    ) -> None:
        self.network, self.controller, self.said = network, controller, said
        self.rules = controller.rules
        self.plans = [plan for plan in plans.plans if plan.controller == controller.id]
        self.walk: Mapping[str, object] = dict(said.get("walk", {}))  # type: ignore[call-overload]
        self.turns = {p.id: self._turns(p.id) for p in self.rules.phases}

    def applied(self) -> Controller:
        """Return the controller as stated; only a waiting area fixes the order of its stages."""
        follows = self._follows()
        rules = replace(
            self.rules,
            phases=tuple(self._phase(p) for p in self.rules.phases),
            intergreens=self._intergreens(),
            limits=tuple(self._limits(p) for p in self.rules.phases),
            follows=follows,
            may_skip=not (follows or self.said.get("half_cycle") or self.said.get("one_approach")),
            countdown=COUNTDOWNS[str(self.said.get("countdown", "none"))],
        )
        name = str(self.said.get("name", self.controller.name))
        return replace(self.controller, rules=rules, name=name, clock=self._clock())

    def _clock(self) -> Clock:
        linked, drift_s = self.said.get("linked", True), float(str(self.said.get("drift_s_pd", 0)))
        every_h = float(str(self.said.get("set_every_h", 24)))
        if not isinstance(linked, bool) or not (drift_s >= 0 and every_h > 0):
            message = f"linked = {linked!r}, drift_s_pd = {drift_s}, set_every_h = {every_h}"
            raise ValueError(message)
        return Clock(linked=linked, drift_s_pd=drift_s, set_every_h=every_h)

    def _turns(self, phase: PhaseId) -> set[tuple[str, Turn]]:
        index = self.network.movement_index
        found = {s.movement for s in self.rules.services if s.phase == phase and s.movement}
        return {(str(index[MovementId(m)].leg), index[MovementId(m)].turn) for m in found}

    def _phase(self, phase: Phase) -> Phase:
        if phase.kind is PhaseKind.PEDESTRIAN or not phase.is_going:
            return phase
        flash = 10 * int(str(self.said.get("green_flash_s", 0)))
        return replace(phase, flash_ds=flash if phase.id not in self.rules.permanent else 0)

    def _intergreens(self) -> IntergreenMatrix:
        pairs = self.rules.intergreens.pairs
        return IntergreenMatrix(pairs=tuple((a, b, self._between(a, v)) for a, b, v in pairs))

    def _between(self, ending: PhaseId, computed: int | None) -> int | None:
        phase = self.rules.phase_index[ending]
        if phase.kind is PhaseKind.PEDESTRIAN:
            cleared = dict(self.walk.get("clearance_s", {}))  # type: ignore[call-overload]
            stated = [int(str(cleared[leg])) for leg in self._legs(ending) if leg in cleared]
            return 10 * max(stated) if stated else computed
        if "yellow_s" in self.said and "all_red_s" in self.said:
            return 10 * (int(str(self.said["yellow_s"])) + int(str(self.said["all_red_s"])))
        return computed

    def _legs(self, phase: PhaseId) -> list[str]:
        crossings = {s.crossing for s in self.rules.services if s.phase == phase and s.crossing}
        return [str(self.network.crossing_index[CrossingId(c)].leg) for c in sorted(crossings)]

    def _limits(self, phase: Phase) -> PhaseLimits:
        limits = self.rules.limit_index[phase.id]
        if phase.kind is PhaseKind.PEDESTRIAN:
            steady = self.walk.get("short_steady_s", self.walk.get("steady_s"))
            return limits if steady is None else self._least(limits, 10 * int(str(steady)))
        stated = dict(self.said.get("min_green_s", {}))  # type: ignore[call-overload]
        least = [
            10 * int(str(stated[k]))
            for k, turn in TURNS.items()
            if k in stated and turn in {t for _, t in self.turns[phase.id]}
        ]
        return self._least(limits, max(least)) if least else limits

    def _least(self, limits: PhaseLimits, stated_ds: int) -> PhaseLimits:
        run = [w.length_ds for plan in self.plans for w in plan.windows_of(limits.phase)]
        return replace(limits, min_green_ds=min([stated_ds, *run]))

    def _follows(self) -> tuple[Follows, ...]:
        rows = list(self.said.get("follows", []))  # type: ignore[call-overload]
        found = []
        for row in rows:
            leg, after = str(row["leg"]), TURNS[str(row["after"])]
            turn = TURNS[str(row["turn"])]
            pairs = [
                (p, q)
                for p in self.turns
                for q in self.turns
                if (leg, turn) in self.turns[p] and (leg, after) in self.turns[q] and p != q
            ]
            found += [Follows(phase=p, after=q) for p, q in sorted(pairs)[:1]]
        return tuple(found)


def street_speeds(network: Network, sheet: SiteSheet) -> dict[str, float]:
    """Return the measured median platoon speed of each link that the sheet names, m/s."""
    speeds = dict(sheet.speeds_mps)
    return {link.id: speeds[link.name] for link in network.links if link.name in speeds}
