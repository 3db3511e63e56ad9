# SPDX-License-Identifier: Apache-2.0
"""What is done to observations and wishes when a controller is checked: copy, compare, look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from lvbo.control.protocols import Observation, Reason, Wish
from lvbo.text import Language, say, table

T = TypeVar("T")


def copied(value: T) -> T:
    """Return a value whose arrays are copies, also those of values inside it."""
    if not is_dataclass(value) or isinstance(value, type):
        return value
    own = {f.name: getattr(value, f.name) for f in fields(value)}
    copies = {
        name: held.copy() if isinstance(held, np.ndarray) else copied(held)
        for name, held in own.items()
    }
    made: T = type(value)(**copies)
    return made


def _arrays(value: object, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield everything that a value holds, down to arrays and plain values, with its name."""
    if is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            yield from _arrays(getattr(value, f.name), f"{place}.{f.name}".lstrip("."))
    else:
        yield place, value


def unequal(one: object, two: object) -> str:
    """Return the names of what differs between two values of one kind."""
    left, right = dict(_arrays(one)), dict(_arrays(two))
    names = left.keys() | right.keys()
    differing = [name for name in names if not _same(left.get(name), right.get(name))]
    return ", ".join(sorted(differing))


def _same(one: object, two: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(two, np.ndarray):
        return one.dtype == two.dtype and bool(np.array_equal(one, two))
    return one == two


def spoil(seen: Observation) -> None:
    """Overwrite all arrays of an observation, as a street does that uses them again."""
    for _, held in _arrays(seen):
        if isinstance(held, np.ndarray):
            held.fill(0)


def named(error: Exception) -> str:
    """Return the kind of an error and what it says."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def misshapen(wish: object, phases: int) -> str:
    """Return what is wrong with the form of a wish, or nothing."""
    if not isinstance(wish, Wish):
        return f"{type(wish).__name__} instead of a Wish"
    wrong = [
        text
        for name, held, kinds in (
            ("greens", wish.greens, "b"),
            ("yellow_s", wish.yellow_s, "iu"),
            ("preparing", wish.preparing, "b"),
        )
        if (text := _misfit(name, held, kinds, phases))
    ]
    stage: object = wish.stage  # types are promises: they are looked at here
    reason: object = wish.reason
    if not isinstance(stage, int | np.integer):
        wrong.append(f"stage is {stage!r}, not a number")
    if not isinstance(reason, Reason | None):
        wrong.append(f"reason is {reason!r}, not a Reason")
    return "; ".join(wrong)


def _misfit(name: str, held: object, kinds: str, phases: int) -> str:
    if held is None and name != "greens":
        return ""
    if not isinstance(held, np.ndarray):
        return f"{name} is {type(held).__name__}, not an array"
    if held.shape != (phases,) or held.dtype.kind not in kinds:
        return f"{name} has shape {held.shape} of {held.dtype}, should be ({phases},)"
    return ""


def unsaid(reason: Reason | None) -> str:
    """Return a reason whose code has a sentence that its fields do not fill."""
    if reason is None or reason.code not in table(Language.EN):
        return ""
    try:
        for language in Language:
            say(reason.code, language, **reason.fields)
    except (KeyError, IndexError, ValueError, TypeError):
        return f"{reason.code} with fields {sorted(reason.fields)}"
    return ""
