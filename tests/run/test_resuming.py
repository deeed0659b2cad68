"""Grading again: only what is missing or has changed, check by check."""

from __future__ import annotations

import json
import os
import shutil
import signal

import pytest

from grader.assignment import digests
from grader.errors import UsageError
from grader.frontends.commands import exit_status
from grader.run import basis, grading, splitting
from tests.checks.toy import make

pytestmark = pytest.mark.slow

FIRST = """
      - {id: q1.1, title: line, points: 4, kind: values, function: Line, driver: toy.line,
         cases: line, shares: {values: 0.75, edge_cases: 0.25}, outputs: {value: 0.5, slope: 0.5}}
"""
TIMES = ("graded_at", "duration_s")


def second_question(text):
    """Return the toy rubric with a second question, about a function of the same module."""
    other = """
  - id: q2
    title: Other
    points: 2
    module: toy.py
    checks:
      - {id: q2.1, title: doubled, points: 2, kind: forward, function: doubled, returns: [y]}
"""
    return text.replace("points: 4\n", "points: 6\n", 1) + other


@pytest.fixture
def course(tmp_path, run_cli):
    """A toy assignment of two questions and a class of three; one of them is wrong."""
    return Course(tmp_path, run_cli)


class Course:
    def __init__(self, folder, run_cli):
        self.folder, self.run_cli = folder, run_cli
        self.rubric = make(folder, FIRST)
        self.rubric.write_text(second_question(self.rubric.read_text()))
        self.reference = folder / "reference"
        right = (self.reference / "toy.py").read_text()
        for name in ("amy", "bob", "cat"):
            (folder / "class" / name).mkdir(parents=True)
            text = right.replace("2 * x", "3 * x") if name == "bob" else right
            (folder / "class" / name / "toy.py").write_text(text)

    def grade(self, *words, out="out"):
        self.ran = self.run_cli(
            "grade", self.folder / "class", "--out", self.folder / out, "--rubric", self.rubric,
            "--jobs", "1", *words,
        )  # fmt: skip
        return self

    def reports(self, out="out"):
        return {
            path.parent.name: json.loads(path.read_text())
            for path in (self.folder / out).glob("*/report.json")
        }

    def durations(self, out="out"):
        """Return how long each check took, by submission and check."""
        return {
            (name, check["id"]): check["duration_s"]
            for name, report in self.reports(out).items()
            for check in checks(report)
        }

    def rerun(self, *words):
        """Grade again; return which checks were run, as (submission, check).

        Each check has a duration that no run has, before; those that are run get another one.
        """
        for path in (self.folder / "out").glob("*/report.json"):
            report = json.loads(path.read_text())
            for check in checks(report):
                check["duration_s"] = 12345.0
            path.write_text(json.dumps(report))
        self.grade(*words)
        return {key for key, duration in self.durations().items() if duration != 12345.0}

    @property
    def as_if_new(self):
        """Say whether the reports are those of a run into an empty folder, but for times."""
        shutil.rmtree(self.folder / "new", ignore_errors=True)
        again = Course.grade(self, out="new").reports("new")
        return timeless(self.reports()) == timeless(again)


def checks(report):
    return [check for question in report["questions"] for check in question["checks"]]


def timeless(value):
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES}
    return [timeless(item) for item in value] if isinstance(value, list) else value


ALL = {(name, check) for name in ("amy", "bob", "cat") for check in ("q1.1", "q2.1")}
OF_Q1 = {(name, "q1.1") for name in ("amy", "bob", "cat")}
OF_Q2 = {(name, "q2.1") for name in ("amy", "bob", "cat")}


def test_what_has_not_changed_is_not_graded_again(course):
    assert course.grade().ran.status == 0
    assert course.rerun() == set()
    assert course.ran.status == 0
    assert "0 submissions graded, 3 unchanged (--force grades all again)" in course.ran.out
    assert "bob" in course.ran.out
    assert course.rerun("--force") == ALL
    assert "3 submissions graded; reports: " in course.ran.out


