# SPDX-License-Identifier: Apache-2.0
"""Write a plan set in the form that the name of the file asks for."""

from __future__ import annotations

from pathlib import Path

from lvbo.control.transition import passages
from lvbo.errors import Finding, Severity, UsageError
from lvbo.io import plans_toml
from lvbo.io.stage_sheet import write_stage_sheet
from lvbo.io.sumo_plans import write_sumo_plans
from lvbo.network.network import Network
from lvbo.signal.schedule import PlanSet
from lvbo.text import Language


def write_plans(
    plans: PlanSet,
    path: Path | str,
    network: Network | None = None,
    *,
    language: Language = Language.ZH,
    day_type: str | None = None,
) -> tuple[Finding, ...]:
    """Write plans as text (.toml), SUMO programmes (.xml) or a stage sheet (.csv, .xlsx).

    All but text need the network. A SUMO file holds one day type, the first if none is named, and
    where plans say how controllers get into step, what these show on the way; a sheet is written
    in `language`. Returns what the chosen form cannot express.

    Raises:
        UsageError: LV707 for another kind of file, or without the network it needs.
        ToolError: LV340 where the file cannot be written.

    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind == ".toml":
        plans_toml.write_plans(plans, target)
        return ()
    if network is None or kind not in {".xml", ".csv", ".xlsx"}:
        raise UsageError("LV707", place=target.name, suffix=kind or "-")
    if kind == ".xml":
        kind_of_day = day_type or plans.day_plans[0].day_type
        found, lost = passages(network, plans, kind_of_day)
        write_sumo_plans(plans, network, target, kind_of_day, found)
        return tuple(
            Finding(
                code="LV359",
                place=controller,
                severity=Severity.WARNING,
                fields={"switch": str(switch)},
            )
            for controller, switch in lost
        )
    return write_stage_sheet(plans, network, target, language)
