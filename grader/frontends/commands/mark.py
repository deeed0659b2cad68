"""``grader mark``: puts a person's marks into reports without running anything again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich import box
from rich.table import Table
from rich.text import Text

from grader.deliver.marking import apply, marks
from grader.deliver.marking.apply import Applied, Plan
from grader.errors import UsageError
from grader.frontends.commands.exit_status import EXIT_FAILURES, EXIT_USAGE, reports_errors
from grader.frontends.commands.mark_compare import compare_files
from grader.frontends.commands.mark_page import write_page
from grader.frontends.commands.out_folder import check_writable
from grader.readers.texts import counted, plain
from grader.reports import stored, terminal
from grader.reports.files import write_text
from grader.reports.stored import Stored

MAX_COMMENT_SHOWN = 60  # characters in the table; the report has the full text


@click.command("mark")
@click.argument("reports", type=click.Path(path_type=Path), metavar="REPORTS_DIR")
@click.option("--marks", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="A CSV or YAML file of marks and comments; may be repeated.")  # fmt: skip
@click.option("--template", type=click.Path(path_type=Path), metavar="FILE",
              help="Write a CSV to fill in, with one row per pending check.")  # fmt: skip
@click.option("--page", type=click.Path(path_type=Path), metavar="FILE",
              help="Write a page on which all pending checks can be marked.")  # fmt: skip
@click.option("--items", type=click.Path(path_type=Path), metavar="FILE",
              help="For --page: points and comments, chosen by a key, as YAML.")  # fmt: skip
@click.option("--anonymous", is_flag=True, help="For --page: leave the students' names out.")
@click.option("--order-seed", type=click.IntRange(0), metavar="N",
              help="For --page: the order of the answers is drawn by N.")  # fmt: skip
@click.option("--compare", nargs=2, type=click.Path(path_type=Path), metavar="FILE FILE",
              help="Say how far two people's marks agree.")  # fmt: skip
@click.option("--settle", type=click.Path(path_type=Path), metavar="FILE",
              help="For --compare: write what they agree on, and what not.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Write the marked reports to DIR; do not change REPORTS_DIR.")  # fmt: skip
@click.option("--override", is_flag=True,
              help="Allow marks for checks that the grader decided (an appeal).")  # fmt: skip
@click.option("--reapply", is_flag=True,
              help="After regrading: apply the marks that still fit, list the others.")  # fmt: skip
@reports_errors
def mark_command(
    reports: Path,
    files: Sequence[Path],
    template: Path | None,
    page: Path | None,
    items: Path | None,
    order_seed: int | None,
    compare: tuple[Path, Path] | None,
    settle: Path | None,
    out: Path | None,
    *,
    anonymous: bool,
    override: bool,
    reapply: bool,
) -> None:
    """Put a person's marks into the reports in REPORTS_DIR.

    If a single mark has a problem, nothing is written. Exit status: 0 all marks are in the reports,
    1 with --reapply some no longer fit, with --compare some differ, 2 there are problems.
    """
    if [bool(files), *map(bool, (template, page, compare))].count(True) != 1:
        raise UsageError(
            "use one of --marks FILE, --template FILE, --page FILE and --compare FILE FILE"
        )
    if page is None and (items is not None or order_seed is not None or anonymous):
        raise UsageError("--items, --anonymous and --order-seed need --page FILE")
    if compare is None and settle is not None:
        raise UsageError("--settle needs --compare FILE FILE")
    found = stored.load(reports)
    if template is not None:
        _write_template(template, reports, found)
    elif page is not None:
        write_page(page, reports, found, items, order_seed, anonymous=anonymous)
    elif compare is not None:
        compare_files(compare, reports, found, settle)
    else:
        _put(reports, found, files, out, override=override, reapply=reapply)


def _put(
    reports: Path,
    found: dict[str, Stored],
    files: Sequence[Path],
    out: Path | None,
    *,
    override: bool,
    reapply: bool,
) -> None:
    target = _target(reports, out)
    reading = marks.read(files)
    made = apply.plan(found, reading.marks, override=override)
    refused = reading.problems
    if not reapply:
        refused.extend(made.problems)
    if refused:
        for problem in refused:
            click.echo(terminal.clean(str(problem)), err=True)
        count = counted(len(refused), "problem")
        click.echo(f"{count}; no report was changed", err=True)
        sys.exit(EXIT_USAGE)
    check_writable(target)
    apply.write(made, found, reports, target)
    _tell(made, reading, target)
    for problem in made.problems:
        click.echo(terminal.clean(f"not applied: {problem}"), err=True)
    if made.problems:
        sys.exit(EXIT_FAILURES)


def _target(reports: Path, out: Path | None) -> Path:
    """Return the folder to write to: the reports' own if ``out`` is None or the same."""
    if out is None or out.resolve() == reports.resolve():
        return reports
    if out.resolve().is_relative_to(reports.resolve()):
        raise UsageError(f"--out {out}: this is inside {reports}; name a folder outside of it")
    return out


