"""A rubric that fits its reference is held against it once, until anything of both changes."""

import shutil
from pathlib import Path

import pytest

import grader.author
from grader.assignment import rubric as reading
from grader.assignment import sound, state
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError, UsageError

STARTER = Path(grader.author.__file__).parent / "starter"


@pytest.fixture
def assignment(tmp_path, monkeypatch):
    """Copy an assignment; return its folder, and how often its rubric was held against it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "assignment"
    shutil.copytree(STARTER, folder)
    looked = []
    original = reading._Reader._against_reference

    def counted(self, reference):
        looked.append(reference)
        original(self, reference)

    monkeypatch.setattr(reading._Reader, "_against_reference", counted)
    return folder, looked


def test_the_same_rubric_is_looked_at_once(assignment):
    folder, looked = assignment
    first, second = (load_rubric(folder / "rubric.yaml", KINDS) for _ in range(2))
    assert len(looked) == 1
    assert first == second


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: _append(folder / "rubric.yaml", "# a comment\n"),
        lambda folder: _append(folder / "reference" / "layers.py", "\n"),
        lambda folder: _append(folder / "reference" / "cases" / "layers.py", "\n"),
        lambda folder: (folder / "reference" / "more.py").write_text(""),
    ],
    ids=["rubric", "solution", "cases", "another file"],
)
def test_what_has_changed_is_looked_at_again(assignment, change):
    folder, looked = assignment
    load_rubric(folder / "rubric.yaml", KINDS)
    change(folder)
    load_rubric(folder / "rubric.yaml", KINDS)
    assert len(looked) == 2


def _append(path, text):
    path.write_text(path.read_text() + text)


def test_examples_do_not_count(assignment):
    folder, looked = assignment
    load_rubric(folder / "rubric.yaml", KINDS)
    _append(folder / "reference" / "submissions" / "full_marks" / "plain" / "layers.py", "\n")
    load_rubric(folder / "rubric.yaml", KINDS)
    assert len(looked) == 1


def test_without_a_run_of_the_reference_is_another_matter(assignment):
    folder, looked = assignment
    load_rubric(folder / "rubric.yaml", KINDS, run_reference=False)
    load_rubric(folder / "rubric.yaml", KINDS)
    assert len(looked) == 2


def test_a_rubric_that_does_not_fit_is_refused_each_time(assignment):
    folder, looked = assignment
    text = (folder / "reference" / "layers.py").read_text()
    (folder / "reference" / "layers.py").write_text(text.replace("def ", "def no_"))
    said = []
    for _ in range(2):
        with pytest.raises(RubricError) as refused:
            load_rubric(folder / "rubric.yaml", KINDS)
        said.append(str(refused.value))
    assert len(looked) == 2
    assert said[0] == said[1]


def test_without_a_place_it_is_looked_at_each_time(assignment, monkeypatch, tmp_path):
    folder, looked = assignment
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    for _ in range(2):
        load_rubric(folder / "rubric.yaml", KINDS)
    assert len(looked) == 2


def test_only_some_are_remembered(assignment, monkeypatch, tmp_path):
    folder, _looked = assignment
    monkeypatch.setattr(sound, "MAX_KEPT", 2)
    for _ in range(4):
        load_rubric(folder / "rubric.yaml", KINDS)
        _append(folder / "rubric.yaml", "# more\n")
    assert len(list((tmp_path / "state").rglob("sound-rubrics/*"))) == 2


def test_a_change_of_what_the_reference_uses_beside_it_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "course"
    (folder / "reference").mkdir(parents=True)
    (folder / "template").mkdir()
    (folder / "reference" / "layers.py").write_text('FOLDER = "template"\n')
    (folder / "template" / "layers.py").write_text("SCALE = 1.0\n")
    (folder / "rubric.yaml").write_text("")

    def fitting():
        return sound.Fitting(folder / "rubric.yaml", folder / "reference", {}, whole=True)

    fitting().remember([])
    assert fitting().is_known
    (folder / "template" / "layers.py").write_text("SCALE = 2.0\n")
    assert not fitting().is_known


@pytest.mark.parametrize("home", ["", "relative"])
def test_a_home_that_is_none_holds_nothing(home, monkeypatch):
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    with pytest.raises(UsageError, match="--seed-file"):
        state.folder()
