"""The client's side of grading on a dask cluster: it sends submissions and writes reports."""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import BrokenError, UsageError
from grader.frontends.cluster import packing, tasks
from grader.frontends.cluster.agent import REPORT_FILES
from grader.frontends.cluster.messages import PackedSubmission, ReturnedReport, Setup, TaskResult
from grader.job import Job, Submitted
from grader.reports import building, stored
from grader.reports.files import write_bytes
from grader.reports.report import Report
from grader.reports.shards import GradedWith
from grader.run import grading, resuming
from grader.run.batch import HEARTBEAT_S, Event, SubmissionDone
from grader.run.splitting import Graded

EXTRA = "pip install 'dl-grader[cluster]'"
CONNECT_S = 15.0
MOST_IN_TASK = 8  # so much is lost with a worker, and a fork server lives on anyway
TASKS_PER_THREAD = 4  # at the end of a class all threads should have something to do
TASK_BYTES = 8 * packing.MIB
AHEAD = 2  # tasks that a thread finds waiting when it is done with one
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Given:
    """What is to be graded: the job and the submissions, with the seconds for each.

    ``ground`` says what this machine would grade with.
    """

    job: Job
    ground: GradedWith
    budget_s: float
    submitted: Sequence[Submitted]


def distributed_or_refuse() -> Any:
    """Import dask's scheduler client.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise UsageError(f"--dask needs {error.name}, which is not installed: {EXTRA}") from None
    return distributed


def run(address: str, given: Given, tell: Tell) -> Generator[Event | None, None, None]:
    """Grade submissions on a dask cluster, write their reports, and yield what happens.

    The task of a worker that is lost runs again on another one. One that is lost with each of
    several workers is not tried again: its submissions become ``broken``.

    Args:
        address: of dask's scheduler, or the path of its file (``--scheduler-file``).
        given: what to grade.
        tell: is called with notes for the person who waits.

    Raises:
        UsageError: there is no scheduler at this address.
        BrokenError: a worker refuses to grade, or the scheduler is gone.
    """
    distributed = distributed_or_refuse()
    job, token = given.job, secrets.token_hex(8)
    rubric = str(job.rubric.path.resolve())
    setup = Setup(token, rubric, job.settings, given.budget_s, given.ground)
    with _quiet(), _connected(distributed, address) as client:
        yield from _Run(client, address, job, setup, tell).all(given.submitted)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what dask logs about lost workers and large tasks out of the progress bar."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Any]:
    place = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        _check(distributed, address)
        client = distributed.Client(**place, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        raise UsageError(
            f"--dask {address}: no scheduler answers there: {why}; start one with `dask scheduler`"
        ) from None
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=5)


def _check(distributed: Any, address: str) -> None:
    """Raise ``OSError`` or ``ValueError`` for what cannot be an address.

    A client that was given one would wait for half a minute when it is cleared away.
    """
    if address.endswith(".json"):
        if not Path(address).is_file():
            raise FileNotFoundError("no such file")
        return
    _scheme, place = distributed.comm.parse_address(address)
    _host, port = distributed.comm.parse_host_port(place, 0)
    if not port:
        raise ValueError("the port is missing, as in tcp://10.0.0.1:8786")


class _Run:
    def __init__(self, client: Any, address: str, job: Job, setup: Setup, tell: Tell) -> None:
        self._client, self._address = client, address
        self._job, self._setup, self._tell = job, setup, tell
        self._out = job.out or Path()
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._active: dict[str, tuple[Any, Sequence[PackedSubmission]]] = {}
        self._count = 0
        self._has_waited = False
        self._given: dict[str, Submitted] = {}

    def all(self, submitted: Sequence[Submitted]) -> Generator[Event | None, None, None]:
        waiting = deque(submitted)
        self._given = {one.identifier: one for one in submitted}
        try:
            while waiting or self._active:
                threads = self._threads()
                while waiting and len(self._active) < AHEAD * threads:
                    yield from self._send(waiting, threads)
                try:
                    future = self._done.get(timeout=HEARTBEAT_S)
                except queue.Empty:
                    if self._client.status != "running":
                        raise self._gone() from None
                    yield None
                    continue
                yield from self._collect(future)
        finally:
            futures = [future for future, _shard in self._active.values()]
            if futures and self._client.status == "running":
                with contextlib.suppress(Exception):
                    self._client.cancel(futures, force=True)

    def _gone(self) -> BrokenError:
        return BrokenError(
            f"the dask scheduler at {self._address} is gone; reports that were written are "
            "complete: run the same command again to go on"
        )

    def _threads(self) -> int:
        try:
            threads = sum(self._client.nthreads().values())
        except Exception:  # noqa: BLE001 - whatever dask raises where the connection is lost
            raise self._gone() from None
        if not threads and not self._has_waited:
            self._has_waited = True
            self._tell(f"note: {self._address} has no workers yet; waiting for them")
        return int(threads)

    def _send(self, waiting: deque[Submitted], threads: int) -> Generator[Event | None, None, None]:
        """Send the next task."""
        most = -(-len(waiting) // (TASKS_PER_THREAD * threads))
        shard: list[PackedSubmission] = []
        size = 0
        while waiting and len(shard) < min(MOST_IN_TASK, most) and size < TASK_BYTES:
            one = waiting.popleft()
            try:
                shard.append(packing.pack(one, self._out))
            except BrokenError as error:
                yield self._broken(one.identifier, str(error))
                continue
            size += packing.packed_bytes(shard[-1])
        if not shard:
            return
        self._count += 1
        key = f"grade-{self._setup.run}-{self._count}"
        future = self._client.submit(tasks.grade_task, self._setup, shard, key=key, pure=False)
        self._active[key] = future, shard
        future.add_done_callback(self._done.put)

    def _collect(self, future: Any) -> Generator[Event, None, None]:
        """Write the reports that a task returns."""
        _future, shard = self._active.pop(future.key)
        if future.status in ("cancelled", "lost"):
            raise self._gone()
        if future.status == "error":
            yield from self._lost(future.exception(), shard)
            return
        try:
            result: TaskResult = future.result()
        except Exception:  # noqa: BLE001 - whatever dask raises where the connection is lost
            raise self._gone() from None
        found = {graded.identifier: graded for graded in result.graded}
        for one in shard:
            if one.identifier in found:
                yield self._written(found[one.identifier])
            elif not result.refused:
                yield self._broken(one.identifier, "a dask worker sent no report of it")
        if result.refused:
            raise BrokenError(f"a dask worker refuses to grade: {result.refused}")

    def _lost(
        self, error: BaseException, shard: Sequence[PackedSubmission]
    ) -> Generator[Event, None, None]:
        if type(error).__name__ != "KilledWorker":
            why = str(error).partition("\n")[0]
            raise BrokenError(
                f"a dask worker cannot run the grader: {type(error).__name__}: {why}; install "
                f"the same version there: {EXTRA}"
            )
        for one in shard:
            named = "it" if len(shard) == 1 else f"it, or one of {len(shard) - 1} others beside it,"
            yield self._broken(
                one.identifier,
                f"dask gave up: each worker that graded {named} was lost, perhaps for lack of "
                "memory; grade it alone",
            )

    def _written(self, graded: ReturnedReport) -> SubmissionDone:
        """Write a report; a file of another name, or another submission's, is not written."""
        identifier = graded.identifier
        if not graded.files:
            return self._broken(identifier, graded.why)
        folder = self._out / identifier
        try:
            made = Report.read(graded.files[stored.REPORT])
            pictures = set(stored.picture_names(made))
            if made.id != identifier:
                return self._broken(identifier, "a dask worker sent another submission's report")
            for name, data in graded.files.items():
                if name in pictures and name not in REPORT_FILES:
                    write_bytes(folder / name, data)
            for name in REPORT_FILES:  # report.json, the authority, comes last
                if name in graded.files:
                    write_bytes(folder / name, graded.files[name])
        except (KeyError, ValueError) as error:
            return self._broken(identifier, f"a dask worker sent no report: {error}")
        except BrokenError as error:
            return self._broken(identifier, str(error))
        for path in folder.glob(resuming.SO_FAR.format("*")):
            with contextlib.suppress(OSError):
                path.unlink()
        return SubmissionDone(identifier, made)

    def _broken(self, identifier: str, why: str) -> SubmissionDone:
        made = building.broken(self._job.rubric, identifier, self._job.settings.tier, why)
        kept = grading.kept(self._job, Graded(made), self._given[identifier])
        return SubmissionDone(identifier, kept)
