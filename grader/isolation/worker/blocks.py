"""The statements of a program, without its expressions, of which there are many times as many."""

from __future__ import annotations

import ast
from collections.abc import Iterator

BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def blocks(node: ast.AST) -> Iterator[list[ast.AST]]:
    """Yield the lists of statements, ``except`` clauses and cases directly in a node."""
    for name in BLOCKS:
        block = getattr(node, name, None)
        if type(block) is list and block:
            yield block


def nested(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every statement, ``except`` clause and case below a node, outer ones first."""
    waiting = [tree]
    for node in waiting:
        for block in blocks(node):
            yield from block
            waiting += block
