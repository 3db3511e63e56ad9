# SPDX-License-Identifier: Apache-2.0
"""Corridor instances: read from files in the format `corridor-instances/1`, or generated."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvbo.errors import InputError
from lvbo.progression.linkbands import LinkBandProblem
from lvbo.progression.problem import BandProblem, Pattern, SpeedRange, Window

SCHEMA = "corridor-instances/1"
PARTS = 1_000_000_000  # window fractions count in parts of a cycle this fine
SPEED_MPS: SpeedRange = (11.111, 16.667)  # 40 to 60 km/h
CYCLE_S = (60.0, 120.0)
SPACING_M = (200.0, 800.0)

Raw = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Hold one corridor with its known optima, where there are any (bands in cycles).

    `weight_out` and `weight_in` weigh bands by link; empty where these are not asked for.
    """

    name: str
    patterns: tuple[tuple[Pattern, ...], ...]
    distance_out_m: tuple[float, ...]
    distance_in_m: tuple[float, ...]
    speed_out_mps: tuple[SpeedRange, ...]
    speed_in_mps: tuple[SpeedRange, ...]
    cycle_range_s: tuple[float, float]
    speed_change_limit_s_per_m: float | None = None
    ratio_range: tuple[float, float] | None = None
    expected: float | None = None
    weight_out: tuple[float, ...] = ()
    weight_in: tuple[float, ...] = ()
    expected_multiband: float | None = None

    @property
    def signals(self) -> int:
        """Return the number of signals."""
        return len(self.patterns)

    def problem(self, grid_s: float) -> BandProblem:
        """Return the band problem with cycles every `grid_s` seconds of the range."""
        low, high = (round(1000 * s) for s in self.cycle_range_s)
        cycles = tuple(range(low, high + 1, round(1000 * grid_s)))
        return BandProblem(
            patterns=self.patterns,
            parts_per_cycle=PARTS,
            cycles_ms=cycles,
            distance_out_m=self.distance_out_m,
            distance_in_m=self.distance_in_m,
            speed_out_mps=self.speed_out_mps,
            speed_in_mps=self.speed_in_mps,
            speed_change_limit_s_per_m=self.speed_change_limit_s_per_m,
            ratio_range=self.ratio_range,
        )

    def link_problem(self, grid_s: float, least_side: float) -> LinkBandProblem:
        """Return the problem of bands by link with cycles every `grid_s` seconds of the range."""
        return LinkBandProblem(
            street=self.problem(grid_s),
            weight_out=self.weight_out,
            weight_in=self.weight_in,
            least_side=least_side,
        )


