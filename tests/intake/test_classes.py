"""An archive is a class where the folder that it unpacks to is one; a student's stays one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from grader.intake import archives
from grader.intake.classes import Classes, find
from grader.intake.submission import stage
from tests.intake.test_downloads import MODULES, RIGHT, WRONG, laid_out, tarred, zipped

BOOK = b'{"cells": [], "nbformat": 4}'
CLASSES = {
    "bare folders": {"ada/rnn_layers.py": RIGHT, "bob/rnn_layers.py": WRONG},
    "below one folder": {"hw2/ada/rnn_layers.py": RIGHT, "hw2/bob/rnn_layers.py": WRONG},
    "with a list beside": {
        "ada/rnn_layers.py": RIGHT,
        "bob/rnn_layers.py": WRONG,
        "students.csv": b"ada,bob",
        "__MACOSX/._ada": b"x",
    },
    "wrapped again by each": {"ada/hw2/rnn_layers.py": RIGHT, "bob/work/rnn_layers.py": WRONG},
    "one handed in nothing": {
        "ada/rnn_layers.py": RIGHT, "bob/rnn_layers.py": WRONG, "carol/readme.txt": b"sorry",
    },
    "one called like a part": {
        "ada/rnn_layers.py": RIGHT, "bob/rnn_layers.py": WRONG, "old/rnn_layers.py": RIGHT,
    },
    "notebooks": {"ada/rnn_layers.ipynb": BOOK, "bob/rnn_layers (1).ipynb": BOOK},
    "notebooks and archives of any name": {
        "ada/a.ipynb": BOOK, "bob/b.ipynb": BOOK, "carol/hw.zip": zipped({"rnn_layers.py": RIGHT}),
    },
    "an environment in each": {
        f"{name}/{file}": RIGHT
        for name in ("ada", "bob")
        for file in ("rnn_layers.py", "venv/lib/site-packages/rnn_layers.py")
    },
}  # fmt: skip
SINGLE = {
    "old and src": {"src/rnn_layers.py": RIGHT, "old/rnn_layers.py": WRONG},
    "old and src below a folder": {"hw/src/rnn_layers.py": RIGHT, "hw/old/rnn_layers.py": WRONG},
    "versions": {"v1/rnn_layers.py": RIGHT, "v2/rnn_layers.py": WRONG, "final/rnn_layers.py": b"3"},
    "homeworks": {"hw2/rnn_layers.py": RIGHT, "hw2_old/rnn_layers.py": WRONG},
    "files and an old copy": {"rnn_layers.py": RIGHT, "ada/rnn_layers.py": WRONG},
    "a helper beside": {"mine/rnn_layers.py": RIGHT, "tools/own.py": b"1"},
    "a notebook beside": {"mine/rnn_layers.py": RIGHT, "plots/explore.ipynb": BOOK},
    "two folders of notebooks": {"reading/a.ipynb": BOOK, "writing/b.ipynb": BOOK},
    "modules apart": {"layers/rnn_layers.py": RIGHT, "net/rnn.py": RIGHT},
    "one folder": {"ada/rnn_layers.py": RIGHT},
    "one folder and a text": {"ada/rnn_layers.py": RIGHT, "explanation.md": b"words"},
    "only an environment's copy": {
        "mine/rnn_layers.py": RIGHT, "venv/lib/site-packages/rnn_layers.py": WRONG,
    },
}  # fmt: skip
ASKED = [*MODULES, "rnn.py"]


def packed(folder: Path, files: dict[str, bytes], kind: str) -> Path:
    made = folder / f"packed.{kind}"
    made.write_bytes(zipped(files) if kind == "zip" else tarred(files))
    return made


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize("files", CLASSES.values(), ids=CLASSES)
def test_an_archive_of_folders_is_a_class_as_the_folder_is(files, kind, tmp_path):
    path = packed(tmp_path, files, kind)
    folder = laid_out(tmp_path / "class", files)
    # A folder of folders, alone in a folder, has to be named itself.
    inner = folder / "hw2"
    expected = find([inner if inner.is_dir() else folder], ASKED)
    with Classes() as classes:
        found = find([path], ASKED, classes)
        assert [name for name, _origin in found] == [name for name, _origin in expected]
        assert {"ada", "bob"} <= {name for name, _origin in found}
        assert find([path], ASKED) == [("packed", path)]  # where no classes are expected


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize("files", SINGLE.values(), ids=SINGLE)
def test_a_students_archive_with_folders_is_one_submission(files, kind, tmp_path):
    path = packed(tmp_path, files, kind)
    with Classes() as classes:
        assert find([path], ASKED, classes) == [("packed", path)]


def test_an_archive_of_folders_is_graded_one_by_one(grade, tmp_path):
    path = packed(tmp_path, CLASSES["below one folder"], "zip")
    ran, reports = grade(path, only=("q3.1",))
    assert ran.status == 0, ran.err
    assert {name: made["score"] > 0 for name, made in reports.items()} == {
        "ada": True,
        "bob": False,
    }


def test_the_table_of_a_large_class_may_be_longer_than_that_of_a_submission(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "CONTENTS_BYTES", 16)
    monkeypatch.setattr(archives, "MAX_READ_BYTES", archives.MIB)
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5000):
            archive.writestr(f"student {number // 25}/{'long ' * 40}/{number}.png", b"")
        for number in range(200):
            archive.writestr(f"student {number}/rnn_layers.py", RIGHT)
    with Classes() as classes:
        assert len(find([path], ASKED, classes)) == 200
    problem = stage("x", path, tmp_path / "staged", MODULES).problem
    assert "class.zip was not unpacked: its table of contents has 1" in (problem or "")


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("axisalex_LATE_133_499_hw2.zip", {"name": "axisalex", "id": "133", "late": True}),
        ("Alex Axis_133_assignsubmission_file", {"name": "Alex Axis", "id": "133"}),
        ("axis.zip", {}),
    ],
)
def test_a_hand_in_that_is_graded_alone_keeps_its_student(name, student, tmp_path):
    path = tmp_path / name
    if name.endswith(".zip"):
        path.write_bytes(zipped({"rnn_layers.py": RIGHT}))
    else:
        path.mkdir()
        (path / "rnn_layers.py").write_bytes(RIGHT)
    ((identifier, origin),) = find([path], ASKED)
    made = stage(identifier, origin, tmp_path / "staged", MODULES)
    assert made.problem is None
    assert (made.folder / "rnn_layers.py").read_bytes() == RIGHT
    assert (made.student.plain() if made.student else {}) == student
