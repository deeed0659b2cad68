"""A progress bar for people who wait: on terminals only, and only after a second."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grader.batch import CheckDone, Event, SubmissionDone
from grader.reports import terminal

SHOW_AFTER_S = 1.0


def follow(events: Iterable[Event | None], submissions: int, checks: int) -> list[dict[str, Any]]:
    """Consume the events of a run and return the reports, in the order of their completion."""
    reports: list[dict[str, Any]] = []
    screen = terminal.console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
    )
    task = progress.add_task(
        "checks" if submissions == 1 else "grading", total=submissions * checks
    )
    started, shown = time.monotonic(), False
    with ExitStack() as stack:
        for event in events:
            if isinstance(event, SubmissionDone):
                reports.append(event.report)
                progress.update(task, completed=len(reports) * checks)
            elif isinstance(event, CheckDone):
                label = event.check if submissions == 1 else event.identifier
                progress.update(task, advance=1, description=terminal.clean(label))
            if not shown and screen.is_terminal and time.monotonic() - started > SHOW_AFTER_S:
                stack.enter_context(progress)
                shown = True
    return reports
