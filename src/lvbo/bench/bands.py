# SPDX-License-Identifier: Apache-2.0
"""The band bench: our bands, walked by cars, beside mixed-integer programmes in HiGHS."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from lvbo.bench.band_rows import (
    FINE_GRID_S,
    WHOLE_GRID_S,
    BandModel,
    Limits,
    Measured,
    measure,
)
from lvbo.bench.common import (
    BenchResult,
    Progress,
    geometric_mean,
    machine_load,
    used_versions,
)
from lvbo.bench.instances import Instance, generate_instances, read_instances
from lvbo.bench.networks import generate_networks, measure_network, warm_up

SAME = 0.002  # values nearer than this count as the same, cycles
LARGE = 50  # signals at which the speed-up is summed up
SIZES = (5, 10, 20, 50, 100)
NETWORKS = (3, 5, 10)  # streets each way


def run_bands(  # noqa: PLR0913  one for each option of the command
    instances: Sequence[Path] | None = None,
    *,
    models: Sequence[BandModel] = tuple(BandModel),
    sizes: Sequence[int] = SIZES,
    networks: Sequence[int] = NETWORKS,
    with_highs: bool = True,
    highs_limit_s: float = 60.0,
    progress: Progress | None = None,
) -> BenchResult:
    """Return one row per instance, model and cycle grid: ours walked and timed, HiGHS beside it.

    Without files a set of these sizes is generated, with and without a choice of left-turn
    phases, and for the model network grids of `networks` crossing streets each way. Times are CPU
    ms after a first call: ours from the problem to the exact two-way plan (of a network to all
    that is answered); HiGHS its solve alone on the continuous cycle range, beside the fine grid.
    `bound` is the least that HiGHS proved, also started from our plan, and `gap` how far our value
    may lie below it. Without HiGHS installed, or with `with_highs` false, its columns are None.
    """
    limits = Limits(
        with_highs=with_highs and find_spec("highspy") is not None, highs_limit_s=highs_limit_s
    )
    own = [model for model in models if model is not BandModel.NETWORK]
    streets = [(i, m) for i in _chosen(instances, sizes) for m in own]
    grids = generate_networks(networks) if BandModel.NETWORK in models else ()
    total = sum(i.signals for i, _ in streets) + sum(g.problem.size for g in grids)
    measured: list[Measured] = []
    done = 0

    def tell(what: str, signals: int) -> None:
        nonlocal done
        if progress is not None:
            progress(what, done / total)
        done += signals

    for instance, model in streets:
        tell(f"{instance.name} {model}", instance.signals)
        measured += measure(instance, model, limits)
    if grids:
        warm_up()
    for network in grids:
        tell(network.name, network.problem.size)
        measured.append(measure_network(network, limits))
    return BenchResult(
        bench="bands",
        versions=used_versions(),
        load=machine_load(),
        rows=tuple(m.row for m in measured),
        summary=_summary(measured),
    )


def _chosen(instances: Sequence[Path] | None, sizes: Sequence[int]) -> tuple[Instance, ...]:
    if not instances:
        return generate_instances(sizes)
    return tuple(i for path in instances for i in read_instances(path))


def _summary(measured: Sequence[Measured]) -> dict[str, object]:
    through = [m for m in measured if m.row["model"] == BandModel.TWO_WAY]
    fine = [m for m in through if m.row["grid_s"] == FINE_GRID_S]
    whole = [m for m in through if m.row["grid_s"] == WHOLE_GRID_S]
    known = [m for m in fine if m.row["expected"] is not None]
    return {
        "reached": sum(_excess(m) >= -SAME for m in known),
        "with_expected": len(known),
        "worst_gap": min((_excess(m) for m in known), default=None),
        "above_expected": [_log(m) for m in known if _excess(m) > SAME],
        "violations": sum(int(_number(m, "violations")) for m in measured),
        "speed_up_50": _speed_up([m for m in fine if _signals(m) == LARGE]),
        "speed_up_all": _speed_up(fine),
        "slowest_50_whole_ms": max(
            (_number(m, "ours_ms") for m in whole if _signals(m) == LARGE), default=None
        ),
        "slowest_50_with_rounding_ms": max(
            (m.whole_ms for m in whole if _signals(m) == LARGE), default=None
        ),
        "whole_cycles_cost": max(
            (_number(a, "value") - _number(b, "value") for a, b in zip(fine, whole, strict=True)),
            default=None,
        ),
        "whole_offsets_cost": max((m.band.rounding_cost for m in whole if m.band), default=None),
        "one_way_wins": [
            m.row["instance"] for m in fine if m.band and m.band.exact is not m.band.two_way
        ],
        **{
            str(model): _of_model([m for m in measured if m.row["model"] == model])
            for model in BandModel
        },
    }


def _of_model(rows: Sequence[Measured]) -> dict[str, object]:
    """Return how one model did: shares of the known values and bounds, speed-ups at 50 signals."""
    fine = [m for m in rows if m.row["model"] == BandModel.NETWORK or _is_fine(m)]
    known = [_number(m, "value") / _number(m, "expected") - 1 for m in fine if m.row["expected"]]
    gaps = [_number(m, "gap") for m in fine if m.row["gap"] is not None]
    large = [m for m in fine if _signals(m) == LARGE]
    return {
        "rows": len(fine),
        "worst_to_expected": min(known, default=None),
        "within_0.1_percent": sum(share >= -0.001 for share in known),  # noqa: PLR2004
        "with_expected": len(known),
        "worst_gap_to_bound": max(gaps, default=None),
        "speed_up": _speed_up(fine),
        "speed_up_50": _speed_up(large),
        "unproved_50": sum(m.row["highs_proved"] is False for m in large),
        "slowest_ms": max((_number(m, "ours_ms") for m in fine), default=None),
    }


def _speed_up(measured: Sequence[Measured]) -> float | None:
    """Return the geometric mean of HiGHS time over ours where ours reaches the same value.

    Where HiGHS ran out of time its time is the limit, so that the mean is too low.
    """
    pairs = [
        (_number(m, "highs_ms"), _number(m, "ours_ms"))
        for m in measured
        if m.row["highs_ms"] is not None
        and _number(m, "value") >= (_known(m, "highs_value")) - SAME
    ]
    return geometric_mean(highs / ours for highs, ours in pairs)


def _excess(m: Measured) -> float:
    return round(_number(m, "value") - _number(m, "expected"), 6)


def _is_fine(m: Measured) -> bool:
    return m.row["grid_s"] == FINE_GRID_S


def _signals(m: Measured) -> int:
    return int(_number(m, "signals"))


def _known(m: Measured, key: str) -> float:
    return 0.0 if m.row[key] is None else _number(m, key)


def _number(m: Measured, key: str) -> float:
    return float(str(m.row[key]))


def _log(m: Measured) -> dict[str, object]:
    """Return what the walker saw, stop line by stop line."""
    return {
        "instance": m.row["instance"],
        "steps": [
            {
                "signal": step.signal,
                "direction": "outbound" if step.outbound else "inbound",
                "front_ms": step.front_ms,
                "end_ms": step.end_ms,
                "green_before_ms": step.green_before_ms,
                "green_after_ms": step.green_after_ms,
            }
            for step in (m.walk.log if m.walk else ())
        ],
    }
