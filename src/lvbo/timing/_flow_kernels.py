# SPDX-License-Identifier: Apache-2.0
"""One controller second by second: lanes, turns that yield, queues, delay; and the search over it.

Arrays throughout (float64 unless said): L lanes, K turns of a lane, M movements, S stages, C s.
Movement status: 0 red, 1 permitted, 2 protected, 3 after stopping on red.
Cyclic queues follow the cyclic-flow-profile idea of TRANSYT (Robertson, 1969); permitted turns the
gap acceptance of HCM (exponential gaps); random and oversaturation delay HCM 7 eq. 19-26.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Layout(NamedTuple):
    """The lanes of one controller.

    `turn_move[L, K]` is the movement of each turn of a lane (-1 for none), `turn_share[L, K]` its
    share of the lane's flow, `turn_foes[L, K, F]` the lanes it yields to (-1 for none),
    `sat_vps[L]` the saturation flow in veh/s, `loss_gain_s` start-up loss and end gain in whole s;
    `yields[L]` is 0 for lanes without a turn that ever yields; so many of those who yield as
    `room[L]` says stand inside the intersection, clear of the lane. `swing_h[L]` says how flows
    swing (`demand.swings`).
    """

    turn_move: Ints
    turn_share: Floats
    turn_foes: Ints
    sat_vps: Floats
    loss_gain_s: tuple[int, int]
    yields: Ints
    room: Ints
    swing_h: Floats


class Order(NamedTuple):
    """A stage order: `inters[S]` in s, movement status `lit[S, M]` in, `kept[S, M]` after each."""

    inters: Ints
    lit: Ints
    kept: Ints


class Work(NamedTuple):
    """Scratch and results of one controller.

    `status[M, C]` what the lamps give, `used[M, C]` what drivers use of it, `flow[L, C]`
    departures, `rate[C]`, `delay[L]` in veh-s per hour, `satur[L]` degree of saturation.
    """

    status: Ints
    used: Ints
    flow: Floats
    rate: Floats
    delay: Floats
    satur: Floats


PERMITTED, PROTECTED = 1, 2
CRITICAL_GAP_S, FOLLOW_UP_S = 4.5, 2.5
"""HCM's gap acceptance for permitted left turns."""


@njit(cache=True)
def statuses(greens: Ints, order: Order, out: Ints) -> int:
    """Fill `out[M, C]` with movement status for stage greens in s; return the cycle in s."""
    t = 0
    for s in range(greens.shape[0]):
        out[:, t : t + greens[s]] = order.lit[s].reshape(-1, 1)
        t += greens[s]
        out[:, t : t + order.inters[s]] = order.kept[s].reshape(-1, 1)
        t += order.inters[s]
    return t


@njit(cache=True)
def drivers(status: Ints, cycle: int, loss: int, gain: int, used: Ints) -> None:
    """Fill `used[M, C]`: green begins `loss` s later for drivers and ends `gain` s later."""
    for m in range(status.shape[0]):
        for t in range(cycle):
            now = status[m, t]
            if now == 0:
                for g in range(1, gain + 1):
                    now = max(now, status[m, _earlier(t, g, cycle)])
            elif status[m, _earlier(t, loss, cycle)] == 0:
                now = 0
            used[m, t] = now


@njit(cache=True)
def _earlier(t: int, by: int, cycle: int) -> int:
    """Return the second of the cycle that lies `by` s before t; without a division, mostly."""
    return t - by if t >= by else (t - by) % cycle


@njit(cache=True)
def permitted_rate(foe_vps: float, critical_s: float, follow_s: float) -> float:
    """Return the discharge of a yielding turn in veh/s against a foe flow in veh/s."""
    if foe_vps <= 1e-6:
        return 1.0 / follow_s
    ending = 1.0 - np.exp(-foe_vps * follow_s)
    return foe_vps * np.exp(-foe_vps * critical_s) / ending


