"""What the lexemes of a formula are to the grammar: the names of its tokens, and brackets."""

from __future__ import annotations

from collections.abc import Sequence

from lark.lexer import Token

from . import block_text
from .commands import GREEK
from .functions import FUNCTION_COMMANDS, FUNCTION_WORDS
from .limits import MAX_DEPTH, UnreadableError
from .rows import CLOSING, OPENING, OPERATORS
from .tokens import Lexeme


def in_one_list(found: Sequence[Lexeme]) -> Sequence[Lexeme]:
    r"""Read ``h_{t-1} \oplus x_t``, when it is all there is, as a list in brackets."""
    outside: list[int] = []
    depth = 0
    for place, lexeme in enumerate(found):
        depth += (lexeme.text in OPENING) - (lexeme.text in CLOSING)
        if depth == 0 and lexeme.text == block_text.SIDE_BY_SIDE:
            outside.append(place)
    if not outside:
        return found
    listed = [
        Lexeme("char", ",", lexeme.at) if place in outside else lexeme
        for place, lexeme in enumerate(found)
    ]
    at = found[0].at
    return [Lexeme("char", "(", at), *listed, Lexeme("char", ")", found[-1].at)]


def token_text(token: Token) -> str:
    """Return a token as a message names it."""
    names = {
        "SUB": "a subscript", "SUP": "a superscript", "FRAC": r"\frac",
        "BLOCKS": "a matrix", "NEXTBLOCK": "&", "NEXTROW": r"\\",
        "ENDBLOCKS": "the end of a matrix", "ONES": "1",
    }  # fmt: skip
    return names.get(token.type, str(token))


def token_type(lexeme: Lexeme) -> str:  # noqa: PLR0911 - a table by kind
    """Return the name of the token that a lexeme is; raises ``UnreadableError`` for none."""
    text = lexeme.text
    simple = {
        "+": "PLUS", "-": "MINUS", "/": "SLASH", r"\partial": "PARTIAL", r"\nabla": "NABLA",
        "{": "LBRACE", "}": "RBRACE", ",": "COMMA", "'": "PRIME", r"\ones": "ONES",
        r"\sum": "SERIES", r"\prod": "SERIES",
        block_text.BEGIN: "BLOCKS", block_text.NEXT: "NEXTBLOCK", block_text.ROW: "NEXTROW",
        block_text.END: "ENDBLOCKS",
    }  # fmt: skip
    if text in simple:
        return simple[text]
    if text in OPERATORS:
        return "OPERATOR"
    if text in OPENING:
        return "LPAR"
    if text in CLOSING:
        return "RPAR"
    if text in FUNCTION_COMMANDS or (
        lexeme.kind in ("word", "text") and text.lower() in FUNCTION_WORDS
    ):
        return "FUNCTION"
    if lexeme.kind == "number":
        return "NUMBER"
    if lexeme.kind in ("letter", "word", "text") or text in GREEK:
        return "NAME"
    raise UnreadableError(f"{text} is not understood", lexeme.at)


def check_brackets(tokens: Sequence[Token]) -> None:
    """Raise ``UnreadableError`` for brackets that do not match, or are nested too deeply."""
    pairs = {")": "(", "]": "[", r"\}": r"\{", "}": "{", block_text.END: block_text.BEGIN}
    opened: list[Token] = []
    for token in tokens:
        if token.type in ("LPAR", "LBRACE", "BLOCKS"):
            opened.append(token)
            if len(opened) > MAX_DEPTH:
                raise UnreadableError("brackets are nested too deeply", token.start_pos or 0)
        elif token.type in ("RPAR", "RBRACE", "ENDBLOCKS") and (
            not opened or str(opened.pop()) != pairs[str(token)]
        ):
            raise UnreadableError(f"{token} closes nothing", token.start_pos or 0)
