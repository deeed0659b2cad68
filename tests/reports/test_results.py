"""What Gradescope shows of a check: its number in the rubric, its title, and texts as text."""

from __future__ import annotations

from grader.reports.results import gradescope
from tests.made_reports import check, report_of, typed


def test_a_check_has_its_number_in_the_rubric_though_others_were_not_run():
    made = typed(report_of(check("q3.5", "passed", 1.0, 1.0), check("q3.11", "passed", 1.0, 1.0)))
    shown = [(test["number"], test["name"]) for test in gradescope(made)["tests"]]
    assert shown == [("q3.5", "a check"), ("q3.11", "a check")]


def test_no_text_is_read_as_markdown():
    made = gradescope(typed(report_of(check("q1.1", "failed", 0.0, 1.0, message="# [x](y)"))))
    tests = made["tests"]
    formats = {made[f"{name}_format"] for name in ("output", "test_output", "test_name")}
    formats |= {test[f"{name}_format"] for test in tests for name in ("output", "name")}
    assert formats == {"text"}
    assert tests[0]["output"] == "# [x](y)"
