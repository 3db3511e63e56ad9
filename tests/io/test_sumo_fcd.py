# SPDX-License-Identifier: Apache-2.0
"""SUMO's FCD output: steps of vehicles, and that everything wrong is told at once."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from lvbo.errors import InputError
from lvbo.io.sumo_fcd import read_fcd

CAR = '<vehicle id="{}" x="1" y="2" angle="0" type="car" speed="{}" pos="{}" lane="{}" slope="0"/>'


def fcd(*steps: tuple[object, str]) -> str:
    rows = "".join(f'<timestep time="{t}">{vehicles}</timestep>' for t, vehicles in steps)
    return f"<fcd-export>{rows}</fcd-export>"


def written(folder: Path, text: str) -> Path:
    path = folder / "fcd.xml"
    path.write_text(text, encoding="utf-8")
    return path


def test_steps_are_read_by_vehicle_and_time(tmp_path: Path) -> None:
    text = fcd(
        ("0.00", CAR.format("b", 5, 10, "A_B_1")),
        ("1.00", CAR.format("b", 6, 16, "A_B_1") + CAR.format("a", 0, 3, "E_0")),
        ("2.00", ""),
    )
    rows = read_fcd(written(tmp_path, text)).rows()

    assert rows == [
        ("a", 1.0, "E", 3.0, 0.0),
        ("b", 0.0, "A_B", 10.0, 5.0),
        ("b", 1.0, "A_B", 16.0, 6.0),
    ]


def test_a_zipped_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "fcd.xml.gz"
    path.write_bytes(gzip.compress(fcd((0, CAR.format("a", 1, 2, "E_0"))).encode()))

    assert read_fcd(path).height == 1


def test_all_that_is_wrong_is_told_at_once_and_how_often(tmp_path: Path) -> None:
    text = fcd(
        ("soon", CAR.format("a", 1, 2, "E_0")),
        (1, CAR.format("a", "fast", 2, "E_0")),
        (2, CAR.format("a", "fast", 2, "E_0") + CAR.format("b", 1, 2, "")),
        (3, CAR.format("a", 1, "inf", "E_0")),
    )
    with pytest.raises(InputError) as caught:
        read_fcd(written(tmp_path, text))
    found = {(f.fields["attribute"], f.fields["found"]): f for f in caught.value.findings()}

    assert set(found) == {("time", "soon"), ("speed", "fast"), ("lane", "–"), ("pos", "inf")}
    assert found["speed", "fast"].fields["count"] == 2
    assert found["speed", "fast"].place == "fcd.xml: 1 s"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<net></net>", "LV103"),
        ("<fcd-export><timestep", "LV102"),
        ("<fcd-export></fcd-export>", "LV131"),
        (fcd((0, "")), "LV131"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(InputError, match=code):
        read_fcd(written(tmp_path, text))
