"""Whatever a worker answers, its check ends: judged, failed or for a person, never by our fault.

A result that somebody made up earns what no result earns, whatever kind and judge look at it.
"""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment.reference import Assignment
from grader.checks import fault
from grader.intake.submission import stage
from grader.isolation import bounded
from grader.isolation.bounded import BoundedChild
from grader.job import Settings
from grader.run.session import Session
from tests.conftest import SUBMISSIONS
from tests.fuzz.guard import LONG, count, fuzzing
from tests.fuzz.hostile_replies import made_up, spoiled
from tests.fuzz.replying import MakingSource, beside_students, result_of

pytestmark = pytest.mark.filterwarnings("ignore")  # of numpy and torch, about NaN and infinities
CALLED = ("forward", "gradient", "values")
JUDGED = ("property", "training", "image")
SLOW = ("q2.5",)  # its right losses take half a minute, once
LIMIT_S = 20.0


@pytest.fixture(scope="module")
def answering(rubric, tmp_path_factory):
    """Return a function that runs a check with made-up answers; the result, and its seconds."""
    assignment = Assignment(rubric.reference)
    folder = tmp_path_factory.mktemp("staged") / "submission"
    modules = tuple(sorted({question.module for question in rubric.questions}))
    submission = stage("x", SUBMISSIONS / "full_marks" / "plain", folder, modules, ())
    child = BoundedChild() if bounded.is_possible() else None
    source = MakingSource(assignment, child)
    known = {}

    def answered(check, make):
        question = next(q for q in rubric.questions if check in q.checks)
        session = Session(rubric, assignment, submission, source, Settings())
        if check.kind in JUDGED and check.id not in known:
            known[check.id] = result_of(check.id, assignment, session.seed(check))
        source.make, source.known = make, known.get(check.id)
        started = time.process_time()  # other processes may keep this one waiting
        result = session.run(question, check)
        return result, time.process_time() - started

    with beside_students(), pytest.MonkeyPatch.context() as patch:
        # Whether our code works on the reference is asked when it fails on a result; training it
        # takes minutes, and another test shows that it does.
        patch.setattr(fault, "tried", lambda *_arguments: fault.UNKNOWN)
        yield answered
    if child is not None:
        child.close()


@pytest.fixture(scope="module")
def checks(rubric):
    found = [check for question in rubric.questions for check in question.checks]
    return [
        check
        for check in found
        if check.kind in (*CALLED, *JUDGED) and (LONG or check.id not in SLOW)
    ]


def harmless(result, seconds):
    assert result.outcome != "broken", result.message
    assert 0 <= result.points <= result.spec.points
    assert seconds < LIMIT_S
    result.message.encode("utf-8")
    count(f"replies: {result.spec.kind}", result.outcome)


def test_the_right_results_of_called_kinds_earn_everything(answering, checks):
    for check in checks:
        if check.kind in CALLED:
            result, _seconds = answering(check, lambda right: right)
            assert (result.outcome, result.points) == ("passed", check.points), check.id


@fuzzing(short=60, long=600)
@given(seed=st.integers(0, 2**32))
def test_a_result_that_is_spoiled_is_no_fault_of_ours(answering, checks, seed):
    draw = random.Random(seed)
    check = draw.choice(checks)
    share = draw.choice([0.1, 0.5, 1.0])
    harmless(
        *answering(check, lambda right: spoiled(draw, right) if draw.random() < share else right)
    )


@fuzzing(short=60, long=600)
@given(seed=st.integers(0, 2**32))
def test_a_result_that_is_made_up_earns_nothing(answering, checks, seed):
    draw = random.Random(seed)
    check = draw.choice(checks)
    result, seconds = answering(check, lambda right: made_up(draw, right))
    harmless(result, seconds)
    assert result.points == 0, (check.id, result.message)


@pytest.mark.parametrize("value", [2**63, [["text"] * 4] * 20_000, [np.zeros(1)] * 1025])
def test_a_result_that_no_worker_writes_is_no_work_for_a_person(answering, checks, value):
    for check in checks:
        if check.kind == "property":
            result, _seconds = answering(check, lambda right: {**right, "more": value})
            assert (result.outcome, result.points) == ("failed", 0), result.message
            assert "cannot be read" in result.message
