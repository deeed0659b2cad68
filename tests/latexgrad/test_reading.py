r"""Shape-directed reading: which products are meant."""

from __future__ import annotations

import numpy as np
import pytest

from latexgrad import parser
from latexgrad.arithmetic import ShapeError
from latexgrad.formula_text import as_text
from latexgrad.limits import Budget, OverBudgetError, UnreadableError
from latexgrad.looks import plain_lexemes
from latexgrad.reading import Probe, UnknownError, readings, written

SHAPES = {"A": (4, 4), "W": (4, 5), "x": (5, 1), "h": (4, 1), "k": (4, 1), "r": (1, 4)}


def probe(budget: Budget | None = None) -> Probe:
    return Probe(lambda key: SHAPES.get(key.name), budget or Budget())


def read(text: str):
    node = parser.expression(plain_lexemes(text, 0, {}), 0)
    return [as_text(written(found.node)) for found in readings(node, probe())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Only one grouping is possible.
        ("W^T h * k", ["W^T (h * k)"]),
        ("h * k x^T", ["(h * k) x^T"]),
        ("h * W x", ["h * (W x)"]),
        ("h * W x * k", ["(h * (W x)) * k"]),
        ("W^T h * A k", ["W^T (h * (A k))"]),
        ("h r h", ["(h r) h"]),
        # Juxtaposed vectors are multiplied element by element, and * may be of matrices.
        ("h k", ["h * k"]),
        ("W^T * h", ["W^T h"]),
        (r"h \otimes k", [r"h \otimes k", "h * k"]),
        (r"h \cdot x^T", ["h x^T"]),
        # Two are, and differ: the sign binds tighter first.
        ("A h * k", ["A (h * k)", "(A h) * k"]),
        (r"A h \odot k", ["A (h * k)", "(A h) * k"]),
        # They are the same, so there is one.
        ("h * k * h", ["(h * k) * h"]),
        ("A A h", ["(A A) h"]),
        ("2 h * k", ["(2 h) * k"]),
    ],
)  # fmt: skip
def test_groupings(text, expected):
    found = read(text)
    assert found == expected or (len(found) == len(expected) == 1 and same(found[0], expected[0]))


def same(one: str, two: str) -> bool:
    """Say whether two texts are the same formula but for brackets that make no difference."""
    values = []
    for text in (one, two):
        node = parser.expression(plain_lexemes(text, 0, {}), 0)
        values.append(readings(node, probe())[0].value)
    return bool(np.allclose(*values))


@pytest.mark.parametrize(
    "text", [r"h \odot x", r"W \odot h", "h x", "W h", "x + h", "h / x", "h x^T r"]
)
def test_impossible_shapes_have_no_reading(text):
    with pytest.raises(ShapeError):
        read(text)


def test_an_unknown_symbol_is_named():
    with pytest.raises(UnknownError) as caught:
        read("h * z_t")
    assert caught.value.node.name == "z"


def test_products_that_are_too_long_are_refused():
    with pytest.raises(UnreadableError, match="17 factors"):
        read(" ".join("h" * 17))


def test_ambiguity_does_not_multiply_without_bounds():
    text = " + ".join(["A h * k"] * 30)
    assert len(read(text)) <= 8
    node = parser.expression(plain_lexemes(" * ".join(["A h"] * 8), 0, {}), 0)
    with pytest.raises(OverBudgetError):
        readings(node, probe(Budget(500)))
