r"""Names that a sentence gives: "let $G_t$ denote $\nabla_{h_t} L$", "write $s$ for $1-h^2$".

Such a sentence is an equation in running text. One that is not read here costs nothing: its name is
then used and never defined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .source import Block
from .words import HAZARDS

_SIGNS = re.compile(r"\$|\\[()]|\\displaystyle(?![A-Za-z])")
_RELATION = re.compile(r"=|\\(?:leftarrow|gets|equiv|triangleq|approx|le|ge|in)(?![A-Za-z])|[<>]")
_NAMED = re.compile(  # a name, these words, what it stands for
    r"(?:to )?denotes?|(?:to )?stands? for|is short(?:hand)? for|abbreviates?|be|means"
)
_DEFINED = re.compile(r"(?:by|as|with)")  # what it stands for, this word, the name
_SHORT_FOR = re.compile(r"(?:for|instead of|as (?:a )?short(?:hand)? for)")
_CLOSING = re.compile(r"\A\s*(?:\$|\\\))")
_SENTENCE = re.compile(r"[.,;:)]|\n\s*\n|\$\$|\\\[|\\begin|\\item")
_ENDS = re.compile(
    r"(?:for short|for (?:all|each|every|any) .*|in what follows|below|throughout"
    r"|from (?:now|here) on|(?:and|so|then|where|which|whose)\b.*)?"
)
_CHANGES = HAZARDS | {
    "multiply",
    "multiplied",
    "divide",
    "factor",
    "scale",
    "add",
    "subtract",
    "and",
}
_LET = re.compile(r"\blet\Z")
_WRITE = re.compile(r"\b(?:write|writing|use|using|put)\Z")
_VERB = re.compile(r"let|write|writing|use|using|denote|denoting|abbreviate|abbreviating")
_DENOTE = re.compile(r"\b(?:denote|denoting|abbreviate|abbreviating|call|name)\Z")
MAX_BETWEEN = 60  # characters between the two formulas
MAX_BEFORE = 20
MAX_AFTER = 80
MAX_SENTENCE = 200


def named_in_sentences(text: str, blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks, with an equation after each pair that a sentence makes one of."""
    made: list[Block] = []
    for place, block in enumerate(blocks):
        made.append(block)
        made += _equation(text, blocks[place - 1], block) if place else ()
    return made


def _equation(text: str, first: Block, second: Block) -> Iterator[Block]:
    inline = not (first.display or second.display or first.translated or second.translated)
    end = first.at + len(first.text)
    if not inline or second.at - end > MAX_BETWEEN or first.heading != second.heading:
        return
    if not _ends(text[second.at + len(second.text) :][:MAX_AFTER]):
        return
    if _RELATION.search(first.text) or _RELATION.search(second.text):
        return
    between = _words(text[end : second.at])
    before = _words(text[max(first.at - MAX_BEFORE, 0) : first.at])
    if before.endswith(" and"):  # "write $a$ for $b$ and $c$ for $d$"
        start = max(first.at - MAX_SENTENCE, 0)
        words = _words(_SENTENCE.split(text[start : first.at])[-1]).split()
        before = next((word for word in words if _VERB.fullmatch(word)), before)
    if _NAMED.fullmatch(between):
        named = between not in ("be", "denote") or _LET.search(before)
        name, meant = first, second
    elif _SHORT_FOR.fullmatch(between):
        named = _WRITE.search(before)
        name, meant = first, second
    else:
        named = _DEFINED.fullmatch(between) and _DENOTE.search(before)
        name, meant = second, first
    if named:
        said = f"{name.text} = {meant.text}"
        yield Block(said, name.at, name.heading, display=False, translated=True)


def _ends(after: str) -> bool:
    """Say whether what follows adds nothing to the formula, as "divided by two" does."""
    rest = _words(_SENTENCE.split(_CLOSING.sub("", after), maxsplit=1)[0])
    return bool(_ENDS.fullmatch(rest)) and not _CHANGES & set(rest.split()[1:])


def _words(text: str) -> str:
    return " ".join(_SIGNS.sub(" ", text).lower().split())
