"""Grading many submissions in a few processes, so that no accident costs more than one of them."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from grader.assignment.reference import Assignment
from grader.errors import BrokenError, Closing, GraderError, IsolationError
from grader.intake.staging import StagingFolder
from grader.job import Job, Submitted
from grader.model import CheckResult
from grader.reports import building, html
from grader.reports.report import Report
from grader.run import accelerator, grading
from grader.run.splitting import Graded, Parts, split
from grader.run.workers import ForkServers

PR_SET_PDEATHSIG = 1
INTERRUPT = frozenset([signal.SIGINT])
HEARTBEAT_S = (
    0.5  # how often a caller hears of a run in which nothing happens, to show that it lives
)


@dataclass(frozen=True)
class CheckDone:
    """A check of a submission has been judged."""

    identifier: str
    check: str
    outcome: str


@dataclass(frozen=True)
class SubmissionDone:
    """A submission has been graded and its reports, if any, are written."""

    identifier: str
    report: Report


@dataclass(frozen=True)
class PartDone:
    """A part of a submission's checks has been graded."""

    submitted: Submitted
    graded: Graded


Event = CheckDone | SubmissionDone


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    job: Job, submitted: Sequence[Submitted], at_a_time: int
) -> Generator[Event | None, None, None]:
    """Grade all submissions and yield what happens, as it happens; None while nothing does.

    A process that dies takes no grade with it: the submission it was at gets a report of status
    ``broken``, and the others go on in a new process.

    Raises:
        BrokenError: submissions can be staged nowhere.
        IsolationError: this machine does not isolate as well as was asked for.
    """
    parts = split(job.rubric, submitted, at_a_time) if job.may_split else list(submitted)
    with Pool(job, max(1, min(at_a_time, len(parts)))) as pool:
        yield from pool.run(submitted, parts)


class Pool(Closing):
    """Grading processes that live from one run to the next, with their fork servers.

    Raises:
        BrokenError: submissions can be staged nowhere.
    """

    def __init__(self, job: Job, size: int) -> None:
        self._job = job
        self._folder = StagingFolder()
        self._size = size
        if job.out is not None:
            html.prepare()
        self._processes = [self._process(number) for number in range(size)]

    def _process(self, number: int) -> _Process:
        return _Process(self._job, self._folder.path, number, self._size)

    def run(
        self, submitted: Sequence[Submitted], parts: Sequence[Submitted] | None = None
    ) -> Generator[Event | None, None, None]:
        """Grade submissions as ``run`` does. After an exception the pool cannot be used again.

        Args:
            submitted: the submissions.
            parts: the same, perhaps in parts; by default each as a whole.

        Raises:
            IsolationError: this machine does not isolate as well as was asked for.
        """
        waiting = deque(submitted if parts is None else parts)
        whole = Parts(self._job.rubric, self._job.out, submitted)
        processes = self._processes
        try:
            for process in processes:
                process.give(waiting)
            while any(process.at is not None for process in processes):
                for index, process in enumerate(processes):
                    if process.lost:
                        yield from _whole(self._job, whole, _lost(self._job, process))
                        process.end()
                        processes[index] = self._process(index)
                        processes[index].give(waiting)
                for event in _next_events(processes, waiting):
                    yield from _whole(self._job, whole, event)
        except BaseException:
            for process in processes:
                process.kill()
            raise

    def close(self) -> None:
        """End all processes and remove what they staged."""
        for process in self._processes:
            process.end()
        self._folder.close()


def _whole(job: Job, parts: Parts, event: Event | PartDone | None) -> Iterator[Event | None]:
    """Yield an event; for the last part of a submission, that the submission is done."""
    if not isinstance(event, PartDone):
        yield event
    elif (whole := parts.add(event.submitted, event.graded)) is not None:
        yield SubmissionDone(event.submitted.identifier, grading.kept(job, whole, event.submitted))


def _next_events(
    processes: list[_Process], waiting: deque[Submitted]
) -> Iterator[Event | PartDone | None]:
    """Wait for a while; yield what the processes send, and give idle ones the next submission."""
    busy = [process.connection for process in processes if process.at is not None]
    ready = wait(busy, HEARTBEAT_S)
    if not ready:
        yield None
    for process in [process for process in processes if process.connection in ready]:
        event = process.receive()
        if isinstance(event, SubmissionDone | PartDone):
            process.give(waiting)
        if event is not None:
            yield event


def _lost(job: Job, process: _Process) -> SubmissionDone | PartDone:
    at = process.at
    identifier = at.identifier if at is not None else ""
    code = process.exit_code
    message = f"the grading process died (exit status {code}) while it graded this submission"
    made = Graded(building.broken(job.rubric, identifier, job.settings.tier, message))
    if at is not None and at.parts > 1:
        return PartDone(at, made)
    if at is None:
        return SubmissionDone(identifier, made.report)
    return SubmissionDone(identifier, grading.kept(job, made, at))


class _Process:
    """A grading process and the connection to it. ``at`` is the submission it is working on."""

    def __init__(self, job: Job, staging: Path, number: int, count: int) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self.at: Submitted | None = None
        self.lost = False
        sys.stdout.flush()
        sys.stderr.flush()
        self._process: BaseProcess = context.Process(
            target=_serve, args=(job, staging, theirs, os.getpid(), (number, count)), daemon=True
        )
        # Until the process ignores Ctrl-C, it must not hear of it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPT)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    @property
    def exit_code(self) -> int | None:
        self._process.join(1)
        return self._process.exitcode

    def give(self, waiting: deque[Submitted]) -> None:
        """Hand over the next submission, if there is one."""
        self.at = waiting.popleft() if waiting else None
        if self.at is not None:
            try:
                self.connection.send(self.at)
            except OSError:
                self.lost = True

    def receive(self) -> Event | PartDone | None:
        """Return the next event; None if the process is gone."""
        try:
            event: Event | PartDone | GraderError = self.connection.recv()
        except (EOFError, OSError):
            self.lost = True
            return None
        if isinstance(event, GraderError):
            raise event
        return event

    def kill(self) -> None:
        """End the process at once; everything it started ends with it."""
        self._process.kill()

    def end(self) -> None:
        """Let the process end, which ends everything it started."""
        with contextlib.suppress(OSError):
            self.connection.send(None)
        self.connection.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(
    job: Job, staging: Path, connection: Connection, parent: int, number_of: tuple[int, int]
) -> None:
    """Grade what comes over the connection, until that is None (runs in the forked process)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPT)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return
    if job.settings.device == "cuda":
        accelerator.take(*number_of)
    gc.freeze()
    assignment = Assignment(job.rubric.reference)
    policy = job.settings.policy(job.rubric)
    try:
        with ForkServers(staging, policy, frugal=job.settings.frugal) as fork_servers:
            while True:
                submitted: Submitted | None = connection.recv()
                if submitted is None:
                    return
                tell = partial(_tell, connection, submitted.identifier)
                made = grading.graded(job, assignment, fork_servers, submitted, tell)
                if submitted.parts > 1:
                    connection.send(PartDone(submitted, made))
                else:
                    report = grading.kept(job, made, submitted)
                    connection.send(SubmissionDone(submitted.identifier, report))
    except (BrokenError, IsolationError) as error:
        connection.send(error)


def _tell(connection: Connection, identifier: str, result: CheckResult) -> None:
    connection.send(CheckDone(identifier, result.spec.id, result.outcome))
