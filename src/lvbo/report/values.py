# SPDX-License-Identifier: Apache-2.0
"""What the figures show: plain values, ready to draw, with nothing left to compute."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lvbo.report.words import Heading
from lvbo.signal.lamp import Lamp

Array = NDArray[np.float64]


class Spacing(StrEnum):
    """How distances are drawn: to scale, all links alike, or to scale with a least length."""

    TRUE = "true"
    EQUAL = "equal"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Green:
    """One green of a direction: `start_s` in [0, cycle) of the drawn clock; flash lies inside.

    What comes after `least_s`, the minimum green, trails: a controller may cut it.
    """

    start_s: float
    length_s: float
    flash_s: float = 0.0
    yellow_s: float = 3.0
    least_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the lamps of a direction really showed from `begin_s` to `end_s` of the drawn clock."""

    begin_s: float
    end_s: float
    lamp: Lamp
    is_flashing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """One signal of the street: its place, its own cycle, and the greens of both directions.

    `left_*` are protected left turns from the same approach. Where `shown_*` is known the lamps as
    they were are drawn instead of the plan, those of left turns too. `phases` names the
    coordinated phases, `moved_s` says by how much the offset differs from the plans compared with
    (None: nothing to compare). With `slack_s` the offset may move this much earlier and later
    before a band is lost.
    """

    name: str
    at_m: float
    cycle_s: float
    offset_s: float
    outbound: tuple[Green, ...]
    inbound: tuple[Green, ...]
    left_outbound: tuple[Green, ...] = ()
    left_inbound: tuple[Green, ...] = ()
    shown_outbound: tuple[Shown, ...] = ()
    shown_inbound: tuple[Shown, ...] = ()
    shown_left_outbound: tuple[Shown, ...] = ()
    shown_left_inbound: tuple[Shown, ...] = ()
    phases: str = ""
    moved_s: float | None = None
    slack_s: tuple[float, float] = (0.0, 0.0)


class StripKind(StrEnum):
    """What a band is: through all signals, of one link, or through part of the street."""

    THROUGH = "through"
    LINK = "link"
    PART = "part"


@dataclass(frozen=True, slots=True, kw_only=True)
class BandStrip:
    """One band, repeated every cycle, over the signals from `first` on, in outbound order.

    `fronts_s[k]` is when its front leaves the stop line of signal `first + k`, not wrapped;
    `speeds_mps[k]` the speed on the link after that signal and `arrivals_s[k]` when the front is at
    the far end of that link: later than it leaves there where a queue is cleared first. Without
    arrivals it drives on as it arrives. A strip through part of the street is drawn lighter.
    """

    is_outbound: bool
    width_s: float
    cycle_s: float
    fronts_s: tuple[float, ...]
    speeds_mps: tuple[float, ...]
    first: int = 0
    arrivals_s: tuple[float, ...] = ()
    kind: StripKind = StripKind.THROUGH

    def ends_s(self, link: int) -> tuple[float, float]:
        """Return when the front is at the first and the second signal of its link `link`."""
        here, there = self.fronts_s[link], self.fronts_s[link + 1]
        if not self.arrivals_s:
            return here, there
        far = self.arrivals_s[link]
        return (here, far) if self.is_outbound else (far, there)


