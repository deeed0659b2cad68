"""Text as a weapon in derivations, titles, predictions and names: it is shown as text."""

from __future__ import annotations

import html.parser
import json
import subprocess
import sys

import pytest

from grader.reports.terminal import clean
from tests.conftest import ROOT

TEXTS = (
    "escape_codes_in_a_derivation",
    "markup_in_a_derivation",
    "names_of_parameters_as_markup",
    "predictions_for_a_spreadsheet",
    "predictions_in_words",
    "predictions_with_escape_codes",
    "program_in_a_derivation",
    "titles_of_markup_and_escape_codes",
)
REPORTS = ("report.json", "results.json", "pytest.json")


class Tags(html.parser.HTMLParser):
    """The tags of a page, and the attributes of all of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes += attrs


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """Grade the examples; return what was printed, and the folder of reports."""
    out = tmp_path_factory.mktemp("out")
    command = [sys.executable, "-m", "grader", "verify", *(f"hostile/{name}" for name in TEXTS)]
    done = subprocess.run([*command, "--out", str(out)], check=False, capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode() + done.stderr.decode(), out


def test_what_is_printed_carries_no_control_character(verified):
    printed, _out = verified
    assert printed == clean(printed)


@pytest.mark.parametrize("name", TEXTS)
def test_the_page_runs_nothing_of_a_submission(name, verified):
    _printed, out = verified
    text = (out / f"hostile.{name}" / "report.html").read_text(encoding="utf-8")
    page = Tags(text)
    assert not page.found & {"script", "iframe", "object", "link"}
    assert not [attribute for attribute, _value in page.attributes if attribute.startswith("on")]
    sources = [value or "" for attribute, value in page.attributes if attribute == "src"]
    assert all(source.startswith("data:image/") for source in sources)  # our own figures
    assert text == clean(text)


@pytest.mark.parametrize("name", TEXTS)
def test_the_files_for_machines_are_plain(name, verified):
    _printed, out = verified
    for file in REPORTS:
        path = out / f"hostile.{name}" / file
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert text == clean(text)
            json.loads(text)
