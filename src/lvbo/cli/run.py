# SPDX-License-Identifier: Apache-2.0
"""Run one call of the command line and return its exit status; no traceback leaves here.

0 done, 1 findings, 2 the call is wrong, 3 input invalid, 4 no plan fits, 5 an outside tool, the
disk or Lvbo itself failed, 6 a safety check refused, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from rich.console import Console

from lvbo.cli.findings import finding_lines
from lvbo.cli.language import find_language
from lvbo.cli.session import NARROWEST, Session
from lvbo.cli.usage import as_usage_error
from lvbo.errors import InfeasibleError, LvboError, ToolError
from lvbo.text import Language

INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Return the exit status of a call."""
    for stream in (sys.stdout, sys.stderr):
        _speak_utf8(stream)
    session = _session(arguments)
    try:
        return _call(arguments, session)
    except KeyboardInterrupt:
        session.err.print(session.words("cli_interrupted"), style="yellow", highlight=False)
        return INTERRUPTED
    except LvboError as error:
        return _refuse(error, session)
    except BrokenPipeError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return _refuse(ToolError("LV340", place=str(error.filename or "-"), reason=reason), session)
    except Exception as error:  # noqa: BLE001  the last resort: say it plainly, keep the details
        return _refuse(ToolError("LV706", place=_log(error), reason=_short(error)), session)


def _call(arguments: Sequence[str], session: Session) -> int:
    from lvbo.cli.app import build_app, click_errors

    app = build_app(session.language)
    usage, abort = click_errors()
    try:
        status = app.main(list(arguments), prog_name="lvbo", standalone_mode=False, obj=session)
    except abort:
        raise KeyboardInterrupt from None
    except usage as error:
        return _refuse(as_usage_error(error, arguments), session)
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    return status if isinstance(status, int) else 0


def _session(arguments: Sequence[str]) -> Session:
    wide = {} if os.environ.get("COLUMNS") or sys.stdout.isatty() else {"width": NARROWEST}
    return Session(
        language=find_language(arguments, os.environ),
        as_json="--json" in arguments,
        quiet="--quiet" in arguments or "-q" in arguments,
        out=Console(soft_wrap=False, **wide),  # type: ignore[arg-type]
        err=Console(stderr=True, soft_wrap=not sys.stderr.isatty()),
    )


def _speak_utf8(stream: TextIO) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="replace")


def _refuse(error: LvboError, session: Session) -> int:
    """Say why nothing was done: every finding, and the status of the worst."""
    findings = error.findings()
    if session.as_json:
        session.finish({"status": "failed", "exit": error.exit_code}, findings)
    else:
        for line in finding_lines(findings, session.language):
            session.err.print(line, highlight=False)
        if isinstance(error, InfeasibleError) and error.conflict:
            session.err.print(
                session.words("cli_conflict", conflict=_join(error.conflict, session.language)),
                highlight=False,
            )
    return error.exit_code


def _join(parts: Sequence[str], language: Language) -> str:
    return ("、" if language is Language.ZH else ", ").join(parts)


def _short(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:200]}" if words else type(error).__name__


def _log(error: Exception) -> str:
    """Write what is needed to find the fault into a file of its own; return its path."""
    lines = [platform.platform(), sys.version, " ".join(sys.argv), ""]
    lines += traceback.format_exception(error)
    try:
        handle, name = tempfile.mkstemp(prefix="lvbo-error-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
    except OSError:
        return "-"
    return str(Path(name))