class TraceSource(StrEnum):
    """Where traces come from."""

    SIMULATED = "simulated"
    DRIVEN = "driven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wedge:
    """The queue of one red, repeated every cycle: who it is made of stands since `begin_s`.

    It dissolves from `go_s` on, and is gone at `end_s`, when its last vehicle, `reach_m` up the
    street, starts.
    """

    is_outbound: bool
    signal: int
    cycle_s: float
    begin_s: float
    go_s: float
    end_s: float
    reach_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One actuation of a detector on the street."""

    is_outbound: bool
    at_s: float
    at_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The way of one vehicle: seconds of the drawn clock and metres along the street."""

    is_outbound: bool
    times_s: tuple[float, ...]
    places_m: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpace:
    """All that a time-space diagram shows, from `begin_s` to `end_s` seconds of the local day.

    Signals are in outbound order, their places rise.
    """

    title: str
    subtitle: str
    outbound_heading: Heading
    inbound_heading: Heading
    begin_s: float
    end_s: float
    signals: tuple[SignalRow, ...]
    bands: tuple[BandStrip, ...] = ()
    traces: tuple[Trace, ...] = ()
    source: TraceSource = TraceSource.SIMULATED
    wedges: tuple[Wedge, ...] = ()
    ticks: tuple[Tick, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A movement in a stage: bearings (degrees clockwise from north) of the legs it joins.

    `from_deg` is the leg on which the traffic waits, `to_deg` the leg into which it goes.
    """

    from_deg: float
    to_deg: float
    yields: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCell:
    """One stage: what goes, and the seconds of green (flash not counted), flash, yellow, all-red.

    `zebras_deg` are the bearings of the legs whose pedestrians have green.
    """

    name: str
    arrows: tuple[Arrow, ...]
    zebras_deg: tuple[float, ...]
    green_s: float
    flash_s: float
    yellow_s: float
    all_red_s: float

    @property
    def length_s(self) -> float:
        """Return the whole length of the stage."""
        return self.green_s + self.flash_s + self.yellow_s + self.all_red_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LampRun:
    """A span in which a phase shows one lamp; `start_s` in [0, cycle), cut at the cycle's end."""

    lamp: Lamp
    start_s: float
    length_s: float
    is_flashing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LampRow:
    """The lamps of one phase over a cycle; all else is red."""

    name: str
    runs: tuple[LampRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSheet:
    """The stages of one plan of one controller, and the lamps of its phases.

    `legs_deg` are the bearings of the streets that meet; `borders_s` the starts of the stages.
    """

    title: str
    subtitle: str
    cycle_s: float
    offset_s: float
    legs_deg: tuple[float, ...]
    cells: tuple[StageCell, ...]
    rows: tuple[LampRow, ...]
    borders_s: tuple[float, ...]
    left_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodSpan:
    """A period of the day as drawn: [start, end) with start below end, its plan, its cycle."""

    start_s: float
    end_s: float
    name: str
    cycle_s: float | None = None


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class FlowDay:
    """Flow over the day: veh/h of shape (days, slots), slots as long as the first two are apart."""

    title: str
    subtitle: str
    starts_s: Array
    flow_vph: Array
    periods: tuple[PeriodSpan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One measure before and after: a value per seed in the same order, and what came of it.

    `change`, `low` and `high` are the mean paired difference and its 95 % interval, in shares of
    the mean before.
    """

    label: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    change: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """Pairings of one measure in one unit, losers first."""

    title: str
    unit: str
    pairings: tuple[Pairing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LosLink:
    """One street link: centre line in metres, flow, control delay in s/veh (None: not known)."""

    shape: tuple[tuple[float, float], ...]
    flow_vph: float
    delay_s: float | None
    is_signalled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LosMap:
    """The map of service levels; `discs` are signals with their names."""

    title: str
    stamp: str
    links: tuple[LosLink, ...]
    discs: tuple[tuple[float, float, str], ...]
    left_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCurve:
    """What each number of periods costs on days held out, with its standard error."""

    title: str
    unit: str
    counts: tuple[int, ...]
    costs: tuple[float, ...]
    errors: tuple[float, ...]
    chosen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLink:
    """One street link: centre line in metres, and its change of delay in veh-h per hour.

    None where no signal stands at its end.
    """

    shape: tuple[tuple[float, float], ...]
    change_vehh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMap:
    """Where delay falls and where it grows; `discs` are signals with their names."""

    title: str
    subtitle: str
    links: tuple[ChangeLink, ...]
    discs: tuple[tuple[float, float, str], ...]
    left_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One way to run a period: veh-h of delay and stops in an hour, and what it is called.

    `kind` is `none`, `soft` or `hard`: what waves are worth in it.
    """

    delay_vehh: float
    stops: float
    kind: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeCurve:
    """Delay against stops, by delay; `before` is what is in force."""

    title: str
    subtitle: str
    points: tuple[CurvePoint, ...]
    before: CurvePoint | None = None
