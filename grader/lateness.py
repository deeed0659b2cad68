"""What lateness costs: the one rule, whichever platform a submission comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.model import LateSpec
from grader.readers.texts import counted, plain
from grader.scoring import POINT_DIGITS

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Lateness:
    """How late a submission is.

    Attributes:
        days: the started days; at least so many if ``at_least``.
        over: whether it came after the last accepted day.
        bank_days: how many of them the student's late days of the course pay for.
        bank_left: how many late days are left then; None if the course has none.
        at_least: whether only that it was late is known, and not by how much.
    """

    days: int
    over: bool = False
    bank_days: int = 0
    bank_left: int | None = None
    at_least: bool = False


def by_times(
    policy: LateSpec, created: datetime, due: datetime, late_due: datetime | None = None
) -> Lateness:
    """Return how late a submission is.

    A submission after ``late_due`` or more than ``max_days`` late is ``over``. The grace period
    moves both dates.
    """
    found = by_delay(policy, created - due)
    grace = timedelta(minutes=policy.grace_minutes)
    too_late = late_due is not None and created - grace > late_due and found.days > 0
    return Lateness(found.days, over=found.over or too_late)


def by_delay(policy: LateSpec, delay: timedelta) -> Lateness:
    """Return how late a submission is that came so long after it was due."""
    return by_days(policy, math.ceil((delay - timedelta(minutes=policy.grace_minutes)) / DAY))


def by_days(policy: LateSpec, days: int) -> Lateness:
    """Return how late a submission is that came so many started days after it was due."""
    days = max(0, days)
    return Lateness(days, over=policy.max_days is not None and days > policy.max_days)


def deduction(policy: LateSpec, late: Lateness, score: float, max_score: float) -> float:
    """Return the points to take off ``score``; never more than it."""
    if late.over:
        return score
    charged = max(0, late.days - policy.free_days - late.bank_days)
    base = max_score if policy.of == "max_score" else score
    return min(score, round(min(1.0, charged * policy.per_day) * base, POINT_DIGITS))


def late_text(policy: LateSpec, late: Lateness, lost: float, *, told: bool = True) -> str:
    """Return the line that explains lateness to a student; empty if in time.

    ``told`` is False to name no number: with hidden checks it could reveal their points.
    """
    if late.days == 0:
        return ""
    text = f"Submitted {'at least ' if late.at_least else ''}{counted(late.days, 'day')} late"
    if late.over:
        return f"{text}, after the last accepted day: you lose all points."
    if late.bank_days:
        left = f", {late.bank_left} left" if late.bank_left is not None else ""
        text += f"; your late days pay for {late.bank_days} of them{left}"
    if lost == 0 and late.bank_days + policy.free_days >= late.days and late.bank_days:
        return f"{text}; this costs no points."
    if lost == 0:
        free = min(late.days, policy.free_days)
        return f"{text}; {free} of them cost nothing." if free else f"{text}; this costs nothing."
    of = "the assignment's points" if policy.of == "max_score" else "the points earned"
    points = f"{plain(lost)} point{'' if lost == 1 else 's'}" if told else "points"
    return f"{text}: you lose {points} ({policy.per_day:.0%} of {of} per day)."
