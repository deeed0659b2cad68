"""What a mutant of the reference does, in words that fit after "when"."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from grader.isolation.worker.mutants import Mutant, functions_in

MAX_SHOWN = 16  # characters of a formula: not more of the solution than is wrong
TOKEN = re.compile(r"\w+|[*/=!<>+@-]=|\*\*|//|\S")
# Changes that are said the same way whatever the text; of others it is for long texts.
ALWAYS = {
    "sign": "the sign is wrong",
    "operands exchanged": "the operands are exchanged",
    "arguments exchanged": "the arguments are exchanged",
    "order of values": "the values are in another order",
    "condition negated": "the condition is negated",
}
LONG = {
    "operator": "another operator is used",
    "term dropped": "a term or a factor is missing",
    "call unwrapped": "a function is not applied",
    "value dropped": "a value is missing",
    "index removed": "an index is missing",
    "index by one": "an index is off by one",
    "slice by one": "a slice is off by one",
}


def description(mutant: Mutant) -> str:
    """Return what is wrong and where, such as "`i` is used for `f` where next_c is computed"."""
    old, new = (_lines(text, mutant.function) for text in (mutant.origin, mutant.source))
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    if mutant.kind == "statement removed":
        return f"nothing is done {_place(old[:1])}"
    if mutant.kind in ("values exchanged", "statements exchanged"):
        return f"{mutant.kind.replace('exchanged', 'are exchanged')} {_place([old[0], old[-1]])}"
    one = len(old) == len(new) == 1
    what = ALWAYS.get(mutant.kind) or (_of_texts(old[0], new[0]) if one else None)
    return f"{what or LONG.get(mutant.kind, 'something else is used')} {_place(old[:1])}"


def _lines(source: str, function: str) -> list[str]:
    text = ast.unparse(functions_in(ast.parse(source))[function])
    return [line.strip() for line in text.splitlines()]


def _of_texts(old: str, new: str) -> str | None:
    """Return which text stands for which in two lines; None if it is long."""
    one, other = list(TOKEN.finditer(old)), list(TOKEN.finditer(new))
    while one and other and one[0].group() == other[0].group():
        del one[0], other[0]
    while one and other and one[-1].group() == other[-1].group():
        del one[-1], other[-1]
    before, after = (
        text[found[0].start() : found[-1].end()] if found else ""
        for text, found in ((old, one), (new, other))
    )
    if max(len(before), len(after)) > MAX_SHOWN or not (_closed(before) and _closed(after)):
        return None
    if not after:
        before = before.rstrip("+-*/@ ")
    if not before:
        return f"`{after}` is added" if after else None
    if before == ".T" and not after:
        return "a matrix is not transposed (`.T` is missing)"
    return f"`{after}` is used for `{before}`" if after else f"`{before}` is missing"


def _closed(text: str) -> bool:
    return all(text.count(opened) == text.count(closed) for opened, closed in ("()", "[]", "{}"))


def _place(lines: Sequence[str]) -> str:
    """Return where lines of a function are, by what they do."""
    nodes = [_statement(line) for line in lines]
    if any(isinstance(node, ast.Return) for node in nodes):
        return "in what is returned"
    targets = list(dict.fromkeys(name for node in nodes for name in _targets(node)))
    if targets:
        *most, last = targets
        names = f"{', '.join(most)} and {last}" if most else last
        return f"where {names} {'are' if most else 'is'} computed"
    if any(isinstance(node, ast.For | ast.While) for node in nodes):
        return "where the loop begins"
    calls = [node.value for node in nodes if isinstance(node, ast.Expr)]
    called = [ast.unparse(call.func) for call in calls if isinstance(call, ast.Call)]
    return f"in the call of {called[0]}" if called else "in a condition"


def _statement(line: str) -> ast.stmt | None:
    """Return a line as a statement, a compound one without what it holds."""
    text = f"{line.removeprefix('el')} pass" if line.endswith(":") else line
    try:
        return ast.parse(text).body[0]
    except (SyntaxError, IndexError):
        return None


def _targets(node: ast.stmt | None) -> list[str]:
    """Return the names that an assignment sets, or of which it sets a part."""
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    else:
        return []
    parts = [part for target in targets for part in ast.walk(target)]
    stored = [part for part in parts if isinstance(getattr(part, "ctx", None), ast.Store)]
    names = [ast.unparse(part).partition("[")[0] for part in stored]
    return [name for part, name in zip(stored, names, strict=True) if not _is_row(part)]


def _is_row(node: ast.AST) -> bool:
    return isinstance(node, ast.Tuple | ast.List | ast.Starred)
