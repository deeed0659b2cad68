"""Late days and submission limits: pure functions of the rubric's policy and the metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from grader.frontends.gradescope.metadata import Earlier, Metadata
from grader.lateness import Lateness, by_times
from grader.model import LateSpec, RateLimitSpec

LIMITED = "rate_limited"  # the key in extra_data of a submission that was not graded


def lateness(policy: LateSpec, metadata: Metadata) -> Lateness | None:
    """Return how late a submission is; None if the metadata do not say."""
    if metadata.created is None or metadata.due is None:
        return None
    return by_times(policy, metadata.created, metadata.due, metadata.late_due)


@dataclass(frozen=True)
class RateLimited:
    """A submission over the limit.

    Attributes:
        last: the last one that was graded.
        again: when another one can be graded.
        results: those of ``last``; empty where the platform does not tell them any more.
    """

    last: Earlier
    again: datetime
    results: dict[str, Any] = field(default_factory=dict)


def limited(policy: RateLimitSpec, metadata: Metadata) -> RateLimited | None:
    """Return whether a submission is over the limit; None if it should be graded.

    Only graded submissions count, and the time is the time of submission: if the instructor runs
    the grader again later, the result is the same.
    """
    if metadata.created is None:
        return None
    before = [item for item in metadata.earlier if item.at < metadata.created]
    before.sort(key=lambda item: item.at)
    graded = _graded(policy, before)
    recent = _recent(policy, graded, metadata.created)
    if len(recent) < policy.submissions:
        return None
    again = recent[-policy.submissions].at + timedelta(hours=policy.hours)
    return RateLimited(graded[-1], again, _results(before, graded[-1]))


def _recent(policy: RateLimitSpec, graded: list[Earlier], now: datetime) -> list[Earlier]:
    span = timedelta(hours=policy.hours)
    return [item for item in graded if item.at > now - span]


def _graded(policy: RateLimitSpec, before: list[Earlier]) -> list[Earlier]:
    """Return those of the earlier submissions, oldest first, that were graded.

    The results of a submission say so. The platform tells those of the latest only; whether an
    older one was over the limit itself follows from the ones before it.
    """
    graded: list[Earlier] = []
    for item in before:
        if item.failed or item.score is None:
            continue
        if item.results:
            counts = "score" in item.results and not was_limited(item.results)
        else:
            # The latest would have results, had it been graded.
            within = len(_recent(policy, graded, item.at)) < policy.submissions
            counts = item is not before[-1] and within
        graded += [item] if counts else []
    return graded


def _results(before: list[Earlier], last: Earlier) -> dict[str, Any]:
    """Return the results of ``last``; one that was over the limit after it repeats them."""
    for item in reversed(before):
        repeats = item.at >= last.at and was_limited(item.results)
        if "score" in item.results and not item.failed and (item is last or repeats):
            return item.results
    return {}


def was_limited(results: dict[str, Any]) -> bool:
    """Say whether results are those of a submission that was over the limit."""
    extra = results.get("extra_data")
    return isinstance(extra, dict) and bool(extra.get(LIMITED))


def limited_text(policy: RateLimitSpec, found: RateLimited) -> str:
    """Return the message to a student over the limit."""
    times = f"{policy.submissions} submission{'s' if policy.submissions > 1 else ''}"
    when = shown(found.last.at)
    kept = (
        f"What follows is the result of the one of {when}."
        if found.results
        else f"The score is that of the one of {when}; its details are in your submission history."
    )
    return (
        f"This submission was not graded: the limit is {times} in {policy.hours:g} hours. {kept} "
        f"You can submit again from {shown(found.again)} on."
    )


def shown(moment: datetime) -> str:
    """Return a moment as messages show it."""
    return moment.strftime("%Y-%m-%d %H:%M %Z").strip()
