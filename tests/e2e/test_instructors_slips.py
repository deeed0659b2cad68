"""What an instructor may get wrong: each is one message with the right exit status."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.cli import main
from tests.checks.toy import make

CHECKS = """
      - {id: q1.1, title: line, points: 2, kind: values, function: Line, driver: toy.line,
         cases: line, shares: {values: 0.75, edge_cases: 0.25}, outputs: {value: 0.5, slope: 0.5}}
      - {id: q1.2, title: trained, points: 2, kind: property, function: train, dataset: toy,
         driver: toy.train, judge: toy.look, properties: {half: 0.75, device: 0.25}}
"""
TRAIN = "\n\ndef train(x):\n    return 2 * x\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """The toy assignment and a right submission, where workers may read them."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        make(made, CHECKS)
        with (made / "reference" / "toy.py").open("a") as file:
            file.write(TRAIN)
        (made / "ada").mkdir()
        shutil.copy(made / "reference" / "toy.py", made / "ada")
        yield made


@pytest.fixture
def grade(folder, run_cli):
    def run(*words: object, out: object = None, submissions: tuple[Path, ...] = ()):
        named = submissions or (folder / "ada",)
        rubric = ["--rubric", folder / "rubric.yaml", "--out", out or folder / "out"]
        ran = run_cli("grade", *named, *rubric, *words)
        assert "Traceback" not in ran.out + ran.err
        return ran

    return run


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_rubric_in_another_encoding_is_told(folder, grade):
    path = folder / "rubric.yaml"
    path.write_bytes(path.read_text().encode("utf-16"))
    ran = grade()
    assert ran.status == 2
    assert ran.err.splitlines() == [
        f"{path}:1: is UTF-16 text; save it as UTF-8", "1 problem; nothing was graded",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("    title: Toy", "\ttitle: Toy", 6, "is not YAML: there is a tab; use spaces"),
        ("title: Toy", "title: Toy\ntitle: Toy", 3, "key 'title' appears twice (first in line 2)"),
        ("id: q1.2", "id: q1.1", 13, "id 'q1.1' is used twice (first in line 11)"),
    ],
)
def test_a_slip_in_the_rubric_is_one_line(old, new, line, words, folder, grade):
    rewrite(folder / "rubric.yaml", old, new)
    ran = grade()
    assert ran.status == 2
    problem, count = ran.err.splitlines()
    assert problem.startswith(f"{folder / 'rubric.yaml'}:{line}: ")
    assert words in problem
    assert count == "1 problem; nothing was graded"


BEFORE = {
    "toy.py": ("\ndef (\n", "reference/toy.py cannot be imported: SyntaxError: invalid syntax"),
    "drivers/toy.py": (
        "\ndef (\n",
        "reference/drivers/toy.py:9: this is not Python: invalid syntax",
    ),
    "judges/toy.py": ("\ndef (\n", "this is not Python: invalid syntax"),
    "datasets/toy.py": ("\ndef (\n", "this is not Python: invalid syntax"),
    "cases/toy.py": ("\nraise SystemExit\n", "reference/cases/toy.py cannot be imported: SystemE"),
}


@pytest.mark.parametrize("file", BEFORE)
def test_an_assignment_that_cannot_be_read_is_told_before_anything_is_graded(file, folder, grade):
    text, words = BEFORE[file]
    with (folder / "reference" / file).open("a") as opened:
        opened.write(text)
    ran = grade()
    assert (ran.status, ran.out) == (3, "")
    (message,) = ran.err.splitlines()
    assert message.startswith("broken: ")
    assert words in message
    assert "frozen" not in message
    assert not (folder / "out").exists()


def test_a_driver_that_is_not_text_is_told(folder, grade):
    (folder / "reference" / "drivers" / "toy.py").write_bytes(b"\xff\xfe\x00x")
    ran = grade()
    assert ran.status == 3
    (message,) = ran.err.splitlines()
    assert message.startswith("broken: reference/drivers/toy.py:1: this is not Python: ")


