# SPDX-License-Identifier: Apache-2.0
"""`lvbo explain`: what a finding means and what to do about it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated

import typer
from rich.text import Text

from lvbo.cli.session import Session
from lvbo.errors import UsageError
from lvbo.text import table

FIELD = re.compile(r"\{(\w+)[^}]*\}")


def explain(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE", help="cli_arg_code")],
) -> None:
    """Print the sentence of a code and its cure."""
    session: Session = ctx.obj
    asked = code.upper()
    known = table(session.language)
    codes = [key for key in known if re.fullmatch(r"LV\d+", key)]
    if asked not in codes:
        near = ", ".join(get_close_matches(asked, codes, n=3)) or "LV101"
        raise UsageError("LV710", place=asked, near=near)
    sentence, cure = FIELD.sub(r"‹\1›", known[asked]), known.get(f"{asked}_fix", "")
    session.show(Text.assemble((asked, "bold"), " ", sentence))
    session.show(Text.assemble(("→ ", "green"), cure))
    session.finish({"code": asked, "text": known[asked], "fix": cure})
