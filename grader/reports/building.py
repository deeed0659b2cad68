"""Reports built from results: of a whole submission, of what is done so far, of what broke."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np
from pydantic import JsonValue, ValidationError

from grader import __version__, scoring
from grader.errors import BrokenError, Cause
from grader.intake.submission import Submission
from grader.model import CheckResult, Rubric, Tier, points_sum
from grader.reports import clipping, figures
from grader.reports.report import (
    CauseReport,
    CheckReport,
    PartReport,
    QuestionReport,
    Report,
    StudentReport,
    SubmissionReport,
    first_problem,
)


def of_results(
    rubric: Rubric,
    submission: Submission,
    tier: Tier,
    isolation: Sequence[str],
    results: Mapping[str, CheckResult],
    seed: str | None = None,
) -> Report:
    """Return the report of one submission: all checks that have a result, in the rubric's order.

    ``seed`` says what their data were drawn from, and holds no secret itself.
    """
    questions = []
    for question in rubric.questions:
        done = [results[check.id] for check in question.checks if check.id in results]
        if done:
            questions.append(
                QuestionReport(
                    id=question.id,
                    title=question.title,
                    score=scoring.total(done),
                    max_score=points_sum(result.spec for result in done),
                    checks=tuple(map(of_result, done)),
                )
            )
    everything = list(results.values())
    status = scoring.status_of(everything)
    return Report(
        assignment=rubric.assignment,
        title=rubric.title,
        status=status,
        # No grade if the grader failed: a partial sum would look like one.
        score=None if status == "broken" else scoring.total(everything),
        max_score=points_sum(result.spec for result in everything),
        submission=_submission(submission),
        isolation=tuple(isolation),
        tier=tier,
        seed=seed,
        graded_at=_now(),
        grader_version=__version__,
        questions=tuple(questions),
    )


def with_unreached(rubric: Rubric, made: Report, wanted: Collection[str], message: str) -> Report:
    """Return a report in which each wanted check without a result is ``pending``.

    Args:
        rubric: the rubric.
        made: the report so far.
        wanted: ids of the checks that should be in it.
        message: why those that are missing were not run.
    """
    there = made.by_id()
    questions: list[QuestionReport] = []
    for question in rubric.questions:
        specs = [check for check in question.checks if check.id in wanted or check.id in there]
        checks = tuple(
            there.get(spec.id) or of_result(CheckResult(spec, "pending", 0.0, message=message))
            for spec in specs
        )
        if checks:
            questions.append(
                QuestionReport(
                    id=question.id,
                    title=question.title,
                    score=scoring.points_total(check.points for check in checks),
                    max_score=points_sum(specs),
                    checks=checks,
                )
            )
    most = round(sum(question.max_score for question in questions), 6)
    return made.with_questions(questions, most)


def broken(rubric: Rubric, identifier: str, tier: Tier, message: str) -> Report:
    """Return the report of a submission that could not be graded because the grader failed."""
    return Report(
        assignment=rubric.assignment,
        title=rubric.title,
        status="broken",
        score=None,
        max_score=rubric.max_score,
        submission=SubmissionReport(
            id=identifier, sha256=None, files=(), notes=clipping.notes([message])
        ),
        isolation=(),
        tier=tier,
        graded_at=_now(),
        grader_version=__version__,
        questions=(),
    )


def of_result(result: CheckResult) -> CheckReport:
    """Return one check's result as it stands in a report.

    Raises:
        BrokenError: something in it has no place there, such as a measurement of an odd type.
    """
    try:
        return _check(result)
    except ValidationError as error:
        text = f"{result.spec.id}: its result has no place in a report: {first_problem(error)}"
        raise BrokenError(text) from None


def _check(result: CheckResult) -> CheckReport:
    spec = result.spec
    return CheckReport(
        id=spec.id,
        title=spec.title,
        kind=spec.kind,
        outcome=result.outcome,
        reason=result.reason,
        points=result.points,
        max_points=spec.points,
        extra_credit=spec.extra_credit,
        visibility=spec.visibility,
        message=result.message,
        cause=_cause(result.cause),
        hint=result.hint,
        notes=tuple(result.notes),
        seed=result.seed,
        duration_s=result.duration_s,
        parts=tuple(
            PartReport(
                name=part.name,
                points=round(spec.points * part.share * part.earned, scoring.POINT_DIGITS),
                max_points=round(spec.points * part.share, scoring.POINT_DIGITS),
                reason=part.reason,
                message=part.message,
                cause=_cause(part.cause),
                undecided=part.undecided,
            )
            for part in result.parts
        ),
        measurements={str(key): _plain(value) for key, value in result.measurements.items()},
        figures=tuple(figures.described(result)),
        output=result.output,
    )


def _submission(submission: Submission) -> SubmissionReport:
    student = submission.student
    known = StudentReport(
        name=student.name or None,
        id=student.id or None,
        email=student.email or None,
        late=student.late,
    ) if student else None  # fmt: skip
    return SubmissionReport(
        id=submission.id,
        sha256=submission.sha256,
        files=tuple(submission.files),
        notes=clipping.notes(submission.notes),
        student=known,
    )


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _cause(cause: Cause | None) -> CauseReport | None:
    return None if cause is None else CauseReport(id=cause.id, text=cause.text)


def _plain(value: Any) -> JsonValue:
    """Return measurements as strict JSON values; what is not finite becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    plain: JsonValue = value
    return plain
