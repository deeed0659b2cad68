"""One reading for every link of an answer, and the shapes of the student's own quantities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, islice

from .arithmetic import Shape, ShapeError, shape_of
from .dependence import rules_behind
from .evaluate import EvaluationError
from .limits import Budget, UnreadableError
from .network import Key, Network, key_of, keys_in, time_of
from .nodes import BlockOf, Blocks, Gradient, Node, Symbol, Transpose, parts
from .reading import Probe, Reading, UnknownError, readings
from .renaming import Renaming
from .rules import Rule
from .scope import Answer, Layout, shape_in
from .task import Given
from .truth import PROBE_SIZES, Sizes, dims_of, plus, size_of

MatrixDims = tuple[str, str]
MAX_BLOCKS = 4  # of one size, whose sum has a name
TASKS_KEPT = 32
MAX_CIRCLES = 3  # of own quantities without a shape that are looked at
PASSES = 6  # own quantities may be defined in terms of each other, in any order
LinkReadings = list[Reading] | ShapeError | EvaluationError | UnreadableError


@dataclass
class Resolved:
    """An answer with all readings of its links, the one in use being in ``answer.settled``."""

    answer: Answer
    readings: list[list[LinkReadings]]

    def given_as(self, given: Given) -> Resolved:
        """Return the same with another meaning of the gradients that are given."""
        settled = [list(links) for links in self.answer.settled]
        passive = set(self.answer.passive)
        answer = replace(self.answer, given=given, settled=settled, stands_for={}, passive=passive)
        return Resolved(answer, self.readings)

    @property
    def impossible(self) -> int:
        """The number of links whose shapes do not fit, or not what they are said to be."""
        answer = self.answer
        count = 0
        for rule, links in zip(answer.rules, self.readings, strict=True):
            expected = shape_in(answer, rule.key, PROBE_SIZES)
            for found in links:
                if isinstance(found, ShapeError) or self._has_no_shape(found):
                    count += 1
                elif isinstance(found, list) and expected is not None:
                    shapes = {shape_of(reading.value) or expected for reading in found}
                    count += expected not in shapes
        return count

    def _has_no_shape(self, found: LinkReadings) -> bool:
        """Say whether a link uses what the answer defines, with shapes that do not fit."""
        return isinstance(found, UnknownError) and bool(self.answer.rules_for(key_of(found.node)))


def resolve(
    rules: Sequence[Rule],
    network: Network,
    renaming: Renaming,
    layout: Layout,
    given: Given,
    budget: Budget,
) -> Resolved:
    """Find the shapes of own quantities and the readings of all links."""
    shapes: dict[Key, MatrixDims] = {}
    answer = Answer(network, renaming, layout, given, rules, [], dims_of(network), shapes)
    _own_shapes(answer, shapes, budget)
    probe = Probe(lambda key: shape_in(answer, key, PROBE_SIZES), budget, answer.letters)
    found_for = [[_readings_of(link, probe) for link in rule.links] for rule in rules]
    for links in found_for:
        chosen = [found[0].node if isinstance(found, list) else None for found in links]
        answer.settled.append(list(chosen))
    _mark_passive(answer, found_for)
    return Resolved(answer, found_for)


def _mark_passive(answer: Answer, found_for: Sequence[Sequence[LinkReadings]]) -> None:
    """Note rules that replace nothing, beside ones that do.

    They have no value, have a shape that the gradient cannot have, or say that one quantity is
    another.
    """
    for number, rule in enumerate(answer.rules):
        weak = (
            not any(answer.settled[number])
            or _is_impossible(answer, rule, found_for[number])
            or all(_is_derived(link, answer) for link in rule.links)
            or all(_is_block_of_itself(link, rule.key, answer) for link in rule.links)
        )
        if weak:
            answer.passive.add(number)
    for number in list(answer.passive):
        rule = answer.rules[number]
        others = [other for other in answer.rules_for(rule.key) if other not in answer.passive]
        if not any(answer.rules[other].time == rule.time for other in others):
            answer.passive.discard(number)


def _is_impossible(answer: Answer, rule: Rule, found_for: Sequence[LinkReadings]) -> bool:
    """Say whether no reading of what a rule ends in has the shape of its gradient."""
    expected = shape_in(answer, rule.key, PROBE_SIZES) if answer.has_truth(rule.key) else None
    last = found_for[-1]
    if expected is None or not isinstance(last, list):
        return False
    return all(shape_of(reading.value) not in (None, expected) for reading in last)


def _is_derived(node: Node, answer: Answer) -> bool:
    """Say whether a formula is nothing but the name of what another rule defines."""
    if isinstance(node, Transpose):
        return _is_derived(node.of, answer)
    if isinstance(node, Blocks):
        return all(_is_derived(cell, answer) for cell in parts(node))
    return isinstance(node, Symbol | Gradient) and any(
        rule.key == key_of(node) and (rule.time is None or rule.time == time_of(node))
        for rule in answer.rules
    )


def _is_block_of_itself(node: Node, key: Key, answer: Answer) -> bool:
    r"""Say whether a formula is the block of a name that is made of this gradient.

    ``\delta = [\partial L/\partial a; \partial L/\partial b]`` says what delta is, and no more.
    """
    if isinstance(node, Transpose):
        return _is_block_of_itself(node.of, key, answer)
    return (
        isinstance(node, BlockOf)
        and is_name(node.of)
        and any(
            isinstance(link, Blocks) and key in keys_in(link)
            for name in keys_in(node.of)
            for number in answer.rules_for(name)
            for link in answer.rules[number].links
        )
    )


def is_name(node: Node) -> bool:
    """Say whether a formula is nothing but the name of another quantity."""
    return isinstance(node, Symbol | Gradient) or (isinstance(node, Transpose) and is_name(node.of))


def _readings_of(link: Node, probe: Probe) -> LinkReadings:
    try:
        return readings(link, probe)
    except (ShapeError, EvaluationError, UnreadableError) as error:
        return error


def _own_shapes(answer: Answer, shapes: dict[Key, MatrixDims], budget: Budget) -> None:
    unknown = {
        rule.key
        for rule in answer.rules
        if not (rule.key.of in ("", "L", "D") and answer.network.has(rule.key))
    }
    _fill(answer, shapes, unknown, budget)
    for key in islice(_in_circles(answer, unknown - set(shapes)), MAX_CIRCLES):
        if key not in shapes:
            shapes.update(_of_circle(key, answer, shapes, unknown, budget))


def _fill(answer: Answer, shapes: dict[Key, MatrixDims], unknown: set[Key], budget: Budget) -> None:
    """Find the shapes that follow from those that are known."""
    for _pass in range(PASSES):
        missing = unknown - set(shapes)
        if not missing:
            return
        before = len(shapes)
        for rule in answer.rules:
            if rule.key in missing and rule.key not in shapes:
                found = _rule_dims(rule, answer, shapes, budget)
                if found is not None:
                    shapes[rule.key] = found
        if len(shapes) == before:
            return


def _in_circles(answer: Answer, missing: set[Key]) -> Iterator[Key]:
    r"""Yield own quantities that are defined by one another, as ``u_t`` by ``\delta_{t+1}``."""
    for number, rule in enumerate(answer.rules):
        if rule.key not in missing:
            continue
        behind = [answer.rules[other] for other in rules_behind(answer, [number])]
        used = {key for other in behind for link in other.links for key in keys_in(link)}
        if rule.key in used and all(_is_known(key, answer, missing) for key in used):
            yield rule.key


def _is_known(key: Key, answer: Answer, missing: set[Key]) -> bool:
    number = not key.of and key.name in answer.letters
    return key in missing or number or shape_in(answer, key, PROBE_SIZES) is not None


def _of_circle(
    key: Key,
    answer: Answer,
    shapes: Mapping[Key, MatrixDims],
    unknown: set[Key],
    budget: Budget,
) -> dict[Key, MatrixDims]:
    """Return the shapes of a circle: what comes out must be what goes in."""
    for assumed in assumed_shapes(answer.network):
        tried = {**shapes, key: assumed}
        _fill(answer, tried, unknown, budget)
        own = [answer.rules[number] for number in answer.rules_for(key)]
        if any(_rule_dims(rule, answer, tried, budget) == assumed for rule in own):
            return tried
    return {}


def _rule_dims(
    rule: Rule, answer: Answer, shapes: Mapping[Key, MatrixDims], budget: Budget
) -> MatrixDims | None:
    for link in reversed(rule.links):
        found = _link_dims(link, answer, shapes, budget, {})
        if isinstance(found, UnknownError) and key_of(found.node) == rule.key:
            # A recursion: the shape that comes out must be the one that goes in.
            for assumed in assumed_shapes(answer.network):
                if _link_dims(link, answer, shapes, budget, {rule.key: assumed}) == assumed:
                    return assumed
        elif isinstance(found, tuple) and found != ("1", "1"):
            return found
    return (
        ("1", "1")
        if all(_is_number(link, answer, shapes, budget) for link in rule.links)
        and rule.time is None
        else None
    )


def _is_number(
    link: Node, answer: Answer, shapes: Mapping[Key, MatrixDims], budget: Budget
) -> bool:
    return _link_dims(link, answer, shapes, budget, {}) == ("1", "1")


def _link_dims(
    link: Node,
    answer: Answer,
    shapes: Mapping[Key, MatrixDims],
    budget: Budget,
    assumed: Mapping[Key, MatrixDims],
) -> MatrixDims | UnknownError | None:
    def shape(key: Key) -> Shape | None:
        names = assumed.get(key) or shapes.get(key)
        if names is not None:
            return size_of(names[0], PROBE_SIZES), size_of(names[1], PROBE_SIZES)
        return shape_in(answer, key, PROBE_SIZES)

    look: Callable[[Key], Shape | None] = shape
    try:
        value = readings(link, Probe(look, budget, answer.letters))[0].value
    except UnknownError as error:
        return error
    except (ShapeError, EvaluationError, UnreadableError):
        return None
    found = shape_of(value)
    if found is None:
        return ("1", "1")
    letters = size_names(answer.network, tuple(PROBE_SIZES.items()))
    return letters.get(found[0], "1"), letters.get(found[1], "1")


@lru_cache(maxsize=TASKS_KEPT)
def assumed_shapes(network: Network) -> tuple[MatrixDims, ...]:
    """Return the shapes that a recursion may have: those of the task's values come first."""
    dims = dims_of(network)
    computed = [dims[key_of(symbol)] for symbol, _node in network.forward]
    found: list[MatrixDims] = []
    for value in (*computed, *network.inputs.values()):
        rows, columns = (*value, "1", "1")[:2]
        found += [(rows, columns), (columns, rows)]
    gates = len(network.gates)
    found += [
        pair
        for rows, columns in list(found)
        if gates and columns == "1"
        for pair in ((plus(*[rows] * gates), "1"), ("1", plus(*[rows] * gates)))
    ]
    return tuple(dict.fromkeys((*found, ("1", "1"))))


@lru_cache(maxsize=TASKS_KEPT)
def size_names(network: Network, sizes: Sizes) -> dict[int, str]:
    """Return what a size is called: a letter, or the sum of those of several blocks."""
    letters = sorted({letter for dims in dims_of(network).values() for letter in dims})
    size = dict(sizes)
    names = {size[letter]: letter for letter in letters}
    times = sorted({1, len(network.gates), *range(2, MAX_BLOCKS + 1)} - {0})
    sums = [
        plus(*chosen)
        for count in range(1, len(letters) + 1)
        for chosen in combinations(letters, count)
    ]
    for number in times:
        for name in sums:
            repeated = plus(*[name] * number)
            names.setdefault(size_of(repeated, size), repeated)
    return names
