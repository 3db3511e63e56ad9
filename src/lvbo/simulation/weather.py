# SPDX-License-Identifier: Apache-2.0
"""A scenario in rain or snow: the same traffic, driven more slowly and with longer gaps."""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from lvbo.io.atomic import write_whole
from lvbo.io.scenario import Scenario, Weather
from lvbo.io.sumo_plans import write_xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Driving:
    """How one drives, in parts of how one drives when it is dry."""

    accel: float
    decel: float
    tau: float
    speed: float


DRIVING: Mapping[Weather, Driving] = {
    Weather.RAIN: Driving(accel=0.85, decel=0.85, tau=1.08, speed=0.90),
    Weather.SNOW: Driving(accel=0.65, decel=0.67, tau=1.20, speed=0.75),
}
"""Chosen so that a queue discharges as was measured: 9 % less in moderate rain (capacity lost by
rainfall, Open Transportation Journal 14, 2020), 20 % less at 30 % less speed on snow and slush
(Perrin, Martin, Hansen, Transportation Research Record 1748, 2001)."""

TAG = re.compile(r"<vType\b[^>]*?(/?)>", re.DOTALL)
DEFAULT = "DEFAULT_VEHTYPE"
"""The type of vehicles that name none."""
CAR = (2.6, 4.5)
USUAL: Mapping[str, tuple[float, float]] = {
    "truck": (1.3, 4.0),
    "trailer": (1.1, 4.0),
    "bus": (1.2, 4.0),
    "coach": (2.0, 4.0),
    "motorcycle": (6.0, 10.0),
    "moped": (1.1, 7.0),
    "bicycle": (1.2, 3.0),
}
"""SUMO's accelerations and decelerations of classes that differ from cars, m/s2."""
APART = frozenset(
    {"pedestrian", "ship", "tram", "rail", "rail_urban", "rail_electric", "rail_fast"}
)
"""Classes that the weather leaves as they are."""
SPEEDS = (1.0, 0.1, 0.2, 2.0)
"""SUMO's spread of speed over the limit: mean, deviation, least, most."""


@contextmanager
def weathered(scenario: Scenario, weather: Weather) -> Iterator[Scenario]:
    """Give the scenario in this weather; what was copied for it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        yield in_weather(scenario, weather, Path(place))


def in_weather(scenario: Scenario, weather: Weather, folder: Path) -> Scenario:
    """Return the scenario with how its vehicles drive in this weather; copies go to a folder.

    Every type of vehicle is changed by the same factors; who drives where and when stays.
    """
    if weather is Weather.DRY:
        return scenario
    driving = DRIVING[weather]
    folder.mkdir(parents=True, exist_ok=True)
    kept = [*scenario.additional_files, *scenario.route_files]
    made = [_changed(path, folder / f"{k}-{path.name}", driving) for k, path in enumerate(kept)]
    own = len(scenario.additional_files)
    if not any(_names_default(path) for path in kept):
        made, own = [_default(folder / "types.add.xml", driving), *made], own + 1
    return replace(scenario, additional_files=tuple(made[:own]), route_files=tuple(made[own:]))


def _text(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")


def _names_default(path: Path) -> bool:
    return any(f'id="{DEFAULT}"' in tag.group(0) for tag in TAG.finditer(_text(path)))


def _changed(path: Path, target: Path, driving: Driving) -> Path:
    """Return a copy with the types of vehicles changed; the file itself where it has none."""
    text = _text(path)
    if not TAG.search(text):
        return path
    copy = target.with_name(target.name.removesuffix(".gz"))
    write_whole(copy, TAG.sub(lambda tag: _tag(tag, driving), text).encode("utf-8"))
    return copy


def _tag(tag: re.Match[str], driving: Driving) -> str:
    closed = tag.group(1)
    whole = tag.group(0)
    element = ET.fromstring(whole if closed else whole[:-1] + "/>")
    told = " ".join(f"{key}={quoteattr(v)}" for key, v in _driven(element.attrib, driving).items())
    return f"<vType {told}{closed}>"


def _driven(given: Mapping[str, str], driving: Driving) -> dict[str, str]:
    """Return the attributes of a type as it drives in the weather."""
    kind = given.get("vClass", "passenger")
    if kind in APART:
        return dict(given)
    accel, decel = USUAL.get(kind, CAR)
    mean, spread, least, most = _speeds(given)
    by = driving.speed
    return {
        **{key: value for key, value in given.items() if key != "speedDev"},
        "accel": f"{driving.accel * float(given.get('accel', accel)):.3f}",
        "decel": f"{driving.decel * float(given.get('decel', decel)):.3f}",
        "tau": f"{driving.tau * float(given.get('tau', 1.0)):.3f}",
        "speedFactor": f"normc({by * mean:.4f},{spread:g},{by * least:.4f},{by * most:.4f})",
    }


def _speeds(given: Mapping[str, str]) -> tuple[float, float, float, float]:
    """Return mean, deviation and bounds of the speed over the limit, as SUMO reads them."""
    told = [float(x) for x in re.findall(r"[\d.]+", given.get("speedFactor", ""))]
    mean, spread, least, most = (*told, *SPEEDS[len(told) :])
    return mean, float(given.get("speedDev", spread)), least, most


def _default(path: Path, driving: Driving) -> Path:
    """Write the type of vehicles that name none."""
    root = ET.Element("additional")
    ET.SubElement(root, "vType", _driven({"id": DEFAULT, "vClass": "passenger"}, driving))
    write_xml(root, path)
    return path
