"""Digests of files and of this program: where they are the same, nothing has changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import grader
from grader import __version__
from grader.errors import BrokenError

LIBRARIES = ("numpy", "torch")  # what student code computes with
LENGTH = 32  # hexadecimal digits of a digest


@cache
def engine() -> str:
    """Return the digest of this program's files, of Python's version, and of the libraries'.

    Raises:
        BrokenError: a file of this program cannot be read.
    """
    top = Path(grader.__file__).resolve().parent
    folders = [top, top.parent / "latexgrad"]
    files = [path for folder in folders for path in sorted(_code(folder), key=str)]
    contents = [(str(path.relative_to(top.parent)), content(path)) for path in files]
    return digest([__version__, platform.python_version(), *map(version, LIBRARIES), contents])


def content(path: Path) -> str:
    """Return the digest of a file; raises ``BrokenError`` if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BrokenError(f"{path} cannot be read: {error.strerror}") from None


def digest(parts: list[Any]) -> str:
    """Return the digest of values that JSON can hold, and of what others are printed as."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def listing(data: Path | None) -> list[tuple[str, int, int]]:
    """Return names, sizes and times of the files of a data folder, which are too large to read.

    Without a folder there are none.
    """
    if data is None:
        return []
    found: list[tuple[str, int, int]] = []
    seen: set[str] = set()
    for folder, below, names in os.walk(data, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:  # a link that leads back
            below.clear()
            continue
        seen.add(place)
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(OSError):  # a link that leads nowhere
                stat = path.stat()
                found.append((str(path.relative_to(data)), stat.st_size, stat.st_mtime_ns))
    return sorted(found)


def _code(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def version(library: str) -> str:
    """Return the version of a library; nothing if it is not installed."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""
