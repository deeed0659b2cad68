r"""Formulas for single entries: ``\frac{\partial L}{\partial W_{ij}} = \delta_i x_j``.

Such a formula says what the whole vector or matrix is. It is evaluated with an axis for each of its
letters: products match axes by letter, a sum over a letter removes its axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .arithmetic import apply, as_number, shape_of
from .evaluate import Bindings, EvaluationError, Leaves, at_time
from .limits import UnreadableError
from .network import LAST, TIME, Dims, Key, Network
from .nodes import (
    Apply,
    Arranged,
    Entry,
    Gradient,
    Index,
    Node,
    Number,
    Ones,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    Symbol,
    Transpose,
    parts,
    walk,
    with_parts,
)
from .symbol_words import known_key

LETTERS = frozenset("abcdijklmnpqrsuv")


@dataclass(frozen=True)
class _Split:
    """A symbol without the letters of its entry."""

    symbol: Symbol
    letters: tuple[str, ...]


def arranged(
    sides: Sequence[Node], network: Network, dims: Mapping[Key, Dims]
) -> list[Node] | None:
    """Return the sides of an equation between entries as one between vectors or matrices.

    None if it is not one: no symbol of the assignment's has as many letters as it has dimensions.
    """
    symbols = [node for side in sides for node in walk(side) if isinstance(node, Symbol)]
    splits = [_split(symbol, network, dims) for symbol in symbols]
    letters = {letter for found in splits if found is not None for letter in found.letters}
    target = sides[0]
    if not letters or not isinstance(target, Symbol | Gradient):
        return None
    made = [_entries(side, network, dims, letters) for side in sides]
    head = made[0]
    if isinstance(head, Entry):
        return [head.of, *(Arranged(side, head.letters, side.at) for side in made[1:])]
    symbol = target.by if isinstance(target, Gradient) else target
    key = known_key(symbol, network) if isinstance(symbol, Symbol) else None
    if key is None or dims.get(key) != ():
        return None
    return [head, *(Arranged(side, (), side.at) for side in made[1:])]  # a number


def _split(symbol: Symbol, network: Network, dims: Mapping[Key, Dims]) -> _Split | None:
    """Return a symbol of the assignment's apart from the letters of its entry."""
    if known_key(symbol, network) is not None and symbol.time is None:
        return None
    times = [text for text in symbol.written if _is_time(text)]
    others = [text for text in symbol.written if not _is_time(text)]
    for count in (2, 1):
        tail = tuple(others[-count:])
        if len(tail) < count or not all(letter in LETTERS for letter in tail):
            continue
        base = _base(symbol, [*others[:-count], *times])
        key = known_key(base, network)
        timed = key in network.sequences
        if timed and base.time is None and not network.one_step:
            continue  # h_k is h at the time k
        if key is not None and len(dims.get(key, ())) == count and (base.time is None or timed):
            return _Split(base, tail)
    return None


def _base(symbol: Symbol, written: Sequence[str]) -> Symbol:
    times = [text for text in written if _is_time(text)]
    labels = tuple(text for text in written if not _is_time(text))
    time = Index.read(times[0]) if times else None
    return replace(symbol, labels=tuple(sorted(labels)), time=time, written=tuple(written))


def _is_time(text: str) -> bool:
    index = Index.read(text)
    return index.variable in (TIME, LAST) or index.variable is None


def _entries(node: Node, network: Network, dims: Mapping[Key, Dims], letters: set[str]) -> Node:
    """Return a formula with entries in place of symbols that have the letters of one."""
    if isinstance(node, Gradient) and isinstance(node.by, Symbol):
        entry = _entries(node.by, network, dims, letters)
        if isinstance(entry, Entry):
            return Entry(replace(node, by=entry.of), entry.letters, node.at)
        return node
    if isinstance(node, Symbol):
        found = _split(node, network, dims)
        if found is None:
            tail = tuple(letter for letter in node.written if letter in letters)
            if not tail or known_key(node, network) is not None:
                return node
            rest = [text for text in node.written if text not in letters]
            found = _Split(_base(node, rest), tail)
        return Entry(found.symbol, found.letters, node.at)
    if isinstance(node, Transpose):
        return _entries(node.of, network, dims, letters)  # an entry is a number
    return with_parts(node, tuple(_entries(part, network, dims, letters) for part in parts(node)))


# Evaluation


@dataclass(frozen=True)
class _Axes:
    """An array with a letter for each of its axes."""

    array: Any
    letters: tuple[str, ...]


def evaluate_entries(node: Arranged, bindings: Bindings, leaves: Leaves) -> Any:
    """Return the vector (a column) or matrix whose entries a formula gives.

    Raises:
        EvaluationError: a letter stands on one side only, or something is not an entry.
        UnreadableError: a letter stands twice on one side only (Einstein's convention?).
    """
    found = _value(node.body, bindings, leaves)
    extra = set(found.letters) - set(node.letters)
    if extra:
        letter = min(extra)
        if all(_occurrences(node.body, one) > 1 for one in extra):
            text = f"no sum over {letter} is written; some mean one where an index stands twice"
            raise UnreadableError(text, node.at)
        text = f"the index {letter} is not bound: is a sum over it missing?"
        raise EvaluationError(text, "unbound_index")
    sizes = dict(zip(found.letters, np.shape(found.array), strict=True))
    if set(node.letters) - set(sizes):
        raise EvaluationError(f"nothing depends on {min(set(node.letters) - set(sizes))}", "shapes")
    array = np.transpose(found.array, [found.letters.index(letter) for letter in node.letters])
    if not node.letters:
        return np.float64(array)
    return array if array.ndim == 2 else array.reshape(-1, 1)  # noqa: PLR2004 - a matrix


