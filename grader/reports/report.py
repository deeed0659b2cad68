"""``report.json``: everything an appeal needs, and the Gradescope view of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np

from grader import __version__, scoring
from grader.errors import Cause
from grader.intake.submission import Submission
from grader.job import Settings
from grader.model import CheckResult, Rubric, points_sum
from grader.readers.texts import clean, printable
from grader.reports import figures

SCHEMA_VERSION = 1
MAX_NOTE = 1000  # characters of a note
WITHHELD = "This check's details are hidden."
MAX_OUTPUT = 100_000  # characters of one text; Gradescope silently cuts off the rest
CUT = "\n[the rest is left out]"


def build(
    rubric: Rubric,
    submission: Submission,
    settings: Settings,
    isolation: Sequence[str],
    results: dict[str, CheckResult],
) -> dict[str, Any]:
    """Return the report of one submission: all checks that have a result, in the rubric's order."""
    questions = []
    for question in rubric.questions:
        done = [results[check.id] for check in question.checks if check.id in results]
        if done:
            questions.append(
                {
                    "id": question.id,
                    "title": question.title,
                    "score": scoring.total(done),
                    "max_score": points_sum(result.spec for result in done),
                    "checks": [_check(result) for result in done],
                }
            )
    everything = list(results.values())
    status = scoring.status_of(everything)
    return {
        "schema_version": SCHEMA_VERSION,
        "assignment": rubric.assignment,
        "title": rubric.title,
        "status": status,
        # No grade if the grader failed: a partial sum would look like one.
        "score": None if status == "broken" else scoring.total(everything),
        "max_score": points_sum(result.spec for result in everything),
        "submission": {
            "id": submission.id,
            "sha256": submission.sha256,
            "files": list(submission.files),
            "notes": list(submission.notes),
            **({"student": submission.student.plain()} if submission.student else {}),
        },
        "isolation": list(isolation),
        "tier": settings.tier,
        "graded_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "grader_version": __version__,
        "questions": questions,
    }


def with_unreached(
    rubric: Rubric, made: dict[str, Any], wanted: Collection[str], message: str
) -> dict[str, Any]:
    """Return a report in which each wanted check without a result is ``pending``.

    Args:
        rubric: the rubric.
        made: the report so far.
        wanted: ids of the checks that should be in it.
        message: why those that are missing were not run.
    """
    there = {check["id"]: check for question in made["questions"] for check in question["checks"]}
    questions: list[dict[str, Any]] = []
    for question in rubric.questions:
        specs = [check for check in question.checks if check.id in wanted or check.id in there]
        checks = [
            there.get(spec.id) or _check(CheckResult(spec, "pending", 0.0, message=message))
            for spec in specs
        ]
        if checks:
            points = scoring.points_total(check["points"] for check in checks)
            questions.append(
                {
                    "id": question.id,
                    "title": question.title,
                    "score": points,
                    "max_score": points_sum(specs),
                    "checks": checks,
                }
            )
    outcomes = {check["outcome"] for question in questions for check in question["checks"]}
    status = scoring.status_from(outcomes)
    score = scoring.points_total(question["score"] for question in questions)
    return {
        **made,
        "status": status,
        "score": None if status == "broken" else score,
        "max_score": round(sum(question["max_score"] for question in questions), 6),
        "questions": questions,
    }


def broken(rubric: Rubric, identifier: str, settings: Settings, message: str) -> dict[str, Any]:
    """Return the report of a submission that could not be graded because the grader failed."""
    return {
        "schema_version": SCHEMA_VERSION,
        "assignment": rubric.assignment,
        "title": rubric.title,
        "status": "broken",
        "score": None,
        "max_score": rubric.max_score,
        "submission": {"id": identifier, "sha256": None, "files": [], "notes": [message]},
        "isolation": [],
        "tier": settings.tier,
        "graded_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "grader_version": __version__,
        "questions": [],
    }


def _check(result: CheckResult) -> dict[str, Any]:
    spec = result.spec
    return {
        "id": spec.id,
        "title": spec.title,
        "kind": spec.kind,
        "outcome": result.outcome,
        "reason": result.reason,
        "points": result.points,
        "max_points": spec.points,
        "extra_credit": spec.extra_credit,
        "visibility": spec.visibility,
        "message": result.message,
        "cause": _cause(result.cause),
        "hint": result.hint,
        "notes": list(result.notes),
        "seed": result.seed,
        "duration_s": result.duration_s,
        "parts": [
            {
                "name": part.name,
                "points": round(spec.points * part.share * part.earned, 4),
                "max_points": round(spec.points * part.share, 4),
                "reason": part.reason,
                "message": part.message,
                "cause": _cause(part.cause),
            }
            for part in result.parts
        ],
        "measurements": _plain(result.measurements),
        "figures": figures.described(result),
        "output": result.output,
    }


