# SPDX-License-Identifier: Apache-2.0
"""Write the demo city as a SUMO scenario folder."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from lvbo.city.before import before_plans
from lvbo.city.calendar import DAY, PILOT_PROOFS, PROOFS, Proof
from lvbo.city.counts import write_counts
from lvbo.city.netconvert import build_network, signal_links
from lvbo.city.programmes import programmes, switching
from lvbo.city.site import write_site
from lvbo.city.streets import Site, section, sites
from lvbo.city.traffic import bus_stops, cut_routes, route_xml

NET_PROGRAMME = "morning"
PILOT_STREET = "AN"
NOTE = (
    "yuci: a schematic of the main streets of Yuci, no survey. Street names as in public texts; "
    "all figures are plausible values, chosen, not measured."
)


def build_yuci(folder: Path, *, seed: int) -> Path:
    """Write the demo city into a folder and return it; equal seeds give equal files.

    The seed draws the traffic and the counts; streets, plans and demand are the same for all
    seeds. Needs netconvert of the eclipse-sumo package (LV650 if it is missing).
    """
    _write_streets(folder, sites())
    for proof in PROOFS:
        _write(folder / f"yuci.{proof.code}.rou.xml.gz", route_xml(proof, seed=seed))
        _write(folder / config_name(proof), _config(proof))
    write_counts(folder, seed=seed)
    write_site(folder / "yuci.site.toml", sites(), PROOFS)
    return folder


def build_pilot(folder: Path, *, seed: int) -> Path:
    """Write the pilot section, 安宁街 cut out of the city, into a folder and return it.

    Its sites, lanes, plans and counts are those of the city (link indices may differ, they follow
    the angles of the arms); its traffic is the part of the city's that drives there, entering the
    section when it would enter the city.
    """
    return _build_pilot(folder, seed, PILOT_PROOFS)


def build_pilot_day(folder: Path, *, seed: int) -> Path:
    """Write the pilot section with a whole winter workday, 06:00 to 22:30, and return the folder.

    It is not shipped; equal seeds give equal files.
    """
    return _build_pilot(folder, seed, (DAY,))


def _build_pilot(folder: Path, seed: int, proofs: Sequence[Proof]) -> Path:
    area = section(PILOT_STREET)
    network = _write_streets(folder, area)
    edges = {edge.get("id", "") for edge in network.iter("edge")}
    for proof in proofs:
        routes = cut_routes(route_xml(proof, seed=seed), edges)
        _write(folder / f"yuci.{proof.code}.rou.xml.gz", routes)
        _write(folder / config_name(proof), _config(proof))
    write_counts(folder, seed=seed, area=area)
    write_site(folder / "yuci.site.toml", area, proofs)
    return folder


def yuci_folder() -> Path:
    """Return the folder of the shipped city, built with seed 1; read only."""
    return Path(__file__).parent / "data" / "yuci"


def pilot_folder() -> Path:
    """Return the folder of the shipped pilot section, built with seed 1; read only."""
    return Path(__file__).parent / "data" / "pilot"


def _write_streets(folder: Path, area: Mapping[str, Site]) -> ET.Element:
    """Write network and additional file of an area; return the network."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        network = build_network(Path(scratch), area)
    plans = [plan for plan in before_plans() if plan.site in area]
    by_period = programmes(plans, signal_links(network))
    _set_programmes(network, by_period[NET_PROGRAMME])
    _write(folder / "yuci.net.xml.gz", network)
    additional = ET.Element("additional")
    additional.extend(bus_stops(area))
    for period, logics in by_period.items():
        additional.extend(logics if period != NET_PROGRAMME else ())
    additional.extend(switching(area))
    _write(folder / "yuci.add.xml.gz", additional)
    return network


def config_name(proof: Proof) -> str:
    """Return the file name of the SUMO configuration of one simulated span."""
    return f"yuci.{proof.code}.sumocfg"


def _set_programmes(network: ET.Element, logics: Iterable[ET.Element]) -> None:
    """Put our programmes in the place of those that netconvert guessed."""
    ours = {logic.get("id"): logic for logic in logics}
    for number, child in enumerate(list(network)):
        if child.tag == "tlLogic":
            network[number] = ours[child.get("id")]


def _config(proof: Proof) -> ET.Element:
    root = ET.Element("configuration")
    text = f" {NOTE} Warm-up until {proof.judged_from_s} s; "
    text += f"traffic goes on until {proof.end_s} s, for a run-out. "
    root.append(ET.Comment(text))
    parts = {
        "input": {
            "net-file": "yuci.net.xml.gz",
            "route-files": f"yuci.{proof.code}.rou.xml.gz",
            "additional-files": "yuci.add.xml.gz",
        },
        "time": {
            "begin": str(proof.begin_s),
            "end": str(proof.judged_to_s),
            "step-length": "1",
        },
        "processing": {"time-to-teleport": "-1", "pedestrian.striping.stripe-width": "0.75"},
    }
    for group, options in parts.items():
        element = ET.SubElement(root, group)
        for key, value in options.items():
            ET.SubElement(element, key, value=value)
    return root


def _write(path: Path, root: ET.Element) -> None:
    """Write an element as UTF-8, gzipped without a time stamp where the name ends in .gz."""
    ET.indent(root, " ")
    text = io.BytesIO()
    ET.ElementTree(root).write(text, "utf-8", xml_declaration=True)
    data = text.getvalue() + b"\n"
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)
