# SPDX-License-Identifier: Apache-2.0
"""The waves that one street may have in one period, for a simulation to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lvbo.progression.band import two_way_band
from lvbo.progression.coordinate import Task
from lvbo.progression.tradeoff import Plans, best_kept, freed_band, kept_bands
from lvbo.progression.wave import PeriodWave

SHARES = (1.0, 0.5, 0.0)
"""The shares of the band that are offered, beside the one that the model prefers."""
SOLVED, LEAST_DELAY = "solved", "least_delay"
"""Names of the band as it was solved, and of offsets that serve delay alone."""

Freed = Callable[[Plans], Plans]
"""Gives plans of a street other offsets, whatever its band."""


@dataclass(frozen=True, kw_only=True)
class WaveChoice:
    """One wave that a street may have, and the share of both bands together that it keeps.

    Its name is `SOLVED`, `LEAST_DELAY`, or the share of the band that had to stay.
    """

    name: str
    share: float
    wave: PeriodWave


@dataclass(frozen=True, kw_only=True)
class WaveChoices:
    """All that a street may have, the widest first.

    `preferred` is the name of what the model prefers, `solved` that of the band as it was solved,
    `freest` that of the offsets of least delay, or of the least share where those were not asked.
    """

    preferred: str
    solved: str
    freest: str
    waves: tuple[WaveChoice, ...]

    def of(self, name: str) -> WaveChoice:
        """Return the wave of a name; KeyError if there is none."""
        return {own.name: own for own in self.waves}[name]


def wave_choices(task: Task, least_delay: Freed | None = None) -> WaveChoices:
    """Return the waves that a street may have, equal ones once.

    They are all, half and none of the widest band within whose room delay and stops were cut, what
    the model prefers, the band as it was solved, and the offsets of `least_delay`, unless some
    signals may not move. Where traffic is not known, the band as it was solved is all.
    """
    found: list[WaveChoice] = []
    names: dict[str, str] = {}
    preferred = SOLVED
    for choice, is_preferred in _all(task, least_delay):
        same = next((own for own in found if own.wave.plans == choice.wave.plans), choice)
        names[choice.name] = same.name
        found += [choice] if same is choice else []
        preferred = same.name if is_preferred else preferred
    *_, freest = names.values()
    return WaveChoices(preferred=preferred, solved=names[SOLVED], freest=freest, waves=tuple(found))


def _all(task: Task, least_delay: Freed | None) -> Iterator[tuple[WaveChoice, bool]]:
    """Yield each choice, and whether the model prefers it; the widest come first."""
    problem = task.problem()
    band = two_way_band(problem)
    runs, traffic = band.whole, task.traffic(band.whole)
    solved = WaveChoice(name=SOLVED, share=1.0, wave=task.with_band(problem, band))
    if traffic is None:
        yield solved, True
        return
    kept = kept_bands(problem, runs, traffic, least_share=task.settings.least_share)
    best = best_kept(kept, traffic)
    for own in kept:
        if own is best or own.asked in SHARES:
            wave = task.with_band(problem, band, own)
            yield WaveChoice(name=f"{own.asked:g}", share=own.share, wave=wave), own is best
        if own is kept[0]:
            yield solved, False
    if least_delay is not None and not traffic.held:
        plans = least_delay(task.as_given(runs))
        freed = freed_band(problem, runs, traffic, plans, kept[0].now)
        wave = task.with_band(problem, band, freed)
        yield WaveChoice(name=LEAST_DELAY, share=freed.share, wave=wave), False
