"""Source text as editors and downloads leave it: read if that can be, or one clear message."""

from __future__ import annotations

import ast
import shutil
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.intake.sources import explained, problem, repaired
from tests.conftest import SUBMISSIONS, checks_of

RIGHT = (SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py").read_text(encoding="utf-8")
COMMENT = "# für Noël: naïve\n"
ONLY = ("q3.1",)


@pytest.fixture
def graded(grade, tmp_path):
    """Grade modules of these contents, all in one run; return q3.1 and the notes of each."""

    def run(**contents: bytes) -> dict[str, tuple[dict, str]]:
        for name, data in contents.items():
            (tmp_path / "class" / name).mkdir(parents=True)
            (tmp_path / "class" / name / "rnn_layers.py").write_bytes(data)
        ran, reports = grade(*sorted((tmp_path / "class").iterdir()), only=ONLY)
        assert ran.status == 0, ran.err
        assert "Traceback" not in ran.out + ran.err
        return {
            name: (checks_of(made)["q3.1"], "\n".join(made["submission"]["notes"]))
            for name, made in reports.items()
        }

    return run


def test_every_encoding_that_editors_write_is_read(graded):
    text = COMMENT + RIGHT
    checks = graded(
        windows=text.replace("\n", "\r\n").encode(),
        old_mac=text.replace("\n", "\r").encode(),
        bom=text.encode("utf-8-sig"),
        utf_16=text.encode("utf-16"),
        utf_16_be=b"\xfe\xff" + text.replace("\n", "\r\n").encode("utf-16-be"),
        latin_1=text.encode("latin-1"),
        latin_1_declared=f"# -*- coding: latin-1 -*-\n{text}".encode("latin-1"),
        latin_1_declared_wrongly=f"# coding: utf-8\n{text}".encode("latin-1"),
        windows_1252=f"# \u201cquoted\u201d\n{text}".encode("cp1252"),
        form_feeds=text.replace("\n\n\n", "\n\f\n\n").encode(),
    )
    assert {name: check["outcome"] for name, (check, _notes) in checks.items()} == dict.fromkeys(
        checks, "passed"
    )
    assert {name for name, (_check, notes) in checks.items() if notes} == {
        "utf_16", "utf_16_be", "latin_1", "latin_1_declared_wrongly", "windows_1252",
    }  # fmt: skip
    assert "rnn_layers.py is not UTF-8 (line 1) and was read as Latin-1" in checks["latin_1"][1]
    assert "rnn_layers.py was read as UTF-16" in checks["utf_16"][1]


CR, LF = "\r", "\n"
CONFLICT = "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> main\n"
UNUSABLE = {
    "tabs": (b"def f():\n\tif 1:\n        pass\n", "line 3", "Convert Indentation to Spaces"),
    "conflict": (f"import numpy\n{CONFLICT}".encode(), "line 2: this marks", "delete the lines"),
    "conflict_mac": (f"a = 1\r{CONFLICT.replace(LF, CR)}".encode(), "line 2: this marks", "delete"),
    "web_page": (b"\n<!DOCTYPE html>\n<html></html>", "line 2: this is a web page", "Raw or"),
    "web_page_bom": (b"\xef\xbb\xbf<html lang='en'>", "line 1: this is a web page", "Raw or"),
    "empty": (b"", "rnn_layers.py is empty", "did you save it"),
    "blank": (b" \r\n\n\t", "rnn_layers.py is empty", "did you save it"),
    "nul": (b"x = 1\r\ny = '\0'\r\n", "line 2: not Python source text", "save it as UTF-8"),
    "nul_mac": (b"x = 1\ry = 2\rz = '\0'\r", "line 3: not Python source", "save it as UTF-8"),
    "utf_16_without_mark": ("x = 1\n".encode("utf-16-le"), "line 1: not Python", "save it as"),
    "utf_16_cut": (b"\xff\xfex\0y", "line 1: damaged UTF-16", "save it as UTF-8"),
    "no_such_coding": (b"# coding: klingon\nx = 1\n", "unknown encoding: klingon", ""),
    "binary": (b"\x7fELF\x02\x01\xff\xfe\xfd" * 9, "rnn_layers.py cannot be imported", ""),
}  # fmt: skip


def test_what_cannot_be_python_gets_one_message_with_place_and_remedy(graded):
    checks = graded(**{name: data for name, (data, _place, _remedy) in UNUSABLE.items()})
    for name, (_data, place, remedy) in UNUSABLE.items():
        check, _notes = checks[name]
        assert check["points"] == 0
        assert check["reason"] == ("missing" if name in ("empty", "blank") else "import_error")
        assert "rnn_layers.py" in check["message"], name
        assert place in check["message"], (name, check["message"])
        assert remedy in check["message"], (name, check["message"])
        assert "\n" not in check["message"], name


def test_marks_of_a_conflict_inside_a_string_are_left_alone(graded):
    data = f'"""\n{CONFLICT}"""\n{RIGHT}'.encode()
    assert graded(alice=data)["alice"][0]["outcome"] == "passed"


def test_a_helper_in_another_encoding_is_read_too(grade, tmp_path):
    folder = tmp_path / "alice"
    folder.mkdir()
    (folder / "rnn_layers.py").write_text(f"import hilfe\n{RIGHT}", encoding="utf-8")
    (folder / "hilfe.py").write_bytes("# für alle\nx = 'é'\n".encode("latin-1"))
    _ran, reports = grade(folder, only=ONLY)
    assert checks_of(reports["alice"])["q3.1"]["outcome"] == "passed"
    assert "hilfe.py is not UTF-8" in "\n".join(reports["alice"]["submission"]["notes"])
    shutil.rmtree(folder)


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=60)
    | st.text(max_size=40).map(lambda text: text.encode("latin-1", "replace"))
)
def test_what_is_rewritten_is_utf8_and_what_python_reads_is_left_alone(data):
    made = repaired("x.py", data)
    if made is not None:
        made.data.decode("utf-8")
        assert "\n" not in made.note
        return
    told = problem("x.py", data)
    assert told is None or told.startswith("x.py")


@pytest.mark.parametrize("text", ["x = 1\n", "# é\n", "s = '\x1b[0m \x7f'\n", "\ufeffx = 1\n"])
def test_what_python_reads_has_no_problem(text):
    ast.parse(text.lstrip("\ufeff"))
    assert repaired("x.py", text.encode()) is None
    assert problem("x.py", text.encode()) is None


def test_looking_for_problems_takes_time_in_proportion():
    started = time.process_time()
    assert problem("x.py", b" \n" * 2_000_000 + b"x") is None
    assert explained("x.py", b"<<<<<<<" * 300_000, ("SyntaxError",)) is None
    assert time.process_time() - started < 5
