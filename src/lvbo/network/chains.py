# SPDX-License-Identifier: Apache-2.0
"""Find corridors: chains of signals that a street runs straight through, both ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lvbo.ids import ControllerId, CorridorId, LinkId, MovementId, PhaseId
from lvbo.network.corridor import Corridor, Section, Stop
from lvbo.network.place import Movement, Turn
from lvbo.signal.lamp import PhaseKind
from lvbo.signal.rules import SignalRules

if TYPE_CHECKING:
    from lvbo.network.network import Network

FAR_M = 3000.0
"""Signals farther apart than this are not searched for on one street."""


@dataclass(frozen=True, slots=True)
class _Step:
    """The way from one signal's through movement to the next one's."""

    after: MovementId
    section: Section


def find_corridors(network: Network) -> tuple[Corridor, ...]:
    """Return every chain of two or more signals on one street, longest first.

    Both directions are joined where they pass the same controllers; the outbound direction runs
    east or north.
    """
    steps = _steps(network)
    chains = _chains(network, steps)
    used: set[int] = set()
    found = []
    for k, chain in enumerate(chains):
        if k in used:
            continue
        back = _partner(network, chain, chains, used | {k})
        used.add(k)
        if back is not None:
            used.add(back)
        corridor = _corridor(network, steps, chain, chains[back] if back is not None else ())
        if corridor is not None:
            found.append(corridor)
    return _named(network, sorted(found, key=lambda c: (-c.length_m, c.id)))


def _owner(movement: Movement) -> ControllerId:
    return movement.controllers[0]


def _steps(network: Network) -> dict[MovementId, _Step]:
    throughs = [m for m in network.movements if _is_candidate(network, m)]
    found = {}
    for movement in throughs:
        step = _walk(network, movement)
        if step is not None:
            found[movement.id] = step
    return found


def _is_candidate(network: Network, movement: Movement) -> bool:
    cars = any(network.lane_index[lane].for_cars for lane in movement.lanes)
    return movement.turn is Turn.THROUGH and bool(movement.controllers) and cars


def _walk(network: Network, movement: Movement) -> _Step | None:
    """Follow the street from a signal to the next, straight through places without signals."""
    links: list[LinkId] = []
    length = movement.length_m
    time = movement.length_m / max(movement.speed_mps, 1.0)
    current = movement
    while length < FAR_M:
        link = network.link_index[current.to_link]
        if link.id in links:
            return None
        links.append(link.id)
        length += link.length_m
        time += link.length_m / link.speed_mps
        onward = _straight(network, link.id)
        if onward is None:
            return None
        if onward.controllers and _owner(onward) != _owner(movement):
            section = Section(links=tuple(links), length_m=length, speed_limit_mps=length / time)
            return _Step(onward.id, section)
        length += onward.length_m
        time += onward.length_m / max(onward.speed_mps, 1.0)
        current = onward
    return None


def _straight(network: Network, link: LinkId) -> Movement | None:
    """Return the movement that keeps to the street: same name first, then most lanes."""
    ahead = [m for m in network.movements_from[link] if m.turn is Turn.THROUGH]
    if not ahead:
        return None
    name = network.link_index[link].name
    same = [m for m in ahead if name and network.link_index[m.to_link].name == name]
    return max(same or ahead, key=lambda m: (len(m.lanes), m.id))


def _chains(network: Network, steps: dict[MovementId, _Step]) -> list[tuple[MovementId, ...]]:
    """Return maximal chains; where two meet, the one with more lanes goes on."""
    before: dict[MovementId, MovementId] = {}
    order = sorted(steps, key=lambda m: (-len(network.movement_index[m].lanes), m))
    for start in order:
        before.setdefault(steps[start].after, start)
    follows = {start: after for after, start in before.items()}
    heads = sorted(m for m in follows if m not in before)
    chains = [_unroll(head, follows) for head in heads]
    return sorted(chains, key=lambda chain: (-len(chain), chain))


def _unroll(head: MovementId, follows: dict[MovementId, MovementId]) -> tuple[MovementId, ...]:
    chain = [head]
    while chain[-1] in follows:
        chain.append(follows[chain[-1]])
    return tuple(chain)


def _owners(network: Network, chain: Sequence[MovementId]) -> list[ControllerId]:
    return [_owner(network.movement_index[m]) for m in chain]


def _partner(
    network: Network,
    chain: tuple[MovementId, ...],
    chains: list[tuple[MovementId, ...]],
    used: set[int],
) -> int | None:
    """Return the chain that passes most of the same controllers the other way."""
    own = _owners(network, chain)
    scores = {
        k: len(_shared_run(own, list(reversed(_owners(network, other)))))
        for k, other in enumerate(chains)
        if k not in used
    }
    best = max(scores, key=lambda k: (scores[k], -k), default=None)
    return best if best is not None and scores[best] > 1 else None


def _shared_run(a: list[ControllerId], b: list[ControllerId]) -> list[ControllerId]:
    """Return the longest run that both lists have in common, without gaps."""
    best: list[ControllerId] = []
    for i in range(len(a)):
        for j in range(len(b)):
            n = 0
            while i + n < len(a) and j + n < len(b) and a[i + n] == b[j + n]:
                n += 1
            if n > len(best):
                best = a[i : i + n]
    return best


def _corridor(
    network: Network,
    steps: dict[MovementId, _Step],
    chain: tuple[MovementId, ...],
    back: tuple[MovementId, ...],
) -> Corridor | None:
    run = _owners(network, chain)
    if back:
        run = _shared_run(run, list(reversed(_owners(network, back))))
    forth = _part(network, chain, run)
    return_way = list(reversed(_part(network, back, list(reversed(run))))) if back else []
    if len(set(run)) == 1 or not run:
        return None
    corridor = Corridor(
        id=CorridorId(""),
        name="",
        stops=tuple(
            _stop(network, run[k], out, return_way[k] if return_way else None)
            for k, out in enumerate(forth)
        ),
        outbound=tuple(steps[m].section for m in forth[:-1]),
        inbound=tuple(steps[m].section for m in return_way[1:]),
    )
    return corridor if _runs_out(network, forth) or not back else corridor.reversed()


def _stop(network: Network, owner: ControllerId, out: MovementId, back: MovementId | None) -> Stop:
    rules = network.controller_index[owner].rules
    return Stop(
        intersection=network.movement_index[out].intersection,
        outbound=out,
        inbound=back,
        outbound_controller=owner,
        inbound_controller=owner if back else None,
        outbound_phases=_car_phases(rules, out),
        inbound_phases=_car_phases(rules, back) if back else (),
    )


def _car_phases(rules: SignalRules, movement: MovementId) -> tuple[PhaseId, ...]:
    """Return the phases that give cars of a movement green."""
    phases = rules.phases_of(movement)
    return tuple(p for p in phases if rules.phase_index[p].kind is not PhaseKind.BICYCLE)


def _part(
    network: Network, chain: Sequence[MovementId], run: list[ControllerId]
) -> list[MovementId]:
    owners = _owners(network, chain)
    first = next(k for k in range(len(owners)) if owners[k : k + len(run)] == run)
    return list(chain[first : first + len(run)])


def _runs_out(network: Network, chain: Sequence[MovementId]) -> bool:
    places = [network.intersection_index[network.movement_index[m].intersection] for m in chain]
    dx = places[-1].at[0] - places[0].at[0]
    dy = places[-1].at[1] - places[0].at[1]
    return dx > 0 if abs(dx) >= abs(dy) else dy > 0


def _named(network: Network, corridors: Iterable[Corridor]) -> tuple[Corridor, ...]:
    taken: Counter[str] = Counter()
    named = []
    for corridor in corridors:
        name = _street(network, corridor) or _ends(corridor)
        taken[name] += 1
        label = name if taken[name] == 1 else f"{name} ({taken[name]})"
        named.append(replace(corridor, id=CorridorId(label), name=label))
    return tuple(named)


def _street(network: Network, corridor: Corridor) -> str:
    sections = (*corridor.outbound, *corridor.inbound)
    names = Counter(
        network.link_index[link].name
        for section in sections
        for link in section.links
        if network.link_index[link].name
    )
    return names.most_common(1)[0][0] if names else ""


def _ends(corridor: Corridor) -> str:
    first, last = corridor.stops[0], corridor.stops[-1]
    return f"{first.outbound_controller} - {last.outbound_controller}"
