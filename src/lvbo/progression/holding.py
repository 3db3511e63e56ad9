# SPDX-License-Identifier: Apache-2.0
"""Red waves (红波): hold platoons at signals before a section that is full, not inside it.

The signals upstream of the section are gates. Their offsets, and how much of their green the street
gets, are chosen so that vehicles meet green before the section when it has room, and otherwise wait
where there is room for them. What a gate's street gives up goes to its other stages; its cycle
stays. The forecast is that of `holdflow`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.errors import Finding, InputError, PlanError, Severity
from lvbo.ids import ControllerId, LinkId, PhaseId
from lvbo.network.corridor import Corridor, Section
from lvbo.network.network import Network
from lvbo.network.place import Movement
from lvbo.progression.flows import SATURATION_VPS
from lvbo.progression.holdflow import Held, Stretch, hold
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Plan
from lvbo.signal.rules import Controller
from lvbo.signal.stages import from_stages
from lvbo.timing.plans import Volumes

VEHICLE_M = 7.5
WAVE_MPS = 5.0
"""A standing vehicle takes so much of a lane; places come free backwards so fast."""
START_S, GAIN_S = 2, 1
CYCLES = 8
MOST_GATES = 3
CUTS_S = (0, 4, 8, 12, 16, 20)
SHIFT_S = 2
SAFE = 0.9
"""A gate may fill the section before it up to this share."""
LEAST_SAVED = 1.0
"""Plans stay as they are where fewer vehicles than this are saved from green without room."""
BLOCKED_S, OVERFULL_S, CUT_S = 60.0, 600.0, 0.01
"""What counts beside a second of waiting: who is blocked, who has no room, less green taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One signal that holds: its offset before and after, green taken from the street.

    `held` vehicles stand before it at most, who turns off there included, `room` fit; `held_before`
    with the plans as they are.
    """

    controller: ControllerId
    offset_before_s: float
    offset_s: float
    cut_s: int
    held_before: float
    held: float
    room: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlan:
    """A red wave before one full section, and what it does in the next cycles.

    `inflow_before`, `inflow`: vehicles that enter the section in each cycle. `blocked_*`: vehicles
    that have green before it and find no room; as many as `saturation_vps` may go there at most.
    `full_*_s`: for so long nobody can enter.
    """

    section: LinkId
    outbound: bool
    cycle_s: int
    room: float
    saturation_vps: float
    gates: tuple[Gate, ...]
    plans: tuple[Plan, ...]
    inflow_before: tuple[float, ...]
    inflow: tuple[float, ...]
    blocked_before: float
    blocked: float
    full_before_s: float
    full_s: float
    findings: tuple[Finding, ...]


def hold_before(
    network: Network,
    corridor: Corridor,
    plans: Mapping[ControllerId, Plan],
    volumes: Volumes,
    section: LinkId,
    *,
    most_gates: int = MOST_GATES,
) -> HoldPlan:
    """Return the red wave that keeps vehicles out of a section that stands full.

    Raises:
        InputError: LV466 where the section is not on the street or no signal stands before it,
            LV451 where a signal on the way has no plan, LV452 where its cycle does not fit.

    """
    way = _Way(network, corridor, plans, volumes, section, most_gates)
    choice, before = way.as_is(), way.run([way.as_is()])
    after = before
    if before.blocked[0] >= LEAST_SAVED:
        tried = way.best()
        found = way.run([tried])
        if found.blocked[0] <= before.blocked[0] - LEAST_SAVED:
            choice, after = tried, found
    gates = tuple(way.gates(choice, before, after))
    return HoldPlan(
        section=section,
        outbound=way.outbound,
        cycle_s=way.cycle_s,
        room=way.stretch.room[way.stretch.full],
        saturation_vps=way.stretch.saturation_vps[way.stretch.full - 1],
        gates=gates,
        plans=tuple(way.made(k, *choice[k]) for k in way.gate_stops),
        inflow_before=tuple(before.inflow[:, 0].round(1).tolist()),
        inflow=tuple(after.inflow[:, 0].round(1).tolist()),
        blocked_before=float(before.blocked[0]),
        blocked=float(after.blocked[0]),
        full_before_s=float(before.full_s[0]),
        full_s=float(after.full_s[0]),
        findings=tuple(_findings(corridor, gates, before, after)),
    )


Choice = tuple[tuple[int, int], ...]
"""By stop line: seconds by which it is later, and seconds of green taken."""


class _Way:
    """Hold the stop lines from the first gate to the end of the full section."""

    def __init__(
        self,
        network: Network,
        corridor: Corridor,
        plans: Mapping[ControllerId, Plan],
        volumes: Volumes,
        section: LinkId,
        most_gates: int,
    ) -> None:
        self.network, self.volumes = network, volumes
        outward = [k for k, s in enumerate(corridor.outbound) if section in s.links]
        self.outbound = bool(outward)
        sections = corridor.outbound if self.outbound else corridor.inbound[::-1]
        found = [k for k, s in enumerate(sections) if section in s.links]
        if not found:
            links = ", ".join(str(s.links[-1]) for s in (*corridor.outbound, *corridor.inbound))
            raise InputError("LV466", place=corridor.name, section=section, links=links)
        stops = corridor.stops if self.outbound else corridor.stops[::-1]
        first = max(0, found[0] - most_gates + 1)
        self.stops = stops[first : found[0] + 2]
        self.sections = sections[first : found[0] + 1]
        moves = [s.outbound if self.outbound else s.inbound for s in self.stops]
        self.moves = [network.movement_index[m] for m in moves if m is not None]
        self.phases = [s.outbound_phases if self.outbound else s.inbound_phases for s in self.stops]
        self.plans = [self._plan(corridor, plans, k) for k in range(len(self.stops))]
        self.cycle_s = self._cycle(corridor)
        self.gate_stops = range(len(self.stops) - 1)
        self.stretch = self._stretch()
        self.cuts = {k: self._cuts(k) for k in self.gate_stops}

    def _controller(self, k: int) -> Controller:
        stop = self.stops[k]
        own = stop.outbound_controller if self.outbound else stop.inbound_controller
        return self.network.controller_index[own or ControllerId("")]

    def _plan(self, corridor: Corridor, plans: Mapping[ControllerId, Plan], k: int) -> Plan:
        controller = self._controller(k).id
        if controller not in plans:
            raise InputError("LV451", place=corridor.name, controller=controller)
        return plans[controller]

    def _cycle(self, corridor: Corridor) -> int:
        """Return the common cycle in s; the model goes by whole seconds."""
        common = max(plan.cycle_ds for plan in self.plans)
        for plan in self.plans:
            if common % plan.cycle_ds or plan.cycle_ds % 10:
                raise InputError(
                    "LV452",
                    place=corridor.name,
                    controller=plan.controller,
                    cycle_s=plan.cycle_s,
                    common_s=common / 10,
                )
        return common // 10

    # the street -----------------------------------------------------------------------------

    def _stretch(self) -> Stretch:
        before = self.network.link_index[self.moves[0].from_link]
        speed = before.speed_mps
        entry = Section(links=(before.id,), length_m=before.length_m, speed_limit_mps=speed)
        lanes = [self._lanes(k) for k in range(len(self.moves))]
        lengths = [s.length_m for s in (entry, *self.sections)]
        speeds = [s.speed_limit_mps for s in (entry, *self.sections)]
        flow = self.volumes
        through = [flow.get(m.id, 0.0) for m in self.moves]
        every = [self._entering(k) for k in range(len(self.moves))]
        apart = [sum(flow.get(m.id, 0.0) for m in self._apart(k)) for k in range(len(self.moves))]
        return Stretch(
            room=tuple(n * d / VEHICLE_M for n, d in zip(lanes, lengths, strict=True)),
            drive_s=tuple(round(d / v) for d, v in zip(lengths, speeds, strict=True)),
            back_s=tuple(round(d / WAVE_MPS) for d in lengths),
            saturation_vps=tuple(
                n * SATURATION_VPS * (t / (e - a) if e > a else 1.0)
                for n, t, e, a in zip(lanes, through, every, apart, strict=True)
            ),
            through=tuple(t / e if e > 0 else 1.0 for t, e in zip(through, every, strict=True)),
            apart=tuple(a / e if e > 0 else 0.0 for a, e in zip(apart, every, strict=True)),
            reach=tuple(n * self._bay_m(k) / VEHICLE_M for k, n in enumerate(lanes)),
            side_vps=(0.0, *(self._turned_in(k) / 3600 for k in range(1, len(self.moves)))),
            demand_vps=every[0] / 3600,
            full=len(self.moves) - 1,
        )

    def _lanes(self, k: int) -> int:
        lanes = self.moves[k].lanes
        return max(1, sum(self.network.lane_index[lane].for_cars for lane in lanes))

    def _entering(self, k: int) -> float:
        """Return the volume that comes to a stop line, all turns, veh/h."""
        ways = self.network.movements_from[self.moves[k].from_link]
        return sum(self.volumes.get(m.id, 0.0) for m in ways)

    def _apart(self, k: int) -> tuple[Movement, ...]:
        """Return the movements that leave a stop line from lanes of their own."""
        own = set(self.moves[k].lanes)
        ways = self.network.movements_from[self.moves[k].from_link]
        return tuple(m for m in ways if not own & set(m.lanes))

    def _bay_m(self, k: int) -> float:
        """Return how far back the shortest of these lanes begins; the whole link without any."""
        lanes = [self.network.lane_index[lane] for m in self._apart(k) for lane in m.lanes]
        link = self.network.link_index[self.moves[k].from_link]
        return min((lane.length_m for lane in lanes if lane.is_bay), default=link.length_m)

    def _turned_in(self, k: int) -> float:
        into = self.network.movements_into[self.sections[k - 1].links[0]]
        return sum(self.volumes.get(m.id, 0.0) for m in into if m.id != self.moves[k - 1].id)

    # plans ----------------------------------------------------------------------------------

    def _cuts(self, k: int) -> dict[int, Plan]:
        """Return the lawful plans of a gate by how much green they take from the street, s."""
        controller, found = self._controller(k), {0: self.plans[k]}
        for cut_s in CUTS_S[1:]:
            made = cut_green(self.plans[k], controller, self.phases[k], 10 * cut_s)
            if made is not None:
                found[cut_s] = made
        return found

    def made(self, k: int, shift_s: int, cut_s: int) -> Plan:
        """Return the plan of a gate."""
        return self.cuts[k][cut_s].later(shift_s)

    def _green(self, k: int, shift_s: int, cut_s: int) -> NDArray[np.bool_]:
        """Return the seconds of the cycle in which the street may go at a stop line, (cycle,)."""
        plan = self.made(k, shift_s, cut_s) if k in self.cuts else self.plans[k]
        row = np.zeros(self.cycle_s, dtype=bool)
        own = plan.cycle_ds // 10
        for window in (w for p in self.phases[k] for w in plan.windows_of(p)):
            if window.length_ds >= plan.cycle_ds:
                return np.ones(self.cycle_s, dtype=bool)
            start = (plan.offset_ds + window.start_ds) // 10 + START_S
            length = window.length_ds // 10 - START_S + GAIN_S
            for turn in range(self.cycle_s // own):
                row[(start + turn * own + np.arange(max(0, length))) % self.cycle_s] = True
        return row

    # choosing -------------------------------------------------------------------------------

    def as_is(self) -> Choice:
        """Return the choice that changes nothing."""
        return ((0, 0),) * len(self.stops)

    def run(self, choices: Sequence[Choice]) -> Held:
        """Return what choices lead to."""
        known: dict[tuple[int, int, int], NDArray[np.bool_]] = {}
        for choice in choices:
            for k, (shift_s, cut_s) in enumerate(choice):
                if (k, shift_s, cut_s) not in known:
                    known[k, shift_s, cut_s] = self._green(k, shift_s, cut_s)
        greens = np.array(
            [[known[k, *choice[k]] for choice in choices] for k in range(len(self.stops))]
        )
        return hold(self.stretch, np.ascontiguousarray(greens.transpose(0, 2, 1)), CYCLES)

    def best(self) -> Choice:
        """Return the best offsets and greens, gate by gate from the section upstream, twice."""
        held = self.as_is()
        for k in [*reversed(self.gate_stops)] * 2:
            own = self.plans[k].cycle_ds // 10
            tried = [
                (*held[:k], (shift_s, cut_s), *held[k + 1 :])
                for cut_s in self.cuts[k]
                for shift_s in range(0, own, SHIFT_S)
            ]
            costs = self._costs(tried)
            if costs.min() < self._costs([held])[0] - 1e-6:
                held = tried[int(costs.argmin())]
        return held

    def _costs(self, choices: Sequence[Choice]) -> NDArray[np.float64]:
        found = self.run(choices)
        room = np.array(self.stretch.room)[:-1, None]
        over = np.maximum(0.0, found.most[:-1] - SAFE * room).sum(axis=0)
        cuts = np.array([sum(cut_s for _, cut_s in choice) for choice in choices])
        waits = found.waiting_vehs.sum(axis=0)
        return np.asarray(waits + BLOCKED_S * found.blocked + OVERFULL_S * over - CUT_S * cuts)

    def gates(self, choice: Choice, before: Held, after: Held) -> Iterator[Gate]:
        """Yield what the gates do, in driving order."""
        for k in self.gate_stops:
            yield Gate(
                controller=self.plans[k].controller,
                offset_before_s=self.plans[k].offset_s,
                offset_s=self.made(k, *choice[k]).offset_s,
                cut_s=choice[k][1],
                held_before=float(before.most[k, 0]),
                held=float(after.most[k, 0]),
                room=self.stretch.room[k],
            )


def cut_green(
    plan: Plan, controller: Controller, phases: Sequence[PhaseId], cut_ds: int
) -> Plan | None:
    """Return the plan with green moved from a street's longest stage to the longest other one.

    None where it has no stages, or the rules or the minimum greens do not allow it. The offset
    stays.
    """
    own = [k for k, s in enumerate(plan.stages) if set(phases) & set(s.phases)]
    others = [k for k in range(len(plan.stages)) if k not in own]
    if not own or not others or plan.reference is None:
        return None
    greens = [s.green_ds for s in plan.stages]
    greens[max(own, key=greens.__getitem__)] -= cut_ds
    greens[max(others, key=greens.__getitem__)] += cut_ds
    if min(greens) <= 0:
        return None
    wishes = [(s.id, s.phases, g) for s, g in zip(plan.stages, greens, strict=True)]
    try:
        made = from_stages(
            plan.id, controller.id, controller.rules, wishes, 0, plan.reference
        ).at_offset(plan.offset_ds)
    except PlanError:
        return None
    return made if made.cycle_ds == plan.cycle_ds and is_safe(made, controller.rules) else None


def _findings(
    corridor: Corridor, gates: Sequence[Gate], before: Held, after: Held
) -> Iterator[Finding]:
    blocked = float(before.blocked[0]), float(after.blocked[0])
    fields = {"before": round(blocked[0]), "after": round(blocked[1])}
    code = "LV467" if blocked[1] < blocked[0] - 0.5 else "LV469"
    yield Finding(code=code, place=corridor.name, severity=Severity.ADVICE, fields=fields)
    for gate in gates:
        if gate.held > SAFE * gate.room:
            yield Finding(
                code="LV468",
                place=gate.controller,
                severity=Severity.WARNING,
                fields={"held": round(gate.held), "room": round(gate.room)},
            )
