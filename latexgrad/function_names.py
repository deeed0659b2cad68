r"""Names that a student gives to functions: ``where $\phi = \tanh$``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from .commands import GREEK
from .functions import FUNCTION_COMMANDS, FUNCTION_WORDS
from .tokens import Lexeme

Names = Mapping[str, Lexeme]
_ARGUMENTS = frozenset(("(", ")", r"\cdot", "x", "z", "u", "a", "y"))


def function_names(blocks: Iterable[Sequence[Lexeme]]) -> Names:
    r"""Return the letters that blocks of mathematics define as functions, with the functions.

    Read are ``f = \tanh``, ``f(x) = \tanh(x)`` and ``f(\cdot) = \tanh(\cdot)``.
    """
    found: dict[str, Lexeme] = {}
    for lexemes in blocks:
        for place, lexeme in enumerate(lexemes):
            if lexeme.text != "=" or place + 1 >= len(lexemes):
                continue
            function = lexemes[place + 1]
            start, left = _argument_before(lexemes, place)
            end, right = _argument_after(lexemes, place + 2)
            if start < 0 or not is_function(function) or left != right:
                continue
            name = lexemes[start]
            whole = start == 0 or _ends(lexemes[start - 1])
            if whole and (end >= len(lexemes) or _ends(lexemes[end])) and _is_name(name):
                found[name.text] = function
    return found


def _ends(lexeme: Lexeme) -> bool:
    return lexeme.kind == "text" or lexeme.text in (",", ";", ".", r"\\", r"\quad", "&")


def _is_name(lexeme: Lexeme) -> bool:
    return not is_function(lexeme) and (lexeme.kind in ("letter", "word") or lexeme.text in GREEK)


def is_function(lexeme: Lexeme) -> bool:
    """Say whether a lexeme is the name of a function that everybody knows."""
    return lexeme.text in FUNCTION_COMMANDS or (
        lexeme.kind in ("word", "text") and lexeme.text.lower() in FUNCTION_WORDS
    )


def _argument_before(found: Sequence[Lexeme], place: int) -> tuple[int, str]:
    """Return where the name before an equals sign stands, and the text of its argument."""
    if place >= 4 and found[place - 1].text == ")" and found[place - 3].text == "(":  # noqa: PLR2004
        return place - 4, found[place - 2].text
    return place - 1, ""


def _argument_after(found: Sequence[Lexeme], place: int) -> tuple[int, str]:
    bracketed = len(found) >= place + 3 and found[place].text == "("
    if bracketed and found[place + 2].text == ")":
        return place + 3, found[place + 1].text
    return place, ""


def with_functions(found: Sequence[Lexeme], names: Names) -> list[Lexeme]:
    """Return lexemes with the functions in place of the names that the student gave them."""
    if not names:
        return list(found)
    result: list[Lexeme] = []
    for place, lexeme in enumerate(found):
        function = names.get(lexeme.text)
        following = found[place + 1].text if place + 1 < len(found) else ""
        if function is None or following not in ("(", "'", "^", "[", "{"):
            result.append(lexeme)
        else:
            result.append(replace(function, at=lexeme.at))
    return result
