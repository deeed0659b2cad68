"""Every kind of page in a real browser: no violation of WCAG 2.2 AA that axe-core finds.

Needs the extra ``browser`` and Chromium (Debian's package, or the path in ``GRADER_CHROMIUM``), and
is skipped without them. ``make accessibility`` installs the extra.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader import cli
from grader.reports import html
from tests import class_of_three
from tests.conftest import ROOT
from tests.deliver.similarity.test_similarity import similar_class
from tests.made_reports import check, report_of, store, typed

pytest.importorskip("playwright", reason="the extra 'browser' is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
from playwright.sync_api import sync_playwright  # noqa: E402

CHROMIUM = os.environ.get("GRADER_CHROMIUM") or shutil.which("chromium")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1400, 390)
PAGES = (
    "class",
    "late class",
    "alice",
    "bob",
    "carol",
    "everything",
    "broken",
    "feedback",
    "marking",
    "similarity",
)
MATHML = "<math><mi>x</mi><mo>=</mo><mn>1</mn></math>"
LATE = {
    "days": 1, "at_least": True, "over": False, "handed_in": None, "due": None, "per_day": 0.5,
    "of": "score", "free_days": 0, "bank_days": 0, "bank_left": None, "score_before": 0.5,
    "points": 0.25,
}  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


def everything():
    """A report with every kind of figure, outcome and text."""
    figures = [
        {"kind": "curves", "title": "Losses", "series": {"loss": [[0, 2.0], [1, 1.0]]},
         "xlabel": "step", "ylabel": "loss", "log": True},
        {"kind": "table", "title": "Samples", "header": ["caption", "right"], "rows": [["a", "b"]]},
        {"kind": "text", "title": "Why", "text": "word " * 2000},
        {"kind": "formulas", "title": "Formulas", "rows": [
            {"place": "line 1", "mathml": MATHML, "source": "x = 1", "verdict": "right"}]},
    ]  # fmt: skip
    parts = [
        {"name": name, "points": 0.5, "max_points": 1.0, "reason": "mismatch",
         "message": "dW: wrong " * 40, "cause": None}
        for name in ("dW", "db")
    ]  # fmt: skip
    outcomes = ("passed", "partial", "failed", "blocked", "pending")
    checks = [
        check(f"q1.{n}", outcome, 0.5 if outcome == "partial" else 0.0, 2.0, message="A message.",
              hint="A hint.", notes=["A note."], output="printed\n" * 60, parts=parts,
              figures=figures, visibility="hidden" if n == 2 else "visible")
        for n, outcome in enumerate(outcomes)
    ]  # fmt: skip
    made = report_of(*checks, score=0.25, status="pending", late=LATE)
    members = [{"name": "Ada Lovelace", "login": "ada"}, {"name": "<b>Eve</b>"}]
    made["submission"]["group"] = {"name": "Team 7", "members": members}
    return typed(made)


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """The pages by name."""
    folder = tmp_path_factory.mktemp("pages")
    graded = class_of_three.grade(folder / "class")
    made = everything()
    broken = typed(report_of(score=None, status="broken"))
    texts = {
        "everything": html.report(made),
        "broken": html.report(broken),
        "feedback": html.feedback(made),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    found = {name: folder / f"{name}.html" for name in texts}
    found["late class"] = folder / "late.html"
    html.write_index(found["late class"], [made, typed(report_of(*_passed()))])
    for student in ("alice", "bob", "carol"):
        (found[student],) = graded.glob(f"*{student}/report.html")
    waiting = [check(f"q2.{n}", **one) for n, one in enumerate(_waiting(made))]
    stored = store(folder / "waiting", report_of(*waiting, score=1.0, status="pending"))
    command = ["mark", stored, "--page", folder / "marking.html"]
    assert CliRunner().invoke(cli.main, [str(word) for word in command]).exit_code == 0
    found["marking"] = folder / "marking.html"
    found["similarity"] = folder / "similarity.html"
    command = ["similarity", similar_class(folder / "similar"), "--out", found["similarity"]]
    command += ["--rubric", ROOT / "rubric.yaml"]
    assert CliRunner().invoke(cli.main, [str(word) for word in command]).exit_code == 0
    return {**found, "class": graded / "index.html"}


def _passed():
    """Return the checks of somebody who was in time."""
    return [check(f"q1.{n}", "passed", 2.0, 2.0) for n in range(5)]


def _waiting(made):
    """Yield what is pending, with all figures twice and with parts of which one waits."""
    (shown, *_others) = made.model_dump(mode="json")["questions"][0]["checks"]
    parts = [{**part, "points": 0.5, "undecided": n == 1} for n, part in enumerate(shown["parts"])]
    same = {"outcome": "pending", "points": 1.0, "most": 2.0, "message": "A person decides."}
    for figures in (shown["figures"], shown["figures"][:2]):
        yield same | {"parts": parts, "figures": figures, "notes": ["A note."]}


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window."""
    with sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation(name, scheme, pages, browser):
    for width in WIDTHS:
        size = {"width": width, "height": 900}
        # axe-core is a script, which the policy of the pages refuses as it must.
        context = browser.new_context(bypass_csp=True, viewport=size, color_scheme=scheme)
        page = context.new_page()
        page.goto(pages[name].as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        if name == "marking":  # an item is chosen, and points are wrong
            page.locator(".item").first.click()
            page.get_by_label("Points").last.fill("99")
        found = axe.Axe().run(page, options={"runOnly": RULES}).response
        wrong = [(one["id"], [n["html"] for n in one["nodes"]]) for one in found["violations"]]
        assert wrong == [], f"{width} px"
        assert len(found["passes"]) > 10  # it did look
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_breaks_its_own_policy_or_is_wider_than_a_phone(name, pages, browser):
    context = browser.new_context(viewport={"width": 390, "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(pages[name].as_uri())
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_the_class_can_be_sorted_searched_and_filtered(pages, browser):
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(pages["class"].as_uri())

    def names():
        rows = page.locator("table.sortable tbody tr:not([hidden])")
        return [row.split("\n")[0].split("\t")[0] for row in rows.all_inner_texts()]

    assert names() == ["@bob", "alice", "carol"]
    score = page.locator("table.sortable thead button", has_text="score")
    score.click()  # numbers: the largest first
    assert names()[0] in ("alice", "carol")
    score.click()
    assert names()[0] == "@bob"
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("score")
    page.get_by_label("Search").fill("CAROL")
    assert names() == ["carol"]
    assert page.locator("output").inner_text() == "1 of 3"
    page.get_by_label("Search").fill("")
    page.get_by_label("Status").select_option("pending")
    assert sorted(names()) == ["@bob", "alice"]
    context.close()


def test_without_scripts_every_row_is_there(pages, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["class"].as_uri())
    assert page.locator("table.sortable tbody tr").count() == 3
    assert page.locator(".tools").count() == 0
    context.close()


def test_one_can_walk_through_the_reports_of_a_class_and_back(pages, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(pages["class"].as_uri())
    page.locator("#submissions").get_by_role("link", name="@bob").click()
    walked = []
    while True:
        walked.append(page.locator("h1").inner_text())
        following = page.locator("a[rel=next]")
        if not following.count():
            break
        following.click()
    assert walked == ["@bob", "alice", "carol"]
    page.locator("a[rel=prev]").click()
    assert page.locator("h1").inner_text() == "alice"
    page.locator("a[rel=prev]").click()
    page.get_by_role("link", name="The class").click()
    row = page.evaluate("document.querySelector(':target').textContent")
    assert row.strip().startswith("@bob")
    page.goto(f"{pages['alice'].as_uri()}#q1.2")
    assert page.evaluate("document.querySelector(':target h3').textContent").startswith("q1.2")
    context.close()
