"""The values of an answer's quantities at one random point: its own rules, evaluated as recursions.

A rule for ``h_t`` is used at every t, one for ``h_{t-1}`` with t one later, one for ``h_T`` at the
last step only. What lies beyond the last step is zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .arithmetic import Shape, ShapeError, as_number, shape_of
from .components import evaluate_entries
from .evaluate import EvaluationError, at_time, evaluate
from .functions import NUMPY, Functions
from .limits import Budget
from .network import LAST, LATER, STACKED, TIME, Dims, Key, Network, key_of, keys_in, time_of
from .nodes import Arranged, Gradient, Node, Symbol
from .reading import UnknownError
from .renaming import Renaming
from .rules import Rule
from .task import Given
from .truth import Point, concrete, size_of


class Layout(NamedTuple):
    """How values and their gradients lie. In the truth, vectors are columns and ``y = W x``.

    ``vectors``, ``matrices`` and their gradients say what is the transpose of the truth's.
    """

    name: str
    vectors: bool
    matrices: bool
    vector_gradients: bool
    matrix_gradients: bool

    def turned(self, key: Key, dims: Dims) -> bool:
        """Say whether a quantity, whose dimensions are those of its value, is transposed."""
        if len(dims) == 1:
            return self.vector_gradients if key.of else self.vectors
        return self.matrix_gradients if key.of else self.matrices


# How much less a rule counts than others: in running text, for any gate, without a definition.
INLINE, FOR_ANY_GATE, PASSIVE = 1.5, 0.25, 10.0
COLUMNS = Layout("vectors are columns", *(False,) * 4)
ROWS = Layout("vectors are rows", *(True,) * 4)
ROW_GRADIENTS = Layout("vectors are columns, gradients rows", *(False, False, True, True))
STORED = Layout("vectors are rows, y = x W^T", *(True, False, True, False))
SHAPED = Layout(
    "vectors are columns, their gradients rows, gradients by matrices lie as the matrices",
    *(False, False, True, False),
)
TRANSPOSED = Layout("vectors are columns, y = W^T x", *(False, True, False, True))
LAYOUTS = (COLUMNS, ROWS, STORED, ROW_GRADIENTS, SHAPED, TRANSPOSED)


class Used(NamedTuple):
    """A rule in use at one time: what its index is bound to, and whether it was stretched."""

    rule: int
    bindings: dict[str, int]
    stretched: bool


@dataclass
class Answer:
    """The rules of an answer with one reading for every link.

    Attributes:
        rules: the rules, in order.
        settled: for each rule its links with their products settled; None for those without value.
        dims: the dimensions of all quantities that are known, as columns.
        own_shapes: the names of the two dimensions of the student's own quantities.
        stands_for: which gradient an own quantity stands for, where that has been found out.
        passive: rules that say something about a quantity, but not what it is.
    """

    network: Network
    renaming: Renaming
    layout: Layout
    given: Given
    rules: Sequence[Rule]
    settled: list[list[Node | None]]
    dims: Mapping[Key, Dims]
    own_shapes: Mapping[Key, tuple[str, str]] = field(default_factory=dict)
    stands_for: dict[Key, Key] = field(default_factory=dict)
    passive: set[int] = field(default_factory=set)

    def meant(self, key: Key) -> Key:
        """Return the gradient that an own quantity stands for, as far as that is known."""
        return self.stands_for.get(key, key)

    def has_truth(self, key: Key) -> bool:
        """Say whether there is a truth for a gradient."""
        key = self.meant(key)
        return key.of == "L" and self.network.has(key)

    def turned(self, key: Key) -> bool:
        """Say whether a quantity of the network is the transpose of the truth's."""
        return self.layout.turned(key, self.dims[key._replace(of="")])

    @property
    def letters(self) -> frozenset[str]:
        """The letters that are sizes in the answer: it may give them another meaning."""
        own = {rule.key.name for rule in self.rules if not rule.key.of}
        return self.network.letters - own

    @cached_property
    def _numbers(self) -> dict[Key, list[int]]:
        found: dict[Key, list[int]] = {}
        for number, rule in enumerate(self.rules):
            found.setdefault(rule.key, []).append(number)
        return found

    def rules_for(self, key: Key) -> list[int]:
        """Return the numbers of the rules for a key."""
        return list(self._numbers.get(key, ()))


