"""Mistakes have kinds that a class can be counted by: each is seen, and the docs list them."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from latexgrad import MistakeKind
from tests.latexgrad.tasks import (
    RNN_STEP,
    ROOT,
    SEQUENCE,
    SLOPE,
    STEP,
    VARIANTS,
    claims,
    run,
    sequence,
    step,
    written,
)

GIVEN = r"\frac{\partial L}{\partial h_t}"
B = r"\partial L/\partial b"
H = r"\partial L/\partial h_t"
BY_STEP = {
    "sign": rf"-({SLOPE})",
    "transposed": rf"W_h ({SLOPE})",
    "order_of_factors": rf"({SLOPE}) W_h^T",
    "time_index": rf"{GIVEN} * (1 - h_{{t-1}} * h_t)",
    "factor_missing": GIVEN,
    "factor_left_over": rf"0.37 * {SLOPE}",
    "term_left_over": rf"{SLOPE} + h_t",
    "slope": rf"{GIVEN} * (1 - h_t)",
    "function": rf"\tanh({GIVEN}) * (1 - h_t * h_t)",
    "symbol": rf"({SLOPE}) x_t^T",
    "constant_factor": rf"\frac{{{SLOPE}}}{{2}}",
    "shapes": r"W_x^T \frac{\partial L}{\partial x_t}",
    "not_finite": rf"{GIVEN} + \ln(0 * h_t)",
    "another_step": rf"{GIVEN} * (1 - h_{{t+3}}^2)",
    "circular": r"\frac{\partial L}{\partial b}",
    "not_worked_out": rf"{GIVEN} \frac{{\partial h_t}}{{\partial b}}",
    "undefined": r"\frac{\partial L}{\partial y_t}",
}
# Whose formula it is, where it is not that of b.
FOR = {"transposed": "h", "order_of_factors": "h", "symbol": "Wh"}
BACK = r"\frac{\partial L}{\partial y_{t+1}}"
BY_SEQUENCE = {
    "sum_missing": {"b": r"\frac{\partial L}{\partial y_t}"},
    "sum_left_over": {"x_t": r"\sum_{s=1}^T W_x^T \frac{\partial L}{\partial y_s}"},
    "range_of_sum": {"b": r"\sum_{t=2}^T \frac{\partial L}{\partial y_t}"},
    "path_missing": {"h_t": r"\frac{\partial D_t}{\partial h_t}"},
    "total_or_direct": {"y_t": r"\frac{\partial D_t}{\partial h_t} * (1 - h_t * h_t)"},
    "recursion": {"h_t": rf"\frac{{\partial D_t}}{{\partial h_t}} + \sigma(W_h) {BACK}"},
    "base_case": {"y_{T+1}": "1"},
    "unbound_index": {"W_x": r"\frac{\partial L}{\partial y_s} x_s^T"},
    "follow_through": {"h_t": r"\frac{\partial D_t}{\partial h_t}"},
}


def kinds(found) -> dict[str, str | None]:
    """Return the kinds of mistakes of the parts that lost points, by name."""
    return {
        part.name: part.cause and part.cause.id.removeprefix("formula.")
        for part in found.judgement.parts
        if part.earned < 1
    }


@pytest.mark.parametrize("kind", BY_STEP)
def test_a_mistake_in_a_step_has_its_kind(kind):
    found = step(**{FOR.get(kind, "b"): BY_STEP[kind]})
    assert list(kinds(found).values()) == [kind]


@pytest.mark.parametrize("kind", BY_SEQUENCE)
def test_a_mistake_in_a_sequence_has_its_kind(kind):
    assert kind in kinds(sequence(BY_SEQUENCE[kind] | SEQUENCE | BY_SEQUENCE[kind])).values()


def test_every_kind_is_seen():
    assert set(get_args(MistakeKind)) == set(BY_STEP) | set(BY_SEQUENCE)


def test_the_docs_list_every_kind():
    text = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| `formula.")]
    listed = set(re.findall(r"`([a-z_]+)`", row.split("|")[2]))
    assert listed == set(get_args(MistakeKind)) - {"follow_through"}


def test_a_mistake_counts_where_it_was_made_and_the_rest_follows():
    found = kinds(sequence(SEQUENCE | BY_SEQUENCE["path_missing"]))
    assert found.pop(H) == "path_missing"
    assert set(found.values()) == {"follow_through"}


def test_a_mistake_in_an_intermediate_counts_in_all_that_use_it():
    wrong = {"y_t": rf"{GIVEN} * (1 - h_t)", "b": r"\frac{\partial L}{\partial y_t}"}
    found = run("q3.5", written(STEP | wrong, RNN_STEP))
    assert kinds(found) == {B: "slope"}
    (cause,) = [part.cause for part in found.judgement.parts if part.cause]
    assert cause.text.startswith(r"\partial L/\partial y_t: uses 1 - h_t where 1 - h_t * h_t")


@pytest.mark.parametrize("path", sorted((VARIANTS / "wrong").iterdir()), ids=lambda path: path.stem)
def test_every_wrong_variant_has_a_cause(path):
    found = run(claims(path)["check"], path.read_text(encoding="utf-8"))
    for part in found.judgement.parts:
        assert (part.cause is None) == (part.earned == 1 or part.reason == "not_implemented")
