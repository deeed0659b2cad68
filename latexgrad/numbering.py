"""Headings that only number the parts: ``Part 1``, ``(a)``, ``3.5.1``, ``Question 3 (ii)``."""

from __future__ import annotations

import re
from collections.abc import Sequence

WORDS = frozenset(
    (
        *("part", "question", "problem", "exercise", "task", "section", "solution", "answer", "q"),
        *("derivation", "no", "number", "item", "teil", "aufgabe", "frage", "nr", "partie"),
        *("exercice", "parte", "ejercicio", "pregunta", "deel", "del", "subpart", "subquestion"),
        *("to", "of", "for", "zu", "the"),
    )
)
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_PIECE = re.compile(r"[0-9]+|[^\W\d_]+")
MAX_NUMBERING = 60  # characters of such a heading


def numbers_of(title: str) -> tuple[int, ...]:
    """Return the numbers of a heading that says nothing else, or nothing."""
    if len(title) > MAX_NUMBERING:
        return ()
    found: list[int] = []
    for piece in _PIECE.findall(title.lower()):
        if piece.isdigit():
            found.append(int(piece))
        elif piece in ROMAN:
            found.append(ROMAN.index(piece) + 1)
        elif len(piece) == 1 and piece != "q":
            found.append(ord(piece) - ord("a") + 1)
        elif piece not in WORDS:
            return ()
    return tuple(found)


def numbered_parts(headings: Sequence[str], count: int) -> list[list[str]]:
    """Return the headings of each part, in order, if there are that many numbered parts.

    Args:
        headings: the paths of the headings that have formulas, in order.
        count: how many parts the template has.
    """
    paths = [heading.split(" / ") for heading in dict.fromkeys(headings) if heading]
    for depth in range(1, max(map(len, paths), default=0) + 1):
        parts: dict[tuple[str, ...], list[str]] = {}
        for path in paths:
            if len(path) >= depth and numbers_of(path[depth - 1]):
                parts.setdefault(tuple(path[:depth]), []).append(" / ".join(path))
        if len(parts) == count:
            return [parts[path] for path in _in_order(list(parts))]
    return []


def _in_order(parts: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return parts by their numbers, or as they stand where the numbers begin anew."""
    numbers = [tuple(n for title in part for n in numbers_of(title)) for part in parts]
    named = any(not numbers_of(title) for part in parts for title in part)
    alike = len({len(found) for found in numbers}) == 1 and len(set(numbers)) == len(numbers)
    if named or not alike:
        return parts
    return [part for _numbers, part in sorted(zip(numbers, parts, strict=True))]
