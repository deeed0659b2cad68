"""The student's page is true: its commands are run, and print what it shows."""

import io
import json
import re
import zipfile

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.frontends.student import bundle
from tests.conftest import ROOT
from tests.docs.followed import follow
from tests.docs.homework import with_mistake, write_homework

PAGE = (ROOT / "docs" / "student.md").read_text(encoding="utf-8")
WITHOUT_IMPORT = """\
def rnn_step_forward(x, prev_h, Wx, Wh, b):
    # h = tanh(a)
    a = x @ Wx + prev_h @ Wh + b
    next_h = tanh(a)
    return next_h, (x, prev_h, Wx, Wh, next_h)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of a student who forgot a bias."""
    homework = tmp_path_factory.mktemp("homework")
    loaded = load_rubric(write_homework(homework, "q3.1", "q5.1"), KINDS)
    archive = bundle.build(loaded, homework / "submissions_template")
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        file.extractall(homework / "unpacked")
    (folder,) = (homework / "unpacked").iterdir()
    module = with_mistake("temporal_fc_forward", ", w) + b", ", w)")
    (folder / "rnn_layers.py").write_text(module, encoding="utf-8")
    return folder


def work_in_a_notebook(folder):
    """Put a notebook in place of the module: an import cell, and one that misses a name."""
    (folder / "rnn_layers.py").unlink()
    cells = [
        {
            "cell_type": "code",
            "source": text,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for text in ("import numpy as np", WITHOUT_IMPORT)
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "my work.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def test_every_command_prints_what_the_page_shows(home):
    wrong = follow(PAGE, home, {"grader check q3.1    # exit status 1": work_in_a_notebook})
    assert not wrong, "\n\n".join(wrong)


def test_the_page_shows_commands_that_are_run():
    assert len(re.findall(r"^\$ grader", PAGE, re.MULTILINE)) == 3


def test_the_wheel_of_the_page_is_the_archive_s(home):
    (wheel,) = home.glob("*.whl")
    assert f"pip install ./{wheel.name}\n" in PAGE
