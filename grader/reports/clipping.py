"""Every text, list and picture of a result cut to what a report may hold.

What a check found can quote what student code returned: a title of 30 million characters, a table
of a million rows. A report is read by people and by platforms; nothing in it is longer than this.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from grader.author.evidence import (
    Curves,
    Evidence,
    Figure,
    Formula,
    Formulas,
    HandedInFiles,
    Pictures,
    Table,
    Text,
)
from grader.errors import Cause
from grader.model import CheckResult, Part
from grader.readers.texts import clipped

MAX_MESSAGE = 4000  # characters of a check's message, and of a part's
MAX_NOTE = 1000  # characters of a note, and of a cause
MAX_NOTES = 100
MAX_PARTS = 200
MAX_NAME = 200  # characters of titles, captions, names and cells
MAX_TEXT = 20_000  # characters of a text that a person marks
MAX_FIGURES = 40
MAX_SERIES = 20  # curves in one figure
MAX_STEPS = 50_000  # of a curve; a report holds 500 of them
MAX_PICTURES = 60
MAX_PIXELS = 1024  # a picture's longer side
MAX_ROWS = 400
MAX_CELLS = 20  # of a row
MAX_FORMULA = 20_000  # characters of a formula's MathML
MAX_FORMULAS = 1_000_000  # the same, of all formulas of a figure
MAX_VALUES = 500  # of one measurement, in all its levels
MAX_DEPTH = 6  # levels of a measurement
MAX_DIGITS = 4000  # bits of a whole number
Item = TypeVar("Item")


def result(found: CheckResult) -> CheckResult:
    """Return a check's result with everything in it cut to a report's size."""
    return replace(
        found,
        message=clipped(found.message, MAX_MESSAGE),
        cause=_cause(found.cause),
        notes=notes(found.notes),
        parts=tuple(map(_part, _first(found.parts, MAX_PARTS))),
        measurements=measured(found.measurements),
        figures=figures(found.figures),
    )


def notes(texts: Iterable[str]) -> tuple[str, ...]:
    """Return at most ``MAX_NOTES`` notes; the last one says how many more there are."""
    every = list(texts)
    kept = [clipped(text, MAX_NOTE) for text in every[:MAX_NOTES]]
    if len(every) > MAX_NOTES:
        kept[-1] = f"{len(every) - MAX_NOTES + 1} more notes are left out"
    return tuple(kept)


def evidence(found: Evidence) -> Evidence:
    """Return what a judge says, with everything in it cut to a report's size."""
    return replace(
        found,
        values=measured(found.values),
        findings=[replace(one, message=text(one.message)) for one in found.findings],
        measurements=measured(found.measurements),
        figures=figures(found.figures),
        notes=notes(found.notes),
    )


def text(message: str) -> str:
    """Return a message of bounded length."""
    return clipped(message, MAX_MESSAGE)


def figures(found: Sequence[Figure]) -> tuple[Figure, ...]:
    """Return figures of bounded size."""
    return tuple(map(figure, _first(found, MAX_FIGURES)))


def figure(found: Figure) -> Figure:
    """Return one figure of bounded size."""
    title = _name(found.title)
    if isinstance(found, Curves):
        series = {
            _name(name): _first(values, MAX_STEPS)
            for name, values in _first(list(found.series.items()), MAX_SERIES)
        }
        return Curves(title, series, _name(found.xlabel), _name(found.ylabel), found.log)
    if isinstance(found, Pictures):
        items = [(_name(caption), _small(p)) for caption, p in _first(found.items, MAX_PICTURES)]
        return Pictures(title, items)
    if isinstance(found, Text):
        return Text(title, clipped(str(found.text), MAX_TEXT))
    if isinstance(found, Formulas):
        return Formulas(title, _formulas(_first(found.rows, MAX_ROWS)))
    if isinstance(found, HandedInFiles):
        files = [(_name(name), data) for name, data in _first(found.items, MAX_PICTURES)]
        return HandedInFiles(title, files)
    rows = [_cells(row) for row in _first(found.rows, MAX_ROWS)]
    return Table(title, _cells(found.header), rows)


def measured(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return measurements of bounded size: JSON values in a few levels."""
    left = [MAX_VALUES]
    return {_name(k): _value(v, left, 1) for k, v in _first(list(values.items()), MAX_VALUES)}


def _value(value: Any, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[:MAX_VALUES].tolist() if value.ndim != 1 else value
        value = list(value[:MAX_VALUES])
    if isinstance(value, str):
        return clipped(value, MAX_NOTE)
    if isinstance(value, int) and value.bit_length() > MAX_DIGITS:
        return None
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth > MAX_DEPTH:
        return None
    kept = max(0, left[0])
    if isinstance(value, Mapping):
        items = _first(list(value.items()), kept)
        return {_name(key): _value(item, left, depth + 1) for key, item in items if left[0] > 0}
    return [_value(item, left, depth + 1) for item in value[:kept] if left[0] > 0]


def _part(part: Part) -> Part:
    name, message = _name(part.name), clipped(part.message, MAX_MESSAGE)
    if part.cause is None and (name, message) == (part.name, part.message):
        return part  # as most are
    return replace(part, name=name, message=message, cause=_cause(part.cause))


def _cause(cause: Cause | None) -> Cause | None:
    if cause is None:
        return None
    return Cause(clipped(cause.id, MAX_NAME).replace(" ", "_"), clipped(cause.text, MAX_NOTE))


def _formulas(rows: Sequence[Formula]) -> list[Formula]:
    """Cut formulas; half of a formula's MathML would be none, so its source is shown instead."""
    left, kept = MAX_FORMULAS, []
    for row in rows:
        source, mathml = clipped(row.source, MAX_NOTE), row.mathml
        if len(mathml) > min(MAX_FORMULA, left):
            source, mathml = source or "a formula that is too long to be shown", ""
        left -= len(mathml)
        kept.append(Formula(_name(row.place), mathml, source, clipped(row.verdict, MAX_NOTE)))
    return kept


def _cells(row: Sequence[Any]) -> list[str]:
    return [clipped(str(cell), MAX_NOTE) for cell in _first(row, MAX_CELLS)]


def _small(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a picture, every second or third pixel of it if it is large."""
    shape = np.shape(picture)
    step = math.ceil(max(shape[:2], default=0) / MAX_PIXELS)
    return picture[::step, ::step] if step > 1 else picture


def _first(items: Sequence[Item], most: int) -> Sequence[Item]:
    return items if len(items) <= most else items[:most]


def _name(text: Any) -> str:
    return clipped(str(text), MAX_NAME)
