"""Sizes of cases in the rubric: a generator has no constants of its own."""

import re
from textwrap import dedent

import pytest

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import BrokenError, RubricError
from tests.checks.toy import judged, make

CHECKS = """
      - id: q1.1
        title: scale
        points: 2
        kind: forward
        function: scale
        returns: [out]
        sizes: &sizes
          values: [{N: 3, D: 4}, {N: 2, D: 5}]
          edge_cases: [{N: 1, D: 1, dtype: float32}]
        shares: {values: 0.5, edge_cases: 0.5}
      - id: q1.2
        title: scale, gradient
        points: 1
        kind: gradient
        function: scale_backward
        forward: scale
        returns: [out]
        gradients: {dx: x}
        sizes: *sizes
      - id: q1.3
        title: scale, values
        points: 1
        kind: values
        function: scale
        call: [x]
        outputs: {out: 1}
        sizes: {values: [{N: 2, D: 3}]}
"""
SOLUTION = """
    def scale(x):
        return 2 * x

    def scale_backward(dout):
        return 2 * dout
    """
CASES = """
    from grader.author import Case

    def scale(rng, N, D, dtype="float64"):
        return {"x": rng.normal(size=(N, D)).astype(dtype)}
    """


def path(folder, checks=CHECKS, cases=CASES):
    made = make(folder, checks)
    (folder / "reference/toy.py").write_text(dedent(SOLUTION))
    (folder / "reference/cases/toy.py").write_text(dedent(cases))
    (folder / "submissions_template/toy.py").write_text(dedent(SOLUTION))
    return made


def test_each_size_is_a_case_of_its_group(tmp_path):
    rubric = load_rubric(path(tmp_path), KINDS)
    check = rubric.questions[0].checks[0]
    cases = Assignment(rubric.reference).cases("toy.py", "scale", 3, check.drawn)
    found = [(case.name, case.group, case.arguments["x"].shape) for case in cases]
    assert found == [
        ("N=3 D=4", "values", (3, 4)),
        ("N=2 D=5", "values", (2, 5)),
        ("N=1 D=1 dtype=float32", "edge_cases", (1, 1)),
    ]
    assert cases[2].arguments["x"].dtype == "float32"
    again = Assignment(rubric.reference).cases("toy.py", "scale", 4, check.drawn)
    assert (again[0].arguments["x"] != cases[0].arguments["x"]).all()


def test_a_generator_may_name_its_cases(tmp_path):
    named = CASES.replace("return {", 'return Case(f"{N} rows", {').replace("(dtype)}", "(dtype)})")
    rubric = load_rubric(path(tmp_path, cases=named), KINDS)
    check = rubric.questions[0].checks[0]
    cases = Assignment(rubric.reference).cases("toy.py", "scale", 3, check.drawn)
    assert [(case.name, case.group) for case in cases][2] == ("1 rows", "edge_cases")


@pytest.mark.parametrize(
    ("text", "points"),
    [
        (SOLUTION, [2, 1, 1]),
        (SOLUTION.replace("2 * x", "2 * x if len(x) > 1 else x"), [1, 1, 1]),
        (SOLUTION.replace("2 * x", "3 * x"), [0, 1, 0]),
        (SOLUTION.replace("2 * dout", "dout"), [2, 0, 1]),
    ],
)
def test_forward_gradient_and_values_are_judged_on_these_cases(
    text, points, tmp_path, fork_servers
):
    results = judged(path(tmp_path), {"toy.py": text}, fork_servers)
    assert [result.points for result in results.values()] == points
    if points[0] == 1:
        assert "case N=1 D=1 dtype=float32" in results["q1.1"].message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{N: 3, D: 4}", "{N: 3, d: 4}", "sizes: values: the generator scale takes no 'd' (did"),
        ("{N: 3, D: 4}", "{N: 3, D: 4, Width: 2}", "takes no 'Width' (it takes N, D, dtype)"),
        ("{N: 3, D: 4}", "{N: 3}", "sizes: values: 'D' is missing, which the generator scale"),
        ("{N: 3, D: 4}", "{}", "sizes.values.0: {}: dictionary should have at least 1 item"),
        ("{N: 3, D: 4}", "{N: [3]}", "sizes.values.0.N"),
        ("edge_cases: [", "edges: [", "shares: no case belongs to the group 'edge_cases'"),
        (
            "        sizes: {values: [{N: 2, D: 3}]}\n",
            "",
            "q1.3: sizes: the generator scale needs N",
        ),
    ],
)
def test_sizes_that_do_not_fit_are_problems_of_the_rubric(old, new, words, tmp_path):
    assert old in CHECKS
    with pytest.raises(RubricError, match=re.escape(words)) as caught:
        load_rubric(path(tmp_path, CHECKS.replace(old, new, 1)), KINDS)
    assert all(re.search(r"rubric.yaml:\d+: ", problem) for problem in caught.value.problems)


