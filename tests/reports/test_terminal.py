"""What a terminal shows: text from submissions cannot rewrite it."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from grader.reports import terminal, terminal_class
from grader.reports.terminal import clean
from tests.made_reports import check, report, report_of, typed

MARK = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[2J\x1b[31mred", f"{MARK}[2J{MARK}[31mred"),
        ("\x1b]0;title\x07", f"{MARK}]0;title{MARK}"),
        ("\x9b2J", f"{MARK}2J"),
        ("failed\rpassed", f"failed{MARK}passed"),
        ("ab\b\bxy", f"ab{MARK}{MARK}xy"),
        ("a\0b\x7f", f"a{MARK}b{MARK}"),
        ("\u202egnp.exe\u202c", f"{MARK}gnp.exe{MARK}"),
        ("\u2066\u2067\u2068x\u2069", f"{MARK * 3}x{MARK}"),
        ("\u200b\u200e\ufeff", MARK * 3),
        ("\ud800", MARK),
        ("\ue000\U000e0041", MARK * 2),
        ("a\tb", f"a{MARK}b"),
        ("one\u2028two\u2029three", f"one{MARK}two{MARK}three"),
    ],
)
def test_controls_become_visible(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    "text",
    ["two\nlines", "[bold]markup[/bold]", "é ü 日本 \N{PILE OF POO}", "e\u0301", ":smile:", ""],
)
def test_ordinary_text_is_left_alone(text):
    assert clean(text) == text


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=st.characters(), max_size=40))
def test_no_control_character_is_left_in_any_text(text):
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert all(char == "\n" or unicodedata.category(char)[0] != "C" for char in cleaned)
    assert clean(cleaned) == cleaned


def test_a_report_shows_escapes_and_markup_of_a_submission_as_text():
    hostile = "\x1b[2Jx [bold red]y[/bold red] \u202ez"
    made = a_report(title=hostile, message=hostile, hint=hostile, notes=[hostile])
    made["submission"]["notes"] = [hostile]
    stream = io.StringIO()
    console = Console(file=stream, width=200, highlight=False, markup=False, emoji=False)
    console.print(terminal.report(typed(made)))
    console.print(terminal_class.summary([typed(made)]))
    shown = stream.getvalue()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.count(f"{MARK}[2Jx [bold red]y[/bold red] {MARK}z") == 4
    assert shown.count(r"\x1b[2Jx [bold red]y[/bold red] \u202ez") == 2  # notes, of one line each


def shown_of(made, **options) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=200, highlight=False, markup=False, emoji=False)
    console.print(terminal.report(typed(made), **options))
    return stream.getvalue()


def a_report(**fields) -> dict:
    return report_of(check("q1.1", "failed", 0.0, 1.0, **{"reason": "exception", **fields}))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_no_text_of_a_submission_begins_a_line(end):
    spoof = f"E: x{end}100 of 100 points{end}q1.1 passed"
    made = a_report(message=spoof, notes=[spoof])
    made["submission"]["notes"] = [spoof]
    lines = shown_of(made).splitlines()
    assert not [line for line in lines if line.startswith(("100 of", "q1.1 passed"))]
    assert [line for line in lines if line.startswith("0 of 1 points")]


def test_of_a_hidden_check_students_see_the_hint_and_the_outcome_only():
    secret = a_report(
        message="SECRET", notes=["SECRET"], hint="try zeros", visibility="hidden",
        parts=[{"name": "SECRET", "points": 0.0, "max_points": 1.0, "reason": "exception",
                "message": "SECRET", "cause": {"id": "SECRET", "text": "SECRET"}}],
        cause={"id": "SECRET", "text": "SECRET"}, measurements={"SECRET": 1}, output="SECRET",
    )  # fmt: skip
    shown = shown_of(secret, visible_only=True)
    assert "SECRET" not in shown
    assert "exception" not in shown
    assert "try zeros" in shown
    assert "SECRET" in shown_of(secret)


@pytest.mark.parametrize(
    ("changed", "notes", "shown"),
    [
        ({"reason": "missing", "message": "x.zip is cut off"}, [], "look at this zero: x.zip is"),
        ({"reason": "not_implemented"}, ["a.ipynb was not read"], "look at this zero: a.ipynb was"),
        ({"reason": "not_implemented"}, [], "q1.1 not_implemented"),
        ({"reason": "mismatch"}, ["a note"], "q1.1 mismatch"),
        ({"reason": "missing", "message": "one\ntwo"}, [], r"look at this zero: one\ntwo"),
    ],
)
def test_a_zero_for_files_that_were_not_read_is_told_from_a_zero_for_work(changed, notes, shown):
    made = a_report(**changed)
    made["submission"]["notes"] = notes
    stream = io.StringIO()
    Console(file=stream, width=200).print(terminal_class.summary([typed(made)]))
    assert shown in stream.getvalue()


def class_of(*reports) -> str:
    stream = io.StringIO()
    Console(file=stream, width=110).print(terminal_class.summary([typed(one) for one in reports]))
    return stream.getvalue()


def an_odd_report(number: int) -> dict:
    """Return one of a class: three questions of four checks, of which some are lost."""
    questions = []
    for question in range(1, 7):
        checks = [check(f"q{question}.{n}", "passed", 1.0, 1.0) for n in range(1, 5)]
        if question in (1, 2, 6) and number % 2:
            checks = [
                check(f"q{question}.{n}", "failed", 0.0, 1.0, reason="missing") for n in range(1, 5)
            ]
        if question == 3:
            cause = {"id": "bias", "text": "the bias b is not added " + "x" * 200}
            checks[1] = check("q3.2", "failed", 0.0, 1.0, cause=cause)
            checks[2] = check("q3.3", "pending", 0.0, 1.0)
        questions.append(
            {"id": f"q{question}", "title": "Q", "score": 2, "max_score": 4, "checks": checks}
        )
    name = f"{'student' * 10}{number}"
    return report(name, score=9.5, max_score=24.0, questions=questions)


def test_a_class_of_40_fits_a_screen_with_a_line_for_each():
    lines = class_of(*(an_odd_report(number) for number in range(40))).splitlines()
    assert len(lines) == 2 + 40 + 1  # the head, the class, a cause that all share
    assert max(map(len, lines)) <= 110
    assert "q1, q2, q6 missing; q3.2 mismatch; q3.3 pend" in lines[3]
    assert lines[-1].startswith("40 of 40: the bias b is not added")
    assert lines[-1].endswith("(q3.2)")


def test_a_late_line_keeps_its_status_its_score_and_what_lateness_costs():
    late = {
        "days": 13, "at_least": True, "over": False, "per_day": 0.1, "of": "score", "free_days": 0,
        "bank_days": 0, "bank_left": None, "score_before": 10.75, "points": 1.25,
        "handed_in": None, "due": None,
    }  # fmt: skip
    odd = an_odd_report(1) | {"late": late, "status": "complete"}
    (line,) = class_of(odd).splitlines()[2:3]
    assert line.rstrip().endswith("at least 13 days late: -1.25")
    assert " complete   9.5 / 24   q1, q2, q6 missing" in line
    assert len(line) <= 110


def test_one_way_of_losing_all_is_named_once():
    checks = [check(f"q1.{n}", "failed", 0, 1, reason="not_implemented") for n in range(9)]
    assert "all not_implemented" in class_of(report_of(*checks))
    assert "q1.0" not in class_of(report_of(*checks))


def test_one_reason_for_several_zeros_is_told_once():
    lost = check("q1.1", "failed", 0.0, 1.0, reason="missing", message="a .rar is not read")
    shown = class_of(*(report_of(lost) for _ in range(6)))
    assert shown.count("a .rar is not read") == 1
    assert "[a, a, a, a and 2 more]" in shown


def test_points_are_no_zero_to_look_at():
    made = a_report(reason="missing", message="b.py is not in the submission") | {"score": 0.5}
    stream = io.StringIO()
    Console(file=stream, width=200).print(terminal_class.summary([typed(made)]))
    assert "q1.1 missing" in stream.getvalue()
