# SPDX-License-Identifier: Apache-2.0
"""Decide for two signals a few metres apart at once, while both ask to be led; see `pairs`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from lvbo.control.adaptive import AdaptiveController, Settings
from lvbo.control.background import stage_spans
from lvbo.control.lamps import goes
from lvbo.control.merging import Merger
from lvbo.control.pairs import TURN_S, Pair
from lvbo.control.protocols import Ints, Learner, Observation, Wish
from lvbo.control.registry import Situation
from lvbo.control.settings import read_settings
from lvbo.ids import ControllerId

LONG_AGO_S = -100_000
HOLD_S = 3
"""A signal stays green so long after the other one has let in the last vehicle; its own yellow and
clearance let those out who come later."""


class Leader:
    """Decide for both signals of a pair at once, while both ask to be led.

    One that does not, as its detectors failed, leaves the other alone.
    """

    def __init__(self, pair: Pair, adaptive: Learner) -> None:
        self._pair, self.adaptive = pair, adaptive
        self._merger = Merger(pair.site, tuple(half.site for half in pair.halves))
        self._asked_s = [LONG_AGO_S, LONG_AGO_S]
        self._last_in_s = [LONG_AGO_S, LONG_AGO_S]
        self._now_s = LONG_AGO_S
        self._wishes: tuple[Wish, Wish] | None = None

    def step(self, seen: Observation) -> None:
        """Take in a second of both, once, and decide if both asked in the one before."""
        if seen.pair is None:
            self._wishes = None
        if seen.pair is None or seen.time_s == self._now_s:
            return
        self._now_s, pair = seen.time_s, seen.pair
        for k, half in enumerate(self._pair.halves):
            if (goes(pair[k].lamps) & half.into).any():
                self._last_in_s[k] = seen.time_s
        both = self._merger.merged(pair)
        if any(asked != seen.time_s - 1 for asked in self._asked_s):
            self.adaptive.watch(both)
            self._wishes = None
            return
        wish = self.adaptive.decide(both)
        self._wishes = self._part(wish, 0, pair[0]), self._part(wish, 1, pair[1])

    def wish(self, which: int, seen: Observation) -> Wish | None:
        """Return what one of them shall show from now on; None where it decides alone."""
        self.step(seen)
        self._asked_s[which] = seen.time_s
        return None if self._wishes is None else self._wishes[which]

    def _part(self, wish: Wish, which: int, seen: Observation) -> Wish:
        """Return the part of a wish for one signal, which stays open for those on the way."""
        half, going = self._pair.halves[which], goes(seen.lamps)
        mode, shown = self._pair.places[wish.stage][which], half.mode_of(going)
        width = len(self._pair.halves[0].site.phases)
        greens = wish.greens[width:] if which else wish.greens[:width]
        since_s = seen.time_s - self._last_in_s[1 - which]
        if since_s <= HOLD_S and not half.opens[mode] and half.lets_out(shown):
            mode, greens = shown, half.greens[shown].copy()
        if since_s < TURN_S:
            greens = greens & (~half.into | going)
        stage, reason = int(half.stage[mode]), wish.reason
        if shown >= 0 and half.stage[shown] != stage:
            now = int(half.stage[shown])
            if since_s < TURN_S and half.at_once[now, stage]:
                stage, greens = now, half.greens[shown].copy()
            else:  # a stage is asked for whole before some of it waits
                greens = half.table.greens[stage].copy()
        if reason is not None and "stage" in reason.fields:
            reason = replace(reason, fields={**reason.fields, "stage": stage + 1})
        return Wish(greens=greens, stage=stage, reason=reason)


class Led:
    """The adaptive controller of one signal of a pair: led with the other, else by itself."""

    def __init__(self, leader: Leader, which: int, alone: Learner) -> None:
        self._alone, self._leader, self._which = alone, leader, which
        self._is_led = False

    @property
    def late_s(self) -> int:
        """Return how much later than at once commands take effect, as learned, s."""
        return self._leader.adaptive.late_s if self._is_led else self._alone.late_s

    def hurry(self) -> None:
        """Forget how late commands were."""
        self._alone.hurry()
        self._leader.adaptive.hurry()

    def watch(self, seen: Observation) -> None:
        """Take in a second in which somebody else decides."""
        self._leader.step(seen)
        self._alone.watch(seen)
        self._is_led = False

    def decide(self, seen: Observation) -> Wish:
        """Return the stage that shall have green from now on, and why."""
        wish = self._leader.wish(self._which, seen)
        self._is_led = wish is not None
        if wish is None:
            return self._alone.decide(seen)
        self._alone.watch(seen)
        return wish


Lead = Callable[[Learner], Learner]
"""What puts the adaptive controller of a signal under the lead of its pair."""


def leaders(
    pairs: Sequence[Pair], situations: Mapping[ControllerId, Situation]
) -> Mapping[ControllerId, Lead]:
    """Return by controller what puts it under the lead of its pair.

    Raises:
        UsageError: LV731 for a name that is no setting.

    """
    found: dict[ControllerId, Lead] = {}
    for pair in pairs:
        own = [situations[name] for name in pair.ids]
        bus = max(read_settings(Settings, each).bus for each in own)
        usual = _usual_s(pair, own)
        leader = Leader(pair, AdaptiveController(pair.site, pair.table, usual_s=usual, bus=bus))
        for which, name in enumerate(pair.ids):
            found[name] = partial(Led, leader, which)
    return found


def _usual_s(pair: Pair, own: Sequence[Situation]) -> Ints | None:
    """Return the greens of the plans by stage of the pair, s (stages,); None without plans."""
    found = [
        stage_spans(half.site, half.table, each.plan)[half.stage, 1] // 10
        for half, each in zip(pair.halves, own, strict=True)
        if each.plan is not None
    ]
    if len(found) < len(own):
        return None
    return np.array([max(found[0][a], found[1][b]) for a, b in pair.places], dtype=np.int64)
