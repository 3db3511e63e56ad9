# SPDX-License-Identifier: Apache-2.0
"""`lvbo doctor`: whether everything needed is there; `--warm` compiles the kernels."""

from __future__ import annotations

from typing import Annotated

import typer

from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table

SIGNS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}


def doctor(
    ctx: typer.Context,
    warm: Annotated[bool, typer.Option("--warm", help="cli_opt_warm")] = False,
) -> None:
    """Print what is there; exit 1 where something needed is missing."""
    from lvbo.city.health import examine, warm_kernels

    session: Session = ctx.obj
    if warm:
        with session.step("warm"):
            warm_kernels()
    checks = examine()
    table = plain_table(
        session.words("cli_title_doctor"),
        ["", session.words("cli_col_part"), session.words("cli_col_found")],
    )
    for check in checks:
        found = check.found or session.words("cli_missing")
        note = "" if check.ok or check.needed else f" [dim]{session.words('cli_optional')}[/]"
        sign = SIGNS[True if check.ok else (False if check.needed else None)]
        table.add_row(sign, session.word_or(f"cli_part_{check.part}", check.part), found + note)
    session.show(table)
    session.finish(
        {
            "checks": [
                {"part": c.part, "ok": c.ok, "needed": c.needed, "found": c.found} for c in checks
            ]
        }
    )
    if any(check.needed and not check.ok for check in checks):
        raise typer.Exit(1)
