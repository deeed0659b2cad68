"""The marking page: every pending check once, in an order of its own, with nothing that can run."""

import base64
import csv
import hashlib
import html as entities
import io
import json
import re
from html.parser import HTMLParser

import pytest

from tests.made_reports import check, report_of, store

EVIL = (
    '"></textarea></script><script>hacked()</script><img src=x onerror="hacked()"> \x1b[2J\u202e'
    "' onfocus='hacked()' <!-- {{ 7*7 }} ]]>"
)
MATHML = "<math><mi>x</mi></math>"
BAD_MATHML = '<math><mi onclick="hacked()">x</mi></math>'
NAMES = [f"student{n:02d}" for n in range(12)]


class Parsed(HTMLParser):
    """The tags, attributes and texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.text += f"{data} "


def formulas(*rows):
    made = [
        {"place": f"line {n}", "mathml": mathml, "source": source, "verdict": verdict}
        for n, (mathml, source, verdict) in enumerate(rows, 1)
    ]
    return {"kind": "formulas", "title": "derivations.tex", "rows": made}


def text_of(text, title="why.md"):
    return {"kind": "text", "title": title, "text": text}


def handed_in(name, text, *more, student=None):
    """Return a report with a text that waits, a derivation of which one part waits, and one check
    that is decided.
    """
    parts = [
        {"name": part, "points": points, "max_points": 1.0, "reason": None, "message": "",
         "cause": None} | extra
        for part, points, extra in (("dW", 1.0, {}), ("db", 0.0, {"undecided": True}))
    ]  # fmt: skip
    derivation = check(
        "q1.2", "pending", 1.0, 2.0, kind="derivation", parts=parts, message="line 2: unclear",
        figures=[formulas((MATHML, "x = 1", "right"), ("", "y = ?", ""))],
    )  # fmt: skip
    decided = check("q1.3", "failed", 0.0, 1.0, message="decided long ago")
    written = check("q1.1", "pending", 0.0, 2.0, title="explanation", kind="written",
                    figures=[text_of(text), *more])  # fmt: skip
    made = report_of(written, derivation, decided, score=1.0, status="pending")
    made["submission"] |= {"id": name, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    if student is not None:
        made["submission"]["student"] = student
    return made


@pytest.fixture
def reports(tmp_path):
    return store(tmp_path / "reports", *(handed_in(name, f"text of {name}") for name in NAMES))


@pytest.fixture
def page_of(run_cli, tmp_path):
    """Write the page of a folder of reports; return its text."""

    def write(reports, *options, name="marks.html", seed=7):
        path = tmp_path / name
        ran = run_cli("mark", reports, "--page", path, "--order-seed", seed, *options)
        assert (ran.status, ran.err) == (0, "")
        return path.read_text(encoding="utf-8")

    return write


def rows_of(page):
    """Return the rows that the page will save, in its order."""
    found = re.findall(r'data-row="([^"]*)"', page)
    return [json.loads(entities.unescape(row)) for row in found]


def order_of(page, name="q1.1"):
    return [row["submission"] for row in rows_of(page) if row["check"] == name]


def test_every_pending_check_is_there_once_and_no_other(reports, page_of):
    page = page_of(reports)
    found = sorted((row["submission"], row["check"]) for row in rows_of(page))
    assert found == [(name, check) for name in NAMES for check in ("q1.1", "q1.2")]
    assert "decided long ago" not in page
    assert all(f"text of {name}" in page for name in NAMES)
    assert "24 answers to 2 checks" in page


def test_the_rows_are_those_of_the_template(run_cli, reports, page_of, tmp_path):
    page = page_of(reports)
    assert run_cli("mark", reports, "--template", tmp_path / "marks.csv").status == 0
    text = (tmp_path / "marks.csv").read_text(encoding="utf-8-sig")
    expected = list(csv.DictReader(io.StringIO(text)))
    (columns,) = re.findall(r'data-columns="([^"]*)"', page)
    assert columns.split(",") == [*expected[0]]
    key = lambda row: (row["submission"], row["check"])  # noqa: E731
    assert sorted(rows_of(page), key=key) == sorted(expected, key=key)


def test_the_order_is_drawn_by_a_seed_that_is_named_for_each_check_anew(reports, page_of):
    page = page_of(reports)
    assert sorted(order_of(page)) == NAMES
    assert order_of(page) not in (NAMES, NAMES[::-1])
    assert order_of(page) != order_of(page, "q1.2")
    assert "by the seed 7" in page
    assert page_of(reports, name="again.html").replace("again_files", "marks_files") == page
    assert order_of(page_of(reports, name="other.html", seed=8)) != order_of(page)


def test_who_hands_in_later_does_not_move_the_others(reports, page_of):
    before = order_of(page_of(reports))
    store(reports, handed_in("a_newcomer", "late"))
    after = order_of(page_of(reports, name="after.html"))
    assert [name for name in after if name != "a_newcomer"] == before


def test_without_a_seed_one_is_drawn_and_named(run_cli, reports, tmp_path):
    seeds = set()
    for number in range(3):
        path = tmp_path / f"{number}.html"
        ran = run_cli("mark", reports, "--page", path)
        (seed,) = re.findall(r"order: seed (\d+) \(--order-seed \1 gives the same again\)", ran.out)
        assert f"by the seed {seed};" in path.read_text(encoding="utf-8")
        seeds.add(seed)
    assert len(seeds) > 1


def test_what_was_read_and_what_was_not_is_shown(reports, page_of):
    text = " ".join(Parsed(page_of(reports)).text.split())
    assert "Formulas: 1 right; not read: line 2" in text
    assert "db 0 to 1 / 1 you decide" in text
    assert "dW 1 / 1 right" in text
    assert "Points, 1 to 2" in text  # what is decided stays
    assert "Points, 0 to 2" in text


def test_what_students_wrote_stays_text(tmp_path, page_of):
    def made(text, mathml):
        report = handed_in("a" if text == "x" else "b", text)
        for one in report["questions"][0]["checks"]:
            one |= {"message": text, "notes": [text], "title": text}
            one["parts"] = [{**part, "name": text, "message": text} for part in one["parts"]]
            one["figures"] = [
                text_of(text, title=text),
                formulas((mathml, text, text)),
                {"kind": "table", "title": text, "header": [text], "rows": [[text]]},
                {"kind": "files", "title": text, "items": [{"name": text, "bytes": 1, "file": ""}]},
                {"kind": "pictures", "title": text, "items": [{"caption": text, "file": text}]},
            ]
        report["title"] = text
        report["submission"]["student"] = {"name": text}
        return store(tmp_path / report["submission"]["id"], report)

    clean = Parsed(page_of(made("x", MATHML), name="clean.html"))
    page = page_of(made(EVIL, BAD_MATHML), name="evil.html")
    evil = Parsed(page)
    assert set(evil.tags) == set(clean.tags) - {"math", "mi"}
    assert evil.tags.count("script") == page.count("</script>") == 1
    assert not [name for _tag, name, _value in evil.attributes if name.startswith("on")]
    assert {name for _t, name, _v in evil.attributes} == {name for _t, name, _v in clean.attributes}
    assert "{{ 7*7 }}" in evil.text
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_names_of_submissions_cannot_leave_their_attributes(tmp_path, page_of):
    evil = '=a" onfocus="hacked()\' <b>'
    made = handed_in("x", "t")
    made["submission"]["id"] = evil
    folder = tmp_path / "reports" / "x"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(made), encoding="utf-8")
    page = page_of(folder.parent)
    parsed = Parsed(page)
    assert not [name for _tag, name, _value in parsed.attributes if name.startswith("on")]
    assert rows_of(page)[0]["submission"] == f"'{evil}"  # no formula for a spreadsheet


def test_the_page_allows_its_own_script_and_no_other(reports, page_of):
    page = page_of(reports)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval", script)
    addresses = [v for _t, name, v in Parsed(page).attributes if name in ("src", "href")]
    assert all(not re.match(r"[a-z]+:|//", address) for address in addresses)


STUDENT = {"name": "Ada Lovelace", "id": "10155", "email": "ada@example.edu"}
SAYS = "Ada Lovelace (lovelaceada_10155), LOVELACE, ADA <ada@example.edu>, 10155: it overfits"


@pytest.fixture
def named(tmp_path):
    one = handed_in("lovelaceada_10155", SAYS, student=STUDENT)
    return store(tmp_path / "named", one, handed_in("turingalan_10166", "no idea"))


def test_an_anonymous_page_holds_no_name_number_or_digest(named, page_of):
    assert "Ada Lovelace" in page_of(named, name="with.html")
    page = page_of(named, "--anonymous")
    for text in ("lovelace", "ada@", "10155", "turing", "10166", "report.html"):
        assert text not in page.lower()
    assert "it overfits" in page
    assert not any(row["sha256"] for row in rows_of(page))
    assert all(re.fullmatch("anonymous-[0-9a-f]{12}", name) for name in order_of(page))


def test_marks_under_anonymous_names_go_to_the_right_reports(named, page_of, run_cli, tmp_path):
    rows = rows_of(page_of(named, "--anonymous"))
    texts = {"lovelaceada_10155": "2", "turingalan_10166": "0.5"}
    page = (tmp_path / "marks.html").read_text(encoding="utf-8")
    first = page.index("it overfits") < page.index("no idea")
    points = ["2", "0.5"] if first else ["0.5", "2"]
    names = [row["submission"] for row in rows if row["check"] == "q1.1"]
    marks = tmp_path / "marks.csv"
    lines = [f"{name},q1.1,{given}" for name, given in zip(names, points, strict=True)]
    marks.write_text("\n".join(["submission,check,points", *lines]) + "\n", encoding="utf-8")
    assert run_cli("mark", named, "--marks", marks).status == 0
    for name, given in texts.items():
        made = json.loads((named / name / "report.json").read_text(encoding="utf-8"))
        assert made["questions"][0]["checks"][0]["points"] == float(given)


def test_an_anonymous_mark_does_not_go_to_what_was_handed_in_again(
    named, page_of, run_cli, tmp_path
):
    (name,) = [
        row["submission"]
        for row in rows_of(page_of(named, "--anonymous"))[:1]
    ]  # fmt: skip
    for one in named.glob("*/report.json"):
        made = json.loads(one.read_text(encoding="utf-8"))
        made["submission"]["sha256"] = "1" * 64
        one.write_text(json.dumps(made), encoding="utf-8")
    (tmp_path / "m.yaml").write_text(f"{name}: {{q1.1: 2}}\n", encoding="utf-8")
    ran = run_cli("mark", named, "--marks", tmp_path / "m.yaml")
    assert ran.status == 2
    assert f"m.yaml:1: no report has the anonymous name {name}; was the work handed in" in ran.err


def test_files_of_students_lie_beside_the_page_under_names_that_say_nothing(tmp_path, page_of):
    items = [
        {"name": "my photo.jpg", "bytes": 3, "file": "figures/q1.1-1-1.jpg"},
        {"name": "scan.pdf", "bytes": 3, "file": "figures/q1.1-1-2.pdf"},
        {"name": "page.html", "bytes": 3, "file": "figures/q1.1-1-3.html"},
        {"name": "gone.pdf", "bytes": 3, "file": "figures/q1.1-1-4.pdf"},
    ]
    figure = {"kind": "files", "title": "handed in", "items": items}
    reports = store(tmp_path / "reports", handed_in("ada", "text", figure))
    (reports / "ada" / "figures").mkdir()
    for item in items[:3]:
        (reports / "ada" / item["file"]).write_bytes(item["name"].encode())
    page = page_of(reports, name="my marks.html")
    beside = tmp_path / "my marks_files"
    assert {path.name: path.read_bytes() for path in beside.iterdir()} == {
        "q1.1-1-1.jpg": b"my photo.jpg",
        "q1.1-1-2.pdf": b"scan.pdf",
        "q1.1-1-3.bin": b"page.html",  # a page would run its programs beside ours
    }
    parsed = Parsed(page)
    (image,) = [value for tag, name, value in parsed.attributes if (tag, name) == ("img", "src")]
    assert image == "my%20marks_files/q1.1-1-1.jpg"
    assert "my photo.jpg, as it was handed in" in [
        v for _t, n, v in parsed.attributes if n == "alt"
    ]


def test_the_link_beside_an_answer_leads_to_its_check_in_the_report(tmp_path, reports, page_of):
    page = page_of(reports)
    links = re.findall(r'href="(reports/[^"#]*)#([^"]*)"', page)
    assert len(links) == 24
    assert all((tmp_path / path).parent.is_dir() for path, _check in links)
    assert {name for _path, name in links} == {"q1.1", "q1.2"}


ITEMS = """\
q1.1:
  - {key: a, points: 2, comment: "Clear."}
  - {key: w, add: -0.5, comment: "Why <b>these</b>?"}
