"""Derivatives and fractions: what belongs to a partial sign, a d, a nabla, a slash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from .limits import UnreadableError
from .nodes import (
    Blocks,
    Gradient,
    Index,
    Listed,
    Node,
    Number,
    Operator,
    Partial,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Transpose,
    parts,
    with_parts,
)

LOSSES = frozenset(("L", "J", "E", "C", r"\ell", "Loss", "loss"))
JOINING = frozenset(("concat", "concatenate", "cat", "stack", "vstack", "hstack", "vec", "col"))
SHORT = "d"  # how the gradient of the loss is written in ``dh``: without the loss
STEP_LOSS = "D"


@dataclass(frozen=True)
class Nabla:
    """A gradient sign whose variable is known; what follows is the loss."""

    by: Node
    at: int


def _is_d(item: object) -> bool:
    return isinstance(item, Symbol) and item == Symbol("d")


def build_product(
    items: Sequence[Node | Nabla], operators: Sequence[str], grouped: Sequence[bool]
) -> Node:
    """Build a product: first d and nabla find what they belong to, then slashes."""
    factors: list[Node] = []
    signs: list[str] = []
    place = 0

    def touching(position: int) -> bool:
        return position < len(items) and operators[position - 1] == ""

    while place < len(items):
        item = items[place]
        start = place
        if isinstance(item, Nabla):
            by, at = item.by, item.at
            if touching(place + 1) and _loss(items[place + 1]) is not None:
                place += 1
            item = Gradient("L", by, at)
        elif _is_d(item) and touching(place + 1) and not isinstance(items[place + 1], Nabla):
            place += 1
            item = Partial(cast("Node", items[place]), shorthand=True, at=item.at)
        if (
            isinstance(item, Partial)
            and _loss(item.of) is not None
            and touching(place + 1)
            and grouped[place + 1]
        ):
            # D(y_t, h_t): the arguments say of which step it is the loss.
            place += 1
            item = replace(item, of=_of_step(item.of, cast("Node", items[place])))
        if factors:
            signs.append(operators[start - 1])
        factors.append(item)
        place += 1
    return _without_slashes(factors, signs)


def _without_slashes(factors: Sequence[Node], signs: Sequence[str]) -> Node:
    kept: list[Node] = [factors[0]]
    operators: list[str] = []
    for sign, factor in zip(signs, factors[1:], strict=True):
        if sign == "/":
            kept[-1] = build_fraction(kept[-1], factor, kept[-1].at)
        else:
            kept.append(factor)
            operators.append(sign)
    if len(kept) == 1:
        return kept[0]
    return Product(tuple(kept), cast("tuple[Operator, ...]", tuple(operators)), kept[0].at)


def _loss(node: object) -> str | None:
    """Return L or D if a node is the name of a loss."""
    if not isinstance(node, Symbol):
        return None
    if node.name in LOSSES:
        return "L" if node.time is None else STEP_LOSS
    return STEP_LOSS if node.name == STEP_LOSS else None


def _of_step(loss: Node, arguments: Node) -> Node:
    items = arguments.items if isinstance(arguments, Listed) else (arguments,)
    times = [item.time for item in items if isinstance(item, Symbol) and item.time is not None]
    if isinstance(loss, Symbol) and loss.time is None and times:
        return replace(loss, time=times[0])
    return loss


def build_fraction(above: Node, below: Node, at: int) -> Node:
    """Build a derivative or a quotient; raises ``UnreadableError`` for half a derivative."""
    if isinstance(above, Partial) and isinstance(below, Partial):
        return build_gradient(above.of, below.of, at)
    if isinstance(above, Partial) != isinstance(below, Partial):
        raise UnreadableError("only one half of the fraction is a derivative", at)
    return Quotient(above, below, at)


def build_gradient(of: Node, by: Node, at: int) -> Node:
    """Build a derivative: of the loss, of one step's own loss, or of something else."""
    if isinstance(by, Transpose):
        # What is written below is a row; its gradient is one as well.
        return Transpose(build_gradient(of, by.of, at), at)
    loss = _loss(of)
    if loss is None or not isinstance(of, Symbol):
        # A Jacobian is known by its text alone.
        return Gradient(f"{name_of(of)}", by, at, name_of(of))
    return loss_gradient(of.name, of.time if loss == STEP_LOSS else None, by, at)


