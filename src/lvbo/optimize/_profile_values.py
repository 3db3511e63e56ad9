# SPDX-License-Identifier: Apache-2.0
"""What the kernels of the area model read and write.

Shapes: S signals, N links, Q queues, K turns of a queue, F foes of a turn, P pipes, E edges, W
windows, R stage orders, G stages, C seconds of the common cycle, B = 16 candidates.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Mesh(NamedTuple):
    """The streets of an area as arrays; queues are sorted by link, links by signal.

    Of signal s: `links[s]` to `links[s + 1]`, and its work `steps[s]` to `steps[s + 1]` in
    `order`: queues in the order in which they are run, those that yield last. Of link n: its
    signal `owner`, `queues[n]` to `queues[n + 1]` and the pipes `feeds[n]` to `feeds[n + 1]` in
    `feed`. Of pipe p: the edges `edges[p]` to `edges[p + 1]` that fill it with `edge_share` of the
    departures of `edge_queue`; it takes `lag` s, smooths by `smooth` and carries `mean` veh/s.
    Pipes are sorted by the signal that fills them: `pipes[s]` to `pipes[s + 1]`; `into` is the
    link a pipe feeds.

    Of queue q: its `link`, `share` of its link's platoons, `base` uniform and `total` arrivals in
    veh/s, `sat` veh/s, `lanes`, `weight` of a vehicle in the cost, `variance` of arrivals over
    their mean, `storage` vehicles, `room` for so many inside the intersection who yield, by lane.
    `turn_move` is the movement of a turn by its number at the signal, -1 for none, `turn_share` its
    share of the queue, `foes` the queues it yields to, -1 for none.
    """

    links: Ints
    queues: Ints
    steps: Ints
    order: Ints
    owner: Ints
    feeds: Ints
    feed: Ints
    edges: Ints
    edge_queue: Ints
    edge_share: Floats
    lag: Ints
    smooth: Floats
    mean: Floats
    pipes: Ints
    into: Ints
    link: Ints
    share: Floats
    base: Floats
    total: Floats
    sat: Floats
    lanes: Floats
    weight: Floats
    variance: Floats
    storage: Floats
    room: Ints
    turn_move: Ints
    turn_share: Floats
    foes: Ints


class Lamps(NamedTuple):
    """What the lamps give drivers, on the area clock.

    Windows of signal s are `first[s]` to `last[s]`; each serves movement `move` with `right`
    (1 permitted, 2 protected) from `begin[W, B]` for `length[W, B]` s, start-up loss and end gain
    included. `sneak[W, B]` is 1 where a permitted window ends in red, `gain` s before its end.
    """

    first: Ints
    last: Ints
    move: Ints
    right: Ints
    begin: Floats
    length: Floats
    sneak: Floats
    gain: Floats


class Cost(NamedTuple):
    """What a vehicle-second, a stop and a vehicle beyond the storage of its queue cost.

    In veh-s: `stop_s` per stop, `spill_s` for each second that a vehicle stands beyond.
    """

    stop_s: float
    spill_s: float


class Bench(NamedTuple):
    """Scratch for one signal: `arrive[n, C, B]`, `leave[q, C, B]`, single profiles `[C, B]`.

    `spent[q, B]` is what its queues cost, `tally` belongs to the queue that is run.
    """

    arrive: Floats
    leave: Floats
    rate: Floats
    need: Floats
    going: Floats
    gives: Floats
    cover: Floats
    pipe: Floats
    spent: Floats
    tally: Floats


class Stages(NamedTuple):
    """The stage orders of each signal, and when its windows open and close in them.

    Orders of signal s are rows `first[s]` to `first[s + 1]`. Of an order: `size` stages, `times`
    how often it runs in the common cycle, `inter[R, G]`, `low`, `high` in whole s. The windows of
    signal s, as in its `Lamps`, open with stage `opens[R, V]` (-1 never) and close with
    `closes[R, V]` (-1 for always open, -2 for windows that stand as they are), in round
    `turn[R, V]` of the signal's own cycle; for drivers `late` s after its start and `past` s after
    its end; `red` is 1 where red follows.
    """

    first: Ints
    size: Ints
    times: Ints
    inter: Ints
    low: Ints
    high: Ints
    opens: Ints
    closes: Ints
    turn: Ints
    late: Floats
    past: Floats
    red: Floats


class Setting(NamedTuple):
    """How signals run: `row[S]` of `Stages`, `greens[S, G]` in s, `offset[S]` of stage 0 in s.

    Offsets stay within `early[S]` and `late[S]` s around `anchor[S]`; `keep[S]` is 1 where the
    greens stay as they are.
    """

    row: Ints
    greens: Ints
    offset: Ints
    anchor: Ints
    early: Ints
    late: Ints
    keep: Ints


class Settled(NamedTuple):
    """One plan's profiles: `flow[P, C]` and `leave[Q, C]`, and its `cost[S]` by signal."""

    flow: Floats
    leave: Floats
    cost: Floats


class Trial(NamedTuple):
    """Scratch for trying out one signal: two benches, what its pipes deliver, its windows."""

    own: Bench
    next: Bench
    ahead: Floats
    greens: Floats
    offset: Floats
    found: Floats


class Area(NamedTuple):
    """All that a search works on; `lamps` are those of the settings `at`, `now` what they give.

    A mesh may hold `copies` of all signals, one after the other, each with its own volumes: the
    same settings then serve all of them, and the cost is their sum.
    """

    mesh: Mesh
    stages: Stages
    lamps: Lamps
    at: Setting
    now: Settled
    trial: Trial
    cost: Cost
    cycle: int
    copies: int