class Scope:
    """Values at one point. ``trusted`` takes the truth for what is derived elsewhere."""

    functions: Functions = NUMPY

    def __init__(self, answer: Answer, point: Point, budget: Budget, *, trusted: bool) -> None:
        self.answer = answer
        self.point = point
        self.budget = budget
        self.last = point.last
        self.trusted = trusted
        self.stretched: set[Key] = set()
        self.beyond: set[Key] = set()
        self._memo: dict[tuple[Key, int | None], Any] = {}
        self._active: list[tuple[Key, int | None]] = []
        self._rules: dict[Key, list[int]] = {}
        for number, rule in enumerate(answer.rules):
            self._rules.setdefault(rule.key, []).append(number)

    def leaf(  # noqa: C901, PLR0911 - one case per kind of leaf
        self, node: Symbol | Gradient, time: int | None
    ) -> Any:
        """Return the value of a symbol or gradient."""
        key = key_of(node)
        network = self.answer.network
        if network.one_step and network.has(key):
            self._check_step(node)
        if key.of == "" and key in network.values:
            return self._value(key, time, node)
        if time is None and key == Key("", key.name) and key.name in self.answer.letters:
            return float(self.point.sizes[key.name])
        if key.of == LATER and key not in self._rules and network.one_step:
            return self._direct(key._replace(of="D"), time, node)
        if key.of == "D" and network.has(key):
            return self._direct(key, time, node)
        place = (key, time)
        if self.being_defined(key, time):
            if key.of == "L" and self._direct_place(key, time) in self.point.values:
                # d <- d + ...: the old value is the gradient that was given.
                return self._turned(key, self.point.values[self._direct_place(key, time)])
            return self._before(key, time)
        if place not in self._memo:
            try:
                self._memo[place] = self._derived(key, time, node)
            except (EvaluationError, ShapeError) as error:
                self._memo[place] = error
        found = self._memo[place]
        if isinstance(found, EvaluationError | ShapeError):
            raise found
        return found

    def _before(self, key: Key, time: int | None) -> Any:
        r"""Return what a quantity was before it was changed: ``\delta = \delta \odot s``.

        Raises:
            EvaluationError: nothing else says what it is.
        """
        changed = False
        for number in reversed(self._rules.get(key, ()) if self._active[-1] == (key, time) else ()):
            rule = self.answer.rules[number]
            if any(key in keys_in(link) for link in rule.links):
                changed = True
                continue
            links = self.answer.settled[number]
            found = self.fit(rule, time)
            if changed and found is not None and links[-1] is not None:
                return as_number(self.link(number, len(links) - 1, found[1], (key, time)))
        raise EvaluationError("it is defined in terms of itself", "circular")

    def shape(self, node: Symbol | Gradient) -> Shape | None:
        """Return the shape of a symbol or gradient, None if it is not known."""
        return self._shape(key_of(node))

    def upright(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return the value of a symbol or gradient with vectors as columns."""
        value = self.leaf(node, time)
        key = self.answer.meant(key_of(node))
        known = self.answer.network.has(key)
        turned = known and shape_of(value) is not None and self.answer.turned(key)
        return value.T if turned else value

    def being_defined(self, key: Key, time: int | None) -> bool:
        """Say whether a quantity is used in its own definition."""
        return (key, time) in self._active

    def link(self, number: int, place: int, bindings: Mapping[str, int], own: Any) -> Any:
        """Return the value of one link of a rule; ``own`` is the place that it defines."""
        node = self.answer.settled[number][place]
        if node is None:
            raise EvaluationError("it cannot be evaluated")
        return self.defined(node, bindings, own)

    def defined(self, node: Node, bindings: Mapping[str, int], own: tuple[Key, int | None]) -> Any:
        """Return the value of a node that defines ``own``, which in it has its old value."""
        self._active.append(own)
        try:
            if isinstance(node, Arranged):
                value = evaluate_entries(node, bindings, self)
                key = self.answer.meant(own[0])
                turned = self.answer.network.has(key) and self.answer.turned(key)
                return value.T if turned else value
            return evaluate(node, bindings, self)
        finally:
            self._active.pop()

    def _check_step(self, node: Symbol | Gradient) -> None:
        """Raise ``EvaluationError`` for a fixed step where t is any: it may be another."""
        index = time_of(node)
        if index is not None and index.variable in (None, LAST):
            text = f"step {index} is a certain one, and t is any"
            raise EvaluationError(text, "another_step")

    def expected(self, key: Key, time: int | None) -> Any:
        """Return the truth of a quantity in the answer's layout."""
        meant, time = self._meant(key, time)
        return self._turned(meant, self.point.values[meant, time])

    def has_truth(self, key: Key, time: int | None) -> bool:
        """Say whether there is a truth for a quantity."""
        return self._meant(key, time) in self.point.values

    def _meant(self, key: Key, time: int | None) -> tuple[Key, int | None]:
        r"""Return what a quantity stands for: in one step, ``\delta`` is ``\delta_t``."""
        meant = self.answer.meant(key)
        timed = meant._replace(of="") in self.answer.network.sequences
        if time is None and meant != key and timed and self.answer.network.one_step:
            return meant, 1
        return meant, time

    def rule_for(self, key: Key, time: int | None) -> Used | None:
        """Return the rule that says what a quantity is at a time.

        A rule for that time alone wins over one for a range, and that over one for all times; of
        two alike the later counts. A rule is used beyond its range where there is no other.
        """
        best: tuple[float, int, Used] | None = None
        for number in self._rules.get(key, ()):
            found = self.fit(self.answer.rules[number], time)
            if found is None:
                continue
            rank, bindings, stretched = found
            rank -= self._handicap(number)
            candidate = (rank, number, Used(number, bindings, stretched))
            if best is None or candidate[:2] >= best[:2]:
                best = candidate
        return None if best is None else best[2]

    def _handicap(self, number: int) -> float:
        """Return what a rule loses against others: a remark does not replace a formula."""
        rule = self.answer.rules[number]
        return (
            rule.implied
            + (0 if rule.statement.display else INLINE)
            + (FOR_ANY_GATE if rule.gates and not rule.domain.members else 0)
            + (PASSIVE if number in self.answer.passive else 0)
        )

    def fit(self, rule: Rule, time: int | None) -> tuple[float, dict[str, int], bool] | None:
        """Return how well a rule fits a time (more is better), and what binds its index."""
        one_step = self.answer.network.one_step
        bindings = {TIME: 1} if one_step else {}
        index = rule.time
        if index is None or time is None:
            return (8, bindings, False) if index is None and time is None else None
        if index.variable in (None, LAST):
            exact = at_time(index, {}, self.last) == time
            return (8, bindings, False) if exact else None
        step = time - index.offset
        bindings = {**bindings, index.variable or TIME: step}
        first, last = 1, self.last
        if rule.domain.limited:
            lower, upper = rule.domain.lower, rule.domain.upper
            first = at_time(lower, {TIME: step}, self.last) if lower else first
            last = at_time(upper, {TIME: step}, self.last) if upper else last
        if first <= step <= last:
            return (6 if rule.domain.limited else 4), bindings, False
        # One step further at either end, if nothing else is said about that time.
        if not one_step and 0 <= time <= self.last and 0 <= step <= self.last + 1:
            return 2, bindings, True
        return None

    def _derived(self, key: Key, time: int | None, node: Symbol | Gradient) -> Any:
        network = self.answer.network
        if time is not None and time > self.last and not network.one_step:
            return self._after_the_end(key, time)
        used = self.rule_for(key, time)
        if used is None:
            if key in network.given_keys and (time is None or 1 <= time <= self.last):
                if self.answer.given == "total":
                    return self.expected(key, time)
                return self._direct(key._replace(of="D"), time, node)
            raise UnknownError(node)
        if self.trusted and self.answer.has_truth(key) and self.has_truth(key, time):
            return self.expected(key, time)
        if used.stretched:
            self.stretched.add(key)
        links = self.answer.settled[used.rule]
        places = [place for place, link in enumerate(links) if link is not None]
        if not places:
            raise EvaluationError("it cannot be evaluated", "not_worked_out")
        return as_number(self.link(used.rule, places[-1], used.bindings, (key, time)))

    def _after_the_end(self, key: Key, time: int) -> Any:
        """Return what the answer says about a time after the last step, or zero."""
        for number in reversed(self._rules.get(key, ())):
            rule = self.answer.rules[number]
            exact = rule.time is not None and rule.time.variable in (None, LAST)
            if exact and rule.time is not None and at_time(rule.time, {}, self.last) == time:
                value = self.link(number, len(rule.links) - 1, {}, (key, time))
                shape = self._shape(key)
                return value if shape is None else np.broadcast_to(value, shape)
        self.beyond.add(key)
        shape = self._shape(key)
        return 0.0 if shape is None else np.zeros(shape)

    def _value(self, key: Key, time: int | None, node: Symbol | Gradient) -> Any:
        if (key, time) in self.point.values:
            return self._turned(key, self.point.values[key, time])
        if time is not None and time > self.last and not self.answer.network.one_step:
            shape = self._shape(key)
            return 0.0 if shape is None else np.zeros(shape)
        return self._no_such_time(node, time)

    def _direct(self, key: Key, time: int | None, node: Symbol | Gradient) -> Any:
        if (key, time) in self.point.values:
            return self._turned(key, self.point.values[key, time])
        if time is not None and time > self.last and not self.answer.network.one_step:
            shape = self._shape(key)
            return 0.0 if shape is None else np.zeros(shape)
        raise UnknownError(node)

    def _no_such_time(self, node: Symbol | Gradient, time: int | None) -> Any:
        symbol = node.by if isinstance(node, Gradient) else node
        name = symbol.name if isinstance(symbol, Symbol) else "it"
        if self.answer.network.one_step:
            message = f"{name} belongs to a different step"
        else:
            message = f"there is no {name} at time {time}"
        raise EvaluationError(message, "another_step")

    def _direct_place(self, key: Key, time: int | None) -> tuple[Key, int | None]:
        return key._replace(of="D"), time

    def _turned(self, key: Key, value: Any) -> Any:
        return value.T if self.answer.turned(key) else value

    def _shape(self, key: Key) -> Shape | None:
        return shape_in(self.answer, key, self.point.sizes)


def shape_in(answer: Answer, key: Key, sizes: Mapping[str, int]) -> Shape | None:
    """Return the shape of a quantity in an answer's layout, None if it is not known."""
    own = answer.own_shapes.get(key)
    if own is not None:
        rows, columns = (size_of(name, sizes) for name in own)
        return rows, columns
    key = key._replace(labels=tuple(label for label in key.labels if label != STACKED))
    dims = answer.dims.get(key._replace(of=""))
    if dims is None or key.of not in ("", "L", "D"):
        return None
    shape = concrete(dims, sizes)
    return (shape[1], shape[0]) if answer.turned(key) else shape
