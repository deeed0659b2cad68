"""A class of forty odd hand-ins, from the platform's download to grades and pages on the platform.

The commands are those of docs/instructor.md, in its order.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main
from tests.conftest import SUBMISSIONS
from tests.deliver.pushing.fake_canvas import (
    ASSIGNMENT,
    COURSE,
    TOKEN,
    FakeCanvas,
    serving,
    submission,
)
from tests.docs.homework import with_mistake, write_homework

STUDENTS = 40
MODULE, TEXT = "rnn_layers.py", "explanation.md"
PLAIN = SUBMISSIONS / "full_marks" / "plain"
CODE = (PLAIN / MODULE).read_text(encoding="utf-8")
WORDS = (PLAIN / TEXT).read_text(encoding="utf-8")
NO_BIAS = with_mistake("rnn_step_forward", " + b)", ")")
NO_BIAS_EITHER = with_mistake("temporal_fc_forward", ", w) + b", ", w)")
SOURCE_POINTS, MARK = 3.0, 1.5  # of q3.1 and q5.1 together; what the marker gives for a text


def zipped(files: dict[str, bytes | str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def tarred(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def notebook(source: str) -> str:
    lines = source.splitlines(keepends=True)
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    return json.dumps(
        {"cells": [{**cell, "source": lines}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )


WHOLE = {MODULE: CODE, TEXT: WORDS}
# What is handed in: the file's name and content, and the points for the code (None: look only).
ODD: list[tuple[str, bytes, float | None]] = [
    ("hw2.zip", zipped(WHOLE), 3),
    ("hw2.zip", zipped({f"hw2/{name}": text for name, text in WHOLE.items()}), 3),
    ("hw2.zip", zipped({f"a/b/c/{name}": text for name, text in WHOLE.items()}), 3),
    ("hw2.zip", zipped({**WHOLE, "__MACOSX/._rnn_layers.py": b"\0\5\26\7", ".DS_Store": b"x"}), 3),
    ("hw2.zip", zipped({"inner.zip": zipped(WHOLE)}), 3),
    ("hw2.tar.gz", tarred(WHOLE), 3),
    (MODULE, CODE.encode(), 3),
    ("rnn_layers-1.py", CODE.encode(), 3),
    ("hw2.zip", zipped({"rnn_layers.ipynb": notebook(CODE), TEXT: WORDS}), 3),
    ("rnn_layers.ipynb", notebook(CODE).encode(), 3),
    ("hw2.zip", zipped({MODULE: CODE.encode("utf-16"), TEXT: WORDS.encode("utf-16")}), 3),
    ("hw2.zip", zipped({MODULE: "\ufeff" + CODE.replace("\n", "\r\n"), TEXT: WORDS}), 3),
    ("hw2.zip", zipped({MODULE: NO_BIAS, TEXT: WORDS}), 1),
    ("hw2.zip", zipped({MODULE: NO_BIAS_EITHER, TEXT: WORDS}), 2),
    ("hw2.zip", zipped({MODULE: CODE + "\n\ndef broken(:\n", TEXT: WORDS}), None),
    ("hw2.zip", zipped({MODULE: "import helper\n" + CODE, "helper.py": "X = 1\n"}), 3),
    ("hw2.zip", zipped({MODULE: CODE + "\nimport sys\nsys.exit(3)\n"}), None),
    ("hw2.zip", zipped({MODULE: CODE + "\nprint('x' * 100000)\n", TEXT: WORDS}), 3),
    ("hw2.zip", zipped({"rnn_layers_final.py": CODE}), 0),
    ("hw2.zip", zipped({TEXT: WORDS}), 0),
    ("hw2.zip", zipped({}), 0),
    ("hw2.zip", zipped(WHOLE)[:-400], 0),
    ("hw2.zip", b"", 0),
    ("hw2.rar", b"Rar!\x1a\x07\x00" + bytes(64), 0),
    ("hw2.pdf", b"%PDF-1.7\n" + bytes(64), 0),
    ("hw2.zip", zipped({MODULE: "", TEXT: WORDS}), 0),
    ("hw2.zip", zipped({MODULE: "<!DOCTYPE html><html></html>"}), 0),
    ("hw2.zip", zipped({MODULE: "<<<<<<< HEAD\n" + CODE + "=======\n>>>>>>> b\n"}), None),
    ("hw2.zip", zipped({"../../" + MODULE: CODE}), None),
    ("hw2.zip", zipped({MODULE: CODE, "old/" + MODULE: NO_BIAS}), None),
    ("hw2.zip", zipped({MODULE: CODE, "venv/lib/python3.11/site-packages/x/y.py": "1/0\n"}), 3),
    ("hw2.zip", zipped({MODULE: CODE, "Ünïcode däta.txt": "x", TEXT: WORDS}), 3),
]
# The others are plain hand-ins, some with a mistake.
OTHERS = [
    ("hw2.zip", zipped({MODULE: code, TEXT: WORDS}), points)
    for code, points in ((CODE, 3), (NO_BIAS, 1), (NO_BIAS_EITHER, 2))
]


@pytest.fixture
def course(open_folder):
    """The homework with three checks, the platform's one archive, and its list of students."""
    write_homework(open_folder, "q3.1", "q5.1", "q5.9")
    given = ODD + [OTHERS[n % len(OTHERS)] for n in range(STUDENTS - len(ODD))]
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 2 (71)"]]
    rows.append(["    Points Possible", "", "", "", "", "5.00"])
    with zipfile.ZipFile(open_folder / "submissions.zip", "w") as download:
        for number, (name, data, _points) in enumerate(given):
            user = 100 + number
            late = "_LATE" if number % 13 == 5 else ""
            download.writestr(f"doe{number:02}jo{late}_{user}_{5000 + number}_{name}", data)
            rows.append([f"Doe{number:02}, Jo", str(user), "", f"doe{number:02}", "All", ""])
    with (open_folder / "canvas.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return open_folder, {100 + n: points for n, (_name, _data, points) in enumerate(given)}


@pytest.fixture
def canvas(monkeypatch):
    """A Canvas on this machine that knows the class."""
    numbers = range(100, 100 + STUDENTS)
    users = [
        {"id": n, "sortable_name": f"Doe{n - 100:02}, Jo", "name": f"Jo Doe{n - 100:02}"}
        for n in numbers
    ]
    there = {"id": ASSIGNMENT, "course_id": COURSE, "name": "Homework 2", "points_possible": 5}
    made = FakeCanvas(users, [there], {n: submission(n) for n in numbers})
    with serving(made):
        monkeypatch.setenv("CANVAS_URL", made.url)
        monkeypatch.setenv("CANVAS_TOKEN", TOKEN)
        yield made


def run(*words: str, status: int = 0) -> str:
    ran = CliRunner().invoke(main, list(words))
    assert ran.exit_code == status, ran.output
    assert "Traceback" not in ran.output
    return ran.output


def user_of(identifier: str) -> int:
    return next(int(part) for part in identifier.split("_") if part.isdigit())


def fill_in(path: Path) -> int:
    """Give each text its points; return how many there were."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row |= {"points": str(MARK), "comment": "Read.", "marker": "Ada"}
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return len(rows)


def test_from_download_to_pushed_grades_and_pages(course, canvas, monkeypatch):
    folder, expected = course
    monkeypatch.chdir(folder)
    shown = run("grade", "submissions.zip", "--out", "reports", "--jobs", "2")
    assert "40 submissions graded" in shown
    run("mark", "reports", "--page", "marks.html")
    run("mark", "reports", "--template", "marks.csv")
    marked = fill_in(folder / "marks.csv")
    run("mark", "reports", "--marks", "marks.csv")
    made = [json.loads(p.read_text("utf-8")) for p in sorted(folder.glob("reports/*/report.json"))]
    assert len(made) == STUDENTS
    assert {user_of(one["submission"]["id"]) for one in made} == set(expected)
    assert {one["status"] for one in made} == {"complete"}, "all texts are marked"
    points = {}
    for one in made:
        checks = {c["id"]: c for question in one["questions"] for c in question["checks"]}
        user = user_of(one["submission"]["id"])
        points[user] = checks["q3.1"]["points"] + checks["q5.1"]["points"]
        assert checks["q5.9"]["points"] in (0, MARK)
    assert sum(
        c["points"] == MARK for one in made for q in one["questions"] for c in q["checks"]
        if c["id"] == "q5.9"
    ) == marked  # fmt: skip
    for user, wanted in expected.items():
        assert wanted is None or points[user] == wanted, f"student {user}"
        assert 0 <= points[user] <= SOURCE_POINTS
    with (folder / "reports" / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == STUDENTS
    run("export", "reports", "--format", "canvas", "--roster", "canvas.csv", "--out", "up.csv")
    with (folder / "up.csv").open(encoding="utf-8-sig", newline="") as file:
        _possible, *rows = list(csv.DictReader(file))
    totals = {user_of(one["submission"]["id"]): one["score"] for one in made}
    uploaded = {int(row["ID"]): float(row["Homework 2 (71)"]) for row in rows}
    assert uploaded == pytest.approx(totals)
    run("export", "reports", "--format", "feedback", "--out", "feedback.zip")
    with zipfile.ZipFile(folder / "feedback.zip") as archive:
        assert len(archive.namelist()) == STUDENTS
    push = ("export", "reports", "--push", "canvas", "--course", str(COURSE))
    push += ("--assignment", str(ASSIGNMENT), "--comments", "--feedback")
    assert "nothing was sent" in run(*push)
    assert canvas.writes == []
    assert "40 of 40 changes sent" in run(*push, "--yes")
    assert canvas.scores() == pytest.approx(totals)
    assert all(len(canvas.attached(user)) == 1 for user in totals)
    assert "0 changes, 40 students as in the reports already" in run(*push, "--yes")
