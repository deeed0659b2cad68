"""Calls that are sent together: the same answers as one by one, and nothing is taken on trust."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from grader.checks.student_code import StudentModule
from grader.errors import AskAgainError, WorkerLost
from grader.isolation.sandbox.calls import Bundles, FunctionCall, fit, in_batches
from grader.isolation.sandbox.connection import WorkerConnection
from grader.isolation.sandbox.reply import decoded
from grader.isolation.wire import Encoder, Opaque, WireError, pack
from grader.isolation.wire.codec import MAX_TEXTS

MODULE = """
import numpy as np

def forward(x, scale):
    print("forward")
    return scale * x, {"x": x}

def backward(dy, cache):
    return dy * cache["x"].sum()

def spoils(x):
    x[:] = 0
    return 1.0

def fails(x):
    raise ValueError("no")

BUFFER = np.zeros(3)

def same_array(x):
    BUFFER[:] = x
    return BUFFER, BUFFER[::-1]

def ends(x):
    import os
    os._exit(3)
"""
X = np.arange(6.0).reshape(2, 3)
CALLS = [
    FunctionCall("forward", (X, 2.0), (1,)),
    FunctionCall("backward", (X, Opaque(0, ""))),
    FunctionCall("spoils", (X,)),
]


def _make(worker, call):
    return worker.call(call.function, call.arguments, call.opaque)


def test_answers_are_those_of_calls_one_by_one(opened):
    one_by_one = opened(MODULE)
    expected = [str(_make(one_by_one, call)) for call in CALLS]
    one_by_one.close()
    together = opened(MODULE)
    together.call_ahead(CALLS)
    assert [str(_make(together, call)) for call in CALLS] == expected
    assert X[1, 1] == 4.0  # ours is not the one that was changed
    assert _make(together, CALLS[0]).value[0].tolist() == (2 * X).tolist()  # one more, by itself
    together.close()
    assert together.output.count(b"forward") == 2


def test_another_call_than_the_next_one_is_not_answered(opened):
    worker = opened(MODULE)
    worker.call_ahead(CALLS)
    with pytest.raises(AskAgainError):
        _make(worker, CALLS[1])
    with pytest.raises(AskAgainError):
        worker.layout("forward", 2, [1], "backward")
    with pytest.raises(AskAgainError):  # equal is not the same
        worker.call("forward", (X.copy(), 2.0), (1,))


def test_nothing_comes_after_a_call_that_raises(opened):
    worker = opened(MODULE)
    calls = [CALLS[0], FunctionCall("fails", (X,)), CALLS[2]]
    worker.call_ahead(calls)
    assert _make(worker, calls[0]).error is None
    error = _make(worker, calls[1]).error
    assert error is not None
    assert error.text == "no"
    with pytest.raises(AskAgainError):
        _make(worker, calls[2])


def test_independent_calls_are_answered_together(opened):
    worker = opened(MODULE)
    calls = [FunctionCall("forward", (X, float(scale)), (1,)) for scale in range(5)]
    replies = worker.call_together([*calls, FunctionCall("fails", (X,)), calls[0]])
    assert [reply.value[0][0, 1] for reply in replies[:5]] == [0, 1, 2, 3, 4]
    assert [reply.error is None for reply in replies] == [True] * 5 + [False]
    assert worker.call("forward", (X, 3.0), (1,)).value[0][0, 1] == 3


def test_an_answer_is_what_was_returned_whatever_later_calls_write_there(opened):
    worker = opened(MODULE)
    calls = [FunctionCall("same_array", (np.arange(3.0) + start,)) for start in range(4)]
    firsts = [[value.tolist() for value in reply.value] for reply in worker.call_together(calls)]
    assert firsts == [[[0, 1, 2], [2, 1, 0]], [[1, 2, 3], [3, 2, 1]],
                      [[2, 3, 4], [4, 3, 2]], [[3, 4, 5], [5, 4, 3]]]  # fmt: skip


def test_many_calls_with_many_outputs_are_answered_in_parts(opened):
    worker = opened("def spread(x):\n    return tuple(x + step for step in range(20))")
    module = StudentModule(worker, "module.py", ())
    names = [f"y{step}" for step in range(20)]
    found = module.call_each("spread", [{"x": X + start} for start in range(80)], names)
    assert [one["y19"][0, 0] for one in found] == [19 + start for start in range(80)]


def test_calls_go_in_rows_of_as_many_as_fit():
    small, large = (FunctionCall("f", (np.zeros(size),)) for size in (10, 20_000))
    calls = [small, small, large, small]
    rows = list(in_batches(calls))
    assert [call for row in rows for call in row] == calls
    assert all(fit(row) or len(row) == 1 for row in rows)
    assert [large] in rows
    many = [FunctionCall("f", (np.zeros(500),))] * 100
    assert [fit(row) for row in in_batches(many)] == [True] * len(list(in_batches(many)))
    assert len(list(in_batches(many))) < 20
    assert list(in_batches([])) == []


def test_a_worker_that_ends_is_lost(opened):
    worker = opened(MODULE)
    calls = [CALLS[0], FunctionCall("ends", (X,))]
    worker.call_ahead(calls)
    with pytest.raises(WorkerLost, match="exited with status 3"):
        _make(worker, calls[0])


class _Forged(WorkerConnection):
    """A worker that says what it likes."""

    ready_timeout_s = 1.0
    said: bytes

    def _attach(self, started):
        self.said = b""

    def _send(self, data):
        del data

    def _end(self, grace_s=0.0):
        del grace_s
        self._closed = True

    def _forget_output(self):
        return False

    def _exactly(self, count):
        data, self.said = self.said[:count], self.said[count:]
        return bytearray(data)


ERROR = {
    "type": "ValueError",
    "text": "no",
    "kinds": ["ValueError"],
    "where": [],
    "missing_package": None,
    "undefined": False,
}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"result": 1},
        {"results": []},
        {"results": 5},
        {"results": {"result": 1}},
        {"results": [1]},
        {"results": ["result"]},
        {"results": [{"result": 1}] * 3},
        {"results": [{"result": ["a", 0, "float64", [1]]}]},
        {"results": [{"result": 1, "mutated": 5}]},
        {"results": [{"error": 5}]},
        {"results": [{"result": 1}]},
        {"results": [{"error": ERROR}, {"result": 1}]},
    ],
    ids=str,
)
def test_forged_answers_lose_the_worker(answer, plain_limits):
    worker = _Forged(None, plain_limits)
    worker._ready = True
    worker.call_ahead(CALLS[:2])
    (frame,) = pack({**answer, "id": worker._bundle_id}, [])
    worker.said = bytes(frame)
    with pytest.raises(WorkerLost, match="invalid answer"):
        _make(worker, CALLS[0])


def test_answers_that_come_together_hold_no_more_than_the_largest_alone(plain_limits):
    small = replace(plain_limits, max_reply_bytes=1 << 20)
    assert [small.reply_bytes(calls) >> 20 for calls in (1, 10, 80, 300)] == [1, 10, 64, 64]
    assert replace(plain_limits, max_reply_bytes=100 << 20).reply_bytes(3) == 100 << 20


def test_texts_of_answers_that_come_together_are_counted_together():
    encoder = Encoder()
    texts = ["ab"] * (MAX_TEXTS // 4)
    rows = [{"result": encoder.encode(texts)} for _ in range(5)]
    buffers = [bytearray(buffer) for buffer in encoder.buffers]
    assert decoded({"results": rows[:4]}, buffers)["results"][3]["result"] == texts
    rows = [{"result": ["S", 2 * number, 2 * number + 1]} for number in range(5)]
    with pytest.raises(WireError, match="exceed 1000000"):
        decoded({"results": rows}, buffers)


def test_calls_are_bundled_once_and_by_identity():
    bundles = Bundles()
    first = bundles.of(CALLS)
    assert bundles.of(list(CALLS))[1] is first[1]
    other = [FunctionCall("forward", (X.copy(), 2.0), (1,)), *CALLS[1:]]
    assert bundles.of(other)[1] is not first[1]
    assert bundles.of(CALLS[:2])[1] is not first[1]


def test_an_answer_that_comes_too_late_is_no_exception_of_the_code(opened):
    worker = opened("def step(x):\n    return x\n\ndef runs(x):\n    return step(x)")
    wanted = {"module": "", "function": "step", "outputs": 1, "opaque": [], "reader": ""}

    def answer(_asked, _buffers, deadline):
        time.sleep(max(0.0, deadline - time.monotonic()))
        return pack(Encoder().encode({"refused": "it takes too much time"}), [])

    worker.have_answered([wanted], answer)
    with pytest.raises(WorkerLost) as lost:
        worker.call("runs", (X,), ())
    assert lost.value.reason == "timeout"
