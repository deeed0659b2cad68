"""Points: how parts become outcomes and sums, to the last digit that a gradebook shows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import scoring
from grader.errors import Cause
from grader.model import CheckResult, CheckSpec, Part


def parts(*earned: float, shares: tuple[float, ...] | None = None) -> list[Part]:
    shares = shares or (1 / len(earned),) * len(earned)
    return [
        Part(str(index), share, value, None if value >= 1 else "mismatch")
        for index, (share, value) in enumerate(zip(shares, earned, strict=True))
    ]


def test_a_check_has_the_cause_of_the_part_that_gives_its_reason():
    sign, factor = Cause("sign", "the sign is wrong"), Cause("factor", "a factor is missing")
    found = [
        Part("a", 0.2, 0.0, "mismatch", "", sign),
        Part("b", 0.5, 0.0, "wrong_shape", "", factor),
        Part("c", 0.3, 1.0),
    ]
    assert (scoring.reason_of(found), scoring.cause_of(found)) == ("wrong_shape", factor)
    unknown = [Part("a", 0.2, 0.0, "mismatch", "", sign), Part("b", 0.8, 0.0, "mismatch")]
    assert scoring.cause_of(unknown) is None
    assert scoring.cause_of(parts(1.0, 1.0)) is None


def result(outcome: str, points: float = 0.0) -> CheckResult:
    spec = CheckSpec(id="q1.1", title="x", points=10.0, kind="forward")
    return CheckResult(spec, outcome, points)


@pytest.mark.parametrize(
    ("earned", "outcome"),
    [
        ((1.0,), "passed"), ((0.0,), "failed"), ((0.5,), "partial"), ((1.0, 1.0), "passed"),
        ((1.0, 0.0), "partial"), ((0.0, 0.0), "failed"), ((0.0, 0.01), "partial"),
        ((1.0, 0.99), "partial"), ((1 - 1e-12,), "passed"), ((1 - 1e-6,), "partial"),
        ((0.1 + 0.2 + 0.7, 1.0), "passed"),
    ],
)  # fmt: skip
def test_the_outcome_says_whether_all_or_none_was_earned(earned, outcome):
    assert scoring.outcome_of(parts(*earned)) == outcome


@pytest.mark.parametrize(
    ("earned", "shares", "points", "expected"),
    [
        ((1.0,), (1.0,), 3.0, 3.0),
        ((0.0,), (1.0,), 3.0, 0.0),
        ((1.0, 0.0), (0.8, 0.2), 2.0, 1.6),
        ((0.0, 1.0), (0.8, 0.2), 2.0, 0.4),
        ((0.5, 1.0), (0.8, 0.2), 2.0, 1.2),
        ((1.0, 1.0, 0.0), (1 / 3,) * 3, 1.0, 0.6667),
        ((1.0, 0.0, 0.0), (1 / 3,) * 3, 1.0, 0.3333),
        ((1.0,) * 3, (1 / 3,) * 3, 3.0, 3.0),
        ((1.0,) * 7, (1 / 7,) * 7, 15.0, 15.0),
        ((1.0,) * 3, (0.7, 0.15, 0.15), 2.0, 2.0),
        ((0.00004,), (1.0,), 1.0, 0.0),
        ((0.00006,), (1.0,), 1.0, 0.0001),
    ],
)
def test_points_are_the_shares_that_were_earned_rounded_to_four_digits(
    earned, shares, points, expected
):
    assert scoring.points_of(parts(*earned, shares=shares), points) == expected


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=8),
    st.sampled_from([0.5, 1.0, 2.0, 3.0, 15.0, 100.0]),
)
def test_points_and_outcome_never_contradict_each_other(earned, points):
    found = parts(*earned)
    gained, outcome = scoring.points_of(found, points), scoring.outcome_of(found)
    assert 0 <= gained <= points
    if outcome == "passed":
        assert gained == points
    if outcome == "failed":
        assert gained == 0
    assert scoring.points_of(parts(*[1.0] * len(earned)), points) == points


def test_the_reason_is_that_of_the_part_that_lost_most():
    found = [
        Part("a", 0.2, 0.0, "wrong_shape"),
        Part("b", 0.5, 0.5, "mismatch"),
        Part("c", 0.3, 1.0, "not_finite"),
    ]
    assert scoring.reason_of(found) == "mismatch"
    assert scoring.reason_of(found[:1]) == "wrong_shape"
    small = Part("b", 0.6, 0.9, "mismatch")
    assert scoring.reason_of([small, Part("a", 0.2, 0.0, "wrong_shape")]) == "wrong_shape"
    equal = [Part("a", 0.5, 0.0, "timeout"), Part("b", 0.5, 0.0, "memory")]
    assert scoring.reason_of(equal) == "timeout"


def test_there_is_no_reason_where_nothing_was_lost_or_none_is_known():
    assert scoring.reason_of(parts(1.0, 1.0)) is None
    assert scoring.reason_of([Part("a", 1.0, 0.0)]) is None
    assert scoring.reason_of([Part("a", 1.0, 1.0, "mismatch")]) is None
    assert scoring.reason_of([Part("a", 0.9, 0.0), Part("b", 0.1, 0.0, "memory")]) == "memory"


def test_a_total_of_binary_fractions_is_what_people_compute():
    assert scoring.total([result("passed", 0.1)] * 3) == 0.3
    assert scoring.total([result("partial", 0.6667), result("failed", 0.3333)]) == 1.0
    assert scoring.total([]) == 0


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        (["passed", "failed", "partial", "blocked"], "complete"),
        (["passed", "pending"], "pending"),
        (["broken", "pending", "passed"], "broken"),
        (["passed", "broken"], "broken"),
        ([], "complete"),
    ],
)
def test_the_status_is_that_of_the_worst_check(outcomes, status):
    assert scoring.status_of([result(outcome) for outcome in outcomes]) == status
