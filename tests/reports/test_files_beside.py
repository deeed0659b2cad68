"""Files that only a person can read lie beside the report; nothing of them enters a page."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from grader.author.evidence import HandedInFiles
from grader.model import CheckResult
from grader.reports import figures, html
from grader.reports.report import HandedInFileReport
from tests.made_reports import check, report_of, typed

PDF = b"%PDF-1.7 <script>alert(1)</script>"


class Spec:
    id = "q3.5"


def result(*items: tuple[str, bytes]) -> CheckResult:
    shown = HandedInFiles("handed in", items)
    return CheckResult(Spec(), "pending", 0.0, figures=(shown,))  # type: ignore[arg-type]


def test_a_document_keeps_its_bytes_and_a_name_of_ours():
    made = result(("../my <b>work.PDF", PDF))
    (figure,) = figures.described(made)
    (item,) = figure.items
    assert (item.name, item.bytes, item.file) == (
        "../my <b>work.PDF",
        len(PDF),
        "figures/q3.5-1-1.pdf",
    )
    assert figures.pictures({"q3.5": made}) == {"figures/q3.5-1-1.pdf": PDF}


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "program", "a.pdf.js"])
def test_what_could_run_in_a_browser_has_no_ending_that_does(name):
    (figure,) = figures.described(result((name, b"x")))
    assert figure.items[0].file == "figures/q3.5-1-1.bin"


def test_a_text_keeps_the_ending_by_which_it_is_opened():
    (figure,) = figures.described(result(("b/final.tex", b"x")))
    assert figure.items[0].file == "figures/q3.5-1-1.tex"


def test_what_is_too_large_is_named_only(monkeypatch):
    monkeypatch.setattr(figures, "MAX_FILES", 3)
    made = result(("a.pdf", b"1234"), ("b.pdf", b"1"))
    (figure,) = figures.described(made)
    assert [item.file for item in figure.items] == ["", ""]
    assert figures.pictures({"q3.5": made}) == {}


@pytest.mark.parametrize("file", ["javascript:alert(1)", "../x.pdf", "figures/a/b.pdf", "/etc/x"])
def test_a_stored_report_cannot_lead_elsewhere(file):
    with pytest.raises(ValidationError):
        HandedInFileReport(name="a", bytes=1, file=file)


def test_the_page_links_the_file():
    (figure,) = figures.described(result(("my <b>work.pdf", PDF)))
    made = check("q3.5", "pending", 0.0, 2.5, figures=[figure.model_dump(mode="json")])
    page = html.report(typed(report_of(made, status="pending")), {"figures/q3.5-1-1.pdf": PDF})
    assert '<a href="figures/q3.5-1-1.pdf">my &lt;b&gt;work.pdf</a>, 0.1 KiB' in page
    assert "alert" not in page
