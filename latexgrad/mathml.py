"""Formulas as MathML, made here from what was read: no script, no font, nothing from elsewhere.

All text from students is escaped.
"""

# ruff: noqa: RUF001 - letters of other alphabets are what is written here

from __future__ import annotations

import html
from collections.abc import Sequence

from .formula_text import numerator
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

GREEK_LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "tau": "τ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Delta": "Δ", "Gamma": "Γ", "Lambda": "Λ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "Theta": "Θ",
    "ell": "ℓ", "Sigma": "Σ", "Pi": "Π", "Xi": "Ξ",
}  # fmt: skip
ACCENT_SIGNS = {r"\tilde": "~", r"\hat": "^", r"\bar": "¯", r"\dot": "˙", r"\check": "ˇ"}
OPERATOR_SIGNS = {
    "": "", "*": "*", r"\odot": "⊙", r"\circ": "∘", r"\cdot": "⋅", r"\times": "×", r"\otimes": "⊗",
}  # fmt: skip
MEANING_SIGNS = {"matrix": "", "elementwise": "⊙", "outer": "⊗"}
RELATION_SIGNS = {"=": "=", "<-": "←", "+=": "+="}


def formula(sides: Sequence[Node], relations: Sequence[str]) -> str:
    """Return a chain of equations as a ``math`` element."""
    row = _node(sides[0])
    for relation, side in zip(relations, sides[1:], strict=False):
        row += _mo(RELATION_SIGNS.get(relation, "=")) + _node(side)
    return f'<math display="block"><mrow>{row}</mrow></math>'


def _mo(text: str) -> str:
    return f"<mo>{html.escape(text)}</mo>"


def _mi(text: str) -> str:
    return f"<mi>{html.escape(text)}</mi>"


def _node(node: Node) -> str:  # noqa: C901, PLR0911, PLR0912 - one case per node
    match node:
        case Number():
            return f"<mn>{node.value:g}</mn>"
        case Ones():
            return _mi("I" if node.identity else "𝟏")
        case Symbol():
            return _symbol(node)
        case Gradient():
            by = _node(node.by)
            of = html.escape(numerator(node))
            above = f"<mrow><mi>∂</mi><mi>{of}</mi></mrow>"
            return f"<mfrac>{above}<mrow><mi>∂</mi>{by}</mrow></mfrac>"
        case Apply():
            return _apply(node)
        case Transpose():
            return _raised(node.of, _mi("⊤"))
        case Power():
            return _raised(node.of, f"<mn>{node.exponent:g}</mn>")
        case Quotient():
            above, below = _node(node.above), _node(node.below)
            return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"
        case Sum():
            return _sum(node)
        case Product():
            row = _factor(node.factors[0])
            for operator, factor in zip(node.operators, node.factors[1:], strict=True):
                sign = OPERATOR_SIGNS[operator]
                row += (_mo(sign) if sign else "") + _factor(factor)
            return row
        case Binary():
            sign = MEANING_SIGNS[node.meaning]
            return _factor(node.left) + (_mo(sign) if sign else "") + _factor(node.right)
        case Series():
            return _series(node)
        case Blocks():
            rows = "".join(
                f"<mtr>{''.join(f'<mtd>{_node(cell)}</mtd>' for cell in row)}</mtr>"
                for row in node.rows
            )
            return f"<mrow>{_mo('[')}<mtable>{rows}</mtable>{_mo(']')}</mrow>"
        case BlockOf():
            return _bracketed(_node(node.of))
        case Listed():
            return _bracketed(_mo(",").join(_node(item) for item in node.items))
        case Partial():
            return _mi("∂") + _node(node.of)
        case Entry():
            return _bracketed(_node(node.of)) + _mi(",".join(node.letters))
        case Arranged():
            return _node(node.body)


def _sum(node: Sum) -> str:
    row = ""
    for place, (term, sign) in enumerate(zip(node.terms, node.signs, strict=True)):
        if place or sign < 0:
            row += _mo("+" if sign > 0 else "−")
        row += _bracketed(_node(term)) if isinstance(term, Sum) else _node(term)
    return row


def _bracketed(row: str) -> str:
    return f"<mrow>{_mo('(')}{row}{_mo(')')}</mrow>"


def _factor(node: Node) -> str:
    return _bracketed(_node(node)) if isinstance(node, Sum | Product | Binary) else _node(node)


def _inner(node: Node) -> str:
    plain = isinstance(node, Symbol | Number | Ones)
    return _node(node) if plain else _bracketed(_node(node))


def _raised(node: Node, exponent: str) -> str:
    """Return something with a superscript; that of a plain symbol stands above its subscript."""
    if isinstance(node, Symbol):
        base, below, above = _symbol_parts(node)
        if not above and below:
            return f"<msubsup>{base}<mrow>{below}</mrow>{exponent}</msubsup>"
        if above:
            return f"<msup>{_bracketed(_node(node))}{exponent}</msup>"
    return f"<msup><mrow>{_inner(node)}</mrow>{exponent}</msup>"


def _apply(node: Apply) -> str:
    if node.function == "sqrt":
        return f"<msqrt>{_node(node.argument)}</msqrt>"
    name = "σ" if node.function == "sigmoid" else node.function
    head = _mi(name)
    if node.order:
        head = f"<msup>{head}<mo>′</mo></msup>"
    return f"<mrow>{head}{_bracketed(_node(node.argument))}</mrow>"


def _series(node: Series) -> str:
    sign = _mo("∑" if node.operator == "sum" else "∏")
    variable = _letter(node.variable)
    if node.lower is None:
        inner = _mi("∈") + _mo(",").join(_letter(name) for name in node.members)
        below = variable + (inner if node.members else "")
        head = f"<munder>{sign}<mrow>{below}</mrow></munder>"
    else:
        below = variable + _mo("=") + _index(node.lower)
        above = _index(node.upper or Index("T"))
        head = f"<munderover>{sign}<mrow>{below}</mrow><mrow>{above}</mrow></munderover>"
    body = _node(node.body)
    return head + (_bracketed(body) if isinstance(node.body, Sum) else body)


def _index(index: Index) -> str:
    if index.variable is None:
        return f"<mn>{index.offset}</mn>"
    row = _letter(index.variable)
    if index.offset:
        row += _mo("+" if index.offset > 0 else "−") + f"<mn>{abs(index.offset)}</mn>"
    return row


def _letter(name: str) -> str:
    accent, _, base = name.partition(" ")
    if base and accent in ACCENT_SIGNS:
        return f'<mover accent="true">{_letter(base)}<mo>{ACCENT_SIGNS[accent]}</mo></mover>'
    if name.startswith("\\"):
        return _mi(GREEK_LETTERS.get(name[1:], name[1:]))
    return _mi(name)


def _symbol_parts(node: Symbol) -> tuple[str, str, str]:
    """Return a symbol's letter, and what stands below and above."""
    below = "".join(_letter(label) for label in node.labels if label in ("x", "h"))
    above = "".join(_letter(label) for label in node.labels if label not in ("x", "h"))
    if node.time is not None:
        below += _index(node.time)
    return _letter(node.name), below, above


def _symbol(node: Symbol) -> str:
    base, below, above = _symbol_parts(node)
    if below and above:
        return f"<msubsup>{base}<mrow>{below}</mrow><mrow>{above}</mrow></msubsup>"
    if below:
        return f"<msub>{base}<mrow>{below}</mrow></msub>"
    if above:
        return f"<msup>{base}<mrow>{above}</mrow></msup>"
    return base
