# SPDX-License-Identifier: Apache-2.0
"""What goes into a link comes out again: links on which the counts do not agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.served import Served
from lvbo.errors import Finding, Severity
from lvbo.network.network import Network

Array = NDArray[np.float64]
LEAST_OFF = 0.1
LEAST_GEH = 5.0
LEAST_SLOTS = 3


def geh(seen: Array, expected: Array) -> Array:
    """Return the GEH statistic of hourly volumes, zero where both are."""
    total = np.maximum(seen + expected, 1e-9)
    return np.asarray(np.sqrt(2 * (seen - expected) ** 2 / total))


def imbalances(
    network: Network, served: Served, saturated: NDArray[np.bool_]
) -> tuple[Finding, ...]:
    """Return links whose counted outflow is off their inflow by 10 % and GEH 5 in busy slots.

    Busy is the half with more inflow. Slots with a saturated movement do not count: there the
    queue takes or gives the difference.
    """
    column = {movement: k for k, movement in enumerate(served.movements)}
    counted = dict(zip(served.links, served.inflow, strict=True))
    findings = []
    for link in network.link_index:
        out = [column[m.id] for m in network.movements_from[link]]
        into = [column[m.id] for m in network.movements_into[link]]
        if not out or (link not in counted and not into):
            continue
        inflow = counted.get(link)
        if inflow is None:
            inflow = served.alone[:, :, into].sum(axis=2)
        outflow = served.alone[:, :, out].sum(axis=2)
        free = ~saturated[:, :, [*out, *into]].any(axis=2)
        finding = _compared(link, inflow[free], outflow[free])
        if finding is not None:
            findings.append(finding)
    return tuple(findings)


def _compared(link: str, inflow: Array, outflow: Array) -> Finding | None:
    both = ~np.isnan(inflow) & ~np.isnan(outflow)
    if both.any():
        both &= np.nan_to_num(inflow) >= np.median(inflow[both])
    if both.sum() < LEAST_SLOTS or inflow[both].sum() <= 0:
        return None
    came, went = float(inflow[both].mean()), float(outflow[both].mean())
    off = float(geh(np.array(went), np.array(came)))
    if abs(went / came - 1) < LEAST_OFF or off < LEAST_GEH:
        return None
    fields = {"in_vph": round(came), "out_vph": round(went), "percent": round(100 * went / came)}
    return Finding(code="LV534", place=link, severity=Severity.WARNING, fields=fields)
