"""Late days and submission limits: pure functions of the rubric's policy and the metadata."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.frontends.gradescope.metadata import Earlier, Metadata
from grader.model import LateSpec, RateLimitSpec
from grader.scoring import POINT_DIGITS

DAY = timedelta(days=1)
LIMITED = "rate_limited"  # the key in extra_data of a submission that was not graded


@dataclass(frozen=True)
class Lateness:
    """How late a submission is. ``days`` counts started days; ``over`` means it is too late."""

    days: int
    over: bool = False


def lateness(policy: LateSpec, metadata: Metadata) -> Lateness | None:
    """Return how late a submission is; None if the metadata do not say.

    A submission after ``late_due_date`` or more than ``max_days`` late is ``over``. The grace
    period moves both dates.
    """
    if metadata.created is None or metadata.due is None:
        return None
    created = metadata.created - timedelta(minutes=policy.grace_minutes)
    days = max(0, math.ceil((created - metadata.due) / DAY))
    too_many = policy.max_days is not None and days > policy.max_days
    late_due = metadata.late_due
    too_late = late_due is not None and created > late_due and days > 0
    return Lateness(days, over=too_many or too_late)


def deduction(policy: LateSpec, late: Lateness, score: float, max_score: float) -> float:
    """Return the points to take off ``score``; never more than it."""
    if late.over:
        return score
    charged = max(0, late.days - policy.free_days)
    base = max_score if policy.of == "max_score" else score
    return min(score, round(min(1.0, charged * policy.per_day) * base, POINT_DIGITS))


def late_text(policy: LateSpec, late: Lateness, lost: float, *, told: bool = True) -> str:
    """Return the line that explains lateness to a student; empty if in time.

    ``told`` is False to name no number: with hidden checks it could reveal their points.
    """
    if late.days == 0:
        return ""
    text = f"Submitted {late.days} day{'s' if late.days > 1 else ''} late"
    if late.over:
        return f"{text}, after the last accepted day: you lose all points."
    if lost == 0:
        free = min(late.days, policy.free_days)
        return f"{text}; {free} of them cost nothing." if free else f"{text}; this costs nothing."
    of = "the assignment's points" if policy.of == "max_score" else "the points earned"
    points = f"{lost:g} points" if told else "points"
    return f"{text}: you lose {points} ({policy.per_day:.0%} of {of} per day)."


@dataclass(frozen=True)
class RateLimited:
    """A submission over the limit: the last one that was graded, and when another is possible."""

    last: Earlier
    again: datetime


def limited(policy: RateLimitSpec, metadata: Metadata) -> RateLimited | None:
    """Return whether a submission is over the limit; None if it should be graded.

    Only graded submissions count, and the time is the time of submission: if the instructor runs
    the grader again later, the result is the same.
    """
    if metadata.created is None:
        return None
    before = [item for item in metadata.earlier if item.at < metadata.created and _graded(item)]
    span = timedelta(hours=policy.hours)
    recent = sorted(item.at for item in before if item.at > metadata.created - span)
    if len(recent) < policy.submissions:
        return None
    again = recent[-policy.submissions] + span
    return RateLimited(max(before, key=lambda item: item.at), again)


def limited_text(policy: RateLimitSpec, found: RateLimited) -> str:
    """Return the message to a student over the limit."""
    times = f"{policy.submissions} submission{'s' if policy.submissions > 1 else ''}"
    return (
        f"This submission was not graded: the limit is {times} in {policy.hours:g} hours. Below is "
        f"the result of your submission of {_shown(found.last.at)}. You can submit again from "
        f"{_shown(found.again)} on."
    )


def _graded(item: Earlier) -> bool:
    extra = item.results.get("extra_data")
    extra = extra if isinstance(extra, dict) else {}
    if extra.get(LIMITED) or not item.results:
        return False
    return item.score is not None and "score" in item.results


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M %Z").strip()
