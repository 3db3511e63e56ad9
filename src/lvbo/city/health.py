# SPDX-License-Identifier: Apache-2.0
"""Whether this machine can do the work, and how to make its first run fast."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from lvbo.city.build import pilot_folder

NEEDED = ("numpy", "numba", "polars", "matplotlib", "openpyxl", "jinja2", "pylopdf-fonts-zh-cn")
OPTIONAL = ("eclipse-sumo", "libsumo", "highspy")
PYTHON = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part of what Lvbo works with: whether it is there, in which version."""

    part: str
    ok: bool
    needed: bool
    found: str


def examine() -> tuple[Check, ...]:
    """Return what was found of everything that Lvbo uses."""
    return (
        Check(
            part="python",
            ok=sys.version_info >= PYTHON,
            needed=True,
            found=f"{platform.python_version()} ({platform.system()} {platform.machine()})",
        ),
        *(_package(name, needed=True) for name in ("lvbo", *NEEDED)),
        *(_package(name, needed=False) for name in OPTIONAL),
        _city(),
        Check(part="processors", ok=True, needed=False, found=str(os.cpu_count() or 1)),
    )


def _package(name: str, *, needed: bool) -> Check:
    try:
        found = version(name)
    except PackageNotFoundError:
        found = ""
    return Check(part=name, ok=bool(found), needed=needed, found=found)


def _city() -> Check:
    files = sorted(pilot_folder().glob("*"))
    found = f"yuci, {len(files)}" if files else ""
    return Check(part="city", ok=bool(files), needed=True, found=found)


def warm_kernels() -> None:
    """Compile every numba kernel once by timing and coordinating the bundled street.

    SUMO is not needed. The compiled code is kept beside the package, so later runs start at once.
    """
    from lvbo.control.gate import warm_gate
    from lvbo.control.site import read_site
    from lvbo.demand.estimate import estimate_demand
    from lvbo.io.counts_csv import read_counts
    from lvbo.io.sumo_scenario import read_scenario
    from lvbo.progression.coordinate import Street, coordinate
    from lvbo.timing.periods import find_periods
    from lvbo.timing.plans import time_plans

    home = pilot_folder()
    scenario = read_scenario(home / "yuci.demo.sumocfg")
    network = scenario.network
    counts = read_counts(sorted(home.glob("*.counts.week1.csv")), network)
    demand = estimate_demand(network, counts, plans=scenario.plans)
    plans = time_plans(network, demand, find_periods(network, demand, max_periods=2))
    corridor = network.corridors[0]
    coordinate(corridor, plans, street=Street(network=network, demand=demand))
    for controller in network.controllers[:1]:
        warm_gate(read_site(network, controller))
