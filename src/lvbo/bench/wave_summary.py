# SPDX-License-Identifier: Apache-2.0
"""How our default wave compares with those of each model alone: paired intervals, losers first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from lvbo.bench.common import Row
from lvbo.bench.wave_designs import DELAY, LVBO, MAXBAND
from lvbo.evaluation.intervals import interval

MEASURES = ("delay_s", "corridor_stops_per_km", "corridor_travel_s", "side_delay_s")
MARGIN = 3.0
"""Non-inferior is what is surely less than 3 % worse."""
TRIALS: Mapping[str, tuple[str, str]] = {
    "delay_vs_maxband": (MAXBAND, "delay_s"),
    "stops_vs_delay": (DELAY, "corridor_stops_per_km"),
}
"""What our default is held to on each street: the rival and the measure."""

Found = Mapping[str, Mapping[int, Mapping[str, float]]]
"""Measures by model and seed."""


def summary(rows: Sequence[Row], told: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Return for each street its means and our changes in per cent, and the verdict over all."""
    streets = {name: _street(_of(rows, name), facts) for name, facts in told.items()}
    return {**_verdicts(streets), **streets}


def _of(rows: Sequence[Row], street: str) -> Found:
    found: dict[str, dict[int, dict[str, float]]] = {}
    for row in rows:
        if f"{row['scenario']} {row['corridor']}" == street and row["status"] == "ok":
            values = {m: float(str(row[m])) for m in MEASURES if row[m] is not None}
            found.setdefault(str(row["model"]), {})[int(str(row["seed"]))] = values
    return found


def _street(found: Found, facts: Mapping[str, object]) -> dict[str, object]:
    means = {
        model: {m: _mean([v[m] for v in seeds.values() if m in v]) for m in MEASURES}
        for model, seeds in found.items()
    }
    ours = found.get(LVBO, {})
    against = {
        model: {m: change for m in MEASURES if (change := _change(seeds, ours, m)) is not None}
        for model, seeds in found.items()
        if model != LVBO
    }
    best = {m: min(means, key=lambda name: means[name][m]) for m in MEASURES if means}
    trials = {
        name: verdict
        for name, (rival, m) in TRIALS.items()
        if (verdict := _verdict(against.get(rival, {}).get(m))) is not None
    }
    return {**facts, **trials, "best": best, "means": means, "lvbo_vs": against}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("inf")


def _change(
    before: Mapping[int, Mapping[str, float]],
    after: Mapping[int, Mapping[str, float]],
    measure: str,
) -> dict[str, object] | None:
    """Return the paired change of a measure in per cent of the mean before, and the worst seed."""
    seeds = [s for s in before if measure in before[s] and measure in after.get(s, {})]
    mean = _mean([before[s][measure] for s in seeds])
    if not seeds or mean <= 0:
        return None
    changes = {s: 100 * (after[s][measure] - before[s][measure]) / mean for s in seeds}
    worst = max(changes, key=lambda s: changes[s])
    return asdict(interval(list(changes.values()))) | {"worst": changes[worst], "worst_seed": worst}


def _verdict(change: Mapping[str, object] | None) -> str | None:
    """Say whether we are surely better, surely not worse by the margin, surely worse, or neither.

    One seed has no interval; nothing is sure then.
    """
    if change is None:
        return None
    low, high = change["low"], change["high"]
    if not isinstance(low, float) or not isinstance(high, float):
        return "unsure"
    if high < 0:
        return "better"
    if high <= MARGIN:
        return "non-inferior"
    return "worse" if low > 0 else "unsure"


def _verdicts(streets: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for trial in TRIALS:
        own = {name: str(s[trial]) for name, s in streets.items() if trial in s}
        counted = {v: sum(w == v for w in own.values()) for v in ("better", "non-inferior")}
        rest = sorted(name for name, v in own.items() if v not in counted)
        found[trial] = {"streets": len(own), **counted, "others": rest}
    return found
