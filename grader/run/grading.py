"""Grading one submission: stage it, run its checks, write its reports."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from grader.assignment.reference import Assignment
from grader.errors import GraderError, IsolationError
from grader.job import CheckDone, Job, Submitted
from grader.reports import building, figures, joining, stored
from grader.reports.files import UnwritableError, write_bytes, write_json
from grader.reports.report import Report
from grader.reports.written import write_reports
from grader.run import pytest_record, resuming
from grader.run.session import Session, our_failure
from grader.run.splitting import Graded
from grader.run.workers import ForkServers

KEEP_EVERY_S = 10.0  # what of a submission is done is written so often at most


def grade(
    job: Job,
    assignment: Assignment,
    fork_servers: ForkServers,
    submitted: Submitted,
    on_check: CheckDone | None = None,
) -> Report:
    """Grade a submission, write its reports below ``job.out``, and return its report.

    A fault of the grader gives a report of status ``broken``; so does a report that cannot be
    written.

    Raises:
        IsolationError: this machine does not isolate as well as was asked for.
    """
    made = graded(job, assignment, fork_servers, submitted, on_check)
    return kept(job, made, submitted)


def graded(
    job: Job,
    assignment: Assignment,
    fork_servers: ForkServers,
    submitted: Submitted,
    on_check: CheckDone | None = None,
) -> Graded:
    """Grade a submission, or a part of its checks, as ``grade`` does, and write no reports.

    Raises:
        IsolationError: this machine does not isolate as well as was asked for.
    """
    pictures: dict[str, bytes] = {}
    started: float | None = time.time()
    try:
        submission = fork_servers.stage(submitted.identifier, submitted.path, job.rubric)
        session = Session(
            *(job.rubric, assignment, submission, fork_servers, job.settings),
            steering=job.steered(submitted),
            on_check=on_check,
        )
        keeper = _Keeper(job, submitted, session)
        with silenced():
            for question, check in session.ordered(submitted.wanted):
                session.run(question, check)
                keeper.keep()
        made = keeper.report()
        if submitted.earlier is not None:
            pictures = stored.pictures(stored.Stored(keeper.folder, submitted.earlier))
        pictures |= figures.pictures(session.results)
    except IsolationError:
        raise
    except GraderError as error:
        started = None
        made = building.broken(job.rubric, submitted.identifier, job.settings.tier, str(error))
    except Exception as error:  # noqa: BLE001 - our own error must not end the whole run
        started = None
        message = our_failure(error)
        made = building.broken(job.rubric, submitted.identifier, job.settings.tier, message)
    finally:
        fork_servers.unstage()
    if submitted.contested:
        told = {"contested": submitted.contested}
        made = made.model_copy(update={"submission": made.submission.model_copy(update=told)})
    return Graded(made, pictures, started)


class _Keeper:
    """Makes the report of a submission, and keeps what is done of it now and then."""

    def __init__(self, job: Job, submitted: Submitted, session: Session) -> None:
        self._job, self._submitted, self._session = job, submitted, session
        self.folder = (job.out or Path()) / submitted.identifier
        self._kept_at = time.monotonic()

    def report(self) -> Report:
        """Return the report of all that is done, with what an earlier report has."""
        made = self._session.report()
        submitted = self._submitted
        if submitted.basis is not None:
            unreached = {name for name, one in self._session.results.items() if one.unreached}
            known = submitted.basis
            digests = {"basis": known.of(made.submission.files), "contents": known.contents}
            made = joining.with_basis(made, digests, self._job.bases, unreached)
        if submitted.earlier is not None:
            made = joining.joined(self._job.rubric, made, submitted.earlier)
        return made

    def keep(self) -> None:
        """Write what is done, so that a run that is killed has not trained in vain."""
        now = time.monotonic()
        if self._submitted.basis is None or now - self._kept_at < KEEP_EVERY_S:
            return
        with contextlib.suppress(GraderError):  # it goes on without
            pictures = figures.pictures(self._session.results)
            for name, data in pictures.items():
                write_bytes(self.folder / name, data)
            name = resuming.SO_FAR.format(self._submitted.part)
            write_json(self.folder / name, self.report().model_dump())
        self._kept_at = time.monotonic()


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Drop what the assignment's own code prints: it would get into the progress bar."""
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


def kept(job: Job, graded: Graded, submitted: Submitted) -> Report:
    """Write the reports of a submission below ``job.out``, if there is one; return its report.

    Where they cannot be written, that is the report of status ``broken`` that says why: a grade
    that is in no report is none, and the other submissions of a class have nothing to do with it.

    Args:
        job: the same for all submissions.
        graded: what was found, and the pictures to it.
        submitted: the submission. What an earlier report has stays where grading broke before it
            had anything.
    """
    made = graded.report
    if submitted.earlier is not None and not made.questions:
        made = joining.broken_beside(made, submitted.earlier)
    made = made.framed(submitted.frame)
    if job.out is None:
        return made
    identifier = made.id
    folder = job.out / identifier
    started = graded.started
    recorded = None if started is None else pytest_record.of(job.rubric, made, started)
    try:
        write_reports(folder, made, recorded, graded.pictures)
        for path in folder.glob(resuming.SO_FAR.format("*")):
            with contextlib.suppress(OSError):
                path.unlink()
    except Exception as error:  # noqa: BLE001 - this report cannot be made, others can
        message = _unwritten(folder, error)
        marked = made if any(check.marked is not None for check in made.checks()) else None
        made = building.broken(job.rubric, identifier, job.settings.tier, message)
        if marked is not None:
            made = joining.broken_beside(made, marked)
        made = made.framed(submitted.frame)
        with contextlib.suppress(GraderError):
            write_reports(folder, made)
    return made


def _unwritten(folder: Path, error: Exception) -> str:
    """Return the message for reports that cannot be written."""
    if not isinstance(error, UnwritableError):
        return str(error) if isinstance(error, GraderError) else our_failure(error)
    # Without the name of the file, the same fault of all submissions gives one message.
    message = f"its report cannot be written: {error.why}"
    if (folder / "report.json").is_file():
        message += "; the report that is there is an earlier run's"
    return message
