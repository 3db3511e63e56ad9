# SPDX-License-Identifier: Apache-2.0
"""`lvbo log`: what was decided at which signal, when and why."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvbo.cli.session import Session
from lvbo.cli.tables import in_one_line, plain_table
from lvbo.errors import UsageError

if TYPE_CHECKING:
    from lvbo.cli.decisions import Told

MOST = 200
CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")

RunsArg = Annotated[Path, typer.Argument(metavar="RUN_FOLDER", help="cli_arg_runs")]
FromOpt = Annotated[str | None, typer.Option("--from", metavar="HH:MM[:SS]", help="cli_opt_from")]
ToOpt = Annotated[str | None, typer.Option("--to", metavar="HH:MM[:SS]", help="cli_opt_to")]


def log(
    ctx: typer.Context,
    folder: RunsArg,
    controller: Annotated[
        str | None, typer.Option("--controller", metavar="ID", help="cli_opt_log_controller")
    ] = None,
    since: FromOpt = None,
    until: ToOpt = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="K", help="cli_opt_log_seed")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="cli_opt_log_all")] = False,
) -> None:
    """Show the decision log of a run."""
    from lvbo.cli.decisions import headings, told
    from lvbo.project.decisions import Extract, extracted, read_decisions

    session: Session = ctx.obj
    wanted = Extract(
        seed=seed,
        controller=controller,
        from_s=_second(since, "--from"),
        to_s=_second(until, "--to"),
    )
    found = extracted(read_decisions(folder), wanted)
    shown = found if every or session.as_json else found.head(MOST)
    entries = list(told(shown, session.language))
    table = plain_table(
        session.words("cli_title_log", name=folder.resolve().name), headings(session.language)
    )
    in_one_line(table.columns[:-1])
    for e in entries:
        table.add_row(e.time, e.controller, e.stage, e.code, e.sentence)
    session.show(table)
    if len(shown) < len(found):
        session.show(session.words("cli_log_more", n=len(found) - len(shown)))
    session.finish(lambda: {"folder": str(folder), "decisions": [_plain(e) for e in entries]})


def _second(text: str | None, option: str) -> int | None:
    """Return a time of day as seconds after midnight."""
    if text is None:
        return None
    found = CLOCK.fullmatch(text)
    if found is None:
        raise UsageError("LV705", place=option, value=text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def _plain(entry: Told) -> dict[str, object]:
    plain = asdict(entry)
    return plain | {"stage": int(entry.stage) if entry.stage else None}
