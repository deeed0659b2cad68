"""``grader new``: what is refused, and how the id is written.

That the assignment runs is shown by the installed wheel (tests/packaging/test_wheel.py).
"""

from __future__ import annotations

import pytest
import yaml

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS


@pytest.mark.parametrize(
    "name", ["demo", "hw-3.b_2", "2026", "1e5", "no", "y", "0x10", "2026-01-31"]
)
def test_the_folders_name_becomes_the_id_also_where_yaml_would_misread_it(run_cli, tmp_path, name):
    ran = run_cli("new", tmp_path / name)
    assert (ran.status, ran.err) == (0, "")
    assert load_rubric(tmp_path / name / "rubric.yaml", KINDS).assignment == name


def test_nothing_but_the_id_is_changed(run_cli, tmp_path):
    run_cli("new", tmp_path / "one")
    run_cli("new", tmp_path / "two")
    one, two = ((tmp_path / name / "rubric.yaml").read_text() for name in ("one", "two"))
    assert one.replace('assignment: "one"\n', 'assignment: "two"\n') == two
    assert yaml.safe_load(one)["title"] == yaml.safe_load(two)["title"]


def test_an_empty_folder_is_filled_also_the_one_it_is_called_in(run_cli, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    ran = run_cli("new", ".")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[1] == "    grader verify"
    assert load_rubric(tmp_path / "empty" / "rubric.yaml", KINDS).assignment == "empty"


def test_folders_above_are_made(run_cli, tmp_path):
    assert run_cli("new", tmp_path / "course" / "hw 1" / "layers").status == 0
    ran = run_cli("new", tmp_path / "course" / "hw 1" / "other")
    assert f"cd '{tmp_path}/course/hw 1/other' && grader verify" in ran.out


def test_a_folder_that_holds_something_is_left_as_it_is(run_cli, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / ".hidden").write_text("kept")
    ran = run_cli("new", tmp_path / "mine")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"error: {tmp_path}/mine: this folder is not empty; name a new one\n"
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [".hidden"]


def test_a_new_repository_of_git_counts_as_empty_and_keeps_its_files(run_cli, tmp_path):
    (tmp_path / "mine" / ".git").mkdir(parents=True)
    (tmp_path / "mine" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / "mine" / ".gitignore").write_text("build/\n")
    ran = run_cli("new", tmp_path / "mine")
    assert (ran.status, ran.err) == (0, "")
    assert load_rubric(tmp_path / "mine" / "rubric.yaml", KINDS).assignment == "mine"
    assert (tmp_path / "mine" / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert (tmp_path / "mine" / ".gitignore").read_text() == "build/\n"


def test_a_file_in_its_place_is_left_as_it_is(run_cli, tmp_path):
    (tmp_path / "mine").write_text("kept")
    ran = run_cli("new", tmp_path / "mine")
    assert (ran.status, ran.err) == (
        2,
        f"error: {tmp_path}/mine: this is a file; name a new folder\n",
    )
    ran = run_cli("new", tmp_path / "mine" / "below")
    below = f"error: {tmp_path}/mine/below: {tmp_path}/mine is a file; name a folder that is not"
    assert (ran.status, ran.err) == (2, f"{below} below it\n")
    ran = run_cli("new", tmp_path / "mine" / "far" / "below")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert f"/far/below: {tmp_path}/mine is a file; name a folder that is not below" in ran.err
    assert (tmp_path / "mine").read_text() == "kept"


@pytest.mark.parametrize("name", ["my homework", "größe", "_x", "x" * 65, "-x"])
def test_a_name_that_cannot_be_an_id_is_refused_before_anything_is_written(
    run_cli, tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    ran = run_cli("new", "--", name)
    assert (ran.status, ran.out) == (2, "")
    assert f"the folder's name becomes the assignment's id, but {name!r} cannot be one" in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