def test_who_hands_in_again_is_graded_again(course):
    course.grade()
    path = course.folder / "class" / "bob" / "toy.py"
    path.write_text(path.read_text().replace("3 * x", "2 * x"))
    os.utime(course.folder / "class" / "amy" / "toy.py")  # touched, and the same
    assert course.rerun() == {("bob", "q1.1"), ("bob", "q2.1")}
    assert course.reports()["bob"]["score"] == 6
    assert course.as_if_new


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "class" / "amy" / "notes.txt").write_text("mine"),
        lambda folder: (folder / "class" / "amy" / "toy.py").rename(
            folder / "class" / "amy" / "Toy.py"
        ),
        lambda folder: (folder / "class" / "amy" / "empty").mkdir(),
        lambda folder: (folder / "class" / "amy" / "link").symlink_to("toy.py"),
        lambda folder: (folder / "class" / "amy" / "toy.py").write_bytes(
            (folder / "class" / "amy" / "toy.py").read_bytes() + b"\n"
        ),
    ],
    ids=["new file", "new name", "folder", "link", "one byte"],
)
def test_any_change_of_what_was_handed_in_counts(change, course):
    course.grade()
    change(course.folder)
    assert course.rerun() == {("amy", "q1.1"), ("amy", "q2.1")}
    assert course.as_if_new


@pytest.mark.parametrize(
    ("before", "after", "rerun"),
    [
        ("points: 2, kind: forward", "points: 2, rtol: 0.5, kind: forward", OF_Q2),
        ("title: doubled", "title: twice", OF_Q2),
        ("values: 0.75, edge_cases: 0.25", "values: 0.5, edge_cases: 0.5", OF_Q1),
        ("title: Other", "title: Another", set()),
        ("title: Toy", "title: Toys", set()),
    ],
)
def test_a_changed_rubric_costs_the_checks_it_changes(before, after, rerun, course):
    course.grade()
    text = course.rubric.read_text()
    assert before in text
    course.rubric.write_text(text.replace(before, after))
    assert course.rerun() == rerun
    assert course.as_if_new


def test_another_question_is_added_to_the_reports(course):
    whole = course.rubric.read_text()
    course.rubric.write_text(whole[: whole.index("\n  - id: q2")].replace("points: 6", "points: 4"))
    course.grade()
    course.rubric.write_text(whole)
    assert course.rerun() == OF_Q2
    assert course.as_if_new
    course.rubric.write_text(whole[: whole.index("\n  - id: q2")].replace("points: 6", "points: 4"))
    assert course.rerun() == set()  # and taken out again
    assert [report["max_score"] for report in course.reports().values()] == [4, 4, 4]
    assert course.as_if_new


@pytest.mark.parametrize(
    ("file", "rerun"),
    [
        ("toy.py", ALL),
        ("cases/toy.py", ALL),
        ("drivers/toy.py", ALL),  # of the same name as the module: on the safe side
        ("drivers/other.py", ALL),  # used by no check, as far as can be seen
        ("cases/__init__.py", ALL),
    ],
)
def test_a_changed_file_of_the_reference_counts(file, rerun, course):
    course.grade()
    with (course.reference / file).open("a") as changed:
        changed.write("\n# changed\n")
    assert course.rerun() == rerun


def test_a_change_of_a_driver_costs_its_own_checks(course):
    text = (course.reference / "drivers" / "toy.py").read_text()
    (course.reference / "drivers" / "lines.py").write_text(text)
    course.rubric.write_text(course.rubric.read_text().replace("toy.line", "lines.line"))
    course.grade()
    with (course.reference / "drivers" / "lines.py").open("a") as changed:
        changed.write("\n# changed\n")
    assert course.rerun() == OF_Q1
    assert course.as_if_new


def test_another_seed_or_less_isolation_gives_other_grades(course):
    course.grade()
    assert course.rerun("--seed", "5") == ALL
    assert course.rerun("--seed", "5") == set()
    assert course.rerun("--isolation", "none", "--unsafe") == ALL
    assert course.rerun() == ALL


@pytest.mark.parametrize("name", ["toy.ipynb", "other.ipynb"])
def test_notebooks_are_chosen_anew_if_other_functions_are_asked_for(name, course):
    source = (course.folder / "class" / "amy" / "toy.py").read_text()
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (course.folder / "class" / "amy" / "toy.py").unlink()
    (course.folder / "class" / "amy" / name).write_text(json.dumps(book))
    whole = course.rubric.read_text()
    first = whole[: whole.index("\n  - id: q2")].replace("points: 6", "points: 4")
    course.rubric.write_text(first)
    course.grade()
    course.rubric.write_text(whole)
    assert course.rerun() == OF_Q2 | {("amy", "q1.1")}
    assert course.reports()["amy"]["score"] == 6
    assert course.as_if_new


def test_the_limits_of_a_run_are_not_part_of_a_grade(course):
    course.grade()
    assert course.rerun("--budget", "1000", "--jobs", "2") == set()


def test_what_was_not_reached_is_run_again(course):
    course.grade("--budget", "0.001")
    assert {check["outcome"] for r in course.reports().values() for check in checks(r)} == {
        "pending"
    }
    assert course.rerun() == ALL
    assert course.as_if_new


