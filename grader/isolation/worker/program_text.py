"""The text of a program by the nodes of its syntax tree, and with one node's text replaced."""

from __future__ import annotations

import ast


class ProgramText:
    """The text of a program, by the nodes of its tree. Positions in a tree count bytes."""

    def __init__(self, source: str) -> None:
        self._bytes = source.encode()
        self.has_numpy = "import numpy as np" in source
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def _span(self, node: ast.AST) -> tuple[int, int]:
        at = self._starts
        start = at[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        return start, at[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def of(self, node: ast.AST) -> str:
        """Return the text of a node."""
        start, end = self._span(node)
        return self._bytes[start:end].decode()

    def replaced(self, node: ast.AST, new: str) -> str:
        """Return the whole program with another text in place of a node's."""
        start, end = self._span(node)
        return (self._bytes[:start] + new.encode() + self._bytes[end:]).decode()


class Span(ast.AST):
    """What lies from the beginning of one node to the end of another."""

    def __init__(self, first: ast.stmt, last: ast.stmt) -> None:
        super().__init__()
        self.lineno, self.col_offset = first.lineno, first.col_offset
        self.end_lineno, self.end_col_offset = last.end_lineno, last.end_col_offset


def shape_of(statement: ast.stmt) -> str:
    """Return what is common to statements that differ in names and numbers only."""
    named = ast.parse(ast.unparse(statement))
    for node in ast.walk(named):
        if isinstance(node, ast.Name):
            node.id = "_"
        elif isinstance(node, ast.Constant):
            node.value = 0
        elif isinstance(node, ast.Slice):
            node.lower = node.upper = None
    return ast.dump(named)
