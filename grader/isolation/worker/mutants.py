"""All programs that differ from a right one by one change, made from its syntax tree.

A mutation replaces the text of one node, so the difference between a mutant and its origin is the
one that a student's slip makes: everything else, comments included, stays as it is.

::

    for mutant in mutants_of(source, {"rnn_step_forward"}):
        print(mutant.kind, mutant.line, mutant.source)

The kinds are those of mutation testing (R. DeMillo, R. Lipton, F. Sayward, "Hints on test data
selection", 1978: operators, constants, variables, statements) and those that array code adds: axes,
transposes, slices, the order of arguments, of unpacked values and of blocks, activations and
precision.
"""

from __future__ import annotations

import ast
import difflib
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from .exchanges import COMPARED, EXCHANGED, OPERATORS, OTHERS
from .program_text import ProgramText, Span, shape_of

ATOMS = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.Tuple, ast.List)
Change = tuple[str, str]  # the kind, and the text in place of the node's


@dataclass(frozen=True)
class Mutant:
    """A program that differs from ``origin`` by one change.

    Attributes:
        function: the function that was changed.
        kind: what was done.
        line: where, counted from 1.
        source: the whole program.
        origin: the program that it was made from.
        number: its place among all changes of the function, those included that change nothing.
    """

    function: str
    kind: str
    line: int
    source: str
    origin: str
    number: int = field(default=0, compare=False)

    @property
    def diff(self) -> str:
        """The lines that differ, with ``-`` and ``+`` in front."""
        lines = self.origin.splitlines(), self.source.splitlines()
        found = difflib.unified_diff(*lines, lineterm="", n=0)
        return "\n".join(line for line in found if not line.startswith(("---", "+++", "@@")))


