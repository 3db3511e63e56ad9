# SPDX-License-Identifier: Apache-2.0
"""`lvbo init`: a folder for a network of your own."""

from __future__ import annotations

from pathlib import Path

import typer

from lvbo.cli.load import read_place
from lvbo.cli.options import OutOpt, PlaceArg
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table


def init(ctx: typer.Context, path: PlaceArg, out: OutOpt = None) -> None:
    """Copy a network into a project folder, with its plans as text; print what is doubtful."""
    from lvbo.io.doubts import check_network
    from lvbo.project.folder import staged
    from lvbo.project.start import start_project

    session: Session = ctx.obj
    with session.step("read"):
        place = read_place(path)
    target = (out or Path(path.name.split(".")[0] or "project")).resolve()
    with staged(target) as scratch:
        start_project(scratch, path, place.network, place.plans, place.scenario)
    findings = (*place.plans.findings, *check_network(place.network, place.plans))
    session.show_findings(findings, most=3)
    columns = [session.words(f"cli_col_{c}") for c in ("street", "signals", "length")]
    table = plain_table(session.words("cli_title_streets"), columns, numbers=2)
    for corridor in place.network.corridors:
        table.add_row(corridor.name, str(len(corridor.stops)), f"{corridor.length_m:.0f} m")
    session.show(table)
    session.show(session.words("cli_project_at", path=str(target)))
    session.finish(
        {"folder": str(target), "corridors": [c.name for c in place.network.corridors]}, findings
    )
