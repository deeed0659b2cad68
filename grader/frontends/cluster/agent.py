"""The process that grades for a dask worker: ``python -m grader.frontends.cluster.agent FD``.

It gets its orders from the worker over a socket and ends when that is closed, as it is when the
worker dies. The secret seed arrives there, too: it is in no argument, variable, file or log.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import BrokenError, Closing, GraderError, UsageError
from grader.frontends.cluster import packing
from grader.frontends.cluster.messages import (
    PackedSubmission,
    Ready,
    Refused,
    ReturnedReport,
    Setup,
)
from grader.frontends.time_limit import WithinBudget
from grader.intake.staging import StagingFolder
from grader.job import Job, Settings
from grader.reports import stored
from grader.reports.report import Report
from grader.reports.written import BESIDE
from grader.run.basis import basis_of
from grader.run.batch import Pool, SubmissionDone
from grader.run.graded_with import graded_with

RUBRIC = "GRADER_RUBRIC"  # where a worker has the rubric, if not where the client has it
DATA = "GRADER_DATA"
MAX_FILES_BYTES = 64 * 2**20  # of one report with its pictures
REPORT_FILES = (*BESIDE, stored.REPORT)


class _Lost(Exception):  # noqa: N818 - not an error: there is nobody left to grade for
    """The worker is gone."""


class Agent(Closing):
    """Grades what comes over a connection, one submission after the other.

    Raises:
        GraderError: the rubric, the reference or this program is not what the client has.
    """

    def __init__(self, setup: Setup, connection: Connection) -> None:
        self._connection = connection
        self._job = _job(setup)
        self._folder = StagingFolder()
        self._own = self._folder.path / "own"
        self._own.mkdir(mode=0o700)  # no student's process looks into it
        self._out = self._own / "out"
        self._job = replace(self._job, out=self._out)
        self._pool = Pool(self._job, 1)
        self._count = 0

    def close(self) -> None:
        """End the grading process and remove all files."""
        self._pool.close()
        self._folder.close()

    def grade(self, packed: PackedSubmission) -> None:
        """Grade a submission and send the files of its report.

        Raises:
            IsolationError: this machine does not isolate as well as was asked for.
        """
        self._count += 1
        into = self._own / f"s{self._count}"
        try:
            one = packing.unpack(packed, into, self._out)
            for event in self._pool.run([one]):
                if isinstance(event, SubmissionDone):
                    self._connection.send(self._graded(event))
                elif self._connection.poll():  # there is nothing to read but the end
                    raise _Lost
        except OSError as error:
            why = f"a dask worker cannot copy {packed.identifier}: {error.strerror}"
            self._connection.send(ReturnedReport(packed.identifier, {}, why))
        finally:
            shutil.rmtree(into, ignore_errors=True)
            shutil.rmtree(self._out / packed.identifier, ignore_errors=True)

    def _graded(self, event: SubmissionDone) -> ReturnedReport:
        identifier, made = event.identifier, event.report
        folder = self._out / identifier
        try:
            files = _files(folder, made)
        except OSError as error:
            return ReturnedReport(
                identifier, {}, f"its report cannot be read again: {error.strerror}"
            )
        if stored.REPORT not in files:
            return ReturnedReport(identifier, {}, "; ".join(made.submission.notes))
        size = sum(map(len, files.values()))
        if size > MAX_FILES_BYTES:
            most = f"{MAX_FILES_BYTES // packing.MIB} MiB"
            return ReturnedReport(
                identifier, {}, f"its report has {size} bytes; at most {most} are sent"
            )
        return ReturnedReport(identifier, files)


def _files(folder: Path, made: Report) -> Mapping[str, bytes]:
    names = [name for name in REPORT_FILES if (folder / name).is_file()]
    pictures = stored.pictures(stored.Stored(folder, made))
    return {**pictures, **{name: (folder / name).read_bytes() for name in names}}


def _job(setup: Setup) -> Job:
    """Return the job of a run, with the rubric of this machine.

    Raises:
        GraderError: it is not the client's.
    """
    path = Path(os.environ.get(RUBRIC) or setup.rubric)
    if not path.is_file():
        raise UsageError(
            f"{path}: no such file; copy the assignment to the same path, or name its rubric in "
            f"{RUBRIC} where the worker is started"
        )
    settings = _settings(setup.settings)
    rubric = load_rubric(path, KINDS)
    bases = basis_of(rubric, settings)
    difference = setup.ground.difference(graded_with(rubric, settings, bases))
    if difference is not None:
        raise UsageError(f"this machine and the worker have {difference}")
    steering_of = partial(WithinBudget, rubric, total_s=setup.budget_s)
    return Job(rubric, settings, None, steering_of=steering_of, bases=bases.checks)


def _settings(settings: Settings) -> Settings:
    hidden = tuple(path for path in settings.hidden if path.exists())
    data = settings.data
    if data is not None:
        data = Path(os.environ.get(DATA) or data).resolve()
        if not data.is_dir():
            raise UsageError(f"{data}: no such folder; name the homework's data in {DATA}")
    return replace(settings, hidden=hidden, data=data)


def serve(connection: Connection) -> None:
    """Grade until the connection ends."""
    try:
        setup: Setup = connection.recv()
        with Agent(setup, connection) as agent:
            connection.send(Ready())
            while True:
                agent.grade(connection.recv())
    except GraderError as error:
        connection.send(Refused(str(error)))
    except (EOFError, ConnectionError, _Lost):
        return


def main() -> None:
    """Serve the worker at the other end of the socket that the command line names."""
    try:
        serve(Connection(int(sys.argv[1])))
    except BrokenError as error:
        sys.exit(f"broken: {error}")


if __name__ == "__main__":
    main()
