"""The report of a submission of which some checks were run now, and others before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from grader import scoring
from grader.model import Question, Rubric, points_sum
from grader.reports.report import CheckReport, QuestionReport, Report


def with_basis(
    made: Report, submission: Mapping[str, str], checks: Mapping[str, str], but: Collection[str]
) -> Report:
    """Return a report that says what its grades depend on.

    Args:
        made: the report.
        submission: the digests of what was handed in: its ``basis`` and ``contents``.
        checks: the digests of everything else, by the check's id.
        but: ids of the checks that another run may judge differently.
    """
    questions = tuple(
        question.model_copy(
            update={
                "checks": tuple(
                    check
                    if check.id in but
                    else check.model_copy(update={"basis": checks.get(check.id)})
                    for check in question.checks
                )
            }
        )
        for question in made.questions
    )
    about = made.submission.model_copy(update=submission)
    return made.model_copy(update={"questions": questions, "submission": about})


def joined(rubric: Rubric, made: Report, earlier: Report) -> Report:
    """Return a new report with those checks of an earlier one that it lacks, in the rubric's order.

    Args:
        rubric: what both were graded by, as far as these checks are concerned.
        made: the new report; what it says of the submission stays.
        earlier: the report of the same submission with the other checks.
    """
    checks = earlier.by_id() | made.by_id()
    questions = [
        _question(question, [checks[c.id] for c in question.checks if c.id in checks])
        for question in rubric.questions
    ]
    found = [question for question in questions if question is not None]
    most = round(sum(question.max_score for question in found), 6)
    isolation = _weaker(made.isolation, earlier.isolation)
    return made.with_questions(found, most).model_copy(update={"isolation": isolation})


def broken_beside(made: Report, earlier: Report) -> Report:
    """Return a report of status ``broken`` that still has what is known.

    Args:
        made: says what broke, and has no checks.
        earlier: the checks that were judged before, and perhaps marked by a person.
    """
    notes = (*earlier.submission.notes, *made.submission.notes)
    about = earlier.submission.model_copy(update={"notes": tuple(dict.fromkeys(notes))})
    changes = {"submission": about, "graded_at": made.graded_at, "status": "broken", "score": None}
    return earlier.model_copy(update=changes).framed(made.frame)


def _question(question: Question, checks: list[CheckReport]) -> QuestionReport | None:
    ids = {check.id for check in checks}
    if not checks:
        return None
    return QuestionReport(
        id=question.id,
        title=question.title,
        score=scoring.points_total(check.points for check in checks),
        max_score=points_sum(check for check in question.checks if check.id in ids),
        checks=tuple(checks),
    )


def _weaker(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Return what isolated less, of a run's level and layers; empty if no worker was needed."""
    if one and other:
        return tuple(one if len(one) <= len(other) else other)
    return tuple(one or other)


def is_framed(rubric: Rubric, made: Report) -> bool:
    """Say whether a report has the rubric's titles: a change of these needs no check to be run."""
    titles = {question.id: question.title for question in rubric.questions}
    order = [check.id for question in rubric.questions for check in question.checks]
    there = made.by_id()
    return (
        made.title == rubric.title
        and all(question.title == titles.get(question.id) for question in made.questions)
        and [*there] == [name for name in order if name in there]
    )