def _cause(cause: Cause | None) -> dict[str, str] | None:
    return None if cause is None else {"id": cause.id, "text": cause.text}


def _plain(value: Any) -> Any:
    """Return measurements as strict JSON values; what is not finite becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def notes_of(made: dict[str, Any]) -> dict[str, list[str]]:
    """Return each note of a report once, with the checks it belongs to: most concern a module."""
    notes: dict[str, list[str]] = {}
    for question in made["questions"]:
        for check in question["checks"]:
            for note in check["notes"]:
                notes.setdefault(note, []).append(check["id"])
    return notes


def zero_to_look_at(made: dict[str, Any]) -> str | None:
    """Return why a submission has zero points, if the files may be the reason and not the work.

    A damaged archive, a ``.rar``, or a notebook next to the unchanged template looks like any other
    zero in a list of scores, so a person should look at it before it is released.
    """
    checks = [check for question in made["questions"] for check in question["checks"]]
    if made["score"] != 0 or not checks:
        return None
    reasons = {check["reason"] for check in checks}
    if reasons == {"missing"}:
        return str(checks[0]["message"])
    if reasons <= {"missing", "not_implemented"} and made["submission"]["notes"]:
        return "; ".join(made["submission"]["notes"])
    return None


def gradescope(report: dict[str, Any]) -> dict[str, Any]:
    """Return Gradescope's ``results.json`` for a report: what the student may see.

    Hidden checks show their hint only: a message could carry hidden inputs. A check that is
    pending has no score yet. A withheld grade has neither a score nor tests, since Gradescope would
    add up theirs. Source: the format described in the Gradescope autograder documentation, "Output
    Format".
    """
    result: dict[str, Any] = {
        "output": clipped(_summary(report)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"status": report["status"], "tier": report["tier"]},
    }
    if report["score"] is None:
        return result
    result["score"] = report["score"]
    result["tests"] = [
        _test(check, f"{question['id']}.{number}")
        for question in report["questions"]
        for number, check in enumerate(question["checks"], 1)
    ]
    return result


def _test(check: dict[str, Any], number: str) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": f"{check['id']} {check['title']}",
        "name_format": "text",
        "number": number,
        # Extra credit comes on top: the sum over all tests is what the assignment is worth.
        "max_score": 0 if check["extra_credit"] else check["max_points"],
        "output": clipped(clean(student_text(check))),
        "output_format": "text",
        "visibility": check["visibility"],
        "extra_data": {"outcome": check["outcome"]},
    }
    if check["visibility"] == "visible":
        test["extra_data"]["reason"] = check["reason"]
    if check["outcome"] != "pending":
        test["score"] = check["points"]
        test["status"] = "passed" if check["outcome"] == "passed" else "failed"
    return test


def clipped(text: str) -> str:
    """Return a text that Gradescope does not cut."""
    if len(text) <= MAX_OUTPUT:
        return text
    return f"{text[: MAX_OUTPUT - len(CUT)]}{CUT}"


def student_text(check: dict[str, Any]) -> str:
    """Return what a student may read about one check of a report."""
    if check["visibility"] != "visible":
        return check["hint"] or ("" if check["outcome"] == "passed" else WITHHELD)
    lines = [check["message"], *_decision(check)]
    lines += [f"Hint: {check['hint']}"] if check["hint"] else []
    lines += [f"Note: {note}" for note in check["notes"]]
    return "\n".join(line for line in lines if line)


def _decision(check: dict[str, Any]) -> list[str]:
    """Return the line that tells a student that a person decided, if one did."""
    marked = check.get("marked")
    if marked is None:
        return []
    machine = marked["machine"]
    if machine["outcome"] == "pending":
        return ["Marked by a person."]
    had = f"{machine['points']:g} of {check['max_points']:g} points"
    said = f": {machine['message']}" if machine["message"] else "."
    return [f"Marked by a person; the grader had given {had}{said}"]


def _summary(report: dict[str, Any]) -> str:
    if report["status"] == "broken":
        return "The grader failed; this submission has no grade yet. Your instructor can see why."
    checks = [check for question in report["questions"] for check in question["checks"]]
    shown = [check for check in checks if check["visibility"] == "visible"]
    if len(shown) == len(checks):
        text = f"{report['score']:g} of {report['max_score']:g} points"
    else:
        # The platform hides the total as well: it would reveal the points of hidden checks.
        points = scoring.points_total(check["points"] for check in shown)
        most = sum(check["max_points"] for check in shown if not check["extra_credit"])
        text = f"{points:g} of {most:g} points in the visible checks"
    if report["status"] == "pending":
        text += " so far; some parts have no points yet"
    notes = (printable(note, MAX_NOTE) for note in report["submission"]["notes"])
    return "\n".join([text, *notes])
