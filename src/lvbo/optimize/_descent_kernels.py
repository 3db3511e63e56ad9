# SPDX-License-Identifier: Apache-2.0
"""The search over the area model: one signal at a time takes the best of sixteen settings.

A setting is judged by the signal's own queues and by those that its platoons reach next, all else
as it stands: TRANSYT's hill climb, sixteen steps at once. These kernels take in those of
`_profile_kernels`: `make` removes the compiled ones when any kernel changed.
"""

from __future__ import annotations

import numpy as np

from lvbo.optimize._even_kernels import even_cost
from lvbo.optimize._profile_kernels import (
    clear,
    fill_pipe,
    queue_cost,
    run_signal,
    run_step,
    scratch,
)
from lvbo.optimize._profile_values import (
    Area,
    Bools,
    Floats,
    Ints,
    Mesh,
    Trial,
)
from lvbo.optimize._wide import (
    WIDTH,
    Row,
    below,
    fill,
    inner,
    kernel,
    lean,
    load,
    most,
    store,
)

WITH_NEXT, ALONE, EVEN = np.int64(0), np.int64(1), np.int64(2)
"""What a look counts: a signal's queues and those it feeds, its own, its own by formula.

Of this type they are no literals, for each of which the compiler would make kernels anew.
"""
FIXED = -2
"""Closes a window that stands as it is: it begins `late` s after the offset and lasts `past` s."""


@inner
def around(at: Row, cycle: float) -> Row:
    """Return times within -C to 3 C as times within the cycle."""
    at = below(at, fill(0), at + cycle, at)
    at = below(at, fill(cycle), at, at - cycle)
    return below(at, fill(cycle), at, at - cycle)


@lean
def set_windows(area: Area, s: int, r: int, greens: Floats, offset: Row) -> None:
    """Write the windows of a signal in order r with `greens[G, B]` and offsets into `lamps`."""
    stages, lamps, cycle = area.stages, area.lamps, area.cycle
    own = np.float32(cycle / stages.times[r])
    rows = lamps.last[s] - lamps.first[s]
    for v in range(rows):
        w = lamps.first[s] + v
        a, z = stages.opens[r, v], stages.closes[r, v]
        store(lamps.sneak, w, fill(stages.red[r, v]))
        if z == FIXED:
            begin = offset + np.float32(stages.late[r, v])
            store(lamps.begin, w, around(begin, np.float32(cycle)))
            store(lamps.length, w, fill(stages.past[r, v]))
            continue
        if a < 0 or z < 0:
            store(lamps.begin, w, fill(0))
            store(lamps.length, w, fill(0 if a < 0 else cycle))
            continue
        opens = fill(0)
        for g in range(a):
            opens = opens + load(greens, g) + stages.inter[r, g]
        g = a
        runs = load(greens, g)
        while g != z:
            runs = runs + stages.inter[r, g]
            g = g + 1 if g + 1 < stages.size[r] else 0
            runs = runs + load(greens, g)
        late = stages.late[r, v]
        length = most(fill(0), runs - late + stages.past[r, v])
        turn = stages.turn[r, v] * own
        store(lamps.begin, w, around(offset + opens + (late + turn), np.float32(cycle)))
        store(lamps.length, w, length)


@inner
def spread(single: Floats, cycle: int, out: Floats) -> None:
    """Add one profile `single[C]` to all candidates of `out[C, B]`."""
    for t in range(cycle):
        store(out, t, load(out, t) + fill(single[t]))


@lean
def own_cost(area: Area, s: int) -> Row:
    """Return what sixteen settings of a signal cost at its own queues, all else as it is."""
    mesh, lamps, now, trial = area.mesh, area.lamps, area.now, area.trial
    cost, cycle = area.cost, area.cycle
    first = mesh.links[s]
    for n in range(first, mesh.links[s + 1]):
        clear(trial.own.arrive[n - first], cycle)
        for j in range(mesh.feeds[n], mesh.feeds[n + 1]):
            spread(now.flow[mesh.feed[j]], cycle, trial.own.arrive[n - first])
    return run_signal(mesh, lamps, s, cycle, trial.own, cost)


