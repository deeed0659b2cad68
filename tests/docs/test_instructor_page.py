"""The instructor's page is true: its commands are run, and print what it shows."""

import csv
import re
import shutil
import zipfile

import pytest
import yaml

from tests.conftest import ROOT, SUBMISSIONS
from tests.deliver.pushing.fake_canvas import (
    ASSIGNMENT,
    COURSE,
    TOKEN,
    FakeCanvas,
    serving,
    submission,
)
from tests.docs.followed import follow, steps_of
from tests.docs.homework import count_points, with_mistake, write_homework, write_rubric

PAGE = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
PLAIN = SUBMISSIONS / "full_marks" / "plain"
MODULE, TEXT = "rnn_layers.py", "explanation.md"
CLASS = {
    "lovelaceada_101_5551_hw2": {
        MODULE: (PLAIN / MODULE).read_text(encoding="utf-8"),
        TEXT: (PLAIN / TEXT).read_text(encoding="utf-8"),
    },
    "turingalan_LATE_102_5552_hw2": {
        MODULE: with_mistake("temporal_fc_forward", ", w) + b", ", w)"),
        TEXT: (PLAIN / TEXT).read_text(encoding="utf-8"),
    },
    "hoppergrace_103_5553_hw2": {MODULE: with_mistake("rnn_step_forward", " + b)", ")")},
}
MARKS = {
    "lovelaceada_101_5551_hw2": ("2", "Clear, with three remedies.", "Ada"),
    "turingalan_LATE_102_5552_hw2": ("1.5", "Why exactly these captions?", "Ada"),
}
ROSTER = """\
Student,ID,SIS User ID,SIS Login ID,Section,Homework 2 (71)
    Points Possible,,,,,5.00
"Hopper, Grace",103,,hopper,All,
"Lovelace, Ada",101,,lovelace,All,
"Turing, Alan",102,,turing,All,
"Student, Test",199,,,All,
"""


@pytest.fixture
def course(open_folder):
    """An instructor's folder: the homework with three checks, a class and the platform's list."""
    write_homework(open_folder, "q3.1", "q5.1", "q5.9")
    plain = open_folder / "reference" / "submissions" / "full_marks" / "plain"
    plain.mkdir(parents=True)
    shutil.copy(PLAIN / MODULE, plain)
    (open_folder / "class").mkdir()
    for name, files in CLASS.items():
        with zipfile.ZipFile(open_folder / "class" / f"{name}.zip", "w") as archive:
            for file, text in files.items():
                archive.writestr(file, text)
    (open_folder / "canvas.csv").write_text(ROSTER, encoding="utf-8")
    return open_folder


def fill_in(folder):
    """Fill the template of marks in, as the table of the page shows."""
    path = folder / "marks.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["points"], row["comment"], row["marker"] = MARKS[row["submission"]]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def raise_points(folder):
    """Change the rubric: q3.1 is worth 3 points, no longer 2, and nobody is late any more."""
    rubric = yaml.safe_load((folder / "rubric.yaml").read_text(encoding="utf-8"))
    del rubric["late"]
    checks = {check["id"]: check for each in rubric["questions"] for check in each["checks"]}
    checks["q3.1"]["points"] = 3
    count_points(rubric)
    write_rubric(folder, rubric)


@pytest.fixture
def canvas(monkeypatch):
    """A Canvas on this machine, whose address and token are in the environment."""
    users = [
        {"id": 101, "sortable_name": "Lovelace, Ada", "name": "Ada Lovelace"},
        {"id": 102, "sortable_name": "Turing, Alan", "name": "Alan Turing"},
        {"id": 103, "sortable_name": "Hopper, Grace", "name": "Grace Hopper"},
        {"id": 199, "sortable_name": "Student, Test", "name": "Test Student"},
    ]
    there = {"id": ASSIGNMENT, "course_id": COURSE, "name": "Homework 2", "points_possible": 5}
    made = FakeCanvas(users, [there], {user["id"]: submission(user["id"]) for user in users})
    with serving(made):
        monkeypatch.setenv("CANVAS_URL", made.url)
        monkeypatch.setenv("CANVAS_TOKEN", TOKEN)
        yield made


def test_every_command_prints_what_the_page_shows(course, canvas):
    unseen = {
        "grader mark reports --marks marks.csv": fill_in,
        "grader grade class/ --out regraded": raise_points,
    }
    wrong = follow(PAGE, course, unseen)
    assert not wrong, "\n\n".join(wrong)
    assert {user for user, score in canvas.scores().items() if score is not None} == {101, 102, 103}


def test_the_workflow_for_github_classroom_runs_checks_that_are_there(course):
    (step,) = [step for step in steps_of(PAGE) if step.path.endswith("classroom.yml")]
    (job,) = yaml.safe_load(step.text)["jobs"].values()
    rubric = yaml.safe_load((course / "rubric.yaml").read_text(encoding="utf-8"))
    points = {check["id"]: check["points"] for q in rubric["questions"] for check in q["checks"]}
    ids = []
    for one in job["steps"]:
        if "command-grader" in one.get("uses", ""):
            told = one["with"]
            assert told["command"] == f"grader check {told['test-name']}"
            assert told["max-score"] == points[told["test-name"]]
            ids.append(one["id"])
    reporter = job["steps"][-1]
    assert reporter["with"]["runners"] == ",".join(ids)
    assert reporter["env"] == {
        f"{name.upper()}_RESULTS": f"${{{{ steps.{name}.outputs.result }}}}" for name in ids
    }


def test_the_page_shows_the_marks_that_are_filled_in():
    shown = re.findall(r"^\| (\w+) \| ([\d.]+) \| (.*) \| (\w+) \|$", PAGE, re.MULTILINE)
    assert {name: tuple(marks) for name, *marks in shown} == MARKS


def test_the_page_shows_all_steps_as_commands_that_are_run():
    commands = {line.split()[0] for line in re.findall(r"^\$ grader (.*)$", PAGE, re.MULTILINE)}
    assert commands == {
        "bundle",
        "check",
        "grade",
        "replay",
        "mark",
        "diff",
        "export",
        "similarity",
    }
