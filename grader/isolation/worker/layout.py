"""Where the modules of a submission lie, and which of them an import means.

Courses put their modules into packages (``from cs231n.rnn_layers import *``, ``from ..utils import
f``), and students hand in some of the files, in folders of their own. An import is about the file
whose path ends like the dotted name; of several, the one nearest to the importing module counts.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from .blocks import blocks, nested

MAX_FILES = 5000  # modules that are looked at
MAX_SOURCE = 4 * 1024 * 1024  # bytes of a file that is searched for a name
SUFFIX = ".py"
INIT = "__init__"


@dataclass
class CourseLayout:
    """The modules and folders of a submission, and what its modules import.

    ``places`` are the folders on the path. ``wanted`` holds, by dotted name, what students' code
    takes from modules; nothing in particular if a module is imported as a whole.
    """

    folder: str = ""
    places: Sequence[str] = ()
    wanted: dict[str, set[str]] = field(default_factory=dict)
    _modules: dict[str, list[str]] | None = None
    _folders: dict[str, list[str]] = field(default_factory=dict)

    def set(self, folder: str, places: Sequence[str]) -> None:
        """Describe another submission."""
        self.folder, self.places = folder, places
        self.wanted, self._modules, self._folders = {}, None, {}

    def module(self, name: str, beside: str) -> str | None:
        """Return the file that a module's dotted name means in a file of the folder ``beside``."""
        self._look()
        return _nearest(self._ending(self._modules or {}, name), beside)

    def package(self, name: str, beside: str) -> str | None:
        """Return the folder that a package's dotted name means."""
        self._look()
        return _nearest(self._ending(self._folders, name), beside)

    def files(self) -> list[str]:
        """Return all modules of the submission."""
        self._look()
        return [file for files in (self._modules or {}).values() for file in files]

    def is_course(self, name: str, beside: str) -> bool:
        """Say whether student code imports ``name.module``, and the submission has that module.

        What it takes from the module must be there: ``from keras.layers import Dense`` is not
        about a student's ``layers.py``.
        """
        for dotted, names in self.wanted.items():
            whole = [(f"{name}.{each}", set[str]()) for each in names] if dotted == name else []
            whole += [(dotted, names)] if dotted.startswith(f"{name}.") else []
            for module, needs in whole:
                file = self.module(module, beside)
                if file is not None and _has_any(file, needs):
                    return True
        return False

    def importer(self) -> str:
        """Return the folder of the student's file whose import is running."""
        frame = sys._getframe(1)  # noqa: SLF001 - the machinery of imports does not say
        while frame is not None:
            file = str(frame.f_globals.get("__file__"))
            if file.startswith(self.folder + os.sep):
                return os.path.dirname(file)
            if frame.f_back is None:
                break
            frame = frame.f_back
        return self.places[0] if self.places else self.folder

    def prepare(self, tree: ast.Module, package: str, beside: str) -> None:
        """Note what a module imports, anywhere in it, and let its relative imports work.

        Args:
            tree: the module, or a cell of it; relative imports beyond ``package`` become absolute.
            package: the package that it is loaded in; empty if there is none.
            beside: the folder of its file.
        """
        nodes = list(nested(tree))
        if any(type(node) is ast.ImportFrom and node.level for node in nodes):
            depth = len(package.split(".")) if package else 0
            _Absolute(self, depth, beside).change(tree)
            nodes = list(nested(tree))
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found = self.wanted.setdefault(node.module, set())
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    self.wanted.setdefault(alias.name, set())

    def name_of(self, base: str, module: str) -> str:
        """Return the name to import ``module`` by that lies in the folder ``base``."""
        first = module.partition(".")[0]
        hides = [p for p in self.places if p != base and _is_module(p, first)]
        below = os.path.relpath(base, self.folder).split(os.sep)
        plain = base.startswith(self.folder + os.sep) and all(part.isidentifier() for part in below)
        return ".".join([*below, module]) if plain and hides and _is_module(base, first) else module

    def _look(self) -> None:
        """List all modules and folders by their last names."""
        if self._modules is not None:
            return
        self._modules = {}
        count = 0
        for parent, folders, names in os.walk(self.folder):
            for each in folders:
                self._folders.setdefault(each, []).append(os.path.join(parent, each))
            for file in names:
                stem, suffix = os.path.splitext(file)
                if suffix == SUFFIX and count < MAX_FILES:
                    count += 1
                    name = os.path.basename(parent) if stem == INIT else stem
                    self._modules.setdefault(name, []).append(os.path.join(parent, file))

    def _ending(self, known: dict[str, list[str]], name: str) -> list[str]:
        """Return the paths that agree with as many of the last parts of a name as any does."""
        parts = name.split(".")
        best, found = 0, list[str]()
        for path in known.get(parts[-1], []):
            below = _parts(os.path.relpath(path, self.folder))
            same = 0
            while same < min(len(parts), len(below)) and below[-1 - same] == parts[-1 - same]:
                same += 1
            if same > best:
                best, found = same, []
            if same == best:
                found.append(path)
        return found