def test_only_adds_to_what_is_there(course):
    course.grade("--only", "q1")
    assert [report["max_score"] for report in course.reports().values()] == [4, 4, 4]
    assert course.rerun("--only", "q2") == OF_Q2
    assert course.as_if_new
    assert course.rerun("--only", "q1") == set()
    assert course.as_if_new


def test_grades_of_other_files_are_not_added_to(course):
    course.grade()
    path = course.folder / "class" / "bob" / "toy.py"
    path.write_text(path.read_text() + "\n")
    assert course.rerun("--only", "q2") == {("bob", "q2.1")}
    assert [check["id"] for check in checks(course.reports()["bob"])] == ["q2.1"]
    assert course.reports()["amy"]["max_score"] == 6


def test_broken_checks_stay_until_they_are_to_be_tried_again(course):
    cases = course.reference / "cases" / "toy.py"
    right = cases.read_text()
    course.grade()
    good = course.reports()
    for path in (course.folder / "out").glob("*/report.json"):
        report = json.loads(path.read_text())
        (check,) = [check for check in checks(report) if check["id"] == "q2.1"]
        check.update(outcome="broken", points=0.0, reason=None, message="we failed")
        report.update(status="broken", score=None)
        path.write_text(json.dumps(report))
    assert course.rerun() == set()
    assert course.ran.status == exit_status.EXIT_BROKEN
    assert "3 broken checks left as before; --retry-broken runs them again" in course.ran.err
    assert course.rerun("--retry-broken") == OF_Q2
    assert course.ran.status == 0
    assert timeless(course.reports()) == timeless(good)
    assert cases.read_text() == right


@pytest.mark.parametrize("file", ["report.json", "results.json", "report.html"])
def test_a_file_that_is_gone_is_written_again(file, course):
    course.grade()
    (course.folder / "out" / "amy" / file).unlink()
    ran = course.rerun()
    assert ran == ({("amy", "q1.1"), ("amy", "q2.1")} if file == "report.json" else set())
    assert (course.folder / "out" / "amy" / file).is_file()
    assert course.as_if_new


@pytest.mark.parametrize("kept", [0, 1, 200])
@pytest.mark.parametrize("file", ["results.json", "report.html", "pytest.json"])
def test_a_file_that_is_cut_off_is_written_again(file, kept, course):
    course.grade()
    path = course.folder / "out" / "amy" / file
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    assert course.rerun() == set()
    assert path.read_bytes()[-100:] == whole[-100:]
    assert course.as_if_new


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1}', '{"schema_version": 9}'])
def test_a_damaged_report_is_made_anew(text, course):
    course.grade()
    (course.folder / "out" / "amy" / "report.json").write_text(text)
    assert course.grade().ran.status == 0
    assert course.as_if_new


def test_marks_of_a_person_stay_with_checks_that_stay(course):
    course.grade()
    marks = course.folder / "marks.csv"
    marks.write_text("submission,check,points,comment\nbob,q2.1,1,nearly\n")
    ran = course.run_cli("mark", course.folder / "out", "--marks", marks, "--override")
    assert ran.status == 0, ran.err
    course.rubric.write_text(course.rubric.read_text().replace("title: line", "title: lines"))
    assert course.rerun() == OF_Q1
    assert course.reports()["bob"]["score"] == 5
    course.rubric.write_text(course.rubric.read_text().replace("title: doubled", "title: twice"))
    course.grade()
    assert course.ran.status == exit_status.EXIT_USAGE
    assert "this would overwrite a person's marks: bob q2.1." in course.ran.err
    assert course.reports()["bob"]["score"] == 5
    assert course.grade("--discard-marks").ran.status == 0
    assert course.reports()["bob"]["score"] == 4
    assert course.as_if_new


def test_what_cannot_be_read_now_is_graded_and_costs_nobody_else_anything(course, monkeypatch):
    course.grade()
    original = basis.contents_digest

    def failing(origin):
        if "amy" in str(origin):
            raise UsageError("toy.py: cannot be read: Input/output error")
        return original(origin)

    monkeypatch.setattr(basis, "contents_digest", failing)
    assert course.grade().ran.status == 0
    assert "1 submission graded, 2 unchanged" in course.ran.out


def test_force_runs_what_is_asked_for_and_keeps_the_rest(course):
    course.grade()
    assert course.rerun("--only", "q2", "--force") == OF_Q2
    assert course.as_if_new


