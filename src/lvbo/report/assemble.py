# SPDX-License-Identifier: Apache-2.0
"""From runs, waves and plans to what a report is made of."""

from __future__ import annotations

from collections.abc import Sequence

from lvbo.evaluation.compare import compare, compare_corridor
from lvbo.evaluation.corridors import Way
from lvbo.evaluation.measures import measure
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.report.inputs import DirectionResult, Result, Source
from lvbo.report.street import headings
from lvbo.report.values import PeriodCurve
from lvbo.report.words import Words
from lvbo.simulation.runs import Runs
from lvbo.timing.periods import PeriodChoice


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
    """Return what changed for both directions of a corridor together and for each, by seed.

    Raises:
        UsageError: LV605 where scenarios or seeds differ.

    """
    found = compare_corridor(before, after, corridor, network)
    out, back = headings(network, corridor)
    shown = ((Way.BOTH, None), (Way.OUTBOUND, out), (Way.INBOUND, back))
    return tuple(
        DirectionResult(heading=heading, differences=found[way], street=corridor.name)
        for way, heading in shown
        if way in found
    )


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
