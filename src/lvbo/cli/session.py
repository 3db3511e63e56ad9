# SPDX-License-Identifier: Apache-2.0
"""One call of the command line: its language, its two consoles, and what it says at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from rich.console import Console, RenderableType

from lvbo.cli.findings import Counted, count, finding_data, finding_lines
from lvbo.cli.steps import Tell, open_step
from lvbo.errors import Finding
from lvbo.text import Language, say, table

NARROWEST = 118


@dataclass(slots=True, kw_only=True)
class Session:
    """What a command speaks through. Results go to `out`, all else to `err`."""

    language: Language
    as_json: bool = False
    quiet: bool = False
    out: Console
    err: Console
    took_s: dict[str, float] = field(default_factory=dict)

    def words(self, key: str, /, **fields: object) -> str:
        """Return the sentence of a key."""
        return say(key, self.language, **fields)

    def word_or(self, key: str, otherwise: str) -> str:
        """Return the words of a key, or something else where there are none."""
        return table(self.language).get(key, otherwise)

    @contextmanager
    def step(self, name: str) -> Iterator[Tell]:
        """Open a step of the line, shown on `err` with its progress and how long it took."""
        began = perf_counter()
        silent = self.quiet or self.as_json
        with open_step(self.err, self.words(f"cli_step_{name}"), silent=silent) as tell:
            yield tell
        self.took_s[name] = self.took_s.get(name, 0.0) + perf_counter() - began

    def note(self, key: str, /, **fields: object) -> None:
        """Say something that is no result."""
        if not (self.quiet or self.as_json):
            self.err.print(self.words(key, **fields), highlight=False, style="dim")

    def show(self, what: RenderableType) -> None:
        """Print part of the result for a reader."""
        if not self.as_json:
            self.out.print(what, highlight=False)

    def show_findings(
        self, findings: Sequence[Finding], *, most: int = 12, as_result: bool = False
    ) -> Counted:
        """Print findings, worst first, those of one code together; return how many there are."""
        counted = count(findings)
        hidden = self.as_json or (self.quiet and not as_result)
        for line in () if hidden else finding_lines(findings, self.language, most=most):
            (self.out if as_result else self.err).print(line, highlight=False)
        return counted

    def finish(
        self,
        data: Callable[[], Mapping[str, object]] | Mapping[str, object],
        findings: Sequence[Finding] | None = None,
    ) -> None:
        """Print the one JSON object, where JSON was asked for."""
        if self.as_json:
            plain = dict(data() if callable(data) else data)
            if findings is not None:
                plain["findings"] = [finding_data(each, self.language) for each in findings]
            self.out.file.write(json.dumps(plain, ensure_ascii=False, default=str) + "\n")
            self.out.file.flush()
