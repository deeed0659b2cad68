"""``pytest rubric.yaml --submission DIR``: the same checks for people who know pytest."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT, SUBMISSIONS

RUBRIC = ROOT / "rubric.yaml"


def run_pytest(*arguments, cwd=ROOT):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_one_item_per_check_and_k_selects(tmp_path):
    file = tmp_path / "record.json"
    example = SUBMISSIONS / "wrong" / "softmax_epsilon"
    chosen = "q5.1 and not q5.10 or q5.2 or q5.3 or q5.4"
    ran = run_pytest(
        *(RUBRIC, "--submission", example, "-k", chosen),
        *("--json-report", f"--json-report-file={file}"),
    )
    assert ran.returncode == 1
    assert "1 failed, 3 passed" in ran.stdout
    assert "failed (mismatch): 0 of 2 points" in ran.stdout
    assert "1e-5 is added inside the logarithm" in ran.stdout
    assert "Traceback" not in ran.stdout
    record = json.loads(file.read_text())
    failed = [test for test in record["tests"] if test["outcome"] == "failed"]
    assert [test["nodeid"] for test in failed] == ["rubric.yaml::q5::q5.3"]
    properties = {k: v for item in failed[0]["user_properties"] for k, v in item.items()}
    assert properties["outcome"] == "failed"
    assert (properties["points"], properties["max_points"]) == (0, 2)


def test_without_a_submission_a_rubric_is_not_collected():
    ran = run_pytest(RUBRIC)
    assert "no tests" in ran.stdout or "not found" in ran.stderr + ran.stdout
    assert ran.returncode != 0


def test_a_rubric_with_mistakes_is_shown_without_a_traceback(tmp_path):
    (tmp_path / "rubric.yaml").write_text("assignment: x\nquestons: []\n")
    ran = run_pytest(tmp_path / "rubric.yaml", "--submission", SUBMISSIONS / "full_marks" / "plain")
    assert ran.returncode != 0
    assert "unknown key 'questons' (did you mean 'questions'?)" in ran.stdout
    assert "Traceback" not in ran.stdout
    assert "INTERNALERROR" not in ran.stdout


@pytest.mark.parametrize("planted", ["conftest.py", "pytest.ini"])
def test_pytest_refuses_to_run_out_of_a_submission(planted, tmp_path):
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / "rnn_layers.py").write_text("")
    (folder / "rubric.yaml").write_text(RUBRIC.read_text())
    (folder / planted).write_text("" if planted == "pytest.ini" else "x = 1\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    ran = run_pytest(folder / "rubric.yaml", "--submission", folder, cwd=tmp_path)
    assert ran.returncode == 4
    assert "lies in the submission" in ran.stderr


def test_a_planted_conftest_is_not_executed_by_grading(grade, submission, tmp_path):
    folder = submission()
    marker = tmp_path / "executed"
    for name in ("conftest.py", "sitecustomize.py", "pytest_planted.py"):
        (folder / name).write_text(f"open({str(marker)!r}, 'w')\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    ran, reports = grade(folder, only=("q3.1",))
    assert ran.status == 0
    assert reports["handed_in"]["score"] == 2
    assert not marker.exists()
    notes = " ".join(reports["handed_in"]["submission"]["notes"])
    assert "conftest.py was left out" in notes
    assert "pytest.ini was left out" in notes


def test_environment_variables_for_pytest_do_not_reach_grading(grade, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    ran, reports = grade(SUBMISSIONS / "full_marks" / "plain", only=("q3.1",))
    assert ran.status == 0
    assert reports["plain"]["score"] == 2
