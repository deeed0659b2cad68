"""What a person sees in the terminal. Text from submissions is never markup or escapes here."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.readers.texts import clean as clean  # noqa: PLC0414 - for all who print
from grader.readers.texts import plain, printable
from grader.reports.report import CheckReport, Report
from grader.reports.summaries import alike, notes_of

STYLES = {
    "passed": "green",
    "partial": "yellow",
    "failed": "red",
    "blocked": "magenta",
    "pending": "cyan",
    "broken": "bold white on red",
    "complete": "green",
}
PIPED_WIDTH = 110  # without a terminal there is no width to ask for
MAX_LISTED = 200
MAX_PRINTED = 12  # different lines that student code printed
MAX_PRINTED_LINE = 200  # characters
MAX_NOTE = 1000  # characters of a note


class _Console(Console):
    """Fails where output ends early, as it does where it is full; the caller says so."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise the ``BrokenPipeError`` that is being handled."""
        raise  # noqa: PLE0704 - rich calls this in its handler


def console(*, stderr: bool = False) -> Console:
    """Return a console that writes colors to terminals only."""
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        # Student code may put any character into a message, and not every terminal has it.
        stream.reconfigure(errors="replace")
    width = None if stream.isatty() else PIPED_WIDTH
    return _Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def printed(output: str) -> list[str]:
    """Return what student code printed, each line once and the last ones only, for its author."""
    lines = [*dict.fromkeys(line.rstrip() for line in clean(output).splitlines() if line.strip())]
    if not lines:
        return []
    more = len(lines) - MAX_PRINTED
    head = f"your code printed (the last {MAX_PRINTED} of {len(lines)} lines):"
    return [
        head if more > 0 else "your code printed:",
        *(f"  {printable(line, MAX_PRINTED_LINE)}" for line in lines[-MAX_PRINTED:]),
    ]


def report(made: Report, *, visible_only: bool = False) -> Group:
    """Return the table of one submission's checks, with the message of each that lost points."""
    parts: list[Any] = []
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("title")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for question in made.questions:
        score = f"{plain(question.score)} / {plain(question.max_score)}"
        table.add_row(Text(question.id, "bold"), Text(question.title, "bold"), score, "")
        for check in question.checks:
            told = check.reason and not _hidden(check, visible_only=visible_only)
            reason = f" ({check.reason})" if told else ""
            table.add_row(
                check.id,
                Text(clean(check.title)),
                f"{plain(check.points)} / {plain(check.max_points)}",
                Text(f"{check.outcome}{reason}", STYLES[check.outcome]),
            )
    parts.append(table)
    checks = list(made.checks())
    earlier = alike(checks)
    for check in checks:
        if check.id not in earlier:
            also = [id_ for id_, first in earlier.items() if first == check.id]
            parts += _details(check, also, visible_only=visible_only)
    shown = [check for check in checks if not _hidden(check, visible_only=visible_only)]
    notes = [f"note ({', '.join(ids)}): {note}" for note, ids in notes_of(shown).items()]
    notes += [f"note: {note}" for note in made.submission.notes]
    parts += [Text(printable(note, MAX_NOTE), "dim") for note in notes]
    return Group(*parts, Text(), _total(made))


def _hidden(check: CheckReport, *, visible_only: bool) -> bool:
    """Say whether only the hint of a check may be shown."""
    return visible_only and check.visibility != "visible"


def _details(check: CheckReport, also: Sequence[str], *, visible_only: bool) -> list[Any]:
    message = "" if _hidden(check, visible_only=visible_only) else check.message
    if check.outcome in ("passed", "broken") or not (message or check.hint):
        return []
    title = Text(f"\n{check.id} {clean(check.title)}", STYLES[check.outcome])
    lines = [Text(clean(line)) for line in message.splitlines()]
    if also:
        lines.append(Text(f"the same in {', '.join(also)}"))
    elif check.hint:
        lines.append(Text(f"hint: {clean(check.hint)}", "italic"))
    if visible_only and not also and check.visibility == "visible":
        lines += [Text(line, "dim") for line in printed(check.output)]
    return [title, *(Padding(line, (0, 0, 0, 2)) for line in lines)]


def _total(made: Report) -> Text:
    if made.score is None:
        return Text("broken: the grader failed, so there is no grade", STYLES["broken"])
    text = f"{plain(made.score)} of {plain(made.max_score)} points"
    if made.status == "pending":
        text += " so far; a person must still mark some checks"
    if made.late is not None:
        text += f"\n{made.late.text()} Without that: {plain(made.late.score_before or 0)} points."
    return Text(text, "bold")
