"""``grader check``: the student's own look at the visible checks."""

import os

import pytest

from tests.conftest import HIDDEN, ROOT, SUBMISSIONS

RUBRIC = ("--rubric", ROOT / "rubric.yaml")


def test_all_right_exits_0(run_cli):
    ran = run_cli("check", SUBMISSIONS / "full_marks" / "plain", "q3", *RUBRIC)
    assert ran.status == 0
    assert "15 of 15 points" in ran.out


def test_a_failure_exits_1_and_says_what_to_mend(run_cli):
    ran = run_cli("check", SUBMISSIONS / "wrong" / "fc_without_bias", "q5.1", "q5.2", *RUBRIC)
    assert ran.status == 1
    assert "the bias b is not added" in " ".join(ran.out.split())
    assert "q3.1" not in ran.out


def test_the_folder_may_be_left_out(run_cli, monkeypatch):
    monkeypatch.chdir(SUBMISSIONS / "full_marks" / "plain")
    assert run_cli("check", "q5.1").status == 0  # the rubric is found in a folder above


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("q77",), "q77: no such question, check or folder"), (("no/such/folder",), "no such folder")],
)
def test_a_wrong_command_line_exits_2(arguments, words, run_cli):
    ran = run_cli("check", *arguments, *RUBRIC)
    assert ran.status == 2
    assert words in ran.err


def test_no_rubric_anywhere_says_how_to_name_one(run_cli, tmp_path, monkeypatch):
    (tmp_path / "far" / "away").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "far" / "away")
    ran = run_cli("check")
    assert ran.status == 2
    assert "--rubric FILE" in ran.err


def test_no_reports_are_left_behind(run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_cli("check", SUBMISSIONS / "full_marks" / "plain", "q5.1", *RUBRIC)
    assert os.listdir(tmp_path) == []


def test_hidden_checks_are_not_run_and_cannot_be_named(run_cli, small_assignment):
    rubric = small_assignment(HIDDEN)
    example = SUBMISSIONS / "wrong" / "fc_without_bias"
    ran = run_cli("check", example, "--rubric", rubric)
    assert ran.status == 0
    assert "q1.2" not in ran.out
    assert "secret" not in ran.out
    ran = run_cli("check", example, "q1.2", "--rubric", rubric)
    assert ran.status == 2


def test_students_see_only_the_hint_of_a_hidden_check(grade, small_assignment, tmp_path):
    import json

    rubric = small_assignment(HIDDEN)
    example = SUBMISSIONS / "wrong" / "fc_without_bias"
    _ran, reports = grade(example, options=("--rubric", rubric))
    check = reports["fc_without_bias"]["questions"][0]["checks"][1]
    assert "the bias b is not added" in check["message"]  # for the instructor
    shown = (tmp_path / "out" / "fc_without_bias" / "results.json").read_text()
    test = json.loads(shown)["tests"][1]
    assert (test["visibility"], test["output"]) == ("hidden", "think of the bias")
    assert "not added" not in shown
    assert "expected" not in shown
