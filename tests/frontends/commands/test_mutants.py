"""``grader verify --mutants``: what no check sees is listed, and what computes the same is not."""

import json

import numpy as np
import pytest

from grader.assignment.resized import ResizedAssignment
from tests.checks.toy import make

CHECKS = """
      - {id: q1.1, title: head, points: 2, kind: forward, function: head, returns: [y]}
      - {id: q1.2, title: twice, points: 2, kind: forward, function: twice, returns: [y],
         builds_on: [head], follow_through: 1}
"""
TOY = """
def head(x):
    first = x[0:4]
    return first * 2


def twice(x):
    return head(x) + head(x)
"""
CASES = """
from grader.author import Case

def head(rng):
    yield Case("three", {"x": rng.normal(size=LENGTH)})

twice = head
"""
LISTED = """
- function: head
  diff: |
    -    first = x[0:4]
    +    first = x[0:]
  reason: nobody hands in more than four
"""


@pytest.fixture
def length():
    """How long the only case is: too short to show where ``head`` ends."""
    return 3


@pytest.fixture
def rubric(open_folder, length):
    """A rubric with one case."""
    path = make(open_folder, CHECKS)
    for place in ("reference", "reference/submissions/full_marks/plain"):
        (open_folder / place).mkdir(parents=True, exist_ok=True)
        (open_folder / place / "toy.py").write_text(TOY)
    (open_folder / "reference/submissions/full_marks/plain/expected.yaml").write_text("loses: {}\n")
    (open_folder / "reference/cases/toy.py").write_text(CASES.replace("LENGTH", str(length)))
    return path


@pytest.fixture
def verify(run_cli, rubric, tmp_path):
    def run(*arguments):
        options = ("--rubric", rubric, "--out", tmp_path / "out", "--jobs", 1)
        ran = run_cli("verify", "--mutants", *arguments, *options)
        path = tmp_path / "out" / "mutants.json"
        return ran, json.loads(path.read_text()) if path.exists() else []

    return run


def of(rows, changed):
    """Return the one row whose changed line is this one."""
    (row,) = [row for row in rows if row["diff"].splitlines()[-1].strip("+ ") == changed]
    return row


def test_mutants_are_killed_equivalent_or_listed_one_by_one(verify, rubric):
    ran, rows = verify("full_marks/plain")
    assert ran.status == 1, ran.err
    # Killed, by its own check and by no other: twice was tried with a right head.
    killed = of(rows, "return first / 2")
    assert (killed["fate"], killed["by_own"], killed["once"]) == ("killed", True, True)
    assert killed["lost"] == {"q1.1": 2.0}
    assert of(rows, "first = x[:4]")["fate"] == "equivalent"
    whole = of(rows, "first = x[0:]")
    assert whole["fate"] == "alive"
    assert whole["why"].startswith("it loses points with other sizes (")
    assert "alive: full_marks/plain/toy.py, line 3, head (bound dropped)" in ran.out
    assert "-    first = x[0:4]\n+    first = x[0:]\n" in ran.out
    alive = [row for row in rows if row["fate"] == "alive"]
    assert ran.out.count("alive: ") == len(alive) > 0


@pytest.mark.parametrize("length", [6])
def test_a_case_that_is_long_enough_shows_all_of_them(verify):
    ran, rows = verify("full_marks/plain")
    assert {row["fate"] for row in rows} == {"killed", "equivalent"}
    assert ran.status == 0, ran.out + ran.err


def test_a_listed_mutant_is_not_alive(verify, rubric):
    path = rubric.parent / "reference" / "submissions" / "equivalent_mutants.yaml"
    path.write_text(LISTED)
    _ran, rows = verify("full_marks/plain/toy.py:head")
    assert {row["function"] for row in rows} == {"head"}
    row = of(rows, "first = x[0:]")
    assert (row["fate"], row["why"]) == ("listed", "nobody hands in more than four")
    path.write_text("- function: head\n  reason: none\n")
    ran, _rows = verify("reference")
    assert ran.status == 2
    assert "equivalent_mutants.yaml:1: " in ran.err
    path.write_text(LISTED.replace("function: head", "function: haed"))
    ran, _rows = verify("reference")
    assert ran.status == 2
    assert "no right program has a function 'haed' (did you mean 'head'?)" in ran.err


def test_pairs_have_two_changes_and_samples_are_repeated(verify):
    ran, rows = verify("reference", "--pairs", "--sample", 4)
    assert 0 < len(rows) <= 4
    counted = sum(row["named"] != "no pair" for row in rows)
    assert f" of {counted} pairs; one hides the other in " in ran.out
    assert all(len(row["alone"]) == 2 for row in rows)
    for row in rows:
        alone = {one["fate"] for one in row["alone"]}
        assert (row["named"] == "no pair") == (alone != {"killed"})
    assert all(row["first"] and row["first"] != row["diff"] for row in rows)
    assert verify("reference", "--pairs", "--sample", 4)[1] == rows


def test_a_rewrite_that_loses_points_is_listed(run_cli, rubric):
    plain = ("verify", "--rewrites", "full_marks/plain", "--rubric", rubric, "--jobs", 1)
    ran = run_cli(*plain)
    assert ran.status == 0, ran.out + ran.err
    assert "temporary" in ran.out
    # A program that gives something else under another name is not one that a rewrite may make.
    path = rubric.parent / "reference" / "submissions" / "full_marks" / "plain" / "toy.py"
    path.write_text(TOY.replace("first * 2", "first * 2 if 'first' in locals() else first"))
    ran = run_cli(*plain)
    assert ran.status == 1
    assert "killed: full_marks/plain/toy.py, line 3, head (another name): q1.1 loses 2" in ran.out


def test_what_does_not_fit_is_refused(verify, run_cli, rubric):
    ran, _rows = verify("wrong/*")
    assert ran.status == 2
    assert "no such right program (there are reference, full_marks/plain;" in ran.err
    ran = run_cli("verify", "--pairs", "--rubric", rubric)
    assert "--pairs needs --mutants" in ran.err
    ran = run_cli("verify", "--mutants", "--rewrites", "--rubric", rubric)
    assert "--mutants and --rewrites: choose one" in ran.err


def test_axes_that_belong_together_stay_together(tmp_path):
    make(tmp_path, CHECKS)
    (tmp_path / "reference" / "toy.py").write_text(
        "def head(x, w, u, h):\n    return x @ w + h @ u\n"
    )
    (tmp_path / "reference" / "cases" / "toy.py").write_text(
        "from grader.author import Case\n"
        "def head(rng):\n    for n, d, k in ((3, 4, 5), (4, 7, 2)):\n"
        "        yield Case('a', {'x': rng.normal(size=(n, d)), 'w': rng.normal(size=(d, 4 * k)),\n"
        "              'u': rng.normal(size=(k, 4 * k)), 'h': rng.normal(size=(n, k))})\n"
    )
    assignment = ResizedAssignment(tmp_path / "reference")
    orders = set()
    for seed in range(40):
        for case in assignment.cases("toy.py", "head", seed):
            x, w, u, h = (case.arguments[name] for name in "xwuh")
            assert (len(x), x.shape[1], h.shape[1]) == (len(h), len(w), len(u))
            assert w.shape[1] == u.shape[1] == 4 * len(u)
            orders.add(tuple(np.argsort([len(x), len(w), len(u)]).tolist()))
    assert assignment.resized == {"head"}
    assert len(orders) == 6
