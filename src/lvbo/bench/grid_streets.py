# SPDX-License-Identifier: Apache-2.0
"""The streets of a generated grid: netgenerate's network, our four stages at every signal.

Links of a controller are told apart by where their edges lead, never by their index: perturbed
junctions have their index blocks turned.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.errors import ToolError
from lvbo.io.sumo_plans import write_xml
from lvbo.io.sumo_xml import RawConnection, RawEdge, RawNet, read_raw_net
from lvbo.network.place import Turn
from lvbo.simulation.sumo import sumo_home

SPACING_M, SPREAD_M = 300.0, 40.0
FARTHEST = 1.5
"""A signal is moved by at most so many standard deviations."""
BAY_M = 100.0
SPEED_MPS = 13.89
YELLOW_S, ALL_RED_S = 3, 2
BETWEEN_S = YELLOW_S + ALL_RED_S
STAGES = 4
OUTER = "dead_end"

Pair = tuple[str, str]
"""A movement, as the SUMO edges before and after the signal."""


class Axis(StrEnum):
    """Along which direction a street runs."""

    NS = "NS"
    EW = "EW"


AXES = (Axis.NS, Axis.EW)


@dataclass(frozen=True, eq=False, kw_only=True)
class Streets:
    """A generated network as SUMO has it, with what each edge and turn is."""

    net_file: Path
    raw: RawNet

    @cached_property
    def edges(self) -> Mapping[str, RawEdge]:
        """Return the edges that traffic drives on, without those inside junctions."""
        return {name: edge for name, edge in self.raw.edges.items() if not edge.function}

    @cached_property
    def links(self) -> tuple[RawConnection, ...]:
        """Return the signalised connections, by controller and index."""
        lit = [c for c in self.raw.connections if c.tl]
        return tuple(sorted(lit, key=lambda c: (c.tl, c.index or 0)))

    @cached_property
    def lit(self) -> frozenset[Pair]:
        """Return the signalised movements."""
        return frozenset((link.start, link.end) for link in self.links)

    @cached_property
    def turns(self) -> Mapping[Pair, Turn]:
        """Return the turn of every movement, signalised or not."""
        return {(a, b): self._turn((a, b)) for a, after in self.ways.items() for b in after}

    @cached_property
    def ways(self) -> Mapping[str, tuple[str, ...]]:
        """Return the edges that follow each edge."""
        found: dict[str, dict[str, None]] = {name: {} for name in self.edges}
        for connection in self.raw.connections:
            if connection.start in self.edges and connection.end in self.edges:
                found[connection.start][connection.end] = None
        return {name: tuple(sorted(after)) for name, after in found.items()}

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """Return the edges on which traffic enters, by name."""
        return tuple(sorted(n for n, e in self.edges.items() if self._is_outer(e.start)))

    @cached_property
    def exits(self) -> tuple[str, ...]:
        """Return the edges on which traffic leaves, by name."""
        return tuple(sorted(n for n, e in self.edges.items() if self._is_outer(e.end)))

    def _is_outer(self, junction: str) -> bool:
        return self.raw.junctions[junction].type == OUTER

    def along(self, edge: str) -> tuple[float, float]:
        """Return the vector from the start of an edge to its end."""
        shape = self.edges[edge].lanes[0].shape
        return shape[-1][0] - shape[0][0], shape[-1][1] - shape[0][1]

    def axis(self, edge: str) -> Axis:
        """Return the axis of the street an edge is part of."""
        dx, dy = self.along(edge)
        return Axis.EW if abs(dx) > abs(dy) else Axis.NS

    def _turn(self, pair: Pair) -> Turn:
        if self.axis(pair[0]) is self.axis(pair[1]):
            return Turn.THROUGH
        (ax, ay), (bx, by) = (self.along(edge) for edge in pair)
        return Turn.LEFT if ax * by - ay * bx > 0 else Turn.RIGHT

    def stage(self, pair: Pair) -> int:
        """Return the stage that serves a movement: through and right, then left, by axis."""
        return 2 * AXES.index(self.axis(pair[0])) + int(self.turns[pair] is Turn.LEFT)

    def straight(self, entry: str) -> tuple[str, ...]:
        """Return the edges from an entry straight through the grid."""
        found = [entry]
        while self.ways[found[-1]]:
            here = found[-1]
            found.append(next(e for e in self.ways[here] if self.turns[here, e] is Turn.THROUGH))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where signals lie: on how many streets of each axis, how far apart, how far from that.

    `spread_m` is the standard deviation of what each signal is moved along the rows by chance.
    """

    columns: int
    rows: int
    spacing_m: float = SPACING_M
    spread_m: float = SPREAD_M


