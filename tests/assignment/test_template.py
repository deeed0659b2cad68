"""What the template lacks of what the rubric names is found without running the template."""

import pytest

from grader.assignment.template import Template
from grader.model import FunctionSpec, Question

QUESTION = Question("q1", "Q", "layers.py", ("numpy",), ())
CHECK = FunctionSpec(id="q1.1", title="t", points=1.0, kind="any", function="step")


def problems(folder):
    found = Template(folder).problems(QUESTION, {3: CHECK})
    return [(place, f"{key}: {text}") for place, key, text in found]


@pytest.mark.parametrize(
    "text",
    [
        "def step(): ...",
        "async def step(): ...",
        "class step: ...",
        "step = None",
        "step: object = None",
        "from helper import other as step",
        "try:\n    import step\nexcept ImportError:\n    pass",
        "if True:\n    def step(): ...",
        "from helper import *",
        "raise SystemExit  # it is not run\ndef step(): ...",
    ],
)
def test_a_name_that_the_template_binds_is_there(text, tmp_path):
    (tmp_path / "layers.py").write_text(text)
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def steps(): ...",
        "def outer():\n    def step(): ...",
        "class A:\n    def step(self): ...",
    ],
)
def test_a_name_that_it_does_not_bind_is_missing(text, tmp_path):
    (tmp_path / "layers.py").write_text(text)
    ((place, words),) = problems(tmp_path)
    assert place == ("checks", 3, "function")
    assert words.startswith(f"q1.1: function: {tmp_path.name}/layers.py has no function 'step'")
    assert ("did you mean 'steps'?" in words) == ("steps" in text)


def test_a_file_that_is_missing_is_reported_at_the_module(tmp_path):
    (tmp_path / "layer.py").touch()
    name = f"{tmp_path.name}/layers.py"
    assert problems(tmp_path) == [
        (
            ("module",),
            f"q1: module: {name}: the template has no such file (did you mean 'layer.py'?)",
        )
    ]


def test_a_file_in_a_folder_of_the_template_is_found(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/layers.py").write_text("def step(): ...")
    assert problems(tmp_path) == []


def test_a_notebook_may_become_any_module(tmp_path):
    (tmp_path / "homework.ipynb").write_text("{}")
    assert problems(tmp_path) == []


def test_a_template_that_is_not_python_is_a_problem_with_its_line(tmp_path):
    (tmp_path / "layers.py").write_text("x = 1\ndef step(:\n")
    ((place, words),) = problems(tmp_path)
    assert place == ("checks", 3)
    assert words.startswith(f"q1.1: {tmp_path.name}/layers.py:2: this is not Python: ")
