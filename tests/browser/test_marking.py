"""The marking page in a real browser: typed, kept, saved and put into the reports."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil

import pytest

from tests.deliver.marking.test_marking_page import BAD_MATHML, EVIL, formulas, handed_in, text_of
from tests.made_reports import store

pytest.importorskip("playwright", reason="the extra 'browser' is not installed")
from playwright.sync_api import expect, sync_playwright

CHROMIUM = os.environ.get("GRADER_CHROMIUM") or shutil.which("chromium")
ITEMS = """\
q1.1:
  - {key: a, points: 2, comment: "Clear, with three remedies."}
  - {key: m, points: 1, comment: "One remedy."}
  - {key: w, add: -0.25, comment: "Why?"}
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window."""
    with sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def reports(tmp_path):
    photo = {"name": "photo.png", "bytes": len(PNG), "file": "figures/q1.1-2-1.png"}
    figure = {"kind": "files", "title": "handed in", "items": [photo]}
    made = [handed_in(name, f"text of {name}", figure) for name in ("ada", "bo", "cy")]
    folder = store(tmp_path / "reports", *made)
    for name in ("ada", "bo", "cy"):
        (folder / name / "figures").mkdir()
        (folder / name / photo["file"]).write_bytes(PNG)
    return folder


@pytest.fixture
def page_file(run_cli, reports, tmp_path):
    (tmp_path / "items.yaml").write_text(ITEMS, encoding="utf-8")
    path = tmp_path / "marks.html"
    ran = run_cli("mark", reports, "--page", path, "--order-seed", 3,
                  "--items", tmp_path / "items.yaml")  # fmt: skip
    assert ran.status == 0
    return path


@pytest.fixture
def context(browser):
    made = browser.new_context(viewport={"width": 1400, "height": 900})
    made.set_offline(True)
    yield made
    made.close()


@pytest.fixture
def page(context, page_file):
    opened = context.new_page()
    opened.said = []
    opened.on("console", lambda message: opened.said.append(message.text))
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.goto(page_file.as_uri())
    yield opened
    assert opened.said == []


def answer(page, submission, check="q1.1"):
    """Return the card of one answer."""
    for card in page.locator(".answer").all():
        row = json.loads(card.get_attribute("data-row"))
        if (row["submission"], row["check"]) == (submission, check):
            return card
    raise AssertionError(submission)


def values(card):
    return card.locator(".points input").input_value(), card.locator("textarea").input_value()


def save(page, folder):
    with page.expect_download() as download:
        page.get_by_role("button", name="Save marks").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def read(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_what_is_marked_by_keys_and_typed_goes_into_the_reports(page, reports, run_cli, tmp_path):
    page.get_by_label("Marker").fill("Ada L.")
    card = answer(page, "ada")
    card.focus()
    page.keyboard.press("a")
    assert values(card) == ("2", "Clear, with three remedies.")
    page.keyboard.press("m")  # points are set once
    assert values(card) == ("1", "One remedy.")
    page.keyboard.press("w")
    assert values(card) == ("0.75", "One remedy.\nWhy?")
    assert card.locator(".item[aria-pressed=true]").count() == 2
    other = answer(page, "bo")
    other.locator(".points input").fill("1,5")
    other.locator("textarea").fill('=1+1; "quoted",\nand more')
    answer(page, "cy").locator("textarea").fill("ask Ben")
    answer(page, "cy", "q1.2").get_by_role("button", name="h 1.5").click()
    assert page.locator("#progress").inner_text() == "3 of 6 marked, 1 for later"
    path = save(page, tmp_path)
    assert path.name == "marks-ada-l.csv"
    rows = {(row["submission"], row["check"]): row for row in read(path)}
    assert len(rows) == 6
    assert rows["bo", "q1.1"]["comment"] == '\'=1+1; "quoted",\nand more'
    assert rows["bo", "q1.1"]["sha256"].startswith("sha256:")
    ran = run_cli("mark", reports, "--marks", path)
    assert (ran.status, ran.err) == (0, "")
    counts = "rows not filled in: 2; comments without points, kept for later: 1"
    assert f"3 marks put into 3 reports; {counts}" in " ".join(ran.out.split())
    found = {}
    for file in reports.glob("*/report.json"):
        for check in json.loads(file.read_text(encoding="utf-8"))["questions"][0]["checks"]:
            if "marked" in check:
                marked = check["marked"]
                found[file.parent.name, check["id"]] = marked["points"], marked["comment"]
                assert marked["by"] == "Ada L."
    assert found == {
        ("ada", "q1.1"): (0.75, "One remedy.\nWhy?"),
        ("bo", "q1.1"): (1.5, '=1+1; "quoted",\nand more'),
        ("cy", "q1.2"): (1.5, ""),
    }


def test_what_was_typed_is_there_after_the_tab_was_closed(context, page, page_file, tmp_path):
    page.get_by_label("Marker").fill("Ben")
    card = answer(page, "ada")
    card.focus()
    page.keyboard.press("w")
    card.locator("textarea").press_sequentially(" Because.")
    card.locator(".points input").fill("1.25")
    card.get_by_role("button", name="Keep as an item").click()
    page.close()
    again = context.new_page()
    again.goto(page_file.as_uri())
    assert again.get_by_label("Marker").input_value() == "Ben"
    before = values(answer(again, "ada"))
    assert before[0] == "1.25"
    assert "Because." in before[1]
    assert answer(again, "ada").locator(".state").inner_text() == "marked"
    # The item that was kept is there for the other answers to this check, and for no other check.
    other = answer(again, "bo")
    other.focus()
    again.keyboard.press("1")
    assert values(other) == before
    assert answer(again, "bo", "q1.2").locator(".item").count() == 3
    again.keyboard.press("1")
    assert values(other) == ("", "")
    # Another page, by another seed, begins anew; so does this one if one says so.
    again.on("dialog", lambda dialog: dialog.accept())
    again.get_by_role("button", name="Start over").click()
    expect(again.locator("#marker")).to_have_value("")
    assert values(answer(again, "ada")) == ("", "")


def test_keys_move_and_count_only_outside_of_fields(page):
    first, second = page.locator(".answer").nth(0), page.locator(".answer").nth(1)
    focused = "document.activeElement.id"
    first.focus()
    page.keyboard.press("j")
    assert page.evaluate(focused) == second.get_attribute("id")
    page.keyboard.press("k")
    assert page.evaluate(focused) == first.get_attribute("id")
    first.locator("textarea").click()
    page.keyboard.type("jamn")
    assert values(first) == ("", "jamn")
    page.keyboard.press("Escape")
    assert page.evaluate(focused) == first.get_attribute("id")
    page.keyboard.press("a")
    page.keyboard.press("n")
    assert page.evaluate(focused) == second.get_attribute("id")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("a")  # no answer has the focus
    page.get_by_label("only those not marked").check()
    assert page.locator(".answer:visible").count() == 5


def test_wrong_points_are_named_and_not_saved(page, tmp_path):
    card = answer(page, "ada", "q1.2")
    field = card.locator(".points input")
    for text, message in (("0.5", "not from 1 to 2"), ("3", "not from 1 to 2"), ("x", "a number")):
        field.fill(text)
        assert message in card.locator(".wrong").inner_text()
        assert field.get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="Save marks").click()
    assert page.locator("#progress").inner_text() == "0 of 6 marked, 1 with wrong points"
    assert page.locator("#kept").inner_text() == "Not saved: some points are wrong."
    assert page.evaluate("document.activeElement.closest('.answer').id") == card.get_attribute("id")
    field.fill("2")
    assert {row["points"] for row in read(save(page, tmp_path))} == {"", "2"}


def test_what_two_people_must_settle_is_settled_on_the_page(
    page, page_file, reports, run_cli, tmp_path
):
    rows = ["submission,check,points,comment,marker"]
    ada = [*rows, "ada,q1.1,2,,Ada", 'bo,q1.1,1,"=short, ""good""",Ada', "cy,q1.1,0,,Ada"]
    ben = [*rows, "ada,q1.1,2,,Ben", "bo,q1.1,2,,Ben", "cy,q1.1,0.5,,Ben"]
    for name, lines in (("ada.csv", ada), ("ben.csv", ben)):
        (tmp_path / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    files = (tmp_path / "ada.csv", tmp_path / "ben.csv")
    settle = tmp_path / "settled.csv"
    assert run_cli("mark", reports, "--compare", *files, "--settle", settle).status == 1
    answer(page, "cy").locator("textarea").fill("typed before")
    page.locator("#load").set_input_files(settle)
    expect(page.locator("#kept")).not_to_be_empty()
    said = "2 filled in, 1 left as typed here, 0 without an answer here."
    assert page.locator("#kept").inner_text() == f"Opened settled.csv: {said}"
    assert values(answer(page, "ada")) == ("2", "")
    assert values(answer(page, "bo")) == ("", 'Ada: 1: =short, "good"\nBen: 2')
    assert values(answer(page, "cy")) == ("", "typed before")
    answer(page, "bo").locator(".points input").fill("1.5")
    path = save(page, tmp_path)
    assert run_cli("mark", reports, "--marks", path).status == 0
    page.locator("#load").set_input_files(path)  # a file of the page's own
    expect(page.locator("#kept")).to_contain_text("marks.csv")
    assert "0 filled in, 3 left as typed here, 0 without" in page.locator("#kept").inner_text()
    path.write_text("submission;check;points\nnobody;q1.1;1\nada;q1.2;1,5\n", encoding="utf-8")
    page.locator("#load").set_input_files(path)
    expect(page.locator("#kept")).to_contain_text("1 without")
    assert values(answer(page, "ada", "q1.2")) == ("1,5", "")


def test_pictures_that_were_handed_in_are_seen(page):
    picture = answer(page, "ada").locator("img.handed-in")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("naturalWidth", 1)


@pytest.mark.parametrize("bypass_csp", [False, True], ids=["by_policy", "by_escaping"])
def test_nothing_that_a_student_wrote_runs(bypass_csp, browser, run_cli, tmp_path):
    made = handed_in("a", EVIL, text_of(EVIL, title=EVIL), formulas((BAD_MATHML, EVIL, EVIL)))
    for one in made["questions"][0]["checks"]:
        one |= {"message": EVIL, "notes": [EVIL], "title": EVIL}
    made["title"] = EVIL
    reports = store(tmp_path / "reports", made)
    assert run_cli("mark", reports, "--page", tmp_path / "p.html").status == 0
    context = browser.new_context(bypass_csp=bypass_csp)
    asked, said = [], []
    page = context.new_page()
    page.expose_function("hacked", lambda: said.append("hacked"))
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((tmp_path / "p.html").as_uri())
    card = answer(page, "a")
    card.focus()
    page.keyboard.press("f")
    card.locator(".points input").fill("1")
    card.locator("textarea").fill(EVIL)
    card.get_by_role("button", name="Keep as an item").click()
    page.reload()
    assert values(answer(page, "a"))[0] == "1"
    assert answer(page, "a").locator(".item").count() == 4
    page.wait_for_timeout(100)
    assert said == []
    assert {*asked} == {(tmp_path / "p.html").as_uri()}
    path = save(page, tmp_path)
    assert [row["check"] for row in read(path)] == ["q1.1", "q1.2"]
    assert run_cli("mark", reports, "--marks", path).status == 0
    context.close()


def test_a_browser_that_keeps_nothing_says_so(browser, page_file):
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('off'); } })"
    )
    page.goto(page_file.as_uri())
    assert "This browser keeps nothing" in page.locator("#kept").inner_text()
    context.close()


def test_without_scripts_the_answers_are_there(browser, page_file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator(".answer").count() == 6
    assert page.locator("fieldset:visible").count() == 0
    assert "grader mark --template" in page.locator("noscript").inner_text()
    context.close()
