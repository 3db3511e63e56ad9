# SPDX-License-Identifier: Apache-2.0
"""How loaded the sites of `yuci` are under the before plans: degrees of saturation by formula."""

from __future__ import annotations

from collections.abc import Mapping

from lvbo.city.before import BeforePlan, before_plan, flow_ratio
from lvbo.city.calendar import PERIODS, Proof, morning_weight
from lvbo.city.routes import Movement, fit_routes
from lvbo.city.streets import Kind, Side, Site, Turn, sites
from lvbo.city.volumes import END_GAIN_S, PEAK_HOUR_FACTOR, START_LOSS_S

SHARE_OF_AM: Mapping[str, float] = {"am": 1.0, "offpeak": 0.70, "pm": 0.95}


def critical_saturations(proof: Proof) -> dict[str, float]:
    """Return the highest degree of saturation of every site in a proof hour.

    Volumes are those of the hour over the peak hour factor; x = v C / (s g), HCM. Right turns from
    lanes of their own yield all the time and are not counted.
    """
    flows = fit_routes()
    weight = morning_weight((proof.judged_from_s + proof.judged_to_s) / 2)
    mixed = weight * flows.morning_vph + (1.0 - weight) * flows.evening_vph
    scale = SHARE_OF_AM[proof.code] / PEAK_HOUR_FACTOR
    volumes = flows.movement_volumes(scale * mixed)
    period = next(period for period in PERIODS if period.code == proof.period)
    return {
        site.code: _critical(site, before_plan(site, period), volumes) for site in sites().values()
    }


def _critical(site: Site, plan: BeforePlan, volumes: Mapping[Movement, float]) -> float:
    moves = {move for stage in plan.stages for move in stage.moves}
    return max(_saturation(site, plan, move, volumes) for move in moves)


def _saturation(
    site: Site, plan: BeforePlan, move: tuple[Side, Turn], volumes: Mapping[Movement, float]
) -> float:
    own = [stage for stage in plan.stages if move in stage.moves]
    green_s = float(sum(stage.green_s for stage in own))
    starts = len(own)
    if site.kind is Kind.TEE and starts > 1:
        green_s, starts = green_s + own[0].yellow_s + own[0].all_red_s, 1
    effective_s = green_s - starts * (START_LOSS_S - END_GAIN_S)
    return flow_ratio(site, [move], volumes) * plan.cycle_s / effective_s
