"""A new kind costs one file and one line: no other room of the engine knows a key of it."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import CLASSES, KINDS
from grader.errors import RubricError
from grader.frontends.student import bundle, replay, screen
from grader.frontends.student.look import HomeJob, chosen
from grader.frontends.student.record import record
from grader.frontends.student.staged import StudentFolder
from grader.frontends.student.watch import concerned
from grader.intake.wanted import asked_by
from grader.job import Settings
from tests.checks import toy_kind
from tests.checks.toy import make

CHECK = """
      - id: q1.1
        title: twice and its total
        points: 4
        kind: total
        function: twice
        sum_of: shifted
        hint: Add them up.
"""
SOLUTION = """
    def twice(x):
        return 2 * x

    def shifted(x):
        return twice(x) + 1
    """
WRONG = SOLUTION.replace("+ 1", "+ 2")
CASES = """
    from grader.author import Case

    def shifted(rng):
        yield Case("five", {"x": rng.uniform(size=5)})
    """


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setitem(CLASSES, "total", toy_kind.LINE["total"])
    made = make(tmp_path, CHECK)
    (tmp_path / "reference/toy.py").write_text(dedent(SOLUTION))
    (tmp_path / "reference/cases/toy.py").write_text(dedent(CASES))
    (tmp_path / "submissions_template/toy.py").write_text(dedent(SOLUTION))
    return made


@pytest.fixture
def home(path, tmp_path):
    """What students are given, unpacked: no reference, no rubric."""
    folder = tmp_path / "home"
    for name, data in record(load_rubric(path, KINDS), seed=7).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


@pytest.mark.parametrize(("text", "points"), [(SOLUTION, 4), (WRONG, 0)], ids=["right", "wrong"])
def test_it_is_graded_and_shown(text, points, path, tmp_path, grade):
    handed_in = tmp_path / "ada"
    handed_in.mkdir()
    (handed_in / "toy.py").write_text(dedent(text))
    ran, reports = grade(handed_in, options=("--rubric", path))
    assert ran.status == 0, ran.out + ran.err
    (check,) = reports["ada"]["questions"][0]["checks"]
    assert (check["kind"], check["points"]) == ("total", points)
    assert check["measurements"]["total"] > 5
    page = (tmp_path / "out/ada/report.html").read_text()
    assert ("the sum is" in page) == ("Add them up." in page) == (points == 0)


def test_its_keys_are_read_strictly(path):
    path.write_text(path.read_text().replace("sum_of: shifted", "sum_off: shifted"))
    with pytest.raises(RubricError, match=r"unknown key 'sum_off' \(did you mean 'sum_of'"):
        load_rubric(path, KINDS)


def test_both_of_its_functions_are_asked_of_what_is_handed_in(path):
    assert asked_by(load_rubric(path, KINDS)) == ({"toy.py": {"twice", "shifted"}}, [])


def test_it_is_recorded_for_students_who_see_the_same_message(path, home, tmp_path):
    rubric = load_rubric(path, KINDS)
    given = replay.load(home)
    assert given.asked == asked_by(rubric)
    at_home = given.rubric({"q1.1"})
    settings = Settings(seed=json.loads((home / "recorded/checks.json").read_text())["seed"])
    for text, outcome in ((SOLUTION, "passed"), (WRONG, "failed")):
        (tmp_path / "handed_in").mkdir(exist_ok=True)
        (tmp_path / "handed_in/toy.py").write_text(dedent(text))
        checks = chosen(at_home, {"q1.1"})
        job = HomeJob(at_home, given.assignment(at_home), tmp_path / "handed_in", checks, settings)
        (result,) = job.run(checks)
        assert result.outcome == outcome, result.message
        assert len(screen.lines(result)) == (1 if outcome == "passed" else 3)
        with job.staged() as here:
            assert isinstance(here, StudentFolder)
            assert concerned(here, *checks[0]) == {"toy.py"}


def test_it_is_in_the_bundle(path):
    archive = bundle.build(load_rubric(path, KINDS), Path(path.parent / "submissions_template"))
    assert b"recorded/q1.1.npz" in archive
