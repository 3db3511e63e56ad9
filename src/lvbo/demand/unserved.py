# SPDX-License-Identifier: Apache-2.0
"""Served is not demand: find movements that got all their green could pass, and what stayed behind.

Where what comes into a link is counted, demand is what came in: the movements that kept up are
as counted, the saturated ones take the rest. Where it is not, the recovery tail balances the block:
all that was wanted while the queue stood has passed when it is gone; the shape is that of movements
which kept up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.demand import Saturation
from lvbo.demand.saturation import Greens
from lvbo.demand.served import Served
from lvbo.ids import ControllerId, LaneId, LinkId, MovementId
from lvbo.network.network import Network
from lvbo.signal.plan import Plan

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
FULL = 0.95
NEARLY_FULL = 0.75
GROWING = 0.08
CYCLES = 3
QUEUED_VEHICLES = 3.0
RATIO_RANGE = (0.3, 1.6)
SPREAD_ROUNDS = 12


@dataclass(frozen=True, kw_only=True)
class LaneGroup:
    """Movements of one link that share lanes, so that they fill up together."""

    link: LinkId
    movements: tuple[MovementId, ...]
    lanes: tuple[LaneId, ...]


def lane_groups(network: Network, link: LinkId) -> tuple[LaneGroup, ...]:
    """Return the lane groups of a link: connected sets of movements and lanes."""
    groups: list[tuple[set[MovementId], set[LaneId]]] = []
    for movement in network.movements_from.get(link, ()):
        own = ({movement.id}, set(movement.lanes))
        apart = [g for g in groups if not g[1] & own[1]]
        for group in (g for g in groups if g[1] & own[1]):
            own = (own[0] | group[0], own[1] | group[1])
        groups = [*apart, own]
    return tuple(
        LaneGroup(link=link, movements=tuple(sorted(moves)), lanes=tuple(sorted(lanes)))
        for moves, lanes in groups
    )


def degrees(
    network: Network,
    served: Served,
    day_types: tuple[str, ...],
    greens: Greens,
    known: Mapping[LaneId, Saturation],
) -> tuple[Array, Array]:
    """Return served volume over what the green can pass, per movement, and the cycle in s.

    Both of shape (days, slots, movements); NaN where no plan tells. Movements of a lane group share
    one degree.
    """
    column = {movement: k for k, movement in enumerate(served.movements)}
    groups = [g for link in network.link_index for g in lane_groups(network, link)]
    member = np.zeros((len(groups), len(served.movements)))
    for g, group in enumerate(groups):
        member[g, [column[m] for m in group.movements]] = 1.0
    totals = np.nan_to_num(served.volume) @ member.T
    unseen = np.isnan(served.volume) @ member.T > 0
    out = np.full(served.volume.shape, np.nan)
    cycles = np.zeros(served.volume.shape[1:])
    limits: dict[int, tuple[Array, Array]] = {}
    for slot in range(served.volume.shape[1]):
        second = served.slots.first_s + slot * served.slots.slot_s
        for kind in dict.fromkeys(day_types):
            running = greens.at(kind, second)
            if id(running) not in limits:
                limits[id(running)] = _limits(groups, greens, running, known)
            capacity, cycle = limits[id(running)]
            days = [d for d, own in enumerate(day_types) if own == kind]
            full = totals[days, slot] / capacity
            full[unseen[days, slot]] = np.nan
            out[days, slot] = _spread_over(full, member)
            cycles[slot] = np.maximum(cycles[slot], cycle @ member)
    return out, np.broadcast_to(cycles, served.volume.shape)


def _spread_over(values: Array, member: Array) -> Array:
    """Return the value of each movement's group; every movement has one."""
    own = member.argmax(axis=0)
    return np.asarray(np.where(member.any(axis=0), values[:, own], np.nan))


def _limits(
    groups: list[LaneGroup],
    greens: Greens,
    running: Mapping[ControllerId, Plan],
    known: Mapping[LaneId, Saturation],
) -> tuple[Array, Array]:
    """Return capacity in veh/h (NaN where unknown) and cycle in s of every lane group."""
    capacity = [_capacity(group, greens, running, known) for group in groups]
    cycle = [max(greens.cycle_s(running, m) for m in group.movements) for group in groups]
    return np.array([np.nan if c is None else c for c in capacity]), np.array(cycle)


