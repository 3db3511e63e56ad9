# SPDX-License-Identifier: Apache-2.0
"""What is doubtful about a street and its plans, beyond what the check of each plan says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, product

from lvbo.errors import Finding, Severity
from lvbo.ids import ControllerId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.network.place import Movement, Turn
from lvbo.signal.lamp import Conflict, PhaseKind
from lvbo.signal.orders import short_stages
from lvbo.signal.plan import Plan
from lvbo.signal.rules import Controller, SignalRules
from lvbo.signal.schedule import PlanSet
from lvbo.timing.clearance import bounded_yellow, yellow, yellow_finding

TWO = 2


def check_network(network: Network, plans: PlanSet) -> tuple[Finding, ...]:
    """Return the doubts about a network and its plans that no single plan shows by itself.

    What one plan breaks (`check_plan`) and what its rules lack (`check_rules`) is not repeated.
    """
    return tuple(
        chain(
            _orphan_links(network),
            _strangers(network),
            _never_served(network, plans),
            _no_clearance(network, plans),
            _unknown_intergreens(network),
            _right_arrows(network, plans),
            _short_stages(network, plans),
            _cycles(network, plans),
            _free_turns(network),
            _yellows(network),
        )
    )


def _doubt(code: str, place: str, severity: Severity, /, **fields: object) -> Finding:
    return Finding(code=code, place=place, severity=severity, fields=fields)


def _orphan_links(network: Network) -> Iterator[Finding]:
    """Yield controllers with state characters that drive no connection."""
    if network.sumo is None:
        return
    for controller, size in network.sumo.sizes:
        driven = {head.index for head in network.sumo.head_index[controller]}
        orphans = sorted(set(range(size)) - driven)
        if orphans:
            names = ", ".join(map(str, orphans))
            yield _doubt("LV201", controller, Severity.ADVICE, links=names)


def _strangers(network: Network) -> Iterator[Finding]:
    """Yield controllers with links that serve neither road traffic nor people on foot."""
    if network.sumo is None:
        return
    for controller, heads in network.sumo.head_index.items():
        links = sorted({h.index for h in heads if h.movement is None and h.crossing is None})
        if links:
            names = ", ".join(map(str, links))
            yield _doubt("LV209", controller, Severity.WARNING, links=names)


def _never_served(network: Network, plans: PlanSet) -> Iterator[Finding]:
    """Yield movements and crossings that have a signal but no green in any plan."""
    lit: dict[ControllerId, set[str]] = defaultdict(set)
    for plan in plans.plans:
        lit[plan.controller] |= {str(g.phase) for g in plan.greens if g.windows}
    for controller in network.controllers:
        targets: dict[str, bool] = {}
        for service in controller.rules.services:
            target = str(service.movement or service.crossing)
            going = controller.rules.phase_index[service.phase].is_going
            served = going and str(service.phase) in lit[controller.id]
            targets[target] = targets.get(target, False) or served
        for target in sorted(name for name, served in targets.items() if not served):
            yield _doubt("LV202", controller.id, Severity.WARNING, movement=target)


def _no_clearance(network: Network, plans: PlanSet) -> Iterator[Finding]:
    """Yield plans in which greens of foes meet without any second between them."""
    for plan in plans.plans:
        rules = network.controller_index[plan.controller].rules
        pairs = [(a, b) for a, b, _ in rules.foes if _meet_at_once(plan, a, b)]
        if pairs:
            yield _doubt(
                "LV203",
                plan.controller,
                Severity.WARNING,
                plan=plan.id,
                pairs=len(pairs),
                ending=pairs[0][0],
                starting=pairs[0][1],
            )


def _meet_at_once(plan: Plan, ending: str, starting: str) -> bool:
    windows = {str(g.phase): g.windows for g in plan.greens}
    return any(
        (after.start_ds - before.end_ds) % plan.cycle_ds == 0
        for before, after in product(windows.get(ending, ()), windows.get(starting, ()))
    )


def _unknown_intergreens(network: Network) -> Iterator[Finding]:
    """Yield controllers with transitions that were never seen and have no geometry."""
    for controller in network.controllers:
        unknown = [(a, b) for a, b, need in controller.rules.foes if need is None]
        if unknown:
            yield _doubt(
                "LV204",
                controller.id,
                Severity.WARNING,
                pairs=len(unknown),
                ending=unknown[0][0],
                starting=unknown[0][1],
            )


def _right_arrows(network: Network, plans: PlanSet) -> Iterator[Finding]:
    """Yield full greens of near-side turns while people walk over the street they turn into."""
    for plan in plans.plans:
        rules = network.controller_index[plan.controller].rules
        for a, b, kind in rules.conflicts.pairs:
            turn, walk = (a, b) if rules.phase_index[b].kind is PhaseKind.PEDESTRIAN else (b, a)
            if rules.phase_index[walk].kind is not PhaseKind.PEDESTRIAN:
                continue
            if kind is Conflict.FORBIDDEN and _turns_near(network, rules, turn):
                both = _together_ds(plan, turn, walk)
                if both:
                    yield _doubt(
                        "LV205",
                        plan.controller,
                        Severity.WARNING,
                        plan=plan.id,
                        phase=turn,
                        walk=walk,
                        overlap_s=both / 10,
                    )


def _turns_near(network: Network, rules: SignalRules, phase: str) -> bool:
    near = _near_side(network)
    turns = {
        network.movement_index[s.movement].turn
        for s in rules.services
        if s.phase == phase and s.movement
    }
    return turns == {near}


def _near_side(network: Network) -> Turn:
    return Turn.LEFT if network.left_hand else Turn.RIGHT


def _together_ds(plan: Plan, first: str, second: str) -> int:
    windows = {str(g.phase): g.windows for g in plan.greens}
    found = 0
    for one, two in product(windows.get(first, ()), windows.get(second, ())):
        for shift in (-plan.cycle_ds, 0, plan.cycle_ds):
            begin, end = two.start_ds + shift, two.end_ds + shift
            found += max(0, min(one.end_ds, end) - max(one.start_ds, begin))
    return found


def _short_stages(network: Network, plans: PlanSet) -> Iterator[Finding]:
    """Yield sets of greens that stand for a moment only, yet lead nowhere but to themselves."""
    for plan in plans.plans:
        phases = network.controller_index[plan.controller].rules.phases
        for at_ds, length_ds, greens in short_stages(phases, plan):
            yield _doubt(
                "LV206",
                plan.controller,
                Severity.WARNING,
                plan=plan.id,
                at_s=at_ds / 10,
                found_s=length_ds / 10,
                phases=", ".join(greens),
            )


def _cycles(network: Network, plans: PlanSet) -> Iterator[Finding]:
    """Yield corridors whose signals run cycles that no common multiple of small size joins."""
    for corridor in network.corridors:
        told = next(_cycles_of(corridor, plans), None)
        if told is not None:
            yield told


def _cycles_of(corridor: Corridor, plans: PlanSet) -> Iterator[Finding]:
    day = plans.day_plans[0]
    for period in day.periods:
        runs = {
            c: plans.run_index.get((c, day.day_type, period.name)) for c in corridor.controllers
        }
        cycles = {c: p.cycle_ds for c, p in runs.items() if p is not None and p.reference}
        longest = max(cycles.values(), default=0)
        strange = {c: s for c, s in cycles.items() if longest % s}
        if strange:
            listed = ", ".join(f"{c} {s / 10:g}" for c, s in sorted(strange.items()))
            yield _doubt(
                "LV207",
                corridor.name,
                Severity.ADVICE,
                period=period.name,
                longest_s=longest / 10,
                others=listed,
            )


def _free_turns(network: Network) -> Iterator[Finding]:
    """Yield near-side turns of two or more lanes at a signal that nothing controls."""
    near = _near_side(network)
    signals = {place for controller in network.controllers for place in controller.intersections}
    for movement in network.movements:
        lanes = [lane for lane in movement.lanes if network.lane_index[lane].for_cars]
        if movement.turn is not near or movement.intersection not in signals or len(lanes) < TWO:
            continue
        if _is_free(network, movement):
            yield _doubt(
                "LV208",
                movement.intersection,
                Severity.ADVICE,
                movement=movement.id,
                lanes=len(lanes),
            )


def _is_free(network: Network, movement: Movement) -> bool:
    return all(
        phase in network.controller_index[controller].rules.permanent
        for controller in movement.controllers
        for phase in network.controller_index[controller].rules.phases_of(movement.id)
    )


def _yellows(network: Network) -> Iterator[Finding]:
    """Yield, per controller, the phase whose yellow lies farthest below the computed one."""
    for controller in network.controllers:
        found = [
            finding
            for finding in (_yellow(network, controller, p) for p in _ending(controller))
            if finding is not None
        ]
        if found:
            yield max(found, key=lambda f: float(str(f.fields["computed_s"])))


def _ending(controller: Controller) -> list[str]:
    """Return the vehicle phases that end with a yellow at some time."""
    rules = controller.rules
    return [
        str(p.id)
        for p in rules.phases
        if p.kind is PhaseKind.VEHICLE and p.is_going and p.id not in rules.permanent
    ]


def _yellow(network: Network, controller: Controller, phase: str) -> Finding | None:
    rules = controller.rules
    speeds = [
        network.link_index[network.movement_index[s.movement].from_link].speed_mps
        for s in rules.services
        if s.phase == phase and s.movement
    ]
    if not speeds:
        return None
    installed = next(p.yellow_ds for p in rules.phases if p.id == phase) / 10
    return yellow_finding(
        f"{controller.id} {phase}", installed, bounded_yellow(yellow(max(speeds)))
    )
