"""``results.json`` for a report: what Gradescope shows, and what a student may read of it.

Source: the format described in the Gradescope autograder documentation, "Output Format".
"""

from __future__ import annotations

from typing import Any

from grader import scoring
from grader.readers.texts import clean, hundredths, plain, printable
from grader.reports.report import CheckReport, Report
from grader.reports.summaries import alike

MAX_NOTE = 1000  # characters of a note
WITHHELD = "This check's details are hidden."
MAX_OUTPUT = 100_000  # characters of one text; Gradescope silently cuts off the rest
CUT = "\n[the rest is left out]"


def gradescope(made: Report) -> dict[str, Any]:
    """Return Gradescope's ``results.json`` for a report: what the student may see.

    Hidden checks show their hint only: a message could carry hidden inputs. A check that is
    pending has no score yet. A withheld grade has neither a score nor tests, since Gradescope would
    add up theirs.
    """
    result: dict[str, Any] = {
        "output": within_limit(_summary(made)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"status": made.status, "tier": made.tier},
    }
    if made.score is None:
        return result
    result["score"] = hundredths(made.score)
    if made.late is not None and made.late.score_before is not None:
        before = hundredths(made.late.score_before)
        result["extra_data"] |= {"days_late": made.late.days, "score_before_deduction": before}
    earlier = alike(made.checks())
    result["tests"] = [_test(check, earlier.get(check.id)) for check in made.checks()]
    return result


def _test(check: CheckReport, as_in: str | None) -> dict[str, Any]:
    # Texts are never Markdown: a message may carry a student's words, which must do nothing.
    test: dict[str, Any] = {
        # The platform shows "number) name".
        "name": check.title,
        "name_format": "text",
        "number": check.id,
        # Extra credit comes on top: the sum over all tests is what the assignment is worth.
        "max_score": 0 if check.extra_credit else hundredths(check.max_points),
        "output": within_limit(clean(student_text(check, as_in))),
        "output_format": "text",
        "visibility": check.visibility,
        "extra_data": {"outcome": check.outcome},
    }
    if check.visibility == "visible":
        test["extra_data"]["reason"] = check.reason
    if check.outcome != "pending":
        test["score"] = hundredths(check.points)
        test["status"] = "passed" if check.outcome == "passed" else "failed"
    return test


def within_limit(text: str) -> str:
    """Return a text that Gradescope does not cut."""
    if len(text) <= MAX_OUTPUT:
        return text
    return f"{text[: MAX_OUTPUT - len(CUT)]}{CUT}"


def student_text(check: CheckReport, as_in: str | None = None) -> str:
    """Return what a student may read about one check of a report.

    ``as_in`` is the id of an earlier check that failed with the same words.
    """
    if check.visibility != "visible":
        return check.hint or ("" if check.outcome == "passed" else WITHHELD)
    if as_in is not None and check.marked is None:
        return f"The same as in {as_in}."
    lines = [check.message, *_decision(check)]
    lines += [f"Hint: {check.hint}"] if check.hint else []
    lines += [f"Note: {note}" for note in check.notes]
    return "\n".join(line for line in lines if line)


def _decision(check: CheckReport) -> list[str]:
    """Return what tells a student that a person decided, if one did, and what the grader did."""
    if check.marked is None:
        return []
    machine = check.marked.machine
    if machine.outcome == "pending":
        lost = [p.message for p in check.parts if not p.undecided and p.points < p.max_points]
        some = any(part.undecided for part in check.parts)
        found = [f"Found by the grader: {said}" for said in dict.fromkeys(lost) if said and some]
        return ["Marked by a person.", *found]
    had = f"{plain(machine.points)} of {plain(check.max_points)} points"
    said = f": {machine.message}" if machine.message else "."
    return [f"Marked by a person; the grader had given {had}{said}"]


def _summary(made: Report) -> str:
    if made.score is None:
        return "The grader failed; this submission has no grade yet. Your instructor can see why."
    checks = list(made.checks())
    shown = [check for check in checks if check.visibility == "visible"]
    if len(shown) == len(checks):
        text = f"{plain(made.score)} of {plain(made.max_score)} points"
    else:
        # The platform hides the total as well: it would tell what the hidden checks gave.
        points = scoring.points_total(check.points for check in shown)
        most = sum(check.max_points for check in shown if not check.extra_credit)
        text = f"{plain(points)} of {plain(most)} points in the visible checks"
    if made.status == "pending":
        text += " so far; some parts have no points yet"
    notes = (printable(note, MAX_NOTE) for note in made.submission.notes)
    late = [made.late.text(told=len(shown) == len(checks))] if made.late is not None else []
    return "\n".join([*late, text, *notes])
