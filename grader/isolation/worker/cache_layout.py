"""How a student's function makes its cache, as its source says it.

Where a forward function is wrong or fails, the backward function beside it can only be tried on the
cache that a right one would have made, in the student's own arrangement. Nothing is run here.
"""

from __future__ import annotations

import ast
import functools
import inspect
from typing import Any

from .blocks import nested

MAX_LAYOUT_DEPTH = 6
MAX_NODES = 5000  # of a function; a long one has 500
# The places of a cache: a name of the function's, None for anything else, or a list that begins
# with "t" (tuple), "l" (list) or "d" (dictionary, with pairs of key and place).
Place = Any


def layout_of(
    function: Any, positions: list[int], count: int, reader: Any = None
) -> dict[str, Any] | None:
    """Return what the source of ``function`` says about what it returns.

    Args:
        function: the student's; it is unwrapped.
        positions: of the caches among its outputs.
        count: how many outputs it should have.
        reader: the function that reads the cache, its last argument, if there is one.

    Returns:
        ``parameters``, the names of the parameters; ``outputs``, for each output the name that is
        returned at its position, or None; ``caches``, the place of each cache; ``read``, the place
        of the one cache as its reader takes it apart. None if the source cannot be read, or if no
        return statement has this many values.
    """
    node = _definition(function)
    if node is None:
        return None
    returned = [
        found.value
        for found in ast.walk(node)
        if isinstance(found, ast.Return)
        and isinstance(found.value, ast.Tuple)
        and len(found.value.elts) == count
    ]
    if not returned:
        return None
    items = max(returned, key=lambda value: value.lineno).elts
    if sum(1 for _ in ast.walk(node)) > MAX_NODES:
        return None  # as large as no function that a person writes
    displays = _displays(node)
    return {
        "parameters": [one.arg for one in (*node.args.posonlyargs, *node.args.args)],
        "outputs": [item.id if isinstance(item, ast.Name) else None for item in items],
        "caches": [_place(items[index], displays) for index in positions],
        "read": _taken_apart(reader) if reader is not None and len(positions) == 1 else None,
    }


def _taken_apart(reader: Any) -> Place:
    """Return the place of a cache by the names that its reader gives to what is in it."""
    node = _definition(reader)
    if node is None or not node.args.args:
        return None
    cache = node.args.args[-1].arg
    pairs = []
    for one in ast.walk(node):
        if not isinstance(one, ast.Assign) or len(one.targets) != 1:
            continue
        target, value = one.targets[0], one.value
        if isinstance(value, ast.Name) and value.id == cache and isinstance(target, ast.Tuple):
            return ["t", *(_place(item, {}) for item in target.elts)]
        if (
            isinstance(target, ast.Name)
            and isinstance(value, ast.Subscript)
            and isinstance(value.value, ast.Name)
            and value.value.id == cache
            and isinstance(value.slice, ast.Constant)
        ):
            pairs.append((value.slice.value, target.id))
    if pairs and all(type(key) is str for key, _name in pairs):
        return ["d", *([key, name] for key, name in pairs)]
    return None


def _definition(function: Any) -> ast.FunctionDef | None:
    """Return the definition of a function in the file that it comes from."""
    try:
        code = inspect.unwrap(function).__code__
        functions = _functions_of(code.co_filename)
    except Exception:
        return None
    found = [node for node in functions if node.name == code.co_name]
    lines = [min([node.lineno, *(d.lineno for d in node.decorator_list)]) for node in found]
    matching = [n for n, line in zip(found, lines, strict=True) if line == code.co_firstlineno]
    return matching[0] if matching else None


@functools.cache
def _functions_of(file: str) -> list[ast.FunctionDef]:
    """Return all functions that a file defines; its tree is the same for all of them."""
    with open(file, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    return [node for node in nested(tree) if isinstance(node, ast.FunctionDef)]


def _displays(node: ast.FunctionDef) -> dict[str, ast.expr]:
    """Return the last tuple, list or dictionary that each name of a function is bound to."""
    displays: dict[str, ast.expr] = {}
    for one in ast.walk(node):
        if isinstance(one, ast.Assign) and len(one.targets) == 1:
            target = one.targets[0]
            if isinstance(target, ast.Name) and _is_display(one.value):
                displays[target.id] = one.value
    for one in ast.walk(node):
        if isinstance(one, ast.Assign) and len(one.targets) == 1:
            target = one.targets[0]
            if (
                isinstance(target, ast.Subscript)
                and isinstance(target.value, ast.Name)
                and isinstance(target.slice, ast.Constant)
            ):
                # An empty dictionary that is filled by and by.
                made = displays.setdefault(target.value.id, ast.Dict(keys=[], values=[]))
                if isinstance(made, ast.Dict):
                    made.keys.append(target.slice)
                    made.values.append(one.value)
    return displays


def _is_display(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        named = isinstance(value.func, ast.Name) and value.func.id == "dict"
        return named and not value.args
    if isinstance(value, ast.Dict):
        return bool(value.keys)
    return isinstance(value, ast.Tuple | ast.List) and bool(value.elts)


def _place(item: ast.expr, displays: dict[str, ast.expr], depth: int = 0) -> Place:
    if depth > MAX_LAYOUT_DEPTH:
        return None
    if isinstance(item, ast.Name):
        if item.id not in displays:
            return item.id
        inner = {name: value for name, value in displays.items() if name != item.id}
        return _place(displays[item.id], inner, depth + 1)
    if isinstance(item, ast.Call):
        return _called(item, displays, depth)
    if isinstance(item, ast.Tuple | ast.List):
        kind = "t" if isinstance(item, ast.Tuple) else "l"
        return [kind, *(_place(one, displays, depth + 1) for one in item.elts)]
    return _of_dictionary(item, displays, depth) if isinstance(item, ast.Dict) else None


def _of_dictionary(item: ast.Dict, displays: dict[str, ast.expr], depth: int) -> Place:
    keys = [key.value if isinstance(key, ast.Constant) else None for key in item.keys]
    if not all(type(key) is str for key in keys):
        return None
    values = [_place(one, displays, depth + 1) for one in item.values]
    # What is computed in its place goes by its key.
    return ["d", *([k, k if v is None else v] for k, v in zip(keys, values, strict=True))]


def _called(item: ast.Call, displays: dict[str, ast.expr], depth: int) -> Place:
    """Return the place of ``dict(x=x)``, and of a name that is only copied."""
    if isinstance(item.func, ast.Name) and item.func.id == "dict" and not item.args:
        pairs = [(one.arg, _place(one.value, displays, depth + 1)) for one in item.keywords]
        return ["d", *([key, value] for key, value in pairs)] if all(k for k, _ in pairs) else None
    if isinstance(item.func, ast.Attribute) and item.func.attr == "copy" and not item.args:
        return _place(item.func.value, displays, depth + 1)
    return None
