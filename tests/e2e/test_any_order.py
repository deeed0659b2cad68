"""A verdict depends neither on the order of the checks nor on which others are run."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.assignment.examples import assembled, load_examples, matching
from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.job import Job, Settings, Submitted
from grader.model import Rubric
from grader.run import grading
from grader.run.workers import ForkServers
from tests.conftest import ROOT

EXAMPLES = (
    "full_marks/plain",
    "full_marks/leftovers",
    "full_marks/writes_files",
    "wrong/rnn_backward_forgets_time_order",
    "hostile/handles_its_own_faults",
    "hostile/leaves_shared_memory",
    "hostile/aborts",
    "hostile/eats_memory",
)
TIMES = ("graded_at", "duration_s", "seconds")
pytestmark = pytest.mark.slow


class Shuffled:
    """Runs checks in an order of its own."""

    def __init__(self, seed):
        self._rng = random.Random(seed)

    def rank(self, _question, _check):
        return (self._rng.random(),)

    def run(self, _question, _check, run):
        return run()

    def limits(self, _question, _check, limits):
        return limits

    def progress(self, _made):
        pass


@pytest.fixture(scope="module")
def shipped() -> Rubric:
    return load_rubric(ROOT / "rubric.yaml", KINDS, run_reference=False)


@pytest.fixture(scope="module")
def graded(shipped) -> Iterator[object]:
    """Grade some checks of an example, in an order that a number decides; None for our own."""
    quick = {
        check.id
        for question in shipped.questions
        for check in question.checks
        if question.id in {"q3", "q4", "q5"} and check.timeout_s <= 10
    }
    assignment = Assignment(shipped.reference)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        with ForkServers(folder, Settings().policy(shipped)) as servers:

            def grade(work, wanted, seed):
                steering = None if seed is None else Shuffled(seed)
                job = Job(shipped, Settings(seed=4), None, steering)
                one = Submitted("one", work.path, frozenset(wanted) & quick)
                made = grading.grade(job, assignment, servers, one)
                return {
                    check.id: timeless(check.model_dump(mode="json")) for check in made.checks()
                }

            yield grade


def timeless(value):
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES}
    return [timeless(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_check_has_the_same_result_in_every_order_and_alone(example, graded, shipped):
    examples = matching(load_examples(shipped), [example])
    with assembled(examples) as (work,):
        first = graded(work, work.wanted, None)
        assert first
        for seed in (1, 2):
            assert graded(work, work.wanted, seed) == first
        alone = random.Random(example).sample(sorted(first), min(4, len(first)))
        for check in alone:
            assert graded(work, {check}, None) == {check: first[check]}
