"""What a person must look at before an answer may lose points: whatever was not understood.

Points are lost only for a formula that was read whole and is wrong, or where nothing in the part
could be the formula that is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from .checker import Verdict
from .formula_text import as_text
from .limits import UnreadableError
from .network import LATER, STACKED, Key, key_of, keys_in
from .nodes import Gradient, Node, Symbol, parts, walk
from .reading import UnknownError
from .resolve import is_name
from .sections import PartContent
from .verdicts import ComparedAnswer


def first_doubt(part: PartContent, compared: ComparedAnswer) -> UnreadableError | None:
    """Return the first thing that may be why points are lost, and was not understood."""
    losing = [verdict for verdict in compared.verdicts if verdict.status != "right"]
    if not losing:
        return None
    return min(_doubts(part, compared, losing), key=lambda error: error.at, default=None)


def _doubts(
    part: PartContent, compared: ComparedAnswer, losing: list[Verdict]
) -> Iterator[UnreadableError]:
    yield from part.problems
    yield from (found.problem for found in part.own if found.problem is not None)
    unknown = _Unknown(compared)
    for verdict in losing:
        yield from unknown.behind(verdict)
    if any(verdict.status == "missing" for verdict in losing):
        yield from unknown.unused()
    yield from _guesses(part, compared)


def _guesses(part: PartContent, compared: ComparedAnswer) -> Iterator[UnreadableError]:
    """Yield names whose meaning was guessed: another guess may be the right one."""
    for statement in part.own:
        for side in statement.sides:
            if isinstance(side, UnreadableError):
                continue
            for node in walk(side):
                if isinstance(node, Symbol) and node.name in compared.guessed:
                    yield UnreadableError(f"what {as_text(node)} stands for is not said", node.at)


class _Unknown:
    """Finds symbols that have no meaning in an answer."""

    def __init__(self, compared: ComparedAnswer) -> None:
        self._answer = compared.answer
        self._asked = {verdict.quantity.key for verdict in compared.verdicts}

    def behind(self, verdict: Verdict) -> Iterator[UnreadableError]:
        """Yield the symbols without meaning in the formulas of a quantity, and behind them."""
        rules = set(verdict.rules)
        if verdict.blame is not None:
            rules.add(verdict.blame.rule)
            error = verdict.blame.error
            if isinstance(error, UnreadableError):
                yield error
            elif isinstance(error, UnknownError):
                yield from self._in(error.node, set())
        seen: set[Key] = set()
        for number in rules:
            for link in self._answer.rules[number].links:
                yield from self._in(link, seen)

    def _in(self, node: Node, seen: set[Key]) -> Iterator[UnreadableError]:
        if not isinstance(node, Symbol | Gradient):
            for part in parts(node):
                yield from self._in(part, seen)
            return
        key = key_of(node)
        if key in seen:
            return
        seen.add(key)
        rules = self._answer.rules_for(key)
        if not rules and not self._is_known(node):
            yield UnreadableError(f"{as_text(node)} is used but never defined", node.at)
        for number in rules:
            for link in self._answer.rules[number].links:
                yield from self._in(link, seen)

    def _is_known(self, node: Symbol | Gradient) -> bool:
        """Say whether a symbol is one of the assignment's, or a derivative among its values."""
        key = key_of(node)
        if key.of == "" and key.name in self._answer.letters:
            return True
        if key.of in ("", "L", "D") or (key.of == LATER and self._answer.network.one_step):
            return self._answer.network.has(key)
        name = key.of.split("@")[0].split(",")[0]
        values = {value.name for value in self._answer.network.values}
        by_known = self._answer.network.has(key) or any(
            rule.key.name == key.name for rule in self._answer.rules
        )
        of_known = name in values or any(rule.key.name == name for rule in self._answer.rules)
        return by_known and of_known

    def unused(self) -> Iterator[UnreadableError]:
        """Yield what is defined and has no meaning: it may be what is missing, by another name."""
        used: set[Key] = set()
        for rule in self._answer.rules:
            for link in rule.links:
                used |= {key for key in keys_in(link) if key != rule.key}
        for rule in self._answer.rules:
            unknown = not self._answer.network.has(rule.key) or rule.key.of not in ("", "L")
            renames = all(is_name(link) for link in rule.links)
            part_of_vector = STACKED in rule.key.labels and self._answer.network.one_step
            if (
                unknown
                and not part_of_vector
                and not rule.earlier
                and not renames
                and rule.key not in used
            ):
                name = as_text(Symbol(rule.key.name, rule.key.labels, rule.time))
                what = f"the gradient by {name}" if rule.key.of else name
                text = f"what {what} stands for is not known, and some formulas are missing"
                yield UnreadableError(text, rule.statement.at)
