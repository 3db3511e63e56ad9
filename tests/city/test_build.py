# SPDX-License-Identifier: Apache-2.0
"""The shipped files of `yuci` are what the generator writes with seed 1."""

from __future__ import annotations

import gzip
import subprocess
import tomllib
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lvbo.city import PROOFS, build_pilot, build_yuci, pilot_folder, sites, yuci_folder
from lvbo.city.calendar import PERIODS, PILOT_PROOFS, Proof
from lvbo.city.netconvert import sumo_binary
from lvbo.errors import ToolError


def content(folder: Path) -> dict[str, str]:
    """Return a digest of every file of a folder, of what it holds unzipped."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            data = gzip.decompress(raw) if path.suffix == ".gz" else raw
            found[path.relative_to(folder).as_posix()] = sha256(data).hexdigest()
    return found


def read(path: Path) -> ET.Element:
    raw = path.read_bytes()
    return ET.fromstring(gzip.decompress(raw) if path.suffix == ".gz" else raw)


@pytest.mark.slow
def test_the_shipped_city_is_built_again_by_its_seed(tmp_path: Path) -> None:
    built = build_yuci(tmp_path / "yuci", seed=1)

    assert content(built) == content(yuci_folder())


@pytest.mark.slow
def test_the_shipped_pilot_is_built_again_by_its_seed_and_not_by_another(tmp_path: Path) -> None:
    same = content(build_pilot(tmp_path / "one", seed=1))
    other = content(build_pilot(tmp_path / "two", seed=2))

    assert same == content(pilot_folder())
    assert other["yuci.net.xml.gz"] == same["yuci.net.xml.gz"]
    assert other["yuci.add.xml.gz"] == same["yuci.add.xml.gz"]
    assert other["yuci.demo.rou.xml.gz"] != same["yuci.demo.rou.xml.gz"]
    assert other["yuci.counts.week1.csv"] != same["yuci.counts.week1.csv"]


def test_the_shipped_files_are_small() -> None:
    both = [*yuci_folder().rglob("*"), *pilot_folder().rglob("*")]

    assert sum(path.stat().st_size for path in both if path.is_file()) < 5_000_000


def test_edges_carry_their_street_names() -> None:
    edges = read(yuci_folder() / "yuci.net.xml.gz").iter("edge")
    names = {edge.get("name", "") for edge in edges if edge.get("function") is None}

    assert {"安宁街", "蕴华街", "文华街", "中都路", "汇通路", "新建路", "迎宾路", "锦纶路"} <= names


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.code)
def test_a_configuration_warms_up_15_min_inside_one_period(proof: Proof) -> None:
    root = read(yuci_folder() / f"yuci.{proof.code}.sumocfg")
    values = {item.tag: item.get("value", "") for item in root.iter() if item.get("value")}
    ends = [p.begin_s for p in PERIODS if p.begin_s > proof.begin_s] or [86_400]

    assert int(values["begin"]) == proof.begin_s == proof.judged_from_s - 900
    assert int(values["end"]) == proof.judged_to_s
    assert proof.judged_to_s - proof.judged_from_s == 3600
    assert proof.end_s <= min(ends)
    assert values["time-to-teleport"] == "-1"


def test_traffic_goes_on_through_the_run_out() -> None:
    proof = PROOFS[0]
    departures = [
        float(item.get("depart", "nan"))
        for item in read(yuci_folder() / "yuci.am.rou.xml.gz").iter("vehicle")
    ]

    assert departures == sorted(departures)
    assert proof.begin_s <= departures[0] < proof.begin_s + 5
    assert proof.end_s - 5 < departures[-1] < proof.end_s


@pytest.mark.parametrize(
    ("folder", "count", "proofs"),
    [(yuci_folder(), 18, PROOFS), (pilot_folder(), 6, PILOT_PROOFS)],
    ids=["city", "pilot"],
)
def test_the_site_sheet_says_what_the_network_cannot(
    folder: Path, count: int, proofs: tuple[Proof, ...]
) -> None:
    sheet = tomllib.loads((folder / "yuci.site.toml").read_text(encoding="utf-8"))
    site = sheet["controller"]["AN_ZD"]

    assert len(sheet["controller"]) == count
    assert [span["code"] for span in sheet["span"]] == [proof.code for proof in proofs]
    assert site["follows"][0] == {"leg": "W", "turn": "L", "after": "T"}
    assert site["variable_lane"] == {"lane": "end_ZD_s.AN_ZD.s_5", "default": "T", "am": "L"}
    assert site["walk"]["clearance_s"] == {"W": 17, "E": 17, "N": 17, "S": 17}


def test_countdowns_are_8_full_4_last_seconds_6_none() -> None:
    sheet = tomllib.loads((yuci_folder() / "yuci.site.toml").read_text(encoding="utf-8"))
    kinds = [site["countdown"] for site in sheet["controller"].values()]

    assert [kinds.count(kind) for kind in ("full", "last", "none")] == [8, 4, 6]


def test_the_pilot_has_the_signal_links_of_the_city() -> None:
    def links(folder: Path) -> set[tuple[str, ...]]:
        keys = ("tl", "from", "fromLane", "to", "toLane")
        found = read(folder / "yuci.net.xml.gz").iter("connection")
        rows = [tuple(link.get(key, "") for key in keys) for link in found if link.get("tl")]
        return {row for row in rows if row[0].startswith("AN_") and row[1][0] != ":"}

    assert links(pilot_folder()) == links(yuci_folder())


def test_a_missing_program_is_told_by_code() -> None:
    with pytest.raises(ToolError) as caught:
        sumo_binary("no-such-program")

    assert caught.value.code == "LV650"
    assert caught.value.exit_code == 5


@pytest.mark.slow
@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.code)
def test_sumo_shows_local_second_0_at_the_offset_of_every_signal(
    proof: Proof, tmp_path: Path
) -> None:
    events = ET.Element("additional")
    for code in sites():
        fields = {"type": "SaveTLSStates", "source": code, "dest": str(tmp_path / "tls.xml")}
        ET.SubElement(events, "timedEvent", fields)
    ET.ElementTree(events).write(tmp_path / "events.xml")
    folder = yuci_folder()
    command = [
        *(str(sumo_binary("sumo")), "-n", str(folder / "yuci.net.xml.gz")),
        *("-a", f"{folder / 'yuci.add.xml.gz'},{tmp_path / 'events.xml'}"),
        *("-b", str(proof.begin_s), "-e", str(proof.begin_s + 300), "--no-step-log"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    logics = {
        (logic.get("id"), logic.get("programID")): logic
        for name in ("yuci.net.xml.gz", "yuci.add.xml.gz")
        for logic in read(folder / name).iter("tlLogic")
    }
    shown = read(tmp_path / "tls.xml")

    assert len(shown) == 18 * 300
    for row in shown:
        assert row.get("programID") == proof.period
        logic = logics[row.get("id"), proof.period]
        states = [p.get("state") for p in logic for _ in range(int(p.get("duration", "0")))]
        local = int(float(row.get("time", "0"))) - int(logic.get("offset", "0"))
        assert row.get("state") == states[local % len(states)]