@lean
def next_cost(area: Area, s: int) -> Row:
    """Return what the queues cost that a signal feeds, after `own_cost` of the same settings."""
    mesh, lamps, now, trial = area.mesh, area.lamps, area.now, area.trial
    cost, cycle = area.cost, area.cycle
    home, p0, p1 = mesh.queues[mesh.links[s]], mesh.pipes[s], mesh.pipes[s + 1]
    for p in range(p0, p1):
        fill_pipe(mesh, p, cycle, home, trial.own, trial.ahead[p - p0])
    total, tally = fill(0), trial.next.tally
    for p in range(p0, p1):
        n = mesh.into[p]
        other = mesh.owner[n]
        if other == s or is_before(mesh, n, p0, p):
            continue
        arrive = trial.next.arrive[0]
        clear(arrive, cycle)
        for j in range(mesh.feeds[n], mesh.feeds[n + 1]):
            feed = mesh.feed[j]
            if p0 <= feed < p1:
                for t in range(cycle):
                    store(arrive, t, load(arrive, t) + load(trial.ahead[feed - p0], t))
            else:
                spread(now.flow[feed], cycle, arrive)
        there = mesh.queues[mesh.links[other]]
        for q in range(mesh.queues[n], mesh.queues[n + 1]):
            for k in range(mesh.foes.shape[1]):
                for f in range(mesh.foes.shape[2]):
                    foe = mesh.foes[q, k, f]
                    if foe >= 0 and mesh.link[foe] != n:
                        clear(trial.next.leave[foe - there], cycle)
                        spread(now.leave[foe], cycle, trial.next.leave[foe - there])
            run_step(mesh, lamps, other, q, cycle, arrive, trial.next, tally)
            total = total + queue_cost(mesh, q, cycle, cost, tally)
    return total


@inner
def is_before(mesh: Mesh, n: int, first: int, last: int) -> bool:
    """Say whether one of the pipes from `first` to before `last` feeds link n."""
    for p in range(first, last):  # noqa: SIM110  compiled code counts no references
        if mesh.into[p] == n:
            return True
    return False


@lean
def settle(area: Area, s: int) -> None:
    """Run a signal as it is set now, and let its pipes deliver that."""
    mesh, now, trial, cycle = area.mesh, area.now, area.trial, area.cycle
    signals, spent = area.at.row.shape[0], 0.0
    for c in range(s, s + area.copies * signals, signals):
        store(trial.found, 0, own_cost(area, c))
        spent += trial.found[0, 0]
        home, p0 = mesh.queues[mesh.links[c]], mesh.pipes[c]
        for q in range(home, mesh.queues[mesh.links[c + 1]]):
            for t in range(cycle):
                now.leave[q, t] = trial.own.leave[q - home, t, 0]
        for p in range(p0, mesh.pipes[c + 1]):
            fill_pipe(mesh, p, cycle, home, trial.own, trial.ahead[p - p0])
            for t in range(cycle):
                now.flow[p, t] = trial.ahead[p - p0, t, 0]
    now.cost[s] = spent


@lean
def as_set(area: Area, s: int) -> None:
    """Write the windows of a signal as it is set, the same for all candidates."""
    stages, at, trial = area.stages, area.at, area.trial
    for g in range(stages.size[at.row[s]]):
        store(trial.greens, g, fill(at.greens[s, g]))
    set_windows(area, s, at.row[s], trial.greens, fill(at.offset[s]))


@lean
def look_at(area: Area, s: int, counted: int) -> int:
    """Return which of the sixteen windows in `lamps` costs least; fill `trial.found[0]`."""
    trial, signals = area.trial, area.at.row.shape[0]
    total = fill(0)
    if counted == EVEN:
        total = even_cost(area, s)
    else:
        for c in range(s, s + area.copies * signals, signals):
            total = total + own_cost(area, c)
            if counted == WITH_NEXT:
                total = total + next_cost(area, c)
    store(trial.found, 0, total)
    best = 0
    for b in range(1, WIDTH):
        if trial.found[0, b] < trial.found[0, best] - np.float32(1e-5):
            best = b
    return best


@lean
def move_offset(area: Area, s: int) -> bool:
    """Give a signal its best offset, first on a grid of sixteen, then second by second."""
    stages, at, trial, cycle = area.stages, area.at, area.trial, area.cycle
    before = at.offset[s]
    for look in range(2):
        early, late = at.early[s], at.late[s]
        span = min(cycle, early + late + 1)
        for b in range(WIDTH):
            if look == 0:
                shift = at.offset[s] - at.anchor[s] + early + (b * span) // WIDTH
                to = shift % span - early
            else:
                step = (b + 1) // 2 if b % 2 == 1 else -(b // 2)
                to = at.offset[s] - at.anchor[s] + step
                to = max(-early, min(late, to)) if early + late + 1 < cycle else to
            trial.offset[0, b] = (at.anchor[s] + to) % cycle
        for g in range(stages.size[at.row[s]]):
            store(trial.greens, g, fill(at.greens[s, g]))
        set_windows(area, s, at.row[s], trial.greens, load(trial.offset, 0))
        best = look_at(area, s, WITH_NEXT)
        at.offset[s] = int(trial.offset[0, best])
    return bool(at.offset[s] != before)


