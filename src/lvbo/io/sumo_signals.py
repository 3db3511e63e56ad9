# SPDX-License-Identifier: Apache-2.0
"""SUMO's link indices and state strings to phases, services, conflicts and plans.

A phase is what always shows the same: connections of one approach whose state characters agree in
every programme. Where one head shows `G` at one time and `g` at another, two phases light it, one
protected and one permitted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lvbo.errors import Severity
from lvbo.ids import ControllerId, CrossingId, IntersectionId, MovementId, PhaseId, PlanId
from lvbo.io.sumo_graph import TURNS, Graph, classes_of
from lvbo.io.sumo_xml import RawConnection, RawLogic, RawNet
from lvbo.network.binding import SumoHead
from lvbo.network.place import Crossing, Leg, Movement, Turn
from lvbo.signal.lamp import Lamp, PhaseKind, Right
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import Phase, Service

CHARACTERS = {
    "r": Lamp.RED,
    "u": Lamp.RED_AMBER,
    "y": Lamp.YELLOW,
    "Y": Lamp.YELLOW,
    "O": Lamp.DARK,
    "o": Lamp.BLINK,
    "s": Lamp.STOP_THEN_GO,
    "g": Lamp.PERMITTED,
    "G": Lamp.GREEN,
}
WINDOWS = frozenset({Lamp.GREEN, Lamp.PERMITTED, Lamp.STOP_THEN_GO, Lamp.BLINK, Lamp.DARK})
RIGHTS = {
    Lamp.GREEN: Right.PROTECTED,
    Lamp.PERMITTED: Right.PERMITTED,
    Lamp.STOP_THEN_GO: Right.ON_RED_AFTER_STOP,
    Lamp.BLINK: Right.PERMITTED,
    Lamp.DARK: Right.PERMITTED,
}
SUFFIX = {
    Lamp.PERMITTED: "p",
    Lamp.STOP_THEN_GO: "s",
    Lamp.BLINK: "o",
    Lamp.DARK: "d",
    Lamp.YELLOW: "y",
    Lamp.RED_AMBER: "u",
}
ONLY_FOR = {"bicycle": PhaseKind.BICYCLE, "tram": PhaseKind.TRANSIT}
"""The kind of a phase whose lanes admit one class only."""
LETTERS = {Turn.UTURN: "U", Turn.LEFT: "L", Turn.THROUGH: "T", Turn.RIGHT: "R"}

Run = tuple[int, int, Lamp]
"""Start and length in tenths of a second, and the lamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One signalised connection with what it serves."""

    connection: RawConnection
    index: int
    movement: Movement | None
    crossing: Crossing | None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Heads that always show the same, and the phases that light them by lamp."""

    heads: tuple[Head, ...]
    phases: Mapping[Lamp, Phase]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPart:
    """What one traffic light became."""

    controller: ControllerId
    intersections: tuple[IntersectionId, ...]
    size: int
    groups: tuple[Group, ...]
    plans: tuple[Plan, ...]

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Return all phases by id."""
        found = [phase for group in self.groups for phase in group.phases.values()]
        return tuple(sorted(found, key=lambda phase: phase.id))

    def services(self) -> tuple[Service, ...]:
        """Return which phase serves which movement or crossing, and how."""
        rows = {
            _service(phase, lamp, head)
            for group in self.groups
            for lamp, phase in group.phases.items()
            for head in group.heads
            if lamp in RIGHTS and (head.movement or head.crossing)
        }
        return tuple(sorted(rows, key=lambda s: (s.phase, s.movement or "", s.crossing or "")))

    def bindings(self) -> tuple[SumoHead, ...]:
        """Return the SUMO key of every head."""
        return tuple(
            SumoHead(
                controller=self.controller,
                index=head.index,
                from_lane=head.connection.from_lane,
                to_lane=head.connection.to_lane,
                movement=head.movement.id if head.movement else None,
                crossing=head.crossing.id if head.crossing else None,
                phases=tuple(sorted(phase.id for phase in group.phases.values())),
            )
            for group in self.groups
            for head in group.heads
        )


def _service(phase: Phase, lamp: Lamp, head: Head) -> Service:
    return Service(
        phase=phase.id,
        right=RIGHTS[lamp],
        movement=head.movement.id if head.movement else None,
        crossing=head.crossing.id if head.crossing else None,
    )


def build_signals(raw: RawNet, graph: Graph) -> tuple[SignalPart, ...]:
    """Return every traffic light of the records as phases and plans; doubts go to `raw`."""
    heads = _heads(raw, graph)
    logics: dict[str, list[RawLogic]] = defaultdict(list)
    for logic in raw.logics:
        logics[logic.tl].append(logic)
    for light in sorted(set(heads) - set(logics)):
        raw.doubt("LV113", light, connections=len(heads[light]))
    parts = []
    for light in sorted(set(logics) & set(heads)):
        sound = _sound(raw, logics[light], max(h.index for h in heads[light]) + 1)
        if sound:
            parts.append(_part(ControllerId(light), heads[light], sound, graph))
    for light in sorted(set(logics) - set(heads)):
        raw.doubt("LV212", light, Severity.ADVICE)
    return tuple(parts)


def _heads(raw: RawNet, graph: Graph) -> dict[str, list[Head]]:
    movements = {m.id: m for m in graph.movements}
    crossings = {str(c.id): c for c in graph.crossings}
    lane_classes = {lane.id: classes_of(lane) for e in raw.edges.values() for lane in e.lanes}
    found: dict[str, list[Head]] = defaultdict(list)
    for connection in raw.connections:
        if not connection.tl:
            continue
        movement = graph.connection_movements.get(id(connection))
        crossing = crossings.get(connection.end)
        if connection.index is None:
            raw.doubt(
                "LV114", f"{connection.from_lane} > {connection.to_lane}", light=connection.tl
            )
            continue
        found[connection.tl].append(
            Head(
                connection=connection,
                index=connection.index,
                movement=movements[movement] if movement else None,
                crossing=crossing,
                classes=lane_classes.get(connection.from_lane, ()),
            )
        )
    return found


def _sound(raw: RawNet, logics: list[RawLogic], size: int) -> list[RawLogic]:
    """Return the programmes that fit the links; later ones of the same id replace earlier ones."""
    by_id: dict[str, RawLogic] = {}
    for logic in logics:
        by_id.pop(logic.programme, None)
        by_id[logic.programme] = logic
    good = []
    for logic in by_id.values():
        lengths = {len(state) for _, state in logic.intervals}
        strange = sorted({c for _, state in logic.intervals for c in state} - set(CHARACTERS))
        if min(lengths) < size or len(lengths) > 1:
            raw.doubt("LV112", logic.place, states=min(lengths), links=size)
        elif strange:
            raw.doubt("LV115", logic.place, found="".join(strange), allowed="".join(CHARACTERS))
        else:
            good.append(logic)
            _doubt_kind(raw, logic)
    return good


def _doubt_kind(raw: RawNet, logic: RawLogic) -> None:
    own = {"controller": logic.tl, "plan": logic.programme}
    if logic.jumps:
        raw.doubt("LV213", logic.place, Severity.WARNING, **own)
    elif logic.has_rings:
        cycle_s = f"{logic.cycle_ds / 10:g}"
        raw.doubt("LV237", logic.place, Severity.ADVICE, cycle_s=cycle_s, **own)
    elif logic.type != "static":
        raw.doubt("LV214", logic.place, Severity.ADVICE, type=logic.type, **own)


def _part(
    light: ControllerId, heads: list[Head], logics: list[RawLogic], graph: Graph
) -> SignalPart:
    groups = _name_groups(_group(heads, logics), logics)
    places = {h.movement.intersection for h in heads if h.movement}
    places |= {h.crossing.intersection for h in heads if h.crossing}
    lines = {m.intersection for m in graph.movements} | {c.intersection for c in graph.crossings}
    return SignalPart(
        controller=light,
        intersections=tuple(sorted(places & lines)),
        size=max(len(state) for _, state in logics[0].intervals),
        groups=groups,
        plans=tuple(_plan(light, logic, groups) for logic in logics),
    )


# phases ---------------------------------------------------------------------------------------


def _signature(index: int, logics: Iterable[RawLogic]) -> tuple[Run, ...]:
    return tuple(run for logic in logics for run in runs(logic, index))


def _group(heads: list[Head], logics: list[RawLogic]) -> list[list[Head]]:
    """Return heads by what always shows the same, exclusive turns of an approach apart."""
    keyed: dict[tuple[object, ...], list[Head]] = defaultdict(list)
    for head in heads:
        where = head.crossing.id if head.crossing else head.connection.start
        keyed[where, _signature(head.index, logics)].append(head)
    parts = [part for group in keyed.values() for part in _by_lanes(group)]
    return _same_index(parts)


def _by_lanes(group: list[Head]) -> list[list[Head]]:
    """Return the group cut where lanes serve different turns and share none."""
    return _united(group, lambda h: (h.connection.from_lane, _turn(h)))


def _turn(head: Head) -> Turn:
    return TURNS.get(head.connection.direction, Turn.THROUGH)


def _united(group: list[Head], keys: object) -> list[list[Head]]:
    parts: list[tuple[set[object], list[Head]]] = []
    for head in group:
        own = set(keys(head))  # type: ignore[operator]
        joined = [part for part in parts if part[0] & own]
        members = [h for part in joined for h in part[1]] + [head]
        own = own.union(*(part[0] for part in joined))
        parts = [part for part in parts if part not in joined]
        parts.append((own, members))
    return [members for _, members in parts]


def _same_index(parts: list[list[Head]]) -> list[list[Head]]:
    """Return the parts, those that share a link index joined: one lamp drives them."""
    tagged = [(part, {h.index for h in part}) for part in parts]
    merged: list[tuple[list[Head], set[int]]] = []
    for part, indices in tagged:
        hit = [m for m in merged if m[1] & indices]
        rest = [m for m in merged if not m[1] & indices]
        heads = [h for m in hit for h in m[0]] + part
        merged = [*rest, (heads, indices.union(*(m[1] for m in hit)))]
    return [heads for heads, _ in merged]


def _name_groups(parts: list[list[Head]], logics: list[RawLogic]) -> tuple[Group, ...]:
    used: dict[str, int] = defaultdict(int)
    groups = []
    for part in sorted(parts, key=lambda heads: min(h.index for h in heads)):
        base = _base_name(part)
        used[base] += 1
        name = base if used[base] == 1 else f"{base}#{used[base]}"
        groups.append(Group(heads=tuple(part), phases=_phases(name, part, logics)))
    return tuple(groups)


def _base_name(heads: list[Head]) -> str:
    crossing = next((h.crossing for h in heads if h.crossing), None)
    if crossing is not None:
        return f"{crossing.leg}.ped"
    legs = dict.fromkeys(h.movement.leg if h.movement else Leg.N for h in heads)
    turns = {_turn(h) for h in heads}
    return f"{'+'.join(legs)}.{''.join(LETTERS[t] for t in LETTERS if t in turns)}"


def _phases(name: str, heads: list[Head], logics: list[RawLogic]) -> dict[Lamp, Phase]:
    listed = [run for logic in logics for run in decode(logic, heads[0].index)]
    lamps = sorted({lamp for lamp, _ in listed}, reverse=True)
    phases = {}
    for lamp in lamps:
        suffix = SUFFIX.get(lamp, "") if lamp is not lamps[0] or lamp is Lamp.YELLOW else ""
        yellows = [w.yellow_ds for shown, w in listed if shown is lamp and w.yellow_ds > 0]
        phases[lamp] = Phase(
            id=PhaseId(f"{name}/{suffix}" if suffix else name),
            kind=_kind(heads),
            shows=lamp,
            yellow_ds=_yellow(heads, yellows),
            red_amber_ds=min((w.red_amber_ds for _, w in listed), default=0),
        )
    if not phases:  # red in every programme: a phase that is never green
        phases[Lamp.GREEN] = Phase(
            id=PhaseId(name), kind=_kind(heads), yellow_ds=_yellow(heads, [])
        )
    return phases


def _kind(heads: list[Head]) -> PhaseKind:
    if heads[0].crossing:
        return PhaseKind.PEDESTRIAN
    users = {name for head in heads for name in head.classes}
    return ONLY_FOR.get(users.pop(), PhaseKind.VEHICLE) if len(users) == 1 else PhaseKind.VEHICLE


def _yellow(heads: list[Head], seen: list[int]) -> int:
    if heads[0].crossing:
        return 0
    return max(seen, key=lambda y: (seen.count(y), y)) if seen else 30


# timelines ------------------------------------------------------------------------------------


def runs(logic: RawLogic, index: int) -> tuple[Run, ...]:
    """Return the cyclic runs of equal lamps of one link, in tenths; one run if it never changes."""
    found: list[Run] = []
    clock = 0
    for length, state in logic.intervals:
        lamp = CHARACTERS[state[index]]
        if found and found[-1][2] is lamp:
            start, before, _ = found[-1]
            found[-1] = (start, before + length, lamp)
        else:
            found.append((clock, length, lamp))
        clock += length
    if len(found) > 1 and found[0][2] is found[-1][2]:
        start, last, lamp = found.pop()
        found[0] = (start, last + found[0][1], lamp)
    return tuple(found)


def decode(logic: RawLogic, index: int) -> tuple[tuple[Lamp, Window], ...]:
    """Return the windows of one link by lamp, yellow and red-amber attached to their green.

    A yellow or red-amber that belongs to no green becomes a window of its own, so that every
    programme is reproduced exactly.
    """
    listed = runs(logic, index)
    found = []
    for k, (start, length, lamp) in enumerate(listed):
        before, after = listed[k - 1], listed[(k + 1) % len(listed)]
        if lamp in WINDOWS:
            window = Window(
                start_ds=start,
                length_ds=length,
                yellow_ds=after[1] if after[2] is Lamp.YELLOW else 0,
                red_amber_ds=before[1] if before[2] is Lamp.RED_AMBER else 0,
            )
            found.append((lamp, window))
        elif _is_loose(lamp, before, after):
            found.append((lamp, Window(start_ds=start, length_ds=length)))
    return tuple(found)


def _is_loose(lamp: Lamp, before: Run, after: Run) -> bool:
    if lamp is Lamp.YELLOW:
        return before[2] not in WINDOWS
    return lamp is Lamp.RED_AMBER and after[2] not in WINDOWS


def _plan(light: ControllerId, logic: RawLogic, groups: tuple[Group, ...]) -> Plan:
    windows: dict[PhaseId, list[Window]] = defaultdict(list)
    for group in groups:
        for lamp, window in decode(logic, group.heads[0].index):
            windows[group.phases[lamp].id].append(window)
    greens = [Greens(phase=p, windows=tuple(sorted(w))) for p, w in sorted(windows.items())]
    return referenced(
        PlanId(logic.programme),
        light,
        logic.cycle_ds,
        greens,
        _reference(greens, groups, logic.cycle_ds),
        round(10 * logic.offset_s) % logic.cycle_ds,
    )


def _reference(greens: list[Greens], groups: tuple[Group, ...], cycle_ds: int) -> PhaseId | None:
    """Return the vehicle phase with most green that is not permanent; no phase if none changes."""
    kinds = {
        p.id: (p.kind is PhaseKind.VEHICLE and p.is_going)
        for g in groups
        for p in g.phases.values()
    }
    totals = {g.phase: sum(w.length_ds for w in g.windows) for g in greens}
    changing = [p for p, total in totals.items() if total < cycle_ds]
    if not changing:
        return None
    return max(changing, key=lambda p: (kinds[p], totals[p], _backwards(p)))


def _backwards(name: str) -> tuple[int, ...]:
    return tuple(-ord(c) for c in name)


def served(part: SignalPart) -> tuple[set[MovementId], set[CrossingId]]:
    """Return all movements and crossings that have a head of this controller."""
    heads = [head for group in part.groups for head in group.heads]
    return (
        {h.movement.id for h in heads if h.movement},
        {h.crossing.id for h in heads if h.crossing},
    )
