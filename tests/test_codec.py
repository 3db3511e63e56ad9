# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from numpy.typing import NDArray

from lvbo.codec import digest, from_document, from_plain, to_document, to_plain
from lvbo.errors import Finding, InputError
from lvbo.signal.lamp import Lamp
from lvbo.signal.plan import Plan
from lvbo.signal.rules import Controller, SignalRules
from lvbo.signal.schedule import Calendar, PlanSet, one_period
from lvbo.testing import legal_plans, tiny_controller, tiny_plan


@dataclass(frozen=True, kw_only=True)
class Sample:
    at: datetime
    file: Path
    lamp: Lamp
    share: float
    pair: tuple[int, str]
    names: frozenset[str]
    table: dict[str, float]
    note: str | None
    values: NDArray[np.float64]


def sample() -> Sample:
    return Sample(
        at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        file=Path("a/b.csv"),
        lamp=Lamp.RED_AMBER,
        share=1.0,
        pair=(1, "x"),
        names=frozenset({"b", "a"}),
        table={"k": 2.5},
        note=None,
        values=np.array([[1.5, 2.0]]),
    )


def through_json(value: object) -> Any:  # noqa: ANN401  plain data
    return json.loads(json.dumps(to_plain(value)))


@given(legal_plans())
def test_rules_and_plans_come_back_from_json(case: tuple[SignalRules, Plan]) -> None:
    rules, plan = case

    assert from_plain(SignalRules, through_json(rules)) == rules
    assert from_plain(Plan, through_json(plan)) == plan


def test_controllers_and_plan_sets_come_back_from_a_document() -> None:
    plans = replace(
        one_period([tiny_plan(5)]), calendar=Calendar(dates=((date(2026, 2, 17), "holiday"),))
    )
    document = json.loads(json.dumps(to_document(plans)))

    assert document["lvbo"] == 1
    assert from_document(PlanSet, document) == plans
    assert from_plain(Controller, through_json(tiny_controller())) == tiny_controller()


def test_every_kind_of_field_comes_back() -> None:
    back = from_plain(Sample, through_json(sample()))

    assert to_plain(back) == to_plain(sample())
    assert (back.at, back.file, back.lamp) == (sample().at, sample().file, Lamp.RED_AMBER)
    assert (back.pair, back.names) == ((1, "x"), frozenset({"a", "b"}))
    assert np.array_equal(back.values, sample().values)
    assert not back.values.flags.writeable


def test_a_frame_comes_back_with_its_types() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    frame = pl.DataFrame({"t": [at], "n": [3], "name": ["a"]}, schema_overrides={"n": pl.Int16})
    plain = to_plain(frame)

    assert from_plain(pl.DataFrame, json.loads(json.dumps(plain))).equals(frame)
    assert plain["frame"]["n"] == "Int16"


def test_plain_data_reads_well() -> None:
    plain = to_plain(tiny_plan())

    assert plain["cycle_ds"] == 1000
    assert plain["greens"][0] == {
        "phase": "EW",
        "windows": [{"start_ds": 550, "length_ds": 250, "yellow_ds": 30, "red_amber_ds": 0}],
    }
    assert to_plain(Lamp.RED_AMBER) == "red_amber"
    assert to_plain(np.float64(2.5)) == 2.5


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"cycle_ds": "100"}, "LV305", "p.toml.cycle_ds"),
        ({"cycle_ds": True}, "LV305", "p.toml.cycle_ds"),
        ({"greens": 3}, "LV305", "p.toml.greens"),
        ({"greens": [{"phase": "NS"}]}, "LV306", "p.toml.greens[0]"),
        ({"cicle_ds": 100}, "LV307", "p.toml"),
    ],
)
def test_wrong_data_is_refused_with_its_place(
    change: dict[str, object], code: str, place: str
) -> None:
    with pytest.raises(InputError) as caught:
        from_plain(Plan, to_plain(tiny_plan()) | change, "p.toml")

    assert (caught.value.code, caught.value.fields["place"]) == (code, place)


def test_another_schema_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        from_document(Plan, to_document(tiny_plan()) | {"lvbo": 2})

    assert caught.value.code == "LV308"


def test_a_value_without_a_plain_form_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        to_plain(object())

    assert caught.value.code == "LV305"


def test_equal_content_has_one_digest_and_other_content_another() -> None:
    assert digest(tiny_plan()) == digest(tiny_plan())
    assert digest(tiny_plan()) != digest(tiny_plan(1))
    assert digest(sample()) == digest(sample())
    assert digest(sample()) != digest(replace(sample(), values=np.array([[1.5, 2.1]])))
    assert digest(pl.DataFrame({"a": [1]})) != digest(pl.DataFrame({"a": [2]}))


def test_a_digest_does_not_depend_on_the_order_of_a_mapping() -> None:
    one = Finding(code="LV305", place="x", fields={"a": 1, "b": 2})
    other = Finding(code="LV305", place="x", fields={"b": 2, "a": 1})

    assert digest(one) == digest(other)


def test_the_digest_of_a_known_value_stays_the_same() -> None:
    known = "8929ca7cff76fe62b9015108b13436c8e184b45f391565d4f6ae2e3b2b534393"

    assert digest(tiny_plan()) == known
