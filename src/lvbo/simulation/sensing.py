# SPDX-License-Identifier: Apache-2.0
"""What detectors a street has and how they fail, as one frozen value.

Nothing here is perfect knowledge: loops are SUMO's own detectors, area sensing sees no further than
its range, connected vehicles are a share of all, and every kind may be late, noisy or broken.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lvbo.control.protocols import Capability, Floats, Vehicles
from lvbo.errors import UsageError

STOP_LOOP_M = 3.0
"""The stop-line loop lies under the first vehicle that stands: fronts stop a metre or two short."""
ADVANCE_S = 3.0
"""An advance loop lies this far upstream in seconds of free travel, 42 m at 50 km/h."""


class Eye(StrEnum):
    """The kind of detector: areas (video, radar), loops, vehicles that report, none."""

    AREA = "area"
    LOOPS = "loops"
    CONNECTED = "connected"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensing:
    """The detectors of a street and their faults; shares are 0 to 1.

    `connected` is the share of vehicles that report. With `advance` loops have a second one
    upstream, `advance_m` before the line or, where that is None, so far that free travel from there
    takes `ADVANCE_S`; with `buses` those report themselves beside loops. `missed` is the share of
    vehicles never seen, `stuck` that of lanes that always show one standing vehicle, `dead` that of
    lanes without any data (known to be dead). Data come `latency_s` late; wishes reach the site
    `command_s` late.
    """

    eye: Eye = Eye.AREA
    range_m: float = 200.0
    connected: float = 0.3
    advance: bool = True
    advance_m: float | None = None
    buses: bool = False
    noise_m: float = 0.0
    missed: float = 0.0
    stuck: float = 0.0
    dead: float = 0.0
    latency_s: int = 0
    command_s: int = 0
    capability: Capability = Capability.STAGE

    @property
    def shows_vehicles(self) -> bool:
        """Say whether vehicles are seen one by one: all in an area, or those that report."""
        return self.eye in (Eye.AREA, Eye.CONNECTED) or (self.eye is Eye.LOOPS and self.buses)

    def advances_m(self, speed_mps: Floats | float) -> Floats | float:
        """Return how far before the line advance loops are wanted on lanes of these speeds, m."""
        return ADVANCE_S * speed_mps if self.advance_m is None else self.advance_m

    @property
    def is_sampled(self) -> bool:
        """Say whether the vehicles seen are only those that report."""
        return self.eye is not Eye.AREA and self.shows_vehicles


def parse_sensing(text: str) -> Sensing:
    """Return the sensing of words joined by `+`: `area:80`, `loops+dead:0.25+latency:1`.

    The kinds are `area[:metres]`, `loops[:metres]` with the advance loop so far before the line,
    `stopline`, `connected:share`, `none`; beside loops `buses` report themselves. The faults are
    `noise:metres`, `missed:share`, `stuck:share`, `dead:share`, `latency:s`, `command:s`.

    Raises:
        UsageError: LV740 for a word that is not known, or an amount that it does not take.

    """
    values: dict[str, object] = {}
    for word in text.split("+"):
        name, _, amount = word.partition(":")
        try:
            values |= _read(name, amount)
        except (KeyError, ValueError) as error:
            known = ", ".join((*_EYES, *_PLAIN, *_AMOUNTS))
            raise UsageError("LV740", place=word, known=known) from error
    return Sensing(**values)  # type: ignore[arg-type]


_PLAIN: Mapping[str, Mapping[str, object]] = {
    "none": {"eye": Eye.NONE},
    "stopline": {"eye": Eye.LOOPS, "advance": False},
    "buses": {"buses": True},
}


def _read(name: str, amount: str) -> dict[str, object]:
    if name in _PLAIN:
        if amount:
            raise ValueError(amount)
        return dict(_PLAIN[name])
    if name in _EYES:
        key, of = _EYES[name]
        return {"eye": Eye(name), **({key: of(amount)} if amount else {})}
    key, of = _AMOUNTS[name]
    return {key: of(amount)}


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def _metres(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError(text)
    return value


def _seconds(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


_EYES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "area": ("range_m", _metres),
    "loops": ("advance_m", _metres),
    "connected": ("connected", _share),
}
_AMOUNTS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "noise": ("noise_m", _metres),
    "missed": ("missed", _share),
    "stuck": ("stuck", _share),
    "dead": ("dead", _share),
    "latency": ("latency_s", _seconds),
    "command": ("command_s", _seconds),
    "capability": ("capability", Capability),
}


def luck(seed: int, name: str) -> float:
    """Return a number in [0, 1) that belongs to a name and a seed, the same on every machine.

    Names that are alike have numbers that have nothing to do with each other.
    """
    mixed = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=4).digest()
    return int.from_bytes(mixed, "big") / 2**32


def broken_lanes(
    sensing: Sensing, seed: int, lanes: tuple[str, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which lanes are dead and which are stuck, each of shape (lanes,).

    At a share of 1 all are; no lane is both.
    """
    dead = np.array([luck(seed, f"dead {lane}") < sensing.dead for lane in lanes], dtype=bool)
    stuck = np.array([luck(seed, f"stuck {lane}") < sensing.stuck for lane in lanes], dtype=bool)
    return dead, stuck & ~dead


def blurred(vehicles: Vehicles, noise_m: float, rng: np.random.Generator) -> Vehicles:
    """Return vehicles with distances off by a normal error, never beyond the stop line."""
    if noise_m <= 0 or not len(vehicles.key):
        return vehicles
    off: Floats = rng.normal(0.0, noise_m, len(vehicles.key))
    return Vehicles(
        key=vehicles.key,
        zone=vehicles.zone,
        distance_m=np.maximum(vehicles.distance_m + off, 0.0),
        speed_mps=vehicles.speed_mps,
        wait_s=vehicles.wait_s,
        persons=vehicles.persons,
    )
