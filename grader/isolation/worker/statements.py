"""Running a student's module statement by statement.

A file of functions also holds demonstrations, tests and training runs of its author's. One that
fails, or that takes minutes, must not cost the functions around it: an exception ends its statement
only, and so does its share of time. What the statement would have defined is remembered with the
exception: a message can then say why it is not there. Notebooks are run the same way, cell by cell;
intake (``grader/intake/notebook.py``) makes one file of a notebook.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import importlib.machinery
import importlib.util
import linecache
import os
import re
import sys
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any

from .absent import Absent, Loading, MissingPackageError, StandIn
from .cells import cells_of, is_notebook
from .clock import CLOCK, Place, TakesTooLongError, is_quick
from .layout import LAYOUT
from .moments import Moments
from .newer import newer_in

MAX_FAILURES = 200  # statements whose exceptions are kept, with their frames
MAX_TOLD = 20  # skipped statements that the grader hears of
MAX_TEXT = 100  # characters of a statement or an exception
DEFINED = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)
TREES: dict[str, ast.Module] = {}  # what files hold that have been parsed already
PROVEN: set[str] = set()  # the only files that are run, if there are any
FUTURE = 0
for _name in __future__.all_feature_names:
    FUTURE |= getattr(__future__, _name).compiler_flag


class LeftOutError(BaseException):
    """A statement has ended an earlier worker, and is left out of this one; says how."""


@dataclass
class Record:
    """What happened while the student's modules were loaded."""

    failures: dict[str, dict[str, BaseException]] = field(default_factory=dict)
    skipped: list[list[Any]] = field(default_factory=list)  # file, line, text, exception's type
    made: dict[str, str] = field(default_factory=dict)  # names computed from stand-ins: package
    used: set[str] = field(default_factory=set)  # names that functions use
    stars: dict[str, list[str]] = field(default_factory=dict)  # module: packages of import *
    left_out: dict[Place, str] = field(default_factory=dict)  # how each has ended a worker
    moments: Moments = field(default_factory=Moments)


RECORD = Record()


def failure_of(module: str, name: str) -> BaseException | None:
    """Return the exception that kept ``name`` out of a student's module."""
    return RECORD.failures.get(module, {}).get(name)


def why_undefined(name: str) -> BaseException | None:
    """Return the exception that kept the global ``name`` out of any module."""
    return next((found[name] for found in RECORD.failures.values() if name in found), None)


def star_package() -> str | None:
    """Return a missing package that a module takes all names from, if there is one."""
    return next((package for found in RECORD.stars.values() for package in found), None)


class StudentLoader(importlib.machinery.SourceFileLoader):
    """Loads a module that a student wrote, as a file or as a notebook."""

    def __init__(self, name: str, path: str, folder: str, absent: Absent) -> None:
        super().__init__(name, path)
        self._folder = folder
        self._absent = absent

    def exec_module(self, module: ModuleType) -> None:
        """Run the statements in order, in the module's namespace."""
        failures = RECORD.failures[module.__name__] = {}
        run = _Statements(module, self._folder, self._absent, failures)
        if PROVEN and self.path not in PROVEN:
            raise ImportError(f"{self.path} was not looked at")
        if not is_notebook(self.path):
            file = self.path
            known = TREES.pop(file, None)
            tree = known if known is not None else ast.parse(self.get_data(file), file)
            module.__doc__ = ast.get_docstring(tree, clean=False)
            run.all(tree, file)
            return
        module.__dict__["display"] = _display
        notebook, cells = cells_of(self.get_data(self.path).decode("utf-8"))
        for number, text in cells:
            file = os.path.join(self._folder, f"{notebook}, cell {number}")
            linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
            try:
                tree = ast.parse(text, file)
            except Exception as error:
                _remember(failures, DEFINED.findall(text), error)
                continue
            run.all(tree, file)


