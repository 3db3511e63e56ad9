# SPDX-License-Identifier: Apache-2.0
"""Stage orders as the windows that they open and close, so that a search may move greens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lvbo.optimize.mesh import AreaMesh
from lvbo.timing.model import ControllerModel

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Lamps, Stages

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

WHOLE, HALF = 1, 2
"""How often a signal runs its cycle within the common one."""
NEVER = -1


Slot = tuple[int, int, int]
"""A window by its movement, right and number."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StageTable:
    """The rows of all signals: `order[R]` is the order of the model a row stands for."""

    order: Ints
    stages: Stages
    lamps: Lamps

    def new_lamps(self, copies: int = 1) -> Lamps:
        """Return windows for another search; copies of a signal share theirs."""
        own = self.lamps
        return own._replace(
            first=np.tile(own.first, copies),
            last=np.tile(own.last, copies),
            gain=np.tile(own.gain, copies),
            begin=own.begin.copy(),
            length=own.length.copy(),
            sneak=own.sneak.copy(),
        )

    def rows(self, signal: int, times: int = WHOLE) -> Ints:
        """Return the rows of a signal that run so often in the common cycle."""
        first, last = self.stages.first[signal], self.stages.first[signal + 1]
        own = np.arange(first, last)
        found: Ints = own[self.stages.times[own] == times]
        return found


def build_table(mesh: AreaMesh) -> StageTable:
    """Return every stage order of every signal, once in the common cycle and twice."""
    from lvbo.optimize._profile_values import Stages

    known: dict[tuple[int, int, int], _Rows] = {}
    parts = []
    for model, (loss_s, gain_s) in zip(mesh.models, mesh.loss_gain_s, strict=True):
        key = id(model), loss_s, gain_s
        if key not in known:
            known[key] = _rows(model, loss_s, gain_s)
        parts.append(known[key])

    def whole(name: str, rest: int = 0) -> Ints:
        return _below([getattr(part, name) for part in parts], rest)

    return StageTable(
        order=np.concatenate([part.order for part in parts]),
        stages=Stages(
            first=np.cumsum([0, *(len(part.order) for part in parts)]).astype(np.int64),
            size=np.concatenate([part.size for part in parts]),
            times=np.concatenate([part.times for part in parts]),
            inter=whole("inter"),
            low=whole("low"),
            high=whole("high"),
            opens=whole("opens", NEVER),
            closes=whole("closes", NEVER),
            turn=whole("turn"),
            late=whole("late").astype(np.float32),
            past=whole("past").astype(np.float32),
            red=whole("red").astype(np.float32),
        ),
        lamps=empty_lamps([part.slots for part in parts], mesh),
    )


def _below(blocks: Sequence[Ints], rest: int = 0) -> Ints:
    """Return blocks of rows one below the other, filled up with `rest` to the widest."""
    widest = max((block.shape[1] for block in blocks), default=1)
    out = np.full((sum(len(block) for block in blocks), widest), rest, np.int64)
    row = 0
    for block in blocks:
        out[row : row + len(block), : block.shape[1]] = block
        row += len(block)
    return out


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class _Rows:
    """The rows of one signal, shapes as in `Stages`; `slots` are what its windows serve."""

    order: Ints
    size: Ints
    times: Ints
    inter: Ints
    low: Ints
    high: Ints
    opens: Ints
    closes: Ints
    turn: Ints
    late: Ints
    past: Ints
    red: Ints
    slots: list[Slot]


