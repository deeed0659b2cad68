"""What runs in a dask worker: a task hands submissions to a grading process, which is kept.

Nothing here raises: dask would write the arguments of a failed task to its log.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from grader.errors import BrokenError, Closing
from grader.frontends.cluster.messages import (
    PackedSubmission,
    Ready,
    Refused,
    ReturnedReport,
    Setup,
    TaskResult,
)

MODULE = "grader.frontends.cluster.agent"
IDLE_S = 60.0  # a grading process without work lives so long: torch takes memory
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class RefusedError(BrokenError):
    """The grading process refuses to grade for this client."""


class AgentDiedError(BrokenError):
    """The grading process died."""


class AgentProcess(Closing):
    """A grading process and the connection to it.

    Raises:
        RefusedError: it does not hold what the client holds.
        AgentDiedError: it does not start.
    """

    def __init__(self, setup: Setup) -> None:
        self.run = setup.run
        self.idle_since = 0.0
        mine, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the worker's terminal is the worker's
                env={**dict.fromkeys(ONE_THREAD, "1"), **os.environ},
            )
        self._connection = Connection(mine.detach())
        try:
            self._begin(setup)
        except BaseException:
            self.close()
            raise

    def _begin(self, setup: Setup) -> None:
        reply = self._exchange(setup)
        if not isinstance(reply, Ready):
            raise RefusedError(reply.why if isinstance(reply, Refused) else "no answer")

    def _exchange(self, message: Setup | PackedSubmission) -> object:
        try:
            self._connection.send(message)
            return self._connection.recv()
        except (EOFError, OSError):
            status = self._process.wait()
            raise AgentDiedError(f"the grading process died (exit status {status})") from None

    def grade(self, one: PackedSubmission) -> ReturnedReport:
        """Return the report of a submission.

        Raises:
            RefusedError: this machine does not isolate as well as was asked for.
            AgentDiedError: the process died.
        """
        reply = self._exchange(one)
        if isinstance(reply, ReturnedReport):
            return reply
        raise RefusedError(reply.why if isinstance(reply, Refused) else "no answer")

    def close(self) -> None:
        """End the process, which ends everything it started."""
        self._connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
            return
        self._process.kill()
        self._process.wait()


class _Kept:
    """The grading processes of a worker that have nothing to do."""

    def __init__(self) -> None:
        self._idle: list[AgentProcess] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def take(self, setup: Setup) -> AgentProcess:
        """Return an idle process of this run, or a new one; those of other runs end."""
        with self._lock:
            found = next((one for one in self._idle if one.run == setup.run), None)
            others = [one for one in self._idle if one.run != setup.run]
            self._idle = [one for one in self._idle if one is not found and one not in others]
        for one in others:
            one.close()
        return found or AgentProcess(setup)

    def give_back(self, agent: AgentProcess) -> None:
        """Keep a process for the next task, for a while."""
        agent.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(agent)
            self._watch()

    def _watch(self) -> None:
        """Look again when the next process may have been idle for long enough; needs the lock."""
        if self._timer is None and self._idle:
            self._timer = threading.Timer(IDLE_S + 1, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        with self._lock:
            self._timer = None
        self.end_idle()
        with self._lock:
            self._watch()

    def end_idle(self, least_s: float | None = None) -> None:
        """End the processes that were idle for so long."""
        before = time.monotonic() - (IDLE_S if least_s is None else least_s)
        with self._lock:
            ended = [one for one in self._idle if one.idle_since <= before]
            self._idle = [one for one in self._idle if one not in ended]
        for one in ended:
            one.close()


_KEPT = _Kept()
atexit.register(_KEPT.end_idle, 0.0)


def grade_task(setup: Setup, submissions: Sequence[PackedSubmission]) -> TaskResult:
    """Grade a few submissions on this worker.

    A grading process that dies costs the submission that it was at; the others go on in a new one.
    """
    graded: list[ReturnedReport] = []
    agent: AgentProcess | None = None
    try:
        for one in submissions:
            try:
                agent = agent or _KEPT.take(setup)
                graded.append(agent.grade(one))
            except AgentDiedError as died:
                if agent is None:
                    return TaskResult(tuple(graded), str(died))
                graded.append(
                    ReturnedReport(one.identifier, {}, f"{died} while it graded this submission")
                )
                agent.close()
                agent = None
    except RefusedError as refused:
        return TaskResult(tuple(graded), str(refused))
    except Exception as error:  # noqa: BLE001 - see above
        return TaskResult(tuple(graded), f"the grader failed: {type(error).__name__}: {error}")
    finally:
        if agent is not None:
            _KEPT.give_back(agent)
    return TaskResult(tuple(graded))
