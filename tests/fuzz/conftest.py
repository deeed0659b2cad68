"""The summary of a long run."""

from __future__ import annotations

from tests.fuzz.guard import COUNTS, LONG


def pytest_terminal_summary(terminalreporter):
    if not LONG:
        return
    terminalreporter.section("fuzzing: what came out")
    for target, outcomes in sorted(COUNTS.items()):
        told = ", ".join(f"{outcome} {number}" for outcome, number in outcomes.most_common())
        terminalreporter.line(f"{target}: {outcomes.total()} inputs: {told}")
