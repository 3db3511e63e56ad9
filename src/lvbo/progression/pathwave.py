# SPDX-License-Identifier: Apache-2.0
"""A corridor coordinated for its main paths and its buses, beside the two-way wave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lvbo.errors import Finding, InputError, Severity
from lvbo.ids import MovementId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.progression.busband import BusPart, bus_parts, bus_path, bus_way, share_without_stop
from lvbo.progression.chain import time_range
from lvbo.progression.clocks import is_counted_on
from lvbo.progression.coordinate import Street, coordinate
from lvbo.progression.offsets import evaluate_offsets
from lvbo.progression.pathband import Leg, Path, PathBandPlan, PathBandProblem
from lvbo.progression.pathflows import StreetPath, main_paths
from lvbo.progression.pathresult import (
    CAR_PERSONS,
    PathBand,
    PathKind,
    PathPeriod,
    PathWave,
    PathWish,
)
from lvbo.progression.pathsearch import Setting, evaluate_paths, path_bands
from lvbo.progression.problem import BandPlan, Window
from lvbo.progression.usable import (
    going_phases,
    is_protected,
    repeated,
    usable_greens,
)
from lvbo.progression.wave import PeriodWave, Wave, WaveSettings
from lvbo.signal.plan import Plan
from lvbo.signal.rules import SignalRules
from lvbo.signal.schedule import PlanSet
from lvbo.timing.plans import Volumes, period_volumes


def coordinate_paths(
    corridor: Corridor,
    plans: PlanSet,
    street: Street,
    wish: PathWish | None = None,
    settings: WaveSettings | None = None,
) -> PathWave:
    """Return the plans whose offsets and stage orders give the main paths the most band.

    The two-way wave is the first start of the search, so the bands are never worth less than there
    unless least bands forbid it. Cycles and greens stay as they are.

    Raises:
        InputError: as `coordinate`; LV441 stops of a bus that are not on the street, LV442 where
            neither traffic nor a bus is known.

    """
    asked, laid = wish or PathWish(), settings or WaveSettings()
    network = street.network
    if network is None or (street.demand is None and not asked.buses):
        raise InputError("LV442", place=corridor.name)
    ways = [bus_way(line, corridor, corridor.name) for line in asked.buses]
    parts = tuple(part for way in ways for part in bus_parts(way))
    wave = coordinate(corridor, plans, street=street, settings=laid.to_build_on)
    current, periods, waves = wave.plans, [], []
    for own in wave.periods:
        task = _Task(network, corridor, own, _volumes(street, wave, own), asked, laid)
        made, runs = task.solved(parts)
        waves.append(runs)
        periods.append(made)
        current = current.with_plans(runs.plans)
    return PathWave(wave=replace(wave, plans=current, periods=tuple(waves)), periods=tuple(periods))


def _volumes(street: Street, wave: Wave, own: PeriodWave) -> Volumes:
    if street.demand is None:
        return {}
    periods = {p.name: p for p in wave.plans.day_plan(own.day_type).periods}
    return period_volumes(street.demand, own.day_type, periods[own.period])


class _Task:
    """Hold one street in one period."""

    def __init__(
        self,
        network: Network,
        corridor: Corridor,
        own: PeriodWave,
        volumes: Volumes,
        wish: PathWish,
        settings: WaveSettings,
    ) -> None:
        self.network, self.corridor, self.own = network, corridor, own
        self.wish, self.settings = wish, settings
        self.cycle_ms = own.runs.cycle_ms
        self.links = own.problem.signals - 1
        listed = main_paths(corridor, network, volumes, wish.most)
        self.listed = [path for path in listed if self._has_greens(path)]

    def solved(self, parts: Sequence[BusPart]) -> tuple[PathPeriod, PeriodWave]:
        """Return the bands of the paths and the wave that runs."""
        plain = self._problem(parts, ())
        before = evaluate_paths(plain, self._setting(self.own.runs))
        problem = self._problem(parts, before.bands_ms)
        plan = path_bands(problem, self._starts())
        rows = tuple(self._rows(parts, problem, before, plan))
        place = f"{self.corridor.name} {self.own.period}"
        made = PathPeriod(
            day_type=self.own.day_type,
            period=self.own.period,
            bands=rows,
            problem=problem,
            plan=plan,
            findings=tuple(self._findings(place, problem, plan)),
        )
        return made, self._wave(plan, made.findings)

    def _wave(self, plan: PathBandPlan, findings: Sequence[Finding]) -> PeriodWave:
        own = self.own
        runs = evaluate_offsets(own.problem, plan.cycle_ms, plan.offsets_ms, plan.patterns)
        plans = tuple(self._set(k, plan) for k in range(len(own.choices)))
        found = (*own.findings, *findings)
        return replace(own, runs=runs, band=None, plans=plans, findings=found)

    def _set(self, k: int, plan: PathBandPlan) -> Plan:
        if not is_counted_on(self.network.controller_index[self.own.controllers[k]].clock):
            return self.own.plans[k]
        return self.own.choices[k][plan.patterns[k]].at_offset(plan.offsets_ms[k] // 100)

    # the problem ----------------------------------------------------------------------------

    def _problem(self, parts: Sequence[BusPart], before: Sequence[int]) -> PathBandProblem:
        """Return what the search is asked; with bands before, through paths must keep some."""
        paths = [self._path(path) for path in self.listed]
        paths += [self._bus(part) for part in parts]
        paths = [
            replace(path, least_ms=int(self.wish.least_through * band))
            if k < len(self.listed) and self.listed[k].is_through
            else path
            for k, (path, band) in enumerate(zip(paths, before or (0,) * len(paths), strict=True))
        ]
        problem = self.own.problem
        speeds = (*problem.speed_out_mps, *problem.speed_in_mps)
        metres = (*problem.distance_out_m, *problem.distance_in_m)
        return PathBandProblem(
            cycle_ms=self.cycle_ms,
            sequences=tuple(len(choice) for choice in self.own.choices),
            ways_ms=tuple(time_range(d, v) for d, v in zip(metres, speeds, strict=True)),
            paths=tuple(paths),
            locks=problem.locks,
        )

    def _path(self, path: StreetPath) -> Path:
        legs = []
        for k, (signal, movement) in enumerate(zip(path.stops, path.movements, strict=True)):
            legs.append(
                Leg(
                    signal=signal,
                    windows=self._windows(signal, movement),
                    way=self._way(path, k) if k else None,
                    extra_ms=self._extra_ms(path, k) if k else 0,
                )
            )
        weight = CAR_PERSONS * path.flow_vph / 1000
        return Path(name=self._name(path), weight=weight, legs=tuple(legs))

    def _way(self, path: StreetPath, k: int) -> int:
        link = min(path.stops[k - 1], path.stops[k])
        return link if path.outbound else self.links + link

    def _extra_ms(self, path: StreetPath, k: int) -> int:
        """Return what a turn takes longer than driving through, less the clearance of a queue."""
        extra = 0.0
        if k == 1 and path.turns[0] is not Turn.THROUGH:
            stop = self.corridor.stops[path.stops[0]]
            through = stop.outbound if path.outbound else stop.inbound
            extra += self._crossing_s(path.movements[0]) - self._crossing_s(through)
        problem = self.own.problem
        clear = problem.clearance_out_ms if path.outbound else problem.clearance_in_ms
        waits = clear[path.stops[k]] if clear and path.turns[k] is Turn.THROUGH else 0
        return round(1000 * extra) - waits

    def _crossing_s(self, movement: MovementId | None) -> float:
        if movement is None:
            return 0.0
        own = self.network.movement_index[movement]
        return own.length_m / max(own.speed_mps, 1.0)

    def _bus(self, part: BusPart) -> Path:
        way, stops = part.way, self.corridor.stops
        signals = list(range(len(stops)))
        order = signals if way.outbound else signals[::-1]
        own = order[part.first : part.first + len(way.drive_s) + 1]
        windows = []
        for k in own:
            movement = stops[k].outbound if way.outbound else stops[k].inbound
            windows.append(((),) if movement is None else self._windows(k, movement))
        persons = way.line.buses_ph * way.line.persons
        return bus_path(way, windows, own, self.wish.counted, persons / 1000)

    # greens ---------------------------------------------------------------------------------

    def _rules(self, signal: int) -> SignalRules:
        return self.network.controller_index[self.own.controllers[signal]].rules

    def _windows(self, signal: int, movement: MovementId) -> tuple[tuple[Window, ...], ...]:
        """Return the usable greens of a movement by sequence, on the common cycle."""
        controller = self.network.controller_index[self.own.controllers[signal]]
        whole: tuple[Window, ...] = ((0, self.cycle_ms),)
        found = []
        for plan in self.own.choices[signal]:
            phases = going_phases(controller.rules, movement, plan)
            if phases is None or not is_counted_on(controller.clock):
                found.append(whole)
                continue
            own = usable_greens(plan, phases, self.settings, controller, self.corridor.name)
            found.append(repeated(own, 100 * plan.cycle_ds, self.cycle_ms))
        return tuple(found)

    def _has_greens(self, path: StreetPath) -> bool:
        """Say whether every plan that may run gives the path green at each stop line."""
        return all(
            going_phases(self._rules(signal), movement, plan) != ()
            for signal, movement in zip(path.stops, path.movements, strict=True)
            for plan in self.own.choices[signal]
        )

    # starts and answers ---------------------------------------------------------------------

    def _setting(self, runs: BandPlan) -> Setting:
        return Setting(
            offsets_ms=runs.offsets_ms,
            patterns=runs.patterns,
            times_ms=(*runs.travel_out_ms, *runs.travel_in_ms),
        )

    def _starts(self) -> list[Setting]:
        band, own = self.own.band, self.own
        runs = [own.runs]
        if band is not None:
            runs += [band.one_way_out, band.one_way_in, *((band.two_way,) if band.two_way else ())]
        starts = [self._setting(each) for each in runs]
        in_force = tuple(100 * choice[0].offset_ds for choice in own.choices)
        zeros = (0,) * len(own.choices)
        return [*starts, replace(starts[0], offsets_ms=in_force, patterns=zeros)]

    def _rows(
        self,
        parts: Sequence[BusPart],
        problem: PathBandProblem,
        before: PathBandPlan,
        plan: PathBandPlan,
    ) -> Iterable[PathBand]:
        for k, path in enumerate(self.listed):
            first, last = path.movements[0], path.movements[-1]
            yield PathBand(
                kind=PathKind.THROUGH if path.is_through else PathKind.TURNING,
                name=problem.paths[k].name,
                outbound=path.outbound,
                controllers=tuple(self.own.controllers[s] for s in path.stops),
                links=(
                    self.network.movement_index[first].from_link,
                    self.network.movement_index[last].to_link,
                ),
                turn_in=path.turns[0],
                turn_out=path.turns[-1],
                vehicles_ph=path.flow_vph,
                persons_ph=CAR_PERSONS * path.flow_vph,
                before_ms=before.bands_ms[k],
                band_ms=plan.bands_ms[k],
            )
        for k, part in enumerate(parts, start=len(self.listed)):
            way, path_of = part.way, problem.paths[k]
            yield PathBand(
                kind=PathKind.BUS,
                name=way.line.name,
                outbound=way.outbound,
                controllers=tuple(self.own.controllers[leg.signal] for leg in path_of.legs),
                links=(way.line.stops[0].link, way.line.stops[-1].link),
                turn_in=Turn.THROUGH,
                turn_out=Turn.THROUGH,
                vehicles_ph=way.line.buses_ph,
                persons_ph=way.line.buses_ph * way.line.persons,
                before_ms=before.bands_ms[k],
                band_ms=plan.bands_ms[k],
                kept_before=share_without_stop(way, path_of, before, k),
                kept=share_without_stop(way, path_of, plan, k),
            )

    def _name(self, path: StreetPath) -> str:
        index = self.network.movement_index
        ends = index[path.movements[0]].from_link, index[path.movements[-1]].to_link
        return " → ".join(self.network.link_index[x].name or str(x) for x in ends)

    def _findings(
        self, place: str, problem: PathBandProblem, plan: PathBandPlan
    ) -> Iterable[Finding]:
        for k, (path, band) in enumerate(zip(problem.paths, plan.bands_ms, strict=True)):
            if band < path.least_ms:
                fields = {"path": path.name, "band_s": band / 1000, "least_s": path.least_ms / 1000}
                yield _said("LV443", place, Severity.WARNING, fields)
            if band > 0:
                if k < len(self.listed) and self._yields(self.listed[k]):
                    yield _said("LV445", place, Severity.ADVICE, {"path": path.name})
                continue
            wide = [leg for leg in path.legs if leg.spread_ms and not self._holds(leg)]
            if wide:
                fields = {
                    "line": path.name,
                    "signal": str(self.own.controllers[wide[0].signal]),
                    "spread_s": round(wide[0].spread_ms / 1000, 1),
                    "percent": round(100 * self.wish.counted),
                }
                yield _said("LV444", place, Severity.WARNING, fields)

    def _holds(self, leg: Leg) -> bool:
        return any(length > leg.spread_ms for own in leg.windows for _, length in own)

    def _yields(self, path: StreetPath) -> bool:
        """Say whether a turn of the path gives way on its green."""
        return any(
            turn is Turn.LEFT and not is_protected(self._rules(signal), movement)
            for signal, movement, turn in zip(path.stops, path.movements, path.turns, strict=True)
        )


def _said(code: str, place: str, severity: Severity, fields: Mapping[str, object]) -> Finding:
    return Finding(code=code, place=place, severity=severity, fields=fields)
