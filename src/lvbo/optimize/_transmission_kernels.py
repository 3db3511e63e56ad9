# SPDX-License-Identifier: Apache-2.0
"""Link transmission of many signals in steps of 1 s, sixteen candidate plans at a time.

Links keep two counts, who entered and who left (Yperman, 2007). Who enters is at the stop line after
the free time, spread by Robertson's dispersion; nobody enters a full link, and room comes back when
the backward wave has run its length (Newell, 1993). Time is cut into blocks no longer than any free
time or wave time, so that within one block no signal feels another: each is run through the whole
block while its state stays near the processor. A signal where nothing can fill up within the block
runs queue by queue, all others second by second.

Shapes: S signals, N links, Q queues, K turns of a queue, F foes of a turn, P pipes, E edges, W
windows, B = `WIDTH` candidates. Rows of scratch are `BLOCK` to a link or queue of the signal at work.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lvbo.optimize._wide import WIDTH, Row, below, fill, largest, least, load, most, store

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

BLOCK = 20
"""Most seconds in one block."""
PERMITTED = 1
SNEAKERS = 1.5
"""Yielding vehicles that clear at the end of each permitted green."""
BLOCKED = 4.0
"""How fast a lane loses its flow as the share of turns that must wait in it grows."""
CRITICAL_GAP_S, FOLLOW_UP_S = 4.5, 2.5
"""HCM's gap acceptance for permitted left turns."""
LITTLE = 1e-6


class Web(NamedTuple):
    """The streets of an area as arrays; queues are sorted by link, links by signal.

    Of signal s: `links[s]` to `links[s + 1]`, `pipes[s]` to `pipes[s + 1]` that it fills, its
    queues in the order of work in `order`. Of link n: `queues[n]` to `queues[n + 1]`, the pipes
    `feeds[n]` to `feeds[n + 1]` in `feed`; `base` veh/s begin or end up here, at most `gate` enter;
    `storage` vehicles fit; `lost` is the share of platoons that goes elsewhere; `surge` veh/s of
    pipes are the most that could come; `slots[n]` to `slots[n + 1]` keep the departures of as many
    blocks as the backward wave lasts; where `pocket` is 1 a lane is shorter than the link.

    Of pipe p: the edges `edges[p]` to `edges[p + 1]` that fill it with `edge_share` of the
    departures of `edge_queue`; `into` a link after `lag` s, smoothed by `smooth`; rows `ring[p]` to
    `ring[p + 1]` hold who is on the way; `part` is its share of the room of the link.

    Of queue q: its `link`, `share` of platoons and `even` of the base, `exits` the share of
    departures that leaves the area, `sat` veh/s, `lanes`, `region` vehicles in its lanes up to the
    entrance of the bay, `most` veh/s that leave at the most. A bay queue stands, once full, in
    `narrow` of the lanes of queue `beside`, -1 for none. `shared` is 1 where several turns mix,
    `turn_share` their shares, `foes` whom they yield to (-1 none), `late` 1 where a foe runs later.
    """

    links: Ints
    queues: Ints
    order: Ints
    feeds: Ints
    feed: Ints
    base: Floats
    gate: Floats
    storage: Floats
    lost: Floats
    surge: Floats
    slots: Ints
    pocket: Ints
    pipes: Ints
    edges: Ints
    edge_queue: Ints
    edge_share: Floats
    into: Ints
    lag: Ints
    smooth: Floats
    ring: Ints
    part: Floats
    link: Ints
    share: Floats
    even: Floats
    exits: Floats
    sat: Floats
    lanes: Floats
    region: Floats
    most: Floats
    beside: Ints
    narrow: Floats
    shared: Ints
    turn_share: Floats
    foes: Ints
    late: Ints