@njit(cache=True)
def lane_rates(lane: int, cycle: int, layout: Layout, work: Work) -> None:
    """Fill `work.rate[C]` with what one lane can discharge each second, in veh/s.

    `work.flow[L, C]` holds the departures of all lanes as known so far. Lanes of several turns are
    held up as `permitted.shared_lane` says.
    """
    sat, rate = layout.sat_vps[lane], work.rate
    free, gives, slow = np.zeros(cycle), np.zeros(cycle), np.zeros(cycle)
    turns = 0
    for k in range(layout.turn_move.shape[1]):
        share = layout.turn_share[lane, k]
        if layout.turn_move[lane, k] < 0 or share <= 0.0:
            continue
        turns += 1
        against, pace = -1.0, 1.0
        used = work.used[layout.turn_move[lane, k]]
        for t in range(cycle):
            if used[t] == PROTECTED:
                free[t] += share
            elif used[t] > 0:
                foe = _foe_flow(lane, k, t, layout, work.flow)
                if foe != against:  # flows stand still for many seconds; the rate is dear
                    against, pace = foe, _yielding_rate(foe, sat)
                gives[t] += share
                slow[t] += share / pace
    if turns > 1:
        _share_lane(free, gives, slow, sat, layout.room[lane], rate)
        return
    for t in range(cycle):
        rate[t] = free[t] * sat
        if gives[t] > 0.0:
            rate[t] += gives[t] * gives[t] / slow[t]
    _add_sneakers(lane, cycle, layout, work.status, rate)


@njit(cache=True)
def _share_lane(
    free: Floats, gives: Floats, slow: Floats, sat: float, room: int, rate: Floats
) -> None:
    """Fill `rate[C]` of a lane of several turns in its steady cycle; see `permitted.shared_lane`.

    `free[C]`, `gives[C]` are the shares that go and that yield, `slow[C]` the seconds between two
    gaps for the latter, times their share.
    """
    held, had, gave = 0.0, 1.0, 0.0
    waiting = np.zeros(room + 1)
    for _ in range(2):
        for t in range(free.shape[0]):
            going = min(1.0, free[t] + gives[t])
            red = 1.0 - going
            held = 0.0 if going <= 0.0 else held * (min(1.0, red / had) if had > 0 else 1.0)
            if gives[t] <= 0.0 < gave:
                last = waiting[room] if going <= 0.0 else 0.0
                waiting[:] = 0.0
                waiting[0] = last
            had, gave = red, gives[t]
            rate[t] = 0.0
            if going > 0.0:
                is_open = (1.0 - held) * (1.0 - waiting[room])
                rate[t] = sat * is_open
                gaps = gives[t] / slow[t] if gives[t] > 0.0 else 0.0
                _wait(waiting, gives[t] * sat * (1.0 - held), gaps)
                held += red * sat * is_open


@njit(cache=True)
def _wait(waiting: Floats, comes: float, gaps: float) -> None:
    """Move on by a second the chances that 1, 2, ... drivers wait for gaps; the last is full."""
    last = waiting.shape[0] - 1
    before = 1.0 - waiting.sum()
    for n in range(last + 1):
        now = waiting[n]
        after = waiting[n + 1] if n < last else 0.0
        stays = 0.0 if n == last else comes * now
        waiting[n] = now + comes * before - stays - gaps * (now - after)
        before = now


@njit(cache=True)
def _foe_flow(lane: int, k: int, t: int, layout: Layout, flow: Floats) -> float:
    """Return the flow that one turn of a lane yields to at second t, in veh/s."""
    foe = 0.0
    for f in range(layout.turn_foes.shape[2]):
        other = layout.turn_foes[lane, k, f]
        if other >= 0:
            foe += flow[other, t]
    return foe


@njit(cache=True)
def _yielding_rate(foe_vps: float, sat_vps: float) -> float:
    """Return the discharge of a turn that yields to a flow, in veh/s."""
    return max(0.02, min(sat_vps, permitted_rate(foe_vps, CRITICAL_GAP_S, FOLLOW_UP_S)))


