# SPDX-License-Identifier: Apache-2.0
"""How the judged controller compares: ratios to the best rule-keeping rival of each scenario."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict

from lvbo.bench.common import Row
from lvbo.evaluation.intervals import interval


def judge(
    rows: Sequence[Row], judged: str, mean: Callable[[Iterable[float]], float | None]
) -> dict[str, object]:
    """Return the ratio of mean delays per scenario, the worst first, and their geometric mean.

    The rival is the best mean over the seeds that both have, among those whose lamps broke no rule.
    """
    maps: dict[str, dict[str, object]] = {}
    for scenario in sorted({str(row["scenario"]) for row in rows}):
        own = [row for row in rows if row["scenario"] == scenario and row["status"] == "ok"]
        found = _map(own, judged)
        if found is not None:
            maps[scenario] = found
    losers_first = sorted(maps, key=lambda name: -_number(maps[name]["ratio"]))
    return {
        "geometric_mean": mean(_number(m["ratio"]) for m in maps.values()),
        "above_one": [name for name in losers_first if _number(maps[name]["ratio"]) > 1],
        "locks": sum(_whole(r["locks"]) for r in rows if r["controller"] == judged),
        "lamp_violations": sum(
            _whole(r["lamp_violations"]) for r in rows if r["controller"] == judged
        ),
        "never_fired": sorted(
            {f"{r['scenario']} {r['controller']}" for r in rows if r["rules_fired"] == 0}
        ),
        **{name: maps[name] for name in losers_first},
    }


def _map(rows: Sequence[Row], judged: str) -> dict[str, object] | None:
    delays: dict[str, dict[int, float]] = {}
    broken: set[str] = set()
    for row in rows:
        name = str(row["controller"])
        delays.setdefault(name, {})[_whole(row["seed"])] = _number(row["delay_s"])
        if _whole(row["lamp_violations"]):
            broken.add(name)
    ours = delays.get(judged)
    rivals = [n for n in delays if n.partition("@")[0] != judged and n not in broken]
    if not ours or not rivals:
        return None
    best = min(rivals, key=lambda name: _mean(delays[name], ours))
    seeds = sorted(set(ours) & set(delays[best]))
    if not seeds:
        return None
    changes = [ours[s] - delays[best][s] for s in seeds]
    return {
        "ratio": _mean(ours, delays[best]) / max(_mean(delays[best], ours), 1e-9),
        "best": best,
        "delay_s": _mean(ours, delays[best]),
        "best_s": _mean(delays[best], ours),
        "change_s": asdict(interval(changes)),
        "worst_seed_ratio": max(ours.values()) / max(1e-9, *delays[best].values()),
    }


def _mean(delays: Mapping[int, float], others: Mapping[int, float]) -> float:
    """Return the mean delay over the seeds that both have."""
    both = [value for seed, value in delays.items() if seed in others]
    return sum(both) / len(both) if both else math.inf


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.inf


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
