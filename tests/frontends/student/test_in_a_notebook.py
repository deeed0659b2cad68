"""``grader.check`` and ``%%grader`` in a real kernel, in the homework as students unpack it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import pytest

from tests.conftest import ROOT, SUBMISSIONS
from tests.docs.homework import with_mistake
from tests.frontends.student.conftest import Unpacked

pytest.importorskip("ipykernel", reason="needs the extra 'notebook': pip install ipykernel")
manager = pytest.importorskip("jupyter_client.manager")

PLAIN = (SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "student.md").read_text(encoding="utf-8")
STEP = """\
import numpy as np
def rnn_step_forward(x, prev_h, Wx, Wh, b):
    print("shapes", x.shape, Wx.shape)
    next_h = np.tanh(x @ Wx + prev_h @ Wh{bias})
    return next_h, (x, prev_h, Wx, Wh, next_h)
"""
TIMEOUT_S = 120
pytestmark = pytest.mark.filterwarnings("ignore")  # of Jupyter's, about its own future


@dataclass
class Shown:
    """What a notebook shows below a cell."""

    text: str = ""
    html: str = ""
    printed: str = ""
    error: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The words of the table."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.html)).split())


class Kernel:
    """A kernel in the folder of a homework."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self._manager = manager.KernelManager(kernel_name="python3")
        self._manager.start_kernel(cwd=str(home), env=environment)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=TIMEOUT_S)

    def run(self, cell: str) -> Shown:
        shown = Shown()

        def take(message: dict) -> None:
            content = message["content"]
            if message["msg_type"] in ("execute_result", "display_data"):
                shown.text += content["data"].get("text/plain", "")
                shown.html += content["data"].get("text/html", "")
            elif message["msg_type"] == "stream":
                shown.printed += content["text"]
            elif message["msg_type"] == "error":
                shown.error += content["traceback"]

        self._client.execute_interactive(cell, timeout=TIMEOUT_S, output_hook=take)
        return shown

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(unpacked: Unpacked, tmp_path: Path) -> Iterator[Kernel]:
    environment = unpacked.environment() | {"IPYTHONDIR": str(tmp_path / "ipython")}
    made = Kernel(unpacked.home, environment)
    yield made
    made.close()


def test_a_notebook_shows_what_the_command_prints(kernel, unpacked):
    wrong = with_mistake("temporal_fc_forward", ", w) + b", ", w)")
    (unpacked.home / "rnn_layers.py").write_text(wrong, encoding="utf-8")
    printed = unpacked.check("q3.1", "q5.1")
    shown = kernel.run('import grader\ngrader.check("q3.1", "q5.1")')
    assert shown.error == []
    assert shown.text.splitlines() == [line.rstrip() for line in printed.out.splitlines()]
    assert "failed" in shown.words
    assert "the bias b is not added" in shown.words
    assert "1 of 2 checks passed" in shown.words
    assert '<th scope="col"' in shown.html
    assert "background:#c0282d" in shown.html


def test_functions_of_the_notebook_come_before_those_of_the_file(kernel, unpacked):
    (unpacked.home / "rnn_layers.py").write_text("def rnn_step_forward(*_):\n    return None\n")
    kernel.run("import grader")
    kernel.run("raise ValueError('a cell that fails')")
    kernel.run(STEP.format(bias=""))
    wrong = kernel.run('grader.check("q3.1")')
    assert "the bias b is not added" in wrong.words
    assert "your code printed: shapes (3, 4) (4, 5)" in wrong.words
    kernel.run(STEP.format(bias=" + b"))
    right = kernel.run('grader.check("q3.1")')
    assert "passed" in right.words
    assert "1 of 1 checks passed" in right.words
    assert "cell 2, line 1: `raise ValueError('a cell that fails')` failed" in right.words
    assert right.words.count("left out") == 1


def test_an_exception_names_the_cell_by_the_number_that_the_notebook_shows(kernel):
    kernel.run("1 + 1")
    kernel.run("import grader")
    kernel.run("def rnn_step_forward(x, prev_h, Wx, Wh, b):\n    # h\n    return tanh(x @ Wx)")
    shown = kernel.run('grader.check("q3.1")')
    assert "name 'tanh' is not defined (this notebook, cell 3, line 3" in shown.words


def test_what_the_notebook_takes_from_the_file_stays_there(kernel, unpacked):
    kernel.run("import grader\nfrom rnn_layers import *")
    kernel.run(STEP.format(bias=" + b"))
    shown = kernel.run('grader.check("q3.1", "q3.3", "q5.1")')
    assert "3 of 3 checks passed" in shown.words, shown.text
    assert (unpacked.home / "rnn_layers.py").read_text() == PLAIN


def test_the_magic_runs_the_cell_and_checks_it(kernel):
    kernel.run("import grader")
    shown = kernel.run("%%grader q3.1\n" + STEP.format(bias=" + b"))
    assert "1 of 1 checks passed" in shown.words
    assert "1 of 1 checks passed" in kernel.run("%grader q3.1").words
    shown = kernel.run("%%grader q3.1\ndef rnn_step_forward(:\n    pass")
    assert "SyntaxError" in "".join(shown.error) + shown.printed
    assert shown.html == ""


def test_what_student_code_does_in_a_check_does_not_reach_the_notebook(kernel):
    kernel.run("import grader\ncount = 0")
    kernel.run(
        "def rnn_step_forward(x, prev_h, Wx, Wh, b):\n    global count\n    count += 1\n"
        "    import os\n    os._exit(7)"
    )
    shown = kernel.run('grader.check("q3.1")')
    assert "failed (crashed)" in shown.text
    assert kernel.run("count").text == "0"


def test_a_notebook_that_checks_itself_when_it_is_run_again_ends(kernel):
    kernel.run('import grader; grader.check("q3.1")')
    kernel.run("from grader import check as mine\nmine('q3.1')")
    kernel.run(STEP.format(bias=" + b"))
    assert "1 of 1 checks passed" in kernel.run('grader.check("q3.1")').words


def test_a_mistyped_id_is_one_line_and_no_traceback(kernel):
    shown = kernel.run('import grader\ngrader.check("q31")')
    assert shown.error == ["error: q31: no such question, check or folder; did you mean q3.1?"]


def test_text_of_student_code_is_shown_as_text(kernel):
    kernel.run("import grader")
    kernel.run(
        "def rnn_step_forward(x, prev_h, Wx, Wh, b):\n"
        "    print('<script>alert(1)</script>')\n    raise ValueError('<img src=x onerror=y>')"
    )
    shown = kernel.run('grader.check("q3.1")')
    assert "<script>" not in shown.html
    assert "<img" not in shown.html
    assert "&lt;script&gt;" in shown.html


def test_the_cells_of_the_students_page_do_what_it_says(kernel):
    section = PAGE.partition("## In a notebook")[2].partition("\n## ")[0]
    checks, magic = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert "2 of 2 checks passed" in kernel.run(checks).words
    shown = kernel.run(magic)
    assert "failed" in shown.words
    assert "0 of 1 checks passed" in shown.words