def _write_template(path: Path, reports: Path, found: dict[str, Stored]) -> None:
    if path.exists():
        raise UsageError(f"--template {path}: already exists; name another file or delete it")
    text, rows = marks.template(found.values())
    write_text(path, text)
    count = counted(rows, "pending check")
    text = f"{path}: {count}; fill in points and, if you like, comment and marker, then run:"
    click.echo(terminal.clean(f"{text}\n  grader mark {reports} --marks {path}"))


def _tell(made: Plan, reading: marks.MarksFile, target: Path) -> None:
    if made.applied:
        terminal.console().print(table(made.applied))
    waiting = {
        name: count
        for name, report in made.reports.items()
        if (count := sum(check.outcome == "pending" for check in report.checks()))
    }
    overrides = sum(applied.overrides for applied in made.applied)
    put = counted(len(made.applied), "mark")
    parts = [
        f"{put} put into {counted(len(made.changed), 'report')}",
        *([f"{overrides} of them instead of the grader's own"] if overrides else []),
        *([f"already there: {made.already}"] if made.already else []),
        *([f"rows not filled in: {reading.unfilled}"] if reading.unfilled else []),
        *([f"comments without points, kept for later: {reading.later}"] if reading.later else []),
    ]
    click.echo("; ".join(parts))
    if waiting:
        checks = counted(sum(waiting.values()), "check")
        where = counted(len(waiting), "report")
        click.echo(f"still to be marked by a person: {checks} in {where}")
    broken = [name for name, report in made.reports.items() if report.status == "broken"]
    if broken:
        click.echo(terminal.clean(f"broken, without a grade: {', '.join(broken)}"), err=True)
    click.echo(terminal.clean(f"reports: {target}/<submission>/report.json"))


def table(applied: Sequence[Applied]) -> Table:
    """Return one line per mark that changes a report."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("submission", overflow="fold")
    shown.add_column("check", no_wrap=True)
    shown.add_column("points", justify="right", no_wrap=True)
    shown.add_column("by", overflow="fold")
    shown.add_column("comment", overflow="fold")
    for one in applied[: terminal.MAX_LISTED]:
        points = f"{plain(one.mark.points)} / {plain(one.max_points)}"
        before = f" (was {plain(one.before)})" if one.overrides else ""
        comment = " ".join(one.mark.comment.split())
        short = comment[:MAX_COMMENT_SHOWN] + ("..." if len(comment) > MAX_COMMENT_SHOWN else "")
        shown.add_row(
            Text(terminal.clean(one.mark.submission)),
            Text(terminal.clean(one.mark.check)),
            points + before,
            Text(terminal.clean(one.mark.by or "-")),
            Text(terminal.clean(short)),
        )
    if len(applied) > terminal.MAX_LISTED:
        shown.add_row(f"and {len(applied) - terminal.MAX_LISTED} more", "", "", "", "")
    return shown
