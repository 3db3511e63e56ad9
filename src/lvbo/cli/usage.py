# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a call, in our own words and codes."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from lvbo.errors import UsageError

COMMANDS = (
    "bench", "check", "compare", "count", "demo", "diagram", "doctor", "explain", "export", "init",
    "log", "periods", "plan", "report", "simulate", "transition", "wave",
)  # fmt: skip


def as_usage_error(error: Exception, arguments: Sequence[str]) -> UsageError:
    """Return the error of the parser as one of ours."""
    kind = type(error).__name__
    place = " ".join(arguments[:1]) or "lvbo"
    if kind == "NoSuchOption":
        name = str(getattr(error, "option_name", ""))
        near = ", ".join(getattr(error, "possibilities", None) or ()) or "--help"
        return UsageError("LV702", place=place, option=name, near=near)
    if kind == "MissingParameter":
        missing = getattr(error, "param", None)
        return UsageError("LV703", place=place, missing=_name(missing))
    if kind == "BadParameter":
        reason = str(getattr(error, "message", error))
        return UsageError("LV704", place=_name(getattr(error, "param", None)), reason=reason)
    message = str(getattr(error, "message", error))
    if kind == "NoArgsIsHelpError" or message.startswith("Missing command"):
        return UsageError("LV703", place=place, missing="COMMAND")
    if "No such command" in message:
        word = next((a for a in arguments if not a.startswith("-")), "")
        near = ", ".join(get_close_matches(word, COMMANDS, n=2)) or "lvbo --help"
        return UsageError("LV701", place="lvbo", command=word, near=near)
    return UsageError("LV700", place=place, reason=message)


def _name(parameter: object) -> str:
    options = [o for o in getattr(parameter, "opts", ()) if o.startswith("--")]
    if options:
        return str(options[0])
    return str(getattr(parameter, "metavar", None) or getattr(parameter, "name", "?")).upper()
