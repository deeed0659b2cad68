"""Every example submission of all assignments scores what its ``expected.yaml`` claims.

One test for each example, so that any number of processes share the work and a failure has a name:
``pytest tests/e2e/test_examples.py -k fc_without_bias``. Grading happens in this process, as one of
those of ``grader grade`` does it; ``make verify`` takes the way of the command line instead.

Of the examples that say of themselves that they take ``long`` one in THIRD is graded here: all of
them together would take a third of the time of all tests. ``make verify`` grades them all, and so
does ``GRADER_EXAMPLES=all make test``.
"""

from __future__ import annotations

import dataclasses
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grader.assignment.examples import CLAIMS, Example, assembled, claim_checks, load_examples
from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.job import Job, Settings
from grader.run import grading
from grader.run.workers import ForkServers
from tests.conftest import ROOT

ASSIGNMENTS = {"": ROOT} | {f"{n}/": ROOT / "examples" / n for n in ("convolution", "layers")}
# The longest come first, so that no process is left alone with one of them at the end.
LONGEST = ("full_marks/plain", "full_marks/vectorised")
THIRD = 3
LONG = re.compile(r"^long: true$", re.MULTILINE)


def names(*, every: bool = os.environ.get("GRADER_EXAMPLES") == "all") -> list[str]:
    """Return the examples of all assignments; unless ``every``, of the long ones a third."""
    found = {
        prefix + path.parent.relative_to(folder / "reference" / "submissions").as_posix(): path
        for prefix, folder in ASSIGNMENTS.items()
        for path in sorted(folder.glob(f"reference/submissions/*/*/{CLAIMS}"))
    }
    chosen = [name for name, path in found.items() if every or not is_long(path) or turn(name)]
    return sorted(chosen, key=lambda name: name not in LONGEST)


def is_long(path: Path) -> bool:
    """Say whether a file of claims says that its example takes long."""
    return LONG.search(path.read_text("utf-8")) is not None


def turn(name: str) -> bool:
    """Say whether a long example is in the third that is graded: the same everywhere."""
    return zlib.crc32(name.encode()) % THIRD == 0


@dataclass
class Grader:
    """Grades examples of one assignment with one set of fork servers."""

    job: Job
    fork_servers: ForkServers
    assignment: Assignment = field(init=False)
    examples: dict[str, Example] = field(init=False)

    def __post_init__(self) -> None:
        self.assignment = Assignment(self.job.rubric.reference)
        self.examples = {example.name: example for example in load_examples(self.job.rubric)}

    def problems(self, name: str) -> tuple[str, ...]:
        """Grade an example; return what its score does not have in common with its claims."""
        example = self.examples[name]
        with assembled([example]) as (work,):
            made = grading.grade(self.job, self.assignment, self.fork_servers, work)
        (checked,) = claim_checks([example], [made])
        return checked.problems


@pytest.fixture(scope="module")
def graders() -> Iterator[dict[str, Grader]]:
    """A grader for each assignment; what they start ends with the last of these tests."""
    made: dict[str, Grader] = {}
    try:
        for prefix, folder in ASSIGNMENTS.items():
            job = Job(load_rubric(folder / "rubric.yaml", KINDS), Settings(), None)
            made[prefix] = Grader(job, ForkServers(policy=job.settings.policy(job.rubric)))
        yield made
    finally:
        for grader in made.values():
            grader.fork_servers.close()


@pytest.mark.parametrize("name", names())
def test_an_example_scores_as_its_file_claims(name: str, graders: dict[str, Grader]) -> None:
    prefix = max((known for known in ASSIGNMENTS if name.startswith(known)), key=len)
    assert graders[prefix].problems(name.removeprefix(prefix)) == ()


def test_the_examples_are_those_on_the_disk(graders: dict[str, Grader]) -> None:
    found = [prefix + name for prefix, grader in graders.items() for name in grader.examples]
    assert sorted(found) == sorted(names(every=True))
    long = {
        prefix + name
        for prefix, grader in graders.items()
        for name, example in grader.examples.items()
        if example.claims.long
    }
    left_out = set(found) - set(names(every=False))
    assert left_out < long
    assert len(long) / 5 < len(long - left_out)
    assert set(LONGEST) <= set(names())


def test_a_wrong_claim_is_a_problem(graders: dict[str, Grader]) -> None:
    grader = graders[""]
    example = grader.examples["hostile/prints_a_report"]
    claims = example.claims.model_copy(update={"loses": {}})
    grader.examples["claims nothing"] = dataclasses.replace(example, claims=claims)
    try:
        (problem,) = grader.problems("claims nothing")
    finally:
        del grader.examples["claims nothing"]
    assert problem.startswith("q5.2 loses 2 points, expected 0")
