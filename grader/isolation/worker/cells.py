"""Modules that were notebooks: how intake marks them, and how a worker knows them."""

from __future__ import annotations

MARK = "# cells: "  # begins the first line of a module made from a notebook; JSON follows


def is_notebook(file: str) -> bool:
    """Say whether a source file was made from a notebook."""
    try:
        with open(file, "rb") as source:
            return source.read(len(MARK)) == MARK.encode()
    except OSError:
        return False
