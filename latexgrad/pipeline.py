"""Reads an answer, compares it with the truth, and explains it or leaves it to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from .assessment import Assessed, AssessedQuantity, Assessment, Shortfall, Unanswered, Waiting
from .checker import Verdict
from .doubt import Unread
from .explain import Explanation, is_shape
from .interpretation import interpreted
from .limits import Budget, OverBudgetError, UnreadableError
from .prepare import PreparedTask, prepared
from .sections import PartContent, part_of
from .source import place_in, with_newlines
from .statements import read_file
from .task import Task
from .truth import Point
from .verdicts import ComparedAnswer, earned, fractions_of

LEAST_OF_NUMBERED = 0.5  # that a part must earn for its number to say which it is
_TYPST_HEADING = re.compile(r"^(=+)(?=[ \t]+\S)", re.MULTILINE)


def assess(text: str, task: Task, *, file: str = "answer.tex", seed: int = 0) -> Assessment:
    """Do what ``latexgrad.assess`` says."""
    ready = prepared(task)
    if not text.strip():
        return Unanswered(f"{file} is empty", blank=True)
    points = ready.points(seed)  # a failure here is the task's fault and must show as such
    try:
        with np.errstate(all="ignore"):
            return _assessed(text, task, ready, points, file)
    except UnreadableError as error:
        line, column = place_in(with_newlines(text), error.at)
        return _unreadable(file, line, column, error)
    except OverBudgetError as error:
        return Waiting(f"{file}: {error}")
    except (RecursionError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        # A formula that the reader fails on is for a person; it must not cost points.
        return Waiting(f"{file} could not be evaluated ({type(error).__name__}: {error})")


def _assessed(
    text: str, task: Task, ready: PreparedTask, points: Sequence[Point], file: str
) -> Assessment:
    if file.endswith(".typ"):
        text = _TYPST_HEADING.sub(lambda found: "#" * len(found[1]), text)
    content = read_file(text, markdown=not file.endswith((".tex", ".latex")))
    part = part_of(content, task)
    if not part.own and not part.problems:
        blank = not content.document.has_mathematics
        return Unanswered(f"{file} has no formulas for this part yet", blank)
    compared = interpreted(part, ready, points, Budget())
    doubts = Unread(part, compared)
    explanation = Explanation(content.document, compared, doubts, file)
    losing = [verdict for verdict in compared.verdicts if verdict.status != "right"]
    if part.numbered and earned(ready, compared) < LEAST_OF_NUMBERED:
        return Waiting(f"{file} has only numbers for headings: is this the part that is meant?")
    if (
        losing
        and not (part.named or part.numbered)
        and any(verdict.status != "given" for verdict in losing)
    ):
        return Waiting(f"{file} has no heading for this part, and some formulas are missing")
    found = [doubts.first(verdict) for verdict in compared.verdicts]
    first = min((one for one in found if one is not None), key=lambda one: one.at, default=None)
    decided = any(
        one is None and verdict.status not in ("missing", "given")
        for one, verdict in zip(found, compared.verdicts, strict=True)
    )
    if first is not None and not decided:
        return _unreadable(file, *content.document.place(first.at), first)
    if first is None and all(
        verdict.status in ("missing", "given") for verdict in compared.verdicts
    ):
        missing = ", ".join(group.name for group in ready.groups)
        return Unanswered(f"{file} has no formula for any of {missing}")
    waiting = [
        None if one is None else _unreadable(file, *content.document.place(one.at), one)
        for one in found
    ]
    return _with_verdicts(part, ready, compared, explanation, waiting)


def _with_verdicts(
    part: PartContent,
    ready: PreparedTask,
    compared: ComparedAnswer,
    explanation: Explanation,
    waiting: Sequence[Waiting | None],
) -> Assessed:
    quantities = tuple(_quantities(ready, compared, explanation, waiting))
    formulas = tuple(explanation.formulas(part.own))
    notes = tuple(explanation.notes(part.problems))
    losing = [
        verdict
        for verdict, wait in zip(compared.verdicts, waiting, strict=True)
        if verdict.status != "right" and wait is None
    ]
    wrong = any(quantity.earned < 1 for quantity in quantities)
    lines = [*_waits(quantities), *explanation.lines(losing)]
    message = "\n".join(lines) if wrong else None
    return Assessed(quantities, formulas, notes, message)


def _quantities(
    ready: PreparedTask,
    compared: ComparedAnswer,
    explanation: Explanation,
    waiting: Sequence[Waiting | None],
) -> Iterator[AssessedQuantity]:
    fractions = [
        fraction if wait is None else 0.0
        for fraction, wait in zip(fractions_of(ready, compared), waiting, strict=True)
    ]
    for group in ready.groups:
        earned = sum(fractions[number] for number in group.members) / len(group.members)
        lost = [compared.verdicts[number] for number in group.members if fractions[number] < 1]
        if not lost:
            yield AssessedQuantity(group.name, group.share, 1.0)
            continue
        wait = next((waiting[number] for number in group.members if waiting[number]), None)
        if wait is not None:
            yield AssessedQuantity(
                group.name, group.share, earned, message=wait.message, waiting=wait
            )
            continue
        message = "\n".join(explanation.lines(lost))
        yield AssessedQuantity(
            *(group.name, group.share, earned),
            *(_shortfall(lost[0]), message, explanation.mistake(lost[0])),
        )


def _waits(quantities: Sequence[AssessedQuantity]) -> Iterator[str]:
    """Yield what a person must look at, and for which quantities."""
    names: dict[str, list[str]] = {}
    for quantity in quantities:
        if quantity.waiting is not None:
            names.setdefault(quantity.waiting.message, []).append(quantity.name)
    for message, waiting in names.items():
        yield f"{message}: a person must mark {', '.join(waiting)}"


def _shortfall(verdict: Verdict) -> Shortfall:
    if verdict.status in ("missing", "given"):
        return "missing"
    return "shape" if is_shape(verdict) else "value"


def _unreadable(file: str, line: int, column: int, error: UnreadableError) -> Waiting:
    return Waiting(f"{file}, line {line}, column {column}: {error.message}", line, column)
