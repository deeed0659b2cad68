"""Sentences of a driver's own, told apart from what student code says beside it.

Where a driver holds answers, nothing that student code says reaches the student: it could print the
driver. The driver's own sentences may, such as "style_transfer must return the image as a tensor".
"""

from __future__ import annotations

import ast
import builtins
import functools
import re

# Types that such a sentence may name; of any other, student code could have chosen the name.
USUAL_TYPES = frozenset([
    "ndarray", "Tensor", "Parameter", "Image", "NoneType", "Sequential", "Module", "generator",
    "function", "Figure", "Axes", "DataFrame", "Series", "float64", "float32", "int64", "Linear",
])  # fmt: skip


@functools.lru_cache(maxsize=64)
def _sentences(source: str) -> tuple[re.Pattern[str], ...]:
    """Return what the exceptions that a driver raises can say; a value stands for a type's name."""
    patterns = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for argument in node.exc.args[:1]:
                parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                patterns.append(re.compile("".join(map(_pattern, parts))))
    return tuple(patterns)


def _pattern(part: ast.expr) -> str:
    return re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"([A-Za-z_]\w*)"


def own_words(text: str, source: str) -> str | None:
    """Return ``text`` if it is one of a driver's own sentences, and holds nothing besides.

    Student code shares the driver's process and can forge its exceptions: the words must be the
    driver's, and a name among them that of a usual type.
    """
    for pattern in _sentences(source):
        found = pattern.fullmatch(text)
        if found is None:
            continue
        for index in reversed(range(1, len(found.groups()) + 1)):
            if found[index] not in USUAL_TYPES and not hasattr(builtins, found[index]):
                text = f"{text[: found.start(index)]}another type{text[found.end(index) :]}"
        return text
    return None
