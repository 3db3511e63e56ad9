# SPDX-License-Identifier: Apache-2.0
"""`lvbo check --flows`: the area model beside SUMO, the movements that differ most first."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table

if TYPE_CHECKING:
    from lvbo.project.flow_check import FlowCheck

SHOWN = 10


def flows_table(session: Session, check: FlowCheck) -> Table:
    """Return the movements whose flows differ most, as seen in SUMO and in the model."""
    names = ("movement", "flow_seen", "flow_model", "geh", "wait_seen", "wait_model")
    columns = [session.words(f"cli_col_{name}") for name in names]
    table = plain_table(session.words("cli_title_flows"), columns, numbers=5)
    for flow in check.flows[:SHOWN]:
        table.add_row(
            flow.movement,
            f"{flow.seen_vph:.0f}",
            f"{flow.model_vph:.0f}",
            f"{flow.geh:.1f}",
            f"{flow.seen_s:.0f}",
            f"{flow.model_s:.0f}",
        )
    return table


def flow_data(check: FlowCheck) -> dict[str, object]:
    """Return the whole check as plain data."""
    seen, model = check.delay_vehh_ph
    return {
        "share_alike": check.share_alike,
        "delay_seen_vehh": seen,
        "delay_model_vehh": model,
        "movements": [{**asdict(flow), "geh": flow.geh} for flow in check.flows],
    }
