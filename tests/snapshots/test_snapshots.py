"""Whole messages and pages as people see them; a change shows up as a diff to be read.

What differs from one run or machine to the next (times, versions, paths, pictures, what isolates)
is replaced by a word in capitals. ``pytest tests/snapshots --snapshot-update`` writes the snapshots
anew; ``git diff tests/snapshots`` is what a reviewer reads.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

import grader
from grader.frontends import examination
from grader.frontends.student import bundle
from grader.isolation.sandbox import IsolationLevel, contract
from tests import class_of_three
from tests.conftest import ROOT, SUBMISSIONS, handed_in

REJECTS = ROOT / "tests" / "assignment" / "rejects"
WORDS = (
    (r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+", "PICTURE"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\+00:00|Z| UTC)?", "TIME"),
    (r"\b\d+(\.\d+)? ?(ms|s)\b(?! of)", "DURATION"),
    (r'("duration_s"|"execution_time"): [\d.e-]+', r"\1: DURATION"),
    (r'(data-label="seconds">)[\d.]+', r"\1DURATION"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (rf"(?<![\d.]){re.escape(grader.__version__)}(?![\d.])", "VERSION"),
    (r"(isolation: |<dt>isolation</dt><dd>)(full|partial|none)[^\n<]*", r"\1LEVEL"),
)


def plain(text: str, folder: Path | None = None) -> str:
    """Replace what differs from one run or machine to the next by words in capitals."""
    if folder is not None:
        text = text.replace(str(folder), "FOLDER")
    text = text.replace(str(ROOT), "REPOSITORY")
    for pattern, word in WORDS:
        text = re.sub(pattern, word, text)
    # Where a path was folded, or a line was filled up, depends on the length of the path.
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


class Text(SingleFileSnapshotExtension):
    """A snapshot is a text file of its own."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


class Page(Text):
    file_extension = "html"


class Json(Text):
    file_extension = "json"


@pytest.fixture
def text(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Text)


# ------------------------------------------------------------------------ a class of three ---


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of the small class: right and wrong, pictures, texts that wait for a person."""
    return class_of_three.grade(tmp_path_factory.mktemp("class"))


@pytest.mark.parametrize("student", ["alice", "bob", "carol"])
def test_the_page_of_a_submission(student: str, graded: Path, snapshot: SnapshotAssertion) -> None:
    (page,) = graded.glob(f"*{student}/report.html")
    assert plain(page.read_text(encoding="utf-8")) == snapshot.use_extension(Page)


def test_the_page_of_a_class(graded: Path, snapshot: SnapshotAssertion) -> None:
    page = (graded / "index.html").read_text(encoding="utf-8")
    assert plain(page) == snapshot.use_extension(Page)


def test_what_gradescope_shows(graded: Path, snapshot: SnapshotAssertion) -> None:
    (path,) = graded.glob("*bob/results.json")
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    shown = json.dumps(results, indent=2, sort_keys=True, ensure_ascii=False)
    assert plain(shown) == snapshot.use_extension(Json)


def test_the_gradebook(graded: Path, text: SnapshotAssertion) -> None:
    assert plain((graded / "gradebook.csv").read_text(encoding="utf-8-sig")) == text


# ------------------------------------------------------------------------------- terminals ---


def test_grade_on_one_submission(run_cli, tmp_path: Path, text: SnapshotAssertion) -> None:
    folder = handed_in("wrong/rnn_step_without_bias", tmp_path)
    command = ("grade", folder, "--out", tmp_path / "reports", "--rubric", ROOT / "rubric.yaml")
    ran = run_cli(*command, "--only", "q3.1", "--only", "q3.2", "--only", "q5.3")
    assert ran.status == 0
    assert plain(ran.out, tmp_path) == text


def test_grade_on_a_class(run_cli, tmp_path: Path, text: SnapshotAssertion) -> None:
    hand_ins = tmp_path / "class"
    hand_ins.mkdir()
    for name in ("softmax_epsilon", "missing_package"):
        handed_in(f"wrong/{name}", hand_ins)
    (hand_ins / "damaged.zip").write_bytes(b"PK\x03\x04 this is no zip file")
    command = ("grade", hand_ins, "--out", tmp_path / "reports", "--rubric", ROOT / "rubric.yaml")
    ran = run_cli(*command, "--only", "q5.2", "--only", "q5.3", "--jobs", 1)
    assert ran.status == 0
    assert plain(ran.out, tmp_path) == text


CHECKED = {
    "q5.3": "wrong/softmax_epsilon",
    "q5.2": "wrong/fc_backward_db_over_batch_only",
    "q3.4": "wrong/ragged_array",
    "q3.6": "wrong/derivation_sum_missing",
}
CRASH = ("q5.2", "hostile/exits_in_a_call")


@pytest.mark.parametrize(("check", "example"), [*CHECKED.items(), CRASH], ids=[*CHECKED, "crash"])
def test_check(check: str, example: str, run_cli, tmp_path: Path, text: SnapshotAssertion) -> None:
    folder = handed_in(example, tmp_path)
    ran = run_cli("check", folder, check, "--rubric", ROOT / "rubric.yaml")
    assert ran.status == 1
    assert plain(ran.out, tmp_path) == text


def test_verify(run_cli, text: SnapshotAssertion) -> None:
    ran = run_cli("verify", "wrong/fc_*", "hostile/booleans", "--rubric", ROOT / "rubric.yaml")
    assert ran.status == 0
    assert plain(ran.out) == text


OPEN = ("lists_the_machine", "reads_the_reference")


@pytest.mark.parametrize("succeeded", [(), OPEN], ids=["full", "partial"])
def test_doctor(succeeded: tuple[str, ...], text: SnapshotAssertion) -> None:
    attacks = (*contract.PROBES, *contract.DEADLY)
    results = [contract.AttackResult(one, one.name not in succeeded, "") for one in attacks]
    layers = [layer for layer in examination.LAYERS if not (succeeded and layer == "landlock")]
    missing = {"landlock": "the kernel has no Landlock"} if succeeded else {}
    found = examination.Examination(IsolationLevel(tuple(results)), tuple(layers), missing)
    stream = io.StringIO()
    Console(file=stream, width=110).print(examination.table(found))
    assert plain(stream.getvalue()) == text


# ------------------------------------------------------------------------ what is handed out ---


def test_the_readme_of_the_students_bundle(rubric, text: SnapshotAssertion) -> None:
    archive = zipfile.ZipFile(io.BytesIO(bundle.build(rubric, ROOT / "submissions_template")))
    (name,) = (name for name in archive.namelist() if re.fullmatch(r"[^/]*/README\.\w+", name))
    assert plain(archive.read(name).decode("utf-8")) == text


# ------------------------------------------------------------------------- rubrics refused ---


@pytest.mark.parametrize("name", ["five_mistakes", "duplicate_key", "unknown_key"])
def test_the_problems_of_a_rubric(
    name: str, run_cli, tmp_path: Path, text: SnapshotAssertion
) -> None:
    shutil.copy(REJECTS / f"{name}.yaml", tmp_path / "rubric.yaml")
    (tmp_path / "reference").symlink_to(ROOT / "reference")
    command = ("grade", SUBMISSIONS / "full_marks" / "plain", "--out", tmp_path / "reports")
    ran = run_cli(*command, "--rubric", tmp_path / "rubric.yaml")
    assert (ran.status, ran.out) == (2, "")
    assert plain(ran.err, tmp_path) == text
