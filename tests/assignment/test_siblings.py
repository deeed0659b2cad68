"""Right solutions handed in for each other's questions, and what is wrong with their list."""

from textwrap import dedent

import pytest
from click.testing import CliRunner

from grader.assignment import siblings
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.cli import main
from grader.errors import RubricError, UsageError
from tests.checks.toy import make

CHECKS = """
      - {id: q1.1, title: double, points: 2, kind: forward, function: double, returns: [y]}
      - {id: q1.2, title: square, points: 2, kind: forward, function: square, returns: [y]}
"""
TOY = "def double(x):\n    return 2 * x\n\n\ndef square(x):\n    return x * x\n"
CASES = """
    from grader.author import Case

    def double(rng):
        yield Case("three", {"x": rng.normal(size=3)})

    square = double
    """
FAMILIES = """
- title: functions
  base: full_marks/plain
  module: toy.py
  members: {q1.1: double, q1.2: square}
  code: |
    ASKED = HANDED
"""


def rubric(folder, families=FAMILIES, toy=TOY):
    path = make(folder, CHECKS)
    plain = folder / "reference" / "submissions" / "full_marks" / "plain"
    plain.mkdir(parents=True)
    (folder / "reference" / "toy.py").write_text(TOY)
    (folder / "reference" / "cases").mkdir(exist_ok=True)
    (folder / "reference" / "cases" / "toy.py").write_text(dedent(CASES))
    (plain / "toy.py").write_text(toy)
    (plain / "expected.yaml").write_text("note: right\n")
    (plain.parents[1] / "families.yaml").write_text(families)
    return path


def printed(path, *options):
    found = CliRunner().invoke(
        main, ["verify", "--confusion-matrix", "--rubric", str(path), "--jobs", "1", *options]
    )
    return found.exit_code, found.output


def test_the_matrix_has_all_points_on_its_diagonal_alone(tmp_path):
    status, text = printed(rubric(tmp_path))
    assert status == 0
    assert "4 of 4 cells are as they must be" in text
    rows = {line.split()[1]: line.split()[2:] for line in text.splitlines() if line[:2] == "q1"}
    assert rows["double"] == ["2", "/", "2", "0", "/", "2"]
    assert rows["square"] == ["0", "/", "2", "2", "/", "2"]


def test_a_check_that_takes_the_wrong_solution_is_named(tmp_path):
    """Doubling where squaring is asked; the cases of the toy cannot tell."""
    path = rubric(tmp_path)
    cases = tmp_path / "reference" / "cases" / "toy.py"
    cases.write_text(cases.read_text().replace("rng.normal(size=3)", "2 + 0 * rng.normal(size=3)"))
    status, text = printed(path)
    assert status == 1
    assert "q1.2 handed in for q1.1 loses 0 of at least 1 points" in text
    assert "2 of 4 cells are as they must be" in text


def test_a_wrong_solution_on_the_diagonal_is_named(tmp_path):
    status, text = printed(rubric(tmp_path, toy=TOY.replace("2 * x", "3 * x")))
    assert status == 1
    assert "q1.1 handed in for q1.1 loses 2 points of its own" in text


def test_what_is_rightly_the_same_must_keep_its_points(tmp_path):
    same = FAMILIES.replace("  code:", "  same: {q1.1: [q1.2]}\n  code:")
    status, text = printed(rubric(tmp_path, same))
    assert status == 1
    assert "q1.2 handed in for q1.1 loses 2 points of its own" in text


def test_patterns_choose_families(tmp_path):
    families = siblings.load_families(load_rubric(rubric(tmp_path), KINDS))
    assert siblings.matching_families(families, ["q1.*"]) == families
    with pytest.raises(UsageError, match=r"q2\.1: no family has such a check"):
        siblings.matching_families(families, ["q2.1"])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("q1.2: square", "q1.9: square", "families.yaml:5: members: there is no check 'q1.9'"),
        ("plain\n", "plane\n", "no file full_marks/plane/toy.py"),
        ("ASKED = HANDED", "pass", "must name ASKED and HANDED"),
        ("title: functions", "name: functions", "unknown key 'name'"),
        ("  code:", "  same: {q1.1: [q1.3]}\n  code:", "same: there is no check 'q1.3'"),
    ],
)
def test_problems_have_their_lines(tmp_path, old, new, words):
    loaded = load_rubric(rubric(tmp_path, FAMILIES.replace(old, new)), KINDS)
    with pytest.raises(RubricError) as caught:
        siblings.load_families(loaded)
    assert words in str(caught.value)


def test_a_list_that_is_missing_or_empty(tmp_path):
    path = rubric(tmp_path, "")
    with pytest.raises(RubricError, match="is empty"):
        siblings.load_families(load_rubric(path, KINDS))
    for text, words in (("[]", "must list at least one family"), ("{}", "a list of families")):
        (tmp_path / "reference" / "submissions" / "families.yaml").write_text(text)
        with pytest.raises(RubricError, match=words):
            siblings.load_families(load_rubric(path, KINDS))
    (tmp_path / "reference" / "submissions" / "families.yaml").unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        siblings.load_families(load_rubric(path, KINDS))
