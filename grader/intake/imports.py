"""What a submission's modules import from above their folder, as far as their text shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from grader.intake.names import CLUTTER

MAX_FILES = 200  # whose text is searched
MAX_BYTES = 4 * 1024 * 1024  # of one of them
CODE = (".py", ".ipynb")
IMPORT = re.compile(rb"(?<![\w.])(?:from|import)[ \t]+(\.*)([\w.]*)")


def with_imports(target: Path, home: Path) -> Path:
    """Return the folder that holds ``home`` and what its modules import from folders above it.

    ``src/hw2/layers/rnn_layers.py`` with ``from ..utils.act import tanh``, or with ``from
    hw2.utils.act import tanh``, needs the folder ``src/hw2``; ``open("hw2/a.json")`` needs ``src``.

    Args:
        target: where everything was unpacked; the answer is not above it.
        home: a folder in it.
    """
    needed = home
    above = [parent for parent in home.parents if parent.is_relative_to(target)]
    for file in _modules(home):
        text = _text(file)
        for parent in [home, *above][:-1]:
            opened = re.search(rb"[\"']%s/[\w.]" % re.escape(parent.name.encode()), text)
            if opened and not (home / parent.name).exists() and needed.is_relative_to(parent):
                needed = parent.parent
        for level, name in _imported(text):
            if level:
                folders = [file.parent, *file.parent.parents][level - 1 : level]
                base = next((each for each in folders if each.is_relative_to(target)), target)
                first = name.partition(".")[0]
                up = base if not first or _holds(base, first) else needed
            else:
                up = _place(name, home, above) or needed
            needed = up if needed.is_relative_to(up) else needed
    return needed


def _place(name: str, home: Path, above: list[Path]) -> Path | None:
    """Return the folder above ``home`` in which a dotted name leads to a module."""
    first, _dot, rest = name.partition(".")
    if _holds(home, first) or any(_holds(home, part) for part in rest.split(".") if part):
        return None
    for parent in [home, *above]:
        if parent.name == first and rest and _holds(parent, rest.partition(".")[0]):
            return parent
        if parent != home and _holds(parent, first):
            inside = parent / first
            return None if home.is_relative_to(inside) else parent
    return None


def _holds(folder: Path, name: str) -> bool:
    """Say whether a folder has a module or a package of this name."""
    inside = folder / name
    if any((folder / f"{name}{suffix}").is_file() for suffix in CODE):
        return True
    return inside.is_dir() and next(_modules(inside), None) is not None


def _modules(folder: Path) -> Iterator[Path]:
    found = (file for file in folder.rglob("*") if file.suffix in CODE and file.is_file())
    for count, file in enumerate(found):
        if count == MAX_FILES:
            return
        if not CLUTTER & set(file.parts):
            yield file


def _text(file: Path) -> bytes:
    with file.open("rb") as source:
        return source.read(MAX_BYTES)


def _imported(text: bytes) -> Iterator[tuple[int, str]]:
    """Yield the level and the dotted name of each import in a file's text."""
    for dots, name in IMPORT.findall(text):
        yield len(dots), name.decode("ascii", "replace")
