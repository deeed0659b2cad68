"""``grader gradescope`` on a fake ``/autograder``: what it leaves behind, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.frontends.gradescope import metadata, results
from grader.frontends.gradescope import run as running
from grader.frontends.gradescope.folders import Folders, closed
from grader.frontends.gradescope.results import GradedRun
from grader.model import LeaderboardSpec
from grader.reports.results import MAX_OUTPUT, gradescope
from tests import machines
from tests.conftest import ROOT, SUBMISSIONS
from tests.made_reports import check, report_of, typed

PLAIN = SUBMISSIONS / "full_marks" / "plain"
TEMPLATE = ROOT / "submissions_template"
WITHOUT_LANDLOCK = "container-without-landlock"
SLEEPS = "import time\ntime.sleep(3600)"
CREATED = "2026-03-02T10:00:00.000000-07:00"


def metadata_of(**more: object) -> dict[str, object]:
    due = {"due_date": "2026-03-01T23:00:00.000000-07:00", "late_due_date": None}
    return {"id": 1, "created_at": CREATED, "assignment": due, "users": [], **more}


def outcomes(found: dict) -> dict[str, str]:
    return {test["number"]: test["extra_data"]["outcome"] for test in found["tests"]}


def test_a_right_submission_earns_every_point(autograder, gradescope, numpy_rubric):
    ran, found = gradescope(autograder(PLAIN), numpy_rubric())
    assert ran.status == 0
    assert found["score"] == 5
    # Students cannot see the total where checks are hidden, neither here nor on the platform.
    assert found["output"] == "3 of 3 points in the visible checks"
    assert {test["status"] for test in found["tests"]} == {"passed"}
    assert [test["visibility"] for test in found["tests"]] == ["visible", "hidden", "visible"]
    assert sum(test["max_score"] for test in found["tests"]) == 5
    assert found["execution_time"] > 0
    assert "score: 5" in ran.out
    assert "isolation: full" in ran.out


def test_a_wrong_submission_is_told_why_and_hidden_checks_are_not(
    autograder, gradescope, numpy_rubric, submission
):
    wrong = submission(lstm_step_forward="return 1, 2, 3", temporal_fc_forward="return x, None")
    ran, found = gradescope(autograder(wrong), numpy_rubric())
    assert (ran.status, found["score"]) == (0, 1)
    hidden, shown = found["tests"][1:]
    assert (hidden["status"], hidden["output"]) == ("failed", "think")
    assert "reason" not in hidden["extra_data"]
    assert shown["extra_data"]["reason"] == "wrong_shape"
    assert "out: shape (2, 3, 4), expected (2, 3, 5)" in shown["output"]


def test_the_template_earns_an_honest_zero(autograder, gradescope, numpy_rubric):
    ran, found = gradescope(autograder(TEMPLATE), numpy_rubric())
    assert (ran.status, found["score"]) == (0, 0)
    assert {test["status"] for test in found["tests"]} == {"failed"}


def test_nothing_handed_in_is_the_students_zero(autograder, gradescope, numpy_rubric, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    ran, found = gradescope(autograder(empty), numpy_rubric())
    assert (ran.status, found["score"]) == (0, 0)
    assert "rnn_layers.py is not in the submission" in found["tests"][0]["output"]


def test_a_wrong_rubric_withholds_the_grade_and_names_its_line(
    autograder, gradescope, numpy_rubric
):
    ran, found = gradescope(autograder(PLAIN), numpy_rubric("titel: x"))
    assert ran.status == 2
    assert not {"score", "tests"} & found.keys()
    assert "unknown key 'titel'" in ran.out
    assert "titel" not in json.dumps(found)  # students need not read it
    assert "has no grade yet" in found["output"]


def test_a_missing_rubric_or_submission_withholds_the_grade(autograder, gradescope, numpy_rubric):
    root = autograder(PLAIN)
    ran, found = gradescope(root, root / "no.yaml")
    assert (ran.status, "score" in found) == (2, False)
    assert "no.yaml: cannot be read" in ran.out
    (root / "submission").rename(root / "elsewhere")
    ran, found = gradescope(root, numpy_rubric())
    assert "score" not in found
    assert "submission: no such folder" in ran.out


def test_a_reference_that_raises_withholds_the_grade_and_all_scores(
    autograder, gradescope, numpy_rubric
):
    rubric = numpy_rubric()
    file = rubric.parent / "reference" / "rnn_layers.py"
    file.write_text(
        file.read_text().replace("next_h = ", "raise OSError('gone')\n    next_h = ", 1)
    )
    ran, found = gradescope(autograder(PLAIN), rubric)
    assert ran.status == 3
    # Gradescope would add up the scores of tests.
    assert not {"score", "tests"} & found.keys()
    assert "raised OSError: gone" in ran.out
    assert "gone" not in json.dumps(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [("GRADER_TIME_BUDGET_S", "soon"), ("GRADER_ISOLATION", "none"), ("GRADER_MEMORY_MB", "-1")],
)
def test_a_wrong_setting_withholds_the_grade(autograder, gradescope, numpy_rubric, name, value):
    ran, found = gradescope(autograder(PLAIN), numpy_rubric(), **{name: value})
    assert "score" not in found
    assert f"{name}={value}" in ran.out


def test_an_error_of_ours_withholds_the_grade(autograder, gradescope, numpy_rubric, monkeypatch):
    def fails(*_arguments: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(metadata, "read", fails)
    ran, found = gradescope(autograder(PLAIN), numpy_rubric())
    assert "score" not in found
    assert "the grader itself failed: ZeroDivisionError: ours" in ran.out


def test_a_slow_check_leaves_time_for_the_others_and_is_no_zero(
    autograder, gradescope, numpy_rubric, submission
):
    slow = submission(rnn_step_forward=SLEEPS)
    ran, found = gradescope(autograder(slow), numpy_rubric(), GRADER_TIME_BUDGET_S="12")
    assert ran.status == 0
    assert outcomes(found) == {"q1.1": "pending", "q1.2": "passed", "q1.3": "passed"}
    assert found["score"] == 4
    assert found["extra_data"]["not_reached"] == ["q1.1"]
    open_test = found["tests"][0]
    assert not {"score", "status"} & open_test.keys()
    assert "left of the 12 s" in open_test["output"]
    assert found["output"].startswith("THIS GRADE IS NOT FINAL: 1 check was not run (q1.1).")
    assert found["execution_time"] < 12


def test_an_import_that_never_ends_is_no_zero_where_time_is_short(
    autograder, gradescope, numpy_rubric, submission
):
    # No call of these can be interrupted, and only a few are left out.
    slow = submission(top="\n".join(["sum(range(10**13))"] * 9))
    ran, found = gradescope(autograder(slow), numpy_rubric(), GRADER_TIME_BUDGET_S="9")
    assert ran.status != 0
    assert not {"score", "tests"} & found.keys()
    assert "No check could be run" in found["output"]


def test_a_statement_that_never_ends_is_left_out(autograder, gradescope, numpy_rubric, submission):
    ran, found = gradescope(autograder(submission(top=SLEEPS)), numpy_rubric())
    assert (ran.status, found["score"]) == (0, 5)
    assert "`time.sleep(3600)` took too long and was left out" in json.dumps(found)


def test_too_little_memory_for_anything_withholds_the_grade_and_says_so(
    autograder, gradescope, numpy_rubric
):
    ran, found = gradescope(autograder(PLAIN), numpy_rubric(), GRADER_MEMORY_MB="256")
    assert ran.status == 3
    assert not {"score", "tests"} & found.keys()
    assert "needs a container with more memory" in found["output"]
    assert "this one has 256 MB" in found["output"]


def test_our_side_that_does_not_end_is_ended_and_the_rest_is_told(
    autograder, gradescope, numpy_rubric, monkeypatch
):
    rubric = numpy_rubric()
    file = rubric.parent / "reference" / "rnn_layers.py"
    text = file.read_text()
    start = text.index("def temporal_fc_forward")
    body = text.index("\n    ", text.index('"""', text.index('"""', start) + 3))
    sleeps = "\n    __import__('time').sleep(3600)"
    file.write_text(f"{text[:body]}{sleeps}{text[body:]}")
    monkeypatch.setattr(running, "OVERTIME_S", 1.0)
    ran, found = gradescope(autograder(PLAIN), rubric, GRADER_TIME_BUDGET_S="8")
    assert ran.status == 0
    assert outcomes(found) == {"q1.1": "passed", "q1.2": "passed", "q1.3": "pending"}
    assert found["output"].startswith("THIS GRADE IS NOT COMPLETE")
    assert "still running" in ran.out


def started(root: Path, rubric: Path) -> subprocess.Popen:
    words = [sys.executable, "-m", "grader", "gradescope", "--autograder", str(root)]
    return subprocess.Popen(
        [*words, "--rubric", str(rubric)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_valid_results_are_on_disk_at_every_moment(autograder, numpy_rubric, submission, schema):
    root = autograder(submission(temporal_fc_forward=SLEEPS))
    file = root / "results" / "results.json"
    seen = []
    process = started(root, numpy_rubric())
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end and len(seen) < 3:
            if file.is_file():
                found = json.loads(file.read_text())
                schema.validate(found)
                if found not in seen:
                    seen.append(found)
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # as the kernel does when memory is used up
        process.wait()
    assert "score" not in seen[0]
    assert "before it had run a check" in seen[0]["output"]
    last = json.loads(file.read_text())
    schema.validate(last)
    assert last["score"] == 3
    assert last["extra_data"]["unfinished"] is True
    assert last["output"].startswith("THIS GRADE IS NOT COMPLETE")
    assert outcomes(last) == {"q1.1": "passed", "q1.2": "passed", "q1.3": "pending"}


def test_late_days_are_taken_off_and_told(autograder, gradescope, numpy_rubric):
    rubric = numpy_rubric("late: {per_day: 0.1, grace_minutes: 10}")
    ran, found = gradescope(autograder(PLAIN, metadata_of()), rubric)
    assert (ran.status, found["score"]) == (0, 4.5)
    assert found["output"].startswith("Submitted 1 day late: you lose points (10% of")
    assert found["extra_data"]["score_before_deduction"] == 5
    ran, found = gradescope(autograder(PLAIN, "not json"), rubric)
    assert found["score"] == 5
    assert "submission_metadata.json is not JSON" in ran.out
    ran, found = gradescope(autograder(PLAIN, {"created_at": CREATED}), rubric)
    assert found["score"] == 5
    assert "no due_date in the metadata: lateness costs no points" in ran.out


def test_a_submission_over_the_limit_keeps_the_last_grade(
    autograder, gradescope, numpy_rubric, schema
):
    rubric = numpy_rubric("rate_limit: {submissions: 1, hours: 12}")
    _, before = gradescope(autograder(PLAIN, metadata_of()), rubric)
    earlier = {"submission_time": "2026-03-02T09:00:00-07:00", "score": "5.0", "results": before}
    again = autograder(TEMPLATE, metadata_of(previous_submissions=[earlier]))
    ran, found = gradescope(again, rubric)
    assert (ran.status, found["score"], found["tests"]) == (0, 5, before["tests"])
    assert found["output"].startswith(
        "This submission was not graded: the limit is 1 submission in 12 hours"
    )
    assert found["extra_data"]["rate_limited"] is True
    assert "over the rate limit" in ran.out


def test_workers_cannot_read_results_and_metadata(tmp_path):
    places = Folders(tmp_path)
    places.root.chmod(0o755)
    places.results.parent.mkdir()
    places.results.parent.chmod(0o775)
    places.metadata.write_text("{}")
    places.metadata.chmod(0o644)

    def modes() -> list[int]:
        files = (places.root, places.results.parent, places.metadata)
        return [stat.S_IMODE(path.stat().st_mode) for path in files]

    with closed(places):
        assert modes() == [0o700, 0o700, 0o600]
    assert modes() == [0o755, 0o775, 0o644]


@pytest.mark.skipif(
    machines.lacking(WITHOUT_LANDLOCK) is not None,
    reason=f"{WITHOUT_LANDLOCK}: {machines.lacking(WITHOUT_LANDLOCK)}",
)
@pytest.mark.parametrize("place", ["autograder/source", "open to everybody"])
def test_a_container_without_landlock_needs_a_closed_assignment(
    open_folder, autograder, numpy_rubric, schema, place, monkeypatch
):
    root = open_folder / "autograder"
    autograder(PLAIN, metadata_of()).rename(root)
    source = open_folder / place
    source.mkdir()
    source.chmod(0o755)  # what is inside is closed while student code runs
    numpy_rubric().parent.rename(source / "assignment")
    rubric = source / "assignment" / "rubric.yaml"
    words = [sys.executable, "-m", "grader", "gradescope", "--autograder", root, "--rubric", rubric]
    monkeypatch.delenv("GRADER_DATA", raising=False)  # a folder that everybody may read
    ran = subprocess.run(
        machines.command(WITHOUT_LANDLOCK, *words),
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = json.loads((root / "results" / "results.json").read_text())
    schema.validate(found)
    if source.is_relative_to(root):
        assert (ran.returncode, found.get("score")) == (0, 5), ran.stdout + ran.stderr
        assert "isolation: full" in ran.stdout
        assert "landlock" not in ran.stdout
    else:
        assert ran.returncode != 0
        assert not {"score", "tests"} & found.keys()
        assert "isolation on this machine is 'partial', but 'full' is required" in ran.stdout
        assert "reads_the_reference" in ran.stdout


def test_long_texts_end_before_the_platform_cuts_them(schema):
    made = report_of(check("q.1", "failed", 0.0, 2.0, message="x" * 200_000))
    made["submission"]["notes"] = ["y" * 600] * 400
    found = gradescope(typed(made))
    schema.validate(found)
    assert len(found["output"]) <= MAX_OUTPUT
    text = found["tests"][0]["output"]
    assert len(text) == MAX_OUTPUT
    assert text.endswith("[the rest is left out]")


def test_extra_credit_comes_on_top_of_what_the_assignment_is_worth(schema):
    checks = [check("q.1", "passed", 2.0, 2.0), check("q.2", "passed", 2.0, 2.0, extra_credit=True)]
    found = gradescope(typed(report_of(*checks, score=4.0)))
    schema.validate(found)
    assert [test["max_score"] for test in found["tests"]] == [2, 0]
    assert found["score"] == sum(test["score"] for test in found["tests"]) == 4


def test_the_schema_refuses_what_would_be_a_silent_grade(schema):
    assert not schema.is_valid({"tests": [{"max_score": 1}], "output": ""})
    assert not schema.is_valid({"output": "no grade, and nobody says so", "extra_data": {}})
    assert not schema.is_valid({"score": "5"})
    assert not schema.is_valid({"score": 1, "tests": [{"score": 1, "status": "partial"}]})
    assert schema.is_valid(results.withheld())


def test_the_leaderboard_shows_finite_numbers_that_are_there(rubric, schema):
    columns = [
        LeaderboardSpec(title="Accuracy", check="q.1", measurement="accuracy"),
        LeaderboardSpec(title="Loss", check="q.1", measurement="loss", order="asc"),
        LeaderboardSpec(title="Broken", check="q.1", measurement="broken"),
        LeaderboardSpec(title="Nowhere", check="q.9", measurement="accuracy"),
    ]
    measured = {"accuracy": 0.87654321, "loss": 2, "broken": None}
    made = typed(report_of(check("q.1", "passed", 2.0, 2.0, measurements=measured), score=2.0))
    board = results.leaderboard(columns, made)
    assert board == [
        {"name": "Accuracy", "value": 0.8765, "order": "desc"},
        {"name": "Loss", "value": 2, "order": "asc"},
    ]
    run = GradedRun(rubric, metadata.Metadata(), frozenset(["q.1"]))
    found = {**results.final(run, made, ()), "leaderboard": board}
    schema.validate(found)
