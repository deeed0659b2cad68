"""Programs that compute the same as a right one in other words: none of them may lose a point.

Each differs by one rewrite of one place: products as sums over indices, temporaries, other names,
operands and branches in the other order, copies and views, equal formulas, another order of a sum,
a list as cache, a new array in single precision. Values stay the same up to rounding.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterator

from .mutants import Mutant, functions_in
from .program_text import ProgramText, Span

Change = tuple[ast.AST, str, str]  # the node, what is done, and the text in its place
FRESH = ("zeros", "zeros_like", "ones", "ones_like", "empty", "full")
REDUCED = ("sum", "mean", "max", "min")
SEQUENCES = (ast.List, ast.Tuple, ast.ListComp, ast.JoinedStr, ast.Dict, ast.Set)
# A product over indices, where both are matrices or stacks of them.
EINSUM = (
    "(np.einsum('...ij,...jk->...ik', {0}, {1}) if np.ndim({0}) > 1 and np.ndim({1}) > 1 "
    "else np.matmul({0}, {1}))"
)

EINSUM_OF_TWO = (
    "(np.einsum('ij,jk->ik', {0}, {1}) if np.ndim({0}) == 2 == np.ndim({1}) else np.dot({0}, {1}))"
)


def rewrites_of(source: str, functions: Collection[str]) -> Iterator[Mutant]:
    """Yield every rewrite of the named functions and ``Class.method``s, each program once."""
    seen = {ast.dump(ast.parse(source))}
    text = ProgramText(source)
    for name, function in functions_in(ast.parse(source)).items():
        if name not in functions:
            continue
        for program, kind, line in _Rewriting(function, text, source).programs():
            try:
                tree = ast.dump(ast.parse(program))
            except SyntaxError:
                continue
            if tree not in seen:
                seen.add(tree)
                yield Mutant(name, kind, line, program, source)


class _Rewriting:
    """One function, of which places are rewritten."""

    def __init__(self, function: ast.FunctionDef, text: ProgramText, source: str) -> None:
        self._function, self._text = function, text
        self._lines = source.splitlines()
        self._numpy = "import numpy as np" in source and "torch" not in source
        named = [part.id for part in ast.walk(ast.parse(source)) if isinstance(part, ast.Name)]
        self._names = set(named)

    def programs(self) -> Iterator[tuple[str, str, int]]:
        """Yield whole programs, with what was done and in which line."""
        for node, kind, new in self._changes():
            yield self._text.replaced(node, new), kind, node.lineno  # type: ignore[attr-defined]
        yield from self._renamed()

    def _changes(self) -> Iterator[Change]:
        body = self._function.body
        start = 1 if ast.get_docstring(self._function) is not None else 0
        if self._numpy and body[start:]:
            yield from self._arguments(body[start])
        for statement in body[start:]:
            for node in self._walk(statement):
                if isinstance(node, ast.stmt):
                    yield from self._statement(node)
                elif isinstance(node, ast.expr):
                    yield from self._expression(node)

    def _walk(self, top: ast.AST) -> Iterator[ast.AST]:
        """Yield all nodes but those of texts with values in them, whose places are not known."""
        yield top
        if not isinstance(top, ast.JoinedStr):
            for child in ast.iter_child_nodes(top):
                yield from self._walk(child)

    def _of(self, node: ast.AST) -> str:
        return f"({self._text.of(node)})"

    def _new(self, stem: str) -> str:
        return next(n for k in itertools.count(1) if (n := f"{stem}_{k}") not in self._names)

    def _indent(self, node: ast.stmt) -> str | None:
        """Return what stands before a statement in its line; None if that is not only space."""
        before = self._lines[node.lineno - 1][: node.col_offset]
        return before if not before.strip() else None

    def _arguments(self, first: ast.stmt) -> Iterator[Change]:
        indent = self._indent(first)
        for argument in self._function.args.args if indent is not None else ():
            name = argument.arg
            for kind, value in (("copy", f"{name}.copy()"), ("view", f"{name}[...]")):
                line = f"{name} = {value} if isinstance({name}, np.ndarray) else {name}"
                yield first, kind, f"{line}\n{indent}{self._text.of(first)}"

    def _statement(self, node: ast.stmt) -> Iterator[Change]:
        indent = self._indent(node)
        if indent is None:
            return
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            held, value = self._new("held"), self._text.of(node.value)
            target = self._text.of(node.targets[0])
            yield node, "temporary", f"{held} = {value}\n{indent}{target} = {held}"
            if isinstance(node.value, ast.Tuple) and "cache" in target and "," not in target:
                items = ", ".join(self._text.of(item) for item in node.value.elts)
                yield node, "list as cache", f"{target} = [{items}]"
        elif isinstance(node, ast.Return) and node.value is not None:
            held = self._new("result")
            yield node, "temporary", f"{held} = {self._text.of(node.value)}\n{indent}return {held}"
        elif isinstance(node, ast.AugAssign) and self._is_fresh(node.target):
            sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}.get(type(node.op))
            target = self._text.of(node.target)
            if sign is not None:
                new = f"{target} = {target} {sign} {self._of(node.value)}"
                yield node, "not in place", new
        elif isinstance(node, ast.For) and self._text.of(node.iter).startswith("range("):
            yield node.iter, "list of indices", f"list({self._text.of(node.iter)})"
        elif isinstance(node, ast.If) and node.orelse and not self._is_elif(node.orelse[0]):
            body = self._text.of(Span(node.body[0], node.body[-1]))
            other = self._text.of(Span(node.orelse[0], node.orelse[-1]))
            inner = self._indent(node.body[0])
            if inner is not None and self._indent(node.orelse[0]) == inner:
                test = self._of(node.test)
                new = f"if not {test}:\n{inner}{other}\n{indent}else:\n{inner}{body}"
                yield node, "branches exchanged", new

    def _is_elif(self, node: ast.stmt) -> bool:
        return self._text.of(node).startswith("elif") or self._indent(node) is None

    def _is_fresh(self, target: ast.expr) -> bool:
        """Say whether a name only ever holds arrays that nothing else shares."""
        if not isinstance(target, ast.Name):
            return False
        assigned = [node for node in ast.walk(self._function) if isinstance(node, ast.Assign)]
        values = [
            node.value if node.targets == [one] else None
            for node in assigned
            for one in ast.walk(ast.Tuple([*node.targets], ast.Store()))
            if isinstance(one, ast.Name) and one.id == target.id
        ]
        return bool(values) and all(
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr in FRESH
            for value in values
        )

    def _expression(self, node: ast.expr) -> Iterator[Change]:
        if isinstance(node, ast.BinOp):
            yield from ((node, *change) for change in self._operation(node))
        elif isinstance(node, ast.IfExp):
            test, one, other = map(self._of, (node.test, node.body, node.orelse))
            yield node, "branches exchanged", f"({other} if not {test} else {one})"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            if not isinstance(node.operand, ast.Constant):
                yield node, "equal formula", f"(0 - {self._of(node.operand)})"
        elif self._numpy and isinstance(node, ast.Attribute) and node.attr == "T":
            if isinstance(node.ctx, ast.Load):
                yield node, "another function", f"np.transpose({self._text.of(node.value)})"
        elif self._numpy and isinstance(node, ast.Call):
            yield from ((node, *change) for change in self._reduction(node))
            yield from ((node, *change) for change in self._single(node))

    def _operation(self, node: ast.BinOp) -> Iterator[tuple[str, str]]:
        left, right = self._of(node.left), self._of(node.right)
        if any(isinstance(part, SEQUENCES) for part in (node.left, node.right)):
            return
        if any(isinstance(p, ast.Constant) and isinstance(p.value, str) for p in ast.walk(node)):
            return
        if isinstance(node.op, ast.MatMult) and self._numpy:
            yield "another function", f"np.matmul({left}, {right})"
            yield "sum over indices", EINSUM.format(left, right)
        elif isinstance(node.op, ast.Add | ast.Mult):
            sign = "+" if isinstance(node.op, ast.Add) else "*"
            yield "operands exchanged", f"({right} {sign} {left})"
        elif isinstance(node.op, ast.Sub):
            yield "equal formula", f"({left} + (-{right}))"
            square = node.right
            is_one = isinstance(node.left, ast.Constant) and node.left.value == 1
            if is_one and isinstance(square, ast.BinOp) and self._is_square(square):
                base = self._of(square.left)
                yield "equal formula", f"((1 - {base}) * (1 + {base}))"
        elif self._is_square(node):
            yield "equal formula", f"({left} * {left})"

    def _is_square(self, node: ast.BinOp) -> bool:
        is_two = isinstance(node.right, ast.Constant) and node.right.value == 2  # noqa: PLR2004
        calls = any(isinstance(part, ast.Call) for part in ast.walk(node.left))
        return isinstance(node.op, ast.Pow) and is_two and not calls

    def _reduction(self, node: ast.Call) -> Iterator[tuple[str, str]]:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "dot":
            of_numpy = self._text.of(function.value) == "np"
            both = node.args if of_numpy else [function.value, *node.args]
            if len(both) == 2:  # noqa: PLR2004
                yield "sum over indices", EINSUM_OF_TWO.format(*map(self._of, both))
            return
        if not isinstance(function, ast.Attribute) or function.attr not in REDUCED:
            return
        owner, name = self._text.of(function.value), function.attr
        if owner in ("np", "numpy", "math"):
            return
        given = ", ".join(self._text.of(part) for part in (*node.args, *node.keywords))
        yield "another function", f"np.{name}({owner}{', ' if given else ''}{given})"
        if name == "sum" and given in ("axis=0", "0"):
            yield "other order of a sum", f"({owner})[::-1].sum({given})"

    def _single(self, node: ast.Call) -> Iterator[tuple[str, str]]:
        """Yield a new array of numbers in single precision: it costs its values one rounding."""
        function = self._text.of(node.func)
        if function.removeprefix("np.") not in FRESH or not function.startswith("np."):
            return
        if len(node.args) > (2 if function == "np.full" else 1):
            return  # one of them is the type
        at = [number for number, one in enumerate(node.keywords) if one.arg == "dtype"]
        dtype = self._text.of(node.keywords[at[0]].value) if at else ""
        if "float" in dtype or dtype.endswith(".dtype") or (not at and function != "np.full"):
            kept = [*node.args, *(one for one in node.keywords if one.arg != "dtype")]
            given = [*map(self._text.of, kept), "dtype=np.float32"]
            yield "single precision", f"{function}({', '.join(given)})"

    def _renamed(self) -> Iterator[tuple[str, str, int]]:
        """Yield the function with another name for each of its own variables."""
        nodes = list(ast.walk(self._function))
        kept = {arg.arg for node in nodes if isinstance(node, ast.arguments) for arg in _all(node)}
        for node in nodes:
            if isinstance(node, ast.Global | ast.Nonlocal):
                kept |= set(node.names)
            if isinstance(node, ast.JoinedStr):
                kept |= {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        inner = {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ExceptHandler)}
        for name in sorted(stored - kept - inner):
            places = [n for n in nodes if isinstance(n, ast.Name) and n.id == name]
            places.sort(key=lambda n: (n.lineno, n.col_offset), reverse=True)
            new, source = self._new("renamed"), "\n".join(self._lines) + "\n"
            for place in places:
                source = ProgramText(source).replaced(place, new)
            yield source, "another name", places[-1].lineno


def _all(arguments: ast.arguments) -> Iterator[ast.arg]:
    groups: tuple[list[ast.arg], ...] = (
        arguments.posonlyargs,
        arguments.args,
        arguments.kwonlyargs,
    )
    yield from itertools.chain(*groups)
    yield from (arg for arg in (arguments.vararg, arguments.kwarg) if arg is not None)
