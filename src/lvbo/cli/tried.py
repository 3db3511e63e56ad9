# SPDX-License-Identifier: Apache-2.0
"""`lvbo wave --try`: how waves are tried, and what the trials found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from lvbo.cli.load import Place, net_file
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table
from lvbo.cli.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lvbo.progression.wave import WaveSettings
    from lvbo.project.wave_rule import TriedShare
    from lvbo.project.wave_trial import TriedWave
    from lvbo.signal.schedule import PlanSet

WORKERS = 2
"""Simulations of a trial at once."""


def tried_waves(
    session: Session,
    place: Place,
    plans: PlanSet,
    streets: Sequence[str],
    traffic: Traffic,
    settings: WaveSettings,
) -> tuple[TriedWave, ...]:
    """Return waves of which a simulation decided how much of the band stays."""
    from lvbo.optimize.executor import open_runner
    from lvbo.project.wave_trial import Trying, try_waves

    with session.step("try_waves") as tell, open_runner(WORKERS, "") as runner:
        return try_waves(
            [place.network.corridor(name) for name in streets],
            plans,
            traffic.on(place),
            Trying(net_file=net_file(place)),
            settings=settings,
            runner=runner,
            tell=tell,
        )


def trial_table(session: Session, tried: TriedWave) -> Table:
    """Return the mean delay and stops of all waves that were tried on a street, by period."""
    names = ("period", "offsets", "band_share", "delay_veh", "stops_km")
    columns = [*(session.words(f"cli_col_{name}") for name in names), ""]
    title = session.words("cli_title_wave_trial", street=tried.wave.corridor.name)
    table = plain_table(title, columns, numbers=4)
    for trial in tried.trials:
        kind = session.word_or(f"word_day_{trial.day_type}", trial.day_type)
        for own in trial.tried:
            marks = {"cli_trade_chosen": trial.best, "cli_wave_preferred": trial.preferred}
            table.add_row(
                f"{kind} {trial.period}",
                _name(session, own),
                f"{100 * own.share:.0f}",
                f"{own.delay_s:.1f}",
                f"{own.stops_per_km:.2f}",
                "; ".join(session.words(key) for key, name in marks.items() if name == own.name),
            )
        table.add_section()
    return table


def _name(session: Session, own: TriedShare) -> str:
    from lvbo.progression.choices import LEAST_DELAY, SOLVED

    if own.name in {SOLVED, LEAST_DELAY}:
        return session.words(f"word_wave_{own.name}")
    return session.words("word_wave_share", percent=f"{100 * float(own.name):.0f}")


def trial_data(tried: TriedWave) -> list[dict[str, object]]:
    """Return all runs of the trials of a street as plain data."""
    return [
        {
            "day_type": trial.day_type,
            "period": trial.period,
            "seeds": list(trial.seeds),
            "preferred": trial.preferred,
            "chosen": trial.best,
            "waves": [
                {
                    "name": own.name,
                    "share": own.share,
                    "delay_s": [run.delay_s for run in own.runs],
                    "stops_per_km": [run.stops_per_km for run in own.runs],
                }
                for own in trial.tried
            ],
        }
        for trial in tried.trials
    ]
