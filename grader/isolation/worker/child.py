"""A child: locks itself down if it was forked, then runs student code and answers with values.

Student code shares this process and can forge every answer. Therefore nothing here compares, times
or scores: a forged value is only a value.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..wire import Decoder, Encoder, Opaque, WireError, pack, parse_header, parse_prefix
from ..wire.bundle import BundledCall, unbundle
from ..wire.codec import PREFIX
from . import (
    cache_layout,
    clock,
    compiler,
    modules,
    ordinary,
    redirect,
    repair,
    scratch,
    statements,
)
from .absent import MissingPackageError, StandIn
from .answered import AnsweredFunctions
from .described import Describer
from .generators import generators
from .output import Output
from .turns import Turns, times_of

if TYPE_CHECKING:
    from . import lockdown

EXIT_SETUP_FAILED, EXIT_SERVING_FAILED = 97, 98
WIRE_FD = 3
READY = b"R"  # sent once, when everything is locked down and no student code has been read
MAX_JOINED = 128 * 1024  # bytes of an answer that are sent in one piece
MAX_REQUEST_BYTES = 1 << 30  # the trusted side sends data sets and needs no tight bound


class Wire(Protocol):
    """What carries the bytes: a socket, or the pipes of a plain worker."""

    def sendall(self, data: Any, /) -> None:
        """Send all of ``data``."""

    def recv_into(self, buffer: memoryview, /) -> int:
        """Receive into ``buffer``; return how many bytes, 0 at the end."""


def run(
    request: dict[str, Any],
    *,
    wire_fd: int,
    output_fd: int,
    host: lockdown.Host,
    channel: socket.socket | None = None,
) -> None:
    """Become a worker: never returns. ``request`` holds ``limits``, ``submission`` and ``seed``.

    A stem (``stems.py``) has a ``channel`` to the fork server.
    """
    from . import (
        listener,
        lockdown,
        stems,
    )  # loaded already; plain workers, on any system, do without them

    os.setsid()
    with modules.ahead_of_time():
        if compiler.wake_for(request["submission"]):  # in time that is not the program's
            request["limits"]["cpu_s"] += math.ceil(time.process_time())
    null = os.open(os.devnull, os.O_RDONLY)
    saved = os.dup2(wire_fd, 200)
    os.dup2(null, 0)
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    os.dup2(saved, WIRE_FD)
    submission = request["submission"]
    own, work = lockdown.make_scratch(host, request)
    if host.has("environment"):
        os.environ.clear()
        os.environ.update({"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"})
    if own:
        os.environ.update(scratch.environment(own))
        tempfile.tempdir = os.environ["TMPDIR"]  # the fork server has used one of its own
        if not host.has("namespaces"):
            redirect.install(own)
    for name, fd, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        stream = open(fd, mode, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    if not own:
        os.chdir(work)
    wire = socket.socket(fileno=WIRE_FD)  # asks the kernel what it is: not allowed later
    asks = None if channel is None else stems.FORK
    hears = lockdown.apply(host, request["limits"], submission, own, asks)
    if channel is not None:
        listener.show(hears, channel)
    os.closerange(WIRE_FD + 1, 1024)
    seeds = generators(accelerator=host.accelerator)
    seeds(request["seed"])
    staged = (submission, scratch.relocated(submission))
    hidden = tuple(request["hidden"])
    tasks = request["limits"]["tasks"]
    child = Child(wire, work, hidden, staged, seeds=seeds, tasks=tasks)
    request.clear()  # student code can read the frames of its callers
    # Until here a failure is the grader's; from here on student code may be behind it.
    wire.sendall(READY)
    try:
        child.serve()
    finally:
        os._exit(EXIT_SERVING_FAILED)


class Child:
    """Answers requests over the wire, one at a time."""

    def __init__(
        self,
        wire: Wire,
        submission: str,
        forbidden: tuple[str, ...] = (),
        staged: tuple[str, ...] = (),
        *,
        seeds: Callable[[int], None] = random.seed,
        tasks: int = 0,
    ) -> None:
        self._wire = wire
        self._seeds = seeds
        self._tasks = tasks
        self._describer = Describer(submission, staged)
        self._forbidden = forbidden
        self._submission = submission
        self._objects: dict[int, Any] = {}
        self._module: Any = None
        self._request_id = ""
        self._turns = Turns()
        self._answered: AnsweredFunctions | None = None
        self._output = Output()

    def serve(self) -> None:
        """Answer requests until the other side closes the wire."""
        while True:
            request = self._receive()
            if request["op"] in ("stem", "begin", "turn"):
                self._go_on(request)
                continue
            if request["op"] == "mute":  # until the next check begins
                self._output.drop()
                continue
            pieces = self._pieces(request)
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):  # closed or replaced by student code
                    stream.flush()
            self._send(pieces)

    def _send(self, pieces: list[Any]) -> None:
        if sum(memoryview(piece).nbytes for piece in pieces) <= MAX_JOINED:
            pieces = [b"".join(pieces)]  # one system call, and the other side wakes once
        for piece in pieces:
            self._wire.sendall(piece)

    def _go_on(self, request: dict[str, Any]) -> None:
        """Become a stem, from which only its forks return, on other wires; or begin a check.

        That is the only one of a fork, or one of many of a program that is pure.
        """
        from . import lockdown, stems

        match request["op"]:
            case "stem":
                stems.fork_when_asked()
            case "begin":
                lockdown.allow_tasks(self._tasks, request["tasks"])
                self._seeds(request["seed"])
            case _:
                self._output.restore()
                self._objects.clear()
                if self._answered is not None:
                    self._answered.take_back()
                    self._answered = None
                self._turns.begin()
                self._seeds(request["seed"])

    def _pieces(self, request: dict[str, Any]) -> list[Any]:
        """Answer a request with a frame; a value too large for one is the student's exception."""
        body, buffers = self._answer(request)
        try:
            return pack({**body, "id": request["id"]}, buffers)
        except WireError as error:
            return pack(
                {"error": self._describer.described(error, self._module), "id": request["id"]}, []
            )

    def _answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        try:
            operation = {
                "prove": self._prove, "load": self._load, "call": self._call, "calls": self._calls,
                "drive": self._drive,
                "answer": self._have_answered, "layout": self._layout,
                "repair": self._repair, "times": self._times,
            }  # fmt: skip
            self._request_id = request["id"]
            return operation[request["op"]](request)
        except BaseException as error:
            return {"error": self._describer.described(error, self._module)}, []

    def _prove(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Say whether a program is pure. Nothing of it has been run: the answer is our own."""
        closed = {*modules.NOT_FOR_STUDENTS, *self._forbidden}
        proven = self._turns.prove(self._submission, request["module"], closed)
        return {"result": proven, "unwritten": self._turns.unwritten}, []

    def _load(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        left_out = request["left_out"]
        statements.RECORD.left_out = {tuple(place): how for *place, how in left_out}
        clock.CLOCK.tell = functools.partial(self._tell, request["id"])
        try:
            loaded = modules.load(
                *(self._submission, request["module"], self._forbidden), request["statement_s"]
            )
        finally:
            clock.CLOCK.tell = clock.tell_nobody
        self._module = loaded.module
        self._seeds(request["seed"])
        told = {"skipped": loaded.skipped, "twice": loaded.twice, "made": loaded.made}
        alone = statements.RECORD.moments.are_taken()
        pure = self._turns.confirm(whole=not loaded.skipped)
        return {"missing_packages": loaded.missing, "alone": alone, "pure": pure, **told}, []

    def _tell(self, request_id: str, place: clock.Place | None) -> None:
        """Say which statement runs now: it may be the last thing that this worker says."""
        at = list(place) if place is not None else []
        for piece in pack({"at": at, "id": request_id}, []):
            self._wire.sendall(piece)

    def _call(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        encoder = Encoder(self._keep)
        call = request["function"], request["arguments"], request["opaque"]
        return self._called(call, encoder), encoder.buffers

    def _calls(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Make calls one after the other, up to the first that raises."""
        encoder = Encoder(self._keep)
        answers: list[dict[str, Any]] = []
        try:
            for call in unbundle(request["calls"], request["data"], self._objects.__getitem__):
                sent = len(encoder.buffers)
                answers.append(self._called(call, encoder))
                # The next call may write into the arrays that this one has returned.
                encoder.buffers[sent:] = map(bytes, encoder.buffers[sent:])
        except BaseException as error:
            answers.append({"error": self._describer.described(error, self._module)})
        return {"results": answers}, encoder.buffers

    def _called(self, call: BundledCall, encoder: Encoder) -> dict[str, Any]:
        name, arguments, opaque = call
        function = modules.find_function(self._module, name)
        # Equal bytes afterwards mean that the function left its arguments alone.
        before = {i: a.tobytes() for i, a in enumerate(arguments) if type(a) is np.ndarray}
        result = function(*arguments)
        mutated = [i for i, data in before.items() if arguments[i].tobytes() != data]
        return self._reply(result, opaque, mutated, encoder)

    def _drive(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Run a function of a driver of the assignment on the student's module."""
        modules.find_function(self._module, request["needs"])
        namespace: dict[str, Any] = {"__name__": "driver"}
        self._describer.driver = request["name"]
        code = compile(request["source"], request["name"], "exec")
        exec(code, namespace)  # noqa: S102 - the assignment's own code, sent by the trusted side
        result = namespace[request["function"]](self._module, **request["arguments"])
        encoder = Encoder(self._keep)
        return self._reply(result, [], [], encoder), encoder.buffers

    def _have_answered(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Have functions of the student's answered by the trusted side from now on."""
        wanted = request["functions"]
        self._answered = AnsweredFunctions(self._ask, self._submission)
        if self._turns.are_taken and not self._answered.knows(wanted):
            raise LookupError("a module of the program that is not imported is not proven")
        self._answered.install(self._module, wanted)
        return {}, []

    def _ask(
        self, name: str, arguments: list[Any], names: list[str]
    ) -> tuple[list[Any], dict[str, Any]]:
        """Ask the trusted side what a function returns, and what else it knows by these names."""
        encoder = Encoder()
        try:
            given = encoder.encode(arguments)
            body = {"id": self._request_id, "ask": name, "arguments": given, "names": names}
            pieces = pack(body, encoder.buffers)
        except WireError as error:
            raise TypeError(f"{name} was called with something else than arrays: {error}") from None
        self._send(pieces)
        answer = self._receive(Opaque)
        if "refused" in answer:
            raise ValueError(answer["refused"])
        return answer["outputs"], answer["known"]

    def _layout(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Say how a function of the student's makes its caches."""
        function = modules.find_function(self._module, request["function"])
        reader = getattr(self._module, request["reader"], None)
        found = cache_layout.layout_of(function, request["opaque"], request["outputs"], reader)
        encoder = Encoder()
        return {"result": encoder.encode(found)}, encoder.buffers

    def _repair(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Put a function of the student's right with one change, and say in which line."""
        modules.find_function(self._module, request["function"])
        wanted = [repair.Wanted(*one) for one in request["wanted"]]
        made = repair.repair(self._module, request["function"], wanted, request["passed_over"])
        return {"result": ["t", made.line, made.number] if made is not None else None}, []

    def _times(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Say how long a call takes, and one with what it has kept."""
        first, second = request["forward"], request["backward"]
        forward = modules.find_function(self._module, first["function"])
        backward = modules.find_function(self._module, second["function"])
        calls = (forward, first["arguments"]), (backward, second["arguments"])
        with self._output.dropped():
            seconds = times_of(*calls, first["opaque"])
        return {"result": ["t", *seconds] if seconds is not None else None}, []

    def _reply(
        self, result: Any, opaque: Sequence[int], mutated: list[int], encoder: Encoder
    ) -> dict[str, Any]:
        """Encode a result; the outputs whose positions are in ``opaque`` stay here as handles."""
        if isinstance(result, tuple):
            result = tuple(result)  # a named tuple is also a tuple
        if opaque and type(result) in (tuple, list):
            items = [
                encoder.encode_opaque(item) if index in opaque else encoder.encode(item, 1)
                for index, item in enumerate(result)
            ]
            body = ["t", *items]
        else:
            body = encoder.encode(result)
        told = {"mutated": mutated, "adapted": list(ordinary.replaced)}
        return {"result": body, **told}

    def _keep(self, value: Any) -> int:
        if isinstance(value, StandIn):
            raise MissingPackageError(value.__dict__["__package_name__"])
        handle = len(self._objects)
        self._objects[handle] = value
        return handle

    def _receive(self, opaque: Callable[[int, str], Any] | None = None) -> dict[str, Any]:
        """Return the next message; handles in it are objects of this process by default."""
        length = parse_prefix(bytes(self._exactly(PREFIX.size)))
        header = parse_header(bytes(self._exactly(length)), MAX_REQUEST_BYTES)
        buffers = [self._exactly(size) for size in header.buffer_sizes]
        decoder = Decoder(
            buffers,
            opaque=opaque or (lambda handle, _type: self._objects[handle]),
            tensor=_tensor,
            ordinary=True,
        )
        request = decoder.decode(header.body)
        if type(request) is not dict:
            raise WireError("a request is not a dictionary")
        return request

    def _exactly(self, count: int) -> bytearray:
        data = bytearray(count)
        view = memoryview(data)
        while view:
            received = self._wire.recv_into(view)
            if received == 0:
                os._exit(0)
            view = view[received:]
        return data


def _tensor(array: np.ndarray[Any, Any]) -> Any:
    from_numpy: Callable[[Any], Any] = sys.modules["torch"].from_numpy
    return from_numpy(array)
