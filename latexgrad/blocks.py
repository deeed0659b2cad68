"""Block matrices: put together from their blocks, and cut into them.

A list such as ``[h_{t-1}, x_t]`` does not say whether its blocks stand below or beside each other.
It is ``loose``: of the two, what the shapes allow is meant, below each other if both are possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import autograd.numpy as np

from .arithmetic import Shape, ShapeError, shape_of
from .limits import UnreadableError
from .nodes import BlockOf, Blocks, Gradient, Node, Ones, Symbol, Transpose, parts

ShapeOf = Callable[[Symbol | Gradient], Shape | None]
Grid = Sequence[Sequence[Shape | None]]  # None where a number fills what the others leave

_Cells = dict[tuple[int, int], tuple[Node, Any]]  # by row and column: a block and its value
_Edges = tuple[list[int | None], list[int | None]]


def ways(node: Blocks) -> Iterator[Blocks]:
    """Yield the ways to put blocks together, the usual one first."""
    yield replace(node, loose=False)
    if node.loose:
        yield replace(node, rows=tuple(zip(*node.rows, strict=True)), loose=False)


def put_together(node: Blocks, cells: Sequence[Any]) -> Any:
    """Return the matrix of blocks, whose values are given row by row.

    Raises:
        ShapeError: they do not fit together.
        UnreadableError: nothing says how large a zero or an I among them is.
    """
    failed: ShapeError | None = None
    values = dict(zip(_places(node), zip(parts(node), cells, strict=True), strict=True))
    for way in (False, True) if node.loose else (False,):
        grid = _turned(values) if way else values
        try:
            return _stacked(grid, node.at)
        except ShapeError as error:
            failed = failed or error
    assert failed is not None  # noqa: S101 - there is at least one way
    raise failed


def _places(node: Blocks) -> list[tuple[int, int]]:
    return [(row, column) for row, cells in enumerate(node.rows) for column in range(len(cells))]


def _turned(values: _Cells) -> _Cells:
    return {(column, row): value for (row, column), value in values.items()}


def _stacked(values: _Cells, at: int) -> Any:
    count = 1 + max(row for row, _column in values)
    width = 1 + max(column for _row, column in values)
    shapes = [[shape_of(values[row, column][1]) for column in range(width)] for row in range(count)]
    heights, widths = _filled(values, _known_edges(shapes), at)
    full = [
        [_block(*values[row, column], (heights[row], widths[column])) for column in range(width)]
        for row in range(count)
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in full], axis=0)


def _block(cell: Node, value: Any, shape: Shape) -> Any:
    """Return a block in its size: a number fills it, and I is the identity matrix."""
    if shape_of(value) is not None:
        return value
    if not _is_identity(cell):
        return np.full(shape, value)
    if shape[0] != shape[1]:
        raise ShapeError("I in a block of", shape, (shape[0], shape[0]))
    return np.eye(shape[0])


def _filled(values: _Cells, edges: _Edges, at: int) -> tuple[list[int], list[int]]:
    """Return the heights and widths where numbers and I fill what the others leave.

    Raises:
        UnreadableError: nothing says how large a zero or an I is.
    """
    heights, widths = edges
    identities = [place for place, (cell, _value) in values.items() if _is_identity(cell)]
    for _pass in identities:
        for row, column in identities:
            size = heights[row] if heights[row] is not None else widths[column]
            heights[row] = size if heights[row] is None else heights[row]
            widths[column] = size if widths[column] is None else widths[column]
    if not identities and all(size is None for size in (*heights, *widths)):
        return [1] * len(heights), [1] * len(widths)  # a matrix of numbers
    sizes: list[list[int]] = []
    for axis, known in enumerate((heights, widths)):
        sizes.append([])
        for line, size in enumerate(known):
            cells = [cell for place, cell in values.items() if place[axis] == line]
            if size is None and not any(np.any(v) for cell, v in cells if not _is_identity(cell)):
                raise UnreadableError("the sizes of these blocks are not known", at)
            sizes[axis].append(size or 1)
    return sizes[0], sizes[1]


def _is_identity(node: Node) -> bool:
    return isinstance(node, Ones) and node.identity


def _edges(shapes: Grid) -> tuple[list[int], list[int]]:
    """Return the heights of the rows and the widths of the columns of a grid of shapes."""
    heights, widths = _known_edges(shapes)
    return [size or 1 for size in heights], [size or 1 for size in widths]


def _known_edges(shapes: Grid) -> _Edges:
    """Return the same, with None where only numbers stand."""
    heights = [_edge([cell and cell[0] for cell in row], row, "beside") for row in shapes]
    columns = list(zip(*shapes, strict=True))
    widths = [_edge([cell and cell[1] for cell in column], column, "below") for column in columns]
    return heights, widths


def _edge(sizes: Sequence[int | None], cells: Sequence[Shape | None], where: str) -> int | None:
    known = [size for size in sizes if size is not None]
    if len(set(known)) > 1:
        shapes = [cell for cell in cells if cell is not None]
        other = next(shape for shape, size in zip(shapes, known, strict=True) if size != known[0])
        raise ShapeError(f"blocks {where} each other of", shapes[0], other)
    return known[0] if known else None


def cut(node: BlockOf, value: Any, shape: ShapeOf) -> Any:
    """Return one block of a matrix, whose layout has the shapes of ``node.layout``.

    Raises:
        ShapeError: the matrix has another shape than its blocks together.
        UnreadableError: nothing says how large the blocks are.
    """
    failed: ShapeError | None = None
    got = shape_of(value) or (1, 1)
    for way in ways(node.layout):
        row, column = (node.row, node.column)
        if way.rows != node.layout.rows:
            row, column = column, row
        try:
            heights, widths = _edges_of(way, got, shape)
        except ShapeError as error:
            failed = failed or error
            continue
        total = sum(heights), sum(widths)
        if total == got:
            above, left = sum(heights[:row]), sum(widths[:column])
            return value[above : above + heights[row], left : left + widths[column]]
        failed = failed or ShapeError("the blocks of", got, total)
    assert failed is not None  # noqa: S101 - there is at least one way
    raise failed


def _edges_of(node: Blocks, got: Shape, shape: ShapeOf) -> tuple[list[int], list[int]]:
    shapes = [[_shape_of_node(cell, shape) for cell in row] for row in node.rows]
    if any(cell is None for row in shapes for cell in row):
        # Names of the student's own: parts of the same size, if there can be such.
        count, width = len(node.rows), len(node.rows[0])
        if got[0] % count or got[1] % width or any(cell for row in shapes for cell in row):
            raise UnreadableError("the sizes of these blocks are not known", node.at)
        return [got[0] // count] * count, [got[1] // width] * width
    return _edges(shapes)


def _shape_of_node(node: Node, shape: ShapeOf) -> Shape | None:
    match node:
        case Symbol() | Gradient():
            return shape(node)
        case Transpose():
            inner = _shape_of_node(node.of, shape)
            return inner and (inner[1], inner[0])
        case Blocks():
            for way in ways(node):
                cells = [[_shape_of_node(cell, shape) for cell in row] for row in way.rows]
                if any(cell is None for row in cells for cell in row):
                    return None
                try:
                    heights, widths = _edges(cells)
                except ShapeError:
                    continue
                return sum(heights), sum(widths)
            return None
        case _:
            return None
