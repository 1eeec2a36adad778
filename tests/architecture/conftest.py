"""Prints the report on size under the results."""

import pytest

from tests.support.report import SIZE


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """One line, when the test ran."""
    report = config.stash.get(SIZE, None)
    if report:
        terminalreporter.write_line(report)