@lean
def move_greens(
    area: Area,
    s: int,
    size: int,
    counted: int,
) -> bool:
    """Move `size` seconds from one stage to another where that costs least; say whether it did."""
    stages, at, trial = area.stages, area.at, area.trial
    r = at.row[s]
    count = stages.size[r]
    if at.keep[s] == 1 or count < 2:
        return False
    moved, pair = False, 0
    while pair < count * count:
        for g in range(count):
            store(trial.greens, g, fill(at.greens[s, g]))
        tried = 1
        while pair < count * count and tried < WIDTH:
            a, z = pair // count, pair % count
            pair += 1
            least_a, most_z = stages.low[r, a] + size, stages.high[r, z] - size
            if a != z and at.greens[s, a] >= least_a and at.greens[s, z] <= most_z:
                trial.greens[a, tried] -= size
                trial.greens[z, tried] += size
                tried += 1
        set_windows(area, s, r, trial.greens, fill(at.offset[s]))
        best = look_at(area, s, counted)
        if best > 0 and trial.found[0, best] < trial.found[0, 0] - np.float32(1e-5):
            moved = True
            for g in range(count):
                at.greens[s, g] = int(trial.greens[g, best])
    return moved


@kernel
def move_order(area: Area, s: int, rows: Ints, greens: Ints) -> bool:
    """Give a signal another of its stage orders with `greens[R, G]` where that is better.

    Each order is judged at its own best offset.
    """
    at, trial = area.at, area.trial
    as_set(area, s)
    look_at(area, s, WITH_NEXT)
    least = trial.found[0, 0]
    row, offset, green = at.row[s], at.offset[s], at.greens[s, :].copy()
    best_row, best_offset, best_green = row, offset, green
    for i in range(rows.shape[0]):
        if rows[i] == row:
            continue
        at.row[s], at.offset[s] = rows[i], offset
        at.greens[s, :] = greens[i, :]
        move_offset(area, s)
        as_set(area, s)
        look_at(area, s, WITH_NEXT)
        if trial.found[0, 0] < np.float32(0.9995) * least:
            least = trial.found[0, 0]
            best_row, best_offset = at.row[s], at.offset[s]
            best_green = greens[i, :].copy()
    at.row[s], at.offset[s] = best_row, best_offset
    at.greens[s, :] = best_green
    as_set(area, s)
    settle(area, s)
    return bool(best_row != row)


@kernel
def move_orders(area: Area, first: Ints, rows: Ints, greens: Ints) -> int:
    """Offer each signal its other stage orders `rows[first[s]:first[s + 1]]`; return who moved."""
    moved = 0
    for s in range(area.at.row.shape[0]):
        a, z = first[s], first[s + 1]
        if area.at.keep[s] == 0 and z - a > 1:
            moved += int(move_order(area, s, rows[a:z], greens[a:z]))
    return moved


@lean
def settle_all(area: Area, sweeps: int) -> float:
    """Run all signals as they are set, forth and back; return what they cost, veh-s per second."""
    at, now = area.at, area.now
    signals = at.row.shape[0]
    for s in range(signals):
        as_set(area, s)
    for sweep in range(sweeps):
        for i in range(signals):
            s = i if sweep % 2 == 0 else signals - 1 - i
            settle(area, s)
    total = 0.0
    for s in range(signals):
        total += now.cost[s]
    return total


@kernel
def visit(
    area: Area,
    s: int,
    sizes: Ints,
) -> bool:
    """Give one signal its best offset, then greens moved by each of `sizes` s; say if it moved."""
    at = area.at
    moved = False
    if at.early[s] + at.late[s] > 0:
        moved = move_offset(area, s)
    for size in sizes:
        if move_greens(area, s, size, WITH_NEXT):
            moved = True
    as_set(area, s)
    settle(area, s)
    return moved


