# SPDX-License-Identifier: Apache-2.0
"""A run in a process of its own tells how far it is, and ends with the process that wants it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lvbo.simulation import worker


def test_a_worker_tells_its_parent_how_far_it_is(tmp_path: Path) -> None:
    worker._tell(tmp_path / "share.txt", 0.25, os.getppid())

    assert float((tmp_path / "share.txt").read_text()) == 0.25


def test_a_worker_without_its_parent_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(SystemExit):
        worker._tell(tmp_path / "share.txt", 0.25, os.getppid() + 1)

    assert not (tmp_path / "share.txt").exists()
