"""Kind ``predictions``: a file of predicted labels, one per line, against withheld labels."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from grader.assignment.reference import Assignment
from grader.checks.metrics import METRICS
from grader.errors import Failure
from grader.model import CheckSpec, Part, Question, Strict

from .base import CheckKind, Context, Judgement, Recorder
from .judged import Thresholds

Labels = np.ndarray[tuple[int], np.dtype[np.int64]]
FileName = Annotated[str, Field(pattern=r"^[\w.-]+$")]

MAX_SHOWN = 40  # characters of a line that is quoted in a message


class DistinctSpec(Strict):
    """The keys of ``distinct``: what a file of predictions may not repeat.

    ``files`` are those of the other checks; of equal files, the one that comes first in the list
    counts. A file that differs from one before it in a smaller part of the lines than ``least``
    waits for a person.
    """

    files: Annotated[list[FileName], Field(min_length=2)]
    least: Annotated[float, Field(ge=0, le=0.5)] = 0.01


class PredictionsSpec(CheckSpec, Thresholds):
    """Rubric keys of ``predictions``.

    ``file`` is read from the submission. It holds one of ``symbols`` per line, one line for each
    item of ``items`` among the inputs of ``reference/datasets/<dataset>.py``, drawn with ``seed``:
    the seed of the data that students were given. Points rise linearly from ``zero_at`` to
    ``full_at``. On a tier whose data set withholds no ``labels`` the form alone counts. The same
    predictions in several of the files of ``distinct`` are paid once.
    """

    file: FileName
    dataset: Annotated[str, Field(pattern=r"^\w+$")]
    items: str
    labels: str
    seed: Annotated[int, Field(ge=0)]
    symbols: Annotated[list[str], Field(min_length=2)] = ["0", "1"]
    metric: Literal["accuracy"] = "accuracy"
    distinct: DistinctSpec | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> PredictionsSpec:
        if self.distinct is not None and self.file not in self.distinct.files:
            raise ValueError(f"distinct: files must name {self.file} as well")
        return self

    # With the seed, students could draw the labels that they are not given.
    kept_back: ClassVar[Mapping[str, Any]] = MappingProxyType({"seed": 0})

    @property
    def other_files(self) -> tuple[str, ...]:
        """The file of predictions."""
        return (self.file,)


class PredictionsKind(CheckKind):
    """Reads the file on the trusted side, as text; nothing of the submission is executed."""

    name = "predictions"
    options = PredictionsSpec

    def problems(
        self, spec: PredictionsSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what does not fit the reference's data sets."""
        del question
        if not assignment.has(f"datasets.{spec.dataset}"):
            path = f"datasets/{spec.dataset}.py"
            yield f"dataset: there is no file {path}{assignment.near(path)}"
            return
        data = assignment.dataset(spec.dataset, "mini", None, spec.seed)
        if spec.items not in data.inputs:
            yield f"items: the data set has no inputs {spec.items!r} ({', '.join(data.inputs)})"
        if spec.labels not in data.withheld:
            yield f"labels: the data set withholds no {spec.labels!r} ({', '.join(data.withheld)})"

    def record(self, spec: PredictionsSpec, recorder: Recorder) -> bool:
        """Record how many items there are to predict: at home the form alone counts."""
        data = recorder.assignment.dataset(spec.dataset, "mini", None, spec.seed)
        recorder.items(spec.dataset, spec.items, len(data.inputs[spec.items]))
        return True

    def run(self, spec: PredictionsSpec, context: Context) -> Judgement:
        """Judge the form and, where labels are known, the metric."""
        data = context.assignment.dataset(spec.dataset, context.tier, context.data, spec.seed)
        expected = len(data.inputs[spec.items])
        labels = data.withheld.get(spec.labels)
        predicted = parsed(context.read_file(spec.file), spec, expected)
        again = _again(spec, context, predicted)
        if again is not None and again.lines == 0:
            raise Failure("mismatch", again.message)
        judgement = self._judged(spec, context, predicted, labels)
        if again is None or not any(part.earned for part in judgement.parts):
            return judgement
        parts = (
            *(replace(part, share=0.0) for part in judgement.parts),
            Part("distinct", 1.0, 0.0, message=again.message),
        )
        return replace(judgement, parts=parts, undecided=("distinct",))

    def _judged(
        self, spec: PredictionsSpec, context: Context, predicted: Labels, labels: Any
    ) -> Judgement:
        """Judge labels of the right form."""
        expected = len(predicted)
        if labels is None:
            note = f"the {context.tier} tier has no labels for {spec.items}: only the format counts"
            return Judgement((Part("form", 1.0, 1.0),), (note,), {"lines": expected})
        value = METRICS[spec.metric](predicted, labels)
        earned = min(1.0, max(0.0, (value - spec.zero_at) / (spec.full_at - spec.zero_at)))
        measured = {spec.metric: value, "zero_at": spec.zero_at, "full_at": spec.full_at}
        if earned == 1:
            return Judgement((Part(spec.metric, 1.0, 1.0),), (), measured)
        message = (
            f"{spec.file}: {spec.metric} {value:.4f}; you get points above {spec.zero_at:g} and "
            f"full points from {spec.full_at:g}"
        )
        if 1 - value >= spec.full_at and len(spec.symbols) == 2:  # noqa: PLR2004
            message += "; it would be right with the two labels swapped"
        part = Part(spec.metric, 1.0, earned, "below_threshold", message)
        return Judgement((part,), (), measured)


