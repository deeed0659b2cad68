"""Text from outside, made fit to be shown."""

from __future__ import annotations

import unicodedata

UNPRINTABLE = ("C", "Zl", "Zp")  # categories: controls of all kinds, and other line breaks


def clean(text: str) -> str:
    """Return ``text`` in its lines, without control characters.

    These could rewrite what a terminal shows, or turn the direction of writing.
    """
    return "".join(
        char
        if char == "\n" or not unicodedata.category(char).startswith(UNPRINTABLE)
        else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def printable(text: str, most: int) -> str:
    r"""Return ``text`` on one line, without control characters, cut after ``most`` characters.

    What cannot be printed becomes its escape, such as ``\n`` or ``\u202e``: line breaks of every
    kind, terminal codes, marks that turn the direction of writing, halves of characters.
    """
    clipped = text if len(text) <= most else f"{text[:most]}..."
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in clipped
    )
