# SPDX-License-Identifier: Apache-2.0
"""GPX tracks: what is read, and that everything wrong is told at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lvbo.errors import InputError
from lvbo.io.gpx import Fix, read_all_gpx, read_gpx

GPX = '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">{}</gpx>'
POINT = '<trkpt lat="{}" lon="{}"><time>{}</time></trkpt>'


def written(folder: Path, body: str, name: str = "drive.gpx") -> Path:
    path = folder / name
    path.write_text(GPX.format(body), encoding="utf-8")
    return path


def track(*points: tuple[object, object, str]) -> str:
    return "<trk><trkseg>" + "".join(POINT.format(*point) for point in points) + "</trkseg></trk>"


def refused(path: Path) -> list[tuple[str, str, object]]:
    """Return code, place and attribute of every finding."""
    with pytest.raises(InputError) as caught:
        read_gpx(path)
    return [(f.code, f.place, f.fields.get("attribute")) for f in caught.value.findings()]


def test_points_of_all_segments_come_in_order_of_time(tmp_path: Path) -> None:
    second = '<trkseg><trkpt lat="37.7" lon="112.7"><time>2026-01-05T08:00:01+08:00</time></trkpt>'
    body = track((37.8, 112.8, "2026-01-05T00:00:03Z")).replace(
        "</trk>", f"{second}</trkseg></trk>"
    )
    (found,) = read_gpx(written(tmp_path, body.replace("<trk>", "<trk><name>run 1</name>")))

    assert found.name == "drive.gpx run 1"
    assert found.fixes == (
        Fix(at=datetime(2026, 1, 5, 0, 0, 1, tzinfo=UTC), longitude=112.7, latitude=37.7),
        Fix(at=datetime(2026, 1, 5, 0, 0, 3, tzinfo=UTC), longitude=112.8, latitude=37.8),
    )


def test_every_point_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    body = track((97, 112, "2026-01-05T00:00:00Z"), (37, "east", "2026-01-05T00:00:01Z"))
    body += track((37, 112, "eight"), ("nan", 112, "2026-01-05T00:00:02Z"))

    assert refused(written(tmp_path, body)) == [
        ("LV134", "drive.gpx 1", "lat"),
        ("LV134", "drive.gpx 1", "lon"),
        ("LV134", "drive.gpx 2", "time"),
        ("LV134", "drive.gpx 2", "lat"),
    ]


def test_what_is_wrong_with_several_files_is_told_at_once(tmp_path: Path) -> None:
    paths = [
        written(tmp_path, "", "empty.gpx"),
        tmp_path / "missing.gpx",
        written(tmp_path, track((37, 112, "")), "timeless.gpx"),
    ]
    with pytest.raises(InputError) as caught:
        read_all_gpx(paths)

    assert [f.code for f in caught.value.findings()] == ["LV135", "LV101", "LV134"]


@pytest.mark.parametrize(
    ("content", "code"),
    [("<kml></kml>", "LV133"), ("<gpx><trk>", "LV102"), ("", "LV102"), ("<gpx></gpx>", "LV135")],
)
def test_other_files_are_refused(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "drive.gpx"
    path.write_text(content, encoding="utf-8")

    assert refused(path)[0][0] == code
