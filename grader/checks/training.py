"""Kind ``training``: a training entry point, run under limits, judged by a metric of ours."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from pydantic import Field, model_validator

from grader.assignment.reference import Assignment
from grader.author.evidence import Evidence
from grader.checks.metrics import METRICS
from grader.errors import RAISED, BrokenError, Failure, GraderError
from grader.model import SHARES_ROUNDING, Fraction, NonNegative, Part, Question, Strict
from grader.seeds import seed_for

from .base import Context, Judgement
from .driven import (
    UNREADABLE,
    DrivenSpec,
    FindsNames,
    Properties,
    assert_works,
    drive,
    driven_problems,
    judged,
    property_parts,
    unearned,
)
from .drivers import Dotted, function_problems


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


class TrainingSpec(DrivenSpec, Properties):
    """Rubric keys of ``training``.

    Points rise linearly from ``zero_at`` to ``full_at`` of the ``metric``; a result less than
    ``near_miss`` below ``full_at`` is repeated with ``extra_seeds`` further seeds, and the median
    counts. The metric is computed on the trusted side: from the driver's ``predictions`` for the
    withheld labels, or by a ``judge``, which can also look at ``properties``.

    ``facts`` names ``reference/facts/<file>.<function>``, which looks at the driver's result on the
    trusted side and yields what is not as the question asks (a bag of words that depends on the
    order of words); ``facts_share`` is their part of the points. Neither they nor properties earn
    anything for an untrained model.
    """

    metric: str = "accuracy"
    judge: Dotted | None = None
    facts: Dotted | None = None
    facts_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    tiers: Tiers
    near_miss: NonNegative = 0.0
    extra_seeds: Annotated[int, Field(ge=0, le=20)] = 2

    @model_validator(mode="after")
    def _judged_one_way(self) -> TrainingSpec:
        if self.judge is None and self.metric not in METRICS:
            raise ValueError(f"metric: {self.metric!r} is unknown (known: {', '.join(METRICS)})")
        if self.judge is None and self.properties:
            raise ValueError("properties need a judge")
        if self.judge is not None and self.facts is not None:
            raise ValueError("facts: a judge's properties take their place")
        if self.rest < SHARES_ROUNDING:
            raise ValueError("properties add up to 1 and leave nothing for the metric")
        return self


@dataclass(frozen=True)
class _Run:
    """One training: its metric, what is wrong with the model's structure, and the evidence."""

    value: float
    wrong: tuple[str, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)


class TrainingKind(FindsNames):
    """Trains in a worker that sees no test label, and computes the metric on this side."""

    name = "training"
    options = TrainingSpec

    def problems(
        self, spec: TrainingSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what does not fit the reference's drivers and data sets."""
        del question  # the reference solution needs torch to import; verify runs it
        yield from driven_problems(spec, assignment)
        if spec.facts is not None and not assignment.names("facts", spec.facts):
            yield f"facts: there is no function {spec.facts} in the folder facts"
        if spec.judge is not None:
            yield from function_problems("judge", "judges", spec.judge, assignment)

    def run(self, spec: TrainingSpec, context: Context) -> Judgement:
        """Train once, and again with further seeds after a near miss."""
        limits: Thresholds = getattr(spec.tiers, context.tier)
        notes: list[str] = []
        first = self._train(spec, context, context.seed, notes)
        values = [first.value]
        if limits.full_at - spec.near_miss <= first.value < limits.full_at:
            for attempt in range(1, spec.extra_seeds + 1):
                seed = seed_for("training", spec.id, context.seed, attempt)
                values.append(self._train(spec, context, seed, []).value)
        value = statistics.median(values)
        earned = (value - limits.zero_at) / (limits.full_at - limits.zero_at)
        earned = min(1.0, max(0.0, earned))
        measured = {
            spec.metric: value,
            "by_seed": values,
            "zero_at": limits.zero_at,
            "full_at": limits.full_at,
            **first.evidence.measurements,
        }
        runs = f", the median of {len(values)} runs" if len(values) > 1 else ""
        where = "" if spec.judge else " on withheld data"
        message = (
            f"{spec.metric.replace('_', ' ')} {value:.4f}{where}{runs}; points begin above "
            f"{limits.zero_at:g} and are full from {limits.full_at:g}"
        )
        share = spec.rest if spec.facts is None else 1 - spec.facts_share
        wrong = ("below_threshold", message) if earned < 1 else ()
        parts = [Part(spec.metric, share, earned, *wrong)]
        if spec.facts is not None:
            parts.append(_structure(spec.facts_share, earned, first.wrong))
        if spec.judge is not None:
            found = first.evidence.findings
            properties = tuple(property_parts(spec.properties, found, spec.judge))
            parts += properties if earned > 0 else unearned(properties)
        notes += first.evidence.notes
        figures = tuple(first.evidence.figures)
        return Judgement(tuple(parts), tuple(notes), measured, figures=figures)

    def _train(self, spec: TrainingSpec, context: Context, seed: int, notes: list[str]) -> _Run:
        """Train once; return the metric and what is not as the question asks."""
        result, data = drive(spec, context, seed, notes)
        if spec.judge is not None:
            evidence = judged(spec, spec.judge, context, result, data)
            if spec.metric not in evidence.values:
                raise BrokenError(f"the judge {spec.judge} measures no {spec.metric}")
            return _Run(evidence.values[spec.metric], evidence=evidence)
        predictions = "predictions" if spec.call is None else "returned"
        if predictions not in result:
            assert_works(spec, context, seed, spec.runs.words, lambda found: found[predictions])
            raise Failure("wrong_dtype", f"{spec.function} led to no predictions")
        value = METRICS[spec.metric](result[predictions], data.withheld["labels"])
        return _Run(value, _wrong_facts(spec, context, result, data.inputs))


def _wrong_facts(
    spec: TrainingSpec, context: Context, result: Mapping[str, Any], inputs: dict[str, Any]
) -> tuple[str, ...]:
    if spec.facts is None:
        return ()
    judge = context.assignment.function("facts", spec.facts)
    if judge is None:
        raise BrokenError(f"there is no function {spec.facts} in the folder facts")
    try:
        return _texts(judge, inputs, result)
    except (Failure, GraderError):
        raise  # its verdict, or a fault that it names itself
    except UNREADABLE as error:
        # The result is what student code made of it, and may be of any form; or the fault is ours.
        look = partial(_texts, judge, inputs)
        assert_works(spec, context, context.seed, f"the function {spec.facts} in facts", look)
        return (f"{spec.function}: its result cannot be looked at: {error}",)
    except RAISED as error:
        message = f"the function {spec.facts} in facts raised {type(error).__name__}: {error}"
        raise BrokenError(message) from error


def _texts(
    judge: Callable[..., Iterable[Any]], inputs: dict[str, Any], result: Mapping[str, Any]
) -> tuple[str, ...]:
    return tuple(str(text) for text in judge(result, inputs))


def _structure(share: float, earned: float, wrong: Sequence[str]) -> Part:
    """Return the part for the model's structure, which counts only for a model that is trained."""
    if wrong:
        return Part("structure", share, 0.0, "mismatch", "; ".join(wrong))
    if earned == 0:
        return Part("structure", share, 0.0, "below_threshold", "")
    return Part("structure", share, 1.0)
