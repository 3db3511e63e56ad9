# SPDX-License-Identifier: Apache-2.0
"""Link transmission of many signals in steps of 1 s, sixteen candidate plans at a time.

Links keep two counts, who entered and who left (Yperman, 2007). Who enters is at the stop line
after the free time, spread by Robertson's dispersion; nobody enters a full link, and room comes
back when the backward wave has run its length (Newell, 1993). Time is cut into blocks no longer
than any free time or wave time, so that within one block no signal feels another: each is run
through the whole block while its state stays near the processor. A signal where nothing can fill
up within the block runs queue by queue, all others second by second. These kernels take in those
of `_link_kernels`: `make` removes the compiled ones when any kernel changed.
"""

from __future__ import annotations

import numpy as np

from lvbo.optimize._link_kernels import (
    BLOCK,
    add_out,
    advance,
    deliver,
    gather,
    is_dark,
    mixed_rate,
    open_links,
    plain_rate,
    rest_lane,
)
from lvbo.optimize._profile_kernels import LITTLE
from lvbo.optimize._transmission_values import Desk, Floats, Shows, Tally, Tide, Web
from lvbo.optimize._wide import Row, fill, inner, kernel, largest, least, load, most, store

# signals ---------------------------------------------------------------------------------------


@inner
def is_tight(web: Web, tide: Tide, desk: Desk, s: int, many: int) -> bool:
    """Say whether a link after the signal or a lane before it may fill up within the block."""
    first = web.links[s]
    home = web.queues[first]
    ahead = False
    for p in range(web.pipes[s], web.pipes[s + 1]):
        ahead = ahead or desk.tight[web.into[p]] == 1
    over = fill(-1)
    for n in range(first, web.links[s + 1]):
        if web.pocket[n] == 0 and not ahead:
            continue
        comes, entry = load(desk.coming, n - first), many * load(desk.entry, n)
        for q in range(web.queues[n], web.queues[n + 1]):
            here = load(tide.here, q) + web.share[q] * comes + web.even[q] * entry
            if web.pocket[n] == 1:
                over = most(over, most(here - web.region[q], load(tide.behind, q) - LITTLE))
            if ahead:
                store(desk.want, q - home, least(here, fill(web.most[q] * many)))
    if largest(over) > 0:
        return True
    if ahead:
        for p in range(web.pipes[s], web.pipes[s + 1]):
            wish = fill(LITTLE)
            for e in range(web.edges[p], web.edges[p + 1]):
                wish = wish + web.edge_share[e] * load(desk.want, web.edge_queue[e] - home)
            over = most(over, wish - web.part[p] * load(desk.allow, web.into[p]))
        return largest(over) > 0
    return False


@inner
def run_free(
    web: Web, shows: Shows, tide: Tide, tally: Tally, desk: Desk, s: int, second: int, many: int,
    watch: float,
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
            rest_lane(web, tide, q)
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
            add_out(tide, desk, n, gone)
            away = away + web.exits[q] * gone
        store(tide.here, q, here)
        store(tide.flowing, q, goes)
        count(tally, q, watch, waits, here - before + gone, room)
    store(tally.left, s, load(tally.left, s) + away)


@inner
def count(tally: Tally, q: int, watch: float, waits: Row, came: Row, room: Row) -> None:
    """Add a block to what is counted of a queue."""
    store(tally.waits, q, load(tally.waits, q) + watch * waits)
    store(tally.came, q, load(tally.came, q) + watch * came)
    store(tally.room, q, load(tally.room, q) + watch * room)


@inner
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


@inner
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


@inner
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


@inner
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


@inner
def run_tight(
    web: Web, shows: Shows, tide: Tide, tally: Tally, desk: Desk, s: int, second: int, many: int,
    watch: float,
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
        if desk.dark[at]:
            rest_lane(web, tide, q)
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
        add_out(tide, desk, web.link[q], gone)
        away = away + web.exits[q] * gone
    store(tally.left, s, load(tally.left, s) + away)


@kernel
def transmit(
    web: Web, shows: Shows, tide: Tide, tally: Tally, desk: Desk, second: int, end: int,
    window: tuple[int, int], block: int, factor: float, strict: int, candidate: int,
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
        many = stop - now
        watch = np.float32(1.0 if window[0] <= now < window[1] else 0.0)
        open_links(web, tide, tally, desk, now, many, block, watch, factor)
        for s in range(web.links.shape[0] - 1):
            gather(web, tide, tally, desk, s, now, many)
            if strict == 1 or is_tight(web, tide, desk, s, many):
                run_tight(web, shows, tide, tally, desk, s, now, many, watch)
                slow += many
            else:
                run_free(web, shows, tide, tally, desk, s, now, many, watch)
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
