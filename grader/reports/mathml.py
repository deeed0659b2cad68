"""Which MathML may become part of a page as it is: known elements, without scripts or addresses.

Formulas of students reach a report as MathML that the derivation reader made, but a stored report
is a file that anybody may have changed: the page looks at every piece again.
"""

from __future__ import annotations

import re

ELEMENTS = frozenset(
    (
        *("math", "mrow", "mi", "mo", "mn", "mtext", "msub", "msup", "msubsup", "mfrac"),
        *("mover", "msqrt", "munder", "munderover", "mtable", "mtr", "mtd"),
    )
)
_TAG = re.compile(r"<(/?)([a-z]+)((?: [a-z]+=\"[a-z ]*\")*)(/?)>")
_NO_TAG = re.compile(r"<(?!/?[a-z]+(?: [a-z]+=\"[a-z ]*\")*/?>)")


def harmless(text: str) -> bool:
    """Say whether a text is a ``math`` element of known elements only, properly nested."""
    if _NO_TAG.search(text) or not text.startswith("<math"):
        return False
    opened: list[str] = []
    for tag in _TAG.finditer(text):
        closing, name, _attributes, empty = tag.groups()
        if name not in ELEMENTS or empty:
            return False
        if not closing:
            opened.append(name)
        elif not opened or opened.pop() != name:
            return False
    return not opened