def _capacity(
    group: LaneGroup,
    greens: Greens,
    running: Mapping[ControllerId, Plan],
    known: Mapping[LaneId, Saturation],
) -> float | None:
    """Return what a lane group can pass in veh/h: each lane by its best movement's green."""
    total = 0.0
    for lane in group.lanes:
        saturation = known[lane]
        lost_s = saturation.start_loss_s - saturation.end_gain_s
        using = [m for m in group.movements if lane in greens.network.movement_index[m].lanes]
        shares = [greens.share(m, running, lost_s) for m in using]
        told = [share for share in shares if share is not None]
        if not told:
            return None
        total += saturation.flow_vph * max(told)
    return total if total > 0 else None


def saturated_mask(degree: Array, cycles: Array, slot_s: int) -> Mask:
    """Return where the degree stays at 0.95 or above for three cycles in a row.

    A slot that holds three cycles needs no second one beside it.
    """
    full: Mask = np.asarray(np.nan_to_num(degree) >= FULL)
    longest = float(cycles.max(initial=0.0))
    run = max(1, int(np.ceil(CYCLES * longest / slot_s - 1e-9)))
    if run == 1 or full.shape[1] < run:
        return full
    out: Mask = np.zeros(full.shape, dtype=np.bool_)
    for start in range(full.shape[1] - run + 1):
        together = np.asarray(full[:, start : start + run].all(axis=1))
        out[:, start : start + run] |= together[:, None]
    return out


@dataclass(kw_only=True)
class Estimate:
    """The demand so far: arrays of shape (days, slots, movements), changed link by link."""

    volume: Array
    lower: Array
    upper: Array
    saturated: Mask


def estimate_unserved(network: Network, served: Served, degree: Array, saturated: Mask) -> Estimate:
    """Return demand from what was served: upstream counts where there are any, else the tail."""
    estimate = Estimate(
        volume=served.volume.copy(),
        lower=served.lower.copy(),
        upper=served.upper.copy(),
        saturated=saturated.copy(),
    )
    inflows = _all_inflows(network, served)
    column = {movement: k for k, movement in enumerate(served.movements)}
    others = _keeping_up(served, saturated)
    full = saturated | (np.nan_to_num(degree) >= NEARLY_FULL)
    for link in network.link_index:
        here = [column[m.id] for m in network.movements_from[link]]
        if not here or np.isnan(served.volume[:, :, here]).all():
            continue
        ratio = _calibration(served, full, here, inflows.get(link))
        if ratio is None:
            _from_tail(estimate, served, here, others)
            continue
        coming, blocked = inflows[link]
        approach = Approach(
            columns=np.array(here),
            groups=_group_numbers(network, link, served, here),
            inflow=coming * ratio,
            blocked=blocked,
        )
        _from_inflow(estimate, served, approach, degree)
    _spread(network, served, estimate, column)
    return estimate


def _all_inflows(network: Network, served: Served) -> dict[LinkId, tuple[Array, Mask]]:
    """Return what came into links: as counted there, else as sum of the movements upstream."""
    found = {
        link: (served.inflow[k], served.blocked[k])
        for k, link in enumerate(served.links)
        if not np.isnan(served.inflow[k]).all()
    }
    column = {movement: k for k, movement in enumerate(served.movements)}
    for link, into in network.movements_into.items():
        if link in found or not into:
            continue
        total = served.volume[:, :, [column[m.id] for m in into]].sum(axis=2)
        if not np.isnan(total).all():
            found[link] = (total, np.zeros(total.shape, dtype=np.bool_))
    return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Approach:
    """One link: its movements' columns, their lane groups, and what comes in (days, slots)."""

    columns: NDArray[np.intp]
    groups: NDArray[np.intp]
    inflow: Array
    blocked: Mask


def _group_numbers(
    network: Network, link: LinkId, served: Served, here: list[int]
) -> NDArray[np.intp]:
    number = {
        movement: g
        for g, group in enumerate(lane_groups(network, link))
        for movement in group.movements
    }
    return np.array([number[served.movements[k]] for k in here])


