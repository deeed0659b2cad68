r"""From lexemes to equations: rows, chains ``a = b = c``, remarks and conditions.

A row that begins with ``=`` continues the chain above it, one that begins with ``+`` the sum above
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .functions import FUNCTION_WORDS
from .limits import MAX_DEPTH, MAX_FORMULA_TOKENS, UnreadableError
from .tokens import Lexeme, argument_at

OPENING, CLOSING = frozenset(("{", "(", "[", r"\{")), frozenset(("}", ")", "]", r"\}"))
RELATIONS = frozenset(("=", r"\leftarrow"))
COMPARISONS = frozenset((r"\le", r"\ge", "<", ">", r"\in", r"\dots", r"\neq", r"\ne", r"\to"))
OPERATORS = frozenset(("+", "-", "*", r"\odot", r"\circ", r"\cdot", r"\times", r"\otimes", "/"))
SEPARATORS = frozenset((r"\Rightarrow", r"\quad", r"\forall", ";", r"\where", r"\because"))
ROW_ENVIRONMENTS = frozenset(("aligned", "split", "gathered", "multlined"))
TIMES = frozenset(("t", "s", "k", "j", r"\tau", "T", "n"))
MAX_CONDITION = 24  # lexemes


@dataclass
class Equation:
    """One equation: its sides, and the conditions next to it.

    ``relations`` has one item less than ``sides``: ``=``, ``<-`` (an update) or ``+=``.
    """

    sides: list[list[Lexeme]]
    relations: list[str]
    at: int
    conditions: list[list[Lexeme]] = field(default_factory=list)


@dataclass
class _Piece:
    lexemes: list[Lexeme]
    begins_row: bool


def equations(found: Sequence[Lexeme]) -> list[Equation]:
    """Return the equations of one block, in order.

    Raises:
        UnreadableError: brackets do not match, or it is nested too deeply.
    """
    result: list[Equation] = []
    for piece in _pieces(found):
        _add_piece(piece, result)
    return [equation for equation in result if len(equation.sides) > 1]


def _add_piece(piece: _Piece, result: list[Equation]) -> None:
    sides, relations = _sides(piece.lexemes)
    if not sides[0] and relations:
        # "= c" continues the chain above.
        if result:
            result[-1].sides += sides[1:]
            result[-1].relations += relations
        return
    if not piece.lexemes:
        return
    if result and not result[-1].sides[-1] and result[-1].relations:
        # The row above ended with a relation sign.
        result[-1].sides[-1] += sides[0]
        result[-1].sides += sides[1:]
        result[-1].relations += relations
        return
    ended = result and result[-1].sides[-1] and result[-1].sides[-1][-1].text in OPERATORS
    goes_on = piece.lexemes[0].text in OPERATORS or (ended and not relations)
    if result and (goes_on or ended) and not relations:
        result[-1].sides[-1] += piece.lexemes
        return
    if _is_condition(piece.lexemes, sides, relations):
        if result:
            result[-1].conditions.append(piece.lexemes)
        return
    result.append(Equation(sides, relations, piece.lexemes[0].at))


def _is_condition(
    piece: Sequence[Lexeme], sides: Sequence[Sequence[Lexeme]], relations: Sequence[str]
) -> bool:
    """Say whether a piece is about the range of an index, such as ``t = T, ..., 1``."""
    if len(piece) > MAX_CONDITION:
        return False
    compared = any(lexeme.text in COMPARISONS for lexeme in piece)
    if not relations:
        return compared or all(_of_index(lexeme) for lexeme in piece)
    return (
        compared
        or all(len(side) == 1 and _of_index(side[0]) for side in sides)
        or (len(sides[0]) == 1 and sides[0][0].text in TIMES)
    )


def _of_index(lexeme: Lexeme) -> bool:
    return lexeme.text in TIMES or lexeme.kind == "number" or lexeme.text in ("+", "-")


def _sides(piece: Sequence[Lexeme]) -> tuple[list[list[Lexeme]], list[str]]:
    sides: list[list[Lexeme]] = [[]]
    relations: list[str] = []
    depth = 0
    for lexeme in piece:
        depth += (lexeme.text in OPENING) - (lexeme.text in CLOSING)
        depth += (lexeme.text == r"\begincases") - (lexeme.text == r"\endcases")
        if depth == 0 and lexeme.text in RELATIONS:
            relation = "=" if lexeme.text == "=" else "<-"
            if sides[-1] and sides[-1][-1].text in (":", "+") and relation == "=":
                relation = "+=" if sides[-1][-1].text == "+" else "="
                sides[-1].pop()
            relations.append(relation)
            sides.append([])
        else:
            sides[-1].append(lexeme)
    return sides, relations


def _pieces(found: Sequence[Lexeme]) -> list[_Piece]:
    """Return what stands between row ends, arrows, commas and remarks outside all brackets."""
    return _Splitter(found).pieces()


class _Splitter:
    """Cuts the lexemes of a block into pieces."""

    def __init__(self, found: Sequence[Lexeme]) -> None:
        self._found = found
        self._place = 0
        self._depth = 0
        self._cases = 0
        self._marks = 0
        self._current: list[Lexeme] = []
        self._begins_row = True
        self._pieces: list[_Piece] = []

    def pieces(self) -> list[_Piece]:
        """Return the pieces; raises ``UnreadableError`` for brackets that do not match."""
        while self._place < len(self._found):
            lexeme = self._found[self._place]
            self._place += 1
            if lexeme.text in (r"\begin", r"\end"):
                self._environment(lexeme)
                continue
            self._count_brackets(lexeme)
            outside = self._depth == 0 and self._cases == 0
            if outside and lexeme.text == "&":
                self._mark()
            elif self._cases == 0 and lexeme.text == r"\\":
                self._row_end()
            elif outside and _separates(lexeme, self._current):
                self._end(begins_row=False)
            else:
                self._current.append(lexeme)
                if len(self._current) > MAX_FORMULA_TOKENS:
                    raise UnreadableError("the formula is too long", self._current[0].at)
        if self._depth > 0:
            raise UnreadableError("a bracket is never closed", _unclosed(self._found))
        self._end(begins_row=True)
        return self._pieces

    def _end(self, *, begins_row: bool) -> None:
        self._pieces.append(_Piece(_trimmed(self._current), self._begins_row))
        self._current, self._begins_row = [], begins_row

    def _environment(self, lexeme: Lexeme) -> None:
        words, self._place = argument_at(self._found, self._place, lexeme)
        name = "".join(item.text for item in words).rstrip("*")
        if name == "cases":
            self._cases += 1 if lexeme.text == r"\begin" else -1
            self._current.append(Lexeme("command", f"{lexeme.text}cases", lexeme.at))
        elif name not in ROW_ENVIRONMENTS:
            raise UnreadableError(f"the environment {name} is not understood", lexeme.at)

    def _count_brackets(self, lexeme: Lexeme) -> None:
        self._depth += (lexeme.text in OPENING) - (lexeme.text in CLOSING)
        if self._depth > MAX_DEPTH:
            raise UnreadableError("brackets are nested too deeply", lexeme.at)
        if self._depth < 0:
            raise UnreadableError(f"{lexeme.text} closes nothing", lexeme.at)

    def _mark(self) -> None:
        """Take note of an ampersand: every second one stands between two columns of equations."""
        self._marks += 1
        ends = bool(self._current) and self._current[-1].text not in RELATIONS | OPERATORS
        if self._marks % 2 == 0 and ends:
            self._end(begins_row=False)

    def _row_end(self) -> None:
        if self._place < len(self._found) and self._found[self._place].text == "[":
            self._place = _after_skip(self._found, self._place)
        if self._depth == 0:
            self._end(begins_row=True)
            self._marks = 0


def _after_skip(found: Sequence[Lexeme], place: int) -> int:
    r"""Return where the optional length of ``\\[2pt]`` ends; a bracket of a formula stays."""
    for end in range(place, min(place + 8, len(found))):
        if found[end].text == "]":
            inner = "".join(item.text for item in found[place + 1 : end])
            return (
                end + 1 if inner.rstrip("exptmc").replace(".", "").lstrip("-").isdigit() else place
            )
    return place


def _separates(lexeme: Lexeme, current: Sequence[Lexeme]) -> bool:
    if lexeme.text in SEPARATORS or lexeme.text in (",", "."):
        return True
    after_script = bool(current) and current[-1].text in ("_", "^")
    remark = lexeme.kind == "word" and lexeme.text.lower() not in FUNCTION_WORDS
    return remark and not after_script and len(lexeme.text) > 1


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
