"""Proves that one function is pure (``pure.py``)."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from .pure_names import ATTRIBUTES, BUILTINS, KINDS, LINALG, MATH, NUMPY

EMPTY = frozenset(["empty", "empty_like"])
# What an expression of the module's own level may be made of: its value cannot change.
FIXED = (ast.Constant, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.Load)
ANNOTATION = (
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.BinOp, ast.BitOr,
    ast.Load,
)  # fmt: skip
# What the body of a function may hold, looked at for nothing but what is in it. Exceptions are not
# caught, and nothing outlives a call.
PLAIN = frozenset([
    ast.Expr, ast.AugAssign, ast.AnnAssign, ast.Return, ast.If, ast.For, ast.While, ast.Pass,
    ast.Break, ast.Continue, ast.Delete, ast.keyword, ast.BoolOp,
    ast.NamedExpr, ast.UnaryOp, ast.IfExp, ast.Dict, ast.Compare,
    ast.Subscript, ast.Starred, ast.List, ast.Tuple, ast.Slice,
])  # fmt: skip
KIND_OF = "isinstance"  # which takes types that nothing else may be called with
TEXTS = frozenset([ast.JoinedStr, ast.FormattedValue])  # which may show where an object lies
TEXT_OF = frozenset(["str", "repr"])
MAX_TYPE = 64  # characters of the name of a type
SCOPES = frozenset([ast.ListComp, ast.DictComp, ast.GeneratorExp])  # that bind names of their own
LEAVES = (ast.Constant, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
# ``where`` leaves entries that are not written; the others have other code do the work.
NO_KEYWORDS = frozenset(["where", "like", "file", "call"])


class NotProvenError(Exception):
    """The program is outside the part of Python that the proof takes; says why."""


@dataclass
class Known:
    """What the names at the level of a module mean."""

    numpy: set[str] = field(default_factory=set)
    math: set[str] = field(default_factory=set)
    own: dict[str, Known] = field(default_factory=dict)  # modules of the program by alias
    functions: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    helpers: dict[str, str] = field(default_factory=dict)  # namedtuple and dataclass
    typing: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    # Whether memory that was not written is used, anywhere in the program.
    unwritten: list[str] = field(default_factory=list)

    @cached_property
    def modules(self) -> set[str]:
        """The names of modules, which may only be followed by an attribute."""
        return {*self.numpy, *self.math, *self.own}

    @cached_property
    def lasting(self) -> set[str]:
        """The names of what lives as long as the module, and cannot be changed."""
        return self.functions | self.classes | self.values

    def kinds(self) -> Iterator[set[str]]:
        """Yield the names of each kind: a name has one meaning only."""
        yield from (self.numpy, self.math, set(self.own), self.functions, self.classes)
        yield from (self.values, set(self.helpers), self.typing)

    def take(self, other: Known) -> None:
        """Take all public names of another module, as ``from other import *`` does."""
        for name in ("numpy", "math", "functions", "classes", "values", "typing"):
            getattr(self, name).update(n for n in getattr(other, name) if not n.startswith("_"))
        self.own |= {n: m for n, m in other.own.items() if not n.startswith("_")}
        self.helpers |= {n: m for n, m in other.helpers.items() if not n.startswith("_")}
        self.fields |= other.fields


class FunctionProof:
    """Checks one function, with those inside it."""

    def __init__(self, module: Known, node: ast.FunctionDef) -> None:
        self._module = module
        self._name = node.name
        self._waiting: list[ast.AST] = [*node.body]
        self._bound: Counter[str] = Counter()  # how often each name is bound in it
        self._made: Counter[str] = Counter()  # how often to a new object of the program's class
        self._read: set[str] = set()  # names that stand alone
        self._set: list[tuple[str, str]] = []  # names, and their attributes that are set
        self._has_scopes = False
        self._raised: list[ast.AST] = []
        self._ends = False
        self._arguments(node.args)

    def check(self) -> None:
        """Raise ``NotProvenError`` unless calls of the function leave nothing behind."""
        self._look_at_all()
        # What only an exception is made of may be any text: with it, the call has ended.
        self._ends, self._waiting = True, self._raised
        self._look_at_all()
        self._look_at_names()

    def _look_at_all(self) -> None:
        while self._waiting:
            node = self._waiting.pop()
            kind = type(node)
            if kind in PLAIN or (self._ends and kind in TEXTS):
                self._has_inside(node)
            elif kind in SCOPES:
                self._has_scopes = True
                self._has_inside(node)
            elif kind is ast.Constant:
                self._constant(node)
            elif not isinstance(node, LEAVES):
                self._look_at(node)

    def _constant(self, node: ast.AST) -> None:
        """Refuse the name of a type of which numpy shows memory that was not written."""
        value = getattr(node, "value", None)
        if isinstance(value, str | bytes) and _shows_memory(value):
            raise NotProvenError(f"{value!r} is a type of any bytes")
        if value in EMPTY:  # a mode of np.pad
            self._module.unwritten.append(value)

    def _look_at_names(self) -> None:
        """Look at the names of the whole function, once all are known."""
        module = self._module
        if KIND_OF in self._bound or KIND_OF in module.functions:
            raise NotProvenError(f"{KIND_OF} is not Python's")
        if self._bound.keys() & (module.modules | module.classes):
            raise NotProvenError(f"{self._name} binds the name of a module or class")
        if self._read & (module.modules | module.helpers.keys() | module.typing):
            raise NotProvenError(f"{self._name} passes a module on")
        for name in self._read:
            self._may_read(name)
        for owner, name in self._set:
            own = self._made[owner] > 0 and self._made[owner] == self._bound[owner]
            if not own or name not in module.fields:
                raise NotProvenError(f"{self._name} sets {name} of something")

    def _has_inside(self, node: ast.AST) -> None:
        for name in node._fields:
            value = getattr(node, name, None)
            if type(value) is list:
                self._waiting += [one for one in value if one is not None]
            elif isinstance(value, ast.AST):
                self._waiting.append(value)

    def _look_at(self, node: ast.AST) -> None:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                if not (self._ends and name in TEXT_OF):
                    self._read.add(name)
            case ast.Name(id=name):
                self._bound[name] += 1
            case ast.Attribute():
                self._attribute(node)
            case ast.Call():
                self._call(node)
            case ast.BinOp(left=left, op=operator, right=right):
                if isinstance(operator, ast.Mod) and _is_text(left) and not self._ends:
                    raise NotProvenError(f"{self._name} makes texts")
                self._waiting += [left, right]
            case ast.comprehension(is_async=0):
                self._has_inside(node)
            case _:
                self._statement(node)

    def _statement(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                match targets, value:
                    case [ast.Name(id=name)], ast.Call(func=ast.Name(id=made)):
                        self._made[name] += made in self._module.classes
                self._waiting += [*targets, value]
            case ast.Raise(exc=ast.expr() as made, cause=None):
                self._raised.append(made)
            case ast.Assert(test=test, msg=words):
                self._waiting.append(test)
                self._raised += [words] if words is not None else []
            case ast.With():
                for item in node.items:
                    self._context(item)
                self._waiting += node.body
            case _:
                self._scope(node)

    def _scope(self, node: ast.AST) -> None:
        """Take a function inside this one."""
        self._has_scopes = True
        match node:
            case ast.Lambda(args=arguments, body=body):
                self._arguments(arguments)
                self._waiting.append(body)
            case ast.FunctionDef(decorator_list=[]) if not getattr(node, "type_params", []):
                if node.returns is not None:
                    all_in(node.returns, ANNOTATION)
                self._bound[node.name] += 1
                self._arguments(node.args)
                self._waiting += node.body
            case _:
                raise NotProvenError(f"{type(node).__name__} in {self._name}")

    def _arguments(self, arguments: ast.arguments) -> None:
        check_arguments(arguments, self._module)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        self._bound.update(
            one.arg for one in [*every, arguments.vararg, arguments.kwarg] if one is not None
        )

    def _may_read(self, name: str) -> None:
        """Raise ``NotProvenError`` if a name could mean something of Python's that is not safe."""
        if name.startswith("__"):
            raise NotProvenError(f"{self._name} uses {name}")
        module = self._module
        if name in BUILTINS or name in module.lasting:
            return
        # Bound in a scope inside, a name may be another one's outside of it.
        if not self._bound[name] or (self._has_scopes and hasattr(builtins, name)):
            raise NotProvenError(f"{self._name} uses {name}")

    def _call(self, node: ast.Call) -> None:
        _check_call(node)
        match node:
            case ast.Call(func=ast.Name(id=name), args=[value, kinds], keywords=[]) if (
                name == KIND_OF
            ):
                every = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
                self._waiting += [value, *(one for one in every if not self._is_kind(one))]
            case _:
                self._waiting += [node.func, *node.args, *node.keywords]

    def _is_kind(self, node: ast.expr) -> bool:
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                return owner in self._module.numpy and name in KINDS
        return False

    def _context(self, item: ast.withitem) -> None:
        """Take ``with np.errstate(...)`` only, which ends what it begins."""
        match item:
            case ast.withitem(
                context_expr=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=owner), attr="errstate"), args=[]
                ) as call,
                optional_vars=None,
            ) if owner in self._module.numpy:
                self._call(call)
            case _:
                raise NotProvenError(f"with in {self._name}")

    def _attribute(self, node: ast.Attribute) -> None:
        module, name = self._module, node.attr
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        if isinstance(node.ctx, ast.Store):
            self._set.append((owner, name))
            return
        if owner in module.numpy:
            allowed = name in NUMPY
            module.unwritten += [name] if name in EMPTY else []
        elif owner in module.math:
            allowed = name in MATH
        elif owner in module.own:
            allowed = name in module.own[owner].functions | module.own[owner].values
        elif self._is_linalg(node.value):
            allowed = name in LINALG
        else:
            allowed = name in ATTRIBUTES or name in module.fields
            self._waiting.append(node.value)
        if not allowed or not isinstance(node.ctx, ast.Load):
            raise NotProvenError(f"{self._name} uses {name}")

    def _is_linalg(self, node: ast.expr) -> bool:
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr="linalg"):
                return owner in self._module.numpy
        return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


