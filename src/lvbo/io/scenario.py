# SPDX-License-Identifier: Apache-2.0
"""A scenario: a network, the plans it ships with, and the traffic it is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lvbo.network.network import Network
from lvbo.signal.schedule import PlanSet


class Weather(StrEnum):
    """What lies on the road."""

    DRY = "dry"
    RAIN = "rain"
    SNOW = "snow"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything a simulation needs. No planning function accepts one: it holds the judged traffic.

    The simulated span is [begin, end) in seconds; second 0 is local midnight. `warm_up_s` is cut
    off the front of what is judged, `run_out_s` is run after `end_s` so that trips can finish.
    `teleport_s` is the waiting time after which SUMO moves a vehicle on; -1 for never.
    `speeds_mps` are measured platoon speeds by link, where the site sheet states them.
    """

    name: str
    folder: Path
    net_file: Path
    route_files: tuple[Path, ...]
    additional_files: tuple[Path, ...]
    begin_s: int
    end_s: int
    network: Network
    plans: PlanSet
    step_s: float = 1.0
    teleport_s: float = -1.0
    warm_up_s: int = 0
    run_out_s: int = 0
    speeds_mps: tuple[tuple[str, float], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