def _rows(model: ControllerModel, loss_s: int, gain_s: int) -> _Rows:
    """Return all orders of a signal once in the cycle, then all of them twice."""
    count = len(model.orders)
    inter, low, high = (
        _below([own[None] for own in column])
        for column in zip(
            *((arrays.inters, low, high) for arrays, low, high in model.order_arrays), strict=True
        )
    )
    found = _windows(model)
    row, turn, number = found.order, np.zeros_like(found.order), found.number
    again = np.flatnonzero(found.last != NEVER)
    pick = np.concatenate([np.arange(len(row)), np.arange(len(row)), again])
    row = np.concatenate([row, row + count, row[again] + count])
    number = np.concatenate([number, number, number[again] + found.many[again]])
    turn = np.concatenate([turn, turn, turn[again] + 1])
    most, rights = int(number.max(initial=0)) + 1, int(found.right.max(initial=0)) + 1
    slots, at = np.unique(
        (found.move[pick] * rights + found.right[pick]) * most + number, return_inverse=True
    )

    def table(values: Ints, rest: int = 0) -> Ints:
        out = np.full((2 * count, len(slots)), rest, np.int64)
        out[row, at] = values
        return out

    return _Rows(
        order=np.tile(np.arange(count), 2),
        size=np.tile([len(o.stages) for o in model.orders], 2),
        times=np.repeat([WHOLE, HALF], count),
        inter=np.tile(inter, (2, 1)),
        low=np.tile(low, (2, 1)),
        high=np.tile(high, (2, 1)),
        opens=table(found.first[pick], NEVER),
        closes=table(found.last[pick], NEVER),
        turn=table(turn),
        late=table(loss_s * found.starts[pick]),
        past=table(gain_s * found.ends[pick]),
        red=table(found.ends[pick]),
        slots=[(key // most // rights, key // most % rights, key % most) for key in slots.tolist()],
    )


class _Windows(NamedTuple):
    """The windows of one signal in its orders: from stage `first` to `last`, NEVER if always open.

    `number` counts those of one order, movement and right, of which there are `many`; `starts` and
    `ends` are 1 where the lamp was red before and is red after.
    """

    order: Ints
    move: Ints
    right: Ints
    first: Ints
    last: Ints
    starts: Ints
    ends: Ints
    number: Ints
    many: Ints


def _windows(model: ControllerModel) -> _Windows:
    """Return the windows of all movements in all orders, by order, movement and first stage."""
    sizes: dict[int, list[int]] = defaultdict(list)
    for k, own in enumerate(model.orders):
        sizes[len(own.stages)].append(k)
    arrays = [own for own, _, _ in model.order_arrays]
    parts = [
        _alike(
            np.array(orders),
            np.stack([arrays[k].lit for k in orders]),
            np.stack([arrays[k].kept for k in orders]),
        )
        for orders in sizes.values()
    ]
    return _Windows(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _alike(orders: Ints, lit: Ints, kept: Ints) -> _Windows:
    """Return the windows of orders of so many stages each, `lit[K, G, M]` and `kept[K, G, M]`.

    They are runs of stages of one right; one that starts or changes between two stages counts from
    the later one.
    """
    lit, kept = lit.transpose(0, 2, 1), kept.transpose(0, 2, 1)
    count = lit.shape[2]
    runs_on = (kept == lit) & (lit == np.roll(lit, -1, axis=2))
    always = (lit[:, :, 0] > 0) & (runs_on.all(axis=2) | (count == 1))
    begins = (lit > 0) & ~np.roll(runs_on, 1, axis=2) & ~always[:, :, None]
    begins[:, :, 0] |= always
    ends_at = np.broadcast_to(np.arange(count), lit.shape)
    for _ in range(count):
        ends_at = np.where(runs_on, np.roll(ends_at, -1, axis=2), np.arange(count))
    k, m, g = np.nonzero(begins)
    lasting, last, right = always[k, m], ends_at[k, m, g], lit[k, m, g]
    kind = (k * lit.shape[1] + m) * (lit.max(initial=0) + 1) + right
    _, place, many = np.unique(kind, return_inverse=True, return_counts=True)
    sorted_ = np.argsort(place, kind="stable")
    number = np.empty_like(place)
    number[sorted_] = np.arange(len(place)) - np.repeat(np.cumsum(many) - many, many)
    return _Windows(
        order=orders[k],
        move=m,
        right=right,
        first=g,
        last=np.where(lasting, NEVER, last),
        starts=((kept[k, m, g - 1] == 0) & ~lasting).astype(np.int64),
        ends=((kept[k, m, last] == 0) & ~lasting).astype(np.int64),
        number=number,
        many=many[place],
    )


def empty_lamps(slots: Sequence[Sequence[Slot]], mesh: AreaMesh) -> Lamps:
    """Return closed windows of these movements, rights and numbers, signal by signal."""
    from lvbo.optimize._profile_values import Lamps
    from lvbo.optimize._wide import WIDTH

    keys = [key for own in slots for key in own]
    first = np.cumsum([0, *(len(own) for own in slots)]).astype(np.int64)
    return Lamps(
        first=first[:-1],
        last=first[1:],
        move=np.array([key[0] for key in keys], np.int64),
        right=np.array([key[1] for key in keys], np.int64),
        begin=np.zeros((len(keys), WIDTH), np.float32),
        length=np.zeros((len(keys), WIDTH), np.float32),
        sneak=np.zeros((len(keys), WIDTH), np.float32),
        gain=np.array([gain for _, gain in mesh.loss_gain_s], np.float32),
    )
