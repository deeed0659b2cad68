"""``grader diff``: what a new run changed, student by student."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich import box
from rich.table import Table
from rich.text import Text

from grader.deliver.marking import changes
from grader.deliver.marking.changes import Change, CheckChange, CheckSide, Side, Summary
from grader.frontends.commands.exit_status import EXIT_FAILURES, reports_errors
from grader.readers import tables
from grader.readers.tables import cell
from grader.readers.texts import counted, plain
from grader.reports import stored, terminal
from grader.reports.files import write_json, write_text


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write the differences to FILE as JSON.")  # fmt: skip
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write them to FILE as CSV, a row per changed check.")  # fmt: skip
@click.option("--only-changed/--all", "only_changed", default=True, show_default=True,
              help="List only the submissions that changed, or all.")  # fmt: skip
@reports_errors
def diff_command(
    old: Path, new: Path, json_file: Path | None, csv_file: Path | None, *, only_changed: bool
) -> None:
    """Compare the reports in OLD and NEW, two --out folders of grader grade.

    Exit status: 0 all grades are the same, 1 some differ.
    """
    before, after = stored.load(old), stored.load(new)
    found = changes.compare(
        {name: one.report for name, one in before.items()},
        {name: one.report for name, one in after.items()},
    )
    figures = changes.summary(found)
    listed = [change for change in found if change.kind != "same" or not only_changed]
    # The files come first: what is printed may have nowhere to go.
    if json_file is not None:
        write_json(json_file, changes.as_json(listed, figures))
    if csv_file is not None:
        rows = changes.as_rows(listed)
        # Only names can be formulas; a change of points may well begin with a minus sign.
        safe = [[cell(row[0]), *row[1:-1], cell(row[-1])] for row in rows]
        write_text(csv_file, tables.as_csv(safe))
    if listed:
        terminal.console().print(table(listed))
    click.echo(said(figures, len(found)))
    if figures.marks_missing:
        click.echo(
            terminal.clean(
                f"{counted(figures.marks_missing, 'mark')} of OLD missing in {new}; to restore "
                f"them: grader mark {new} --marks FILE --reapply"
            ),
            err=True,
        )
    if figures.changed:
        sys.exit(EXIT_FAILURES)


def said(figures: Summary, total: int) -> str:
    """Return the summary in words."""
    if not figures.changed:
        return f"{total} submissions; all grades are the same"
    lost = f"{figures.lost} lost points"
    gained = f"{figures.gained} gained points"
    parts = [
        f"{figures.changed} of {total} submissions changed",
        lost + (f" (most: {_most(figures.largest_loss)})" if figures.lost else ""),
        gained + (f" (most: {_most(figures.largest_gain)})" if figures.gained else ""),
        *([f"mean change {_signed(figures.mean_change)}"] if figures.compared else []),
        *([f"{figures.new} only in NEW"] if figures.new else []),
        *([f"{figures.removed} only in OLD"] if figures.removed else []),
    ]
    return "; ".join(parts)


def table(listed: Sequence[Change]) -> Table:
    """Return one line per submission, with what changed in it."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("submission", overflow="fold")
    shown.add_column("before", justify="right", no_wrap=True)
    shown.add_column("after", justify="right", no_wrap=True)
    shown.add_column("change", justify="right", no_wrap=True)
    shown.add_column("what changed", overflow="fold")
    for change in listed[: terminal.MAX_LISTED]:
        delta = "-" if change.delta is None else _signed(change.delta)
        style = "red" if (change.delta or 0) < 0 else "green" if change.delta else ""
        lines = [*change.notes, *(_line(check) for check in change.checks)]
        shown.add_row(
            Text(terminal.clean(change.submission)),
            _score(change.before),
            _score(change.after),
            Text(delta, style),
            Text(terminal.clean("\n".join(lines) or "nothing")),
        )
    if len(listed) > terminal.MAX_LISTED:
        more = len(listed) - terminal.MAX_LISTED
        shown.add_row(f"and {more} more: see --csv or --json", "", "", "", "")
    return shown


def _score(grade: Side | None) -> str:
    return "-" if grade is None or grade.score is None else plain(grade.score)


def _signed(value: float) -> str:
    sign = "+" if value > 0 else "-" if value < 0 else ""
    shown = plain(abs(value))
    return f"{sign}<0.01" if sign and shown == "0" else f"{sign}{shown}"


def _most(value: float) -> str:
    return _signed(value).removeprefix("+")


def _line(change: CheckChange) -> str:
    """Return one check's change: ``q3.1 passed 2 / 2 -> failed (mismatch) 0 / 2``."""
    if change.before is None or change.after is None:
        side = change.after or change.before
        return f"{change.check} {change.kind}: {_side(side)}" if side is not None else ""
    return f"{change.check} {_side(change.before)} -> {_side(change.after)}"


def _side(side: CheckSide) -> str:
    reason = f" ({side.reason})" if side.reason else ""
    person = "" if side.marked_by is None else f", marked by {side.marked_by or 'a person'}"
    extra = ", extra credit" if side.extra_credit else ""
    points = f"{plain(side.points)} / {plain(side.max_points)}"
    return f"{side.outcome}{reason} {points}{extra}{person}"
