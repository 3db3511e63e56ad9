# SPDX-License-Identifier: Apache-2.0
"""Turning volumes from counts of lanes, approaches and exits, with the range where undetermined.

Unknowns are vehicles of movement m in lane l; observations are sums of unknowns. The estimate is
the fixed point of the Poisson maximum-likelihood iteration started at prior turn shares. Where rows
do not overlap it is iterative proportional fitting (Kruithof 1937): the prior speaks only where the
counts are silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import LaneId, MovementId
from lvbo.network.network import Network
from lvbo.network.place import Turn

Array = NDArray[np.float64]
Pair = tuple[LaneId, MovementId]
PRIOR = {Turn.LEFT: 0.15, Turn.THROUGH: 0.70, Turn.RIGHT: 0.15, Turn.UTURN: 0.02}
ROUNDS = 60
SLACK = 0.02


@dataclass(frozen=True, eq=False, kw_only=True)
class Observation:
    """One count: the unknowns it sums and its values, shape (times,), NaN where not seen."""

    columns: tuple[int, ...]
    values: Array
    weight: float = 1.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Turning:
    """Volumes with their range, shape (movements, times), and how many movements stay open."""

    volume: Array
    lower: Array
    upper: Array
    deficit: int


def pairs_of(network: Network, movements: Sequence[MovementId]) -> tuple[Pair, ...]:
    """Return the lane-movement pairs of these movements, car lanes only where there are any.

    A movement without lanes has one pair.
    """
    found: list[Pair] = []
    for movement in movements:
        every = network.movement_index[movement].lanes
        cars = tuple(lane for lane in every if network.lane_index[lane].for_cars)
        lanes = cars or every or (LaneId(""),)
        found.extend((lane, movement) for lane in lanes)
    return tuple(found)


def prior_of(network: Network, pairs: Sequence[Pair]) -> Array:
    """Return prior weights of the pairs: usual turn shares, over lanes so that they fill evenly.

    Movements with few lanes choose first: a through vehicle leaves a shared lane to those that
    must use it.
    """
    weights = np.zeros(len(pairs))
    load: dict[LaneId, float] = {}
    own: dict[MovementId, list[int]] = {}
    for k, (_, movement) in enumerate(pairs):
        own.setdefault(movement, []).append(k)
    for movement in sorted(own, key=lambda m: (len(own[m]), m)):
        columns = own[movement]
        loads = np.array([load.get(pairs[k][0], 0.0) for k in columns])
        weights[columns] = _levelled(loads, PRIOR[network.movement_index[movement].turn])
        for k in columns:
            load[pairs[k][0]] = load.get(pairs[k][0], 0.0) + float(weights[k])
    return weights


def _levelled(loads: Array, volume: float) -> Array:
    """Return how a volume spreads over lanes so that the fullest is as empty as can be.

    Every lane gets a tenth of an even share at least.
    """
    order = np.sort(loads)
    levels = [(volume + order[:n].sum()) / n for n in range(1, len(order) + 1)]
    level = next(
        (at for n, at in enumerate(levels, start=1) if n == len(order) or at <= order[n]),
        levels[-1],
    )
    share = np.maximum(level - loads, 0.1 * volume / len(loads))
    return np.asarray(share * volume / share.sum())


def turning_volumes(
    pairs: Sequence[Pair],
    movements: Sequence[MovementId],
    observations: Sequence[Observation],
    prior: Array,
) -> Turning:
    """Return the volumes that fit the observations best, and what they can be at least and most."""
    times = len(observations[0].values) if observations else 0
    matrix = np.zeros((len(observations), len(pairs)))
    for row, observation in enumerate(observations):
        matrix[row, list(observation.columns)] = 1.0
    values = np.array([o.values for o in observations]).reshape(len(observations), times)
    weights = np.array([o.weight for o in observations])
    summing = np.array([[float(m == own) for _, own in pairs] for m in movements])
    estimate = _summed(summing, _fit(matrix, values, weights, prior), prior)
    lower, upper = _range(matrix, values, summing)
    return Turning(
        volume=estimate,
        lower=np.fmin(lower, estimate),
        upper=np.fmax(upper, estimate),
        deficit=_deficit(matrix, summing),
    )


def _fit(matrix: Array, values: Array, weights: Array, prior: Array) -> Array:
    """Return unknowns of shape (pairs, times), NaN where no observation reaches."""
    seen = ~np.isnan(values)
    strength = seen * weights[:, None]
    counted = np.nan_to_num(values)
    reach = matrix.T @ strength
    scale = counted.max(axis=0, initial=1.0) / prior.sum()
    found = prior[:, None] * np.maximum(scale, 1e-6)[None, :]
    rounds = 1 if (matrix.sum(axis=0) <= 1).all() else ROUNDS
    for _ in range(rounds):
        made = np.maximum(matrix @ found, 1e-12)
        found = found * (matrix.T @ (strength * counted / made)) / np.maximum(reach, 1e-12)
    return np.where(reach > 0, found, np.nan)


def _summed(summing: Array, found: Array, prior: Array) -> Array:
    """Return movement sums; a lane not seen runs like the seen lanes of its movement.

    NaN where no lane of a movement was seen.
    """
    seen = ~np.isnan(found)
    known = summing @ np.nan_to_num(found)
    share = (summing @ (seen * prior[:, None])) / (summing @ prior)[:, None]
    return np.asarray(np.where(share > 0, known / np.maximum(share, 1e-9), np.nan))


def _range(matrix: Array, values: Array, summing: Array) -> tuple[Array, Array]:
    """Return bounds of the movements by propagating intervals; they always hold the truth.

    Counts are taken as exact within 2 %.
    """
    pairs, times = matrix.shape[1], values.shape[1]
    low, high = np.zeros((pairs, times)), np.full((pairs, times), np.inf)
    rows = [(np.flatnonzero(row), values[k]) for k, row in enumerate(matrix)]
    for _ in range(3):
        for columns, seen in rows:
            _tighten(low, high, columns, seen)
    lower, upper = summing @ low, np.empty((len(summing), times))
    for k, own in enumerate(summing.astype(bool)):
        upper[k] = high[own].sum(axis=0)
        for row in rows:
            _tighten_sum((lower[k], upper[k]), own, row, low, high)
    upper[np.isinf(upper)] = np.nan
    lower[np.isnan(upper)] = np.nan
    return lower, upper


def _tighten(low: Array, high: Array, columns: NDArray[np.intp], seen: Array) -> None:
    sum_low = low[columns].sum(axis=0)
    sum_high = high[columns].sum(axis=0)
    for column in columns:
        most = seen * (1 + SLACK) - (sum_low - low[column])
        with np.errstate(invalid="ignore"):
            least = seen * (1 - SLACK) - (sum_high - high[column])
        high[column] = np.fmin(high[column], np.maximum(most, low[column]))
        low[column] = np.fmin(high[column], np.fmax(low[column], np.nan_to_num(least, nan=0.0)))


def _tighten_sum(
    bounds: tuple[Array, Array],
    own: NDArray[np.bool_],
    row: tuple[NDArray[np.intp], Array],
    low: Array,
    high: Array,
) -> None:
    """Tighten the bounds of one movement by an observation that covers all of it."""
    lower, upper = bounds
    columns, seen = row
    inside = np.zeros(len(own), dtype=bool)
    inside[columns] = True
    rest = inside & ~own
    if (own & ~inside).any():
        return
    upper[:] = np.fmin(upper, np.maximum(seen * (1 + SLACK) - low[rest].sum(axis=0), lower))
    with np.errstate(invalid="ignore"):
        least = seen * (1 - SLACK) - high[rest].sum(axis=0)
    lower[:] = np.fmin(upper, np.fmax(lower, least))


def _deficit(matrix: Array, summing: Array) -> int:
    """Return how many movement volumes the observations leave open: a rank deficit."""
    if not len(matrix):
        return len(summing)
    rank = int(np.linalg.matrix_rank(matrix))
    return int(np.linalg.matrix_rank(np.vstack([matrix, summing]))) - rank