class Shows(NamedTuple):
    """What the lamps give to each queue, from the second at which the run starts.

    Windows of queue q are `first[q]` to `first[q + 1]`; each serves its turn `turn` with `right`
    (1 permitted, 2 protected), from second `opens` on and before `shuts`. It has been open for
    `gone[W, B]` of `length[W, B]` s, start-up loss and end gain included, in a cycle of
    `cycle[clock[w], B]` s. `sneak[W, B]` is 1 where a permitted window ends in red, `gain` s before
    its end. `plain[q]` is 1 where all turns go together and none yields.
    """

    first: Ints
    turn: Ints
    right: Ints
    opens: Ints
    shuts: Ints
    clock: Ints
    gone: Floats
    length: Floats
    sneak: Floats
    gain: Floats
    cycle: Floats
    plain: Ints


class Tide(NamedTuple):
    """Where all vehicles are: this is what a later run goes on from.

    On pipes `ring[rows, B]` and still in the smoothing `value[P, B]`; in queues `here[Q, B]` and
    held before the bay entrance `behind[Q, B]`; `outside[N, B]` of full links. Room in links is
    `taken[N, B]`; `outs[rows, B]` left in past blocks, `release[N, B]` comes free per second.
    `flowing[Q, B]` left in the last second.
    """

    ring: Floats
    value: Floats
    here: Floats
    behind: Floats
    outside: Floats
    taken: Floats
    outs: Floats
    release: Floats
    flowing: Floats


class Tally(NamedTuple):
    """What is counted.

    In the window: waiting `waits[Q, B]` and outside `kept[N, B]` in veh-s, arrivals `came[Q, B]`,
    departures that the lamps would allow `room[Q, B]`. In all: `entered[N, B]`, `left[S, B]`,
    most room ever taken `peak[N, B]`.
    """

    waits: Floats
    kept: Floats
    came: Floats
    room: Floats
    entered: Floats
    left: Floats
    peak: Floats


class Desk(NamedTuple):
    """Scratch: `allow`, `entry` and `tight` of all links, the rest for the signal at work.

    `dark[q]` is 1 where a queue has red throughout.
    """

    allow: Floats
    entry: Floats
    tight: Ints
    dark: Ints
    arrive: Floats
    coming: Floats
    rate: Floats
    leave: Floats
    send: Floats
    held: Floats
    want: Floats
    free: Floats
    avail: Floats
    wish: Floats
    gone: Floats
    stood: Floats
    before: Floats
    flow: Floats


