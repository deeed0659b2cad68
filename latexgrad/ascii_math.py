r"""Mathematics without LaTeX: ``dL/db = dL/dy_t``, and Typst's ``(partial L)/(partial b)``.

Only what has one meaning is translated to LaTeX; for anything else there is no translation.
"""

from __future__ import annotations

import re

from .commands import GREEK

GREEK_NAMES = frozenset(command.removeprefix("\\") for command in GREEK)
FUNCTIONS = {
    "tanh": r"\tanh", "sigmoid": r"\sigma", "sigma": r"\sigma", "sigm": r"\sigma", "diag": r"\diag",
    "exp": r"\exp", "log": r"\log", "ln": r"\ln", "sum": r"\sum", "cosh": r"\cosh",
    "sech": r"\sech", "softmax": r"\text{softmax}", "relu": r"\text{ReLU}", "ReLU": r"\text{ReLU}",
}  # fmt: skip
SIGNS = {
    "dot.o": r"\odot ", "dot.circle": r"\odot ", "compose": r"\circ ", "dot": r"\cdot ",
    "times": r"\times ", ".*": r"\odot ", "(.)": r"\odot ", "(*)": r"\odot ", "@": r"\cdot ",
    "**": "^", ".^": "^", "<-": r"\leftarrow ", ":=": "=", "top": "T", "...": r"\dots ",
}  # fmt: skip
TIMES_OF_STEPS = frozenset(("prev", "next", "previous", "last"))
# The start of a line that is a formula: a derivative, or what usually names one.
_LINE = re.compile(
    r"^[ \t]*(?:(?:[-*+]|\d+[.)]|\([a-z\d]\))[ \t]+)?"
    r"(?P<formula>(?:d[A-Za-z]\w*|∂[^=\n]{1,40}|[δγε]\w*|delta\w*|grad_\w+)[^=\n]{0,60}?"
    r"(?::=|\+=|<-|=)[^\n]+?)[ \t.,;]*$"
)
_DERIVATIVE = re.compile(r"\bd[A-Za-z]|∂|δ|delta|grad_")
_PROSE = re.compile(r"(?<![\w}])[a-z]{4,}(?![\w({])(?:[ \t]+[a-z]{2,}\b)")
_PIECE = re.compile(
    r"(?P<space>\s+)|(?P<typst>\b(?:dot\.o|dot\.circle)(?![A-Za-z]))|(?P<name>[A-Za-z][A-Za-z0-9]*)"
    r"|(?P<sign>\.\.\.|\.\*|\.\^|\(\.\)|\(\*\)|\*\*|<-|:=|@)|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<transpose>\.T\b|(?<=[A-Za-z0-9)\]}])'(?![(A-Za-z]))|(?P<other>[-+*/=^_(){}\[\],.'|:;∂δ&\\]|[^\x00-\x7f])"
)
_UNCLEAR = re.compile(r"_t[ ]?[-+][ ]?1(?![\d}])")  # h_t-1: h at t - 1, or h_t less one


def formula_in(line: str) -> re.Match[str] | None:
    """Return the formula that a line of a text without LaTeX is, as the group ``formula``."""
    found = _LINE.match(line)
    if found is None or not _DERIVATIVE.search(found["formula"]) or "\\" in line:
        return None
    return None if _PROSE.search(found["formula"]) or "$" in line else found


def is_typst(text: str) -> bool:
    """Say whether mathematics is written as in Typst: names of signs without a backslash."""
    return "\\" not in text and re.search(r"\b(?:partial|diff|dot\.o)\b", text) is not None


def to_latex(text: str) -> str | None:
    """Return a formula in LaTeX; None if it is not clear what it means."""
    if _UNCLEAR.search(text):
        return None
    pieces: list[str] = []
    place = 0
    while place < len(text):
        found = _PIECE.match(text, place)
        if found is None:
            return None
        place = found.end()
        made, place = _translated(found, text, place)
        if made is None:
            return None
        pieces.append(made)
    return _fractions("".join(pieces))


def _translated(found: re.Match[str], text: str, place: int) -> tuple[str | None, int]:
    value = found[0]
    if found["sign"] or found["typst"]:
        return SIGNS[value], place
    if found["transpose"]:
        return "^T", place
    if found["name"]:
        return _name(value, text, place)
    if value in ("_", "^"):
        return _script(value, text, place)
    return value, place


def _script(sign: str, text: str, place: int) -> tuple[str | None, int]:
    """Translate a script: ``_(t-1)``, ``_{t-1}``, ``_prev`` or ``^T``."""
    bracketed = re.compile(r"[({]([^(){}]*)[)}]").match(text, place)
    if bracketed:
        inner = bracketed[1].replace("..", r"\dots ").replace(" ", "")
        return f"{sign}{{{_words(inner)}}}", bracketed.end()
    plain = re.compile(r"-?[A-Za-z0-9]+").match(text, place)
    if plain is None:
        return None, place
    if sign == "^" and len(plain[0]) > 1 and plain[0][0] == "T":
        return None, place
    return f"{sign}{{{_words(plain[0])}}}", plain.end()


def _words(inner: str) -> str:
    return re.sub(
        r"(?<!\\)\b[A-Za-z]{2,}\b",
        lambda m: rf"\{m[0]}" if m[0] in GREEK_NAMES else rf"\mathrm{{{m[0]}}}",
        inner,
    )


def _name(value: str, text: str, place: int) -> tuple[str | None, int]:
    if value in ("partial", "diff"):
        return r"\partial ", place
    if value in SIGNS:
        return SIGNS[value], place
    if value in FUNCTIONS:
        return f"{FUNCTIONS[value]} ", place
    if value in GREEK_NAMES:
        return rf"\{value} ", place
    if len(value) == 1:
        return value, place
    # What follows an underscore belongs to the word where it is a word itself: dh_next.
    tail = re.compile(r"(?:_[A-Za-z]+)+").match(text, place)
    if tail is not None:
        words = [value, value[1:], *tail[0][1:].split("_")]
        if TIMES_OF_STEPS & set(words):
            value, place = value + tail[0], tail.end()
    return rf"\mathrm{{{value}}}".replace("_", r"\_"), place


def _fractions(text: str) -> str:
    r"""Read ``\mathrm{dL}/\mathrm{dWx}`` as a derivative."""
    symbol = r"\\mathrm\{d([A-Za-z]+)((?:\\_[a-z]+)?)\}((?:[_^]\{[^{}]*(?:\{[^{}]*\})?[^{}]*\})*)"
    return re.sub(
        rf"{symbol}\s*/\s*{symbol}",
        lambda m: (
            rf"\frac{{\partial {_symbol(m[1], m[2])}{m[3]}}}"
            rf"{{\partial {_symbol(m[4], m[5])}{m[6]}}}"
        ),
        text,
    )


def _symbol(name: str, word: str) -> str:
    return name if len(name) == 1 and not word else rf"\mathrm{{{name}{word}}}"
