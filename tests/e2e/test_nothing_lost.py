"""What a run finds in its folder: reports that cannot be written, and marks and rows of others."""

import csv
import json
import shutil
import tempfile
from pathlib import Path

import pytest

from grader.reports.files import UnwritableError
from grader.run import grading
from tests import class_of_three
from tests.class_of_three import RIGHT, contents, reports_in


@pytest.fixture(scope="module")
def graded():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        class_of_three.grade(folder)
        yield folder


@pytest.fixture
def folder(graded):
    """A copy of the graded class of alice, @bob and carol that workers may enter."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name) / "copy"
        Path(name).chmod(0o755)
        shutil.copytree(graded, made)
        made.chmod(0o755)
        yield made


@pytest.fixture
def grade(folder, run_cli):
    def run(*named, options=()):
        paths = [folder / "class" / name for name in named] or [folder / "class"]
        out = ["--rubric", folder / "rubric.yaml", "--out", folder / "reports", "--jobs", 1]
        return run_cli("grade", *paths, *out, *options)

    return run


def mark(folder, run_cli, text="alice: {q1.1: 1.5}\n"):
    (folder / "marks.yaml").write_text(text)
    ran = run_cli("mark", folder / "reports", "--marks", folder / "marks.yaml")
    assert ran.status == 0, ran.err


def rows(folder):
    with (folder / "reports" / "gradebook.csv").open(newline="", encoding="utf-8-sig") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def broken_lines(ran):
    return [line for line in ran.err.splitlines() if line.startswith("broken: ")]


def test_a_report_that_cannot_be_written_costs_that_submission_alone(folder, grade):
    shutil.rmtree(folder / "reports" / "alice")
    (folder / "reports" / "alice").write_text("a file where a folder is needed")
    ran = grade()
    assert ran.status == 3
    assert broken_lines(ran) == ["broken: its report cannot be written: File exists [alice]"]
    assert "Traceback" not in ran.out + ran.err
    found = rows(folder)
    assert {name: row["status"] for name, row in found.items()} == {
        "'@bob": "pending", "alice": "broken", "carol": "complete",
    }  # fmt: skip
    assert found["alice"]["score"] == ""
    page = (folder / "reports" / "index.html").read_text()
    assert page.count("broken") >= 1
    assert set(reports_in(folder / "reports")) == {"@bob", "carol"}


def test_a_report_that_cannot_be_replaced_says_that_the_old_one_is_there(
    folder, grade, monkeypatch
):
    original = grading.write_reports

    def full(where, *arguments):
        if where.name == "carol":
            error = UnwritableError(f"{where}/report.json cannot be written: No space left")
            error.why = "No space left"
            raise error
        original(where, *arguments)

    before = contents(folder / "reports" / "carol")
    monkeypatch.setattr(grading, "write_reports", full)
    ran = grade(options=("--force",))
    assert ran.status == 3
    assert broken_lines(ran) == [
        (
            "broken: its report cannot be written: No space left; the report that is there is an "
            "earlier run's [carol]"
        )
    ]
    assert contents(folder / "reports" / "carol") == before
    assert rows(folder)["carol"]["status"] == "broken"


def test_a_process_that_dies_and_a_report_that_cannot_be_written_end_no_run(
    folder, grade, monkeypatch
):
    original = grading.graded

    def dying(job, assignment, fork_servers, work, on_check=None):
        if work.identifier == "alice":
            import os
            import signal

            os.kill(os.getpid(), signal.SIGKILL)
        return original(job, assignment, fork_servers, work, on_check)

    monkeypatch.setattr(grading, "graded", dying)
    shutil.rmtree(folder / "reports" / "alice")
    (folder / "reports" / "alice").write_text("a file")
    ran = grade()
    assert ran.status == 3
    assert set(reports_in(folder / "reports")) == {"@bob", "carol"}
    assert rows(folder)["alice"]["status"] == "broken"


@pytest.mark.parametrize("name", ["index.html", "gradebook.csv"])
def test_an_overview_that_cannot_be_written_is_told_before_anything_is_graded(name, folder, grade):
    (folder / "reports" / name).unlink()
    (folder / "reports" / name).mkdir()
    before = contents(folder / "reports")
    ran = grade()
    assert (ran.status, ran.out) == (3, "")
    assert ran.err == (
        f"broken: --out {folder / 'reports'}: {name} is a folder; remove or rename it\n"
    )
    assert contents(folder / "reports") == before


def test_marks_of_a_person_are_not_written_over(folder, grade, run_cli):
    mark(folder, run_cli, "alice: {q1.1: 1.5, q1.3: 1}\n'@bob': {q1.1: 0}\n")
    before = contents(folder / "reports")
    assert grade().status == 0  # what is marked stays
    after = contents(folder / "reports")
    listed = {folder / "reports" / name for name in ("index.html", "gradebook.csv")}
    assert {name for name in after if after[name] != before[name]} <= {p.name for p in listed}
    ran = grade(options=("--force",))
    assert (ran.status, ran.out) == (2, "")
    (message,) = ran.err.splitlines()
    assert (
        "this would overwrite a person's marks: @bob q1.1, alice q1.1 q1.3. Nothing was graded"
        in message
    )
    assert "--reapply" in message
    assert "--discard-marks" in message
    assert contents(folder / "reports") == before


def test_marks_of_others_stop_nobody(folder, grade, run_cli):
    mark(folder, run_cli)
    ran = grade("carol")
    assert (ran.status, ran.err) == (0, "")
    assert reports_in(folder / "reports")["alice"]["score"] == 2.5
    assert rows(folder)["alice"]["q1.1"] == "1.5"


def test_marks_are_discarded_where_that_is_asked_for(folder, grade, run_cli):
    mark(folder, run_cli)
    assert grade(options=("--discard-marks",)).status == 0
    assert reports_in(folder / "reports")["alice"]["score"] == 1


def test_marks_in_a_report_that_cannot_be_read_are_not_written_over_either(folder, grade, run_cli):
    mark(folder, run_cli)
    path = folder / "reports" / "alice" / "report.json"
    path.write_text(path.read_text()[:-20])
    ran = grade("alice")
    assert ran.status == 2
    assert "this would overwrite a person's marks: alice. Nothing was graded" in ran.err


def test_a_text_that_looks_like_a_mark_is_none(folder, grade):
    path = folder / "reports" / "alice" / "report.json"
    report = json.loads(path.read_text())
    report["submission"]["notes"] = ['"marked": {"points": 1}']
    path.write_text(json.dumps(report))
    assert grade("alice").status == 0


def test_one_submission_graded_again_takes_its_own_row_and_no_other(folder, grade):
    before = rows(folder)
    (folder / "class" / "carol" / "toy.py").write_text(RIGHT.replace("2 * x", "3 * x"))
    ran = grade("carol")
    assert ran.status == 0
    assert "(including 2 reports of earlier runs)" in ran.out
    after = rows(folder)
    assert {name: row for name, row in after.items() if name != "carol"} == {
        name: row for name, row in before.items() if name != "carol"
    }
    assert (before["carol"]["score"], after["carol"]["score"]) == ("1.0", "0.63")
    page = (folder / "reports" / "index.html").read_text()
    assert all(f'href="{name}/report.html"' in page for name in ("alice", "carol"))


def test_what_cannot_be_listed_is_told_and_stops_nothing(folder, grade):
    path = folder / "reports" / "alice" / "report.json"
    path.write_text("{")
    other = folder / "reports" / "@bob" / "report.json"
    other.write_text(other.read_text().replace('"assignment": "toy"', '"assignment": "other"'))
    ran = grade("carol")
    assert ran.status == 0
    assert f"note: not listed: {path}: is not JSON; grade this submission again" in ran.err
    assert f"note: not listed: {other}: belongs to the assignment 'other'" in ran.err
    assert set(rows(folder)) == {"carol"}


def test_one_submission_alone_has_no_overview(folder, grade):
    shutil.rmtree(folder / "reports")
    assert grade("carol").status == 0
    assert {path.name for path in (folder / "reports").iterdir()} == {".sources.json", "carol"}
