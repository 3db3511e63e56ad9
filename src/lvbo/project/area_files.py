# SPDX-License-Identifier: Apache-2.0
"""What an area plan leaves on disk beside its plans: gains with reasons, trade-off, map."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from lvbo.errors import Finding
from lvbo.network.network import Network
from lvbo.optimize.gains import LinkGain, PeriodGains
from lvbo.project.area import AreaDesign
from lvbo.project.results import write_plan_files
from lvbo.project.steps import Progress
from lvbo.report.area import change_map, trade_curve
from lvbo.report.figures import change_figure, trade_off_figure
from lvbo.report.words import Words
from lvbo.text import Language, say

COLUMNS = (
    "day_type", "period", "controller", "link", "street", "vehicles_ph", "delay_before_vehh",
    "delay_after_vehh", "delay_change_vehh", "stops_before_ph", "stops_after_ph", "codes",
    "reasons",
)  # fmt: skip


def write_area_files(
    design: AreaDesign, network: Network, folder: Path, language: Language, tell: Progress
) -> tuple[Finding, ...]:
    """Write plans in every form, gains, trade-off and map; return what could not be said."""
    lost = write_plan_files(design.plans, network, folder)
    write_gains(design.gains, network, folder / "gains.csv", language)
    tell(0.3)
    words = Words(language=language)
    shown = busiest(design)
    if shown is not None and network.links:
        change_figure(change_map(network, shown, words), language).write(folder / "map")
    tell(0.7)
    if design.curve is not None:
        trade_off_figure(trade_curve(design.curve, words), language).write(folder / "tradeoff")
    return lost


def busiest(design: AreaDesign) -> PeriodGains | None:
    """Return the period of the trade-off, else the one with most delay, new plans in force."""
    if design.curve is not None:
        own = (design.curve.day_type, design.curve.period)
        return next(g for g in design.gains if (g.day_type, g.period) == own)
    return max(design.gains, key=lambda g: g.delay_vehs_ph[1], default=None)


def write_gains(
    gains: Iterable[PeriodGains], network: Network, path: Path, language: Language
) -> None:
    """Write every link of every period as CSV, losers first, reasons as codes and in words."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        for period in gains:
            for gain in period.links:
                table.writerow(_row(period, gain, network, language))


def _row(period: PeriodGains, gain: LinkGain, network: Network, language: Language) -> list[object]:
    return [
        period.day_type,
        period.period,
        gain.controller,
        gain.link,
        network.link_index[gain.link].name,
        round(gain.vehicles),
        *(f"{v / 3600:.3f}" for v in (gain.before_vehs, gain.after_vehs, gain.change_vehs)),
        round(gain.before_stops),
        round(gain.after_stops),
        " ".join(r.code for r in gain.reasons),
        " ".join(say(r.code, language, place=r.place, **r.fields) for r in gain.reasons),
    ]
