# SPDX-License-Identifier: Apache-2.0
"""From longitude and latitude to the local metres of a SUMO network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lvbo.errors import InputError
from lvbo.io.sumo_xml import elements

RADIUS_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
UTM_SCALE = 0.9996
UTM_EAST_M = 500_000.0
UTM_SOUTH_M = 10_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A transverse Mercator projection on WGS 84, and where its zero lies in local metres."""

    meridian_deg: float
    latitude_deg: float = 0.0
    scale: float = UTM_SCALE
    east_m: float = UTM_EAST_M
    north_m: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)

    def to_local(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return x and y in local metres of a place in degrees.

        Krüger's series to the third order (Karney 2011, eqs. 7 to 12 and 35): within a centimetre
        some degrees off the meridian.
        """
        north, east = _kruger(longitude - self.meridian_deg, latitude)
        zero, _ = _kruger(0.0, self.latitude_deg)
        x = self.east_m + self.scale * east + self.shift[0]
        return x, self.north_m + self.scale * (north - zero) + self.shift[1]


def _kruger(from_meridian_deg: float, latitude_deg: float) -> tuple[float, float]:
    """Return northing and easting in m at scale 1."""
    n = FLATTENING / (2 - FLATTENING)
    rectifying = RADIUS_M / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    alpha = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16,
        13 * n**2 / 48 - 3 * n**3 / 5,
        61 * n**3 / 240,
    )
    eccentric = 2 * math.sqrt(n) / (1 + n)
    sine = math.sin(math.radians(latitude_deg))
    t = math.sinh(math.atanh(sine) - eccentric * math.atanh(eccentric * sine))
    away = math.radians(from_meridian_deg)
    xi = math.atan2(t, math.cos(away))
    eta = math.atanh(math.sin(away) / math.hypot(1.0, t))
    north, east = xi, eta
    for j, a in enumerate(alpha, start=1):
        north += a * math.sin(2 * j * xi) * math.cosh(2 * j * eta)
        east += a * math.cos(2 * j * xi) * math.sinh(2 * j * eta)
    return rectifying * north, rectifying * east


def read_projection(net_file: Path) -> Projection:
    """Return how a SUMO network lies on the earth.

    Raises:
        InputError: LV132 where the network has no projection, or one other than UTM and
            transverse Mercator.

    """
    location = next((e for e in elements(net_file, "net") if e.tag == "location"), None)
    stated = "" if location is None else location.get("projParameter", "")
    words = dict(_pair(word) for word in stated.split())
    offset = "" if location is None else location.get("netOffset", "")
    try:
        shift_x, shift_y = (float(x) for x in offset.split(","))
        if words.get("proj") == "utm":
            return Projection(
                meridian_deg=6.0 * int(words["zone"]) - 183.0,
                north_m=UTM_SOUTH_M if "south" in words else 0.0,
                shift=(shift_x, shift_y),
            )
        if words.get("proj") == "tmerc":
            return _transverse(words, (shift_x, shift_y))
    except (KeyError, ValueError):
        pass
    raise InputError("LV132", place=net_file.name, found=stated or "–")


def _transverse(words: Mapping[str, str], shift: tuple[float, float]) -> Projection:
    return Projection(
        meridian_deg=float(words["lon_0"]),
        latitude_deg=float(words.get("lat_0", "0")),
        scale=float(words.get("k", words.get("k_0", "1"))),
        east_m=float(words.get("x_0", "0")),
        north_m=float(words.get("y_0", "0")),
        shift=shift,
    )


def _pair(word: str) -> tuple[str, str]:
    key, _, value = word.lstrip("+").partition("=")
    return key, value
