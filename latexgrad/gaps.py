r"""Blocks with nothing but a gap between them: ``[W_h \; W_x]``, ``[h^T x^T]^T``, ``[0\ I]``.

Brackets may hold a product as well. Names are blocks where no product is likely: matrices of one
letter, the state and the input, where a gap is written or where the brackets open a side, and a
zero beside I.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .commands import FONTS
from .limits import UnreadableError
from .tokens import Lexeme, argument_at

GAPS = frozenset((r"\;", r"\:", r"\ ", r"\quad", r"\qquad", r"\enspace", r"\enskip"))
THIN = frozenset((r"\,", r"\!", r"\left", r"\right", r"\bigl", r"\bigr", r"\big", r"\Big"))
CLOSED_BY = {"[": "]", "(": ")"}
RELATIONS = frozenset(("=", "&", r"\triangleq", r"\equiv", r"\coloneqq"))
TRANSPOSES = frozenset(("T", r"\top", r"\intercal", r"\mathsf", r"\mathrm", r"\text", "'"))
VECTORS = frozenset("hx")  # the state and the input: of others a product may be meant
MAX_NAMES = 8


@dataclass(frozen=True)
class _Name:
    """A name between brackets, where it begins, and whether a gap stands before it."""

    letter: str
    at: int
    transposed: bool
    gap: bool


def with_commas(found: Sequence[Lexeme]) -> Sequence[Lexeme]:
    """Return lexemes with commas between such blocks."""
    commas: set[int] = set()
    for place, lexeme in enumerate(found):
        if lexeme.text in CLOSED_BY:
            names, end = _names(found, place + 1, CLOSED_BY[lexeme.text])
            # Round brackets are those of a product unless gaps say otherwise.
            opens = lexeme.text == "[" and _is_a_side(found, place)
            if names and _are_blocks(names, is_a_side=opens) and end < len(found):
                commas.update(name.at for name in names[1:])
    if not commas:
        return found
    made: list[Lexeme] = []
    for place, lexeme in enumerate(found):
        if place in commas:
            made.append(Lexeme("char", ",", lexeme.at))
        made.append(lexeme)
    return made


def _are_blocks(names: Sequence[_Name], *, is_a_side: bool) -> bool:
    letters = {name.letter for name in names}
    gaps = all(name.gap for name in names[1:])
    transposed = {name.transposed for name in names}
    if len(names) == 1 or len(transposed) > 1:
        return False
    if letters <= {"0", "I", "O"}:
        return "I" in letters
    if all(letter.isupper() for letter in letters):
        return len(letters) == 1 and (gaps or is_a_side)
    return letters == VECTORS and (gaps or is_a_side or transposed == {True})


def _is_a_side(found: Sequence[Lexeme], place: int) -> bool:
    """Say whether a bracket opens a side of an equation."""
    before = [lexeme.text for lexeme in found[max(place - 3, 0) : place] if lexeme.text not in THIN]
    return bool(before) and before[-1] in RELATIONS


def _names(found: Sequence[Lexeme], place: int, closing: str) -> tuple[list[_Name], int]:
    """Return the names up to the closing bracket, if nothing else is there, and its place."""
    names: list[_Name] = []
    gap = False
    while place < len(found) and len(names) <= MAX_NAMES:
        lexeme = found[place]
        if lexeme.text == closing:
            return names, place
        if lexeme.text in GAPS or lexeme.text in THIN:
            gap = gap or lexeme.text in GAPS
            place += 1
            continue
        letter, end = _letter(found, place)
        if not letter:
            break
        transposed = False
        while end < len(found) and found[end].text in ("_", "^", "'"):
            above = found[end].text == "^"
            if found[end].text == "'":
                return [], end
            try:
                script, end = argument_at(found, end + 1, found[end])
            except UnreadableError:
                return [], end
            transposed = transposed or (above and any(x.text in TRANSPOSES for x in script))
        names.append(_Name(letter, place, transposed, gap))
        gap = False
        place = end
    return [], place


def _letter(found: Sequence[Lexeme], place: int) -> tuple[str, int]:
    """Return the letter that a name is, in any font, and where it ends; nothing if it is none."""
    lexeme = found[place]
    if lexeme.text in FONTS:
        try:
            inner, end = argument_at(found, place + 1, lexeme)
        except UnreadableError:
            return "", place
        return (inner[0].text, end) if len(inner) == 1 else ("", end)
    if lexeme.kind == "letter" or lexeme.text == "0":
        return lexeme.text, place + 1
    return "", place
