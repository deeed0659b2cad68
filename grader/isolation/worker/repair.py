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
import itertools
import marshal
import os
import signal
import time
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from .at_most import Limited, TooSlowError, calls_at_most
from .mutants import Mutant, changed, functions_in

# How many are tried must not follow from the machine: a long LSTM step has 1,500 changes, which
# take a second. The limits of time are for functions that are slow.
MOST_TRIED = 2500
SEARCH_S = 3.0  # of processor time for all changes together
WAIT_S = 6.0  # for them on a busy machine
CALL_S = 0.25  # for one call of a changed function
RTOL, ATOL = 1.0e-6, 1.0e-9


@dataclass(frozen=True)
class Wanted:
    """What a right function returns for some arguments; None where that is not known."""

    arguments: list[Any]
    outputs: list[Any]


@dataclass(frozen=True)
class Repair:
    """A change that puts a function right: its line, and its number among all changes."""

    line: int
    number: int


def repair(
    module: ModuleType, name: str, wanted: list[Wanted], passed_over: Sequence[int] = ()
) -> Repair | None:
    """Change one place of ``module.name`` so that it returns what is wanted.

    Args:
        module: the student's.
        name: of a function defined in it.
        wanted: for some arguments.
        passed_over: the numbers of changes that do this and are not made; it is looked for one
            that comes after them.

    Returns:
        the change; None if none is found, and then nothing has changed.
    """
    original = inspect.unwrap(getattr(module, name))
    if type(original) is not types.FunctionType or not hasattr(signal, "setitimer"):
        return None
    wanted = sorted(wanted, key=lambda one: sum(map(np.size, one.arguments)))  # quick ones first
    trials = [WantedValues(one) for one in wanted]
    with _quietly(), calls_at_most(CALL_S) as limited:
        for change in _changes(original, passed_over):
            made = change.made()
            if made is None or not all(trial.passes(made, limited) for trial in trials):
                continue
            if change.is_new():
                _install(module, name, original, made)
                return Repair(change.line, change.number)
    return None


class _Changes:
    """The programs that have been seen to do what is wanted: each counts once."""

    def __init__(self, original: types.FunctionType, source: str) -> None:
        self.code, self.globals = original.__code__, original.__globals__
        self._seen = {_meaning(self.compiled(source))}

    def compiled(self, source: str) -> types.CodeType:
        """Compile a changed program; raises ``SyntaxError``: some are not Python."""
        return compile(source, self.code.co_filename, "exec")

    def add(self, program: types.CodeType) -> bool:
        """Say whether a program was not seen before."""
        meaning = _meaning(program)
        is_new = meaning not in self._seen
        self._seen.add(meaning)
        return is_new


class _Change:
    """One change: made, and told apart, only when that is asked for."""

    def __init__(self, changes: _Changes, number: int, mutant: Mutant) -> None:
        self.number, self.line = number, mutant.line
        self._changes, self._mutant = changes, mutant
        self._program: types.CodeType | None = None

    def made(self) -> Callable[..., Any] | None:
        """Return the function with the change; None if it is not Python."""
        space: dict[str, Any] = {}
        with contextlib.suppress(Exception):
            self._program = self._changes.compiled(self._mutant.source)
            exec(self._program, self._changes.globals, space)  # noqa: S102 - the student's own code
        made: Callable[..., Any] | None = space.get(self._changes.code.co_name)
        return made

    def is_new(self) -> bool:
        """Say whether no change before it was the same program."""
        # Programs are told apart by their code: to dump their trees takes most of the time.
        return self._program is not None and self._changes.add(self._program)


def _changes(original: types.FunctionType, passed_over: Sequence[int]) -> Iterator[_Change]:
    """Yield the changes that come after those that are passed over, until the time is over."""
    code = original.__code__
    source = _source(code)
    if source is None:
        return
    deadline, latest = time.process_time() + SEARCH_S, time.monotonic() + WAIT_S
    name = code.co_name
    changes = _Changes(original, source)
    mutants = changed(source, name, functions_in(ast.parse(source))[name])
    for number, mutant in enumerate(itertools.islice(mutants, MOST_TRIED)):
        if time.process_time() > deadline or time.monotonic() > latest:
            return
        change = _Change(changes, number, mutant)
        if number > max(passed_over, default=-1):
            yield change
        elif number in passed_over and change.made() is not None:
            change.is_new()


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

    def passes(self, function: Callable[..., Any], limited: Limited) -> bool:
        """Say whether a function does so; it gets copies of the arguments, and so much time."""
        arguments = [a.copy() if isinstance(a, np.ndarray) else a for a in self._arguments]
        try:
            returned = limited(function, *arguments)
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
