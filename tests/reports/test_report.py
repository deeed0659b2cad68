"""The type of ``report.json``: written as the schema says, read back strictly, old or new."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.author.evidence import Curves, Formula, Formulas, Pictures, Table, Text
from grader.errors import BrokenError, Cause
from grader.intake.downloads import Student
from grader.intake.submission import Submission
from grader.model import CheckResult, CheckSpec, Part, Question, Rubric
from grader.reports import building, schema
from grader.reports.files import write_json
from grader.reports.report import Report
from tests.made_reports import check, report_of, typed

CAUSE = Cause("factor", "every ratio is 2: is a factor of 2 too many?")
FIGURES = (
    Curves("loss", {"train": [1.0, math.nan, 0.5]}),
    Pictures("images", [("a cat", np.zeros((2, 2, 3), np.uint8))]),
    Table("captions", ["yours", "true"], [["a", "b"]]),
    Text("answer.md", "because"),
    Formulas("q3.pdf", [Formula("line 1", "<math></math>", "x", "right")]),
)
SPECS = (
    CheckSpec(id="q1.1", title="forward", points=2.0, kind="forward"),
    CheckSpec(id="q1.2", title="training", points=1.0, kind="training", extra_credit=True),
    CheckSpec(id="q1.3", title="text", points=1.0, kind="written", visibility="hidden"),
)


def results(**measured: Any) -> dict[str, CheckResult]:
    parts = (Part("a", 0.5, 1.0), Part("b", 0.5, 0.0, "mismatch", "b: wrong", CAUSE))
    return {
        "q1.1": CheckResult(
            SPECS[0], "partial", 1.0, "mismatch", "b: wrong", CAUSE, "Think.", ("a note",), parts,
            seed=7, duration_s=0.25, measurements={"cases": 3, **measured}, output="hello",
        ),
        "q1.2": CheckResult(SPECS[1], "passed", 1.0, figures=FIGURES),
        "q1.3": CheckResult(SPECS[2], "pending", 0.0, message="waits for a person"),
    }  # fmt: skip


@pytest.fixture
def rubric(tmp_path):
    question = Question("q1", "Layers", "x.py", ("numpy",), SPECS)
    return Rubric(tmp_path / "rubric.yaml", "hw2", "Homework 2", 0, tmp_path, (question,))


@pytest.fixture
def submission(tmp_path):
    student = Student("Ada", "7", "", late=False)
    notes = ("a.zip was left out",)
    return Submission("ada", tmp_path, ("x.py",), "0" * 64, notes, student=student)


def build(rubric: Rubric, submission: Submission, **measured: Any) -> Report:
    return building.of_results(rubric, submission, "mini", ["full"], results(**measured))


def as_json(made: Report) -> Any:
    return json.loads(json.dumps(made.model_dump(), allow_nan=False))


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(schema.FILE.read_text(encoding="utf-8")))


def test_the_schema_in_the_repository_is_that_of_the_type():
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), (
        "grader/reports/report.schema.json is not what the types say; write it anew with "
        "`python -m grader.reports.schema` and look at the difference"
    )


def test_a_report_has_the_keys_of_the_contract_in_their_order(rubric, submission):
    made = as_json(build(rubric, submission))
    validator().validate(made)
    assert list(made) == [
        "schema_version", "assignment", "title", "status", "score", "max_score", "submission",
        "isolation", "tier", "graded_at", "grader_version", "questions",
    ]  # fmt: skip
    assert list(made["submission"]) == ["id", "sha256", "files", "notes", "student"]
    assert made["submission"]["student"] == {"name": "Ada", "id": "7", "late": False}
    (question,) = made["questions"]
    assert list(question) == ["id", "title", "score", "max_score", "checks"]
    first, second, third = question["checks"]
    assert list(first) == [
        "id", "title", "kind", "outcome", "reason", "points", "max_points", "extra_credit",
        "visibility", "message", "cause", "hint", "notes", "seed", "duration_s", "parts",
        "measurements", "figures", "output",
    ]  # fmt: skip
    assert list(first["parts"][1]) == [
        "name", "points", "max_points", "reason", "message", "cause",
    ]  # fmt: skip
    cause = {"id": CAUSE.id, "text": CAUSE.text}
    assert first["cause"] == cause
    assert [part["cause"] for part in first["parts"]] == [None, cause]
    assert second["figures"] == [
        {"kind": "curves", "title": "loss", "series": {"train": [[0, 1.0], [1, None], [2, 0.5]]},
         "xlabel": "step", "ylabel": "loss", "log": False},
        {"kind": "pictures", "title": "images",
         "items": [{"caption": "a cat", "file": "figures/q1.2-2-1.jpg"}]},
        {"kind": "table", "title": "captions", "header": ["yours", "true"], "rows": [["a", "b"]]},
        {"kind": "text", "title": "answer.md", "text": "because"},
        {"kind": "formulas", "title": "q3.pdf",
         "rows": [{"place": "line 1", "mathml": "<math></math>", "source": "x",
                   "verdict": "right"}]},
    ]  # fmt: skip
    assert third["outcome"] == "pending"
    assert (made["status"], made["score"], made["max_score"]) == ("pending", 2.0, 3.0)


def test_a_report_that_is_read_back_is_the_same(rubric, submission):
    made = build(rubric, submission)
    again = Report.read(json.dumps(made.model_dump()).encode())
    assert again == made
    assert json.dumps(again.model_dump()) == json.dumps(made.model_dump())


def test_a_report_of_an_earlier_version_has_no_causes_and_is_read(rubric, submission):
    old = as_json(build(rubric, submission))
    for one in old["questions"][0]["checks"]:
        del one["cause"]
        for part in one["parts"]:
            del part["cause"]
    made = Report.read(json.dumps(old).encode())
    assert [one.cause for one in made.checks()] == [None] * 3
    assert made.score == 2


def test_keys_of_a_later_version_are_kept(rubric, submission):
    later = as_json(build(rubric, submission))
    later["new"] = {"a": [1, 2.5, None]}
    later["submission"]["new"] = later["submission"]["student"]["new"] = True
    first = later["questions"][0]["checks"][0]
    first["new"] = first["parts"][0]["new"] = first["cause"]["new"] = "x"
    later["questions"][0]["checks"][1]["figures"][0]["new"] = []
    made = Report.read(json.dumps(later).encode())
    assert as_json(made) == later
    assert not validator().is_valid(later)  # this version does not write them


def at(made: Any, path: str) -> tuple[Any, Any]:
    *above, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in above:
        made = made[key]
    return made, last


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("title", 3, "title: Input should be a valid string"),
        ("score", "2.0", "score: Input should be a valid number"),
        ("score", -1.0, "score: Input should be greater than or equal to 0"),
        ("score", None, "score must be null if status is broken, and a number if it is not"),
        ("status", "broken", "score must be null if status is broken, and a number if it is not"),
        ("status", "done", "status: Input should be 'complete', 'pending' or 'broken'"),
        ("submission.id", "", "submission.id: String should have at least 1 character"),
        ("submission.files", "x.py", "submission.files: Input should be a valid list"),
        ("questions.0.checks", [], "questions.0.checks: "),
        ("questions.0.checks.0.points", "1", "questions.0.checks.0.points: "),
        ("questions.0.checks.0.max_points", 0, "questions.0.checks.0.max_points: "),
        ("questions.0.checks.0.reason", "bad luck", "questions.0.checks.0.reason: "),
        ("questions.0.checks.1.figures.0.kind", "film", "questions.0.checks.1.figures.0: "),
        ("questions.0.checks.0.parts.1.cause.id", "a b", "questions.0.checks.0.parts.1.cause.id: "),
    ],
)
def test_a_damaged_report_is_refused_with_its_place(path, value, problem, rubric, submission):
    made = as_json(build(rubric, submission))
    place, key = at(made, path)
    place[key] = value
    with pytest.raises(ValueError, match="is not a report") as refused:
        Report.read(json.dumps(made).encode())
    assert str(refused.value).startswith(f"is not a report: {problem}")
    assert "\n" not in str(refused.value)
    assert "pydantic" not in str(refused.value)


@pytest.mark.parametrize("path", ["title", "questions.0.checks.0.message", "submission.sha256"])
def test_a_missing_key_is_named(path, rubric, submission):
    made = as_json(build(rubric, submission))
    place, key = at(made, path)
    del place[key]
    with pytest.raises(ValueError, match=f"is not a report: {path}: Field required"):
        Report.read(json.dumps(made).encode())


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "is not JSON; grade this submission again"),
        (b'{"schema_version": 1', "is not JSON; grade this submission again"),
        (b"\xff\xfe{}", "is not JSON; grade this submission again"),
        (b"[" * 100_000, "is not JSON; grade this submission again"),
        (b"[]", "schema_version is None; this program reads 1"),
        (b'{"schema_version": 2}', "schema_version is 2; this program reads 1"),
    ],
)
def test_what_is_no_report_at_all_is_told_apart(raw, problem):
    with pytest.raises(ValueError, match="is") as refused:
        Report.read(raw)
    assert str(refused.value) == problem


@pytest.mark.parametrize("text", ["\ud800", "\x1b[2J", "a\u2028b", "\0", "\U0001f4a9"])
def test_any_text_of_a_submission_survives_writing_and_reading(text, tmp_path):
    made = typed(report_of(check("q1.1", "failed", 0.0, 1.0, message=text, output=text)))
    write_json(tmp_path / "report.json", made.model_dump())
    again = Report.read((tmp_path / "report.json").read_bytes())
    assert again == made
    (one,) = again.checks()
    assert (one.message, one.output) == (text, text)


def test_measurements_that_are_not_finite_become_null(rubric, submission):
    measured = {"loss": math.nan, "by_seed": [1.0, math.inf], "n": np.int64(3), "of": {2: 0.5}}
    made = build(rubric, submission, **measured)
    assert made.by_id()["q1.1"].measurements == {
        "cases": 3, "loss": None, "by_seed": [1.0, None], "n": 3, "of": {"2": 0.5},
    }  # fmt: skip


def test_a_measurement_of_an_odd_type_is_our_fault_and_says_where(rubric, submission):
    with pytest.raises(BrokenError) as broken:
        build(rubric, submission, odd=object())
    assert str(broken.value).startswith("q1.1: its result has no place in a report: measurements")
    assert "\n" not in str(broken.value)


def test_a_broken_report_stays_broken_whatever_its_checks_become():
    made = report_of(check("q1.1", "broken", 0.0, 2.0), check("q1.2", "passed", 1.0, 1.0))
    broken = typed(made | {"status": "broken", "score": None})
    marked = broken.with_check(typed_check(broken, "q1.1", outcome="passed", points=2.0))
    assert (marked.status, marked.score) == ("broken", None)
    assert marked.questions[0].score == 3


def typed_check(made: Report, name: str, **values: Any) -> Any:
    return made.by_id()[name].model_copy(update=values)


POINTS = st.integers(0, 20_000).map(lambda number: number / 10_000)


@settings(deadline=None, max_examples=60)
@given(st.lists(POINTS, min_size=1, max_size=6), st.data())
def test_a_report_adds_up_after_any_change_of_points(points, data):
    made = typed(
        report_of(
            *(check(f"q1.{n}", "partial", one, 2.0) for n, one in enumerate(points)),
            score=round(sum(points), 4),
        )
    )
    place = data.draw(st.integers(0, len(points) - 1))
    changed = data.draw(POINTS)
    after = made.with_check(typed_check(made, f"q1.{place}", points=changed))
    expected = [*points[:place], changed, *points[place + 1 :]]
    assert [one.points for one in after.checks()] == expected
    assert after.score == after.questions[0].score == pytest.approx(sum(expected), abs=1e-4)
    assert [one.points for one in made.checks()] == points  # the given report stays as it is
    validator().validate(as_json(after))


def test_checks_that_were_not_reached_are_pending_and_count(rubric, submission):
    done = {"q1.1": results()["q1.1"]}
    part = building.of_results(rubric, submission, "mini", [], done)
    whole = building.with_unreached(rubric, part, {"q1.1", "q1.2", "q1.3"}, "Not reached.")
    assert [(one.id, one.outcome, one.message) for one in whole.checks()] == [
        ("q1.1", "partial", "b: wrong"),
        ("q1.2", "pending", "Not reached."),
        ("q1.3", "pending", "Not reached."),
    ]
    assert (whole.status, whole.score, whole.max_score) == ("pending", 1.0, 3.0)
    validator().validate(as_json(whole))


def test_a_mark_keeps_the_machines_cause_and_takes_it_from_the_check(rubric, submission):
    made = build(rubric, submission)
    assert made.by_id()["q1.1"].machine.cause == made.by_id()["q1.1"].cause
    broken = typed_check(made, "q1.1", outcome="broken", points=0.0)
    with pytest.raises(ValueError, match=r"q1\.1 is broken"):
        _ = broken.machine


def test_reports_are_not_changed_in_place(rubric, submission):
    made = build(rubric, submission)
    before = copy.deepcopy(made)
    with pytest.raises(ValueError, match="frozen"):
        made.score = 3.0  # type: ignore[misc]
    assert made == before
