# SPDX-License-Identifier: Apache-2.0
"""Some signals of a mesh as a mesh of their own; what the others send them arrives evenly."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from lvbo.ids import ControllerId
from lvbo.optimize.mesh import AreaMesh, Queue, mesh_arrays


def submesh(mesh: AreaMesh, members: Collection[ControllerId]) -> AreaMesh:
    """Return the mesh of these signals alone, in the order of the whole."""
    kept = [s for s, controller in enumerate(mesh.controllers) if controller in members]
    number = {s: k for k, s in enumerate(kept)}
    first, starts = mesh.arrays.links, mesh.arrays.queues
    links = [n for s in kept for n in range(int(first[s]), int(first[s + 1]))]
    queues = [q for n in links for q in range(int(starts[n]), int(starts[n + 1]))]
    link_number = {n: k for k, n in enumerate(links)}
    queue_number = {q: k for k, q in enumerate(queues)}
    own = [_renumbered(mesh.queues[q], number, queue_number) for q in queues]
    pipes = tuple(
        replace(
            pipe,
            source=number[pipe.source],
            link=link_number[pipe.link],
            shares=tuple((queue_number[q], share) for q, share in pipe.shares),
        )
        for pipe in mesh.pipes
        if pipe.source in number and pipe.link in link_number
    )
    sizes = [int(first[s + 1] - first[s]) for s in kept]
    depths = [int(starts[n + 1] - starts[n]) for n in links]
    return AreaMesh(
        controllers=tuple(mesh.controllers[s] for s in kept),
        models=tuple(mesh.models[s] for s in kept),
        links=tuple(mesh.links[n] for n in links),
        queues=tuple(own),
        pipes=pipes,
        traits=mesh.traits,
        arrays=mesh_arrays(
            len(kept),
            [0, *np.cumsum(sizes).tolist()],
            [0, *np.cumsum(depths).tolist()][:-1],
            own,
            pipes,
            mesh.traits,
        ),
    )


def _renumbered(queue: Queue, number: dict[int, int], queue_number: dict[int, int]) -> Queue:
    turns = tuple(
        (m, share, tuple(queue_number[f] for f in foes)) for m, share, foes in queue.turns
    )
    return replace(queue, signal=number[queue.signal], turns=turns)
