"""Which words beside a formula are remarks, and which may change what it says."""

from __future__ import annotations

import re

_WORD = re.compile(r"[a-z]+")
# Words that remarks begin with or consist of.
REMARKS = frozenset(
    (
        *("where", "for", "if", "when", "with", "and", "or", "since", "because", "by", "as"),
        *("given", "let", "then", "so", "thus", "hence", "therefore", "otherwise", "else"),
        *("all", "each", "every", "is", "are", "here", "using", "use", "from", "at", "in"),
        *("on", "recall", "note", "that", "which", "also", "similarly", "likewise"),
        *("analogously", "finally", "first", "second", "now", "next", "we", "have"),
        *("get", "chain", "rule", "base", "case", "step", "steps", "time", "recursion"),
        *("recursive", "elementwise", "element", "local", "upstream", "downstream"),
        *("gradient", "gradients", "shape", "vector", "matrix", "column", "row", "rows"),
        *("columns", "bias", "weights", "input", "hidden", "state", "cell", "gate", "forget"),
        *("output", "candidate", "total", "direct", "future", "through", "via", "the", "a"),
        *("an", "see", "eq", "equation", "eqn", "last", "final", "backward", "forward"),
        *("pass", "slope", "derivative", "of", "tanh", "sigmoid", "after", "before", "until"),
        *("down", "to", "s", "t", "e", "g", "i", "any", "gates", "both", "do", "end", "begin"),
        *("remember", "again", "def", "definition", "symmetry", "it", "follows", "obtain"),
        *("this", "these", "same", "outer", "product", "hadamard", "accumulated"),
        *("accumulate", "backprop", "bptt", "loss"),
    )
)
# Words that may belong to the formula: with one of them it is not read without them.
HAZARDS = frozenset(
    (
        *("times", "half", "minus", "negative", "plus", "transpose", "transposed", "twice"),
        *("not", "wrong", "without", "except", "mean", "average", "averaged", "divided"),
        *("squared", "square", "inverse", "inverted", "norm", "sign", "abs", "never", "no"),
        *("double", "quarter", "third", "reversed", "flipped", "negated", "scaled"),
        *("ignoring", "ignore", "dropping", "missing"),
    )
)
MAX_UNKNOWN = 12  # words of a sentence that need not be known


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def starts_remark(text: str) -> bool:
    """Say whether a text begins with a word that remarks begin with, and has no hazard."""
    words = _words(text)
    return bool(words) and words[0] in REMARKS and not HAZARDS & set(words)


def is_remark(text: str, *, leads: bool) -> bool:
    """Say whether a text beside a complete formula is a remark.

    Args:
        text: one word or more.
        leads: whether a whole equation follows: then the text cannot be one of its factors.
    """
    words = _words(text)
    if text.replace(".", "").strip().upper() == "QED":
        return True
    if HAZARDS & set(words) and not (leads and text.rstrip().endswith(":")):
        return False
    if leads or len(words) == 0:
        return True
    known = sum(word in REMARKS for word in words)
    return words[0] in REMARKS or known * 2 >= len(words) or text.startswith(("(", "["))
