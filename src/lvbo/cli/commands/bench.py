# SPDX-License-Identifier: Apache-2.0
"""`lvbo bench`: our solvers beside others, side by side in one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lvbo.cli.bench_tables import show_bench
from lvbo.cli.listed import degrees, members, names, whole_numbers
from lvbo.cli.options import SeedsOpt, WeatherOpt, WorkersOpt
from lvbo.cli.session import Session
from lvbo.control.protocols import Order
from lvbo.io.scenario import Weather
from lvbo.signal.lamp import Countdown

ScenariosOpt = Annotated[
    list[Path] | None, typer.Option("--scenario", "-s", metavar="PATH", help="cli_opt_scenarios")
]
FirstSeedOpt = Annotated[int, typer.Option("--first-seed", metavar="K", help="cli_opt_first_seed")]
OrderOpt = Annotated[Order, typer.Option("--order", help="cli_opt_order")]
GridSeedOpt = Annotated[
    int, typer.Option("--grid-seed", min=0, metavar="K", help="cli_opt_grid_seed")
]


def bands(
    ctx: typer.Context,
    instances: Annotated[
        list[Path] | None,
        typer.Option("--instances", "-i", metavar="FILE", help="cli_opt_instances"),
    ] = None,
    models: Annotated[str, typer.Option("--models", metavar="A,B", help="cli_opt_models")] = "",
    sizes: Annotated[str, typer.Option("--sizes", metavar="N,M", help="cli_opt_sizes")] = "",
    networks: Annotated[
        str, typer.Option("--networks", metavar="N,M", help="cli_opt_networks")
    ] = "",
    limit: Annotated[
        float, typer.Option("--limit", metavar="S", help="cli_opt_highs_limit")
    ] = 60.0,
) -> None:
    """Measure bands of all models beside mixed-integer programmes in HiGHS."""
    from lvbo.bench.band_rows import BandModel
    from lvbo.bench.bands import NETWORKS, SIZES, run_bands

    session: Session = ctx.obj
    with session.step("bands") as tell:
        result = run_bands(
            instances or None,
            models=members(models, BandModel) or tuple(BandModel),
            sizes=whole_numbers(sizes) if sizes else SIZES,
            networks=whole_numbers(networks) if networks else NETWORKS,
            highs_limit_s=limit,
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)


def plans(
    ctx: typer.Context,
    scenario: ScenariosOpt = None,
    seeds: SeedsOpt = 5,
    workers: WorkersOpt = 2,
) -> None:
    """Judge our plans beside fixed, actuated and adaptive baselines."""
    from lvbo.bench.plans import PlanBench, run_plans

    session: Session = ctx.obj
    with session.step("bench_plans") as tell:
        result = run_plans(
            scenario or None,
            bench=PlanBench(seeds=seeds, workers=workers),
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)


def control(
    ctx: typer.Context,
    scenario: ScenariosOpt = None,
    controllers: Annotated[
        str, typer.Option("--controllers", metavar="A,B,C", help="cli_opt_controllers")
    ] = "",
    seeds: SeedsOpt = 3,
    first_seed: FirstSeedOpt = 0,
    sensing: Annotated[str, typer.Option("--sensing", metavar="S", help="cli_opt_sensing")] = "",
    protocol: Annotated[
        str, typer.Option("--protocol", metavar="resco|street", help="cli_opt_protocol")
    ] = "street",
    order: OrderOpt = Order.SKIP,
    demand: Annotated[float, typer.Option("--demand", metavar="X", help="cli_opt_demand")] = 1.0,
    weather: WeatherOpt = Weather.DRY,
    closed: Annotated[bool, typer.Option("--closed", help="cli_opt_closed")] = False,
    depart_offset: Annotated[
        int, typer.Option("--depart-offset", metavar="S", min=0, help="cli_opt_depart_offset")
    ] = 0,
    sumo: Annotated[
        str, typer.Option("--sumo", metavar="VERSION", help="cli_opt_sumo")
    ] = "current",
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="MIN", help="cli_opt_budget")
    ] = None,
    workers: WorkersOpt = 2,
) -> None:
    """Judge the adaptive controller beside rivals, all behind the same gate."""
    from lvbo.bench.control import ControlBench, built_in, run_control

    session: Session = ctx.obj
    with session.step("bench_control") as tell:
        result = run_control(
            scenario or built_in(),
            bench=ControlBench(
                controllers=names(controllers),
                seeds=seeds,
                first_seed=first_seed,
                sensing=sensing,
                protocol=protocol,
                order=order,
                demand=demand,
                weather=weather,
                closed=closed,
                depart_offset_s=depart_offset,
                sumo=sumo,
                budget_min=budget,
                workers=workers,
                cache=Path(".bench-cache"),
            ),
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)


def coordination(
    ctx: typer.Context,
    scenario: ScenariosOpt = None,
    street: Annotated[
        str, typer.Option("--street", metavar="NAME", help="cli_opt_bench_corridor")
    ] = "",
    saturations: Annotated[
        str, typer.Option("--saturations", metavar="X,Y,Z", help="cli_opt_saturations")
    ] = "0.5,0.7,0.85,0.9",
    seeds: SeedsOpt = 3,
    first_seed: FirstSeedOpt = 0,
    sensing: Annotated[
        str, typer.Option("--sensing", metavar="S", help="cli_opt_sensing")
    ] = "loops",
    order: OrderOpt = Order.SKIP,
    countdown: Annotated[
        Countdown, typer.Option("--countdown", help="cli_opt_countdown")
    ] = Countdown.LAST_SECONDS,
    workers: WorkersOpt = 2,
) -> None:
    """Run a green wave fixed, kept by adaptive control, and given up."""
    from lvbo.bench.coordination import CoordinationBench, run_coordination

    session: Session = ctx.obj
    with session.step("bench_coordination") as tell:
        result = run_coordination(
            scenario or None,
            bench=CoordinationBench(
                saturations=degrees(saturations),
                seeds=seeds,
                first_seed=first_seed,
                sensing=sensing,
                order=order,
                corridor=street,
                countdown=countdown,
                workers=workers,
            ),
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)


def waves(
    ctx: typer.Context,
    scenario: ScenariosOpt = None,
    models: Annotated[
        str, typer.Option("--models", metavar="A,B", help="cli_opt_bench_models")
    ] = "",
    kinds: Annotated[str, typer.Option("--kinds", metavar="A,B", help="cli_opt_kinds")] = "",
    street_seed: Annotated[
        int, typer.Option("--street-seed", min=0, metavar="K", help="cli_opt_street_seed")
    ] = 1,
    streets: Annotated[
        int, typer.Option("--streets", metavar="N", help="cli_opt_street_count")
    ] = 1,
    minutes: Annotated[
        int | None, typer.Option("--minutes", metavar="N", help="cli_opt_judged_minutes")
    ] = None,
    seeds: SeedsOpt = 10,
    workers: WorkersOpt = 2,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="cli_opt_bench_cache")
    ] = None,
) -> None:
    """Prove each model's green wave on streets in SUMO."""
    from lvbo.bench.wave_designs import MODELS
    from lvbo.bench.waves import WavesBench, run_waves

    session: Session = ctx.obj
    with session.step("bench_waves") as tell:
        result = run_waves(
            scenario or None,
            bench=WavesBench(
                models=names(models) or tuple(MODELS),
                kinds=names(kinds),
                street_seed=street_seed,
                streets=streets,
                minutes=minutes,
                seeds=seeds,
                workers=workers,
                cache=cache,
            ),
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)


