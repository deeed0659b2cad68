"""Finding and importing a student's modules, wherever in the submission they lie.

Packages that are not installed get a stand-in (``absent.py``), modules are run statement by
statement (``statements.py``), and a module is found in another folder or under the name of the
course's package (``from cs231n.rnn_layers import *``) if there is one file that can be meant.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from . import clock, statements
from .absent import Absent, Loading, MissingPackageError, StandIn
from .cells import is_notebook

__all__ = ["Loaded", "MissingPackageError", "UndefinedFunctionError", "find_function", "load"]

NOT_FOR_STUDENTS = frozenset(["grader", "latexgrad", "reference", "pytest", "_pytest", "_dlg"])
MAX_SOURCE = 4 * 1024 * 1024  # bytes of a file that is searched for a function


class UndefinedFunctionError(Exception):
    """The module has no function with the name that the rubric asks for."""


@dataclass
class Loaded:
    """A student's module, and what came up while it was imported.

    ``missing`` are packages that are not installed, ``skipped`` the statements that were left out
    (file, line, text, exception), ``twice`` the functions that are defined more than once (name,
    lines).
    """

    module: ModuleType
    missing: list[str]
    skipped: list[list[Any]]
    twice: list[list[Any]]


class _Own:
    """Finds modules and packages of the submission itself."""

    def __init__(self, folder: str, places: Sequence[str], absent: Absent) -> None:
        self._folder = folder
        self._places = places
        self._absent = absent

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        del target
        places = self._places if path is None else [p for p in path if self._holds(str(p))]
        last = name.rpartition(".")[2]
        for place in places:
            for file in (f"{last}{os.sep}__init__.py", f"{last}.py"):
                whole = os.path.join(place, file)
                if os.path.isfile(whole):
                    return statements.spec_of(name, whole, self._folder, self._absent)
        return None

    def _holds(self, path: str) -> bool:
        return path == self._folder or path.startswith(self._folder + os.sep)


class _Closed:
    """Hides packages: they count as missing, unless the submission has its own.

    Those are the grader's own, and the ones that the rubric forbids: these can be imported, for an
    import that is never needed costs nothing, and raise where they are used. Parts of installed
    packages that were found missing come here, too, before anybody else finds them.
    """

    def __init__(self, folder: str, absent: Absent, forbidden: tuple[str, ...]) -> None:
        self._folder = folder
        self._absent = absent
        self._forbidden = forbidden

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        top = name.partition(".")[0]
        if top not in NOT_FOR_STUDENTS and top not in self._forbidden:
            return self._absent.find_spec(name) if "." in name else None
        own = importlib.machinery.PathFinder.find_spec(top, [self._folder])
        if own is not None and own.loader is not None:
            return own if name == top else None
        if top in self._forbidden:
            self._absent.add(top)
        stand_in = self._absent.find_spec(name)
        if stand_in is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return stand_in


class _Elsewhere:
    """Finds a student's own module in another folder of the submission, if there is only one.

    Also under the name of a package that the submission does not have: students hand in
    ``rnn_layers.py`` alone, and its neighbors go on importing ``cs231n.rnn_layers``.
    """

    def __init__(self, folder: str, absent: Absent) -> None:
        self._folder = folder
        self._absent = absent
        self._files: dict[str, list[str]] | None = None

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        del target
        if path is None and "." not in name:
            file = self._only(name)
            if file is not None:
                return statements.spec_of(name, file, self._folder, self._absent)
            return self._package(name) if Loading.active and self._is_course(name) else None
        last = name.rpartition(".")[2]
        if not isinstance(sys.modules.get(name.partition(".")[0]), _Course):
            return None
        if self._only(last) is not None:
            return importlib.machinery.ModuleSpec(name, _Alias(last))
        return self._package(name) if self._is_course(name) else None

    def _is_course(self, name: str) -> bool:
        """Say whether an import that is running is ``name.module`` with a module of ours."""
        return any(self._only(last) is not None for last in _wanted_below(name))

    def _package(self, name: str) -> importlib.machinery.ModuleSpec:
        return importlib.machinery.ModuleSpec(name, _CourseLoader(), is_package=True)

    def _only(self, name: str) -> str | None:
        if self._files is None:
            self._files = self._found()
        files = self._files.get(name, [])
        return files[0] if len(files) == 1 else None

    def _found(self) -> dict[str, list[str]]:
        """Return all modules and packages by name."""
        found: dict[str, list[str]] = {}
        for parent, _folders, names in os.walk(self._folder):
            for file in names:
                stem, suffix = os.path.splitext(file)
                if suffix == ".py":
                    name = os.path.basename(parent) if stem == "__init__" else stem
                    found.setdefault(name, []).append(os.path.join(parent, file))
        return found


class _Course(ModuleType):
    """A package that is not in the submission, though modules of it are."""


class _CourseLoader(importlib.abc.Loader):
    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Course(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        del module


class _Alias(importlib.abc.Loader):
    """Loads ``course.module`` as the module that has been handed in."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        del spec

    def exec_module(self, module: ModuleType) -> None:
        # The machinery of imports takes from here what a module replaces itself by.
        sys.modules[module.__name__] = importlib.import_module(self._name)


