"""Whatever a worker sends, the trusted side gets a value, or ``WorkerLost``, by the deadline."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.raised import failure
from grader.checks.student_code import StudentModule
from grader.errors import Failure, WorkerLost
from grader.isolation.sandbox import Limits, Reply, StudentError, Worker
from grader.isolation.sandbox.limits import Ending
from grader.isolation.sandbox.worker import Forked
from grader.isolation.wire import Decoder, Opaque, TensorData, WireError, parse_header, parse_prefix
from grader.isolation.wire.codec import MAX_EMPTY_BYTES, PREFIX
from grader.isolation.worker.child import READY
from tests.fuzz.guard import MIB, at_most, count, fuzzing, within
from tests.fuzz.hostile_frames import CALL_ID, bodies, buffers, frames, lying

MAX_REPLY = MIB
MEMORY = 64 * MIB  # far above what any of these frames needs, far below what they announce
TIMEOUT_S = 0.05
LATE_S = 1.0  # that a busy machine may add to a deadline
ALLOWED = (type(None), bool, int, float, str, np.ndarray, np.generic, TensorData, Opaque)


def received(data: bytes) -> Any:
    """Read one frame as the trusted side does, from bytes."""
    length = parse_prefix(data[: PREFIX.size])
    rest = data[PREFIX.size :]
    header = parse_header(rest[:length], MAX_REPLY)
    rest, parts = rest[length:], []
    for size in header.buffer_sizes:
        if len(rest) < size:
            raise WireError("the frame ends before its end")
        parts.append(bytearray(rest[:size]))
        rest = rest[size:]
    body = header.body
    if type(body) is dict and "result" in body:
        body = body["result"]
    return Decoder(parts).decode(body)


def assert_harmless(value: Any, depth: int = 0) -> None:
    """Check that a decoded value is of the few types that travel, and can be reported."""
    assert depth <= 20
    if type(value) in (list, tuple):
        for item in value:
            assert_harmless(item, depth + 1)
    elif type(value) is dict:
        for key, item in value.items():
            assert type(key) in (str, int, bool)
            assert_harmless(item, depth + 1)
    else:
        assert isinstance(value, ALLOWED)
        if type(value) is str:
            value.encode("utf-8")
        if isinstance(value, np.ndarray):
            # No axis of an empty array is a trap for who reduces along another one.
            assert all(size * value.itemsize <= MAX_EMPTY_BYTES for size in value.shape)


@fuzzing(short=300, long=15_000)
@given(data=frames())
def test_any_frame_is_a_value_or_a_wire_error(data):
    outcome = "refused"
    with within(2), at_most(MEMORY), contextlib.suppress(WireError):
        assert_harmless(received(data))
        outcome = "read"
    count("wire: frames", outcome)


@fuzzing(short=300, long=15_000)
@given(body=bodies, parts=buffers)
def test_any_body_is_a_value_or_a_wire_error(body, parts):
    outcome = "refused"
    with within(2), at_most(MEMORY), contextlib.suppress(WireError):
        assert_harmless(Decoder([bytearray(part) for part in parts]).decode(body))
        outcome = "read"
    count("wire: bodies", outcome)


@contextlib.contextmanager
def hostile_worker(data: bytes, printed: bytes = b"", *, closes: bool = True) -> Iterator[Worker]:
    """A worker whose other end has sent ``data`` already, and closes the connection or waits."""
    ours, theirs = socket.socketpair()
    read_end, write_end = os.pipe()
    limits = Limits(TIMEOUT_S, memory_mb=64, output_kb=1, max_reply_bytes=MAX_REPLY)
    with theirs, ours:
        theirs.setblocking(False)
        theirs.send(READY + data)
        os.write(write_end, printed)
        worker = Worker(Forked(lambda _grace_s: Ending(-9, 0.0, 0), ours, read_end), limits)
        if closes:
            theirs.shutdown(socket.SHUT_WR)
        try:
            yield worker
        finally:
            worker.close()
            os.close(write_end)


def asked(worker: Worker) -> str:
    """Call a function through the worker; return what came of it."""
    try:
        value = StudentModule(worker, "x.py", ()).call("f", {"x": np.zeros(3)}, ["y"])
    except WorkerLost as lost:
        lost.message.encode("utf-8")
        return f"lost: {lost.reason}"
    except Failure as failed:
        failed.message.encode("utf-8")
        return f"failed: {failed.reason}"
    assert set(value) == {"y"}
    return "answered"


@fuzzing(short=150, long=6_000)
@given(
    data=frames(), printed=st.binary(max_size=1100), closes=st.sampled_from([True] * 9 + [False])
)
def test_any_answer_is_the_students_failure_by_the_deadline(data, printed, closes):
    started = time.monotonic()
    with pytest.MonkeyPatch.context() as patch, within(10), at_most(MEMORY):
        patch.setattr(secrets, "token_hex", lambda _count: CALL_ID)
        with hostile_worker(data, printed, closes=closes) as worker:
            outcome = asked(worker)
    assert time.monotonic() - started < TIMEOUT_S + LATE_S
    count("wire: answers", outcome)


@fuzzing(short=100, long=2_500)
@given(data=frames())
def test_any_answer_to_an_import_is_a_reply_or_the_students_failure(data):
    with pytest.MonkeyPatch.context() as patch, within(10), at_most(MEMORY):
        patch.setattr(secrets, "token_hex", lambda _count: CALL_ID)
        with hostile_worker(data) as worker, contextlib.suppress(WorkerLost):
            reply = worker.load("x")
            assert type(reply) is Reply
            if reply.error is not None:
                assert type(reply.error) is StudentError
                failure(reply.error, "f", "x.py").message.encode("utf-8")
    count("wire: imports", "done")


def test_an_answer_that_drips_ends_at_the_deadline():
    # A byte now and then keeps a connection alive for ever, if only silence is timed.
    ours, theirs = socket.socketpair()
    read_end, write_end = os.pipe()
    limits = Limits(0.2, memory_mb=64, output_kb=1, max_reply_bytes=MAX_REPLY)
    worker = Worker(Forked(lambda _grace_s: Ending(None, 0.0, 0), ours, read_end), limits)
    started = time.monotonic()
    stop, write = False, os.fork()
    if write == 0:
        ours.close()
        with contextlib.suppress(OSError):
            theirs.send(READY + lying({"id": CALL_ID, "result": None}, [], [MAX_REPLY])[:20])
            while not stop:
                theirs.send(b"\0")
                time.sleep(0.01)
        os._exit(0)
    theirs.close()
    try:
        with pytest.raises(WorkerLost, match=r"did not finish within 0\.2 s"):
            worker.call("f", (), ())
        assert time.monotonic() - started < 0.2 + LATE_S
    finally:
        worker.close()
        os.close(write_end)
        os.waitpid(write, 0)
