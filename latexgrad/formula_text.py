"""Formulas as short text for messages, close to what students write."""

from __future__ import annotations

from .network import LATER, STACKED, Key
from .nodes import (
    Apply,
    Arranged,
    Binary,
    BlockOf,
    Blocks,
    Entry,
    Gradient,
    Index,
    Listed,
    Node,
    Number,
    Ones,
    Partial,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    Symbol,
    Transpose,
)

MAX_SHOWN = 100  # characters of a formula in a message
_ATOMS = (Symbol, Number, Ones, Apply, Gradient)


def as_text(node: Node) -> str:
    """Return a node as text, cut where it is long."""
    text = _text(node)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 4]} ..."


def _text(node: Node) -> str:  # noqa: C901, PLR0911, PLR0912 - one case per node
    match node:
        case Number():
            return f"{node.value:g}"
        case Ones():
            return "I" if node.identity else "1"
        case Symbol():
            return symbol_text(node)
        case Gradient():
            return rf"\partial {numerator(node)}/\partial {_text(node.by)}"
        case Apply():
            prime = "'" * node.order
            return f"{node.function}{prime}({_text(node.argument)})"
        case Transpose():
            if isinstance(node.of, Symbol) and "^" in symbol_text(node.of):
                return f"({_text(node.of)})^T"
            return f"{_inner(node.of)}^T"
        case Power():
            return f"{_inner(node.of)}^{node.exponent:g}"
        case Quotient():
            return f"{_inner(node.above)} / {_inner(node.below)}"
        case Sum():
            return _sum(node)
        case Product():
            return _product(node)
        case Binary():
            sign = {"matrix": " ", "elementwise": " * ", "outer": r" \otimes "}[node.meaning]
            return f"{_factor(node.left)}{sign}{_factor(node.right)}"
        case Series():
            body = _text(node.body)
            return f"{_range(node)} {f'({body})' if isinstance(node.body, Sum) else body}"
        case Blocks():
            return f"[{'; '.join(', '.join(map(_text, row)) for row in node.rows)}]"
        case BlockOf():
            place = _text(node.layout.rows[node.row][node.column])
            return f"the block of {_inner(node.of)} for {place}"
        case Listed():
            return f"({', '.join(_text(item) for item in node.items)})"
        case Entry():
            return f"{_inner(node.of)}_{{{','.join(node.letters)}}}"
        case Arranged():
            return _text(node.body)
        case Partial():
            return rf"\partial {_text(node.of)}"


def numerator(node: Gradient) -> str:
    """Return what is differentiated, as it is shown: ``y`` for ``y`` at any time."""
    of = node.of.partition("@")[0].partition("_")[0]
    name, *labels = of.split(",")
    if "(" in name:
        return "(...)"
    return "L" if name == LATER else name_text(name, tuple(labels), None)


def _sum(node: Sum) -> str:
    result = ""
    for place, (term, sign) in enumerate(zip(node.terms, node.signs, strict=True)):
        text = f"({_text(term)})" if isinstance(term, Sum) else _text(term)
        if place == 0:
            result = text if sign > 0 else f"-{text}"
        else:
            result += f" {'+' if sign > 0 else '-'} {text}"
    return result


def _product(node: Product) -> str:
    result = _factor(node.factors[0])
    for operator, factor in zip(node.operators, node.factors[1:], strict=True):
        result += f" {operator} " if operator else " "
        result += _factor(factor)
    return result


def _factor(node: Node) -> str:
    return f"({_text(node)})" if isinstance(node, Sum | Product | Binary) else _text(node)


def _inner(node: Node) -> str:
    return (
        _text(node)
        if isinstance(node, _ATOMS) and not isinstance(node, Gradient)
        else f"({_text(node)})"
    )


def _range(node: Series) -> str:
    sign = r"\sum" if node.operator == "sum" else r"\prod"
    if node.lower is None:
        return f"{sign}_{{{node.variable}}}"
    return f"{sign}_{{{node.variable}={node.lower}}}^{{{node.upper or 'T'}}}"


def symbol_text(node: Symbol) -> str:
    """Return a symbol: labels x or h as subscripts, gates as superscripts."""
    return name_text(node.name, node.labels, node.time)


def name_text(base: str, labels: tuple[str, ...], time: Index | None) -> str:
    """Return a name with its labels and time."""
    if time is None and not labels:
        return base
    labels = tuple(label for label in labels if label != STACKED)
    below = [label for label in labels if label in ("x", "h")]
    above = [label for label in labels if label not in ("x", "h")]
    if time is not None:
        below.append(str(time))
    text = base + (_script("_", ",".join(below)) if below else "")
    return text + (_script("^", ",".join(above)) if above else "")


def _script(sign: str, text: str) -> str:
    return f"{sign}{text}" if len(text) == 1 else f"{sign}{{{text}}}"


def quantity_text(key: Key, time: Index | None) -> str:
    """Return a quantity, such as the gradient by ``W_x^f``."""
    base = name_text(key.name, key.labels, time)
    return rf"\partial {key.of}/\partial {base}" if key.of else base
