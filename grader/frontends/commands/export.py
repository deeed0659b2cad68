"""``grader export``: grades in the format that a platform imports."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from grader.deliver.exports import formats, roster
from grader.deliver.exports.known import FORMATS
from grader.errors import UsageError
from grader.frontends.commands.exit_status import EXIT_FAILURES, EXIT_USAGE, reports_errors
from grader.frontends.commands.push import Pushing, push_options, to_canvas
from grader.readers import tables
from grader.readers.texts import counted, plain
from grader.reports import stored, terminal
from grader.reports.files import write_bytes

MAX_WITHOUT = 10  # students without a submission that are named


@click.command("export")
@click.argument("reports", type=click.Path(path_type=Path), metavar="REPORTS_DIR")
@click.option("--format", "name", type=click.Choice(list(FORMATS)),
              help="Write a file for this platform.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE",
              help="The file to upload.")  # fmt: skip
@click.option("--push", type=click.Choice(["canvas"]),
              help="Send the grades to this platform: first shows what would change.")  # fmt: skip
@click.option("--roster", "roster_file", type=click.Path(path_type=Path), metavar="FILE",
              help="The CSV file of students that you downloaded.")  # fmt: skip
@click.option("--assignment", metavar="NAME", help="The assignment's name on the platform.")
@click.option("--allow-pending", is_flag=True,
              help="Also export grades with checks that a person must mark.")  # fmt: skip
@push_options
@reports_errors
def export_command(
    reports: Path,
    name: str | None,
    out: Path | None,
    push: str | None,
    roster_file: Path | None,
    assignment: str | None,
    *,
    allow_pending: bool,
    pushing: Pushing,
) -> None:
    """Write the grades in REPORTS_DIR to a file that the platform imports, or send them to it.

    Pending and broken grades are left out, never exported as zero. Exit status: 0 all grades are in
    the file or on the platform, 1 some are not, 2 nothing was written.
    """
    _fit(name, out, push, roster_file, pushing)
    found = stored.load(reports)
    titles = {(one.report.assignment, one.report.title) for one in found.values()}
    if len(titles) > 1:
        several = ", ".join(sorted(identifier for identifier, _title in titles))
        raise UsageError(f"{reports}: the reports belong to several assignments ({several})")
    ((_identifier, title),) = titles
    doubts = {name: one.report.submission.contested for name, one in found.items()}
    contested = {name: why for name, why in doubts.items() if why}
    grades = formats.grades(found, allow_pending=allow_pending)
    if name is None or out is None:
        _tell_contested(reports, found, contested)
        if not to_canvas(pushing, grades, contested, assignment, title):
            sys.exit(EXIT_FAILURES)
        return
    form = FORMATS[name]
    listed = None if roster_file is None else form.roster(_sound(tables.read(roster_file)))
    if roster_file is not None and out.resolve() == roster_file.resolve():
        raise UsageError(f"--out {out}: this is the roster; name another file")
    _tell_contested(reports, found, contested)
    matching = roster.Matching()
    if listed is not None:
        _sound(listed.table)
        matching = formats.matching(listed, grades, contested)
    grades = {name: grade for name, grade in grades.items() if name not in contested}
    order = formats.Order(grades, listed, matching.rows, assignment, title, out)
    if listed is not None and not matching.rows:
        for problem in matching.problems:
            click.echo(terminal.clean(problem), err=True)
        raise UsageError(f"{roster_file}: no submission belongs to any of its students")
    made = form.export(order)
    if listed is not None:
        _sound(listed.table)
    write_bytes(out, made.data)
    _tell(order, made, matching, len(contested))
    if made.left_out or matching.problems or contested:
        sys.exit(EXIT_FAILURES)


def _fit(
    name: str | None, out: Path | None, push: str | None, roster: Path | None, pushing: Pushing
) -> None:
    """Refuse options that do not belong together."""
    if (name is None) == (push is None):
        raise UsageError("give either --format NAME, to write a file, or --push canvas")
    if push is None and out is None:
        raise UsageError(f"--format {name} needs --out FILE")
    if push is None and (given := pushing.given):
        raise UsageError(f"{given} belongs to --push canvas")
    if push is not None and (out is not None or roster is not None):
        option = "--out" if out is not None else "--roster"
        raise UsageError(
            f"{option} belongs to --format; --push canvas asks Canvas for its students"
        )


def _tell_contested(
    reports: Path, found: Mapping[str, stored.Stored], contested: Mapping[str, str]
) -> None:
    for claimed, why in contested.items():
        click.echo(terminal.clean(f"not exported: {claimed}: {why}"), err=True)
    if found.keys() == contested.keys():
        raise UsageError(f"{reports}: nobody knows yet whose these reports are")


def _sound(table: tables.Sheet) -> tables.Sheet:
    """Return the roster's table, or print its problems and exit."""
    if table.problems:
        for problem in table.problems:
            click.echo(terminal.clean(str(problem)), err=True)
        sys.exit(EXIT_USAGE)
    return table


def _tell(
    order: formats.Order, made: formats.Export, matching: roster.Matching, contested: int
) -> None:
    for line in [*matching.problems, *made.left_out]:
        click.echo(terminal.clean(f"not exported: {line}"), err=True)
    for note in made.notes:
        click.echo(terminal.clean(f"note: {note}"), err=True)
    if len(order.max_scores) > 1:
        most = " and ".join(map(plain, order.max_scores))
        text = f"note: the reports are out of {most} points: did you run the same checks for all?"
        click.echo(text, err=True)
    if matching.without:
        named = ", ".join(matching.without[:MAX_WITHOUT])
        more = len(matching.without) - MAX_WITHOUT
        rest = f" and {more} more" if more > 0 else ""
        count = counted(len(matching.without), "student")
        text = f"note: {count} without a report: {named}{rest}"
        click.echo(terminal.clean(text), err=True)
    pending = [grade for grade in order.grades.values() if grade.report.status == "pending"]
    if pending and any(grade.score is not None for grade in pending):
        count = counted(len(pending), "grade")
        click.echo(f"note: {count} not final, with pending checks (--allow-pending)", err=True)
    total = len(order.grades)
    matched = total if order.roster is None else len(set(order.rows.values()))
    done = max(0, matched - len(made.left_out))
    click.echo(terminal.clean(f"{order.out}: {done} of {total + contested} grades"))