class Repeated(NamedTuple):
    """In how many lines a file differs from one that came before, and how that is said."""

    lines: int
    message: str


def _again(spec: PredictionsSpec, context: Context, predicted: Labels) -> Repeated | None:
    """Return what the file repeats, if it does; a file that cannot be read has nothing to repeat.

    The nearest of the files before it counts, the first one of several.
    """
    distinct = spec.distinct
    if distinct is None:
        return None
    found = []
    for other in distinct.files[: distinct.files.index(spec.file)]:
        with contextlib.suppress(Failure):
            before = parsed(context.read_file(other), spec, len(predicted))
            found.append((int((before != predicted).sum()), other))
    lines, other = min(found, key=lambda pair: pair[0], default=(len(predicted), ""))
    least = math.ceil(distinct.least * len(predicted))
    if lines and lines >= least:
        return None
    if lines == 0:
        same = "has the same predictions as"
        why = "the predictions of one model are paid once"
    else:
        same = f"differs in {lines} of {len(predicted)} lines from"
        why = "two models seldom agree so: a person must look"
    return Repeated(lines, f"{spec.file} {same} {other}; {why}")


def parsed(data: bytes, spec: PredictionsSpec, expected: int) -> Labels:
    """Return the predicted labels, (expected,) int64; raises ``Failure`` naming file and line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = data[: error.start].count(b"\n") + 1
        message = f"{spec.file}, line {at}: not text (byte 0x{data[error.start]:02x})"
        raise Failure("wrong_dtype", message) from None
    lines = text.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise Failure("not_implemented", f"{spec.file} is empty")
    numbers = {symbol: number for number, symbol in enumerate(spec.symbols)}
    wanted = " or ".join(spec.symbols)
    for position, line in enumerate(lines, 1):
        if line.strip() not in numbers:
            shown = repr(line[:MAX_SHOWN]) if line.strip() else "an empty line"
            message = f"{spec.file}, line {position}: {shown}, expected {wanted}"
            raise Failure("wrong_dtype", message)
    if len(lines) != expected:
        more = "too many" if len(lines) > expected else "missing"
        message = f"{spec.file} has {len(lines)} lines, expected {expected}"
        raise Failure("wrong_shape", f"{message}: {abs(len(lines) - expected)} {more}")
    return np.array([numbers[line.strip()] for line in lines], dtype=np.int64)
