"""Digests of files and of this program: where they are the same, nothing has changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import grader
from grader import __version__
from grader.errors import BrokenError

# What student code computes with, and what our side draws and judges with.
LIBRARIES = ("numpy", "torch", "autograd", "lark", "pillow")
LENGTH = 32  # hexadecimal digits of a digest


@cache
def engine() -> str:
    """Return the digest of this program's files, of Python's version, and of the libraries'.

    Raises:
        BrokenError: a file of this program cannot be read.
    """
    top = Path(grader.__file__).resolve().parent
    folders = [top, top.parent / "latexgrad"]
    found = [path for folder in folders for path in files_below(folder, strict=False)]
    files = sorted(found, key=str)
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

    Its subfolders are named as well, with a size of -1. Without a folder there are none.
    """
    if data is None:
        return []
    found: list[tuple[str, int, int]] = []
    seen: set[str] = set()
    for folder, below, names in os.walk(data, followlinks=True):
        place = os.path.realpath(folder)
        found.append((os.path.relpath(folder, data), -1, 0))  # which may be empty
        if place in seen:  # a link that leads back, or to what another one leads to
            below.clear()
            continue
        seen.add(place)
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(OSError):  # a link that leads nowhere
                stat = path.stat()
                found.append((str(path.relative_to(data)), stat.st_size, stat.st_mtime_ns))
    return sorted(found)


def files_below(
    folder: Path, left_out: Path | None = None, *, strict: bool = True
) -> Iterator[Path]:
    """Yield the files of a folder with its subfolders, each folder once, though links lead back.

    An editor's lock, a link to nothing and a pipe are left out.

    Raises:
        OSError: a folder cannot be read, unless that is not ``strict``.
    """

    def refuse(error: OSError) -> None:
        if strict:
            raise error

    seen = set()
    for parent, below, names in os.walk(folder, onerror=refuse, followlinks=True):
        here = Path(parent)
        place = os.path.realpath(parent)
        if place in seen or here == left_out:
            below.clear()
            continue
        seen.add(place)
        below[:] = sorted(name for name in below if name != "__pycache__")
        # Not ``Path.is_file``, which raises where one may not look.
        yield from (here / name for name in names if os.path.isfile(here / name))  # noqa: PTH113


@cache
def installed() -> list[str]:
    """Return the names of all that is installed beside Python, with the versions."""
    folders = [Path(entry) for entry in sys.path if entry and Path(entry).is_dir()]
    return sorted({path.name for one in folders for path in one.glob("*.*-info")})


def version(library: str) -> str:
    """Return the version of a library; nothing if it is not installed."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""
