"""Sums and products of matrices, traced by autograd or not, with checks of their shapes.

A value is a number or a matrix with two axes; vectors are matrices with one row or column. A matrix
with one entry is a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .functions import Functions
from .nodes import Meaning

Shape = tuple[int, int]


class ShapeError(Exception):
    """The shapes of two values do not fit."""

    def __init__(self, what: str, left: Shape, right: Shape) -> None:
        super().__init__(what)
        self.what = what
        self.left = left
        self.right = right


def shape_of(value: Any) -> Shape | None:
    """Return the shape of a matrix, None for a number."""
    shape: tuple[int, ...] = tuple(getattr(value, "shape", ()))
    return (int(shape[0]), int(shape[1])) if len(shape) == 2 else None  # noqa: PLR2004


def as_number(value: Any) -> Any:
    """Return a matrix of one entry as a number."""
    return value[0, 0] if shape_of(value) == (1, 1) else value


def multiply(meaning: Meaning, left: Any, right: Any) -> Any:
    """Multiply; raises ``ShapeError`` if the shapes do not allow it."""
    one, two = shape_of(left), shape_of(right)
    if one is None or two is None:
        return left * right
    if meaning == "outer":
        if one[1] != 1 or two[1] != 1:
            raise ShapeError("the outer product of", one, two)
        return as_number(left @ right.T)
    if meaning == "matrix":
        if one[1] != two[0]:
            raise ShapeError("the matrix product of", one, two)
        return as_number(left @ right)
    if one != two:
        raise ShapeError("the elementwise product of", one, two)
    return left * right


def add(values: Sequence[Any], signs: Sequence[int]) -> Any:
    """Add; a number is added to every entry. Raises ``ShapeError`` for different shapes."""
    total: Any = None
    for value, sign in zip(values, signs, strict=True):
        term = value if sign > 0 else -value
        if total is None:
            total = term
            continue
        one, two = shape_of(total), shape_of(term)
        if one is not None and two is not None and one != two:
            raise ShapeError("the sum of", one, two)
        total = total + term
    return total


def divide(above: Any, below: Any) -> Any:
    """Divide element by element; raises ``ShapeError`` for different shapes."""
    one, two = shape_of(above), shape_of(below)
    if one is not None and two is not None and one != two:
        raise ShapeError("the quotient of", one, two)
    return above / below


def apply(function: str, order: int, value: Any, functions: Functions) -> Any:
    """Apply a function; raises ``ShapeError`` where it needs a vector."""
    shape = shape_of(value)
    if function == "softmax" and (shape is None or 1 not in shape):
        raise ShapeError("softmax of", shape or (1, 1), (1, 1))
    if function == "diag":
        if shape is None or 1 not in shape:
            raise ShapeError("diag of", shape or (1, 1), (1, 1))
        return functions.values["diag"](value)
    table = functions.slopes if order else functions.values
    if shape is None and not hasattr(value, "dtype"):
        return table[function](functions.ones(1, 1) * value)[0, 0]
    return table[function](value)


def identity_for(others: Sequence[Any], functions: Functions) -> Any:
    """Return what I means next to other terms: a matrix if they are square, otherwise 1."""
    for other in others:
        shape = shape_of(other)
        if shape is not None and shape[0] == shape[1]:
            return functions.eye(shape[0])
    return 1.0
