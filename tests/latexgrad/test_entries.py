"""Formulas for single entries: where no sum is written over an index that stands twice."""

from __future__ import annotations

import pytest

from tests.latexgrad.tasks import RNN_STEP, run

DY = r"\frac{\partial L}{\partial y_{t,i}}"


def step(by_x: str) -> str:
    """Write the derivation of one step by entries, with this formula for x_t."""
    return rf"""{RNN_STEP}
\[ {DY} = \frac{{\partial L}}{{\partial h_{{t,i}}}} (1 - h_{{t,i}}^2) \]
\[ \frac{{\partial L}}{{\partial W_{{x,ij}}}} = {DY} x_{{t,j}}, \quad
   \frac{{\partial L}}{{\partial W_{{h,ij}}}} = {DY} h_{{t-1,j}}, \quad
   \frac{{\partial L}}{{\partial b_{{i}}}} = {DY} \]
\[ \frac{{\partial L}}{{\partial x_{{t,j}}}} = {by_x}, \quad
   \frac{{\partial L}}{{\partial h_{{t-1,j}}}} = \sum_i W_{{h,ij}} {DY} \]
"""


def test_a_sum_that_is_written_is_read():
    assert run("q3.5", step(rf"\sum_i W_{{x,ij}} {DY}")).earned == pytest.approx(1)


def test_an_index_that_stands_twice_may_mean_a_sum():
    found = run("q3.5", step(rf"W_{{x,ij}} {DY}"))
    assert found.pending is not None
    assert "no sum over i is written" in found.pending.message


def test_an_index_that_stands_once_is_a_mistake():
    found = run("q3.5", step(DY))
    assert found.earned < 1
