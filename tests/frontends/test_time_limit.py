"""A hand-in that sleeps takes the time of one submission at most; what is left out is open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError
from grader.frontends.gradescope.budget import LEAST_TRY_S
from grader.frontends.time_limit import WholeBudget, WithinBudget
from grader.isolation.sandbox import Limits
from grader.job import Settings, Submitted
from grader.model import CheckResult, Question, Rubric
from grader.run.session import Session
from tests.checks.toy import make

CHECK = """
      - {{id: {id}, title: t, points: {points}, kind: values, function: Line, driver: toy.line,
         cases: line, outputs: {{value: 0.5, slope: 0.5}}, timeout_s: {timeout_s},
         shares: {{values: 0.5, edge_cases: 0.5}}}}
"""
CODE = """
import time

class Line:
    def __init__(self, slope):
        self.slope = slope

    def value(self, x):
        {line}
        return self.slope * x
"""
WRITTEN = "      - {id: q1.9, title: w, points: 1, kind: written, files: [a.md]}\n"


@pytest.fixture
def graded(tmp_path, fork_servers):
    """Grade a submission with three checks of five seconds each and a text."""

    def run(line: str, total_s: float) -> dict[str, CheckResult]:
        checks = "".join(CHECK.format(id=f"q1.{n}", points=1, timeout_s=5) for n in (1, 2, 3))
        rubric = load_rubric(make(tmp_path, checks + WRITTEN), KINDS)
        folder = tmp_path / "handed_in"
        folder.mkdir(exist_ok=True)
        (folder / "toy.py").write_text(CODE.format(line=line))
        (folder / "a.md").write_text("An explanation.")
        wanted = frozenset({"q1.1", "q1.2", "q1.3", "q1.9"})
        submitted = Submitted("s", folder, wanted)
        session = Session(
            *(rubric, Assignment(rubric.reference), fork_servers.stage("s", folder, rubric)),
            *(fork_servers, Settings()),
            steering=WithinBudget(rubric, submitted, total_s),
        )
        for question, check in session.ordered(wanted):
            session.run(question, check)
        fork_servers.unstage()
        return session.results

    return run


def test_what_the_time_does_not_suffice_for_is_open(graded):
    started = time.monotonic()
    results = graded("time.sleep(60)", 7.0)
    assert time.monotonic() - started < 45  # three checks would sleep for 15 s, tried twice
    assert list(results) == ["q1.1", "q1.2", "q1.3", "q1.9"]
    last = results["q1.3"]
    assert (last.outcome, last.points, last.reason) == ("pending", 0.0, None)
    assert last.message.startswith("not reached: the time for this submission, 7 s, was used up by")
    assert "q1.1 (" in last.message
    assert "(0.0 s)" not in last.message
    assert results["q1.1"].outcome == "failed" or "not finished" in results["q1.1"].message
    # A text needs no worker, and waits for a person as always.
    assert "a person must mark this" in results["q1.9"].message


def test_within_its_time_everything_is_graded(graded):
    results = graded("pass", 100.0)
    assert [result.outcome for result in results.values()] == ["passed"] * 3 + ["pending"]


def test_a_check_gets_all_that_is_left():
    assert WholeBudget(10.0, {"a": 1.0, "b": 1.0}, lambda: 0.0).share_s("a") == 10.0


def rubric_of(*limits: float, budget_s: float | None = None) -> Rubric:
    options = KINDS["written"].options
    checks = tuple(
        options(id=f"a{n}", title="a", points=1.0, kind="written", files=["a"], timeout_s=limit)
        for n, limit in enumerate(limits)
    )
    question = Question("q", "q", "a.py", (), checks)
    return Rubric(Path("r"), "a", "a", 0, Path(), (question,), budget_s=budget_s)


@pytest.mark.parametrize(
    ("limits", "budget_s", "expected"),
    [
        ((10.0, 10.0), None, 600.0),
        ((900.0,), None, 1800.0),
        ((1000.0,) * 8, None, 4000.0),
        ((1000.0,) * 8, 50.0, 50.0),
        ((), None, 600.0),
    ],
)
def test_the_time_of_a_submission_by_the_rubric(limits, budget_s, expected):
    assert rubric_of(*limits, budget_s=budget_s).whole_s == expected


@pytest.mark.parametrize("value", ["0", "-1", ".inf", "ten"])
def test_a_rubric_with_an_impossible_time_is_refused(value, tmp_path):
    path = make(tmp_path, CHECK.format(id="q1.1", points=4, timeout_s=5))
    path.write_text(f"budget_s: {value}\n{path.read_text()}")
    with pytest.raises(RubricError, match="budget_s"):
        load_rubric(path, KINDS)
    path.write_text(path.read_text().replace(f"budget_s: {value}", "budget_s: 90"))
    assert load_rubric(path, KINDS).whole_s == 90


@pytest.mark.parametrize(
    ("outcome", "sleeps_s", "expected"),
    [("failed", 0.5, "pending"), ("failed", 0.0, "failed"), ("passed", 0.5, "passed")],
)
def test_what_the_last_of_several_runs_was_cut_short_for_is_open(
    outcome, sleeps_s, expected, tmp_path
):
    rubric = load_rubric(make(tmp_path, CHECK.format(id="q1.1", points=4, timeout_s=60)), KINDS)
    (question,) = rubric.questions
    (check,) = question.checks
    total_s = LEAST_TRY_S + 0.4
    steering = WithinBudget(rubric, Submitted("s", tmp_path, frozenset({"q1.1"})), total_s)

    def run():
        # The first run found a wrong value; the second, with right helpers, had too little time.
        limits = steering.limits(question, check, Limits(60.0, 64, 64))
        assert limits.timeout_s < 60
        time.sleep(sleeps_s)
        return CheckResult(check, outcome, 0.0, None if outcome == "passed" else "mismatch")

    result = steering.run(question, check, run)
    assert (result.outcome, result.unreached) == (expected, expected == "pending")
