r"""Shape-directed reading: which products are meant in a row of factors.

In ``W_x^T \frac{\partial L}{\partial h_t} * (1 - h_t * h_t)`` the sign ``*`` binds tighter than
juxtaposition, since otherwise the shapes are impossible. Every grouping that the shapes allow is
kept, the usual one first; groupings with the same value are one. Values are drawn at random, so
that two groupings are the same if and only if they always are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, cast

import numpy as np

from .arithmetic import Shape, ShapeError, shape_of
from .blocks import put_together, ways
from .components import evaluate_entries
from .evaluate import AnyTime, EvaluationError, evaluate, product_of
from .functions import NUMPY, Functions
from .limits import MAX_FACTORS, MAX_READINGS, Budget, UnreadableError
from .network import Key, key_of, time_of
from .nodes import (
    ELEMENTWISE_SIGNS,
    Arranged,
    Binary,
    Blocks,
    Gradient,
    Meaning,
    Node,
    Operator,
    Product,
    Symbol,
    parts,
    with_parts,
)

STRICT = frozenset((r"\odot", r"\circ"))  # these never mean a product of matrices
UNUSUAL = 8  # the cost of a meaning that a sign rarely has
LOOSE = 1  # the cost of a juxtaposition that binds tighter than a sign
ROUNDED = 10  # digits by which values are distinguished
LARGE = 1e6
LETTER_SIZE = 2.7  # of a dimension in a formula: any number that is not another by chance


@dataclass(frozen=True)
class Reading:
    """One meaning of a node: settled, with its value at the random point and its cost."""

    node: Node
    value: Any
    cost: int


class Probe:
    """Random values for leaves, by their shapes: the scope in which readings are compared."""

    functions: Functions = NUMPY
    last = 3

    def __init__(
        self,
        shape: Callable[[Key], Shape | None],
        budget: Budget,
        letters: frozenset[str] = frozenset(),
    ) -> None:
        self._shape_of = shape
        self._letters = letters
        self.budget = budget
        self._rng = np.random.default_rng(1)  # not a rubric's seed: students get this file
        self._drawn: dict[tuple[Key, str], Any] = {}

    def leaf(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return the value of a leaf; raises ``UnknownError`` if its shape is not known."""
        del time
        key = key_of(node)
        shape = self._shape_of(key)
        if shape is None and key.name in self._letters and not key.of and not key.labels:
            return float(LETTER_SIZE)
        if shape is None:
            raise UnknownError(node)
        place = (key, str(time_of(node)))
        if place not in self._drawn:
            self._drawn[place] = self._rng.uniform(0.2, 0.9, size=shape)
        return self._drawn[place]

    def shape(self, node: Symbol | Gradient) -> Shape | None:
        """Return the shape of a symbol or gradient, None if it is not known."""
        return self._shape_of(key_of(node))

    def upright(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return the value of a leaf; for a matrix whose transpose is stored, that of its shape."""
        return self.leaf(node, time)


class UnknownError(EvaluationError):
    """A leaf is neither given nor defined."""

    def __init__(self, node: Symbol | Gradient) -> None:
        super().__init__("it is neither given nor defined", "undefined")
        self.node = node


def readings(node: Node, probe: Probe) -> list[Reading]:
    """Return the meanings of a node that its shapes allow, the usual one first.

    Raises:
        ShapeError: there is none.
        UnknownError: a leaf is neither given nor defined.
        UnreadableError: a product is too long.
    """
    if isinstance(node, Product):
        return _product_readings(node, probe)
    inner = parts(node)
    if isinstance(node, Arranged):
        for leaf in _leaves(node):
            probe.leaf(leaf, None)  # it must be known; whether axes fit shows at random points
        return [Reading(node, evaluate_entries(node, AnyTime(), probe), 0)]
    if not inner or isinstance(node, Gradient):
        value = evaluate(node, AnyTime(), probe)
        return [Reading(node, value, 0)]
    choices = [readings(part, probe) for part in inner]
    if isinstance(node, Blocks):
        return _blocks_readings(node, choices)
    found: list[Reading] = []
    failed: ShapeError | None = None
    for chosen in islice(product(*choices), MAX_READINGS * 4):
        built = with_parts(node, tuple(choice.node for choice in chosen))
        try:
            value = evaluate(built, AnyTime(), probe)
        except ShapeError as error:
            failed = failed or error
            continue
        found.append(Reading(built, value, sum(choice.cost for choice in chosen)))
    if not found:
        raise failed or ShapeError("the parts of", (1, 1), (1, 1))
    return _distinct(found)


def _blocks_readings(node: Blocks, choices: Sequence[list[Reading]]) -> list[Reading]:
    """Return the readings of blocks: with those of each, below or beside each other."""
    found: list[Reading] = []
    failed: ShapeError | None = None
    for chosen in islice(product(*choices), MAX_READINGS * 4):
        built = with_parts(node, tuple(choice.node for choice in chosen))
        assert isinstance(built, Blocks)  # noqa: S101 - parts do not change the kind
        values = dict(zip(map(id, parts(built)), (one.value for one in chosen), strict=True))
        cost = sum(choice.cost for choice in chosen)
        for number, way in enumerate(ways(built)):
            try:
                value = put_together(way, [values[id(cell)] for cell in parts(way)])
            except ShapeError as error:
                failed = failed or error
                continue
            found.append(Reading(way, value, cost + number))
    if not found:
        raise failed or ShapeError("the parts of", (1, 1), (1, 1))
    return _distinct(found)


def _leaves(node: Node) -> Iterator[Symbol | Gradient]:
    if isinstance(node, Symbol | Gradient):
        yield node
        return
    for part in parts(node):
        yield from _leaves(part)


def _distinct(found: Sequence[Reading]) -> list[Reading]:
    """Of readings with the same value keep the cheapest, and not too many in all."""
    kept: dict[Any, Reading] = {}
    for one in sorted(found, key=lambda reading: reading.cost):
        kept.setdefault(_fingerprint(one.value), one)
    return list(kept.values())[:MAX_READINGS]


def _fingerprint(value: Any) -> Any:
    array = np.asarray(value, dtype=np.float64)
    if not np.isfinite(array).all():
        return (array.shape, array.tobytes())
    scale = float(np.abs(array).max()) if array.size else 0.0
    if scale > LARGE or (scale and scale < 1 / LARGE):
        array = array / scale
        return (array.shape, f"{scale:.8e}", np.round(array, ROUNDED - 2).tobytes())
    return (array.shape, (np.round(array, ROUNDED - 2) + 0.0).tobytes())


def _product_readings(node: Product, probe: Probe) -> list[Reading]:
    """Look at all groupings, shorter stretches of factors first."""
    count = len(node.factors)
    if count > MAX_FACTORS:
        raise UnreadableError(f"a product of {count} factors is too long", node.at)
    table: dict[tuple[int, int], list[Reading]] = {}
    failed: ShapeError | None = None
    for place, factor in enumerate(node.factors):
        table[place, place + 1] = readings(factor, probe)
    for length in range(2, count + 1):
        for start in range(count - length + 1):
            end = start + length
            found: list[Reading] = []
            for middle in range(start + 1, end):
                left, right = table[start, middle], table[middle, end]
                if not left or not right:
                    continue
                sign = node.operators[middle - 1]
                looser = _looser(node.operators, start, end, middle)
                try:
                    found += _combined(sign, left, right, looser, probe)
                except ShapeError as error:
                    failed = failed or error
            table[start, end] = _distinct(found)
    result = table[0, count]
    if not result:
        raise failed or ShapeError("the product of", (1, 1), (1, 1))
    return result


def _looser(operators: Sequence[Operator], start: int, end: int, middle: int) -> int:
    """Return the cost of a grouping: a sign at the top while a juxtaposition lies below it."""
    if operators[middle - 1] not in ELEMENTWISE_SIGNS:
        return 0
    inner = [operators[place] for place in range(start, end - 1) if place != middle - 1]
    return LOOSE * sum(sign not in ELEMENTWISE_SIGNS for sign in inner)


def _combined(
    sign: Operator,
    left: Sequence[Reading],
    right: Sequence[Reading],
    looser: int,
    probe: Probe,
) -> Iterator[Reading]:
    made: list[Reading] = []
    failed: ShapeError | None = None
    for one, two in product(left, right):
        probe.budget.spend()
        for meaning, cost in _meanings(sign, one.value, two.value):
            first, second = one, two
            swapped = (shape_of(two.value) or (1, 0))[1] == 1
            if sign == r"\otimes" and meaning == "matrix" and swapped:
                first, second = two, one  # Kronecker's product of a row and a column
            node = Binary(meaning, first.node, second.node, one.node.at)
            try:
                value = product_of(node, first.value, second.value)
            except ShapeError as error:
                failed = failed or error
                continue
            made.append(Reading(node, value, one.cost + two.cost + cost + looser))
    if not made and failed is not None:
        raise failed
    return iter(made)


def _meanings(sign: Operator, left: Any, right: Any) -> Iterator[tuple[Meaning, int]]:
    one, two = shape_of(left), shape_of(right)
    if sign == r"\otimes":
        yield "outer", 0
        if one == two and one is not None:
            yield "elementwise", UNUSUAL
        elif one is not None and two is not None and 1 in (one[0] * two[1], one[1] * two[0]):
            yield "matrix", LOOSE  # Kronecker's product of a column and a row, in either order
        return
    if sign in ELEMENTWISE_SIGNS:
        yield "elementwise", 0
        if sign not in STRICT and one != two:
            yield "matrix", UNUSUAL
        return
    yield "matrix", 0
    if one is not None and two is not None and one[1] != two[0]:
        yield "elementwise", 0


def written(node: Node) -> Node:
    """Return a settled node as a product again, with brackets only where they were meant."""
    if isinstance(node, Binary):
        sign: dict[Meaning, str] = {"matrix": "", "elementwise": "*", "outer": r"\otimes"}
        factors = (written(node.left), written(node.right))
        return Product(factors, (cast("Operator", sign[node.meaning]),), node.at)
    if isinstance(node, Gradient):
        return node
    return with_parts(node, tuple(written(part) for part in parts(node)))
