# SPDX-License-Identifier: Apache-2.0
"""Counts from CSV and XLSX files: long and wide tables, Chinese and English headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from lvbo.detection.counts import Counts
from lvbo.detection.detector import Detector
from lvbo.detection.quality import judged
from lvbo.detection.tables import Target
from lvbo.errors import Finding, InputError, Severity
from lvbo.io.count_layout import Layout, find_layout
from lvbo.io.count_rows import Entry, RowReader
from lvbo.io.count_table import build_table
from lvbo.io.count_targets import Targets
from lvbo.io.sheet import Sheet, read_sheets
from lvbo.network.network import Network

DayTypes = Callable[[date], str] | Mapping[date, str]


def weekday_type(day: date) -> str:
    """Return `workday` from Monday to Friday, else `weekend`."""
    return "workday" if day.weekday() < 5 else "weekend"  # noqa: PLR2004  Saturday


@dataclass(kw_only=True)
class _Collected:
    """What several files gave: entries, and every finding on the way."""

    entries: list[Entry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_counts(
    paths: str | Path | Sequence[str | Path],
    network: Network,
    *,
    zone: str | None = None,
    calendar: DayTypes | None = None,
    detectors: Iterable[Detector] = (),
) -> Counts:
    """Read counts from CSV or XLSX files and judge their quality.

    Long tables have a row per interval and target, wide ones a column per target. Targets are
    detectors, lanes, movements or approaches, by id or in direction words (东进口左转, WBL). Times
    are local civil time of `zone` (the network's, if not given). `calendar` tells the day type of a
    date, for example `Calendar().day_type`. What was guessed is said in the findings of the result.

    Raises:
        InputError: with every problem of all files, each with its file and line.

    """
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    local = ZoneInfo(zone or network.zone)
    targets = Targets(network=network, detectors={d.id: d for d in detectors})
    collected = _Collected()
    for path in listed:
        _read_file(Path(path), targets, local, collected)
    _raise_errors(collected.findings)
    known = (*targets.detectors.values(), *targets.made.values())
    lanes = _lanes(network, known)
    table, found = build_table(collected.entries, local, _day_type(calendar), lanes)
    _raise_errors(found)
    counts = Counts(
        table=table,
        detectors=known,
        findings=(*collected.findings, *targets.guesses.values(), *found),
        zone=local.key,
    )
    return judged(counts, lanes=lanes, beside=_neighbours(network))


def _read_file(path: Path, targets: Targets, zone: ZoneInfo, into: _Collected) -> None:
    try:
        sheets = read_sheets(path)
    except InputError as error:
        into.findings.extend(error.findings())
        return
    for sheet in sheets:
        into.findings.extend(sheet.findings)
        layout, found = find_layout(sheet, targets)
        into.findings.extend(found)
        if layout is not None:
            _read_rows(sheet, layout, targets, zone, into)


def _read_rows(
    sheet: Sheet, layout: Layout, targets: Targets, zone: ZoneInfo, into: _Collected
) -> None:
    reader = RowReader(layout=layout, targets=targets, zone=zone)
    for row in sheet.rows:
        reader.read(row)
    into.entries.extend(reader.entries)
    into.findings.extend(reader.all_findings(sheet.place))


def _raise_errors(findings: Iterable[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise InputError.of(errors)


def _day_type(calendar: DayTypes | None) -> Callable[[date], str]:
    if calendar is None:
        return weekday_type
    if isinstance(calendar, Mapping):
        return lambda day: calendar.get(day, weekday_type(day))
    return calendar


def _lanes(network: Network, detectors: Iterable[Detector]) -> dict[tuple[str, str], int]:
    """Return how many lanes each possible target spans, by kind and id."""
    found: dict[tuple[str, str], int] = {(Target.LANE, lane): 1 for lane in network.lane_index}
    for movement in network.movements:
        found[Target.MOVEMENT, movement.id] = max(1, len(movement.lanes))
    for link in network.links:
        found[Target.LINK, link.id] = max(1, len(link.lanes))
    for detector in detectors:
        lanes = {lane for m in detector.movements for lane in network.movement_index[m].lanes}
        link_lanes = len(network.link_index[detector.link].lanes) if detector.link else 0
        found[Target.DETECTOR, detector.id] = max(1, len(detector.lanes), len(lanes), link_lanes)
    return found


def _neighbours(network: Network) -> tuple[tuple[str, ...], ...]:
    """Return sets of lanes and of movements of one link: those whose cables may be swapped."""
    lanes = [tuple(lane.id for lane in link.lanes) for link in network.links]
    moves = [tuple(m.id for m in listed) for listed in network.movements_from.values()]
    return tuple(found for found in (*lanes, *moves) if len(found) > 1)
