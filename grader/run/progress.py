"""A progress bar for people who wait: on terminals only, and only after a second."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grader.job import Submitted
from grader.reports import terminal
from grader.reports.report import Report
from grader.run.batch import CheckDone, Event, SubmissionDone

SHOW_AFTER_S = 1.0


def follow(
    events: Iterable[Event | None],
    submitted: Sequence[Submitted],
    reports: list[Report] | None = None,
) -> list[Report]:
    """Consume the events of a run and return the reports, in the order of their completion.

    They are added to ``reports`` one by one: these remain if the run is interrupted.
    """
    single = len(submitted) == 1
    checks = {item.identifier: len(item.wanted) for item in submitted}
    reports = [] if reports is None else reports
    screen = terminal.console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
    )
    task = progress.add_task("checks" if single else "grading", total=sum(checks.values()))
    told: Counter[str] = Counter()
    started, shown = time.monotonic(), False
    with ExitStack() as stack:
        for event in events:
            if isinstance(event, SubmissionDone):
                reports.append(event.report)
                # A submission that broke has reported fewer checks than it has.
                progress.update(task, advance=checks[event.identifier] - told[event.identifier])
            elif isinstance(event, CheckDone):
                told[event.identifier] += 1
                label = event.check if single else event.identifier
                progress.update(task, advance=1, description=terminal.clean(label))
            if not shown and screen.is_terminal and time.monotonic() - started > SHOW_AFTER_S:
                stack.enter_context(progress)
                shown = True
    return reports
