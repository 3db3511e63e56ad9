# SPDX-License-Identifier: Apache-2.0
"""What a report is made of: public values only, all measures computed before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lvbo.demand.demand import Demand
from lvbo.errors import Finding
from lvbo.evaluation.compare import Comparison, Difference
from lvbo.evaluation.measures import Measures
from lvbo.ids import LinkId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.problem import BandPlan
from lvbo.report.words import Heading
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.runs import Run
from lvbo.timing.periods import PeriodChoice


class Source(StrEnum):
    """Where results come from; the two never stand in one column."""

    SIMULATED = "simulated"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was looked at: the one line below the title.

    `day_types` and `weather` are words of the text tables (`word_day_workday`,
    `word_weather_dry`) without their prefix, or free text. `dates` is free text.
    """

    place: str
    corridor: str
    period: str
    start_s: int
    end_s: int
    dates: str
    day_types: tuple[str, ...]
    weather: str
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionResult:
    """What changed for those who drive along the corridor one way, or either way (None)."""

    heading: Heading | None
    differences: tuple[Difference, ...]
    street: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One before-and-after comparison, with the measures of every seed or day behind it."""

    source: Source
    comparison: Comparison
    directions: tuple[DirectionResult, ...] = ()
    before: tuple[Measures, ...] = ()
    after: tuple[Measures, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class WavePage:
    """One corridor in one period: its bands and, where kept, a run with trajectories.

    `begin_s` is where the diagrams begin, seconds of the local day.
    """

    corridor: Corridor
    period: str
    begin_s: float
    before: BandPlan | None = None
    after: BandPlan | None = None
    run_before: Run | None = None
    run_after: Run | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """Flow and control delay of a link in the judged window; None where no vehicle was seen."""

    link: LinkId
    flow_vph: float
    delay_s: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportInputs:
    """All that the report shows. The report computes no measure of its own.

    `notices` are keys of sentences that must stand on page one, for example that a city is
    invented. `findings` are doubts about network and plans, `data_findings` about counts.
    """

    network: Network
    sample: Sample
    results: tuple[Result, ...]
    plans_before: PlanSet
    plans_after: PlanSet
    day_type: str = "workday"
    waves: tuple[WavePage, ...] = ()
    links: tuple[LinkState, ...] = ()
    demand: Demand | None = None
    period_choice: PeriodChoice | None = None
    findings: tuple[Finding, ...] = ()
    data_findings: tuple[Finding, ...] = ()
    notices: tuple[str, ...] = ()
    manifest: Mapping[str, object] = field(default_factory=dict)
