"""What is in an open notebook: the cells that were run, as far as they still count.

A saved notebook holds its cells in their order on the page. An open one knows which were run, how
they read then, and in which order; that made the functions as they are now.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

from grader.frontends.student.staged import LiveModule
from grader.intake.notebook import python_of
from grader.intake.places import Wanted

NAME = "this notebook"  # as messages call it
# The check itself is not checked.
OURS = re.compile(
    r"(^[ \t]*|;[ \t]*)(?:grader\.check\([^()\n]*\)|import[ \t]+grader)(?=[ \t]*(?:;|#|$))",
    re.MULTILINE,
)
OUR_RESULT = re.compile(r"(?<![\w.])grader\.check\([^()\n]*\)")  # r = grader.check("q1")
DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def live_modules(shell: Any, asked: Wanted) -> dict[str, LiveModule]:
    """Return the modules of which an open notebook defines a function.

    Args:
        shell: IPython's.
        asked: the modules of the homework, with the functions that each must have.
    """
    names = {name for name, value in shell.user_ns.items() if _is_defined_here(value)}
    wanted = [module for module, functions in asked.items() if names & set(functions)]
    if not wanted:
        return {}
    module = LiveModule(NAME, tuple(cells_that_count(shell.history_manager.input_hist_raw)))
    return dict.fromkeys(wanted, module)


def _is_defined_here(value: object) -> bool:
    return callable(value) and getattr(value, "__module__", "") == "__main__"


def cells_that_count(history: Sequence[str]) -> list[tuple[int, str]]:
    """Return the cells that were run, as Python, each with the number that the notebook shows.

    A cell that was run again counts once, and an older version of a cell not at all: all that it
    defines was defined again later.

    Args:
        history: the text of each cell in the order in which they were run, from number 0.
    """
    counted: list[tuple[int, str]] = []
    texts: set[str] = set()
    later: set[str] = set()
    for number in range(len(history) - 1, 0, -1):
        text = OURS.sub(r"\1pass", python_of(history[number]))
        text = OUR_RESULT.sub("None", text)
        if not text.strip() or text in texts:
            continue
        texts.add(text)
        functions, names = _defined(text)
        if functions and names <= later:
            continue
        later |= names
        counted.append((number, text))
    return counted[::-1]


def _defined(text: str) -> tuple[set[str], set[str]]:
    """Return the functions and classes that a cell defines, and all names that it binds."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    functions = {one.name for one in tree.body if isinstance(one, DEFINES)}
    bound = {
        name.id
        for statement in tree.body
        if not isinstance(statement, DEFINES)
        for name in ast.walk(statement)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for statement in tree.body
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for alias in statement.names
    }
    return functions, functions | bound | imported
