# SPDX-License-Identifier: Apache-2.0
"""Findings and errors as a reader sees them: `LV203 place: sentence`, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from lvbo.errors import Finding, Severity
from lvbo.text import Language, say, table

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.ADVICE: "cyan"}
ORDER = list(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many findings there are of each severity."""

    errors: int
    warnings: int
    advice: int

    @property
    def matter(self) -> bool:
        """Say whether any is more than advice."""
        return bool(self.errors or self.warnings)


def count(findings: Iterable[Finding]) -> Counted:
    """Return how many findings there are of each severity."""
    kinds = [finding.severity for finding in findings]
    return Counted(
        errors=kinds.count(Severity.ERROR),
        warnings=kinds.count(Severity.WARNING),
        advice=kinds.count(Severity.ADVICE),
    )


def sentence(finding: Finding, language: Language) -> str:
    """Return the sentence of a finding; where fields are missing, the sentence as it stands."""
    known = table(language)
    text = known.get(finding.code, finding.code)
    try:
        return text.format_map({"place": finding.place, **finding.fields})
    except (KeyError, IndexError, ValueError):
        return text


def finding_data(finding: Finding, language: Language) -> dict[str, object]:
    """Return a finding as plain data."""
    return {
        "code": finding.code,
        "place": finding.place,
        "severity": str(finding.severity),
        "fields": {key: _plain(value) for key, value in finding.fields.items()},
        "text": sentence(finding, language),
    }


def finding_lines(
    findings: Sequence[Finding], language: Language, *, most: int | None = None
) -> Iterator[Text]:
    """Yield findings as lines, worst first; per code at most `most`, then what to do about it."""
    codes = sorted(
        {f.code for f in findings},
        key=lambda code: min((ORDER.index(f.severity), f.code) for f in findings if f.code == code),
    )
    for code in codes:
        own = [finding for finding in findings if finding.code == code]
        for finding in own[:most]:
            yield _line(finding, language)
        if most is not None and len(own) > most:
            rest = say("cli_more_findings", language, n=len(own) - most, code=code)
            yield Text(f"      {rest}", style="dim")
        fix = table(language).get(f"{code}_fix")
        if fix:
            yield Text.assemble(("      → ", "dim"), (fix, "dim"))


def _line(finding: Finding, language: Language) -> Text:
    text = sentence(finding, language)
    line = Text.assemble((finding.code, STYLES[finding.severity]), " ")
    if finding.place and finding.place not in text:
        gap = "：" if language is Language.ZH else ": "
        line.append(f"{finding.place}{gap}", style="bold")
    line.append(text)
    return line


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | str) or value is None else str(value)
