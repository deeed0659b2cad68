"""What ``training``, ``property`` and ``image`` are: student code is driven, and a judge looks.

A driver (or a plain call) runs in a worker and returns a result. On this side the judge makes
values and findings of it. Scales of the rubric turn values into points, and its ``properties`` say
what each finding is worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import model_validator

from grader.assignment.reference import Assignment, Dataset
from grader.author.evidence import Evidence, Finding, Rebuilt
from grader.errors import BrokenError, Failure
from grader.model import SHARES_ROUNDING, Fraction, Part, Positive, Question, Strict

from . import apart, rebuild
from .base import CheckKind, Context, Judgement
from .driven import DrivenSpec, assert_works, call_problems, data_of, drive, driven_problems
from .drivers import Dotted, function_problems
from .rebuild import RebuildSpec

Look = Callable[[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]], Evidence]


class Unreadable(Failure):
    """A result that the judge cannot read: student code has made it up."""


class Scale(Strict):
    """Points rise linearly from ``zero_at`` to ``full_at``, whichever is the larger."""

    zero_at: float
    full_at: float

    def earned(self, value: float) -> float:
        """Return the fraction that a value earns; NaN and infinity earn nothing."""
        if not math.isfinite(value):
            return 0.0
        return min(1.0, max(0.0, (value - self.zero_at) / (self.full_at - self.zero_at)))


class Thresholds(Scale):
    """A scale for which more is better, from 0 to 1."""

    zero_at: Fraction
    full_at: Fraction

    @model_validator(mode="after")
    def _in_order(self) -> Thresholds:
        if self.zero_at >= self.full_at:
            raise ValueError(f"zero_at ({self.zero_at:g}) must be below full_at ({self.full_at:g})")
        return self


class JudgedSpec(DrivenSpec):
    """Rubric keys of every kind with a judge.

    ``judge`` names ``reference/judges/<file>.<function>``; ``properties`` gives shares of the
    points to its findings, by name. See ``grader.author.evidence``. ``rebuild`` decides about one
    of them by the network that gives the student's values.
    """

    judge: Dotted | None = None
    properties: dict[str, Positive] = {}
    rebuild: RebuildSpec | None = None

    @model_validator(mode="after")
    def _rebuild_decides(self) -> JudgedSpec:
        if self.rebuild is not None and self.rebuild.finding not in self.findings:
            known = ", ".join(self.findings) or "none"
            text = f"rebuild: {self.rebuild.finding!r} is not one of the properties ({known})"
            raise ValueError(text)
        return self

    @model_validator(mode="after")
    def _at_most_all(self) -> JudgedSpec:
        total = sum(self.properties.values())
        if total > 1 + SHARES_ROUNDING:
            raise ValueError(f"properties add up to {total:g}, more than 1")
        return self

    @property
    def findings(self) -> Mapping[str, float]:
        """The share of each finding."""
        return self.properties

    @property
    def rest(self) -> float:
        """The share that the findings leave."""
        return max(0.0, 1 - sum(self.findings.values()))

    @property
    def structure_share(self) -> float:
        """The share of what ``rebuild`` decides about, or else of all findings, if any."""
        if self.rebuild is not None:
            return self.findings[self.rebuild.finding]
        return sum(self.findings.values()) or 1.0

    @property
    def judge_words(self) -> str:
        """What the judge is called in messages."""
        return f"the judge {self.judge}"

    def look(self, assignment: Assignment) -> Look | None:
        """Return the judge; None if the rubric names none.

        Raises:
            BrokenError: it is not there.
        """
        if self.judge is None:
            return None
        found = assignment.function("judges", self.judge)
        if found is None:
            raise BrokenError(f"there is no judge {self.judge}")
        return found


@dataclass(frozen=True)
class Scored:
    """The points for values: the parts, and what the report says was measured."""

    parts: tuple[Part, ...] = ()
    measured: dict[str, Any] = field(default_factory=dict)


class JudgedKind(CheckKind):
    """Drives, lets the judge look, and turns its values and findings into points."""

    def problems(self, spec: Any, question: Question, assignment: Assignment) -> Iterator[str]:
        """Yield what does not fit the reference's drivers, data sets and judges."""
        del question  # the reference solution may need torch to import; verify runs it
        yield from driven_problems(spec, assignment)
        if spec.judge is not None:
            yield from function_problems("judge", "judges", spec.judge, assignment)
        if spec.rebuild is not None:
            name = spec.rebuild.network
            yield from function_problems("rebuild: network", "judges", name, assignment)

    def disagreements(self, spec: Any, question: Question, assignment: Assignment) -> Iterator[str]:
        """Yield the names in ``call`` that the data set lacks."""
        del question
        yield from call_problems(spec, assignment)

    def reply_bytes(self, spec: Any, context: Context) -> int | None:
        """Return what the rubric says that a driver's result may hold."""
        most: int | None = spec.most_bytes(context.tier)
        return most

    def prepare(self, spec: Any, context: Context) -> None:
        """Draw the data."""
        data_of(spec, context, context.tier, context.data)

    def run(self, spec: Any, context: Context) -> Judgement:
        """Judge one run of student code."""
        notes: list[str] = []
        evidence = self.evidence(spec, context, context.public_seed, notes)
        scored = self.scored(spec, context, evidence)
        findings = tuple(finding_parts(spec.findings, evidence.findings, spec.judge_words))
        undecided = [found.name for found in evidence.findings if found.undecided]
        if scored.parts and not any(part.earned for part in scored.parts):
            findings, undecided = tuple(unearned(findings)), []
        parts = (*scored.parts, *findings)
        if evidence.misplaced:
            parts, undecided = tuple(misplaced(parts, evidence.misplaced)), []
        return Judgement(
            parts,
            (*notes, *evidence.notes),
            scored.measured,
            figures=tuple(evidence.figures),
            undecided=tuple(name for name in undecided if name in spec.findings),
        )

    def evidence(self, spec: Any, context: Context, seed: int, notes: list[str]) -> Evidence:
        """Run student code once and return what the judge says."""
        result, data = drive(spec, context, seed, notes)
        return with_network(spec, context, result, data, judged(spec, context, result, data))

    def scored(self, spec: Any, context: Context, evidence: Evidence) -> Scored:
        """Return the points for the judge's values; by default there are none."""
        del spec, context
        return Scored(measured={**evidence.values, **evidence.measurements})


