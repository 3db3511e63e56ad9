# SPDX-License-Identifier: Apache-2.0
"""`lvbo export`: plans as SUMO programmes, text, or stage sheet 配时表."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lvbo.cli.load import read_place
from lvbo.cli.options import NetworkOpt, PlansArg
from lvbo.cli.session import Session
from lvbo.errors import UsageError


class Form(StrEnum):
    """The forms in which plans leave."""

    SUMO = "sumo"
    TOML = "toml"
    SHEET_CSV = "sheet-csv"
    SHEET_XLSX = "sheet-xlsx"


ENDINGS = {
    Form.SUMO: ".add.xml",
    Form.TOML: ".toml",
    Form.SHEET_CSV: ".csv",
    Form.SHEET_XLSX: ".xlsx",
}


def export(
    ctx: typer.Context,
    plans: PlansArg,
    form: Annotated[Form, typer.Option("--format", "-f", help="cli_opt_format")] = Form.SUMO,
    network: NetworkOpt = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="cli_opt_out_file")
    ] = None,
    day_type: Annotated[
        str | None, typer.Option("--day", metavar="TYPE", help="cli_opt_day")
    ] = None,
) -> None:
    """Write plans in another form; say what that form cannot express."""
    from lvbo.io.plans_toml import read_plans
    from lvbo.project.plan_files import write_plans

    session: Session = ctx.obj
    if network is None and form is not Form.TOML:
        raise UsageError("LV713", place="--network", form=str(form))
    place = read_place(network) if network else None
    known = place.network if place else None
    chosen = read_plans(plans, known)
    kinds = [day.day_type for day in chosen.day_plans]
    if day_type is not None and day_type not in kinds:
        raise UsageError("LV714", place="--day", day_type=day_type, known=", ".join(kinds))
    target = (out or Path(f"{plans.stem}{ENDINGS[form]}")).resolve()
    lost = write_plans(chosen, target, known, language=session.language, day_type=day_type)
    session.show_findings(lost, most=6)
    session.show(session.words("cli_file_at", path=str(target)))
    session.finish({"file": str(target)}, lost)
    if lost:
        raise typer.Exit(1)
