# SPDX-License-Identifier: Apache-2.0
"""Cyclic flow profiles of many signals, sixteen candidate plans at a time.

The method is TRANSYT's (Robertson, 1969): within one cycle every queue has an arrival profile in
veh/s per second; queues empty by what the lamps give; departures drive on and disperse. Signals are
recursive in time, so one plan cannot use the vector unit; sixteen can. The candidates are therefore
the innermost axis of every array, always `WIDTH` long, float32. Random and oversaturation delay is
that of HCM 7 eq. 19-26.
"""

from __future__ import annotations

import numpy as np

from lvbo.optimize._profile_values import (
    Bench,
    Cost,
    Floats,
    Lamps,
    Mesh,
)
from lvbo.optimize._wide import (
    WIDTH,
    Row,
    below,
    fill,
    inner,
    kernel,
    lean,
    least,
    load,
    most,
    root,
    store,
)

PERMITTED, PROTECTED = 1, 2
LITTLE = 1e-6
LIT = 20.0
"""A second counts in full for a lane where a twentieth of its drivers may go."""
CRITICAL_GAP_S, FOLLOW_UP_S = 4.5, 2.5
"""HCM's gap acceptance for permitted left turns."""
FULL = 0.98
"""Arrivals beyond this share of the capacity are left to the oversaturation delay."""
HOURS = 0.25
"""The analysis period of the oversaturation delay."""


@kernel
def scratch(links: int, queues: int, cycle: int) -> Bench:
    """Return the scratch for signals of up to so many links and queues."""
    return Bench(
        np.zeros((links, cycle, WIDTH), np.float32),
        np.zeros((queues, cycle, WIDTH), np.float32),
        np.zeros((cycle, WIDTH), np.float32),
        np.zeros((cycle, WIDTH), np.float32),
        np.zeros((cycle, WIDTH), np.float32),
        np.zeros((cycle, WIDTH), np.float32),
        np.zeros((cycle, WIDTH), np.float32),
        np.zeros((cycle, WIDTH), np.float32),
        np.zeros((queues, WIDTH), np.float32),
        np.zeros((4, WIDTH), np.float32),
    )


# what the lamps give ---------------------------------------------------------------------------


@inner
def since(begin: Row, t: int, cycle: int) -> Row:
    """Return how long a window has been open at second t, around the cycle."""
    gone = fill(t) - begin
    return below(gone, fill(0), gone + cycle, gone)


@inner
def covered(begin: Row, length: Row, t: int, cycle: int) -> Row:
    """Return the share of second t that a window covers."""
    gone = since(begin, t, cycle)
    inside = most(fill(0), least(fill(1), length - gone))
    starts = most(fill(0), gone - (cycle - 1))
    return least(fill(1), inside + starts)


@inner
def set_cover(lamps: Lamps, w: int, cycle: int, part: float, out: Floats) -> None:
    """Fill `out[C, B]` with the share of each second that window w covers, times `part`."""
    begin, length = load(lamps.begin, w), load(lamps.length, w)
    for t in range(cycle):
        store(out, t, part * covered(begin, length, t, cycle))


@inner
def cover(lamps: Lamps, w: int, cycle: int, part: float, out: Floats) -> None:
    """Add to `out[C, B]` the share of each second that window w covers, times `part`."""
    begin, length = load(lamps.begin, w), load(lamps.length, w)
    for t in range(cycle):
        store(out, t, load(out, t) + part * covered(begin, length, t, cycle))


@inner
def add_sneakers(lamps: Lamps, w: int, cycle: int, gain: float, many: float, out: Floats) -> None:
    """Add `many` vehicles to `out[C, B]` in the last second of a permitted window before red."""
    begin, length = load(lamps.begin, w), load(lamps.length, w) - gain
    ends = many * load(lamps.sneak, w)
    for t in range(cycle):
        left = length - since(begin, t, cycle)
        last = below(fill(0), left, below(fill(1), left, fill(0), ends), fill(0))
        store(out, t, load(out, t) + last)


@inner
def yielding_rate(foe: Row, lanes: float, sat: float) -> Row:
    """Return the discharge in veh/s of who yields to a flow in veh/s.

    HCM's f exp(-f tc) / (1 - exp(-f tf)), with f tf / (1 - exp(-f tf)) by its series and
    exp(-y) as (1 - y / 16)^16: within 5 % where the rate is over a tenth of the free one.
    """
    x = FOLLOW_UP_S * foe
    e = most(fill(0), 1.0 - (CRITICAL_GAP_S / 16) * foe)
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    rate = (lanes / FOLLOW_UP_S) * e * (1.0 + x * (0.5 + x / 12.0))
    return most(fill(0.02), least(fill(sat), rate))


