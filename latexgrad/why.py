"""Why a formula is wrong: a missing path, or the edit that makes it right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from .arithmetic import Shape, ShapeError, shape_of
from .assessment import Mistake
from .checker import Mismatch, same
from .edits import edits
from .evaluate import EvaluationError
from .formula_text import as_text, name_text, quantity_text
from .limits import Budget, OverBudgetError, UnreadableError
from .network import LAST, TIME, Key, key_of, time_of
from .nodes import Gradient, Index, Node, Symbol, parts
from .reading import Probe, UnknownError, readings
from .resolve import size_names
from .rules import finished
from .scope import Answer, Scope, shape_in
from .truth import PROBE_SIZES, Point, paths
from .verdicts import ComparedAnswer

MAX_TRIED = 700  # edits of one formula
MAX_PATHS = 8  # through which one value reaches the loss: all sets of them are tried
OPERATIONS = 12_000  # of all edits of one check: a tenth of a second
ALMOST = 1e-6  # relative


class _TruthScope(Scope):
    """A scope in which every gradient of a known value has its true value."""

    def leaf(self, node: Symbol | Gradient, time: int | None) -> Any:
        key = key_of(node)
        answer = self.answer
        if (
            answer.has_truth(key)
            and self.has_truth(key, time)
            and not self.being_defined(key, time)
        ):
            stated = self.rule_for(key, time) is not None
            upstream = key in answer.network.given_keys and not stated and answer.given == "direct"
            if not (upstream and self.has_truth(key._replace(of="D"), time)):
                return self.expected(key, time)
        return super().leaf(node, time)


class _Use(NamedTuple):
    """One use of a rule: where and when."""

    point: Point
    time: int | None
    bindings: Mapping[str, int]


class Diagnosis:
    """Explains the mismatches of one answer."""

    def __init__(self, compared: ComparedAnswer) -> None:
        self._points = compared.points
        self._answer: Answer = compared.answer
        self._budget = Budget(OPERATIONS)
        self._probe = Probe(
            lambda key: shape_in(self._answer, key, PROBE_SIZES),
            self._budget,
            self._answer.letters,
        )
        self._scopes: dict[int, _TruthScope] = {}
        self._known: dict[tuple[int, int], Mistake] = {}

    def mistake(self, found: Mismatch) -> Mistake:
        """Return what is wrong with a link of a rule; for all gates of a formula it is the same."""
        rule = self._answer.rules[found.rule]
        place = (rule.statement.number, found.link) if rule.gates else (-1 - found.rule, found.link)
        if place not in self._known:
            self._known[place] = self._mistake(found)
        return self._known[place]

    def _mistake(self, found: Mismatch) -> Mistake:
        error = found.error
        if isinstance(error, UnreadableError):
            return Mistake(None, error.message)
        if isinstance(error, UnknownError):
            return Mistake("undefined", self._unknown(error))
        what = self._wrong_with(found)
        try:
            missing = self._missing_paths(found)
            repair = missing or self._repair(found) or self._pattern(found)
        except OverBudgetError:
            repair = None
        index = self._answer.rules[found.rule].time
        base = "the base case is wrong: " if index is not None and index.variable == LAST else ""
        if repair is None:
            return Mistake(what.kind, base + what.text)
        shape = isinstance(error, ShapeError) or _shapes_differ(found)
        text = f"{base}{what.text}: {repair.text}" if shape else base + repair.text
        return Mistake(repair.kind, text)

    def _unknown(self, error: UnknownError) -> str:
        text = as_text(error.node)
        if self._answer.has_truth(key_of(error.node)):
            return f"uses {text}, which is neither given nor derived"
        return f"uses {text}, which is neither given nor defined"

    def _wrong_with(self, found: Mismatch) -> Mistake:
        rule = self._answer.rules[found.rule]
        error = found.error
        timed = TIME in found.bindings and not self._answer.network.one_step
        at = f"at t = {found.bindings[TIME]} " if timed else ""
        if isinstance(error, ShapeError):
            names = self._size_names(PROBE_SIZES)
            left, right = (_shape_letters(shape, names) for shape in (error.left, error.right))
            return Mistake("shapes", f"{error.what} shapes {left} and {right} is impossible")
        if isinstance(error, EvaluationError):
            return Mistake(error.kind, error.message)
        own = quantity_text(rule.key, rule.time)
        if _shapes_differ(found):
            sizes = self._size_names(found.point.sizes)
            got = _shape_letters(shape_of(np.asarray(found.got)), sizes)
            expected = _shape_letters(shape_of(found.expected), sizes)
            return Mistake("shapes", f"{at}your {own} has shape {got}, expected {expected}")
        if found.got is not None and not np.isfinite(np.asarray(found.got)).all():
            return Mistake("not_finite", f"{at}your {own} is not a finite number")
        return Mistake(None, f"{at}your {own} has the wrong value")

    def _size_names(self, sizes: Mapping[str, int]) -> dict[int, str]:
        names = size_names(self._answer.network, tuple(sorted(sizes.items())))
        return {size: _multiple(name) for size, name in names.items()}

    # Paths by which a value reaches the loss

    def _missing_paths(self, found: Mismatch) -> Mistake | None:
        """Return which paths to the loss are missing, if that explains the difference."""
        node = self._answer.settled[found.rule][found.link]
        rule = self._answer.rules[found.rule]
        key = self._answer.meant(rule.key)
        if node is None or found.got is None or not self._answer.network.has(key):
            return None
        uses = [use for use in self._uses(found.rule) if use.time is not None]
        tables: list[tuple[Any, dict[tuple[Key, int], Any]]] = []
        for use in uses:
            scope = self._truth_scope(use.point)
            try:
                got = scope.defined(node, use.bindings, (rule.key, use.time))
            except (ShapeError, EvaluationError):
                return None
            expected = scope.expected(key, use.time)
            if shape_of(got) not in (None, expected.shape):
                return None
            tables.append((expected - got, self._paths_of(key, use)))
        labels = list(dict.fromkeys(label for _rest, table in tables for label in table))
        if not labels or len(labels) > MAX_PATHS or not tables:
            return None
        for count in range(1, len(labels) + 1):
            for chosen in combinations(labels, count):
                if all(_explains(rest, table, chosen) for rest, table in tables):
                    return Mistake("path_missing", _missing_text(chosen, rule.time))
        return None

    def _paths_of(self, key: Key, use: _Use) -> dict[tuple[Key, int], Any]:
        """Return what a value's gradient gets through each later value, and directly."""
        sizes = tuple(sorted(use.point.sizes.items()))
        value = key._replace(of="")
        turned = self._answer.turned(key)
        result: dict[tuple[Key, int], Any] = {}
        direct = (key._replace(of="D"), use.time)
        if direct in use.point.values:
            gradient = use.point.values[direct]
            result[direct[0], 0] = gradient.T if turned else gradient
        found = paths(self._answer.network, sizes, use.point.seed)
        for (used, (by, when)), gradient in found.items():
            if used == (value, use.time) and when is not None and use.time is not None:
                result[by, when - use.time] = gradient.T if turned else gradient
        return result

    # Edits

    def _repair(self, found: Mismatch) -> Mistake | None:
        """Return what the first edit says that makes the link right."""
        rule = self._answer.rules[found.rule]
        link = rule.raw[found.link] if rule.raw else rule.links[found.link]
        network = self._answer.network
        sequence = [Symbol(key.name, key.labels, Index(TIME)) for key in sorted(network.sequences)]
        stated = {other.key for other in self._answer.rules} | network.given_keys
        tried: set[Node] = {link}
        uses = [_Use(found.point, found.time, found.bindings), *self._uses(found.rule)]
        for edit in edits(link, network, sequence, frozenset(stated)):
            if edit.node in tried:
                continue
            tried.add(edit.node)
            if len(tried) > MAX_TRIED:
                return None
            node = finished(edit.node, rule, self._answer.renaming)
            if _mentions(node, rule.key, rule.time) and not _mentions(link, rule.key, rule.time):
                continue  # the gradient itself is always right
            if self._right(node, found.rule, uses):
                return Mistake(edit.kind, edit.message)
        return None

    def _right(self, node: Node, number: int, uses: Sequence[_Use]) -> bool:
        try:
            choices = readings(node, self._probe)
        except (ShapeError, EvaluationError, UnreadableError):
            return False
        return any(
            all(self._agrees(choice.node, number, use) for use in uses) for choice in choices
        )

    def _uses(self, number: int) -> Iterator[_Use]:
        """Yield all points and times at which a rule is used."""
        rule = self._answer.rules[number]
        for point in self._points[:2]:
            scope = self._truth_scope(point)
            times: Sequence[int | None] = (
                [None] if rule.time is None else list(range(point.last + 1))
            )
            for time in times:
                used = scope.rule_for(rule.key, time)
                if (
                    used is not None
                    and used.rule == number
                    and not used.stretched
                    and scope.has_truth(rule.key, time)
                ):
                    yield _Use(point, time, used.bindings)

    def _agrees(self, node: Node, number: int, use: _Use) -> bool:
        scope = self._truth_scope(use.point)
        key = self._answer.rules[number].key
        try:
            value = scope.defined(node, use.bindings, (key, use.time))
        except (ShapeError, EvaluationError):
            return False
        return same(value, scope.expected(key, use.time))

    def _truth_scope(self, point: Point) -> _TruthScope:
        if id(point) not in self._scopes:
            self._scopes[id(point)] = _TruthScope(self._answer, point, self._budget, trusted=True)
        return self._scopes[id(point)]

    def _pattern(self, found: Mismatch) -> Mistake | None:
        """Describe a difference: a factor, or a mistake that depends on the step."""
        if found.got is None or _shapes_differ(found):
            return None
        got = np.broadcast_to(np.asarray(found.got), found.expected.shape)
        ratio = got / found.expected
        if np.isfinite(ratio).all() and np.ptp(ratio) < ALMOST * np.abs(ratio).max():
            text = f"is {float(ratio.flat[0]):.3g} times what it should be"
            return Mistake("constant_factor", text)
        return self._over_time(found)

    def _over_time(self, found: Mismatch) -> Mistake | None:
        """Say whether a rule is right at the last step only, or everywhere else."""
        node = self._answer.settled[found.rule][found.link]
        if node is None or found.time is None or self._answer.network.one_step:
            return None
        last: set[bool] = set()
        before: set[bool] = set()
        for use in self._uses(found.rule):
            fits = self._agrees(node, found.rule, use)
            (last if use.time == use.point.last else before).add(fits)
        if last == {True} and before == {False}:
            text = "is right only at the last step: what comes back from step t+1 is wrong"
            return Mistake("recursion", text)
        if last == {False} and before == {True}:
            text = "is wrong only at the last step: check the base case of the recursion"
            return Mistake("base_case", text)
        return None


