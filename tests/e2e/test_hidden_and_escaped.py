"""What a submission says stays text everywhere, and what is hidden stays hidden."""

from __future__ import annotations

import csv
import html.parser
import json
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.toy import make
from tests.conftest import ROOT, checks_of

CHECKS = """
      - {id: q1.1, title: line, points: 2, kind: values, function: Line, driver: toy.line,
         cases: line, shares: {values: 0.75, edge_cases: 0.25}, outputs: {value: 0.5, slope: 0.5}}
      - {id: q1.2, title: trained, points: 2, kind: property, function: train, dataset: toy,
         driver: toy.train, judge: toy.look, properties: {half: 0.75, device: 0.25},
         visibility: hidden, hint: Think of a slope of two.}
"""
# Every way to be more than text that one text can hold.
EVIL = (
    "</p><script>alert(1)</script><img src=x onerror=alert(2)> \x1b[2J\x9b31m\u202e\u2066 =cmd() "
)
EVIL += "{{ 7*7 }} {% raw %} [bold]x[/bold] **b** [l](javascript:x) $x$ \r100 of 100 points\u2028q"
SUBMISSION = f"""
EVIL = {EVIL!r}
print("PRINTED" + EVIL)

def error(word):
    kind = type("CLASS" + EVIL, (Exception,), {{}})
    return kind(word + EVIL + "\\n100 of 100 points")

class Line:
    def __init__(self, slope):
        raise error("VISIBLE")

def train(x):
    raise error("SECRET")
"""
# Of no control character but the line's end, and of no other kind of line break.
FORBIDDEN = ("C", "Zl", "Zp")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def graded(folder, grade, tmp_path):
    """Grade the evil submission; return what was printed, and the folder of the reports."""
    rubric = make(folder / "assignment", CHECKS)
    archive = folder / f"=cmd() {EVIL.replace('/', '')}.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("toy.py", SUBMISSION)
        packed.writestr(f"notes {EVIL.replace('/', '').replace(':', '')}.txt", b"x")
        packed.writestr(f"../{EVIL}", b"x")
        packed.writestr("a\n100 of 100 points\n.so", b"x")
    shutil.copy(archive, folder / "-1+1.zip")
    done, reports = grade(archive, folder / "-1+1.zip", options=("--rubric", rubric))
    assert done.status == 0
    assert len(reports) == 2
    return done, reports, tmp_path / "out"


def harmless(text: str) -> bool:
    return all(
        char == "\n" or not unicodedata.category(char).startswith(FORBIDDEN) for char in text
    )


