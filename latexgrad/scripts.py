r"""What subscripts and superscripts say: labels, a place in time, a transposition, a power.

``W_x^f``, ``W^{(f)}_x`` and ``W_{xf}`` all have the labels f and x; ``h_{t-1}``, ``h^{(t-1)}`` and
``h^{\langle t-1\rangle}`` have the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .commands import GREEK
from .limits import UnreadableError
from .nodes import ELEMENTWISE_SIGNS, Index
from .tokens import Lexeme, argument_at

TRANSPOSES = frozenset(("T", r"\top", "transpose", "tr", "Tr", "trans", r"\intercal"))
PAIRS = {"(": ")", "[": "]", "<": ">", r"\langle": r"\rangle", r"\{": r"\}"}
STARS = frozenset(("*", r"\star"))  # stand for any gate
SKIPPED = frozenset((",", "{", "}", r"\quad"))
MAX_INDEX = 1000
MAX_NESTED = 4  # scripts within scripts
BATCHES = frozenset(("batch", "samples", "examples", "sample", "batchsize", "minibatch"))
BATCH_INDEX = "n"
LAST_INDEX = "T"
TIMES = frozenset(("t", "s", "k", "j", r"\tau", "T", "n"))
WORDS = {
    "prev": Index("t", -1), "previous": Index("t", -1), "old": Index("t", -1),
    "next": Index("next"), "last": Index("T"), "curr": Index("t"), "current": Index("t"),
    "cur": Index("t"),
}  # fmt: skip


@dataclass
class Scripts:
    """What the scripts of one symbol say together."""

    labels: list[str] = field(default_factory=list)
    times: list[Index] = field(default_factory=list)
    transposed: bool = False
    power: float | None = None
    primes: int = 0
    early_prime: bool = False
    order: list[str] = field(default_factory=list)


def interpret(  # noqa: C901, PLR0912 - one case per kind of script
    found: Sequence[Lexeme], into: Scripts, *, above: bool, bracketed: bool, depth: int = 0
) -> None:
    """Add what one script says; ``above`` is a superscript.

    Raises:
        UnreadableError: it means nothing.
    """
    if depth > MAX_NESTED:
        raise UnreadableError("subscripts are nested too deeply", found[0].at if found else 0)
    place = 0
    spelt = "".join(lexeme.text for lexeme in found)
    if above and spelt in TRANSPOSES:
        into.transposed = not into.transposed
        return
    if spelt in WORDS:
        into.times.append(WORDS[spelt])
        return
    while place < len(found):
        lexeme = found[place]
        text = lexeme.text
        if text in SKIPPED:
            place += 1
        elif text in ("_", "^"):
            # h_t within a script: what the inner scripts say belongs to the outer symbol.
            inner, place = argument_at(found, place + 1, lexeme)
            transposes = text == "^" and above and not bracketed
            interpret(inner, into, above=transposes, bracketed=not transposes, depth=depth + 1)
        elif text in PAIRS:
            end = _matching(found, place)
            interpret(found[place + 1 : end], into, above=above, bracketed=True, depth=depth + 1)
            place = end + 1
        elif text in TRANSPOSES and above and not bracketed:
            into.transposed = not into.transposed
            place += 1
        elif text == "'":
            if place and into.labels and found[place - 1].text == into.labels[-1]:
                into.labels[-1] += text  # c' within a script
            else:
                into.primes += 1
            place += 1
        elif above and not bracketed and (power := _power(found, place)) is not None:
            into.power, place = power
        elif _is_index(found, place, above=above, bracketed=bracketed):
            index, place = index_at(found, place)
            into.times.append(index)
            into.order.append(str(index))
        elif lexeme.kind in ("word", "text"):
            _word(lexeme, into)
            place += 1
        elif lexeme.kind == "letter" or text in GREEK or text in STARS:
            into.labels.append(text)
            into.order.append(text)
            place += 1
        else:
            raise UnreadableError(
                f"{text} in a subscript or superscript is not understood", lexeme.at
            )


def _word(lexeme: Lexeme, into: Scripts) -> None:
    word = lexeme.text
    if word.lower() in WORDS:
        into.times.append(WORDS[word.lower()])
        into.order.append(str(WORDS[word.lower()]))
    elif len(word) <= 2 and word.islower():  # noqa: PLR2004 - "xf" is x and f, "out" is a word
        into.labels += list(word)
        into.order += list(word)
    else:
        into.labels.append(word)
        into.order.append(word)


def _matching(found: Sequence[Lexeme], place: int) -> int:
    closing = PAIRS[found[place].text]
    depth = 0
    for end in range(place, len(found)):
        depth += (found[end].text == found[place].text) - (found[end].text == closing)
        if depth == 0:
            return end
    raise UnreadableError("a bracket is never closed", found[place].at)


def _power(found: Sequence[Lexeme], place: int) -> tuple[float, int] | None:
    sign = 1.0
    if found[place].text in ELEMENTWISE_SIGNS and place + 1 < len(found):
        place += 1
    elif found[place].text == "-" and place + 1 < len(found):
        sign, place = -1.0, place + 1
    if found[place].kind != "number":
        return None
    following = found[place + 1].text if place + 1 < len(found) else ""
    if following in ("+", "-"):
        return None
    return sign * float(found[place].text), place + 1


def _is_index(found: Sequence[Lexeme], place: int, *, above: bool, bracketed: bool) -> bool:
    lexeme = found[place]
    following = found[place + 1].text if place + 1 < len(found) else ""
    if lexeme.kind == "number":
        return not above or bracketed or following in ("+", "-")
    if lexeme.text == "-":
        return True
    if following in ("+", "-") and (lexeme.kind == "letter" or lexeme.text in GREEK):
        return True
    if above and not bracketed:
        return lexeme.text == "t"
    return lexeme.text in TIMES


def index_at(found: Sequence[Lexeme], place: int) -> tuple[Index, int]:
    """Return the index expression at ``place``, such as ``t - 1``, and where it ends.

    Raises:
        UnreadableError: it is not a variable plus a number.
    """
    variable: str | None = None
    offset = 0
    sign = 1
    expects = True
    first = found[place]
    while place < len(found):
        lexeme = found[place]
        if lexeme.text in ("+", "-"):
            sign = 1 if lexeme.text == "+" else -1
            expects = True
        elif not expects:
            break
        elif lexeme.kind == "number" and lexeme.text.isdigit() and int(lexeme.text[:9]) < MAX_INDEX:
            offset += sign * int(lexeme.text)
            expects = False
        elif (lexeme.kind == "letter" or lexeme.text in GREEK) and variable is None and sign == 1:
            variable = lexeme.text
            expects = False
        else:
            raise UnreadableError("an index must be a letter plus or minus a number", first.at)
        place += 1
    if expects:
        raise UnreadableError("an index is incomplete", first.at)
    return Index(variable, offset), place


@dataclass(frozen=True)
class Range:
    """Over what a sum or product runs: times from lower to upper, or the members of a set."""

    variable: str
    lower: Index | None = None
    upper: Index | None = None
    members: tuple[str, ...] = ()


def series_range(  # noqa: C901, PLR0911 - one case per kind of range
    below: Sequence[Lexeme], above: Sequence[Lexeme] | None, at: int
) -> Range:
    r"""Read ``t=1`` and ``T``, ``1 \le t \le T``, ``g \in \{f, i\}`` or ``t`` alone.

    Raises:
        UnreadableError: it is none of these.
    """
    below = [lexeme for lexeme in below if lexeme.text not in ("{", "}", r"\forall")]
    if not below:
        return Range("t")
    texts = [lexeme.text for lexeme in below]
    first = below[0]
    if "".join(texts).lower() in BATCHES:
        return Range(BATCH_INDEX)
    if (listed := _listed(below, texts)) is not None:
        return listed
    if "=" in texts:
        split = texts.index("=")
        lower, end = index_at(below, split + 1) if split + 1 < len(below) else (None, split + 1)
        if lower is None or split != 1 or end != len(below):
            raise UnreadableError("the range of a sum is not understood", at)
        upper, end = index_at(above, 0) if above else (Index("T"), 0)
        if above and end != len(above):
            raise UnreadableError("the upper limit of a sum is not understood", at)
        if lower.variable is not None and upper == Index(None, 1):
            lower, upper = upper, lower  # from T down to 1
        return Range(first.text, lower, upper)
    if r"\in" in texts and texts.index(r"\in") == 1:
        return _set(first.text, below[2:])
    bounds = [place for place, text in enumerate(texts) if text in (r"\le", "<", r"\ge", ">")]
    if bounds:
        return _between(below, bounds, at)
    if len(below) == 1:
        if above:
            upper, _end = index_at(above, 0)
            return Range(first.text, Index(None, 1), upper)
        return Range(first.text)
    raise UnreadableError("the range of a sum is not understood", at)


def _listed(below: Sequence[Lexeme], texts: Sequence[str]) -> Range | None:
    r"""Read ``t = 1, \dots, T``, ``t = T : 1`` and ``t = T \to 1``: from the first to the last."""
    if len(texts) < 5 or texts[1] != "=":  # noqa: PLR2004 - a letter, a sign and two bounds
        return None
    marks = [place for place, text in enumerate(texts) if text in (r"\dots", ":", r"\to")]
    if not marks:
        return None
    ends = [
        [lexeme for lexeme in side if lexeme.text not in (",", ".")]
        for side in (below[2 : marks[0]], below[marks[-1] + 1 :])
    ]
    if not all(ends):
        return None
    # With 1, 2, ..., T only the first of the numbers before the dots counts.
    indexes = [index_at(end, 0)[0] for end in ends]
    if indexes[0].variable == LAST_INDEX or indexes[1].variable is None:
        indexes.reverse()
    return Range(texts[0], indexes[0], indexes[1])


def _set(variable: str, members: Sequence[Lexeme]) -> Range:
    texts = [lexeme.text for lexeme in members if lexeme.text not in (r"\{", r"\}", ",", "(", ")")]
    if r"\dots" in texts or any(lexeme.kind == "number" for lexeme in members):
        return Range(variable, Index(None, 1), Index("T"))
    return Range(variable, members=tuple(texts))


def _between(below: Sequence[Lexeme], bounds: Sequence[int], at: int) -> Range:
    """Read ``1 <= t <= T`` and ``s >= t`` and their like."""
    groups: list[Sequence[Lexeme]] = []
    start = 0
    for place in (*bounds, len(below)):
        groups.append(below[start:place])
        start = place + 1
    if any(not group for group in groups) or len(groups) > 3:  # noqa: PLR2004 - two signs at most
        raise UnreadableError("the range of a sum is not understood", at)
    indexes = [index_at(group, 0)[0] for group in groups]
    signs = [below[place].text for place in bounds]
    if len(groups) == 3:  # noqa: PLR2004
        variable, low, high = indexes[1], indexes[0], indexes[2]
        if signs[0] in (r"\ge", ">"):
            low, high = high, low
            signs = [{">": "<", r"\ge": r"\le"}.get(sign, sign) for sign in reversed(signs)]
        low = Index(low.variable, low.offset + (signs[0] == "<"))
        high = Index(high.variable, high.offset - (signs[1] == "<"))
        return Range(variable.variable or "t", low, high)
    variable, bound, sign = indexes[0], indexes[1], signs[0]
    if sign in (r"\ge", ">"):
        low = Index(bound.variable, bound.offset + (sign == ">"))
        return Range(variable.variable or "t", low, Index("T"))
    high = Index(bound.variable, bound.offset - (sign == "<"))
    return Range(variable.variable or "t", Index(None, 1), high)
