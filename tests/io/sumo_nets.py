# SPDX-License-Identifier: Apache-2.0
"""Small SUMO networks, made by SUMO's own tools: a cross, generated cities, programmes for them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.simulation.sumo import sumo_home

LEGS = {"N": (0, 200), "E": (200, 0), "S": (0, -200), "W": (-200, 0)}
"""The ends of the legs of a cross whose middle is C."""

Programme = Sequence[tuple[float, str]]


def tool(name: str, *options: str, folder: Path) -> None:
    """Run one of SUMO's programs."""
    program = str(sumo_home() / "bin" / name)
    done = subprocess.run([program, *options], cwd=folder, check=False, capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())


def generate(folder: Path, *options: str, name: str = "city") -> Path:
    """Generate a city of signals; `options` are those of netgenerate."""
    folder.mkdir(parents=True, exist_ok=True)
    tool("netgenerate", *options, "--output-file", f"{name}.net.xml", folder=folder)
    return folder / f"{name}.net.xml"


def plain(
    folder: Path,
    nodes: Mapping[str, Mapping[str, str]],
    edges: Iterable[Mapping[str, str]],
    *options: str,
    connections: Iterable[Mapping[str, str]] = (),
) -> Path:
    """Build a network from nodes and edges."""
    folder.mkdir(parents=True, exist_ok=True)
    root = ET.Element("nodes")
    for key, values in nodes.items():
        ET.SubElement(root, "node", {"id": key, **values})
    ET.ElementTree(root).write(folder / "plain.nod.xml")
    root = ET.Element("edges")
    for edge in edges:
        element = ET.SubElement(root, "edge", {k: v for k, v in edge.items() if "." not in k})
        for key, value in edge.items():
            if "." in key:
                lane, attribute = key.split(".")
                ET.SubElement(element, "lane", {"index": lane, attribute: value})
    ET.ElementTree(root).write(folder / "plain.edg.xml")
    root = ET.Element("connections")
    for connection in connections:
        ET.SubElement(root, "connection", dict(connection))
    ET.ElementTree(root).write(folder / "plain.con.xml")
    files = ["-n", "plain.nod.xml", "-e", "plain.edg.xml", "-x", "plain.con.xml"]
    tool("netconvert", *files, "-o", "plain.net.xml", *options, folder=folder)
    return folder / "plain.net.xml"


def cross(folder: Path, *options: str, lanes: int = 2, speed: str = "13.89") -> Path:
    """Build a cross of four legs, 200 m each, with one signal C in the middle."""
    nodes = {key: {"x": str(x), "y": str(y)} for key, (x, y) in LEGS.items()}
    nodes["C"] = {"x": "0", "y": "0", "type": "traffic_light"}
    edges = [
        {"id": f"{a}{b}", "from": a, "to": b, "numLanes": str(lanes), "speed": speed}
        for leg in LEGS
        for a, b in ((leg, "C"), ("C", leg))
    ]
    return plain(folder, nodes, edges, "--no-turnarounds", "true", *options)


def logic(
    light: str, programme: str, intervals: Programme, *, offset: float = 0, **more: str
) -> ET.Element:
    """Return one programme."""
    element = ET.Element(
        "tlLogic",
        {"id": light, "type": "static", "programID": programme, "offset": str(offset), **more},
    )
    for duration, state in intervals:
        ET.SubElement(element, "phase", duration=str(duration), state=state)
    return element


def waut(
    light: str, start: str, switches: Iterable[tuple[float, str]], *, procedure: str = ""
) -> list[ET.Element]:
    """Return a switching table for one light."""
    table = ET.Element("WAUT", id=f"W{light}", refTime="0", startProg=start)
    for time, to in switches:
        ET.SubElement(table, "wautSwitch", time=str(time), to=to)
    link = ET.Element("wautJunction", wautID=f"W{light}", junctionID=light)
    if procedure:
        link.set("procedure", procedure)
    return [table, link]


def scenario(
    net: Path, *added: ET.Element, begin: int = 0, end: int = 600, name: str = "run"
) -> Scenario:
    """Write a configuration with these additional elements beside a network, and read it."""
    return read_scenario(write_config(net, *added, begin=begin, end=end, name=name))


def write_config(
    net: Path, *added: ET.Element, begin: int = 0, end: int = 600, name: str = "run"
) -> Path:
    """Write a configuration with these additional elements beside a network."""
    root = ET.Element("configuration")
    ET.SubElement(root, "net-file", value=net.name)
    ET.SubElement(root, "begin", value=str(begin))
    ET.SubElement(root, "end", value=str(end))
    if added:
        extra = ET.Element("additional")
        extra.extend(added)
        ET.ElementTree(extra).write(net.parent / f"{name}.add.xml")
        ET.SubElement(root, "additional-files", value=f"{name}.add.xml")
    path = net.parent / f"{name}.sumocfg"
    ET.ElementTree(root).write(path)
    return path


def own_intervals(net: Path, light: str = "C") -> list[tuple[float, str]]:
    """Return the intervals netconvert gave a signal."""
    found = ET.parse(net).getroot().find(f"tlLogic[@id='{light}']")
    phases = [] if found is None else found.findall("phase")
    return [(float(p.attrib["duration"]), p.attrib["state"]) for p in phases]
