"""What a report says about an answer: messages, notes, and each formula with its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from . import mathml
from .answer import Formula, Rule
from .arithmetic import ShapeError
from .checker import Verdict
from .limits import UnreadableError
from .network import LAST, Key, Model, key_of
from .nodes import Gradient, Symbol
from .reading import written
from .scope import COLUMNS
from .source import Document
from .text import quantity, shown
from .verdicts import Outcome
from .why import Diagnosis

GIVEN = {
    "total": "the gradients that are given are taken as total gradients",
    "direct": "the gradients that are given are taken as those of each step's own loss",
}
RECURSION = "the gradients of the sequence are read as a recursion from T down to 1"
RIGHT, WRONG, LATER = "right", "wrong", "right, but for an earlier mistake"
OWN, UNASKED, REPLACED = "your own definition", "not marked", "replaced by a later formula"
VERDICTS = {"right": RIGHT, "given": RIGHT, "follows": LATER}
MAX_SOURCE = 300  # characters of a formula that could not be read


def undefined_symbol(node: Symbol | Gradient, model: Model) -> UnreadableError | None:
    """Return the problem of a symbol that the assignment does not know, if it is one."""
    if model.knows(key_of(node)):
        return None
    return UnreadableError(f"{shown(node)} is used and defined nowhere", node.at)


def is_shape(verdict: Verdict) -> bool:
    """Say whether a formula is wrong by its shapes alone."""
    found = verdict.blame
    if found is None:
        return False
    if isinstance(found.error, ShapeError):
        return True
    shape = getattr(found.got, "shape", ())
    return bool(shape) and shape != found.expected.shape


@dataclass(frozen=True)
class FormulaRead:
    """A formula as it was read: where it stands, its MathML, and what is said about it.

    ``source`` stands in for a formula that could not be read, whose ``mathml`` is empty.
    """

    place: str
    mathml: str
    source: str
    verdict: str


@dataclass
class _Mistake:
    """One mistake: the rule, what is wrong, whose formula it is, and what is right but for it."""

    rule: Rule
    said: str
    names: dict[str, None] = field(default_factory=dict)
    followers: list[str] = field(default_factory=list)


class Explained:
    """Explains the outcome of one file."""

    def __init__(self, document: Document, outcome: Outcome, file: str) -> None:
        self.outcome = outcome
        self._document = document
        self._file = file
        self._diagnosis = Diagnosis(outcome)

    def lines(self, verdicts: Sequence[Verdict]) -> list[str]:
        """Return what is wrong, each mistake once, with what follows from it."""
        missing: list[str] = []
        mistakes: dict[tuple[int, int], _Mistake] = {}
        for verdict in verdicts:
            asked = verdict.quantity
            name = quantity(asked.key, asked.time)
            found = verdict.blame
            if verdict.status in ("missing", "given") or found is None:
                missing.append(name)
                continue
            rule = self.outcome.answer.rules[found.rule]
            place = (rule.formula.number, found.link)
            if place not in mistakes:
                mistakes[place] = _Mistake(rule, self._diagnosis.message(found))
            if verdict.status == "follows" and found.rule not in verdict.rules:
                mistakes[place].names[quantity(rule.key, rule.time)] = None
                mistakes[place].followers.append(name)
            else:
                mistakes[place].names[name] = None
        result: list[str] = []
        for (_formula, link), mistake in mistakes.items():
            part = f", part {link + 1} of the chain" if len(mistake.rule.links) > 1 else ""
            names = ", ".join(mistake.names)
            result.append(f"{names} (line {self._line(mistake.rule)}{part}): {mistake.said}")
            if mistake.followers:
                result.append(f"right for your own {names}: {', '.join(mistake.followers)}")
        if missing:
            result.append(f"{self._file} has no formula for {', '.join(missing)}")
        return result

    def _line(self, rule: Rule) -> int:
        return self._document.place(rule.formula.at)[0]

    def notes(self, problems: Sequence[UnreadableError]) -> Iterator[str]:
        """Yield what is worth telling: conventions, readings, what was not read."""
        answer = self.outcome.answer
        if answer.layout is not COLUMNS:
            yield f"{self._file} is read with this convention: {answer.layout.name}"
        if not answer.model.one_step:
            given = any(verdict.status == "given" for verdict in self.outcome.verdicts)
            yield GIVEN[answer.given] if given else RECURSION
        stretched = [v for v in self.outcome.verdicts if v.stretched]
        if self.outcome.checker.beyond or stretched:
            yield "no base case is stated in full: gradients after the last step are taken as zero"
        yield from self._earlier_mistakes()
        yield from self._readings()
        for error in problems:
            line, column = self._document.place(error.at)
            yield f"{self._file}, line {line}, column {column} was not read: {error.message}"

    def _earlier_mistakes(self) -> Iterator[str]:
        """Yield the mistakes of earlier parts that this part builds on."""
        rules = self.outcome.answer.rules
        blamed = {v.blame.rule for v in self.outcome.verdicts if v.blame is not None}
        for number in sorted(blamed):
            if rules[number].earlier:
                name = quantity(rules[number].key, rules[number].time)
                line = self._line(rules[number])
                yield f"builds on {name} of line {line}, which is wrong: that is paid for there"

    def _readings(self) -> Iterator[str]:
        """Yield how products were read where more than one way was possible."""
        answer = self.outcome.answer
        for number, links in enumerate(self.outcome.resolved.alternatives):
            for place, found in enumerate(links):
                chosen = answer.settled[number][place]
                if isinstance(found, list) and len(found) > 1 and chosen is not None:
                    line = self._line(answer.rules[number])
                    taken = shown(written(chosen))
                    yield f"line {line} can be read in {len(found)} ways; it is taken as {taken}"

    def rows(self, formulas: Sequence[Formula]) -> Iterator[FormulaRead]:
        """Yield the formulas as they were read, each with its verdict."""
        states = self._states()
        for formula in formulas:
            line, column = self._document.place(formula.at)
            place = f"line {line}"
            if formula.problem is not None:
                line, column = self._document.place(formula.problem.at)
                said = f"not read (line {line}, column {column}): {formula.problem.message}"
                yield FormulaRead(place, "", formula.text.strip()[:MAX_SOURCE], said)
                continue
            sides = [side for side in formula.sides if not isinstance(side, UnreadableError)]
            made = mathml.formula(sides, formula.relations)
            yield FormulaRead(place, made, "", states.get(formula.number, UNASKED))

    def _states(self) -> dict[int, str]:
        """Return the verdict of each formula that defines something, by its number."""
        answer = self.outcome.answer
        decided: dict[int, set[str]] = {}
        for verdict in self.outcome.verdicts:
            blamed = verdict.blame.rule if verdict.blame is not None else None
            for number in {*verdict.rules, *([] if blamed is None else [blamed])}:
                said = WRONG if number == blamed else VERDICTS.get(verdict.status, WRONG)
                decided.setdefault(answer.rules[number].formula.number, set()).add(said)
        for number, rule in enumerate(answer.rules):
            if rule.formula.number not in decided or rule.key not in self._asked():
                said = self._state(number, rule)
                decided.setdefault(rule.formula.number, set()).add(said)
        return {
            formula: next(said for said in (WRONG, LATER, RIGHT, OWN, REPLACED) if said in found)
            for formula, found in decided.items()
        }

    def _asked(self) -> set[Key]:
        return {verdict.quantity.key for verdict in self.outcome.verdicts}

    def _state(self, number: int, rule: Rule) -> str:
        """Return the verdict of an intermediate formula, judged by itself."""
        if not self.outcome.checker.in_use(number):
            return REPLACED
        if not self.outcome.answer.known(rule.key):
            return OWN
        if rule.time is not None and rule.time.variable == LAST and rule.time.offset > 0:
            return RIGHT if self.outcome.checker.ends_in_zero(number) else WRONG
        found = self.outcome.checker.first_wrong(number, trusted=True)
        return RIGHT if found is None else WRONG