# what the lamps give ---------------------------------------------------------------------------


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def since(gone: Row, i: int, cycle: Row) -> Row:
    """Return how long a window has been open i seconds later, around the cycle."""
    later = gone + i
    return below(later, cycle, later, later - cycle)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def covered(gone: Row, length: Row, cycle: Row) -> Row:
    """Return the share of the next second that a window covers which opened `gone` s ago."""
    inside = most(fill(0), least(fill(1), length - gone))
    starts = most(fill(0), least(length, gone - cycle + 1.0))
    return least(fill(1), inside + starts)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def is_dark(shows: Shows, q: int, many: int) -> bool:
    """Say whether a queue has red for all candidates throughout the block."""
    for w in range(shows.first[q], shows.first[q + 1]):
        gone, length = load(shows.gone, w), load(shows.length, w)
        open_ = most(length - gone, gone + many - load(shows.cycle, shows.clock[w]))
        if largest(least(open_, length)) > 0:
            return False
    return True


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def opened(gone: Row, length: Row, cycle: Row) -> Row:
    """Return how long a window was open until `gone` s after it opened, less than two cycles."""
    return least(gone, length) + least(most(gone - cycle, fill(0)), length)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def plain_rate(
    web: Web, shows: Shows, q: int, second: int, many: int, at: int, rate: Floats
) -> None:
    """Fill `many` rows of `rate` from row `at` for a queue whose turns go together."""
    lit = False
    for w in range(shows.first[q], shows.first[q + 1]):
        first, last = max(0, shows.opens[w] - second), min(many, shows.shuts[w] - second)
        if first >= last:
            continue
        speed = web.sat[q]
        if shows.right[w] == PERMITTED:
            speed = min(speed, np.float32(web.lanes[q] / FOLLOW_UP_S))
        length, cycle = load(shows.length, w), load(shows.cycle, shows.clock[w])
        gone = load(shows.gone, w) + first
        before = opened(gone, length, cycle)
        if not lit and last - first < many:
            for i in range(many):
                store(rate, at + i, fill(0))
        whole = not lit and last - first == many
        lit = True
        for i in range(first, last):
            gone = gone + 1.0
            now = opened(gone, length, cycle)
            more = speed * (now - before)
            before = now
            if not whole:
                more = more + load(rate, at + i)
            store(rate, at + i, more)
    if not lit:
        for i in range(many):
            store(rate, at + i, fill(0))


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
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


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def foe_flow(web: Web, tide: Tide, desk: Desk, q: int, k: int, i: int, home: int) -> Row:
    """Return in veh/s whom a turn yields to in second i of the block."""
    flow = fill(0)
    for f in range(web.foes.shape[2]):
        foe = web.foes[q, k, f]
        if foe >= 0:
            if web.late[q, k, f] == 1:
                flow = flow + load(tide.flowing, foe)
            else:
                flow = flow + load(desk.leave, (foe - home) * BLOCK + i)
    return flow


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def mixed_rate(
    web: Web, shows: Shows, tide: Tide, desk: Desk, q: int, second: int, i: int, home: int
) -> Row:  # fmt: skip
    """Return the rate in second i for a queue of several turns, or one that yields.

    Turns share the lane in the order in which they come: the time that an average vehicle needs
    is that of the turns that may go; turns that must wait hold the lane up.
    """
    going, need, sneaks = fill(0), fill(LITTLE), fill(0)
    for w in range(shows.first[q], shows.first[q + 1]):
        if shows.opens[w] > second + i or shows.shuts[w] <= second + i:
            continue
        k = shows.turn[w]
        part = web.turn_share[q, k]
        cycle = load(shows.cycle, shows.clock[w])
        gone, length = since(load(shows.gone, w), i, cycle), load(shows.length, w)
        may = part * covered(gone, length, cycle)
        going = going + may
        if shows.right[w] == PERMITTED:
            foe = foe_flow(web, tide, desk, q, k, i, home)
            need = need + may / yielding_rate(foe, web.lanes[q], web.sat[q])
            ends = (SNEAKERS * part * web.lanes[q]) * load(shows.sneak, w)
            rest = length - shows.gain[w] - gone
            last = below(fill(1), rest, fill(0), ends)
            sneaks = sneaks + below(fill(0), rest, last, fill(0))
        else:
            need = need + may * (np.float32(1.0) / web.sat[q])
    kept = fill(1)
    if web.shared[q] == 1:
        kept = most(fill(0), 1.0 - BLOCKED * (1.0 - going))
    return kept * going * going / need + sneaks


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def advance(web: Web, shows: Shows, s: int, many: int) -> None:
    """Let the windows of a signal grow older by a block."""
    first, last = web.queues[web.links[s]], web.queues[web.links[s + 1]]
    for w in range(shows.first[first], shows.first[last]):
        cycle = load(shows.cycle, shows.clock[w])
        store(shows.gone, w, since(load(shows.gone, w), many, cycle))


