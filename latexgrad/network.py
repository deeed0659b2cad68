"""The assignment's equations: the symbols, their other names, and their shapes.

Built from a task's LaTeX by the same parser that reads students' answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from . import derivatives, equations, parser
from .limits import UnreadableError
from .looks import plain_lexemes
from .nodes import (
    BlockOf,
    Blocks,
    Gradient,
    Index,
    Node,
    Series,
    Symbol,
    parts,
    with_parts,
)
from .task import Task

TIME = "t"
LAST = "T"
LATER = "N"  # in a key: a gradient of the loss of all later steps
STACKED = "stacked"  # labels what reaches a value as a part of a vector, not all of its gradient
BATCH = "n"  # counts the members of a batch
# Letters that stand for any gate unless they are the name of one.
GATE_VARIABLES = frozenset(
    ("g", "k", "j", "q", "s", "m", "p", "*", r"\gamma", r"\alpha", r"\star", r"\ell", "gate")
)
Dims = tuple[str, ...]


class Key(NamedTuple):
    """A quantity at all times: ``of`` is empty for a value, L or D for a gradient."""

    of: str
    name: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Network:
    """What is given.

    Attributes:
        inputs: dimensions of inputs and parameters, by key; vectors have one, matrices two.
        forward: the equations, in the order of computation: symbol (at time t) and expression.
        given: symbols (at time t) of which each step's own loss has a gradient, which is given.
        totals: further symbols whose total gradients may be taken as given.
        sequences: the keys of values that have a time.
        gates: the labels of gates with their other names.
        aliases: other keys of values.
        one_step: whether time has a single step, so that t needs no sum.
        loss: the loss, where the task gives it.
        one_hot: the keys of inputs with a single 1.
        letters: the letters for dimensions: in a formula each is the size of its dimension.
    """

    inputs: Mapping[Key, Dims]
    forward: tuple[tuple[Symbol, Node], ...]
    given: tuple[Symbol, ...]
    sequences: frozenset[Key]
    gates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: Mapping[Key, Key] = field(default_factory=dict)
    totals: tuple[Symbol, ...] = ()
    one_step: bool = True
    loss: Node | None = None
    letters: frozenset[str] = frozenset()
    one_hot: frozenset[Key] = frozenset()

    def __hash__(self) -> int:
        """Networks are told apart by identity: truths are cached for each."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    @cached_property
    def computed(self) -> frozenset[Key]:
        """The keys of the values that the equations compute."""
        return frozenset(key_of(symbol) for symbol, _node in self.forward)

    @cached_property
    def values(self) -> frozenset[Key]:
        """The keys of all values."""
        return frozenset(self.inputs) | self.computed

    @cached_property
    def given_keys(self) -> frozenset[Key]:
        """The keys of gradients that may be taken as given."""
        return frozenset(key_of(symbol)._replace(of="L") for symbol in self.given + self.totals)

    def has(self, key: Key) -> bool:
        """Say whether a key is that of a value of the network, or of a gradient by one."""
        return Key("", key.name, key.labels) in self.values


def build(task: Task) -> Network:  # noqa: C901 - one loop for each kind of key
    """Build a network from a task's LaTeX.

    Raises:
        UnreadableError: something in it cannot be read.
    """
    gates = task.gates
    inputs: dict[Key, Dims] = {}
    sequences: set[Key] = set()
    other_gates = {name: _with_capitals(name, others) for name, others in gates.items()}
    for text, dims in task.shapes.items():
        for name in _each_gate(text, gates):
            symbol = symbol_of(name)
            inputs[_key(symbol)] = tuple(dims)
            if symbol.time is not None:
                sequences.add(_key(symbol))
    computed: list[tuple[Symbol, Node]] = []
    for equation in equations.equations(plain_lexemes(task.forward, 0, {})):
        defined = parser.expression(equation.sides[0], equation.at)
        node = parser.expression(equation.sides[1], equation.at)
        if not isinstance(defined, Symbol) or defined.time not in (None, Index(TIME)):
            raise UnreadableError("a forward equation must define a value, at t if at any time", 0)
        for gate in _gate_choices(defined, gates):
            made = substitute(defined, *gate) if gate else defined
            assert isinstance(made, Symbol)  # noqa: S101 - substitution keeps the type
            computed.append((made, substitute(node, *gate) if gate else node))
            if made.time is not None:
                sequences.add(_key(made))
    others: dict[Key, Key] = {}
    for text, names in task.aliases.items():
        for name in names:
            for one, two in zip(_each_gate(text, gates), _each_gate(name, gates), strict=True):
                others[_key(symbol_of(two))] = _key(symbol_of(one))
    return Network(
        inputs,
        tuple(computed),
        tuple(symbol_of(text) for text in task.given),
        frozenset(sequences),
        other_gates,
        others,
        tuple(symbol_of(text) for text in task.also_total),
        task.one_step,
        parser.expression(plain_lexemes(task.loss, 0, {}), 0) if task.loss else None,
        _letters(task, inputs),
        frozenset(_key(symbol_of(text)) for text in task.one_hot),
    )


