# SPDX-License-Identifier: Apache-2.0
"""What a signal costs where all arrives evenly, by formula: a first look at its greens.

These kernels take in those of `_profile_kernels`: `make` removes the compiled ones when any kernel
changed.
"""

from __future__ import annotations

import numpy as np

from lvbo.optimize._profile_kernels import FULL, PERMITTED, queue_cost, yielding_rate
from lvbo.optimize._profile_values import Area, Floats
from lvbo.optimize._wide import Row, fill, inner, lean, least, load, most, store

LITTLE = 1e-6


@inner
def even_room(area: Area, c: int, q: int) -> Row:
    """Return how many vehicles may leave queue q of signal c in a cycle.

    Turns share the lane in the order in which they come: it moves as long as the turn that has the
    least green, and an average vehicle needs the time that those of its turns do. Whoever is
    yielded to comes while the one who yields has green.
    """
    mesh, lamps, cycle = area.mesh, area.lamps, area.cycle
    green, need = fill(cycle), fill(LITTLE)
    for k in range(mesh.turn_move.shape[1]):
        part = mesh.turn_share[q, k]
        if mesh.turn_move[q, k] < 0 or part <= 0:
            continue
        against = np.float32(0)
        for f in range(mesh.foes.shape[2]):
            if mesh.foes[q, k, f] >= 0:
                against += mesh.total[mesh.foes[q, k, f]]
        lit, goes = fill(0), fill(LITTLE)
        for w in range(lamps.first[c], lamps.last[c]):
            if lamps.move[w] == mesh.turn_move[q, k]:
                length, pace = load(lamps.length, w), fill(mesh.sat[q])
                if lamps.right[w] == PERMITTED:
                    foe = fill(float(against * cycle)) / most(length, fill(1))
                    pace = yielding_rate(foe, mesh.lanes[q], mesh.sat[q])
                lit, goes = lit + length, goes + length * pace
        green, need = least(green, lit), need + part * lit / goes
    return green / need


@inner
def reds(area: Area, s: int, c: int, q: int) -> int:
    """Return how often a queue has red in a cycle: the most windows of a turn, at least 1."""
    mesh, lamps, found = area.mesh, area.lamps, 1
    for k in range(mesh.turn_move.shape[1]):
        own = 0
        for w in range(lamps.first[c], lamps.last[c]):
            if area.stages.opens[area.at.row[s], w - lamps.first[c]] >= 0:
                own += int(lamps.move[w] == mesh.turn_move[q, k])
        found = max(found, own)
    return found


@inner
def even_tally(area: Area, s: int, c: int, q: int, tally: Floats) -> None:
    """Fill `tally[4, B]` as a run of the queue would, reds being alike: a triangle for each.

    Arrivals over the capacity are let go at a higher rate, as in a run.
    """
    mesh, cycle = area.mesh, area.cycle
    total, many = mesh.total[q], np.float32(reds(area, s, c, q))
    room = even_room(area, c, q)
    red = most(fill(0), cycle - room / mesh.sat[q]) / many
    boost = most(fill(1), (total * cycle) / most(FULL * room, fill(0.02)))
    share = most(fill(0.02), 1.0 - (total / mesh.sat[q]) / boost)
    store(tally, 0, (np.float32(0.5) * many * total) * red * red / share)
    store(tally, 1, least(fill(total * cycle), (many * total) * red / share))
    store(tally, 2, total * red)
    store(tally, 3, room)


@lean
def even_cost(area: Area, s: int) -> Row:
    """Return what sixteen settings of a signal cost at its own queues by formula, veh-s per s."""
    mesh, tally = area.mesh, area.trial.own.tally
    signals, total = area.at.row.shape[0], fill(0)
    for c in range(s, s + area.copies * signals, signals):
        for q in range(mesh.queues[mesh.links[c]], mesh.queues[mesh.links[c + 1]]):
            even_tally(area, s, c, q, tally)
            total = total + queue_cost(mesh, q, area.cycle, area.cost, tally)
    return total