# links -----------------------------------------------------------------------------------------


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def open_links(
    web: Web, tide: Tide, tally: Tally, desk: Desk, second: int, many: int, block: int,
    watch: float, factor: float,
) -> None:  # fmt: skip
    """Say how many may enter each link in the block, and let in who begins there."""
    for n in range(web.queues.shape[0] - 1):
        if second % block == 0:
            slots = web.slots[n + 1] - web.slots[n]
            row = web.slots[n] + (second // block) % slots
            store(tide.release, n, load(tide.outs, row) * (1.0 / block))
            store(tide.outs, row, fill(0))
        taken, waiting = load(tide.taken, n), load(tide.outside, n)
        room = most(fill(0), web.storage[n] - taken)
        comes = waiting + web.base[n] * factor * many
        enters = least(comes, least(room, fill(web.gate[n] * many)))
        stays = comes - enters
        store(tide.outside, n, stays)
        store(tally.kept, n, load(tally.kept, n) + (0.5 * watch * many) * (waiting + stays))
        store(tally.entered, n, load(tally.entered, n) + enters)
        store(tally.peak, n, most(load(tally.peak, n), taken + enters))
        store(desk.entry, n, enters * (1.0 / many))
        store(desk.allow, n, room - enters)
        store(tide.taken, n, taken + enters - many * load(tide.release, n))
        desk.tight[n] = largest(web.surge[n] * many + enters - room) > 0


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def is_tight(web: Web, tide: Tide, desk: Desk, s: int, many: int) -> bool:
    """Say whether a link after the signal or a lane before it may fill up within the block."""
    first = web.links[s]
    home = web.queues[first]
    for n in range(first, web.links[s + 1]):
        comes, entry = load(desk.coming, n - first), many * load(desk.entry, n)
        for q in range(web.queues[n], web.queues[n + 1]):
            here = load(tide.here, q) + web.share[q] * comes + web.even[q] * entry
            if web.pocket[n] == 1:
                behind = load(tide.behind, q) - LITTLE
                if largest(most(here - web.region[q], behind)) > 0:
                    return True
            store(desk.want, q - home, least(here, fill(web.most[q] * many)))
    for p in range(web.pipes[s], web.pipes[s + 1]):
        if desk.tight[web.into[p]]:
            wish = fill(LITTLE)
            for e in range(web.edges[p], web.edges[p + 1]):
                wish = wish + web.edge_share[e] * load(desk.want, web.edge_queue[e] - home)
            if largest(wish - web.part[p] * load(desk.allow, web.into[p])) > 0:
                return True
    return False


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def gather(
    web: Web, tide: Tide, tally: Tally, desk: Desk, s: int, second: int, many: int, slot: int
) -> None:
    """Fill `desk.arrive` with the platoons that reach each stop line of a signal."""
    first = web.links[s]
    for n in range(first, web.links[s + 1]):
        at, sum_ = (n - first) * BLOCK, fill(0)
        if web.feeds[n] == web.feeds[n + 1]:
            for i in range(many):
                store(desk.arrive, at + i, fill(0))
        for j in range(web.feeds[n], web.feeds[n + 1]):
            p = web.feed[j]
            size = web.ring[p + 1] - web.ring[p]
            row = web.ring[p] + second % size
            turn = min(many, web.ring[p + 1] - row)
            for half in range(2):
                low, high = half * turn, turn + half * (many - turn)
                row -= half * size
                if j == web.feeds[n]:
                    for i in range(low, high):
                        comes = load(tide.ring, row + i)
                        sum_ = sum_ + comes
                        store(desk.arrive, at + i, comes)
                else:
                    for i in range(low, high):
                        comes = load(tide.ring, row + i)
                        sum_ = sum_ + comes
                        store(desk.arrive, at + i, comes + load(desk.arrive, at + i))
        store(desk.coming, n - first, sum_)
        if web.lost[n] > 0:
            gone = web.lost[n] * sum_
            store(tally.left, s, load(tally.left, s) + gone)
            add_out(web, tide, n, slot, gone)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def add_out(web: Web, tide: Tide, n: int, slot: int, gone: Row) -> None:
    """Remember who left a link in this block."""
    row = web.slots[n] + slot % (web.slots[n + 1] - web.slots[n])
    store(tide.outs, row, load(tide.outs, row) + gone)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def deliver(web: Web, tide: Tide, desk: Desk, p: int, second: int, many: int, home: int) -> None:
    """Send the departures of a block on their way through a pipe."""
    lit, sum_ = 0, fill(0)
    for e in range(web.edges[p], web.edges[p + 1]):
        q = web.edge_queue[e] - home
        if desk.dark[q]:
            continue
        part, row = web.edge_share[e], q * BLOCK
        if lit == 0:
            for i in range(many):
                store(desk.flow, i, part * load(desk.leave, row + i))
        else:
            for i in range(many):
                store(desk.flow, i, load(desk.flow, i) + part * load(desk.leave, row + i))
        lit += 1
    if lit == 0:
        for i in range(many):
            store(desk.flow, i, fill(0))
    size = web.ring[p + 1] - web.ring[p]
    row = web.ring[p] + (second + web.lag[p]) % size
    turn = min(many, web.ring[p + 1] - row)
    smooth = web.smooth[p]
    rest = np.float32(1.0) - smooth
    value = load(tide.value, p)
    for half in range(2):
        row -= half * size
        for i in range(half * turn, turn + half * (many - turn)):
            flow = load(desk.flow, i)
            sum_ = sum_ + flow
            value = rest * value + smooth * flow
            store(tide.ring, row + i, value)
    store(tide.value, p, value)
    store(tide.taken, web.into[p], load(tide.taken, web.into[p]) + sum_)


# signals ---------------------------------------------------------------------------------------


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def run_free(
    web: Web, shows: Shows, tide: Tide, tally: Tally, desk: Desk, s: int, second: int, many: int,
    slot: int, watch: float,
) -> None:  # fmt: skip
    """Run a signal through a block, queue by queue: nothing holds anybody but the lamps."""
    first = web.links[s]
    home = web.queues[first]
    away = fill(0)
    for j in range(home, web.queues[web.links[s + 1]]):
        q = web.order[j]
        n, at = web.link[q], (q - home) * BLOCK
        row = (n - first) * BLOCK
        part, even = web.share[q], web.even[q] * load(desk.entry, n)
        before = load(tide.here, q)
        here, goes = before, fill(0)
        waits, room, gone = fill(0), fill(0), fill(0)
        desk.dark[q - home] = is_dark(shows, q, many)
        if desk.dark[q - home]:
            for i in range(many):
                here = here + (even + part * load(desk.arrive, row + i))
                waits = waits + here
                store(desk.leave, at + i, goes)
        else:
            if shows.plain[q] == 1:
                plain_rate(web, shows, q, second, many, at, desk.rate)
            else:
                for i in range(many):
                    now = mixed_rate(web, shows, tide, desk, q, second, i, home)
                    store(desk.rate, at + i, now)
            for i in range(many):
                rate = load(desk.rate, at + i)
                here = here + (even + part * load(desk.arrive, row + i))
                goes = least(here, rate)
                here = here - goes
                store(desk.leave, at + i, goes)
                waits = waits + here
                room = room + rate
                gone = gone + goes
            add_out(web, tide, n, slot, gone)
            away = away + web.exits[q] * gone
        store(tide.here, q, here)
        store(tide.flowing, q, goes)
        count(tally, q, watch, waits, here - before + gone, room)
    store(tally.left, s, load(tally.left, s) + away)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def count(tally: Tally, q: int, watch: float, waits: Row, came: Row, room: Row) -> None:
    """Add a block to what is counted of a queue."""
    store(tally.waits, q, load(tally.waits, q) + watch * waits)
    store(tally.came, q, load(tally.came, q) + watch * came)
    store(tally.room, q, load(tally.room, q) + watch * room)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def enter(web: Web, tide: Tide, desk: Desk, n: int, row: int, home: int) -> None:
    """Let arrivals of one second into the queues of a link: everybody has room in the own lanes."""
    comes, entry = load(desk.arrive, row), load(desk.entry, n)
    first, last = web.queues[n], web.queues[n + 1]
    over = fill(-1)
    for q in range(first, last):
        here, more = load(tide.here, q), web.share[q] * comes + web.even[q] * entry
        if web.pocket[n] == 0:
            store(tide.here, q, here + more)
        else:
            want = load(tide.behind, q) + more
            free = least(want, most(fill(0), web.region[q] - here))
            store(desk.want, q - home, want)
            store(desk.free, q - home, free)
            over = most(over, want - free)
    if web.pocket[n] == 0:
        return
    if largest(over) > 0:
        pass_by(web, desk, first, last, home)
    for q in range(first, last):
        free = load(desk.free, q - home)
        store(tide.here, q, load(tide.here, q) + free)
        store(tide.behind, q, load(desk.want, q - home) - free)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def pass_by(web: Web, desk: Desk, first: int, last: int, home: int) -> None:
    """Reduce `desk.free`, who has room, to those who get past others without.

    A bay whose entrance the queue beside it closes is entered only as that queue moves up. A full
    bay closes some of the lanes beside it: those who go on use the others, and the closed ones as
    the bay moves up.
    """
    for q in range(first, last):
        store(desk.held, q - home, load(desk.free, q - home))
    for q in range(first, last):
        want, free = load(desk.want, q - home), load(desk.held, q - home)
        comes_in = free
        for j in range(first, last):
            if web.beside[q] != j and web.beside[j] != q:
                continue
            theirs, pass_ = load(desk.want, j - home), load(desk.held, j - home)
            may = want * pass_ / most(theirs, fill(LITTLE))
            if web.beside[j] == q:
                shut = web.narrow[j]
                may = (np.float32(1.0) - shut) * web.sat[q] + shut * may
            stands = least(fill(1), theirs - pass_)
            comes_in = least(comes_in, free - stands * most(fill(0), free - may))
        store(desk.free, q - home, comes_in)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def hold(web: Web, tide: Tide, desk: Desk, s: int, home: int, i: int) -> None:
    """Let out of the queues of a signal in second i whom the links after it can take.

    All turns of a queue wait for the fullest of their ways. What is sent is taken from the room
    after the signal, what comes free there is added.
    """
    full = fill(-1)
    for p in range(web.pipes[s], web.pipes[s + 1]):
        wish = fill(LITTLE)
        for e in range(web.edges[p], web.edges[p + 1]):
            wish = wish + web.edge_share[e] * load(desk.send, web.edge_queue[e] - home)
        store(desk.wish, p - web.pipes[s], wish)
        full = most(full, wish - load(desk.avail, p - web.pipes[s]))
    if largest(full) > 0:
        hold_back(web, desk, s, home)
    for p in range(web.pipes[s], web.pipes[s + 1]):
        room = load(desk.avail, p - web.pipes[s]) - load(desk.wish, p - web.pipes[s])
        room = most(fill(0), room) + web.part[p] * load(tide.release, web.into[p])
        store(desk.avail, p - web.pipes[s], room)
    for q in range(home, web.queues[web.links[s + 1]]):
        goes = load(desk.send, q - home)
        here = load(tide.here, q) - goes
        store(tide.here, q, here)
        store(desk.leave, (q - home) * BLOCK + i, goes)
        store(tide.flowing, q, goes)
        store(desk.gone, q - home, load(desk.gone, q - home) + goes)
        store(desk.stood, q - home, load(desk.stood, q - home) + here + load(tide.behind, q))


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def hold_back(web: Web, desk: Desk, s: int, home: int) -> None:
    """Reduce `desk.send` and `desk.wish` to what full links can take."""
    for q in range(home, web.queues[web.links[s + 1]]):
        store(desk.held, q - home, fill(1))
    for p in range(web.pipes[s], web.pipes[s + 1]):
        share = load(desk.avail, p - web.pipes[s]) / load(desk.wish, p - web.pipes[s])
        for e in range(web.edges[p], web.edges[p + 1]):
            q = web.edge_queue[e] - home
            store(desk.held, q, least(load(desk.held, q), share))
    for q in range(home, web.queues[web.links[s + 1]]):
        store(desk.send, q - home, load(desk.send, q - home) * load(desk.held, q - home))
    for p in range(web.pipes[s], web.pipes[s + 1]):
        wish = fill(0)
        for e in range(web.edges[p], web.edges[p + 1]):
            wish = wish + web.edge_share[e] * load(desk.send, web.edge_queue[e] - home)
        store(desk.wish, p - web.pipes[s], wish)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True, _nrt=False)
