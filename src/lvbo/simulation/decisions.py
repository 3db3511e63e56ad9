# SPDX-License-Identifier: Apache-2.0
"""What was decided at every site and why, kept where something changed and not every second."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import polars as pl

from lvbo.control.protocols import Observation, Reason, Refusal, Verdict, Wish
from lvbo.ids import ControllerId, PhaseId
from lvbo.simulation.runs import DECISIONS

FORCED, GIVEN_AWAY, TAKEN_BACK, GREENS = "LV746", "LV747", "LV748", "LV749"
"""Codes of what has no reason of its own: the gate's service of somebody who waited too long, a
site given to local control by its controller, a site taken back, a wish without a reason."""

PLANS_ONLY = "LV727"
"""Why a site runs its plans whoever controls the others."""

Row = tuple[int, str, int | None, str, str]


class DecisionLog:
    """Keep what changes in what controllers wish and what the gate makes of it.

    A wish is new when its stage, its reason or, where it names no stage, its greens are; numbers
    inside a reason may move on. A refusal is new when its code was not there in the second before.
    """

    def __init__(self, phases: Mapping[ControllerId, tuple[PhaseId, ...]]) -> None:
        self._phases = phases
        self._rows: list[Row] = []
        self._wished: dict[ControllerId, object] = {}
        self._refused: dict[ControllerId, frozenset[str]] = {}
        self._forced: dict[ControllerId, PhaseId | None] = {}
        self._released: dict[ControllerId, bool] = {}

    def say(
        self,
        second: int,
        controller: ControllerId,
        code: str,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        """Take in something that holds for a site from this second on."""
        self._rows.append((second, str(controller), None, code, json.dumps(dict(fields or {}))))

    def note(self, seen: Observation, wish: Wish, verdict: Verdict) -> None:
        """Take in one second of one site."""
        self._note_wish(seen, wish)
        self._note_refusals(seen, wish, verdict)
        self._note_service(seen, wish, verdict)
        self._note_release(seen, wish, verdict)

    def frame(self) -> pl.DataFrame:
        """Return all that was kept, with the columns of `DECISIONS`, in order of time."""
        return pl.DataFrame(self._rows, schema=DECISIONS, orient="row")

    def _note_wish(self, seen: Observation, wish: Wish) -> None:
        code = None if wish.reason is None else wish.reason.code
        greens = np.ravel(wish.greens)
        key = (wish.stage, greens.tobytes() if wish.stage < 0 else b"", wish.release, code)
        if self._wished.get(seen.controller) == key:
            return
        self._wished[seen.controller] = key
        names = zip(self._phases[seen.controller], greens, strict=False)  # a wish may be misshapen
        lit = ", ".join(name for name, goes in names if goes)
        self._add(seen, wish, wish.reason or Reason(code=GREENS, fields={"phases": lit or "-"}))

    def _note_refusals(self, seen: Observation, wish: Wish, verdict: Verdict) -> None:
        now = frozenset(refusal.code for refusal in verdict.refusals)
        before = self._refused.get(seen.controller, frozenset())
        self._refused[seen.controller] = now
        for refusal in verdict.refusals:
            if refusal.code not in before:
                self._add(seen, wish, _told(seen, refusal))

    def _note_service(self, seen: Observation, wish: Wish, verdict: Verdict) -> None:
        if verdict.forced is not None and verdict.forced != self._forced.get(seen.controller):
            self._add(seen, wish, Reason(code=FORCED, fields={"phases": verdict.forced}))
        self._forced[seen.controller] = verdict.forced

    def _note_release(self, seen: Observation, wish: Wish, verdict: Verdict) -> None:
        before = self._released.get(seen.controller, False)
        self._released[seen.controller] = verdict.released
        if verdict.released and not before and not verdict.refusals:
            self._add(seen, wish, Reason(code=GIVEN_AWAY))
        if before and not verdict.released:
            self._add(seen, wish, Reason(code=TAKEN_BACK))

    def _add(self, seen: Observation, wish: Wish, why: Reason) -> None:
        stage = int(wish.stage) + 1 if wish.stage >= 0 else None
        fields = json.dumps(dict(why.fields), ensure_ascii=False, default=_plain)
        self._rows.append((seen.time_s, str(seen.controller), stage, why.code, fields))


def _told(seen: Observation, refusal: Refusal) -> Reason:
    fields = {
        "phases": ", ".join(refusal.phases),
        "wait_s": "-" if refusal.wait_s is None else refusal.wait_s,
        "age_s": seen.time_s - seen.seen_s,
    }
    return Reason(code=refusal.code, fields=fields)


def _plain(value: object) -> object:
    """Return a number of numpy as one of Python, anything else as text."""
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)
