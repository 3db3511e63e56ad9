# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cross import cross
from tests.streets import four_signals

from lvbo.detection.detector import Detector, DetectorKind
from lvbo.errors import InputError, UsageError
from lvbo.ids import DetectorId, LaneId
from lvbo.io.sumo_counts import SimulatedDay, read_sumo_counts, read_sumo_detectors
from lvbo.io.sumo_detectors import advance_detectors, virtual_detectors

E1 = """<detector>
 <interval begin="25200.00" end="25260.00" id="a" nVehContrib="12" flow="720" occupancy="25.0"
  speed="10.5" harmonicMeanSpeed="9" length="5" nVehEntered="12"/>
 <interval begin="25260.00" end="25320.00" id="a" nVehContrib="0" flow="0" occupancy="0"
  speed="-1.00" harmonicMeanSpeed="-1" length="-1" nVehEntered="0"/>
</detector>"""
E2 = """<detector>
 <interval begin="0.00" end="300.00" id="a" sampledSeconds="9" nVehEntered="8" nVehLeft="7"
  nVehSeen="9" meanSpeed="5.5" meanOccupancy="40.0"/>
</detector>"""
INSTANT = """<instantE1>
 <instantOut id="a" time="1.50" state="enter" vehID="1" speed="9" length="5" type="car"/>
 <instantOut id="a" time="2.00" state="leave" vehID="1" speed="9" length="5" type="car"/>
 <instantOut id="a" time="3.75" state="enter" vehID="2" speed="9" length="5" type="car"/>
</instantE1>"""
A = Detector(id=DetectorId("a"), kind=DetectorKind.STOP_LINE, lanes=(LaneId("in-E_1"),))


def write(tmp_path: Path, text: str, name: str = "out.xml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_an_induction_loop_gives_counts(tmp_path: Path) -> None:
    table = read_sumo_counts([write(tmp_path, E1)], [A]).table

    assert table["volume"].to_list() == [12.0, 0.0]
    assert table["occupancy"].to_list() == [0.25, 0.0]
    assert table["speed_mps"].to_list() == [10.5, None]
    assert table["second"].to_list() == [25_200, 25_260]
    assert table["dt_s"].unique().to_list() == [60]


def test_second_zero_is_local_midnight(tmp_path: Path) -> None:
    first = read_sumo_counts([write(tmp_path, E1)], [A]).table["t0_utc"][0]

    assert first == datetime(2000, 1, 2, 23, 0, tzinfo=UTC)


def test_an_area_detector_counts_what_left(tmp_path: Path) -> None:
    day = SimulatedDay(name="run-7", day_type="weekend")
    counts = read_sumo_counts([write(tmp_path, E2)], [A], day=day)

    assert counts.table["volume"].to_list() == [7.0]
    assert counts.table["occupancy"].to_list() == [0.4]
    assert counts.day_types == {"run-7": "weekend"}


def test_instant_loops_give_events(tmp_path: Path) -> None:
    counts = read_sumo_counts([write(tmp_path, E1), write(tmp_path, INSTANT, "now.xml")], [A])

    assert counts.events is not None
    assert counts.events["code"].to_list() == [82, 81, 82]
    gap = counts.events["t_utc"][2] - counts.events["t_utc"][0]
    assert gap.total_seconds() == 2.25


def test_packed_output_reads_alike(tmp_path: Path) -> None:
    packed = tmp_path / "out.xml.gz"
    packed.write_bytes(gzip.compress(E1.encode()))

    assert read_sumo_counts([packed], [A]) == read_sumo_counts([write(tmp_path, E1)], [A])


def test_unknown_detectors_are_named(tmp_path: Path) -> None:
    other = E1.replace('id="a"', 'id="b"', 1)
    counts = read_sumo_counts([write(tmp_path, other)], [A])

    assert [(f.code, f.fields["detector"]) for f in counts.findings] == [("LV192", "b")]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("LV190", E1[:120]),
        ("LV190", "not xml"),
        ("LV190", E1.replace('nVehContrib="12"', 'nVehContrib="twelve"')),
        ("LV191", E1.replace('id="a"', 'id="b"')),
        ("LV191", "<detector/>"),
    ],
)
def test_bad_output_is_refused(tmp_path: Path, code: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_sumo_counts([write(tmp_path, text)], [A])

    assert caught.value.code == code


def test_a_missing_output_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_sumo_counts([tmp_path / "none.xml"], [A])

    assert caught.value.code == "LV150"


def test_detectors_near_the_line_count_what_passes(tmp_path: Path) -> None:
    text = """<additional>
 <inductionLoop id="a" lane="in-E_1" pos="-5" freq="60" file="o.xml"/>
 <e1Detector id="b" lane="in-E_1" pos="200" freq="60" file="o.xml"/>
 <laneAreaDetector id="c" lane="in-E_0" pos="250" length="50" freq="60" file="o.xml"/>
 <inductionLoop id="d" lane="elsewhere_0" pos="5" freq="60" file="o.xml"/>
</additional>"""
    found = {d.id: d for d in read_sumo_detectors([write(tmp_path, text)], cross())}

    assert set(found) == {"a", "b", "c"}
    assert found[DetectorId("a")].kind is DetectorKind.STOP_LINE
    assert found[DetectorId("a")].to_stop_m == 5.0
    assert (found[DetectorId("b")].kind, found[DetectorId("b")].to_stop_m) == (
        DetectorKind.ADVANCE,
        100.0,
    )
    assert found[DetectorId("c")].to_stop_m == 0.0


def test_loops_ahead_lie_at_60_percent_of_every_street_that_is_long_enough(tmp_path: Path) -> None:
    network = four_signals(tmp_path)
    found = advance_detectors(network, tmp_path / "city.net.xml")
    links = {one.detector.link for one in found}

    assert links == {m.from_link for m in network.movements if m.controllers}
    for one in found:
        assert one.instant
        assert one.detector.link is not None
        whole_m = network.link_index[one.detector.link].length_m
        assert one.position_m == pytest.approx(0.6 * whole_m, abs=1)
        assert one.detector.to_stop_m == pytest.approx(0.4 * whole_m)
        assert one.detector.kind is DetectorKind.ADVANCE


def test_virtual_detectors_need_a_sumo_network(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        virtual_detectors(cross(), tmp_path / "x.net.xml")

    assert caught.value.code == "LV193"


def test_parts_of_one_detector_add_up(tmp_path: Path) -> None:
    two = E1 + E1.replace('id="a"', 'id="a2"')
    text = two.replace("</detector><detector>", "")
    names = {"a": A.id, "a2": A.id}
    table = read_sumo_counts([write(tmp_path, text)], [A], names=names).table

    assert table["volume"].to_list() == [24.0, 0.0]
    assert table["target"].unique().to_list() == ["a"]