def run_tight(
    web: Web, shows: Shows, tide: Tide, tally: Tally, desk: Desk, s: int, second: int, many: int,
    slot: int, watch: float,
) -> None:  # fmt: skip
    """Run a signal through a block, second by second: queues, bays and links may be full."""
    first = web.links[s]
    home, end = web.queues[first], web.queues[web.links[s + 1]]
    for q in range(home, end):
        at = q - home
        store(desk.gone, at, fill(0))
        store(desk.stood, at, fill(0))
        store(desk.before, at, load(tide.here, q) + load(tide.behind, q))
        desk.dark[at] = is_dark(shows, q, many)
        if shows.plain[q] == 1 or desk.dark[at]:
            plain_rate(web, shows, q, second, many, at * BLOCK, desk.rate)
    for p in range(web.pipes[s], web.pipes[s + 1]):
        allow = load(desk.allow, web.into[p]) + load(tide.release, web.into[p])
        store(desk.avail, p - web.pipes[s], web.part[p] * allow)
    for i in range(many):
        for n in range(first, web.links[s + 1]):
            enter(web, tide, desk, n, (n - first) * BLOCK + i, home)
        for j in range(home, end):
            q = web.order[j]
            at = (q - home) * BLOCK + i
            if shows.plain[q] == 0 and not desk.dark[q - home]:
                store(desk.rate, at, mixed_rate(web, shows, tide, desk, q, second, i, home))
            send = least(load(tide.here, q), load(desk.rate, at))
            store(desk.send, q - home, send)
            store(desk.leave, at, send)
        hold(web, tide, desk, s, home, i)
    away = fill(0)
    for q in range(home, end):
        at = q - home
        room, gone = fill(0), load(desk.gone, at)
        for i in range(many):
            room = room + load(desk.rate, at * BLOCK + i)
        came = load(tide.here, q) + load(tide.behind, q) - load(desk.before, at) + gone
        count(tally, q, watch, load(desk.stood, at), came, room)
        add_out(web, tide, web.link[q], slot, gone)
        away = away + web.exits[q] * gone
    store(tally.left, s, load(tally.left, s) + away)


