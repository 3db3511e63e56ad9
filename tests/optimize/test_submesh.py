# SPDX-License-Identifier: Apache-2.0
"""A part of a mesh is the mesh of that part."""

from __future__ import annotations

import numpy as np

from lvbo.bench.lattice import Lattice, lattice_mesh, lattice_models, lattice_streets
from lvbo.ids import ControllerId
from lvbo.optimize.mesh import AreaMesh, build_mesh
from lvbo.optimize.submesh import submesh

LATTICE = Lattice(rows=2, columns=3)


def assert_same(one: AreaMesh, other: AreaMesh) -> None:
    assert one.controllers == other.controllers
    assert one.links == other.links
    for name in one.arrays._fields:
        left, right = np.asarray(getattr(one.arrays, name)), np.asarray(getattr(other.arrays, name))
        np.testing.assert_allclose(left, right, rtol=1e-6, err_msg=name)


def test_a_lattice_is_written_down_as_its_network_would_be() -> None:
    network, volumes = lattice_streets(LATTICE)

    assert_same(
        lattice_mesh(LATTICE), build_mesh(network, lattice_models(network, volumes), volumes)
    )


def test_some_signals_of_a_mesh_are_what_their_models_alone_would_give() -> None:
    network, volumes = lattice_streets(LATTICE)
    models = lattice_models(network, volumes)
    members = [ControllerId(name) for name in ("0000.0001", "0000.0002", "0001.0001")]
    part = {c: model for c, model in models.items() if c in members}

    assert_same(
        submesh(build_mesh(network, models, volumes), members), build_mesh(network, part, volumes)
    )
