# SPDX-License-Identifier: Apache-2.0
"""Files of officers' routes: what is written is read, what is wrong is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvbo.errors import InputError
from lvbo.io.routes_toml import read_routes
from lvbo.text import Language, say

GOOD = """schema = "lvbo-route 1"

[[route]]
name = "visit"
rank = 2
start = "07:15:30"
links = ["a", "b"]
speed_kmh = 36
vehicles = 3
abort = "07:20"

[[route]]
name = "fire"
start = "07:16:00"
links = ["c", "d", "e"]
"""


def test_a_route_is_read_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(GOOD, encoding="utf-8")
    visit, fire = read_routes(file)

    assert (visit.name, visit.rank, visit.vehicles) == ("visit", 2, 3)
    assert visit.start_s == 7 * 3600 + 15 * 60 + 30
    assert visit.abort_s == 7 * 3600 + 20 * 60
    assert visit.speed_mps == pytest.approx(10.0)
    assert visit.links == ("a", "b")
    assert (fire.rank, fire.vehicles, fire.speed_mps, fire.abort_s) == (1, 1, None, None)
    assert fire.links == ("c", "d", "e")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('start = "07:15:30"', 'start = "25:00"', "start = '25:00'"),
        ("rank = 2", "rank = 0", "rank = 0"),
        ("vehicles = 3", "vehicles = true", "vehicles = True"),
        ("speed_kmh = 36", "speed_kmh = -1", "speed_kmh = -1"),
        ('links = ["a", "b"]', 'links = ["a"]', "links = ['a']"),
        ("rank = 2", "rang = 2", "rang"),
        ('name = "visit"', "", "name ?"),
        ('name = "fire"', 'name = "visit"', "visit"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_routes(file)
    (finding,) = caught.value.findings()

    assert finding.code == "LV791"
    assert finding.fields["number"] == 1
    for language in Language:
        assert told in say("LV791", language, place=finding.place, **finding.fields)


@pytest.mark.parametrize("text", ["schema = 1", 'schema = "lvbo-route 1"', "[[route", "route = []"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="LV790"):
        read_routes(file)
