"""A judge works in a child with limits: what exceeds them waits for a person, and nothing stops."""

from __future__ import annotations

import numpy as np
import pytest

from grader.author.evidence import (
    Curves,
    Evidence,
    Finding,
    Formula,
    Formulas,
    Pictures,
    Table,
    Text,
)
from grader.checks import apart
from grader.errors import Blocked, BrokenError, Cause, Failure, Pending
from latexgrad import Assessed, AssessedFormula, AssessedQuantity, Mistake, Unanswered, Waiting
from tests.checks.toy import judged, make

CHECKS = """
      - {id: q1.1, title: hard, points: 2, kind: property, function: train, driver: toy.train,
         dataset: toy, judge: hard.look, properties: {right: 1}}
      - {id: q1.2, title: easy, points: 2, kind: property, function: train, driver: toy.train,
         dataset: toy, judge: toy.look, properties: {half: 0.5, device: 0.5}}
"""
HARD = """
import os, re, signal, time
import numpy as np
from grader.author import Evidence, Failure, Finding

def look(result, inputs, withheld):
    kind = int(result["value"][0])
    if kind == 1:
        re.match(r"(a+)+b", "a" * 60)
    if kind == 2:
        np.ones(1 << 40)
    if kind == 3:
        return Evidence(notes=["x"], findings=[Finding("right", 1.0)],
                        values={"much": [float(n) for n in np.arange(3)] * 4})
    if kind == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == 5:
        raise Failure("not_finite", "five is not a number")
    if kind == 6:
        raise ZeroDivisionError("six")
    if kind == 7:
        raise SystemExit(0)
    if kind == 8:
        return Evidence(findings=[Finding("right", 1.0)], values={"odd": object()})
    if kind == 9:
        return result["nothing"]
    return Evidence(findings=[Finding("right", 1.0)])
"""
LEFT_TO_A_PERSON = "the result of train could not be judged"


@pytest.fixture
def graded(tmp_path, fork_servers, monkeypatch):
    monkeypatch.setattr(apart, "MOST_TIME_S", 1.0)
    path = make(tmp_path, CHECKS)
    (tmp_path / "reference/judges/hard.py").write_text(HARD)

    def run(kind: int):
        code = f"import numpy as np\ndef train(x):\n    return np.array([{kind}, 2.0, 4.0, 6.0])\n"
        return judged(path, {"toy.py": code}, fork_servers)

    return run


@pytest.mark.parametrize(
    ("kind", "outcome", "said"),
    [
        (0, "passed", ""),
        (1, "pending", f"{LEFT_TO_A_PERSON} within 1 s of processor time: a person must look"),
        (2, "pending", f"{LEFT_TO_A_PERSON} with 1024 MiB of memory: a person must look"),
        (3, "passed", ""),
        (4, "pending", f"{LEFT_TO_A_PERSON} without a crash of the process that did it"),
        (5, "failed", "five is not a number"),
        (6, "broken", "the judge hard.look raised ZeroDivisionError: six"),
        (7, "broken", "the judge hard.look raised SystemExit: 0"),
        (8, "broken", "a judge returned a value of type object"),
        (9, "failed", "the result of train cannot be read: KeyError: 'nothing'"),
    ],
)
def test_how_a_judge_ends_decides_the_outcome(kind, outcome, said, graded):
    results = graded(kind)
    assert (results["q1.1"].outcome, said in results["q1.1"].message) == (outcome, True)
    assert results["q1.2"].outcome in ("passed", "partial")  # the next check is judged


def test_nobody_loses_points_for_what_could_not_be_judged(graded):
    result = graded(1)["q1.1"]
    assert (result.points, result.reason, result.parts) == (0.0, None, ())
    assert result.figures == ()


EVIDENCE = Evidence(
    values={"a": 1.5, "b": {"c": [1, None, True]}, "nan": float("inf"), "np": np.float64(2)},
    findings=(Finding("f", 0.5, "half", "below_threshold"),),
    measurements={"n": 3},
    figures=(
        Curves("c", {"loss": [3.0, 1.0]}, log=True),
        Pictures("p", [("one", np.ones((4, 5, 3), dtype=np.uint8))]),
        Table("t", ("a",), [("b",)]),
        Text("x", "y"),
        Formulas("f", [Formula("line 1", "<math/>", "s", "v")]),
    ),
    notes=("n",),
)
OUTCOMES = [
    ("done", EVIDENCE),
    ("done", None),
    ("done", "a text"),
    ("done", Unanswered("nothing", blank=True)),
    ("done", Waiting("look", 3, None)),
    (
        "done",
        Assessed(
            (AssessedQuantity("q", 0.5, 0.0, "value", "m", Mistake("sign", "t")),),
            (AssessedFormula(1, "<math/>", "", "right"),),
            ("note",),
        ),
    ),
    ("failure", ["mismatch", "no", Cause("factor", "twice")]),
    ("unreadable", "KeyError: 1"),
]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
def test_what_comes_back_is_what_was_found(outcome):
    back = apart._unpacked(apart._packed(outcome))
    assert repr(back) == repr(outcome if outcome[1] is not EVIDENCE else clipped())


def clipped():
    from grader.reports import clipping

    return "done", clipping.evidence(
        Evidence(
            {**EVIDENCE.values, "np": 2.0},
            *(EVIDENCE.findings, EVIDENCE.measurements, EVIDENCE.figures, EVIDENCE.notes),
        )
    )


@pytest.mark.parametrize(
    ("kind", "found", "raised"),
    [
        ("failure", ["mismatch", "no", None], Failure),
        ("blocked", ["missing", "no", None], Blocked),
        ("pending", ["look", "a.txt", "text"], Pending),
        ("unreadable", "KeyError: 1", apart.MadeUpError),
        ("broken", "ours", BrokenError),
    ],
)
def test_what_was_raised_is_raised_again(kind, found, raised):
    with pytest.raises(raised):
        apart._settled((kind, found))
