# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from lvbo.errors import ToolError
from lvbo.project.folder import staged


def test_files_appear_in_the_folder_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a" / "out"
    with staged(target) as scratch:
        (scratch / "deep").mkdir()
        (scratch / "deep" / "file.txt").write_text("new", encoding="utf-8")
        seen = target.exists()

    assert not seen
    assert (target / "deep" / "file.txt").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["out"]


def test_what_was_there_stays_beside_what_comes(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.txt").write_text("old", encoding="utf-8")
    with staged(tmp_path / "out") as scratch:
        (scratch / "new.txt").write_text("new", encoding="utf-8")

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["new.txt", "old.txt"]


def break_off(target: Path, error: type[BaseException]) -> None:
    with staged(target) as scratch:
        (scratch / "half.txt").write_text("half", encoding="utf-8")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_where_the_work_breaks_off(
    error: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(error):
        break_off(tmp_path / "out", error)

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_tool_error_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as raised, staged(tmp_path / "out"):
        raise OSError(28, "No space left on device", "somewhere")

    assert raised.value.code == "LV340"
    assert raised.value.fields == {"place": "somewhere", "reason": "No space left on device"}
    assert list(tmp_path.iterdir()) == []
