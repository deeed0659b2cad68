"""A worker whose program is pure (``pure.py``), and which does one check after another."""

from __future__ import annotations

import ast
import contextlib
import gc
import time
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from . import pure, statements

Call = tuple[Callable[..., Any], Sequence[Any]]


class Turns:
    """What is proven of a worker's program, and what a check must find as it was."""

    def __init__(self) -> None:
        self.unwritten = False  # whether the program may use memory that was not written
        self.are_taken = False  # whether one check after another is done here
        self._before = np.empty, np.empty_like

    def prove(self, folder: str, name: str, closed: Collection[str]) -> bool:
        """Say whether the module ``name``, of which nothing has been run, is proven to be pure.

        Then nothing but what was proven can be run from now on. ``closed`` are names of packages
        that are found in another way.
        """
        trees: dict[str, ast.Module] = {}
        with contextlib.suppress(Exception):  # of a hostile text, too: then it is not proven
            self.unwritten = pure.prove(folder, name, trees, closed)
            statements.PROVEN.update(trees)
            # Otherwise they could give what an earlier check has computed.
            _put(*[_unlucky(make) for make in self._before])
        statements.TREES.update(trees)
        return bool(statements.PROVEN)

    def confirm(self, *, whole: bool) -> bool:
        """Say whether all that was proven is there; ``whole`` if no statement was left out."""
        if not whole or not statements.PROVEN or statements.TREES:
            return False
        gc.freeze()  # what a check leaves in circles is looked for among few objects
        self.are_taken = True
        return True

    def begin(self) -> None:
        """Let a check find everything as the first one did: Python remembers what it warned of."""
        with warnings.catch_warnings():
            pass  # to enter it makes Python forget that, in numpy's own files, too
        gc.collect()


def times_of(forward: Call, backward: Call, kept_at: Sequence[int]) -> tuple[float, float] | None:
    """Return how many seconds a call takes, and one that gets what it has kept, too.

    None if one of them changes its arguments, of which only an ordinary call tells.

    Args:
        forward: a function and its arguments.
        backward: as well, without the last ones.
        kept_at: the positions of what is kept among the outputs of the first.
    """
    given = [one for one in (*forward[1], *backward[1]) if type(one) is np.ndarray]
    before = [one.tobytes() for one in given]
    started = time.perf_counter()
    made = forward[0](*forward[1])
    then = time.perf_counter()
    several = isinstance(made, (tuple, list))
    kept = [made[index] for index in kept_at] if several else [made]
    between = time.perf_counter()
    backward[0](*backward[1], *kept)
    ended = time.perf_counter()
    if [one.tobytes() for one in given] != before:
        return None
    return then - started, ended - between


def _put(empty: Any, empty_like: Any) -> None:
    """Let these be numpy's."""
    vars(np).update(empty=empty, empty_like=empty_like)


def _unlucky(make: Any) -> Any:
    """Return ``np.empty`` with values that no program takes for right ones: odd, of both signs."""

    def made(*args: Any, **options: Any) -> Any:
        array = make(*args, **options)
        if array.dtype.kind not in "fciubO" or array.dtype.char in "gG":
            raise TypeError("memory that was not written")
        if array.dtype.kind != "O":
            steps = np.arange(array.size)
            odd = (steps * 37 % 89 + 13) * (1 - 2 * (steps % 3 % 2))
            array.flat[...] = odd % 2 if array.dtype.kind == "b" else odd.astype(array.dtype)
        return array

    return made