@njit(cache=True, fastmath=True, error_model="numpy")
def transmit(
    web: Web, shows: Shows, tide: Tide, tally: Tally, desk: Desk, second: int, end: int,
    window: tuple[int, int], block: int, factor: float, strict: bool, candidate: int,
    series: Floats,
) -> int:  # fmt: skip
    """Run sixteen plans from `second` to `end`; return how many seconds ran second by second.

    `block` is at most `BLOCK` and any free or wave time. `window` is when delay counts. `strict`
    runs all signals second by second. `series[rows, 1 + Q]` gets, as far as it has rows, the end of
    each block and the queues of one candidate.
    """
    now, row, slow = second, 0, 0
    while now < end:
        stop = min(end, (now // block + 1) * block)
        for edge in window:
            if now < edge < stop:
                stop = edge
        many, slot = stop - now, now // block
        watch = np.float32(1.0 if window[0] <= now < window[1] else 0.0)
        open_links(web, tide, tally, desk, now, many, block, watch, factor)
        for s in range(web.links.shape[0] - 1):
            gather(web, tide, tally, desk, s, now, many, slot)
            if strict or is_tight(web, tide, desk, s, many):
                run_tight(web, shows, tide, tally, desk, s, now, many, slot, watch)
                slow += many
            else:
                run_free(web, shows, tide, tally, desk, s, now, many, slot, watch)
            home = web.queues[web.links[s]]
            for p in range(web.pipes[s], web.pipes[s + 1]):
                deliver(web, tide, desk, p, now, many, home)
            advance(web, shows, s, many)
        if row < series.shape[0]:
            series[row, 0] = stop
            for q in range(web.link.shape[0]):
                series[row, 1 + q] = tide.here[q, candidate] + tide.behind[q, candidate]
            row += 1
        now = stop
    return slow