def _wanted_below(package: str) -> list[str]:
    """Return the last parts of the dotted names below ``package`` that students' code imports."""
    return [
        name.rpartition(".")[2]
        for name in statements.RECORD.imports
        if name.startswith(f"{package}.")
    ]


def load(
    folder: str, name: str, forbidden: tuple[str, ...] = (), statement_s: float = 5.0
) -> Loaded:
    """Import ``name`` from ``folder``.

    ``name`` may lie in a folder of the submission (``q3/rnn_layers``), which then comes first on
    the path. ``forbidden`` are packages that count as missing though they may be installed;
    ``statement_s`` is how long one statement outside all functions may take.

    Raises whatever keeps the whole module from being imported, such as a syntax error.
    """
    within, name = os.path.split(name)
    places = [os.path.join(folder, within), folder] if within else [folder]
    sys.path[:0] = places
    sys.dont_write_bytecode = True
    absent = Absent()
    sys.meta_path[:0] = [_Closed(folder, absent, forbidden), _Own(folder, places, absent)]
    sys.meta_path += [_Elsewhere(folder, absent), absent]
    clock.CLOCK.budget_s = statement_s
    Loading.is_students = staticmethod(lambda value: _is_students(value, folder))
    Loading.active = True
    try:
        module = importlib.import_module(name)
    finally:
        Loading.active = False
    file = str(getattr(module.__spec__, "origin", "") or "")
    return Loaded(module, absent.packages, statements.RECORD.skipped, _twice(file))


def _is_students(value: Any, folder: str) -> bool:
    """Say whether a value is a function or a class that the student's code defines."""
    if isinstance(value, types.FunctionType):
        return value.__code__.co_filename.startswith(folder)
    if isinstance(value, type):
        return value.__module__ in statements.RECORD.failures
    return False


def _tree(file: str) -> ast.Module | None:
    """Return what a student's file holds; None for a notebook, or what cannot be read."""
    try:
        if is_notebook(file) or os.path.getsize(file) > MAX_SOURCE:
            return None
        with open(file, "rb") as source:
            return ast.parse(source.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _twice(file: str) -> list[list[Any]]:
    """Return the functions that a file defines more than once at its top, with their lines."""
    lines: dict[str, list[int]] = {}
    tree = _tree(file)
    for statement in tree.body if tree is not None else []:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            lines.setdefault(statement.name, []).append(statement.lineno)
    return [[name, found] for name, found in lines.items() if len(found) > 1]


def find_function(module: ModuleType, name: str) -> Any:
    """Return ``module.name``.

    Raises:
        UndefinedFunctionError: there is none, or it cannot be called; says where one like it is.
        BaseException: what kept the statement from defining it.
    """
    function = getattr(module, name, None)
    failed = statements.failure_of(module.__name__, name)
    if function is None and failed is not None:
        raise failed
    if isinstance(function, StandIn):
        raise MissingPackageError(function.__dict__["__package_name__"])
    if not callable(function):
        raise UndefinedFunctionError(_instead(module, name))
    return function


def _instead(module: ModuleType, name: str) -> str:
    """Return where the file has a function of this name after all, or one of a similar name."""
    tree = _tree(str(getattr(module.__spec__, "origin", "") or ""))
    if tree is None:
        return ""
    places: dict[str, list[tuple[int, str]]] = {}

    def visit(node: ast.AST, within: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = within
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                places.setdefault(child.name, []).append((child.lineno, within))
                inner = f"function {child.name}"
            elif isinstance(child, ast.ClassDef):
                inner = f"class {child.name}"
            visit(child, inner)

    visit(tree, "")
    if name in places:
        line, within = places[name][0]
        return f"line {line} defines it inside the {within}" if within else ""
    near = get_close_matches(name, list(places), n=1, cutoff=0.8)
    return f"line {places[near[0]][0][0]} defines {near[0]}" if near else ""
