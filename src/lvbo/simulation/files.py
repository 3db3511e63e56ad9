# SPDX-License-Identifier: Apache-2.0
"""The input files of a run: the scenario's own additional files, without the signals we replace."""

from __future__ import annotations

import gzip
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import write_xml

SIGNAL_TAGS = frozenset({"tlLogic", "WAUT", "wautJunction"})
SINKS = frozenset(
    {
        "e1Detector",
        "e2Detector",
        "e3Detector",
        "inductionLoop",
        "instantInductionLoop",
        "laneAreaDetector",
        "entryExitDetector",
        "multiEntryExitDetector",
        "edgeData",
        "laneData",
        "routeProbe",
        "timedEvent",
    }
)
"""Elements that only write files: a run of ours has its own measures."""
FILE_KEYS = frozenset({"file", "vTypes", "href"})


def copy_additionals(scenario: Scenario, folder: Path, *, keep_signals: bool) -> tuple[Path, ...]:
    """Write the scenario's additional files into a folder and return them in their order.

    Detectors and other outputs are left out, and signal programmes unless they are kept; files
    named inside are named by their full path. The originals are only read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drop = SINKS if keep_signals else SINKS | SIGNAL_TAGS
    return tuple(
        _copy(path, folder / f"{number}-{path.name.removesuffix('.gz')}", drop)
        for number, path in enumerate(scenario.additional_files)
    )


def _copy(path: Path, target: Path, drop: frozenset[str]) -> Path:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as stream:
        root = ET.parse(stream).getroot()
    for element in [child for child in root if child.tag in drop]:
        root.remove(element)
    for element in root.iter():
        for key in FILE_KEYS & element.attrib.keys():
            beside = path.parent / element.attrib[key]
            if beside.is_file():
                element.set(key, str(beside.resolve()))
    write_xml(root, target)
    return target
