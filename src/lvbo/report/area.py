# SPDX-License-Identifier: Apache-2.0
"""From gains and trade-offs of an area to the values that their figures and tables show."""

from __future__ import annotations

from collections.abc import Iterable

from lvbo.network.network import Network
from lvbo.network.place import IntersectionKind
from lvbo.optimize.curve import TradeOff, TradePoint
from lvbo.optimize.gains import PeriodGains
from lvbo.report.values import ChangeLink, ChangeMap, CurvePoint, TradeCurve
from lvbo.report.words import Words

NAMED_SIGNALS = 24


def period_words(day_type: str, period: str, words: Words) -> str:
    """Return the name of a period of a day type; one named by its start reads as HH:MM."""
    named = words.period(period) or f"{period[1:3]}:{period[3:]}"
    return f"{words.named('word_day', day_type)} {named}"


def change_map(network: Network, gains: PeriodGains, words: Words) -> ChangeMap:
    """Return the map of one period: change of delay by link that ends at a signal."""
    change: dict[str, float] = {}
    for gain in gains.links:
        change[gain.link] = change.get(gain.link, 0.0) + gain.change_vehs / 3600
    before, after = (value / 3600 for value in gains.delay_vehs_ph)
    places = [p for p in network.intersections if p.kind is IntersectionKind.SIGNAL]
    named = len(places) <= NAMED_SIGNALS
    return ChangeMap(
        title=words("fig_change_title", when=period_words(gains.day_type, gains.period, words)),
        subtitle=words("fig_change_facts", before=f"{before:.1f}", after=f"{after:.1f}"),
        links=tuple(
            ChangeLink(shape=link.shape, change_vehh=change.get(link.id)) for link in network.links
        ),
        discs=tuple((*p.at, p.name if named else "") for p in places),
        left_hand=network.left_hand,
    )


def trade_curve(trade: TradeOff, words: Words) -> TradeCurve:
    """Return the trade-off of one period with each point in words."""
    return TradeCurve(
        title=words("fig_trade_title", when=period_words(trade.day_type, trade.period, words)),
        subtitle=words("fig_trade_facts"),
        points=tuple(_points(trade.points, words)),
        before=None
        if trade.before is None
        else _curve_point(
            trade.before, words("fig_trade_before", band=f"{trade.before.band_s:.0f}")
        ),
    )


def _points(points: Iterable[TradePoint], words: Words) -> Iterable[CurvePoint]:
    for point in points:
        label = words(
            "fig_trade_point",
            bands=words(f"word_bands_{point.bands}"),
            stop_s=f"{point.stop_s:g}",
            band=f"{point.band_s:.0f}",
        )
        yield _curve_point(point, label)


def _curve_point(point: TradePoint, label: str) -> CurvePoint:
    return CurvePoint(
        delay_vehh=point.delay_vehs_ph / 3600,
        stops=point.stops_ph,
        kind=str(point.bands),
        label=label,
        chosen=point.chosen,
    )
