"""The trusted side's conversation with a worker, over a socket or pipes."""

from __future__ import annotations

import abc
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NoReturn

from grader.errors import AskAgainError, BrokenError, Closing, WorkerLost
from grader.isolation.wire import (
    Encoder,
    TooMuchAnnouncedError,
    WireError,
    pack,
    parse_header,
    parse_prefix,
)
from grader.isolation.wire.codec import PREFIX, Buffer

from .calls import AT_ONCE_S, Bundles, FunctionCall, Wanted, bundled, in_one_request
from .left_out import LeftOut, Place
from .limits import MIB, NOTHING, UNANSWERED, Ending, Limits, Spent, died, timed_out
from .reply import Reply, decoded, parse_replies, parse_reply, received

CHUNK = 1 * MIB
READY = b"R"  # grader/isolation/worker/child.py
IMPORT_SEED = 0  # of the random generators while a module is loaded, whatever it is loaded for
STATEMENT_SHARE = 0.25  # of its time that one statement outside all functions may take
KEPT_OUTPUT = 64 * 1024  # bytes of printed text kept for the instructor
GRACE_S = 1.0  # for the exit status of a process whose connection is already closed
LATE_S = 1.5  # after its time, for a statement that its worker cannot end: a call into C, say
MAX_RENEWALS = 3  # workers that a module may end before it is loaded
MAX_ASK_BYTES = 64 * MIB  # of arrays in a call that is answered on this side
MAX_FILE_NAME = 300  # characters
MAX_JOINED = 128 * 1024  # bytes of requests that are sent in one piece
_BUNDLES = Bundles()

# Takes what a worker asks (its body, still encoded, and its buffers) and until when the answer is
# due; returns the pieces of the frame to answer with.
Answer = Callable[[dict[str, Any], list[bytearray], float], Sequence[Buffer]]