def build_streets(folder: Path, layout: Layout, *, seed: int) -> Streets:
    """Write `grid.net.xml` with this layout into a folder; equal seeds give equal files.

    Raises:
        ToolError: LV600 where SUMO is missing, LV651 where netgenerate refuses.

    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "grid.net.xml"
    options = {
        "grid.x-number": layout.columns,
        "grid.y-number": layout.rows,
        "grid.length": layout.spacing_m,
        "grid.attach-length": SPACING_M,
        "perturb-x": _moved(layout.spread_m),
        "perturb-y": _moved(SPREAD_M),
        "turn-lanes": 1,
        "turn-lanes.length": BAY_M,
        "default.lanenumber": 2,
        "default.speed": SPEED_MPS,
        "default-junction-type": "traffic_light",
        "no-turnarounds": "true",
        "no-warnings": "true",
        "seed": seed,
        "output-file": target,
    }
    words = [f"--{key}={value}" for key, value in options.items()]
    program = sumo_home() / "bin" / "netgenerate"
    done = subprocess.run([str(program), "--grid", *words], capture_output=True, check=False)
    if done.returncode or not target.is_file():
        said = done.stderr.decode("utf-8", "replace").strip()[-400:]
        raise ToolError("LV651", place=folder.name, tool="netgenerate", said=said)
    return Streets(net_file=target, raw=read_raw_net(target))


def _moved(spread_m: float) -> str:
    farthest_m = FARTHEST * spread_m
    return f"normc(0,{spread_m:g},{-farthest_m:g},{farthest_m:g})"


def write_programmes(streets: Streets, greens_s: Mapping[str, Sequence[int]]) -> None:
    """Put four protected stages with these greens in the place of netgenerate's programmes.

    Streets get names too, and the file loses its time stamp.
    """
    root = ET.parse(streets.net_file).getroot()
    names = _names(streets)
    links: dict[str, list[RawConnection]] = {}
    for link in streets.links:
        links.setdefault(link.tl, []).append(link)
    for number, child in enumerate(list(root)):
        if child.tag == "tlLogic":
            name = child.get("id", "")
            root[number] = _programme(streets, name, links[name], greens_s[name])
        elif child.tag == "edge" and child.get("id", "") in streets.edges:
            child.set("name", names[child.get("id", "")])
    write_xml(root, streets.net_file)


def _programme(
    streets: Streets, name: str, links: Iterable[RawConnection], greens_s: Sequence[int]
) -> ET.Element:
    stages = {link.index or 0: streets.stage((link.start, link.end)) for link in links}
    logic = ET.Element("tlLogic", id=name, type="static", programID="0", offset="0")
    for stage, green_s in enumerate(greens_s):
        for length_s, lamp in ((green_s, "G"), (YELLOW_S, "y"), (ALL_RED_S, "r")):
            lamps = (lamp if stages.get(k) == stage else "r" for k in range(max(stages) + 1))
            ET.SubElement(logic, "phase", duration=str(length_s), state="".join(lamps))
    return logic


def _names(streets: Streets) -> Mapping[str, str]:
    """Return the name of the street of each edge: its axis and its number from the corner."""
    found = {}
    for entry in streets.entries:
        number = 1 + int(streets.edges[entry].start.lstrip("abcdefghijklmnopqrstuvwxyz"))
        found.update(dict.fromkeys(streets.straight(entry), f"{streets.axis(entry)}-{number}"))
    return found
