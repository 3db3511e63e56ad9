# SPDX-License-Identifier: Apache-2.0
"""Every way Lvbo says no.

```
LvboError
├── UsageError        the call itself is wrong                        exit 2
├── InputError        input is missing or invalid; holds all findings exit 3
│   └── PlanError     a plan breaks the rules of its controller       exit 3
├── InfeasibleError   no plan fits the limits; holds the conflict set exit 4
├── ToolError         an outside tool failed (SUMO, a solver)         exit 5
└── UnsafeError       a safety check refused; caught nowhere          exit 6
```

Errors and findings carry a code and named fields; the sentence comes from `lvbo.text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found: a code, a place, and the values its sentence needs.

    `place` says where a person must look: a file and line (`counts.csv:14`), a controller, a link.
    """

    code: str
    place: str
    severity: Severity = Severity.ERROR
    fields: Fields = field(default_factory=dict)


class LvboError(Exception):
    """The root: a code from the text tables and the values of its sentence."""

    exit_code = 1

    def __init__(self, code: str, /, **fields: object) -> None:
        self.code = code
        self.fields = fields
        super().__init__(code, fields)

    def __reduce__(self) -> tuple[object, ...]:
        """Cross from one process to another as it is."""
        return _again, (type(self), self.args, vars(self))

    def __str__(self) -> str:
        values = ", ".join(f"{key}={value!r}" for key, value in self.fields.items())
        return f"{self.code} ({values})" if values else self.code

    def findings(self) -> tuple[Finding, ...]:
        """Return what was found, as findings; a plain error is one finding."""
        place = str(self.fields.get("place", ""))
        return (Finding(code=self.code, place=place, fields=self.fields),)


def _again(
    kind: type[LvboError], args: tuple[object, ...], held: Mapping[str, object]
) -> LvboError:
    error = kind.__new__(kind, *args)
    vars(error).update(held)
    return error


class UsageError(LvboError):
    """Say that the call itself is wrong."""

    exit_code = 2


class InputError(LvboError):
    """Say that input is missing or invalid, with all problems at once."""

    exit_code = 3

    def __init__(
        self, code: str, /, *, all_findings: Iterable[Finding] = (), **fields: object
    ) -> None:
        super().__init__(code, **fields)
        self._findings = tuple(all_findings)

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> InputError:
        """Return one error for several findings; its own code is that of the first."""
        found = tuple(findings)
        first = found[0]
        return cls(first.code, all_findings=found, **{"place": first.place, **first.fields})

    def findings(self) -> tuple[Finding, ...]:
        """Return every finding of the input, in the order found."""
        return self._findings or super().findings()


class PlanError(InputError):
    """Say that a plan breaks the rules of its controller."""


class InfeasibleError(LvboError):
    """Say that no plan fits the limits; `conflict` names the smallest contradicting set."""

    exit_code = 4

    def __init__(self, code: str, /, *, conflict: Iterable[str] = (), **fields: object) -> None:
        self.conflict = tuple(conflict)
        super().__init__(code, conflict=", ".join(self.conflict), **fields)


class ToolError(LvboError):
    """Say that an outside tool is missing or failed."""

    exit_code = 5


class UnsafeError(LvboError):
    """Say that a safety check refused. Nothing in Lvbo catches this."""

    exit_code = 6
