# SPDX-License-Identifier: Apache-2.0
"""`lvbo diagram` on the tiny street: what is drawn, from which source, and where it is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from lvbo.io.plans_toml import read_plans, write_plans
from lvbo.io.sumo_scenario import read_scenario

STREET = ("-s", "High St")
CAR = '<vehicle id="{}" speed="{}" pos="{}" lane="{}"/>'


@pytest.fixture
def home(tiny_home: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny street."""
    folder = tmp_path / "street"
    shutil.copytree(tiny_home, folder)
    return folder


def test_a_diagram_is_written_as_svg_and_png(call: Call, home: Path, tmp_path: Path) -> None:
    said = call("diagram", home / "tiny.sumocfg", *STREET, "-o", tmp_path / "d", "--json")
    (side,) = said.data["sides"]

    assert said.status == 0
    assert (tmp_path / "d.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")
    assert [row["moved_s"] for row in side["signals"]] == [None, None]
    assert side["end_s"] - side["begin_s"] == 4 * side["bands"]["cycle_s"]
    assert 0 <= side["bands"]["efficiency"] <= 0.5


def test_one_ending_gives_one_file_and_another_is_refused(
    call: Call, home: Path, tmp_path: Path
) -> None:
    said = call("diagram", home / "tiny.net.xml", *STREET, "-o", tmp_path / "d.svg", "--swap")
    other = call("diagram", home / "tiny.net.xml", *STREET, "-o", tmp_path / "d.pdf", "--json")

    assert (said.status, other.status) == (0, 2)
    assert other.codes == {"LV145"}
    assert [p.name for p in tmp_path.glob("d.*")] == ["d.svg"]


def test_against_other_plans_offsets_that_moved_are_marked(
    call: Call, home: Path, tmp_path: Path
) -> None:
    scenario = read_scenario(home / "tiny.sumocfg")
    first = scenario.plans.plans[0]
    later = scenario.plans.with_plans([first.later(4)])
    write_plans(later, tmp_path / "later.toml")
    assert read_plans(tmp_path / "later.toml", scenario.network).plans[0].offset_ds == 40
    call_of = ("diagram", home / "tiny.sumocfg", *STREET, "-p", tmp_path / "later.toml")
    shipped = ("--against", home / "tiny.sumocfg")
    said = call(*call_of, *shipped, "-o", tmp_path / "d.svg", "--json")
    before, after = said.data["sides"]

    assert [row["moved_s"] for row in before["signals"]] == [None, None]
    assert sorted(row["moved_s"] for row in after["signals"]) == [0.0, 4.0]


def test_vehicles_of_an_fcd_file_are_drawn_from_where_they_are(
    call: Call, home: Path, tmp_path: Path
) -> None:
    steps = "".join(
        f'<timestep time="{t}">{CAR.format("a", 10, 10 * (t - 100), "AB_0")}</timestep>'
        for t in range(100, 125)
    )
    (home / "fcd.xml").write_text(f"<fcd-export>{steps}</fcd-export>", encoding="utf-8")
    fcd = ("--fcd", home / "fcd.xml", "-o", tmp_path / "d.svg", "--json")
    said = call("diagram", home / "tiny.sumocfg", *STREET, *fcd)
    elsewhere = call("diagram", home / "tiny.sumocfg", *STREET, *fcd, "--at", "12:00")

    assert said.data["sides"][0]["begin_s"] == 100.0
    assert said.data["sides"][0]["traces"] == 1
    assert elsewhere.codes == {"LV144"}


def test_one_source_of_vehicles_at_a_time(call: Call, home: Path, tmp_path: Path) -> None:
    said = call(
        "diagram", home / "tiny.sumocfg", *STREET, "--fcd", tmp_path, "--gpx", tmp_path, "--json"
    )

    assert (said.status, said.codes) == (2, {"LV141"})


