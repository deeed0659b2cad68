"""Modules that were notebooks: how intake marks them, and how a worker knows them."""

from __future__ import annotations

import json

MARK = "# cells: "  # begins the first line of a module made from a notebook; JSON follows


def is_notebook(file: str) -> bool:
    """Say whether a source file was made from a notebook."""
    try:
        with open(file, "rb") as source:
            return source.read(len(MARK)) == MARK.encode()
    except OSError:
        return False


def cells_of(text: str) -> tuple[str, list[tuple[int, str]]]:
    """Return the name of the notebook that a module was made from, and its cells by number.

    They are counted from 1, unless the first line says which ``numbers`` they have.

    Raises:
        ValueError, KeyError, TypeError: its first line was tampered with.
    """
    lines = text.split("\n")
    header = json.loads(lines[0][len(MARK) :])
    starts = header["starts"]
    numbers = header.get("numbers", range(1, len(starts) + 1))
    ends = [start - 2 for start in starts[1:]] + [len(lines)]
    cells = [
        (number, "\n".join(lines[start - 1 : end]) + "\n")
        for number, start, end in zip(numbers, starts, ends, strict=True)
    ]
    return header["notebook"], cells
