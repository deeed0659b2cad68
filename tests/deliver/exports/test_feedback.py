"""Pages for students: what they may see, under the names that platforms take back."""

import re
import zipfile
from html import unescape

import pytest

from grader.deliver.exports.feedback import file_name
from grader.reports import html
from grader.reports.results import student_text
from tests.made_reports import check, report, report_of, store, typed


@pytest.fixture
def export(run_cli, tmp_path):
    """Export pages of these reports; return how it ended, and the pages by name."""

    def run(*reports, options=()):
        folder = store(tmp_path / "reports", *reports)
        out = tmp_path / "feedback.zip"
        ran = run_cli("export", folder, "--format", "feedback", "--out", out, *options)
        if not out.exists():
            return ran, {}
        with zipfile.ZipFile(out) as archive:
            return ran, {name: archive.read(name).decode() for name in archive.namelist()}

    return run


def text_of(page):
    body = page.partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


@pytest.mark.parametrize(
    ("submission", "name"),
    [
        ("turingalan_102_555_hw2", "turingalan_102_555_hw2.html"),
        (
            "Ada Lovelace_101_assignsubmission_file",
            "Ada Lovelace_101_assignsubmission_file_feedback.html",
        ),
        ("ada", "ada.html"),
    ],
)
def test_pages_have_the_names_that_the_platform_gave(submission, name, export):
    ran, pages = export(report(submission))
    assert ran.status == 0, ran.err
    assert list(pages) == [name] == [file_name(submission)]


def test_a_page_shows_the_points_and_why_any_were_lost(export):
    _ran, pages = export(report("ada"))
    text = text_of(pages["ada.html"])
    assert "7.5 of 10 points" in text
    assert "q1.1 a check partial: mismatch 7.5 / 8" in text
    assert "dW: &lt;b&gt;wrong&lt;/b&gt; Hint: A hint." in text


def test_a_hidden_check_is_nowhere_and_a_later_one_shows_its_hint_only(export):
    made = report_of(
        check("q1.1", "failed", 0.0, 1.0, visibility="hidden", message="input 42", hint="secret"),
        check("q1.2", "failed", 0.0, 1.0, visibility="after_published", message="input 43",
              hint="Look at the sums.", notes=["input 44"], output="input 45",
              parts=[{"name": "input 46", "points": 0.0, "max_points": 1.0, "reason": "mismatch",
                      "message": "input 47", "cause": None}] * 2),
        check("q1.3", "passed", 1.0, 1.0, output="printed", measurements={"x": 481516}),
        score=1.0,
    )  # fmt: skip
    _ran, pages = export(made)
    page = pages["a.html"]
    assert "q1.1" not in page
    assert "Look at the sums." in page
    assert not re.search(r"input 4|secret|printed|481516", page)


def test_every_text_is_the_one_of_results_json():
    made = typed(report("ada"))
    page = html.feedback(made)
    for one in made.checks():
        if one.visibility == "visible":
            assert student_text(one) in unescape(page)


def test_a_page_names_nobody(export):
    made = report("zoe")
    made["submission"]["student"] = {"name": "Zoe Zed", "email": "zoe@uni.edu"}
    _ran, pages = export(made)
    assert "zoe" not in pages["zoe.html"].lower()


def test_an_open_grade_has_no_page(export):
    ran, pages = export(report("ada", 0, "pending"), report("bo", 0, "broken"), report("cy"))
    assert ran.status == 1
    assert list(pages) == ["cy.html"]
    assert "not exported: ada: no grade is exported: a person must still mark q1.2" in ran.err
    assert "1 of 3 grades" in ran.out


def test_a_roster_is_refused(export, tmp_path):
    (tmp_path / "r.csv").write_text("Student,ID\n")
    ran, pages = export(report("ada"), options=("--roster", tmp_path / "r.csv"))
    assert ran.status == 2
    assert "pages of feedback need no roster" in ran.err
    assert not pages
