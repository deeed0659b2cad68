"""Where a student's file defines its functions: for messages about one that is not there or hidden.

A function can be misspelt, lie in a class, be defined twice, or be replaced further down by a stub
or by ``from template import *``. Lines are those of the file, or of the cell of a notebook.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from types import ModuleType
from typing import Any

from .blocks import blocks
from .cells import cells_of, is_notebook
from .layout import LAYOUT

MAX_SOURCE = 4 * 1024 * 1024  # bytes of a file that is searched for a function
MAX_SLIPS = 2  # letters that differ between a misspelt name and what was meant
MAX_SHOWN = 60  # characters of a condition
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINED = re.compile(rb"\bdef[\s\\]+([\w\x80-\xff]+)")  # names may have letters of any language
CELL = re.compile(r", cell (\d+)$")


@dataclass(frozen=True)
class Place:
    """Where a statement is: its cell (0 in a file), its lines, and what it stands in."""

    cell: int
    line: int
    last: int = 0
    within: str = ""
    first: int = 0  # the line of its first decorator

    def __str__(self) -> str:
        """Return it in words."""
        return f"cell {self.cell}, line {self.line}" if self.cell else f"line {self.line}"


@dataclass
class _Found:
    functions: dict[str, list[Place]]
    deleted: dict[str, Place]
    assigned: dict[str, Place]
    imports: list[tuple[Place, ast.ImportFrom]]


def hidden(module: ModuleType) -> list[list[str]]:
    """Return the functions of which another definition counts than a reader may think, in words."""
    if _are_plain(module):
        return []
    found = _found(_file(module))
    told = []
    for name, places in found.functions.items():
        top = [place for place in places if not place.within]
        words = _hidden(module, name, top, found.imports) if top else ""
        if words:
            told.append([name, words])
    return told


def _are_plain(module: ModuleType) -> bool:
    """Say whether each function stands once in a file, and is that file's: reading is faster then.

    A notebook's functions are those of its cells.
    """
    try:
        with open(_file(module), "rb") as source:
            names = DEFINED.findall(source.read(MAX_SOURCE))
        codes = [_code(module.__dict__.get(name.decode())) for name in names]
    except (OSError, ValueError):
        return False
    once = len(set(names)) == len(names)
    return once and all(code is None or code.co_filename == _file(module) for code in codes)


def _hidden(
    module: ModuleType,
    name: str,
    places: list[Place],
    imports: list[tuple[Place, ast.ImportFrom]],
) -> str:
    code = _code(module.__dict__.get(name))
    if code is None:
        return ""
    mine = [place for place in places if _is_at(code, place, _file(module))]
    if not mine:
        after = [
            (place, node)
            for place, node in imports
            if (place.cell, place.line) > (places[-1].cell, places[-1].line)
            and any((a.asname or a.name) in (name, "*") for a in node.names)
        ]
        if not after or code.co_filename == _file(module):
            return ""
        place, node = after[-1]
        return (
            f"{name} is defined in {places[-1]}, but `{ast.unparse(node)}` in {place} replaces it"
        )
    if len(places) == 1:
        return ""
    times = "twice" if len(places) == 2 else f"{len(places)} times"  # noqa: PLR2004
    if mine[0] == places[-1]:
        return f"{name} is defined {times} ({_listed(places)}), and Python uses the last one only"
    return (
        f"{name} is defined {times} ({_listed(places)}); the last one failed and was left out, so "
        f"the one of {mine[0]} counts"
    )


def _listed(places: list[Place]) -> str:
    if any(place.cell for place in places):
        return "; ".join(map(str, places))
    return f"lines {', '.join(str(place.line) for place in places)}"


def _code(value: Any) -> Any:
    """Return the code of a function, also of one that is decorated; None if it is not one."""
    try:
        return getattr(inspect.unwrap(value), "__code__", None)
    except Exception:
        return None  # a value whose attributes raise


def _is_at(code: Any, place: Place, file: str) -> bool:
    cell = CELL.search(str(code.co_filename))
    same = int(cell[1]) == place.cell if cell else code.co_filename == file and not place.cell
    return same and place.first <= code.co_firstlineno <= place.last


def instead(module: ModuleType, name: str) -> str:
    """Return why a module has no function ``name``, as far as its file shows it.

    That is what it has in its place, or where it has a function of this or a similar name.
    """
    found = _found(_file(module))
    if name in module.__dict__:
        kind = type(module.__dict__[name]).__name__
        where = f" ({found.assigned[name]})" if name in found.assigned else ""
        return f"{name} is a value of type {kind}, not a function{where}"
    for place in found.functions.get(name, []):
        if place.within:
            return f"{place} defines it {place.within}"
        if name in found.deleted:
            return f"{place} defines it, but {found.deleted[name]} deletes it"
    near = sorted((_slips(other, name), other) for other in found.functions if other != name)
    if near and near[0][0] <= MAX_SLIPS:
        place = found.functions[near[0][1]][0]
        return f"{place} defines {near[0][1]}{' ' if place.within else ''}{place.within}"
    return _in_another_file(module, name)


def _in_another_file(module: ModuleType, name: str) -> str:
    """Return which other file of the submission defines a function outside of anything."""
    pattern = re.compile(
        rb"^(?:async[ \t]+)?def[ \t]+%s\b" % re.escape(name.encode()), re.MULTILINE
    )
    for file in LAYOUT.files():
        try:
            with open(file, "rb") as source:
                found = pattern.search(source.read(MAX_SOURCE))
        except OSError:
            continue
        if found is not None and file != _file(module):
            return f"{os.path.relpath(file, LAYOUT.folder)} defines it, but is not imported"
    return ""


def _slips(one: str, other: str) -> int:
    """Return how many letters differ in two names, however their words are joined and ordered."""
    first, second = ([word.lower() for word in WORDS.findall(name)] for name in (one, other))
    if sorted(first) == sorted(second):
        return 0
    a, b = "".join(first), "".join(second)
    if abs(len(a) - len(b)) > MAX_SLIPS:
        return MAX_SLIPS + 1
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            least = min(row[j] + 1, row[j - 1] + 1, before + (left != right))
            before, row[j] = row[j], least
    return row[-1]


def _file(module: ModuleType) -> str:
    return str(getattr(module.__spec__, "origin", "") or "")


def _trees(file: str) -> Iterator[tuple[int, ast.Module]]:
    """Yield what a student's file holds, or each cell of a notebook; nothing that is damaged."""
    try:
        if os.path.getsize(file) > MAX_SOURCE:
            return
        with open(file, "rb") as source:
            data = source.read()
        parts: list[tuple[int, Any]] = [(0, data)]
        if is_notebook(file):
            parts = [(number, text) for number, text in cells_of(data.decode("utf-8"))[1]]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for number, text in parts:
        try:
            yield number, ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue


