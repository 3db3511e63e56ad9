# SPDX-License-Identifier: Apache-2.0
"""What a controller sees and wishes, what the gate answers, what a street must be able to do.

```
Street.observe() -> Observation -> Controller.decide() -> Wish -> gate -> Verdict -> Street.show()
```

A simulated street and a real one meet here, so that the same controller and the same gate drive
both. Arrays are by the order of the site: phases as in its rules, lanes, zones and movements as in
`lvbo.control.site.Site`. All times are whole seconds of the area clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId, PhaseId
from lvbo.signal.plan import Plan

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Arrivals = NDArray[np.float32]


class Capability(StrEnum):
    """What the equipment of a site accepts from outside."""

    PLAN = "plan"
    CYCLE = "cycle"
    STAGE = "stage"


class Order(StrEnum):
    """Which stage may come next: any legal one, the site's order with skips, the site's order."""

    ANY = "any"
    SKIP = "skip"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vehicles:
    """Road users in range of area sensing, one entry each; all arrays have shape (vehicles,).

    `zone` is the stretch of lane the vehicle is on (an index into the zones of the site; a stretch
    upstream of a fan leads to several stop-line lanes), `distance_m` that to the stop line,
    `wait_s` the time it has stood, `persons` who is aboard. A street that knows a bus to be late
    counts those aboard more than once. Beside loops, vehicles are buses that report themselves.
    """

    key: Ints
    zone: Ints
    distance_m: Floats
    speed_mps: Floats
    wait_s: Floats
    persons: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loops:
    """What point detectors saw in the second before; all arrays have shape (detectors,).

    `lane` is a stop-line lane of the site, `distance_m` that from the stop line to the detector,
    `passed` the vehicles that left it, `occupied` the share of the second it was covered. Upstream
    of a fan a detector belongs to several lanes: `share` is what part of those on it is taken to
    come to this one, `passed` is that part.
    """

    lane: Ints
    distance_m: Floats
    share: Floats
    passed: Floats
    occupied: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossings:
    """Vehicles that left a stop line and were seen to turn, one entry each, shape (vehicles,).

    `lane` is the stop-line lane they came from, `movement` what they made.
    """

    lane: Ints
    movement: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaneState:
    """The lanes of a site as they are now; all but `arrivals` have shape (lanes,).

    `queue` vehicles that stand, `arrivals` (lanes, seconds) those who would reach the stop line in
    that second if nothing stood there, `present` those known to be on the lane, standing or coming,
    `near` the same weighted by nearness to the stop line, 1 - d / 200 m. `wait_s` is how long the
    first one has stood, `left` who left in the second before, `rate_vps` the mean of arrivals,
    `gap_s` for how long nobody was at the stop line or close to it. `head` is a number that is
    another one for another first vehicle (-1 nobody), `stands` says whether it stands at the line.
    `load` is the mean number of persons in a vehicle over that in a car, `endless` says where
    nobody sees how far a queue reaches.
    """

    queue: Floats
    arrivals: Arrivals
    present: Floats
    near: Floats
    wait_s: Floats
    left: Floats
    rate_vps: Floats
    gap_s: Floats
    head: Ints
    stands: Bools
    load: Floats
    endless: Bools


EARLY_S = 6
"""A coordinated green starts at most so long before its start in the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandWindow:
    """A band passes: from `start_ds` of the area clock on one of the phases is green.

    The start is modulo the cycle; a length of the cycle or more is cut to the cycle.
    """

    phases: tuple[PhaseId, ...]
    start_ds: int
    length_ds: int
    cycle_ds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordination:
    """What keeps a signal in a wave: the plan it belongs to, its windows, how early it may start.

    `early_s` bounds how long before its start in the plan a coordinated green may begin, so that
    spare green does not send platoons off too soon. A wave that does not hold is not kept, only
    priced.
    """

    plan: Plan
    windows: tuple[BandWindow, ...]
    early_s: int = EARLY_S
    holds: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """All that is seen of one controller and its approaches at one second.

    `lamps` and `since_s` (phases,) are what each phase shows and for how long; `seen_s` is when
    the lamps were read: an old one is stale. `sampled` says that `vehicles` are only those that
    report. `crossed` are those that area sensing or reports saw
    leave in the second before. `working` (lanes,) says which lanes have a detector that can be
    believed. `blocked` (movements,) says where the exit is known to be full. `calls` (phases,) are
    demands of people on foot: buttons, or recall. `lanes` is what was made of all this, where it
    was made once for all. `keep` is what the site shall keep of a green wave now. `pair` is what is
    seen of both signals of a pair, this one among them, where two are led as one.
    """

    controller: ControllerId
    time_s: int
    seen_s: int
    lamps: Ints
    since_s: Ints
    vehicles: Vehicles | None = None
    loops: Loops | None = None
    crossed: Crossings | None = None
    sampled: bool = False
    lanes: LaneState | None = None
    keep: Coordination | None = None
    pair: tuple[Observation, Observation] | None = None
    working: Bools
    blocked: Bools
    calls: Bools
    capability: Capability = Capability.STAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: a code of the tables of text with its fields."""

    code: str
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wish:
    """What a controller wants lit from this second on.

    `greens` (phases,) are the phases that shall go: those that go and are left out shall end, those
    that stand and are listed shall start as soon as they may. `stage` names the stage they belong
    to, an index into the stages of the site, or -1. A plan that writes a longer yellow than the
    rules ask, or a red-amber, says so by phase: `yellow_s` is the yellow of greens that end now,
    `preparing` the phases that show red-amber now. `release` hands the site to local control.
    `price_vehs` is what keeping the windows of a wave costs the site by second, where it was looked
    at, in vehicle-seconds.
    """

    greens: Bools
    stage: int = -1
    yellow_s: Ints | None = None
    preparing: Bools | None = None
    release: bool = False
    reason: Reason | None = None
    price_vehs: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A part of a wish that the gate did not grant, and why."""

    code: str
    phases: tuple[PhaseId, ...]
    wait_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """What the street is told to show from this second on; `lamps` None sends nothing.

    `forced` says that the gate served a phase that had waited too long instead of the wish;
    `released` that it handed the site to local control, with the alarm in `refusals`.
    """

    lamps: Ints | None
    refusals: tuple[Refusal, ...] = ()
    forced: PhaseId | None = None

    @property
    def released(self) -> bool:
        """Say whether nothing is sent, so that local control takes over."""
        return self.lamps is None


class Controller(Protocol):
    """Decide for one site, once a second. State is kept inside; `decide` must not raise."""

    def decide(self, seen: Observation) -> Wish:
        """Return what shall be lit from now on."""
        ...


@runtime_checkable
class Learner(Controller, Protocol):
    """A controller that learns: it is made at once and watches while another one decides."""

    @property
    def late_s(self) -> int:
        """Return how much later than at once commands take effect, as learned, s."""
        ...

    def hurry(self) -> None:
        """Forget how late commands were."""
        ...

    def watch(self, seen: Observation) -> None:
        """Take in a second in which somebody else decides."""
        ...


class Street(Protocol):
    """A street, simulated or real: say what is seen, show what the gate allows, move on."""

    def observe(self) -> Sequence[Observation]:
        """Return what is seen now, one observation per controller, in the order of their ids."""
        ...

    def show(self, verdicts: Mapping[ControllerId, Verdict]) -> None:
        """Show these lamps from now on, and let a second pass."""
        ...
