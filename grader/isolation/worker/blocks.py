"""The statements of a program, without its expressions, of which there are many times as many."""

from __future__ import annotations

import ast
from collections.abc import Iterator

BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


# The fields of each kind of node that hold statements; most have none.
FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(name for name in BLOCKS if name in kind._fields)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


def blocks(node: ast.AST) -> Iterator[list[ast.AST]]:
    """Yield the lists of statements, ``except`` clauses and cases directly in a node."""
    for name in FIELDS.get(type(node), BLOCKS):
        block = getattr(node, name, None)
        if type(block) is list and block:
            yield block


def nested(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every statement, ``except`` clause and case below a node, outer ones first."""
    waiting = [tree]
    for node in waiting:
        if FIELDS.get(type(node), BLOCKS):
            for block in blocks(node):
                yield from block
                waiting += block
