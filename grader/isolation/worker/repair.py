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
import marshal
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
from .mutants import Mutant, changed, functions_in

SEARCH_S = 1.5  # of processor time for all changes together; those of a plain LSTM step take 0.15
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
    wanted = sorted(wanted, key=lambda one: sum(map(np.size, one.arguments)))  # quick ones first
    trials = [WantedValues(one) for one in wanted]
    found = 0
    with _quietly():
        for mutant, function in _changed(original):
            if not all(trial.passes(function) for trial in trials):
                continue
            if found == skip:
                _install(module, name, original, function)
                return mutant.line
            found += 1
    return None


def _changed(original: types.FunctionType) -> Iterator[tuple[Mutant, Callable[..., Any]]]:
    """Yield the function with each change, each program once, until the time is over."""
    code = original.__code__
    source = _source(code)
    if source is None:
        return
    deadline, latest = time.process_time() + SEARCH_S, time.monotonic() + WAIT_S
    name, globals_ = code.co_name, original.__globals__
    seen = {_meaning(compile(source, code.co_filename, "exec"))}
    for mutant in changed(source, name, functions_in(ast.parse(source))[name]):
        if time.process_time() > deadline or time.monotonic() > latest:
            return
        space: dict[str, Any] = {}
        with contextlib.suppress(Exception):  # some are not Python
            program = compile(mutant.source, code.co_filename, "exec")
            # Programs are told apart by their code: to dump their trees takes most of the time.
            meaning = _meaning(program)
            if meaning not in seen:
                seen.add(meaning)
                exec(program, globals_, space)  # noqa: S102 - the student's own code
                yield mutant, space[name]


def _meaning(code: types.CodeType) -> bytes:
    """Return what is the same for code that does the same, wherever it stands."""
    return marshal.dumps(_without_places(code), 2)  # later versions note what is shared


def _without_places(code: types.CodeType) -> types.CodeType:
    inner = tuple(
        _without_places(value) if isinstance(value, types.CodeType) else value
        for value in code.co_consts
    )
    return code.replace(co_firstlineno=1, co_linetable=b"", co_consts=inner)


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


class WantedValues:
    """Whether a function returns what is wanted."""

    def __init__(self, wanted: Wanted) -> None:
        self._arguments = wanted.arguments
        self._outputs = [None if one is None else _Output(one) for one in wanted.outputs]

    def passes(self, function: Callable[..., Any]) -> bool:
        """Say whether a function does so; it gets copies of the arguments."""
        arguments = [a.copy() if isinstance(a, np.ndarray) else a for a in self._arguments]
        try:
            with at_most(CALL_S):
                returned = function(*arguments)
            items = [returned] if len(self._outputs) == 1 else list(returned)
            if len(items) != len(self._outputs):
                return False
            pairs = zip(items, self._outputs, strict=True)
            return all(wanted.is_given(item) for item, wanted in pairs if wanted is not None)
        except (Exception, TooSlowError):
            return False


class _Output:
    """One value that is wanted, by the rule of ``np.allclose``."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._shape = np.shape(value)
        self._bound: Any = None  # where the rule takes no more than one comparison
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.isfinite(value).all():
            self._bound = ATOL + RTOL * np.abs(value)

    def is_given(self, value: Any) -> bool:
        """Say whether a value is the wanted one."""
        if np.shape(value) != self._shape:
            return False
        if self._bound is None or type(value) is not np.ndarray or value.dtype.kind not in "biuf":
            return bool(np.allclose(value, self._value, RTOL, ATOL))
        near = np.abs(value - self._value) <= self._bound
        return bool(np.logical_and.reduce(near, axis=None))


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
