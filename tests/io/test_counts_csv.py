# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from openpyxl import Workbook
from tests.cross import cross, movement

from lvbo.detection.counts import Counts
from lvbo.errors import Finding, InputError
from lvbo.io.counts_csv import read_counts
from lvbo.network.network import Network
from lvbo.signal.schedule import Calendar
from lvbo.text import Language, say, table

HEADER = "日期,开始时间,路口,流向,流量"


@pytest.fixture(scope="module")
def network() -> Network:
    return cross()


def read(tmp_path: Path, network: Network, text: str, *, encoding: str = "utf-8") -> Counts:
    path = tmp_path / "counts.csv"
    path.write_text(text, encoding=encoding)
    return read_counts(path, network)


def faults(tmp_path: Path, network: Network, text: str) -> tuple[Finding, ...]:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError) as caught:
        read(tmp_path, network, text)

    assert caught.value.exit_code == 3
    assert sorted(tmp_path.iterdir()) == [*before, tmp_path / "counts.csv"]
    for finding in caught.value.findings():
        for language in Language:
            say(finding.code, language, **{"place": finding.place, **finding.fields})
            assert f"{finding.code}_fix" in table(language)
    return caught.value.findings()


def volumes(counts: Counts) -> dict[str, list[float]]:
    grouped = counts.table.sort("t0_utc").group_by("target", maintain_order=True).agg("volume")
    return dict(grouped.iter_rows())


# what can be read -----------------------------------------------------------------------------


def test_chinese_direction_words_name_the_leg_on_which_the_approach_lies(
    tmp_path: Path, network: Network
) -> None:
    text = f"{HEADER}\n2025-12-08,07:00,安宁街汇通路,东进口左转,12\n2025-12-08,07:15,X,东左,14\n"
    counts = read(tmp_path, network, text)

    assert volumes(counts) == {movement("E", "left"): [12.0, 14.0]}


def test_westbound_comes_from_the_east(tmp_path: Path, network: Network) -> None:
    text = (
        "date,time,intersection,movement,volume\n"
        "2025-12-08,07:00,X,WBL,12\n2025-12-08,07:15,X,WB left,13\n"
        "2025-12-08,07:00,X,EBT,90\n2025-12-08,07:15,X,EB through,80\n"
    )
    counts = read(tmp_path, network, text)

    assert volumes(counts) == {
        movement("E", "left"): [12.0, 13.0],
        movement("W", "through"): [90.0, 80.0],
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_files_read_alike_in_every_encoding(
    tmp_path: Path, network: Network, encoding: str
) -> None:
    text = f"{HEADER}\n2025-12-08,07:00,X,东进口左转,12\n2025-12-08,07:15,X,东进口左转,14\n"
    counts = read(tmp_path, network, text, encoding=encoding)

    assert volumes(counts) == {movement("E", "left"): [12.0, 14.0]}
    assert ("LV170" in {f.code for f in counts.findings}) == (encoding == "gbk")


def test_a_workbook_reads_like_a_text_file(tmp_path: Path, network: Network) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["时间", "路口", "流向", "流量"])
    page.append([datetime(2025, 12, 8, 7, 0), "X", "东进口左转", 12])  # noqa: DTZ001  as Excel has it
    page.append([datetime(2025, 12, 8, 7, 15), "X", "东进口左转", 14.0])  # noqa: DTZ001
    book.save(tmp_path / "counts.xlsx")
    counts = read_counts(tmp_path / "counts.xlsx", network)

    assert volumes(counts) == {movement("E", "left"): [12.0, 14.0]}


def test_a_wide_table_has_a_column_per_movement(tmp_path: Path, network: Network) -> None:
    text = (
        "日期,时间,东进口左转,E-through,in-W_2\n2025-12-08,07:00,5,60,7\n2025-12-08,07:05,6,70,8\n"
    )
    counts = read(tmp_path, network, text)

    assert volumes(counts) == {
        movement("E", "left"): [5.0, 6.0],
        movement("E", "through"): [60.0, 70.0],
        "in-W_2": [7.0, 8.0],
    }
    assert counts.interval_s == 300


def test_local_time_becomes_utc(tmp_path: Path, network: Network) -> None:
    text = f"{HEADER}\n2025-12-08,07:00,X,东左,12\n2025-12-08,07:15,X,东左,12\n"
    first = read(tmp_path, network, text).table["t0_utc"][0]

    assert first == datetime(2025, 12, 7, 23, 0, tzinfo=UTC)


def test_twenty_four_hundred_is_the_end_of_an_interval(tmp_path: Path, network: Network) -> None:
    text = f"{HEADER}\n2025-12-08,23:45,X,东左,1\n2025-12-08,24:00,X,东左,2\n"
    counts = read(tmp_path, network, text)

    assert counts.table["second"].to_list() == [84_600, 85_500]
    assert counts.table["day"].unique().to_list() == ["2025-12-08"]
    assert "LV178" in {finding.code for finding in counts.findings}


