# SPDX-License-Identifier: Apache-2.0
"""The check of plug-in controllers: ours pass it, bad ones are caught, the page tells the truth."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from lvbo.control.protocols import Controller, Observation, Reason, Wish
from lvbo.control.registry import (
    BUILT_IN,
    ENTRY_POINTS,
    ControllerSpec,
    Maker,
    Situation,
    find_maker,
    make_controller,
)
from lvbo.simulation.controlled import BY_EITHER, BY_PHASE
from lvbo.testing import check_controller

PAGE = Path(__file__).parent.parent.parent / "docs" / "controllers.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SHORT_S = {"adaptive": 80, "lvbo": 140}
"""Searching ahead takes longer, and need not be driven as long."""

Decide = Callable[[Controller, Observation], Wish]


@pytest.mark.parametrize("name", list(BUILT_IN))
def test_every_built_in_controller_passes(name: str) -> None:
    went = check_controller(
        find_maker(name),
        by_phase=name in BY_PHASE,
        by_either=name in BY_EITHER,
        seconds=SHORT_S.get(name, 200),
    )

    assert went.seconds > 1000
    assert went.refused["LV720"] > 0


def bad(decide: Decide) -> Maker:
    """Return a maker of actuated controllers that are spoiled."""

    class Spoiled:
        def __init__(self, inner: Controller) -> None:
            self.inner = inner

        def decide(self, seen: Observation) -> Wish:
            return decide(self.inner, seen)

    return lambda situation: Spoiled(make_controller(ControllerSpec(name="actuated"), situation))


def raises(inner: Controller, seen: Observation) -> Wish:
    if seen.vehicles is None:
        raise ZeroDivisionError
    return inner.decide(seen)


def misshapes(inner: Controller, seen: Observation) -> Wish:
    return Wish(greens=inner.decide(seen).greens[1:])


def answers_words(inner: Controller, seen: Observation) -> Wish:
    return str(inner.decide(seen).reason)  # type: ignore[return-value]


def wishes_numbers(inner: Controller, seen: Observation) -> Wish:
    return Wish(greens=inner.decide(seen).greens.astype(float))


def changes_what_it_sees(inner: Controller, seen: Observation) -> Wish:
    wish = inner.decide(seen)
    seen.since_s[:] += 1
    return wish


def tosses(inner: Controller, seen: Observation) -> Wish:
    wish = inner.decide(seen)
    return Wish(greens=wish.greens, stage=wish.stage, release=COIN.random() < 0.1)


def wishes_foes(inner: Controller, seen: Observation) -> Wish:
    return Wish(greens=np.ones_like(inner.decide(seen).greens))


def mumbles(inner: Controller, seen: Observation) -> Wish:
    wish = inner.decide(seen)
    return Wish(greens=wish.greens, stage=wish.stage, reason=Reason(code="LV774", fields={}))


def gives_up(inner: Controller, seen: Observation) -> Wish:
    return Wish(greens=inner.decide(seen).greens, release=True)


COIN = np.random.default_rng(1)


@pytest.mark.parametrize(
    ("decide", "told"),
    [
        (raises, "decide raised: ZeroDivisionError (two stages, loops"),
        (misshapes, "the wish has not the right form: greens has shape (3,)"),
        (answers_words, "the wish has not the right form: str instead of a Wish"),
        (wishes_numbers, "the wish has not the right form: greens has shape (4,) of float64"),
        (changes_what_it_sees, "it changes the arrays it is given: since_s"),
        (tosses, "equal input gives unequal wishes"),
        (wishes_foes, "no stage of the site, or foes"),
        (mumbles, "a reason cannot be read: LV774"),
        (gives_up, "the site stays with local control"),
    ],
)
def test_a_bad_controller_is_caught(decide: Decide, told: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(told)):
        check_controller(bad(decide), seconds=60)


class First:
    """Wish the first stage for ever."""

    def __init__(self, situation: Situation) -> None:
        rules = situation.site.rules
        self.greens = np.isin(situation.site.phases, rules.orders[0][0])

    def decide(self, seen: Observation) -> Wish:
        return Wish(greens=self.greens & (seen.lamps >= 0), stage=0)


def test_a_controller_that_starves_a_stage_is_caught_and_what_the_gate_did_is_told() -> None:
    with pytest.raises(AssertionError, match="never asks for a phase that is called") as caught:
        check_controller(First)

    forced = re.search(r"waited too long in (\d+) s", str(caught.value))
    assert forced is not None
    assert int(forced[1]) > 0
    assert "the lamp checker" not in str(caught.value)
    assert "longer than the gate" not in str(caught.value)


class Keeper:
    """Decide by what was seen a second ago, without copying it."""

    def __init__(self, situation: Situation) -> None:
        self.inner = make_controller(ControllerSpec(name="greedy"), situation)
        self.last: Observation | None = None

    def decide(self, seen: Observation) -> Wish:
        earlier, self.last = self.last or seen, seen
        if not earlier.lamps.any():
            return self.inner.decide(seen)
        return Wish(greens=earlier.lamps == earlier.lamps.max())


def test_a_controller_that_leans_on_arrays_it_was_given_is_caught() -> None:
    with pytest.raises(AssertionError, match="arrays that it kept"):
        check_controller(Keeper, seconds=60)


def test_all_problems_are_told_at_once() -> None:
    def both(inner: Controller, seen: Observation) -> Wish:
        wish = mumbles(inner, seen)
        seen.since_s[:] += 1
        return wish

    with pytest.raises(AssertionError, match="fails in 2 ways") as caught:
        check_controller(bad(both), seconds=40)

    assert str(caught.value).count("\n- ") == 2


def test_a_maker_that_raises_is_told() -> None:
    def make(situation: Situation) -> Controller:
        raise LookupError(situation.site.id)

    with pytest.raises(AssertionError, match="the maker raised: LookupError"):
        check_controller(make)


# the page -------------------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(PAGE.read_text("utf-8")) if kind == language]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the example of the page as a package, with its entry point."""
    code, _ = blocks("python")
    (tmp_path / "longest_queue.py").write_text(code, encoding="utf-8")
    declared = tomllib.loads(blocks("toml")[0])["project"]
    points = declared["entry-points"][ENTRY_POINTS]
    info = tmp_path / f"{declared['name'].replace('-', '_')}-{declared['version']}.dist-info"
    info.mkdir()
    lines = [f"[{ENTRY_POINTS}]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    (info / "METADATA").write_text("Name: longest-queue\nVersion: 0.1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "longest_queue", raising=False)


@pytest.mark.usefixtures("installed")
def test_the_example_of_the_page_is_found_by_its_name_and_passes_its_own_test() -> None:
    _, test = blocks("python")
    place: dict[str, Callable[[], None]] = {}
    exec(test, place)  # noqa: S102  it stands in our own page

    place["test_my_controller_may_control_a_street"]()
    assert find_maker("longest_queue") is import_module("longest_queue").make


def test_the_example_of_the_page_has_about_twenty_lines() -> None:
    code = [line for line in blocks("python")[0].splitlines() if line.strip()]

    assert 20 <= len(code) <= 30
