"""Rules of the whole test suite: which tests are marked, and which must not skip in continuous integration."""

import os

import pytest

from tests.browser import NO_BROWSER
from tests.needs import REASONS, SHARED
from tests.postgresql import NO_POSTGRESQL

_forbidden: list[str] = []
"""The tests that skipped although CI has what they need, with their reasons."""


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses a browser, directly or through another fixture."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record a test that skips for lack of pictures, weights, browser or PostgreSQL, in CI beside ``shared``."""
    if report.skipped and isinstance(report.longrepr, tuple) and os.environ.get("CI") == "true" and SHARED.exists():
        reason = report.longrepr[2]
        if any(words in reason for words in (*REASONS, NO_BROWSER, NO_POSTGRESQL)):
            _forbidden.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if such a test skipped."""
    if _forbidden:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the tests that failed the run by skipping."""
    if _forbidden:
        terminalreporter.section("tests that must not skip in CI", red=True)
        for line in _forbidden:
            terminalreporter.line(line)