def transitions(
    ctx: typer.Context,
    kinds: Annotated[str, typer.Option("--kinds", metavar="A,B", help="cli_opt_kinds")] = "",
    street_seed: Annotated[
        int, typer.Option("--street-seed", min=0, metavar="K", help="cli_opt_street_seed")
    ] = 1,
    moments: Annotated[
        int, typer.Option("--moments", min=1, metavar="N", help="cli_opt_moments")
    ] = 2,
    seeds: SeedsOpt = 5,
    workers: WorkersOpt = 2,
) -> None:
    """Measure what changing plans, and holding before a full section, cost in SUMO."""
    from lvbo.bench.transitions import TransitionsBench, run_transitions

    session: Session = ctx.obj
    with session.step("bench_transitions") as tell:
        result = run_transitions(
            bench=TransitionsBench(
                kinds=names(kinds),
                street_seed=street_seed,
                moments=moments,
                seeds=seeds,
                workers=workers,
            ),
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)


def gate(
    ctx: typer.Context,
    scenario: ScenariosOpt = None,
    wishes: Annotated[int, typer.Option("--wishes", min=1, help="cli_opt_wishes")] = 10_000_000,
) -> None:
    """Attack the gate with wishes and read its lamps by the lamp checker."""
    from lvbo.bench.gate import run_gate

    session: Session = ctx.obj
    with session.step("bench_gate") as tell:
        result = run_gate(
            scenario or None, wishes=wishes, progress=lambda _what, share: tell(share)
        )
    show_bench(session, result)


