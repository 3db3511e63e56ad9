# SPDX-License-Identifier: Apache-2.0
"""A lattice of streets of any size, from a seed: what the scale bench optimises.

Every third street is an arterial; each street has its own peak direction, each block its own length
and its own volumes. All signals are alike in their rules, so the area model of thousands of them is
written down directly; `lattice_network` gives the same streets as a network, for small ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from lvbo.bench.lattice_network import (
    APPROACHES,
    BAY_M,
    INSIDE_M,
    LANE_TURNS,
    LIMIT_MPS,
    TURN_NAMES,
    exit_leg,
    lattice_network,
    link_name,
    movement_name,
    signal_name,
)
from lvbo.demand.saturation import saturations
from lvbo.ids import ControllerId, LaneId, LinkId, MovementId
from lvbo.network.network import Network
from lvbo.optimize.mesh import VEHICLE_M, AreaMesh, Pipe, Queue, Traits, mesh_arrays
from lvbo.timing.build_model import build_model
from lvbo.timing.model import ControllerModel

Floats = NDArray[np.float64]

ARTERIAL_EVERY = 3
ARTERIAL_VPH, MINOR_VPH = (900.0, 600.0), (330.0, 230.0)
"""What an approach brings in the direction of the peak and against it."""
ARTERIAL_TURNS, MINOR_TURNS = (0.10, 0.12, 0.78), (0.18, 0.20, 0.62)
"""Shares of left, right, through."""
BLOCK_M = (200.0, 450.0)
UNEVEN = 0.12
"""Volumes of blocks differ by up to this share from those of their street."""
QUEUES = ("RT", "L")
"""Turns of the queues of each approach: lanes whose turns always go together fill alike."""


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """Rows and columns of signals, the streets between them and what they carry."""

    rows: int
    columns: int
    seed: int = 0

    @property
    def signals(self) -> int:
        """Return how many signals there are."""
        return self.rows * self.columns

    @cached_property
    def blocks_m(self) -> tuple[Floats, Floats]:
        """Return the lengths between neighbouring rows and columns, the ways in included."""
        chance = np.random.default_rng((self.seed, 1))
        across = chance.uniform(*BLOCK_M, self.rows + 1)
        return np.round(across), np.round(chance.uniform(*BLOCK_M, self.columns + 1))

    @cached_property
    def volumes_vph(self) -> Floats:
        """Return veh/h by signal, approach and turn, in the order of their names."""
        chance = np.random.default_rng((self.seed, 2))
        busy = [self._street(chance, n) for n in (self.columns, self.rows)]
        out = np.zeros((self.rows, self.columns, len(APPROACHES), len(TURN_NAMES)))
        for a, leg in enumerate(APPROACHES):
            along = 0 if leg in "NS" else 1
            vph, main = busy[along][leg in "SW"], np.arange(len(busy[along][0])) % 3 == 0
            turns = np.where(main[:, None], ARTERIAL_TURNS, MINOR_TURNS)
            flow = vph[:, None] * turns
            out[:, :, a, :] = flow[None, :, :] if along == 0 else flow[:, None, :]
        return out * chance.uniform(1 - UNEVEN, 1 + UNEVEN, out.shape)

    @staticmethod
    def _street(chance: np.random.Generator, count: int) -> tuple[Floats, Floats]:
        """Return what streets carry one way and the other."""
        main = np.arange(count) % ARTERIAL_EVERY == 0
        peak = np.where(main, ARTERIAL_VPH[0], MINOR_VPH[0]) * chance.uniform(0.85, 1.1, count)
        back = np.where(main, ARTERIAL_VPH[1], MINOR_VPH[1]) * chance.uniform(0.85, 1.1, count)
        first = chance.integers(2, size=count) == 0
        return np.where(first, peak, back), np.where(first, back, peak)

    @property
    def corridors(self) -> tuple[tuple[int, ...], ...]:
        """Return the signals of each arterial in their order."""
        numbers = np.arange(self.signals).reshape(self.rows, self.columns)
        lines = [*numbers[::ARTERIAL_EVERY], *numbers.T[::ARTERIAL_EVERY]]
        return tuple(tuple(int(s) for s in line) for line in lines if len(line) > 1)

    def length_m(self, s: int, leg: str) -> float:
        """Return the length of the link that comes into a signal from one leg."""
        row, column = divmod(s, self.columns)
        across, along = self.blocks_m
        return (
            float({"N": across[row], "S": across[row + 1]}[leg])
            if leg in "NS"
            else float({"W": along[column], "E": along[column + 1]}[leg])
        )

    def next_to(self, s: int, leg: str) -> int | None:
        """Return the signal that lies on one leg of another, None where the lattice ends."""
        row, column = divmod(s, self.columns)
        row += {"N": -1, "S": 1}.get(leg, 0)
        column += {"W": -1, "E": 1}.get(leg, 0)
        inside = 0 <= row < self.rows and 0 <= column < self.columns
        return row * self.columns + column if inside else None


def lattice_of(signals: int, seed: int = 0) -> Lattice:
    """Return the lattice of so many signals that is nearest to a square."""
    rows = next(n for n in range(isqrt(signals), 0, -1) if signals % n == 0)
    return Lattice(rows=rows, columns=signals // rows, seed=seed)


def lattice_streets(lattice: Lattice) -> tuple[Network, dict[MovementId, float]]:
    """Return a lattice as a network, with its volumes; for small ones."""
    network = lattice_network(
        lattice.rows, lattice.columns, *(tuple(float(x) for x in b) for b in lattice.blocks_m)
    )
    vph = lattice.volumes_vph.reshape(lattice.signals, len(APPROACHES), len(TURN_NAMES))
    volumes = {
        movement_name(signal_name(*divmod(s, lattice.columns)), leg, turn): float(vph[s, a, k])
        for s in range(lattice.signals)
        for a, leg in enumerate(APPROACHES)
        for k, turn in enumerate(TURN_NAMES)
    }
    return network, volumes


def lattice_models(
    network: Network, volumes: Mapping[MovementId, float]
) -> dict[ControllerId, ControllerModel]:
    """Return the models of all controllers of a network, lanes as they are by default."""
    lanes = {s.lane: s for s in saturations(network)}
    return {c.id: build_model(network, c, lanes, volumes) for c in network.controllers}


def template() -> ControllerModel:
    """Return the model of a signal alone: its rules and stage orders are those of all."""
    network, volumes = lattice_streets(Lattice(rows=1, columns=1))
    return next(iter(lattice_models(network, volumes).values()))


def lattice_mesh(lattice: Lattice, traits: Traits | None = None) -> AreaMesh:
    """Return the mesh of a lattice, as `build_mesh` would make it of its network.

    All signals share the model of `template`, whose movements have their numbers in the same order.
    """
    traits, model = traits or Traits(), template()
    sat_vps = model.layout.sat_vps[: len(LANE_TURNS)]
    volumes = lattice.volumes_vph.reshape(lattice.signals, len(APPROACHES), len(TURN_NAMES))
    queues = [q for s in range(lattice.signals) for q in _queues(lattice, s, volumes[s], sat_vps)]
    pipes = [
        p for s in range(lattice.signals) for p in _pipes(lattice, s, volumes[s], queues, traits)
    ]
    per_signal, per_link = len(APPROACHES), len(QUEUES)
    links = per_signal * lattice.signals
    names = [signal_name(*divmod(s, lattice.columns)) for s in range(lattice.signals)]
    return AreaMesh(
        controllers=tuple(names),
        models=(model,) * lattice.signals,
        links=tuple(link_name(name, leg) for name in names for leg in APPROACHES),
        queues=tuple(queues),
        pipes=tuple(pipes),
        traits=traits,
        arrays=mesh_arrays(
            lattice.signals,
            range(0, links + 1, per_signal),
            range(0, links * per_link, per_link),
            queues,
            pipes,
            traits,
        ),
    )


def _queues(lattice: Lattice, s: int, vph: Floats, sat_vps: Floats) -> Iterator[Queue]:
    """Yield the queues of a signal: on each approach right and through together, then left."""
    name = signal_name(*divmod(s, lattice.columns))
    for a, leg in enumerate(APPROACHES):
        link, first = link_name(name, leg), len(TURN_NAMES) * a
        reach_m = {"RT": lattice.length_m(s, leg), "T": lattice.length_m(s, leg), "L": BAY_M}
        for turns in QUEUES:
            lanes = [k for k, own in enumerate(LANE_TURNS) if set(own) <= set(turns)]
            yield Queue(
                signal=s,
                link=link,
                lanes=tuple(LaneId(f"{link}_{k}") for k in lanes),
                total_vph=sum(float(vph[a, TURN_NAMES.index(turn)]) for turn in turns),
                sat_vph=3600 * float(sat_vps[lanes].sum()),
                storage=max(1.0, sum(reach_m[LANE_TURNS[k]] for k in lanes) / VEHICLE_M),
                turns=((first + TURN_NAMES.index(turns[0]), 1.0, ()),),
                room=0,
            )


def _pipes(
    lattice: Lattice, s: int, vph: Floats, queues: Sequence[Queue], traits: Traits
) -> list[Pipe]:
    """Return the ways from a signal to its neighbours, by the names of their links."""
    speed = traits.speed_share * LIMIT_MPS
    home = len(APPROACHES) * len(QUEUES) * s
    by_way: dict[LinkId, Pipe] = {}
    for leaves in APPROACHES:
        other = lattice.next_to(s, leaves)
        if other is None:
            continue
        leg = exit_leg(leaves, "T")
        used = [
            (a, k)
            for a, from_ in enumerate(APPROACHES)
            for k, turn in enumerate(TURN_NAMES)
            if exit_leg(from_, turn) == leaves
        ]
        shares = {}
        for a, k in used:
            q = (
                home
                + len(QUEUES) * a
                + next(i for i, own in enumerate(QUEUES) if TURN_NAMES[k] in own)
            )
            shares[q] = float(vph[a, k]) / queues[q].total_vph
        weight = [float(vph[a, k]) for a, k in used]
        inside = sum(INSIDE_M[TURN_NAMES[k]] * w for (_, k), w in zip(used, weight, strict=True))
        length = lattice.length_m(other, leg)
        link = link_name(signal_name(*divmod(other, lattice.columns)), leg)
        by_way[link] = Pipe(
            source=s,
            link=len(APPROACHES) * other + APPROACHES.index(leg),
            time_s=length / speed + inside / sum(weight) / speed,
            length_m=length,
            lanes=len(LANE_TURNS) - 1,
            shares=tuple(sorted(shares.items())),
        )
    return [by_way[link] for link in sorted(by_way)]
