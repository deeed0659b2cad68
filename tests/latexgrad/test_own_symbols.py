"""Symbols of the student's own: what follows from them, circles of them, and gates by any name."""

from __future__ import annotations

import pytest

from latexgrad.families import known_families
from latexgrad.prepare import prepared
from latexgrad.renaming import Renaming
from tests.latexgrad.tasks import LSTM_STEP, RNN_SEQUENCE, RNN_STEP, run, shipped, written

GIVEN = r"\frac{\partial L}{\partial h_t}"
ONE_STEP = {
    "x_t": r"W_x^T \delta",
    "h_{t-1}": r"W_h^T \delta",
    "W_x": r"\delta x_t^T",
    "W_h": r"\delta h_{t-1}^T",
    "b": r"\delta",
}
STEPS = {
    "x_t": r"W_x^T \delta_t",
    "h_0": r"W_h^T \delta_1",
    "W_x": r"\sum_{t=1}^T \delta_t x_t^T",
    "W_h": r"\sum_{t=1}^T \delta_t h_{t-1}^T",
    "b": r"\sum_{t=1}^T \delta_t",
}


def one_step(delta: str, after: str = ""):
    return run("q3.5", written(ONE_STEP, rf"{RNN_STEP}\[ \delta = {delta} \]") + after)


def steps(total: str, delta: str):
    definitions = rf"\[ u_t = {total}, \qquad \delta_t = {delta} \]"
    return run("q3.6", written(STEPS, f"{RNN_SEQUENCE}{definitions}"))


@pytest.mark.parametrize(
    ("delta", "earned"),
    [
        (rf"{GIVEN} \odot (1 - h_t^2)", 1),
        (rf"{GIVEN} \odot (1 - h_t)", 0.5),  # as with a time, and as \partial L/\partial y_t
        (rf"\frac12 {GIVEN} \odot (1 - h_t^2)", 0.5),
        (GIVEN, 0.5),  # used as the gradient by y_t, though it has the value of another
        (rf"\frac12 {GIVEN} \odot (1 - h_t^2) * 2", 1),
        ("h_t", 0),
        (rf"h_t + 0 {GIVEN}", 0),
        (rf"h_t + {GIVEN} - {GIVEN}", 0),
    ],
)
def test_a_symbol_without_a_time_is_followed_through_if_it_builds_on_the_loss(delta, earned):
    assert one_step(delta).earned == pytest.approx(earned)


def test_a_gradient_that_cancels_is_not_built_on():
    formulas = {"y_t": rf"h_t + {GIVEN} - {GIVEN}"} | {
        name: formula.replace(r"\delta", r"\frac{\partial L}{\partial y_t}")
        for name, formula in ONE_STEP.items()
    }
    assert run("q3.5", written(formulas, RNN_STEP)).earned == 0


@pytest.mark.parametrize("end", [r"\fi", r"\else \[ \frac{\partial L}{\partial b} = \delta \] \fi"])
def test_what_latex_leaves_out_is_not_read(end):
    hidden = rf"\iffalse \[ \frac{{\partial L}}{{\partial b}} = 2 \delta \] {end}"
    assert one_step(rf"{GIVEN} \odot (1 - h_t^2)", hidden).earned == pytest.approx(1)


@pytest.mark.parametrize(
    ("total", "delta", "earned"),
    [
        (rf"{GIVEN} + W_h^T \delta_{{t+1}}", r"u_t \odot (1 - h_t^2)", 1),
        (rf"{GIVEN} + r_t, \quad r_t = W_h^T \delta_{{t+1}}", r"u_t \odot (1 - h_t^2)", 1),
        (rf"{GIVEN} + W_h \delta_{{t+1}}", r"u_t \odot (1 - h_t^2)", 0.5),
        (rf"{GIVEN} + W_h^T \delta_t", r"u_t \odot (1 - h_t^2)", 0),
        (r"W_h^T \delta_{t+1}", r"u_t \odot (1 - h_t^2)", 0),
        (r"h_t + W_h^T \delta_{t+1}", r"u_t \odot (1 - h_t^2)", 0),
        (r"\delta_t", "u_t", 0),
    ],
)
def test_two_symbols_may_be_defined_by_one_another(total, delta, earned):
    assert steps(total, delta).earned == pytest.approx(earned)


CELL = rf"\frac{{\partial L}}{{\partial c_t}} + {GIVEN} \odot o_t \odot (1 - \tanh^2(c_t))"


def lstm(cell: str, label: str, candidate: str, before: str = "", state: str = "c"):
    """Judge the LSTM's step with some names: of the cell's gradient and of the candidate gate."""
    lines = [
        rf"{cell} = {CELL}",
        rf"\delta^f = {cell} \odot c_{{t-1}} \odot f_t \odot (1 - f_t)",
        rf"\delta^i = {cell} \odot {candidate} \odot i_t \odot (1 - i_t)",
        rf"\delta^{{{label}}} = {cell} \odot i_t \odot (1 - {candidate}^2)",
        rf"\delta^o = {GIVEN} \odot \tanh(c_t) \odot o_t \odot (1 - o_t)",
        r"\frac{\partial L}{\partial x_t} = \sum_k (W_x^k)^T \delta^k",
        r"\frac{\partial L}{\partial h_{t-1}} = \sum_k (W_h^k)^T \delta^k",
        rf"\frac{{\partial L}}{{\partial c_{{t-1}}}} = {cell} \odot f_t",
        r"\frac{\partial L}{\partial W_x^k} = \delta^k x_t^T",
        r"\frac{\partial L}{\partial W_h^k} = \delta^k h_{t-1}^T",
        r"\frac{\partial L}{\partial b^k} = \delta^k",
    ]
    text = "\n".join(rf"\[ {line} \]" for line in lines)
    text = text.replace("c_{t", f"{state}_{{t").replace("c_t", f"{state}_t")
    return run("q4.5", f"{LSTM_STEP}{before}\n{text}")


@pytest.mark.parametrize(
    ("cell", "label", "candidate", "before", "state"),
    [
        (r"\delta^C", r"\tilde C", r"\tilde C_t", "", "C"),
        (r"\delta^C", r"\hat C", r"\hat C_t", "", "C"),
        (r"\delta^c", "g", "g_t", "", "c"),
        (r"\delta^c_t", "g", "g_t", "", "c"),
        (r"\delta^c", "z", "z_t", r"Let $z_t = \tilde c_t$.", "c"),
        (r"\delta^c", "u", "u_t", r"\[ u_t = \tanh(W_x^u x_t + W_h^u h_{t-1} + b^u) \]", "c"),
    ],
)
def test_the_candidate_has_any_name_beside_the_gradient_by_the_cell(
    cell, label, candidate, before, state
):
    found = lstm(cell, label, candidate, before, state)
    assert found.lost == {}


def test_names_are_tried_in_the_order_of_the_task_and_not_of_a_set():
    network = prepared(shipped("q3.5")[1]).network
    found = known_families(network, Renaming(network))
    names = ["_".join((family.name, *family.labels)) for family in found]
    assert names == ["x", "h", "W_x", "W_h", "b", "y"]
