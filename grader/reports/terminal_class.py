"""What a terminal shows of a class: a line for each submission, then what several share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from grader.readers.texts import clean, plain, printable
from grader.reports.class_summary import NO_CAUSE, CheckSummary, ClassSummary, late_words
from grader.reports.report import CheckReport, Report
from grader.reports.summaries import zero_to_look_at
from grader.reports.terminal import MAX_LISTED, MAX_NOTE, STYLES

# A class of 40 should fit a screen: one line each, and few lines below. index.html has it all.
MAX_NAME = 40  # characters of a submission's id in the table of a class
MAX_ZEROS = 5  # different reasons
MAX_CAUSES = 3
MAX_CAUSE = 80  # characters
MAX_NAMED = 4  # submissions in one line
MIN_NAME = 24  # characters of an id that stay, where a line is too long
MAX_LOST = 54  # characters of what was lost beside such an id, with the days late at its end


def summary(reports: Sequence[Report]) -> Group:
    """Return one line per submission, then each zero to look at and each frequent cause once."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    # Long ids give way, never a status or a score.
    least = min(MIN_NAME, max((cell_len(clean(made.id)) for made in reports), default=0))
    table.add_column("submission", overflow="ellipsis", min_width=least, max_width=MAX_NAME)
    table.add_column("status", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("lost points", no_wrap=True)
    zeros: dict[str, list[str]] = {}
    for made in reports:
        why = zero_to_look_at(made)
        if why:
            zeros.setdefault(why, []).append(made.id)
        if len(table.rows) < MAX_LISTED:
            told = "a zero to look at" if why else lost(made)
            if late := late_words(made) if made.late is not None else "":
                told = "; ".join(filter(None, [printable(told, MAX_LOST - len(late)), late]))
            most = plain(made.max_score)
            score = "-" if made.score is None else f"{plain(made.score)} / {most}"
            status = Text(made.status, STYLES[made.status])
            table.add_row(Text(clean(made.id)), status, score, Text(told))
    if len(reports) > MAX_LISTED:
        table.add_row(f"and {len(reports) - MAX_LISTED} more, in gradebook.csv", "", "", "")
    return Group(table, *_zeros(zeros), *_frequent(reports))


def lost(made: Report) -> str:
    """Return how points were lost, each way once: "q1, q2, q6.4 missing; q5.9 pending".

    A question stands for its checks if all of them were lost in the same way.
    """
    ways: dict[str, list[str]] = {}
    every = [_way(check) for check in made.checks()]
    if len(every) > 1 and len({*every}) == 1 and every[0]:
        return f"all {every[0]}"
    for question in made.questions:
        found = [_way(check) for check in question.checks]
        if len(found) > 1 and len({*found}) == 1:
            ways.setdefault(found[0], []).append(question.id)
            continue
        for check, way in zip(question.checks, found, strict=True):
            ways.setdefault(way, []).append(check.id)
    return "; ".join(f"{', '.join(ids)} {way}" for way, ids in ways.items() if way)


def _way(check: CheckReport) -> str:
    return "" if check.outcome == "passed" else check.reason or check.outcome


def _zeros(found: Mapping[str, Sequence[str]]) -> list[Text]:
    """Return the reasons for zeros that the files may explain, each once, for a person."""
    told = [
        f"look at this zero: {printable(why, MAX_NOTE)} [{_named(ids)}]"
        for why, ids in [*found.items()][:MAX_ZEROS]
    ]
    more = len(found) - MAX_ZEROS
    told += [f"and {more} more zeros to look at, in index.html"] if more > 0 else []
    return [Text(line, "yellow") for line in told]


def _frequent(reports: Sequence[Report]) -> list[Text]:
    """Return the most frequent causes of lost points that several submissions share."""
    students: dict[str, set[str]] = {}
    checks: dict[str, list[CheckSummary]] = {}
    for check in ClassSummary(reports).checks:
        for cause in check.causes:
            students.setdefault(cause.text, set()).update(cause.submissions)
            checks.setdefault(cause.text, []).append(check)
    shared = [text for text in students if len(students[text]) > 1 and NO_CAUSE not in text]
    shared.sort(key=lambda text: -len(students[text]))
    return [
        Text(
            f"{len(students[text])} of {max(check.decided for check in checks[text])}: "
            f"{printable(text, MAX_CAUSE)} ({', '.join(check.id for check in checks[text])})",
            "dim",
        )
        for text in shared[:MAX_CAUSES]
    ]


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - MAX_NAMED} more" if len(ids) > MAX_NAMED else ""
    return f"{', '.join(map(clean, ids[:MAX_NAMED]))}{more}"
