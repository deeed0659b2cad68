"""``grader mark --compare``: two people's marks for the same answers, and what they must settle."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich import box
from rich.table import Table
from rich.text import Text

from grader.deliver.marking import agreement, anonymous, apply, marks
from grader.deliver.marking.agreement import CheckAgreement, ComparedMarks, MarkPair
from grader.errors import UsageError
from grader.frontends.commands.exit_status import EXIT_FAILURES, EXIT_USAGE
from grader.readers.texts import clipped, counted, plain
from grader.reports import terminal
from grader.reports.files import write_text
from grader.reports.stored import Stored

MAX_COMMENT_SHOWN = 40  # characters in the table; the files have the full text


def compare_files(
    files: tuple[Path, Path], reports: Path, found: dict[str, Stored], settle: Path | None
) -> None:
    """Print how far two files of marks agree; leave with status 1 if something is to be settled.

    Raises:
        UsageError: a file cannot be read, or ``settle`` is there already.
    """
    if settle is not None and settle.exists():
        raise UsageError(f"--settle {settle}: already exists; name another file or delete it")
    readings = [marks.read([file]) for file in files]
    problems = readings[0].problems
    problems.extend(readings[1].problems)
    for reading in readings:
        problems.extend(apply.plan(found, reading.marks, override=True).problems)
    if problems:
        for problem in problems:
            click.echo(terminal.clean(str(problem)), err=True)
        click.echo(f"{counted(len(problems), 'problem')}; nothing was compared", err=True)
        sys.exit(EXIT_USAGE)
    first, second = (anonymous.resolved(reading.marks, found) for reading in readings)
    compared = agreement.compare(first, second)
    if settle is not None:
        write_text(settle, agreement.settled(compared, found))
    _tell(compared, files, found)
    if settle is not None:
        left = counted(len(compared.to_settle), "row")
        text = f"{settle}: {left} without points; settle them, then run:"
        click.echo(terminal.clean(f"{text}\n  grader mark {reports} --marks {settle}"))
    if compared.to_settle:
        sys.exit(EXIT_FAILURES)


def _tell(compared: ComparedMarks, files: tuple[Path, Path], found: dict[str, Stored]) -> None:
    screen = terminal.console()
    if compared.pairs:
        screen.print(_agreement(compared.checks))
    if compared.to_settle:
        screen.print()
        screen.print(_differences(compared.to_settle, files, found))
    same = sum(pair.agrees for pair in compared.pairs)
    alone = [
        f"only in {file}: {len(only)}"
        for file, only in zip(files, (compared.only_first, compared.only_second), strict=True)
        if only
    ]
    parts = [
        f"{same} of {counted(len(compared.pairs), 'answer')} that both marked have the same points",
        f"{len(compared.to_settle)} to settle",
        *alone,
    ]
    click.echo(terminal.clean("; ".join(parts)))


def _agreement(checks: Sequence[CheckAgreement]) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("check", no_wrap=True)
    for name in ("both", "same points", "second - first", "largest", "weighted kappa"):
        shown.add_column(name, justify="right", no_wrap=True)
    for one in checks:
        kappa = "-" if one.kappa is None else f"{one.kappa:.2f}"
        mean = f"{one.mean_difference:+.2f}" if one.mean_difference else "0"
        shown.add_row(
            Text(terminal.clean(one.check)),
            str(one.both),
            str(one.same),
            mean,
            plain(one.largest),
            kappa,
        )
    return shown


def _differences(
    pairs: Sequence[MarkPair], files: tuple[Path, Path], found: dict[str, Stored]
) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("submission", overflow="fold")
    shown.add_column("check", no_wrap=True)
    for file in files:
        shown.add_column(Text(terminal.clean(file.name)), overflow="fold")
    for pair in pairs[: terminal.MAX_LISTED]:
        check = found[pair.first.submission].report.by_id()[pair.first.check]
        opinions = []
        for one in (pair.first, pair.second):
            comment = clipped(" ".join(one.comment.split()), MAX_COMMENT_SHOWN)
            points = f"{plain(one.points)} / {plain(check.max_points)}"
            opinions.append(Text(terminal.clean(f"{points} {comment}".strip())))
        name = Text(terminal.clean(pair.first.submission))
        shown.add_row(name, Text(terminal.clean(pair.first.check)), *opinions)
    if len(pairs) > terminal.MAX_LISTED:
        shown.add_row(f"and {len(pairs) - terminal.MAX_LISTED} more", "", "", "")
    return shown
