"""Finding and importing a student's modules, wherever in the submission they lie.

Packages that are not installed get a stand-in (``absent.py``), modules are run statement by
statement (``statements.py``), and a module is found in another folder or under the name of the
course's package (``from cs231n.rnn_layers import *``) if there is one file that can be meant.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from . import clock, definitions, statements
from .absent import Absent, Loading, MissingPackageError, StandIn
from .layout import LAYOUT

__all__ = ["Loaded", "MissingPackageError", "UndefinedFunctionError", "find_function", "load"]

# Modules that only the grader has loaded, ahead of time; a student's own of these names go first.
LOADED_AHEAD: set[str] = set()
NOT_FOR_STUDENTS = frozenset(["grader", "latexgrad", "reference", "pytest", "_pytest", "_dlg"])


class UndefinedFunctionError(Exception):
    """The module has no function with the name that the rubric asks for."""


@dataclass
class Loaded:
    """A student's module, and what came up while it was imported.

    ``missing`` are packages that are not installed, ``skipped`` the statements that were left out
    (file, line, text, exception), ``twice`` the functions that are defined more than once, or
    replaced by another module's (name, words), ``made`` the names that functions use and that
    were computed from a package that is not installed (name, package).
    """

    module: ModuleType
    missing: list[str]
    skipped: list[list[Any]]
    twice: list[list[str]]
    made: list[list[str]]


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
    """Finds a student's own module in another folder of the submission: the nearest one.

    Also under the name of a package that the submission does not have: students hand in
    ``rnn_layers.py`` alone, and its neighbors go on importing ``cs231n.rnn_layers``.
    """

    def __init__(self, folder: str, absent: Absent) -> None:
        self._folder = folder
        self._absent = absent

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        beside = LAYOUT.importer()
        top, _dot, rest = name.partition(".")
        if rest and not isinstance(sys.modules.get(top), _Course):
            return None
        file = LAYOUT.module(name, beside)
        if file is not None:
            return self._spec(name, file, beside)
        if not LAYOUT.is_course(name, beside):
            return None
        made = importlib.machinery.ModuleSpec(name, _CourseLoader(), is_package=True)
        inside = LAYOUT.package(name, beside)
        made.submodule_search_locations = [inside] if inside is not None else []
        return made

    def _spec(self, name: str, file: str, beside: str) -> importlib.machinery.ModuleSpec | None:
        """Return how to import a file; one that has a shorter name is the same module."""
        last = name.rpartition(".")[2]
        known = [key for key, value in list(sys.modules.items()) if _file_of(value) == file]
        if known:
            return importlib.machinery.ModuleSpec(name, _Alias(known[0]))
        package = os.path.basename(file) == "__init__.py"
        if last != name and not package and self._plain(last, beside) == file:
            return importlib.machinery.ModuleSpec(name, _Alias(last))
        return statements.spec_of(name, file, self._folder, self._absent)

    def _plain(self, name: str, beside: str) -> str | None:
        """Return the file that a name without dots means."""
        if name in sys.modules:
            return _file_of(sys.modules[name])
        found = importlib.machinery.PathFinder.find_spec(name)
        return LAYOUT.module(name, beside) if found is None else found.origin


def _file_of(module: Any) -> str | None:
    """Return the file that a module was loaded from; modules may be anything."""
    return module.__dict__.get("__file__") if type(module) is ModuleType else None


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


@contextlib.contextmanager
def ahead_of_time() -> Iterator[None]:
    """Let what this block loads be there for students' code, unless that has its own."""
    before = {*sys.modules}
    yield
    LOADED_AHEAD.update(sys.modules.keys() - before)


def _put_own_first(places: Sequence[str]) -> None:
    """Forget what was loaded ahead of time by the names that modules in these folders have."""
    own = {
        entry.removesuffix(".py")
        for place in places
        for entry in (os.listdir(place) if os.path.isdir(place) else ())
        if entry.endswith(".py") or os.path.isfile(os.path.join(place, entry, "__init__.py"))
    }
    gone = {name for name in own & LOADED_AHEAD if not name.startswith("_")}
    for name in [name for name in sys.modules if name.partition(".")[0] in gone]:
        del sys.modules[name]


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
    _put_own_first(places)
    sys.path[:0] = places
    sys.dont_write_bytecode = True
    LAYOUT.set(folder, places)
    absent = Absent()
    sys.meta_path[:0] = [_Closed(folder, absent, forbidden), _Own(folder, places, absent)]
    sys.meta_path += [_Elsewhere(folder, absent), absent]
    clock.CLOCK.budget_s = statement_s
    Loading.is_students = staticmethod(lambda value: _is_students(value, folder))
    Loading.forbidden = forbidden
    Loading.active = True
    try:
        module = importlib.import_module(name)
    finally:
        Loading.active = False
    record = statements.RECORD
    made = [[name, package] for name, package in record.made.items() if name in record.used]
    return Loaded(module, absent.packages, record.skipped, definitions.hidden(module), made)


def _is_students(value: Any, folder: str) -> bool:
    """Say whether a value is a function or a class that the student's code defines."""
    if isinstance(value, types.FunctionType):
        return value.__code__.co_filename.startswith(folder)
    if isinstance(value, type):
        return value.__module__ in statements.RECORD.failures
    return False


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
        raise UndefinedFunctionError(definitions.instead(module, name))
    return function
