# SPDX-License-Identifier: Apache-2.0
"""`lvbo wave --paths` and `--bus`: the bands of paths that turn and of buses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table

if TYPE_CHECKING:
    from lvbo.progression.pathresult import PathBand, PathPeriod, PathWave, PathWish

NONE = "–"


def read_wish(paths: int | None, bus: Path | None, keep: float | None) -> PathWish:
    """Return which paths get bands: so many that turn, and the bus lines of a file."""
    from lvbo.io.bus_toml import read_bus_lines
    from lvbo.progression.pathresult import PathWish

    lines = read_bus_lines(bus) if bus else ()
    kept = PathWish().least_through if keep is None else keep
    return PathWish(most=paths or 0, buses=lines, least_through=kept)


def paths_table(session: Session, made: PathWave) -> Table:
    """Return the bands of every path and period beside those of the two-way wave."""
    names = ("period", "path", "ways", "from_to", "vehicles", "before_s", "band_s", "kept_pc")
    columns = [session.words(f"cli_col_{c}") for c in names]
    title = session.words("cli_title_paths", street=made.wave.corridor.name)
    table = plain_table(title, columns, numbers=4)
    table.caption = session.words("cli_paths_caption")
    table.caption_justify = "left"
    for own in made.periods:
        kind = session.word_or(f"word_day_{own.day_type}", own.day_type)
        for band in own.bands:
            kept = NONE if band.kept is None else f"{100 * band.kept:.0f}"
            table.add_row(
                f"{kind} {own.period}",
                band.name,
                _ways(session, band),
                f"{band.controllers[0]} … {band.controllers[-1]}",
                f"{band.vehicles_ph:.0f}",
                f"{band.before_ms / 1000:.0f}",
                f"{band.band_ms / 1000:.0f}",
                kept,
            )
        table.add_section()
    return table


def _ways(session: Session, band: PathBand) -> str:
    if band.kept is not None:
        return session.words("word_path_bus")
    return ", ".join(session.words(f"word_turn_{turn}") for turn in (band.turn_in, band.turn_out))


def paths_data(own: PathPeriod) -> list[dict[str, object]]:
    """Return the paths of a period for JSON."""
    return [
        {
            "kind": str(band.kind),
            "name": band.name,
            "outbound": band.outbound,
            "controllers": [str(c) for c in band.controllers],
            "links": [str(link) for link in band.links],
            "turn_in": str(band.turn_in),
            "turn_out": str(band.turn_out),
            "vehicles_ph": band.vehicles_ph,
            "persons_ph": band.persons_ph,
            "before_s": band.before_ms / 1000,
            "band_s": band.band_ms / 1000,
            "kept_before": band.kept_before,
            "kept": band.kept,
        }
        for band in own.bands
    ]
