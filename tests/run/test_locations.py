"""Where in a student's files a check failed: only lines that were handed in, for all claims."""

from __future__ import annotations

import linecache
import shutil
import traceback
import zipfile
from types import SimpleNamespace

import pytest

from grader.intake.submission import stage
from grader.isolation.sandbox import StudentError
from grader.run.locations import Location, StudentFiles, as_traceback, traces
from tests.intake.test_notebooks import book

MODULE = """import math


def helper(x):
    return math.sqrt(x)


def f(x):
    return helper(x)
"""


@pytest.fixture
def files(tmp_path):
    """Stage a submission of these files; return what shows places in them."""

    def make(contents: dict[str, str | bytes], *, packed: bool = False) -> StudentFiles:
        folder = tmp_path / "alice"
        for name, text in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        origin = folder
        if packed:
            origin = tmp_path / "alice.zip"
            with zipfile.ZipFile(origin, "w") as archive:
                for name in contents:
                    archive.write(folder / name, name)
            shutil.rmtree(folder)
        submission = stage("alice", origin, tmp_path / "staged", {"m.py": ("f",)})
        return StudentFiles(submission, origin)

    return make


def error(*where: tuple[str, int, str], text: str = "math domain error") -> StudentError:
    return StudentError("ValueError", ("ValueError",), text, where, None, undefined=False)


def result(outcome: str = "failed", function: str | None = "f") -> SimpleNamespace:
    return SimpleNamespace(
        outcome=outcome, spec=SimpleNamespace(functions=(function,) if function else ())
    )


def shown(files: StudentFiles, *raised: StudentError, **about: str) -> list[str]:
    return [str(trace) for trace in traces(files, "m.py", result(**about), raised)]  # type: ignore[arg-type]


def test_all_lines_of_the_student_are_shown_innermost_last(files, tmp_path, monkeypatch):
    made = files({"m.py": MODULE})
    monkeypatch.chdir(tmp_path)
    (text,) = shown(made, error(("m.py", 9, "f"), ("m.py", 5, "helper")))
    assert text.splitlines() == [
        "alice/m.py:9: in f",
        "    return helper(x)",
        "alice/m.py:5: in helper",
        "    return math.sqrt(x)",
        "E   ValueError: math domain error",
    ]


def test_without_an_exception_the_last_definition_is_shown(files, tmp_path, monkeypatch):
    made = files({"m.py": f"{MODULE}\n\ndef f(x):  # again\n    return 0\n"})
    monkeypatch.chdir(tmp_path)
    assert shown(made) == ["alice/m.py:12: in f\n    def f(x):  # again"]


@pytest.mark.parametrize("outcome", ["passed", "pending", "broken"])
def test_what_is_not_a_failure_of_the_student_has_no_place(outcome, files):
    assert shown(files({"m.py": MODULE}), error(("m.py", 5, "helper")), outcome=outcome) == []


def test_the_same_place_is_shown_once_and_three_at_most(files):
    made = files({"m.py": MODULE})
    raised = [error(("m.py", line, "f")) for line in (1, 1, 4, 5, 8, 9)]
    assert len(shown(made, *raised)) == 3
    assert len(set(shown(made, *raised))) == 3


@pytest.mark.parametrize("function", [None, "g", "F"])
def test_a_function_that_is_nowhere_has_no_place(function, files):
    assert shown(files({"m.py": MODULE}), function=function) == []


@pytest.mark.parametrize(
    "where",
    [
        ("../../secret.py", 1, "f"),
        ("/etc/passwd", 1, "f"),
        ("m.py", 0, "f"),
        ("m.py", -3, "f"),
        ("m.py", 10**9, "f"),
        ("n\0.py", 1, "f"),
        ("", 1, "f"),
        ("x.ipynb, cell 1", 1, "f"),
        ("m.py, cell 1", 1, "f"),
    ],
)
def test_a_worker_cannot_name_lines_that_were_not_handed_in(where, files, tmp_path):
    made = files({"m.py": MODULE})
    (tmp_path / "secret.py").write_text("the answer\n")
    assert made.location(*where) is None
    # What is left is the definition.
    assert len(shown(made, error(where))) == 1
    assert "def f(x)" in shown(made, error(where))[0]


def test_control_characters_of_a_student_reach_no_terminal(files):
    made = files({"m.py": "def f(x):\n    return '\x1b[2J\u202e'\n"})
    (text,) = shown(made, error(("m.py", 2, "f\x1b[2J"), text="\x1b]0;owned\x07"))
    assert not set(text) & {"\x1b", "\x07", "\u202e"}


def test_a_cell_of_a_notebook_is_named_with_its_line(files, tmp_path, monkeypatch):
    cells = ["import math", "def g(x):\n    return x", "# more\ndef f(x):\n    return math.sqrt(x)"]
    made = files({"m.ipynb": book(*cells)})
    monkeypatch.chdir(tmp_path)
    assert shown(made, error(("m.ipynb, cell 3", 3, "f"))) == [
        "alice/m.ipynb, cell 3:3: in f\n    return math.sqrt(x)\nE   ValueError: math domain error"
    ]
    place = made.definition("m.py", "f")
    assert place is not None
    assert (place.line, place.text) == (2, "def f(x):")
    assert place.path.endswith("m.ipynb, cell 3")
    assert place.lines[:3] == ("# more", "def f(x):", "    return math.sqrt(x)")


@pytest.mark.parametrize(
    "header",
    ["{", "[]", "null", '{"notebook": 1}', '{"notebook": "x", "starts": [-1]}',
     '{"notebook": "x", "starts": [99]}', '{"notebook": "x", "starts": ["1"]}'],
)  # fmt: skip
def test_a_forged_header_of_a_notebook_is_a_line_like_others(header, files):
    made = files({"m.py": f"# cells: {header}\ndef f(x):\n    return x\n"})
    place = made.definition("m.py", "f")
    assert place is not None
    assert place.line == 2


def test_names_are_those_that_were_handed_in(files, tmp_path):
    made = files({"hw2/M (1).py": MODULE}, packed=True)
    place = made.definition("m.py", "f")
    assert place is not None
    assert place.path == f"{tmp_path / 'alice.zip'}/M (1).py"


def test_a_traceback_leads_to_the_line_and_runs_nothing(files, tmp_path):
    made = files({"m.py": f"raise SystemExit\n{MODULE}"})
    raised = error(("m.py", 10, "f"), ("m.py", 6, "helper"))
    (trace,) = traces(made, "m.py", result(), [raised])  # type: ignore[arg-type]
    found = as_traceback(trace, result())  # type: ignore[arg-type]
    assert found is not None
    frames = traceback.extract_tb(found)
    assert [(frame.filename, frame.lineno, frame.name, frame.line) for frame in frames] == [
        (str(tmp_path / "alice" / "m.py"), 10, "f", "return helper(x)"),
        (str(tmp_path / "alice" / "m.py"), 6, "helper", "return math.sqrt(x)"),
    ]
    assert found.tb_frame.f_globals["result"].outcome == "failed"
    linecache.cache.pop(frames[0].filename)


def test_a_path_is_shown_relative_where_that_is_shorter(tmp_path, monkeypatch):
    here = Location(str(tmp_path / "m.py"), 1, "", ("x",))
    monkeypatch.chdir(tmp_path)
    assert here.shown == "m.py"
    monkeypatch.chdir("/")
    assert here.shown == str(tmp_path / "m.py")[1:]