@inner
def clear(out: Floats, cycle: int) -> None:
    """Set `out[C, B]` to zero."""
    for t in range(cycle):
        store(out, t, fill(0))


@inner
def plain_rate(mesh: Mesh, lamps: Lamps, s: int, q: int, cycle: int, work: Bench) -> None:
    """Fill `work.rate[C, B]` for a queue of one turn that never yields."""
    lit = False
    for w in range(lamps.first[s], lamps.last[s]):
        if lamps.move[w] == mesh.turn_move[q, 0]:
            speed = mesh.sat[q]
            if lamps.right[w] == PERMITTED:
                speed = min(speed, np.float32(mesh.lanes[q] / FOLLOW_UP_S))
            if lit:
                cover(lamps, w, cycle, speed, work.rate)
            else:
                set_cover(lamps, w, cycle, speed, work.rate)
            lit = True
    if not lit:
        clear(work.rate, cycle)


@inner
def mixed_rate(mesh: Mesh, lamps: Lamps, s: int, q: int, cycle: int, work: Bench) -> None:
    """Fill `work.rate[C, B]` for a queue of several turns, or one that yields."""
    clear(work.need, cycle)
    clear(work.going, cycle)
    clear(work.gives, cycle)
    turns = 0
    for k in range(mesh.turn_move.shape[1]):
        if mesh.turn_move[q, k] >= 0 and mesh.turn_share[q, k] > 0:
            turns += 1
            for right in range(PERMITTED, PROTECTED + 1):
                add_turn(mesh, lamps, s, q, k, right, cycle, work)
    if turns > 1:
        share_lane(mesh, q, cycle, work)
        return
    for t in range(cycle):
        gives = load(work.gives, t)
        gaps = gives * gives / most(load(work.need, t), fill(LITTLE))
        store(work.rate, t, mesh.sat[q] * (load(work.going, t) - gives) + gaps)
    many = mesh.room[q] * mesh.lanes[q]
    for w in range(lamps.first[s], lamps.last[s]):
        if lamps.move[w] == mesh.turn_move[q, 0] and lamps.right[w] == PERMITTED:
            add_sneakers(lamps, w, cycle, lamps.gain[s], many, work.rate)


@inner
def share_lane(mesh: Mesh, q: int, cycle: int, work: Bench) -> None:
    """Fill `work.rate[C, B]` of lanes of several turns in their steady cycle.

    The rule is that of `timing.permitted.shared_lane`: the first who has red closes a lane, and so
    does who yields behind `room` others that stand inside.
    """
    lanes, room = mesh.lanes[q], mesh.room[q]
    sat = mesh.sat[q] / lanes
    held, had, gave = fill(0), fill(1), fill(0)
    one, two, three = fill(0), fill(0), fill(0)
    for _ in range(2):
        for t in range(cycle):
            going, gives = load(work.going, t), load(work.gives, t)
            lit = least(fill(1), LIT * going)
            red = most(fill(0), 1.0 - going)
            held = lit * held * least(fill(1), red / most(had, fill(LITTLE)))
            full = three if room > 1 else two if room > 0 else one
            change = below(
                gives, fill(LITTLE), below(fill(LITTLE), gave, fill(1), fill(0)), fill(0)
            )
            one = one + change * ((1.0 - lit) * full - one)
            two = two - change * two
            three = three - change * three
            had, gave = red, gives
            full = three if room > 1 else two if room > 0 else one
            free = lit * (1.0 - held) * (1.0 - full)
            store(work.rate, t, (sat * lanes) * free)
            comes = sat * gives * (1.0 - held)
            gaps = gives / (lanes * most(load(work.need, t), fill(LITTLE)))
            none = 1.0 - one - two - three
            held = held + sat * red * free
            to_three = fill(0)
            if room > 1:
                to_three = comes * two - gaps * three
            to_two = fill(0)
            if room > 0:
                to_two = comes * one - gaps * two
            to_one = comes * none - gaps * one
            one = one + to_one - to_two
            two = two + to_two - to_three
            three = three + to_three