def test_a_span_gives_start_and_interval(tmp_path: Path, network: Network) -> None:
    text = f"{HEADER}\n2025-12-08,23:00-24:00,X,东左,30\n"
    counts = read(tmp_path, network, text)

    assert counts.interval_s == 3600
    assert counts.table["second"].to_list() == [82_800]


@pytest.mark.parametrize("minutes", [5, 10, 15, 60])
def test_intervals_are_found(tmp_path: Path, network: Network, minutes: int) -> None:
    rows = [
        f"2025-12-08,{(k * minutes) // 60:02d}:{(k * minutes) % 60:02d},X,东左,3" for k in range(4)
    ]
    counts = read(tmp_path, network, "\n".join([HEADER, *rows]))

    assert counts.interval_s == 60 * minutes
    assert "LV179" in {finding.code for finding in counts.findings}


def test_volumes_per_hour_become_counts(tmp_path: Path, network: Network) -> None:
    text = "时间,路口,流向,流量(辆/小时)\n2025-12-08 07:00,X,东左,120\n2025-12-08 07:15,X,东左,80\n"

    assert volumes(read(tmp_path, network, text)) == {movement("E", "left"): [30.0, 20.0]}


def test_the_hour_that_occurs_twice_is_read_twice(tmp_path: Path, network: Network) -> None:
    rows = [f"2025-10-26,{clock},X,东左,{n}" for n, clock in enumerate(["01:00", "02:00"])]
    rows += ["2025-10-26,02:00,X,东左,7", "2025-10-26,03:00,X,东左,8"]
    path = tmp_path / "berlin.csv"
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    counts = read_counts(path, network, zone="Europe/Berlin")

    assert [t.hour for t in counts.table["t0_utc"]] == [23, 0, 1, 2]


def test_the_hour_that_is_jumped_over_has_no_counts(tmp_path: Path, network: Network) -> None:
    rows = [f"2025-03-30,{hour:02d}:00,X,东左,9" for hour in (1, 2, 3)]
    path = tmp_path / "berlin.csv"
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_counts(path, network, zone="Europe/Berlin")

    assert [(f.code, f.place) for f in caught.value.findings()] == [("LV165", "berlin.csv:3")]


def test_an_empty_cell_is_not_a_zero(tmp_path: Path, network: Network) -> None:
    text = f"{HEADER}\n2025-12-08,07:00,X,东左,\n2025-12-08,07:15,X,东左,0\n"
    counts = read(tmp_path, network, text)

    assert counts.table["volume"].to_list() == [None, 0.0]
    assert counts.table["observed"].to_list() == [0.0, 1.0]
    assert counts.usable.height == 1


def test_day_types_come_from_a_calendar(tmp_path: Path, network: Network) -> None:
    path = tmp_path / "counts.csv"
    rows = ["2025-12-31,07:00,X,东左,1", "2026-01-01,07:00,X,东左,1", "2026-01-03,07:00,X,东左,1"]
    path.write_text("\n".join([HEADER + ",间隔", *(f"{r},15" for r in rows)]), encoding="utf-8")
    calendar = Calendar(dates=((date(2026, 1, 1), "holiday"),))
    counts = read_counts(path, network, calendar=calendar.day_type)

    assert list(counts.day_types.values()) == ["workday", "holiday", "weekend"]


def test_lane_numbers_count_from_the_median(tmp_path: Path, network: Network) -> None:
    rows = ["07:00,X,东进口,1,9", "07:15,X,东进口,3,5", "07:15,X,东进口,1,9"]
    lines = ["日期,时间,路口,进口,车道,流量", *(f"2025-12-08,{row}" for row in rows)]
    counts = read(tmp_path, network, "\n".join(lines))

    assert set(volumes(counts)) == {"in-E_2", "in-E_0"}
    assert "LV175" in {finding.code for finding in counts.findings}


def test_occupancy_and_speed_have_units(tmp_path: Path, network: Network) -> None:
    text = (
        "date,time,lane,volume,occupancy(%),speed(km/h)\n"
        "2025-12-08,07:00,in-E_2,9,25,36\n2025-12-08,07:15,in-E_2,9,50,18\n"
    )
    counts = read(tmp_path, network, text)

    assert counts.table["occupancy"].to_list() == [0.25, 0.5]
    assert counts.table["speed_mps"].to_list() == pytest.approx([10.0, 5.0])


def test_equal_content_is_equal(tmp_path: Path, network: Network) -> None:
    one = f"{HEADER}\n2025-12-08,07:00,X,东左,1\n2025-12-08,07:15,X,东左,2\n"
    other = f"{HEADER}\n2025-12-08,07:15,X,东左,2\n2025-12-08,07:00,X,东左,1\n"

    assert read(tmp_path, network, one) == read(tmp_path, network, other)


