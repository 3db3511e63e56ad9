# SPDX-License-Identifier: Apache-2.0
"""Which model of a green wave suits a street: the rows of a measured table, the first that fits.

The table stands in `docs/waves.md` with the figures it rests on; `lvbo bench waves` measures them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, Severity
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.area import AreaModel
from lvbo.progression.flows import corridor_flows
from lvbo.progression.problem import BandProblem
from lvbo.progression.slack import CorridorFlows
from lvbo.progression.wave import PeriodWave, Wave
from lvbo.timing.plans import Volumes, controller_models, period_volumes


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetTraits:
    """What decides which wave suits a street.

    `turn_in` is the share of its traffic that came from side streets, averaged over signals;
    `tide` the larger direction's share of both; `load` the largest degree of saturation of a lane
    at its signals; `given_up` is 1 where `coordinate` lets no band bind the offsets, else 0.
    """

    signals: int
    spacing_m: float
    turn_in: float
    tide: float
    load: float
    given_up: float


class Case(StrEnum):
    """The rows of the table, in its order."""

    FREE = "free"
    OTHER = "other"


class Model(StrEnum):
    """What may be advised: a wave of `lvbo wave`, or plans of least delay (`lvbo plan --area`).

    `two_way` is our default: bands through all signals, kept as far as they are worth it.
    """

    TWO_WAY = "two_way"
    MULTIBAND = "multiband"
    AMBAND = "amband"
    DELAY = "delay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: the case, the trait that must be above a limit, the model, the sentence on it.

    A row without a trait fits every street.
    """

    case: Case
    trait: str | None
    above: float
    model: Model
    code: str

    def holds(self, traits: StreetTraits) -> bool:
        """Say whether the row fits a street."""
        return self.trait is None or getattr(traits, self.trait) > self.above


ROWS: tuple[Row, ...] = (
    Row(case=Case.FREE, trait="given_up", above=0.5, model=Model.TWO_WAY, code="LV497"),
    Row(case=Case.OTHER, trait=None, above=0.0, model=Model.TWO_WAY, code="LV499"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The model that a street is advised, the row of the table, and why in words."""

    case: Case
    model: Model
    reason: Finding


def advise_wave(wave: Wave, network: Network, demand: Demand) -> tuple[Advice, ...]:
    """Return the advice for each period of a wave in which anybody was counted, equal ones once."""
    found: dict[Case, Advice] = {}
    for day in wave.plans.day_plans:
        for period in day.periods:
            own = wave.at(period.name, day.day_type)
            volumes = period_volumes(demand, day.day_type, period)
            stops = wave.corridor.stops
            if any(volumes.get(m, 0.0) > 0 for s in stops for m in (s.outbound, s.inbound) if m):
                traits = wave_traits(own, wave.corridor, network, demand, volumes)
                advice = advise(traits, f"{wave.corridor.name} {period.name}")
                found.setdefault(advice.case, advice)
    return tuple(found.values())


def wave_traits(
    wave: PeriodWave, corridor: Corridor, network: Network, demand: Demand, volumes: Volumes
) -> StreetTraits:
    """Return the traits of a street under the plans of a wave at these volumes."""
    plans = dict(zip(wave.controllers, wave.plans, strict=True))
    made = controller_models(network, demand, volumes, only=plans)
    models = {m.controller.id: m for m in made}
    load = AreaModel(network, models, volumes).saturation(plans)
    flows = corridor_flows(corridor, network, volumes)
    return street_traits(wave.problem, flows, load, given_up=wave.given_up)


def street_traits(
    problem: BandProblem, flows: CorridorFlows, load: float, *, given_up: bool = False
) -> StreetTraits:
    """Return the traits of a street from its sections, its traffic and its largest saturation."""
    metres = (*problem.distance_out_m, *problem.distance_in_m)
    turned = (*flows.turn_in_out[1:], *flows.turn_in_in[:-1])
    out, back = sum(flows.volume_out_vph), sum(flows.volume_in_vph)
    return StreetTraits(
        signals=problem.signals,
        spacing_m=sum(metres) / len(metres),
        turn_in=sum(turned) / len(turned),
        tide=max(out, back) / (out + back) if out + back > 0 else 0.5,
        load=load,
        given_up=float(given_up),
    )


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
