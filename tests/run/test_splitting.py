"""One submission in several processes gives the report that one process gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import BrokenError
from grader.job import Submitted
from grader.run import splitting
from tests.conftest import ROOT
from tests.run.test_resuming import Course, timeless

RUBRIC = load_rubric(ROOT / "rubric.yaml", KINDS, run_reference=False)
LIMITS = {check.id: check.timeout_s for q in RUBRIC.questions for check in q.checks}
ALL = frozenset(LIMITS)


def submitted(count, wanted=ALL):
    return [Submitted(f"s{number}", Path("."), frozenset(wanted)) for number in range(count)]


@pytest.mark.parametrize(
    ("count", "jobs", "parts"),
    [(1, 1, [1]), (1, 2, [2]), (1, 4, [4]), (2, 2, [1, 1]), (3, 2, [1, 1, 2]), (3, 4, [4, 4, 4])],
)
def test_only_what_would_leave_processes_idle_is_split(count, jobs, parts):
    found = splitting.split(RUBRIC, submitted(count), jobs)
    for number, expected in enumerate(parts):
        own = [one for one in found if one.identifier == f"s{number}"]
        assert [one.parts for one in own] == [expected] * expected
        assert [one.part for one in own] == list(range(expected))
        assert frozenset().union(*(one.wanted for one in own)) == ALL
        assert sum(len(one.wanted) for one in own) == len(ALL)


def test_the_long_checks_are_shared_evenly():
    loads = [sum(LIMITS[n] for n in o.wanted) for o in splitting.split(RUBRIC, submitted(1), 2)]
    assert max(loads) - min(loads) < 100
    assert all(one.wanted for one in splitting.split(RUBRIC, submitted(1, {"q1.3"}), 8))


def test_short_work_is_not_split():
    short = {name for name in ALL if name.startswith(("q3", "q4"))}
    assert [one.parts for one in splitting.split(RUBRIC, submitted(1, short), 4)] == [1]


@pytest.fixture
def course(tmp_path, run_cli, monkeypatch):
    """The toy course, of which everything is worth splitting."""
    monkeypatch.setattr(splitting, "WORTH_S", 0.0)
    made = Course(tmp_path, run_cli)
    for name in ("amy", "cat"):
        (tmp_path / "class" / name / "toy.py").unlink()
        (tmp_path / "class" / name).rmdir()
    return made


@pytest.mark.slow
def test_the_parts_together_are_the_whole(course):
    course.grade("--jobs", "1", out="whole")
    course.grade("--jobs", "2")
    assert timeless(course.reports()) == timeless(course.reports("whole"))
    folders = [course.folder / name / "bob" for name in ("out", "whole")]
    names = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    assert names[0] == names[1]
    tests = [json.loads((folder / "pytest.json").read_text())["summary"] for folder in folders]
    assert tests[0] == tests[1]
    assert course.rerun("--jobs", "2") == set()


@pytest.mark.slow
def test_a_submission_in_parts_that_changed_in_part(course):
    course.grade("--jobs", "2")
    course.rubric.write_text(course.rubric.read_text().replace("title: line", "title: lines"))
    assert course.rerun("--jobs", "3") == {("bob", "q1.1")}
    assert course.as_if_new


@pytest.mark.slow
def test_what_cannot_be_staged_is_broken_once(course, monkeypatch):
    path = course.folder / "class" / "bob" / "toy.py"
    path.write_text(path.read_text() + "\n")
    (course.folder / "out").mkdir()
    monkeypatch.setattr("grader.run.workers.stage", _fails)
    course.grade("--jobs", "2")
    assert course.ran.status == 3
    report = course.reports()["bob"]
    assert (report["status"], report["score"], report["questions"]) == ("broken", None, [])
    assert not (course.folder / "out" / "bob" / "pytest.json").exists()
    assert "the disk is full" in report["submission"]["notes"][0]


def _fails(*_arguments, **_options):
    raise BrokenError("the disk is full")
