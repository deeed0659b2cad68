"""What a student sees of ``grader check``: a line for each check as it is done, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rich.padding import Padding
from rich.text import Text

from grader.model import CheckResult
from grader.readers.texts import plain, printable
from grader.reports.terminal import MAX_NOTE, STYLES, clean, printed

INDENT = (0, 0, 0, 4)


def lines(result: CheckResult, earlier: Iterable[CheckResult] = ()) -> list[Text | Padding]:
    """Return a check's outcome, and what is wrong if something is.

    What an ``earlier`` check has said is not said again.
    """
    spec, reason = result.spec, f" ({result.reason})" if result.reason else ""
    head = Text.assemble(
        (f"{result.outcome}{reason}", STYLES[result.outcome]),
        f"  {spec.id} {clean(spec.title)}  {plain(result.points)} / {plain(spec.points)}",
    )
    shown: list[Text | Padding] = [head]
    if as_in := same_as(result, earlier):
        shown.append(Padding(Text(f"the same as in {as_in}"), INDENT, expand=False))
    elif result.outcome != "passed":
        told = [Text(clean(line)) for line in result.message.splitlines()]
        if result.hint:
            told.append(Text(f"hint: {clean(result.hint)}", "italic"))
        told += [Text(line, "dim") for line in printed_of(result)]
        shown += [Padding(line, INDENT, expand=False) for line in told]
    return shown


def printed_of(result: CheckResult) -> list[str]:
    """Return what the student's code printed in a check that is not right."""
    return printed(result.output) if result.outcome in ("failed", "partial") else []


def same_as(result: CheckResult, earlier: Iterable[CheckResult]) -> str | None:
    """Return the first check that failed with the same words."""
    if result.outcome in ("passed", "pending", "broken") or not result.message:
        return None
    return next((other.spec.id for other in earlier if other.message == result.message), None)


def notes(results: Sequence[CheckResult], others: Sequence[str]) -> list[Text]:
    """Return each note once, with the checks it belongs to; ``others`` concern the folder."""
    ids: dict[str, list[str]] = {}
    for result in results:
        for note in result.notes:
            ids.setdefault(note, []).append(result.spec.id)
    told = [f"note ({', '.join(checks)}): {note}" for note, checks in ids.items()]
    told += [f"note: {note}" for note in others]
    return [Text(printable(note, MAX_NOTE), "dim") for note in told]


def total(results: Collection[CheckResult]) -> Text:
    """Return how many checks are passed, and how many wait for a person."""
    passed = sum(result.outcome == "passed" for result in results)
    pending = sum(result.outcome == "pending" for result in results)
    text = f"{passed} of {len(results)} checks passed"
    if pending:
        text += f"; a person must mark {pending}"
    return Text(text, "bold")