LAYOUT = CourseLayout()


class _Absolute:
    """Makes relative imports absolute that lead out of the package, wherever they stand."""

    def __init__(self, layout: CourseLayout, depth: int, beside: str) -> None:
        self._layout = layout
        self._depth = depth
        self._beside = beside

    def change(self, tree: ast.Module) -> None:
        """Change all of them in a module."""
        for node in [tree, *nested(tree)]:
            for block in blocks(node):
                if any(isinstance(one, ast.ImportFrom) for one in block):
                    block[:] = [new for one in block for new in self._changed(one)]

    def _changed(self, node: ast.AST) -> list[ast.AST]:
        if not isinstance(node, ast.ImportFrom) or node.level <= self._depth:
            return [node]
        base = self._beside
        for _up in range(node.level - 1):
            if base != self._layout.folder:
                base = os.path.dirname(base)
        node.level = 0
        if node.module is not None:
            node.module = self._layout.name_of(base, node.module)
            return [node]
        return [self._of_package(node, alias, base) for alias in node.names]

    def _of_package(self, node: ast.ImportFrom, alias: ast.alias, base: str) -> ast.stmt:
        """Return ``from . import name``: of a module beside this one, or of the package itself."""
        made: ast.stmt
        inside = os.path.isfile(os.path.join(base, INIT + SUFFIX))
        if alias.name == "*" or (inside and self._layout.module(alias.name, base) is None):
            made = ast.ImportFrom(INIT, [alias], 0) if inside else ast.Pass()
        else:
            name = self._layout.name_of(base, alias.name)
            parent, _dot, last = name.rpartition(".")
            bound = ast.alias(last, alias.asname)
            made = ast.ImportFrom(parent, [bound], 0) if parent else ast.Import([bound])
        return ast.copy_location(ast.fix_missing_locations(ast.copy_location(made, node)), node)


def _is_module(folder: str, name: str) -> bool:
    return os.path.isfile(os.path.join(folder, name + SUFFIX)) or os.path.isfile(
        os.path.join(folder, name, INIT + SUFFIX)
    )


def _parts(path: str) -> list[str]:
    """Return the parts of a module's name, by its path."""
    parts = path.removesuffix(SUFFIX).split(os.sep)
    return parts[:-1] if parts[-1] == INIT else parts


def _nearest(paths: Sequence[str], beside: str) -> str | None:
    """Return the path nearest to a folder; None if two different ones are equally near."""
    far = {path: _distance(path, beside) for path in paths}
    near = [path for path in paths if far[path] == min(far.values())]
    return near[0] if near and all(_same(near[0], path) for path in near[1:]) else None


def _distance(path: str, folder: str) -> int:
    """Return how many steps lead from a folder to where a file lies."""
    way = os.path.relpath(os.path.dirname(path), folder)
    return 0 if way == os.curdir else len(way.split(os.sep))


def _same(one: str, other: str) -> bool:
    """Say whether two files have the same content."""
    try:
        if os.path.getsize(one) != os.path.getsize(other):
            return False
        with open(one, "rb") as first, open(other, "rb") as second:
            return first.read() == second.read()
    except OSError:
        return False


def _has_any(file: str, names: set[str]) -> bool:
    """Say whether a file may define any of the names, as far as its text shows."""
    if not names or "*" in names:
        return True
    try:
        with open(file, "rb") as source:
            text = source.read(MAX_SOURCE)
    except OSError:
        return False
    star = re.search(rb"import\s+\*", text) is not None
    return star or any(re.search(rb"\b%s\b" % re.escape(n.encode()), text) for n in names)
