"""``pytest rubric.yaml --submission DIR``: the same checks for people who know pytest."""

import json
import xml.etree.ElementTree as ET

import pytest

from tests.conftest import ROOT, SUBMISSIONS
from tests.run.conftest import RAISES, WRONG, run_pytest

RUBRIC = ROOT / "rubric.yaml"
pytestmark = pytest.mark.slow  # each test starts pytest once more


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


def test_a_failure_leads_to_the_line_that_raised_with_the_way_there(toy, tmp_path):
    rubric, folder = toy(RAISES)
    ran = run_pytest(rubric, "--submission", folder, "-k", "q1.1", cwd=tmp_path)
    assert ran.returncode == 1
    place = """
alice/toy.py:7: in value
    return self.times(x)
alice/toy.py:10: in times
    raise ValueError("no luck")
E   ValueError: no luck
"""
    assert place in ran.stdout
    assert "Line raised ValueError: no luck (toy.py, line 10, in times: `" in ran.stdout
    assert "FAILED toy/rubric.yaml::q1::q1.1 - failed (exception): 0 of 2 points" in ran.stdout


def test_a_wrong_value_leads_to_the_definition(toy, tmp_path):
    rubric, folder = toy(WRONG)
    ran = run_pytest(rubric, "--submission", folder, "-k", "q1.1", cwd=tmp_path)
    assert ran.returncode == 1
    assert "(mismatch): " in ran.stdout
    assert "\nalice/toy.py:2: in Line\n    class Line:\n" in ran.stdout


def test_the_debugger_stops_at_the_students_line(toy, tmp_path):
    rubric, folder = toy(RAISES)
    ran = run_pytest(
        *(rubric, "--submission", folder, "-k", "q1.1", "--pdb"),
        cwd=tmp_path,
        typed="list\nup\np result.outcome, result.reason\ncontinue\n",
    )
    assert ran.returncode == 1
    _before, _, session = ran.stdout.partition("entering PDB")
    assert f'> {folder}/toy.py(10)times()\n-> raise ValueError("no luck")' in session
    assert '\n 10  ->\t        raise ValueError("no luck")' in session
    assert f"> {folder}/toy.py(7)value()\n-> return self.times(x)" in session
    assert "('failed', 'exception')" in session
    assert "E   ValueError: no luck" in _before


def test_junit_xml_has_one_case_per_check(toy, tmp_path):
    rubric, folder = toy(RAISES)
    file = tmp_path / "junit.xml"
    ran = run_pytest(rubric, "--submission", folder, f"--junitxml={file}", cwd=tmp_path)
    assert ran.returncode == 1
    cases = {case.get("name"): case for case in ET.parse(file).iter("testcase")}
    assert {name: [node.tag for node in case] for name, case in cases.items()} == {
        "q1.1": ["properties", "failure"],
        "q1.2": ["properties", "failure"],
        "q1.3": ["properties", "skipped"],
    }
    properties = {node.get("name"): node.get("value") for node in cases["q1.1"].iter("property")}
    assert properties["points"] == "0.0"
    assert properties["max_points"] == "2.0"
    assert "alice/toy.py:10: in times" in (cases["q1.1"].find("failure").text or "")


def test_the_plugin_imports_nothing_of_the_grader_until_it_is_used(tmp_path):
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_other():\n"
        "    loaded = {name for name in sys.modules if name.startswith('grader.')}\n"
        "    assert 'grader.run.pytest_plugin' in loaded\n"
        "    assert not loaded & {'grader.checks', 'grader.run.session', 'grader.assignment'}\n"
    )
    ran = run_pytest("-c", "/dev/null", f"--rootdir={tmp_path}", tmp_path, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout


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
    assert "is inside the submission" in ran.stderr
