# SPDX-License-Identifier: Apache-2.0
"""Time-of-day periods: exact cyclic partition by plan delay, their number by held-out days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, Severity, UsageError
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.signal.schedule import DAY_S, DayPlan, Period
from lvbo.timing.period_cost import (
    ModelCosts,
    PlanCosts,
    flow_ratio_weights,
    typical_rows,
)
from lvbo.timing.plans import Group

Array = NDArray[np.float64]
FOLDS = 5
LEAST_SPAN_S = 10_800
RESAMPLED = 20
BOOT_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A change of plan: its local second, and the 5 to 95 % range and support under resampling.

    `support` is the share of resampled sets of days that have a break within two slots.
    """

    second: int
    early_s: int
    late_s: int
    support: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodChoice:
    """How the periods of a day type were chosen for a group of controllers.

    `held_out[k]` is the cost of `numbers[k]` periods on days held out, veh-s per day, and
    `error[k]` the standard error of its difference from the best. `chosen` is the smallest number
    within one standard error of the best.
    """

    day_type: str
    controllers: tuple[ControllerId, ...]
    numbers: tuple[int, ...]
    held_out: tuple[float, ...]
    error: tuple[float, ...]
    chosen: int
    breaks: tuple[Break, ...]


@dataclass(frozen=True, kw_only=True)
class Periods:
    """The day plans, one per day type, and how they were chosen; iterates over the day plans.

    Where groups have breaks of their own, the day plans hold the breaks of all of them.
    """

    day_plans: tuple[DayPlan, ...]
    choices: tuple[PeriodChoice, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    def __iter__(self) -> Iterator[DayPlan]:
        return iter(self.day_plans)

    def __len__(self) -> int:
        return len(self.day_plans)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    slots: int
    shortest: int
    most: int


@dataclass(frozen=True, eq=False, kw_only=True)
class _Cut:
    """The best partition for each number k of periods: cost, first slots and plans in order."""

    value: Array
    starts: NDArray[np.int32]
    labels: NDArray[np.int32]

    def begins(self, k: int) -> list[int]:
        """Return the first slots of k periods."""
        return sorted(int(s) for s in self.starts[k, :k])

    def plan_at(self, k: int, slots: int) -> NDArray[np.int64]:
        """Return the plan of each slot under k periods."""
        out = np.zeros(slots, dtype=np.int64)
        own = self.starts[k, :k]
        for j in range(k):
            length = int(own[(j + 1) % k] - own[j]) % slots or slots
            out[(int(own[j]) + np.arange(length)) % slots] = self.labels[k, j]
        return out


def find_periods(
    network: Network,
    demand: Demand,
    *,
    groups: Sequence[Group] | None = None,
    min_length_s: int = 2700,
    max_periods: int = 10,
    costs: PlanCosts | None = None,
) -> Periods:
    """Return the periods of each day type: one set of breaks per group, all controllers if None.

    Cost is the delay of candidate plans over the slots plus the loss in each switch; the partition
    is exact for its candidates (ordered partition, Fisher 1958, made cyclic). Demand over less
    than three hours gives one period. `costs` replaces the delay model.

    Raises:
        UsageError: LV542 where the limits fit no day.

    """
    slots = DAY_S // demand.slot_s
    shortest = -(-min_length_s // demand.slot_s)
    if not 1 <= shortest <= slots or max_periods < 1:
        raise UsageError("LV542", min_length_s=min_length_s, max_periods=max_periods)
    if demand.slots * demand.slot_s < LEAST_SPAN_S:
        found = Finding(
            code="LV541",
            place="demand",
            severity=Severity.ADVICE,
            fields={"minutes": demand.slots * demand.slot_s // 60},
        )
        days = tuple(DayPlan(day_type=kind, periods=(_whole(),)) for kind in demand.kinds)
        return Periods(day_plans=days, findings=(found,))
    limits = _Limits(slots=slots, shortest=shortest, most=min(max_periods, slots // shortest))
    chosen_groups = groups or (Group(controllers=tuple(c.id for c in network.controllers)),)
    choices, findings = [], []
    for group in chosen_groups:
        plan_costs = costs or ModelCosts(
            network=network, demand=demand, controllers=group.controllers
        )
        folds = {kind: _folds(demand, kind) for kind in demand.kinds}
        rows = np.concatenate([f[_seen(f)] for f in folds.values()])
        plan_costs.candidates(typical_rows(rows, flow_ratio_weights(network, demand)))
        for kind in demand.kinds:
            choice = _choose(demand, (kind, folds[kind]), group, plan_costs, limits)
            choices.append(choice)
            findings += _said(demand, choice)
    plans = tuple(_day_plan(kind, choices) for kind in demand.kinds)
    return Periods(day_plans=plans, choices=tuple(choices), findings=tuple(findings))


def _seen(folds: Array) -> NDArray[np.bool_]:
    """Return the slots in which anything was seen, shape (folds, slots)."""
    return np.asarray(~np.isnan(folds).all(axis=2))


def _choose(
    demand: Demand,
    day: tuple[str, Array],
    group: Group,
    costs: PlanCosts,
    limits: _Limits,
) -> PeriodChoice:
    """Choose number and breaks for one day type of one group."""
    kind, folds = day
    cost = _cost_table(costs, folds, _seen(folds), demand, limits.slots)
    change = costs.changes(_delay_rate(cost, demand))
    held_out, error, chosen = _number(cost, change, limits)
    cut = _partition(cost.mean(axis=0), change, limits)
    while chosen > 1 and not np.isfinite(cut.value[chosen]):
        chosen -= 1
    return PeriodChoice(
        day_type=kind,
        controllers=group.controllers,
        numbers=tuple(range(1, limits.most + 1)),
        held_out=held_out,
        error=error,
        chosen=chosen,
        breaks=_breaks(cut, cost, change, limits, chosen, demand.slot_s),
    )


def _folds(demand: Demand, kind: str) -> Array:
    """Return median volumes of up to five sets of days, shape (folds, slots, movements).

    Day d of a type lies in set d modulo their number, so that weekdays spread.
    """
    rows = [d for d, own in enumerate(demand.day_types) if own == kind]
    count = min(FOLDS, len(rows))
    out = np.full((count, demand.slots, len(demand.movements)), np.nan)
    for fold in range(count):
        block = demand.volume_vph[rows[fold::count]]
        known = ~np.isnan(block).all(axis=0)
        out[fold][known] = np.nanmedian(block[:, known], axis=0)
    return out


def _cost_table(
    costs: PlanCosts, folds: Array, seen: NDArray[np.bool_], demand: Demand, slots: int
) -> Array:
    """Return veh-s of each plan in each slot of the whole day, shape (folds, plans, slots).

    A slot that was not seen costs nothing under any plan.
    """
    hours = demand.slot_s / 3600
    delays = costs.delays(folds[seen]) * hours
    out = np.zeros((len(folds), len(delays), slots))
    first = demand.first_s // demand.slot_s
    where = [(fold, (first + slot) % slots) for fold, slot in np.argwhere(seen)]
    for row, (fold, slot) in enumerate(where):
        out[fold, :, slot] = delays[:, row]
    return out


def _delay_rate(cost: Array, demand: Demand) -> float:
    """Return the mean veh-s per hour of the best plan of each slot."""
    best = cost.mean(axis=0).min(axis=0)
    used = best[best > 0]
    return float(used.mean() * 3600 / demand.slot_s) if len(used) else 0.0


def _partition(cost: Array, change: Array, limits: _Limits) -> _Cut:
    from lvbo.timing._period_kernels import partition

    most = limits.most
    value = np.full(most + 1, np.inf)
    starts = np.full((most + 1, most), -1, dtype=np.int32)
    labels = np.full((most + 1, most), -1, dtype=np.int32)
    partition(np.ascontiguousarray(cost), change, limits.shortest, most, value, starts, labels)
    return _Cut(value=value, starts=starts, labels=labels)


def _number(
    cost: Array, change: Array, limits: _Limits
) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    """Return held-out cost and error per number of periods, and the number within one error.

    With a single set of days nothing can be held out: the cost is that of the days themselves.
    """
    folds = len(cost)
    table = np.full((folds, limits.most), np.inf)
    for fold in range(folds):
        rest = [f for f in range(folds) if f != fold] or [fold]
        cut = _partition(cost[rest].mean(axis=0), change, limits)
        for k in range(1, limits.most + 1):
            if np.isfinite(cut.value[k]):
                table[fold, k - 1] = _cost_of(cut, k, cost[fold], change)
    mean = table.mean(axis=0)
    best = int(np.argmin(mean))
    with np.errstate(invalid="ignore"):
        apart = table - table[:, [best]]
    error = np.zeros(limits.most)
    if folds > 1:
        error = np.nan_to_num(apart.std(axis=0, ddof=1) / np.sqrt(folds), nan=0.0)
    near = [k for k in range(limits.most) if mean[k] <= mean[best] + error[k]]
    return tuple(mean.tolist()), tuple(error.tolist()), min(near) + 1


def _cost_of(cut: _Cut, k: int, cost: Array, change: Array) -> float:
    """Return what k periods with their plans cost on other days, switches included."""
    plans = cut.plan_at(k, cost.shape[1])
    running = float(cost[plans, np.arange(cost.shape[1])].sum())
    labels = cut.labels[k, :k]
    switches = sum(float(change[a, b]) for a, b in zip(labels, np.roll(labels, -1), strict=True))
    return running + (switches if k > 1 else 0.0)


def _breaks(
    cut: _Cut, cost: Array, change: Array, limits: _Limits, chosen: int, slot_s: int
) -> tuple[Break, ...]:
    """Return the breaks with their range over resampled days."""
    if chosen == 1:
        return ()
    begins = cut.begins(chosen)
    others = _resampled(cost, change, limits, chosen)
    return tuple(_judged_break(b, others, limits.slots, slot_s) for b in begins)


def _resampled(cost: Array, change: Array, limits: _Limits, chosen: int) -> list[list[int]]:
    if len(cost) == 1:
        return []
    draw = np.random.default_rng(BOOT_SEED)
    only = _Limits(slots=limits.slots, shortest=limits.shortest, most=chosen)
    found = []
    for _ in range(RESAMPLED):
        days = draw.integers(0, len(cost), len(cost))
        cut = _partition(cost[days].mean(axis=0), change, only)
        if np.isfinite(cut.value[chosen]):
            found.append(cut.begins(chosen))
    return found


def _judged_break(begin: int, others: list[list[int]], slots: int, slot_s: int) -> Break:
    nearest = [
        min(((b - begin + slots // 2) % slots - slots // 2 for b in listed), key=abs)
        for listed in others
    ]
    near = [off for off in nearest if abs(off) <= 2]  # noqa: PLR2004  two slots
    low, high = np.percentile(nearest, [5, 95]) if nearest else (0.0, 0.0)
    return Break(
        second=begin * slot_s,
        early_s=round(begin + float(low)) % slots * slot_s,
        late_s=round(begin + float(high)) % slots * slot_s,
        support=len(near) / len(nearest) if nearest else 0.0,
    )


def _day_plan(kind: str, choices: Sequence[PeriodChoice]) -> DayPlan:
    """Return the day plan with the breaks of all groups."""
    own = [choice for choice in choices if choice.day_type == kind]
    seconds = sorted({b.second for choice in own for b in choice.breaks})
    if len(seconds) < 2:  # noqa: PLR2004  one break leaves one period
        return DayPlan(day_type=kind, periods=(_whole(),))
    ends = [*seconds[1:], seconds[0]]
    return DayPlan(
        day_type=kind,
        periods=tuple(
            Period(start_s=start, end_s=end, name=period_name(start))
            for start, end in zip(seconds, ends, strict=True)
        ),
    )


def period_name(start_s: int) -> str:
    """Return the stable, language-free name of a period by its start: p0700."""
    return f"p{start_s // 3600:02d}{start_s % 3600 // 60:02d}"


def _whole() -> Period:
    return Period(start_s=0, end_s=0, name="all")


def _said(demand: Demand, choice: PeriodChoice) -> list[Finding]:
    days = demand.day_types.count(choice.day_type)
    if days > 1:
        return []
    fields = {"days": days}
    return [Finding(code="LV540", place=choice.day_type, severity=Severity.WARNING, fields=fields)]
