"""One check of a graded submission once more: the same inputs, isolated, with every value seen."""

from __future__ import annotations

from grader.assignment.reference import Assignment
from grader.checks.watched import Compared
from grader.intake.submission import Submission
from grader.job import Settings
from grader.model import CheckSpec, Question, Rubric
from grader.reports.report import CheckReport
from grader.run.grading import silenced
from grader.run.replayed_check import Replayed
from grader.run.session import Session
from grader.run.workers import ForkServers


def replayed(
    servers: ForkServers,
    rubric: Rubric,
    settings: Settings,
    submission: Submission,
    asked: tuple[Question, CheckSpec, CheckReport],
) -> Replayed:
    """Run a check again, as grading does, and keep what it compares.

    Args:
        servers: where workers come from; the submission is staged there.
        rubric: of the assignment.
        settings: those of the report.
        submission: the one that was graded.
        asked: the check's question, the check, and what the report says of it.

    Raises:
        IsolationError: this machine does not isolate as well as was asked for.
    """
    question, check, reported = asked
    compared: list[Compared] = []
    assignment = Assignment(rubric.reference)
    session = Session(rubric, assignment, submission, servers, settings, watch=compared.append)
    with silenced():
        result = session.run(question, check)
    return Replayed(question.of(check), result, compared, reported)