def judged(
    spec: JudgedSpec, context: Context, result: Mapping[str, Any], data: Dataset
) -> Evidence:
    """Let the assignment's judge look at a driver's result.

    Raises:
        Unreadable: the result cannot be read: student code made it up.
        BrokenError: the judge fails, also on what the reference makes.
    """
    look = spec.look(context.assignment)
    if look is None:
        return Evidence()
    found: Evidence = looked(
        *(spec, context, result, spec.judge_words, "judge"),
        lambda there: look(there, data.inputs, data.withheld),
    )
    return found


def with_network(
    spec: JudgedSpec, context: Context, result: Mapping[str, Any], data: Dataset, found: Evidence
) -> Evidence:
    """Return evidence with what the rubric's ``rebuild`` finds out, where there is one.

    Raises:
        Failure: the values cannot be those of the model that was returned.
        Unreadable: the result cannot be read: student code made it up.
        BrokenError: the rebuilding fails, also on what the reference makes.
    """
    if spec.rebuild is None:
        return found
    name = spec.rebuild.network
    look = context.assignment.function("judges", name)
    if look is None:
        raise BrokenError(f"there is no judge {name}")
    network: Rebuilt = looked(
        *(spec, context, result, f"the judge {name}", "rebuild"),
        lambda there: look(there, data.inputs),
    )
    return rebuild.added(spec.rebuild, network, found)


def looked(
    spec: JudgedSpec,
    context: Context,
    result: Mapping[str, Any],
    what: str,
    key: str,
    look: Callable[[Any], Any],
) -> Any:
    """Return what a function of the assignment says about a result.

    Args:
        spec: the check.
        context: the check's.
        result: the driver's.
        what: names the function in messages.
        key: keeps it apart from other functions of this check.
        look: calls it.

    Raises:
        Unreadable: the result cannot be read: student code made it up.
        BrokenError: the function fails, also on what the reference makes.
    """
    try:
        return apart.run(
            *(context, spec, f"the result of {spec.function}", what, key), look, result
        )
    except apart.MadeUpError as error:
        assert_works(spec, context, context.public_seed, what, look)
        # Student code could choose the key that is missing, or the text that should be a number.
        told = str(error).partition(":")[0] if context.private else error
        raise Unreadable(
            "wrong_dtype",
            f"the result of {spec.function} cannot be read: {told}",
        ) from None


def finding_parts(
    shares: Mapping[str, float], findings: Sequence[Finding], judge: str
) -> Iterator[Part]:
    """Yield the part of each finding, in the rubric's order."""
    found = {finding.name: finding for finding in findings}
    for name, share in shares.items():
        if name not in found:
            raise BrokenError(f"{judge} says nothing about {name!r}")
        finding = found[name]
        if not math.isfinite(finding.earned):
            raise BrokenError(f"{judge} gives {name!r} the fraction {finding.earned}")
        earned = min(1.0, max(0.0, finding.earned))
        if earned == 1:
            yield Part(name, share, earned)
        else:
            reason = None if finding.undecided else finding.reason
            yield Part(name, share, earned, reason, finding.message)


def misplaced(parts: Sequence[Part], why: str) -> Iterator[Part]:
    """Yield parts that earn nothing because they are about the answer to another question."""
    for part in parts:
        yield Part(part.name, part.share, 0.0, part.reason or "mismatch", part.message or why)


def unearned(parts: Sequence[Part]) -> Iterator[Part]:
    """Yield parts that earn nothing because what they were found about is worth nothing."""
    for part in parts:
        yield Part(part.name, part.share, 0.0, part.reason or "below_threshold", part.message)
