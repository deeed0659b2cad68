"""Our own work on a student's values ends within its limits, and the next piece of work is done."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from grader.errors import BrokenError
from grader.isolation.bounded import BoundedChild, BoundExceededError, Bounds, UnsendableError
from grader.isolation.wire import MAX_DEPTH, Opaque, TensorData

PLENTY = Bounds(60.0, 512)
SHORT = Bounds(0.5, 512)
MIB = 1024 * 1024


@pytest.fixture
def child():
    with BoundedChild() as made:
        yield made


def same(value):
    return value


def died(pid: int) -> bool:
    """Say whether a process is gone, waiting for that a while."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_values_travel_both_ways(child):
    value = {"a": [1, 2.5, None, "ü" * 1000], "b": (True, {3: "x"}), "n": float("inf")}
    assert child.do("same", same, value, PLENTY) == value
    array = np.arange(12.0).reshape(3, 4)
    assert np.array_equal(child.do("same", same, array, PLENTY), array)
    assert child.do("same", same, Opaque(3, "Model"), PLENTY) == Opaque(3, "Model")
    tensor = child.do("same", same, TensorData(array), PLENTY)
    assert np.array_equal(tensor.array, array)


def test_a_value_nested_as_deeply_as_the_wire_allows_travels(child):
    value = 1.5
    for _ in range(MAX_DEPTH):
        value = [value]
    assert child.do("same", same, value, PLENTY) == value


@pytest.mark.parametrize("value", [2**63, [["text"] * 4] * 20_000, [np.zeros(1)] * 1025])
def test_a_value_that_our_encoder_does_not_write_was_made_up(value, child):
    with pytest.raises(UnsendableError):
        child.do("same", same, value, PLENTY)
    assert child.do("same", same, 1, PLENTY) == 1


def test_the_process_is_kept_for_work_that_it_has(child):
    first = child.do("pid", lambda _value: os.getpid(), None, PLENTY)
    assert first != os.getpid()
    assert child.do("pid", lambda _value: os.getpid(), None, PLENTY) == first


def test_work_that_came_later_is_inherited_by_a_new_process(child):
    held = np.arange(3.0)
    first = child.do("pid", lambda _value: os.getpid(), None, PLENTY)
    assert child.do("sum", lambda value: float((held + value).sum()), 1.0, PLENTY) == 6.0
    assert child.do("pid", lambda _value: os.getpid(), None, PLENTY) != first
    assert died(first)


def endless(_value):
    while True:
        time.sleep(1)


def spins(_value):
    return (10**7) ** (10**7)


def takes_memory(_value):
    return float(np.ones(200 * MIB).sum())


def takes_memory_of_torch(_value):
    import torch

    return float(torch.ones(200 * MIB, dtype=torch.float64).sum())


def returns_much(_value):
    return np.zeros(3 * MIB)


def crashes(_value):
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves(_value):
    os._exit(0)


@pytest.mark.parametrize(
    ("work", "bounds", "what"),
    [
        (endless, SHORT, "time"),
        (spins, SHORT, "time"),
        (takes_memory, PLENTY, "memory"),
        (takes_memory_of_torch, PLENTY, "memory"),
        (returns_much, Bounds(60.0, 512, MIB), "output"),
        (lambda _value: object(), PLENTY, "output"),
        (crashes, PLENTY, "crash"),
        (leaves, PLENTY, "crash"),
    ],
    ids=["sleeps", "computes", "memory", "torch", "output", "no value", "crash", "exit"],
)
def test_what_exceeds_its_bounds_ends_and_the_next_is_done(work, bounds, what, child):
    child.do("same", same, 0, PLENTY)
    with pytest.raises(BoundExceededError) as exceeded:
        child.do("work", work, None, bounds)
    assert exceeded.value.what == what
    assert child.do("same", same, 7, PLENTY) == 7


def test_work_that_waits_for_the_processor_has_more_time_by_the_clock(child):
    def dozes(value):
        time.sleep(value)
        return value

    waits = Bounds(0.5, 512, waits=4)
    assert child.do("dozes", dozes, 1.0, waits) == 1.0
    with pytest.raises(BoundExceededError, match="time"):
        child.do("dozes", dozes, 1.0, SHORT)
    started = time.monotonic()
    with pytest.raises(BoundExceededError, match="time"):
        child.do("dozes", dozes, 60.0, waits)
    assert 2.0 <= time.monotonic() - started < 20


def test_the_processor_time_of_work_is_bounded_though_it_may_wait(child):
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with pytest.raises(BoundExceededError, match="time"):
        child.do("spins", spins, None, Bounds(0.5, 512, waits=100))
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert 0.4 < now.ru_utime - used.ru_utime < 5


def test_a_value_that_is_never_read_is_a_lack_of_time(child):
    stopped = child.do("pid", lambda _value: os.getpid(), None, PLENTY)
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(BoundExceededError, match="time"):
        child.do("pid", lambda _value: os.getpid(), np.zeros(8 * MIB), SHORT)
    assert died(stopped)


def test_what_raises_is_our_fault(child):
    def fails(_value):
        raise KeyError("no")

    with pytest.raises(BrokenError, match="KeyError: 'no'"):
        child.do("fails", fails, None, PLENTY)
    assert child.do("same", same, 7, PLENTY) == 7


def test_a_process_that_has_grown_is_replaced(child):
    kept: list[np.ndarray] = []

    def grows(value):
        kept.append(np.ones(value))
        return os.getpid()

    first = child.do("grows", grows, 1, PLENTY)
    assert child.do("grows", grows, 50 * MIB, PLENTY) == first
    assert child.do("grows", grows, 1, PLENTY) != first


def test_torch_computes_after_its_threads_were_used(child):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        weight = torch.ones(300, 300, requires_grad=True)
        (weight @ weight).sum().backward()  # starts the threads of this process

        def work(value):
            other = torch.full((300, 300), float(value), requires_grad=True)
            (other @ other).sum().backward()
            return [torch.get_num_threads(), float(other.grad.sum())]

        assert child.do("work", work, 1, Bounds(30.0, 1024)) == [1, 300 * 300 * 600]
    finally:
        torch.set_num_threads(before)


def test_the_child_holds_no_pipe_of_its_parent(child):
    reading, writing = os.pipe()
    child.do("same", same, 1, PLENTY)
    os.close(writing)
    try:
        assert os.read(reading, 1) == b""  # the end is seen: nobody else holds the other side
    finally:
        os.close(reading)


def test_it_ends_with_its_parent():
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        with contextlib.suppress(BaseException):
            made = BoundedChild()
            os.write(writing, b"%d" % made.do("pid", lambda _value: os.getpid(), None, PLENTY))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    os.close(writing)
    pid = int(os.read(reading, 20))
    os.close(reading)
    assert died(pid)


UNDER_A_LIMIT = """
import resource
from grader.isolation.bounded import BoundedChild, Bounds

resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
with BoundedChild() as child:
    print(child.do("add", lambda value: value + 1, 1, Bounds(60.0, 512)))
    print(child.do("add", lambda value: value + 1, 2, Bounds(60.0, 1 << 20)))
"""


def test_a_machine_with_a_limit_of_its_own_keeps_it():
    ran = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("2\n3\n", "")


def test_many_kinds_of_work_are_not_kept_for_ever(child):
    for number in range(300):
        child._works[number] = same
    assert child.do("same", same, 3, PLENTY) == 3
    assert len(child._works) == 1
