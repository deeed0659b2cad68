"""From LaTeX to lexemes: macros expanded, fonts and spacing removed, offsets kept."""

# ruff: noqa: RUF001 - letters of other alphabets are what is read here

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .limits import MAX_BRACES, MAX_MACRO_DEPTH, MAX_TOKENS, UnreadableError
from .source import Macro

UNICODE = {
    "∂": r"\partial", "∇": r"\nabla", "∑": r"\sum", "Σ": r"\sum", "∏": r"\prod", "σ": r"\sigma",
    "⊙": r"\odot", "∘": r"\circ", "·": r"\cdot", "⋅": r"\cdot", "×": r"\times", "⊗": r"\otimes",
    "⊤": r"\top", "ᵀ": r"\top", "≤": r"\le", "≥": r"\ge", "∈": r"\in", "∀": r"\forall",
    "−": "-", "←": r"\leftarrow", "⇒": r"\Rightarrow", "→": r"\to", "δ": r"\delta", "τ": r"\tau",
    "′": "'", "…": r"\dots", "≡": r"\equiv", "ℓ": r"\ell", "α": r"\alpha", "β": r"\beta",
    "γ": r"\gamma", "∗": "*",
}  # fmt: skip
# Commands that change the look of a formula and not its meaning.
IGNORED = frozenset(
    rf"\{name}"
    for name in (
        *("left", "right", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr"),
        *("big", "Big", "bigg", "Bigg", "middle", "displaystyle", "textstyle", "scriptstyle"),
        *(
            "limits",
            "nolimits",
            "nonumber",
            "notag",
            "mathstrut",
            "allowbreak",
            "hfill",
            "noindent",
        ),
        *("centering", "small", "large", "normalsize", "boxed", "hline", "qed", "square", "Box"),
        *(",", ";", ":", "!", " ", ">", "/", "thinspace", "medspace", "thickspace"),
    )
)
# Commands that are ignored with their argument in braces.
IGNORED_WITH_ARGUMENT = frozenset(
    rf"\{name}" for name in ("label", "tag", "tag*", "hspace", "vspace", "phantom", "color",
                              "intertext", "shortintertext", "vphantom", "hphantom")
)  # fmt: skip
FONTS = frozenset(
    rf"\{name}"
    for name in (
        *("mathbf", "boldsymbol", "bm", "mathit", "mathcal", "mathscr", "mathsf", "mathtt", "vec"),
        *("mathfrak", "mathbb", "mathrm", "pmb", "mathnormal", "bold", "bf", "underline", "rm"),
        *("textcolor", "mathop", "mathbin", "mathrel", "mathord", "ensuremath", "symbf", "it"),
    )
)
ACCENTS = {
    r"\tilde": r"\tilde", r"\widetilde": r"\tilde", r"\hat": r"\hat", r"\widehat": r"\hat",
    r"\bar": r"\bar", r"\overline": r"\bar", r"\dot": r"\dot", r"\check": r"\check",
}  # fmt: skip
SAME = {
    r"\leq": r"\le", r"\geq": r"\ge", r"\leqslant": r"\le", r"\geqslant": r"\ge", r"\ast": "*",
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\gets": r"\leftarrow",
    r"\coloneqq": "=", r"\triangleq": "=", r"\equiv": "=", r"\implies": r"\Rightarrow",
    r"\Longrightarrow": r"\Rightarrow", r"\iff": r"\Rightarrow", r"\therefore": r"\Rightarrow",
    r"\Leftrightarrow": r"\Rightarrow", r"\Longleftrightarrow": r"\Rightarrow",
    r"\ldots": r"\dots", r"\cdots": r"\dots", r"\vdots": r"\dots", r"\intercal": r"\top",
    r"\mathds": r"\mathbb", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]",
    r"\prime": "'", r"\hadamard": r"\odot", r"\bullet": "*", r"\varepsilon": r"\epsilon",
    r"\newline": r"\\", r"\textrm": r"\text", r"\mbox": r"\text", r"\textnormal": r"\text",
    r"\textit": r"\text", r"\texttt": r"\text", r"\textbf": r"\text", r"\operatorname*":
    r"\operatorname", r"\quad": r"\quad", r"\qquad": r"\quad", r"\lt": "<", r"\gt": ">",
    r"\dag": r"\top", r"\transpose": r"\top",
}  # fmt: skip
# Fonts in which several letters are a word.
UPRIGHT = frozenset(
    (r"\mathrm", r"\rm", r"\mathop", r"\mathsf", r"\mathtt", r"\mathit", r"\mathbf")
)
KEPT = frozenset((r"\{", r"\}", r"\\", r"\|", r"\&", r"\%", r"\_"))
GREEK = frozenset(
    rf"\{name}"
    for name in (
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda"),
        *("mu", "nu", "xi", "pi", "rho", "tau", "phi", "varphi", "chi", "psi", "omega", "Delta"),
        *("Gamma", "Lambda", "Phi", "Psi", "Omega", "Theta", "ell", "Sigma", "Pi", "Xi"),
    )
)
LINE_OPENERS = frozenset((r"\text", r"\operatorname"))

