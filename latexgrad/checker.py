"""Compares the formulas of an answer with the truth, link by link, at random points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .arithmetic import ShapeError, shape_of
from .dependence import builds_on_loss, rules_behind
from .evaluate import EvaluationError
from .limits import Budget, UnreadableError
from .network import LAST, TIME, Key, keys_in
from .nodes import Gradient, Index, Node, Series, walk
from .reading import Reading, UnknownError
from .resolve import Resolved, is_name
from .rules import Rule
from .scope import Scope
from .truth import Point

RTOL = 1e-7  # of the largest entry; formulas are evaluated in float64 by few operations
ATOL = 1e-9
VerdictStatus = Literal["right", "follows", "wrong", "missing", "given"]
LinkError = ShapeError | EvaluationError | UnreadableError


@dataclass(frozen=True)
class Quantity:
    """What is asked for: ``time`` has the variable t (all steps) or is a fixed place."""

    key: Key
    time: Index | None

    def times(self, last: int) -> list[int | None]:
        """Return the times at which it is asked for."""
        if self.time is None:
            return [None]
        if self.time.variable is None:
            return [self.time.offset]
        if self.time.variable == LAST:
            return [last + self.time.offset]
        return [step + self.time.offset for step in range(1, last + 1)]


@dataclass(frozen=True)
class Mismatch:
    """Where a rule goes wrong first: its link, the point, the time and what was found there."""

    rule: int
    link: int
    point: Point
    time: int | None
    bindings: Mapping[str, int]
    got: Any = None
    expected: Any = None
    error: LinkError | None = None


@dataclass
class Verdict:
    """What was found about one quantity.

    ``blame`` is the mismatch to explain: of the formula itself, or of the intermediate it uses.
    ``unsummed`` says that only the sum over the steps is missing.
    """

    quantity: Quantity
    status: VerdictStatus
    rules: list[int] = field(default_factory=list)
    blame: Mismatch | None = None
    stretched: bool = False
    unsummed: bool = False


class Checker:
    """Compares the links of rules with the truth."""

    def __init__(self, resolved: Resolved, points: Sequence[Point], budget: Budget) -> None:
        self.resolved = resolved
        self._answer = resolved.answer
        self._points = points
        self._budget = budget
        self.beyond: set[Key] = set()
        self._scopes: dict[tuple[int, bool], Scope] = {}

    def scope(self, where: Point, *, trusted: bool) -> Scope:
        """Return the scope at a point, which remembers what it has computed."""
        key = (id(where), trusted)
        if key not in self._scopes:
            self._scopes[key] = Scope(self._answer, where, self._budget, trusted=trusted)
        return self._scopes[key]

    def meanings_changed(self) -> None:
        """Forget what was computed: own quantities have other meanings now."""
        self._scopes.clear()

    def choose_readings(self) -> None:
        """If a link has several readings, take the one that gives the truth, if any does."""
        for number, links in enumerate(self.resolved.readings):
            for place, found in enumerate(links):
                if isinstance(found, list) and len(found) > 1:
                    self._choose(number, place, found)
        self._scopes.clear()
        self._pass_over_repetitions()

    def _pass_over_repetitions(self) -> None:
        """Let a true statement that comes later define nothing: the first is the derivation."""
        answer = self._answer
        first: dict[object, int] = {}
        for number, rule in enumerate(answer.rules):
            if number in answer.passive or not self._has_truth(rule):
                continue
            place = (rule.key, rule.time, rule.domain, rule.earlier)
            earlier = first.setdefault(place, number)
            if earlier == number:
                continue
            if self._right_alone(earlier) and self._right_alone(number):
                answer.passive.add(number)
            else:
                first[place] = number
        self._scopes.clear()

    def _right_alone(self, number: int) -> bool:
        """Say whether a rule is true, whether or not it is the one in use."""
        rule = self._answer.rules[number]
        for where in self._points[:2]:
            scope = self.scope(where, trusted=True)
            for time in range(where.last + 1) if rule.time is not None else [None]:
                fit = scope.fit(rule, time)
                if fit is None or fit[2] or not scope.has_truth(rule.key, time):
                    continue
                if self._links(scope, number, fit[1], time) is not None:
                    return False
        return True

    def _choose(self, number: int, place: int, found: Sequence[Reading]) -> None:
        rule = self._answer.rules[number]
        settled = self._answer.settled[number]
        for reading in found:
            settled[place] = reading.node
            self._scopes.clear()
            if self.first_wrong(number, trusted=True, only=place) is None and self._has_truth(rule):
                return
        settled[place] = found[0].node

    def _has_truth(self, rule: Rule) -> bool:
        return self._answer.has_truth(rule.key)

    def first_wrong(
        self, number: int, *, trusted: bool, only: int | None = None
    ) -> Mismatch | None:
        """Return where a rule differs first from the truth, at all times it holds for."""
        rule = self._answer.rules[number]
        for where in self._points[:2] if trusted else self._points:
            scope = self.scope(where, trusted=trusted)
            times = range(where.last + 1) if rule.time is not None else [None]
            for time in times:
                used = scope.rule_for(rule.key, time)
                if used is None or used.rule != number or used.stretched:
                    continue
                if not scope.has_truth(rule.key, time):
                    continue
                found = self._links(scope, number, used.bindings, time, only)
                if found is not None and not _is_before_the_first(found):
                    return found
        return None

    def in_use(self, number: int) -> bool:
        """Say whether a rule says what something is, and no later one in its place."""
        rule = self._answer.rules[number]
        scope = self.scope(self._points[0], trusted=True)
        times = range(-1, scope.last + 2) if rule.time is not None else [None]
        found = [scope.rule_for(rule.key, time) for time in times]
        return any(used is not None and used.rule == number for used in found)

    def ends_in_zero(self, number: int) -> bool:
        """Say whether a rule for a gradient after the last step says that it is zero."""
        scope = self.scope(self._points[0], trusted=True)
        place = (self._answer.rules[number].key, scope.last + 1)
        try:
            values = [
                scope.link(number, link, {}, place)
                for link in range(len(self._answer.rules[number].links))
            ]
        except (ShapeError, EvaluationError):
            return False
        return all(not np.any(value) for value in values)

    def _links(
        self,
        scope: Scope,
        number: int,
        bindings: Mapping[str, int],
        time: int | None,
        only: int | None = None,
    ) -> Mismatch | None:
        """Compare the links of a rule at one time."""
        rule = self._answer.rules[number]
        expected = scope.expected(rule.key, time)
        one_step = self._answer.network.one_step
        evaluated = False
        for place, found in enumerate(self.resolved.readings[number]):
            if only is not None and place != only:
                continue
            where = (number, place, scope.point, time, bindings)
            if isinstance(found, UnknownError) and symbolic(rule.links[place]):
                continue  # the chain rule as a formula: what it leads to counts
            evaluated = True
            if not isinstance(found, list):
                return Mismatch(*where, expected=expected, error=found)
            if rule.time is not None and one_step and _sums_over(rule.links[place], TIME):
                left = EvaluationError(
                    "the sum over t is left over: t is one step", "sum_left_over"
                )
                return Mismatch(*where, expected=expected, error=left)
            try:
                got = scope.link(number, place, bindings, (rule.key, time))
            except (ShapeError, EvaluationError) as error:
                return Mismatch(*where, expected=expected, error=error)
            if not same(got, expected):
                return Mismatch(*where, got=got, expected=expected)
        if not evaluated and only is None:
            left = EvaluationError("the derivatives in it are not worked out", "not_worked_out")
            return Mismatch(number, 0, scope.point, time, bindings, expected=expected, error=left)
        return None

    def verdict(self, quantity: Quantity) -> Verdict:
        """Return the verdict about a quantity."""
        own = self._compared(quantity, trusted=False)
        if own.status != "wrong":
            return own
        alone = self._compared(quantity, trusted=True)
        if alone.status == "right":
            # It agrees with the truth of its parts, but not with what the answer derives for them.
            cause = self._cause(own.rules) or own.blame
            follows = self._follows(cause, own.blame) and not self._only_renames(
                quantity, own.rules
            )
            return Verdict(quantity, "follows" if follows else "wrong", own.rules, cause)
        found = Verdict(quantity, "wrong", own.rules, alone.blame or own.blame)
        found.unsummed = self._right_if_summed(found)
        return found

    def _follows(self, cause: Mismatch | None, own: Mismatch | None) -> bool:
        """Say whether what is wrong is a definite value that was derived from the loss."""
        if cause is None or own is None or self._trivial(cause):
            return False
        definite = all(
            found.error is None or isinstance(found.error, ShapeError) for found in (cause, own)
        )
        key = self._answer.rules[cause.rule].key
        rules = self._answer.rules_for(key)  # a base case need not lead to the loss
        return definite and any(self.builds_on_loss(number) for number in rules)

    def _only_renames(self, quantity: Quantity, numbers: Sequence[int]) -> bool:
        """Say whether rules only give what is asked for by another name of its own."""
        answer = self._answer
        links = [link for number in numbers for link in answer.rules[number].links]
        return all(
            is_name(link) and any(answer.meant(key) == quantity.key for key in keys_in(link))
            for link in links
        )

    def builds_on_loss(self, number: int) -> bool:
        """Say whether a rule builds on the gradients that are given, or on the loss."""
        return builds_on_loss(self._answer, number, self._points[0], self._budget)

    def _right_if_summed(self, verdict: Verdict) -> bool:
        """Say whether only the sum over the steps is missing."""
        answer = self._answer
        if answer.network.one_step or verdict.quantity.time is not None or not verdict.rules:
            return False
        node = answer.settled[verdict.rules[0]][-1]
        if node is None:
            return False
        summed = Series("sum", TIME, node, Index(None, 1), Index(LAST))
        place = (verdict.quantity.key, None)
        for where in self._points[:2]:
            scope = self.scope(where, trusted=True)
            try:
                got = scope.defined(summed, {}, place)
            except (ShapeError, EvaluationError):
                return False
            if not same(got, scope.expected(*place)):
                return False
        return True

    def _compared(self, quantity: Quantity, *, trusted: bool) -> Verdict:
        used_rules: list[int] = []
        stretched = False
        for where in self._points:
            scope = self.scope(where, trusted=trusted)
            for time in quantity.times(where.last):
                used = scope.rule_for(quantity.key, time)
                if used is None or not scope.has_truth(quantity.key, time):
                    return Verdict(quantity, "missing", used_rules)
                stretched = stretched or used.stretched
                if used.rule not in used_rules:
                    used_rules.append(used.rule)
                found = self._links(scope, used.rule, used.bindings, time)
                if found is not None:
                    return Verdict(quantity, "wrong", used_rules, found, stretched)
            self.beyond |= scope.beyond
        return Verdict(quantity, "right", used_rules, None, stretched)

    def _trivial(self, found: Mismatch) -> bool:
        """Say whether an intermediate is zero everywhere: nothing follows from it."""
        rule = self._answer.rules[found.rule]
        if rule.time is not None and rule.time.variable in (None, LAST):
            return False  # a base case
        values: list[Any] = []
        for where in self._points[:2]:
            scope = self.scope(where, trusted=True)
            for time in range(where.last + 1) if rule.time is not None else [None]:
                used = scope.rule_for(rule.key, time)
                if used is not None and used.rule == found.rule and scope.has_truth(rule.key, time):
                    place = (rule.key, time)
                    try:
                        values.append(scope.link(found.rule, found.link, used.bindings, place))
                    except (ShapeError, EvaluationError):
                        return False
        return not any(np.any(value) for value in values)

    def _cause(self, users: Sequence[int]) -> Mismatch | None:
        """Return the first intermediate, of those that rules build on, that is wrong by itself.

        One of another part comes last: it alone is to blame only if nothing else is.
        """
        reached = rules_behind(self._answer, users)
        rules = self._answer.rules
        for number in sorted(reached, key=lambda number: (rules[number].earlier, number)):
            if self._has_truth(rules[number]):
                found = self.first_wrong(number, trusted=True)
                if found is not None:
                    return found
        return None


def _is_before_the_first(found: Mismatch) -> bool:
    """Say whether a rule for all steps has no value before the first: it is not for that time."""
    error = found.error
    return found.time == 0 and isinstance(error, EvaluationError) and error.kind == "another_step"


def _sums_over(node: Node, variable: str) -> bool:
    return any(isinstance(one, Series) and one.variable == variable for one in walk(node))


def symbolic(node: Node) -> bool:
    """Say whether a formula holds a derivative that is not of the loss."""
    return any(isinstance(one, Gradient) and one.of not in ("L", "D") for one in walk(node))


def same(got: Any, expected: Any) -> bool:
    """Say whether two values are equal; a number stands for a matrix of equal entries."""
    array = np.asarray(got, dtype=np.float64)
    shape = shape_of(array)
    if shape is not None and shape != expected.shape:
        return False
    if not np.isfinite(array).all():
        return False
    limit = ATOL + RTOL * float(np.abs(expected).max())
    return bool(np.abs(array - expected).max() <= limit)
