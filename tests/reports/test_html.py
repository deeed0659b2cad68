"""The pages: complete, self-contained, and harmless whatever a submission says."""

import copy
import html.parser

import pytest

from grader.reports import building
from grader.reports import html as pages
from tests.conftest import LAYERS, SUBMISSIONS
from tests.made_reports import typed

EVIL = "</p><script>alert(1)</script><img src=x onerror=alert(2)> \x1b[31m \u202eevil {{ 7*7 }}"


class Tags(html.parser.HTMLParser):
    """Collects tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


@pytest.fixture
def made(grade):
    _ran, reports = grade(SUBMISSIONS / "wrong" / "softmax_epsilon", only=LAYERS[8:])
    return reports["softmax_epsilon"]


def test_the_page_shows_every_check_with_its_points_and_message(made):
    text = " ".join(parsed(pages.report(typed(made))).text.split())
    for question in made["questions"]:
        for check in question["checks"]:
            assert f"{check['id']}" in text
            assert f"{check['points']:g} / {check['max_points']:g}" in text
            assert check["message"] in text
            assert str(check["seed"]) in text
    assert "5 of 7 points" in text
    assert made["submission"]["sha256"] in text


def test_nothing_is_loaded_from_anywhere(made):
    tags = parsed(pages.report(typed(made)))
    assert not {"script", "link", "iframe", "object"} & set(tags.tags)
    links = [value for name, value in tags.attributes if name in ("src", "href")]
    assert all(link.startswith(("#", "data:")) for link in links)


def test_text_of_a_submission_stays_text(made):
    evil = copy.deepcopy(made)
    evil["submission"]["id"] = EVIL
    evil["submission"]["notes"] = evil["submission"]["files"] = [EVIL]
    for question in evil["questions"]:
        for check in question["checks"]:
            check |= {"message": EVIL, "notes": [EVIL, EVIL + "2"], "output": EVIL}
            check["measurements"] = {EVIL: EVIL}
            check["parts"] = [{**part, "name": EVIL, "message": EVIL} for part in check["parts"]]
    clean_tags = set(parsed(pages.report(typed(made))).tags)
    page = pages.report(typed(evil))
    tags = parsed(page)
    assert set(tags.tags) - {"ul", "li", "pre"} <= clean_tags
    assert not [name for name, _value in tags.attributes if name.startswith("on")]
    assert "{{ 7*7 }}" in tags.text
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_the_overview_links_every_report_and_escapes_names(made, tmp_path):
    other = copy.deepcopy(made)
    other["submission"]["id"] = 'a"b<c>'
    broken = copy.deepcopy(made)
    broken |= {"status": "broken", "score": None, "questions": []}
    broken["submission"]["id"] = "zoe"
    pages.write_index(tmp_path / "index.html", map(typed, [made, other, broken]))
    tags = parsed((tmp_path / "index.html").read_text())
    links = [value for name, value in tags.attributes if name == "href"]
    assert {link.partition("#")[0] for link in links} == {
        "", "a%22b%3Cc%3E/report.html", "softmax_epsilon/report.html", "zoe/report.html",
    }  # fmt: skip
    assert "1 without a grade, by our fault" in tags.text
    assert "c" not in tags.tags


def test_the_overview_has_students_if_the_platform_told_any(made, tmp_path):
    index = tmp_path / "index.html"
    pages.write_index(index, [typed(made)])
    assert ">student</th>" not in index.read_text()
    named, nameless = copy.deepcopy(made), copy.deepcopy(made)
    named["submission"] |= {"id": "b", "student": {"name": "Ada <b>Løvelace</b>\u202e", "id": "7"}}
    nameless["submission"] |= {"id": "c", "student": {"id": "8"}}
    pages.write_index(index, map(typed, [made, nameless]))
    assert ">student</th>" not in index.read_text()
    pages.write_index(index, map(typed, [made, named, nameless]))
    page = index.read_text()
    tags = parsed(page)
    assert page.count(">student</th>") == 1
    assert "Ada <b>Løvelace</b>" in tags.text
    assert "\u202e" not in page
    heads, *rows = page.partition('id="submissions"')[2].split("<tr")[1:]
    assert {row.count("<td") + row.count("<th") for row in rows} == {heads.count("<th ")}


def test_a_broken_report_says_whose_fault_it_is(rubric):
    page = pages.report(building.broken(rubric, "x", "mini", "the disk is on fire"))
    assert "No grade" in page
    assert "the disk is on fire" in page
    assert "not a zero" in page


def test_a_note_about_the_whole_module_is_shown_once(grade):
    _ran, reports = grade(SUBMISSIONS / "wrong" / "missing_package", only=("q3",))
    text = parsed(pages.report(typed(reports["missing_package"]))).text
    assert text.count("imports 'seaborn'") == 1
    assert "(q3.1, q3.2, q3.3, q3.4)" in text


def test_the_overview_tells_a_zero_for_unread_files_from_others(made, tmp_path):
    index = tmp_path / "index.html"
    unread = copy.deepcopy(made)
    unread["score"] = 0.0
    pages.write_index(index, [typed(unread)])
    assert "look at this zero" not in index.read_text()
    for question in unread["questions"]:
        for check in question["checks"]:
            check |= {"reason": "missing", "message": "<b>x.zip</b> is cut off"}
    pages.write_index(index, map(typed, [made, unread]))
    page = index.read_text()
    assert page.count("look at this zero: &lt;b&gt;x.zip&lt;/b&gt; is cut off") == 1
