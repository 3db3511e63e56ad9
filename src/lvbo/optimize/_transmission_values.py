# SPDX-License-Identifier: Apache-2.0
"""What the kernels of link transmission read and write.

Shapes: S signals, N links, Q queues, K turns of a queue, F foes of a turn, P pipes, E edges, W
windows, B = 16 candidates. Rows of scratch are `BLOCK` to a link or queue of the signal at work.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


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
    room: Ints
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
    `flowing[Q, B]` left in the last second. `turning[6 * Q, B]`, six rows a queue, is what holds
    lanes of several turns up, as in `share_lane` of the profiles: the chance that who has red
    stands at the head, the shares that had red and that yielded in the last second, the chances
    that one, two, three wait for gaps.
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
    turning: Floats


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
    """Scratch: `allow`, `entry`, `tight` and `slot` of all links, else of the signal at work.

    `dark[q]` is 1 where a queue has red throughout.
    """

    allow: Floats
    entry: Floats
    tight: Ints
    slot: Ints
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
