"""A skip is a gap in what was tested: it is counted and printed, and where CI runs it must be a known one."""

import os
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

KNOWN_SKIPS = Path(__file__).with_name("known_skips.txt")


def known_patterns(text: str) -> list[str]:
    """Return the patterns of a list of known skips: one a line, ``#`` begins a comment."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def unknown_reasons(reasons: Iterable[str], patterns: list[str]) -> list[str]:
    """Return the reasons that no pattern matches."""
    return [reason for reason in reasons if not any(fnmatchcase(reason, pattern) for pattern in patterns)]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a CI run that skipped something nobody has accepted."""
    if _in_ci() and _unknown(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how often each reason was given."""
    unknown = _unknown(config)
    for reason, count in _reasons(config).most_common():
        note = ": NOT in tests/known_skips.txt" if reason in unknown else ""
        terminalreporter.line(f"skipped {count} times{note}: {reason}", red=bool(note), yellow=not note)


def _unknown(config: pytest.Config) -> list[str]:
    return unknown_reasons(_reasons(config), known_patterns(KNOWN_SKIPS.read_text()))


def _reasons(config: pytest.Config) -> Counter[str]:
    """Count the reasons; only the process that reports has them, a worker has none."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(_reason(report) for report in reports)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def _in_ci() -> bool:
    return os.environ.get("CI") == "true"
