"""Kind ``training``: a training entry point, run under limits, judged by a trusted metric."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, model_validator

from grader.assignment.reference import Assignment, Dataset
from grader.author.evidence import Evidence, Finding
from grader.checks.metrics import METRICS
from grader.errors import BrokenError, Failure
from grader.model import SHARES_ROUNDING, NonNegative, Part, Question, Strict, Tier
from grader.seeds import seed_for

from . import handed_in
from .base import Context
from .driven import assert_works, drive
from .drivers import Dotted, function_problems
from .judged import (
    JudgedKind,
    JudgedSpec,
    Look,
    Scored,
    Thresholds,
    Unreadable,
    judged,
    with_network,
)

STRUCTURE = "structure"  # what facts are about


class Tiers(Strict):
    """Thresholds of both tiers of data."""

    mini: Thresholds
    full: Thresholds

    def of(self, tier: Tier) -> Thresholds:
        """Return the thresholds of a tier."""
        return self.mini if tier == "mini" else self.full


class TrainingSpec(JudgedSpec):
    """Rubric keys of ``training``.

    Points rise linearly from ``zero_at`` to ``full_at`` of the ``metric``; a result less than
    ``near_miss`` below ``full_at`` is repeated with ``extra_seeds`` further seeds, and the median
    counts. The metric is one of the ``judge``'s values or, without a judge or with the key
    ``labels``, computed from the ``predictions`` and what the data set withholds under that name:
    on the trusted side in either case. The ``properties`` earn nothing for an untrained model.

    ``handed_in`` is the id of a check of the same question: the file of predictions that the same
    model should have made. Where it does not fit, a note says so.

    ``facts`` and ``facts_share`` are the older form of a judge that has one finding,
    ``structure``: ``<file>.<function>`` of the folder ``facts``, called with the result and the
    inputs, yields what is not as the question asks.
    """

    metric: str = "accuracy"
    labels: str | None = None
    facts: Dotted | None = None
    facts_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    tiers: Tiers
    near_miss: NonNegative = 0.0
    extra_seeds: Annotated[int, Field(ge=0, le=20)] = 2
    handed_in: str | None = None

    @model_validator(mode="after")
    def _judged_one_way(self) -> TrainingSpec:
        if self.from_predictions and self.metric not in METRICS:
            raise ValueError(f"metric: {self.metric!r} is unknown (known: {', '.join(METRICS)})")
        if self.judge is None and self.properties:
            raise ValueError("properties need a judge")
        if self.judge is not None and self.facts is not None:
            raise ValueError("facts: use the judge's properties instead")
        if self.rest < SHARES_ROUNDING:
            raise ValueError("properties add up to 1 and leave nothing for the metric")
        return self

    @property
    def from_predictions(self) -> bool:
        """Whether the metric is computed from predictions, and not by the judge."""
        return self.judge is None or self.labels is not None

    @property
    def findings(self) -> Mapping[str, float]:
        """The share of each finding."""
        return self.properties if self.facts is None else {STRUCTURE: self.facts_share}

    @property
    def judge_words(self) -> str:
        """What the judge is called in messages."""
        return super().judge_words if self.facts is None else f"{self.facts} in the folder facts"

    def look(self, assignment: Assignment) -> Look | None:
        """Return the judge, or the facts as one; None if the rubric names neither."""
        if self.facts is None:
            return super().look(assignment)
        texts_of = assignment.function("facts", self.facts)
        if texts_of is None:
            raise BrokenError(f"there is no {self.judge_words}")

        def look(result: Mapping[str, Any], inputs: Any, _withheld: Any) -> Evidence:
            wrong = [str(text) for text in texts_of(result, inputs)]
            return Evidence(findings=[Finding(STRUCTURE, float(not wrong), "; ".join(wrong))])

        return look


class TrainingKind(JudgedKind):
    """Trains in a worker that sees no test label, and computes the metric on this side."""

    name = "training"
    options = TrainingSpec

    def problems(
        self, spec: TrainingSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what does not fit the reference's drivers, data sets and judges."""
        yield from super().problems(spec, question, assignment)
        if spec.facts is not None:
            yield from function_problems("facts", "facts", spec.facts, assignment)
        if spec.handed_in is not None and not handed_in.file_check(question, spec.handed_in):
            yield f"handed_in: the question has no check {spec.handed_in!r} of the kind predictions"

    def evidence(
        self, spec: TrainingSpec, context: Context, seed: int, notes: list[str]
    ) -> Evidence:
        """Train once; return what the judge says, with the metric among its values."""
        result, data = drive(spec, context, seed, notes)
        if not spec.from_predictions:
            evidence = judged(spec, context, result, data)
            if spec.metric not in evidence.values:
                raise BrokenError(f"the judge {spec.judge} measures no {spec.metric}")
            if seed == context.public_seed:
                evidence = with_network(spec, context, result, data, evidence)
            return evidence
        value = _metric(spec, context, seed, result, data)
        if spec.handed_in is not None and seed == context.public_seed:
            text = handed_in.note(context, spec.handed_in, spec.function, result, value)
            notes += [text] if text else []
        try:
            evidence = judged(spec, context, result, data)
            # An untrained model has no points for its structure, and a repetition no further ones.
            if seed == context.public_seed and spec.tiers.of(context.tier).earned(value):
                evidence = with_network(spec, context, result, data, evidence)
        except Unreadable as failed:
            # The predictions can be read: what cannot be looked at costs the findings alone.
            evidence = Evidence(
                findings=[Finding(name, 0.0, failed.message) for name in spec.findings]
            )
        return replace(evidence, values={**evidence.values, spec.metric: value})

    def scored(self, spec: TrainingSpec, context: Context, evidence: Evidence) -> Scored:
        """Turn the metric into points; a near miss is repeated with further seeds."""
        limits = spec.tiers.of(context.tier)
        values = [evidence.values[spec.metric]]
        if limits.full_at - spec.near_miss <= values[0] < limits.full_at:
            for attempt in range(1, spec.extra_seeds + 1):
                seed = seed_for("training", spec.id, context.public_seed, attempt)
                values.append(self.evidence(spec, context, seed, []).values[spec.metric])
        # NaN has no place in an order: a run without a number counts as the worst there is.
        value = statistics.median(v if math.isfinite(v) else -math.inf for v in values)
        where = " on withheld data" if spec.from_predictions else ""
        runs = f", the median of {len(values)} runs" if len(values) > 1 else ""
        message = (
            f"{spec.metric.replace('_', ' ')} {value:.4f}{where}{runs}; you get points above "
            f"{limits.zero_at:g} and full points from {limits.full_at:g}"
        )
        earned = limits.earned(value)
        if spec.metric == "accuracy" and earned == 0 and limits.earned(1 - value) == 1:
            message += (
                ". That is far below chance: with the two labels exchanged it would be "
                f"{1 - value:.4f}. Is the predicted label the one of the larger probability?"
            )
        wrong = ("below_threshold", message) if earned < 1 else ()
        measured = {
            spec.metric: value,
            "by_seed": values,
            "zero_at": limits.zero_at,
            "full_at": limits.full_at,
        }
        others = {**evidence.values, **evidence.measurements}
        others = {name: other for name, other in others.items() if name not in measured}
        return Scored((Part(spec.metric, spec.rest, earned, *wrong),), {**measured, **others})


def _metric(
    spec: TrainingSpec, context: Context, seed: int, result: Mapping[str, Any], data: Dataset
) -> float:
    """Return the metric of what was predicted.

    Raises:
        Failure: there are no predictions, or they cannot be read.
        BrokenError: that is our fault.
    """
    predictions = "predictions" if spec.call is None else "returned"
    labels = spec.labels or "labels"
    if labels not in data.withheld:
        raise BrokenError(f"the data set {spec.dataset!r} withholds no {labels!r}")
    if predictions not in result:
        assert_works(spec, context, seed, spec.runs.words, lambda found: found[predictions])
        raise Failure("wrong_dtype", f"{spec.function} gave no predictions")
    return METRICS[spec.metric](result[predictions], data.withheld[labels])
