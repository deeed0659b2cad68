"""Kind ``values``: near misses of what a driver returns, groups of cases, and follow-through."""

import re

import pytest

from grader.errors import RubricError
from tests.checks.toy import FILES, judged, make

CHECK = """
      - id: q1.1
        title: line
        points: 4
        kind: values
        function: Line
        driver: toy.line
        cases: line
        shares: {values: 0.75, edge_cases: 0.25}
        outputs: {value: 0.6, slope: 0.4}
"""
RIGHT = """
import numpy as np

def doubled(x):
    return 2 * x

class Line:
    def __init__(self, slope):
        self.slope = doubled(slope) / 2

    def value(self, x):
        return self.slope * x
"""
# Of the value v: what is returned in its place, and the reason that the report gives.
NEAR_MISSES = {
    "scaled by 1.001": ("1.001 * v", "mismatch"),
    "scaled by 0.999": ("0.999 * v", "mismatch"),
    "turned around": ("-v", "mismatch"),
    "one entry": ("v + 1e-3 * (np.arange(v.size) == 0)", "mismatch"),
    "one entry is NaN": ("np.where(np.arange(v.size) == 0, np.nan, v)", "not_finite"),
    "infinite": ("v + np.inf", "not_finite"),
    "one axis more": ("v[None]", "wrong_shape"),
    "complex": ("v + 0j", "wrong_dtype"),
}
# Another check is about a function that the line builds on.
DOUBLED = """
      - {id: q1.2, title: doubled, points: 1, kind: forward, function: doubled, returns: [out],
         timeout_s: 1}
"""
WRONG_HELPERS = [
    "3 * x", "0 * x", "None", "1 / 0", "x.no_such_thing", "exec('while True: pass')",
    "__import__('os')._exit(0)",
]  # fmt: skip


@pytest.fixture
def graded(tmp_path, fork_servers, monkeypatch):
    """Judge a module ``toy.py`` with the check."""

    def run(source=RIGHT, check=CHECK, **more):
        for name, text in more.items():
            file = f"reference/{name}/toy.py"
            monkeypatch.setitem(FILES, file, FILES[file] + text)
        rubric = make(tmp_path, check)
        return judged(rubric, {"toy.py": source}, fork_servers)["q1.1"]

    return run


def valued(text):
    assert "return self.slope * x" in RIGHT
    return RIGHT.replace("return self.slope * x", f"v = self.slope * x\n        return {text}")


def earned(result):
    return {part.name: part.earned for part in result.parts}


def test_a_right_class_earns_everything(graded):
    result = graded()
    assert (result.outcome, result.points, result.message) == ("passed", 4, "")


@pytest.mark.parametrize("miss", NEAR_MISSES)
def test_a_near_miss_costs_its_output_alone(miss, graded):
    text, reason = NEAR_MISSES[miss]
    result = graded(valued(text))
    # In the edge case x is zero, and so is a multiple of it: it counts for nothing by itself.
    assert earned(result) == {"value": 0, "slope": 1}
    assert (result.outcome, result.reason) == ("partial", reason)
    assert result.points == pytest.approx(1.6)
    assert "value" in result.message


@pytest.mark.parametrize(("factor", "points"), [("1 + 0.9e-6", 4), ("1 + 1.2e-6", 1.6)])
def test_the_tolerance_is_met_to_a_tenth_of_itself(factor, points, graded):
    check = f"{CHECK}        rtol: 1.0e-6\n        atol: 0.0\n"
    assert graded(valued(f"v * ({factor})"), check).points == pytest.approx(points)


def test_an_edge_case_costs_its_share_of_its_output(graded):
    result = graded(valued("v + (len(x) == 1)"))
    assert earned(result) == {"value": 0.75, "slope": 1}
    assert "edge_cases" in result.message


def test_an_output_of_the_wrong_kind_costs_its_share(graded):
    result = graded(RIGHT.replace("doubled(slope) / 2", "str(slope)\n").replace(
        "self.slope * x", "float(self.slope) * x"))  # fmt: skip
    assert earned(result) == {"value": 1, "slope": 0}


@pytest.mark.parametrize("helper", WRONG_HELPERS)
@pytest.mark.parametrize("fraction", [0.5, 1])
def test_what_is_right_once_the_helper_is_earns_its_fraction(fraction, helper, graded):
    check = f"{CHECK}        builds_on: [doubled]\n        follow_through: {fraction}\n"
    check = check.replace("points: 4", "points: 3\n        timeout_s: 1") + DOUBLED
    wrong = RIGHT.replace("return 2 * x", f"return {helper}")
    result = graded(wrong, check)
    if fraction == 1:
        assert (result.outcome, result.points) == ("passed", 3)
        assert "right when tested with a right doubled" in result.notes[-1]
    else:
        assert (result.outcome, result.reason is not None) == ("partial", True)
        assert "right when tested with a right doubled" in result.message


@pytest.mark.parametrize("factor", ["1.001", "0.999", "-1"])
def test_a_mistake_of_its_own_on_top_is_not_followed(factor, graded):
    check = f"{CHECK}        builds_on: [doubled]\n        follow_through: 1\n"
    check = check.replace("points: 4", "points: 3") + DOUBLED
    wrong = valued(f"{factor} * v").replace("return 2 * x", "return 3 * x")
    result = graded(wrong, check)
    assert earned(result) == {"value": 0, "slope": 1}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("outputs: {value: 0.6, slope: 0.4}", "outputs: {value: 0.6, slopes: 0.4}", "'slopes'"),
        ("outputs: {value: 0.6, slope: 0.4}", "outputs: {value: 0.6}", "0.6"),
        (
            "outputs: {value: 0.6",
            "follow_through: 0.5\n        outputs: {value: 0.6",
            "builds_on",
        ),
    ],
)
def test_a_check_that_does_not_fit_the_reference_is_refused(old, new, problem, graded):
    assert old in CHECK
    with pytest.raises(RubricError, match=re.escape(problem)):
        graded(RIGHT, CHECK.replace(old, new))
