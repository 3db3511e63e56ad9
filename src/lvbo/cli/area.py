# SPDX-License-Identifier: Apache-2.0
"""`lvbo plan --area`: what was asked, and the answer in tables and as data."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.table import Table
from rich.text import Text

from lvbo.cli.findings import finding_data, sentence
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table
from lvbo.errors import UsageError
from lvbo.ids import MovementId

if TYPE_CHECKING:
    from lvbo.network.network import Network
    from lvbo.optimize.curve import TradeOff, TradePoint
    from lvbo.optimize.gains import LinkGain, PeriodGains
    from lvbo.optimize.robust import Borne
    from lvbo.project.area import AreaDesign
    from lvbo.timing.model import CycleLimits

Kind = TypeVar("Kind", bound=StrEnum)

CYCLES = re.compile(r"(\d+)-(\d+)")
LEAST_CYCLE_S, MOST_CYCLE_S = 20, 300
SHOWN = 3
"""So many losers and so many gainers are shown on the terminal."""


def cycle_limits(text: str | None) -> CycleLimits:
    """Return the limits of a text such as 60-120; LV734 where it is none."""
    from lvbo.timing.model import CycleLimits

    if text is None:
        return CycleLimits()
    found = CYCLES.fullmatch(text.strip())
    least_s, most_s = (int(part) for part in found.groups()) if found else (1, 0)
    if not LEAST_CYCLE_S <= least_s <= most_s <= MOST_CYCLE_S:
        raise UsageError("LV734", place=text)
    return CycleLimits(least_s=least_s, most_s=most_s)


def one_of(kinds: type[Kind], text: str | None, option: str) -> Kind | None:
    """Return the member that a text names; LV704 where it names none."""
    if text is None:
        return None
    known = {str(kind): kind for kind in kinds}
    if text not in known:
        raise UsageError("LV704", place=option, reason=f"{text} ({', '.join(known)})")
    return known[text]


def read_buses(path: Path | None, network: Network) -> Mapping[MovementId, float] | None:
    """Return buses per hour by movement from a table; LV736 where it is wrong."""
    if path is None:
        return None
    found: dict[MovementId, float] = {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for row in (table := csv.DictReader(stream)):
            movement = MovementId(row.get("movement") or "")
            try:
                buses = float(row.get("bus_ph") or "")
            except ValueError:
                buses = -1.0
            if movement not in network.movement_index or not 0 <= buses < float("inf"):
                raise UsageError(
                    "LV736",
                    place=str(path),
                    line=table.line_num,
                    found=", ".join(map(str, row.values())),
                )
            found[movement] = buses
    return found


# tables ---------------------------------------------------------------------------------------


def show_area(session: Session, design: AreaDesign, network: Network) -> None:
    """Print periods before and after, and the links that lose and gain most, with reasons."""
    from lvbo.project.area_files import busiest

    session.show(periods_table(session, design))
    shown = busiest(design)
    if shown is not None:
        session.show(links_table(session, shown, network))
    if design.borne:
        session.show(borne_table(session, design.borne))
    if design.curve is not None:
        session.show(trade_table(session, design.curve))


def periods_table(session: Session, design: AreaDesign) -> Table:
    """Return the periods with cycles, delay and stops before and after, and bands."""
    names = ("period", "cycles", "delay_vehh", "stops_ph", "bands", "kept")
    columns = [session.words(f"cli_col_{name}") for name in names]
    table = plain_table(session.words("cli_title_area"), columns, numbers=4)
    for gains in design.gains:
        delay = [value / 3600 for value in gains.delay_vehs_ph]
        stays = (gains.day_type, gains.period) in design.kept
        table.add_row(
            _when(session, gains.day_type, gains.period),
            _cycles(design, gains),
            f"{delay[0]:.1f} → {delay[1]:.1f} ({_percent(*delay)})",
            f"{gains.stops_ph[0]:.0f} → {gains.stops_ph[1]:.0f} ({_percent(*gains.stops_ph)})",
            _bands(design, gains) or "–",
            session.words("cli_kept_yes") if stays else "",
        )
    return table


def links_table(session: Session, gains: PeriodGains, network: Network) -> Table:
    """Return the largest losers, then the largest gainers, with their reasons."""
    names = ("link", "street", "change_vehh", "why")
    columns = [session.words(f"cli_col_{name}") for name in names]
    when = _when(session, gains.day_type, gains.period)
    table = plain_table(session.words("cli_title_area_links", when=when), columns)
    table.caption = session.words("cli_losers_first")
    table.caption_justify = "left"
    for style, own in (("red", gains.losers), ("green", gains.gainers)):
        for gain in own[:SHOWN]:
            table.add_row(
                str(gain.link),
                network.link_index[gain.link].name,
                Text(f"{gain.change_vehs / 3600:+.2f}", style=style),
                _why(session, gain),
            )
        table.add_section()
    return table


def borne_table(session: Session, borne: Sequence[Borne]) -> Table:
    """Return how the days of each period are borne: in force, by plans for the mean, by these."""
    columns = [session.words(f"cli_col_{n}") for n in ("period", "days", "mean_day", "worst_day")]
    table = plain_table(session.words("cli_title_borne"), columns, numbers=3)
    for own in borne:
        table.add_row(
            _when(session, own.day_type, own.period),
            str(own.days) if own.counted else session.words("cli_days_made", days=own.days),
            *(
                " → ".join(f"{value / 3600:.1f}" for value in row)
                for row in (own.mean_vehs_ph, own.worst_vehs_ph)
            ),
        )
    return table


def trade_table(session: Session, trade: TradeOff) -> Table:
    """Return the trade-off point by point."""
    names = ("bands", "stop_price", "delay_vehh", "stops_ph")
    columns = ["", *(session.words(f"cli_col_{name}") for name in names)]
    when = _when(session, trade.day_type, trade.period)
    table = plain_table(session.words("cli_title_tradeoff", when=when), columns, numbers=4)
    rows = [(session.words(f"word_bands_{p.bands}"), p) for p in trade.points]
    if trade.before is not None:
        rows.append((session.words("cli_kept_yes"), trade.before))
    for name, point in rows:
        mark = f" ({session.words('cli_trade_chosen')})" if point.chosen else ""
        table.add_row(
            name + mark,
            f"{point.band_s:.0f}",
            "–" if point is trade.before else f"{point.stop_s:g}",
            f"{point.delay_vehs_ph / 3600:.1f}",
            f"{point.stops_ph:.0f}",
        )
    return table


def _when(session: Session, day_type: str, period: str) -> str:
    from lvbo.report.area import period_words
    from lvbo.report.words import Words

    return period_words(day_type, period, Words(language=session.language))


def _cycles(design: AreaDesign, gains: PeriodGains) -> str:
    own = [
        plan.cycle_s
        for (_, kind, name), plan in design.plans.run_index.items()
        if (kind, name) == (gains.day_type, gains.period)
    ]
    return ", ".join(f"{cycle:g}" for cycle in sorted(set(own), reverse=True))


def _bands(design: AreaDesign, gains: PeriodGains) -> str:
    found = [
        f"{own.runs.outbound_ms / 1000:.0f}+{own.runs.inbound_ms / 1000:.0f}"
        for wave in design.designed.waves
        for own in wave.periods
        if (own.day_type, own.period) == (gains.day_type, gains.period)
    ]
    return ", ".join(found)


def _percent(before: float, after: float) -> str:
    return f"{100 * (after / before - 1):+.0f} %" if before > 0 else "–"


def _why(session: Session, gain: LinkGain) -> str:
    told = [sentence(reason, session.language) for reason in gain.reasons]
    heads = (f"{gain.link}: ", f"{gain.link}：")
    return "\n".join(
        next((said.removeprefix(h) for h in heads if said.startswith(h)), said) for said in told
    )


# data -----------------------------------------------------------------------------------------


def area_data(session: Session, design: AreaDesign) -> dict[str, object]:
    """Return everything of an area plan but the plans themselves as plain data."""
    curve, limited = design.curve, design.limited
    return {
        "periods": [_period_data(session, design, gains) for gains in design.gains],
        "tradeoff": None
        if curve is None
        else {
            "day_type": curve.day_type,
            "period": curve.period,
            "points": [_point_data(point) for point in curve.points],
            "in_force": curve.before and _point_data(curve.before),
        },
        "robust": [_borne_data(own) for own in design.borne],
        "most_plans": None
        if limited is None
        else {
            "most": limited.most_plans,
            "percent": 100 * limited.share,
            "exact": limited.exact,
        },
    }


def _borne_data(own: Borne) -> dict[str, object]:
    kinds = ("in_force", "for_mean", "robust")
    return {
        "day_type": own.day_type,
        "period": own.period,
        "days": own.days,
        "counted": own.counted,
        "mean_day_vehh": {k: v / 3600 for k, v in zip(kinds, own.mean_vehs_ph, strict=True)},
        "worst_day_vehh": {k: v / 3600 for k, v in zip(kinds, own.worst_vehs_ph, strict=True)},
    }


def _period_data(session: Session, design: AreaDesign, gains: PeriodGains) -> dict[str, object]:
    before, after = gains.delay_vehs_ph
    stops_before, stops_after = gains.stops_ph
    return {
        "day_type": gains.day_type,
        "period": gains.period,
        "cycles_s": _cycles(design, gains),
        "delay_before_vehh": before / 3600,
        "delay_after_vehh": after / 3600,
        "stops_before": stops_before,
        "stops_after": stops_after,
        "bands_s": _bands(design, gains),
        "kept": (gains.day_type, gains.period) in design.kept,
        "links": [
            {
                "controller": link.controller,
                "link": link.link,
                "vehicles": link.vehicles,
                "delay_before_vehh": link.before_vehs / 3600,
                "delay_after_vehh": link.after_vehs / 3600,
                "stops_before": link.before_stops,
                "stops_after": link.after_stops,
                "reasons": [finding_data(r, session.language) for r in link.reasons],
            }
            for link in gains.links
        ],
    }


def _point_data(point: TradePoint) -> dict[str, object]:
    return {
        "bands": str(point.bands),
        "stop_s": point.stop_s,
        "delay_vehh": point.delay_vehs_ph / 3600,
        "stops": point.stops_ph,
        "band_s": point.band_s,
        "chosen": point.chosen,
    }
