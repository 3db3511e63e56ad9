# SPDX-License-Identifier: Apache-2.0
"""What a link's queues cost for every second by which its platoons may be moved, sixteen at once.

These kernels take in those of `_profile_kernels` and `_descent_kernels`: `make` removes the
compiled ones when any kernel changed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lvbo.optimize._descent_kernels import as_set, own_cost
from lvbo.optimize._profile_kernels import fill_pipe, queue_cost, run_step
from lvbo.optimize._profile_values import Area, Floats
from lvbo.optimize._wide import WIDTH, Row, fill, store


@njit(cache=True, fastmath=True, error_model="numpy")
def platoons(area: Area, out: Floats) -> None:
    """Fill `out[P, C]` with what pipes deliver where all signals run as they are set, alone.

    `area.now` is that of uniform arrivals and stays so.
    """
    mesh, trial, cycle = area.mesh, area.trial, area.cycle
    signals = area.at.row.shape[0]
    for s in range(mesh.links.shape[0] - 1):
        if s < signals:
            as_set(area, s)
        store(trial.found, 0, own_cost(area, s))
        home = mesh.queues[mesh.links[s]]
        for p in range(mesh.pipes[s], mesh.pipes[s + 1]):
            fill_pipe(mesh, p, cycle, home, trial.own, trial.ahead[0])
            out[p, :] = trial.ahead[0, :cycle, 0]


@njit(cache=True, fastmath=True, error_model="numpy")
def link_cost(area: Area, n: int) -> Row:
    """Return what the queues of a link cost for the sixteen arrival profiles `next.arrive[0]`.

    Queues that yield see their foes discharge evenly.
    """
    mesh, trial, cycle = area.mesh, area.trial, area.cycle
    s = mesh.owner[n]
    home = mesh.queues[mesh.links[s]]
    total, tally = fill(0), np.empty((4, WIDTH), np.float32)
    for q in range(mesh.queues[n], mesh.queues[n + 1]):
        for k in range(mesh.foes.shape[1]):
            for f in range(mesh.foes.shape[2]):
                foe = mesh.foes[q, k, f]
                if foe >= 0 and mesh.link[foe] != n:
                    for t in range(cycle):
                        store(trial.next.leave[foe - home], t, fill(mesh.total[foe]))
        run_step(mesh, area.lamps, s, q, cycle, trial.next.arrive[0], trial.next, tally)
        total = total + queue_cost(mesh, q, cycle, area.cost, tally)
    return total


@njit(cache=True, fastmath=True, error_model="numpy")
def tabulate(area: Area, flow: Floats, step: int, table: Floats, even: Floats) -> None:
    """Fill `table[P, C]`: the cost of a pipe's link where its platoons come so many s later.

    Every `step` s is looked at, what lies between is drawn straight. All else arrives evenly;
    `even[P]` is the cost where the pipe does as well. In veh-s per s, for signals that have their
    windows set, and `flow[P, C]` of `platoons`.
    """
    mesh, trial, cycle = area.mesh, area.trial, area.cycle
    arrive = trial.next.arrive[0]
    for p in range(mesh.into.shape[0]):
        n = mesh.into[p]
        rest = 0.0
        for j in range(mesh.feeds[n], mesh.feeds[n + 1]):
            rest += mesh.mean[mesh.feed[j]]
        for t in range(cycle):
            store(arrive, t, fill(rest))
        store(trial.found, 0, link_cost(area, n))
        even[p] = trial.found[0, 0]
        rest -= mesh.mean[p]
        for first in range(0, cycle, WIDTH * step):
            for b in range(WIDTH):
                at = (first + b * step) % cycle
                for t in range(cycle):
                    arrive[at, b] = rest + flow[p, t]
                    at = at + 1 if at + 1 < cycle else 0
            store(trial.found, 0, link_cost(area, n))
            for b in range(WIDTH):
                if first + b * step < cycle:
                    table[p, first + b * step] = trial.found[0, b]
        draw_between(table[p], step)


@njit(cache=True, fastmath=True, error_model="numpy")
def draw_between(row: Floats, step: int) -> None:
    """Fill the places of `row[C]` between every `step`-th, straight, around the cycle."""
    cycle = row.shape[0]
    for first in range(0, cycle, step):
        last = min(first + step, cycle)
        begin, end = row[first], row[last % cycle]
        for t in range(first + 1, last):
            row[t] = begin + (end - begin) * np.float32((t - first) / (last - first))