def test_a_reference_that_raises_at_its_import_is_told(folder, grade):
    with (folder / "reference" / "toy.py").open("a") as file:
        file.write("\nraise RuntimeError('not today')\n")
    ran = grade()
    assert ran.status == 3
    (message,) = ran.err.splitlines()
    assert "reference/toy.py cannot be imported: RuntimeError: not today (toy.py, line" in message


@pytest.mark.parametrize(
    ("file", "old", "check"),
    [
        ("judges/toy.py", "right = float", "q1.2"),
        ("datasets/toy.py", "return {", "q1.2"),
        ("drivers/toy.py", "return {", "q1.1"),
        ("drivers/toy.py", 'return {"value": student', "q1.2"),
        ("cases/toy.py", 'yield Case("three"', None),
    ],
)
def test_code_of_the_assignment_that_ends_the_program_ends_no_run(file, old, check, folder, grade):
    rewrite(folder / "reference" / file, old, f"import sys; sys.exit(0); {old}")
    ran = grade()
    if check is None:  # what no check uses does not matter
        assert ran.status == 0
        return
    assert ran.status == 3
    report = json.loads((folder / "out" / "ada" / "report.json").read_text())
    found = {one["id"]: one["outcome"] for q in report["questions"] for one in q["checks"]}
    assert found == {"q1.1": "passed", "q1.2": "passed", check: "broken"}
    assert "SystemExit" in ran.err


def test_a_missing_driver_is_told_where_it_is_named(folder, grade):
    (folder / "reference" / "drivers" / "toy.py").unlink()
    ran = grade()
    assert ran.status == 2
    lines = ran.err.splitlines()
    assert lines[-1] == "2 problems; nothing was graded"
    assert lines[0].endswith(":11: q1.1: driver: there is no file drivers/toy.py")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--only", ""), "'': no such question, check or folder (questions: q1;"),
        (("--only", "q7"), "q7: no such question, check or folder"),
        (("--jobs", "0"), "0 is not in the range x>=1"),
    ],
)
def test_an_option_that_cannot_be_meant_is_told(words, told, folder, grade):
    ran = grade(*words)
    assert ran.status == 2
    assert told in ran.err
    assert not (folder / "out").exists()


def test_more_jobs_than_submissions_are_as_many_as_submissions(grade):
    assert grade("--jobs", "500").status == 0


@pytest.mark.parametrize("out", ["ada/out", "ada", "."])
def test_reports_do_not_go_into_what_is_graded(out, folder, grade):
    ran = grade(out=folder / out)
    assert (ran.status, ran.out) == (2, "")
    (message,) = ran.err.splitlines()
    assert f"is inside {folder / 'ada'}, a submission; name another DIR" in message
    assert [path.name for path in (folder / "ada").iterdir()] == ["toy.py"]


def test_reports_do_not_go_into_the_folder_of_a_class(folder, grade):
    (folder / "class").mkdir()
    (folder / "ada").rename(folder / "class" / "ada")
    ran = grade(submissions=(folder / "class",), out=folder / "class" / "reports")
    assert ran.status == 2
    assert [path.name for path in (folder / "class").iterdir()] == ["ada"]


def test_two_submissions_of_one_name_have_reports_of_their_own(folder, grade):
    for group in ("x", "y"):
        shutil.copytree(folder / "ada", folder / group / "ada")
    rewrite(folder / "y" / "ada" / "toy.py", TRAIN, TRAIN.replace("2 * x", "3 * x + 1"))
    ran = grade(submissions=(folder / "x" / "ada", folder / "y" / "ada"))
    assert ran.status == 1
    assert ran.err.count("contested: ") == 2
    scores = {
        path.parent.name: json.loads(path.read_text())["score"]
        for path in (folder / "out").glob("*/report.json")
    }
    assert scores == {"ada": 4, "ada-2": 2.5}


def test_a_mistyped_command_is_answered_with_the_one_that_looks_like_it(capsys):
    with pytest.raises(SystemExit) as left:
        main(["garde", "submissions"])
    assert left.value.code == 2
    assert "no such command: 'garde' (did you mean 'grade'?)" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["xyzzy"])
    assert "did you mean" not in capsys.readouterr().err
