"""One submission's checks: in which order, with which limits, and who hears of them."""

from __future__ import annotations

import dataclasses

import pytest

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS, rerun
from grader.errors import BrokenError, IsolationError, Pending, WorkerLost
from grader.frontends.student.look import PlainProcesses
from grader.job import Settings
from grader.model import CheckResult
from grader.run.session import Session
from tests.run.conftest import RAISES, WRONG

ALL = ("q1.1", "q1.2", "q1.3")


class Steered:
    """Runs checks backwards, leaves one out, and keeps what it is given."""

    def __init__(self, *, note_fails: bool = False, refuses: bool = False) -> None:
        self.reports: list[int] = []
        self._note_fails = note_fails
        self._refuses = refuses

    def rank(self, _question, check):
        return (-ALL.index(check.id),)

    def run(self, _question, check, run):
        return CheckResult(check, "pending", 0.0, message="later") if check.id == "q1.2" else run()

    def limits(self, _question, _check, limits):
        if self._refuses:
            raise Pending("too little memory", "", "")
        return dataclasses.replace(limits, timeout_s=limits.timeout_s / 2)

    def progress(self, made):
        self.reports.append(len(list(made().checks())))
        if self._note_fails:
            raise BrokenError("the disk is full")


@pytest.fixture
def session(toy, fork_servers):
    """Stage a toy submission; return what makes sessions for it."""

    def make(module=WRONG, **options):
        rubric_path, folder = toy(module)
        rubric = load_rubric(rubric_path, KINDS)
        staged = fork_servers.stage("alice", folder, rubric)
        workers = options.pop("workers", fork_servers)
        return Session(rubric, Assignment(rubric.reference), staged, workers, Settings(), **options)

    yield make
    fork_servers.unstage()


def outcomes(session, wanted=ALL):
    return {check.id: session.run(q, check).outcome for q, check in session.ordered(wanted)}


def test_without_steering_checks_run_in_the_order_of_the_rubric(session):
    heard: list[str] = []
    made = session(on_check=lambda result: heard.append(result.spec.id))
    assert outcomes(made) == {"q1.1": "partial", "q1.2": "partial", "q1.3": "pending"}
    assert tuple(heard) == ALL == tuple(made.results)
    assert [check.id for _question, check in made.ordered({"q1.3", "q1.1"})] == ["q1.1", "q1.3"]


@pytest.mark.parametrize("note_fails", [False, True])
def test_steering_decides_about_order_and_is_told_of_each_check(note_fails, session):
    steering = Steered(note_fails=note_fails)
    heard: list[str] = []
    made = session(steering=steering, on_check=lambda result: heard.append(result.spec.id))
    assert outcomes(made) == {"q1.3": "pending", "q1.2": "pending", "q1.1": "partial"}
    assert heard == ["q1.3", "q1.2", "q1.1"]
    assert steering.reports == [1, 2, 3]
    assert made.results["q1.2"].message == "later"
    assert made.report().status == "pending"


def test_a_worker_that_steering_refuses_leaves_the_check_open(session):
    made = session(steering=Steered(refuses=True))
    assert outcomes(made, ("q1.1",)) == {"q1.1": "pending"}
    assert made.results["q1.1"].message == "too little memory"


def test_exceptions_of_student_code_are_kept_by_check(session):
    made = session(RAISES)
    outcomes(made)
    errors = made.raised["q1.1"]
    assert {error.type for error in errors} == {"ValueError"}
    assert errors[0].where[-1] == ("toy.py", 10, "times")
    assert made.raised["q1.3"] == ()


def test_a_failed_import_is_kept_for_every_check_of_the_module(session):
    made = session("x = 1\ndef times(x:\n    return 2 * x\n")
    assert outcomes(made, ("q1.1", "q1.2")) == {"q1.1": "failed", "q1.2": "failed"}
    for check in ("q1.1", "q1.2"):
        assert made.results[check].reason == "import_error"
        assert [error.where[-1][:2] for error in made.raised[check]] == [("toy.py", 2)]


class Refusing:
    """A source of workers that isolates less than is demanded."""

    isolation: list[str] = []
    bounded = None
    asks_at_once = True

    def spawn(self, _question, _folder, _limits, _seed, _module="", _expected=1, **_options):
        raise IsolationError("not here")


def test_a_machine_that_isolates_too_little_ends_the_run(session):
    made = session(workers=Refusing())
    (first, *_rest) = made.ordered(ALL)
    with pytest.raises(IsolationError, match="not here"):
        made.run(*first)
    assert made.results == {}


def test_at_home_there_is_no_reference_to_run_and_nothing_isolates(tmp_path, rubric):
    with PlainProcesses((), tmp_path) as processes:
        assert processes.isolation == []
        with processes.reference(rubric) as folder:
            assert folder is None


@pytest.mark.parametrize(("reason", "shares"), [("timeout", [1.0, 0.2]), ("crashed", [1.0, 1.0])])
def test_who_slept_has_a_part_of_the_time_for_a_second_try(reason, shares, session, monkeypatch):
    seen: list[float] = []

    class Limited(Steered):
        def limits(self, _question, check, limits):
            seen.append(limits.timeout_s / check.timeout_s)
            return limits

    def lost(kind, check, context, found=None, in_turn=None):
        assert found is in_turn is None
        with context.open_module(context.worker_seed):
            pass
        raise WorkerLost(reason, f"lost the worker of try {len(seen)}", retry=True)

    monkeypatch.setattr(rerun, "run", lost)
    made = session(steering=Limited())
    question, check = next(iter(made.ordered(["q1.1"])))
    assert check.timeout_s > 10
    result = made.run(question, check)
    assert seen == shares
    assert (result.outcome, result.reason) == ("failed", reason)
    # The first message has the check's own limit.
    assert f"try {1 if reason == 'timeout' else 2}" in result.message