@inner
def add_turn(
    mesh: Mesh, lamps: Lamps, s: int, q: int, k: int, right: int, cycle: int, work: Bench
) -> None:
    """Add the share of one turn of a queue that may go by one right to `work.going`.

    Where it yields also to `work.gives`, and to `work.need` the s between gaps, times the share.
    """
    part, lit = mesh.turn_share[q, k], False
    for w in range(lamps.first[s], lamps.last[s]):
        if lamps.move[w] == mesh.turn_move[q, k] and lamps.right[w] == right:
            if lit:
                cover(lamps, w, cycle, part, work.cover)
            else:
                set_cover(lamps, w, cycle, part, work.cover)
            lit = True
    if not lit:
        return
    home = mesh.queues[mesh.links[s]]
    for t in range(cycle):
        may = load(work.cover, t)
        store(work.going, t, load(work.going, t) + may)
        if right == PERMITTED:
            foe = fill(0)
            for f in range(mesh.foes.shape[2]):
                if mesh.foes[q, k, f] >= 0:
                    foe = foe + load(work.leave[mesh.foes[q, k, f] - home], t)
            pace = yielding_rate(foe, mesh.lanes[q], mesh.sat[q])
            store(work.gives, t, load(work.gives, t) + may)
            store(work.need, t, load(work.need, t) + may / pace)


# queues ----------------------------------------------------------------------------------------


@inner
def run_queue(
    mesh: Mesh, q: int, arrive: Floats, cycle: int, work: Bench, leave: Floats, tally: Floats
) -> None:
    """Run a queue by `work.rate` through its steady cycle; fill `leave[C, B]`.

    `tally[4, B]`: waiting in veh-s, stops, the largest queue, vehicles that may leave in a cycle.
    Who cannot leave in the second of arriving stops. Arrivals over the capacity are run with a
    higher rate: what that leaves out is the oversaturation delay's, and downstream sees the demand.

    The queue at second t is the largest excess of arrivals over departures since any earlier
    second; as a cycle brings less than it can let go, that second lies within the last cycle. So a
    cycle that begins empty ends with the queue of the steady state.
    """
    part, even = mesh.share[q], mesh.base[q]
    room = fill(0)
    for t in range(cycle):
        room = room + load(work.rate, t)
    boost = most(fill(1), (mesh.total[q] * cycle) / most(FULL * room, fill(0.02)))
    here = fill(0)
    for t in range(cycle):
        here = most(fill(0), here + even + part * load(arrive, t) - boost * load(work.rate, t))
    waits, stops, peak = fill(0), fill(0), fill(0)
    for t in range(cycle):
        comes = even + part * load(arrive, t)
        here = here + comes
        goes = least(here, boost * load(work.rate, t))
        here = here - goes
        store(leave, t, goes)
        waits = waits + here
        stops = stops + least(here, comes)
        peak = most(peak, here)
    store(tally, 0, waits)
    store(tally, 1, stops)
    store(tally, 2, peak)
    store(tally, 3, room)


@inner
def queue_cost(mesh: Mesh, q: int, cycle: int, cost: Cost, tally: Floats) -> Row:
    """Return what a queue costs, in veh-s per second; d2 is HCM 7 eq. 19-26 with k = 0.5."""
    total = mesh.total[q]
    room = most(load(tally, 3) * (3600.0 / cycle), fill(1))
    x = (3600.0 * total) / room
    bend = root((x - 1.0) * (x - 1.0) + ((4.0 / HOURS) * mesh.variance[q]) * x / room)
    later = (900.0 * HOURS) * ((x - 1.0) + bend)
    beyond = most(fill(0), load(tally, 2) - mesh.storage[q])
    waits = (load(tally, 0) + cost.stop_s * load(tally, 1)) * (1.0 / cycle)
    return mesh.weight[q] * (waits + cost.spill_s * beyond + total * later)


# pipes -----------------------------------------------------------------------------------------


