"""The rubric's keys of a derivation: what is refused, and that another assignment can use them."""

from __future__ import annotations

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError
from grader.model import Question
from tests.checks.toy import make
from tests.latexgrad.tasks import run_spec

DERIVATION = r"""
      - id: q1.1
        title: derivation
        points: 4
        kind: derivation
        files: [answer.md]
        section: '(?i)layer'
        shapes: {x_t: [D], W: [H, D], b: [H]}
        forward: |
          y_t = W x_t + b \\
          s_t = \sigma(y_t)
        given: [s_t]
        quantities:
          '\frac{\partial L}{\partial W}': 0.5
          '\frac{\partial L}{\partial x_t}': 0.25
          '\frac{\partial L}{\partial b}': 0.25
        sizes: [{D: 3, H: 2, T: 1}]
        follow_through: 0.4
"""
ANSWER = r"""
# A layer
$$ \delta_t = \nabla_{s_t} L \odot s_t \odot (1 - s_t) $$
$$ \nabla_W L = \delta_t x_t^T, \quad \nabla_{x_t} L = W^T \delta_t, \quad \nabla_b L = \delta_t $$
"""


def test_another_assignment_needs_the_rubric_only(tmp_path):
    rubric = load_rubric(make(tmp_path, DERIVATION), KINDS)
    (question,) = rubric.questions
    assert isinstance(question, Question)
    (spec,) = question.checks
    assert run_spec(spec, question, ANSWER, "answer.md").lost == {}
    wrong = ANSWER.replace(r"(1 - s_t)", r"(1 - s_t^2)")
    found = run_spec(spec, question, wrong, "answer.md")
    assert found.earned == pytest.approx(0.4)
    assert r"\delta_t (line 3): uses s_t^2 where s_t is needed" in found.judgement.message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("b}': 0.25", "b}': 0.2", "quantities add up to 0.95, not 1"),
        (r"partial b}'", r"partial q}'", "there is no such value in the forward equations"),
        (r"'\frac{\partial L}{\partial b}'", "'b'", "b is not a gradient of L"),
        ("{D: 3, H: 2, T: 1}", "{D: 3, T: 1}", "each of sizes needs D and H, and may have T"),
        ("{D: 3, H: 2, T: 1}", "{D: 3, H: 3, T: 1}", "D and H must be different"),
        ("section: '(?i)layer'", "section: '(layer'", "is not a regular expression"),
        (r"= \sigma(y_t)", r"= \sigma(y_t", "a bracket is never closed"),
        (r"W x_t + b \\", r"W x_t + u \\", "u is neither in shapes nor computed earlier"),
        (r"W x_t + b \\", r"W b + b \\", "shapes (4, 5) and (4, 1) is impossible"),
        ("given: [s_t]", "given: [r_t]", "r_t is not a value of the forward equations"),
        ("given: [s_t]", "given: [s_t]\n        given_as: [both]", "must be 'total' or 'direct'"),
        ("W: [H, D]", "W: [H, K]", "each of sizes needs D, H and K"),
        ("W: [H, D]", "W: [H, d]", "should match pattern"),
        ("given: [s_t]", "given: []", "must say what the loss depends on"),
        ("given: [s_t]", "given: [s_t]\n        loss: b", "what the loss depends on, not both"),
        ("given: [s_t]", "loss: b", "a loss of shapes"),
        ("given: [s_t]", "given: [s_t]\n        one_hot: [W]", "W is not a vector of shapes"),
        ("follow_through: 0.4", "follow_through: 2", "less than or equal to 1"),
    ],
)
def test_a_wrong_rubric_is_refused(tmp_path, old, new, message):
    text = DERIVATION.replace(old, new)
    assert text != DERIVATION
    with pytest.raises(RubricError) as caught:
        load_rubric(make(tmp_path, text), KINDS)
    assert message in str(caught.value)
