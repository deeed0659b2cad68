"""Many submissions in a few processes: each is graded once, and an accident costs one of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import BrokenError, IsolationError
from grader.job import Job, Settings, Submitted
from grader.model import CheckResult
from grader.reports import building
from grader.run import batch, grading
from grader.run.batch import CheckDone, SubmissionDone
from grader.run.splitting import Graded
from tests.run.conftest import WRONG

NAMES = ("alice", "bob", "carol", "dan", "eve")


@pytest.fixture
def batched(toy, tmp_path, monkeypatch):
    """Return what starts grading a class with ``grade`` in place of our own."""

    def start(grade, names=NAMES, at_a_time=2, *, out=False):
        rubric_path, folder = toy(WRONG)
        job = Job(load_rubric(rubric_path, KINDS), Settings(), tmp_path / "out" if out else None)
        monkeypatch.setattr(grading, "graded", lambda *given: Graded(grade(*given)))
        work = [Submitted(name, folder, frozenset()) for name in names]
        return batch.run(job, work, at_a_time)

    yield start
    assert multiprocessing.active_children() == []


def report(job, submitted):
    """Return a report that says in which process it was made."""
    return building.broken(job.rubric, submitted.identifier, "mini", f"by {os.getpid()}")


def quick(job, _assignment, _servers, submitted, on_check):
    check = job.rubric.questions[0].checks[0]
    on_check(CheckResult(check, "passed", check.points))
    return report(job, submitted)


def why(made):
    """Return what a report of status ``broken`` says."""
    (note,) = made.submission.notes
    return note


def done(events):
    return {event.identifier: event.report for event in events if isinstance(event, SubmissionDone)}


@pytest.mark.parametrize("at_a_time", [1, 2, 9])
def test_each_submission_is_graded_once_and_each_check_heard_of(at_a_time, batched):
    events = [event for event in batched(quick, at_a_time=at_a_time) if event is not None]
    assert Counter(type(event) for event in events) == {CheckDone: 5, SubmissionDone: 5}
    assert set(done(events)) == set(NAMES)
    for name in NAMES:
        mine = [event for event in events if event.identifier == name]
        assert mine[0] == CheckDone(name, "q1.1", "passed")
        assert isinstance(mine[1], SubmissionDone)
    makers = {why(made) for made in done(events).values()}
    assert 1 <= len(makers) <= at_a_time
    assert f"by {os.getpid()}" not in makers


def test_without_submissions_nothing_happens(batched):
    assert list(batched(quick, ())) == []


@pytest.mark.parametrize(("end", "status"), [("kill", -9), ("exit", 7)])
def test_a_process_that_dies_costs_the_submission_that_it_was_at(end, status, batched, tmp_path):
    def dying(job, _assignment, _servers, submitted, _on_check):
        if submitted.identifier in ("bob", "eve"):
            os.kill(os.getpid(), signal.SIGKILL) if end == "kill" else os._exit(7)
        return report(job, submitted)

    found = done(batched(dying, at_a_time=1, out=True))
    assert set(found) == set(NAMES)
    for name in ("bob", "eve"):
        words = f"the grading process died (exit status {status}) while it graded this submission"
        assert (found[name].status, found[name].score) == ("broken", None)
        assert why(found[name]) == words
        assert (tmp_path / "out" / name / "report.json").is_file()
    others = [why(found[name]) for name in ("alice", "carol", "dan")]
    assert all(problem.startswith("by ") for problem in others)
    assert others[0] != others[1] == others[2]  # a new process took over, and only after the death


@pytest.mark.parametrize("error", [IsolationError("not here"), BrokenError("the disk is full")])
def test_what_no_submission_is_to_blame_for_ends_the_run(error, batched):
    def refusing(_job, _assignment, _servers, submitted, _on_check):
        raise error

    with pytest.raises(type(error), match=str(error)):
        list(batched(refusing))


def test_the_caller_hears_that_the_run_lives_while_nothing_happens(batched, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "HEARTBEAT_S", 0.01)
    go_on = tmp_path / "go_on"
    os.mkfifo(go_on)

    def waiting(job, _assignment, _servers, submitted, _on_check):
        go_on.read_text()  # until somebody writes
        return report(job, submitted)

    events = batched(waiting, ("alice",))
    assert next(events) is None
    assert next(events) is None
    go_on.write_text("now")
    assert list(done(events)) == ["alice"]


def test_a_run_that_is_given_up_ends_its_processes_at_once(batched, tmp_path):
    never = tmp_path / "never"
    os.mkfifo(never)

    def hanging(job, _assignment, _servers, submitted, on_check):
        if submitted.identifier == "bob":
            Path(never).read_text()
        return quick(job, None, None, submitted, on_check)

    events = batched(hanging)
    assert next(event for event in events if event is not None).identifier == "alice"
    before = time.monotonic()
    events.close()
    assert multiprocessing.active_children() == []
    assert time.monotonic() - before < 4  # one that is let finish has 5 seconds


def test_the_number_of_cores_is_that_of_this_process():
    assert batch.cores() == len(os.sched_getaffinity(0))
