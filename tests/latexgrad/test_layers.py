"""Derivations of another assignment: any letters, functions by name, no time."""

from __future__ import annotations

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from tests.conftest import ROOT
from tests.latexgrad.tasks import run_spec

LAYERS = ROOT / "examples" / "layers"
SUBMISSIONS = LAYERS / "reference" / "submissions"
RIGHT = sorted((SUBMISSIONS / "full_marks").iterdir())


def graded(text: str) -> dict[str, dict[str, str]]:
    """Return the messages of the parts that lost points, by check."""
    rubric = load_rubric(LAYERS / "rubric.yaml", KINDS)
    found = {}
    for question in rubric.questions:
        for spec in question.checks:
            made = run_spec(spec, question, text, "layers.md")
            assert made.pending is None, made.pending
            found[spec.id] = made.lost
    return found


@pytest.mark.parametrize("folder", RIGHT, ids=lambda folder: folder.name)
def test_right_derivations_of_other_layers_earn_everything(folder):
    text = (folder / "layers.md").read_text(encoding="utf-8")
    assert graded(text) == {"q1.1": {}, "q1.2": {}}


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("= p - y$$", "= p$$", r"\partial L/\partial z"),
        ("W^T (p - y)", "W (p - y)", r"\partial L/\partial x"),
        (r"{\partial z} x^T", r"{\partial z} x", r"\partial L/\partial W"),
        (r"= \mathbf{1}^T \frac", r"= \frac", r"\partial L/\partial \beta"),
        (r"^T \hat x$$", r"^T x$$", r"\partial L/\partial \gamma"),
        (r" - \mathbf{1}^T", r" + \mathbf{1}^T", r"\partial L/\partial x"),
        (r"\frac{1}{N \sqrt", r"\frac{1}{\sqrt", r"\partial L/\partial x"),
    ],
)  # fmt: skip
def test_one_mistake_costs_its_formula(old, new, lost):
    text = (SUBMISSIONS / "full_marks" / "vectors" / "layers.md").read_text(encoding="utf-8")
    assert old in text
    found = graded(text.replace(old, new, 1))
    assert lost in {name for parts in found.values() for name in parts}


@pytest.mark.parametrize("unrelated", ["b", "W x", "W x + b", "0 y", "p - p + b"])
def test_what_does_not_depend_on_the_loss_is_not_followed(unrelated):
    text = (SUBMISSIONS / "full_marks" / "vectors" / "layers.md").read_text(encoding="utf-8")
    found = graded(text.replace("= p - y$$", f"= {unrelated}$$", 1))
    # The formula of x names no gradient of z.
    assert set(found["q1.1"]) == {rf"\partial L/\partial {name}" for name in ("z", "W", "b")}
    assert "right, given" not in str(found)


def test_a_wrong_gradient_that_depends_on_the_loss_is_followed():
    text = (SUBMISSIONS / "full_marks" / "vectors" / "layers.md").read_text(encoding="utf-8")
    found = graded(text.replace("= p - y$$", "= y - p$$", 1))
    assert "right, given your own" in found["q1.1"][r"\partial L/\partial W"]


def test_relu_and_softmax_have_names_in_formulas():
    text = (SUBMISSIONS / "full_marks" / "vectors" / "layers.md").read_text(encoding="utf-8")
    same = text.replace("= p - y$$", r"= \operatorname{softmax}(W x + b) - y$$", 1)
    assert graded(same)["q1.1"] == {}
    other = text.replace("= p - y$$", r"= \text{ReLU}(p) - y$$", 1)  # p is not negative
    assert graded(other)["q1.1"] == {}
