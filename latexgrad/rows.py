r"""Cuts the lexemes of a block into pieces: what stands between row ends, commas and remarks.

Frames around formulas are opened, so that ``\boxed{a = b}``, an ``array`` of equations and an
``align`` between dollars are what they hold. A word is a remark only where it cannot be part of a
formula; otherwise it stays, as a name that nobody may know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from . import block_text
from .functions import FUNCTION_WORDS
from .limits import MAX_DEPTH, MAX_FORMULA_TOKENS, UnreadableError
from .tokens import Lexeme, argument_at
from .words import is_remark, starts_remark

OPENING = frozenset(("{", "(", "[", r"\{", block_text.BEGIN))
CLOSING = frozenset(("}", ")", "]", r"\}", block_text.END))
RELATIONS = frozenset(("=", r"\leftarrow"))
OPERATORS = frozenset(("+", "-", "*", r"\odot", r"\circ", r"\cdot", r"\times", r"\otimes", "/"))
SEPARATORS = frozenset((r"\Rightarrow", r"\quad", r"\forall", ";", r"\where", r"\because"))
ROW_ENVIRONMENTS = frozenset(
    (
        *("aligned", "split", "gathered", "multlined", "alignedat", "align", "equation", "gather"),
        *("multline", "eqnarray", "flalign", "alignat", "dcases", "array", "cases", "rcases"),
        *("tabular", "center", "minipage", "displaymath", "subequations", "IEEEeqnarray", "math"),
    )
)
WITH_COLUMNS = frozenset(("array", "tabular", "alignedat", "alignat", "minipage", "IEEEeqnarray"))
ALTERNATIVES = frozenset(("cases", "dcases", "rcases", "array"))
COMMA = frozenset((",", "."))
# 2pt, -.5em, 1ex plus 1fil, \baselineskip, 2\jot
LENGTH = re.compile(
    r"-?[\d.]*(?:\\(?:\w*skip(?:amount)?|jot)|(?:pt|mm|cm|em|ex|in|pc|mu)(?:plus.*|minus.*)?)"
)
MOST_OF_LENGTH = 24  # lexemes
WITH_GROUPS = frozenset(("_", "^", r"\frac", r"\sqrt", r"\begin", r"\end", r"\named", r"\binom"))


@dataclass
class Piece:
    """A stretch of a row; ``begins_row`` says whether anything stands before it in its row."""

    lexemes: list[Lexeme]
    begins_row: bool


def pieces(found: Sequence[Lexeme], words: frozenset[str]) -> list[Piece]:
    """Return what stands between row ends, arrows, commas and remarks outside all brackets.

    Raises:
        UnreadableError: brackets do not match, or it is nested too deeply.
    """
    return _Splitter(_opened(found), words).pieces()


def _opened(found: Sequence[Lexeme]) -> list[Lexeme]:
    """Remove the braces of groups that hold whole equations."""
    opened: list[tuple[int, bool]] = []
    holding: set[int] = set()
    pairs: list[tuple[int, int]] = []
    arguments: set[int] = set()
    argument = False
    for place, lexeme in enumerate(found):
        text = lexeme.text
        if text == "{":
            before = found[place - 1].text if place else ""
            second = before == "}" and argument
            opened.append((place, before in WITH_GROUPS or second))
        elif text == "}" and opened:
            start, kept = opened.pop()
            pairs.append((start, place))
            if kept:
                arguments.add(start)
            argument = kept and start > 0 and found[start - 1].text == r"\frac"
            continue
        elif text in RELATIONS or text in (r"\\", "&"):
            for start, kept in reversed(opened):
                if kept:
                    break
                holding.add(start)
        argument = False
    single = {start for start, end in pairs if end == start + 2 and start not in arguments}
    dropped = {end for pair in pairs if pair[0] in holding | single for end in pair}
    return [lexeme for place, lexeme in enumerate(found) if place not in dropped]


class _Splitter:
    """Cuts the lexemes of a block into pieces."""

    def __init__(self, found: Sequence[Lexeme], words: frozenset[str]) -> None:
        self._found = found
        self._words = words
        self._place = 0
        self._depth = 0
        self._cases: list[bool] = []
        self._marks = 0
        self._current: list[Lexeme] = []
        self._begins_row = True
        self._pieces: list[Piece] = []

    def pieces(self) -> list[Piece]:
        """Return the pieces; raises ``UnreadableError`` for brackets that do not match."""
        while self._place < len(self._found):
            lexeme = self._found[self._place]
            self._place += 1
            if lexeme.text in (r"\begin", r"\end"):
                self._environment(lexeme)
                continue
            if self._is_remark_in_brackets(lexeme):
                continue
            self._count_brackets(lexeme)
            outside = self._depth == 0 and not any(self._cases)
            if outside and lexeme.text == "&":
                self._mark()
            elif lexeme.text == r"\\" and not any(self._cases):
                self._row_end(lexeme.at)
            elif outside and self._separates(lexeme):
                self._end(begins_row=False)
            elif outside and lexeme.text == r"\in" and self._holds_relation():
                self._end(begins_row=False)
                self._current.append(lexeme)
            else:
                self._take(lexeme)
        if self._depth > 0:
            raise UnreadableError("a bracket is never closed", _unclosed(self._found))
        self._end(begins_row=True)
        return self._pieces

    def _take(self, lexeme: Lexeme) -> None:
        self._current.append(lexeme)
        if lexeme.text == r"\\":
            self._skip_length(lexeme.at)
        if len(self._current) > MAX_FORMULA_TOKENS:
            raise UnreadableError("the formula is too long", self._current[0].at)

    def _end(self, *, begins_row: bool) -> None:
        piece = _trimmed(self._current)
        if piece:
            self._pieces.append(Piece(piece, self._begins_row))
            self._begins_row = False
        self._current = []
        self._begins_row = self._begins_row or begins_row

    def _environment(self, lexeme: Lexeme) -> None:
        words, self._place = argument_at(self._found, self._place, lexeme)
        name = "".join(item.text for item in words).rstrip("*")
        if name not in ROW_ENVIRONMENTS:
            raise UnreadableError(f"the environment {name} is not understood", lexeme.at)
        begins = lexeme.text == r"\begin"
        if begins:
            self._columns(name, lexeme)
        if name not in ALTERNATIVES:
            return
        if begins:
            # After an equals sign they are alternatives, otherwise rows of equations.
            self._cases.append(bool(self._current))
        alternatives = self._cases.pop() if not begins and self._cases else bool(self._current)
        if alternatives:
            self._current.append(Lexeme("command", f"{lexeme.text}cases", lexeme.at))

    def _columns(self, name: str, lexeme: Lexeme) -> None:
        if self._place < len(self._found) and self._found[self._place].text == "[":
            while self._place < len(self._found) and self._found[self._place].text != "]":
                self._place += 1
            self._place += 1
        if name in WITH_COLUMNS:
            _columns, self._place = argument_at(self._found, self._place, lexeme)

    def _is_remark_in_brackets(self, lexeme: Lexeme) -> bool:
        """Skip ``(for example)``: brackets that begin with words, beside a formula."""
        after = self._place
        if self._depth or lexeme.text not in ("(", "[") or after >= len(self._found):
            return False
        word = self._found[after]
        remark = word.kind == "text" and starts_remark(word.text)
        if self._incomplete() or not (remark or self._is_shape(after)):
            return False
        depth = 1
        while after < len(self._found) and depth:
            depth += (self._found[after].text in ("(", "[")) - (
                self._found[after].text in (")", "]")
            )
            after += 1
        self._place = after
        self._end(begins_row=False)
        return True

    def _is_shape(self, place: int) -> bool:
        r"""Say whether brackets hold a shape, as in ``(H \times 1)``, beside an equation."""
        inner: list[Lexeme] = []
        while place < len(self._found) and self._found[place].text not in (")", "]"):
            inner.append(self._found[place])
            place += 1
        signs = [lexeme for lexeme in inner if lexeme.text in (r"\times", ",")]
        others = [lexeme for lexeme in inner if lexeme.text not in (r"\times", ",")]
        letters = all(x.kind == "number" or (x.text.isupper() and len(x.text) == 1) for x in others)
        return len(signs) == 1 and len(others) == 2 and letters and self._holds_relation()  # noqa: PLR2004

    def _holds_relation(self) -> bool:
        return any(lexeme.text in RELATIONS for lexeme in self._current)

    def _count_brackets(self, lexeme: Lexeme) -> None:
        if lexeme.text == ")" and self._depth == 0 and _is_number(self._current):
            return  # "1)" before a formula
        self._depth += (lexeme.text in OPENING) - (lexeme.text in CLOSING)
        if self._depth > MAX_DEPTH:
            raise UnreadableError("brackets are nested too deeply", lexeme.at)
        if self._depth < 0:
            raise UnreadableError(f"{lexeme.text} closes nothing", lexeme.at)

    def _mark(self) -> None:
        """Take note of an ampersand: every second one stands between two columns of equations."""
        self._marks += 1
        if self._marks % 2 == 0 and self._current and not self._incomplete():
            self._end(begins_row=False)

    def _skip_length(self, at: int) -> None:
        r"""Skip what may stand at the end of a row: ``\\*``, ``\\[2pt]``."""
        following = self._found[self._place : self._place + 1]
        if following and following[0].text == "*" and following[0].at == at + len(r"\\"):
            self._place += 1
            following = self._found[self._place : self._place + 1]
        if following and following[0].text == "[":
            self._place = _after_skip(self._found, self._place)

    def _row_end(self, at: int) -> None:
        self._skip_length(at)
        if self._depth == 0:
            self._end(begins_row=True)
            self._marks = 0

    def _incomplete(self) -> bool:
        """Say whether what was read last, in this row or the one before, must go on."""
        current = self._current or (self._pieces[-1].lexemes if self._pieces else [])
        return bool(current) and current[-1].text in RELATIONS | OPERATORS | {"_", "^"}

    def _separates(self, lexeme: Lexeme) -> bool:
        if lexeme.text in SEPARATORS or lexeme.text in COMMA:
            return True
        after_script = bool(self._current) and self._current[-1].text in ("_", "^")
        if lexeme.kind not in ("text", "word") or after_script:
            return False
        if lexeme.kind == "word":
            return starts_remark(lexeme.text) and " " not in lexeme.text and not self._incomplete()
        return self._is_remark(lexeme)

    def _is_remark(self, lexeme: Lexeme) -> bool:
        """Say whether running text is a remark, and not a name or a part of the formula."""
        words = lexeme.text
        if not any(letter.isalnum() for letter in words):
            return True
        if words.startswith("(") and words.endswith(")") and starts_remark(words):
            return True
        following = self._found[self._place].text if self._place < len(self._found) else ""
        named = words in self._words or words.lower() in FUNCTION_WORDS
        if named or following in ("_", "^", "'") or self._incomplete():
            return False
        leads = not self._current
        return is_remark(words, leads=leads and self._has_relation())

    def _has_relation(self) -> bool:
        """Say whether an equals sign follows before the next row or separator."""
        depth = 0
        for lexeme in self._found[self._place :]:
            depth += (lexeme.text in OPENING) - (lexeme.text in CLOSING)
            if depth <= 0 and lexeme.text in RELATIONS:
                return True
            if depth <= 0 and lexeme.text in (r"\\", r"\quad", ",", ";"):
                return False
        return False


def _is_number(current: Sequence[Lexeme]) -> bool:
    return len(current) == 1 and (current[0].kind == "number" or len(current[0].text) == 1)


def _after_skip(found: Sequence[Lexeme], place: int) -> int:
    r"""Return where the optional length of ``\\[2pt]`` ends; a bracket of a formula stays."""
    for end in range(place, min(place + MOST_OF_LENGTH, len(found))):
        if found[end].text == "]":
            inner = "".join(item.text for item in found[place + 1 : end])
            return end + 1 if LENGTH.fullmatch(inner) else place
    return place


def _trimmed(piece: list[Lexeme]) -> list[Lexeme]:
    while piece and piece[-1].text in (",", ".", ":", ";"):
        piece.pop()
    return piece


def _unclosed(found: Sequence[Lexeme]) -> int:
    opened: list[int] = []
    for lexeme in found:
        if lexeme.text in OPENING:
            opened.append(lexeme.at)
        elif lexeme.text in CLOSING and opened:
            opened.pop()
    return opened[-1] if opened else found[-1].at
