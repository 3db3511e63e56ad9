# SPDX-License-Identifier: Apache-2.0
"""How measures are written: digits, units, signs, and which change is for the better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lvbo.evaluation.compare import Difference
from lvbo.evaluation.intervals import Interval, interval
from lvbo.report.words import MPS_TO_KMH, Words


class Mark(StrEnum):
    """What an interval says about a change."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Style:
    """How one measure is written: unit (a key), digits, and what it is multiplied by."""

    unit: str
    digits: int
    scale: float = 1.0


STYLES = {
    "delay_s": Style("s_per_veh", 1),
    "trip_s": Style("s", 1),
    "trip_p95_s": Style("s", 1),
    "stops": Style("per_trip", 2),
    "queue": Style("veh", 1),
    "queue_longest": Style("veh", 0),
    "spillback_min": Style("min", 1),
    "throughput_vph": Style("veh_per_h", 0),
    "unfinished": Style("veh", 1),
    "co2_g": Style("relative", 0),
    "bus_delay_s": Style("s", 1),
    "bus_trip_s": Style("s", 1),
    "walk_delay_s": Style("s", 1),
    "walk_delay_longest_s": Style("s", 0),
    "person_delay_s": Style("s_per_person", 1),
    "travel_median_s": Style("s", 1),
    "travel_p95_s": Style("s", 1),
    "speed_mps": Style("km_per_h", 1, MPS_TO_KMH),
    "stops_per_trip": Style("per_trip", 2),
    "stops_per_km": Style("per_km", 2),
    "nonstop_share": Style("percent", 0, 100.0),
    "green_arrival_share": Style("percent", 0, 100.0),
    "platoon_ratio": Style("none", 2),
    "stops_per_signal": Style("per_trip", 2),
    "control_delay_s": Style("s_per_veh", 1),
    "green_flow_vph": Style("veh_per_h", 0),
    "green_use": Style("percent", 0, 100.0),
    "speed_variation": Style("none", 2),
    "spillback_share": Style("percent", 1, 100.0),
    "red_queue_share": Style("percent", 0, 100.0),
    "queue_storage_share": Style("percent", 0, 100.0),
    "bus_speed_mps": Style("km_per_h", 1, MPS_TO_KMH),
    "side_queue_m": Style("m", 0),
    "imbalance": Style("none", 2),
}
_PLAIN = Style("none", 2)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table of results, ready to print."""

    measure: str
    unit: str
    before: str
    after: str
    change: str
    percent: str
    worst: str
    mark: Mark
    verdict: str


def line(difference: Difference, words: Words) -> Line:
    """Return one measure as it is printed; relative measures show no absolute values."""
    style = STYLES.get(difference.measure, _PLAIN)
    relative = style.unit == "relative"
    mark = mark_of(difference)
    return Line(
        measure=words.named("word_measure", difference.measure),
        unit=words(f"word_unit_{style.unit}"),
        before="–" if relative else number(difference.before, style),
        after="–" if relative else number(difference.after, style),
        change="–" if relative else spread(difference.change, style, words),
        percent=spread(difference.percent, Style("percent", 1), words) + " %"
        if difference.percent
        else "–",
        worst="–"
        if relative
        else words(
            "report_worst_seed", seed=difference.worst_seed, value=signed(difference.worst, style)
        ),
        mark=mark,
        verdict=words(f"word_{mark}"),
    )


def shown_mean(values: Sequence[float], style: Style) -> str:
    """Return the mean of one value per seed with its 95 % interval, where there are several."""
    found = interval(values)
    mean = number(found.mean, style)
    if found.low is None or found.high is None:
        return mean
    return f"{mean} [{number(found.low, style)}, {number(found.high, style)}]"


def mark_of(difference: Difference) -> Mark:
    """Return what the interval of a change says: it decides only where it excludes zero."""
    if not difference.is_certain:
        return Mark.UNCLEAR
    return Mark.BETTER if difference.gain > 0 else Mark.WORSE


def number(value: float, style: Style) -> str:
    """Return a value in the unit of its measure."""
    return f"{style.scale * value:.{style.digits}f}".replace("-", "−")


def signed(value: float, style: Style) -> str:
    """Return a change with its sign; a real minus, no sign on zero."""
    text = f"{style.scale * value:+.{style.digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def spread(found: Interval, style: Style, words: Words) -> str:
    """Return a mean change with its interval; one value alone has none and says so."""
    mean = signed(found.mean, style)
    if found.low is None or found.high is None:
        return words("report_no_interval", mean=mean)
    return f"{mean} [{signed(found.low, style)}, {signed(found.high, style)}]"
