# SPDX-License-Identifier: Apache-2.0
"""Folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lvbo.errors import ToolError


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Give a scratch folder whose content is put into `target` at the end, or not at all.

    Raises:
        ToolError: LV340 where the disk is full or the folder cannot be written; nothing is left.

    """
    scratch: Path | None = None
    try:
        made = [p for p in (target, *target.parents) if not p.exists()]
        base = made[-1].parent if made else target.parent
        try:
            scratch = Path(tempfile.mkdtemp(dir=base, prefix=f".{target.name}.", suffix=".part"))
            scratch.chmod(0o755)
            if target.exists():
                _check_writable(target)
            yield scratch
            target.mkdir(parents=True, exist_ok=True)
            _move_into(scratch, target)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            place = str(error.filename or target)
            raise ToolError("LV340", place=place, reason=reason) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def _check_writable(target: Path) -> None:
    handle, name = tempfile.mkstemp(dir=target, prefix=".lvbo.")
    os.close(handle)
    Path(name).unlink()


def _move_into(scratch: Path, target: Path) -> None:
    for path in sorted(scratch.rglob("*")):
        place = target / path.relative_to(scratch)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        else:
            path.replace(place)
