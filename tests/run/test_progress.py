"""The bar for people who wait: submissions, rate, time left."""

from __future__ import annotations

import time

import pytest
from rich.progress import Progress

from grader.run import progress


@pytest.mark.parametrize(
    ("passed", "done", "submissions", "text"),
    [
        (0.5, 50, 5, ""),  # too early
        (60.0, 1, 0, ""),  # nothing to go by
        (10.0, 50, 20, "2.0/s, about 10 s left"),
        (600.0, 50, 20, "2.0/min, about 10 min left"),
        (3600.0, 10, 6, "0.1/min, about 9.0 h left"),
        (10.0, 25, 0, "about 30 s left"),  # one submission: of its checks
    ],
)
def test_rate_and_time_left(passed, done, submissions, text, monkeypatch):
    column = progress._Rate()
    column.submissions = submissions
    now = time.monotonic()
    column.started = now - passed
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    bar = Progress(column)
    bar.add_task("grading", total=100, completed=done)
    assert str(column.render(bar.tasks[-1])) == text


def test_nothing_to_do_is_no_division_by_zero():
    column = progress._Rate()
    bar = Progress(column)
    bar.add_task("grading", total=0)
    assert str(column.render(bar.tasks[-1])) == ""
