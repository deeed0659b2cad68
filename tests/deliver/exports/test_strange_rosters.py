"""Rosters as courses have them: namesakes, groups that nobody knows, other alphabets, "LATE"."""

from __future__ import annotations

import csv
import io

import pytest

from tests.made_reports import report, store

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Homework 2 (71)
    Points Possible,,,,,10.00
"Lovelace, Ada",201,s201,alove,1,
"Lovelace, Ada",202,s202,alove2,2,
"Hopper, Grace",203,s203,ghopper,1,
"Żółć, Łukasz",204,s204,lzolc,1,
"李, 雷",205,s205,lilei,1,
"O'Brien-Smith, Conan",206,s206,cobrien,1,
"Late, Ann",207,s207,alate,1,
"Boole, George",7,s7,gboole,1,
"Shannon, Claude",12,s12,cshannon,1,
"Noether, Emmy",2026,s2026,enoether,1,
"Student, Test",9999,,8e4b7c1f,1,
"""
STUDENTS = {row[1]: row[0] for row in csv.reader(CANVAS.splitlines()[2:])}


@pytest.fixture
def exported(run_cli, tmp_path):
    """Export reports of these names; return how it ended and the students' numbers with grades."""

    def run(*names: str, **students: dict[str, str]):
        reports = [report(name) for name in names]
        for made in reports:
            if (student := students.get(made["submission"]["id"])) is not None:
                made["submission"]["student"] = student
        folder = store(tmp_path / "reports", *reports)
        (tmp_path / "roster.csv").write_text(CANVAS, encoding="utf-8")
        words = ["export", folder, "--format", "canvas", "--roster", tmp_path / "roster.csv"]
        out = tmp_path / "up.csv"
        ran = run_cli(*words, "--out", out)
        assert "Traceback" not in ran.out + ran.err
        if not out.exists():
            return ran, set()
        rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"))))[2:]
        assert [row[0] for row in rows] == list(STUDENTS.values())
        return ran, {row[1] for row in rows if row[-1] == "7.5"}

    return run


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("lovelaceada_201_6001_hw2", "201"),
        ("lovelaceada_LATE_202_6001_hw2-3", "202"),
        ("team_7_203_6001_hw2", "203"),
        ("team_12_LATE_203_6001_hw2", "203"),
        ("lab_7_team_12_203_6001_hw2", "203"),
        ("7_12_203_6001_hw2", "203"),
        ("2026spring_12_203_6001_hw2", "203"),
        ("zolclukasz_204_6001_hw2", "204"),
        ("żółćłukasz_204_6001_hw2", "204"),
        ("李雷_205_6001_hw2", "205"),
        ("obriensmithconan_206_6001_12_7", "206"),
        ("lateann_207_6001_LATE_hw2", "207"),
        ("lateann_LATE_207_6001_hw2", "207"),
        ("booleg_7_6001_hw2", "7"),
        ("noetheremmy_2026_6001_hw2", "2026"),
        ("studenttest_9999_6001_hw2", "9999"),
        ("lzolc", "204"),
        ("Grace_Hopper", "203"),
    ],
)
def test_a_name_is_one_student_s(name, student, exported):
    ran, graded = exported(name)
    assert ran.status == 0, ran.err
    assert graded == {student}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Ada_Lovelace", "one student: 'Lovelace, Ada' (line 3) and 'Lovelace, Ada' (line 4)"),
        ("lovelaceada", "matches more than one student"),
        ("team_7_888_6001_hw2", "its name can be read as that of student 7"),
        ("team_12_889_6001_hw2", "its name can be read as that of student 12"),
        ("lab_7_team_12_890_6001_hw2", "can be read as that of student"),
        ("ghostgroup_4711_6001_hw2", "matches no student"),
        ("hopperalice_888_6001_hw2", "matches no student"),
        ("anon_x9Zq1_6001_hw2", "matches no student"),
        ("Zhang_Wei", "matches no student"),
        ("203", None),
    ],
)  # fmt: skip
def test_in_doubt_nobody_gets_the_grade(name, told, exported):
    ran, graded = exported(name, "cobrien")
    assert graded == ({"206"} if told else {"206", "203"})
    assert ran.status == (1 if told else 0), ran.err
    if told:
        assert f"not exported: {name}: " in ran.err
        assert told in ran.err


def test_a_group_of_strangers_is_named_and_nothing_is_written(exported):
    people = {"name": "A B, C D", "id": "x1, x2", "email": "a@uni.edu, c@uni.edu"}
    ran, graded = exported("submission_9001", submission_9001=people)
    assert (ran.status, graded) == (2, set())
    assert "no submission belongs to any of its students" in ran.err


def test_two_hand_ins_of_one_student_are_both_left_out(exported):
    ran, graded = exported("hoppergrace_203_6001_hw2", "team_7_203_6002_hw2", "cobrien")
    assert (ran.status, graded) == (1, {"206"})
    assert "all match 'Hopper, Grace' (line 5); none is exported: keep one report" in ran.err
