# SPDX-License-Identifier: Apache-2.0
"""Between two stop lines of one junction nobody is shut in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.io.sumo_nets import generate, scenario

from lvbo.ids import MovementId, PhaseId
from lvbo.signal.lamp import Conflict, Lamp, Right
from lvbo.signal.rules import ConflictMatrix, Phase, Service, SignalRules, StageSets
from lvbo.timing.inner import INNER_M, inner_feeds, kept_clear, shuts_in

OUTER, INNER, CROSS = MovementId("outer"), MovementId("inner"), MovementId("cross")
FEEDS = {INNER: frozenset({OUTER})}
ORDER: StageSets = ((PhaseId("A"), PhaseId("I")), (PhaseId("C"),))


def rules(kind: Conflict) -> SignalRules:
    """Return a junction whose inner stop line has a green, and one that yields to the cross."""
    own = {"A": OUTER, "I": INNER, "I/p": INNER, "C": CROSS}
    a, green, yields, c = map(PhaseId, own)
    return SignalRules(
        phases=tuple(
            Phase(id=PhaseId(p), shows=Lamp.PERMITTED if p.endswith("p") else Lamp.GREEN)
            for p in own
        ),
        services=tuple(
            Service(phase=PhaseId(p), right=Right.PROTECTED, movement=m) for p, m in own.items()
        ),
        conflicts=ConflictMatrix(
            pairs=(
                (a, c, Conflict.FORBIDDEN),
                (c, green, Conflict.FORBIDDEN),
                (c, yields, kind),
            )
        ),
    )


def test_an_inner_stop_line_stays_open_one_stage_longer_by_a_green_that_yields() -> None:
    found = kept_clear(rules(Conflict.YIELD), ORDER, FEEDS)

    assert found == (ORDER[0], (PhaseId("C"), PhaseId("I/p")))
    assert shuts_in(rules(Conflict.YIELD), ORDER, FEEDS)
    assert not shuts_in(rules(Conflict.YIELD), found, FEEDS)


def test_where_foes_forbid_it_the_order_is_told_to_shut_people_in() -> None:
    strict = rules(Conflict.FORBIDDEN)

    assert kept_clear(strict, ORDER, FEEDS) == ORDER
    assert shuts_in(strict, ORDER, FEEDS)


def test_two_near_stop_lines_of_one_controller_are_found(tmp_path: Path) -> None:
    size = ["--grid.x-number", "2", "--grid.y-number", "1", "--grid.attach-length", "100"]
    near = ["--grid.x-length", "80", "-j", "traffic_light"]
    lone = scenario(generate(tmp_path, "--grid", *size, *near)).network
    first, second = lone.controllers[:2]
    services = (*first.rules.services, *second.rules.services)
    joined = replace(first, rules=replace(first.rules, services=services))
    links = {m.from_link for m in lone.movements} & {m.to_link for m in lone.movements}
    short = tuple(replace(x, length_m=INNER_M - 5) if x.id in links else x for x in lone.links)
    network = replace(lone, links=short)
    found = inner_feeds(network, joined)

    assert found
    assert not inner_feeds(network, first)
    assert not inner_feeds(lone, joined)
    for inner, feeds in found.items():
        link = network.movement_index[inner].from_link
        assert {network.movement_index[m].to_link for m in feeds} == {link}
