"""What a person should see of a report first: each note and cause once, zeros that look odd."""

from __future__ import annotations

from collections.abc import Iterable

from grader.reports.report import CheckReport, Report


def notes_of(checks: Iterable[CheckReport]) -> dict[str, list[str]]:
    """Return each note once, with the checks it belongs to: most concern a module."""
    notes: dict[str, list[str]] = {}
    for check in checks:
        for note in check.notes:
            notes.setdefault(note, []).append(check.id)
    return notes


def alike(checks: Iterable[CheckReport]) -> dict[str, str]:
    """Return, for checks that failed with the words of an earlier one, the id of that one.

    One mistake, such as a file that cannot be imported, can cost a dozen checks: it is explained
    once.
    """
    first: dict[tuple[str, str], str] = {}
    found = {}
    for check in checks:
        if check.outcome in ("passed", "pending", "broken") or not check.message:
            continue
        key = (check.visibility, check.message)
        if key in first:
            found[check.id] = first[key]
        else:
            first[key] = check.id
    return found


def zero_to_look_at(made: Report) -> str | None:
    """Return why a hand-in has no point at all, if the files may be the reason and not the work.

    A damaged archive, a ``.rar``, or a notebook next to the unchanged template looks like any other
    zero in a list of scores, so a person should look at it before it is released.
    """
    checks = list(made.checks())
    if made.score != 0 or not checks:
        return None
    reasons = {check.reason for check in checks}
    if reasons == {"missing"}:
        return checks[0].message
    if reasons <= {"missing", "not_implemented"} and made.submission.notes:
        return "; ".join(made.submission.notes)
    return None
