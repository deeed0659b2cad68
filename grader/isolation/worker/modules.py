"""Imports a student's module, even if a package that it names is not installed.

One missing ``import seaborn`` at the top of a file must not cost the functions that never use it.
A package that cannot be found is replaced with a stand-in. While the file loads, the stand-in can
be imported, assigned and used as a decorator; it raises as soon as a function really uses it.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from . import cells

MAX_MISSING = 20  # more absent packages than any homework imports
NOT_FOR_STUDENTS = frozenset(["grader", "reference", "pytest", "_pytest", "_dlg"])


class MissingPackageError(ModuleNotFoundError):
    """Student code used a package that is not installed where it is graded."""

    def __init__(self, package: str) -> None:
        super().__init__(f"the package {package!r} is not installed in the grader")
        self.package = package


class UndefinedFunctionError(Exception):
    """The module has no function with the name that the rubric asks for."""


class _Loading:
    active = False


class StandIn(ModuleType):
    """Replaces a missing package, its submodules and everything inside them."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__all__: list[str] = []

    def _use(self) -> StandIn:
        package = self.__name__.partition(".")[0]
        if not _Loading.active:
            raise MissingPackageError(package)
        return StandIn(f"{package}.unknown")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self._use()

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        """Act as a decorator, a class or a function of the package."""
        return self._use()

    def __getitem__(self, _key: Any) -> Any:
        return self._use()

    def __mro_entries__(self, _bases: Any) -> tuple[type, ...]:
        return (object,)


class _Finder:
    """Finds a stand-in for packages that cannot be found otherwise."""

    def __init__(self) -> None:
        self.missing: list[str] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if name.partition(".")[0] not in self.missing:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return the stand-in for a package."""
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: a stand-in has no content."""
        del module


class _Closed:
    """Hides packages: they count as missing, unless the submission has its own.

    These are the grader's own packages and those that the rubric forbids. The forbidden ones can be
    imported, since an unused import does no harm, and raise where they are used.
    """

    def __init__(self, folder: str, missing: _Finder, forbidden: tuple[str, ...]) -> None:
        self._folder = folder
        self._missing = missing
        self._forbidden = forbidden

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        top = name.partition(".")[0]
        if top not in NOT_FOR_STUDENTS and top not in self._forbidden:
            return None
        own = importlib.machinery.PathFinder.find_spec(top, [self._folder])
        if own is not None and own.loader is not None:
            return own if name == top else None
        if top in self._forbidden and top not in self._missing.missing:
            self._missing.missing.append(top)
        stand_in = self._missing.find_spec(name)
        if stand_in is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return stand_in


class _Notebooks:
    """Finds the modules in the submission that were notebooks."""

    def __init__(self, folder: str, places: Sequence[str], absent: cells.Absent) -> None:
        self._folder = folder
        self._places = places
        self._absent = absent

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        del target
        if path is not None:
            return None
        for place in self._places:
            file = os.path.join(place, f"{name}.py")
            if cells.is_notebook(file):
                return cells.spec_of(name, file, self._folder, self._absent)
            if os.path.exists(file):
                return None
        return None


class _Elsewhere:
    """Finds a student's own helper in another folder of the submission, if there is only one."""

    def __init__(self, folder: str, absent: cells.Absent) -> None:
        self._folder = folder
        self._absent = absent
        self._files: dict[str, list[str]] | None = None

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        del target
        if path is not None or "." in name:
            return None
        if self._files is None:
            self._files = self._found()
        files = self._files.get(name, [])
        return (
            cells.spec_of(name, files[0], self._folder, self._absent) if len(files) == 1 else None
        )

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


def load(folder: str, name: str, forbidden: tuple[str, ...] = ()) -> tuple[ModuleType, list[str]]:
    """Import ``name`` from ``folder``; return the module and the packages that are missing.

    ``name`` may lie in a folder of the submission (``q3/rnn_layers``), which then comes first on
    the path. ``forbidden`` are packages that count as missing though they may be installed.

    Raises whatever the module raises while it is imported.
    """
    within, name = os.path.split(name)
    places = [os.path.join(folder, within), folder] if within else [folder]
    sys.path[:0] = places
    sys.dont_write_bytecode = True
    finder = _Finder()

    def absent(error: ModuleNotFoundError) -> bool:
        """Note a package as missing; say whether there is a stand-in for it now."""
        top = (error.name or "").partition(".")[0]
        hopeless = not top or top in finder.missing or top == name or top in sys.modules
        if hopeless or len(finder.missing) == MAX_MISSING:
            return False
        finder.missing.append(top)
        return True

    sys.meta_path[:0] = [_Closed(folder, finder, forbidden), _Notebooks(folder, places, absent)]
    sys.meta_path += [_Elsewhere(folder, absent), finder]
    known = set(sys.modules)
    _Loading.active = True
    try:
        while True:
            try:
                return importlib.import_module(name), finder.missing
            except ModuleNotFoundError as error:
                if not absent(error):
                    raise
                for added in set(sys.modules) - known:
                    if _is_from(sys.modules[added], folder):
                        del sys.modules[added]
    finally:
        _Loading.active = False


def _is_from(module: ModuleType, folder: str) -> bool:
    # Not __file__, which may tell where the file was before it was staged.
    spec = getattr(module, "__spec__", None)
    return str(getattr(spec, "origin", None) or "").startswith(folder)


def find_function(module: ModuleType, name: str) -> Any:
    """Return ``module.name``.

    Raises:
        UndefinedFunctionError: there is none, or it cannot be called.
        BaseException: the exception that kept a notebook's cell from defining it.
    """
    function = getattr(module, name, None)
    if function is None and (failed := cells.failure_of(module.__name__, name)) is not None:
        raise failed
    if isinstance(function, StandIn):
        raise MissingPackageError(function.__name__.partition(".")[0])
    if not callable(function):
        raise UndefinedFunctionError(name)
    return function
