"""A progress bar for people who wait: on terminals only, and only after a second."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from grader.job import Submitted
from grader.readers.texts import printable
from grader.reports import terminal
from grader.reports.report import Report
from grader.run.batch import CheckDone, Event, SubmissionDone

SHOW_AFTER_S = 1.0
BAR = 16  # characters
MAX_NAME = 20  # characters of a submission's id
LEAST_DONE = 0.02  # of all checks: before that nobody can say how long the rest will take
MINUTE_S, HOUR_S = 60, 3600


class _Rate(ProgressColumn):
    """How many submissions are graded in a second or a minute, and how long the rest will take.

    The time left is that of the checks left, as if each took as long as those that are done.
    """

    def __init__(self) -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self.submissions = 0
        self.started = time.monotonic()

    def render(self, task: Task) -> Text:
        """Return the text; it is empty as long as nothing can be said."""
        passed = time.monotonic() - self.started
        done = task.completed / task.total if task.total else 0.0
        if done < LEAST_DONE or passed < SHOW_AFTER_S:
            return Text("")
        left = _duration(passed / done - passed)
        if self.submissions == 0:
            return Text(f"about {left} left")
        rate = self.submissions / passed
        text = f"{rate:.1f}/s" if rate >= 1 else f"{MINUTE_S * rate:.1f}/min"
        return Text(f"{text}, about {left} left")


def _duration(seconds: float) -> str:
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    return f"{seconds / HOUR_S:.1f} h"


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
    before = len(reports)
    screen = terminal.console(stderr=True)
    rate = _Rate()
    progress = Progress(
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(bar_width=BAR),
        TextColumn("{task.fields[done]}", table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        rate,
        console=screen,
        transient=True,
    )
    of = sum(checks.values()) if single else len(submitted)
    task = progress.add_task("checks" if single else "grading", total=sum(checks.values()), done="")
    told: Counter[str] = Counter()
    started, shown = time.monotonic(), False
    with ExitStack() as stack:
        for event in events:
            if isinstance(event, SubmissionDone):
                reports.append(event.report)
                rate.submissions = 0 if single else len(reports) - before
                # A submission that broke has reported fewer checks than it has.
                missing = checks[event.identifier] - told[event.identifier]
                progress.update(task, advance=missing)
            elif isinstance(event, CheckDone):
                told[event.identifier] += 1
                label = event.check if single else event.identifier
                name = printable(label, MAX_NAME)
                progress.update(task, advance=1, description=name)
            done = sum(told.values()) if single else len(reports) - before
            progress.update(task, done=f"{done}/{of}")
            if not shown and screen.is_terminal and time.monotonic() - started > SHOW_AFTER_S:
                stack.enter_context(progress)
                shown = True
    return reports
