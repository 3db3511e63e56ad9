# SPDX-License-Identifier: Apache-2.0
"""Which model of a green wave suits a street: the rows of a measured table, the first that fits.

The table stands in `docs/waves.md` with the figures it rests on; `lvbo bench waves` measures them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, Severity
from lvbo.network.network import Network
from lvbo.progression.flows import corridor_flows
from lvbo.progression.linkbands import WaveModel
from lvbo.progression.problem import BandPlan, BandProblem
from lvbo.progression.slack import CorridorFlows
from lvbo.progression.wave import Wave
from lvbo.timing.plans import period_volumes


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetTraits:
    """What decides which wave suits a street.

    `turn_in` is the share of its traffic that came from side streets, averaged over signals;
    `tide` the larger direction's share of both; `load` the largest degree of saturation of a
    coordinated movement under its green.
    """

    signals: int
    spacing_m: float
    turn_in: float
    tide: float
    load: float


class Case(StrEnum):
    """The rows of the table, in its order."""

    BUSY = "busy"
    TURNING = "turning"
    LONG = "long"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: the case, the trait that must be above a limit, the model, the sentence on it.

    A row without a trait fits every street.
    """

    case: Case
    trait: str | None
    above: float
    model: WaveModel
    code: str

    def holds(self, traits: StreetTraits) -> bool:
        """Say whether the row fits a street."""
        return self.trait is None or getattr(traits, self.trait) > self.above


ROWS: tuple[Row, ...] = (
    Row(case=Case.BUSY, trait="load", above=0.9, model=WaveModel.TWO_WAY, code="LV491"),
    Row(case=Case.TURNING, trait="turn_in", above=0.25, model=WaveModel.TWO_WAY, code="LV492"),
    Row(case=Case.LONG, trait="signals", above=10, model=WaveModel.TWO_WAY, code="LV493"),
    Row(case=Case.OTHER, trait=None, above=0.0, model=WaveModel.TWO_WAY, code="LV494"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The model that a street is advised, the row of the table, and why in words."""

    case: Case
    model: WaveModel
    reason: Finding


def advise_wave(wave: Wave, network: Network, demand: Demand) -> tuple[Advice, ...]:
    """Return the advice for each period of a wave in which anybody was counted, equal ones once."""
    found: dict[Case, Advice] = {}
    for day in wave.plans.day_plans:
        for period in day.periods:
            own = wave.at(period.name, day.day_type)
            volumes = period_volumes(demand, day.day_type, period)
            flows = corridor_flows(wave.corridor, network, volumes)
            if any(flows.volume_out_vph) or any(flows.volume_in_vph):
                traits = street_traits(own.problem, own.runs, flows)
                advice = advise(traits, f"{wave.corridor.name} {period.name}")
                found.setdefault(advice.case, advice)
    return tuple(found.values())


def street_traits(problem: BandProblem, plan: BandPlan, flows: CorridorFlows) -> StreetTraits:
    """Return the traits of a street from its greens and its traffic."""
    metres = (*problem.distance_out_m, *problem.distance_in_m)
    turned = (*flows.turn_in_out[1:], *flows.turn_in_in[:-1])
    out, back = sum(flows.volume_out_vph), sum(flows.volume_in_vph)
    return StreetTraits(
        signals=problem.signals,
        spacing_m=sum(metres) / len(metres),
        turn_in=sum(turned) / len(turned),
        tide=max(out, back) / (out + back) if out + back > 0 else 0.5,
        load=max(_loads(problem, plan, flows)),
    )


def _loads(problem: BandProblem, plan: BandPlan, flows: CorridorFlows) -> list[float]:
    """Return volume over capacity of the coordinated movements, signal by signal both ways."""
    found = []
    for signal, chosen in enumerate(plan.patterns):
        pattern = problem.patterns[signal][chosen]
        for windows, volume, most in (
            (pattern.outbound, flows.volume_out_vph, flows.saturation_out_vph),
            (pattern.inbound, flows.volume_in_vph, flows.saturation_in_vph),
        ):
            green = min(1.0, sum(length for _, length in windows) / problem.parts_per_cycle)
            found.append(volume[signal] / (most[signal] * green))
    return found


def advise(traits: StreetTraits, place: str) -> Advice:
    """Return the first row of the table that fits a street."""
    row = next(row for row in ROWS if row.holds(traits))
    reason = Finding(
        code=row.code,
        place=place,
        severity=Severity.ADVICE,
        fields={
            "signals": traits.signals,
            "spacing_m": round(traits.spacing_m),
            "turn_in_percent": round(100 * traits.turn_in),
            "load_percent": round(100 * traits.load),
            "model": str(row.model),
        },
    )
    return Advice(case=row.case, model=row.model, reason=reason)
