"""What of a program survives new names, comments and formatting: fingerprints of its tokens.

Source: Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting"
(SIGMOD 2003). Every run of at least ``NOTICED`` tokens that two programs share has a fingerprint in
both, at the same tokens.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Name, Number, String, Whitespace

GRAM = 16  # tokens of a fingerprint; shorter runs are in any two programs
WINDOW = 9  # of so many runs that follow each other, one is kept
NOTICED = GRAM + WINDOW - 1
BASE, MODULUS = 1_000_003, (1 << 61) - 1  # of a rolling hash, after Karp and Rabin
MAX_TOKENS = 200_000  # of a file


@dataclass(frozen=True)
class Token:
    """A token: what of it counts, and where it is in the text."""

    word: str
    start: int
    end: int


@dataclass(frozen=True)
class SourceFile:
    """A file of code, by the name under which it was handed in."""

    name: str
    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        """The tokens, without comments, documentation and the author's names."""
        return list(_tokens(self.text))

    @cached_property
    def hashes(self) -> list[int]:
        """The hash of each run of ``GRAM`` tokens, by its first token."""
        return _rolling([zlib.crc32(token.word.encode()) for token in self.tokens])

    @cached_property
    def places(self) -> dict[int, list[int]]:
        """The numbers of the first tokens of all runs, by their hash."""
        found: dict[int, list[int]] = {}
        for at, value in enumerate(self.hashes):
            found.setdefault(value, []).append(at)
        return found

    @cached_property
    def prints(self) -> list[tuple[int, int]]:
        """The fingerprints: hash, and the number of the first token."""
        return [(self.hashes[at], at) for at in _winnowed(self.hashes)]


def _tokens(text: str) -> Iterator[Token]:
    before = owner = ""
    count = 0
    lexer = PythonLexer(ensurenl=False, stripnl=False)
    for start, kind, value in lexer.get_tokens_unprocessed(text):
        if not value.strip() or kind in Comment or kind in Whitespace or kind in String.Doc:
            continue
        word = value
        if kind in String:
            word = "S"
        elif kind in Number:
            word = "0"
        elif kind in Name and kind not in Name.Builtin:
            # What a library calls its functions stays; what the author calls things does not.
            word = value if before == "." and owner != "self" else "N"
        if word == "S" and before == "S":
            continue  # the parts of one text
        yield Token(word, start, start + len(value))
        owner = value if value != "." else owner
        before = word
        count += 1
        if count == MAX_TOKENS:
            return


def _rolling(words: Sequence[int]) -> list[int]:
    if len(words) < GRAM:
        return []
    first = pow(BASE, GRAM - 1, MODULUS)
    value = 0
    for word in words[:GRAM]:
        value = (value * BASE + word) % MODULUS
    found = [value]
    for left, right in zip(words, words[GRAM:], strict=False):
        value = ((value - left * first) * BASE + right) % MODULUS
        found.append(value)
    return found


def _winnowed(hashes: Sequence[int]) -> list[int]:
    """Return the positions of the least hash of each window, the last one of equal ones."""
    chosen: list[int] = []
    window: deque[int] = deque()  # positions whose hashes rise
    for at, value in enumerate(hashes):
        while window and hashes[window[-1]] >= value:
            window.pop()
        window.append(at)
        if window[0] <= at - WINDOW:
            window.popleft()
        full = at >= WINDOW - 1 or at == len(hashes) - 1
        if full and (not chosen or chosen[-1] != window[0]):
            chosen.append(window[0])
    return chosen
