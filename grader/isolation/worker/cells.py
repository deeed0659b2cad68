"""Running a module that was a notebook: cell by cell, statement by statement.

A notebook holds demonstrations next to its functions. One that fails (a plot, a missing file) must
not cost the functions below it, so an exception ends only its own statement. What that statement
would have defined is remembered with the exception, so that a message can say why it is missing.
Intake (``grader/intake/notebook.py``) writes the files that are read here.
"""

from __future__ import annotations
import __future__

import ast
import importlib.machinery
import importlib.util
import json
import linecache
import os
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

MARK = "# cells: "  # begins the first line of a module made from a notebook; JSON follows
MAX_FAILURES = 200  # statements whose exceptions are kept, with their frames
DEFINED = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)
FUTURE = 0
for _name in __future__.all_feature_names:
    FUTURE |= getattr(__future__, _name).compiler_flag

Absent = Callable[[ModuleNotFoundError], bool]  # whether to try the import again
_failures: dict[str, dict[str, BaseException]] = {}  # module: missing name: why


def failure_of(module: str, name: str) -> BaseException | None:
    """Return the exception that kept ``name`` out of a module that was a notebook."""
    return _failures.get(module, {}).get(name)


def why_undefined(name: str) -> BaseException | None:
    """Return the exception that kept the global ``name`` out of any notebook."""
    return next((found[name] for found in _failures.values() if name in found), None)


def is_notebook(file: str) -> bool:
    """Say whether a source file was made from a notebook."""
    try:
        with open(file, "rb") as source:
            return source.read(len(MARK)) == MARK.encode()
    except OSError:
        return False


class CellLoader(importlib.machinery.SourceFileLoader):
    """Loads a module that was made from a notebook."""

    def __init__(self, name: str, path: str, folder: str, absent: Absent) -> None:
        super().__init__(name, path)
        self._folder = folder
        self._absent = absent

    def exec_module(self, module: ModuleType) -> None:
        """Run the cells in order, in the module's namespace."""
        failures = _failures[module.__name__] = {}
        source = self.get_data(self.path).decode("utf-8")
        lines = source.split("\n")
        header = json.loads(lines[0][len(MARK) :])
        starts = header["starts"]
        namespace = module.__dict__
        namespace["display"] = _display
        flags = 0
        for index, start in enumerate(starts):
            stop = starts[index + 1] - 2 if index + 1 < len(starts) else len(lines)
            text = "\n".join(lines[start - 1 : stop]) + "\n"
            file = os.path.join(self._folder, f"{header['notebook']}, cell {index + 1}")
            linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
            try:
                tree = ast.parse(text, file)
            except Exception as error:
                _remember(failures, DEFINED.findall(text), error)
                continue
            for statement in tree.body:
                flags |= self._run(statement, file, flags, namespace, failures)

    def _run(
        self,
        statement: ast.stmt,
        file: str,
        flags: int,
        namespace: dict[str, Any],
        failures: dict[str, BaseException],
    ) -> int:
        """Run one statement; return the flags of ``from __future__`` that it sets."""
        while True:
            try:
                body = ast.Module([statement], [])
                code = compile(body, file, "exec", flags=flags, dont_inherit=True)
                exec(code, namespace)  # noqa: S102 - student code, where student code runs
            except ModuleNotFoundError as error:
                if self._absent(error):
                    continue
                _remember(failures, _names(statement), error)
            except BaseException as error:
                _remember(failures, _names(statement), error)
            else:
                return int(code.co_flags & FUTURE)
            return 0


def spec_of(
    name: str, file: str, folder: str, absent: Absent
) -> importlib.machinery.ModuleSpec | None:
    """Return how to import ``file`` as ``name``, whether or not it was a notebook."""
    if is_notebook(file):
        loader = CellLoader(name, file, folder, absent)
        return importlib.util.spec_from_file_location(name, file, loader=loader)
    return importlib.util.spec_from_file_location(name, file)


def _remember(failures: dict[str, BaseException], names: list[str], error: BaseException) -> None:
    for name in names:
        if len(failures) < MAX_FAILURES:
            failures[name] = error


def _names(statement: ast.stmt) -> list[str]:
    """Return the names that a statement seems to assign."""
    names: list[str] = []
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
        elif isinstance(node, ast.alias):
            names.append(node.asname or node.name.partition(".")[0])
    return names


def _display(*_objects: object, **_options: object) -> None:
    """Replace Jupyter's ``display``, which every notebook has."""
