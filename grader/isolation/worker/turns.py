"""A worker whose program is pure (``pure.py``), and which does one check after another."""

from __future__ import annotations

import contextlib
import sys
from types import ModuleType
from typing import Any

import numpy as np

from . import pure, statements
from .pure_function import NotProvenError


class Turns:
    """What is proven of a worker's program, and what a check must find as it was."""

    def __init__(self) -> None:
        self._modules: list[ModuleType] = []
        self._files: set[str] = set()
        self._before = np.empty, np.empty_like

    def prove(self, folder: str, name: str) -> bool:
        """Say whether the module ``name``, which nothing has been run of, is proven to be pure."""
        with contextlib.suppress(NotProvenError, OSError, SyntaxError, ValueError, RecursionError):
            pure.prove(folder, name, statements.TREES)
            self._files = set(statements.TREES)
            # Otherwise they could give what an earlier check has computed.
            _put(*[_unlucky(make) for make in self._before])
        return bool(self._files)

    def confirm(self, folder: str, *, whole: bool) -> bool:
        """Say whether the program is there as it was proven, the ``whole`` of it; if not, undo."""
        every = [one for one in list(sys.modules.values()) if type(one) is ModuleType]
        self._modules = [one for one in every if _file_of(one).startswith(folder)]
        if whole and {_file_of(one) for one in self._modules} == self._files:
            return True
        _put(*self._before)
        return False

    def begin(self) -> None:
        """Let a check find everything as the first one did: Python remembers what it warned of."""
        for module in self._modules:
            module.__dict__.pop("__warningregistry__", None)


def _put(empty: Any, empty_like: Any) -> None:
    """Let these be numpy's."""
    vars(np).update(empty=empty, empty_like=empty_like)


def _file_of(module: ModuleType) -> str:
    return str(module.__dict__.get("__file__") or "")


def _unlucky(make: Any) -> Any:
    """Return ``np.empty`` with values that no program can take for right ones."""

    def made(*args: Any, **options: Any) -> Any:
        array = make(*args, **options)
        if array.dtype.kind in "fc":
            array.fill(np.nan)
        elif array.dtype.kind in "iu":
            array.fill(np.iinfo(array.dtype).max // 3)
        elif array.dtype.kind == "b":
            array.fill(False)
            array.reshape(-1)[::2] = True
        return array

    return made
