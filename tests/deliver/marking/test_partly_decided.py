"""Marks for a check of which only some parts wait for a person: the others stay decided."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from grader.reports.class_summary import ClassSummary
from grader.reports.report import Report
from tests.made_reports import check, report_of, store


def part(name: str, points: float, most: float, **more: bool):
    reason = None if points == most or more else "mismatch"
    return {
        "name": name, "points": points, "max_points": most, "reason": reason, "message": "",
        "cause": None,
    } | more  # fmt: skip


@pytest.fixture
def reports(tmp_path):
    """Return reports with a check of 4 points: 1 is earned, 1 is lost, 2 wait."""
    lost = part("b", 0, 1) | {"message": "b: a sign is wrong"}
    parts = [part("a", 1, 1), lost, part("c", 0, 2, undecided=True)]
    made = check("q1.1", "pending", 1.0, 4.0, parts=parts)
    return store(tmp_path / "reports", report_of(made, score=1.0, status="pending"))


@pytest.fixture
def mark(run_cli, reports, tmp_path):
    def run(points, *options):
        path = tmp_path / "marks.csv"
        path.write_text(f"submission,check,points\na,q1.1,{points}\n", encoding="utf-8")
        return run_cli("mark", reports, "--marks", path, *options)

    return run


def points_of(reports):
    made = json.loads((reports / "a" / "report.json").read_text(encoding="utf-8"))
    return made["questions"][0]["checks"][0]["points"]


@pytest.mark.parametrize("points", [1, 2.5, 3])
def test_a_mark_fills_in_what_waits(points, mark, reports):
    assert mark(points).status == 0
    assert points_of(reports) == points


@pytest.mark.parametrize("points", [0.5, 3.5])
def test_a_mark_does_not_change_what_is_decided(points, mark, reports):
    ran = mark(points)
    assert ran.status == 2
    assert f"points: {points} is not from 1 to 3: only c waits for a person" in ran.err
    assert points_of(reports) == 1
    assert mark(points, "--override").status == 0
    assert points_of(reports) == points


def test_the_template_says_how_many_points_are_decided(run_cli, reports, tmp_path):
    path = tmp_path / "m.csv"
    assert run_cli("mark", reports, "--template", path).status == 0
    (row,) = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    assert (row["max_points"], row["decided"]) == ("4", "1")


def test_the_page_says_which_part_waits(run_cli, mark, reports):
    mark(2)
    page = (reports / "a" / "report.html").read_text(encoding="utf-8")
    assert page.count("a person has decided about the rest") == 1


def test_the_class_page_asks_for_a_person_until_the_check_is_marked(mark, reports):
    def waiting():
        made = Report.model_validate_json((reports / "a" / "report.json").read_bytes())
        return [one.check for one in ClassSummary([made]).for_a_person]

    assert waiting() == ["q1.1"]
    mark(2)
    assert waiting() == []


def test_a_student_is_told_what_the_grader_took_beside_what_a_person_marked(mark, reports):
    mark(2)
    made = json.loads((reports / "a" / "results.json").read_text(encoding="utf-8"))
    (test,) = made["tests"]
    assert test["output"] == "Marked by a person.\nFound by the grader: b: a sign is wrong"


def test_all_points_are_all_that_are_left_of_each_answer(run_cli, reports, tmp_path):
    """The page's items are each answer's own: another student has more decided, or less."""
    parts = [part("a", 0, 1), part("b", 0, 1), part("c", 0, 2, undecided=True)]
    less = report_of(check("q1.1", "pending", 0.0, 4.0, parts=parts), status="pending")
    less["submission"] |= {"id": "b", "sha256": "1" * 64}
    store(reports, less)
    assert run_cli("mark", reports, "--page", tmp_path / "page.html").status == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    cards = re.findall(r'data-least="(.*?)" data-most="(.*?)".*?</article>', page, re.DOTALL)
    items = [
        re.findall(r'data-key="[fz]" data-points="(.*?)"', card)
        for card in re.findall(r"<article.*?</article>", page, re.DOTALL)
    ]
    assert sorted(cards) == [("0.0", "2.0"), ("1.0", "3.0")]
    assert items == [[most, least] for least, most in cards]
