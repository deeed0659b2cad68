"""From LaTeX to lexemes: macros expanded, offsets kept."""

# ruff: noqa: RUF001 - letters of other alphabets are what is read here

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .commands import (
    ACCENTS,
    COMBINING,
    FONTS,
    IGNORED_WITH_ARGUMENT,
    LINE_OPENERS,
    SAME,
    SMALL,
    TEXTS,
    UNICODE,
)
from .limits import MAX_MACRO_DEPTH, MAX_TOKENS, UnreadableError
from .source import Macro

# An argument without braces is one digit: \frac12.
_LEXEME = re.compile(
    r"(?P<space>\s+|~)|(?P<command>\\(?:[A-Za-z]+\*?|.))|(?P<number>(?<=frac)\d|\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<word>(?:tanh|sigmoid|softmax|diag|ReLU|relu|sech|cosh|sinh)(?![A-Za-z]))|(?P<letter>[A-Za-z])|(?P<char>[{}_^&()\[\]+\-*/=<>|,;:.!'#?\"`@])"
    r"|(?P<below>[₀-₉ₐ-ₜ₊₋₌₍₎ᵢⱼ]+)|(?P<above>[⁰¹²³⁴-⁹⁺⁻⁽⁾ᵀᵗ⊤ᶠⁱᵒᶜᵍ]+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_DOLLARS = re.compile(r"\$|\\[()]")
_TEXT_COMMAND = re.compile(r"\\[A-Za-z]+|[{}\\~]")


@dataclass(frozen=True)
class Lexeme:
    """A piece of LaTeX.

    ``kind`` is command, number, letter, char, word (upright letters) or text (running text).
    """

    kind: str
    text: str
    at: int


def lexemes(text: str, at: int) -> list[Lexeme]:
    """Cut LaTeX into lexemes; raises ``UnreadableError`` for a character that has no meaning."""
    found: list[Lexeme] = []
    after = 0
    for match in _LEXEME.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "space" or match.start() < after:
            continue
        value = match[0]
        if value.rstrip("*") in TEXTS:
            inner, after = _text_argument(text, match.end())
            found += _text_lexemes(inner, at + match.start())
            continue
        if kind in ("below", "above"):
            signed = bool(found) and found[-1].text in ("_", "^")
            found += list(_small(kind, value, at + match.start()))[signed:]
            continue
        if kind == "other":
            if value in COMBINING and found and found[-1].kind == "letter":
                found[-1] = replace(found[-1], text=f"{COMBINING[value]} {found[-1].text}")
                continue
            kind, value = _foreign(value, at + match.start())
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


def _foreign(value: str, at: int) -> tuple[str, str]:
    """Return kind and text of what a character beyond ASCII stands for."""
    meant = UNICODE.get(value) or unicodedata.normalize("NFKC", value)
    if meant.startswith("\\"):
        return "command", meant
    if len(meant) != 1 or not meant.isascii() or not meant.isprintable():
        raise UnreadableError(f"the character {value!r} has no meaning here", at)
    return ("letter" if meant.isalpha() else "char"), meant


def _small(kind: str, value: str, at: int) -> Iterator[Lexeme]:
    """Yield the script that small letters are: ``hₜ₋₁``, ``W²``."""
    yield Lexeme("char", "_" if kind == "below" else "^", at)
    yield Lexeme("char", "{", at)
    plain = "".join(SMALL.get(letter, unicodedata.normalize("NFKC", letter)) for letter in value)
    yield from lexemes(plain, at)
    yield Lexeme("char", "}", at)


def _text_argument(text: str, start: int) -> tuple[str, int]:
    """Return the running text in braces that begins at a place, and where it ends."""
    while start < len(text) and text[start].isspace():
        start += 1
    if start >= len(text) or text[start] != "{":
        return text[start : start + 1], start + 1
    depth = 0
    for found in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return text[start + 1 : found.start()], found.end()
    return text[start + 1 :], len(text)


def _text_lexemes(text: str, at: int) -> Iterator[Lexeme]:
    """Yield running text as one lexeme for each stretch, and the mathematics within it."""
    for place, piece in enumerate(_DOLLARS.split(text)):
        if place % 2:
            yield from lexemes(piece, at)
            continue
        words = " ".join(_TEXT_COMMAND.sub(" ", piece.replace(r"\_", "_")).split())
        if words or piece:
            yield Lexeme("text", words, at)


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
                optional, place = optional_at(found, place)
                default = lexemes(macro.default, lexeme.at) if optional is None else optional
                arguments.append(default)
            while len(arguments) < macro.arguments:
                argument, place = argument_at(found, place, lexeme)
                arguments.append(argument)
            self.run(_filled(lexemes(macro.body, 0), arguments, lexeme), depth + 1)


def optional_at(found: Sequence[Lexeme], place: int) -> tuple[list[Lexeme] | None, int]:
    """Return the argument in square brackets at a place, if there is one, and where it ends."""
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
        if lexeme.kind == "text" and "#" in lexeme.text:
            result.append(Lexeme("text", _text_filled(lexeme.text, arguments), use.at))
        elif lexeme.text == "#" and following is not None and following.kind == "number":
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


def _text_filled(text: str, arguments: Sequence[Sequence[Lexeme]]) -> str:
    for number, argument in enumerate(arguments, 1):
        text = text.replace(f"#{number}", " ".join(item.text for item in argument))
    return text


def braced(inner: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    """Return lexemes between braces, which have the place of their owner."""
    return [Lexeme("char", "{", owner.at), *inner, Lexeme("char", "}", owner.at)]


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
