# SPDX-License-Identifier: Apache-2.0
"""The decision log: an entry where something changed, and none where nothing did."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lvbo.control.protocols import Observation, Reason, Refusal, Verdict, Wish
from lvbo.ids import ControllerId, PhaseId
from lvbo.simulation.decisions import DecisionLog
from lvbo.simulation.runs import DECISIONS

SITE = ControllerId("site")
A, B = PhaseId("A"), PhaseId("B")
SHOWN = Verdict(lamps=np.zeros(2, dtype=np.int64))


class Notes:
    def __init__(self) -> None:
        self.log, self.second = DecisionLog({SITE: (A, B)}), 100

    def note(self, wish: Wish, verdict: Verdict = SHOWN, *, age_s: int = 0) -> None:
        none = np.zeros(2, dtype=bool)
        zero = np.zeros(2, dtype=np.int64)
        seen = Observation(
            controller=SITE,
            time_s=self.second,
            seen_s=self.second - age_s,
            lamps=zero,
            since_s=zero,
            working=none,
            blocked=none,
            calls=none,
        )
        self.log.note(seen, wish, verdict)
        self.second += 1

    @property
    def rows(self) -> list[tuple[object, ...]]:
        return [
            (second, stage, code, json.loads(fields))
            for second, _, stage, code, fields in self.log.frame().rows()
        ]


def stage(number: int, code: str = "LV770", **fields: object) -> Wish:
    greens = np.array([number == 0, number == 1])
    return Wish(greens=greens, stage=number, reason=Reason(code=code, fields=fields))


@pytest.fixture
def notes() -> Notes:
    return Notes()


def test_a_wish_is_noted_when_its_stage_or_its_reason_changes(notes: Notes) -> None:
    for left_s in (3, 2, 1):
        notes.note(stage(0, "LV771", stage=1, left_s=left_s))
    notes.note(stage(0, "LV772", stage=1))
    notes.note(stage(1, "LV772", stage=2))
    notes.note(stage(1, "LV772", stage=2))

    assert notes.rows == [
        (100, 1, "LV771", {"stage": 1, "left_s": 3}),
        (103, 1, "LV772", {"stage": 1}),
        (104, 2, "LV772", {"stage": 2}),
    ]


def test_wishes_without_stage_or_reason_are_noted_by_their_greens(notes: Notes) -> None:
    for greens in ([True, False], [True, False], [False, False], [True, True]):
        notes.note(Wish(greens=np.array(greens)))

    assert notes.rows == [
        (100, None, "LV749", {"phases": "A"}),
        (102, None, "LV749", {"phases": "-"}),
        (103, None, "LV749", {"phases": "A, B"}),
    ]


def test_a_refusal_is_noted_once_and_again_when_it_comes_back(notes: Notes) -> None:
    refused = Verdict(lamps=SHOWN.lamps, refusals=(Refusal(code="LV725", phases=(A,), wait_s=4),))
    for verdict in (refused, refused, SHOWN, refused):
        notes.note(stage(1), verdict)

    entry = {"phases": "A", "wait_s": 4, "age_s": 0}
    assert notes.rows[1:] == [(100, 2, "LV725", entry), (103, 2, "LV725", entry)]


def test_forced_service_is_noted_by_phase(notes: Notes) -> None:
    for forced in (None, A, A, B):
        notes.note(stage(0), Verdict(lamps=SHOWN.lamps, forced=forced))

    assert [(row[0], row[3]) for row in notes.rows[1:]] == [
        (101, {"phases": "A"}),
        (103, {"phases": "B"}),
    ]


def test_a_site_given_away_and_taken_back_is_noted_with_what_was_wrong(notes: Notes) -> None:
    stale = Verdict(lamps=None, refusals=(Refusal(code="LV720", phases=(A, B)),))
    notes.note(stage(0), stale, age_s=8)
    notes.note(stage(0), stale, age_s=9)
    notes.note(stage(0))
    notes.note(stage(0), Verdict(lamps=None))

    assert [(row[0], row[2]) for row in notes.rows[1:]] == [
        (100, "LV720"),
        (102, "LV748"),
        (103, "LV747"),
    ]
    assert notes.rows[1][3] == {"phases": "A, B", "wait_s": "-", "age_s": 8}


def test_numbers_of_numpy_and_misshapen_wishes_are_kept(notes: Notes) -> None:
    notes.note(stage(0, stage=np.int64(1), queue=np.float64(2.5), who=A))
    notes.note(Wish(greens=np.ones(5, dtype=bool)))

    assert notes.rows[0][3] == {"stage": 1, "queue": 2.5, "who": "A"}
    assert notes.rows[1][3] == {"phases": "A, B"}


def test_nothing_noted_is_an_empty_table_with_the_same_columns() -> None:
    assert dict(DecisionLog({}).frame().schema) == DECISIONS