class _Statements:
    """Runs the statements of one module."""

    def __init__(
        self,
        module: ModuleType,
        folder: str,
        absent: Absent,
        failures: dict[str, BaseException],
    ) -> None:
        self._module = module
        self._folder = folder
        self._absent = absent
        self._failures = failures
        self._flags = 0

    def all(self, tree: ast.Module, file: str) -> None:
        """Run the statements of a file or a cell."""
        package = self._module.__package__ or ""
        LAYOUT.prepare(tree, package, os.path.dirname(self._module.__file__ or file))
        for statement in tree.body:
            for part in self._parts(statement):
                self._run(part, file)

    def _parts(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return an import as one statement for each name; each of them can be missing."""
        if isinstance(statement, ast.ImportFrom):
            if statement.module == "__future__":
                return [statement]
            return [
                ast.copy_location(ast.ImportFrom(statement.module, [a], statement.level), statement)
                for a in statement.names
            ]
        if isinstance(statement, ast.Import):
            return [ast.copy_location(ast.Import([a]), statement) for a in statement.names]
        return [statement]

    def _run(self, statement: ast.stmt, file: str) -> None:
        """Run one statement, again if something that it imports was found missing."""
        place = (self._shown(file), statement.lineno, statement.col_offset)
        if place in RECORD.left_out:
            how = RECORD.left_out[place]
            Loading.used.clear()
            self._skip(statement, file, LeftOutError(how) if how else TakesTooLongError())
            return
        while True:
            Loading.used.clear()
            try:
                body = ast.Module([statement], [])
                code = compile(body, file, "exec", flags=self._flags, dont_inherit=True)
                RECORD.moments.note(statement, code)
                if is_quick(statement):
                    exec(code, self._module.__dict__)  # noqa: S102 - where student code runs
                else:
                    CLOCK.execute(code, self._module.__dict__, place)
            except ImportError as error:
                if self._is_missing(statement, error):
                    continue
                self._skip(statement, file, error)
            except BaseException as error:
                self._skip(statement, file, error)
            else:
                self._flags |= int(code.co_flags & FUTURE)
                self._note_star(statement)
                self._note_made(statement)
                RECORD.used |= _names_in_functions(code)
            return

    def _note_star(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            package = self._absent.covers(statement.module or "")
            if package is not None:
                RECORD.stars.setdefault(self._module.__name__, []).append(package)

    def _note_made(self, statement: ast.stmt) -> None:
        """Remember which names a statement gave a value, or none, because of a stand-in."""
        if not Loading.used:
            return
        module, package = self._module, Loading.used[0]
        for name in _names(statement):
            value = module.__dict__.get(name)
            if name not in module.__dict__:
                _remember(self._failures, [name], MissingPackageError(package))
            elif not isinstance(value, ModuleType) and not callable(value):
                RECORD.made.setdefault(name, package)

    def _is_missing(self, statement: ast.stmt, error: ImportError) -> bool:  # noqa: PLR0911
        """Put a stand-in where an import failed; say whether the import is worth a second try."""
        if isinstance(error, MissingPackageError):
            return False
        name = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            # Deep in a condition or a loop: what is missing is known by its name only.
            return bool(name) and self._is_ours(error) and self._absent.add(_missing_part(name))
        target = _module_of(statement)
        if self._belongs(target):
            return False  # the student's own file, which lacks the name or failed itself
        if name and self._is_ours(error):
            return self._absent.add(_missing_part(name))
        if isinstance(error, ModuleNotFoundError) and name:
            # An installed package that cannot be imported because another one is missing.
            return self._absent.add(target, name.partition(".")[0])
        if isinstance(statement, ast.ImportFrom) and self._is_ours(error):
            (alias,) = statement.names
            label = f"{target}.{alias.name}"
            self._module.__dict__[alias.asname or alias.name] = StandIn(label)
            self._absent.add(label)
            return False
        return self._absent.add(target)

    def _is_ours(self, error: BaseException) -> bool:
        """Say whether the import that failed stands in the student's own code."""
        last = ""
        trace = error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if not file.startswith("<frozen importlib"):
                last = file
            trace = trace.tb_next
        return last.startswith(self._folder) or last == __file__

    def _belongs(self, target: str) -> bool:
        """Say whether a module is one of the student's own."""
        module = sys.modules.get(target)
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        return str(origin or "").startswith(self._folder)

    def _skip(self, statement: ast.stmt, file: str, error: BaseException) -> None:
        """Go on without a statement, and remember what it would have defined."""
        names = _names(statement)
        if Loading.used and not isinstance(error, TakesTooLongError):
            # It failed over a stand-in: what it would have made is missing with the package.
            for name in names:
                self._module.__dict__.setdefault(name, StandIn(Loading.used[0]))
        if isinstance(statement, ast.Import | ast.ImportFrom) and all(
            name in self._module.__dict__ for name in names
        ):
            return
        _remember(self._failures, names, error)
        if len(RECORD.skipped) < MAX_TOLD:
            with contextlib.suppress(Exception):
                text = ast.unparse(statement).splitlines()[0][:MAX_TEXT]
                place = [self._shown(file), statement.lineno]
                RECORD.skipped.append([*place, text, _worded(error)])

    def _shown(self, file: str) -> str:
        return os.path.relpath(file, self._folder)


def _worded(error: BaseException) -> str:
    if isinstance(error, TakesTooLongError):
        return ""
    words = str(error)[:MAX_TEXT]
    if isinstance(error, LeftOutError):
        return words
    if newer := newer_in(error):
        words += f"; {newer}"
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _module_of(statement: ast.Import | ast.ImportFrom) -> str:
    if isinstance(statement, ast.ImportFrom):
        return statement.module or ""
    return statement.names[0].name


def _names_in_functions(code: CodeType) -> set[str]:
    """Return the global names that the functions and classes of a statement mention."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return {name for each in inner for name in (*each.co_names, *_names_in_functions(each))}


def _missing_part(name: str) -> str:
    """Return the shortest part of a dotted name that cannot be found."""
    parts = name.split(".")
    for count in range(1, len(parts)):
        part = ".".join(parts[:count])
        with contextlib.suppress(ImportError, ValueError, AttributeError):
            if part in sys.modules or importlib.util.find_spec(part) is not None:
                continue
        return part
    return name


def spec_of(
    name: str, file: str, folder: str, absent: Absent
) -> importlib.machinery.ModuleSpec | None:
    """Return how to import a student's ``file`` under ``name``."""
    inside = [os.path.dirname(file)] if os.path.basename(file) == "__init__.py" else None
    loader = StudentLoader(name, file, folder, absent)
    return importlib.util.spec_from_file_location(
        name, file, loader=loader, submodule_search_locations=inside
    )


def _remember(failures: dict[str, BaseException], names: list[str], error: BaseException) -> None:
    for name in names:
        if len(failures) < MAX_FAILURES:
            failures[name] = error


def _names(statement: ast.stmt) -> list[str]:
    """Return the names that a statement gives a value, as far as can be seen."""
    names: list[str] = []
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
        elif isinstance(node, ast.alias) and node.name != "*":
            names.append(node.asname or node.name.partition(".")[0])
    return names


def _display(*_objects: object, **_options: object) -> None:
    """Stand for Jupyter's ``display``, which every notebook has."""
