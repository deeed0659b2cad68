"""Late days and submission limits, on metadata as the platform writes them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.frontends.gradescope import metadata as reading
from grader.frontends.gradescope.metadata import Metadata
from grader.frontends.gradescope.policies import lateness, limited, limited_text
from grader.frontends.gradescope.results import over_limit
from grader.lateness import Lateness, deduction, late_text
from grader.model import LateSpec, RateLimitSpec
from tests.conftest import HIDDEN

DUE = datetime(2026, 3, 1, 23, 0, tzinfo=timezone.utc)
TENTH = LateSpec(per_day=0.1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def late(spec: LateSpec, after: timedelta, late_due: datetime | None = None) -> Lateness:
    found = lateness(spec, Metadata(created=DUE + after, due=DUE, late_due=late_due))
    assert found is not None
    return found


@pytest.fixture
def read(tmp_path):
    def run(data: object) -> Metadata:
        path = tmp_path / "submission_metadata.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return reading.read(path)

    return run


@pytest.mark.parametrize(
    ("after", "days"),
    [(-DAY, 0), (0 * DAY, 0), (MINUTE, 1), (DAY, 1), (DAY + MINUTE, 2), (30 * HOUR, 2)],
)
def test_started_days_count(after, days):
    assert late(TENTH, after).days == days


def test_the_grace_period_moves_the_deadline():
    spec = LateSpec(per_day=0.1, grace_minutes=15.0)
    assert late(spec, 15 * MINUTE).days == 0
    assert late(spec, 16 * MINUTE).days == 1
    assert late(spec, DAY + 15 * MINUTE).days == 1


@pytest.mark.parametrize(
    ("spec", "days", "score", "lost"),
    [
        (TENTH, 2, 80.0, 20.0),
        (TENTH, 2, 5.0, 5.0),  # never below zero
        (LateSpec(per_day=0.1, of="score"), 2, 80.0, 16.0),
        (LateSpec(per_day=0.1, free_days=2), 2, 80.0, 0.0),
        (LateSpec(per_day=0.1, free_days=1), 3, 80.0, 20.0),
        (LateSpec(per_day=0.5), 9, 100.0, 100.0),
        (LateSpec(per_day=1.0), 0, 80.0, 0.0),
    ],
)
def test_what_a_late_submission_loses(spec, days, score, lost):
    assert deduction(spec, Lateness(days), score, 100.0) == lost


def test_later_than_max_days_or_the_late_due_date_earns_nothing():
    spec = LateSpec(per_day=0.1, max_days=2)
    assert not late(spec, 2 * DAY).over
    assert late(spec, 2 * DAY + MINUTE).over
    assert late(TENTH, DAY + MINUTE, late_due=DUE + DAY).over
    assert not late(TENTH, DAY, late_due=DUE + DAY).over
    assert deduction(spec, Lateness(3, over=True), 70.0, 100.0) == 70.0


def test_a_student_is_told_how_late_and_what_it_costs():
    assert late_text(TENTH, Lateness(0), 0) == ""
    assert late_text(TENTH, Lateness(2), 20.0) == (
        "Submitted 2 days late: you lose 20 points (10% of the assignment's points per day)."
    )
    assert "1 day late; 1 of them cost nothing" in late_text(
        LateSpec(per_day=0.1, free_days=2), Lateness(1), 0.0
    )
    assert "lose all points" in late_text(TENTH, Lateness(3, over=True), 70.0)
    assert "20" not in late_text(TENTH, Lateness(2), 20.0, told=False)


def test_times_of_different_zones_are_compared_as_moments(read):
    found = read(
        {
            "created_at": "2026-03-02T00:30:00.365935+02:00",  # 22:30 UTC
            "assignment": {"due_date": "2026-03-01T23:00:00Z", "late_due_date": None},
        }
    )
    assert found.problems == ()
    spoken = lateness(TENTH, found)
    assert spoken is not None
    assert spoken.days == 0


def test_an_extension_of_one_student_counts_and_of_a_group_the_latest(read):
    general = {"due_date": "2026-03-01T23:00:00-00:00", "late_due_date": "2026-03-02T23:00:00Z"}
    extended = {"due_date": "2026-03-04T23:00:00Z", "late_due_date": "2026-03-06T23:00:00Z"}
    users = [{"id": 1, "assignment": general}, {"id": 2, "assignment": extended}]
    created = "2026-03-04T22:00:00Z"
    alone = read({"created_at": created, "assignment": general, "users": users[:1]})
    group = read({"created_at": created, "assignment": general, "users": users})
    assert lateness(TENTH, alone) == Lateness(3, over=True)
    assert lateness(TENTH, group) == Lateness(0)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"created_at": 5}', '{"created_at": "soon", "assignment": []}',
     '{"assignment": {"due_date": null}, "users": null, "previous_submissions": {}}',
     '{"previous_submissions": [null, {"submission_time": "x"}, {"results": 4}]}',
     '{"created_at": "2026-03-01T00:00:00Z", "users": [7, {"assignment": "x"}]}',
     "[" * 100_000],
)  # fmt: skip
def test_odd_metadata_cost_nobody_anything(read, text):
    found = read(text)
    assert lateness(TENTH, found) is None
    assert limited(RateLimitSpec(submissions=1), found) is None


def test_missing_metadata_are_named(tmp_path):
    found = reading.read(tmp_path / "submission_metadata.json")
    assert found.problems == ("submission_metadata.json cannot be read: No such file or directory",)


def earlier(at: datetime, score: object = 5.0, **extra: object) -> dict[str, object]:
    results = {"score": score, "output": "as before", "extra_data": extra}
    return {"submission_time": at.isoformat(), "score": score, "results": results}


def test_the_limit_counts_graded_submissions_in_the_hours_before(read):
    policy = RateLimitSpec(submissions=2, hours=24.0)
    times = [DUE - 30 * HOUR, DUE - 20 * HOUR, DUE - 10 * HOUR]
    submissions = [earlier(at, score=index) for index, at in enumerate(times)]
    data = {"created_at": DUE.isoformat(), "previous_submissions": submissions}
    found = limited(policy, read(data))
    assert found is not None
    assert found.last.score == 2
    assert found.again == DUE + 4 * HOUR
    assert "2 submissions in 24 hours" in limited_text(policy, found)
    assert "2026-03-02 03:00 UTC" in limited_text(policy, found)
    assert limited(RateLimitSpec(submissions=3), read(data)) is None


def test_submissions_that_were_not_graded_do_not_count(read):
    policy = RateLimitSpec(submissions=1)
    not_graded = [
        earlier(DUE - HOUR, rate_limited=True),
        {"submission_time": (DUE - HOUR).isoformat(), "score": None, "results": {"output": "?"}},
        {"submission_time": (DUE - HOUR).isoformat(), "score": 0.0, "results": None},
        earlier(DUE + HOUR),  # a re-run of this one, after a later submission
    ]
    data = {"created_at": DUE.isoformat(), "previous_submissions": not_graded}
    assert limited(policy, read(data)) is None
    data["previous_submissions"] = [*not_graded, earlier(DUE - 2 * HOUR)]
    assert limited(policy, read(data)) is not None


POLICY = RateLimitSpec(submissions=3, hours=24.0)


def previous(hours: float, score: object = 5.0, **more: object) -> dict[str, object]:
    """Return a previous submission as the platform writes one that is not the latest."""
    return {"submission_time": (DUE - hours * HOUR).isoformat(), "score": score, **more}


def latest(hours: float, score: object = 5.0, **extra: object) -> dict[str, object]:
    return {**earlier(DUE - hours * HOUR, score, **extra), "autograder_error": False}


@pytest.mark.parametrize(
    ("submissions", "is_limited"),
    [
        ([previous(5), previous(4), latest(3)], True),
        ([previous(5, "5.0"), previous(4, "0.0"), latest(3, "5.0")], True),
        ([previous(5, autograder_error=False), previous(4), latest(3)], True),
        ([previous(4), latest(3)], False),
        ([previous(30), previous(4), latest(3)], False),
        # The autograder failed, at any place, with a score of 0 or none.
        ([previous(5), latest(4), previous(3, 0.0, autograder_error=True)], False),
        ([previous(5), previous(4), previous(3, None, autograder_error=True, results=None)], False),
        ([previous(5, autograder_error=True), previous(4), latest(3)], False),
        ([previous(5), previous(4, 0.0, autograder_error=True), latest(3)], False),
        ([previous(6), previous(5), previous(4), previous(3, 0.0, autograder_error=True)], True),
        # Those over the limit themselves do not count: only the latest says so.
        ([previous(30), previous(29), previous(28), previous(20), latest(3)], False),
        ([previous(23), previous(22), previous(21), latest(3, rate_limited=True)], True),
        ([previous(26), previous(22), previous(21), previous(20), latest(3, rate_limited=True)],
         False),
        ([previous(5, None), previous(4, None), previous(3, None)], False),
    ],
)  # fmt: skip
def test_the_limit_works_with_the_results_of_the_latest_alone(submissions, is_limited, read):
    data = {"created_at": DUE.isoformat(), "previous_submissions": submissions}
    assert (limited(POLICY, read(data)) is not None) == is_limited


def test_a_failed_run_is_never_shown_as_a_result(read):
    submissions = [previous(6, 4), previous(5, 3), previous(4, 7), previous(3, 0.0,
                   autograder_error=True, results={"score": 0.0, "output": "failed"})]  # fmt: skip
    data = {"created_at": DUE.isoformat(), "previous_submissions": submissions}
    found = limited(POLICY, read(data))
    assert found is not None
    assert (found.last.score, found.results) == (7, {})
    assert "The score is that of the one of 2026-03-01 19:00 UTC" in limited_text(POLICY, found)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_score_alone_tells_no_points_of_hidden_checks(hidden, read, small_assignment, schema):
    text = HIDDEN if hidden else HIDDEN.replace("visibility: hidden, hint: think of the bias", "")
    rubric = load_rubric(small_assignment(text), KINDS, run_reference=False)
    data = {
        "created_at": DUE.isoformat(),
        "previous_submissions": [
            previous(6, 1),
            previous(5, 1),
            previous(4, 2),
            previous(3, 0, autograder_error=True),
        ],
    }
    found = limited(POLICY, read(data))
    assert found is not None
    made = over_limit(rubric, POLICY, found)
    schema.validate(made)
    assert made["score"] == 2
    assert [test["visibility"] for test in made["tests"]] == ["hidden" if hidden else "visible"]
    # The next submission over the limit repeats the score, and its reason once.
    again = earlier(DUE - 2 * HOUR, 2)
    again["results"] = made
    data["previous_submissions"] = [*data["previous_submissions"][:3], again]
    repeated = limited(POLICY, read(data))
    assert repeated is not None
    assert over_limit(rubric, POLICY, repeated)["output"].count("was not graded") == 1