def loss_gradient(name: str, time: Index | None, by: Node, at: int) -> Gradient:
    """Return the derivative of the loss, or of the one of a step: of its own or of another."""
    if time is None:
        return Gradient(STEP_LOSS if name == STEP_LOSS else "L", by, at, name)
    if isinstance(by, Symbol) and by.time is not None and by.time != time:
        return Gradient(f"{STEP_LOSS}_{time}", by, at, name)
    return Gradient(STEP_LOSS, by, at, name)


def name_of(node: Node) -> str:
    """Return a text that distinguishes symbols."""
    if isinstance(node, Symbol):
        scripts = "".join(f",{label}" for label in node.labels)
        return f"{node.name}{scripts}@{node.time}"
    return f"{type(node).__name__}({','.join(name_of(part) for part in parts(node))})"


def at_time(before: Node | Nabla, inside: Node | Nabla) -> Node | None:
    """Return what stands before brackets at the time in them, as in ``h(t-1)``."""
    if isinstance(inside, Nabla) or isinstance(before, Nabla):
        return None
    index = _index_of(inside)
    if index is None:
        return None
    if isinstance(before, Symbol) and before.time is None and before.name not in ("t", "T"):
        return replace(before, time=index)
    if isinstance(before, Partial) and (of := at_time(before.of, inside)) is not None:
        return replace(before, of=of)
    return None


def _index_of(node: Node) -> Index | None:
    if isinstance(node, Symbol) and node.name in ("t", "T") and not node.labels and not node.time:
        return Index(node.name)
    if isinstance(node, Sum) and len(node.terms) == 2:  # noqa: PLR2004 - t - 1
        first, second = node.terms
        base = _index_of(first)
        if base is not None and isinstance(second, Number) and second.value.is_integer():
            return replace(base, offset=node.signs[1] * int(second.value))
    return None


def timed(node: Node, variable: str) -> Node:
    """Take a label for an index: ``x_i`` below a sum over i from 1 to T."""
    if isinstance(node, Symbol) and node.time is None and variable in node.labels:
        labels = list(node.labels)
        labels.remove(variable)
        return replace(node, labels=tuple(labels), time=Index(variable))
    return with_parts(node, tuple(timed(part, variable) for part in parts(node)))


def completed(node: Node) -> Node:
    """Turn ``dW`` into the gradient of the loss; refuse what is half a derivative or a list."""
    if isinstance(node, Partial):
        if not node.shorthand:
            raise UnreadableError("a derivative is incomplete", node.at)
        of = node.of
        if isinstance(of, Transpose):
            return Transpose(completed(replace(node, of=of.of)), of.at)
        if isinstance(of, Power):
            return replace(of, of=completed(replace(node, of=of.of)))
        return Gradient("L", completed(of), node.at, SHORT)
    if isinstance(node, Listed):
        return Blocks(tuple((completed(item),) for item in node.items), loose=True, at=node.at)
    if isinstance(node, Product):
        node = _joined(node)
        if isinstance(node, Listed):
            return completed(node)
    return with_parts(node, tuple(completed(part) for part in parts(node)))


def _joined(node: Product) -> Node:
    """Read ``concat(h, x)`` as the list in its brackets."""
    factors, operators = list(node.factors), list(node.operators)
    for place in range(len(factors) - 1, 0, -1):
        before = factors[place - 1]
        word = isinstance(before, Symbol) and before.name.lower() in JOINING
        if word and operators[place - 1] == "" and isinstance(factors[place], Listed):
            del factors[place - 1], operators[place - 1]
    if len(factors) == 1:
        return factors[0]
    return replace(node, factors=tuple(factors), operators=tuple(operators))
