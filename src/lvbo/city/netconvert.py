# SPDX-License-Identifier: Apache-2.0
"""Build the SUMO network of `yuci` with netconvert and read its signal links back."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.city.plainxml import Area, connection_xml, edge_xml, node_xml
from lvbo.errors import ToolError

_OPTIONS = (
    "--no-turnarounds=true",
    "--walkingareas=true",
    "--junctions.join=false",
    "--crossings.guess=false",
    "--tls.default-type=static",
    "--output.street-names=true",
    "--no-internal-links=false",
    "--offset.disable-normalization=true",
    "--precision=2",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLink:
    """One signal-controlled connection of the network; lanes are SUMO lane indices."""

    controller: str
    index: int
    from_edge: str
    from_lane: int
    to_edge: str
    to_lane: int
    edges_crossed: tuple[str, ...] = ()


def sumo_binary(name: str) -> Path:
    """Return the path of a program of the eclipse-sumo package."""
    spec = importlib.util.find_spec("sumo")
    if spec is not None and spec.submodule_search_locations:
        suffix = ".exe" if sys.platform == "win32" else ""
        path = Path(next(iter(spec.submodule_search_locations))) / "bin" / f"{name}{suffix}"
        if path.exists():
            return path
    raise ToolError("LV650", place="yuci", tool=name)


def write_plain(folder: Path, area: Area) -> None:
    """Write the plain XML files of the network of an area into a folder."""
    for name, make in (("nod", node_xml), ("edg", edge_xml), ("con", connection_xml)):
        root = make(area)
        ET.indent(root)
        ET.ElementTree(root).write(folder / f"yuci.{name}.xml", "utf-8", xml_declaration=True)


def build_network(folder: Path, area: Area) -> ET.Element:
    """Run netconvert on the plain XML of a folder and return the network, without time stamps."""
    write_plain(folder, area)
    target = folder / "yuci.raw.net.xml"
    files = [f"--{kind}-files={folder / name}" for kind, name in _PLAIN]
    command = [str(sumo_binary("netconvert")), *files, *_OPTIONS, f"--output-file={target}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError("LV651", place="yuci", tool="netconvert", said=done.stderr.strip()[-500:])
    root = ET.parse(target).getroot()
    target.unlink()
    return root


_PLAIN = (("node", "yuci.nod.xml"), ("edge", "yuci.edg.xml"), ("connection", "yuci.con.xml"))


def signal_links(network: ET.Element) -> tuple[SignalLink, ...]:
    """Return every signal link of a network, by controller and index."""
    crossed = {
        edge.get("id", ""): tuple(edge.get("crossingEdges", "").split())
        for edge in network.iter("edge")
        if edge.get("function") == "crossing"
    }
    found = [
        SignalLink(
            controller=link.get("tl", ""),
            index=int(link.get("linkIndex", "0")),
            from_edge=link.get("from", ""),
            from_lane=int(link.get("fromLane", "0")),
            to_edge=link.get("to", ""),
            to_lane=int(link.get("toLane", "0")),
            edges_crossed=crossed.get(link.get("to", ""), ()),
        )
        for link in network.iter("connection")
        if link.get("tl")
    ]
    return tuple(sorted(found, key=lambda link: (link.controller, link.index)))