_LEXEME = re.compile(
    r"(?P<space>\s+|~)|(?P<command>\\(?:[A-Za-z]+\*?|.))|(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<letter>[A-Za-z])|(?P<char>[{}_^&()\[\]+\-*/=<>|,;:.!'#?\"`@])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True)
class Lexeme:
    """A piece of LaTeX. ``kind`` is command, number, letter, char or word (text in braces)."""

    kind: str
    text: str
    at: int


def lexemes(text: str, at: int) -> list[Lexeme]:
    """Cut LaTeX into lexemes; raises ``UnreadableError`` for a character that has no meaning."""
    found: list[Lexeme] = []
    for match in _LEXEME.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "space":
            continue
        value = match[0]
        if kind == "other":
            if value not in UNICODE:
                raise UnreadableError(
                    f"the character {value!r} has no meaning here", at + match.start()
                )
            value = UNICODE[value]
            kind = "command" if value.startswith("\\") else "char"
        if kind == "command":
            starred = (
                value.endswith("*") and value not in SAME and value not in IGNORED_WITH_ARGUMENT
            )
            if starred and len(value) > 2:  # noqa: PLR2004 - "\*" itself is a command
                found.append(Lexeme("command", value[:-1], at + match.start()))
                found.append(Lexeme("char", "*", at + match.end() - 1))
                continue
        if len(found) >= MAX_TOKENS:
            raise UnreadableError("the formula is too long", at + match.start())
        found.append(Lexeme(kind, value, at + match.start()))
    return found


def expand_macros(found: Sequence[Lexeme], macros: Mapping[str, Macro]) -> list[Lexeme]:
    """Replace the file's macros; what comes from one has the offset of the place of its use."""
    if not macros:
        return list(found)
    expansion = _Expansion(macros)
    expansion.run(found, 0)
    return expansion.result


class _Expansion:
    """Expands macros; what it reads and what it writes are both bounded."""

    def __init__(self, macros: Mapping[str, Macro]) -> None:
        self._macros = macros
        self._steps = 0
        self.result: list[Lexeme] = []

    def run(self, found: Sequence[Lexeme], depth: int) -> None:
        """Expand lexemes into ``result``; raises ``UnreadableError`` beyond the limits."""
        place = 0
        while place < len(found):
            lexeme = found[place]
            place += 1
            self._steps += 1
            if self._steps > 2 * MAX_TOKENS:
                raise UnreadableError("the formulas are too long with macros expanded", lexeme.at)
            macro = self._macros.get(lexeme.text) if lexeme.kind == "command" else None
            if macro is None:
                self.result.append(lexeme)
                continue
            if depth >= MAX_MACRO_DEPTH:
                raise UnreadableError(f"the macro {lexeme.text} is nested too deeply", lexeme.at)
            arguments: list[list[Lexeme]] = []
            if macro.default is not None:
                optional, place = _optional(found, place)
                default = lexemes(macro.default, lexeme.at) if optional is None else optional
                arguments.append(default)
            while len(arguments) < macro.arguments:
                argument, place = argument_at(found, place, lexeme)
                arguments.append(argument)
            self.run(_filled(lexemes(macro.body, 0), arguments, lexeme), depth + 1)


def _optional(found: Sequence[Lexeme], place: int) -> tuple[list[Lexeme] | None, int]:
    if place >= len(found) or found[place].text != "[":
        return None, place
    for end in range(place + 1, len(found)):
        if found[end].text == "]":
            return list(found[place + 1 : end]), end + 1
    return None, place


def _filled(
    body: Sequence[Lexeme], arguments: Sequence[Sequence[Lexeme]], use: Lexeme
) -> list[Lexeme]:
    result: list[Lexeme] = []
    skip = False
    for position, lexeme in enumerate(body):
        if skip:
            skip = False
            continue
        following = body[position + 1] if position + 1 < len(body) else None
        if lexeme.text == "#" and following is not None and following.kind == "number":
            number = int(following.text[0])
            if not 1 <= number <= len(arguments):
                raise UnreadableError(f"the macro {use.text} has no argument #{number}", use.at)
            result += arguments[number - 1]
            if len(following.text) > 1:
                result.append(Lexeme("number", following.text[1:], use.at))
            skip = True
        else:
            result.append(replace(lexeme, at=use.at))
        if len(result) > MAX_TOKENS:
            raise UnreadableError(f"the macro {use.text} becomes too long", use.at)
    return result


def argument_at(found: Sequence[Lexeme], place: int, owner: Lexeme) -> tuple[list[Lexeme], int]:
    """Return the argument that begins at ``place``, without its braces, and where it ends."""
    if place >= len(found):
        raise UnreadableError(f"{owner.text} has no argument", owner.at)
    if found[place].text != "{":
        first = found[place]
        if first.text in ("}", "&", r"\\", "_", "^"):
            raise UnreadableError(f"{owner.text} has no argument", owner.at)
        if first.kind == "number" and len(first.text) > 1:
            raise UnreadableError(f"put braces around the arguments of {owner.text}", owner.at)
        if first.text in FONTS or first.text in ACCENTS or first.text in LINE_OPENERS:
            inner, end = argument_at(found, place + 1, first)
            brace = (Lexeme("char", "{", first.at), Lexeme("char", "}", first.at))
            return [first, brace[0], *inner, brace[1]], end
        return [first], place + 1
    depth = 0
    for end in range(place, len(found)):
        if found[end].text == "{":
            depth += 1
        elif found[end].text == "}":
            depth -= 1
            if depth == 0:
                return list(found[place + 1 : end]), end + 1
    raise UnreadableError("a brace is never closed", found[place].at)


def plain_lexemes(text: str, at: int, macros: Mapping[str, Macro]) -> list[Lexeme]:
    """Return what the text of a formula says: its lexemes with macros expanded, without looks.

    Raises:
        UnreadableError: a character has no meaning, a command lacks its argument, or it is too
            long or nested too deeply.
    """
    return plain(expand_macros(lexemes(text, at), macros))


def plain(found: Sequence[Lexeme]) -> list[Lexeme]:
    r"""Remove fonts, spacing and marks; make words of ``\text{...}`` and accents of letters.

    Accented letters become one letter lexeme such as ``\tilde c``; text becomes a lexeme of kind
    ``word``.

    Raises:
        UnreadableError: a command lacks its argument, or braces are nested too deeply.
    """
    depth = 0
    for lexeme in found:
        depth += (lexeme.text == "{") - (lexeme.text == "}")
        if depth > MAX_BRACES:
            raise UnreadableError("braces are nested too deeply", lexeme.at)
    result: list[Lexeme] = []
    place = 0
    while place < len(found):
        lexeme = found[place]
        text = SAME.get(lexeme.text, lexeme.text) if lexeme.kind == "command" else lexeme.text
        made, place = _plain_at(found, place, text)
        result += made
    return result


def _plain_at(found: Sequence[Lexeme], place: int, text: str) -> tuple[list[Lexeme], int]:
    """Return what the lexeme at a place becomes, and where the next one is."""
    lexeme = found[place]
    after = place + 1
    if text in IGNORED:
        # \left. and \right. are followed by a period that means nothing.
        sized = text in (r"\left", r"\right") and after < len(found) and found[after].text == "."
        return [], after + sized
    if text in IGNORED_WITH_ARGUMENT:
        return [], argument_at(found, after, lexeme)[1]
    if text in (r"\overset", r"\stackrel", r"\underset"):
        _above, after = argument_at(found, after, lexeme)
    reader = _ARGUMENT_READERS.get(text)
    if reader is not None:
        argument, after = argument_at(found, after, lexeme)
        made = reader(text, argument, lexeme)
        remark = after < len(found) and found[after].text in ("_", "^")
        if text in (r"\underbrace", r"\overbrace") and remark:
            _remark, after = argument_at(found, after + 1, lexeme)
        return made, after
    if lexeme.kind == "command" and text[0] == "\\" and not _WORD.match(text[1:]):
        return ([replace(lexeme, text=text)] if text in KEPT else []), after
    kind = "command" if text[0] == "\\" else _kind(text)
    return [replace(lexeme, text=text, kind=kind)], after


def _text_word(_command: str, argument: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    words = "".join(item.text for item in plain(argument) if item.kind != "command")
    return [Lexeme("word", words, owner.at)]


def _accented(command: str, argument: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    inner = plain(argument)
    if not inner:
        raise UnreadableError(f"{owner.text} has nothing below it", owner.at)
    return [Lexeme("letter", f"{ACCENTS[command]} {inner[0].text}", owner.at), *inner[1:]]


def _bare(_command: str, argument: Sequence[Lexeme], _owner: Lexeme) -> list[Lexeme]:
    return plain(argument)


def _braced(_command: str, argument: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    return _grouped(plain(argument), owner)


def _kind(text: str) -> str:
    if text[0].isdigit() or (text[0] == "." and len(text) > 1):
        return "number"
    return "letter" if _WORD.fullmatch(text) else "char"


def _in_font(font: str, argument: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    inner = plain(argument)
    letters = all(item.kind == "letter" and len(item.text) == 1 for item in inner)
    if font in UPRIGHT and letters and len(inner) > 1:
        return [Lexeme("word", "".join(item.text for item in inner), owner.at)]
    if len(inner) == 1:
        return [Lexeme("command", r"\ones", owner.at)] if inner[0].text == "1" else inner
    return _grouped(inner, owner)


def _grouped(inner: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    return [Lexeme("char", "{", owner.at), *inner, Lexeme("char", "}", owner.at)]


_ArgumentReader = Callable[[str, Sequence[Lexeme], Lexeme], list[Lexeme]]
_ARGUMENT_READERS: dict[str, _ArgumentReader] = {
    **dict.fromkeys(FONTS, _in_font),
    **dict.fromkeys(LINE_OPENERS, _text_word),
    **dict.fromkeys(ACCENTS, _accented),
    **dict.fromkeys((r"\overset", r"\stackrel", r"\underset"), _bare),
    **dict.fromkeys((r"\underbrace", r"\overbrace"), _braced),
}
