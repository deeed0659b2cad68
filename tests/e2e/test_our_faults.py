"""When our side fails: ``broken``, exit status 3, one message, and never a zero for the student."""

import dataclasses
import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from grader.errors import BrokenError
from grader.reports import building
from grader.reports.files import write_json
from grader.run import grading
from tests.conftest import ROOT, SUBMISSIONS, checks_of

RUBRIC = """
assignment: small
title: A small assignment
points: 1
questions:
  - id: q1
    title: A step
    points: 1
    module: rnn_layers.py
    checks:
      - {id: q1.1, title: a step, points: 1, kind: forward, function: rnn_step_forward,
         returns: [next_h, cache], opaque: [cache], shares: {values: 0.5, edge_cases: 0.5}}
"""
PLAIN = SUBMISSIONS / "full_marks" / "plain"


def test_a_reference_that_raises_is_broken_and_withholds_the_grade(
    small_assignment, grade, tmp_path
):
    rubric = small_assignment(RUBRIC)
    file = rubric.parent / "reference" / "rnn_layers.py"
    raising = "raise OSError('gone')\n    next_h = "
    file.write_text(file.read_text().replace("next_h = ", raising, 1))
    ran, reports = grade(PLAIN, options=("--rubric", rubric))
    report = reports["plain"]
    assert ran.status == 3
    assert report["status"] == "broken"
    assert report["score"] is None
    assert checks_of(report)["q1.1"]["outcome"] == "broken"
    assert "the reference rnn_step_forward raised OSError: gone" in ran.err
    assert "Traceback" not in ran.out + ran.err
    results = json.loads((tmp_path / "out" / "plain" / "results.json").read_text())
    assert "score" not in results


def test_a_reference_that_cannot_be_imported_is_broken(small_assignment, grade):
    rubric = small_assignment(RUBRIC)
    (rubric.parent / "reference" / "rnn_layers.py").write_text("import not_there\n")
    ran, reports = grade(PLAIN, options=("--rubric", rubric))
    assert (ran.status, reports) == (3, {})
    assert "broken: " in ran.err
    assert "No module named 'not_there'" in ran.err


def test_an_unwritable_output_folder_is_told_before_anything_is_graded(grade, tmp_path):
    (tmp_path / "out").write_text("a file, where a folder is needed")
    ran, _reports = grade(PLAIN, only=("q3",))
    assert ran.status == 3
    assert "cannot write there" in ran.err


def test_an_error_inside_the_grader_is_broken_and_not_a_zero(grade, monkeypatch):
    def fails(*_arguments):
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr("grader.checks.forward._compare_case", fails)
    ran, reports = grade(PLAIN, only=("q3.1", "q3.2"))
    assert ran.status == 3
    checks = checks_of(reports["plain"])
    assert checks["q3.1"]["outcome"] == "broken"
    assert "the grader itself failed: RuntimeError: a bug of ours" in checks["q3.1"]["message"]
    assert checks["q3.2"]["outcome"] == "passed"
    assert reports["plain"]["score"] is None


def test_a_worker_that_cannot_start_is_broken(grade, monkeypatch):
    monkeypatch.setattr("grader.isolation.sandbox.server.BOOT", ROOT / "no_such_file.py")
    ran, reports = grade(PLAIN, only=("q3.1",))
    assert ran.status == 3
    assert "the fork server did not start" in ran.err
    assert reports["plain"]["score"] is None


def test_a_submission_that_vanishes_is_broken_and_the_others_are_graded(grade, monkeypatch):
    original = grading.graded

    def vanishing(job, assignment, fork_servers, work, on_check=None):
        if work.identifier == "plain":
            work = dataclasses.replace(work, path=work.path.with_name("was_here"))
        return original(job, assignment, fork_servers, work, on_check)

    monkeypatch.setattr(grading, "graded", vanishing)
    ran, reports = grade(PLAIN, SUBMISSIONS / "full_marks" / "loop", only=("q3.1",))
    assert ran.status == 3
    assert reports["plain"]["status"] == "broken"
    assert reports["loop"]["score"] == 2


def test_a_grading_process_that_dies_costs_one_submission(grade, monkeypatch):
    original = grading.graded

    def dying(job, assignment, fork_servers, work, on_check=None):
        if work.identifier == "plain":
            os.kill(os.getpid(), signal.SIGKILL)
        return original(job, assignment, fork_servers, work, on_check)

    monkeypatch.setattr(grading, "graded", dying)
    full = SUBMISSIONS / "full_marks"
    ran, reports = grade(
        full / "plain", full / "loop", full / "vectorised", only=("q3.1",), options=("--jobs", 1)
    )
    assert ran.status == 3
    assert "the grading process died (exit status -9)" in ran.err
    assert {name: made["status"] for name, made in reports.items()} == {
        "plain": "broken", "loop": "complete", "vectorised": "complete",
    }  # fmt: skip


def test_a_full_disk_is_one_message_and_keeps_the_old_report(monkeypatch, tmp_path):
    path = tmp_path / "report.json"
    path.write_text("old")

    def full(_fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BrokenError, match="No space left on device"):
        write_json(path, {"new": True})
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_killing_the_grader_leaves_whole_reports_and_no_process(tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "grader", "grade", str(SUBMISSIONS / "wrong"), "--out"]
    command += [str(out), "--only", "q3", "--jobs", "2", "--rubric", str(ROOT / "rubric.yaml")]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    grader = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env=environment
    )
    deadline = time.monotonic() + 60
    while len(list(out.glob("*/report.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    members = _descendants(grader.pid)
    assert members
    grader.kill()
    grader.wait()
    reports = list(out.glob("*/report.json"))
    assert len(reports) >= 3
    for path in reports:
        assert json.loads(path.read_text())["schema_version"] == 1
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
    deadline = time.monotonic() + 10
    while any(map(_alive, members)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in members if _alive(pid)]


def _descendants(pid: int) -> list[int]:
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            found += [int(word) for word in file.read().split()]
    return found + [below for child in found for below in _descendants(child)]


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_broken_reports_are_valid(rubric):
    import jsonschema

    made = building.broken(rubric, "alice", "mini", "the disk is on fire")
    schema = json.loads((ROOT / "grader" / "reports" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(made.model_dump())))
