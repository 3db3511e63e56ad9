# SPDX-License-Identifier: Apache-2.0
"""From runs, waves and plans to what a report is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lvbo.errors import UsageError
from lvbo.evaluation.compare import Difference, compare
from lvbo.evaluation.corridors import Way, WayMeasures, measure_corridor
from lvbo.evaluation.intervals import interval
from lvbo.evaluation.measures import measure
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.wave import Wave
from lvbo.report.inputs import DirectionResult, Result, Source, WavePage
from lvbo.report.street import headings
from lvbo.report.values import PeriodCurve
from lvbo.report.words import Words
from lvbo.simulation.runs import Run, Runs
from lvbo.timing.periods import PeriodChoice

WAY_MEASURES: Mapping[str, tuple[str, bool]] = {
    "travel_median_s": ("median_s", True),
    "travel_p95_s": ("p95_s", True),
    "speed_mps": ("speed_mps", False),
    "stops_per_km": ("stops_per_km", True),
    "nonstop_share": ("non_stop", False),
}
"""What page one says of a direction: the measure it is read from, and whether less is better."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Tracked:
    """Runs with trajectories for the diagrams, before and after; either may be missing."""

    before: Run | None = None
    after: Run | None = None


def simulated_result(
    network: Network, corridors: Sequence[Corridor], before: Runs, after: Runs
) -> Result:
    """Return the comparison of two sets of runs, with both directions of the corridors.

    Raises:
        UsageError: LV605 where scenarios or seeds differ.

    """
    return Result(
        source=Source.SIMULATED,
        comparison=compare(before, after, network),
        directions=tuple(
            each
            for corridor in corridors
            for each in direction_results(network, corridor, before, after)
        ),
        before=tuple(measure(run, network) for run in before.runs),
        after=tuple(measure(run, network) for run in after.runs),
    )


def direction_results(
    network: Network, corridor: Corridor, before: Runs, after: Runs
) -> tuple[DirectionResult, ...]:
    """Return what changed for each direction of a corridor, paired by seed.

    A measure that some run does not have, because nobody drove the way, is left out.
    """
    if before.seeds != after.seeds:
        raise UsageError(
            "LV605", place=after.scenario, before=list(before.seeds), after=list(after.seeds)
        )
    old = [_by_way(measure_corridor(run, corridor, network)) for run in before.runs]
    new = [_by_way(measure_corridor(run, corridor, network)) for run in after.runs]
    found = []
    for way, heading in zip(Way, headings(network, corridor), strict=True):
        if all(way in measures for measures in (*old, *new)):
            pair = [m[way] for m in old], [m[way] for m in new]
            found.append(
                DirectionResult(heading=heading, differences=_differences(*pair, before.seeds))
            )
    return tuple(found)


def _by_way(measures: Iterable[WayMeasures]) -> dict[Way, WayMeasures]:
    return {each.way: each for each in measures}


def _differences(
    old: Sequence[WayMeasures], new: Sequence[WayMeasures], seeds: Sequence[int]
) -> tuple[Difference, ...]:
    found = []
    for name, (field, less) in WAY_MEASURES.items():
        before = [getattr(m, field) for m in old]
        after = [getattr(m, field) for m in new]
        if None in (*before, *after):
            continue
        changes = [b - a for a, b in zip(before, after, strict=True)]
        shares = [100 * c / a for a, c in zip(before, changes, strict=True) if a]
        worst = (max if less else min)(range(len(changes)), key=changes.__getitem__)
        found.append(
            Difference(
                measure=name,
                before=sum(before) / len(before),
                after=sum(after) / len(after),
                change=interval(changes),
                percent=interval(shares) if len(shares) == len(changes) else None,
                worst_seed=seeds[worst],
                worst=changes[worst],
                less_is_better=less,
            )
        )
    return tuple(found)


def wave_pages(
    before: Wave | None, after: Wave, begins_s: Mapping[str, float], tracked: Tracked | None = None
) -> tuple[WavePage, ...]:
    """Return one page per period of `begins_s`: where its diagrams begin on the local day.

    Runs are drawn only on the first page, in the period they were simulated in.
    """
    runs = tracked or Tracked()
    pages: list[WavePage] = []
    for period, begin_s in begins_s.items():
        own = next(w for w in after.periods if w.period == period)
        old = None
        if before is not None:
            old = next((w.runs for w in before.periods if w.period == period), None)
        pages.append(
            WavePage(
                corridor=after.corridor,
                period=period,
                begin_s=begin_s,
                before=old,
                after=own.runs,
                run_before=None if pages else runs.before,
                run_after=None if pages else runs.after,
            )
        )
    return tuple(pages)


def period_curve(choice: PeriodChoice, words: Words) -> PeriodCurve:
    """Return how a number of periods was chosen, costs in veh-h a day."""
    return PeriodCurve(
        title=words("report_curve_title"),
        unit=words("report_curve_unit"),
        counts=choice.numbers,
        costs=tuple(cost / 3600 for cost in choice.held_out),
        errors=tuple(error / 3600 for error in choice.error),
        chosen=choice.chosen,
    )
