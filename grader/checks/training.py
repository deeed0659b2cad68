"""Kind ``training``: a training entry point, run under limits, judged by a metric of ours."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.assignment import Assignment
from grader.errors import Failure
from grader.metrics import METRICS
from grader.model import CheckSpec, Fraction, NonNegative, Part, Question, Strict
from grader.seeds import seed_for

from .base import Context, Judgement


class Thresholds(Strict):
    """Where points begin and where they are complete, on one tier."""

    zero_at: Fraction
    full_at: Fraction

    @model_validator(mode="after")
    def _in_order(self) -> Thresholds:
        if self.zero_at >= self.full_at:
            raise ValueError(f"zero_at ({self.zero_at:g}) must be below full_at ({self.full_at:g})")
        return self


class Tiers(Strict):
    """Thresholds of both tiers of data."""

    mini: Thresholds
    full: Thresholds


class TrainingSpec(CheckSpec):
    """Rubric keys of ``training``.

    ``driver`` names ``reference/drivers/<file>.<function>``, which trains with the student's
    ``function`` and returns ``{"predictions": ...}`` for the test inputs of
    ``reference/datasets/<dataset>.py``. Points rise linearly from ``zero_at`` to ``full_at``; a
    result less than ``near_miss`` below ``full_at`` is repeated with ``extra_seeds`` further seeds,
    and the median counts.
    """

    function: str
    driver: Annotated[str, Field(pattern=r"^\w+\.\w+$")]
    dataset: Annotated[str, Field(pattern=r"^\w+$")]
    metric: Literal["accuracy"] = "accuracy"
    tiers: Tiers
    near_miss: NonNegative = 0.0
    extra_seeds: Annotated[int, Field(ge=0, le=20)] = 2


class Training:
    """Trains in a worker that sees no test label, and computes the metric on this side."""

    name = "training"
    options = TrainingSpec

    def problems(
        self, spec: TrainingSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what does not fit the reference's drivers and data sets."""
        del question  # the reference solution needs torch to import; verify runs it
        file, _, function = spec.driver.partition(".")
        if not assignment.has(f"drivers.{file}"):
            yield f"driver: there is no file drivers/{file}.py"
        elif f"def {function}(" not in assignment.driver(file)[1]:
            yield f"driver: drivers/{file}.py has no function {function!r}"
        if not assignment.has(f"datasets.{spec.dataset}"):
            yield f"dataset: there is no file datasets/{spec.dataset}.py"

    def run(self, spec: TrainingSpec, context: Context) -> Judgement:
        """Train once, and again with further seeds after a near miss."""
        limits: Thresholds = getattr(spec.tiers, context.tier)
        notes: list[str] = []
        values = [self._train(spec, context, context.seed, notes)]
        if limits.full_at - spec.near_miss <= values[0] < limits.full_at:
            for attempt in range(1, spec.extra_seeds + 1):
                seed = seed_for("training", spec.id, context.seed, attempt)
                values.append(self._train(spec, context, seed, []))
        value = statistics.median(values)
        earned = (value - limits.zero_at) / (limits.full_at - limits.zero_at)
        earned = min(1.0, max(0.0, earned))
        measured = {
            spec.metric: value,
            "by_seed": values,
            "zero_at": limits.zero_at,
            "full_at": limits.full_at,
        }
        if earned == 1:
            return Judgement((Part(spec.metric, 1.0, 1.0),), tuple(notes), measured)
        runs = f", the median of {len(values)} runs" if len(values) > 1 else ""
        message = (
            f"{spec.metric} {value:.4f} on withheld data{runs}; points begin above "
            f"{limits.zero_at:g} and are full from {limits.full_at:g}"
        )
        part = Part(spec.metric, 1.0, earned, "below_threshold", message)
        return Judgement((part,), tuple(notes), measured)

    def _train(self, spec: TrainingSpec, context: Context, seed: int, notes: list[str]) -> float:
        data = context.assignment.dataset(spec.dataset, context.tier, context.data, context.seed)
        file, _, function = spec.driver.partition(".")
        driver = context.assignment.driver(file)
        # Students may seed numpy's old generator with it, which takes 32 bits.
        arguments = {**data.inputs, "seed": seed % 2**32}
        with context.open_module(seed) as module:
            notes += module.notes
            result = module.drive(driver, function, spec.function, arguments)
        if type(result) is not dict or "predictions" not in result:
            raise Failure("wrong_dtype", f"{spec.function} led to no predictions")
        return METRICS[spec.metric](result["predictions"], data.withheld["labels"])
