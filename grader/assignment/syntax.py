"""The syntax tree of a file of the assignment, without its expressions: most of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes that are not expressions: nothing is imported or defined within one."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        below = ast.iter_child_nodes(node)
        waiting += [child for child in below if not isinstance(child, ast.expr)]