"""


def items_of(page, name):
    section = page.partition(f'<section class="card" id="{name}"')[2].partition("</section>")[0]
    card = section.partition("</fieldset>")[0]
    found = re.findall(
        r'data-key="(.)" data-points="([^"]*)" data-sets="(.)" data-comment="([^"]*)"', card
    )
    return [
        (key, float(points), sets, entities.unescape(text)) for key, points, sets, text in found
    ]


def test_items_are_those_of_the_file_and_otherwise_all_half_and_none(tmp_path, reports, page_of):
    (tmp_path / "items.yaml").write_text(ITEMS, encoding="utf-8")
    page = page_of(reports, "--items", tmp_path / "items.yaml")
    expected = [("a", 2.0, "1", "Clear."), ("w", -0.5, "0", "Why <b>these</b>?")]
    assert items_of(page, "q1.1") == expected
    assert items_of(page, "q1.2") == [("f", 2.0, "1", ""), ("h", 1.5, "1", ""), ("z", 1.0, "1", "")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1.9: [{key: a, points: 1}]", "1: no report has the check 'q1.9' (did you mean 'q1."),
        ("q1.1: {key: a}", "1: q1.1: must be a list of items"),
        ("- a", "1: must map checks to items"),
        ("q1.1:\n  - {key: j, points: 1}", "2: key: j goes to the next answer"),
        ("q1.1:\n  - {key: ab, points: 1}", "2: key: 'ab' is not one small letter or digit"),
        ("q1.1: [{key: a, points: 1}, {key: a, add: 1}]", "1: key: a is there twice"),
        ("q1.1: [{key: a, points: 3}]", "1: 3 points do not fit the check's 2"),
        ("q1.1: [{key: a, points: -1}]", "1: -1 points do not fit the check's 2"),
        ("q1.1: [{key: a, points: x}]", "1: points: 'x' is not a number"),
        ("q1.1: [{key: a}]", "1: needs either points, which sets them, or add"),
        ("q1.1: [{key: a, points: 1, add: 1}]", "1: needs either points"),
        ("q1.1: [{key: a, points: 1, coment: b}]", "1: unknown key 'coment' (did you mean"),
        ("q1.1: [{key: a, points: 1, comment: [b]}]", "1: comment: must be text"),
        ("q1.1: [3]", "1: an item must be a mapping"),
        ("", "1: is empty"),
    ],
)
def test_items_that_are_wrong_are_named_with_their_line(text, message, reports, run_cli, tmp_path):
    path = tmp_path / "items.yaml"
    path.write_text(text, encoding="utf-8")
    ran = run_cli("mark", reports, "--page", tmp_path / "p.html", "--items", path)
    assert ran.status == 2
    assert f"items.yaml:{message}" in ran.err
    assert not (tmp_path / "p.html").exists()


def test_nothing_is_overwritten_and_options_need_their_command(reports, run_cli, tmp_path):
    page = tmp_path / "marks.html"
    (tmp_path / "marks_files").mkdir()
    ran = run_cli("mark", reports, "--page", page)
    assert ran.status == 2
    assert "marks_files already exists; name another or delete it" in ran.err
    (tmp_path / "marks_files").rmdir()
    assert run_cli("mark", reports, "--page", page).status == 0
    assert run_cli("mark", reports, "--page", page).status == 2
    ran = run_cli("mark", reports, "--template", tmp_path / "t.csv", "--anonymous")
    assert (ran.status, "need --page FILE" in ran.err) == (2, True)
    ran = run_cli("mark", reports, "--marks", page, "--settle", tmp_path / "s.csv")
    assert (ran.status, "--settle needs --compare" in ran.err) == (2, True)
    assert run_cli("mark", reports, "--page", page, "--marks", page).status == 2


def test_a_class_in_which_nothing_waits_has_a_page_that_says_so(tmp_path, page_of):
    done = report_of(check("q1.1", "passed", 1.0, 1.0), score=1.0)
    page = page_of(store(tmp_path / "reports", done))
    assert "Nothing waits for a person." in page
    assert "0 answers to 0 checks" in page
