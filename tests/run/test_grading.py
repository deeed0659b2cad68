"""One submission: its reports, and whose fault it is if there is no grade."""

from __future__ import annotations

import json

import pytest

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import BrokenError, IsolationError
from grader.job import Job, Settings, Submitted
from grader.reports.files import UnwritableError
from grader.reports.written import write_reports
from grader.run import grading
from grader.run.session import Session
from tests.checks.test_driven import RIGHT
from tests.run.conftest import RAISES, WRONG

ALL = frozenset(["q1.1", "q1.2", "q1.3"])


class Graded:
    """What grading a submission gave."""

    def __init__(self, report, out, staged):
        self.report = report
        self.out = out
        self.staged = staged

    @property
    def files(self):
        return sorted(path.name for path in self.out.rglob("*") if path.is_file())


@pytest.fixture
def graded(toy, fork_servers, tmp_path, monkeypatch):
    """Grade a toy submission; return its report and its folder of reports."""

    def run(module, *, wanted=ALL, out=True, on_check=None, gone=False):
        rubric_path, folder = toy(module)
        rubric = load_rubric(rubric_path, KINDS)
        staged = []
        stage = fork_servers.stage

        def noted(*asked):
            staged.append(stage(*asked))
            return staged[-1]

        monkeypatch.setattr(fork_servers, "stage", noted)
        folder = tmp_path / "was_here" if gone else folder
        job = Job(rubric, Settings(), tmp_path / "reports" if out else None)
        submitted = Submitted("alice", folder, wanted)
        made = grading.grade(job, Assignment(rubric.reference), fork_servers, submitted, on_check)
        return Graded(made, tmp_path / "reports", staged)

    return run


def why(report):
    """Return what a report of status ``broken`` says."""
    (note,) = report.submission.notes
    return note


def fails_with(error):
    def fail(*_arguments, **_options):
        raise error

    return fail


@pytest.mark.parametrize(
    ("module", "points"),
    [
        (RIGHT, [2, 1]),
        (RIGHT.replace("slope * x", "slope * x * 1.001"), [1, 0.5]),
        (RIGHT.replace("slope * x", "slope * x * float('nan')"), [1, 0.5]),
        (RAISES, [0, 0]),
        ("def Line(: pass", [0, 0]),
    ],
)
def test_a_report_has_the_points_of_each_check(module, points, graded):
    found = graded(module)
    assert [check.points for check in found.report.checks()] == [*points, 0]
    assert found.report.status == "pending"  # the third is a text
    written = json.loads((found.out / "alice" / "report.json").read_text())
    assert written["score"] == found.report.score == sum(points)
    assert {"report.json", "report.html", "results.json", "pytest.json"} <= set(found.files)


def test_only_the_checks_that_are_wanted_run_and_each_is_heard_of(graded):
    heard = []
    found = graded(WRONG, wanted=frozenset(["q1.2"]), on_check=heard.append)
    assert [result.spec.id for result in heard] == ["q1.2"]
    assert [check.id for check in found.report.checks()] == ["q1.2"]


def test_without_a_folder_for_reports_nothing_is_written(graded):
    found = graded(RIGHT, out=False)
    assert found.report.score == 3
    assert not found.out.exists()


def test_what_is_staged_is_removed(graded):
    (staged,) = graded(RIGHT).staged
    assert not staged.folder.exists()


def test_what_the_assignments_own_code_prints_goes_nowhere(graded, capsys, monkeypatch):
    original = Session.run

    def prints(self, question, check):
        print("from a case file")
        return original(self, question, check)

    monkeypatch.setattr(Session, "run", prints)
    assert graded(RIGHT).report.score == 3
    assert capsys.readouterr() == ("", "")


def test_a_submission_that_is_gone_gets_no_grade(graded):
    found = graded(RIGHT, gone=True)
    assert (found.report.status, found.report.score) == ("broken", None)
    assert "was_here" in why(found.report)
    assert "report.json" in found.files


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BrokenError("the fork server did not start"), "the fork server did not start"),
        (RuntimeError("a slip"), "the grader itself failed: RuntimeError: a slip (test_grading.py"),
    ],
)
def test_a_fault_of_the_grader_gives_no_grade_and_no_zero(error, words, graded, monkeypatch):
    monkeypatch.setattr(Session, "run", fails_with(error))
    found = graded(RIGHT)
    assert (found.report.status, found.report.score) == ("broken", None)
    assert why(found.report).startswith(words)
    assert not found.staged[0].folder.exists()
    assert json.loads((found.out / "alice" / "report.json").read_text())["score"] is None


def test_a_machine_that_isolates_too_little_ends_the_run_and_leaves_nothing(
    graded, monkeypatch, tmp_path
):
    monkeypatch.setattr(Session, "run", fails_with(IsolationError("nothing was graded")))
    with pytest.raises(IsolationError, match="nothing was graded"):
        graded(RIGHT)
    assert not (tmp_path / "reports").exists()


def unwritable(why):
    error = UnwritableError("report.html cannot be written")
    error.why = why
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (unwritable("No space left"), "its report cannot be written: No space left"),
        (BrokenError("a figure is too large"), "a figure is too large"),
    ],
)
def test_a_grade_that_is_in_no_report_is_none(error, words, graded, monkeypatch):
    monkeypatch.setattr(grading, "write_reports", fails_with(error))
    found = graded(RIGHT)
    assert (found.report.status, found.report.score) == ("broken", None)
    assert why(found.report) == words


def test_a_report_that_cannot_be_made_is_replaced_by_one_that_says_so(graded, monkeypatch):
    def write(folder, made, *more):
        if made.status != "broken":
            raise TypeError("not JSON")
        write_reports(folder, made, *more)

    monkeypatch.setattr(grading, "write_reports", write)
    found = graded(RIGHT)
    assert why(found.report).startswith("the grader itself failed: TypeError: not JSON")
    assert json.loads((found.out / "alice" / "report.json").read_text())["status"] == "broken"


def test_an_earlier_report_that_cannot_be_replaced_is_named(graded, monkeypatch, tmp_path):
    (tmp_path / "reports" / "alice").mkdir(parents=True)
    (tmp_path / "reports" / "alice" / "report.json").write_text("old")
    monkeypatch.setattr(grading, "write_reports", fails_with(unwritable("No space left")))
    found = graded(RIGHT)
    assert why(found.report).endswith("the report that is there is an earlier run's")
    assert (found.out / "alice" / "report.json").read_text() == "old"
