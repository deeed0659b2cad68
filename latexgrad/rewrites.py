r"""Rewrites lexemes into the usual form: ``\nabla L_x``, ``{}^t W``, ``a_1 + \dots + a_T``."""

from __future__ import annotations

from collections.abc import Sequence

from .derivatives import LOSSES
from .limits import UnreadableError
from .rows import CLOSING, OPENING
from .tokens import Lexeme, argument_at, braced

TRANSPOSES = frozenset(("t", "T", r"\top"))
DIFFERENTIALS = ((r"\partial",), ("d",))


def usual(found: Sequence[Lexeme]) -> list[Lexeme]:
    """Return the lexemes of one side of an equation in the usual form.

    Raises:
        UnreadableError: a script has no argument.
    """
    made = list(found)
    for place in range(len(made) - 1, -1, -1):
        text = made[place].text
        if text == r"\nabla":
            made[place:] = _nabla(made[place:])
        elif text == r"\frac":
            made[place:] = _operator(made[place:])
        elif text == "{" and made[place + 1].text == "}":
            made[place:] = _transposed_before(made[place:])
    return _written_out(made)


def _nabla(found: list[Lexeme]) -> list[Lexeme]:
    r"""Read ``\nabla L_{W}`` as ``\nabla_{W} L``."""
    if len(found) < 4 or found[1].text not in LOSSES or found[2].text != "_":  # noqa: PLR2004
        return found
    script, end = argument_at(found, 3, found[2])
    return [found[0], found[2], *braced(script, found[2]), found[1], *found[end:]]


def _operator(found: list[Lexeme]) -> list[Lexeme]:
    r"""Read ``\frac{\partial}{\partial W} L`` as ``\frac{\partial L}{\partial W}``."""
    above, end = argument_at(found, 1, found[0])
    if tuple(lexeme.text for lexeme in above) not in DIFFERENTIALS or end >= len(found):
        return found
    below, end = argument_at(found, end, found[0])
    if end >= len(found) or found[end].text in CLOSING:
        return found
    last = _atom_end(found, end)
    above = [*above, *found[end:last]]
    return [found[0], *braced(above, found[0]), *braced(below, found[0]), *found[last:]]


def _transposed_before(found: list[Lexeme]) -> list[Lexeme]:
    r"""Read ``{}^t W`` as ``W^T``."""
    if len(found) < 5 or found[2].text != "^":  # noqa: PLR2004
        return found
    script, end = argument_at(found, 3, found[2])
    if len(script) != 1 or script[0].text not in TRANSPOSES or end >= len(found):
        return found
    last = _atom_end(found, end)
    sign = Lexeme("letter", "T", script[0].at)
    return [*found[end:last], found[2], *braced([sign], found[2]), *found[last:]]


def _atom_end(found: Sequence[Lexeme], place: int) -> int:
    """Return where a letter or a group ends, with its scripts."""
    if found[place].text in OPENING:
        depth = 0
        for end in range(place, len(found)):
            depth += (found[end].text in OPENING) - (found[end].text in CLOSING)
            if depth == 0:
                place = end + 1
                break
        else:
            raise UnreadableError("a bracket is never closed", found[place].at)
    else:
        place += 1
    while place < len(found) and found[place].text in ("_", "^"):
        _script, place = argument_at(found, place + 1, found[place])
    return place


# Sums that are written out


def _written_out(found: list[Lexeme]) -> list[Lexeme]:
    r"""Read ``a_1 + a_2 + \dots + a_T`` as a sum over t."""
    terms = _terms(found)
    dots = [number for number, term in enumerate(terms) if [x.text for x in term] == [r"\dots"]]
    if len(dots) != 1 or dots[0] + 2 != len(terms) or not dots[0]:
        return found
    body = _body(terms[0], terms[-1])
    if body is None:
        return found
    at = found[0].at
    sign = [Lexeme("command", r"\sum", at), Lexeme("char", "_", at)]
    lower = [Lexeme("letter", "t", at), Lexeme("char", "=", at), Lexeme("number", "1", at)]
    upper = [Lexeme("char", "^", at), Lexeme("letter", "T", at)]
    return [*sign, *braced(lower, found[0]), *upper, *body]


def _terms(found: Sequence[Lexeme]) -> list[list[Lexeme]]:
    terms: list[list[Lexeme]] = [[]]
    depth = 0
    for lexeme in found:
        depth += (lexeme.text in OPENING) - (lexeme.text in CLOSING)
        if depth == 0 and lexeme.text == "+":
            terms.append([])
        else:
            terms[-1].append(lexeme)
    return terms


def _body(first: list[Lexeme], last: list[Lexeme]) -> list[Lexeme] | None:
    """Return the term for t, from those for 1 and T; None if they are not alike."""
    first, last = _unbraced(first), _unbraced(last)
    result: list[Lexeme] = []
    place = 0
    for lexeme in first:
        if place >= len(last):
            return None
        if lexeme.text == last[place].text and not lexeme.text.isdigit():
            result.append(lexeme)
            place += 1
            continue
        if lexeme.kind != "number" or last[place].text != "T":
            return None
        offset = int(lexeme.text) - 1
        place += 1
        expected = [] if not offset else ["+" if offset > 0 else "-", str(abs(offset))]
        if [x.text for x in last[place : place + len(expected)]] != expected:
            return None
        place += len(expected)
        index = [Lexeme("letter", "t", lexeme.at)]
        index += [Lexeme("number" if x.isdigit() else "char", x, lexeme.at) for x in expected]
        result += braced(index, lexeme)
    return result if place == len(last) else None


def _unbraced(term: list[Lexeme]) -> list[Lexeme]:
    """Drop the braces of scripts that hold an index: ``x_{1}`` and ``x_1`` are alike."""
    result: list[Lexeme] = []
    place = 0
    while place < len(term):
        lexeme = term[place]
        result.append(lexeme)
        place += 1
        if lexeme.text in ("_", "^") and place < len(term) and term[place].text == "{":
            inner, end = argument_at(term, place, lexeme)
            if all(x.kind in ("number", "letter") or x.text in ("+", "-") for x in inner):
                result += inner
                place = end
    return result
