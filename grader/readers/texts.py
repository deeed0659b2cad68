"""Text for people: makes outside text safe to show, and builds small phrases of messages."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from difflib import get_close_matches
from functools import lru_cache

MAX_SHOWN = 60  # characters of a value in a message
UNPRINTABLE = ("C", "Zl", "Zp")  # categories: controls of all kinds, and other line breaks


def clean(text: str) -> str:
    """Return ``text`` in its lines, without control characters.

    These could rewrite what a terminal shows, or turn the direction of writing.
    """
    if text.isprintable():  # most are: a walk over all characters takes a hundred times as long
        return text
    return "\n".join(
        line if line.isprintable() else "".join(map(_visible, line)) for line in text.split("\n")
    )


def _visible(char: str) -> str:
    hidden = unicodedata.category(char).startswith(UNPRINTABLE)
    return "\N{REPLACEMENT CHARACTER}" if hidden else char


def printable(text: str, most: int) -> str:
    r"""Return ``text`` on one line, without control characters, cut after ``most`` characters.

    What cannot be printed becomes its escape, such as ``\n`` or ``\u202e``: line breaks of every
    kind, terminal codes, marks that turn the direction of writing, halves of characters.
    """
    text = text if len(text) <= most else f"{text[:most]}..."
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def clipped(text: str, most: int) -> str:
    """Return ``text`` with its lines as they are, cut after ``most`` characters."""
    return text if len(text) <= most else f"{text[:most]} [...]"


@lru_cache(maxsize=4096)
def hundredths(points: float) -> float:
    """Return points as people see them everywhere: two decimals, and halves count up."""
    exact = Decimal(str(points)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return float(exact) + 0.0  # no -0.0


def plain(points: float) -> str:
    """Return points as people and importers read them: no exponent, no zeros at the end."""
    return f"{hundredths(points):.2f}".rstrip("0").rstrip(".")


def quoted(text: str) -> str:
    """Return a value as a message shows it."""
    return f"'{printable(text, MAX_SHOWN)}'"


def did_you_mean(wrong: str, known: Sequence[str]) -> str:
    """Return " (did you mean ...?)" if one of ``known`` is close to ``wrong``, else nothing."""
    by_folded = {name.casefold(): name for name in known}
    close = get_close_matches(wrong.casefold(), list(by_folded), n=1, cutoff=0.6)
    return f" (did you mean {quoted(by_folded[close[0]])}?)" if close else ""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 mark, 2 marks."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