@kernel
def visit_due(area: Area, order: Ints, sizes: Ints, due: Bools) -> int:
    """Visit the signals in `order` that are due; return how many moved.

    Those that moved are due again, and those that they feed or that feed them.
    """
    moved = 0
    for s in order:
        if due[s]:
            due[s] = False
            if visit(area, s, sizes):
                moved += 1
                touch(area.mesh, s, due)
    return moved


@kernel
def descend(area: Area, order: Ints, rounds: int, sizes: Ints) -> int:
    """Visit the signals in `order`, round by round, until none moves; return how many did last."""
    due = np.zeros(area.at.row.shape[0], np.bool_)
    for s in order:
        due[s] = True
    moved = 0
    for _ in range(rounds):
        moved = visit_due(area, order, sizes, due)
        if moved == 0:
            break
    return moved


@kernel
def touch(mesh: Mesh, s: int, due: Bools) -> None:
    """Mark a signal and those next to it as due: what is next to it in the first copy."""
    due[s] = True
    for p in range(mesh.pipes[s], mesh.pipes[s + 1]):
        due[mesh.owner[mesh.into[p]]] = True
    for n in range(mesh.links[s], mesh.links[s + 1]):
        for j in range(mesh.feeds[n], mesh.feeds[n + 1]):
            due[source_of(mesh, mesh.feed[j])] = True


@inner
def source_of(mesh: Mesh, p: int) -> int:
    """Return the signal that fills a pipe."""
    low, high = 0, mesh.pipes.shape[0] - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if mesh.pipes[middle] <= p else (low, middle)
    return low


@kernel
def cluster(mesh: Mesh, signals: int, size: int) -> Ints:
    """Return a random connected group of up to `size` of so many signals."""
    found = np.empty(size, np.int64)
    inside = np.zeros(signals, np.bool_)
    near = np.zeros(signals, np.bool_)
    found[0] = np.random.randint(signals)  # noqa: NPY002  compiled code has no other
    count = 1
    inside[found[0]] = True
    touch(mesh, found[0], near)
    while count < size:
        edge = np.flatnonzero(near & ~inside)
        if edge.shape[0] == 0:
            break
        s = edge[np.random.randint(edge.shape[0])]  # noqa: NPY002  as above
        found[count] = s
        inside[s] = True
        touch(mesh, s, near)
        count += 1
    return found[:count]


@kernel
def seed_kicks(seed: int) -> None:
    """Seed the chance that kicks use."""
    np.random.seed(seed)  # noqa: NPY002  compiled code has no other


@kernel
def kick(area: Area, most: int, sizes: Ints) -> bool:
    """Shift a random group of signals together, improve around it; keep that if it costs less.

    What a hill climb cannot do: platoons between the signals of the group stay as they were.
    """
    mesh, at, now, cycle = area.mesh, area.at, area.now, area.cycle
    before = float(now.cost.sum())
    offset, greens = at.offset.copy(), at.greens.copy()
    flow, leave, cost = now.flow.copy(), now.leave.copy(), now.cost.copy()
    group = cluster(mesh, at.row.shape[0], 1 + np.random.randint(most))  # noqa: NPY002  compiled code
    shift = 1 + np.random.randint(cycle - 1)  # noqa: NPY002  as above
    near = np.zeros(at.row.shape[0], np.bool_)
    for s in group:
        touch(mesh, s, near)
        if at.early[s] + at.late[s] + 1 >= cycle:
            at.offset[s] = (at.offset[s] + shift) % cycle
            as_set(area, s)
    around_it = np.flatnonzero(near)
    for _ in range(2):
        for s in around_it:
            settle(area, s)
    descend(area, around_it, np.int64(4), sizes)
    for _ in range(2):
        for s in range(near.shape[0]):
            settle(area, s)
    if float(now.cost.sum()) < before - 1e-4:
        return True
    at.offset[:], at.greens[:] = offset, greens
    now.flow[:], now.leave[:], now.cost[:] = flow, leave, cost
    for s in range(near.shape[0]):
        as_set(area, s)
    return False


@kernel
def make_trial(links: int, queues: int, pipes: int, cycle: int) -> Trial:
    """Return the scratch for signals of up to so many links, queues and pipes."""
    return Trial(
        scratch(links, queues, cycle),
        scratch(1, queues, cycle),
        np.zeros((pipes, cycle, WIDTH), np.float32),
        np.zeros((32, WIDTH), np.float32),
        np.zeros((1, WIDTH), np.float32),
        np.zeros((1, WIDTH), np.float32),
    )
