# SPDX-License-Identifier: Apache-2.0
"""What lamps give to queues, and links between signals: the lower half of link transmission.

See `_transmission_kernels`.
"""

from __future__ import annotations

import numpy as np

from lvbo.optimize._profile_kernels import LIT, LITTLE, yielding_rate
from lvbo.optimize._transmission_values import Desk, Floats, Shows, Tally, Tide, Web
from lvbo.optimize._wide import (
    Row,
    below,
    fill,
    inner,
    largest,
    least,
    load,
    most,
    store,
)

BLOCK = 20
"""Most seconds in one block."""
PERMITTED = 1
FOLLOW_UP_S = 2.5
"""HCM's follow-up time of permitted left turns."""


# what the lamps give ---------------------------------------------------------------------------


@inner
def since(gone: Row, i: int, cycle: Row) -> Row:
    """Return how long a window has been open i seconds later, around the cycle."""
    later = gone + i
    return below(later, cycle, later, later - cycle)


@inner
def covered(gone: Row, length: Row, cycle: Row) -> Row:
    """Return the share of the next second that a window covers which opened `gone` s ago."""
    inside = most(fill(0), least(fill(1), length - gone))
    starts = most(fill(0), least(length, gone - cycle + 1.0))
    return least(fill(1), inside + starts)


@inner
def is_dark(shows: Shows, q: int, many: int) -> bool:
    """Say whether a queue has red for all candidates throughout the block."""
    for w in range(shows.first[q], shows.first[q + 1]):
        gone, length = load(shows.gone, w), load(shows.length, w)
        open_ = most(length - gone, gone + many - load(shows.cycle, shows.clock[w]))
        if largest(least(open_, length)) > 0:
            return False
    return True


@inner
def opened(gone: Row, length: Row, cycle: Row) -> Row:
    """Return how long a window was open until `gone` s after it opened, less than two cycles."""
    return least(gone, length) + least(most(gone - cycle, fill(0)), length)


@inner
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


@inner
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


@inner
def mixed_rate(
    web: Web, shows: Shows, tide: Tide, desk: Desk, q: int, second: int, i: int, home: int
) -> Row:  # fmt: skip
    """Return the rate in second i for a queue of several turns, or one that yields."""
    going, gives, need, sneaks = fill(0), fill(0), fill(LITTLE), fill(0)
    for w in range(shows.first[q], shows.first[q + 1]):
        if shows.opens[w] > second + i or shows.shuts[w] <= second + i:
            continue
        k = shows.turn[w]
        cycle = load(shows.cycle, shows.clock[w])
        gone, length = since(load(shows.gone, w), i, cycle), load(shows.length, w)
        may = web.turn_share[q, k] * covered(gone, length, cycle)
        going = going + may
        if shows.right[w] == PERMITTED:
            foe = foe_flow(web, tide, desk, q, k, i, home)
            gives = gives + may
            need = need + may / yielding_rate(foe, web.lanes[q], web.sat[q])
            rest = length - shows.gain[w] - gone
            last = below(fill(1), rest, fill(0), load(shows.sneak, w))
            sneaks = sneaks + below(fill(0), rest, last, fill(0))
    if web.shared[q] == 1:
        return share_lane(web, tide, q, going, gives, need)
    inside = web.room[q] * web.lanes[q]
    return web.sat[q] * (going - gives) + gives * gives / need + inside * sneaks


@inner
def share_lane(web: Web, tide: Tide, q: int, going: Row, gives: Row, need: Row) -> Row:
    """Return the rate of lanes of several turns in a second, and move on what holds them up.

    As `share_lane` of the profiles.
    """
    lanes, room, at = web.lanes[q], web.room[q], 6 * q
    sat = web.sat[q] / lanes
    lit = least(fill(1), LIT * going)
    red = most(fill(0), 1.0 - going)
    had, gave = load(tide.turning, at + 1), load(tide.turning, at + 2)
    held = lit * load(tide.turning, at) * least(fill(1), red / most(had, fill(LITTLE)))
    one, two = load(tide.turning, at + 3), load(tide.turning, at + 4)
    three = load(tide.turning, at + 5)
    full = three if room > 1 else two if room > 0 else one
    change = below(gives, fill(LITTLE), below(fill(LITTLE), gave, fill(1), fill(0)), fill(0))
    one = one + change * ((1.0 - lit) * full - one)
    two = two - change * two
    three = three - change * three
    full = three if room > 1 else two if room > 0 else one
    free = lit * (1.0 - held) * (1.0 - full)
    comes = sat * gives * (1.0 - held)
    gaps = gives / (lanes * need)
    none = 1.0 - one - two - three
    to_two, to_three = fill(0), fill(0)
    if room > 1:
        to_three = comes * two - gaps * three
    if room > 0:
        to_two = comes * one - gaps * two
    to_one = comes * none - gaps * one
    store(tide.turning, at, held + sat * red * free)
    store(tide.turning, at + 1, red)
    store(tide.turning, at + 2, gives)
    store(tide.turning, at + 3, one + to_one - to_two)
    store(tide.turning, at + 4, two + to_two - to_three)
    store(tide.turning, at + 5, three + to_three)
    return (sat * lanes) * free


@inner
def rest_lane(web: Web, tide: Tide, q: int) -> None:
    """Bring lanes of several turns through a block of red: who is inside clears."""
    if web.shared[q] == 0:
        return
    room, at = web.room[q], 6 * q
    full = load(tide.turning, at + 3 + room)
    change = below(fill(LITTLE), load(tide.turning, at + 2), fill(1), fill(0))
    one = load(tide.turning, at + 3)
    store(tide.turning, at, fill(0))
    store(tide.turning, at + 1, fill(1))
    store(tide.turning, at + 2, fill(0))
    store(tide.turning, at + 3, one + change * (full - one))
    for j in range(4, 6):
        store(tide.turning, at + j, (1.0 - change) * load(tide.turning, at + j))


@inner
def advance(web: Web, shows: Shows, s: int, many: int) -> None:
    """Let the windows of a signal grow older by a block."""
    first, last = web.queues[web.links[s]], web.queues[web.links[s + 1]]
    for w in range(shows.first[first], shows.first[last]):
        cycle = load(shows.cycle, shows.clock[w])
        store(shows.gone, w, since(load(shows.gone, w), many, cycle))


# links -----------------------------------------------------------------------------------------


@inner
def open_links(
    web: Web, tide: Tide, tally: Tally, desk: Desk, second: int, many: int, block: int,
    watch: float, factor: float,
) -> None:  # fmt: skip
    """Say how many may enter each link in the block, and let in who begins there."""
    for n in range(web.queues.shape[0] - 1):
        slots = web.slots[n + 1] - web.slots[n]
        row = web.slots[n] + (second // block) % slots
        desk.slot[n] = row
        if second % block == 0:
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


@inner
def gather(web: Web, tide: Tide, tally: Tally, desk: Desk, s: int, second: int, many: int) -> None:
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
            add_out(tide, desk, n, gone)


@inner
def add_out(tide: Tide, desk: Desk, n: int, gone: Row) -> None:
    """Remember who left a link in this block."""
    row = desk.slot[n]
    store(tide.outs, row, load(tide.outs, row) + gone)


@inner
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