def test_the_public_seed_counts_beside_a_secret_one(course, monkeypatch):
    monkeypatch.setenv("GRADER_SEED", "")
    monkeypatch.delenv("GRADER_SEED")
    (course.folder / "seed").touch(mode=0o600)
    (course.folder / "seed").write_text("ab" * 32)
    secret = ("--seed-file", course.folder / "seed")
    course.grade(*secret)
    assert course.rerun(*secret) == set()
    text = course.rubric.read_text()
    course.rubric.write_text(text.replace("title: Toy\n", "title: Toy\nseed: 7\n", 1))
    ran = course.rerun(*secret)
    assert course.ran.status == 0, course.ran.err
    assert ran == ALL


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_is_known_stays_where_grading_dies(jobs, course, monkeypatch):
    monkeypatch.setattr(splitting, "WORTH_S", 0.0)
    course.grade("--only", "q1")
    marks = course.folder / "marks.csv"
    marks.write_text("submission,check,points,comment\nbob,q1.1,3,nearly\n")
    assert course.run_cli("mark", course.folder / "out", "--marks", marks, "--override").status == 0

    def dying(job, assignment, servers, submitted, on_check=None):
        del job, assignment, servers, on_check
        assert "q1.1" not in submitted.wanted
        os._exit(9)

    with monkeypatch.context() as patched:
        patched.setattr(grading, "graded", dying)
        assert course.grade("--jobs", jobs).ran.status == exit_status.EXIT_BROKEN
    broken = course.reports()["bob"]
    assert (broken["status"], broken["score"]) == ("broken", None)
    assert [check["points"] for check in checks(broken)] == [3]
    assert any("the grading process died" in note for note in broken["submission"]["notes"])
    assert course.rerun() == OF_Q2
    after = course.reports()["bob"]
    assert (after["status"], after["score"]) == ("complete", 3)  # q2.1 of bob is wrong
    assert after["submission"]["notes"] == []


def test_data_behind_links_count(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "words.txt").write_text("one")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "near").symlink_to(tmp_path / "far")
    (tmp_path / "data" / "back").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "nowhere").symlink_to(tmp_path / "gone")
    before = digests.listing(tmp_path / "data")
    assert before == digests.listing(tmp_path / "data")
    assert [name for name, size, _time in before if size >= 0] == ["near/words.txt"]
    (tmp_path / "far" / "words.txt").write_text("one more")
    assert digests.listing(tmp_path / "data") != before


def test_links_to_one_folder_and_empty_folders_are_in_the_listing(tmp_path):
    data = tmp_path / "data"
    (data / "images").mkdir(parents=True)
    (data / "images" / "1.png").write_bytes(b"1")
    listings = []
    for change in (
        lambda: None,
        lambda: (data / "train").symlink_to("images"),
        lambda: (data / "val").symlink_to("images"),
        (data / "empty").mkdir,
        lambda: (data / "back").symlink_to("."),
    ):
        change()
        listings.append(digests.listing(data))
        assert listings[-1] == digests.listing(data)
    assert len({str(one) for one in listings}) == 5


def test_a_killed_run_keeps_the_checks_that_are_done(course, monkeypatch):
    original = grading.Session.run
    ran = course.folder / "ran"

    def noting(self, question, check):
        with ran.open("a") as file:
            file.write(f"{self.submission.id} {check.id}\n")
        if check.id == "q2.1" and not course.reports():
            os.kill(os.getppid(), signal.SIGKILL)  # the run; this process ends with it
            signal.pause()
        return original(self, question, check)

    monkeypatch.setattr(grading, "KEEP_EVERY_S", 0.0)
    monkeypatch.setattr(grading.Session, "run", noting)
    pid = os.fork()
    if pid == 0:
        course.grade()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert course.reports() == {}
    assert ran.read_text().split("\n") == ["amy q1.1", "amy q2.1", ""]
    monkeypatch.setattr(grading.Session, "run", original)
    assert course.grade().ran.status == 0
    assert timeless(course.reports()) == timeless(Course.grade(course, out="new").reports("new"))
    assert not list((course.folder / "out").glob("*/.unfinished-*"))


def test_what_a_killed_run_has_kept_is_not_run_again(course):
    course.grade()
    folder = course.folder / "out" / "amy"
    report = json.loads((folder / "report.json").read_text())
    report["questions"] = report["questions"][:1]
    report["questions"][0]["checks"][0]["duration_s"] = 12345.0
    (folder / ".unfinished-report-0.json").write_text(json.dumps(report))
    (folder / "report.json").unlink()
    assert course.rerun() == {("amy", "q2.1")}
    assert course.as_if_new
