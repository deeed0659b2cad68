"""Which cells of an open notebook count, and what importing the grader costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import grader
from grader.errors import UsageError
from grader.frontends.notebook.kernel import cells_that_count

F, G = "def f():\n    return {}", "def g():\n    return f()"


@pytest.mark.parametrize(
    ("history", "numbers"),
    [
        (["", "import numpy as np", F.format(1), G], [1, 2, 3]),
        (["", F.format(1), G, F.format(2)], [2, 3]),  # f was defined again
        (["", F.format(1), F.format(2), F.format(1)], [3]),
        (["", f"{F.format(1)}\nx = 3", F.format(2)], [1, 2]),  # x is still there
        (["", "x = 1", "x = 2"], [1, 2]),  # f() between them may have used it
        (["", "print(1)", "print(1)"], [2]),
        (["", "", "  \n", "def f(:"], [3]),
        (["", f"%%grader q1\n{F.format(1)}", "%%bash\nls"], [1, 2]),
        ([""], []),
        ([], []),
    ],
)
def test_a_cell_counts_once_and_an_older_version_does_not(history, numbers):
    assert [number for number, _text in cells_that_count(history)] == numbers


def test_the_check_itself_is_not_checked():
    cells = ["", 'import grader; grader.check("q3.1")', "import graders", "grader.check()  # all"]
    assert cells_that_count(cells) == [
        (1, "pass; pass"), (2, "import graders"), (3, "pass  # all"),
    ]  # fmt: skip

    cells = ["", 'r = grader.check("q3.1")\nprint(grader.check())', "mygrader.check(1)"]
    assert cells_that_count(cells) == [(1, "r = None\nprint(None)"), (2, "mygrader.check(1)")]


def test_lines_stay_where_the_notebook_shows_them():
    ((_number, text),) = cells_that_count(["", f"import grader\n%time x = 1\n{F.format(1)}"])
    assert text.splitlines()[2] == "def f():"


def test_importing_the_grader_loads_nothing_else():
    loaded = "import sys; before = {*sys.modules}; import grader; print(*{*sys.modules} - before)"
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    names = {name.partition(".")[0] for name in ran.stdout.split()}
    assert not names & {"numpy", "click", "rich", "torch", "yaml", "IPython", "pydantic"}
    assert not [name for name in ran.stdout.split() if name.startswith("grader.")]


def test_outside_of_a_notebook_it_checks_the_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no homework here"):
        grader.check("q3.1")
    with pytest.raises(UsageError, match="nowhere: no such folder"):
        grader.check(folder="nowhere")


def test_in_a_worker_it_does_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "_dlg", sys)
    assert grader.check("q3.1") is None


@pytest.mark.parametrize("given", [3.1, ["q3.1"], None])
def test_an_id_that_is_no_text_is_told_in_one_line(given):
    with pytest.raises(UsageError, match=r'as texts: grader.check\("q3.1", "q5"\)'):
        grader.check(given)
