# SPDX-License-Identifier: Apache-2.0
"""Networks of crossing streets beside HiGHS."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from tests.progression.networks import best_by_trying_all, tiny

from lvbo.bench.band_rows import Limits
from lvbo.bench.networks import breaches, generate_networks, grid_network, measure_network
from lvbo.progression.network_bands import evaluate_network, network_value
from lvbo.progression.network_solve import network_bands

WITHOUT_HIGHS = """
import sys
sys.modules["highspy"] = None
from lvbo.errors import ToolError
try:
    from lvbo.bench.milp_network import prove_network
except ToolError as error:
    print(error.code, error.exit_code, error.__suppress_context__)
"""


def test_a_proof_without_highs_says_what_is_missing() -> None:
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_HIGHS], capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == ["LV685", "5", "True"]


def test_a_network_is_measured_without_highs_and_its_columns_stay_empty() -> None:
    network = generate_networks((2,))[0]
    row = measure_network(network, Limits(with_highs=False, highs_limit_s=1.0)).row

    assert float(str(row["value"])) > 0
    assert row["highs_value"] is row["highs_ms"] is None


pytest.importorskip("highspy")


def test_the_programme_has_2e_less_n_plus_1_integers() -> None:
    from lvbo.bench.milp_network import prove_network

    network = grid_network(3, random.Random(1), (80_000,), free=False)

    assert prove_network(network, limit_s=0.1).integers == 2 * 12 - 9 + 1


@pytest.mark.parametrize("free", [False, True])
def test_ours_is_near_the_proved_optimum_of_a_grid(*, free: bool) -> None:
    from lvbo.bench.milp_network import prove_network

    network = grid_network(3, random.Random(4), (80_000,), free=free)

    ours, proof = network_bands(network), prove_network(network, limit_s=30.0)

    assert proof.proved
    assert proof.value is not None
    assert network_value(network, ours.exact) == pytest.approx(proof.value, rel=1e-3)
    assert breaches(network, ours.exact) == breaches(network, ours.whole) == 0
    assert ours.bound >= proof.value - 1e-9


@pytest.mark.parametrize("sequences", [1, 2])
def test_the_proof_is_what_trying_all_offsets_gives(sequences: int) -> None:
    from lvbo.bench.milp_network import prove_network

    problem = tiny(3, sequences=sequences)

    proof = prove_network(problem)

    assert proof.proved
    assert 12_000 * (proof.value or 0.0) == pytest.approx(best_by_trying_all(problem), rel=1e-4)


def test_a_breach_at_a_shared_node_is_seen() -> None:
    problem = tiny(1)
    one, other = (evaluate_network(problem, 12_000, o, (0,) * 4) for o in ((0, 1, 2, 3), (0,) * 4))

    mixed = type(one)(
        cycle_ms=one.cycle_ms,
        offsets_ms=one.offsets_ms,
        patterns=one.patterns,
        corridors=(*one.corridors[:3], other.corridors[3]),
    )

    assert breaches(problem, one) == 0
    assert breaches(problem, mixed) > 0


def test_generated_networks_are_the_same_every_time() -> None:
    assert generate_networks((3,)) == generate_networks((3,))
    assert len({n.name for n in generate_networks((3, 4))}) == 6
