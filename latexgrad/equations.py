r"""From lexemes to equations: rows, chains ``a = b = c``, remarks and conditions.

A row that begins with ``=`` continues the chain above it, one that begins with ``+`` the sum above
it. What is neither an equation nor a condition is kept as a problem, with its place: nothing is
thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .commands import GREEK, NAMED
from .limits import MAX_FORMULA_TOKENS, UnreadableError
from .rows import CLOSING, OPENING, OPERATORS, RELATIONS, Piece, pieces
from .scripts import TIMES
from .tokens import Lexeme, argument_at

COMPARISONS = frozenset((r"\le", r"\ge", "<", ">", r"\in", r"\dots", r"\neq", r"\ne", r"\to"))
LAST_STEPS = frozenset(("N", "K", "S", "M", "n", "g", "f", "i", "o", "c", r"\tilde c", "d", "l"))
GATE_VARIABLES = frozenset(("g", "k", "j", "q"))
MAX_CONDITION = 24  # lexemes
MAX_NUMBERING = 4  # lexemes
SEVERAL = 2


@dataclass
class Equation:
    """One equation: its sides, and the conditions next to it.

    ``relations`` has one item less than ``sides``: ``=``, ``<-`` (an update) or ``+=``. ``problem``
    says what stands next to it and was not understood.
    """

    sides: list[list[Lexeme]]
    relations: list[str]
    at: int
    conditions: list[list[Lexeme]] = field(default_factory=list)
    problem: UnreadableError | None = None


def equations(found: Sequence[Lexeme]) -> list[Equation]:
    """Return the equations of one block, in order.

    Raises:
        UnreadableError: brackets do not match, or it is nested too deeply.
    """
    return equations_and_rest(found)[0]


def equations_and_rest(
    found: Sequence[Lexeme], words: frozenset[str] = frozenset()
) -> tuple[list[Equation], list[UnreadableError]]:
    """Return the equations of one block, and what in it is none.

    Args:
        found: the lexemes of the block.
        words: the words that the student uses as names.

    Raises:
        UnreadableError: brackets do not match, or it is nested too deeply.
    """
    plain, named = _without_names(found)
    result: list[Equation] = []
    rest: list[UnreadableError] = []
    for piece in pieces(plain, words):
        _add_piece(piece, result, rest)
    made = [equation for equation in result if len(equation.sides) > 1]
    rest += [_leftover(equation.at) for equation in result if len(equation.sides) == 1]
    return [*named, *made], rest


def _leftover(at: int) -> UnreadableError:
    return UnreadableError("this part of the formula is not understood", at)


def _without_names(found: Sequence[Lexeme]) -> tuple[list[Lexeme], list[Equation]]:
    r"""Return lexemes without the names below braces, and an equation for each name."""
    kept: list[Lexeme] = []
    named: list[Equation] = []
    place = 0
    while place < len(found):
        lexeme = found[place]
        place += 1
        if lexeme.text != NAMED:
            kept.append(lexeme)
            continue
        label, place = argument_at(found, place, lexeme)
        while label and label[0].text in ("=", ":"):
            label = label[1:]  # "=: \\delta"
        start = _group_start(kept)
        if start is not None and kept[start + 1 : -1] and not _is_remark(label):
            named.append(Equation([label, kept[start + 1 : -1]], ["="], lexeme.at))
    return kept, named


def _is_remark(label: Sequence[Lexeme]) -> bool:
    return not label or label[0].kind not in ("letter", "command") or len(label) > MAX_CONDITION


def _group_start(kept: Sequence[Lexeme]) -> int | None:
    depth = 0
    for place in range(len(kept) - 1, -1, -1):
        depth += (kept[place].text == "}") - (kept[place].text == "{")
        if depth == 0:
            return place
    return None


def _add_piece(piece: Piece, result: list[Equation], rest: list[UnreadableError]) -> None:
    lexemes = _without_numbering(piece.lexemes)
    if not lexemes:
        return
    sides, relations = _sides(lexemes)
    last = result[-1] if result else None
    if not sides[0] and relations:
        # "= c" continues the chain above.
        if last is None:
            rest.append(_leftover(lexemes[0].at))
        else:
            last.sides += sides[1:]
            last.relations += relations
        return
    if last is not None and not last.sides[-1] and last.relations:
        # The row above ended with a relation sign.
        last.sides[-1] += sides[0]
        last.sides += sides[1:]
        last.relations += relations
        return
    ended = last is not None and last.sides[-1] and last.sides[-1][-1].text in OPERATORS
    goes_on = lexemes[0].text in OPERATORS or (ended and not relations)
    if last is not None and (goes_on or ended) and not relations:
        last.sides[-1] += lexemes
        if len(last.sides[-1]) > MAX_FORMULA_TOKENS:
            raise UnreadableError("the formula is too long", lexemes[0].at)
        return
    number = all(lexeme.kind == "number" or lexeme.text in "+-" for lexeme in lexemes)
    follows = last is not None and (last.conditions or len(last.sides) == 1)
    if _is_condition(lexemes, sides, relations) and (follows or not number):
        if last is not None:
            last.conditions.append(lexemes)
        return
    if not relations and last is not None and not piece.begins_row and len(last.sides) > 1:
        # Something stands beside an equation: what it does there is not known.
        _add_beside(lexemes, last, result)
        return
    result.append(Equation(sides, relations, lexemes[0].at))


def _add_beside(lexemes: list[Lexeme], last: Equation, result: list[Equation]) -> None:
    inner = lexemes[1:-1]
    if (lexemes[0].text, lexemes[-1].text) == ("(", ")") and _is_gate_list(inner):
        signs = [Lexeme("command", text, inner[1].at) for text in (r"\in", r"\{")]
        last.conditions.append([inner[0], *signs, *inner[2:]])
    elif not _lists_gates(lexemes, result):
        last.problem = last.problem or _leftover(lexemes[0].at)


def _is_gate_list(inner: Sequence[Lexeme]) -> bool:
    """Say whether brackets hold ``g = f, i, o``."""
    return (
        len(inner) > SEVERAL
        and inner[0].text in GATE_VARIABLES
        and inner[1].text in ("=", r"\in")
        and all(one.text in LAST_STEPS | {","} for one in inner[2:])
    )


def _lists_gates(lexemes: list[Lexeme], result: list[Equation]) -> bool:
    r"""Take ``i`` in "for g = f, i, o" into a condition of the formula before."""
    if len(lexemes) != 1 or lexemes[0].text not in LAST_STEPS or not result:
        return False
    last = result[-1]
    if last.conditions and [lexeme.text for lexeme in last.conditions[-1][1:3]] == [r"\in", r"\{"]:
        last.conditions[-1] += lexemes
        return True
    if len(result) < SEVERAL or len(last.sides) != SEVERAL or last.problem is not None:
        return False
    if any(len(side) != 1 for side in last.sides) or last.sides[0][0].text not in GATE_VARIABLES:
        return False
    (variable,), (first,) = last.sides
    if first.text not in LAST_STEPS:
        return False
    result.pop()
    signs = [Lexeme("command", text, variable.at) for text in (r"\in", r"\{")]
    result[-1].conditions.append([variable, *signs, first, *lexemes])
    return True


def _without_numbering(piece: list[Lexeme]) -> list[Lexeme]:
    r"""Drop ``1)``, ``(a)`` or ``2.`` before a formula."""
    for end in range(min(MAX_NUMBERING, len(piece))):
        lexeme = piece[end]
        if lexeme.text in (")", ".", ":") and end and end + 1 < len(piece):
            inner = [item for item in piece[:end] if item.text != "("]
            opened = sum(item.text == "(" for item in piece[:end])
            numbered = len(inner) == 1 and inner[0].kind in ("number", "letter")
            if (
                numbered
                and opened == (piece[0].text == "(")
                and opened == (lexeme.text == ")" and piece[0].text == "(")
            ):
                follows = piece[end + 1].text
                return (
                    piece[end + 1 :] if follows not in RELATIONS | OPERATORS | {"_", "^"} else piece
                )
        if lexeme.kind not in ("number", "letter") and lexeme.text != "(":
            break
    return piece


def _is_condition(
    piece: Sequence[Lexeme], sides: Sequence[Sequence[Lexeme]], relations: Sequence[str]
) -> bool:
    """Say whether a piece is about the range of an index, such as ``t = T, ..., 1``."""
    if len(piece) > MAX_CONDITION:
        return False
    if any(lexeme.text == r"\in" for lexeme in piece):
        return True
    if not all(map(_may_be_of_index, piece)):
        return False
    compared = any(lexeme.text in COMPARISONS for lexeme in piece)
    formula = any(
        lexeme.text in (r"\frac", r"\partial", *OPERATORS - {"-", "+"}) for lexeme in piece
    )
    if not relations:
        return (compared and not formula) or all(_of_index(lexeme) for lexeme in piece)
    return (
        (compared and not formula)
        or all(len(side) == 1 and _of_index(side[0]) for side in sides)
        or (len(sides[0]) == 1 and sides[0][0].text in TIMES and not formula)
    )


def is_of_index(condition: Sequence[Lexeme]) -> bool:
    """Say whether a condition is about an index or a gate."""
    return any(lexeme.text == r"\in" for lexeme in condition) or all(
        map(_may_be_of_index, condition)
    )


def _may_be_of_index(lexeme: Lexeme) -> bool:
    """Say whether a lexeme may be part of what is said about an index: ``x > 0`` is not."""
    letter = lexeme.kind == "letter" or lexeme.text in GREEK
    return not letter or lexeme.text in TIMES | LAST_STEPS


def _of_index(lexeme: Lexeme) -> bool:
    return lexeme.text in TIMES or lexeme.kind == "number" or lexeme.text in ("+", "-", "(", ")")


def _sides(piece: Sequence[Lexeme]) -> tuple[list[list[Lexeme]], list[str]]:
    sides: list[list[Lexeme]] = [[]]
    relations: list[str] = []
    depth = 0
    for lexeme in piece:
        depth += (lexeme.text in OPENING) - (lexeme.text in CLOSING)
        depth += (lexeme.text == r"\begincases") - (lexeme.text == r"\endcases")
        if depth == 0 and lexeme.text in RELATIONS:
            relation = "=" if lexeme.text == "=" else "<-"
            if relation == "=" and relations and not sides[-1] and len(sides) > 1:
                continue  # "=="
            if sides[-1] and sides[-1][-1].text in (":", "+") and relation == "=":
                relation = "+=" if sides[-1][-1].text == "+" else "="
                sides[-1].pop()
            relations.append(relation)
            sides.append([])
        else:
            sides[-1].append(lexeme)
    return sides, relations


def defined_words(blocks: Iterator[Sequence[Lexeme]]) -> frozenset[str]:
    r"""Return the words that stand before an equals sign: names of the student's own."""
    found: set[str] = set()
    for lexemes in blocks:
        for place, lexeme in enumerate(lexemes):
            if lexeme.kind == "text" and " " not in lexeme.text and _is_target(lexemes, place + 1):
                found.add(lexeme.text)
    return frozenset(found)


def _is_target(found: Sequence[Lexeme], place: int) -> bool:
    """Say whether a relation follows, after scripts at most."""
    while place + 1 < len(found) and found[place].text in ("_", "^"):
        try:
            _script, place = argument_at(found, place + 1, found[place])
        except UnreadableError:
            return False
    while place < len(found) and found[place].text == "&":
        place += 1
    return place < len(found) and found[place].text in RELATIONS
