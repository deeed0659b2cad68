"""Statements alone: what is defined or imported in a file, wherever it stands."""

import ast

import pytest

from grader.assignment.syntax import statements
from tests.conftest import ROOT

FILES = sorted([*(ROOT / "reference").glob("**/*.py"), *(ROOT / "grader").glob("**/*.py")])
EVERYWHERE = """
import a
def f():
    class C:
        async def g(self): import b
if x:
    from c import d
else:
    def h(): pass
try:
    import e
except Exception:
    import f
finally:
    def i(): pass
match x:
    case 1:
        import g
with y, z:
    for _ in (lambda: 0, [q for q in ()]):
        while True:
            def j(): import h
"""
KINDS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def found(nodes):
    return sorted((node.lineno, node.col_offset) for node in nodes if isinstance(node, KINDS))


def test_nothing_is_missed_that_a_walk_over_everything_finds():
    tree = ast.parse(EVERYWHERE)
    assert len(found(statements(tree))) == 13
    assert found(statements(tree)) == found(ast.walk(tree))


@pytest.mark.parametrize("start", range(0, len(FILES), 40))
def test_nothing_is_missed_in_files_that_are_there(start):
    for path in FILES[start : start + 40]:
        tree = ast.parse(path.read_bytes())
        assert found(statements(tree)) == found(ast.walk(tree)), path
