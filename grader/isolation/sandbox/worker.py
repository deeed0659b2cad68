"""The trusted end of the wire to one forked worker."""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from grader.errors import WorkerLost

from . import disk
from .connection import CHUNK, KEPT_OUTPUT, WorkerConnection
from .limits import MIB, Ending
from .reply import Reply
from .student_error import StudentError

__all__ = ["Reply", "StudentError", "Worker"]

Reap = Callable[[float], Ending]  # end the worker; it has so many seconds to end itself
MEASURE_EVERY_S = 0.25  # of files on a disk; a fast one takes some 500 MiB meanwhile
MAX_READS = 64  # of output at a time
READ_AHEAD = 64 * 1024  # bytes of answers that are received together
READY_TIMEOUT_S = 60.0  # locking down takes milliseconds, to import the compiler some seconds


@dataclass(frozen=True)
class Forked:
    """What a fork server hands out of a child.

    ``scratch`` is its folder for files where that lies on a disk: what is in it is measured while
    the worker runs. ``is_stem`` says whether it can become a stem, by its process ``pid``.
    ``tasks`` is how many the user of a fork may have, with those of others who wait.
    """

    reap: Reap
    wire: socket.socket
    output_fd: int
    scratch: str = ""
    pid: int = 0
    is_stem: bool = False
    tasks: int = 0


class Worker(WorkerConnection):
    """A forked child of a fork server, which hands it out as ``Forked``."""

    ready_timeout_s = READY_TIMEOUT_S

    def _attach(self, forked: Forked) -> None:
        self._scratch = forked.scratch
        self._measured = time.monotonic()
        self._reap = forked.reap
        self._tasks = forked.tasks
        self._wire = forked.wire
        self._wire.setblocking(False)
        self._output_fd = forked.output_fd
        os.set_blocking(self._output_fd, False)
        self._printed = 0
        self._received = memoryview(b"")  # what is not asked for yet
        self._buffer = memoryview(bytearray(READ_AHEAD))  # where it lies; it is copied from there
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._output_fd, selectors.EVENT_READ, "output")
        self._selector.register(self._wire, selectors.EVENT_READ, "wire")

    def _forget_output(self) -> bool:
        self._loading = True
        self._drain_output()
        self._loading = False
        printed, self._printed = self._printed, 0
        return printed > self._limits.output_kb * 1024

    def _end(self, grace_s: float = 0.0) -> Ending:
        self._closed = True
        try:
            ending = self._reap(grace_s)
        finally:
            self._drain_output()
            self._leave()
        return ending

    def _leave(self) -> None:
        """Close our ends of the worker; nothing is left of it that we would have to end."""
        self._closed = True
        self._selector.close()
        self._wire.close()
        os.close(self._output_fd)

    def _send(self, data: memoryview) -> None:
        data = data.cast("B")
        while data:
            try:
                data = data[self._wire.send(data) :]
            except BlockingIOError:
                self._selector.modify(self._wire, selectors.EVENT_WRITE, "wire")
                self._wait_for_wire()
                self._selector.modify(self._wire, selectors.EVENT_READ, "wire")
            except OSError:
                self._died()

    def _exactly(self, count: int) -> bytearray:
        if count <= len(self._received):
            waiting, self._received = self._received[:count], self._received[count:]
            return bytearray(waiting)
        data = bytearray(count)
        view = memoryview(data)
        while view:
            if self._received or len(view) < READ_AHEAD:
                taken = min(len(view), len(self._received) or self._receive_ahead())
                view[:taken] = self._received[:taken]
                self._received = self._received[taken:]
            else:
                taken = self._receive_into(view)
            view = view[taken:]
        return data

    def _receive_ahead(self) -> int:
        received = self._receive_into(self._buffer)
        self._received = self._buffer[:received]
        return received

    def _receive_into(self, view: memoryview) -> int:
        """Receive at least one byte before the deadline; return how many."""
        while True:
            try:
                received = self._wire.recv_into(view, min(len(view), CHUNK))
            except BlockingIOError:
                self._wait_for_wire()
                continue
            except OSError:
                received = 0
            if received == 0:
                self._died()
            return received

    def _wait_for_wire(self) -> None:
        """Wait until the wire is ready, draining output meanwhile; raises at the deadline."""
        while True:
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:
                self._timed_out()
            pause = min(remaining, MEASURE_EVERY_S) if self._scratch else remaining
            ready = {key.data for key, _events in self._selector.select(pause)}
            if self._scratch:
                self._measure()
            if "wire" in ready and self._ahead:
                return  # what is printed after this answer is the next call's
            if "output" in ready:
                self._drain_output()
                if self._printed > self._limits.output_kb * 1024 and not self._loading:
                    self.end()
                    limit = f"{self._limits.output_kb} KiB"
                    raise WorkerLost("output_limit", f"printed more than {limit}", retry=False)
            if "wire" in ready:
                return

    def _measure(self) -> None:
        """End the worker if its files have become too large."""
        now = time.monotonic()
        if now - self._measured < MEASURE_EVERY_S:
            return
        self._measured = now
        what = disk.is_over(self._scratch, self._limits.scratch_mb * MIB)
        if what:
            self.end()
            raise WorkerLost("output_limit", f"wrote {what}", retry=False)

    def _drain_output(self) -> None:
        limit = self._limits.output_kb * 1024
        for _ in range(MAX_READS):
            if self._printed > limit and not self._loading:
                return
            try:
                data = os.read(self._output_fd, 64 * 1024)
            except BlockingIOError:
                return
            if not data:
                if not self._closed:
                    self._selector.unregister(self._output_fd)
                return
            self._printed += len(data)
            self.output += data[: max(0, KEPT_OUTPUT - len(self.output))]