@inner
def fill_pipe(mesh: Mesh, p: int, cycle: int, home: int, work: Bench, out: Floats) -> None:
    """Fill `out[C, B]` with what a pipe delivers, from `work.leave` of the signal that fills it.

    Departures are smoothed and come `lag` s later, around the cycle; the value before second 0
    comes from the tail of the cycle, as far as it still matters.
    """
    clear(work.pipe, cycle)
    for e in range(mesh.edges[p], mesh.edges[p + 1]):
        part, leave = mesh.edge_share[e], work.leave[mesh.edge_queue[e] - home]
        for t in range(cycle):
            store(work.pipe, t, load(work.pipe, t) + part * load(leave, t))
    smooth = mesh.smooth[p]
    rest = np.float32(1.0) - smooth
    back = min(cycle, int(-6.0 / np.log(min(0.999, max(rest, np.float32(0.02))))) + 1)
    value = fill(mesh.mean[p])
    for t in range(cycle - back, cycle):
        value = rest * value + smooth * load(work.pipe, t)
    at = mesh.lag[p] % cycle
    for t in range(cycle):
        value = rest * value + smooth * load(work.pipe, t)
        store(out, at, value)
        at = at + 1 if at + 1 < cycle else 0


# signals ---------------------------------------------------------------------------------------


@inner
def run_step(
    mesh: Mesh, lamps: Lamps, s: int, q: int, cycle: int, arrive: Floats, work: Bench, tally: Floats
) -> None:
    """Run one queue of a signal: its rates, then its cycle."""
    home = mesh.queues[mesh.links[s]]
    alone = mesh.turn_move.shape[1] == 1 or mesh.turn_move[q, 1] < 0
    if alone and mesh.foes[q, 0, 0] < 0:
        plain_rate(mesh, lamps, s, q, cycle, work)
    else:
        mixed_rate(mesh, lamps, s, q, cycle, work)
    run_queue(mesh, q, arrive, cycle, work, work.leave[q - home], tally)


@inner
def run_signal(mesh: Mesh, lamps: Lamps, s: int, cycle: int, work: Bench, cost: Cost) -> Row:
    """Run all queues of a signal on `work.arrive`; fill `work.leave`; return their cost.

    `work.spent[q, B]` is what each queue costs.
    """
    first = mesh.links[s]
    home = mesh.queues[first]
    tally = work.tally
    for i in range(mesh.steps[s], mesh.steps[s + 1]):
        if not is_last(mesh, i, mesh.steps[s + 1]):
            for t in range(cycle):
                store(work.leave[mesh.order[i] - home], t, fill(mesh.total[mesh.order[i]]))
    total = fill(0)
    for i in range(mesh.steps[s], mesh.steps[s + 1]):
        q = mesh.order[i]
        run_step(mesh, lamps, s, q, cycle, work.arrive[mesh.link[q] - first], work, tally)
        if is_last(mesh, i, mesh.steps[s + 1]):
            own = queue_cost(mesh, q, cycle, cost, tally)
            store(work.spent, q - home, own)
            total = total + own
    return total


@inner
def is_last(mesh: Mesh, i: int, end: int) -> bool:
    """Say whether the queue of step i is not run again."""
    for j in range(i + 1, end):  # noqa: SIM110  compiled code counts no references
        if mesh.order[j] == mesh.order[i]:
            return False
    return True


@lean
def run_plans(
    mesh: Mesh, lamps: Lamps, cycle: int, sweeps: int, flow: Floats, cost: Cost, work: Bench,
    out: Floats,
) -> None:  # fmt: skip
    """Evaluate sixteen plans; fill `out[Q, B]` in veh-s per second.

    `flow[P, C, B]` is what the pipes deliver, in and out. Sweeps go through the signals forth and
    back, so that platoons travel far in few of them. With none, arrivals stay as `flow` has them.
    """
    signals = mesh.links.shape[0] - 1
    for sweep in range(max(1, sweeps)):
        for i in range(signals):
            s = i if sweep % 2 == 0 else signals - 1 - i
            first = mesh.links[s]
            for n in range(first, mesh.links[s + 1]):
                arrive = work.arrive[n - first]
                clear(arrive, cycle)
                for j in range(mesh.feeds[n], mesh.feeds[n + 1]):
                    comes = flow[mesh.feed[j]]
                    for t in range(cycle):
                        store(arrive, t, load(arrive, t) + load(comes, t))
            run_signal(mesh, lamps, s, cycle, work, cost)
            home, last = mesh.queues[first], mesh.queues[mesh.links[s + 1]]
            for q in range(home, last):
                store(out, q, load(work.spent, q - home))
            if sweeps == 0:
                continue
            for p in range(mesh.pipes[s], mesh.pipes[s + 1]):
                fill_pipe(mesh, p, cycle, home, work, flow[p])
