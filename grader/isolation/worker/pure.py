"""Proves that a program is pure: no call of its functions can leave anything behind for another.

Such a program needs no process of its own for each check. The proof reads the text before a line of
it runs, and takes a small part of Python: functions of arrays, numbers and containers, which bind
local names only, read what numpy and the module define, and reach no attribute but those in
``pure_names.py``. All that lives longer than a call is then a function, a class or an immutable
value, and none of them can be changed. What is outside this part is not wrong, only not proven.
"""

from __future__ import annotations

import ast
import builtins
import os
import sys
from collections.abc import Collection

from . import cells
from .pure_function import (
    ANNOTATION,
    EMPTY,
    FunctionProof,
    Known,
    NotProvenError,
    all_in,
    check_arguments,
    check_fixed,
)
from .pure_names import ATTRIBUTES, MATH, NUMPY, TYPES, TYPING

MAX_SOURCE = 256 * 1024  # bytes of all files together
MAX_FILES = 8
MAX_NAMES = 1000  # of a module


def prove(
    folder: str, name: str, trees: dict[str, ast.Module], closed: Collection[str] = ()
) -> bool:
    """Prove a program pure; say whether it may use memory that was not written (``np.empty``).

    Args:
        folder: where it lies.
        name: the module's, or its path without the ending: ``q3/rnn_layers``.
        trees: takes what its files hold.
        closed: names of packages that are not looked for among its files.

    Raises:
        NotProvenError: it is outside the part of Python that the proof takes.
        OSError, SyntaxError, ValueError, RecursionError: a file cannot be read.
    """
    program = _Program(folder, os.path.dirname(name), trees, closed)
    program.module(os.path.basename(name))
    return bool(program.unwritten)


class _Program:
    """The modules of a program."""

    def __init__(
        self, folder: str, within: str, trees: dict[str, ast.Module], closed: Collection[str]
    ) -> None:
        self._closed = closed
        self._places = [os.path.join(folder, within), folder] if within else [folder]
        self._modules: dict[str, Known | None] = {}
        self._size = 0
        self._trees = trees
        self.unwritten: list[str] = []  # what gives memory that was not written

    def path(self, name: str) -> str | None:
        """Return the file of a module of the program's own."""
        for place in self._places:
            if os.path.isdir(os.path.join(place, name)):
                raise NotProvenError(f"{name} is a folder, too")
            path = os.path.join(place, f"{name}.py")
            if os.path.isfile(path):
                known = (sys.modules, sys.stdlib_module_names, self._closed)
                if any(name in names for names in known):
                    raise NotProvenError(f"{name} is the name of another module, too")
                return path
        return None

    def module(self, name: str) -> Known:
        """Prove a module, and those that it imports."""
        path = self.path(name)
        if path is None:
            raise NotProvenError(f"{name} is not there")
        if path in self._modules:
            known = self._modules[path]
            if known is None:
                raise NotProvenError("modules import each other")
            return known
        if len(self._modules) == MAX_FILES:
            raise NotProvenError("there are many files")
        self._modules[path] = None
        with open(path, "rb") as file:
            source = file.read(MAX_SOURCE + 1)
        self._size += len(source)
        if self._size > MAX_SOURCE:
            raise NotProvenError("the files are large")
        if source.startswith(cells.MARK.encode()):
            raise NotProvenError("it was a notebook")
        tree = self._trees[path] = ast.parse(source, path)
        made = self._modules[path] = _Reader(self).read(tree)
        return made


