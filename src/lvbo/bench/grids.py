# SPDX-License-Identifier: Apache-2.0
"""Generated grids as scenarios: streets, traffic and demand from a seed, known exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from lvbo.bench.grid_streets import (
    BETWEEN_S,
    STAGES,
    Layout,
    Pair,
    Streets,
    build_streets,
    write_programmes,
)
from lvbo.bench.grid_traffic import Shares, path_shares, turn_shares, write_vehicles
from lvbo.demand.demand import Demand, Saturation
from lvbo.demand.estimate import estimate_demand
from lvbo.demand.saturation import LEFT_VPH, THROUGH_RIGHT_VPH, THROUGH_VPH
from lvbo.ids import MovementId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import write_xml
from lvbo.io.sumo_scenario import read_scenario
from lvbo.network.network import Network
from lvbo.signal.schedule import DAY_S
from lvbo.simulation.count import count_scenario
from lvbo.timing.splits import equal_saturation_greens
from lvbo.timing.webster import critical_saturation

CYCLE_S = 90
LEAST_GREEN_S = 8
LOST_S = STAGES * (BETWEEN_S + 1)
"""Lost time of a cycle: start-up loss 2 s, end gain 1 s, and what lies between greens."""
WARM_UP_S, END_S = 600, 1800

Volumes = Mapping[MovementId, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """A generated grid: its scenario, and what each movement carries in veh/h by the routes.

    `saturation` is the critical degree of saturation of the busiest signal at 90 s,
    Y C / (C - L) (HCM 7, eq. 19-30). `discharge` is how its lanes discharge where that was counted
    (`counted`); else local defaults hold.
    """

    scenario: Scenario
    veh_ph: float
    saturation: float
    volumes_vph: Volumes
    discharge: tuple[Saturation, ...] = ()

    @property
    def network(self) -> Network:
        """Return the network of the scenario."""
        return self.scenario.network

    @property
    def demand(self) -> Demand:
        """Return what the routes ask for as a demand: the same all day."""
        return replace(known_demand(self.volumes_vph), saturations=self.discharge)


def counted(made: Grid, *, workers: int = 1) -> Grid:
    """Return a grid of which is known how its lanes discharge, as detectors see it.

    Raises:
        ToolError: LV600 where SUMO is missing, LV601 where it broke off.

    """
    counts = count_scenario(made.scenario, workers=workers)
    seen = estimate_demand(made.network, counts, plans=made.scenario.plans)
    return replace(made, discharge=seen.saturations)


def make_grid(folder: Path, *, side: int, veh_ph: float, seed: int, length_s: int = END_S) -> Grid:
    """Write a grid of side x side signals with `veh_ph` vehicles an hour into a folder.

    The seed draws places, paths and departures; equal seeds give equal files. The shipped plan has
    a cycle of 90 s, greens by flow ratio, no offsets. The first third warms up, 600 s at most.

    Raises:
        ToolError: LV600 where SUMO is missing, LV651 where netgenerate refuses.

    """
    streets = build_streets(folder, Layout(columns=side, rows=side), seed=seed)
    return grid_of(streets, path_shares(streets, seed=seed), veh_ph, (seed, length_s))


def make_grid_at(
    folder: Path, *, side: int, saturation: float, seed: int, length_s: int = END_S
) -> Grid:
    """Write the grid whose busiest signal has this critical degree of saturation at 90 s.

    Raises:
        ToolError: as `make_grid`.

    """
    streets = build_streets(folder, Layout(columns=side, rows=side), seed=seed)
    shares = path_shares(streets, seed=seed)
    veh_ph = volume_at(streets, shares, saturation)
    return grid_of(streets, shares, veh_ph, (seed, length_s))


def volume_at(streets: Streets, shares: Shares, saturation: float) -> float:
    """Return the vehicles an hour that give the busiest signal this degree of saturation."""
    return saturation / _saturation(_ratios(streets, turn_shares(streets, shares)))


def known_demand(volumes_vph: Volumes, *, day_type: str = "workday") -> Demand:
    """Return volumes that are known as a demand of one day in one slot."""
    movements = tuple(sorted(volumes_vph))
    volumes = np.array([[[volumes_vph[m] for m in movements]]])
    return Demand(
        days=("known",),
        day_types=(day_type,),
        first_s=0,
        slot_s=DAY_S,
        slots=1,
        movements=movements,
        volume_vph=volumes,
        lower_vph=volumes.copy(),
        upper_vph=volumes.copy(),
        saturated=np.zeros(volumes.shape, dtype=bool),
        saturations=(),
    )


def grid_of(streets: Streets, shares: Shares, veh_ph: float, drawn: tuple[int, int]) -> Grid:
    """Write programmes, vehicles and configuration; `drawn` are the seed and the length in s."""
    seed, length_s = drawn
    ratios = _ratios(streets, turn_shares(streets, shares))
    write_programmes(streets, {tl: _split(found) for tl, found in ratios.items()})
    folder = streets.net_file.parent
    routes, config = folder / "grid.rou.xml", folder / "grid.sumocfg"
    driven = write_vehicles(routes, shares, veh_ph=veh_ph, length_s=length_s, seed=seed)
    write_xml(_config(streets.net_file, routes, length_s), config)
    read = read_scenario(config)
    hours = length_s / 3600
    per_hour = turn_shares(streets, {path: n / hours for path, n in driven.items()})
    return Grid(
        scenario=replace(
            read,
            name=f"grid-{round(len(ratios) ** 0.5)}-{seed}",
            warm_up_s=min(WARM_UP_S, length_s // 3),
        ),
        veh_ph=veh_ph,
        saturation=_saturation(_ratios(streets, per_hour)),
        volumes_vph=_by_movement(read.network, per_hour),
    )


Ratios = Mapping[str, list[float]]
"""The critical flow ratio of each stage, by controller."""


def _ratios(streets: Streets, flows: Mapping[Pair, float]) -> Ratios:
    """Return critical flow ratios; flows of 1 veh/h in all give those of a vehicle an hour."""
    owner = {(link.start, link.end): link.tl for link in streets.links}
    group: dict[tuple[str, int, str], float] = defaultdict(float)
    for pair, flow in flows.items():
        group[owner[pair], streets.stage(pair), pair[0]] += flow
    found: dict[str, list[float]] = {tl: [0.0] * STAGES for tl in sorted(owner.values())}
    for (tl, stage, _), flow in group.items():
        most = LEFT_VPH if stage % 2 else THROUGH_VPH + THROUGH_RIGHT_VPH
        found[tl][stage] = max(found[tl][stage], flow / most)
    return found


def _saturation(ratios: Ratios) -> float:
    return max(critical_saturation(sum(found), LOST_S, CYCLE_S) for found in ratios.values())


def _split(ratios: list[float]) -> list[int]:
    """Return whole greens of a 90 s cycle: equal saturation in all stages above the least green."""
    greens = equal_saturation_greens(
        ratios, CYCLE_S - STAGES * BETWEEN_S, least_s=[LEAST_GREEN_S] * STAGES
    )
    ends = np.rint(np.cumsum(greens)).astype(int)
    return [int(green) for green in np.diff(ends, prepend=0)]


def _by_movement(network: Network, per_pair: Mapping[Pair, float]) -> Volumes:
    link_of = network.sumo.edge_index if network.sumo else {}
    by_links = {(link_of[a], link_of[b]): v for (a, b), v in per_pair.items()}
    return {m.id: by_links.get((m.from_link, m.to_link), 0.0) for m in network.movements}


def _config(net: Path, routes: Path, length_s: int) -> ET.Element:
    root = ET.Element("configuration")
    for group, options in {
        "input": {"net-file": net.name, "route-files": routes.name},
        "time": {"begin": "0", "end": str(length_s), "step-length": "1"},
        "processing": {"time-to-teleport": "-1"},
    }.items():
        element = ET.SubElement(root, group)
        for key, value in options.items():
            ET.SubElement(element, key, value=value)
    return root