def mutants_of(
    source: str,
    functions: Collection[str],
    exchanged: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[Mutant]:
    """Yield every mutant of the named functions and ``Class.method``s, each program once.

    ``exchanged`` are further names that are taken for one another.
    """
    for name, function in functions_in(ast.parse(source)).items():
        if name not in functions:
            continue
        seen = {_meaning(source, source, function)}
        for mutant in changed(source, name, function, exchanged):
            try:
                meaning = _meaning(mutant.source, source, function)
            except SyntaxError:
                continue  # a target that cannot be assigned to, say
            if meaning not in seen:
                seen.add(meaning)
                yield mutant


def changed(
    source: str,
    name: str,
    function: ast.FunctionDef,
    exchanged: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[Mutant]:
    """Yield a function with each change; some are the same program, and some are not Python."""
    text = ProgramText(source)
    changes = _Function(function, text, exchanged).changes()
    for number, (node, kind, new) in enumerate(changes):
        program, line = text.replaced(node, new), node.lineno  # type: ignore[attr-defined]
        yield Mutant(name, kind, line, program, source, number)


def functions_in(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """Return the functions of a module and the methods of its classes by ``Class.method``."""
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            found |= {f"{node.name}.{method.name}": method for method in methods}
    return found


def _meaning(program: str, origin: str, function: ast.FunctionDef) -> str:
    """Return the tree of a changed function; of it alone, which takes a tenth of the time."""
    lines = program.splitlines()
    end = (function.end_lineno or 0) + len(lines) - len(origin.splitlines())
    return ast.dump(ast.parse("\n".join(["if True:", *_deeper(lines[function.lineno - 1 : end])])))


def _deeper(lines: list[str]) -> list[str]:
    return [f" {line}" for line in lines]


class _Function:
    """One function, whose nodes are to be changed."""

    def __init__(
        self, function: ast.FunctionDef, text: ProgramText, exchanged: Mapping[str, Sequence[str]]
    ) -> None:
        self._exchanged = {**EXCHANGED, **exchanged}
        self._function = function
        self._text = text
        body = function.body
        documented = ast.get_docstring(function) is not None
        self._body = body[1:] if documented else body
        self._parents = {
            child: parent for parent in ast.walk(function) for child in ast.iter_child_nodes(parent)
        }
        arguments = function.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        self._names: dict[str, int] = dict.fromkeys(names, 0)  # with the line that sets it first
        for node in self._walk():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._names.setdefault(node.id, node.lineno)

    def _walk(self) -> Iterator[ast.AST]:
        for statement in self._body:
            yield from ast.walk(statement)

    def changes(self) -> Iterator[tuple[ast.AST, str, str]]:
        """Yield a node, the kind of a change and the node's new text, for each possible change."""
        for node in self._walk():
            if isinstance(node, ast.stmt):
                yield from ((node, *change) for change in self._statement(node))
            elif isinstance(node, ast.expr):
                for kind, new in self._expression(node):
                    yield node, kind, self._fitting(node, new)
        yield from self._exchanged_values()

    def _of(self, node: ast.AST) -> str:
        """Return the text of a node, so that it can be an operand of anything."""
        text = self._text.of(node)
        return text if isinstance(node, ATOMS) and not isinstance(node, ast.Tuple) else f"({text})"

    def _fitting(self, node: ast.expr, new: str) -> str:
        """Return a text with parentheses where it could mean something else without them."""
        if isinstance(node, ast.Slice) or isinstance(self._parents[node], (ast.stmt, ast.keyword)):
            return new
        try:
            atom = isinstance(ast.parse(new, mode="eval").body, ATOMS)
        except SyntaxError:
            return new
        return new if atom else f"({new})"

    # Statements

    def _statement(self, node: ast.stmt) -> Iterator[Change]:
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr, ast.If, ast.For, ast.Return)):
            yield "statement removed", "pass"
        if isinstance(node, ast.AugAssign):
            target, value = self._text.of(node.target), self._text.of(node.value)
            yield "+= becomes =", f"{target} = {value}"
            for sign in _other_operators(node.op):
                yield "operator", f"{target} {sign}= {value}"
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            yield from self._assignment(node.targets[0], node.value)
        if isinstance(node, ast.If):
            # "if" and "elif" begin with the same node.
            body = self._text.of(node)[self._text.of(node).index("if") + 2 :].lstrip()
            test = self._text.of(node.test)
            yield "condition negated", f"if not ({test}){body[len(test) :]}"

    def _assignment(self, target: ast.expr, value: ast.expr) -> Iterator[Change]:
        left, right = self._text.of(target), self._text.of(value)
        if not isinstance(value, (ast.Tuple, ast.List, ast.Constant)):
            if not isinstance(target, ast.Tuple):
                yield "sign", f"{left} = -{self._of(value)}"
            if isinstance(target, ast.Subscript):
                yield "= becomes +=", f"{left} += {right}"
        if isinstance(value, (ast.Name, ast.Subscript)) and isinstance(target, ast.Name):
            yield "zeros", f"{left} = np.zeros_like({right})"
        if isinstance(value, ast.Call) and isinstance(target, ast.Name):
            half = f"np.float16({right})" if self._text.has_numpy else f"({right}).half()"
            yield "half precision", f"{left} = {half}"

    def _exchanged_values(self) -> Iterator[tuple[ast.AST, str, str]]:
        """Yield each pair of statements of one block, exchanged; blocks of a row among them."""
        for owner in (self._function, *self._walk()):
            block = self._body if owner is self._function else getattr(owner, "body", None)
            if not isinstance(block, list):
                continue
            simple = [s for s in block if isinstance(s, (ast.Assign, ast.AugAssign))]
            shaped = [(one, shape_of(one)) for one in simple]
            for (first, shape), (second, other) in itertools.combinations(shaped, 2):
                if shape == other and isinstance(first, ast.Assign):
                    # Values exchanged: the gates of an LSTM, for one.
                    yield from self._with_values_of(first, second)
                elif first.end_lineno == second.lineno - 1:
                    yield from self._in_other_order(first, second)

    def _with_values_of(
        self, first: ast.stmt, second: ast.stmt
    ) -> Iterator[tuple[ast.AST, str, str]]:
        span = Span(first, second)
        whole = self._text.of(span)
        one = self._text.of(first.value)  # type: ignore[attr-defined]
        two = self._text.of(second.value)  # type: ignore[attr-defined]
        head = self._text.of(first)[: -len(one)]
        middle = whole[len(head) + len(one) : -len(two)]
        if one != two:
            yield span, "values exchanged", f"{head}{two}{middle}{one}"

    def _in_other_order(
        self, first: ast.stmt, second: ast.stmt
    ) -> Iterator[tuple[ast.AST, str, str]]:
        span = Span(first, second)
        indent = " " * first.col_offset
        text = f"{self._text.of(second)}\n{indent}{self._text.of(first)}"
        yield span, "statements exchanged", text

    # Expressions

    def _expression(self, node: ast.expr) -> Iterator[Change]:
        kinds: dict[type[ast.expr], Callable[..., Iterator[Change]]] = {
            ast.BinOp: self._operation,
            ast.UnaryOp: self._unary,
            ast.Constant: self._constant,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Slice: self._slice,
            ast.Call: self._call,
            ast.Compare: self._comparison,
            ast.Name: self._name,
            ast.Tuple: self._tuple,
            ast.List: self._tuple,
            ast.IfExp: self._choice,
        }
        if type(node) in kinds:
            yield from kinds[type(node)](node)

    def _operation(self, node: ast.BinOp) -> Iterator[Change]:
        left, right = self._of(node.left), self._of(node.right)
        for sign in _other_operators(node.op):
            yield "operator", f"{left} {sign} {right}"
        yield "term dropped", left
        yield "term dropped", right
        sign = OPERATORS[type(node.op)]
        if sign not in "+*":
            yield "operands exchanged", f"{right} {sign} {left}"

    def _unary(self, node: ast.UnaryOp) -> Iterator[Change]:
        yield "sign", self._of(node.operand)

    def _constant(self, node: ast.Constant) -> Iterator[Change]:
        value = node.value
        if isinstance(value, bool):
            yield "constant", str(not value)
        elif isinstance(value, int):
            yield "constant", str(value + 1)
            yield "constant", str(value - 1)
        elif isinstance(value, float):
            yield "constant", str(2 * value)
            yield "constant", str(value + 1)

    def _attribute(self, node: ast.Attribute) -> Iterator[Change]:
        whole = self._of(node.value)
        if node.attr == "T":
            yield "transpose removed", whole
        for other in self._exchanged.get(node.attr, ()):
            yield "another function", f"{whole}.{other}"
        if node.attr == "tanh" and isinstance(self._parents[node], ast.Call):
            yield "another function", "sigmoid"

    def _subscript(self, node: ast.Subscript) -> Iterator[Change]:
        array, index = self._of(node.value), node.slice
        if isinstance(node.ctx, ast.Load):
            yield "index removed", array
        if isinstance(index, (ast.Name, ast.BinOp)):
            for shift in ("+ 1", "- 1"):
                yield "index by one", f"{array}[{self._text.of(index)} {shift}]"

    def _slice(self, node: ast.Slice) -> Iterator[Change]:
        ends = {
            name: self._of(value) if value is not None else ""
            for name, value in (("lower", node.lower), ("upper", node.upper), ("step", node.step))
        }

        def text(**changed: str) -> str:
            now = ends | changed
            step = f":{now['step']}" if now["step"] else ""
            return f"{now['lower']}:{now['upper']}{step}"

        for end in ("lower", "upper"):
            for shift in ("+ 1", "- 1"):
                yield "slice by one", text(**{end: f"{ends[end]} {shift}"} if ends[end] else {})
        if ends["lower"] or ends["upper"]:
            yield "bound dropped", text(lower="")
            yield "bound dropped", text(upper="")
        if not any(ends.values()):
            yield "slice by one", "1:"
            yield "slice by one", ":-1"
            yield "slice reversed", "::-1"

    def _call(self, node: ast.Call) -> Iterator[Change]:
        function = self._text.of(node.func)
        keywords = [self._text.of(keyword) for keyword in node.keywords]
        arguments = [self._text.of(argument) for argument in node.args]
        if arguments:
            yield "call unwrapped", self._of(node.args[0])
        if isinstance(node.func, ast.Attribute):
            yield "call unwrapped", self._of(node.func.value)
        for kind, now in self._other_arguments(node, function):
            yield kind, f"{function}({', '.join([*now, *keywords])})"
        for keyword in keywords:
            others = [*arguments, *(other for other in keywords if other != keyword)]
            yield "keyword dropped", f"{function}({', '.join(others)})"
            if keyword.startswith("dtype="):
                half = "torch.half" if "torch" in keyword else "np.float16"
                yield "half precision", f"{function}({', '.join([*others, f'dtype={half}'])})"
        if function == "range":
            yield "range reversed", f"reversed({self._text.of(node)})"
            yield "range from one", f"{self._text.of(node)}[1:]"
            yield "range to the last but one", f"{self._text.of(node)}[:-1]"
        for other in self._exchanged.get(function, ()):
            yield "another function", f"{other}({', '.join([*arguments, *keywords])})"

    def _other_arguments(self, node: ast.Call, function: str) -> Iterator[tuple[str, list[str]]]:
        arguments = [self._text.of(argument) for argument in node.args]
        yield from (("arguments exchanged", now) for now in _swapped(arguments))
        if function in ("np.dot", "np.matmul"):
            for at, argument in enumerate(node.args):
                transposed = f"{self._of(argument)}.T"
                yield "transpose added", [*arguments[:at], transposed, *arguments[at + 1 :]]

    def _comparison(self, node: ast.Compare) -> Iterator[Change]:
        if len(node.ops) == 1:
            left, right = self._of(node.left), self._of(node.comparators[0])
            for sign in COMPARED.get(type(node.ops[0]), ()):
                yield "comparison", f"{left} {sign} {right}"

    def _name(self, node: ast.Name) -> Iterator[Change]:
        parent = self._parents[node]
        called = isinstance(parent, ast.Call) and parent.func is node
        if called or node.id not in self._names or not isinstance(node.ctx, ast.Load):
            return
        for other, line in self._names.items():
            if other != node.id and line < node.lineno:
                yield "another variable", other
        multiplied = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult)
        if multiplied:
            yield "transpose added", f"{node.id}.T"

    def _tuple(self, node: ast.Tuple | ast.List) -> Iterator[Change]:
        parts = [self._text.of(part) for part in node.elts]
        opened, closed = "[]" if isinstance(node, ast.List) else "()"
        index = isinstance(self._parents[node], ast.Subscript)

        def text(items: list[str]) -> str:
            inner = ", ".join(items) + ("," if len(items) == 1 else "")
            return inner if index else f"{opened}{inner}{closed}"

        yield from (("order of values", text(now)) for now in _swapped(parts))
        if isinstance(node.ctx, ast.Load) and len(parts) > 1:
            for at in range(len(parts)):
                yield "value dropped", text(parts[:at] + parts[at + 1 :])

    def _choice(self, node: ast.IfExp) -> Iterator[Change]:
        test, yes, no = (self._of(part) for part in (node.test, node.body, node.orelse))
        yield "condition negated", f"{no} if {test} else {yes}"


def _swapped(parts: list[str]) -> Iterator[list[str]]:
    """Yield a list with two of its items exchanged, for each pair."""
    for one, two in itertools.combinations(range(len(parts)), 2):
        now = list(parts)
        now[one], now[two] = now[two], now[one]
        yield now


def _other_operators(operator: ast.operator) -> str:
    return OTHERS[OPERATORS[type(operator)]]
