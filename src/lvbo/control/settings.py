# SPDX-License-Identifier: Apache-2.0
"""The settings of a controller, read strictly from the parameters it was named with."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import Any, TypeVar

from lvbo.control.registry import Situation
from lvbo.errors import UsageError

S = TypeVar("S")

SHARED = frozenset({"clock_s"})
"""Parameters that the registry reads itself."""


def read_settings(kind: type[S], situation: Situation) -> S:
    """Return the settings with the defaults of their class where nothing is said.

    Raises:
        UsageError: LV731 for a name that is no setting, or a value of another kind.

    """
    defaults: dict[str, Any] = {f.name: getattr(kind(), f.name) for f in fields(kind)}  # type: ignore[arg-type]
    found: dict[str, Any] = {}
    for name, value in situation.params.items():
        if name in SHARED:
            continue
        if name not in defaults or not _is_like(value, defaults[name]):
            known = ", ".join(sorted(defaults))
            raise UsageError("LV731", place=f"{name} = {value}", known=known)
        found[name] = _like(value, defaults[name])
    return kind(**found)


def _is_like(value: object, default: object) -> bool:
    if isinstance(default, Enum):
        return value in {each.value for each in type(default)}
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, int):
        return isinstance(value, int)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return value is None or isinstance(value, int)


def _like(value: Any, default: object) -> Any:  # noqa: ANN401  the kind is that of the default
    return type(default)(value) if isinstance(default, Enum | float) else value
