# SPDX-License-Identifier: Apache-2.0
"""How damage as predicted and as measured compare: by way, by rank, in size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from lvbo.bench.common import Row
from lvbo.bench.ranking import spearman
from lvbo.bench.transition_rows import RED_WAVE, TRANSITION
from lvbo.evaluation.intervals import interval
from lvbo.signal.transition import Transition

WAYS = ("as_is", "held")
Cell = tuple[str, int, str]
"""Street, second of the change, way."""


def summary(rows: Sequence[Row]) -> dict[str, object]:
    """Return for each street its ways with predicted and measured damage, and all together.

    `rank` is Spearman's correlation of predicted damage with the mean measured one over all ways
    and moments, `within_moments` the mean of that within each moment; `bias_vehh` is by how much
    more was predicted than measured on average, `error_vehh` the mean of the amounts.
    """
    cells = _cells([row for row in rows if row["part"] == TRANSITION])
    streets = dict.fromkeys(street for street, _, _ in cells)
    return {
        "all": _agreement(cells),
        **{street: _street(cells, street) for street in streets},
        **_red_waves([row for row in rows if row["part"] == RED_WAVE and row["status"] == "ok"]),
    }


def _red_waves(rows: Sequence[Row]) -> dict[str, object]:
    """Return for each street what the red wave changed by cycle or in all, as said and as seen."""
    found: dict[str, object] = {}
    for street in dict.fromkeys(str(row["scenario"]) for row in rows):
        own = [row for row in rows if row["scenario"] == street]
        as_is, held = ([row for row in own if row["way"] == way] for way in WAYS)
        found[f"{street} {RED_WAVE}"] = {
            key: {
                "predicted": _number(held[0], f"predicted_{key}")
                - _number(as_is[0], f"predicted_{key}"),
                "measured": asdict(
                    interval(
                        [
                            _number(b, f"measured_{key}") - _number(a, f"measured_{key}")
                            for a, b in zip(as_is, held, strict=True)
                        ]
                    )
                ),
            }
            for key in ("inflow", "blocked", "held")
        }
    return found


def _cells(rows: Sequence[Row]) -> Mapping[Cell, Sequence[Row]]:
    found: dict[Cell, list[Row]] = {}
    for row in rows:
        key = (str(row["scenario"]), int(str(row["change_s"])), str(row["way"]))
        found.setdefault(key, []).append(row)
    return found


def _street(cells: Mapping[Cell, Sequence[Row]], street: str) -> dict[str, object]:
    own = {key: rows for key, rows in cells.items() if key[0] == street}
    ways = dict.fromkeys(way for _, _, way in own)
    return {**_agreement(own), **{way: _way(own, way) for way in ways}}


def _way(cells: Mapping[Cell, Sequence[Row]], way: str) -> dict[str, object]:
    rows = [row for key, own in cells.items() if key[2] == way for row in own]
    quickest = [row for key, own in cells.items() if key[2] == Transition.SHORTEST for row in own]
    saved = [
        _number(a, "measured_vehh") - _number(b, "measured_vehh")
        for a, b in zip(rows, quickest, strict=True)
    ]
    return {
        "predicted_vehh": sum(_number(row, "predicted_vehh") for row in rows) / len(rows),
        "measured_vehh": asdict(interval([_number(row, "measured_vehh") for row in rows])),
        "beyond_shortest_vehh": asdict(interval(saved)),
    }


def _agreement(cells: Mapping[Cell, Sequence[Row]]) -> dict[str, object]:
    predicted = {key: _number(rows[0], "predicted_vehh") for key, rows in cells.items()}
    measured = {
        key: sum(_number(row, "measured_vehh") for row in rows) / len(rows)
        for key, rows in cells.items()
    }
    off = [predicted[key] - measured[key] for key in cells]
    moments = dict.fromkeys(key[:2] for key in cells)
    within = [
        rho
        for moment in moments
        if (rho := _rank([k for k in cells if k[:2] == moment], predicted, measured)) is not None
    ]
    return {
        "cells": len(cells),
        "rank": _rank(list(cells), predicted, measured),
        "within_moments": sum(within) / len(within) if within else None,
        "bias_vehh": sum(off) / len(off) if off else None,
        "error_vehh": sum(map(abs, off)) / len(off) if off else None,
    }


def _rank(
    keys: Sequence[Cell], predicted: Mapping[Cell, float], measured: Mapping[Cell, float]
) -> float | None:
    return spearman([predicted[k] for k in keys], [measured[k] for k in keys])


def _number(row: Row, key: str) -> float:
    return float(str(row[key]))
