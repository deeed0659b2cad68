"""Packages that a question forbids, and words that are withheld from students."""

import pytest

from grader.reports import building, results
from tests.checks.toy import judged, make

VALUES = """
      - id: q1.1
        title: line
        points: 4
        kind: values
        function: Line
        driver: toy.line
        cases: line
        shares: {values: 0.75, edge_cases: 0.25}
        outputs: {value: 0.5, slope: 0.5}
"""
FORBIDDEN = "    forbidden: [torch, autograd]\n"
SOLUTION = """
class Line:
    def __init__(self, slope):
        self.slope = slope

    def value(self, x):
        {body}
        return self.slope * x
"""


def run(tmp_path, fork_servers, source, *, checks=VALUES, extra=FORBIDDEN):
    return judged(make(tmp_path, checks, extra), {"toy.py": source}, fork_servers)["q1.1"]


@pytest.mark.parametrize(
    "top",
    [
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn, Tensor",
        "from torch.autograd import Function\n\nclass Square(Function):\n    pass",
        "import torch\ntorch.manual_seed(0)\nDEVICE = torch.device('cpu')",
        "import autograd.numpy as anp",
        "try:\n    import torch\n    torch.zeros(1).numpy()\nexcept ImportError:\n    pass",
    ],
)
def test_an_import_that_is_not_needed_costs_nothing(top, tmp_path, fork_servers):
    result = run(tmp_path, fork_servers, f"{top}\n{SOLUTION.format(body='pass')}")
    assert result.outcome == "passed", result.message
    assert result.notes == ()


@pytest.mark.parametrize(
    ("top", "body", "package"),
    [
        ("import torch", "torch.tensor(x)", "torch"),
        ("import torch.nn.functional as F", "F.relu(x)", "torch"),
        ("from torch import tensor", "tensor(x)", "torch"),
        ("", "import torch; torch.tensor(x)", "torch"),
        ("", "from torch.autograd import grad; grad(x)", "torch"),
        ("import autograd.numpy as anp", "anp.tanh(x)", "autograd"),
        ("import importlib", "importlib.import_module('torch').tensor(x)", "torch"),
    ],
)
def test_using_a_forbidden_package_is_told_with_its_line(
    top, body, package, tmp_path, fork_servers
):
    source = f"{top}\n{SOLUTION.format(body=body)}"
    line = 1 + source.splitlines().index(f"        {body}")
    result = run(tmp_path, fork_servers, source)
    assert (result.outcome, result.reason) == ("failed", "forbidden")
    assert result.points == 0
    assert f"{package!r} (toy.py, line {line}, in value: `" in result.message
    assert "without it" in result.message


def test_what_is_not_forbidden_can_be_used(tmp_path, fork_servers):
    source = f"import torch\n{SOLUTION.format(body='x = torch.tensor(x).numpy()')}"
    result = run(tmp_path, fork_servers, source, extra="    preload: [numpy, torch]\n")
    assert result.outcome == "passed", result.message


def test_a_submission_may_have_a_module_of_that_name(tmp_path, fork_servers):
    files = {
        "toy.py": "import autograd\n" + SOLUTION.format(body="assert autograd.MINE"),
        "autograd.py": "MINE = True\n",
    }
    result = judged(make(tmp_path, VALUES, FORBIDDEN), files, fork_servers)["q1.1"]
    assert result.outcome == "passed", result.message


WITHHELD = VALUES + "        withhold_text: true\n"
LEAK = """
import sys

class Line:
    def __init__(self, slope):
        self.slope = slope

    def value(self, x):
        source = repr(sys._getframe(1).f_code.co_names)
        kind = type(source[:90], (ValueError,), {})
        raise kind(source)
"""


def test_words_of_student_code_are_withheld_where_a_driver_holds_answers(tmp_path, fork_servers):
    open_result = run(tmp_path / "open", fork_servers, LEAK, extra="")
    assert "Line" in open_result.message
    result = run(tmp_path / "closed", fork_servers, LEAK, checks=WITHHELD, extra="")
    assert result.reason == "exception"
    assert "Line raised ValueError (your file, line 11)" in result.message
    assert "slope" not in result.message
    assert "slope" in result.output, "the instructor sees what was said"


def test_words_that_are_withheld_are_in_no_view_of_a_student(tmp_path, fork_servers):
    result = run(tmp_path, fork_servers, LEAK, checks=WITHHELD, extra="")
    told = results.student_text(building.of_result(result))
    assert "ValueError" in told
    assert "slope" not in told