@njit(cache=True)
def _add_sneakers(lane: int, cycle: int, layout: Layout, status: Ints, rate: Floats) -> None:
    """Add the yielding drivers who stand inside when their green ends."""
    for k in range(layout.turn_move.shape[1]):
        m = layout.turn_move[lane, k]
        if m < 0 or layout.turn_share[lane, k] <= 0.0:
            continue
        for t in range(cycle):
            after = t + 1 if t + 1 < cycle else 0
            if status[m, t] == PERMITTED and status[m, after] == 0:
                rate[t] += layout.room[lane] * layout.turn_share[lane, k]


@njit(cache=True)
def queue_lane(arrive: Floats, rate: Floats, cycle: int, load: float, leave: Floats) -> float:
    """Run one lane's queue to its steady cycle; fill `leave[C]`; return veh-s of delay per cycle.

    `load` scales the arrivals so that the cycle is stable; what it leaves out is d2's.
    """
    queue, total = 0.0, 0.0
    for turn in range(3):
        total = 0.0
        for t in range(cycle):
            queue += arrive[t] * load
            leave[t] = min(queue, rate[t])
            queue -= leave[t]
            total += queue
        if turn > 0 and queue < 0.05:
            break
    return total


@njit(cache=True)
def incremental_s(volume: float, capacity: float, hours: float, swing_h: float) -> float:
    """Return the HCM delay d2 in s/veh; volume and capacity in veh/h, k = 0.5, I by `swing_h`."""
    cap = max(capacity, 1.0)
    x = volume / cap
    root = np.sqrt((x - 1.0) ** 2 + 4.0 * x * (1.0 + swing_h * volume) / (cap * hours))
    return 900.0 * hours * ((x - 1.0) + root)


@njit(cache=True)
def lane_delay(
    lane: int, cycle: int, volume: float, hours: float, arrive: Floats, layout: Layout, work: Work
) -> float:
    """Return the delay of one lane in veh-s per hour, by its `rate`; fill its `flow`, `satur`."""
    room = work.rate[:cycle].sum()
    per_cycle = volume * cycle / 3600.0
    load = 1.0 if per_cycle <= 0.98 * room else max(0.02, 0.98 * room / per_cycle)
    waiting = queue_lane(arrive, work.rate, cycle, load, work.flow[lane])
    capacity = room * 3600.0 / cycle
    work.satur[lane] = volume / max(capacity, 1.0)
    later = incremental_s(volume, capacity, hours, layout.swing_h[lane])
    return waiting * 3600.0 / cycle / load + later * volume


@njit(cache=True)
def evaluate(
    greens: Ints,
    order: Order,
    layout: Layout,
    volume_vph: Floats,
    hours: float,
    work: Work,
    most: float = np.inf,
) -> float:
    """Return total delay in veh-s per hour with uniform arrivals; fill `work`.

    Lanes that never yield come first, then the others twice: they see whom they yield to. Once the
    lanes so far have `most`, those left are not looked at, and what they have together is returned.
    """
    cycle = statuses(greens, order, work.status)
    drivers(work.status, cycle, layout.loss_gain_s[0], layout.loss_gain_s[1], work.used)
    lanes = layout.turn_move.shape[0]
    arrive = np.empty(cycle)
    for lane in range(lanes):
        work.flow[lane, :cycle] = volume_vph[lane] / 3600.0
    total = 0.0
    for sweep in range(3):
        for lane in range(lanes):
            if (sweep == 0) == (layout.yields[lane] == 0):
                lane_rates(lane, cycle, layout, work)
                arrive[:] = volume_vph[lane] / 3600.0
                work.delay[lane] = lane_delay(
                    lane, cycle, volume_vph[lane], hours, arrive, layout, work
                )
                if sweep != 1:
                    total += work.delay[lane]
                    if total >= most:
                        return total
    return work.delay.sum()