def read_instances(path: Path) -> tuple[Instance, ...]:
    """Return the instances of one file."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("LV430", place=str(path), reason=str(error.strerror)) from error
    except ValueError as error:
        raise InputError("LV430", place=str(path), reason=str(error)) from error
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise InputError("LV431", place=str(path), schema=SCHEMA)
    found = []
    for index, item in enumerate(raw.get("instances", ())):
        place = f"{path}: instances[{index}]"
        try:
            found.append(_instance(item))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise InputError("LV430", place=place, reason=reason) from error
    return tuple(found)


def generate_instances(
    sizes: Sequence[int] = (5, 10, 20, 50), seed: int = 1
) -> tuple[Instance, ...]:
    """Return random corridors, for each size one with common greens and one with lead/lag free."""
    source = random.Random(seed)
    return tuple(
        _generated(f"random_{n}_{'leadlag' if free else 'plain'}_{seed}", n, source, free=free)
        for n in sizes
        for free in (False, True)
    )


def _generated(name: str, n: int, source: random.Random, *, free: bool) -> Instance:
    patterns = tuple(_lead_lag(source) if free else _common(source) for _ in range(n))
    spacing = tuple(round(source.uniform(*SPACING_M), 1) for _ in range(n - 1))
    return Instance(
        name=name,
        patterns=patterns,
        distance_out_m=spacing,
        distance_in_m=spacing,
        speed_out_mps=(SPEED_MPS,) * (n - 1),
        speed_in_mps=(SPEED_MPS,) * (n - 1),
        cycle_range_s=CYCLE_S,
        weight_out=_weights(name, n, "out"),
        weight_in=_weights(name, n, "in"),
    )


def _weights(name: str, n: int, direction: str) -> tuple[float, ...]:
    """Return weights by link that sum to about one, from a source of their own."""
    source = random.Random(f"{name} {direction}")
    return tuple(round(source.uniform(0.5, 1.5) / (n - 1), 6) for _ in range(n - 1))


def _common(source: random.Random) -> tuple[Pattern, ...]:
    """Return one sequence whose two greens coincide."""
    green = round(source.uniform(0.45, 0.60) * PARTS)
    window = ((0, green),)
    return (Pattern(outbound=window, inbound=window),)


def _lead_lag(source: random.Random) -> tuple[Pattern, ...]:
    """Return the four orders of two left-turn greens around the common red."""
    red = round(source.uniform(0.30, 0.42) * PARTS)
    left_out, left_in = (round(source.uniform(0.08, 0.18) * PARTS) for _ in range(2))
    through_out, through_in = PARTS - red - left_in, PARTS - red - left_out
    return tuple(
        Pattern(outbound=((red + a, through_out),), inbound=((red + b, through_in),))
        for a in (0, left_in)
        for b in (0, left_out)
    )


def _instance(raw: Raw) -> Instance:
    links = int(str(raw["signals"])) - 1
    low, high = _floats(raw["cycle_range_s"])
    limit = raw.get("speed_change_limit_s_per_m")
    ratio = raw.get("band_ratio_range")
    return Instance(
        name=str(raw["id"]),
        patterns=tuple(
            tuple(_pattern(p) for p in _list(signal)) for signal in _list(raw["patterns"])
        ),
        distance_out_m=_floats(raw["distance_out_m"]),
        distance_in_m=_floats(raw["distance_in_m"]),
        speed_out_mps=_speeds(raw, "speed_out_mps", links),
        speed_in_mps=_speeds(raw, "speed_in_mps", links),
        cycle_range_s=(low, high),
        speed_change_limit_s_per_m=None if limit is None else float(str(limit)),
        ratio_range=None if ratio is None else (_floats(ratio)[0], _floats(ratio)[1]),
        expected=_expected(raw, "two_way_sum"),
        weight_out=_link_weights(raw, "out"),
        weight_in=_link_weights(raw, "in"),
        expected_multiband=_expected(raw, "multiband"),
    )


def _link_weights(raw: Raw, direction: str) -> tuple[float, ...]:
    weights = raw.get("multiband_weights")
    return _floats(weights[direction]) if isinstance(weights, dict) else ()


def _expected(raw: Raw, model: str) -> float | None:
    values = [e["value"] for e in _list(raw.get("expected", [])) if e["model"] == model]
    return float(values[0]) if values else None


def _speeds(raw: Raw, key: str, links: int) -> tuple[SpeedRange, ...]:
    if key in raw:
        return tuple((v, v) for v in _floats(raw[key]))
    low, high = _floats(raw["speed_range_mps"])
    return ((low, high),) * links


def _pattern(raw: Raw) -> Pattern:
    return Pattern(outbound=_windows(raw["out"]), inbound=_windows(raw["in"]))


def _windows(raw: object) -> tuple[Window, ...]:
    return tuple(
        (round(start * PARTS) % PARTS, round(length * PARTS)) for start, length in _list(raw)
    )


def _floats(raw: object) -> tuple[float, ...]:
    return tuple(float(x) for x in _list(raw))


def _list(raw: object) -> list[Any]:
    if not isinstance(raw, list):
        raise TypeError(type(raw).__name__)
    return raw