def test_a_gps_track_is_laid_on_a_network_with_a_projection(
    call: Call, home: Path, tmp_path: Path
) -> None:
    net = (home / "tiny.net.xml").read_text(encoding="utf-8")
    utm = 'netOffset="-500000.00,0.00" projParameter="+proj=utm +zone=49 +ellps=WGS84"'
    head, _, rest = net.partition("<location ")
    (home / "tiny.net.xml").write_text(f"{head}<location {utm}/>{rest[rest.index('>') + 1 :]}")
    metre = 1 / (0.9996 * 111_319.49)  # degrees of longitude at the equator
    x0, y0 = map(float, rest.partition('netOffset="')[2].partition('"')[0].split(","))
    latitude = y0 / (0.9996 * 110_574.4)
    points = "".join(
        f'<trkpt lat="{latitude}" lon="{111 + (x0 + 60 * k) * metre}">'
        f"<time>2026-01-05T00:00:{10 + 6 * k}Z</time></trkpt>"
        for k in range(6)
    )
    gpx = home / "drive.gpx"
    gpx.write_text(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>", encoding="utf-8")
    drawn = ("diagram", home / "tiny.sumocfg", *STREET, "-o", tmp_path / "d.svg", "--json")
    said = call(*drawn, "--gpx", gpx)
    gpx.write_text(gpx.read_text().replace(f'lat="{latitude}', 'lat="0.004'), encoding="utf-8")
    shifted = call(*drawn, "--gpx", gpx)

    assert said.status == 0, said.out
    assert (said.data["sides"][0]["traces"], said.data["sides"][0]["begin_s"]) == (1, 28_810.0)
    assert shifted.codes == {"LV136"}


def test_actuations_of_loops_become_ticks(call: Call, home: Path, tmp_path: Path) -> None:
    loop = '<instantInductionLoop id="L" lane="AB_1" pos="-30" file="x"/>'
    (home / "loops.add.xml").write_text(f"<additional>{loop}</additional>", encoding="utf-8")
    rows = "".join(
        f'<instantOut id="L" time="{t}" state="{state}" vehID="a" speed="9" length="5" type="t"/>'
        for t, state in ((20.5, "enter"), (21.0, "leave"), (5000.0, "enter"))
    )
    (home / "events.xml").write_text(f"<instantE1>{rows}</instantE1>", encoding="utf-8")
    said = call(
        "diagram", home / "tiny.sumocfg", *STREET, "--events", home / "events.xml",
        "--detectors", home / "loops.add.xml", "-o", tmp_path / "d.svg", "--json",
    )  # fmt: skip

    assert said.status == 0, said.out
    assert said.data["sides"][0]["ticks"] == 1


def test_a_recorded_run_is_drawn_with_its_lamps_and_its_street_is_measured(
    call: Call, home: Path, tmp_path: Path
) -> None:
    ran = call(
        "simulate", home / "tiny.sumocfg", "--seeds", 2, "--workers", 1, "--tracks",
        "--street", "High St", "-o", tmp_path / "runs", "--json",
    )  # fmt: skip
    drawn = call(
        "diagram", home / "tiny.sumocfg", *STREET, "--run", tmp_path / "runs",
        "-o", tmp_path / "d.svg", "--json",
    )  # fmt: skip
    compared = call("compare", tmp_path / "runs", tmp_path / "runs", "--json")
    shown = call("compare", tmp_path / "runs", tmp_path / "runs", "--lang", "zh")

    (street,) = ran.data["runs"]["streets"]
    assert (street["street"], len(street["ways"])) == ("High St", 2)
    assert drawn.data["sides"][0]["traces"] > 5
    names = {d["measure"] for d in compared.data["streets"]["High St"]["both"]}
    assert {"green_arrival_share", "platoon_ratio", "imbalance"} <= names
    assert "协调队列比" in shown.out


def test_counts_give_the_queues_ahead_of_the_bands(call: Call, home: Path, tmp_path: Path) -> None:
    network = read_scenario(home / "tiny.sumocfg").network
    rows = [
        f"2025-12-08,{hour:02d}:00,{movement.id},{200 + 5 * hour}"
        for movement in network.movements
        if movement.controllers
        for hour in range(24)
    ]
    lines = "\n".join(["date,time,movement,volume", *rows])
    (home / "counts.csv").write_text(f"{lines}\n", encoding="utf-8")
    said = call(
        "diagram", home / "tiny.sumocfg", *STREET, "-c", home / "counts.csv", "--cycles", 3,
        "-o", tmp_path / "d.svg", "--json",
    )  # fmt: skip
    assert said.status == 0, said.out
    (side,) = said.data["sides"]

    assert side["wedges"] >= 2
    assert side["end_s"] - side["begin_s"] == 3 * side["bands"]["cycle_s"]