def _letters(task: Task, inputs: Mapping[Key, Dims]) -> frozenset[str]:
    """Return the letters that are sizes in a formula: not H where a value is called h."""
    names = {key.name.lower() for key in inputs}
    letters = {letter for dims in task.shapes.values() for letter in dims}
    return frozenset(letter for letter in letters if letter.lower() not in names)


def _with_capitals(gate: str, others: Sequence[str]) -> tuple[str, ...]:
    r"""Return the other names of a gate; an accented one may be a capital, ``\tilde C``."""
    accented = [f"{name[:-1]}{name[-1].upper()}" for name in (gate, *others) if " " in name]
    return tuple(dict.fromkeys((*others, *(name for name in accented if name != gate))))


def gate_variables(labels: Sequence[str], gates: Collection[str]) -> list[str]:
    """Return those of a symbol's labels that stand for any gate."""
    return [label for label in labels if label in GATE_VARIABLES and label not in gates]


def _gate_choices(symbol: Symbol, gates: Collection[str]) -> list[tuple[str, str] | None]:
    variables = gate_variables(symbol.labels, gates)
    return [(variables[0], gate) for gate in gates] if variables and gates else [None]


def _each_gate(text: str, gates: Mapping[str, object]) -> list[str]:
    """Return a symbol for each gate if it has the gate variable g, otherwise itself."""
    if "^g" not in text or not gates:
        return [text]
    return [text.replace("^g", f"^{{{gate}}}") for gate in gates]


def symbol_of(text: str) -> Symbol:
    """Return the symbol that a text names; raises ``UnreadableError`` if it is none."""
    node = parser.expression(plain_lexemes(text, 0, {}), 0)
    if not isinstance(node, Symbol):
        raise UnreadableError(f"{text} is not the name of a value", 0)
    return node


def _key(symbol: Symbol) -> Key:
    return Key("", symbol.name, symbol.labels)


def key_of(node: Symbol | Gradient) -> Key:
    """Return the key of a value or gradient."""
    if isinstance(node, Symbol):
        return _key(node)
    if isinstance(node.by, Symbol):
        return Key(node.of, node.by.name, node.by.labels)
    return Key(node.of, derivatives.name_of(node.by))


def keys_in(node: Node) -> Iterator[Key]:
    """Yield the keys of the symbols and gradients in a formula."""
    if isinstance(node, Symbol | Gradient):
        yield key_of(node)
        return
    for part in parts(node):
        yield from keys_in(part)


def time_of(node: Symbol | Gradient) -> Index | None:
    """Return the time of a value or gradient."""
    symbol = node.by if isinstance(node, Gradient) else node
    return symbol.time if isinstance(symbol, Symbol) else None


def substitute(node: Node, variable: str, label: str) -> Node:
    """Put a gate's label in place of a gate variable."""
    if isinstance(node, Symbol):
        if node.time == Index(variable):
            # W^{(k)}: what looks like a time is the gate.
            return replace(node, labels=tuple(sorted([*node.labels, label])), time=None)
        if variable not in node.labels:
            return node
        labels = [label if own == variable else own for own in node.labels]
        return replace(node, labels=tuple(sorted(labels)))
    if isinstance(node, Series) and node.variable == variable:
        return node
    if isinstance(node, BlockOf):
        layout = substitute(node.layout, variable, label)
        assert isinstance(layout, Blocks)  # noqa: S101 - substitution keeps the type
        node = replace(node, layout=layout)
    return with_parts(node, tuple(substitute(part, variable, label) for part in parts(node)))
