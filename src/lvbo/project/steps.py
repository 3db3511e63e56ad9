# SPDX-License-Identifier: Apache-2.0
"""Steps of the line that somebody may watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Progress = Callable[[float], None]
Steps = Callable[[str], AbstractContextManager[Progress]]
"""Opens a step of the line by its name; what it gives is told the share done, 0 to 1."""


@contextmanager
def silent(_: str) -> Iterator[Progress]:
    """Open a step that nobody watches."""
    yield lambda _share: None