NEGATIVE = (
    "{N: -3, D: 4}: the generator scale raised ValueError: negative dimensions are not allowed "
    "(reference/cases/toy.py, line 5); change this size or the generator"
)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ("{N: -3, D: 4}", NEGATIVE),
        ("{N: 3.5, D: 4}", "raised TypeError: 'float' object cannot be interpreted as an integer"),
        ("{N: 3, D: 4, dtype: floot}", "{N: 3, D: 4, dtype: floot}: the generator scale raised"),
    ],
)
def test_sizes_that_the_generator_cannot_draw_are_problems_in_their_line(size, words, tmp_path):
    checks = CHECKS.replace("{N: 3, D: 4}, {N: 2, D: 5}", f"{{N: 3, D: 4}},\n            {size}")
    with pytest.raises(RubricError) as caught:
        load_rubric(path(tmp_path, checks), KINDS)
    line = (tmp_path / "rubric.yaml").read_text().splitlines().index(f"            {size}]") + 1
    for name, problem in zip(("q1.1", "q1.2"), caught.value.problems, strict=True):
        assert problem.startswith(f"{tmp_path}/rubric.yaml:{line}: {name}: sizes.values.1: ")
        assert words in problem


def test_every_size_that_the_generator_cannot_draw_is_reported_at_once(tmp_path):
    checks = CHECKS.replace("{N: 3, D: 4}", "{N: -3, D: 4}").replace("N: 1, D: 1", "N: 1, D: -1")
    with pytest.raises(RubricError) as caught:
        load_rubric(path(tmp_path, checks), KINDS)
    found = [problem.split(": ")[1:3] for problem in caught.value.problems]
    places = ("sizes.values.0", "sizes.edge_cases.0")
    assert found == [[check, place] for place in places for check in ("q1.1", "q1.2")]


def test_a_generator_that_raises_only_while_grading_breaks_the_check(tmp_path):
    late = """
        from pathlib import Path

        def scale(rng, N, D, dtype="float64"):
            if Path(__file__).with_name("late").exists():
                1 / 0
            return {"x": rng.normal(size=(N, D)).astype(dtype)}
        """
    rubric = load_rubric(path(tmp_path, cases=late), KINDS)
    (tmp_path / "reference/cases/late").touch()
    check = rubric.questions[0].checks[0]
    with pytest.raises(BrokenError, match=r"\{N: 3, D: 4\}: .* ZeroDivisionError: division by"):
        Assignment(rubric.reference).cases("toy.py", "scale", 3, check.drawn)


def test_an_old_generator_goes_on_working_and_takes_no_sizes(tmp_path):
    old = """
        from grader.author import Case

        def scale(rng):
            yield Case("three", {"x": rng.normal(size=(3, 4))})
        """
    without = re.sub(r"        sizes: (&sizes\n.*\n.*|.*)\n", "", CHECKS)
    without = without.replace("        shares: {values: 0.5, edge_cases: 0.5}\n", "")
    assert "sizes" not in without
    assert load_rubric(path(tmp_path / "a", without, old), KINDS).max_score == 4
    with pytest.raises(RubricError, match=r"q1\.3: sizes: .* takes no sizes"):
        load_rubric(path(tmp_path / "b", CHECKS, old), KINDS)
