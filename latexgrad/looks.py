"""Lexemes without their looks: fonts and spacing removed, accents and words made one lexeme."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from .block_text import with_blocks
from .commands import (
    ACCENTS,
    FONTS,
    FRAMES,
    IGNORED,
    IGNORED_WITH_ARGUMENT,
    KEPT,
    LINE_OPENERS,
    NAMED,
    SAME,
    SEPARATING,
    UPRIGHT,
)
from .limits import MAX_BRACES, UnreadableError
from .source import Macro
from .tokens import Lexeme, argument_at, braced, expand_macros, lexemes, optional_at

_WORD = re.compile(r"[A-Za-z]+")


def plain_lexemes(text: str, at: int, macros: Mapping[str, Macro]) -> list[Lexeme]:
    """Return what the text of a formula says: its lexemes with macros expanded, without looks.

    Raises:
        UnreadableError: a character has no meaning, a command lacks its argument, or it is too
            long or nested too deeply.
    """
    return plain(with_blocks(_without_half_pairs(expand_macros(lexemes(text, at), macros))))


def _without_half_pairs(found: Sequence[Lexeme]) -> list[Lexeme]:
    r"""Drop what stands opposite to the period of ``\left\{ ... \right.``: it groups nothing."""
    opened: list[int] = []
    dropped: set[int] = set()
    for place, lexeme in enumerate(found[:-1]):
        if lexeme.text == r"\left":
            opened.append(place + 1)
        elif lexeme.text == r"\right" and opened:
            pair = (opened.pop(), place + 1)
            if any(found[end].text == "." for end in pair):
                dropped.update(pair)
    return [lexeme for place, lexeme in enumerate(found) if place not in dropped]


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


def _plain_at(  # noqa: C901, PLR0911 - one case per kind of command
    found: Sequence[Lexeme], place: int, text: str
) -> tuple[list[Lexeme], int]:
    """Return what the lexeme at a place becomes, and where the next one is."""
    lexeme = found[place]
    after = place + 1
    if text in IGNORED:
        # \left. and \right. are followed by a period that means nothing.
        sized = text in (r"\left", r"\right") and after < len(found) and found[after].text == "."
        return [], after + sized
    if text in IGNORED_WITH_ARGUMENT:
        return [], argument_at(found, after, lexeme)[1]
    if text in SEPARATING:
        return [replace(lexeme, text=r"\quad")], argument_at(found, after, lexeme)[1]
    if text in FRAMES:
        _color, after = optional_at(found, after)
        _color, after = ([], after) if text == r"\bbox" else argument_at(found, after, lexeme)
        argument, after = argument_at(found, after, lexeme)
        return braced(plain(argument), lexeme), after
    if text == r"\substack":
        argument, after = argument_at(found, after, lexeme)
        return braced(plain(argument), lexeme), after
    if text in (r"\overset", r"\stackrel", r"\underset"):
        _above, after = argument_at(found, after, lexeme)
    reader = _ARGUMENT_READERS.get(text)
    if reader is not None:
        argument, after = argument_at(found, after, lexeme)
        made = reader(text, argument, lexeme)
        remark = after < len(found) and found[after].text in ("_", "^")
        if text in (r"\underbrace", r"\overbrace") and remark:
            label, after = argument_at(found, after + 1, lexeme)
            made = [*made, *_named(plain(label), lexeme)]
        return made, after
    if lexeme.kind == "command" and text[0] == "\\" and not _WORD.match(text[1:]):
        return ([replace(lexeme, text=text)] if text in KEPT else []), after
    if lexeme.kind in ("text", "word"):
        return [lexeme], after
    kind = "command" if text[0] == "\\" else _kind(text)
    return [replace(lexeme, text=text, kind=kind)], after


def _named(label: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    """Return what says that the group before it has a name; a remark in words is not a name."""
    if not label or any(item.kind == "text" for item in label):
        return []
    return [Lexeme("command", NAMED, owner.at), *braced(label, owner)]


def _text_word(_command: str, argument: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    inner = [item.text for item in plain(argument) if item.kind != "command" or item.text == r"\_"]
    words = "".join(inner).replace(r"\_", "_")
    return [Lexeme("word", words, owner.at)]


def _accented(command: str, argument: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    inner = plain(argument)
    if not inner:
        raise UnreadableError(f"{owner.text} has nothing below it", owner.at)
    return [Lexeme("letter", f"{ACCENTS[command]} {inner[0].text}", owner.at), *inner[1:]]


def _bare(_command: str, argument: Sequence[Lexeme], _owner: Lexeme) -> list[Lexeme]:
    return plain(argument)


def _below_brace(_command: str, argument: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    return braced(plain(argument), owner)


def _kind(text: str) -> str:
    if text[0].isdigit() or (text[0] == "." and len(text) > 1):
        return "number"
    return "letter" if _WORD.fullmatch(text) else "char"


def _in_font(font: str, argument: Sequence[Lexeme], owner: Lexeme) -> list[Lexeme]:
    inner = plain(argument)
    letters = all(
        (item.kind == "letter" and len(item.text) == 1)
        or item.kind == "word"  # a function within a longer word, as in dtanh
        or item.text == r"\_"
        for item in inner
    )
    if font in UPRIGHT and letters and len(inner) > 1:
        word = "".join(item.text for item in inner).replace(r"\_", "_")
        return [Lexeme("word", word, owner.at)]
    if len(inner) == 1 and inner[0].kind == "text":
        return [replace(inner[0], kind="word")]
    if len(inner) == 1:
        return [Lexeme("command", r"\ones", owner.at)] if inner[0].text == "1" else inner
    return braced(inner, owner)


_ArgumentReader = Callable[[str, Sequence[Lexeme], Lexeme], list[Lexeme]]
_ARGUMENT_READERS: dict[str, _ArgumentReader] = {
    **dict.fromkeys(FONTS, _in_font),
    **dict.fromkeys(LINE_OPENERS, _text_word),
    **dict.fromkeys(ACCENTS, _accented),
    **dict.fromkeys((r"\overset", r"\stackrel", r"\underset"), _bare),
    **dict.fromkeys((r"\underbrace", r"\overbrace"), _below_brace),
}
