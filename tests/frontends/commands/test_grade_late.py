"""``grader grade`` with late hand-ins and groups: through runs, shards, marks and exports."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from grader import cli
from tests.checks.toy import make
from tests.class_of_three import reports_in

CHECKS = """
      - id: q1.1
        title: explanation
        points: 2
        kind: written
        files: [why.md]
      - id: q1.2
        title: program
        points: 2
        kind: written
        files: [toy.py]
        visibility: hidden
"""
RULE = "late: {per_day: 0.25, of: score}\n"
TIMES = "student,days_late\n101,1\nbob,2\n"
GROUPS = "group,login,canvas_user_id\nTeam A,ada,101\nTeam A,eve,104\n"
ADA, CAROL = "lovelaceada_101_5551_hw2", "noahcarol_LATE_103_5553_hw2"
NAMES = (ADA, "rossbob_102_5552_hw2", CAROL)


@pytest.fixture
def course(tmp_path, monkeypatch):
    rubric = make(tmp_path, CHECKS)
    rubric.write_text(RULE + rubric.read_text(encoding="utf-8"), encoding="utf-8")
    for name in NAMES:
        folder = tmp_path / "class" / name
        folder.mkdir(parents=True)
        (folder / "toy.py").write_text("def train(x):\n    return x\n")
        (folder / "why.md").write_text(f"because, says {name}")
    times = TIMES.replace("bob", "rossbob")
    (tmp_path / "times.csv").write_text(times, encoding="utf-8")
    (tmp_path / "groups.csv").write_text(GROUPS, encoding="utf-8")
    marks = "submission,check,points\n" + "".join(f"{n},q1.1,2\n{n},q1.2,1\n" for n in NAMES)
    (tmp_path / "marks.csv").write_text(marks, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: object, status: int = 0) -> Result:
    ran = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert ran.exit_code == status, ran.output
    return ran


def grade(*more: object, out: str = "reports", status: int = 0) -> Result:
    command = ["grade", "class", "--rubric", "rubric.yaml", "--out", out, "--jobs", 1]
    return run(*command, "--seed", "public", *more, status=status)


def late(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name / "report.json").read_text()).get("late")
    return found


def scores(folder: Path) -> dict[str, float]:
    return {name: made["score"] for name, made in reports_in(folder).items()}


MARKED = {NAMES[0]: 2.25, NAMES[1]: 1.5, NAMES[2]: 2.25}


def test_marks_are_charged_by_the_points_that_they_give(course):
    grade("--times", "times.csv")
    assert set(scores(course / "reports").values()) == {0}
    run("mark", "reports", "--marks", "marks.csv")
    assert scores(course / "reports") == MARKED
    for made in reports_in(course / "reports").values():
        points = sum(check["points"] for q in made["questions"] for check in q["checks"])
        assert made["late"]["score_before"] == points == 3
        assert made["score"] + made["late"]["points"] == points


def test_a_run_that_is_not_told_anything_keeps_what_was_told(course):
    grade("--times", "times.csv", "--groups", "groups.csv")
    run("mark", "reports", "--marks", "marks.csv")
    before = (course / "reports" / ADA / "report.json").read_bytes()
    ran = grade()
    assert "3 unchanged" in ran.output
    assert (course / "reports" / ADA / "report.json").read_bytes() == before


def test_other_times_change_the_reports_and_keep_the_marks(course):
    grade("--times", "times.csv")
    run("mark", "reports", "--marks", "marks.csv")
    (course / "times.csv").write_text("student,days_late\n101,3\n", encoding="utf-8")
    ran = grade("--times", "times.csv")
    assert "no time for 2 submissions" in ran.output
    assert scores(course / "reports") == {NAMES[0]: 0.75, NAMES[1]: 3, NAMES[2]: 2.25}
    assert late(course / "reports", CAROL)["at_least"] is True


def test_shards_and_their_merge_carry_what_was_told(course):
    told = ["--times", "times.csv", "--groups", "groups.csv"]
    grade(*told, out="whole")
    for number in (1, 2):
        grade("--shard", f"{number}/2", *told, out=f"parts/{number}")
    run("merge", "parts", "--out", "merged")
    tables = [(course / out / "gradebook.csv").read_bytes() for out in ("whole", "merged")]
    assert tables[0] == tables[1]
    assert b"Team A" in tables[0]


def test_shards_that_were_told_different_things_are_refused(course):
    grade("--shard", "1/2", "--times", "times.csv", out="parts/1")
    grade("--shard", "2/2", out="parts/2")
    ran = run("merge", "parts", "--out", "merged", status=2)
    assert "different times, groups, late days or rules" in ran.output


def test_the_gradebook_has_a_row_for_each_member_and_columns_for_late(course):
    grade("--times", "times.csv", "--groups", "groups.csv")
    run("mark", "reports", "--marks", "marks.csv")
    raw = (course / "reports" / "gradebook.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    told = [(row["student"], row["group"], row["late_days"], row["late_points"]) for row in rows]
    assert told == [
        ("ada", "Team A", "1", "0.75"),
        ("eve", "Team A", "1", "0.75"),
        ("noahcarol", "", "1", "0.75"),
        ("rossbob", "", "2", "1.5"),
    ]
    assert {row["q1.1"] for row in rows} == {"2.0"}
    assert {row["score"] for row in rows} == {"2.25", "1.5"}
    # The checks' columns stay the same when the gradebook is written from itself.
    again = raw.splitlines()[0]
    (course / "marks.csv").write_text(f"submission,check,points\n{ADA},q1.1,1\n")
    run("mark", "reports", "--marks", "marks.csv", "--override")
    assert (course / "reports" / "gradebook.csv").read_bytes().splitlines()[0] == again


def test_pages_show_a_line_of_its_own(course):
    grade("--times", "times.csv", "--groups", "groups.csv")
    run("mark", "reports", "--marks", "marks.csv")
    page = (course / "reports" / ADA / "report.html").read_text()
    line = "Submitted 1 day late: you lose 0.75 points (25% of the points earned per day)."
    assert f"{line} Without that: 3 points." in page
    index = (course / "reports" / "index.html").read_text()
    assert '<span class="late">1 day late: -0.75</span>' in index
    assert '<span class="late">at least 1 day late: -0.75</span>' in index
    assert "Team A: ada, eve" in index
    run("export", "reports", "--format", "feedback", "--out", "feedback.zip")
    with zipfile.ZipFile("feedback.zip") as archive:
        feedback = archive.read(f"{ADA}.html").decode()
    assert "Submitted 1 day late: you lose points (25% of" in feedback  # a check is hidden
    results = json.loads((course / "reports" / ADA / "results.json").read_text())
    assert results["score"] == 2.25
    assert (
        results["extra_data"] | {"days_late": 1, "score_before_deduction": 3.0}
        == (results["extra_data"])
    )
    assert results["output"].startswith("Submitted 1 day late: you lose points (25% of")


def test_each_member_of_a_group_gets_the_grade_on_canvas(course):
    grade("--times", "times.csv", "--groups", "groups.csv")
    run("mark", "reports", "--marks", "marks.csv")
    roster = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Homework (7)\n"
        '"Lovelace, Ada",101,,ada,A,\n"Eve, Eve",104,,eve,A,\n'
        '"Ross, Bob",102,,bob,A,\n"Noah, Carol",103,,carol,A,\n'
    )
    (course / "canvas.csv").write_text(roster)
    run("export", "reports", "--format", "canvas", "--roster", "canvas.csv", "--assignment", "7",
        "--out", "up.csv")  # fmt: skip
    rows = list(csv.reader((course / "up.csv").read_text().splitlines()))
    assert {row[1]: row[-1] for row in rows[2:]} == {
        "101": "2.25", "104": "2.25", "102": "1.5", "103": "2.25",
    }  # fmt: skip


def test_another_hand_in_loses_the_time_of_the_first_and_somebody_is_told(course):
    grade("--times", "times.csv")
    (course / "class" / ADA / "why.md").write_text("a new reason")
    ran = grade()
    assert late(course / "reports", ADA) is None
    assert "handed in again, and no time is known any more" in ran.output
    assert ADA in ran.output


def test_times_and_groups_stay_though_the_grader_is_another(course, monkeypatch):
    grade("--times", "times.csv", "--groups", "groups.csv")
    gradebook = course / "reports" / "gradebook.csv"
    before = gradebook.read_text()
    monkeypatch.setattr("grader.run.basis.engine", lambda: "of another version")
    ran = grade()
    assert "handed in again" not in ran.output
    assert gradebook.read_text() == before
    assert late(course / "reports", ADA)["days"] == 1


def test_diff_names_a_change_of_lateness(course):
    grade("--times", "times.csv")
    grade(out="other")
    ran = run("diff", "reports", "other", status=1)
    assert "late: 2 days late -> no" in ran.output


def test_a_date_that_is_none_is_refused(course):
    ran = grade("--due", "tomorrow", status=2)
    assert "'tomorrow' is not a date such as 2027-03-01T23:59+01:00" in ran.output