@lru_cache(maxsize=4096)
def _shows_memory(text: Any) -> bool:
    """Say whether a text names a type of numpy's with any bytes, or with gaps, in its values.

    A single letter is rather the name of a gate.
    """
    if not 1 < len(text) <= MAX_TYPE:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            named = np.dtype(text)
        except Exception:  # numpy reads such texts in many ways
            return False
    return named.kind not in "fciubO" or named.char in "gG"


def _check_call(node: ast.Call) -> None:
    names = {keyword.arg for keyword in node.keywords}
    if None in names:
        raise NotProvenError("a call has **")
    if names & NO_KEYWORDS:
        raise NotProvenError(f"a call has {min(str(name) for name in names & NO_KEYWORDS)}")


def check_arguments(arguments: ast.arguments, module: Known) -> None:
    """Let default values be immutable: they live as long as their function."""
    for default in [*arguments.defaults, *arguments.kw_defaults]:
        if default is not None:
            check_fixed(default, module)
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for one in [*every, arguments.vararg, arguments.kwarg]:
        if one is not None and one.annotation is not None:
            all_in(one.annotation, ANNOTATION)


def check_fixed(value: ast.expr, module: Known) -> None:
    """Let a value be a number, a text, a tuple of such, or a type or a function of numpy."""
    match value:
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in module.numpy:
            if name not in NUMPY - {*EMPTY, "linalg"}:
                raise NotProvenError(f"numpy.{name} is kept")
        case ast.Name(id=name) if name in module.values:
            pass
        case _:
            all_in(value, FIXED)


def all_in(node: ast.AST, kinds: Sequence[type]) -> None:
    """Raise ``NotProvenError`` unless a tree holds nodes of these kinds only."""
    for inner in ast.walk(node):
        if not isinstance(inner, tuple(kinds)):
            raise NotProvenError(f"{type(inner).__name__} where only a fixed value may be")
