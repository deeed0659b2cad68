"""What a notebook shows of checks: a table, or the lines of the terminal where there is none.

All text of a student's program is escaped. The page of the notebook may be light or dark, so the
colors are those of words on a ground of their own, and the words say the same.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from rich.console import Console

from grader.frontends.student import screen
from grader.model import CheckResult
from grader.readers.texts import clean, plain
from grader.reports.terminal import PIPED_WIDTH

# White on these has a contrast of at least 4.5 to 1, as WCAG 2.2 asks for.
GROUNDS = {
    "passed": "#1a7f37",
    "partial": "#8a5a00",
    "failed": "#c0282d",
    "blocked": "#8250df",
    "pending": "#0b6a8f",
    "broken": "#57606a",
}
CELL = "text-align:left;vertical-align:top;padding:.25em .75em .25em 0"
BADGE = "color:#fff;border-radius:.25em;padding:.1em .5em;white-space:nowrap"
TEXT = "margin:0 0 .5em;white-space:pre-wrap;text-align:left"


@dataclass(frozen=True, repr=False)
class Checked:
    """Results of checks, in the order in which they were run, and notes about the files."""

    results: tuple[CheckResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all checks passed, or wait for a person."""
        return {result.outcome for result in self.results} <= {"passed", "pending"}

    def __repr__(self) -> str:
        """Return what ``grader check`` prints."""
        stream = io.StringIO()
        # Left to itself, rich shows a page of its own in a notebook.
        console = Console(
            file=stream, width=PIPED_WIDTH, color_system=None, force_jupyter=False,
            highlight=False, markup=False, emoji=False,
        )  # fmt: skip
        for number, result in enumerate(self.results):
            console.print(*screen.lines(result, self.results[:number]), sep="\n")
        notes = screen.notes(self.results, self.notes)
        console.print(*notes, screen.total(self.results), sep="\n")
        return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())

    def _repr_html_(self) -> str:
        """Return the same as a table, for notebooks."""
        rows = [_row(one, self.results[:number]) for number, one in enumerate(self.results)]
        notes = [text.plain for text in screen.notes(self.results, self.notes)]
        head = "".join(
            f'<th scope="col" style="{CELL}">{name}</th>'
            for name in ("check", "outcome", "points", "what to look at")
        )
        total = escape(screen.total(self.results).plain)
        return (
            f'<table><caption style="text-align:left;font-weight:bold">{total}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
            + "".join(f'<p style="{TEXT}">{escape(note)}</p>' for note in notes)
        )


def _row(result: CheckResult, earlier: Sequence[CheckResult]) -> str:
    spec = result.spec
    reason = f" ({escape(result.reason)})" if result.reason else ""
    badge = f'<span style="{BADGE};background:{GROUNDS[result.outcome]}">{result.outcome}</span>'
    title = f"<b>{escape(spec.id)}</b> {escape(clean(spec.title))}"
    return (
        f'<tr><th scope="row" style="{CELL};font-weight:normal">{title}</th>'
        f'<td style="{CELL}">{badge}{reason}</td>'
        f'<td style="{CELL}">{plain(result.points)} / {plain(spec.points)}</td>'
        f'<td style="{CELL}">{_why(result, earlier)}</td></tr>'
    )


def _why(result: CheckResult, earlier: Sequence[CheckResult]) -> str:
    """Return what is wrong, in paragraphs."""
    if result.outcome == "passed":
        return ""
    if same := screen.same_as(result, earlier):
        return f"the same as in {escape(same)}"
    told = [f'<p style="{TEXT}">{escape(clean(result.message))}</p>'] if result.message else []
    if result.hint:
        told.append(f'<p style="{TEXT}"><i>hint: {escape(clean(result.hint))}</i></p>')
    if lines := screen.printed_of(result):
        head, *rest = lines
        text = escape("\n".join(line.removeprefix("  ") for line in rest))
        told.append(f'<div style="{TEXT}">{escape(head)}</div><pre style="{TEXT}">{text}</pre>')
    return "".join(told)
