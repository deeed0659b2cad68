"""What a person must look at before an answer may lose points: whatever was not understood.

Points are lost only for a formula that was read whole and is wrong, or where nothing in the part
could be the formula that is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .checker import Verdict
from .dependence import rules_behind
from .formula_text import as_text
from .limits import UnreadableError
from .network import LATER, STACKED, Key, gate_variables, key_of, keys_in, substitute
from .nodes import Blocks, Gradient, Node, Symbol, Transpose, parts, walk
from .reading import UnknownError
from .resolve import is_name
from .scope import Answer
from .sections import PartContent
from .statements import Statement
from .verdicts import ComparedAnswer


class Unread:
    """Finds what was not understood, and which quantities it concerns."""

    def __init__(self, part: PartContent, compared: ComparedAnswer) -> None:
        self._part = part
        self._compared = compared
        self._unknown = _Unknown(compared)
        self._of_keys: list[tuple[set[Key], UnreadableError]] = []
        self._of_all: list[UnreadableError] = list(part.problems)
        for statement in part.own:
            problem = statement.problem
            if problem is None:
                continue
            keys = self._keys_of(statement)
            if keys:
                self._of_keys.append((keys, problem))
            else:
                self._of_all.append(problem)

    def first(self, verdict: Verdict) -> UnreadableError | None:
        """Return the first thing that may be why points are lost.

        It is None where the points are decided: all are earned, or all that the quantity builds on
        was read whole.
        """
        return min(self._of(verdict), key=lambda error: error.at, default=None)

    def _of(self, verdict: Verdict) -> Iterator[UnreadableError]:
        if verdict.status == "right":
            return
        yield from self._of_all
        if verdict.status == "given":
            # It earns what the others earn: whatever is not known of them is not known of it.
            yield from (error for _keys, error in self._of_keys)
        behind = rules_behind(self._compared.answer, _rules_of(verdict, self._compared.answer))
        rules = [self._compared.answer.rules[number] for number in behind]
        used = {key for rule in rules for link in rule.links for key in keys_in(link)}
        used |= {verdict.quantity.key, *(rule.key for rule in rules)}
        links = [link for number in behind for link in self._compared.resolved.readings[number]]
        yield from (link for link in links if isinstance(link, UnreadableError))
        yield from (error for keys, error in self._of_keys if keys & used)
        yield from self._unknown.behind(verdict)
        if verdict.status in ("missing", "given"):
            yield from self._unknown.unused()
            yield from self._silent()
            yield from _guesses(self._part.own, self._compared)
        else:
            numbers = {rule.statement.number for rule in rules}
            read = [one for one in self._part.own if one.number in numbers]
            yield from _guesses(read, self._compared)

    def _silent(self) -> Iterator[UnreadableError]:
        """Yield blocks with gradients in them that say nothing about any quantity."""
        heard = {rule.statement.number for rule in self._compared.answer.rules}
        for statement in self._part.own:
            if statement.number in heard or statement.problem is not None:
                continue
            for side in statement.sides:
                if isinstance(side, UnreadableError):
                    continue
                for node in walk(side):
                    if isinstance(node, Blocks) and any(map(_is_of_loss, walk(node))):
                        yield UnreadableError("what these blocks say is not understood", node.at)

    def _keys_of(self, statement: Statement) -> set[Key]:
        """Return the gradients that a statement is about, though it was not read whole.

        It is about anything if what it defines is not one of the task's gradients.
        """
        answer = self._compared.answer
        found: set[Key] = set()
        for side in statement.sides[:1]:
            if isinstance(side, UnreadableError):
                return set()
            node = answer.renaming.canonical(side)
            node = node.of if isinstance(node, Transpose) else node
            if not isinstance(node, Gradient) or node.of != "L":
                return set()
            variables = gate_variables(key_of(node).labels, answer.network.gates)
            gates = answer.network.gates
            nodes = [substitute(node, variables[0], g) for g in gates] if variables else [node]
            found |= {key_of(one) for one in nodes if isinstance(one, Gradient)}
        return found if all(answer.network.has(key) for key in found) else set()


def _rules_of(verdict: Verdict, answer: Answer) -> set[int]:
    """Return the rules of a quantity: those that were used, and those that could not be."""
    blamed = [] if verdict.blame is None else [verdict.blame.rule]
    return {*verdict.rules, *blamed, *answer.rules_for(verdict.quantity.key)}


def _is_of_loss(node: Node) -> bool:
    return isinstance(node, Gradient) and node.of == "L"


def _guesses(
    statements: Sequence[Statement], compared: ComparedAnswer
) -> Iterator[UnreadableError]:
    """Yield names whose meaning was guessed: another guess may be the right one."""
    for statement in statements:
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
        rules = _rules_of(verdict, self._answer)
        if verdict.blame is not None:
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
