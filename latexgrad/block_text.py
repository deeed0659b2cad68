r"""Block matrices in lexemes: ``\begin{bmatrix} h \\ x \end{bmatrix}``, ``[h; x]``, ``[A \mid B]``.

Their signs for the next block and the next row get names of their own here, so that nothing later
takes them for columns and rows of equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .gaps import with_commas
from .tokens import Lexeme, argument_at

BEGIN, NEXT, ROW, END = r"\blocks", r"\nextblock", r"\nextrow", r"\endblocks"
SIDE_BY_SIDE = r"\oplus"  # of vectors whose lengths differ, it can only mean one below the other
MATRICES = frozenset(
    f"{kind}matrix{star}"
    for kind in ("", "p", "b", "B", "v", "V", "small", "psmall", "bsmall", "Bsmall")
    for star in ("", "*")
)
# Environments that are matrices only where brackets stand around them.
IN_BRACKETS = frozenset(("array", "aligned"))
PAIRS = {"[": "]", "(": ")", r"\{": r"\}", "{": "}", r"\lbrack": r"\rbrack", r"\langle": r"\rangle"}
SQUARE = frozenset(("[", r"\lbrack"))
BARS = frozenset(("|", r"\mid", r"\vert", r"\|", r"\Vert", r"\parallel"))
JOINS = frozenset((SIDE_BY_SIDE, r"\frown", r"\Vert", r"\|"))
SIZES = frozenset((r"\left", r"\right", r"\middle", r"\bigl", r"\bigr", r"\big", r"\Big", r"\Bigl"))
MAX_ARRAY = 400  # lexemes of an array in brackets
UNITS = ("pt", "em", "ex", "mm", "cm")


@dataclass
class _Frame:
    """An open bracket or matrix: where it begins, what closes it, and the signs in it."""

    kind: str
    at: int
    closes: str = ""
    signs: list[int] = field(default_factory=list)


def with_blocks(found: Sequence[Lexeme]) -> list[Lexeme]:
    """Return lexemes with block matrices marked as such; brackets around one are dropped."""
    return _Marker(with_commas(_without_binomials(found))).marked()


def _without_binomials(found: Sequence[Lexeme]) -> Sequence[Lexeme]:
    r"""Read ``\binom{h}{x}`` as a column of two blocks."""
    made: list[Lexeme] = []
    place = 0
    while place < len(found):
        lexeme = found[place]
        place += 1
        if lexeme.text != r"\binom":
            made.append(lexeme)
            continue
        above, place = argument_at(found, place, lexeme)
        below, place = argument_at(found, place, lexeme)
        signs = [replace(lexeme, kind="command", text=text) for text in (BEGIN, ROW, END)]
        made += [signs[0], *above, signs[1], *below, signs[2]]
    return made


class _Marker:
    """Goes through lexemes once; what does not fit together is left as it is."""

    def __init__(self, found: Sequence[Lexeme]) -> None:
        self._found = found
        self._made: list[Lexeme | None] = list(found)
        self._frames: list[_Frame] = []

    def marked(self) -> list[Lexeme]:
        place = 0
        while place < len(self._found):
            text = self._found[place].text
            if text == r"\begin":
                place = self._begin(place)
                continue
            if text == r"\end":
                place = self._end(place)
                continue
            top = self._frames[-1] if self._frames else None
            if text in PAIRS:
                self._frames.append(_Frame("bracket", place, PAIRS[text]))
            elif top is not None and top.kind == "bracket" and text == top.closes:
                self._frames.pop()
                self._close(top, place)
            elif top is not None and top.kind == "matrix" and text in ("&", r"\\"):
                place = self._sign(place)
                continue
            elif top is not None and top.kind == "bracket" and top.closes != "}":
                following = self._found[place + 1].text if place + 1 < len(self._found) else ""
                if text in (";", ",") or (text in BARS | JOINS and following not in ("_", "^")):
                    top.signs.append(place)
            place += 1
        return [lexeme for lexeme in self._made if lexeme is not None]

    def _name(self, place: int) -> tuple[str, int]:
        r"""Return the name of the environment after ``\begin`` or ``\end``, and where it ends."""
        if place + 1 >= len(self._found) or self._found[place + 1].text != "{":
            return "", place + 1
        letters: list[str] = []
        for end in range(place + 2, len(self._found)):
            if self._found[end].text == "}":
                return "".join(letters), end + 1
            letters.append(self._found[end].text)
        return "", place + 1

    def _begin(self, place: int) -> int:
        name, after = self._name(place)
        end = after
        if name in IN_BRACKETS and self._fills_brackets(place, after, name):
            if name == "array" and self._found[after].text == "{":
                end = next(
                    n + 1 for n in range(after, len(self._found)) if self._found[n].text == "}"
                )
        elif name not in MATRICES:
            self._frames.append(_Frame("environment", place))
            return after
        if end < len(self._found) and self._found[end].text == "[":
            closing = list(range(end, min(end + 4, len(self._found))))
            end = next((n + 1 for n in closing if self._found[n].text == "]"), end)
        self._frames.append(_Frame("matrix", place))
        self._put(place, end, BEGIN)
        return end

    def _fills_brackets(self, place: int, after: int, name: str) -> bool:
        """Say whether an array without equations is all that brackets hold."""
        top = self._frames[-1] if self._frames else None
        if top is None or top.kind != "bracket" or top.closes == "}" or place != top.at + 1:
            return False
        depth = 0
        for end in range(after, min(after + MAX_ARRAY, len(self._found))):
            text = self._found[end].text
            if text in ("=", r"\leftarrow"):
                return False
            depth += (text == r"\begin") - (text == r"\end")
            if depth < 0:
                said, following = self._name(end)
                rest = [x for x in self._found[following : following + 2] if x.text not in SIZES]
                return said == name and bool(rest) and rest[0].text == top.closes
        return False

    def _end(self, place: int) -> int:
        _name, after = self._name(place)
        while self._frames and self._frames[-1].kind == "bracket":
            self._frames.pop()
        if self._frames and self._frames.pop().kind == "matrix":
            self._put(place, after, END)
            last = next(x for x in range(place - 1, -1, -1) if self._made[x] is not None)
            made = self._made[last]
            if made is not None and made.text == ROW:
                self._made[last] = None
        return after

    def _sign(self, place: int) -> int:
        text = self._found[place].text
        end = place + 1
        if text == r"\\" and end < len(self._found) and self._found[end].text == "[":
            inner = [x.text for x in self._found[end + 1 : end + 9]]
            closing = inner.index("]") if "]" in inner else 0
            if "".join(inner[:closing]).endswith(UNITS):
                end += closing + 2
        self._put(place, end, NEXT if text == "&" else ROW)
        return end

    def _close(self, frame: _Frame, place: int) -> None:
        """Look at what stands between brackets: ``[a; b]``, ``[a | b]``, ``[a, b; c, d]``."""
        texts = {self._found[sign].text for sign in frame.signs}
        if {";", ","} <= texts:
            self._put(frame.at, frame.at + 1, BEGIN)
            self._put(place, place + 1, END)
            for sign in frame.signs:
                self._put(sign, sign + 1, ROW if self._found[sign].text == ";" else NEXT)
            return
        if texts & (BARS - JOINS) and self._found[frame.at].text not in SQUARE:
            return
        for sign in frame.signs:
            if self._found[sign].text != ",":
                self._made[sign] = Lexeme("char", ",", self._found[sign].at)

    def _put(self, start: int, end: int, text: str) -> None:
        """Put a sign in place of a stretch of lexemes."""
        self._made[start:end] = [
            replace(self._found[start], kind="command", text=text),
            *([None] * (end - start - 1)),
        ]
