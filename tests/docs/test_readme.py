"""The first page is true: its commands are run, and print what it shows."""

import re
import shutil

import pytest

from tests.conftest import ROOT
from tests.docs.followed import follow

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def repository(open_folder):
    """What the page's commands need of the repository, to be written to at will."""
    shutil.copy(ROOT / "rubric.yaml", open_folder)
    shutil.copytree(ROOT / "submissions_template", open_folder / "submissions_template")
    shutil.copytree(ROOT / "reference", open_folder / "reference")
    return open_folder


def test_every_command_prints_what_the_page_shows(repository):
    wrong = follow(PAGE, repository)
    assert not wrong, "\n\n".join(wrong)


def test_the_page_shows_commands_that_are_run():
    assert len(re.findall(r"^\$ grader", PAGE, re.MULTILINE)) >= 3


def test_the_page_counts_the_examples_rightly():
    examples = len(list(ROOT.glob("reference/submissions/*/*/expected.yaml")))
    assert set(re.findall(r"all (\d+) examples", PAGE)) == {str(examples)}


def test_the_make_targets_of_the_pages_are_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
    named = {
        target
        for page in pages
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert named <= targets
