"""Gradients that cost as much as differences do, with a clock of the test's own."""

import numpy as np
import pytest

from grader.assignment.reference import SolvedCase
from grader.checks import cost
from grader.errors import Blocked, Failure, WorkerLost

RNG = np.random.default_rng(1)
ARGUMENTS = {"x": RNG.normal(size=(3, 4)), "w": RNG.normal(size=(4, 2)), "stride": 2}
CASE = SolvedCase("usual", "values", ARGUMENTS, {}, {"y": RNG.normal(size=(3, 2))}, {})


@pytest.fixture
def clock(monkeypatch):
    """Stand in for the clock that ``cost`` reads."""

    class Clock:
        now = 0.0

        def perf_counter(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(cost, "time", made)
    return made


def spending(clock, *seconds):
    """Return a function that takes these times, one after the other."""
    left = list(seconds)

    def spend(_case, _own=None):
        clock.now += left.pop(0) if len(left) > 1 else left[0]
        return {}

    return spend


@pytest.mark.parametrize(
    ("forward", "backward", "expected"),
    [
        ((1,), (3,), None),
        ((1,), (19,), None),
        ((1,), (50,), 50),
        ((1,), (90, 50, 70), 50),
        ((1,), (90, 90, 10), None),
        ((5, 1, 1), (100,), 100),
    ],
)
def test_the_shortest_times_count(forward, backward, expected, clock):
    found = cost.ratio(spending(clock, *forward), spending(clock, *backward), CASE)
    assert found == expected


@pytest.mark.parametrize(
    "failure",
    [Failure("exception", "no"), Blocked("exception", "no"),
     WorkerLost("timeout", "slow", retry=False)],
)  # fmt: skip
def test_what_cannot_be_measured_is_not_noted(failure, clock):
    def fails(_case, _own=None):
        raise failure

    assert cost.ratio(fails, spending(clock, 1), CASE) is None
    assert cost.ratio(spending(clock, 1), fails, CASE) is None


def test_a_backward_may_consume_what_its_forward_has_kept(clock):
    forward = spending(clock, 1)

    def backward(_case, own):
        clock.now += 50
        own["used"] = "used" in own and pytest.fail("a cache was handed over twice")

    assert cost.ratio(forward, backward, CASE) == 50


def test_code_is_timed_beside_the_reference(clock):
    slow, quick = spending(clock, 1), spending(clock, 0.01 - cost.OVERHEAD_S)
    assert cost.beside(lambda: slow(None), lambda: quick(None)) == pytest.approx(100)
    assert cost.beside(lambda: quick(None), lambda: slow(None)) is None


def test_inputs_that_do_not_fit_when_they_are_larger_say_nothing(clock):
    def raises():
        raise ValueError("shapes")

    assert cost.beside(lambda: spending(clock, 1)(None), raises) is None


def test_every_axis_becomes_longer_by_the_same_factor():
    larger = cost.enlarged(CASE)
    factor = len(larger.arguments["x"]) // 3
    assert factor > 1
    assert larger.arguments["x"].shape == (3 * factor, 4 * factor)
    assert larger.arguments["w"].shape == (4 * factor, 2 * factor)
    assert larger.cotangents["y"].shape == (3 * factor, 2 * factor)
    assert larger.arguments["stride"] == 2
    assert sum(np.size(value) for value in larger.arguments.values()) <= cost.MOST_ENTRIES
    assert CASE.arguments["x"].shape == (3, 4)


def test_a_large_case_stays_as_it_is():
    arguments = {"x": np.zeros((30, 40, 2))}
    case = SolvedCase("large", "values", arguments, {}, {}, {})
    assert cost.enlarged(case).arguments["x"].shape == (30, 40, 2)
