"""Kind ``derivation``: formulas in LaTeX, compared with autograd at random points.

A formula is text and never code: ``latexgrad`` parses, walks and bounds it. Here its assessment
becomes a judgement; what cannot be read is left to a person, with its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from grader.assignment.reference import Assignment
from grader.author.evidence import Figure, Formula, Formulas, HandedInFiles, Text
from grader.checks import causes
from grader.errors import Cause, Failure, Pending, Reason
from grader.model import Part, Question
from grader.readers.texts import clipped
from latexgrad import (
    Assessed,
    AssessedQuantity,
    Assessment,
    Mistake,
    Shortfall,
    Task,
    TaskError,
    Unanswered,
    Waiting,
    assess,
    load,
)

from . import apart, documents
from .base import Context, Judgement
from .written import MAX_SHOWN, FilesSpec, TextKind, found_text

MAX_NAMED = 4  # documents in a message
REASONS: dict[Shortfall, Reason] = {
    "missing": "not_implemented",
    "shape": "wrong_shape",
    "value": "mismatch",
}


class _Read(NamedTuple):
    """A document, and what its formulas are worth."""

    name: str
    text: str
    assessment: Assessment


class DerivationSpec(FilesSpec, Task):
    """Rubric keys of ``derivation``: ``files``, and those of ``latexgrad.Task``."""


class DerivationKind(TextKind):
    """Finds the text, has its formulas assessed, and translates."""

    name = "derivation"
    options = DerivationSpec

    def problems(
        self, spec: DerivationSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what in the rubric's LaTeX cannot be read or does not fit."""
        del question, assignment
        try:
            assess("", spec)
        except TaskError as error:
            yield from (f"{key or self.name}: {text}" for key, text in error.problems)

    def run(self, spec: DerivationSpec, context: Context) -> Judgement:
        """Judge each quantity. Raises ``Pending`` where nothing is decided."""
        name, text, found = _assessed(spec, context)
        match found:
            case Unanswered():
                raise Failure("not_implemented", found.message)
            case Waiting():
                named = documents.pictures(context, spec.files, named_in=text)
                shown = documents.contents(context, named)
                message = f"{found.message}: a person must mark this"
                raise Pending(message, name, clipped(text, MAX_SHOWN), shown)
            case Assessed():
                missing = [one for one in found.quantities if one.shortfall == "missing"]
                pictures = documents.pictures(context, spec.files) if missing else []
                shown = documents.contents(context, pictures)
                if pictures:
                    found = _with_pictures(found, _not_read(pictures, shown))
                return _judgement(name, text, found, list(_notes(name, spec)), shown)


def _assessed(spec: DerivationSpec, context: Context) -> _Read:
    """Return the document with the answer in it: the template, or other notes, may lie beside it.

    Raises:
        Failure: there is no document.
        Pending: there are only documents that a person must read, or several with other answers.
    """
    unanswered: _Read | None = None
    aside: _Read | None = None
    answers: list[_Read] = []
    for name, text in documents.texts(context, spec.files):
        if answers and name not in spec.files and answers[0].name in spec.files:
            break  # what was asked for counts
        found = _read(name, text, spec, context)
        match found.assessment:
            case Unanswered(blank=blank):
                if unanswered is None or (unanswered.name not in spec.files and not blank):
                    unanswered = found
            case Waiting(line=None) if name not in spec.files:
                aside = aside or found  # not known to be about this part
            case assessment:
                answers.append(found)
                if len(answers) == 1 and (isinstance(assessment, Waiting) or _earns(assessment)):
                    return found
    if answers:
        return _undisputed(answers)
    return aside or _without_answer(unanswered, spec, context)


def _read(name: str, text: str, spec: DerivationSpec, context: Context) -> _Read:
    load()  # here: the children that read are forked from this process
    assessment: Assessment = apart.run(
        *(context, spec, name, "the reader of derivations", "formulas"),
        lambda given: assess(given["text"], spec, file=given["name"], seed=context.seed),
        {"name": name, "text": text},
    )
    return _Read(name, text, assessment)


