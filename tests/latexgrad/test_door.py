"""The one way into the derivation reader: a text and a task go in, an assessment comes out."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from pydantic import ValidationError

import latexgrad
from latexgrad import Assessed, Task, TaskError, Unanswered, Waiting, assess
from tests.conftest import ROOT

KEYS = {
    "section": "Layer",
    "shapes": {"x_t": ["D"], "W": ["H", "D"], "b": ["H"]},
    "forward": r"y_t = W x_t + b \\ s_t = \sigma(y_t)",
    "given": ["s_t"],
    "quantities": {r"\frac{\partial L}{\partial W}": 0.75, r"\frac{\partial L}{\partial b}": 0.25},
    "sizes": [{"D": 3, "H": 2, "T": 1}],
    "follow_through": 0.4,
}
TASK = Task(**KEYS)
DELTA = r"$$ \delta_t = \nabla_{s_t} L \odot s_t \odot (1 - s_t) $$"
W = r"$$ \nabla_W L = \delta_t x_t^T $$"
B = r"$$ \nabla_b L = \delta_t $$"


def answer(*formulas: str) -> str:
    return "\n".join([r"\section{Layer}", *formulas])


def test_a_right_answer_earns_everything():
    found = assess(answer(DELTA, W, B), TASK)
    assert isinstance(found, Assessed)
    assert [(one.share, one.earned, one.shortfall) for one in found.quantities] == [
        (0.75, 1, None),
        (0.25, 1, None),
    ]
    assert found.message is None
    assert [(row.line, row.verdict) for row in found.formulas] == [
        (2, "your own definition"),
        (3, "right"),
        (4, "right"),
    ]


@pytest.mark.parametrize(
    ("formulas", "earned", "shortfall"),
    [
        ((DELTA, W), 0, "missing"),
        ((DELTA, W, r"$$ \nabla_b L = \delta_t x_t^T $$"), 0, "shape"),
        ((DELTA, W, r"$$ \nabla_b L = 1.001 \delta_t $$"), 0, "value"),
        ((DELTA.replace("1 - s_t", "1 + s_t"), W, B), 0.4, "value"),
    ],
)
def test_what_is_lost_is_said_with_its_reason(formulas, earned, shortfall):
    found = assess(answer(*formulas), TASK)
    assert isinstance(found, Assessed)
    (b,) = [one for one in found.quantities if one.name == r"\partial L/\partial b"]
    assert b.earned == pytest.approx(earned)
    assert b.shortfall == shortfall
    assert b.message
    assert found.message


@pytest.mark.parametrize(
    ("text", "blank"),
    [("", True), ("words alone", True), (r"\section{Layer} $ x = 1 $", False)],
)
def test_an_answer_that_is_not_there_is_unanswered(text, blank):
    found = assess(text, TASK, file="hw.tex")
    assert isinstance(found, Unanswered)
    assert found.blank == blank
    assert found.message.startswith("hw.tex ")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_cannot_be_read_waits_with_line_and_column(newline):
    text = answer(DELTA, W, r"$$ \nabla_b L = \heartsuit $$").replace("\n", newline)
    found = assess(text, TASK, file="hw.tex")
    assert isinstance(found, Assessed)
    decided, waits = found.quantities
    assert (decided.earned, decided.waiting) == (1, None)
    assert waits.waiting == Waiting(
        r"hw.tex, line 4, column 17: \heartsuit is not understood", 4, 17
    )
    assert waits.earned == 0


def test_where_nothing_is_decided_the_whole_part_waits():
    found = assess(answer(r"$$ \nabla_b L = \heartsuit $$"), TASK, file="hw.tex")
    assert isinstance(found, Waiting)
    assert (found.line, found.column) == (2, 17)


def test_a_whole_file_can_wait():
    found = assess("x" * 70_000, TASK)
    assert isinstance(found, Waiting)
    assert "larger than 64 KiB" in found.message


def test_the_name_of_the_file_says_if_it_is_markdown():
    text = f"# Layer\n100% of it:\n{DELTA}\n{W}\n{B}"
    assert isinstance(assess(text, TASK, file="hw.md"), Assessed)
    assert isinstance(assess(text.replace("\n", " "), TASK, file="hw.tex"), Unanswered)


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({"given": ["r_t", "q_t"]}, [("given", "r_t is not"), ("given", "q_t is not")]),
        ({"forward": r"s_t = \sigma(u_t)"}, [("forward", "u_t is neither in shapes")]),
        ({"forward": r"s_t = W b"}, [("forward", "the matrix product of shapes (4, 5)")]),
        ({"quantities": {"b": 1.0}}, [("", "b is not a gradient of L")]),
    ],
)
def test_a_task_that_makes_no_sense_is_an_error(changed, problems):
    with pytest.raises(TaskError) as caught:
        assess(answer(B), Task(**KEYS | changed))
    assert [key for key, _text in caught.value.problems] == [key for key, _text in problems]
    for (_key, text), (_same, begins) in zip(caught.value.problems, problems, strict=True):
        assert text.startswith(begins)


@pytest.mark.parametrize(
    "changed", [{"other": 1}, {"follow_through": "0.4"}, {"follow_through": 1.5}, {"given": []}]
)
def test_a_task_is_read_strictly(changed):
    with pytest.raises(ValidationError):
        Task(**KEYS | changed)


def test_the_door_loads_neither_the_grader_nor_torch():
    code = (
        "import sys, latexgrad\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'grader', 'torch'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_nothing_outside_reaches_past_the_door():
    inside = {path.stem for path in (ROOT / "latexgrad").glob("*.py")} - {"__init__"}
    reached = []
    for folder in ("grader", "benchmarks", "reference", "examples", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            if "submissions" in path.parts or path.parent.name == "latexgrad":
                continue
            for module, name in _imports(path):
                past = module.startswith("latexgrad.") or (module == "latexgrad" and name in inside)
                if past or (module == "latexgrad" and name and name not in latexgrad.__all__):
                    reached.append(f"{path.relative_to(ROOT)}: {module} {name}")
    assert reached == []


def _imports(path):
    """Yield the modules that a file imports, each with the name that it takes from it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.module or "", alias.name) for alias in node.names)
