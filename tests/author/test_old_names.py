"""Assignments written before ``grader.author`` go on working, and say where its names moved."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest

import grader.author
from tests.conftest import HIDDEN, ROOT


@pytest.mark.parametrize(
    ("old", "names"),
    [
        ("grader.cases", ("Case",)),
        ("grader.evidence",
         ("Curves", "Evidence", "Figure", "Finding", "Formula", "Formulas", "Pictures", "Table",
          "Text")),
    ],
)  # fmt: skip
def test_an_old_module_gives_the_same_objects_and_says_where_they_moved(old, names):
    sys.modules.pop(old, None)
    said = re.escape(f"{old} is now grader.author: import the same names from there")
    with pytest.warns(FutureWarning, match=said) as caught:
        module = importlib.import_module(old)
    for name in names:
        assert getattr(module, name) is getattr(grader.author, name)
    assert len(caught) == 1


def test_an_assignment_that_imports_old_names_is_graded_and_told(small_assignment, tmp_path):
    """The warning names the line of the assignment, once, not a line of ours."""
    rubric = small_assignment(HIDDEN)
    file = rubric.parent / "reference" / "cases" / "rnn_layers.py"
    text = file.read_text(encoding="utf-8")
    before, found, after = text.partition("from grader.author import Case\n")
    assert found
    file.write_text(f"{before}from grader.cases import Case\n{after}")
    template = ROOT / "submissions_template"
    ran = subprocess.run(
        [sys.executable, "-m", "grader", "grade", template, "--rubric", rubric, "--out", "out"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "failed (not_implemented)" in ran.stdout
    assert ran.stderr.count("FutureWarning: grader.cases is now grader.author") == 1
    line = before.count("\n") + 1
    assert f"reference/cases/rnn_layers.py:{line}: FutureWarning" in ran.stderr
