"""A case of a check that was run again, on the screen and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from grader.checks.watched import Compared
from grader.errors import UsageError
from grader.intake.submission import Submission
from grader.readers.texts import plain
from grader.reports import terminal
from grader.reports.report import CheckReport
from grader.run import replay_files
from grader.run.replayed_check import Replayed

MAX_LISTED = 12  # cases


def show(found: Replayed, who: str, number: int | None) -> None:
    """Print how a check went this time: the case, each wrong value, both numbers.

    Args:
        found: the check that was run again.
        who: the submission's id; empty at home.
        number: of the case; None for the first wrong one.
    """
    again = found.again
    points = f"{plain(again.points)} of {plain(again.max_points)} points"
    _print(f"{who} {again.id} {again.title}: {again.outcome}, {points}".strip())
    chosen = found.chosen(number)
    if chosen is None:
        if again.message:
            _print(again.message)
        return
    case, value = chosen
    _print(f"case {case.number} of {len(found.cases)}, {case.name}")
    for one in case.wrong or (value,):
        _print(f"  {_words(one, again) if not one.comparison.ok else 'everything is right'}")
        if (numbers := _numbers(one.comparison)) is not None:
            _print(f"  {numbers}")
    wrong = [one for one in found.cases if one.wrong]
    if len(found.cases) > 1 and wrong:
        listed = ", ".join(f"{one.number} ({one.name})" for one in wrong[:MAX_LISTED])
        more = f" and {len(wrong) - MAX_LISTED} more" if len(wrong) > MAX_LISTED else ""
        _print(f"wrong in {len(wrong)} of {len(found.cases)} cases: {listed}{more}")


def _words(one: Compared, again: CheckReport) -> str:
    """Return what the check says of a value, with the cause that it found; else what differs."""
    for text in (again.message, *(part.message for part in again.parts)):
        _before, said, after = text.partition(one.said)
        if said:
            return f"{one.comparison.message}{after.splitlines()[0] if after else ''}"
    return one.comparison.text


def _numbers(comparison: Any) -> str | None:
    """Return both numbers of the worst entry, with all digits."""
    wrong = comparison.mismatch
    if wrong is None:
        return None
    place = f"{comparison.name}{list(wrong.worst) if wrong.worst else ''}"
    got, wanted = float(wrong.actual[wrong.worst]), float(wrong.expected[wrong.worst])
    return f"{place}: got {got!r}, expected {wanted!r}"


def write(out: Path, found: Replayed, number: int | None, staged: Submission) -> None:
    """Write the case, and print how to run its script.

    Raises:
        UsageError: no value of the check is wrong.
    """
    chosen = found.chosen(number)
    if chosen is None:
        raise UsageError(
            f"--out: nothing was written: {found.reported.id} ({found.reported.kind}, "
            f"{found.again.outcome}) has no case with a wrong value"
        )
    replay_files.write(out, chosen[1], found.question.module, staged, found.reported.id)
    _print(f"python {out / replay_files.SCRIPT}    # runs the student's code unprotected")


def _print(text: str) -> None:
    click.echo(terminal.clean(text))
