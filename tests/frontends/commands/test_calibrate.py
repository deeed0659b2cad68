"""``grader calibrate``: margins of a toy assignment, kept runs, a page, and a changed rubric."""

import json

import pytest

from tests.checks.toy import make

CHECKS = """
      - {id: q1.1, title: head, points: 4, kind: forward, function: head, returns: [y]}
"""
TOY = """
def head(x):
    return x * 2.0
"""
CASES = """
from grader.author import Case

def head(rng):
    yield Case("three", {"x": rng.normal(size=3)})
"""
WRONG = "mistake: One value is off by a little.\nloses:\n  q1.1: {points: 4}\n"


@pytest.fixture
def off():
    """By how much the wrong example is off, relative to the right values."""
    return 0.5


@pytest.fixture
def rubric(open_folder, off):
    """A rubric with a right and a wrong example."""
    path = make(open_folder, CHECKS)
    examples = open_folder / "reference" / "submissions"
    for name, text, claims in (
        ("full_marks/plain", TOY, "loses: {}\n"),
        ("full_marks/again", TOY, "loses: {}\n"),
        ("full_marks/rounds", TOY.replace("x * 2.0", "x * 0.1 * 20.0"), "loses: {}\n"),
        ("wrong/off", TOY.replace("2.0", f"{2.0 * (1 + off)!r}"), WRONG),
    ):
        (examples / name).mkdir(parents=True)
        (examples / name / "toy.py").write_text(text)
        (examples / name / "expected.yaml").write_text(claims)
    (open_folder / "reference/toy.py").write_text(TOY)
    (open_folder / "reference/cases/toy.py").write_text(CASES)
    return path


@pytest.fixture
def calibrate(run_cli, rubric, tmp_path):
    out = tmp_path / "out"

    def run(*arguments):
        ran = run_cli("calibrate", *arguments, "--rubric", rubric, "--out", out, "--jobs", 1)
        path = out / "runs.jsonl"
        runs = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return ran, runs

    return run


def test_runs_are_kept_and_more_seeds_add_to_them(calibrate, tmp_path):
    ran, runs = calibrate("--seeds", 2, "--changed", 0)
    assert ran.status == 0, ran.err
    assert "no change of the rubric is needed" in ran.out
    # Two equal programs are one; each of the three others ran with two seeds.
    assert len(runs) == 6
    assert {run["role"] for run in runs if run["program"] == "wrong/off"} == {"wrong"}
    wrong = [run["values"]["y"] for run in runs if run["role"] == "wrong"]
    assert all(share == pytest.approx(5.0e5, rel=0.02) for share in wrong)  # rtol is 1e-6
    right = [run["values"]["y"] for run in runs if run["role"] == "right"]
    assert 0 < max(right) < 1.0e-9
    page = (tmp_path / "out" / "calibration.md").read_text()
    assert "| q1.1 | 4 | " in page
    assert (tmp_path / "out" / "margins.svg").read_text().rstrip().endswith("</svg>")
    ran, more = calibrate("--seeds", 3, "--changed", 0)
    assert more[:6] == runs
    assert {run["seed"] for run in more[6:]} == {max(run["seed"] for run in more)}
    assert len(more) == 9


def seeds_of(runs):
    return {
        role: len({r["seed"] for r in runs if r["role"] == role}) for role in ("right", "wrong")
    }


def test_wrong_programs_run_on_five_seeds_unless_they_are_named(calibrate):
    ran, runs = calibrate("--seeds", 7, "--changed", 0)
    assert ran.status == 0, ran.err
    assert seeds_of(runs) == {"right": 7, "wrong": 5}
    ran, runs = calibrate("--seeds", 7, "--changed", 0, "--example", "wrong/*")
    assert ran.status == 0, ran.err
    assert seeds_of(runs) == {"right": 7, "wrong": 7}


def test_examples_can_be_chosen(calibrate):
    ran, runs = calibrate("--seeds", 1, "--changed", 0, "--example", "wrong/*",
                          "--example", "full_marks/plain")  # fmt: skip
    assert ran.status == 0, ran.err
    assert {run["program"] for run in runs} == {"full_marks/plain", "wrong/off"}
    ran, _runs = calibrate("--example", "wrong/nobody")
    assert ran.status == 2
    assert "wrong/nobody: no such example" in ran.err


def test_changed_programs_count_on_both_sides(calibrate):
    ran, runs = calibrate("--seeds", 1, "--changed", 5)
    assert ran.status == 0, ran.err
    changed = [run for run in runs if ", line " in run["program"]]
    assert {run["role"] for run in changed} == {"right", "wrong"}
    assert all(run["earned"] == 1 for run in changed if run["role"] == "right")


@pytest.mark.parametrize("off", [3.0e-6])
def test_a_wrong_program_that_is_nearly_allowed_makes_the_tolerance_smaller(calibrate, rubric):
    before = rubric.read_text()
    ran, _runs = calibrate("--seeds", 1, "--changed", 0)
    assert ran.status == 1
    assert "too generous: wrong/off differs by only 3 times as much" in " ".join(ran.out.split())
    assert "q1.1: rtol: 1.0e-6 -> 2.0e-7" in ran.out
    assert rubric.read_text() == before
    ran, runs = calibrate("--seeds", 1, "--changed", 0, "--write")
    assert ran.status == 0
    assert f"changed: {rubric}" in ran.out
    assert rubric.read_text() != before
    # The rubric is right now; all ran again, since differences are kept as shares of the tolerance.
    ran, more = calibrate("--seeds", 1, "--changed", 0)
    assert (ran.status, len(more)) == (0, 2 * len(runs))


def test_a_check_without_values_is_one_message(calibrate):
    ran, _runs = calibrate("q9.*")
    assert ran.status == 2
    assert "q9.*: no such check of values or of training (there are q1.1)" in ran.err
