"""What a report says about an answer: messages, notes, and each formula with its verdict."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from . import mathml
from .arithmetic import ShapeError
from .assessment import AssessedFormula, Mistake
from .checker import Quantity, Verdict
from .doubt import Unread
from .formula_text import as_text, quantity_text
from .limits import UnreadableError
from .network import LAST, Key
from .reading import written
from .rules import Rule
from .scope import COLUMNS
from .source import Document
from .statements import Statement
from .verdicts import ComparedAnswer
from .why import Diagnosis

GIVEN = {
    "total": "the given gradients are read as total gradients",
    "direct": "the given gradients are read as those of each step's own loss",
}
RECURSION = "the gradients of the sequence are read as a recursion from T down to 1"
RIGHT, WRONG, LATER = "right", "wrong", "right, except for an earlier mistake"
OWN, UNASKED, REPLACED = "your own definition", "not graded", "replaced by a later formula"
# Of several things that are said of one formula, the first counts; one that waits is the second.
ORDER = {said: place for place, said in enumerate((WRONG, "", LATER, RIGHT, OWN, REPLACED))}
PENDING = ORDER[""]
VERDICTS = {"right": RIGHT, "given": RIGHT, "follows": LATER}
MAX_SOURCE = 300  # characters of a formula as it was written
_LAYOUT = re.compile(r"(?:\\\\|\\q?quad|[\s,&])+\Z")  # ends a row or column of equations


def is_shape(verdict: Verdict) -> bool:
    """Say whether a formula is wrong by its shapes alone."""
    found = verdict.blame
    if found is None:
        return False
    if isinstance(found.error, ShapeError):
        return True
    shape = getattr(found.got, "shape", ())
    return bool(shape) and shape != found.expected.shape


@dataclass
class _WrongRule:
    """One mistake: the rule, what is wrong, whose formula it is, and what only it makes wrong."""

    rule: Rule
    said: str
    names: dict[str, None] = field(default_factory=dict)
    followers: list[str] = field(default_factory=list)


class Explanation:
    """Explains what was found about one file."""

    def __init__(
        self, document: Document, compared: ComparedAnswer, doubts: Unread, file: str
    ) -> None:
        self._compared = compared
        self._doubts = doubts
        self._document = document
        self._file = file
        self._diagnosis = Diagnosis(compared)

    def lines(self, verdicts: Sequence[Verdict]) -> list[str]:
        """Return what is wrong, each mistake once, with what follows from it."""
        missing: list[str] = []
        mistakes: dict[tuple[int, int], _WrongRule] = {}
        for verdict in verdicts:
            asked = verdict.quantity
            name = quantity_text(asked.key, asked.time)
            found = verdict.blame
            if verdict.status in ("missing", "given") or found is None:
                missing.append(name)
                continue
            rule = self._compared.answer.rules[found.rule]
            place = (rule.statement.number, found.link)
            if place not in mistakes:
                mistakes[place] = _WrongRule(rule, self._diagnosis.mistake(found).text)
            if verdict.status == "follows" and found.rule not in verdict.rules:
                mistakes[place].names[quantity_text(rule.key, rule.time)] = None
                mistakes[place].followers.append(name)
            else:
                mistakes[place].names[name] = None
        result: list[str] = []
        for (_statement, link), mistake in mistakes.items():
            part = f", part {link + 1} of the chain" if len(mistake.rule.links) > 1 else ""
            names = ", ".join(mistake.names)
            result.append(f"{names} (line {self._line(mistake.rule)}{part}): {mistake.said}")
            if mistake.followers:
                result.append(f"right, given your own {names}: {', '.join(mistake.followers)}")
        if missing:
            result.append(f"{self._file} has no formula for {', '.join(missing)}")
        return result

    def mistake(self, verdict: Verdict) -> Mistake | None:
        """Return what is wrong with the formulas of a quantity, if there are any.

        If a formula is right except for an earlier mistake, the mistake counts where it was made.
        If it was made in an intermediate that nobody asked for, it counts in all that use it.
        """
        found = verdict.blame
        if verdict.status in ("missing", "given") or found is None:
            return None
        if verdict.status != "follows" or found.rule in verdict.rules:
            return self._diagnosis.mistake(found)
        rule = self._compared.answer.rules[found.rule]
        name = quantity_text(rule.key, rule.time)
        if rule.earlier or rule.key in self._asked_keys():
            return Mistake("follow_through", f"right, given your own {name}")
        inner = self._diagnosis.mistake(found)
        return Mistake(inner.kind, f"{name}: {inner.text}")

    def _line(self, rule: Rule) -> int:
        return self._document.place(rule.statement.at)[0]

    def notes(self, problems: Sequence[UnreadableError]) -> Iterator[str]:
        """Yield notes: conventions, readings, what was not read."""
        answer = self._compared.answer
        if answer.layout is not COLUMNS:
            yield f"{self._file} is read with this convention: {answer.layout.name}"
        if not answer.network.one_step:
            given = any(verdict.status == "given" for verdict in self._compared.verdicts)
            yield GIVEN[answer.given] if given else RECURSION
        stretched = [v for v in self._compared.verdicts if v.stretched]
        if self._compared.checker.beyond or stretched:
            yield "no base case is complete: gradients after the last step are taken as zero"
        yield from self._earlier_mistakes()
        yield from self._ambiguities()
        for error in problems:
            line, column = self._document.place(error.at)
            yield f"{self._file}, line {line}, column {column} was not read: {error.message}"

    def _earlier_mistakes(self) -> Iterator[str]:
        """Yield the mistakes of earlier parts that this part builds on."""
        rules = self._compared.answer.rules
        blamed = {v.blame.rule for v in self._compared.verdicts if v.blame is not None}
        for number in sorted(blamed):
            if rules[number].earlier:
                name = quantity_text(rules[number].key, rules[number].time)
                line = self._line(rules[number])
                yield f"builds on {name} (line {line}), which is wrong: it costs points only there"

    def _ambiguities(self) -> Iterator[str]:
        """Yield how products were read where more than one way was possible."""
        answer = self._compared.answer
        for number, links in enumerate(self._compared.resolved.readings):
            for place, found in enumerate(links):
                chosen = answer.settled[number][place]
                if isinstance(found, list) and len(found) > 1 and chosen is not None:
                    line = self._line(answer.rules[number])
                    taken = as_text(written(chosen))
                    yield f"line {line} can be read in {len(found)} ways; it is read as {taken}"

    def formulas(self, statements: Sequence[Statement]) -> Iterator[AssessedFormula]:
        """Yield the statements as they were read, each with its verdict."""
        states = self._states()
        starts = sorted({statement.at for statement in statements})
        for statement in statements:
            text = self._written(statement, starts)
            line = self._document.place(statement.at)[0]
            problem = statement.problem
            if problem is not None:
                at = self._document.place(problem.at)
                said = f"not read (line {at[0]}, column {at[1]}): {problem.message}"
                yield AssessedFormula(line, "", text, said)
                continue
            sides = [side for side in statement.sides if not isinstance(side, UnreadableError)]
            made = mathml.formula(sides, statement.relations)
            yield AssessedFormula(line, made, text, states.get(statement.number, UNASKED))

    def _written(self, statement: Statement, starts: Sequence[int]) -> str:
        """Return a formula as it stands in the file, up to the next one in its block."""
        if statement.ends == statement.at + 1:  # not LaTeX: a line of plain text
            line = self._document.text[statement.at :].partition("\n")[0]
            return line.strip()[:MAX_SOURCE]
        after = bisect_right(starts, statement.at)
        end = min([statement.ends, *starts[after : after + 1]])
        end = min(max(end, statement.at), statement.at + 2 * MAX_SOURCE)
        text = self._document.text[statement.at : end]
        return _LAYOUT.sub("", text).strip()[:MAX_SOURCE]

    def _states(self) -> dict[int, str]:
        """Return the verdict of each statement that defines something, by its number."""
        answer = self._compared.answer
        decided: dict[int, set[str]] = {}
        for verdict in self._compared.verdicts:
            blamed = verdict.blame.rule if verdict.blame is not None else None
            waits = self._waits(verdict)
            for number in {*verdict.rules, *([] if blamed is None else [blamed])}:
                said = WRONG if number == blamed else VERDICTS.get(verdict.status, WRONG)
                said = said if waits is None else waits
                decided.setdefault(answer.rules[number].statement.number, set()).add(said)
        for number, rule in enumerate(answer.rules):
            if rule.statement.number not in decided or rule.key not in self._asked_keys():
                said = self._state(number, rule)
                decided.setdefault(rule.statement.number, set()).add(said)
        return {
            number: min(found, key=lambda said: ORDER.get(said, PENDING))
            for number, found in decided.items()
        }

    def _waits(self, verdict: Verdict) -> str | None:
        """Return what a person must look at before a formula is wrong; None if it is decided."""
        doubt = self._doubts.first(verdict)
        if doubt is None:
            return None
        line, column = self._document.place(doubt.at)
        return f"waits for a person (line {line}, column {column}): {doubt.message}"

    def _asked_keys(self) -> set[Key]:
        return {verdict.quantity.key for verdict in self._compared.verdicts}

    def _state(self, number: int, rule: Rule) -> str:
        """Return the verdict of an intermediate formula, looked at by itself."""
        if not self._compared.checker.in_use(number):
            return REPLACED
        if not self._compared.answer.has_truth(rule.key):
            return OWN
        if rule.time is not None and rule.time.variable == LAST and rule.time.offset > 0:
            return RIGHT if self._compared.checker.ends_in_zero(number) else WRONG
        found = self._compared.checker.first_wrong(number, trusted=True)
        if found is None:
            return RIGHT
        asked = Quantity(rule.key, rule.time)
        return self._waits(Verdict(asked, "wrong", [number], found)) or WRONG
