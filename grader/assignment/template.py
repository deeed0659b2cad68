"""What the template lacks that a rubric names: found in its source, nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from grader.model import CheckSpec, Question
from grader.readers.texts import did_you_mean

Place = tuple[str | int, ...]  # keys of the rubric, from the question on


class Template:
    """The folder that students receive. Only its Python files are read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = sorted(folder.rglob("*.py"), key=lambda path: len(path.parts), reverse=True)
        self._files = {path.name: path for path in found if path.is_file()}
        # A notebook becomes the module whose functions it defines, whatever its name.
        self._has_notebook = any(folder.rglob("*.ipynb"))

    def problems(
        self, question: Question, checks: Mapping[int, CheckSpec]
    ) -> Iterator[tuple[Place, str, str]]:
        """Yield what is missing for a question: its place in the question's keys, a key, a text.

        Args:
            question: the question.
            checks: those of its checks that can be read, by their positions.
        """
        asked: dict[str, list[tuple[Place, CheckSpec]]] = {}
        for index, check in checks.items():
            if check.functions:
                module = check.module or question.module
                asked.setdefault(module, []).append((("checks", index), check))
        for module, users in asked.items():
            path = self._files.get(module)
            if path is None:
                where, check = users[0]
                own = check.module is not None
                label = check.id if own else question.id
                if not self._has_notebook:
                    place = (*(where if own else ()), "module")
                    yield place, f"{label}: module", self._absent(module)
                continue
            yield from self._of_module(path, users)

    def _absent(self, module: str) -> str:
        near = did_you_mean(module, sorted(self._files))
        return f"{self._folder.name}/{module}: the template has no such file{near}"

    def _of_module(
        self, path: Path, users: Iterable[tuple[Place, CheckSpec]]
    ) -> Iterator[tuple[Place, str, str]]:
        shown = f"{self._folder.name}/{path.relative_to(self._folder).as_posix()}"
        users = list(users)
        where, first = users[0]
        try:
            names = bound(ast.parse(path.read_bytes()))
        except OSError as error:
            yield where, first.id, f"{shown}: cannot be read: {error.strerror}"
            return
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            words = error.msg if isinstance(error, SyntaxError) else str(error)
            yield where, first.id, f"{shown}{line}: this is not Python: {words}"
            return
        for where, check in users if names is not None else ():
            for name in dict.fromkeys(check.functions):
                if names is not None and name not in names:
                    key = check.key_of(name)
                    meant = did_you_mean(name, sorted(names))
                    text = f"{shown} has no function {name!r}{meant}"
                    yield (*where, key), f"{check.id}: {key}", text


def bound(tree: ast.Module) -> frozenset[str] | None:
    """Return the names that a module binds; None if a star import may bind any others."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)  # what is inside it is its own
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        else:
            waiting += ast.iter_child_nodes(node)
    return None if "*" in names else frozenset(names)
