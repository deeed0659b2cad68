"""Evaluation of nodes whose products are settled. There is no ``eval``: nodes are walked.

One sequence is evaluated, and not a batch: a vector of ones and a sum over the members of a batch
are then the number 1 and a sum of one term.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .arithmetic import add, apply, divide, identity_for, multiply, settled, shape_of
from .functions import Functions
from .limits import Budget
from .network import LAST, ROWS
from .nodes import (
    Apply,
    Binary,
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
    """A formula that can be read has no value, and why; ``kind`` is for messages."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


class Scope(Protocol):
    """Where the leaves of a formula get their values from."""

    functions: Functions
    budget: Budget
    last: int

    def leaf(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return the value of a symbol or gradient at a time."""


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
        raise EvaluationError(message, "unbound")
    return bindings[index.variable] + index.offset


def evaluate(  # noqa: C901, PLR0911 - one case per node
    node: Node, bindings: Bindings, scope: Scope
) -> Any:
    """Return the value of a node.

    Raises:
        EvaluationError: a leaf has no value.
        ShapeError: shapes do not fit.
        TooMuchError: it takes too long.
    """
    scope.budget.spend()
    match node:
        case Number():
            return scope.functions.number(node.value)
        case Symbol() | Gradient():
            return _leaf(node, bindings, scope)
        case Ones():
            return scope.functions.number(1.0)
        case Apply():
            inner = evaluate(node.argument, bindings, scope)
            return apply(node.function, node.order, inner, scope.functions)
        case Transpose():
            inner = evaluate(node.of, bindings, scope)
            return inner if shape_of(inner) is None else inner.T
        case Power():
            return evaluate(node.of, bindings, scope) ** node.exponent
        case Quotient():
            above = evaluate(node.above, bindings, scope)
            return divide(above, evaluate(node.below, bindings, scope))
        case Sum():
            return _sum(node, bindings, scope)
        case Binary():
            left = evaluate(node.left, bindings, scope)
            return multiply(node.meaning, left, evaluate(node.right, bindings, scope))
        case Series():
            return _series(node, bindings, scope)
        case _:
            raise EvaluationError("the products of a formula were not settled")


def _leaf(node: Symbol | Gradient, bindings: Bindings, scope: Scope) -> Any:
    symbol = node.by if isinstance(node, Gradient) else node
    time = None
    if isinstance(symbol, Symbol) and symbol.time is not None:
        time = at_time(symbol.time, bindings, scope.last)
    return settled(scope.leaf(node, time))


def _sum(node: Sum, bindings: Bindings, scope: Scope) -> Any:
    values: list[Any] = [
        None if isinstance(term, Ones) else evaluate(term, bindings, scope) for term in node.terms
    ]
    others = [value for value in values if value is not None]
    filled = [
        identity_for(others, scope.functions)
        if isinstance(term, Ones) and term.identity
        else (1.0 if value is None else value)
        for term, value in zip(node.terms, values, strict=True)
    ]
    return add(filled, node.signs)


def _series(node: Series, bindings: Bindings, scope: Scope) -> Any:
    if node.variable == ROWS or isinstance(bindings, AnyTime):
        # With one sequence, a sum over the members of a batch has one term. Shapes are those of a
        # term, however many there are.
        return evaluate(node.body, bindings, scope)
    lower = at_time(node.lower or Index(None, 1), bindings, scope.last)
    upper = at_time(node.upper or Index(LAST), bindings, scope.last)
    if upper - lower >= MAX_SERIES:
        raise EvaluationError("a sum runs over too many terms")
    terms = [
        evaluate(node.body, {**bindings, node.variable: step}, scope)
        for step in range(lower, upper + 1)
    ]
    if node.operator == "sum":
        return add(terms, (1,) * len(terms)) if terms else 0.0
    total: Any = 1.0
    for term in terms:
        total = multiply("matrix", total, term)
    return total