class WorkerConnection(Closing):
    """The trusted end of the wire to one worker, which runs one student's code for one check.

    Every request can raise ``WorkerLost``: the worker died, broke the wire's format, printed too
    much, or ran out of time. After that it is gone.

    ``ready_timeout_s`` are the seconds until a worker must be set up; its own time starts then.

    Args:
        started: the worker's process, as ``again`` returns one.
        limits: what the worker may use.
        again: how to start another one in its place, if that is possible.
        left_out: statements of the submission that are not run.
        seed: of the worker's random generators once the module is loaded.
        loaded: the answer to loading the module, if that has been done.
        spent: what that has taken of the worker's time.
    """

    ready_timeout_s: ClassVar[float]

    def __init__(
        self,
        started: Any,
        limits: Limits,
        again: Callable[[], Any] | None = None,
        left_out: LeftOut | None = None,
        *,
        seed: int = 0,
        loaded: Reply | None = None,
        spent: Spent = NOTHING,
    ) -> None:
        self._limits = limits
        self._statement_s = limits.timeout_s * STATEMENT_SHARE
        self._seed = seed
        self._loaded, self._spent = loaded, spent
        self._again = again
        self._left_out = left_out or LeftOut()
        self._loading = False
        self._answer: Answer | None = None
        self._tasks = 0  # of the user of a fork: the worker's, and what waits beside it
        self._ahead: deque[FunctionCall] = deque()
        self._answered: deque[Reply] = deque()  # the answers to these, once one is needed
        self._bundle_id = ""
        self.output = bytearray()
        self._begin(started)

    def _begin(self, started: Any) -> None:
        """Wait for a worker that has just been started."""
        self._deadline = self._last = time.monotonic() + self.ready_timeout_s
        self._at: Place | None = None
        self._ready = self._closed = self._seeded = False
        self._attach(started)
        if self._loaded is not None:
            self._start_time()

    @abc.abstractmethod
    def _attach(self, started: Any) -> None:
        """Take the ends of the wire to a worker that has just been started."""

    @abc.abstractmethod
    def _end(self, grace_s: float = 0.0) -> Ending:
        """End the worker and everything it started; it has this many seconds to end itself."""

    @abc.abstractmethod
    def _send(self, data: memoryview) -> None:
        """Send all of ``data`` before the deadline; raises ``WorkerLost``."""

    @abc.abstractmethod
    def _exactly(self, count: int) -> bytearray:
        """Return the next ``count`` bytes, received before the deadline; raises ``WorkerLost``."""

    def load(self, module: str) -> Reply:
        """Import the student's module of this name.

        A statement outside all functions that ends the worker costs nothing: another worker starts
        without it. What is printed meanwhile does not count, and is dropped beyond what is kept.
        """
        if self._loaded is not None:
            return self._loaded
        for _ in range(MAX_RENEWALS):
            try:
                return self._load(module)
            except WorkerLost as lost:
                how = "" if lost.reason == "timeout" else lost.message.removesuffix(UNANSWERED)
                if self._at is None or not self._left_out.add(self._at, how) or not self._renew():
                    raise
        try:
            return self._load(module)
        except WorkerLost as lost:
            if self._at is None:
                raise
            file, line, _column = self._at
            message = f"{lost.message} ({file}, line {line})"
            raise WorkerLost(lost.reason, message, retry=lost.retry) from None

    def _load(self, module: str) -> Reply:
        body = {"op": "load", "module": module, "statement_s": self._statement_s}
        body |= {"seed": self._seed, "left_out": self._left_out.rows()}
        self._loading = True
        try:
            reply = self._request(body)
        finally:
            self._loading = False
        return replace(reply, cut=self._forget_output())

    def _renew(self) -> bool:
        """Start another worker in the place of one that is lost; say whether that is possible."""
        if self._again is None:
            return False
        self.end()
        self._begin(self._again())
        return True

    @abc.abstractmethod
    def _forget_output(self) -> bool:
        """Count what is printed from now on; say whether it was more than the limit so far."""

    def _expect_by(self, deadline: float) -> None:
        """Wait for what comes next until ``deadline``."""
        self._deadline = deadline

    def _note_place(self, answer: dict[str, Any]) -> None:
        """Note which statement runs now, and give it its time; raises ``WireError``."""
        at = answer["at"]
        if at == []:
            self._at = None
            self._expect_by(self._last)
            return
        if type(at) is not list or [type(item) for item in at] != [str, int, int]:
            raise WireError("the place of a statement is malformed")
        self._at = (at[0][:MAX_FILE_NAME], at[1], at[2])
        self._expect_by(min(self._last, time.monotonic() + self._statement_s + LATE_S))

    def call(self, function: str, arguments: tuple[Any, ...], opaque: tuple[int, ...]) -> Reply:
        """Call a function of the module; the outputs at ``opaque`` stay there as handles."""
        call = FunctionCall(function, arguments, opaque)
        if not self._ahead:
            return self._request(call.body)
        if not self._ahead[0].is_same(call):
            raise AskAgainError
        if self._bundle_id:
            self._answered.extend(self._replies_to(self._bundle_id, len(self._ahead)))
            self._bundle_id = ""
        if not self._answered:
            raise AskAgainError
        self._ahead.popleft()
        return self._answered.popleft()

    def call_ahead(self, calls: Sequence[FunctionCall]) -> None:
        """Send calls that will be made next, in this order, before any of them is answered.

        Every other request before that, or another order, raises ``AskAgainError``; so does a call
        after one that raises.
        """
        (self._bundle_id,) = self._sent([in_one_request(*_BUNDLES.of(calls))])
        self._ahead.extend(calls)
        self._expect_by(min(self._last, time.monotonic() + AT_ONCE_S))

    def call_together(self, calls: Sequence[FunctionCall]) -> list[Reply]:
        """Make calls of which none depends on another's answer, up to the first that raises."""
        if self._ahead:
            raise AskAgainError
        (bundle_id,) = self._sent([in_one_request(*bundled(calls))])
        return self._replies_to(bundle_id, len(calls))

    def drive(
        self, name: str, source: str, function: str, needs: str, arguments: dict[str, Any]
    ) -> Reply:
        """Run ``function`` of a driver's ``source`` on the module with keyword arguments.

        ``needs`` is the student's function that the driver calls: it must exist.
        """
        body = {"op": "drive", "name": name, "source": source, "function": function}
        return self._request({**body, "needs": needs, "arguments": arguments})

    def have_answered(self, functions: list[dict[str, Any]], answer: Answer) -> Reply:
        """Have ``functions``, as ``isolation/worker/answered.py`` takes them, answered here."""
        self._answer = answer
        return self._request({"op": "answer", "functions": functions})

    def layout(self, function: str, outputs: int, opaque: list[int], reader: str) -> Reply:
        """Ask how a function makes its ``opaque`` outputs, the caches, which ``reader`` reads."""
        body = {"op": "layout", "function": function, "outputs": outputs, "opaque": opaque}
        return self._request({**body, "reader": reader})

    def repair(self, function: str, wanted: Sequence[Wanted], passed_over: Sequence[int]) -> Reply:
        """Put a function right with one change: ``isolation/worker/repair.py``.

        ``wanted`` holds arguments and outputs, ``passed_over`` the numbers of changes.
        """
        asked = {"function": function, "wanted": list(wanted), "passed_over": list(passed_over)}
        return self._request({"op": "repair", **asked})

    def times(self, forward: FunctionCall, backward: FunctionCall) -> Reply:
        """Ask how long a call takes, and one with what it keeps: a pure program's worker knows."""
        asked = {"forward": forward.body, "backward": backward.body}
        return self._request({"op": "times", **asked})

    def mute(self) -> None:
        """Have what the module prints dropped from now on, until the next check begins."""
        self._sent([{"op": "mute"}])

    @property
    def decides(self) -> bool:
        """Whether it has done other checks, and any call's values are those of a new worker."""
        return False

    def close(self) -> None:
        """End the worker and everything it started, once its check is over."""
        self.end()

    def end(self) -> None:
        """End the worker and everything it started."""
        if not self._closed:
            self._end()

    def _request(self, body: dict[str, Any]) -> Reply:
        if self._ahead:
            raise AskAgainError
        (call_id,) = self._sent([body])
        with self._strictly():
            return parse_reply(self._answer_to(call_id))

    def _sent(self, bodies: Sequence[dict[str, Any]]) -> list[str]:
        """Send requests; return the identity of each."""
        if not self._ready:
            self._await_ready()
        if self._ready and self._loaded is not None and not self._seeded:
            self._seeded = True
            return self._sent([self._beginning(), *bodies])[1:]
        ids = [secrets.token_hex(8) for _ in bodies]
        encoders = [Encoder() for _ in bodies]
        asked = [{"id": call_id, **body} for call_id, body in zip(ids, bodies, strict=True)]
        encoded = list(map(Encoder.encode, encoders, asked))
        with self._strictly():
            pairs = zip(encoded, encoders, strict=True)
            self._send_all([piece for body, one in pairs for piece in pack(body, one.buffers)])
        return ids

    def _send_all(self, pieces: Sequence[Buffer]) -> None:
        small = sum(memoryview(piece).nbytes for piece in pieces) <= MAX_JOINED
        for piece in [b"".join(pieces)] if small else pieces:
            self._send(memoryview(piece))

    def _beginning(self) -> dict[str, Any]:
        """Return the request, which is not answered, by which a check begins in a fork."""
        return {"op": "begin", "seed": self._seed, "tasks": self._tasks}

    def _replies_to(self, bundle_id: str, count: int) -> list[Reply]:
        """Return the answers to calls that were sent together, up to the first that raises."""
        with self._strictly():
            return parse_replies(self._answer_to(bundle_id, count).get("results"), count)

    @contextlib.contextmanager
    def _strictly(self) -> Iterator[None]:
        """End a worker that breaks the wire's format; raises ``WorkerLost``."""
        try:
            yield
        except TooMuchAnnouncedError as error:
            self.end()
            raise WorkerLost(
                "output_limit",
                # How many more is the code's choice, and would be a message to its reader.
                f"returned more than {error.most} bytes of arrays and texts, far more than is "
                "expected",
                retry=False,
            ) from None
        except WireError as error:
            self.end()
            raise WorkerLost(
                "crashed",
                f"the process that ran the code sent an invalid answer: {error}",
                retry=True,
            ) from None

    def _answer_to(self, call_id: str, calls: int = 1) -> dict[str, Any]:
        """Return the answer to a request; raises ``WireError`` and ``WorkerLost``."""
        while True:
            answer, buffers = self._receive(calls)
            if answer.get("id") != call_id:
                raise WireError("an answer belongs to another request")
            if "ask" in answer:
                self._pass_on(answer, buffers)
                continue
            if not self._loading or "at" not in answer:
                self._at = None
                self._expect_by(self._last)
                return answer
            self._note_place(answer)

    def _pass_on(self, asked: dict[str, Any], buffers: list[bytearray]) -> None:
        """Answer a call that student code has made; raises ``WireError`` if none is expected."""
        if self._answer is None or self._loading:
            raise WireError("it asks, but nothing is answered here")
        answer = self._answer(asked, buffers, self._deadline)
        if time.monotonic() >= self._deadline:  # too late: not the code's exception
            self._timed_out()
        self._send_all(answer)

    def _await_ready(self) -> None:
        """Wait until the worker has locked itself down; its time starts then.

        No student code has been read before that, so any failure is the grader's fault.

        Raises:
            BrokenError: it could not be set up.
        """
        try:
            ready = self._exactly(len(READY)) == READY
        except WorkerLost as lost:
            self.end()
            words = self.output.decode(errors="replace").strip() or lost.message
            raise BrokenError(f"cannot set up a worker: {words}") from None
        if not ready:
            self.end()
            raise BrokenError("a worker did not start correctly")
        self._start_time()

    def _start_time(self) -> None:
        """Let the worker's own time begin: it can be asked."""
        self._ready = True
        self._deadline = self._last = time.monotonic() + self._limits.timeout_s - self._spent.wall_s

    def _spent_s(self) -> float:
        """Return for how long the worker could be asked."""
        return self._limits.timeout_s - (self._last - time.monotonic())

    def _receive(self, calls: int = 1) -> tuple[dict[str, Any], list[bytearray]]:
        """Return the next message; if it is a question, with its buffers, and still encoded."""
        length = parse_prefix(bytes(self._exactly(PREFIX.size)))
        most = self._limits.reply_bytes(calls)
        asks = max(most, MAX_ASK_BYTES) if self._answer is not None else most
        header = parse_header(bytes(self._exactly(length)), asks)
        buffers = received(header.buffer_sizes, self._exactly)
        # The worker sends its answer as a plain JSON object whose values are encoded.
        if type(header.body) is not dict:
            raise WireError("an answer is not an object")
        body = dict(header.body)
        if "ask" in body:
            return body, buffers
        if sum(header.buffer_sizes) > most:
            raise TooMuchAnnouncedError(sum(header.buffer_sizes), most)
        return decoded(body, buffers), []

    def _timed_out(self) -> NoReturn:
        ending = self._end()
        if self._at is not None and time.monotonic() < self._last:
            words = f"did not end within {self._statement_s:g} s"
            raise WorkerLost("timeout", f"a statement outside the functions {words}", retry=False)
        raise timed_out(ending, self._limits, self._spent)

    def _died(self) -> NoReturn:
        raise died(self._end(GRACE_S), self._limits, in_statement=self._at is not None)
