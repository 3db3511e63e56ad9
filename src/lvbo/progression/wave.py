# SPDX-License-Identifier: Apache-2.0
"""A coordinated corridor: what the bands are in each period, and the plans that give them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lvbo.errors import Finding
from lvbo.ids import ControllerId
from lvbo.network.corridor import Corridor
from lvbo.progression.linkbands import LinkBandPlan, WaveModel
from lvbo.progression.problem import Band, BandPlan, BandProblem
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import PlanSet


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveSettings:
    """How a green wave is laid out.

    Speeds are shares of the limit between stop lines unless measured speeds are given: practice is
    0.75 of the limit, in a range of 0.65 to 0.9. The usable green starts `start_trim_s` late and
    ends `end_trim_s` early, or with the green flash where that begins sooner; where drivers see a
    countdown it ends `countdown_trim_s` earlier still. `ratio_range` limits inbound over outbound
    band. `speed_change_limit_s_per_m`
    limits the change of pace between neighbouring sections. With `posted_step_kmh` every section
    gets one speed for its sign, a multiple of this step, in both directions. `model` is what is
    maximised; in AM-BAND each side of a band about its line is at least `least_side` of it. With
    `cut_delay` the slack that through bands leave is used to cut delay and stops, where demand is
    known, and of a band so much is kept as costs little over the least of both, but at least the
    share `least_share`.
    """

    speed_low: float = 0.72
    speed_high: float = 0.80
    start_trim_s: float = 0.0
    end_trim_s: float = 1.0
    countdown_trim_s: float = 0.0
    ratio_range: tuple[float, float] | None = None
    clear_queues: bool = True
    may_reorder: bool = True
    speed_change_limit_s_per_m: float | None = None
    posted_step_kmh: float | None = None
    model: WaveModel = WaveModel.TWO_WAY
    least_side: float = 0.0
    cut_delay: bool = True
    least_share: float = 0.0

    @property
    def to_build_on(self) -> WaveSettings:
        """Return the same with at least half of a band kept, for plans that are made around it."""
        return replace(self, least_share=max(self.least_share, 0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodWave:
    """The wave of one period.

    `runs` is what the plans give with offsets in whole seconds; `band` holds the exact answer and
    the one-way plans beside it (None where nothing was solved for). `links` are the bands of each
    link, where these were asked for; `runs` then holds what passes all signals. `plans[k]` is the
    plan of `controllers[k]`, the controller of signal k of the problem; `choices[k]` are the plans
    behind its sequences. Where it was `given_up`, no band binds the offsets.
    """

    day_type: str
    period: str
    problem: BandProblem
    runs: BandPlan
    band: Band | None
    controllers: tuple[ControllerId, ...]
    plans: tuple[Plan, ...]
    choices: tuple[tuple[Plan, ...], ...] = ()
    findings: tuple[Finding, ...] = ()
    links: LinkBandPlan | None = None
    given_up: bool = False

    @property
    def cycle_s(self) -> float:
        """Return the common cycle in seconds."""
        return self.runs.cycle_ms / 1000

    @property
    def speeds_out_mps(self) -> tuple[float, ...]:
        """Return the outbound speed of the band on each section."""
        times = zip(self.problem.distance_out_m, self.runs.travel_out_ms, strict=False)
        return tuple(1000 * metres / ms for metres, ms in times if ms > 0)

    @property
    def speeds_in_mps(self) -> tuple[float, ...]:
        """Return the inbound speed of the band on each section, in outbound order."""
        times = zip(self.problem.distance_in_m, self.runs.travel_in_ms, strict=False)
        return tuple(1000 * metres / ms for metres, ms in times if ms > 0)


@dataclass(frozen=True, kw_only=True)
class Wave:
    """A corridor with its waves by period and the plan set that runs them."""

    corridor: Corridor
    plans: PlanSet
    periods: tuple[PeriodWave, ...]
    settings: WaveSettings = field(default_factory=WaveSettings)

    def at(self, period: str, day_type: str = "workday") -> PeriodWave:
        """Return the wave of a period; KeyError if there is none."""
        return {(w.day_type, w.period): w for w in self.periods}[day_type, period]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what was found in any period."""
        return tuple(f for wave in self.periods for f in wave.findings)
