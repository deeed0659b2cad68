"""Answers calls of a student's functions with the reference's.

The process that answers is forked from the grading process at the first call. It has memory limits
of its own and ends with the check, so that what student code asks for cannot harm the grader.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import inspect
import os
import signal
import socket
import sys
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from grader.assignment.reference import Assignment
from grader.errors import Closing
from grader.isolation.wire import (
    Decoder,
    Encoder,
    Opaque,
    WireError,
    pack,
    parse_header,
    parse_prefix,
)
from grader.isolation.wire.codec import PREFIX, Buffer
from grader.model import Signature

PR_SET_PDEATHSIG = 1
MEMORY_BYTES = 256 << 20  # beyond what the grading process has when it forks
KEPT_BYTES = 64 << 20  # of caches that student code may still hand back
MAX_FRAME_BYTES = 64 << 20
MAX_SHAPES_SHOWN = 8


class Answers(Closing):
    """Answers calls of some functions, for the workers of one check.

    Attributes:
        asked: the functions that have been asked for.

    Args:
        assignment: whose reference answers.
        main: the module that the check is about.
        functions: what may be asked for.
    """

    def __init__(self, assignment: Assignment, main: str, functions: Iterable[Signature]) -> None:
        self._assignment = assignment
        self._main = main
        self._functions = {one.function: one for one in functions}
        self._pid = 0
        self._wire: socket.socket | None = None
        self.asked: set[str] = set()

    @property
    def wanted(self) -> list[dict[str, Any]]:
        """What a worker has to know of the functions."""
        return [
            {
                "module": "" if one.module == self._main else one.module.removesuffix(".py"),
                "function": one.function,
                "outputs": one.outputs,
                "opaque": list(one.opaque),
                "reader": one.reader,
            }
            for one in self._functions.values()
        ]

    def __call__(
        self, asked: Mapping[str, Any], buffers: Sequence[Buffer], deadline: float
    ) -> list[Buffer]:
        """Return the frame that answers a call; a call that cannot be answered is refused in it.

        Raises:
            WireError: no such function may be asked for.
        """
        name = asked.get("ask")
        if not isinstance(name, str) or name not in self._functions:
            raise WireError("it asks for a function that is not answered")
        self.asked.add(name)
        body = {key: asked.get(key) for key in ("ask", "arguments", "names")}
        try:
            wire = self._started()
            for piece in pack(body, list(buffers)):
                wire.settimeout(max(0.001, deadline - time.monotonic()))
                wire.sendall(piece)
            header, theirs = _frame(wire, deadline)
            return pack(header, list(theirs))
        except (OSError, WireError):
            self.close()
            return pack(_refused(f"{name}: this call takes too much time or memory"), [])

    def _started(self) -> socket.socket:
        if self._wire is None:
            self._wire, theirs = socket.socketpair()
            sys.stdout.flush()
            sys.stderr.flush()
            self._pid = os.fork()
            if self._pid == 0:
                _serve(self._assignment, self._functions, theirs)
            theirs.close()
        return self._wire

    def close(self) -> None:
        """End the process."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)


def _frame(wire: socket.socket, deadline: float | None) -> tuple[Any, list[bytearray]]:
    """Return the body and the buffers of the next frame; raises ``OSError`` at the end."""

    def exactly(count: int) -> bytearray:
        data = bytearray(count)
        view = memoryview(data)
        while view:
            if deadline is not None:
                wire.settimeout(max(0.001, deadline - time.monotonic()))
            received = wire.recv_into(view)
            if received == 0:
                raise ConnectionError
            view = view[received:]
        return data

    length = parse_prefix(bytes(exactly(PREFIX.size)))
    header = parse_header(bytes(exactly(length)), MAX_FRAME_BYTES)
    return header.body, [exactly(size) for size in header.buffer_sizes]


def _serve(
    assignment: Assignment, functions: Mapping[str, Signature], wire: socket.socket
) -> NoReturn:
    """Answer calls until the other side closes the wire (runs in the forked process)."""
    import resource  # not everywhere, and needed here only

    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.dup2(wire.fileno(), 3)
        wire = socket.socket(fileno=3)
        os.closerange(4, 1 << 16)
        gc.freeze()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)  # others do not survive a fork
        answering = _Answering(assignment, functions)
        while True:
            body, buffers = _frame(wire, None)
            for piece in answering.frame(body, buffers):
                wire.sendall(piece)
    finally:
        os._exit(0)


class _Answering:
    """Calls the reference's functions, and keeps the caches that they return."""

    def __init__(self, assignment: Assignment, functions: Mapping[str, Signature]) -> None:
        self._assignment = assignment
        self._functions = functions
        self._caches: OrderedDict[int, Any] = OrderedDict()
        self._count = 0
        self._bytes = 0

    def frame(self, body: dict[str, Any], buffers: list[bytearray]) -> list[Buffer]:
        """Return the frame that answers a call."""
        signature = self._functions[body["ask"]]
        shapes: list[str] = []
        try:
            given = Decoder(buffers).decode(body["arguments"])
            shapes = [_shown(value) for value in given]
            arguments = [self._own(value) for value in given]
            with np.errstate(all="ignore"):
                outputs = self._outputs(signature, arguments)
                known = self._known(signature, arguments, body["names"])
            encoder = Encoder()
            kept = [
                self._kept(value) if index in signature.opaque else value
                for index, value in enumerate(outputs)
            ]
            answer = encoder.encode({"outputs": kept, "known": known})
            return pack(answer, encoder.buffers)
        except Exception:  # noqa: BLE001 - a student's function may be called with anything
            words = ", ".join(shapes[:MAX_SHAPES_SHOWN])
            text = f"{signature.function} cannot be computed from these arguments: {words}"
            return pack(_refused(text), [])

    def _outputs(self, signature: Signature, arguments: list[Any]) -> list[Any]:
        function = getattr(self._assignment.solution(signature.module), signature.function)
        # A student's own function may have parameters that the reference does not.
        result = function(*arguments[: len(inspect.signature(function).parameters)])
        return [result] if signature.outputs == 1 else list(result)

    def _known(
        self, signature: Signature, arguments: list[Any], names: list[str]
    ) -> dict[str, Any]:
        found = self._assignment.intermediates(signature.module, signature.function)
        if found is None or not names:
            return {}
        values = found(*arguments[: len(inspect.signature(found).parameters)])
        return {name: values[name] for name in names if name in values}

    def _own(self, value: Any) -> Any:
        """Return an argument, in the place of a handle the cache that it stands for."""
        return self._caches[value.handle] if isinstance(value, Opaque) else value

    def _kept(self, cache: Any) -> Opaque:
        self._caches[self._count] = cache
        self._bytes += _nbytes(cache)
        while self._bytes > KEPT_BYTES and len(self._caches) > 1:
            _handle, oldest = self._caches.popitem(last=False)
            self._bytes -= _nbytes(oldest)
        self._count += 1
        return Opaque(self._count - 1, "cache")


def _refused(text: str) -> Any:
    return Encoder().encode({"refused": text})


def _nbytes(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return sum(map(_nbytes, value))
    return int(getattr(value, "nbytes", 0))


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return str(shape) if shape is not None else type(value).__name__.lower()
