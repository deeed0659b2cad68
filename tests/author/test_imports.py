"""``grader.author`` is the one module of the engine that an assignment imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

ENGINE = ("grader", "latexgrad")
ASSIGNMENTS = {
    "the homework": (ROOT / "reference", ROOT / "submissions_template"),
    "the tutorial's": (ROOT / "examples",),
    "what grader new writes": (ROOT / "grader" / "author" / "starter",),
}


def engine_imports(source: str) -> Iterator[str]:
    """Yield the modules of the engine that a file imports, other than ``grader.author``."""
    if not any(name in source for name in ENGINE):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
            if node.module in ENGINE:  # from grader import cases
                names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (n for n in names if n.split(".")[0] in ENGINE and n != "grader.author")


def modules(folder: Path) -> list[Path]:
    """Return the modules of an assignment; an example may be by someone who looks for ours."""
    return [path for path in folder.rglob("*.py") if "hostile" not in path.parts]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_an_assignment_imports_grader_author_alone(assignment):
    files = [path for folder in ASSIGNMENTS[assignment] for path in modules(folder)]
    assert files
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in engine_imports(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from grader.author import Case", []),
        ("import grader.author", []),
        ("from grader import author", []),
        ("from ..grader import tools", []),
        ("from grader.author.cases import Case", ["grader.author.cases"]),
        ("from grader.cases import Case", ["grader.cases"]),
        ("import grader.errors as e", ["grader.errors"]),
        ("def f():\n    from grader import errors", ["grader.errors"]),
        ("import numpy, grader", ["grader"]),
        ("from latexgrad import check", ["latexgrad.check"]),
    ],
)
def test_any_other_import_of_the_engine_is_found(line, found):
    assert list(engine_imports(line)) == found
