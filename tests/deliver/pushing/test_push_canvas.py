"""Grades go to a Canvas of our own on loopback: shown first, sent once, and again after faults."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result

from grader import cli
from grader.deliver.pushing import canvas as client
from grader.frontends.commands import push
from tests.deliver.pushing.fake_canvas import (
    ASSIGNMENT,
    COURSE,
    TOKEN,
    FakeCanvas,
    Fault,
    serving,
    submission,
)
from tests.made_reports import report, store

STUDENTS = {101: "Ada Lovelace", 102: "Alan Turing", 103: "Grace Hopper", 104: "Eve Moneypenny",
            105: "Test Student"}  # fmt: skip
ADA, ALAN, GRACE = "lovelaceada_101_5551_hw2", "turingalan_102_5552_hw2", "hoppergrace_103_5553_hw2"


def user(number: int, name: str) -> dict[str, Any]:
    first, _, last = name.partition(" ")
    return {
        "id": number, "name": name, "sortable_name": f"{last}, {first}",
        "sis_user_id": f"s{number}", "login_id": first.lower(), "email": f"{first.lower()}@x.edu",
    }  # fmt: skip


@pytest.fixture
def canvas():
    made = FakeCanvas(
        [user(number, name) for number, name in STUDENTS.items()],
        [
            {"id": 70, "name": "Homework 1", "points_possible": 5, "grading_type": "points"},
            {"id": ASSIGNMENT, "name": "Homework 2", "points_possible": 10.0,
             "grading_type": "points"},
            {"id": 72, "name": "Attendance", "points_possible": 1, "grading_type": "pass_fail"},
        ],
        {number: submission(number) for number in STUDENTS},
    )  # fmt: skip
    for one in made.assignments:
        one["course_id"] = COURSE
    with serving(made) as server:
        made.contents = server.contents
        yield made


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(client, "WAITS_S", (0.0, 0.0, 0.0))
    monkeypatch.setenv("CANVAS_TOKEN", TOKEN)
    monkeypatch.delenv("CANVAS_URL", raising=False)


@pytest.fixture
def reports(tmp_path):
    return store(tmp_path / "reports", report(ADA, 8), report(ALAN, 6.5), report(GRACE, 0))


@pytest.fixture
def pushed(canvas, reports):
    def run(*more: str, url: str = "", status: int = 0, course: int = COURSE, **given) -> Result:
        words = ["export", str(reports), "--push", "canvas", "--url", url or canvas.url]
        ran = CliRunner().invoke(cli.main, [*words, "--course", str(course), *more], **given)
        assert TOKEN not in ran.output
        assert ran.exit_code == status, ran.output
        return ran

    return run


def lines(ran: Result) -> list[str]:
    return [" ".join(line.split()) for line in ran.output.splitlines()]


def test_a_dry_run_shows_each_change_and_sends_nothing(canvas, pushed):
    canvas.submissions[102] |= {"score": 4.0, "entered_score": 4.0}
    ran = pushed("--comments", "--feedback")
    assert canvas.writes == []
    shown = lines(ran)
    head = "Lovelace, Ada - 8 Homework 2: 8 of 10 points "
    assert any(line.startswith(head) and "feedback-" in line for line in shown), ran.output
    assert any(line.startswith("Turing, Alan 4 6.5 ") for line in shown)
    assert f"3 changes: Homework 2 (71) in course 12 on {canvas.url}" in shown
    assert shown[-1] == "nothing was sent; --yes sends these changes"
    assert "2 students without a report" in ran.output


def test_confirmed_changes_are_sent_once(canvas, pushed):
    ran = pushed("--yes")
    assert canvas.scores() == {101: 8.0, 102: 6.5, 103: 0.0, 104: None, 105: None}
    assert "3 of 3 changes sent" in ran.output
    sent = len(canvas.writes)
    again = pushed("--yes")
    assert "0 changes, 3 students as in the reports already" in again.output
    assert len(canvas.writes) == sent


def test_comments_and_pages_are_sent_once_too(canvas, pushed):
    pushed("--yes", "--comments", "--feedback")
    (text,) = canvas.comments(102)
    assert text.startswith("Homework 2: 6.5 of 10 points")
    assert "hidden" not in text
    (file,) = canvas.attached(102)
    assert file["display_name"].startswith("feedback-")
    page = canvas.contents[file["id"]].decode()
    assert "6.5" in page
    assert "hidden input 42" not in page
    sent = len(canvas.writes)
    assert "0 changes" in pushed("--yes", "--comments", "--feedback").output
    assert len(canvas.writes) == sent
    pushed("--yes")  # points alone
    assert len(canvas.writes) == sent


def test_new_points_bring_a_new_comment_and_page(canvas, pushed, reports, tmp_path):
    pushed("--yes", "--comments", "--feedback")
    (reports / ALAN / "report.json").unlink()
    (reports / ALAN).rmdir()
    store(reports, report(ALAN, 7))
    ran = pushed("--yes", "--comments", "--feedback")
    assert "1 of 1 change sent" in ran.output
    assert [len(canvas.comments(number)) for number in (101, 102, 103)] == [1, 2, 1]
    assert canvas.scores()[102] == 7


def test_at_a_terminal_the_word_yes_confirms(canvas, pushed, monkeypatch):
    monkeypatch.setattr(push, "_at_terminal", lambda: True)
    ran = pushed(input="y\n")
    assert "nothing was sent" in ran.output
    assert canvas.writes == []
    pushed(input="yes\n")
    assert canvas.scores()[101] == 8


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT", "submissions", 429, times=2),
        Fault("PUT", "submissions", 403, "403 Forbidden (Rate Limit Exceeded)\n", times=2),
        Fault("GET", "submissions", 502, times=2),
        Fault("GET", "search_users", 429, times=2),
        Fault("GET", "assignments$", 500, times=3),
    ],
    ids=lambda fault: f"{fault.method}-{fault.status}",
)
def test_who_is_asked_to_wait_waits(canvas, pushed, fault):
    canvas.faults = [fault]
    pushed("--yes")
    assert canvas.scores()[103] == 0
    assert len([one for one in canvas.writes if one[0] == "PUT"]) <= 5


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("PUT", "/102$", 500), "Canvas failed (status 500)"),
        (Fault("PUT", "/102$", 503), "Canvas failed (status 503)"),
        (Fault("PUT", "/102$", 403, '{"status":"unauthorized"}'), "Canvas does not allow it"),
        (Fault("PUT", "/102$", 404), "Canvas knows no such"),
        (Fault("PUT", "/102$", 400, '{"errors":"grading period is closed"}'),
         "grading period is closed"),
        (Fault("PUT", "/102$", 429, times=9), "too many requests"),
        (Fault("PUT", "/102$", 200, "<html>log in</html>"), "is not Canvas's interface"),
        (Fault("POST", "/102/comments/files$", 500), "Canvas failed (status 500)"),
        (Fault("POST", "/upload$", 413), "Canvas refused"),
        (Fault("POST", "/upload$", 201, '{"error": "quota"}'), "did not take the page"),
    ],
    ids=lambda value: f"{value.method}-{value.status}" if isinstance(value, Fault) else "",
)  # fmt: skip
def test_a_change_that_fails_is_named_and_sent_by_the_next_run(canvas, pushed, fault, text):
    canvas.faults = [fault]
    ran = pushed("--yes", "--feedback", "--comments", status=1)
    (failed,) = [line for line in ran.output.splitlines() if line.startswith("failed: ")]
    assert text in failed
    assert "2 of 3 changes sent" in ran.output
    assert "run the same command again" in ran.output
    canvas.faults = []
    again = pushed("--yes", "--feedback", "--comments")
    assert "1 of 1 change sent" in again.output
    assert canvas.scores() == {101: 8.0, 102: 6.5, 103: 0.0, 104: None, 105: None}
    assert [len(canvas.comments(number)) for number in (101, 102, 103)] == [1, 1, 1]
    assert [len(canvas.attached(number)) for number in (101, 102, 103)] == [1, 1, 1]


def test_what_arrived_though_the_answer_was_lost_is_not_sent_again(canvas, pushed):
    def lost(there: FakeCanvas, number: int) -> None:
        if number == 102:
            raise ConnectionAbortedError

    canvas.after_put = lost
    ran = pushed("--yes", "--comments", status=1)
    assert "Canvas cannot be reached" in ran.output
    canvas.after_put = None
    assert "0 changes, 3 students" in pushed("--yes", "--comments").output
    assert len(canvas.comments(102)) == 1


def test_a_token_that_ends_stops_the_rest(canvas, pushed):
    def revoke(there: FakeCanvas, _number: int) -> None:
        there.token = "another"

    canvas.after_put = revoke
    ran = pushed("--yes", status=1)
    assert "1 of 3 changes sent" in ran.output
    assert "does not accept the token" in ran.output
    assert "not tried: " in ran.output
    assert len(canvas.writes) == 2


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"course": 13}, "knows no such course, assignment or student (404)"),
        ({"words": ["--assignment", "Homwork 2"]}, "(did you mean 'Homework 2'?)"),
        ({"words": ["--assignment", "72"]}, "takes no points on Canvas"),
        ({"url": "http://canvas.example.edu"}, "the token would travel unencrypted"),
        ({"url": "canvas.example.edu"}, "not an address such as https://"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_sent(canvas, pushed, more, text):
    words = more.pop("words", [])
    ran = pushed("--yes", *words, status=2, **more)
    assert text in ran.output
    assert canvas.writes == []


def test_a_wrong_token_is_said_and_not_shown(canvas, pushed, monkeypatch):
    monkeypatch.setenv("CANVAS_TOKEN", "wr0ng")
    ran = pushed("--yes", status=2)
    assert "Canvas does not accept the token in CANVAS_TOKEN" in ran.output
    assert "wr0ng" not in ran.output
    monkeypatch.delenv("CANVAS_TOKEN")
    ran = pushed("--yes", status=2)
    assert "needs CANVAS_TOKEN in the environment" in ran.output


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_token_that_an_answer_repeats_is_not_shown(canvas, pushed, status):
    body = f'{{"errors":[{{"message":"no: {TOKEN}!"}}]}}'
    canvas.faults.append(Fault("GET", "assignments", status, body, times=9))
    assert "no: ...!" in pushed("--yes", status=2).output  # pushed looks for the token


def test_names_that_are_hidden_from_graders_are_said(canvas, pushed):
    canvas.assignments[1]["anonymize_students"] = True
    assert "is graded anonymously" in pushed(status=2).output


def test_without_the_package_the_message_says_what_to_install(pushed, monkeypatch):
    monkeypatch.setitem(sys.modules, "canvasapi", None)
    ran = pushed(status=2)
    assert "needs canvasapi, which is not installed: pip install 'dl-grader[canvas]'" in ran.output


def test_who_is_excused_or_not_assigned_or_pending_stays_as_is(canvas, pushed, reports):
    canvas.submissions[101]["excused"] = True
    del canvas.submissions[103]
    store(reports, report("moneypennyeve_104_5554_hw2", 3, "pending"))
    ran = pushed("--yes", status=1)
    assert "Lovelace, Ada is excused; that is kept" in ran.output
    assert "the assignment is not for Hopper, Grace" in ran.output
    assert "no grade is sent: a person must still mark q1.2" in ran.output
    assert canvas.scores() == {101: None, 102: 6.5, 104: None, 105: None}
    pushed("--yes", "--allow-pending", status=1)
    assert canvas.scores()[104] == 3


def test_two_reports_of_one_student_are_both_left_out(canvas, pushed, reports):
    store(reports, report("lovelaceada_101_7777_hw2", 3))
    ran = pushed("--yes", status=1)
    assert "none is exported: keep one report" in ran.output
    assert canvas.scores()[101] is None


def test_every_member_of_a_group_gets_the_grade(canvas, pushed, reports):
    made = report("team7_101_9999_hw2", 5)
    members = [{"name": "Ada", "canvas_id": "104"}, {"login": "test"}]
    made["submission"]["group"] = {"name": "Team 7", "members": members}
    store(reports, made)
    pushed("--yes")
    assert canvas.scores() == {101: 8.0, 102: 6.5, 103: 0.0, 104: 5.0, 105: 5.0}


def test_canvas_own_rule_for_late_work_is_named(canvas, pushed):
    canvas.late_policy = {102: 1.5}
    ran = pushed("--yes")
    assert "Canvas counts 5 of these points: its own rule for late submissions" in ran.output
    assert "0 changes" in pushed("--yes").output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--out", "x.csv"], "--out belongs to --format"),
        (["--format", "canvas"], "give either --format NAME"),
        (["--course", "hw"], "--course hw: must be the number"),
    ],
)
def test_options_that_do_not_fit_are_refused(canvas, pushed, words, text):
    assert text in pushed(*words, status=2).output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "give either --format NAME, to write a file, or --push canvas"),
        (["--format", "canvas"], "--format canvas needs --out FILE"),
        (["--format", "canvas", "--out", "x.csv", "--yes"], "--yes belongs to --push canvas"),
    ],
)
def test_a_file_needs_its_own_options(reports, words, text):
    ran = CliRunner().invoke(cli.main, ["export", str(reports), *words])
    assert (ran.exit_code, text in ran.output) == (2, True), ran.output
