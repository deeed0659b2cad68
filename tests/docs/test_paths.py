"""What the pages and comments name is there: files, folders, modules and links."""

import fnmatch
import importlib
import re
import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from tests.conftest import ROOT

OWN = ("benchmarks", "docs", "examples", "grader", "latexgrad", "reference",
       "submissions_template", "tests", ".ci", ".github")  # fmt: skip
PATH = re.compile(rf"(?<![\w/.>-])(?:{'|'.join(map(re.escape, OWN))})/[\w.*<>/-]*")
FILE = re.compile(r"`([\w.<>*/-]+\.(?:py|md|j2|toml|lark))`")
DOTTED = re.compile(r"(?<![\w/.-])(?:grader|latexgrad)(?:\.[A-Za-z_]\w*)+")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# Files that students have, or that a page shows.
THEIRS = {
    "docs/student.md": {"look.py"},
    "docs/instructor.md": {"rnn_layers_final.py", "rnn_layers-1.py", "replay.py"},
}


# Folders of other courses that this one does not need.
OPTIONAL = ("reference/facts/", ".github/workflows/classroom.yml")


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


TRACKED = tracked()
KNOWN = set(TRACKED) | {str(folder) for name in TRACKED for folder in PurePosixPath(name).parents}
PAGES = sorted(name for name in TRACKED if re.fullmatch(r"(docs/|tests/|\.github/)?\w+\.md", name))
SOURCES = sorted(
    name
    for name in TRACKED
    if name.startswith(("grader/", "latexgrad/", "benchmarks/", ".ci/"))
    or name in {"Dockerfile", ".dockerignore", "Makefile", "pyproject.toml", "constraints.txt"}
)


def is_here(named):
    """Say whether a path fits a file or folder; ``<name>`` and ``*`` stand for anything."""
    pattern = re.sub(r"<[^>]*>", "*", named).rstrip("/.")
    return any(
        fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, f"*/{pattern}")
        for name in KNOWN
    )


def is_a_module(dotted):
    """Say whether a dotted name is a module, or what is in one."""
    try:
        importlib.import_module(dotted)
    except ModuleNotFoundError:
        module, _, attribute = dotted.rpartition(".")
        return bool(module) and hasattr(sys.modules.get(module), attribute)
    return True


def texts(names):
    return [(name, (ROOT / name).read_text(encoding="utf-8", errors="replace")) for name in names]


def test_every_path_of_the_repository_that_is_named_is_there():
    wrong = {(name, path) for name, text in texts(PAGES + SOURCES) for path in PATH.findall(text)
             if not is_here(path) and not path.startswith(OPTIONAL)}  # fmt: skip
    assert not wrong, "\n".join(map(str, sorted(wrong)))


def test_every_source_file_that_a_page_names_is_there():
    wrong = {(name, file) for name, text in texts(PAGES) for file in FILE.findall(text)
             if not is_here(file) and file not in THEIRS.get(name, ())}  # fmt: skip
    assert not wrong, "\n".join(map(str, sorted(wrong)))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of modules that have moved
def test_every_module_that_is_named_is_there():
    wrong = {(name, module) for name, text in texts(PAGES + SOURCES)
             for module in DOTTED.findall(text) if not is_a_module(module)}  # fmt: skip
    assert not wrong, "\n".join(map(str, sorted(wrong)))


def test_every_link_leads_somewhere():
    wrong = {(name, link) for name, text in texts(PAGES) for link in LINK.findall(text)
             if "://" not in link and not ((ROOT / name).parent / link).exists()}  # fmt: skip
    assert not wrong, "\n".join(map(str, sorted(wrong)))


def test_what_the_image_is_made_of_is_there_and_reaches_it():
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {file for line in re.findall(r"^COPY (.*) \S+$", docker, re.MULTILINE)
              for file in line.split()}  # fmt: skip
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert [name for name in copied | let_in if not (ROOT / name).exists()] == []
    reached = {next(one for one in (name, name.partition("/")[0]) if one in let_in)
               for name in copied}  # fmt: skip
    assert reached == let_in


@pytest.mark.parametrize("named", ["grader/no_such.py", "docs/<page>/x.md", "grader/*.rs"])
def test_a_path_that_is_not_there_is_noticed(named):
    assert not is_here(named)


@pytest.mark.parametrize(
    "named", ["grader/checks/<kind>.py", "reference/submissions/", "forward.py", "docs/*.md"]
)
def test_a_path_with_a_placeholder_is_found(named):
    assert is_here(named)


def test_an_image_holds_what_the_links_of_its_files_lead_to():
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (\S+) /autograder/source/assignment/(\S*)$", docker, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    links = [
        path
        for folder in ("reference", "submissions_template")
        for path in (ROOT / folder).rglob("*")
        if path.is_symlink() and ROOT / "reference" / "submissions" not in path.parents
    ]
    assert links
    for link in links:
        target = link.resolve().relative_to(ROOT)
        sources = [source for source, _place in copied if target.is_relative_to(source)]
        assert sources, f"{link.relative_to(ROOT)} leads to {target}, which no COPY brings"
        assert all(f"!{source}" in ignored for source in sources)
        assert all(place in (source, "") for source, place in copied if source in sources)
