"""``pytest.json`` beside every report: as pytest-json-report would write it, without pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, SUBMISSIONS
from tests.run.conftest import RAISES, run_pytest

PLAIN = SUBMISSIONS / "full_marks" / "plain"
pytestmark = pytest.mark.slow  # most tests start pytest once more, or grade
OF_THE_MACHINE = ("created", "duration", "root", "environment", "keywords", "longrepr")


def compared(recorded):
    """Return a record without what differs from run to run or from machine to machine."""
    if isinstance(recorded, dict):
        return {
            key: type(value) if key in OF_THE_MACHINE else compared(value)
            for key, value in recorded.items()
            if key != "environment"
        }
    return [compared(value) for value in recorded] if isinstance(recorded, list) else recorded


@pytest.fixture
def both(toy, tmp_path, run_cli):
    """Grade a toy submission and run pytest on it; return what each recorded."""

    def run(module, *names):
        rubric, folder = toy(module)
        file = tmp_path / "record.json"
        run_pytest(
            *(rubric, "--submission", folder, "--json-report", f"--json-report-file={file}"),
            *(f"--rootdir={rubric.parent}", "-c", os.devnull),
            *(["-k", " or ".join(names)] if names else []),
        )
        only = [word for name in names for word in ("--only", name)]
        run_cli("grade", folder, "--out", tmp_path / "out", "--rubric", rubric, *only)
        ours = json.loads((tmp_path / "out" / "alice" / "pytest.json").read_text())
        return ours, json.loads(file.read_text())

    return run


@pytest.mark.parametrize("module", [RAISES, "def f():\n    pass\n", "x = (\n"])
def test_it_is_what_pytest_json_report_records(module, both):
    ours, theirs = both(module)
    assert compared(ours) == compared(theirs)
    assert list(ours["tests"][0]) == list(theirs["tests"][0])
    assert (ours["exitcode"], ours["summary"]["failed"], ours["summary"]["skipped"]) == (1, 2, 1)
    for mine, other in zip(ours["tests"], theirs["tests"], strict=True):
        # pytest adds the folders above the rubric, and where a check failed.
        assert mine["keywords"] == other["keywords"][:3]
        if mine["outcome"] == "failed":
            assert other["call"]["longrepr"].startswith(mine["call"]["longrepr"])


def test_a_skipped_check_says_why_and_names_no_file_of_ours(both):
    ours, _theirs = both(RAISES, "q1.3")
    (test,) = ours["tests"]
    assert (ours["exitcode"], test["outcome"]) == (0, "skipped")
    assert test["call"]["longrepr"].startswith("('rubric.yaml', None, 'Skipped: why.md, 3 words")


def test_no_path_of_the_machine_is_in_it(grade, tmp_path):
    grade(PLAIN, SUBMISSIONS / "wrong" / "rnn_step_without_bias", only=("q3.1", "q5.9"))
    for name in ("plain", "rnn_step_without_bias"):
        text = (tmp_path / "out" / name / "pytest.json").read_text()
        assert {word for path in (ROOT, tmp_path) for word in path.parts[1:]} & set(
            text.replace("/", '"').split('"')
        ) == set()


SHADOW = "open({marker!r}, 'a').write('x')\nraise ImportError('pytest was started')\n"


@pytest.mark.slow
def test_grading_starts_no_pytest_at_all(tmp_path):
    marker, shadows = tmp_path / "started", tmp_path / "shadows"
    for package in ("pytest", "_pytest", "pluggy"):
        (shadows / package).mkdir(parents=True)
        (shadows / package / "__init__.py").write_text(SHADOW.format(marker=str(marker)))
    environment = {**os.environ, "PYTHONPATH": str(shadows)}
    shadowed = subprocess.run(
        [sys.executable, "-c", "import pytest"], env=environment, capture_output=True, check=False
    )
    assert shadowed.returncode == 1
    assert marker.read_text() == "x"
    marker.unlink()
    arguments = ["--only", "q3.1", "--only", "q2.1", "--out", tmp_path / "out", "--jobs", "2"]
    full = SUBMISSIONS / "full_marks"
    ran = subprocess.run(
        [sys.executable, "-m", "grader", "grade", full / "plain", full / "loop", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert len(list((tmp_path / "out").glob("*/pytest.json"))) == 2
    assert not marker.exists()


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
