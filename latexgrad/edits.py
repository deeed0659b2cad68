"""Typed edits of a formula: the mistakes that students make, each with its message.

A wrong formula is edited in every such way; an edit that makes it right names the mistake. Edits
are ordered by how much they assume: a sign before a factor, a factor before another symbol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .assessment import MistakeKind
from .formula_text import as_text
from .network import LAST, TIME, Key, Network, key_of, time_of
from .nodes import (
    Apply,
    Gradient,
    Index,
    Node,
    Number,
    Operator,
    Power,
    Product,
    Series,
    Sum,
    Symbol,
    Transpose,
    parts,
    with_parts,
)

MAX_EDITS = 700  # of one formula; each is read and evaluated once


@dataclass(frozen=True)
class Edit:
    """An edited formula, and what is wrong with the one as it stands."""

    node: Node
    kind: MistakeKind
    message: str


def edits(
    node: Node, network: Network, sequence: Sequence[Symbol], stated: frozenset[Key]
) -> Iterator[Edit]:
    """Yield edits, the likeliest first.

    Args:
        node: a link of a chain.
        network: the assignment's equations.
        sequence: values at t that may be missing as factors.
        stated: the gradients that the answer may use.
    """
    yield from _signs(node)
    yield from _everywhere(node, _transposed)
    yield from _everywhere(node, _shifted)
    yield from _everywhere(node, lambda part: _other_ranges(part, network))
    yield from _missing_sums(node, network)
    yield from _everywhere(node, _dropped)
    yield from _everywhere(node, _other_slopes)
    yield from _everywhere(node, lambda part: _slopes(part, network))
    yield from _everywhere(node, lambda part: _throughout(part, network))
    yield from _everywhere(node, lambda part: _with_another(part, network, stated))
    yield from _added_factors(node, network, sequence)


def _instead(node: Node, new: Node, kind: MistakeKind) -> Edit:
    return Edit(new, kind, f"uses {as_text(node)} where {as_text(new)} is needed")


def _everywhere(node: Node, change: Callable[[Node], Iterator[Edit]]) -> Iterator[Edit]:
    """Yield the edits of every part of a node, in its place."""
    yield from change(node)
    if isinstance(node, Gradient):
        return
    inner = parts(node)
    for place, part in enumerate(inner):
        for edit in _everywhere(part, change):
            new = (*inner[:place], edit.node, *inner[place + 1 :])
            yield replace(edit, node=with_parts(node, new))


def _signs(node: Node) -> Iterator[Edit]:
    yield Edit(Sum((node,), (-1,)), "sign", "its sign is wrong")
    yield from _everywhere(node, _sign)


def _sign(node: Node) -> Iterator[Edit]:
    if not isinstance(node, Sum):
        return
    for place, sign in enumerate(node.signs):
        signs = (*node.signs[:place], -sign, *node.signs[place + 1 :])
        new = replace(node, signs=signs)
        yield Edit(
            new, "sign", f"a sign is wrong: uses {as_text(node)} where {as_text(new)} is needed"
        )


def _transposed(node: Node) -> Iterator[Edit]:
    if isinstance(node, Transpose):
        yield Edit(node.of, "transposed", f"{as_text(node.of)} must not be transposed")
    elif isinstance(node, Symbol | Gradient):
        yield Edit(Transpose(node), "transposed", f"{as_text(node)} must be transposed")
    elif isinstance(node, Product):
        for place in range(len(node.factors) - 1):
            factors = list(node.factors)
            factors[place], factors[place + 1] = factors[place + 1], factors[place]
            one, two = as_text(node.factors[place]), as_text(node.factors[place + 1])
            yield Edit(
                replace(node, factors=tuple(factors)),
                "order_of_factors",
                f"{one} and {two} are in the wrong order",
            )
        if len(node.factors) == 2:  # noqa: PLR2004 - a b^T for b a^T
            turned = tuple(
                factor.of if isinstance(factor, Transpose) else Transpose(factor)
                for factor in node.factors
            )
            yield Edit(
                replace(node, factors=turned),
                "transposed",
                f"the wrong factor of {as_text(node)} is transposed",
            )
            yield Edit(
                replace(node, factors=turned[::-1]),
                "transposed",
                f"{as_text(node)} is the transpose of what is needed",
            )


def _shifted(node: Node) -> Iterator[Edit]:
    if not isinstance(node, Symbol | Gradient):
        return
    time = time_of(node)
    if time is None:
        return
    for offset in (-1, 1, -2, 2):
        new = _at(node, Index(time.variable, time.offset + offset))
        yield _instead(node, new, "time_index")


def _at(node: Symbol | Gradient, time: Index) -> Node:
    if isinstance(node, Symbol):
        return replace(node, time=time)
    return replace(node, by=replace(node.by, time=time)) if isinstance(node.by, Symbol) else node


def _other_ranges(node: Node, network: Network) -> Iterator[Edit]:
    if not isinstance(node, Series):
        return
    if node.members:
        if set(node.members) != set(network.gates):
            whole = replace(node, members=tuple(network.gates))
            yield Edit(whole, "range_of_sum", "the sum must run over all gates")
        return
    bare = _renamed(node.body, node.variable)
    yield Edit(bare, "sum_left_over", f"the sum over {node.variable} is not needed")
    lower, upper = node.lower or Index(None, 1), node.upper or Index(LAST)
    for low, high in ((Index(None, 1), Index(LAST)), (Index(TIME), Index(LAST))):
        if (low, high) != (lower, upper):
            message = f"the sum must run from {low} to {high}, not from {lower} to {upper}"
            yield Edit(replace(node, lower=low, upper=high), "range_of_sum", message)


def _renamed(node: Node, variable: str) -> Node:
    """Call the index of a sum t, outside of it."""
    if isinstance(node, Symbol):
        if node.time is not None and node.time.variable == variable:
            return replace(node, time=Index(TIME, node.time.offset))
        return node
    return with_parts(node, tuple(_renamed(part, variable) for part in parts(node)))


def _missing_sums(node: Node, network: Network) -> Iterator[Edit]:
    if not network.one_step:
        whole = Series("sum", TIME, node, Index(None, 1), Index(LAST))
        yield Edit(whole, "sum_missing", "the sum over t is missing")
        yield from _everywhere(node, _summed)


def _summed(node: Node) -> Iterator[Edit]:
    if isinstance(node, Product):
        yield Edit(
            Series("sum", TIME, node, Index(None, 1), Index(LAST)),
            "sum_missing",
            f"the sum over t of {as_text(node)} is missing",
        )


def _dropped(node: Node) -> Iterator[Edit]:
    if isinstance(node, Product):
        for place, factor in enumerate(node.factors):
            factors = (*node.factors[:place], *node.factors[place + 1 :])
            signs = list(node.operators)
            signs.pop(min(place, len(signs) - 1))
            rest: Node = factors[0] if len(factors) == 1 else Product(factors, tuple(signs))
            yield Edit(rest, "factor_left_over", f"is there an extra factor {as_text(factor)}?")
    elif isinstance(node, Sum) and len(node.terms) > 1:
        for place, term in enumerate(node.terms):
            terms = (*node.terms[:place], *node.terms[place + 1 :])
            signs_left = (*node.signs[:place], *node.signs[place + 1 :])
            yield Edit(
                Sum(terms, signs_left), "term_left_over", f"is there an extra term {as_text(term)}?"
            )
    elif isinstance(node, Power):
        yield _instead(node, node.of, "function")
    elif isinstance(node, Apply):
        new = node.argument
        yield _instead(node, new, "function")


def _with_another(node: Node, network: Network, stated: frozenset[Key]) -> Iterator[Edit]:
    """Replace a symbol: by another gate, another gradient, or its tanh."""
    if isinstance(node, Symbol):
        yield from _other_symbols(node, network)
    elif isinstance(node, Gradient) and isinstance(node.by, Symbol):
        for edit in _other_symbols(node.by, network):
            if isinstance(edit.node, Symbol):
                new = replace(node, by=edit.node)
                if key_of(new) in stated:
                    yield _instead(node, new, "symbol")
        other = replace(node, of="D" if node.of == "L" else "L")
        yield _instead(node, other, "total_or_direct")


def _other_symbols(node: Symbol, network: Network) -> Iterator[Edit]:
    for function in ("tanh", "sigmoid"):
        new = Apply(function, node)
        yield _instead(node, new, "function")
    own = key_of(node)
    for key in sorted(network.values, key=str):
        if key == own or (key in network.sequences) != (node.time is not None):
            continue
        times = [node.time]
        if node.time is not None:
            times.append(Index(node.time.variable, node.time.offset - 1))
        for time in times:
            other = Symbol(key.name, key.labels, time)
            yield _instead(node, other, "symbol")


def _slopes(node: Node, network: Network) -> Iterator[Edit]:
    """Replace a value everywhere, as in ``1 - o * o``."""
    if not isinstance(node, Sum) or len(node.terms) != 2:  # noqa: PLR2004
        return
    for old in dict.fromkeys(_symbols(node)):
        if old.time is None:
            continue
        values = [
            Symbol(key.name, key.labels, old.time)
            for key in sorted(network.sequences)
            if key != key_of(old)
        ]
        earlier = [
            replace(old, time=Index(old.time.variable, old.time.offset + k)) for k in (-1, 1)
        ]
        tanhs = [Apply("tanh", value) for value in (old, *values)]
        choices: list[Node] = [*earlier, *tanhs, Apply("sigmoid", old), *values]
        for new in choices:
            changed = _replaced(node, old, new)
            message = f"uses {as_text(node)} where {as_text(changed)} is needed"
            yield Edit(changed, "slope", f"{message}: right if {as_text(old)} were {as_text(new)}")


def _throughout(node: Node, network: Network) -> Iterator[Edit]:
    """Replace a value that a product holds more than once, as in ``f * (1 - f)``."""
    if not isinstance(node, Product):
        return
    found = list(_symbols(node))
    for old in dict.fromkeys(found):
        if old.time is None or found.count(old) == 1:
            continue
        for key in sorted(network.sequences):
            new = Symbol(key.name, key.labels, old.time)
            if new != old:
                message = (
                    f"uses {as_text(old)} where {as_text(new)} is needed, {found.count(old)} times"
                )
                yield Edit(_replaced(node, old, new), "symbol", message)


def _other_slopes(node: Node) -> Iterator[Edit]:
    """Exchange the slopes of tanh, ``1 - h * h``, and of sigmoid, ``h * (1 - h)``."""
    one = Number(1.0)
    if isinstance(node, Sum) and len(node.terms) == 2 and node.terms[0] == one:  # noqa: PLR2004
        for value in dict.fromkeys(_symbols(node)):
            tanh = Sum((one, Product((value, value), ("*",))), (1, -1))
            sigmoid = Product((value, Sum((one, value), (1, -1))), ("*",))
            for changed in (tanh, sigmoid):
                if changed != node:
                    yield _instead(node, changed, "slope")
    if not isinstance(node, Product):
        return
    for place, factor in enumerate(node.factors[:-1]):
        following = node.factors[place + 1]
        if not isinstance(factor, Symbol) or following != Sum((one, factor), (1, -1)):
            continue
        tanh = Sum((one, Product((factor, factor), ("*",))), (1, -1))
        factors = (*node.factors[:place], tanh, *node.factors[place + 2 :])
        signs = (*node.operators[:place], *node.operators[place + 1 :])
        whole: Node = tanh if len(factors) == 1 else Product(factors, signs)
        old = Product((factor, following), ("*",))
        yield Edit(whole, "slope", f"uses {as_text(old)} where {as_text(tanh)} is needed")


def _symbols(node: Node) -> Iterator[Symbol]:
    if isinstance(node, Symbol):
        yield node
    elif not isinstance(node, Gradient):
        for part in parts(node):
            yield from _symbols(part)


def _replaced(node: Node, old: Node, new: Node) -> Node:
    if node == old:
        return new
    if isinstance(node, Gradient):
        return node
    return with_parts(node, tuple(_replaced(part, old, new) for part in parts(node)))


def _added_factors(node: Node, network: Network, sequence: Sequence[Symbol]) -> Iterator[Edit]:
    """Multiply by what may be missing: a value, a slope, or an input at the end."""
    for factor in _candidates(sequence):
        yield from _everywhere(node, lambda part, factor=factor: _times_factor(part, factor))  # type: ignore[misc]
    for symbol in sequence:
        for shift in (0, -1):
            time = Index(TIME, shift)
            row = Transpose(replace(symbol, time=time))
            for change in (_after(row),):
                yield from _everywhere(node, change)
    for key in sorted(network.values - network.sequences, key=str):
        matrix = Transpose(Symbol(key.name, key.labels))
        yield from _everywhere(node, _before(matrix))


def _candidates(sequence: Sequence[Symbol]) -> Iterator[Node]:
    one = Number(1.0)
    for symbol in sequence:
        squared = Product((symbol, symbol), ("*",))
        yield symbol
        yield replace(symbol, time=Index(TIME, -1))
        yield Sum((one, squared), (1, -1))
        yield Sum((one, symbol), (1, -1))
        yield Apply("tanh", symbol)
        yield Sum((one, Power(Apply("tanh", symbol), 2.0)), (1, -1))
        yield Product((symbol, Sum((one, symbol), (1, -1))), ("*",))


def _times_factor(node: Node, factor: Node) -> Iterator[Edit]:
    if isinstance(node, Symbol | Gradient):
        yield Edit(
            Product((node, factor), ("*",)),
            "factor_missing",
            f"is a factor {as_text(factor)} missing?",
        )


def _after(factor: Node) -> Callable[[Node], Iterator[Edit]]:
    def change(node: Node) -> Iterator[Edit]:
        if isinstance(node, Product | Gradient):
            yield Edit(
                _joined(node, factor, ""),
                "factor_missing",
                f"is a factor {as_text(factor)} missing?",
            )

    return change


def _before(factor: Node) -> Callable[[Node], Iterator[Edit]]:
    def change(node: Node) -> Iterator[Edit]:
        if isinstance(node, Product | Gradient):
            yield Edit(
                _joined(factor, node, ""),
                "factor_missing",
                f"is a factor {as_text(factor)} missing?",
            )

    return change


def _joined(left: Node, right: Node, operator: Operator) -> Node:
    return Product((left, right), (operator,))
