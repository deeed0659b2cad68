"""The plain installation checks at home; what grades says which extra it needs."""

from __future__ import annotations

import sys
from importlib import metadata, util

import pytest
from click.testing import CliRunner

from grader import cli, extras
from tests.conftest import ROOT
from tests.packaging.conftest import requirements

OWN_CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--data", default="mine")  # the grader's plugin has one of this name, too
"""
OWN_TEST = "def test_own(request):\n    assert request.config.getoption('--data') == 'mine'\n"


def declared(extra):
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 and newer read pyproject.toml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {need.partition(">")[0].partition("=")[0] for need in
            project["optional-dependencies"][extra]}  # fmt: skip


def test_the_grader_knows_the_packages_of_its_extra():
    assert set(extras.GRADING.values()) == declared("grading")
    for module, package in extras.GRADING.items():
        assert package in map(str.lower, metadata.packages_distributions()[module])


def test_tests_need_all_that_grading_needs():
    assert "dl-grader[grading]" in declared("test")
    assert set(extras.GRADING.values()) <= requirements("test")
    assert not set(extras.GRADING.values()) & requirements()


@pytest.mark.parametrize("command", sorted(set(cli.COMMANDS) - cli.AT_HOME))
def test_a_command_says_in_one_line_what_to_install(plain, tmp_path, command):
    ran = plain.run("grader", command, "--out", "x", cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        f"error: grader {command} needs torch, pytest-json-report, jinja2, h5py, matplotlib and "
        "pillow, which are not installed; install the extra for grading: pip install "
        "'dl-grader[grading]'\n"
    )


def test_help_is_shown_without_the_extra(plain, tmp_path):
    ran = plain.run("grader", "--help", cwd=tmp_path)
    assert (ran.status, ran.err) == (0, "")
    listed = ran.out.partition("Commands:")[2].partition("\n\n")[0].split("\n")
    assert [line.split()[0] for line in listed if line] == ["check", "new", "replay"]
    told = " ".join(ran.out.split())
    assert "Not for students; install the extra for grading: pip install" in told
    assert "bundle, calibrate, diff, doctor, export, grade," in told


def test_students_see_no_options_that_only_graders_can_use(plain, tmp_path):
    for command, theirs in (("check", "--watch"), ("replay", "--case")):
        ran = plain.run("grader", command, "--help", cwd=tmp_path)
        assert theirs in ran.out
        assert "--help" in ran.out
        assert not {"--tier", "--seed", "--device", "--data", "--isolation"} & {*ran.out.split()}


def test_one_package_that_is_missing_is_named(monkeypatch):
    there = util.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "PIL" else there(name))
    ran = CliRunner().invoke(cli.main, ["grade"])
    assert ran.exit_code == 2
    assert ran.stderr.startswith("error: grader grade needs pillow, which is not installed; ")


def test_a_students_own_pytest_is_left_alone(plain, tmp_path):
    """The plugin would add ``--data``, which their conftest.py adds already."""
    (tmp_path / "conftest.py").write_text(OWN_CONFTEST)
    (tmp_path / "test_own.py").write_text(OWN_TEST)
    ran = plain.run("python", "-m", "pytest", "-W", "error", cwd=tmp_path)
    assert (ran.status, ran.err) == (0, ""), ran
    assert "1 passed" in ran.out
    loaded = "import sys, pytest; pytest.main(['-q']); print(*sys.modules)"
    ran = plain.run("python", "-c", loaded, cwd=tmp_path)
    assert "grader.run.pytest_entry" in ran.out.split()
    assert "grader.run.pytest_plugin" not in ran.out.split()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is always so")
def test_without_the_extra_a_rubric_is_checked_in_plain_processes(plain, tmp_path):
    """An instructor's folder on a machine that cannot grade: ``check`` does what it can."""
    template = ROOT / "submissions_template"
    ran = plain.run("grader", "check", template, "q3.1", cwd=tmp_path)
    assert (ran.status, ran.err) == (1, "")
    assert "q3.1" in ran.out
    assert "rnn_step_forward is not implemented yet" in ran.out
