"""The links between the pages of a class: right after each run, and in no page that is alone."""

import re

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.reports import html, neighbors, overview
from grader.reports.files import write_text
from tests.conftest import ROOT
from tests.made_reports import report, typed

CHECKS = ["q1.1", "q1.2", "q1.3"]


def written(out, *names):
    """Write the pages of these submissions as grading does; return their reports."""
    made = [typed(report(name)) for name in names]
    for one in made:
        write_text(out / one.id / "report.html", html.report(one))
    return made


def links_of(out, name):
    """Return the addresses of a page that lead out of it."""
    page = (out / name / "report.html").read_text(encoding="utf-8")
    return re.findall(r'href="([^#"][^"]*)"', page)


def around(name, before=None, after=None):
    """Return the links that a page must have."""
    sides = [f"../{side}/report.html" for side in (before, after) if side]
    return [f"../index.html#row-{name}", *sides]


def test_each_report_leads_to_the_class_and_to_its_neighbors_in_the_order_of_the_class(tmp_path):
    overview.write_index(tmp_path, written(tmp_path, "cy", "ada", "bo"), CHECKS)
    assert links_of(tmp_path, "ada") == around("ada", None, "bo")
    assert links_of(tmp_path, "bo") == around("bo", "ada", "cy")
    assert links_of(tmp_path, "cy") == around("cy", "bo", None)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'id="row-(\w+)"', index) == ["ada", "bo", "cy"]


def test_a_report_that_comes_or_goes_changes_its_neighbors_alone(tmp_path):
    made = written(tmp_path, "ada", "bo", "cy")
    overview.write_index(tmp_path, made, CHECKS)
    before = {one.id: (tmp_path / one.id / "report.html").stat().st_ino for one in made}
    overview.write_index(tmp_path, [*made, *written(tmp_path, "dan")], CHECKS)
    after = {one.id: (tmp_path / one.id / "report.html").stat().st_ino for one in made}
    assert links_of(tmp_path, "cy") == around("cy", "bo", "dan")
    assert {name for name in before if before[name] != after[name]} == {"cy"}
    overview.write_index(tmp_path, made, CHECKS)
    assert links_of(tmp_path, "cy") == around("cy", "bo", None)


def test_a_report_alone_and_the_feedback_to_students_have_no_links(tmp_path):
    (made,) = written(tmp_path, "ada")
    assert links_of(tmp_path, "ada") == []
    assert b"report.html" not in html.feedback(made).encode()
    assert neighbors.START not in html.feedback(made).encode()
    overview.write(tmp_path, load_rubric(ROOT / "rubric.yaml", KINDS), [made], always=False)
    assert links_of(tmp_path, "ada") == []


def test_names_cannot_leave_their_link_and_texts_cannot_pass_for_the_place_of_links(tmp_path):
    evil = '"><script>alert(1)<!-- end of the links -->'
    made = written(tmp_path, "ada", evil.replace("/", ""), "bo")
    overview.write_index(tmp_path, made, CHECKS)
    overview.write_index(tmp_path, made, CHECKS)  # replaced, not added
    for one in made:
        page = (tmp_path / one.id / "report.html").read_bytes()
        assert page.count(b"<nav") == 1
        assert b"<script" not in page
        assert page.count(neighbors.END) == 1
        assert neighbors.with_links(page) == html.report(one).encode()


def test_a_page_that_is_not_there_or_not_ours_is_passed_over(tmp_path):
    made = written(tmp_path, "ada", "bo", "cy", "dan")
    (tmp_path / "bo" / "report.html").unlink()
    (tmp_path / "cy" / "report.html").write_text("<p>another page</p>")
    overview.write_index(tmp_path, made, CHECKS)
    assert links_of(tmp_path, "ada") == around("ada", None, "cy")
    assert (tmp_path / "cy" / "report.html").read_text() == "<p>another page</p>"


def test_examples_in_folders_of_their_kind_lead_back_as_well(tmp_path):
    overview.write_index(tmp_path, written(tmp_path, "wrong/a", "wrong/b"), CHECKS)
    assert links_of(tmp_path, "wrong/a") == [
        "../../index.html#row-wrong/a",
        "../../wrong/b/report.html",
    ]
