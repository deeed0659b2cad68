"""Grades of groups, and grades of what was collected on another platform than they go to."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from tests.made_reports import report, store

NO_STUDENT = "matches no student"
GRADESCOPE = """\
First Name,Last Name,SID,Email,Sections,Submission ID
Ada,Lovelace,3001,ada@uni.edu,,9001
Grace,Hopper,3002,grace@uni.edu,,9001
Alan,Turing,3003,alan@uni.edu,,9002
"""
WITHOUT_NUMBERS = "\n".join(",".join(line.split(",")[:5]) for line in GRADESCOPE.splitlines())
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Homework 2 (71)
    Points Possible,,,,,10.00
"Lovelace, Ada",401,3001,ada@uni.edu,1,
"Hopper, Grace",402,3002,ghopper,1,
"Turing, Alan",403,3003,alan,1,
"Hopper, Grete",3001,3009,grete,1,
"""
MOODLE = """\
Identifier,Full name,Email address,ID number,Grade,Last modified (grade)
Participant 501,Ada Lovelace,ada@uni.edu,3001,,-
Participant 502,Grace Hopper,grace@uni.edu,3002,,-
Participant 503,Alan Turing,alan@uni.edu,3003,,-
"""
ADA = {"name": "Ada Lovelace", "id": "3001", "email": "ada@uni.edu"}
GRACE = {"name": "Grace Hopper", "id": "3002", "email": "grace@uni.edu"}
ALAN = {"name": "Alan Turing", "id": "3003", "email": "alan@uni.edu"}


def handed_in(name, *people, points=7.5):
    """Return a report with the people of a download of Gradescope or Autolab."""
    made = report(name, points)
    joined = {key: ", ".join(p[key] for p in people if key in p) for key in ("name", "id", "email")}
    made["submission"]["student"] = {key: text for key, text in joined.items() if text}
    return made