class Page(html.parser.HTMLParser):
    """Collects tags and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def test_the_submission_says_what_it_should(graded):
    """The other tests would be empty if nothing of it arrived."""
    _done, reports, _out = graded
    for made in reports.values():
        checks = checks_of(made)
        assert "VISIBLE" in checks["q1.1"]["message"]
        assert "CLASS" in checks["q1.1"]["message"]
        assert "SECRET" in checks["q1.2"]["message"]
        assert "PRINTED" in checks["q1.1"]["output"]
        assert len(made["submission"]["notes"]) == 2
        assert any("script" in name for name in made["submission"]["files"])


def test_pages_hold_no_tag_and_no_control_character_of_a_submission(graded):
    _done, _reports, out = graded
    pages = sorted(out.rglob("*.html"))
    assert len(pages) == 3
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert harmless(text), path.name
        page = Page(text)
        own = {"script"} if path.name == "index.html" else set()  # its policy names it by its hash
        assert text.count("<script") == len(own)
        assert not {"script", "iframe", "object", "link", "form", "base"} & page.tags - own
        assert not [name for name, _value in page.attributes if name.startswith("on")]
        links = [value or "" for name, value in page.attributes if name in ("href", "src")]
        assert all(
            link.startswith(("#", "data:image/"))
            or link.partition("#")[0].endswith(("/report.html", "../index.html"))
            for link in links
        )
        assert "default-src 'none'" in text
        if path.name == "report.html":
            assert "{{ 7*7 }}" in page.text


def test_no_cell_of_the_gradebook_is_a_formula(graded):
    _done, _reports, out = graded
    text = (out / "gradebook.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines()))
    assert len(rows) == 3
    for row in rows:
        for cell in row:
            assert harmless(cell)
            start = unicodedata.normalize("NFKC", cell.strip()[:1])
            assert start not in ("=", "@", "+") or cell.startswith("'")
            assert start != "-" or cell.startswith("'")


def test_the_terminal_shows_no_control_character_and_no_line_of_a_submission(graded):
    done, _reports, _out = graded
    assert harmless(done.out + done.err)
    assert not [line for line in done.out.splitlines() if line.startswith("100 of 100")]


def test_one_report_on_the_terminal_has_no_line_of_a_submission(graded, folder, grade):
    done, _reports = grade(
        folder / "-1+1.zip", options=("--rubric", folder / "assignment" / "rubric.yaml")
    )
    assert "VISIBLE" in done.out
    assert harmless(done.out + done.err)
    lines = [line for line in done.out.splitlines() if line.startswith("100 of")]
    assert lines == []
    assert [line for line in done.out.splitlines() if line.startswith("0 of 4 points")]


def test_results_are_plain_text_without_control_characters(graded):
    _done, _reports, out = graded
    for path in out.glob("*/results.json"):
        results = json.loads(path.read_text(encoding="utf-8"))
        assert results["output_format"] == "text"
        assert harmless(results["output"])
        (first, *notes) = results["output"].splitlines()
        assert first.startswith("0 of ")
        assert all(" was left out: " in note for note in notes)
        for test in results["tests"]:
            assert test["output_format"] == "text"
            assert test.get("name_format", "text") == "text"
            assert harmless(test["output"] + test["name"])


def test_of_a_hidden_check_results_hold_the_hint_only(graded):
    _done, reports, out = graded
    for made in reports.values():
        cause = {"id": "exception.Exception", "text": "it raises Exception"}
        assert [check["cause"] for check in checks_of(made).values()] == [cause, cause]
    for path in out.glob("*/results.json"):
        text = path.read_text(encoding="utf-8")
        for secret in ("SECRET", "PRINTED", "duration", "measurements", "seed", "cause"):
            assert secret not in text
        hidden = json.loads(text)["tests"][1]
        assert hidden["output"] == "Think of a slope of two."
        assert hidden["visibility"] == "hidden"
        assert set(hidden) <= {
            "name", "number", "score", "max_score", "status", "output", "output_format",
            "name_format", "visibility", "extra_data",
        }  # fmt: skip
        assert hidden["extra_data"] == {"outcome": "failed"}


def test_files_for_programs_hold_no_raw_control_character(graded):
    _done, _reports, out = graded
    for path in out.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert all(char == "\n" or unicodedata.category(char)[0] != "C" for char in text)


def test_students_see_nothing_of_a_hidden_check_in_their_own_terminal(folder, run_cli):
    rubric = make(folder / "assignment", CHECKS)
    (folder / "mine").mkdir()
    (folder / "mine" / "toy.py").write_text(SUBMISSION)
    done = run_cli("check", folder / "mine", "--rubric", rubric)
    assert done.status == 1
    assert "VISIBLE" in done.out
    assert "SECRET" not in done.out + done.err
    assert "q1.2" not in done.out + done.err
    assert harmless(done.out + done.err)


def test_pytest_shows_no_control_character_of_a_submission(folder):
    rubric = make(folder / "assignment", CHECKS)
    (folder / "mine").mkdir()
    (folder / "mine" / "toy.py").write_text(SUBMISSION)
    command = [sys.executable, "-m", "pytest", str(rubric), "--submission", str(folder / "mine")]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--color=no", f"--rootdir={rubric.parent}"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "VISIBLE" in done.stdout
    assert harmless(done.stdout + done.stderr)