@njit(cache=True)
def plan_rates(
    cycle: int, layout: Layout, volume_vph: Floats, hours: float, work: Work, rates: Floats
) -> None:
    """Fill `rates[L, C]` in veh/s for a plan whose lamps stand in `work.status`."""
    drivers(work.status, cycle, layout.loss_gain_s[0], layout.loss_gain_s[1], work.used)
    arrive = np.empty(cycle)
    for lane in range(layout.turn_move.shape[0]):
        work.flow[lane, :cycle] = volume_vph[lane] / 3600.0
    for sweep in range(3):
        for lane in range(layout.turn_move.shape[0]):
            if (sweep == 0) == (layout.yields[lane] == 0):
                lane_rates(lane, cycle, layout, work)
                rates[lane, :cycle] = work.rate[:cycle]
                arrive[:] = volume_vph[lane] / 3600.0
                work.delay[lane] = lane_delay(
                    lane, cycle, volume_vph[lane], hours, arrive, layout, work
                )


@njit(cache=True)
def scratch(moves: int, lanes: int, cycle: int) -> Work:
    """Return the work arrays for cycles up to `cycle` seconds."""
    return Work(
        np.zeros((moves, cycle), dtype=np.int64),
        np.zeros((moves, cycle), dtype=np.int64),
        np.zeros((lanes, cycle)),
        np.zeros(cycle),
        np.zeros(lanes),
        np.zeros(lanes),
    )


@njit(cache=True)
def grow(
    greens: Ints,
    high: Ints,
    room: int,
    order: Order,
    layout: Layout,
    volume: Floats,
    hours: float,
    work: Work,
) -> bool:
    """Give `room` seconds to the stage where they help most; False if none can take them."""
    pick, lowest = -1, np.inf
    for s in range(greens.shape[0]):
        if greens[s] + room <= high[s]:
            greens[s] += room
            cost = evaluate(greens, order, layout, volume, hours, work, lowest)
            greens[s] -= room
            if cost < lowest:
                lowest, pick = cost, s
    if pick >= 0:
        greens[pick] += room
    return pick >= 0


@njit(cache=True)
def trade(
    greens: Ints,
    low: Ints,
    high: Ints,
    order: Order,
    layout: Layout,
    volume: Floats,
    hours: float,
    work: Work,
) -> float:
    """Move seconds between stages while the delay falls; return it."""
    cost = evaluate(greens, order, layout, volume, hours, work)
    for size in (2, 1):
        moved = True
        while moved:
            moved = False
            for a in range(greens.shape[0]):
                for b in range(greens.shape[0]):
                    if a == b or greens[a] - size < low[a] or greens[b] + size > high[b]:
                        continue
                    greens[a] -= size
                    greens[b] += size
                    trial = evaluate(greens, order, layout, volume, hours, work, cost)
                    if trial < cost - 1e-6:
                        cost, moved = trial, True
                    else:
                        greens[a] += size
                        greens[b] -= size
    return cost


@njit(cache=True)
def search(
    low: Ints,
    high: Ints,
    cycles: Ints,
    order: Order,
    layout: Layout,
    volume_vph: Floats,
    hours: float,
    best_greens: Ints,
    best_cost: Floats,
) -> None:
    """Find stage greens in s for each of `cycles[N]`, rising.

    Fills `best_greens[N, S]` and `best_cost[N]`.

    Greens grow with the cycle from the minima `low[S]`, never above `high[S]`; then seconds move
    between stages. A cycle that cannot be filled costs inf.
    """
    greens = low.copy()
    work = scratch(order.lit.shape[1], layout.turn_move.shape[0], cycles[-1])
    used = low.sum() + order.inters.sum()
    for n in range(cycles.shape[0]):
        best_cost[n] = np.inf
        if used > cycles[n]:
            continue
        filled = True
        while filled and used < cycles[n]:
            room = min(4, cycles[n] - used)
            filled = grow(greens, high, room, order, layout, volume_vph, hours, work)
            used += room if filled else 0
        if filled:
            best_cost[n] = trade(greens, low, high, order, layout, volume_vph, hours, work)
            best_greens[n] = greens
