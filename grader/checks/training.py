"""Kind ``training``: a training entry point, run under limits, judged by a metric of ours."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Annotated, Any, Literal

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
    and the median counts. ``facts`` names ``reference/facts/<file>.<function>``, which looks at the
    driver's result on the trusted side and yields what is not as the question asks (a bag of words
    that depends on the order of words); ``facts_share`` is their part of the points, which an
    untrained model does not earn.
    """

    function: str
    driver: Annotated[str, Field(pattern=r"^\w+\.\w+$")]
    dataset: Annotated[str, Field(pattern=r"^\w+$")]
    metric: Literal["accuracy"] = "accuracy"
    facts: Annotated[str, Field(pattern=r"^\w+\.\w+$")] | None = None
    facts_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
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
        if spec.facts is not None and assignment.fact(spec.facts) is None:
            yield f"facts: there is no function {spec.facts} in the folder facts"
        if not assignment.has(f"datasets.{spec.dataset}"):
            yield f"dataset: there is no file datasets/{spec.dataset}.py"

    def run(self, spec: TrainingSpec, context: Context) -> Judgement:
        """Train once, and again with further seeds after a near miss."""
        limits: Thresholds = getattr(spec.tiers, context.tier)
        notes: list[str] = []
        first, wrong = self._train(spec, context, context.seed, notes)
        values = [first]
        if limits.full_at - spec.near_miss <= first < limits.full_at:
            for attempt in range(1, spec.extra_seeds + 1):
                seed = seed_for("training", spec.id, context.seed, attempt)
                values.append(self._train(spec, context, seed, [])[0])
        value = statistics.median(values)
        earned = (value - limits.zero_at) / (limits.full_at - limits.zero_at)
        earned = min(1.0, max(0.0, earned))
        measured = {
            spec.metric: value,
            "by_seed": values,
            "zero_at": limits.zero_at,
            "full_at": limits.full_at,
        }
        share = 1.0 if spec.facts is None else 1 - spec.facts_share
        runs = f", the median of {len(values)} runs" if len(values) > 1 else ""
        message = (
            f"{spec.metric} {value:.4f} on withheld data{runs}; points begin above "
            f"{limits.zero_at:g} and are full from {limits.full_at:g}"
        )
        parts = [
            Part(spec.metric, share, earned, *(("below_threshold", message) if earned < 1 else ()))
        ]
        if spec.facts is not None:
            parts.append(_structure(spec.facts_share, earned, wrong))
        return Judgement(tuple(parts), tuple(notes), measured)

    def _train(
        self, spec: TrainingSpec, context: Context, seed: int, notes: list[str]
    ) -> tuple[float, list[str]]:
        """Train once; return the metric and what is not as the question asks."""
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
        value = METRICS[spec.metric](result["predictions"], data.withheld["labels"])
        return value, self._wrong_facts(spec, context, result, data.inputs)

    @staticmethod
    def _wrong_facts(
        spec: TrainingSpec, context: Context, result: dict[str, Any], inputs: dict[str, Any]
    ) -> list[str]:
        judge = context.assignment.fact(spec.facts) if spec.facts is not None else None
        if judge is None:
            return []
        try:
            return [str(text) for text in judge(result, inputs)]
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            # The result is what student code made of it, and may be of any form.
            return [f"{spec.function}: its result cannot be looked at: {error}"]


def _structure(share: float, earned: float, wrong: list[str]) -> Part:
    """Return the part for the model's structure, which counts only for a model that is trained."""
    if wrong:
        return Part("structure", share, 0.0, "mismatch", "; ".join(wrong))
    if earned == 0:
        return Part("structure", share, 0.0, "below_threshold", "")
    return Part("structure", share, 1.0)
