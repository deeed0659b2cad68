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
TEXTS = ["derivations.tex", "derivations.md", "explanation.md", "predictions_q1.txt"]
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
    "texts of two kinds": {
        "ada/explanation.md": b"a", "ben/explanation.md": b"b", "cora/predictions_q1.txt": b"1",
    },
    "most with one text": {
        "x/ada/derivations.tex": b"a", "x/ben/derivations.md": b"b", "x/cora/explanation.md": b"c",
    },
    "code of one": {
        "ada/rnn_layers.py": RIGHT, "ben/explanation.md": b"b", "cora/explanation.md": b"c",
    },
    "documents": {
        "ada/derivations.pdf": b"a", "ben/derivations.tex": b"b", "cora/writeup.docx": b"c",
    },
    "documents only": {
        "ada/derivations.pdf": b"a", "ben/Derivations (1).docx": b"b", "cora/derivations.odt": b"c",
    },
    "three texts": {
        "ada/derivations.tex": b"a", "ben/explanation.md": b"b", "cora/scan.pdf": b"c",
    },
    "a deep document": {
        "x/ada/hw/derivations.tex": b"a", "x/ben/a/b/c/writeup.docx": b"b", "x/cora/all.pdf": b"c",
    },
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
    "code and text": {"x/code/rnn_layers.py": RIGHT, "x/text/derivations.tex": b""},
    "code with a copy and text": {
        "x/code/rnn_layers.py": RIGHT, "x/code/old/rnn_layers.py": WRONG,
        "x/text/derivations.tex": b"",
    },
    "code with tests and text": {
        "x/code/rnn_layers.py": RIGHT, "x/code/tests/rnn_layers_test.py": b"",
        "x/text/derivations.tex": b"", "x/text/img/derivations.tex": b"",
    },
    "code deep and text": {"x/code/a/rnn_layers.py": RIGHT, "x/text/derivations.tex": b""},
    "names of two words": {
        "x/final code/rnn_layers.py": RIGHT, "x/hw2_text/derivations.tex": b"",
    },
    "source and report": {
        "x/src/rnn_layers.py": RIGHT, "x/src/util.py": b"", "x/latex/derivations.tex": b"",
        "x/report/explanation.md": b"",
    },
    "code and a folder of any name": {
        "x/code/rnn_layers.py": RIGHT, "x/handwriting/derivations.tex": b"",
    },
    "code and plots": {
        "x/code/rnn_layers.py": RIGHT, "x/my curves/plot.py": b"", "x/text/derivations.tex": b"",
    },
    "texts and data": {
        "x/texts/derivations.tex": b"", "x/data/predictions_q1.txt": b"", "x/notebooks/a.txt": b"",
    },
    "a document in two formats": {
        "x/latex/derivations.tex": b"", "x/pdf/derivations.pdf": b"", "x/code/rnn_layers.py": RIGHT,
    },
    "a document beside code": {"x/writeup.pdf": b"", "x/mine/rnn_layers.py": RIGHT},
    "archives of parts": {"x/code.zip": HOMEWORK, "x/data.zip": HOMEWORK},
    "code beside": {"x/helper.py": b"", "x/y/a/rnn_layers.py": RIGHT, "x/y/b/rnn_layers.py": RIGHT},
    "no code": {"x/a/readme.txt": b"", "x/b/readme.txt": b""},
    "an environment": {
        "x/mine/rnn_layers.py": RIGHT, "x/mine/.venv/lib/a/rnn_layers.py": WRONG,
        "x/mine/.venv/lib/b/rnn_layers.py": WRONG,
    },
}  # fmt: skip
NESTED = [name for name in SINGLE if name.startswith(("code ", "names", "source", "texts"))]
NESTED.remove("code beside")  # nobody sees that this is one student's


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


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("wrapper", ["", "hw2 all/"])
@pytest.mark.parametrize("case", NESTED)
def test_a_class_of_such_students_is_a_class(case, wrapper, kind, tmp_path):
    files = {
        f"{wrapper}{who}/{name.partition('/')[2]}": data
        for who in ABC
        for name, data in SINGLE[case].items()
    }
    with Classes() as classes:
        path = laid_out(tmp_path / "class", files) if kind == "folder" else packed(
            tmp_path, files, kind)  # fmt: skip
        assert names(path, classes) == [*ABC]


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
