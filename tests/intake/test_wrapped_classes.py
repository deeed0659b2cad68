"""A class in further folders, or of texts alone, is a class; one student's folders are not."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

import pytest

from grader.intake.classes import Classes, find
from grader.intake.layouts import Asked, places
from tests.intake.test_classes import packed
from tests.intake.test_downloads import HOMEWORK, METADATA, RIGHT, WRONG, laid_out

MODULES = ["rnn_layers.py", "rnn.py"]
TEXTS = ["derivations.tex", "derivations.md", "explanation.md"]
ABC = {"ada": RIGHT, "ben": WRONG, "cora": RIGHT}
WRAPPED = {
    "one folder": {f"hw/{who}/rnn_layers.py": data for who, data in ABC.items()},
    "two folders": {f"export/hw2 all/{who}/rnn_layers.py": data for who, data in ABC.items()},
    "five folders": {f"a/b/c/d/e/{who}/rnn_layers.py": data for who, data in ABC.items()},
    "lists beside": {
        "x/students.csv": b"1", "x/y/README.txt": b"1",
        **{f"x/y/{who}/rnn_layers.py": data for who, data in ABC.items()},
    },
    "deep repositories": {f"x/{who}/hw2-main/src/rnn_layers.py": d for who, d in ABC.items()},
    "archives": {f"x/y/{who}.zip": HOMEWORK for who in ABC},
    "folders of archives": {f"x/y/{who}/homework.zip": HOMEWORK for who in ABC},
    "derivations": {f"{who}/derivations.tex": b"$x$" for who in ABC},
    "derivations of two kinds": {
        "ada/derivations.tex": b"$x$", "ben/derivations.md": b"$x$", "cora/derivations.tex": b"",
    },
    "wrapped derivations": {f"x/y/{who}/derivations.md": b"$x$" for who in ABC},
    "copies of derivations": {f"x/{who}/Derivations (1).tex": b"$x$" for who in ABC},
    "one with code too": {
        "x/ada/derivations.tex": b"", "x/ada/rnn_layers.py": RIGHT, "x/ben/derivations.tex": b"",
        "x/cora/derivations.md": b"",
    },
    "explanations": {f"x/{who}/explanation.md": b"words" for who in ABC},
    "sections": {
        "section 1/ada/rnn_layers.py": RIGHT, "section 1/ben/rnn_layers.py": RIGHT,
        "section 2/cora/rnn_layers.py": WRONG, "section 2/dora/rnn_layers.py": RIGHT,
    },
    "sections in folders": {
        "x/s1/all/ada/rnn_layers.py": RIGHT, "x/s1/all/ben/rnn_layers.py": RIGHT,
        "x/s2/cora/rnn_layers.py": WRONG, "x/s2/dora/rnn_layers.py": RIGHT,
    },
}  # fmt: skip
PLATFORMS = {
    "moodle": {
        f"x/y/{who} L_{number}_assignsubmission_file/rnn_layers.py": RIGHT
        for number, who in enumerate(ABC, 101)
    },
    "canvas": {f"x/y/{who}_{n}_{n + 5000}_hw2.zip": HOMEWORK for n, who in enumerate(ABC, 101)},
    "autolab": {f"x/y/{who}@uni.edu_2_rnn_layers.py": RIGHT for who in ABC},
    "gradescope": {
        "x/y/submission_metadata.yml": METADATA,
        **{f"x/y/submission_{n}/rnn_layers.py": RIGHT for n in (9001, 9002, 9004)},
    },
}
SINGLE = {
    "parts": {"x/q3/rnn_layers.py": RIGHT, "x/q5/rnn.py": RIGHT},
    "code and theory": {
        "x/code/rnn_layers.py": RIGHT, "x/theory1/derivations.tex": b"",
        "x/theory2/derivations.tex": b"",
    },
    "one student's folders": {"x/y/rnn_layers.py": RIGHT, "x/y/old/rnn_layers.py": WRONG},
    "attempts": {"x/attempt_a/rnn_layers.py": RIGHT, "x/attempt_b/rnn_layers.py": WRONG},
    "a text and a folder": {"x/explanation.md": b"words", "x/code/rnn_layers.py": RIGHT},
    "derivations by network": {"x/RNN/derivations.tex": b"", "x/LSTM/derivations.tex": b""},
    "archives of parts": {"x/code.zip": HOMEWORK, "x/data.zip": HOMEWORK},
    "code beside": {"x/helper.py": b"", "x/y/a/rnn_layers.py": RIGHT, "x/y/b/rnn_layers.py": RIGHT},
    "no code": {"x/a/readme.txt": b"", "x/b/readme.txt": b""},
    "an environment": {
        "x/mine/rnn_layers.py": RIGHT, "x/mine/.venv/lib/a/rnn_layers.py": WRONG,
        "x/mine/.venv/lib/b/rnn_layers.py": WRONG,
    },
}  # fmt: skip


def names(path, classes=None):
    return [name for name, _origin in find([path], MODULES, classes, TEXTS)]


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
@pytest.mark.parametrize("files", [*WRAPPED.values(), *PLATFORMS.values()],
                         ids=[*WRAPPED, *PLATFORMS])  # fmt: skip
def test_a_class_is_found_at_any_depth(files, kind, tmp_path):
    if kind == "folder":
        found = names(laid_out(tmp_path / "class", files))
    else:
        with Classes() as classes:
            found = names(packed(tmp_path, files, kind), classes)
    assert len(found) == (4 if any("dora" in name for name in files) else 3)
    whole = " ".join(found)
    assert "submission_" in whole or all(who in whole for who in ABC)


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("files", SINGLE.values(), ids=SINGLE)
def test_a_student_s_folders_stay_one_submission(files, kind, tmp_path):
    if kind == "folder":
        found = names(laid_out(tmp_path / "student", files))
    else:
        with Classes() as classes:
            found = names(packed(tmp_path, files, kind), classes)
    assert len(found) == 1


def test_versions_that_every_student_has_are_not_sections():
    files = [
        PurePosixPath(f"{who}/{version}/rnn_layers.py")
        for who in ABC
        for version in ("slow_one", "quick_one")
    ]
    assert places(files, Asked(tuple(MODULES))) == [PurePosixPath()]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_one_of_the_class(tmp_path):
    folder = laid_out(tmp_path / "class", {f"{who}/rnn_layers.py": d for who, d in ABC.items()})
    (folder / "ben").chmod(0)
    try:
        assert names(folder) == ["ada", "ben", "cora"]
    finally:
        (folder / "ben").chmod(0o755)
