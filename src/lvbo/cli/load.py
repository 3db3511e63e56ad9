# SPDX-License-Identifier: Apache-2.0
"""What a path on the command line leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lvbo.errors import UsageError

if TYPE_CHECKING:
    from lvbo.detection.counts import Counts
    from lvbo.ids import LinkId
    from lvbo.io.scenario import Scenario
    from lvbo.network.network import Network
    from lvbo.signal.schedule import PlanSet

NETWORKS = (".net.xml", ".net.xml.gz")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A street with the plans it ships, and its scenario where there is traffic too."""

    path: Path
    network: Network
    plans: PlanSet
    scenario: Scenario | None = None

    @property
    def speeds_mps(self) -> Mapping[LinkId, float]:
        """Return measured speeds by link, where the site sheet states some."""
        from lvbo.project.line import link_speeds

        return link_speeds(self.scenario) if self.scenario else {}


def read_place(path: Path) -> Place:
    """Return the network of a `.net.xml`, or the scenario of a `.sumocfg` or a folder."""
    from lvbo.io.sumo_net import read_network_and_plans
    from lvbo.io.sumo_scenario import read_scenario

    if path.name.lower().endswith(NETWORKS) and path.is_file():
        network, plans = read_network_and_plans(path)
        return Place(path=path, network=network, plans=plans)
    scenario = read_scenario(path)
    return Place(path=path, network=scenario.network, plans=scenario.plans, scenario=scenario)


def net_file(place: Place) -> Path:
    """Return the SUMO network file of a place."""
    return place.path if place.scenario is None else place.scenario.net_file


def the_scenario(place: Place) -> Scenario:
    """Return the scenario of a place; a network alone has no traffic to run (LV711)."""
    if place.scenario is None:
        raise UsageError("LV711", place=str(place.path))
    return place.scenario


def the_counts(paths: Sequence[Path] | None, network: Network) -> Counts:
    """Return the counts of the files that were named; LV712 where none was."""
    from lvbo.io.counts_csv import read_counts

    if not paths:
        raise UsageError("LV712", place="--counts")
    return read_counts(list(paths), network)


def the_plans(path: Path | None, place: Place) -> PlanSet:
    """Return the plans of a file, else those that the place ships."""
    from lvbo.io.plans_toml import read_plans

    return place.plans if path is None else read_plans(path, place.network)
