# SPDX-License-Identifier: Apache-2.0
"""Whether the area model sees the street as SUMO does: flow and delay, movement by movement."""

from __future__ import annotations

import math
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lvbo.demand.estimate import estimate_demand
from lvbo.demand.speeds import platoon_speeds
from lvbo.detection.counts import Counts
from lvbo.errors import Finding, Severity
from lvbo.evaluation.movements import movement_passages
from lvbo.ids import LinkId, MovementId
from lvbo.network.network import Network
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.mesh import AreaMesh, Volumes
from lvbo.optimize.transmission import Span, build_transmission
from lvbo.project.area import busy_trial, in_force
from lvbo.project.trial import TRIAL_SEEDS, Trial, fitted_traffic
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.simulation.runs import Run
from lvbo.simulation.simulate import Conduct, simulate
from lvbo.timing.periods import find_periods
from lvbo.timing.plans import controller_models, mean_volumes

WARM_S = 600
GOOD_GEH = 5.0
"""Hourly flows this near count as equal (UK DMRB 12.2.1; TAG unit M3-1)."""
APART_S, APART_SHARE = 15.0, 0.5
LEAST_VPH = 60.0
"""Delays of rarer movements are chance and compared only in the sum."""

Means = Mapping[MovementId, tuple[float, float]]
"""Flow in veh/h and mean delay in s by movement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementFlow:
    """One movement in SUMO and in the model: flow in veh/h, mean delay in s per vehicle."""

    movement: MovementId
    seen_vph: float
    model_vph: float
    seen_s: float
    model_s: float

    @property
    def geh(self) -> float:
        """Return how far the flows are apart: sqrt(2 (m - c)^2 / (m + c)) of hourly flows."""
        both = self.seen_vph + self.model_vph
        return math.sqrt(2 * (self.model_vph - self.seen_vph) ** 2 / both) if both > 0 else 0.0

    @property
    def is_delay_apart(self) -> bool:
        """Say whether delays differ by more than 15 s and by half of the greater one."""
        apart = abs(self.model_s - self.seen_s)
        often = min(self.seen_vph, self.model_vph) >= LEAST_VPH
        return often and apart > max(APART_S, APART_SHARE * max(self.model_s, self.seen_s))


@dataclass(frozen=True, kw_only=True)
class FlowCheck:
    """All signalised movements, the worst flow first, and what is said of those that part."""

    flows: tuple[MovementFlow, ...]
    findings: tuple[Finding, ...]

    @property
    def share_alike(self) -> float:
        """Return the share of movements whose flows are alike (GEH below 5)."""
        alike = sum(flow.geh < GOOD_GEH for flow in self.flows)
        return alike / len(self.flows) if self.flows else 1.0

    @property
    def delay_vehh_ph(self) -> tuple[float, float]:
        """Return the delay at all stop lines in SUMO and in the model, veh-h per hour."""
        seen = sum(flow.seen_vph * flow.seen_s for flow in self.flows) / 3600
        return seen, sum(flow.model_vph * flow.model_s for flow in self.flows) / 3600


def check_area_flows(
    network: Network,
    net_file: Path,
    counts: Counts,
    plans: PlanSet,
    speeds_mps: Mapping[LinkId, float] | None = None,
) -> FlowCheck:
    """Return the check of the busiest period of these counts; see `check_flows`."""
    demand = estimate_demand(network, counts, plans=plans)
    trial, _ = busy_trial(network, demand, find_periods(network, demand), net_file)
    known = {**platoon_speeds(counts), **(speeds_mps or {})}
    return check_flows(trial, in_force(network, plans), known)


def check_flows(
    trial: Trial, plans: PlanSet, speeds_mps: Mapping[LinkId, float] | None = None
) -> FlowCheck:
    """Return how the model of the trial's demand compares with SUMO under these plans.

    SUMO runs traffic fitted to the demand once; the first ten minutes fill the streets.

    Raises:
        ToolError: LV600 where SUMO is missing, LV601 where it broke off.

    """
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        scenario = fitted_traffic(trial, plans, Path(place), 1.0)
        runs = simulate(scenario, plans, seeds=TRIAL_SEEDS[:1], conduct=Conduct(name="check"))
    volumes = mean_volumes(trial.demand)
    models = {m.controller.id: m for m in controller_models(trial.network, trial.demand, volumes)}
    judge = AreaJudge(trial.network, models, volumes, speeds_mps)
    running = plans.running(plans.day_plans[0].day_type, scenario.begin_s % DAY_S)
    return compare_flows(runs.runs[0], judge, running)


def compare_flows(run: Run, judge: AreaJudge, plans: Plans) -> FlowCheck:
    """Return how flows and delays of one run compare with the model under the same plans."""
    window_s = _window(run)
    begin_s = int(run.begin_s)
    seen = seen_means(run, judge.network, window_s)
    model = model_means(judge, plans, (window_s[0] - begin_s, window_s[1] - begin_s))
    rows = [
        MovementFlow(
            movement=m,
            seen_vph=seen.get(m, (0.0, 0.0))[0],
            model_vph=vph,
            seen_s=seen.get(m, (0.0, 0.0))[1],
            model_s=delay_s,
        )
        for m, (vph, delay_s) in model.items()
    ]
    flows = tuple(sorted(rows, key=lambda row: (-row.geh, row.movement)))
    return FlowCheck(flows=flows, findings=tuple(flow_findings(flows)))


def _window(run: Run) -> tuple[int, int]:
    """Return the seconds compared: the judged ones once the streets have filled."""
    begin, end = int(run.begin_s), int(run.judged_to_s)
    return begin + min(WARM_S, (end - begin) // 2), end


def seen_means(run: Run, network: Network, window_s: tuple[int, int]) -> Means:
    """Return flow and mean delay of those who passed their stop line in the window."""
    hours = (window_s[1] - window_s[0]) / 3600
    found = (
        movement_passages(run, network)
        .filter(pl.col("leave_s").is_between(*window_s, closed="left"))
        .group_by("movement")
        .agg(pl.len(), pl.col("delay_s").mean())
    )
    return {MovementId(m): (count / hours, delay_s) for m, count, delay_s in found.iter_rows()}


def model_means(judge: AreaJudge, plans: Plans, window_s: tuple[int, int]) -> Means:
    """Return flow and mean delay of movements by link transmission from empty streets on.

    The window is in seconds of the run.
    """
    mesh = judge.mesh(tuple(judge.models))
    model = build_transmission(mesh)
    before = model.run([plans], Span(end_s=window_s[0]))
    run = model.run([plans], Span(end_s=window_s[1]), start=before.end)
    stood = [(one.end.tide.here + one.end.tide.behind)[:, 0] for one in (before, run)]
    served = np.maximum(run.came[:, 0] - (stood[1] - stood[0]), 0.0)
    waits = run.waiting_vehs[:, 0] + run.random_vehs[:, 0]
    vehicles: dict[MovementId, float] = defaultdict(float)
    delay: dict[MovementId, float] = defaultdict(float)
    for q, shares in enumerate(_turn_shares(mesh, judge.volumes)):
        for movement, share in shares.items():
            vehicles[movement] += share * float(served[q])
            delay[movement] += share * float(waits[q])
    hours = (window_s[1] - window_s[0]) / 3600
    return {m: (n / hours, delay[m] / n if n > 0 else 0.0) for m, n in sorted(vehicles.items())}


def _turn_shares(mesh: AreaMesh, volumes: Volumes) -> Iterator[Mapping[MovementId, float]]:
    """Yield for each queue the share of each movement in it."""
    lanes = [{lane: k for k, lane in enumerate(model.lanes)} for model in mesh.models]
    flows = [model.lane_volumes(volumes) for model in mesh.models]
    for queue in mesh.queues:
        layout = mesh.models[queue.signal].layout
        found: dict[MovementId, float] = defaultdict(float)
        for k in (lanes[queue.signal][lane] for lane in queue.lanes):
            part = flows[queue.signal][k] / queue.total_vph if queue.total_vph > 0 else 0.0
            for m, share in zip(layout.turn_move[k], layout.turn_share[k], strict=True):
                if m >= 0:
                    found[mesh.models[queue.signal].movements[m]] += part * float(share)
        yield found


def flow_findings(flows: tuple[MovementFlow, ...]) -> Iterator[Finding]:
    """Yield where flows or delays part, and how the whole compares."""
    check = FlowCheck(flows=flows, findings=())
    seen, model = check.delay_vehh_ph
    yield Finding(
        code="LV667",
        place="",
        severity=Severity.ADVICE,
        fields={
            "movements": len(flows),
            "percent": round(100 * check.share_alike),
            "seen_vehh": round(seen, 1),
            "model_vehh": round(model, 1),
        },
    )
    for flow in flows:
        if flow.geh >= GOOD_GEH:
            yield _finding("LV665", flow, geh=round(flow.geh, 1), **_vph(flow))
        elif flow.is_delay_apart:
            fields = {"seen_s": round(flow.seen_s), "model_s": round(flow.model_s)}
            yield _finding("LV666", flow, **fields, **_vph(flow))


def _vph(flow: MovementFlow) -> dict[str, int]:
    return {"seen_vph": round(flow.seen_vph), "model_vph": round(flow.model_vph)}


def _finding(code: str, flow: MovementFlow, **fields: object) -> Finding:
    return Finding(code=code, place=str(flow.movement), severity=Severity.WARNING, fields=fields)
