"""A student's function with one change that makes it give right values.

A gradient function reads what its own forward function keeps. Where that one has a mistake, the
gradient function can still be tried beside a right one if there is a change of one place that puts
the forward right: it arranges its cache as the student does. Nothing can be bought so: the program
with the change is one that could have been handed in.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import os
import signal
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from .at_most import TooSlowError, at_most
from .mutants import Mutant, mutants_of

SEARCH_S = 1.5  # of processor time for all changes together; those of a plain LSTM step take 0.5
WAIT_S = 5.0  # for them on a busy machine
CALL_S = 0.25  # for one call of a changed function
RTOL, ATOL = 1.0e-6, 1.0e-9


@dataclass(frozen=True)
class Wanted:
    """What a right function returns for some arguments; None where that is not known."""

    arguments: list[Any]
    outputs: list[Any]


def repair(module: ModuleType, name: str, wanted: list[Wanted], skip: int) -> int | None:
    """Change one place of ``module.name`` so that it returns what is wanted.

    Args:
        module: the student's.
        name: of a function defined in it.
        wanted: for some arguments.
        skip: how many changes that do this are passed over.

    Returns:
        the line of the change; None if none is found, and then nothing has changed.
    """
    original = inspect.unwrap(getattr(module, name))
    if type(original) is not types.FunctionType or not hasattr(signal, "setitimer"):
        return None
    found = 0
    with _quietly():
        for mutant, function in _changed(original):
            if not all(_gives(function, one) for one in wanted):
                continue
            if found == skip:
                _install(module, name, original, function)
                return mutant.line
            found += 1
    return None


def _changed(original: types.FunctionType) -> Iterator[tuple[Mutant, Callable[..., Any]]]:
    """Yield the function with each change, until the time is over."""
    code = original.__code__
    source = _source(code)
    deadline, latest = time.process_time() + SEARCH_S, time.monotonic() + WAIT_S
    for mutant in mutants_of(source, [code.co_name]) if source is not None else ():
        if time.process_time() > deadline or time.monotonic() > latest:
            return
        space: dict[str, Any] = {}
        with contextlib.suppress(Exception):
            exec(compile(mutant.source, code.co_filename, "exec"), original.__globals__, space)  # noqa: S102 - the student's own code
            yield mutant, space[code.co_name]


def _source(code: types.CodeType) -> str | None:
    """Return the text of a function alone, at the lines where it stands in its file."""
    try:
        with open(code.co_filename, encoding="utf-8") as file:
            text = file.read()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                if first == code.co_firstlineno and node.col_offset == 0:
                    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
                    return "\n" * (node.lineno - 1) + "\n".join(lines) + "\n"
    except Exception:
        return None
    return None


def _gives(function: Callable[..., Any], wanted: Wanted) -> bool:
    arguments = [a.copy() if isinstance(a, np.ndarray) else a for a in wanted.arguments]
    try:
        with at_most(CALL_S):
            returned = function(*arguments)
        items = [returned] if len(wanted.outputs) == 1 else list(returned)
        if len(items) != len(wanted.outputs):
            return False
        pairs = [(o, w) for o, w in zip(items, wanted.outputs, strict=True) if w is not None]
        return all(np.shape(o) == np.shape(w) and np.allclose(o, w, RTOL, ATOL) for o, w in pairs)
    except (Exception, TooSlowError):
        return False


def _install(
    module: ModuleType, name: str, original: types.FunctionType, function: Callable[..., Any]
) -> None:
    changed = inspect.unwrap(function)
    if changed.__code__.co_freevars or original.__code__.co_freevars:
        setattr(module, name, function)
    else:  # for whoever holds the function, too
        original.__code__ = changed.__code__


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep what changed functions print and warn of."""
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        np.errstate(all="ignore"),
    ):
        yield
