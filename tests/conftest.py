# SPDX-License-Identifier: Apache-2.0
"""What every test may use: the folder of published instances, and a plain closing line."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

BENCH_VARIABLE = "LVBO_BENCH_DATA"

settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


@pytest.fixture(scope="session")
def bench_data() -> Path:
    """Return the folder of published instances; skip the test where there is none."""
    named = os.environ.get(BENCH_VARIABLE)
    if not named:
        pytest.skip(f"{BENCH_VARIABLE} is not set: no folder of published instances")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"{BENCH_VARIABLE} names {folder}, which is no folder")
    return folder


class ClosingLine:
    """Count the outcomes, say why tests were skipped, and end with one plain line."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one test once: its call, or the set-up or tear-down that went wrong."""
        if report.skipped:
            self.outcomes["skipped"] += 1
            self.reasons[_reason(report)] += 1
        elif report.failed:
            self.outcomes["failed"] += 1
        elif report.when == "call":
            self.outcomes["passed"] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that cannot be collected as one failure, a skipped file as one skip."""
        if report.failed:
            self.outcomes["failed"] += 1
        elif report.skipped:
            self.outcomes["skipped"] += 1
            self.reasons[_reason(report)] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Turn a skip into a failure where the folder of instances is named."""
        if os.environ.get(BENCH_VARIABLE) and self.outcomes["skipped"] and exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def write(self, reporter: pytest.TerminalReporter) -> None:
        """Write the reasons and the closing line, which is the last line of the run."""
        for reason, count in sorted(self.reasons.items()):
            reporter.write_line(f"skipped {count}: {reason}")
        if os.environ.get(BENCH_VARIABLE) and self.outcomes["skipped"]:
            reporter.write_line(f"{BENCH_VARIABLE} is set, so a skipped test is a failure")
        passed, failed, skipped = (self.outcomes[k] for k in ("passed", "failed", "skipped"))
        reporter.write_line(f"{passed} passed, {failed} failed, {skipped} skipped")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a test was skipped, as its author wrote it."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return f"expected to fail: {getattr(report, 'wasxfail', '') or 'no reason given'}"


def pytest_configure(config: pytest.Config) -> None:
    """Add the closing line to this run."""
    config.pluginmanager.register(ClosingLine(), "closing_line")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the run with one line that says how it ended."""
    closing = config.pluginmanager.get_plugin("closing_line")
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if closing is not None and reporter is not None:
        closing.write(reporter)