def _explains(
    rest: Any, table: Mapping[tuple[Key, int], Any], chosen: Sequence[tuple[Key, int]]
) -> bool:
    total = sum(table[label] for label in chosen if label in table)
    return same(total, rest) if np.abs(rest).max() > ALMOST else bool(np.abs(total).max() < ALMOST)


def _missing_text(chosen: Sequence[tuple[Key, int]], index: Index | None) -> str:
    """Say which paths are missing; ``index`` is the time of the value on the left-hand side."""
    names: list[str] = []
    for key, later in chosen:
        base = index or Index(TIME)
        time = Index(base.variable, base.offset + later)
        if key.of == "D":
            return f"the direct gradient {quantity_text(key, time)} is missing" + (
                f", and {_missing_text(rest, index)}"
                if (rest := [c for c in chosen if c[0].of != "D"])
                else ""
            )
        names.append(name_text(key.name, key.labels, time))
    return f"the gradient through {' and '.join(names)} is missing"


def _mentions(node: Node, key: Key, time: Index | None) -> bool:
    if isinstance(node, Symbol | Gradient):
        return key_of(node) == key and time_of(node) == time
    return any(_mentions(part, key, time) for part in parts(node))


def _shapes_differ(found: Mismatch) -> bool:
    if found.got is None:
        return False
    shape = shape_of(np.asarray(found.got))
    return shape is not None and shape != found.expected.shape


def _multiple(name: str) -> str:
    """Return ``H+H+H+H`` as ``4H``."""
    counts = Counter(name.split("+"))
    return "+".join(f"{count}{letter}" if count > 1 else letter for letter, count in counts.items())


def _shape_letters(shape: Shape | None, sizes: dict[int, str]) -> str:
    """Return a shape with its letters: ``(H, D)``, ``(H,)`` for a column, ``(1, H)`` for a row."""
    if shape is None:
        return "()"
    rows, columns = (sizes.get(size, str(size)) for size in shape)
    return f"({rows},)" if columns == "1" else f"({rows}, {columns})"
