"""Whose fault it is when code of the assignment's fails: the reference decides, and only it.

With real workers and the homework's drivers: ``test_whose_fault.py``.
"""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from grader.checks.base import Context, Unloadable
from grader.checks.fault import UNKNOWN, Doubts, Trial, tried
from grader.errors import BrokenError, Failure, IsolationError, Pending, WorkerLost

MODULE = "the reference's module"


class Opened:
    """Opens the reference, or fails in its place, and counts."""

    def __init__(self, error=None):
        self.seeds = []
        self._error = error

    @contextmanager
    def __call__(self, seed):
        self.seeds.append(seed)
        if self._error is not None:
            raise self._error
        yield MODULE


def context(opened, *, shared=None, module="toy.py", tier="mini", device="cpu"):
    assignment = shared or SimpleNamespace(tried={})
    question = SimpleNamespace(module=module)
    where = (assignment, question, 4, tier, None, None, None, device, opened)
    return Context(*where, worker_seed=5)


def failing_with(error):
    def run(_module):
        raise error

    return run


def test_what_works_on_the_reference_gives_its_result_and_no_problem():
    trial = tried(context(Opened()), "key", "the driver a.b", lambda module: [module], 3)
    assert trial == Trial(known=True, problem=None, result=[MODULE])


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (
            Failure("exception", "train raised ValueError: no luck (toy.py, line 3)"),
            "the driver a.b fails on the reference: ValueError: no luck (toy.py, line 3)",
        ),
        (
            Failure("wrong_dtype", "train gave no readable result"),
            "the driver a.b fails on the reference: train gave no readable result",
        ),
        (
            WorkerLost("crashed", "the process was killed by signal 9", retry=True),
            "the driver a.b fails on the reference: the process was killed by signal 9",
        ),
        (KeyError("W"), "the driver a.b fails on the reference: KeyError: 'W'"),
        (SystemExit(0), "the driver a.b fails on the reference: SystemExit: 0"),
    ],
)
def test_what_fails_on_the_reference_too_is_a_problem_of_ours(error, problem):
    trial = tried(context(Opened()), "key", "the driver a.b", failing_with(error), 3)
    assert (trial.known, trial.problem) == (True, problem)


@pytest.mark.parametrize(
    "error",
    [
        Failure("missing", "toy.py has no function train"),
        WorkerLost("timeout", "did not finish within 2 s", retry=False),
        Pending("too little memory", "", ""),
    ],
)
def test_what_cannot_be_tried_here_decides_nothing(error):
    assert tried(context(Opened()), "key", "it", failing_with(error), 3) == UNKNOWN
    assert tried(context(Opened(error)), "key", "it", lambda _module: 1, 3) == UNKNOWN


def test_a_timeout_that_the_code_itself_reports_is_no_reason_to_look_away():
    """Only a worker that was ended for its time is that: any code can raise its own."""
    own = Failure("timeout", "train raised TimeoutError")
    trial = tried(context(Opened()), "key", "it", failing_with(own), 3)
    assert trial.problem == "it fails on the reference: TimeoutError"


@pytest.mark.parametrize("error", [BrokenError("the disk is full"), IsolationError("not here")])
def test_faults_of_the_grader_end_the_trial_and_are_not_remembered(error):
    at = context(Opened(error))
    with pytest.raises(type(error)):
        tried(at, "key", "it", lambda _module: 1, 3)
    assert at.assignment.tried == {}


def test_where_the_reference_cannot_be_loaded_another_way_is_tried_if_there_is_one():
    instead = Trial(known=True, problem="it fails on the reference: ValueError: x")
    for opened in (None, Opened(Unloadable())):
        assert tried(context(opened), "key", "it", lambda _module: 1, 3) == UNKNOWN
        assert tried(context(opened), "key", "it", lambda _module: 1, 3, lambda: instead) == instead


def test_the_reference_is_tried_once_for_each_key_seed_module_tier_and_device():
    shared, opened = SimpleNamespace(tried={}), Opened()
    for _student in range(3):
        tried(context(opened, shared=shared), "key", "it", lambda _module: 1, 3)
    assert opened.seeds == [3]
    tried(context(opened, shared=shared), "other", "it", lambda _module: 1, 3)
    tried(context(opened, shared=shared), "key", "it", lambda _module: 1, 4)
    tried(context(opened, shared=shared, module="b.py"), "key", "it", lambda _module: 1, 3)
    tried(context(opened, shared=shared, tier="full"), "key", "it", lambda _module: 1, 3)
    tried(context(opened, shared=shared, device="cuda"), "key", "it", lambda _module: 1, 3)
    assert opened.seeds == [3, 3, 4, 3, 3, 3]


def test_without_doubts_no_worker_is_started():
    opened = Opened()
    Doubts().settle(context(opened))
    assert opened.seeds == []


def test_the_first_doubt_is_settled_with_the_seed_of_the_checks_workers():
    opened, doubts, asked = Opened(), Doubts(), []
    doubts.add("first", "the composition", asked.append)
    doubts.add("second", "the driver", failing_with(ValueError("never tried")))
    doubts.settle(context(opened))
    assert (asked, opened.seeds) == ([MODULE], [5])


def test_a_doubt_that_the_reference_shares_breaks_the_check():
    doubts = Doubts()
    doubts.add("first", "the composition of f", failing_with(ValueError("bad")))
    with pytest.raises(BrokenError, match="the composition of f fails on the reference: ValueErr"):
        doubts.settle(context(Opened()))
