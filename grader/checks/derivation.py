"""Kind ``derivation``: formulas in LaTeX, evaluated and compared with autograd.

A formula is text and never code: it is parsed, walked and bounded (``latexgrad``). What
cannot be read is left to a person, with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from grader.assignment.reference import Assignment
from grader.author import evidence
from grader.errors import Failure, Pending, Reason
from grader.model import SHARES_ROUNDING, Fraction, Part, Positive, Question
from latexgrad import answer as answers
from latexgrad import explain, source
from latexgrad.answer import Formula, Reading, Rule
from latexgrad.arithmetic import ShapeError
from latexgrad.checker import Verdict
from latexgrad.limits import Budget, TooMuchError, UnreadableError
from latexgrad.network import Model, key_of
from latexgrad.reading import UnknownError
from latexgrad.task import Question as Asking
from latexgrad.task import Settings, question, settings_of
from latexgrad.text import shown
from latexgrad.truth import dims_of
from latexgrad.verdicts import Outcome, fractions_of, judge, points_of

from .base import Context, Judgement, Quiet
from .written import MAX_SHOWN, FilesSpec, found_text

Letter = Literal["D", "H"]


class DerivationSpec(FilesSpec):
    r"""Rubric keys of ``derivation``.

    ``section`` matches the heading of the part that is marked, ``other_sections`` those of other
    parts; formulas below ``earlier_sections`` may be used. ``shapes`` gives the dimensions of
    inputs, states and parameters, ``forward`` the equations in the order of computation. ``given``
    are the values on which each step's own loss depends, ``also_total`` others whose total gradient
    may be taken as given, ``given_as`` which meaning an answer may give to these gradients.
    ``gates`` lists the labels of gates with their other names, for which the label ``g`` stands;
    ``aliases`` other names of values. ``quantities`` gives each gradient its part of the points.
    ``sizes`` are those of the random points; with ``T: 1`` a single step is looked at.
    ``follow_through`` is the fraction for what is right but for a mistake made before it in the
    same part, ``earlier_follow_through`` but for one in an earlier part.
    """

    section: str
    other_sections: str = "(?!)"
    earlier_sections: str = "(?!)"
    shapes: Annotated[
        dict[str, Annotated[list[Letter], Field(min_length=1, max_length=2)]], Field(min_length=1)
    ]
    forward: str
    given: Annotated[list[str], Field(min_length=1)]
    also_total: list[str] = []
    given_as: Annotated[list[Literal["total", "direct"]], Field(min_length=1)] = ["direct"]
    gates: dict[str, list[str]] = {}
    aliases: dict[str, list[str]] = {}
    quantities: Annotated[dict[str, Positive], Field(min_length=1)]
    sizes: Annotated[list[dict[str, Annotated[int, Field(ge=1, le=8)]]], Field(min_length=1)]
    follow_through: Fraction = 0.5
    earlier_follow_through: Fraction = 1.0

    @field_validator("section", "other_sections", "earlier_sections")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _complete(self) -> DerivationSpec:
        total = sum(self.quantities.values())
        if abs(total - 1) > SHARES_ROUNDING:
            raise ValueError(f"quantities add up to {total:g}, not 1")
        for size in self.sizes:
            if set(size) != {"D", "H", "T"}:
                raise ValueError("each of sizes needs D, H and T")
            if len({1, size["D"], size["H"]}) < 3:  # noqa: PLR2004 - a transposition must show
                raise ValueError("D and H must be different, and more than 1")
        return self

    @property
    def settings(self) -> Settings:
        """What is asked."""
        return settings_of(
            shapes=self.shapes,
            forward=self.forward,
            given=self.given,
            also_total=self.also_total,
            given_as=self.given_as,
            gates=self.gates,
            aliases=self.aliases,
            quantities=self.quantities,
            sizes=self.sizes,
            follow_through=self.follow_through,
            earlier_follow_through=self.earlier_follow_through,
        )


@dataclass(frozen=True)
class _Stated:
    """What a file states about a part: ``own`` formulas, and earlier ones that they may use."""

    own: Sequence[Formula]
    earlier: Sequence[Formula]
    problems: Sequence[UnreadableError]
    assigned: bool


class DerivationKind(Quiet):
    """Reads the formulas of a part, judges each quantity, and explains."""

    name = "derivation"
    options = DerivationSpec

    def problems(
        self, spec: DerivationSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what in the rubric's LaTeX cannot be read."""
        del question, assignment
        try:
            model = _asking(spec, 0).task.model
            dims_of(model)
        except UnreadableError as error:
            yield f"derivation: {error.message}"
        except UnknownError as error:
            yield f"forward: {shown(error.node)} is neither in shapes nor computed before"
        except ShapeError as error:
            yield f"forward: {error.what} shapes {error.left} and {error.right} is impossible"
        else:
            yield from (
                f"given: {shown(symbol)} is not a value of the forward equations"
                for symbol in (*model.given, *model.totals)
                if key_of(symbol) not in model.sequences
            )

    def run(self, spec: DerivationSpec, context: Context) -> Judgement:
        """Judge each quantity. Raises ``Pending`` with the place of what cannot be read."""
        name, text = _answer(spec.files, context)
        if not text.strip():
            raise Failure("not_implemented", f"{name} is empty")
        asking = _asking(spec, context.seed)
        points_of(asking.task)  # what fails in here is our fault and must show as such
        try:
            with np.errstate(all="ignore"):
                return _judged(spec, asking, name, text)
        except UnreadableError as error:
            line, column = _place(text, error.at)
            message = f"{name}, line {line}, column {column}: {error.message}"
        except TooMuchError as error:
            message = f"{name}: {error}"
        except (RecursionError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # A formula that our reader stumbles over is for a person; it must not cost points.
            message = f"{name} could not be evaluated ({type(error).__name__}: {error})"
        raise Pending(f"{message}: waits for a person", name, _clipped(text))


def _asking(spec: DerivationSpec, seed: int) -> Asking:
    return question(spec.settings, seed)


def _answer(files: Sequence[str], context: Context) -> tuple[str, str]:
    """Return the first file with mathematics in it: the template may lie beside the answer."""
    first: tuple[str, str] | None = None
    for place in range(len(files)):
        try:
            name, text = found_text(files[place : place + 1], context)
        except Failure:
            continue
        if source.has_mathematics(text, markdown=name.endswith(".md")):
            return name, text
        first = first or (name, text)
    return first or found_text(files, context)


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]} [...]"


