"""Plain workers: fresh processes that isolate nothing, on any system.

They are for a student's own machine. They talk like forked workers, over the pipes that they were
started with, so that checks and messages are the same. Time and output are also limited.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

from grader.errors import Closing, WorkerLost

from .connection import CHUNK, IMPORT_SEED, KEPT_OUTPUT, WorkerConnection
from .left_out import LeftOut
from .limits import SIGSEGV, Ending, Limits
from .server import ENVIRONMENT

ENTRY = Path(__file__).resolve().parent.parent / "worker" / "plain.py"
START_TIMEOUT_S = 180.0  # importing torch for the first time on a laptop with a virus scanner
LIFE = 2.0  # times its limit, plus some seconds: a worker ends then even if the grader is gone
PIPE_BYTES = 64 * 1024  # that may have been printed but not read yet
DRAIN_S = 1.0  # for the last words of a process that has ended
CRASHES_ON_WINDOWS = frozenset([0xC0000005, 0xC00000FD])  # access violation, stack overflow
Preload = tuple[str, ...]


class _Process(Closing):
    """A process that loads libraries and then waits for its setup."""

    def __init__(self, preload: Preload) -> None:
        self.preload = preload
        environment = {**os.environ, "PYTHONUTF8": "1"}
        environment.update({k: v for k, v in ENVIRONMENT.items() if k.endswith("_THREADS")})
        # bufsize=0: no reader may hold back bytes that another one needs
        self._process = subprocess.Popen(
            [sys.executable, str(ENTRY), *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            bufsize=0,
            start_new_session=True,
        )
        self.output = bytearray()
        self.limit_bytes: int | None = None
        self.printed = 0
        self._drain = threading.Thread(target=self._read_output, daemon=True)
        self._drain.start()

    @property
    def printed_too_much(self) -> bool:
        return self.limit_bytes is not None and self.printed > self.limit_bytes

    def _read_output(self) -> None:
        stream = self._process.stderr
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            while stream is not None and (data := stream.read(64 * 1024)):
                self.printed += len(data)
                self.output += data[: max(0, KEPT_OUTPUT - len(self.output))]
                if self.printed_too_much:
                    self.kill()

    def kill(self) -> None:
        """End the process and, where there are groups of processes, what it started."""
        with contextlib.suppress(OSError):
            self._process.kill()
        end_group: Callable[[int, int], None] | None = getattr(os, "killpg", None)
        if end_group is not None:
            with contextlib.suppress(OSError):
                end_group(self._process.pid, 9)

    def write(self, data: memoryview) -> None:
        """Write all of ``data``; raises ``OSError`` if the process is gone."""
        stream = self._process.stdin
        while data and stream is not None:
            data = data[stream.write(data) or 0 :]

    def read_into(self, view: memoryview) -> int:
        """Read into ``view``; return how many bytes, 0 if the process is gone."""
        stream = self._process.stdout
        if stream is None:
            return 0
        data = stream.read(len(view)) or b""
        view[: len(data)] = data
        return len(data)

    def end(self, grace_s: float) -> Ending:
        """End the process, which has ``grace_s`` seconds to do so itself; close its pipes."""
        before = os.times()
        code: int | None = None
        try:
            code = self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()  # and what it may have left behind
            self._process.wait()
        after = os.times()
        cpu_s = (after.children_user + after.children_system) - (
            before.children_user + before.children_system
        )
        self._drain.join(DRAIN_S)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        return Ending(-SIGSEGV if code in CRASHES_ON_WINDOWS else code, cpu_s, 0)

    def close(self) -> None:
        """End the process at once."""
        self.end(0.0)


class PlainWorker(WorkerConnection):
    """A fresh process, which has its setup, that runs one student's code for one check."""

    ready_timeout_s = START_TIMEOUT_S

    def _attach(self, process: _Process) -> None:
        self._process = process
        self._late = False
        self._timer = self._started(START_TIMEOUT_S)

    def _expect_by(self, deadline: float) -> None:
        if deadline != self._deadline:
            self._timer.cancel()
            self._timer = self._started(max(0.0, deadline - time.monotonic()))
        super()._expect_by(deadline)

    def _started(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        return timer

    def _expire(self) -> None:
        self._late = True
        self._process.kill()

    def _forget_output(self) -> bool:
        limit = self._limits.output_kb * 1024
        cut = self._process.printed > limit
        self._process.printed = -PIPE_BYTES
        self._process.limit_bytes = limit
        return cut

    def _await_ready(self) -> None:
        super()._await_ready()
        self._timer.cancel()
        self._timer = self._started(self._limits.timeout_s)

    def _end(self, grace_s: float = 0.0) -> Ending:
        self._closed = True
        self._timer.cancel()
        ending = self._process.end(grace_s)
        self.output = self._process.output
        if self._late and os.name == "nt":
            # Windows does not say how long an ended process has computed.
            return Ending(ending.exit_code, self._limits.timeout_s, 0)
        return ending

    def _send(self, data: memoryview) -> None:
        try:
            self._process.write(data.cast("B"))
        except OSError:
            self._gone()

    def _exactly(self, count: int) -> bytearray:
        data = bytearray(count)
        view = memoryview(data)
        while view:
            try:
                received = self._process.read_into(view[:CHUNK])
            except OSError:
                received = 0
            if received == 0:
                self._gone()
            view = view[received:]
        return data

    def _gone(self) -> NoReturn:
        if self._process.printed_too_much:
            self.close()
            limit = f"{self._limits.output_kb} KiB"
            raise WorkerLost("output_limit", f"printed more than {limit}", retry=False)
        if self._late:
            self._timed_out()
        self._died()


class ProcessPool(Closing):
    """Starts plain workers, each process ahead of its use: importing libraries takes its time.

    Args:
        upcoming: the libraries of the workers that will be asked for, in order.
    """

    def __init__(self, upcoming: Iterable[Preload] = ()) -> None:
        self._upcoming = deque(upcoming)
        self._spare: _Process | None = None
        self._left_out: dict[Path, LeftOut] = {}
        self._start_ahead()

    def spawn(
        self,
        preload: Preload,
        submission: Path,
        limits: Limits,
        seed: int,
        *,
        hidden: tuple[str, ...] = (),
        home: Path | None = None,
    ) -> PlainWorker:
        """Start a worker for the code in ``submission``.

        Args:
            preload: the libraries to import besides numpy.
            submission: the folder of the code.
            limits: what the worker may use.
            seed: of its random generators once a module is loaded.
            hidden: packages that the code must do without.
            home: where the code works, and believes to be, if it was staged from there.
        """
        setup = {
            "submission": str(submission),
            "home": str(home or submission),
            "forbidden": list(hidden),
            "seed": IMPORT_SEED,
            "life_s": LIFE * limits.timeout_s + 5,
        }

        def started(process: _Process) -> _Process:
            # One that is gone already is found out when it should say that it is ready.
            with contextlib.suppress(OSError):
                process.write(memoryview(f"{json.dumps(setup)}\n".encode()))
            return process

        left_out = self._left_out.setdefault(submission, LeftOut())
        process = started(self._take(preload))
        return PlainWorker(
            *(process, limits, lambda: started(_Process(preload)), left_out), seed=seed
        )

    def _take(self, preload: Preload) -> _Process:
        """Return a process with these libraries, loaded or about to be."""
        while self._upcoming and self._upcoming[0] != preload:
            self._upcoming.popleft()  # a check that needed no worker after all
        if self._upcoming:
            self._upcoming.popleft()
        taken, self._spare = self._spare, None
        if taken is not None and taken.preload != preload:
            taken.close()
            taken = None
        taken = taken or _Process(preload)
        self._start_ahead()
        return taken

    def _start_ahead(self) -> None:
        if self._upcoming:
            self._spare = _Process(self._upcoming[0])

    def close(self) -> None:
        """End the process that waits."""
        if self._spare is not None:
            self._spare.close()
            self._spare = None
