# SPDX-License-Identifier: Apache-2.0
"""Files appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from lvbo.errors import ToolError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place, then put it there in one step.

    Raises:
        ToolError: LV340 where the disk is full or the folder cannot be written; the old file, if
            any, is unchanged and nothing is left behind.

    """
    beside: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        beside = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        _remove(beside)
        reason = error.strerror or type(error).__name__
        raise ToolError("LV340", place=str(path), reason=reason) from error
    except BaseException:
        _remove(beside)
        raise


def _remove(beside: Path | None) -> None:
    if beside is not None:
        with suppress(OSError):
            beside.unlink()
