"""``grader verify``: a wrong claim is noticed. That all claims hold is for test_examples.py."""

import shutil

import pytest

from grader.assignment.examples import CLAIMS, Claims, Example, claim_checks, load_examples
from tests.conftest import ROOT, checks_of
from tests.made_reports import check, report_of, typed


@pytest.fixture(scope="module")
def examples(rubric):
    return load_examples(rubric)


def test_the_command_grades_what_matches_a_pattern_and_writes_reports(run_cli, tmp_path):
    patterns = ("wrong/softmax_*", "hostile/booleans", "full_marks/derivation_rows")
    ran = run_cli("verify", *patterns, "--out", tmp_path, "--rubric", ROOT / "rubric.yaml")
    assert (ran.status, ran.err) == (0, "")
    assert "7 of 7 examples score as they claim" in ran.out
    assert (tmp_path / "gradebook.csv").is_file()
    assert len(list(tmp_path.glob("*/report.json"))) == 7


def test_there_are_enough_examples_each_with_one_mistake(examples, rubric):
    groups = [example.name.partition("/")[0] for example in examples]
    assert groups.count("full_marks") >= 2
    assert groups.count("wrong") >= 10
    assert groups.count("hostile") >= 10
    for example in examples:
        assert example.claims.mistake or example.name.startswith("full_marks")
        if example.name.startswith("full_marks"):
            assert example.claims.loses == {}


def test_every_example_folder_has_claims():
    # A folder whose name begins with an underscore is no example: others are based on it.
    root = ROOT / "reference" / "submissions"
    folders = {path for path in root.glob("*/[!_]*") if path.is_dir()}
    assert [folder for folder in folders if not (folder / CLAIMS).is_file()] == []


REPORT = report_of(
    check("q1", "partial", 0.5, 2.0, message="off by a factor"),
    check("q2", "passed", 1.0, 1.0),
    score=1.5,
)
REPORT["submission"]["id"] = "wrong.x"


@pytest.mark.parametrize(
    ("loses", "problem"),
    [
        ({"q1": {"points": 1.5}}, None),
        ({"q1": {"points": [1, 2], "reason": "mismatch", "message": "factor"}}, None),
        ({"q1": {"points": 1.4}}, "loses 1.5 points, expected 1.4"),
        ({}, "loses 1.5 points, expected 0"),
        ({"q1": {"points": 1.5}, "q2": {"points": 1}}, "q2 loses 0 points, expected 1"),
        ({"q1": {"points": 1.5, "reason": "timeout"}}, "reason is not timeout"),
        ({"q1": {"points": 1.5, "outcome": "blocked"}}, "outcome is not blocked"),
        ({"q1": {"points": 1.5, "message": "sign"}}, "its message lacks 'sign'"),
        ("all", "expected 2"),
    ],
)
def test_a_claim_that_does_not_hold_is_a_problem(loses, problem, tmp_path):
    claims = Claims.model_validate({"mistake": "x", "loses": loses})
    example = Example("wrong/x", tmp_path, claims, None)
    (verdict,) = claim_checks([example], [typed(REPORT)])
    if problem is None:
        assert verdict.problems == ()
    else:
        assert problem in verdict.problems[0]


def test_a_note_that_is_claimed_must_be_in_the_report(tmp_path):
    made = report_of(check("q1", "passed", 1.0, 1.0, notes=["as long as differences do"]))
    made["submission"]["id"] = "wrong.x"
    for text, problems in (("differences", ()), ("a sum", ("q1: no note has 'a sum'",))):
        claims = Claims.model_validate({"mistake": "x", "notes": {"q1": text}})
        (verdict,) = claim_checks([Example("wrong/x", tmp_path, claims, None)], [typed(made)])
        assert verdict.problems == problems


@pytest.mark.parametrize(
    ("kind", "loses", "problem"),
    [
        ("derivation", {}, "q1 waits for a person, which is not claimed"),
        ("derivation", {"q1": {"points": [0, 2]}}, "q1 waits for a person"),
        ("derivation", {"q1": {"points": 2, "outcome": "pending"}}, "loses 0 points, expected 2"),
        ("derivation", {"q1": {"points": 0, "outcome": "failed"}}, "outcome is not failed"),
        ("derivation", {"q1": {"points": 0, "outcome": "pending"}}, None),
        ("derivation", "all", None),
        ("written", {}, None),
    ],
)
def test_a_check_that_waits_for_a_person_must_be_claimed(kind, loses, problem, tmp_path):
    made = report_of(check("q1", "pending", 0.0, 2.0, kind=kind), score=0.0)
    made["submission"]["id"] = "wrong.x"
    claims = Claims.model_validate({"mistake": "x", "loses": loses})
    (verdict,) = claim_checks([Example("wrong/x", tmp_path, claims, None)], [typed(made)])
    assert [problem in text for text in verdict.problems] == [True] * (problem is not None)


def test_a_false_claim_makes_verify_exit_1(run_cli, small_assignment, tmp_path):
    rubric = small_assignment(
        "assignment: s\ntitle: s\npoints: 1\nquestions:\n"
        "  - {id: q1, title: s, points: 1, module: rnn_layers.py, checks: [{id: q1.1, title: s,"
        " points: 1, kind: forward, function: temporal_fc_forward, returns: [out, cache],"
        " opaque: [cache], shares: {values: 0.5, edge_cases: 0.5}}]}\n"
    )
    example = rubric.parent / "reference" / "submissions" / "wrong" / "x"
    shutil.copytree(ROOT / "reference" / "submissions" / "wrong" / "fc_without_bias", example)
    (example / "expected.yaml").write_text("mistake: none at all\nloses: {}\n")
    ran = run_cli("verify", "--rubric", rubric)
    assert ran.status == 1
    assert "wrong/x: q1.1 loses 1 points, expected 0" in ran.err
    (example / "expected.yaml").write_text("mistake: x\nloses: {q8: {points: 1, reason: bad}}\n")
    ran = run_cli("verify", "--rubric", rubric)
    assert ran.status == 2
    assert "expected.yaml:2: loses: the rubric has no check 'q8'" in ran.err
    assert "there is no reason 'bad'" in ran.err


def test_checks_of_is_by_id():
    assert list(checks_of(REPORT)) == ["q1", "q2"]