def _found(file: str) -> _Found:
    found = _Found({}, {}, {}, [])
    for cell, tree in _trees(file):
        _visit(tree, cell, "", found)
    return found


def _visit(node: ast.AST, cell: int, within: str, found: _Found) -> None:
    for child in chain.from_iterable(blocks(node)):
        inner = within
        if isinstance(child, FUNCTIONS):
            first = min([child.lineno, *(d.lineno for d in child.decorator_list)])
            place = Place(cell, child.lineno, child.end_lineno or child.lineno, within, first)
            found.functions.setdefault(child.name, []).append(place)
            inner = f"inside the function {child.name}"
        elif isinstance(child, ast.ClassDef):
            inner = f"inside the class {child.name}"
        elif isinstance(child, ast.If) and not within:
            inner = _condition(child)
        elif not within:
            _note(child, cell, found)
        _visit(child, cell, inner, found)


def _condition(node: ast.If) -> str:
    test = ast.unparse(node.test)[:MAX_SHOWN]
    if "__name__" in test:
        return f"under `if {test}:`, which does not run when the file is graded"
    return f"under `if {test}:`, which did not run"


def _note(node: ast.AST, cell: int, found: _Found) -> None:
    """Note a statement outside of functions that gives names another meaning."""
    if isinstance(node, ast.ImportFrom):
        found.imports.append((Place(cell, node.lineno), node))
    for name in ast.walk(node) if isinstance(node, ast.Delete | ast.Assign | ast.AnnAssign) else ():
        if isinstance(name, ast.Name) and not isinstance(name.ctx, ast.Load):
            kind = found.deleted if isinstance(name.ctx, ast.Del) else found.assigned
            kind[name.id] = Place(cell, name.lineno)