def _from_inflow(estimate: Estimate, served: Served, approach: Approach, degree: Array) -> None:
    """Put what came in and did not pass on the saturated movements of a link, day by day."""
    here = approach.columns
    passed = served.volume[:, :, here]
    hours = served.slots.slot_s / 3600
    near = np.nan_to_num(degree[:, :, here]) >= NEARLY_FULL
    free = ~(estimate.saturated[:, :, here] | near).any(axis=2) & ~approach.blocked
    shares = _free_shares(passed, free)
    for d in range(passed.shape[0]):
        wanted = _unblocked(approach.inflow[d], approach.blocked[d])
        excess = wanted - passed[d].sum(axis=1)
        grows = (excess > GROWING * wanted) | approach.blocked[d]
        now = estimate.saturated[d][:, here] | (near[d] & grows[:, None])
        _through_day(estimate, (d, hours), approach, (now, excess), shares)


def _through_day(
    estimate: Estimate,
    day: tuple[int, float],
    approach: Approach,
    seen: tuple[Mask, Array],
    shares: Array,
) -> None:
    """Follow the queue of a link through a day, slot by slot, and share out its excess."""
    d, hours = day
    now, excess = seen
    queue = 0.0
    held = np.zeros(now.shape[1], dtype=np.bool_)
    starts: Mask = np.asarray(now.any(axis=1))
    for s in range(len(excess)):
        if np.isnan(excess[s]) or (queue <= QUEUED_VEHICLES and not starts[s]):
            queue = 0.0
            continue
        held = now[s] | held if queue > QUEUED_VEHICLES else now[s]
        more = max(float(excess[s]), -queue / hours)
        queue += more * hours
        estimate.saturated[d, s, approach.columns] |= held
        _share_out(estimate, (d, s), approach, held, more, shares)


def _share_out(
    estimate: Estimate,
    at: tuple[int, int],
    approach: Approach,
    held: Mask,
    excess: float,
    shares: Array,
) -> None:
    """Divide an excess among the held lane groups by their usual shares, none below zero.

    Inside a group vehicles stand in one queue, so what passed shows their mix.
    """
    d, s = at
    columns = approach.columns
    passed = estimate.volume[d, s, columns].copy()
    numbers = np.unique(approach.groups[held])
    through = np.array([passed[approach.groups == g].sum() for g in numbers])
    usual = np.array([shares[approach.groups == g].sum() for g in numbers])
    if not usual.sum() > 0:
        usual = np.maximum(through, 1e-6)
    total = max(0.0, through.sum() + excess)
    wanted = total * usual / usual.sum()
    if excess > 0:
        wanted = _at_least(wanted, through, total)
    for g, own, goal in zip(numbers, through, wanted, strict=True):
        inside = approach.groups == g
        mix = passed[inside] if own > 0 else shares[inside] + 1e-9
        new = goal * mix / mix.sum()
        here = columns[inside]
        estimate.volume[d, s, here] = new
        estimate.lower[d, s, here] = np.minimum(passed[inside], new)
        estimate.upper[d, s, here] = np.maximum(passed[inside] + max(excess, 0.0), new)


def _at_least(wanted: Array, floor: Array, total: float) -> Array:
    """Return `wanted` raised to `floor` where below, the others cut so that the sum stays."""
    out = np.maximum(wanted, floor)
    room = out - floor
    over = out.sum() - total
    if over > 0 and room.sum() > 0:
        out = out - room * min(1.0, over / room.sum())
    return np.asarray(out)


def _calibration(
    served: Served, full: Mask, here: list[int], coming: tuple[Array, Mask] | None
) -> float | None:
    """Return passed over come in where nothing is held back: car parks, an under-counting loop.

    Slots in which any movement is `full` or nearly so do not count. None where there is no inflow
    to go by, or so different a one that it is no measure.
    """
    if coming is None:
        return None
    inflow, blocked = coming
    passed = served.volume[:, :, here].sum(axis=2)
    free = ~full[:, :, here].any(axis=2) & ~blocked
    both = free & ~np.isnan(passed) & ~np.isnan(inflow)
    if not both.any() or inflow[both].sum() <= 0:
        return 1.0
    ratio = float(passed[both].sum() / inflow[both].sum())
    return ratio if RATIO_RANGE[0] <= ratio <= RATIO_RANGE[1] else None


