"""Margins around a tolerance, and the changes of a rubric that would make them."""

import math

import pytest
import yaml

from grader.assignment.rubric import load_rubric
from grader.calibration import proposals
from grader.calibration.kept_runs import NAME, KeptRuns, MeasuredRun
from grader.calibration.margins import margins_of, rounded
from grader.calibration.proposals import RubricChange
from grader.checks import KINDS
from grader.errors import UsageError
from tests.conftest import ROOT


def run(role, share, *, program="p", earned=1.0, check="q1", seed=0):
    return MeasuredRun(
        check, program, role, seed, "mini", "stamp", earned, {"dx": share, "db": 0.0}
    )


@pytest.mark.parametrize(
    ("right", "wrong", "factor", "said"),
    [
        (1e-9, 1e6, 1.0, ""),
        (0.1, 10.0, 1.0, ""),
        (0.5, 1e6, 5.0, "too strict: good uses 0.5 of the tolerance"),
        (3.0, 1e6, 30.0, "too strict: good uses 3 of the tolerance"),
        (1e-9, 2.0, 0.2, "too generous: bad differs by only 2 times as much"),
        (0.5, 20.0, math.nan, "no tolerance leaves a factor of 10"),
    ],
)
def test_the_factor_puts_the_tolerance_between_right_and_wrong(right, wrong, factor, said):
    found = margins_of("q1", [run("right", right, program="good"), run("right", right / 2),
                              run("wrong", wrong, program="bad", earned=0)])  # fmt: skip
    assert found is not None
    assert found.factor == pytest.approx(factor, nan_ok=True)
    assert said in found.verdict
    assert bool(said) == bool(found.verdict)


def test_wrong_programs_whose_values_do_not_differ_tell_nothing_of_a_tolerance():
    found = margins_of("q1", [run("right", 0.0), run("wrong", 0.2, earned=0)])
    assert found is not None
    assert (found.wrong, found.smallest, found.factor) == (0, math.inf, 1.0)
    assert margins_of("q1", [run("wrong", 5.0, earned=0)]) is None


@pytest.mark.parametrize(
    ("value", "nearest"), [(1e-7, 1e-7), (3e-7, 2e-7), (4e-5, 5e-5), (8e-3, 1e-2), (1.4e-9, 1e-9)]
)
def test_a_tolerance_has_one_digit(value, nearest):
    assert rounded(value) == pytest.approx(nearest, rel=1e-12)


def test_a_rubric_is_changed_in_its_own_text_and_nothing_else_of_it(tmp_path):
    path = tmp_path / "rubric.yaml"
    step = "function: rnn_step_forward\n"
    before = (ROOT / "rubric.yaml").read_text().replace(step, f"{step}        rtol: 1.0e-7\n", 1)
    path.write_text(before)
    changes = [
        RubricChange("q3.1", "rtol", 1e-7, 2e-6),
        RubricChange("q3.1", "atol", 1e-9, 5e-9),
        RubricChange("q6.4", "full_at", 0.94, 0.91, ("tiers", "mini")),
    ]
    after = proposals.written(path, changes)
    one, other = before.splitlines(), after.splitlines()
    assert [line for line in other if line not in one] == [
        "        atol: 5.0e-9",
        "        rtol: 2.0e-6",
        "          mini: {zero_at: 0.80, full_at: 0.91}",
    ]
    assert len(other) == len(one) + 1
    assert [line for line in one if line.strip().startswith("#")] == [
        line for line in other if line.strip().startswith("#")
    ]


def test_a_changed_rubric_says_what_was_meant(tmp_path):
    changes = [RubricChange("q3.1", "atol", 1e-9, 5e-9), RubricChange("q3.3", "rtol", 1e-6, 2e-6)]
    path = tmp_path / "rubric.yaml"
    path.write_text(proposals.written(ROOT / "rubric.yaml", changes))
    for folder in ("reference", "submissions_template"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    found = {c.id: c for q in load_rubric(path, KINDS, run_reference=False).questions
             for c in q.checks}  # fmt: skip
    assert found["q3.1"].atol == 5e-9
    assert found["q3.3"].rtol == 2e-6
    assert found["q3.2"].atol == 1e-9


def test_a_threshold_that_stands_elsewhere_is_to_be_changed_by_hand(tmp_path):
    path = tmp_path / "rubric.yaml"
    path.write_text(
        "questions:\n  - id: q1\n    checks:\n      - id: q1.1\n        kind: training\n"
        "        tiers: {mini: {zero_at: 0.5, full_at: 0.9}, full: {zero_at: 0.5, full_at: 0.8}}\n"
    )
    change = RubricChange("q1.1", "full_at", 0.9, 0.85, ("tiers", "mini"))
    with pytest.raises(UsageError, match=r"rubric.yaml:6: change q1.1: tiers.mini.full_at: 0.9"):
        proposals.written(path, [change])


RUBRIC = """questions:
  - id: q1
    checks:
{checks}
"""


@pytest.mark.parametrize(
    ("checks", "line"),
    [
        (
            "      - {id: q1.1, kind: forward}  # one",
            "      - {id: q1.1, rtol: 1.0e-5, kind: forward}  # one",
        ),
        ("      - kind: forward\n        id: q1.1", "        rtol: 1.0e-5"),
        ("      - id: q1.1\n        kind: forward", "        rtol: 1.0e-5"),
        (
            "      - id: q1.1\n        rtol: 2.0e-6  # why\n        kind: forward",
            "        rtol: 1.0e-5  # why",
        ),
        ("    - {id: q1.1,\n       kind: forward}", None),
    ],
    ids=["braces", "kind_first", "usual", "there", "braces_over_lines"],
)  # fmt: skip
def test_every_layout_is_changed_or_refused(checks, line, tmp_path):
    path = tmp_path / "rubric.yaml"
    path.write_text(RUBRIC.format(checks=checks))
    change = RubricChange("q1.1", "rtol", 1e-6, 1e-5)
    if line is None:
        with pytest.raises(UsageError, match=r"by hand: q1.1: rtol: 1.0e-6 -> 1.0e-5"):
            proposals.written(path, [change])
        return
    made = proposals.written(path, [change])
    assert line in made.splitlines()
    (check,) = yaml.safe_load(made)["questions"][0]["checks"]
    assert check == {"id": "q1.1", "kind": "forward", "rtol": 1e-5}


@pytest.mark.parametrize("value", [0.91, 1e-7, 2.5e-6, 1e-300, 0.0001, 12.0, 1e20, 0.0])
def test_a_number_is_written_as_one_for_yaml(value):
    assert yaml.safe_load(f"x: {proposals.number(value)}") == {"x": value}


def test_runs_are_kept_and_a_line_that_was_cut_off_is_not_one(tmp_path):
    kept = KeptRuns(tmp_path)
    first, second = run("right", 0.5), run("wrong", 5.0, seed=1, earned=0.25)
    kept.add(iter([first, second]))
    with (tmp_path / NAME).open("a") as file:
        file.write('{"check": "q1", "prog')
    again = KeptRuns(tmp_path)
    assert again[first.key] == first
    assert again[second.key] == second
    assert run("right", 0.5, seed=2).key not in again


def test_a_file_of_runs_that_holds_something_else_is_one_message(tmp_path):
    (tmp_path / NAME).write_text('{"score": 3}\n')
    with pytest.raises(UsageError, match=r"runs.jsonl:1: is not a run of grader calibrate"):
        KeptRuns(tmp_path)
