"""Notes where a file of predictions does not fit the model that student code trains here.

A file may come from another model than the one whose name it has. Where the sentences of the file
are those of this run, both predict the same lines. Otherwise, as where the data of a run are drawn
by a secret seed, only the shares of right answers can be compared. Nothing here costs points: a
person looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.assignment.reference import Dataset
from grader.errors import Failure
from grader.model import Question

from .base import Context
from .metrics import METRICS
from .predictions import Labels, PredictionsSpec, parsed

APART = 0.1  # of the lines: two trainings of one model differ by less
PROBABLE = 0.5  # from here on, a probability stands for label 1


def file_check(question: Question, check: str) -> PredictionsSpec | None:
    """Return the check of a file of predictions, if the question has it."""
    found = [one for one in question.checks if one.id == check]
    return found[0] if found and isinstance(found[0], PredictionsSpec) else None


def note(
    context: Context, check: str, function: str, result: Mapping[str, Any], value: float
) -> str:
    """Return what does not fit, in words; empty if all does, or if nothing can be compared.

    Args:
        context: the training check's.
        check: the id of the check of the file.
        function: the student's, which trained the model.
        result: the driver's; ``handed_in`` are the model's predictions for the items of the file.
        value: the accuracy of the model on the data of this run.
    """
    spec = file_check(context.question, check)
    if spec is None:
        return ""
    theirs = context.assignment.dataset(spec.dataset, context.tier, context.data, spec.seed)
    try:
        told = parsed(context.read_file(spec.file), spec, len(theirs.inputs[spec.items]))
    except Failure:
        return ""  # it costs its points in its own check
    labels = theirs.withheld.get(spec.labels)
    if labels is None:
        own = result.get("handed_in")
        same = _alike(context, spec, theirs, told, own)
        # Two models that are right for ``value`` of the lines can differ in all others of both.
        if same is None or 1 - same <= APART + 2 * (1 - value):
            return ""
        return (
            f"{spec.file} and the model that {function} trains here differ in {1 - same:.0%} of "
            "the lines: a person should check which model made the file"
        )
    right = METRICS[spec.metric](told, labels)
    if abs(right - value) <= APART:
        return ""
    return (
        f"{spec.file} is right for {right:.0%} of its lines, the model that {function} trains here "
        f"for {value:.0%} of the withheld data: a person should check which model made the file"
    )


def _alike(
    context: Context, spec: PredictionsSpec, theirs: Dataset, told: Labels, own: Any
) -> float | None:
    """Return the share of lines on which a file and a model agree; None if that cannot be known.

    The run may have exchanged the labels, so that the model's 1 is the file's 0.
    """
    here = context.assignment.dataset(spec.dataset, context.tier, context.data, context.seed)
    if not np.array_equal(here.inputs[spec.items], theirs.inputs[spec.items]):
        return None
    try:
        predicted = np.asarray(own, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if predicted.shape != told.shape:
        return None
    same = float(((predicted >= PROBABLE) == told).mean())
    return max(same, 1 - same)