def _place(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def _judged(spec: DerivationSpec, asking: Asking, name: str, text: str) -> Judgement:
    reading = answers.read(text, markdown=name.endswith(".md"))
    stated = _stated(spec, reading)
    if not stated.own and not stated.problems:
        raise Failure("not_implemented", f"{name} has no formulas for this part yet")
    task = asking.task
    names = answers.names_for([*stated.earlier, *stated.own], task.model)
    own = answers.rules(stated.own, task.model, names)
    rules = [*_usable(answers.rules(stated.earlier, task.model, names), own, asking), *own]
    outcome = judge(task, rules, names, Budget())
    explained = explain.Explained(reading.document, outcome, name)
    _settle_or_wait(name, text, stated, explained, reading)
    if all(verdict.status in ("missing", "given") for verdict in outcome.verdicts):
        missing = ", ".join(asked.name for asked in asking.asked)
        raise Failure("not_implemented", f"{name} has no formula for any of {missing}")
    parts = tuple(_parts(asking, outcome, explained))
    rows = tuple(
        evidence.Formula(row.place, row.mathml, row.source, row.verdict)
        for row in explained.rows(stated.own)
    )
    figure = evidence.Formulas(name, rows)
    notes = tuple(explained.notes(stated.problems))
    losing = [verdict for verdict in outcome.verdicts if verdict.status != "right"]
    wrong = any(part.earned < 1 for part in parts)
    message = "\n".join(explained.lines(losing)) if wrong else None
    return Judgement(parts, notes, {"formulas": len(stated.own)}, message, (figure,))


def _stated(spec: DerivationSpec, reading: Reading) -> _Stated:
    """Find the formulas of a part: below its heading, or below no heading that names a part."""
    section = re.compile(spec.section)
    earlier = answers.in_section(reading, re.compile(spec.earlier_sections))
    own = answers.in_section(reading, section)
    if any(section.search(heading) for heading in reading.document.headings):
        return _Stated(own, earlier, answers.problems_in(reading, section), assigned=True)
    others = re.compile(spec.other_sections)
    loose = [formula for formula in reading.formulas if not others.search(formula.heading)]
    problems = [error for heading, error in reading.problems if not others.search(heading)]
    return _Stated(loose, earlier, problems, assigned=False)


def _usable(earlier: Sequence[Rule], own: Sequence[Rule], asking: Asking) -> list[Rule]:
    """Return the earlier rules that an answer may build on.

    What it states itself goes first, gradients that are given keep their meaning, and what is asked
    for here must be stated here, unless it holds at every time.
    """
    model: Model = asking.task.model
    stated = {rule.key for rule in own}
    asked = {quantity.key for quantity in asking.task.quantities if quantity.time is None}
    barred = stated | asked | model.given_keys
    return [replace(rule, earlier=True) for rule in earlier if rule.key not in barred]


def _settle_or_wait(
    name: str, text: str, stated: _Stated, explained: explain.Explained, reading: Reading
) -> None:
    """Raise ``Pending`` if something unreadable may be what is missing."""
    outcome = explained.outcome
    losing = [verdict for verdict in outcome.verdicts if verdict.status != "right"]
    if not losing:
        return
    unread = [*stated.problems]
    unread += [f.problem for f in stated.own if f.problem is not None and f.display]
    undefined = [e for verdict in losing if (e := _undefined(verdict, outcome)) is not None]
    if not stated.assigned and any(verdict.status != "given" for verdict in losing):
        message = f"{name} has no heading that names this part, and not all of it is there"
    elif unread or undefined:
        first = min([*unread, *undefined], key=lambda error: error.at)
        line, column = reading.document.place(first.at)
        message = f"{name}, line {line}, column {column}: {first.message}"
    else:
        return
    raise Pending(f"{message}: waits for a person", name, _clipped(text))


def _undefined(verdict: Verdict, outcome: Outcome) -> UnreadableError | None:
    """Return the use of a symbol that nobody has defined: it may have been defined in words."""
    error = verdict.blame.error if verdict.blame is not None else None
    if not isinstance(error, UnknownError):
        return None
    return explain.undefined_symbol(error.node, outcome.answer.model)


def _parts(asking: Asking, outcome: Outcome, explained: explain.Explained) -> Iterator[Part]:
    fractions = fractions_of(asking.task, outcome)
    for asked in asking.asked:
        earned = sum(fractions[number] for number in asked.members) / len(asked.members)
        lost = [outcome.verdicts[number] for number in asked.members if fractions[number] < 1]
        if not lost:
            yield Part(asked.name, asked.share, 1.0)
            continue
        message = "\n".join(explained.lines(lost))
        yield Part(asked.name, asked.share, earned, _reason(lost[0]), message)


def _reason(verdict: Verdict) -> Reason:
    if verdict.status in ("missing", "given"):
        return "not_implemented"
    return "wrong_shape" if explain.is_shape(verdict) else "mismatch"
