"""``grader export --push canvas``: shows what would change, asks, sends, and says what failed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from grader.deliver.exports import formats
from grader.deliver.exports.formats import Grade
from grader.deliver.exports.roster import Matching, Roster
from grader.deliver.pushing import changes
from grader.deliver.pushing.canvas import Address, CanvasCourse, canvasapi_or_refuse
from grader.deliver.pushing.changes import GradeChange, PushPlan, SentBeside
from grader.errors import UsageError
from grader.readers.texts import counted, plain
from grader.reports import terminal

TOKEN, URL = "CANVAS_TOKEN", "CANVAS_URL"
MAX_SHOWN = 50  # characters of a comment in the list of changes
MAX_WITHOUT = 10  # students without a report that are named


@dataclass(frozen=True)
class Pushing:
    """The options of a push."""

    url: str | None
    course: str | None
    comments: bool
    pages: bool
    yes: bool

    @property
    def given(self) -> str:
        """The first option that is given; an address may come from the environment."""
        options = {"--course": self.course, "--comments": self.comments,
                   "--feedback": self.pages, "--yes": self.yes}  # fmt: skip
        return next((option for option, value in options.items() if value), "")


def push_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options, which the command gets together as ``pushing``."""

    @wraps(command)
    def wrapped(
        *arguments: Any,
        url: str | None,
        course: str | None,
        comments: bool,
        feedback: bool,
        yes: bool,
        **options: Any,
    ) -> None:
        pushing = Pushing(url, course, comments, feedback, yes)
        command(*arguments, pushing=pushing, **options)

    added = (
        click.option("--url", envvar=URL, metavar="URL",
                     help="With --push: Canvas's address (default: CANVAS_URL)."),
        click.option("--course", metavar="NUMBER",
                     help="With --push: the number in the course's address."),
        click.option("--comments", is_flag=True,
                     help="With --push: add the reasons as a comment."),
        click.option("--feedback", is_flag=True,
                     help="With --push: attach the student's page."),
        click.option("--yes", is_flag=True, help="With --push: send without asking."),
    )  # fmt: skip
    made: Callable[..., None] = wrapped
    for option in reversed(added):
        made = option(made)
    return made


def to_canvas(
    pushing: Pushing,
    grades: Mapping[str, Grade],
    contested: Collection[str],
    assignment: str | None,
    title: str,
) -> bool:
    """Show what would change on Canvas and, if it is confirmed, change it.

    Returns:
        Whether every grade is on Canvas, or would be.

    Raises:
        UsageError: something is missing, or Canvas gives no answer.
    """
    canvasapi_or_refuse()
    token = os.environ.get(TOKEN, "").strip()
    missing = {"--url URL": pushing.url, "--course NUMBER": pushing.course, TOKEN: token}
    for what, value in missing.items():
        if not value:
            where = "in the environment: a token of yours, from Account > Settings on Canvas"
            raise UsageError(f"--push canvas needs {what}" + (f" {where}" if what == TOKEN else ""))
    address = Address(pushing.url or "", pushing.course or "", assignment or title)
    course = CanvasCourse(address, token)
    roster = course.roster()
    matching = formats.matching(roster, grades, contested)
    owners = _owners(roster, matching, grades, contested)
    extras = SentBeside(pushing.comments, pushing.pages)
    plan = changes.plan(owners, course.standings(), title, extras)
    left_out = [f"{grade.submission}: no grade is sent: {grade.why}" for grade in grades.values()
                if grade.score is None and grade.submission not in contested]  # fmt: skip
    _show(address, course, plan, [*matching.problems, *left_out])
    _notes(course, plan, matching, grades)
    complete = not (matching.problems or left_out or plan.left_out or contested)
    if not plan.changes or not _confirmed(pushing, plan):
        return complete
    return _sent(course, plan) and complete


def _owners(
    roster: Roster, matching: Matching, grades: Mapping[str, Grade], contested: Collection[str]
) -> dict[str, tuple[str, Grade]]:
    """Return the name and the grade of each student with a report, by Canvas's number."""
    found = {roster.students[row]: name for row, name in matching.rows.items()}
    return {
        student.platform_id: (student.shown, grades[name])
        for student, name in sorted(found.items(), key=lambda item: item[0].shown)
        if name not in contested
    }


def _show(address: Address, course: CanvasCourse, plan: PushPlan, problems: Sequence[str]) -> None:
    for line in [*problems, *plan.left_out]:
        click.echo(terminal.clean(f"not sent: {line}"), err=True)
    if plan.changes:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        table.add_column("student")
        table.add_column("old", justify="right", no_wrap=True)
        table.add_column("new", justify="right", no_wrap=True)
        table.add_column("comment", no_wrap=True)
        table.add_column("file", no_wrap=True)
        for change in plan.changes:
            table.add_row(*(Text(terminal.clean(text)) for text in _cells(change)))
        terminal.console().print(table)
    count = counted(len(plan.changes), "change")
    same = f", {counted(plan.same, 'student')} as in the reports already" if plan.same else ""
    place = f"{course.title} in course {address.course} on {address.url}"
    click.echo(terminal.clean(f"{count}{same}: {place}"))


def _cells(change: GradeChange) -> list[str]:
    first, _, rest = change.comment.partition("\n")
    more = f" [+{counted(len(rest.splitlines()), 'line')}]" if rest else ""
    comment = f"{first[:MAX_SHOWN]}{more}"
    old = "-" if change.old is None else plain(change.old)
    page = "" if change.page is None else change.page.name
    return [change.student, old, plain(change.new), comment, page]


def _notes(
    course: CanvasCourse, plan: PushPlan, matching: Matching, grades: Mapping[str, Grade]
) -> None:
    most = {grade.max_score for grade in grades.values() if grade.score is not None}
    if plan.changes and course.max_points is not None and most != {course.max_points}:
        told = " and ".join(plain(one) for one in sorted(most))
        text = f"Canvas has {plain(course.max_points)} points possible, the reports {told}"
        click.echo(f"note: {text}; points are sent unchanged", err=True)
    if matching.without:
        named = ", ".join(matching.without[:MAX_WITHOUT])
        more = len(matching.without) - MAX_WITHOUT
        rest = f" and {more} more" if more > 0 else ""
        count = counted(len(matching.without), "student")
        click.echo(terminal.clean(f"note: {count} without a report: {named}{rest}"), err=True)


def _confirmed(pushing: Pushing, plan: PushPlan) -> bool:
    """Ask at a terminal; without one, only --yes confirms."""
    if pushing.yes:
        return True
    if _at_terminal():
        count = counted(len(plan.changes), "change")
        typed = click.prompt(f"type yes to send {count}", default="no", show_default=False)
        if typed.strip().casefold() == "yes":
            return True
    click.echo("nothing was sent; --yes sends these changes")
    return False


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _sent(course: CanvasCourse, plan: PushPlan) -> bool:
    """Send all changes; say which failed, and return whether none did."""
    failed = 0
    for outcome in changes.send(plan.changes, course.send):
        who = f"{outcome.change.student} ({outcome.change.submission})"
        if outcome.error:
            failed += 1
            click.echo(terminal.clean(f"failed: {who}: {outcome.error}"), err=True)
        elif outcome.note:
            click.echo(terminal.clean(f"note: {who}: {outcome.note}"), err=True)
    done = len(plan.changes) - failed
    click.echo(f"{done} of {counted(len(plan.changes), 'change')} sent")
    if failed:
        click.echo("run the same command again: it sends only what Canvas does not have", err=True)
    return not failed
