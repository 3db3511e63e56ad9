# SPDX-License-Identifier: Apache-2.0
"""A street of two signals, 300 m apart, with a little traffic: enough to simulate in a second."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.simulation.sumo import sumo_home

END_S = 600
NODES = {
    "W": (-300, 0),
    "A": (0, 0),
    "B": (300, 0),
    "E": (600, 0),
    "AN": (0, 200),
    "AS": (0, -200),
    "BN": (300, 200),
    "BS": (300, -200),
}
STREETS = (("W", "A", 2), ("A", "B", 2), ("B", "E", 2), ("AN", "A", 1), ("A", "AS", 1))
SIDES = (("BN", "B", 1), ("B", "BS", 1))
ROUTES = {
    "east": ("WA AB BE", 6),
    "west": ("EB BA AW", 8),
    "south": ("ANA AAS", 15),
    "north": ("BSB BBN", 20),
}


GAP_M = 300
"""From one signal to the other, and so far are the ends of the street from them."""


def build_tiny(
    folder: Path, *, gap_m: int = GAP_M, routes: Mapping[str, tuple[str, int]] = ROUTES
) -> Path:
    """Write network, routes and configuration into a folder; return the configuration.

    The signals are `gap_m` apart; `routes` are edges, and every how many seconds somebody departs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_nodes(folder / "tiny.nod.xml", gap_m - GAP_M)
    _write_edges(folder / "tiny.edg.xml")
    _netconvert(folder)
    _write_routes(folder / "tiny.rou.xml", routes)
    return write_config(folder)


def write_config(folder: Path, *, end_s: int = END_S, routes: str = "tiny.rou.xml") -> Path:
    """Write a configuration for the tiny network."""
    root = ET.Element("configuration")
    values = {"net-file": "tiny.net.xml", "route-files": routes, "begin": "0", "end": str(end_s)}
    for key, value in values.items():
        ET.SubElement(root, key, value=value)
    path = folder / f"{Path(routes).name.split('.')[0]}.sumocfg"
    ET.ElementTree(root).write(path)
    return path


def _write_nodes(path: Path, nearer_m: int) -> None:
    root = ET.Element("nodes")
    for name, (x, y) in NODES.items():
        kind = "traffic_light" if name in {"A", "B"} else "priority"
        at = x + nearer_m if x > 0 else x
        ET.SubElement(root, "node", id=name, x=str(at), y=str(y), type=kind)
    ET.ElementTree(root).write(path)


def _write_edges(path: Path) -> None:
    root = ET.Element("edges")
    for start, end, lanes in (*STREETS, *SIDES):
        for a, b in ((start, end), (end, start)):
            name = "High St" if lanes > 1 else f"{(start + end).strip('NS')[0]} St"
            edge = {"id": a + b, "from": a, "to": b, "numLanes": str(lanes), "name": name}
            ET.SubElement(root, "edge", edge, speed="13.89")
    ET.ElementTree(root).write(path)


def _netconvert(folder: Path) -> None:
    options = {
        "--node-files": "tiny.nod.xml",
        "--edge-files": "tiny.edg.xml",
        "--output-file": "tiny.net.xml",
        "--tls.cycle.time": "60",
        "--output.street-names": "true",
        "--no-turnarounds": "true",
        "--sidewalks.guess": "true",
        "--crossings.guess": "true",
    }
    words = [word for pair in options.items() for word in pair]
    program = str(sumo_home() / "bin" / "netconvert")
    subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)


def _write_routes(path: Path, routes: Mapping[str, tuple[str, int]]) -> None:
    root = ET.Element("routes")
    ET.SubElement(root, "vType", id="car", vClass="passenger")
    ET.SubElement(root, "vType", id="citybus", vClass="bus")
    trips = [
        (depart, name, edges)
        for name, (edges, every) in routes.items()
        for depart in range(0, END_S, every)
    ]
    for depart, name, edges in sorted(trips):
        kind = "citybus" if name == "east" and depart % 120 == 0 else "car"
        vehicle = ET.SubElement(
            root, "vehicle", id=f"{name}.{depart}", type=kind, depart=str(depart)
        )
        ET.SubElement(vehicle, "route", edges=edges)
    _add_walkers(root)
    ET.ElementTree(root).write(path)


def _add_walkers(root: ET.Element) -> None:
    """Let five persons cross the high street, in order of departure among the vehicles."""
    for number in range(5):
        person = ET.Element("person", id=f"p{number}", depart=str(60 * number))
        ET.SubElement(person, "walk", edges="ANA AAS")
        later = [k for k, e in enumerate(root) if float(e.get("depart", "-1")) > 60 * number]
        root.insert(later[0], person)