# what cannot ----------------------------------------------------------------------------------

GOOD = "2025-12-08,07:00,X,东左,12\n2025-12-08,07:15,X,东左,12\n"
BAD_ROWS = [
    ("LV154", "2025-12-08,07:30,X,E-lift,12"),
    ("LV155", "2025-12-08,07:30,X,东左,-1"),
    ("LV156", "2025-12-08,07:30,X,东左,1200"),
    ("LV157", "2025-12-08,07:30,X,东左,十二"),
    ("LV157", "2025-12-08,07:30,X,东左,inf"),
    ("LV158", "2025-12-08,07:15,X,东左,12"),
    ("LV159", "2025-12-08,7h30,X,东左,12"),
    ("LV159", "2025-13-08,07:30,X,东左,12"),
    ("LV159", "2025-12-08,25:30,X,东左,12"),
    ("LV161", "2025-12-08,07:38,X,东左,12"),
    ("LV162", "2025-12-08,07:30,安宁街迎宾路,东左,12"),
    ("LV164", "2025-12-08,07:30,X,东掉头,12"),
    ("LV167", "2025-12-08,07:30,X,东左,12,99"),
]


@pytest.mark.parametrize(("code", "row"), BAD_ROWS)
def test_a_bad_row_is_named_with_its_line(
    tmp_path: Path, network: Network, code: str, row: str
) -> None:
    found = faults(tmp_path, network, f"{HEADER}\n{GOOD}{row}\n")

    assert [(f.code, f.place) for f in found] == [(code, "counts.csv:4")]


def test_all_problems_are_told_at_once(tmp_path: Path, network: Network) -> None:
    rows = "\n".join(row for code, row in BAD_ROWS if code not in {"LV158", "LV161", "LV156"})
    found = faults(tmp_path, network, f"{HEADER}\n{GOOD}{rows}\n")

    assert len(found) == len(BAD_ROWS) - 3
    assert [f.place for f in found] == sorted(
        (f.place for f in found), key=lambda p: int(p.rpartition(":")[2])
    )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("LV152", ""),
        ("LV152", HEADER),
        ("LV153", "日期,开始时间,路口,流向\n2025-12-08,07:00,X,东左\n"),
        ("LV153", "日期,路口,流向,流量\n2025-12-08,X,东左,3\n"),
        ("LV153", "日期,时间,流量\n2025-12-08,07:00,3\n"),
        ("LV166", "日期,时间,流向,流量,车流量\n2025-12-08,07:00,东左,3,3\n"),
        ("LV171", "date,time,lane,volume,interval\n2025-12-08,07:00,in-E_2,3,7\n"),
        ("LV163", "date,time,intersection,approach,volume\n2025-12-08,07:00,X,up,3\n"),
        ("LV168", "date,time,lane,volume,occupancy(%)\n2025-12-08,07:00,in-E_2,3,101\n"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, network: Network, code: str, text: str) -> None:
    found = faults(tmp_path, network, text)

    assert code in {finding.code for finding in found}


def test_mixed_intervals_are_refused(tmp_path: Path, network: Network) -> None:
    text = "date,time,lane,volume,interval\n" + "".join(
        f"2025-12-08,{clock},in-E_2,3,{minutes}\n"
        for clock, minutes in [("07:00", 15), ("07:15", 15), ("07:30", 30)]
    )
    found = faults(tmp_path, network, text)

    assert [(f.code, f.place) for f in found] == [("LV160", "counts.csv:4")]


def test_a_missing_file_is_named(tmp_path: Path, network: Network) -> None:
    with pytest.raises(InputError) as caught:
        read_counts(tmp_path / "none.csv", network)

    assert caught.value.code == "LV150"


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00a\x00", b"a,b\n\x81\x20\xff,1\n"])
def test_a_wrong_encoding_is_refused(tmp_path: Path, network: Network, raw: bytes) -> None:
    (tmp_path / "counts.csv").write_bytes(raw)
    with pytest.raises(InputError) as caught:
        read_counts(tmp_path / "counts.csv", network)

    assert caught.value.code == "LV151"


@pytest.mark.parametrize("name", ["counts.xlsx", "counts.pdf"])
def test_what_is_no_table_is_refused(tmp_path: Path, network: Network, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK not really")
    with pytest.raises(InputError) as caught:
        read_counts(tmp_path / name, network)

    assert caught.value.code == "LV169"


def test_the_tables_follow_their_schema(tmp_path: Path, network: Network) -> None:
    counts = read(tmp_path, network, f"{HEADER}\n{GOOD}")
    with pytest.raises(InputError) as caught:
        Counts(table=counts.table.drop("quality").with_columns(pl.col("volume").cast(pl.Int64)))

    assert caught.value.fields["missing"] == "quality"
    assert caught.value.fields["wrong"] == "volume"
