# SPDX-License-Identifier: Apache-2.0
"""Fit the area model: to a short simulation of fitted traffic, and to profiles that loops saw."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from lvbo.detection.counts import Counts
from lvbo.errors import Finding, Severity
from lvbo.ids import LinkId
from lvbo.network.network import Network
from lvbo.optimize.calibrate import Fit, Seen, calibrate
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.mesh import Traits
from lvbo.optimize.profile_fit import ProfileFit, fit_profiles, stretches_of
from lvbo.project.trial import TRIAL_SEEDS, Trial, fitted_traffic
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.simulation.runs import Run
from lvbo.simulation.simulate import Conduct, simulate
from lvbo.timing.plans import controller_models, mean_volumes

WARM_S = 600
"""Streets begin empty: who enters a street before is not counted."""


def fitted_traits(
    trial: Trial, plans: PlanSet, speeds_mps: Mapping[LinkId, float] | None = None
) -> Fit:
    """Return how traffic behaves where these plans run, by the waits of one simulated run.

    Raises:
        ToolError: LV600 where SUMO is missing, LV601 where it broke off.

    """
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        scenario = fitted_traffic(trial, plans, Path(place), 1.0)
        runs = simulate(scenario, plans, seeds=TRIAL_SEEDS[:1], conduct=Conduct(name="fit"))
        waits = link_waits(runs.runs[0], trial.network)
    volumes = mean_volumes(trial.demand)
    models = {m.controller.id: m for m in controller_models(trial.network, trial.demand, volumes)}
    running = plans.running(plans.day_plans[0].day_type, scenario.begin_s % DAY_S)
    return calibrate(
        trial.network, models, volumes, [Seen(plans=running, waits_vehs_ph=waits)], speeds_mps
    )


def seen_profiles(trial: Trial, plans: PlanSet, counts: Counts) -> ProfileFit:
    """Return dispersion and speed as loops saw platoons in the period of the trial."""
    demand = trial.demand
    volumes = mean_volumes(demand)
    models = {m.controller.id: m for m in controller_models(trial.network, demand, volumes)}
    mesh = AreaJudge(trial.network, models, volumes).mesh(tuple(models))
    begin_s = demand.first_s % DAY_S
    kinds = [day.day_type for day in plans.day_plans]
    kind = trial.day_type if trial.day_type in kinds else kinds[0]
    running = plans.running(kind, begin_s)
    span_s = begin_s, begin_s + demand.slots * demand.slot_s
    return fit_profiles(stretches_of(mesh, running, counts, span_s))


def with_profiles(traits: Traits, seen: ProfileFit) -> Traits:
    """Return traits with dispersion and speed as loops saw them, where enough of them did."""
    if seen.streets == 0:
        return traits
    return replace(traits, alpha=seen.traits.alpha, speed_share=seen.traits.speed_share)


def profile_findings(seen: ProfileFit, place: str) -> tuple[Finding, ...]:
    """Return what profiles told, in words; nothing where no loops saw platoons."""
    if seen.streets == 0:
        return ()
    fields = {
        "alpha": seen.traits.alpha,
        "speed_percent": round(100 * seen.traits.speed_share),
        "streets": seen.streets,
        "before_percent": round(100 * seen.held_out_before),
        "after_percent": round(100 * seen.held_out),
    }
    return (Finding(code="LV668", place=place, severity=Severity.ADVICE, fields=fields),)


def link_waits(run: Run, network: Network) -> dict[LinkId, float]:
    """Return how long vehicles stood on each link, veh-s per hour, once the streets had filled."""
    if network.sumo is None:
        return {}
    begin_s = run.begin_s + min(WARM_S, (run.judged_to_s - run.begin_s) // 2)
    hours = (run.judged_to_s - begin_s) / 3600
    stood = (
        run.passages.filter(pl.col("enter_s").is_between(begin_s, run.judged_to_s, closed="left"))
        .group_by("edge", maintain_order=True)
        .agg(pl.col("slow_s").sum())
    )
    found = dict.fromkeys((link.id for link in network.links), 0.0)
    for edge, slow_s in stood.iter_rows():
        link = network.sumo.edge_index.get(edge)
        if link is not None:
            found[link] += slow_s / hours
    return found


def fit_finding(fit: Fit, place: str) -> Finding:
    """Return what was fitted, in words."""
    if fit.links == 0:
        return Finding(code="LV662", place=place, severity=Severity.ADVICE, fields={})
    return Finding(
        code="LV661",
        place=place,
        severity=Severity.ADVICE,
        fields={
            "alpha": fit.traits.alpha,
            "speed_percent": round(100 * fit.traits.speed_share),
            "flow_percent": round(100 * fit.traits.flow_share),
            "links": fit.links,
            "before_percent": round(100 * fit.held_out_before),
            "after_percent": round(100 * fit.held_out),
        },
    )
