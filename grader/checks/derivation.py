"""Kind ``derivation``: formulas in LaTeX, compared with autograd at random points.

A formula is text and never code: ``latexgrad`` parses, walks and bounds it. Here its assessment
becomes a judgement; what cannot be read is left to a person, with its place.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.assignment.reference import Assignment
from grader.author.evidence import Figure, Formula, Formulas, Text
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
                raise Pending(
                    f"{found.message}: a person must mark this", name, clipped(text, MAX_SHOWN)
                )
            case Assessed():
                return _judgement(name, text, found, list(_notes(name, spec)))


def _assessed(spec: DerivationSpec, context: Context) -> tuple[str, str, Assessment]:
    """Return the first document with an answer in it: the template may lie beside it.

    Raises:
        Failure: there is no document.
        Pending: there are only documents that a person must read.
    """
    first: tuple[str, str, Assessment] | None = None
    for name, text in documents.texts(context, spec.files):
        assessed: Assessment = apart.run(
            *(context, spec, name, "the reader of derivations", "formulas"),
            lambda given: assess(given["text"], spec, file=given["name"], seed=context.seed),
            {"name": name, "text": text},
        )
        found = name, text, assessed
        if not isinstance(assessed, Unanswered):
            return found
        if first is None or not assessed.blank:
            first = found
    pictures = documents.pictures(context, spec.files)
    if pictures:  # one part may be written, and another lie beside it
        shown = ", ".join(pictures[:MAX_NAMED])
        message = f"the grader does not read {shown}: a person must mark this"
        raise Pending(message, "", "", documents.contents(context, pictures))
    if first is None:
        found_text(spec.files, context)
        raise Failure("missing", f"{spec.files[0]} is missing")
    return first


def _notes(name: str, spec: DerivationSpec) -> Iterator[str]:
    if name not in spec.files:
        yield f"{spec.files[0]} was found as {name}"


def _judgement(name: str, text: str, found: Assessed, notes: list[str]) -> Judgement:
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
