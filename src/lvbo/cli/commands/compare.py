# SPDX-License-Identifier: Apache-2.0
"""`lvbo compare`: two sets of runs, paired by seed, losers first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvbo.cli.session import Session
from lvbo.cli.tables import differences_table, ways_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lvbo.evaluation.compare import Difference
    from lvbo.evaluation.corridors import Way
    from lvbo.project.records import RunRecord

Folder = Annotated[Path, typer.Argument(metavar="BEFORE", help="cli_arg_before")]
Other = Annotated[Path, typer.Argument(metavar="AFTER", help="cli_arg_after")]


def compare(ctx: typer.Context, before: Folder, after: Other) -> None:
    """Print paired differences with 95 % intervals."""
    from lvbo.codec import to_plain
    from lvbo.evaluation.compare import compare_measures
    from lvbo.project.records import read_record

    session: Session = ctx.obj
    old, new = read_record(before), read_record(after)
    old.check_pairs(new)
    differences = compare_measures(old.measures, new.measures)
    title = session.words("cli_title_compare", before=old.controller, after=new.controller)
    session.show(differences_table(title, differences, session))
    streets = _streets(old, new)
    for street, ways in streets.items():
        heading = session.words(
            "cli_title_compare_street", street=street, before=old.controller, after=new.controller
        )
        session.show(ways_table(heading, ways, session))
    session.finish(
        lambda: {
            "scenario": old.scenario,
            "before": old.controller,
            "after": new.controller,
            "seeds": [m.seed for m in old.measures],
            "differences": to_plain(differences),
            "streets": {
                street: {str(way): to_plain(each) for way, each in ways.items()}
                for street, ways in streets.items()
            },
        }
    )


def _streets(old: RunRecord, new: RunRecord) -> dict[str, Mapping[Way, tuple[Difference, ...]]]:
    """Return what changed on every street that both records measured, by direction."""
    from lvbo.evaluation.compare import compare_ways

    seeds = [m.seed for m in old.measures]
    after = {one.street: one for one in new.streets}
    return {
        one.street: compare_ways(seeds, one.ways, after[one.street].ways)
        for one in old.streets
        if one.street in after
    }
