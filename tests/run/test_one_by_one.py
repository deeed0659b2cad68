"""What is wrong in a proven program is found with fewer questions, and is the same."""

from __future__ import annotations

import dataclasses

import pytest

from grader.assignment.reference import Assignment
from grader.checks.answers import Answers
from grader.checks.same_wrong import SameAgainError, WrongCases
from grader.isolation.sandbox.connection import WorkerConnection
from grader.job import Settings
from grader.run.session import Session
from grader.run.workers import ForkServers
from tests.conftest import LAYERS, handed_in


@pytest.fixture
def graded(rubric, fork_servers, monkeypatch, tmp_path):
    """Grade the layers of an example; return the results without their times, by check."""

    def run(folder, *only, at_once=True):
        monkeypatch.setattr(ForkServers, "asks_at_once", at_once)
        staged = fork_servers.stage("handed_in", folder, rubric)
        session = Session(rubric, Assignment(rubric.reference), staged, fork_servers, Settings())
        for question, check in session.ordered(only or LAYERS):
            session.run(question, check)
        fork_servers.unstage()
        return {
            name: dataclasses.replace(result, duration_s=0.0)
            for name, result in session.results.items()
        }

    run.example = lambda name: handed_in(name, tmp_path)
    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "example",
    [
        "wrong/rnn_step_without_bias",
        "wrong/lstm_gates_in_torch_order",
        "wrong/lstm_backward_drops_dnext_h",
        "wrong/rnn_backward_forgets_time_order",
        "wrong/tanh_derivative_of_wrong_array",
        "full_marks/vectorised",
    ],
)
def test_it_is_what_is_found_call_by_call(example, graded):
    folder = graded.example(example)
    assert graded(folder) == graded(folder, at_once=False)


def test_the_calls_of_a_proven_program_go_together(graded, submission, monkeypatch):
    sent = []
    told = WorkerConnection.call_ahead

    def call_ahead(self, calls, *, any_order=False):
        sent.append((len(calls), any_order))
        told(self, calls, any_order=any_order)

    monkeypatch.setattr(WorkerConnection, "call_ahead", call_ahead)
    wrong = "mu = x.mean()\nreturn x @ w + b + mu, (x, w, b)"
    proven = graded(submission(temporal_fc_forward=wrong), "q5.1")
    assert [any_order for _count, any_order in sent] == [False, True]
    sent.clear()
    wrong = f"N.append(1)\n{wrong}"
    other = graded(submission(name="other", top="N = []", temporal_fc_forward=wrong), "q5.1")
    assert [any_order for _count, any_order in sent] == [False]
    assert proven["q5.1"].points == other["q5.1"].points == 0
    assert proven["q5.1"].message == other["q5.1"].message


def test_a_case_that_never_ends_costs_its_own_group_only(graded, submission):
    body = "while x.shape[0] == 1:\n    pass\nreturn x @ w + b, (x, w, b)"
    found = graded(submission(temporal_fc_forward=body), "q5.1")["q5.1"]
    assert {part.name: part.earned for part in found.parts} == {"values": 1.0, "edge_cases": 0.0}
    assert found.reason == "timeout"


def test_a_wrong_function_on_right_ones_is_not_asked_twice(graded, monkeypatch):
    asked = []
    answer = Answers.__call__

    def answered(self, *args):
        asked.append(args)
        return answer(self, *args)

    monkeypatch.setattr(Answers, "__call__", answered)
    folder = graded.example("wrong/rnn_backward_forgets_time_order")
    with_all = {}
    for spared in (True, False):
        asked.clear()
        if not spared:
            monkeypatch.setattr(WrongCases, "add", lambda *_args: None)
        result = graded(folder, "q3.4")["q3.4"]
        with_all[spared] = len(asked), result
    assert with_all[True][1] == with_all[False][1]
    assert 0 < 5 * with_all[True][0] < with_all[False][0]


class TestWrongCases:
    def test_the_same_again_settles(self, cases):
        case, edge, limit = cases
        wrong = WrongCases()
        wrong.add(case, {"out": case.expected["out"] + 1}, limit)
        wrong.add(edge, {"out": edge.expected["out"] + 1}, limit)
        wrong.hold()
        wrong.add(case, {"out": case.expected["out"] + 2}, limit)  # the others changed something
        wrong.add(edge, {"out": edge.expected["out"] + 1}, limit)  # other cases may earn points
        with pytest.raises(SameAgainError):
            wrong.add(case, {"out": case.expected["out"] + 1}, limit)

    def test_what_is_no_array_settles_nothing(self, cases):
        case, _edge, limit = cases
        wrong = WrongCases()
        wrong.add(case, {"out": "text"}, limit)
        wrong.hold()
        wrong.add(case, {"out": "text"}, limit)
        wrong.add(case, {}, limit)

    @pytest.fixture
    def cases(self, rubric):
        from grader.checks.numerics import tolerance

        spec = next(check for q in rubric.questions for check in q.checks if check.id == "q5.1")
        question = next(q for q in rubric.questions if spec in q.checks).of(spec)
        found = Assignment(rubric.reference).solved(
            *(question.module, spec.function, spec.returns, spec.opaque), *(7, spec.drawn)
        )
        ordinary = next(case for case in found if case.group == "values")
        edge = next(case for case in found if case.group != "values")
        return ordinary, edge, tolerance(spec, ordinary)
