"""Evaluation of nodes whose products are settled. There is no ``eval``: nodes are walked.

A single sequence is evaluated, not a batch: a vector of ones and a sum over the members of a batch
are then the number 1 and a sum of one term.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .arithmetic import Shape, add, apply, as_number, divide, identity_for, multiply, shape_of
from .assessment import MistakeKind
from .blocks import cut, put_together
from .functions import Functions
from .limits import Budget
from .network import BATCH, LAST
from .nodes import (
    Apply,
    Binary,
    BlockOf,
    Blocks,
    Gradient,
    Index,
    Node,
    Number,
    Ones,
    Power,
    Quotient,
    Series,
    Sum,
    Symbol,
    Transpose,
)

MAX_SERIES = 16  # terms of one sum: sequences have at most a handful of steps
Bindings = Mapping[str, int]


class EvaluationError(Exception):
    """A formula that can be read has no value, and why; ``kind`` is what to count it by."""

    def __init__(self, message: str, kind: MistakeKind | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


class Leaves(Protocol):
    """Where the leaves of a formula get their values from."""

    functions: Functions
    budget: Budget
    last: int

    def leaf(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return the value of a symbol or gradient at a time."""

    def shape(self, node: Symbol | Gradient) -> Shape | None:
        """Return the shape of a symbol or gradient, None if it is not known."""

    def upright(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return it as vectors are columns and ``y = W x``, whatever the answer's layout."""


class AnyTime(dict[str, int]):
    """Binds every index to 1: for readings, which do not depend on time."""

    def __contains__(self, _key: object) -> bool:
        return True

    def __missing__(self, key: str) -> int:
        del key
        return 1


def at_time(index: Index, bindings: Bindings, last: int) -> int:
    """Return the number that an index stands for.

    Raises:
        EvaluationError: its variable is not bound.
    """
    if index.variable is None:
        return index.offset
    if index.variable == LAST:
        return last + index.offset
    if index.variable not in bindings:
        message = f"the index {index.variable} is not bound: is a sum over it missing?"
        raise EvaluationError(message, "unbound_index")
    return bindings[index.variable] + index.offset


def evaluate(  # noqa: C901, PLR0911, PLR0912 - one case per node
    node: Node, bindings: Bindings, leaves: Leaves
) -> Any:
    """Return the value of a node.

    Raises:
        EvaluationError: a leaf has no value.
        ShapeError: shapes do not fit.
        OverBudgetError: it takes too long.
    """
    leaves.budget.spend()
    match node:
        case Number():
            return leaves.functions.number(node.value)
        case Symbol() | Gradient():
            return _leaf(node, bindings, leaves)
        case Ones():
            return leaves.functions.number(1.0)
        case Apply():
            inner = evaluate(node.argument, bindings, leaves)
            return apply(node.function, node.order, inner, leaves.functions)
        case Transpose():
            inner = evaluate(node.of, bindings, leaves)
            return inner if shape_of(inner) is None else inner.T
        case Power():
            return evaluate(node.of, bindings, leaves) ** node.exponent
        case Quotient():
            above = evaluate(node.above, bindings, leaves)
            return divide(above, evaluate(node.below, bindings, leaves))
        case Sum():
            return _sum(node, bindings, leaves)
        case Binary():
            left = evaluate(node.left, bindings, leaves)
            return product_of(node, left, evaluate(node.right, bindings, leaves))
        case Series():
            return _series(node, bindings, leaves)
        case Blocks():
            cells = [evaluate(cell, bindings, leaves) for row in node.rows for cell in row]
            return put_together(node, cells)
        case BlockOf():
            value = evaluate(node.of, bindings, leaves)
            return as_number(cut(node, value, leaves.shape))
        case _:
            raise EvaluationError("the products of a formula were not settled")


def _leaf(node: Symbol | Gradient, bindings: Bindings, leaves: Leaves) -> Any:
    symbol = node.by if isinstance(node, Gradient) else node
    time = None
    if isinstance(symbol, Symbol) and symbol.time is not None:
        time = at_time(symbol.time, bindings, leaves.last)
    return as_number(leaves.leaf(node, time))


def product_of(node: Binary, left: Any, right: Any) -> Any:
    """Return a product whose factors have values; a vector of ones adds up entries.

    Raises:
        ShapeError: the shapes do not allow it.
    """
    if node.meaning == "matrix" and isinstance(node.left, Transpose) and _is_ones(node.left.of):
        return _added_up(right, 0)
    if node.meaning == "matrix" and _is_ones(node.right):
        return _added_up(left, 1)
    return multiply(node.meaning, left, right)


def _is_ones(node: Node) -> bool:
    return isinstance(node, Ones) and not node.identity


def _added_up(value: Any, axis: int) -> Any:
    if shape_of(value) is None:
        return value
    return as_number(value.sum(axis=axis, keepdims=True))


def _sum(node: Sum, bindings: Bindings, leaves: Leaves) -> Any:
    values: list[Any] = [
        None if isinstance(term, Ones) else evaluate(term, bindings, leaves) for term in node.terms
    ]
    others = [value for value in values if value is not None]
    filled = [
        identity_for(others, leaves.functions)
        if isinstance(term, Ones) and term.identity
        else (1.0 if value is None else value)
        for term, value in zip(node.terms, values, strict=True)
    ]
    return add(filled, node.signs)


def _series(node: Series, bindings: Bindings, leaves: Leaves) -> Any:
    if node.variable == BATCH or isinstance(bindings, AnyTime):
        # With one sequence, a sum over the members of a batch has one term. Shapes are those of a
        # term, however many there are.
        return evaluate(node.body, bindings, leaves)
    lower = at_time(node.lower or Index(None, 1), bindings, leaves.last)
    upper = at_time(node.upper or Index(LAST), bindings, leaves.last)
    if upper - lower >= MAX_SERIES:
        raise EvaluationError("a sum runs over too many terms")
    terms = [
        evaluate(node.body, {**bindings, node.variable: step}, leaves)
        for step in range(lower, upper + 1)
    ]
    if node.operator == "sum":
        return add(terms, (1,) * len(terms)) if terms else 0.0
    total: Any = 1.0
    for term in terms:
        total = multiply("matrix", total, term)
    return total