def latency(
    ctx: typer.Context,
    sites: Annotated[int, typer.Option("--sites", min=1, metavar="N", help="cli_opt_sites")] = 1000,
    seconds: Annotated[
        int, typer.Option("--seconds", min=1, metavar="N", help="cli_opt_seconds")
    ] = 30,
    controllers: Annotated[
        str, typer.Option("--controllers", metavar="A,B,C", help="cli_opt_deciders")
    ] = "",
) -> None:
    """Time the decisions of every controller at many sites on one core."""
    from lvbo.bench.latency import LatencyBench, run_latency

    session: Session = ctx.obj
    with session.step("bench_latency") as tell:
        result = run_latency(
            LatencyBench(
                controllers=names(controllers),
                sites=sites,
                seconds=seconds,
            ),
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)


def model(
    ctx: typer.Context,
    signals: Annotated[
        int, typer.Option("--signals", min=4, metavar="N", help="cli_opt_signals")
    ] = 36,
    speed_signals: Annotated[
        int, typer.Option("--speed-signals", min=4, metavar="N", help="cli_opt_speed_signals")
    ] = 100,
    plans: Annotated[
        int, typer.Option("--plans", min=3, metavar="N", help="cli_opt_ranked_plans")
    ] = 34,
    levels: Annotated[
        str, typer.Option("--levels", metavar="X,Y,Z", help="cli_opt_levels")
    ] = "0.6,0.85,1.1",
    grid_seed: GridSeedOpt = 1,
    workers: WorkersOpt = 2,
) -> None:
    """Time fast models beside SUMO and UXsim, and compare their ranks of plans."""
    from lvbo.bench.model import ModelBench, run_model

    session: Session = ctx.obj
    with session.step("bench_model") as tell:
        result = run_model(
            ModelBench(
                signals=signals,
                speed_signals=speed_signals,
                plans=plans,
                levels=degrees(levels),
                seed=grid_seed,
                workers=workers,
                cache=Path(".bench-cache"),
            ),
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)


def scale(
    ctx: typer.Context,
    signals: Annotated[
        str, typer.Option("--signals", metavar="N,M", help="cli_opt_scale_signals")
    ] = "36,100,1000,10000",
    workers: Annotated[
        str, typer.Option("--workers", metavar="N,M", help="cli_opt_scale_workers")
    ] = "1,2",
    long_s: Annotated[
        float, typer.Option("--long", min=0, metavar="S", help="cli_opt_scale_long")
    ] = 60.0,
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="ADDRESS", help="cli_opt_cluster")
    ] = "",
    seed: Annotated[
        int, typer.Option("--seed", min=0, metavar="K", help="cli_opt_lattice_seed")
    ] = 0,
) -> None:
    """Measure how the area search grows with signals and workers."""
    from lvbo.bench.scale import ScaleBench, run_scale

    session: Session = ctx.obj
    with session.step("bench_scale") as tell:
        result = run_scale(
            ScaleBench(
                signals=whole_numbers(signals),
                workers=whole_numbers(workers),
                cluster=cluster,
                long_s=long_s,
                seed=seed,
            ),
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)


def area(
    ctx: typer.Context,
    scenario: ScenariosOpt = None,
    grid: Annotated[
        list[int] | None, typer.Option("--grid", min=2, metavar="N", help="cli_opt_grids")
    ] = None,
    grid_seed: GridSeedOpt = 1,
    saturation: Annotated[
        float, typer.Option("--saturation", min=0.1, max=1.5, help="cli_opt_grid_saturation")
    ] = 0.55,
    plans: Annotated[str, typer.Option("--plans", metavar="A,B,C", help="cli_opt_area_plans")] = "",
    seeds: SeedsOpt = 5,
    workers: WorkersOpt = 2,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="cli_opt_bench_cache")
    ] = None,
) -> None:
    """Judge plans searched for a whole area beside those of SUMO's planners."""
    from lvbo.bench.area import AreaBench, run_area
    from lvbo.bench.plans import AREA

    session: Session = ctx.obj
    with session.step("bench_area") as tell:
        result = run_area(
            scenario or None,
            bench=AreaBench(
                grids=tuple(grid or ()),
                grid_seed=grid_seed,
                saturation=saturation,
                controllers=tuple(name for name in plans.split(",") if name) or AREA,
                seeds=seeds,
                workers=workers,
                cache=cache,
            ),
            progress=lambda _what, share: tell(share),
        )
    show_bench(session, result)
