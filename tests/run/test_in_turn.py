"""Wrong values of a program proven pure are judged in the worker that does all its checks."""

from __future__ import annotations

import dataclasses
import zlib

import pytest

from grader.assignment.reference import Assignment
from grader.isolation.sandbox import ForkServer
from grader.job import Settings
from grader.run.loading import Loader
from grader.run.session import Session
from tests.conftest import SUBMISSIONS, handed_in

CHECKS = ("q3.1", "q3.2", "q3.3", "q3.4", "q4.1", "q4.2", "q4.3", "q4.4")
EVERY = sorted(
    folder.name
    for folder in (SUBMISSIONS / "wrong").iterdir()
    if (folder / "rnn_layers.py").exists()
)
SOME = [name for name in EVERY if zlib.crc32(name.encode()) % 4 == 0]
RIGHT = (SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py").read_text(encoding="utf-8")


@pytest.fixture
def judged(rubric, fork_servers, monkeypatch):
    """Judge a hand-in; return the results by check, and how many workers were started."""
    started = []
    usual = ForkServer.started

    def noted(server, submission, *given, **more):
        started.append(submission)
        return usual(server, submission, *given, **more)

    monkeypatch.setattr(ForkServer, "started", noted)

    def run(folder, checks=CHECKS):
        started.clear()
        staged = fork_servers.stage("ada", folder, rubric)
        session = Session(rubric, Assignment(rubric.reference), staged, fork_servers, Settings())
        for question, check in session.ordered(checks):
            session.run(question, check)
        fork_servers.unstage()
        # The first worker of a server shows that it isolates.
        return session.results, started.count(staged.folder)

    return run


def without_times(results):
    return {name: dataclasses.replace(one, duration_s=0.0) for name, one in results.items()}


def layers(folder, *replaced):
    """Write the right layers with parts of their text replaced."""
    text = RIGHT
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new)
    folder.mkdir()
    (folder / "rnn_layers.py").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", SOME)
def test_all_is_as_in_workers_of_their_own(name, judged, monkeypatch, tmp_path):
    folder = handed_in(f"wrong/{name}", tmp_path)
    found, _started = judged(folder)
    monkeypatch.setattr(Loader, "judges_in_turn", lambda *_: False)
    alone, _started = judged(folder)
    assert without_times(found) == without_times(alone)


def test_a_wrong_value_needs_no_worker_of_its_own(judged, tmp_path):
    folder = layers(tmp_path / "ada", ("next_h = np.tanh(", "next_h = np.sin("))
    results, started = judged(folder, ["q3.1"])
    assert (results["q3.1"].outcome, started) == ("failed", 1)


@pytest.mark.parametrize(
    "replaced",
    [
        # Each step by itself is right, and their order is not.
        ("range(T - 1, -1, -1)", "range(T)"),
        # The step is wrong, and what builds on it earns its points with a right one.
        ("next_h = np.tanh(", "next_h = np.sin("),
    ],
)
def test_what_is_run_again_with_right_functions_needs_no_worker_of_its_own(
    replaced, judged, tmp_path
):
    results, started = judged(layers(tmp_path / "ada", replaced), ["q3.3", "q3.4"])
    assert started == 1
    if "sin" in replaced[1]:
        assert any("right rnn_step_forward" in note for note in results["q3.3"].notes)
    else:
        assert results["q3.4"].outcome != "passed"


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('no')",  # says why in a worker of its own
        "next_h = np.empty_like(prev_h)",  # values are the luck of a worker
        "next_h = np.\uff45mpty(1)[0] + prev_h",  # the same name, to Python
        "next_h = np.pad(prev_h, 1, mode='em' 'pty')",
        "while True:\n        pass",
    ],
)
def test_what_is_more_than_values_is_judged_in_a_worker_of_its_own(body, judged, tmp_path):
    folder = layers(tmp_path / "ada", ("next_h = np.tanh(", f"{body}\n    next_h = np.sin("))
    _results, started = judged(folder, ["q3.1"])
    assert started >= 2