def _free_shares(passed: Array, free: Mask) -> Array:
    """Return the share of each movement where nothing was saturated; zeros where never."""
    rows = passed[free]
    rows = rows[~np.isnan(rows).any(axis=1)]
    total = rows.sum()
    return np.asarray(rows.sum(axis=0) / total) if total > 0 else np.zeros(passed.shape[2])


def _unblocked(inflow: Array, blocked: Mask) -> Array:
    """Return the inflow of a day, held at what came before where the queue reached the counter."""
    if not blocked.any():
        return inflow
    out = inflow.copy()
    recent: list[float] = []
    for s, value in enumerate(inflow):
        if blocked[s] and recent:
            out[s] = max(value, float(np.mean(recent[-4:])))
        elif not np.isnan(value):
            recent.append(float(value))
    return out


def _keeping_up(served: Served, saturated: Mask) -> Array:
    """Return the total of movements that kept up all day, shape (days, slots)."""
    kept = np.where(~saturated, served.volume, np.nan)
    known = (~np.isnan(kept)).all(axis=1, keepdims=True)
    return np.asarray(np.where(known, np.nan_to_num(kept), 0.0).sum(axis=2))


def _from_tail(estimate: Estimate, served: Served, here: list[int], others: Array) -> None:
    """Reshape each saturated block of a movement by the movements that kept up."""
    for k in here:
        for d in range(served.volume.shape[0]):
            for first, end in _blocks(estimate.saturated[d, :, k]):
                _reshape(estimate, served.volume[d, :, k], others[d], (d, k), (first, end))


def _blocks(mask: Mask) -> list[tuple[int, int]]:
    """Return runs of true values as [first, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _reshape(
    estimate: Estimate,
    passed: Array,
    others: Array,
    at: tuple[int, int],
    block: tuple[int, int],
) -> None:
    """Give a block the shape of the others; where the queue cleared its sum is what passed."""
    d, k = at
    first, end = block
    flanks = [s for s in (first - 1, end) if 0 <= s < len(passed) and not np.isnan(passed[s])]
    inside = others[first:end]
    if not flanks or not (others[flanks] > 0).all() or not (inside > 0).all():
        return
    shape = inside * passed[flanks].mean() / others[flanks].mean()
    total = passed[first:end].sum()
    cleared = end < len(passed)
    if cleared and shape.sum() > 0:
        wanted = shape * total / shape.sum()
    else:
        wanted = np.maximum(shape, passed[first:end])
    estimate.volume[d, first:end, k] = wanted
    estimate.lower[d, first:end, k] = np.minimum(passed[first:end], wanted)
    estimate.upper[d, first:end, k] = np.maximum(1.5 * passed[first:end], wanted)


def _spread(
    network: Network, served: Served, estimate: Estimate, column: Mapping[MovementId, int]
) -> None:
    """Let what was held back upstream arrive downstream too, by usual turn shares."""
    held = np.nan_to_num(estimate.volume - served.volume)
    held[~estimate.saturated] = 0.0
    days = served.volume.shape[0]
    extra = held.copy()
    for _ in range(SPREAD_ROUNDS):
        new = held.copy()
        for link, into in network.movements_into.items():
            out = [column[m.id] for m in network.movements_from[link]]
            if not into or not out:
                continue
            more = extra[:, :, [column[m.id] for m in into]].sum(axis=2)
            base = np.nan_to_num(estimate.volume[:, :, out]).sum(axis=(0, 1))
            if base.sum() > 0:
                new[:, :, out] += more[:, :, None] * (base / base.sum())[None, None, :]
        if days == 0 or np.abs(new - extra).max(initial=0.0) < 1.0:
            extra = new
            break
        extra = new
    estimate.volume += extra - held
    np.fmax(estimate.upper, estimate.volume, out=estimate.upper)
