"""What stands in or beside a formula: part of it, a remark, or for a person to judge."""

from __future__ import annotations

import pytest

from tests.latexgrad.tasks import RNN_STEP, STEP, run, written

G = r"\frac{\partial L}{\partial y_t}"
STEP_WITH_Y = {"y_t": r"\frac{\partial L}{\partial h_t} * (1 - h_t * h_t)"} | STEP
# The right formula for b, with something that changes what it says.
CHANGED = (
    rf"\mathrm{{E}}[{G}]", rf"\text{{clip}}({G})", rf"\text{{avg }} {G}", rf"{G} \text{{ halved}}",
    rf"{G} \text{{ times }} 2", rf"{G}\ \text{{(negated)}}", rf"\max({G}, 0)", rf"\sum_j {G}",
    rf"|{G}|", rf"{G} \cdot \text{{lr}}", rf"\eta {G}", rf"\frac{{1}}{{N}} {G}", rf"{G} \quad 2",
    rf"{G}, 2", rf"\operatorname{{softmax}}({G})", rf"\text{{ReLU}}({G})", rf"{G}^{{-1}}",
    rf"\overline{{{G}}}", rf"{G}\;/\;2", rf"{G}!", rf"{G}_i", rf"\Re {G}",
    rf"\mathbf{{1}}^T {G}", rf"{G}\Big|_{{t=0}}", rf"{G}\ \text{{if }} x>0",
    rf"\begin{{cases}} {G} & x_t > 0 \\ 0 \end{{cases}}", rf"\text{{transpose of }} {G}",
    rf"\text{{(not) }} {G}",
)  # fmt: skip
# The right formula for b, with something beside it that says nothing about its value.
BESIDE = (
    rf"{G}.", rf"{G}\,.", rf"{G}\quad\blacksquare", rf"{G}\quad\square", rf"{G}\tag{{6}}",
    rf"{G}\qquad (6)", rf"{G}\quad \text{{since }} \frac{{\partial y_t}}{{\partial b}} = I",
    rf"{G} \in \mathbb{{R}}^{{H}}", rf"I {G}", rf"\mathbf{{1}} \odot {G}", rf"1 \cdot {G}",
    rf"\left(\frac{{\partial y_t}}{{\partial b}}\right)^T {G} = {G}",
    rf"\frac{{\partial L}}{{\partial h_t}} \frac{{\partial h_t}}{{\partial b}} = {G}",
    rf"\underbrace{{{G}}}_{{\text{{upstream}}}} \cdot \underbrace{{1}}_{{\partial y/\partial b}}",
    rf"\text{{(by the chain rule) }} {G}", rf"{G}\qquad\checkmark", rf"{G}\ (H \times 1)",
    rf"\color{{red}}{{{G}}}", rf"{{\color{{red}} {G}}}", rf"{G}\quad \text{{Q.E.D.}}",
    rf"{G}\nonumber", rf"\bigg({G}\bigg)", rf"{G} \quad \text{{for all }} 1 \le t \le T",
)  # fmt: skip


def judged(formula: str):
    """Judge the step with a formula for b."""
    return run("q3.5", written(STEP_WITH_Y | {"b": formula}, RNN_STEP))


@pytest.mark.parametrize("formula", CHANGED)
def test_what_changes_a_formula_never_earns_it(formula):
    found = judged(formula)
    assert found.pending is not None or r"\partial L/\partial b" in found.lost


@pytest.mark.parametrize("formula", BESIDE)
def test_what_stands_beside_a_formula_costs_nothing(formula):
    found = judged(formula)
    assert found.pending is None, found.pending
    assert found.lost == {}
