# SPDX-License-Identifier: Apache-2.0
"""What the search of the adaptive controller reads: the street, this second, what things cost.

Arrays only. L lanes, S stages, H seconds, K foes of a lane at most.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Street(NamedTuple):
    """What does not change from second to second.

    `green`, `yields`, `held` (S, L) are the shares of a lane's traffic that a stage serves with
    priority, yielding, not at all; `kind` (S, L) sums them up. `foe` (S, L, K) are the lanes a
    yielding lane gives way to, with the share of their traffic that matters in `foe_share`, filled
    up with -1. `ready_s` (S, S, L) is when a lane goes after a change, `change_s` (S, S) when all
    do. `way_s` (S, S) is the time from the end of a stage to the start of another on the quickest
    legal way. `over` (S, S, S) marks the stages that a change from the first to the second passes
    over: 1 in this round through the site's order, 2 in the next. That is allowed while nobody
    calls them whom this round has not served yet.
    `profile` (F + 1,) is the discharge of a queue in so many seconds of green, in seconds of steady
    flow.
    """

    green: F32
    yields: F32
    held: F32
    kind: I64
    foe: I64
    foe_share: F32
    legal: Flags
    place: I64  # (S,) place in the site's order, -1 outside it
    change_s: I64
    ready_s: I64
    way_s: I64
    over: I64
    recall: Flags  # (S,) never passed over
    least_s: I64
    hold_s: I64  # (S,) greens run on for so long once a change is decided
    profile: F32


class Now(NamedTuple):
    """What is seen and estimated in this second.

    `arrivals` (L, H) veh/s, `queue` (L,) veh, `flowed` (L,) for how many seconds the lane has
    discharged, `flow` (L,) saturation flow veh/s, `weight` (L,), `blocked` (L,) share of the lane
    whose exit is full, `full_s` (L,) for how long yet, `kept` (L,) share whose exit is kept for
    others, `head` (L,) 0 unknown, 1 the first one yields, 2 the first one wants another stage,
    `stuck` (S, L) the first one did not move in that stage. `due_s` (S,) is when a stage must have
    begun to keep the longest red, a large number for never; `had` (L,) who was served in this
    round; `must` (S,) what it will cost others to serve a stage that is due within sight; `barred`
    (S,) what may not begin in the next seconds, `passes` (S,) what may not follow the stage that
    runs, as it would pass over a call.
    `breaks` (S, H) says when a stage does not show what the windows of a wave ask for, `starts` (S,
    H + 1) when it may begin; `first` (S,) what may begin now, or for the stage that runs, whether
    it may stay; `lost` (S, H + 1) the fewest seconds that must be broken from then on in a stage
    past its minimum. Where windows are kept, `holds`, `soon_s` (S, L, H + 1) says by the stage that
    runs, past its minimum, how soon a lane that it does not serve can be. `riders` (L,) are those
    aboard the bus of a lane, in cars beyond its own; it has left when `ahead` (L,) vehicles have,
    and cannot be at the stop line before `comes_s` (L,).
    """

    arrivals: F32
    queue: F32
    flowed: I64
    flow: F32
    weight: F32
    blocked: F32
    full_s: I64
    kept: F32
    head: I64
    stuck: Flags
    due_s: I64
    must: F32
    had: Flags
    barred: Flags
    passes: Flags
    breaks: Flags
    starts: Flags
    first: Flags
    lost: I64
    holds: bool
    soon_s: I64
    riders: F32
    ahead: F32
    comes_s: I64
    stage: int
    age_s: int  # of the green


class Taste(NamedTuple):
    """What a stop costs, how a yielding lane flows, how far and how wide to look.

    Who is not served at the end of a plan waits for a change and then for `start_s`, until his
    queue moves. `broken` is what it costs by second that a window of a wave is not kept.

    Each change is tried every second for `fine_s`, then every `coarse_s`, beyond `middle_s` every
    `rough_s` seconds, and at any time once a stage has just had its minimum. `beam` states are kept
    at least, and `alike` of those whose stage began within the same 3 s: with fewer, the last to
    leave would drive out those that left before them, and no plan would ever get through a stage
    that is only passed through.
    """

    stop_s: float = 2.0
    join: float = 0.6
    busy_s: float = 5.0
    free_s: float = 0.8
    mixed: float = 0.4
    start_s: float = 2.0
    late: float = 100.0
    broken: float = 50.0
    fine_s: int = 12
    coarse_s: int = 3
    middle_s: int = 60
    rough_s: int = 5
    beam: int = 16
    alike: int = 3