def _earns(found: Assessed) -> bool:
    return all(one.earned >= 1 for one in found.quantities)


def _undisputed(answers: Sequence[_Read]) -> _Read:
    """Return the first answer; raises ``Pending`` if it loses what another one may earn."""
    first, *others = answers
    assert isinstance(first.assessment, Assessed)  # noqa: S101 - others are not compared
    earned = [one.earned for one in first.assessment.quantities]
    rivals = [
        other
        for other in others
        if not isinstance(other.assessment, Assessed)
        or any(
            one.earned > had for one, had in zip(other.assessment.quantities, earned, strict=True)
        )
    ]
    if not rivals:
        return first
    names = ", ".join(one.name for one in (first, *rivals[: MAX_NAMED - 1]))
    message = f"this part has different answers in {names}: a person must say which one counts"
    shown = [(one.name, one.text.encode()) for one in rivals]
    raise Pending(message, first.name, clipped(first.text, MAX_SHOWN), shown)


def _without_answer(unanswered: _Read | None, spec: DerivationSpec, context: Context) -> _Read:
    pictures = documents.pictures(context, spec.files)
    if pictures:  # one part may be written, and another lie beside it
        shown = documents.contents(context, pictures)
        raise Pending(f"{_not_read(pictures, shown)}: a person must mark this", "", "", shown)
    if unanswered is None:
        found_text(spec.files, context)
        raise Failure("missing", f"{spec.files[0]} is missing")
    return unanswered


def _not_read(pictures: Sequence[str], shown: Sequence[tuple[str, bytes]]) -> str:
    """Say what is not read; a person must look into the submission for what is not shown."""
    names = ", ".join(pictures[:MAX_NAMED])
    there = [name for name, _data in shown]
    large = ", ".join([name for name in pictures if name not in there][:MAX_NAMED])
    more = f" (look in the submission for {large}, too large for the report)" if large else ""
    return f"the grader does not read {names}{more}"


def _notes(name: str, spec: DerivationSpec) -> Iterator[str]:
    if name not in spec.files:
        yield f"{spec.files[0]} was found as {name}"


def _with_pictures(found: Assessed, not_read: str) -> Assessed:
    """Leave what is missing to a person: it may be in a picture."""
    lost = [one.name for one in found.quantities if one.shortfall == "missing"]
    quantities = tuple(
        replace(one, shortfall=None, waiting=Waiting(not_read)) if one.name in lost else one
        for one in found.quantities
    )
    message = f"{not_read}: a person must mark {', '.join(lost)}\n{found.message}"
    return replace(found, quantities=quantities, message=message)


def _judgement(
    name: str,
    text: str,
    found: Assessed,
    notes: list[str],
    pictures: Sequence[tuple[str, bytes]],
) -> Judgement:
    parts = tuple(map(_part, found.quantities))
    rows = tuple(
        Formula(f"line {row.line}", row.mathml, row.source, row.verdict) for row in found.formulas
    )
    measurements = {"formulas": len(rows)}
    notes += found.notes
    waiting = tuple(one.name for one in found.quantities if one.waiting is not None)
    figures: tuple[Figure, ...] = (Formulas(name, rows),)
    if waiting:
        figures = (*figures, Text(name, clipped(text, MAX_SHOWN)))
    if pictures:
        figures = (*figures, HandedInFiles("handed in", pictures))
    return Judgement(parts, tuple(notes), measurements, found.message, figures, waiting)


def _part(found: AssessedQuantity) -> Part:
    reason = found.shortfall and REASONS[found.shortfall]
    return Part(found.name, found.share, found.earned, reason, found.message, _cause(found.mistake))


def _cause(mistake: Mistake | None) -> Cause | None:
    if mistake is None or mistake.kind is None:
        return None
    if mistake.kind == "follow_through":
        return causes.follow_through(mistake.text)
    return Cause(f"formula.{mistake.kind}", mistake.text)