def _occurrences(node: Node, letter: str) -> int:
    """Return how often a letter is the index of an entry in a formula."""
    return sum(one.letters.count(letter) for one in walk(node) if isinstance(one, Entry))


def _value(  # noqa: C901, PLR0911 - one case per node
    node: Node, bindings: Bindings, leaves: Leaves
) -> _Axes:
    leaves.budget.spend()
    match node:
        case Number():
            return _Axes(np.float64(node.value), ())
        case Ones():
            return _Axes(np.float64(1), ())
        case Entry():
            return _leaf(node, bindings, leaves)
        case Symbol() | Gradient():
            return _number(node, bindings, leaves)
        case Sum():
            values = [_value(term, bindings, leaves) for term in node.terms]
            return _joined(values, lambda a: sum(s * x for s, x in zip(node.signs, a, strict=True)))
        case Product():
            values = [_value(factor, bindings, leaves) for factor in node.factors]
            return _joined(values, _multiplied)
        case Quotient():
            values = [_value(part, bindings, leaves) for part in (node.above, node.below)]
            return _joined(values, lambda a: a[0] / a[1])
        case Power():
            inner = _value(node.of, bindings, leaves)
            return _Axes(inner.array**node.exponent, inner.letters)
        case Apply() if node.function != "diag":
            inner = _value(node.argument, bindings, leaves)
            made = apply(
                node.function, node.order, np.reshape(inner.array, (-1, 1)), leaves.functions
            )
            return _Axes(np.reshape(made, np.shape(inner.array)), inner.letters)
        case Series():
            return _series(node, bindings, leaves)
        case _:
            raise EvaluationError("an entry is mixed with a vector or matrix", "shapes")


def _number(node: Symbol | Gradient, bindings: Bindings, leaves: Leaves) -> _Axes:
    """Return the value of a symbol without an entry's letters, which must be a number."""
    symbol = node.by if isinstance(node, Gradient) else node
    time = None
    if isinstance(symbol, Symbol) and symbol.time is not None:
        time = at_time(symbol.time, bindings, leaves.last)
    value = as_number(leaves.leaf(node, time))
    if shape_of(value) is not None:
        raise EvaluationError("an entry is mixed with a vector or matrix", "shapes")
    return _Axes(np.float64(value), ())


def _multiplied(arrays: Sequence[Any]) -> Any:
    result = arrays[0]
    for array in arrays[1:]:
        result = result * array
    return result


def _joined(values: Sequence[_Axes], combine: Any) -> _Axes:
    letters = tuple(dict.fromkeys(letter for value in values for letter in value.letters))
    sizes: dict[str, int] = {}
    for value in values:
        for letter, size in zip(value.letters, np.shape(value.array), strict=True):
            if sizes.setdefault(letter, size) != size:
                text = f"{letter} counts entries of two different numbers"
                raise EvaluationError(text, "shapes")
    spread = []
    for value in values:
        order = sorted(range(len(value.letters)), key=lambda n: letters.index(value.letters[n]))
        shape = [sizes[letter] if letter in value.letters else 1 for letter in letters]
        spread.append(np.reshape(np.transpose(value.array, order), shape))
    whole = np.broadcast_to(combine(spread), [sizes[letter] for letter in letters])
    return _Axes(whole, letters)


def _series(node: Series, bindings: Bindings, leaves: Leaves) -> _Axes:
    body_letters = _letters(node.body)
    if node.variable in body_letters and node.operator == "sum":
        inner = _value(node.body, bindings, leaves)
        axis = inner.letters.index(node.variable)
        kept = tuple(letter for letter in inner.letters if letter != node.variable)
        return _Axes(np.sum(inner.array, axis=axis), kept)
    if node.operator != "sum" or node.variable != TIME:
        raise EvaluationError(f"nothing depends on {node.variable} in a sum over it", "shapes")
    lower = at_time(node.lower or Index(None, 1), bindings, leaves.last)
    upper = at_time(node.upper or Index(LAST), bindings, leaves.last)
    terms = [
        _value(node.body, {**bindings, TIME: step}, leaves) for step in range(lower, upper + 1)
    ]
    return _joined(terms, sum) if terms else _Axes(np.float64(0), ())


def _letters(node: Node) -> set[str]:
    return {letter for one in walk(node) if isinstance(one, Entry) for letter in one.letters}


def _leaf(node: Entry, bindings: Bindings, leaves: Leaves) -> _Axes:
    symbol = node.of.by if isinstance(node.of, Gradient) else node.of
    if not isinstance(symbol, Symbol) or not isinstance(node.of, Symbol | Gradient):
        raise EvaluationError("an entry of a formula is not understood")
    time = at_time(symbol.time, bindings, leaves.last) if symbol.time else None
    array = np.asarray(leaves.upright(node.of, time), dtype=np.float64)
    if len(node.letters) == 1:
        array = array.reshape(-1)
    elif array.ndim != 2 or len(node.letters) != 2:  # noqa: PLR2004 - a matrix
        raise EvaluationError("an entry has more letters than its matrix has axes", "shapes")
    return _Axes(array, node.letters)
