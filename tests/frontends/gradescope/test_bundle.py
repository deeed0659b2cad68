"""``grader bundle gradescope``: an archive that the platform accepts, and what is in it."""

from __future__ import annotations

import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from grader.frontends import wheel
from grader.frontends.gradescope import bundle
from grader.frontends.gradescope.bundle import Choices
from tests.conftest import ROOT


@pytest.fixture
def packed(run_cli, tmp_path):
    def run(*options: object) -> tuple[object, Path]:
        file = tmp_path / "autograder.zip"
        return run_cli("bundle", "gradescope", "-o", file, *options), file

    return run


def test_the_scripts_are_at_the_root_and_run_autograder_is_executable(packed):
    ran, file = packed("--rubric", ROOT / "rubric.yaml")
    assert ran.status == 0, ran.err
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert archive.testzip() is None
        assert archive.read("run_autograder").startswith(b"#!/usr/bin/env bash\n")
    assert names[:2] == ["setup.sh", "run_autograder"]
    assert {stat.S_IMODE(modes[name]) for name in names[:2]} == {0o755}
    assert stat.S_IMODE(modes["assignment/rubric.yaml"]) == 0o644


def test_it_holds_what_grading_needs_and_no_examples(packed):
    _, file = packed("--rubric", ROOT / "rubric.yaml")
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
    assert {
        "settings.sh", "constraints.txt", wheel.name(), "assignment/rubric.yaml",
        "assignment/reference/rnn_layers.py", "assignment/reference/cases/rnn_layers.py",
        "assignment/submissions_template/layers.py",
    } <= names  # fmt: skip
    assert not any("submissions/" in name or "__pycache__" in name for name in names)


def test_the_same_assignment_gives_the_same_bytes(rubric):
    assert bundle.build(rubric, Choices()) == bundle.build(rubric, Choices())


def test_choices_reach_the_scripts_and_the_environment_comes_first(packed, tmp_path):
    options = ["--budget", "1140", "--pip-args", "--index-url 'x y'", "--isolation", "partial"]
    _, file = packed("--rubric", ROOT / "rubric.yaml", *options)
    with zipfile.ZipFile(file) as archive:
        (tmp_path / "settings.sh").write_bytes(archive.read("settings.sh"))
    script = '. ./settings.sh; echo "$GRADER_TIME_BUDGET_S|$GRADER_PIP_ARGS|$GRADER_ISOLATION"'

    def shown(**environment: str) -> str:
        ran = subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=tmp_path, env={"PATH": "/usr/bin:/bin", **environment}, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        return ran.stdout.strip()

    assert shown() == "1140|--index-url 'x y'|partial"
    assert shown(GRADER_TIME_BUDGET_S="60") == "60|--index-url 'x y'|partial"


def test_data_of_the_full_tier_is_packed(packed, tmp_path):
    data = tmp_path / "data"
    (data / "sentences").mkdir(parents=True)
    (data / "sentences" / "train.txt").write_text("1 word\n")
    _, file = packed("--rubric", ROOT / "rubric.yaml", "--tier", "full", "--data", data)
    with zipfile.ZipFile(file) as archive:
        assert archive.read("data/sentences/train.txt") == b"1 word\n"
        settings = archive.read("settings.sh").decode()
    assert "GRADER_TIER=full" in settings
    assert "GRADER_DATA=/autograder/source/data" in settings


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--tier", "full"], "--tier full needs the homework's data"),
        (["--data", "nowhere"], "--data nowhere: no such folder"),
        (["--constraints", "no.txt"], "--constraints no.txt: no such file"),
        (["--rubric", "no.yaml"], "no.yaml: no such file"),
    ],
)
def test_what_cannot_be_packed_is_told_in_one_line(packed, options, problem):
    ran, file = packed(*(["--rubric", ROOT / "rubric.yaml"] if "--rubric" not in options else []),
                       *options)  # fmt: skip
    assert ran.status == 2
    assert problem in ran.err
    assert not file.exists()


def test_an_archive_that_would_be_too_large_is_refused(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_BYTES", 1000)
    ran, file = packed("--rubric", ROOT / "rubric.yaml")
    assert ran.status == 2
    assert "larger than 1000 bytes" in ran.err
    assert not file.exists()


@pytest.mark.parametrize("name", bundle.SCRIPTS)
def test_the_scripts_are_valid_bash(name):
    path = Path(bundle.__file__).parent / "files" / name
    subprocess.run(["bash", "-n", path], check=True)


def test_without_its_environment_run_autograder_says_so_and_leaves_no_results(tmp_path):
    (tmp_path / "results").mkdir()
    script = Path(bundle.__file__).parent / "files" / "run_autograder"
    ran = subprocess.run(
        ["bash", script],
        env={"PATH": "/usr/bin:/bin", "GRADER_ROOT": str(tmp_path), "GRADER_VENV": "/nowhere"},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 3
    assert "setup.sh did not run to its end" in ran.stdout
    assert not list((tmp_path / "results").iterdir())
