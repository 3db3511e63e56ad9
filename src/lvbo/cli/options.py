# SPDX-License-Identifier: Apache-2.0
"""The options and arguments that several commands share; help texts are keys of the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lvbo.io.scenario import Weather

PlaceArg = Annotated[Path, typer.Argument(metavar="PATH", help="cli_arg_place")]
ScenarioArg = Annotated[Path, typer.Argument(metavar="SCENARIO", help="cli_arg_scenario")]
PlansArg = Annotated[Path, typer.Argument(metavar="PLANS", help="cli_arg_plans")]
CountsOpt = Annotated[
    list[Path] | None, typer.Option("--counts", "-c", metavar="FILE", help="cli_opt_counts")
]
PlansOpt = Annotated[
    Path | None, typer.Option("--plans", "-p", metavar="FILE", help="cli_opt_plans")
]
BeforeOpt = Annotated[Path | None, typer.Option("--before", metavar="FILE", help="cli_opt_before")]
NetworkOpt = Annotated[
    Path | None, typer.Option("--network", "-n", metavar="PATH", help="cli_opt_network")
]
StreetOpt = Annotated[
    list[str] | None, typer.Option("--street", "-s", metavar="NAME", help="cli_opt_street")
]
OutOpt = Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="cli_opt_out")]
SeedsOpt = Annotated[int, typer.Option("--seeds", min=1, metavar="N", help="cli_opt_seeds")]
WorkersOpt = Annotated[int, typer.Option("--workers", min=1, metavar="N", help="cli_opt_workers")]
WeatherOpt = Annotated[Weather, typer.Option("--weather", help="cli_opt_weather")]
