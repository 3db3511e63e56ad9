# SPDX-License-Identifier: Apache-2.0
"""Stage orders as the windows that they open and close, so that a search may move greens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A window of one movement: from which stage to which, in which round of its own cycle.

    `last` is -1 for a movement that may always go.
    """

    move: int
    right: int
    first: int
    last: int
    turn: int
    late_s: float
    past_s: float
    red: bool


Keyed = dict[tuple[int, int, int], Opening]
"""Windows by movement, right and number."""


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

    most = max((len(o.stages) for m in mesh.models for o in m.orders), default=1)
    openings: list[Keyed] = []
    slots: list[list[tuple[int, int, int]]] = []
    order, count, times, first = [], [], [], [0]
    inter: list[list[int]] = []
    low: list[list[int]] = []
    high: list[list[int]] = []
    for model, (loss, gain) in zip(mesh.models, mesh.loss_gain_s, strict=True):
        own: list[Keyed] = []
        for rounds in (WHOLE, HALF):
            for k in range(len(model.orders)):
                arrays, least, greatest = model.order_arrays[k]
                own.append(_keyed(_openings(model, k, rounds, loss, gain)))
                order.append(k)
                times.append(rounds)
                count.append(len(least))
                for out, row in ((inter, arrays.inters), (low, least), (high, greatest)):
                    out.append([*row.tolist(), *[0] * (most - len(row))])
        keys = sorted({key for row in own for key in row})
        slots += [keys] * len(own)
        openings += own
        first.append(len(order))
    opens, closes, turn, late, past, red = _columns(openings, slots)
    return StageTable(
        order=np.array(order, np.int64),
        stages=Stages(
            first=np.array(first, np.int64),
            size=np.array(count, np.int64),
            times=np.array(times, np.int64),
            inter=np.array(inter, np.int64),
            low=np.array(low, np.int64),
            high=np.array(high, np.int64),
            opens=opens,
            closes=closes,
            turn=turn,
            late=late,
            past=past,
            red=red,
        ),
        lamps=empty_lamps([slots[f] for f in first[:-1]], mesh),
    )


def _openings(
    model: ControllerModel, k: int, rounds: int, loss: float, gain: float
) -> Iterator[Opening]:
    """Yield the windows of all movements in one order: runs of stages of one right.

    A right that starts or changes between two stages counts from the later one.
    """
    arrays = model.order_arrays[k][0]
    count = len(arrays.inters)
    all_lit, all_kept = arrays.lit.T.tolist(), arrays.kept.T.tolist()
    for m in range(len(model.movements)):
        lit, kept = all_lit[m], all_kept[m]
        runs_on = [kept[g] == lit[g] == lit[(g + 1) % count] for g in range(count)]
        if lit[0] and (all(runs_on) or (count == 1 and lit[0])):
            yield Opening(
                move=m,
                right=lit[0],
                first=0,
                last=NEVER,
                turn=0,
                late_s=0,
                past_s=0,
                red=False,
            )
            continue
        for turn in range(rounds):
            for g in range(count):
                if lit[g] and not runs_on[g - 1]:
                    last = g
                    while runs_on[last % count]:
                        last += 1
                    red = not kept[last % count]
                    yield Opening(
                        move=m,
                        right=lit[g],
                        first=g,
                        last=last % count,
                        turn=turn,
                        late_s=loss if not kept[g - 1] else 0,
                        past_s=gain if red else 0,
                        red=red,
                    )


def _keyed(row: Iterable[Opening]) -> Keyed:
    """Return windows by movement, right and number."""
    found: Keyed = {}
    many: dict[tuple[int, int], int] = defaultdict(int)
    for opening in row:
        kind = opening.move, opening.right
        found[*kind, many[kind]] = opening
        many[kind] += 1
    return found


def _columns(
    openings: Sequence[Keyed], slots: Sequence[Sequence[tuple[int, int, int]]]
) -> tuple[Ints, Ints, Ints, Floats, Floats, Floats]:
    """Return opens, closes, turn, late, past and red, as in `Stages`."""
    widest = max((len(keys) for keys in slots), default=1)
    shape = (len(openings), widest)
    opens, closes = np.full(shape, NEVER, np.int64), np.full(shape, NEVER, np.int64)
    turn = np.zeros(shape, np.int64)
    late, past, red = (np.zeros(shape, np.float32) for _ in range(3))
    for r, (by_key, keys) in enumerate(zip(openings, slots, strict=True)):
        for v, key in enumerate(keys):
            opening = by_key.get(key)
            if opening is not None:
                opens[r, v], closes[r, v], turn[r, v] = opening.first, opening.last, opening.turn
                late[r, v], past[r, v], red[r, v] = opening.late_s, opening.past_s, opening.red
    return opens, closes, turn, late, past, red


def empty_lamps(slots: Sequence[Sequence[tuple[int, int, int]]], mesh: AreaMesh) -> Lamps:
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