@pytest.fixture
def graded(run_cli, tmp_path):
    """Export reports; return how it ended and the grades of the students by their names."""

    def run(platform, roster, *reports, column=None):
        folder = store(tmp_path / "reports", *reports)
        (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
        out = tmp_path / "grades.csv"
        words = ("export", folder, "--format", platform, "--out", out)
        ran = run_cli(*words, "--roster", tmp_path / "roster.csv")
        if ran.status == 2:
            return ran, {}
        rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"))))
        at = {"canvas": -1, "moodle": 4, "gradescope": 6 if "Submission ID" in roster else 5}
        first = rows[2:] if platform == "canvas" else rows[1:]
        return ran, {row[0] if platform != "moodle" else row[1]: row[at[platform]] for row in first}

    return run


def test_both_members_of_a_group_get_its_grade(graded):
    ran, grades = graded("gradescope", GRADESCOPE, report("submission_9001"),
                         report("submission_9002", 8))  # fmt: skip
    assert ran.status == 0, ran.err
    assert grades == {"Ada": "7.5", "Grace": "7.5", "Alan": "8"}
    assert "2 of 2 grades" in ran.out


@pytest.mark.parametrize("roster", [GRADESCOPE, WITHOUT_NUMBERS], ids=["numbers", "addresses"])
def test_the_autograder_hands_out_a_group_s_grade(roster, run_cli, tmp_path):
    folder = store(tmp_path / "reports", handed_in("submission_9001", ADA, GRACE))
    (tmp_path / "roster.csv").write_text(roster)
    out = tmp_path / "grades.zip"
    words = ("export", folder, "--format", "gradescope", "--out", out)
    ran = run_cli(*words, "--roster", tmp_path / "roster.csv")
    assert ran.status == 0, ran.err
    assert "1 of 1 grades" in ran.out
    with zipfile.ZipFile(out) as archive:
        found = json.loads(archive.read("grades.json"))
    assert {made["score"] for made in found.values()} == {7.5}
    assert "9001" in found


@pytest.mark.parametrize(
    ("platform", "roster", "report_of", "grades"),
    [
        ("canvas", CANVAS, ("submission_9001", ADA), {"Lovelace, Ada"}),
        ("canvas", CANVAS, ("submission_9001", ADA, GRACE), {"Lovelace, Ada", "Hopper, Grace"}),
        ("canvas", CANVAS, ("submission_9001", {"id": "3002", "name": "x"}), {"Hopper, Grace"}),
        ("canvas", CANVAS, ("submission_9001", {"email": "ADA@uni.edu"}), {"Lovelace, Ada"}),
        # A login that begins the address, of the same name.
        ("canvas", CANVAS, ("submission_9001", {"email": "alan@gmail.com", "name": "Alan Turing"}),
         {"Turing, Alan"}),
        ("canvas", CANVAS, ("ada@uni.edu_3_hw2", {"email": "ada@uni.edu"}), {"Lovelace, Ada"}),
        ("canvas", CANVAS, ("submission_9001", ALAN, ADA, GRACE),
         {"Turing, Alan", "Lovelace, Ada", "Hopper, Grace"}),
        ("moodle", MOODLE, ("submission_9001", ADA, GRACE), {"Ada Lovelace", "Grace Hopper"}),
        ("moodle", MOODLE, ("grace@uni.edu_1_a", {"email": "grace@uni.edu"}), {"Grace Hopper"}),
        ("gradescope", WITHOUT_NUMBERS, ("submission_9001", ADA, GRACE), {"Ada", "Grace"}),
        ("gradescope", WITHOUT_NUMBERS, ("alan@uni.edu_1_a", {"email": "alan@uni.edu"}), {"Alan"}),
    ],
)  # fmt: skip
def test_who_handed_in_elsewhere_gets_the_grade(platform, roster, report_of, grades, graded):
    ran, found = graded(platform, roster, handed_in(*report_of))
    assert ran.status == 0, ran.err
    assert {name for name, grade in found.items() if grade == "7.5"} == grades


@pytest.mark.parametrize(
    ("report_of", "words"),
    [
        # The number of a student is not Canvas's own number of another.
        (("submission_9001", {"id": "401", "name": "Zoe"}), NO_STUDENT),
        (("submission_9001", {"id": "3003", "email": "ada@uni.edu", "name": "x"}),
         "matches more than one student: 'Turing, Alan' (line 5) and 'Lovelace, Ada' (line 3)"),
        (("submission_9001", {"email": "alan@gmail.com", "name": "Alan Smith"}), NO_STUDENT),
        (("submission_9001", {"name": "Ada Lovelace"}), NO_STUDENT),
        (("lovelaceada_3001_5551_hw2", {"name": "x", "id": "3001"}), None),  # of Canvas itself
        (("Ada_3003_assignsubmission_file", {"name": "Ada", "id": "3003"}), NO_STUDENT),
        (("submission_9001", {"id": "3001, 3003", "email": "ada@uni.edu, al@x.y, zoe@x.y"}),
         "no student of"),
        (("submission_9001", {"email": "zoe@uni.edu", "name": "Ada Lovelace"}), NO_STUDENT),
        (("submission_9001", {"email": "@"}), NO_STUDENT),
        (("submission_9001", {"email": "ada@uni.edu, ghost@uni.edu"}), "ghost@uni.edu"),
    ],
)  # fmt: skip
def test_who_is_in_doubt_is_named_and_gets_nothing_of_a_stranger(report_of, words, graded):
    name, student = report_of
    made = report(name)
    made["submission"]["student"] = student
    ran, found = graded("canvas", CANVAS, made, report("ghopper", 8))
    if words is None:
        assert found["Hopper, Grete"] == "7.5"
        return
    assert ran.status == 1
    assert "not exported: " in ran.err
    assert words in ran.err
    got = {name for name, grade in found.items() if grade == "7.5"}
    assert got <= ({"Lovelace, Ada"} if "ada@" in str(student) else set())


def test_a_newer_submission_on_the_platform_is_not_given_an_old_grade(graded):
    newer = GRADESCOPE.replace(",9002", ",9010")
    ran, grades = graded("gradescope", newer, report("submission_9001"),
                         handed_in("submission_9002", ALAN))  # fmt: skip
    assert ran.status == 1
    assert grades == {"Ada": "7.5", "Grace": "7.5", "Alan": ""}
    assert "'Alan Turing' (line 4) has the submission 9010 there" in ran.err


def test_a_name_of_canvas_in_doubt_is_left_out_with_the_students_it_may_mean(graded):
    roster = CANVAS.replace("401", "7")
    ran, grades = graded("canvas", roster, report("team_7_888_6001_hw2"), report("alan", 8))
    assert ran.status == 1
    assert set(grades.values()) == {"", "8"}
    assert (
        "team_7_888_6001_hw2: its name can be read as that of student 7, 'Lovelace, Ada' (line 3), "
        "or of student 888, who is not in "
    ) in ran.err


CALCULATED = """\
Student,ID,SIS Login ID,Section,{column},Labs Current Score,Labs Final Score,Labs Current Score,\
Labs Final Score,Final Score,Final Grade (2026),Override Score (2026)
    Points Possible,,,,10.00,(fixed),(fixed),(fixed),(fixed),(fixed),(fixed),
"Lovelace, Ada",101,ada,1,,90,90,80,80,70,A,
"""


@pytest.mark.parametrize(
    ("column", "asked"),
    [
        ("Homework 2 Final Points (71)", "Homework 2 Final Points"),
        ("Final (71)", "Final"),
        ("Final (71)", "71"),
        ("Final Score (71)", "final score"),
        ("Final Grade (71)", "Final Grade (71)"),
        ("Current Score (71)", "Current Score"),
        ("Notes (71)", "Notes"),
        ("My Current Grade (71)", "My Current Grade"),
        ("Override Grading (71)", "Override Grading"),
        ("Final Points (extra) (71)", "Final Points (extra)"),
        ("Homework 2 (71)", None),
    ],
)
def test_an_assignment_may_be_called_like_a_calculated_column(column, asked, run_cli, tmp_path):
    folder = store(tmp_path / "reports", report("ada"))
    (tmp_path / "roster.csv").write_text(CALCULATED.format(column=column))
    words = ["export", folder, "--format", "canvas", "--roster", tmp_path / "roster.csv"]
    words += ["--assignment", asked] if asked else []
    ran = run_cli(*words, "--out", tmp_path / "up.csv")
    assert ran.status == 0, ran.err
    rows = list(csv.reader(io.StringIO((tmp_path / "up.csv").read_text())))
    assert (rows[0][-1], rows[1][-1], rows[2][-1]) == (column, "10.00", "7.5")


@pytest.mark.parametrize("asked", ["Final Score", "Labs Current Score", "2026", "Override Score"])
def test_no_grade_goes_into_a_column_that_canvas_calculates(asked, run_cli, tmp_path):
    folder = store(tmp_path / "reports", report("ada"))
    (tmp_path / "roster.csv").write_text(CALCULATED.format(column="Homework 2 (71)"))
    words = ["export", folder, "--format", "canvas", "--roster", tmp_path / "roster.csv"]
    ran = run_cli(*words, "--assignment", asked, "--out", tmp_path / "up.csv")
    assert ran.status == 0
    rows = list(csv.reader(io.StringIO((tmp_path / "up.csv").read_text())))
    assert rows[0][-1] == asked
    assert "Canvas will offer to create one" in ran.err


@pytest.mark.parametrize(
    ("twice", "status"),
    [("Labs Current Score", 0), ("Homework 1 (70)", 0), ("Notes", 0), ("SIS Login ID", 2),
     ("Section", 2), ("ID", 2), ("Homework 2 (71)", 2)],
)  # fmt: skip
def test_only_columns_that_are_used_must_be_there_once(twice, status, run_cli, tmp_path):
    folder = store(tmp_path / "reports", report("ada"))
    header = f"Student,ID,SIS Login ID,Section,Homework 2 (71),{twice},{twice}"
    text = f'{header}\n    Points Possible,,,,10.00,,\n"Lovelace, Ada",101,ada,1,,1,2\n'
    (tmp_path / "roster.csv").write_text(text)
    words = ["export", folder, "--format", "canvas", "--roster", tmp_path / "roster.csv"]
    ran = run_cli(*words, "--out", tmp_path / "up.csv")
    assert ran.status == status, ran.err
    assert (tmp_path / "up.csv").exists() == (status == 0)
    assert ("appears twice" in ran.err or "several assignments" in ran.err) == (status == 2)


def test_a_worksheet_keeps_two_columns_of_one_name(run_cli, tmp_path):
    folder = store(tmp_path / "reports", report("ada@uni.edu"))
    roster = MOODLE.replace("\nP", ",x,y\nP").replace("(grade),x,y", "(grade),Group,Group", 1)
    (tmp_path / "roster.csv").write_text(roster.replace("3003,,-", "3003,,-,x,y"))
    words = ["export", folder, "--format", "moodle", "--roster", tmp_path / "roster.csv"]
    ran = run_cli(*words, "--out", tmp_path / "up.csv")
    assert ran.status == 0, ran.err
    rows = list(csv.reader(io.StringIO((tmp_path / "up.csv").read_text())))
    assert rows[0][-2:] == ["Group", "Group"]
    assert rows[1][-2:] == ["x", "y"]
