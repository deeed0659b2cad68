"""The nodes of a formula. ``at`` is an offset in the file and takes no part in comparisons.

``Product`` is what a student wrote: factors with the signs between them, and no grouping yet. A
reading (``reading.py``) replaces it by nodes ``Binary``, which say which product is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

Operator = Literal["", "*", r"\odot", r"\circ", r"\cdot", r"\times", r"\otimes"]
Meaning = Literal["matrix", "elementwise", "outer"]
ELEMENTWISE_SIGNS = frozenset(("*", r"\odot", r"\circ"))


@dataclass(frozen=True)
class Index:
    """A place in time: ``t - 1`` is ``Index("t", -1)``, 0 is ``Index(None, 0)``."""

    variable: str | None
    offset: int = 0

    def __str__(self) -> str:
        if self.variable is None:
            return str(self.offset)
        return f"{self.variable}{self.offset:+d}" if self.offset else self.variable

    @classmethod
    def read(cls, text: str) -> Index:
        """Return the index that ``str`` made a text of."""
        for sign in ("+", "-"):
            head, found, tail = text.partition(sign)
            if found and head and tail.isdigit():
                return cls(head, int(found + tail))
        return cls(None, int(text)) if text.lstrip("-").isdigit() else cls(text)


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Ones:
    r"""A vector of ones (``\mathbf 1``) or the identity matrix (``I``)."""

    identity: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Symbol:
    r"""A named quantity such as ``W_x^f`` or ``\tilde c_{t-1}``: name, labels in order, time.

    ``written`` holds the labels in the order in which they were written.
    """

    name: str
    labels: tuple[str, ...] = ()
    time: Index | None = None
    at: int = field(default=0, compare=False)
    written: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Gradient:
    r"""A derivative. ``of`` is ``L`` for the whole loss, ``D`` for the loss of one step alone.

    Anything else in ``of`` is what is differentiated: the derivative is then a Jacobian. ``loss``
    is the letter that was written for the loss.
    """

    of: str
    by: Node
    at: int = field(default=0, compare=False)
    loss: str = field(default="", compare=False)


@dataclass(frozen=True)
class Partial:
    r"""``\partial`` (or ``d``, a shorthand) before something, until a fraction is known."""

    of: Node
    shorthand: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Listed:
    """Values between commas, as in ``D(y_t, h_t)``: only meaningful within a derivative."""

    items: tuple[Node, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Apply:
    """A function of a value; ``order`` is 1 for its derivative."""

    function: str
    argument: Node
    order: int = 0
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Transpose:
    """A transposed value."""

    of: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Power:
    """Every entry to a power."""

    of: Node
    exponent: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Quotient:
    """One value by another, element by element."""

    above: Node
    below: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Sum:
    """Terms with their signs, +1 or -1."""

    terms: tuple[Node, ...]
    signs: tuple[int, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Product:
    """Factors as written; ``operators`` stand between them, one less than factors."""

    factors: tuple[Node, ...]
    operators: tuple[Operator, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Binary:
    """A product whose meaning is settled. ``outer`` is the matrix of all products."""

    meaning: Meaning
    left: Node
    right: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Series:
    r"""A sum or product over time (``lower`` to ``upper``) or over the members of a set.

    ``variable`` is ``n`` for a sum over the rows of a batch.
    """

    operator: Literal["sum", "product"]
    variable: str
    body: Node
    lower: Index | None = None
    upper: Index | None = None
    members: tuple[str, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Entry:
    """One entry of a value or gradient: ``W_{ij}`` has the letters i and j."""

    of: Node
    letters: tuple[str, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Arranged:
    """The vector or matrix whose entries a formula gives; ``letters`` count its axes."""

    body: Node
    letters: tuple[str, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Blocks:
    """A matrix of blocks, row by row. A ``loose`` list may mean rows or columns."""

    rows: tuple[tuple[Node, ...], ...]
    loose: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class BlockOf:
    """One block of a value: that which stands in a row and column of ``layout``."""

    of: Node
    layout: Blocks
    row: int
    column: int
    at: int = field(default=0, compare=False)


Node: TypeAlias = (
    Number
    | Ones
    | Symbol
    | Gradient
    | Partial
    | Listed
    | Apply
    | Transpose
    | Power
    | Quotient
    | Sum
    | Product
    | Binary
    | Series
    | Entry
    | Arranged
    | Blocks
    | BlockOf
)


def parts(node: Node) -> tuple[Node, ...]:  # noqa: C901, PLR0911 - one case per node
    """Return the nodes that a node is made of."""
    match node:
        case Gradient():
            return (node.by,)
        case Apply():
            return (node.argument,)
        case Partial() | Transpose() | Power() | Entry() | BlockOf():
            return (node.of,)
        case Quotient():
            return (node.above, node.below)
        case Sum():
            return node.terms
        case Product():
            return node.factors
        case Listed():
            return node.items
        case Binary():
            return (node.left, node.right)
        case Series() | Arranged():
            return (node.body,)
        case Blocks():
            return tuple(cell for row in node.rows for cell in row)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all its parts."""
    yield node
    for part in parts(node):
        yield from walk(part)


def with_parts(node: Node, new: tuple[Node, ...]) -> Node:  # noqa: C901, PLR0911 - one per node
    """Return a node with other parts; ``new`` has as many as ``parts(node)``."""
    match node:
        case Gradient():
            return replace(node, by=new[0])
        case Apply():
            return replace(node, argument=new[0])
        case Partial() | Transpose() | Power() | Entry() | BlockOf():
            return replace(node, of=new[0])
        case Quotient():
            return replace(node, above=new[0], below=new[1])
        case Sum():
            return replace(node, terms=new)
        case Product():
            return replace(node, factors=new)
        case Listed():
            return replace(node, items=new)
        case Binary():
            return replace(node, left=new[0], right=new[1])
        case Series() | Arranged():
            return replace(node, body=new[0])
        case Blocks():
            left = iter(new)
            return replace(node, rows=tuple(tuple(next(left) for _ in row) for row in node.rows))
        case _:
            return node


def scripts_in(node: Node) -> Iterator[str]:
    """Yield the labels and the variables of times in a node."""
    if isinstance(node, Symbol):
        yield from node.labels
        if node.time is not None and node.time.variable is not None:
            yield node.time.variable
    for part in parts(node):
        yield from scripts_in(part)
