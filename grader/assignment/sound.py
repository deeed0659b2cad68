"""Remembers rubrics that fit their reference: finding that out again takes a second at every start.

What is remembered is a digest of all that was looked at: the rubric, every file of the reference,
this program, Python and its libraries. It is an empty file of that name in the user's folder for
state. Where none can be read or written, the rubric is looked at each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sized
from importlib import metadata
from pathlib import Path

import grader
from grader.assignment import secret
from grader.assignment.used_files import EXAMPLES
from grader.errors import GraderError

FOLDER = "sound-rubrics"
MAX_KEPT = 64
LIBRARIES = ("numpy", "torch", "autograd", "lark", "pydantic")


class Fitting:
    """Whether a rubric was found to fit its reference before, with all that both consist of.

    Args:
        rubric: the file.
        reference: the folder.
        kinds: the kinds of checks.
        whole: whether the reference is run, too.
    """

    def __init__(
        self, rubric: Path, reference: Path, kinds: Mapping[str, object], *, whole: bool
    ) -> None:
        self._name = ""
        with contextlib.suppress(OSError):
            self._name = _digest(rubric, reference, kinds, whole=whole)

    def __bool__(self) -> bool:
        """Say whether it was."""
        with contextlib.suppress(OSError, GraderError):
            return bool(self._name) and (_folder() / self._name).stat().st_uid == os.geteuid()
        return False

    def remember(self, problems: Sized) -> None:
        """Remember that it fits, if no problem was found."""
        if not self._name or len(problems):
            return
        with contextlib.suppress(OSError, GraderError):
            folder = _folder()
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / self._name).touch(mode=0o600)
            known = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
            for path in known[:-MAX_KEPT]:
                path.unlink(missing_ok=True)


def _digest(rubric: Path, reference: Path, kinds: Mapping[str, object], *, whole: bool) -> str:
    """Return the digest of a rubric and of all that it is held against; raises ``OSError``."""
    found = hashlib.sha256(f"{whole} {sys.version} {sorted(kinds)}".encode())
    for kind in kinds.values():
        found.update(f"{type(kind).__module__}.{type(kind).__qualname__}\n".encode())
    for name in LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.update(f"{name} {metadata.version(name)}\n".encode())
    for path in (rubric, *_files(reference)):
        found.update(f"{path.resolve()}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    engine = Path(grader.__file__).parent
    for folder in (engine, engine.parent / "latexgrad"):
        for path in sorted(folder.rglob("*.py")):
            status = path.stat()
            found.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()


def _files(folder: Path) -> Iterable[Path]:
    """Return the files of a reference, without its examples and what Python makes of it."""
    for path in sorted(folder.iterdir()):
        if path.name in ("__pycache__", EXAMPLES):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def _folder() -> Path:
    return secret.usual_path("").parent / FOLDER
