# SPDX-License-Identifier: Apache-2.0
"""Was it better: paired differences with 95 % intervals, the worst seed, losers first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import polars as pl

from lvbo.errors import UsageError
from lvbo.evaluation.corridors import Way
from lvbo.evaluation.indices import CorridorMeasures, measure_coordination
from lvbo.evaluation.intervals import Interval, interval
from lvbo.evaluation.measures import Measures, measure
from lvbo.evaluation.movements import measure_movements
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.simulation.runs import Runs

LESS_IS_BETTER: Mapping[str, bool] = {
    "delay_s": True,
    "person_delay_s": True,
    "trip_s": True,
    "trip_p95_s": True,
    "stops": True,
    "queue": True,
    "queue_longest": True,
    "spillback_min": True,
    "throughput_vph": False,
    "unfinished": True,
    "co2_g": True,
    "bus_delay_s": True,
    "bus_trip_s": True,
    "walk_delay_s": True,
    "walk_delay_longest_s": True,
}
"""The measures that are compared, and which way each is good."""

WAY_LESS_IS_BETTER: Mapping[str, bool] = {
    "stops_per_km": True,
    "nonstop_share": False,
    "speed_mps": False,
    "travel_median_s": True,
    "travel_p95_s": True,
    "green_arrival_share": False,
    "platoon_ratio": False,
    "stops_per_signal": True,
    "control_delay_s": True,
    "green_flow_vph": False,
    "green_use": False,
    "speed_variation": True,
    "spillback_share": True,
    "red_queue_share": True,
    "queue_storage_share": True,
    "bus_speed_mps": False,
    "side_queue_m": True,
    "imbalance": True,
}
"""The measures of one direction of a corridor that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """After less before in one measure, paired by seed.

    `percent` is of the before value, seed by seed; None where a before value is zero. `worst_seed`
    is the seed with the least gain, or the most loss; `worst` its difference.
    """

    measure: str
    before: float
    after: float
    change: Interval
    percent: Interval | None
    worst_seed: int
    worst: float
    less_is_better: bool

    def __str__(self) -> str:
        share = "" if self.percent is None else f"  {_span(self.percent, '%')}"
        means = f"{self.measure:>22} {self.before:10.2f} > {self.after:10.2f}"
        return f"{means}  {_span(self.change)}{share}  worst {self.worst:+.2f} ({self.worst_seed})"

    @property
    def gain(self) -> float:
        """Return the change, positive where it is for the better."""
        return -self.change.mean if self.less_is_better else self.change.mean

    @property
    def is_certain(self) -> bool:
        """Say whether the interval of the change excludes zero."""
        return self.change.excludes_zero


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementChange:
    """After less before in the delay of one movement, with its mean number of vehicles."""

    movement: str
    street: str
    vehicles: float
    before_s: float
    after_s: float
    change_s: Interval

    @property
    def loss_s(self) -> float:
        """Return the change times the vehicles: what all of them together lose."""
        return self.change_s.mean * self.vehicles


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two controllers over the same seeds: measures that lose first, movements that lose first."""

    scenario: str
    before: str
    after: str
    seeds: tuple[int, ...]
    differences: tuple[Difference, ...]
    movements: tuple[MovementChange, ...]

    def of(self, name: str) -> Difference:
        """Return the difference in one measure; KeyError where it was not measured."""
        return {difference.measure: difference for difference in self.differences}[name]

    def __str__(self) -> str:
        lines = [f"{self.scenario}: {self.before} > {self.after}, seeds {list(self.seeds)}"]
        lines += [str(difference) for difference in self.differences]
        return "\n".join(lines)

    @property
    def losers(self) -> tuple[MovementChange, ...]:
        """Return the movements that lose, the greatest common loss first."""
        return tuple(m for m in self.movements if m.change_s.mean > 0)


def compare(before: Runs, after: Runs, network: Network | None = None) -> Comparison:
    """Return what changed from one set of runs to the other, seed by seed.

    With a network, delays of movements are compared too.

    Raises:
        UsageError: LV605 where the scenarios or the seeds differ.

    """
    _check_pairs(before, after)
    old = [measure(run, network) for run in before.runs]
    new = [measure(run, network) for run in after.runs]
    return Comparison(
        scenario=before.scenario,
        before=before.controller,
        after=after.controller,
        seeds=before.seeds,
        differences=compare_measures(old, new),
        movements=() if network is None else compare_movements(before, after, network),
    )


def _span(found: Interval, unit: str = "") -> str:
    if found.low is None or found.high is None:
        return f"{found.mean:+.2f}{unit} (n = 1)"
    return f"{found.mean:+.2f}{unit} [{found.low:+.2f}, {found.high:+.2f}]"


def _check_pairs(before: Runs, after: Runs) -> None:
    if before.scenario != after.scenario or before.seeds != after.seeds or not before.seeds:
        raise UsageError(
            "LV605",
            place=after.scenario,
            before=f"{before.scenario} {list(before.seeds)}",
            after=f"{after.scenario} {list(after.seeds)}",
        )


def compare_measures(
    before: Sequence[Measures], after: Sequence[Measures]
) -> tuple[Difference, ...]:
    """Return the paired differences of two lists in the same order of seeds, losers first.

    Raises:
        UsageError: LV605 where the seeds differ.

    """
    seeds = tuple(m.seed for m in before)
    if not seeds or seeds != tuple(m.seed for m in after):
        raise UsageError(
            "LV605", place="", before=str(list(seeds)), after=str([m.seed for m in after])
        )
    found = []
    for name, less in LESS_IS_BETTER.items():
        old, new = _values(before, name), _values(after, name)
        if old is not None and new is not None:
            found.append(_difference(name, seeds, old, new, less_is_better=less))
    return tuple(sorted(found, key=_losers_first))


def compare_corridor(
    before: Runs, after: Runs, corridor: Corridor, network: Network
) -> Mapping[Way, tuple[Difference, ...]]:
    """Return the paired differences of each direction of a corridor and of both, losers first.

    A measure that some run does not have, because nobody drove the way, is left out.

    Raises:
        UsageError: LV605 where the scenarios or the seeds differ.

    """
    _check_pairs(before, after)
    old = [measure_coordination(run, corridor, network) for run in before.runs]
    new = [measure_coordination(run, corridor, network) for run in after.runs]
    return compare_ways(before.seeds, old, new)


def compare_ways(
    seeds: Sequence[int],
    old: Sequence[Sequence[CorridorMeasures]],
    new: Sequence[Sequence[CorridorMeasures]],
) -> Mapping[Way, tuple[Difference, ...]]:
    """Return the same from measures: one sequence of directions per seed, before and after."""
    found: dict[Way, tuple[Difference, ...]] = {}
    for ways in zip(*old, *new, strict=True):
        left, right = ways[: len(old)], ways[len(old) :]
        differences = [
            _difference(name, seeds, a, b, less_is_better=less)
            for name, less in WAY_LESS_IS_BETTER.items()
            if (a := _values(left, name)) is not None and (b := _values(right, name)) is not None
        ]
        found[ways[0].way] = tuple(sorted(differences, key=lambda d: d.gain >= 0))
    return found


def _values(measures: Sequence[Measures | CorridorMeasures], name: str) -> list[float] | None:
    found: list[float] = []
    for each in measures:
        named = each.values if isinstance(each, CorridorMeasures) else asdict(each)
        value = named[name]
        if value is None:
            return None
        found.append(float(value))
    return found


def _difference(
    name: str,
    seeds: Sequence[int],
    old: Sequence[float],
    new: Sequence[float],
    *,
    less_is_better: bool,
) -> Difference:
    changes = [b - a for a, b in zip(old, new, strict=True)]
    shares = [100 * c / a for a, c in zip(old, changes, strict=True) if a != 0]
    worst = (max if less_is_better else min)(range(len(seeds)), key=lambda k: changes[k])
    return Difference(
        measure=name,
        before=sum(old) / len(old),
        after=sum(new) / len(new),
        change=interval(changes),
        percent=interval(shares) if len(shares) == len(changes) else None,
        worst_seed=seeds[worst],
        worst=changes[worst],
        less_is_better=less_is_better,
    )


def _losers_first(difference: Difference) -> tuple[bool, int]:
    return difference.gain >= 0, list(LESS_IS_BETTER).index(difference.measure)


def compare_movements(before: Runs, after: Runs, network: Network) -> tuple[MovementChange, ...]:
    """Return the change of mean delay per movement, the greatest common loss first.

    Movements that were not made in every run of both are left out.
    """
    old, new = (
        [measure_movements(run, network).rename({"delay_s": f"{side}_s"}) for run in runs.runs]
        for side, runs in (("before", before), ("after", after))
    )
    pairs = [
        a.select("movement", "street", "vehicles", "before_s").join(
            b.select("movement", "after_s"), on="movement"
        )
        for a, b in zip(old, new, strict=True)
    ]
    grouped = (
        pl.concat(pairs)
        .group_by("movement", "street", maintain_order=True)
        .agg(pl.col("vehicles").mean(), pl.col("before_s"), pl.col("after_s"))
        .filter(pl.col("before_s").list.len() == len(pairs))
    )
    changes = [_movement_change(row) for row in grouped.iter_rows(named=True)]
    return tuple(sorted(changes, key=lambda m: (-m.loss_s, m.movement)))


def _movement_change(row: Mapping[str, object]) -> MovementChange:
    old, new = row["before_s"], row["after_s"]
    if not isinstance(old, list) or not isinstance(new, list):
        raise TypeError(row)
    return MovementChange(
        movement=str(row["movement"]),
        street=str(row["street"]),
        vehicles=float(str(row["vehicles"])),
        before_s=sum(old) / len(old),
        after_s=sum(new) / len(new),
        change_s=interval([b - a for a, b in zip(old, new, strict=True)]),
    )