class _Reader:
    """Reads the statements of one module."""

    def __init__(self, program: _Program) -> None:
        self._program = program
        self._known = Known(unwritten=program.unwritten)

    def read(self, tree: ast.Module) -> Known:
        """Return what the names of the module mean; raises ``NotProvenError``."""
        known = self._known
        functions: list[ast.FunctionDef] = []
        for statement in tree.body:
            self._statement(statement, functions)
        kinds = list(known.kinds())
        names = set().union(*kinds)
        if sum(map(len, kinds)) != len(names):
            raise NotProvenError("a name has two meanings")
        if len(names) > MAX_NAMES:
            raise NotProvenError("there are many names")
        if any(name.startswith("__") for name in names):
            raise NotProvenError("a name is one of Python's own")
        if any(hasattr(builtins, name) for name in names - known.functions):
            raise NotProvenError("a name of Python's means something else")
        for name in known.fields - ATTRIBUTES:
            if name.startswith("_") or any(hasattr(one, name) for one in TYPES):
                raise NotProvenError(f"a field is called {name}")
        for function in functions:
            FunctionProof(known, function).check()
        return known

    def _statement(self, node: ast.stmt, functions: list[ast.FunctionDef]) -> None:
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.Import():
                for alias in node.names:
                    self._import(alias.name, alias.asname)
            case ast.ImportFrom(module=str(name), level=0):
                for alias in node.names:
                    self._import_from(name, alias.name, alias.asname or alias.name)
            case ast.FunctionDef():
                self._define(node)
                functions.append(node)
            case ast.ClassDef():
                self._class(node)
            case _:
                self._assignment(node)

    def _assignment(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._assign(name, value)
            case ast.AnnAssign(
                target=ast.Name(id=name), annotation=kind, value=ast.expr() as value
            ):
                all_in(kind, ANNOTATION)
                self._assign(name, value)
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=alias), attr=name)],
                value=ast.Name(id=function),
            ):
                self._replace(alias, name, function)
            case ast.If(test=test, orelse=[]) if _is_for_scripts(test):
                pass  # it never runs here
            case _:
                raise NotProvenError(f"{type(node).__name__}, line {node.lineno}")

    def _replace(self, alias: str, name: str, function: str) -> None:
        """Take ``layers.step = step``: a function that goes into a module in another's place."""
        known = self._known.own.get(alias)
        theirs = known.functions if known is not None else set()
        if name not in theirs or function not in self._known.functions:
            raise NotProvenError(f"{alias}.{name} is set")

    def _import(self, name: str, alias: str | None) -> None:
        if self._program.path(name.partition(".")[0]) is not None:
            if "." in name:
                raise NotProvenError("it has packages")
            self._known.own[alias or name] = self._program.module(name)
        elif name in ("numpy", "math"):
            getattr(self._known, name).add(alias or name)
        else:
            raise NotProvenError(f"it imports {name}")

    def _import_from(self, source: str, name: str, alias: str) -> None:
        known = self._known
        if self._program.path(source.partition(".")[0]) is not None:
            other = self._program.module(source)
            if name == "*":
                known.take(other)
            elif name in other.functions:
                known.functions.add(alias)
            elif name in other.values:
                known.values.add(alias)
            else:
                raise NotProvenError(f"it imports {name} of {source}")
            return
        match source, name:
            case "__future__", "annotations":
                pass
            case "numpy", name if name in NUMPY - {*EMPTY, "linalg"}:
                known.values.add(alias)
            case "math", name if name in MATH:
                known.values.add(alias)
            case "typing", name if name in TYPING:
                known.typing.add(alias)
            case ("collections", "namedtuple") | ("dataclasses", "dataclass"):
                known.helpers[alias] = name
            case _:
                raise NotProvenError(f"it imports {name} of {source}")

    def _define(self, node: ast.FunctionDef) -> None:
        if node.decorator_list or getattr(node, "type_params", []):
            raise NotProvenError(f"{node.name} is more than a function")
        check_arguments(node.args, self._known)
        if node.returns is not None:
            all_in(node.returns, ANNOTATION)
        self._known.functions.add(node.name)

    def _class(self, node: ast.ClassDef) -> None:
        """Take a class that has fields only."""
        decorators = [ast.unparse(one) for one in node.decorator_list]
        known = all(self._known.helpers.get(one) == "dataclass" for one in decorators)
        more = node.bases or node.keywords or getattr(node, "type_params", [])
        if more or not known:
            raise NotProvenError(f"{node.name} is more than a record")
        for statement in node.body:
            match statement:
                case ast.Pass() | ast.Expr(value=ast.Constant()):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=None):
                    all_in(kind, ANNOTATION)
                    self._known.fields.add(name)
                case ast.Assign(targets=[ast.Name(id="__slots__")], value=ast.Tuple(elts=slots)):
                    self._known.fields |= {_text(slot) for slot in slots}
                case _:
                    raise NotProvenError(f"{node.name} is more than a record")
        self._known.classes.add(node.name)

    def _assign(self, name: str, value: ast.expr) -> None:
        match value:
            case ast.Call(func=ast.Name(id=helper), args=[ast.Constant(), fields], keywords=[]) if (
                self._known.helpers.get(helper) == "namedtuple"
            ):
                elements = fields.elts if isinstance(fields, ast.List | ast.Tuple) else [fields]
                names = [_text(one) for one in elements]
                self._known.fields |= set(" ".join(names).replace(",", " ").split())
                self._known.classes.add(name)
                return
        check_fixed(value, self._known)
        self._known.values.add(name)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise NotProvenError("a field has no fixed name")


def _is_for_scripts(test: ast.expr) -> bool:
    match test:
        case ast.Compare(
            left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant("__main__")]
        ):
            return True
    return False
