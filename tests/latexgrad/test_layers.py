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


def earned(formulas: list[str]) -> float:
    """Return the fraction of the points for the formulas of the linear layer."""
    (question,) = load_rubric(LAYERS / "rubric.yaml", KINDS).questions
    text = "\n".join(["# A linear layer with a softmax", *(f"$${line}$$" for line in formulas)])
    return run_spec(question.checks[0], question, text, "layers.md").earned


@pytest.mark.parametrize(
    ("delta", "fraction"),
    [
        *(("p - y", 1), ("y - p", 0.3), ("p - 2 y", 0.3), ("b", 0), ("W x", 0), ("p - p + b", 0)),
        (r"-\frac{y}{p}", 0.3),  # the gradient by p
        *((r"\frac{p}{p} + b", 0), (r"b * p / p", 0)),
    ],
)
def test_a_symbol_without_a_time_is_worth_what_the_gradient_is(delta, fraction):
    uses = [r"\frac{\partial L}{\partial W} = NAME x^T", r"\frac{\partial L}{\partial b} = NAME"]
    by_z = r"\frac{\partial L}{\partial z}"
    by_x = r"\frac{\partial L}{\partial x} = W^T NAME"
    # Another name for a wrong gradient is not a formula that follows from it.
    own = [rf"\delta = {delta}", rf"{by_z} = \delta", *uses, by_x]
    named = [f"{by_z} = {delta}", *uses, by_x]
    assert earned([line.replace("NAME", r"\delta") for line in own]) == pytest.approx(fraction)
    assert earned([line.replace("NAME", by_z) for line in named]) == pytest.approx(fraction)


def test_relu_and_softmax_have_names_in_formulas():
    text = (SUBMISSIONS / "full_marks" / "vectors" / "layers.md").read_text(encoding="utf-8")
    same = text.replace("= p - y$$", r"= \operatorname{softmax}(W x + b) - y$$", 1)
    assert graded(same)["q1.1"] == {}
    other = text.replace("= p - y$$", r"= \text{ReLU}(p) - y$$", 1)  # p is not negative
    assert graded(other)["q1.1"] == {}
