"""Grades as Canvas, Moodle and Gradescope take them: right columns, no zero for what is open."""

import csv
import io
import json
import subprocess
import sys
import zipfile

import pytest

from tests.made_reports import report, store

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (70),Homework 2 (71),Assignments Current Score,Final Score
,,,,,,Manual Posting,,
    Points Possible,,,,,10.00,10.00,(read only),(read only)
"Lovelace, Ada",101,s1,ada,Sec 1,9.00,,90,90
"Turing, Alan",102,s2,alan,Sec 1,8.00,3.00,80,80
"=HYPERLINK(""http://x"")",103,s3,-eve,Sec 1,,EX,,
"Hopper, Grace",104,s4,grace,Sec 1,7.00,N/A,,
"Student, Test",105,,x77,Sec 1,,,,
"""  # noqa: E501 - as Canvas writes it
MOODLE = """\
Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,Last modified (submission),Last modified (grade),Feedback comments
Participant 101,Ada Lovelace,ada@uni.edu,Submitted for grading,,10.00,Yes,"Friday, 2 October 2026, 9:00 PM",-,
Participant 102,Alan Turing,alan@uni.edu,Submitted for grading,3.00,10.00,Yes,-,-,See me after class.
Participant 103,=Eve,eve@uni.edu,No submission,,10.00,Yes,-,-,
"""  # noqa: E501 - as Moodle writes it
GRADESCOPE = """\
First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time,1: x (10.0 pts)
Ada,Lovelace,s1,ada@uni.edu,Lab 1,,10.0,Ungraded,9001,2026-10-02 21:00:00 -0700,
Alan,Turing,s2,alan@uni.edu,Lab 1,,10.0,Ungraded,9002,2026-10-02 21:00:00 -0700,
=Eve,X,s3,eve@uni.edu,Lab 1,,10.0,Missing,,,
"""  # noqa: E501 - as Gradescope writes it


@pytest.fixture
def export(run_cli, tmp_path):
    """Export reports with a roster of this text; return how it ended and the file's rows."""

    def run(platform, *reports, roster=None, options=(), name="grades.csv"):
        folder = store(tmp_path / "reports", *reports)
        out = tmp_path / name
        words = ["export", folder, "--format", platform, "--out", out, *options]
        if roster is not None:
            (tmp_path / "roster.csv").write_text(roster, encoding="utf-8", newline="")
            words += ["--roster", tmp_path / "roster.csv"]
        ran = run_cli(*words)
        if ran.status == 2 or name.endswith(".zip"):
            return ran, out
        text = out.read_text(encoding="utf-8")
        return ran, list(csv.reader(io.StringIO(text, newline="")))

    return run


def test_canvas_gets_its_students_and_one_column(export):
    ran, rows = export("canvas", report("ada"), report("turingalan_102_555_hw2", 8), roster=CANVAS)
    assert ran.status == 0
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 2 (71)"],
        ["    Points Possible", "", "", "", "", "10.00"],
        ["Lovelace, Ada", "101", "s1", "ada", "Sec 1", "7.5"],
        ["Turing, Alan", "102", "s2", "alan", "Sec 1", "8"],
        ['\'=HYPERLINK("http://x")', "103", "s3", "-eve", "Sec 1", "EX"],
        ["Hopper, Grace", "104", "s4", "grace", "Sec 1", "N/A"],
        ["Student, Test", "105", "", "x77", "Sec 1", ""],
    ]
    assert "note: 3 students without a report: " in ran.err
    assert "2 of 2 grades" in ran.out


def test_canvas_of_a_country_with_decimal_commas(export):
    lines = CANVAS.replace('"', "'").replace(", ", " ").replace(",", ";").replace(".00", ",00")
    ran, rows = export("canvas", report("ada", 3.25), roster="\ufeff" + lines.replace("\n", "\r\n"))
    assert ran.status == 0
    assert "points possible" not in ran.err
    assert rows[2][-1] == "3.25"


def test_canvas_keeps_excused_students_and_tells(export):
    ran, rows = export("canvas", report("-eve"), report("ada"), roster=CANVAS)
    assert ran.status == 1
    assert rows[4][-1] == "EX"
    assert "not exported: -eve: " in ran.err
    assert "Canvas's 'EX' is kept" in ran.err
    assert "1 of 2 grades" in ran.out


@pytest.mark.parametrize("platform", ["canvas", "moodle", "gradescope"])
@pytest.mark.parametrize("status", ["pending", "broken"])
def test_an_open_grade_is_empty_and_never_zero(platform, status, export):
    roster = {"canvas": CANVAS, "moodle": MOODLE, "gradescope": GRADESCOPE}[platform]
    ran, rows = export(platform, report("ada", 0, status), report("alan"), roster=roster)
    assert ran.status == 1
    ada = next(row for row in rows if "Ada" in " ".join(row))
    assert not {"0", "0.0"} & set(ada)
    assert "1 of 2 grades" in ran.out
    why = {"pending": "a person must still mark q1.2", "broken": "the grader failed"}[status]
    assert f"not exported: ada: no grade is exported: {why}" in ran.err.replace(
        "its report is broken (the", "the"
    )


def test_points_so_far_are_exported_if_asked_for_but_never_broken_ones(export):
    reports = (report("ada", 3.0, "pending"), report("alan", 0, "broken"))
    ran, rows = export("canvas", *reports, roster=CANVAS, options=("--allow-pending",))
    assert ran.status == 1
    assert [row[-1] for row in rows[2:4]] == ["3", "3.00"]
    assert "1 grade not final, with pending checks" in ran.err
    assert "Canvas's '3.00' is kept" in ran.err  # alan's: broken, and an older grade is there


@pytest.mark.parametrize(
    ("name", "header", "column"),
    [
        ("homework 1", CANVAS, "Homework 1 (70)"),
        ("Homework 1 (70)", CANVAS, "Homework 1 (70)"),
        ("Essay", CANVAS, "Essay"),
    ],
)
def test_canvas_assignments_are_found_by_title(name, header, column, export):
    ran, rows = export("canvas", report("ada"), roster=header, options=("--assignment", name))
    assert ran.status == 0
    assert rows[0][-1] == column
    assert rows[1][-1] == ("10" if name == "Essay" else "10.00")
    assert ("Canvas will offer to create one" in ran.err) == (name == "Essay")


def test_canvas_refuses_a_misspelt_or_doubtful_assignment(export, run_cli, tmp_path):
    ran, _out = export(
        "canvas", report("ada"), roster=CANVAS, options=("--assignment", "Homewrok 1")
    )
    assert ran.status == 2
    assert "no assignment 'Homewrok 1' (did you mean 'Homework 1'?)" in ran.err
    words = ["export", tmp_path / "reports", "--format", "canvas", "--out", tmp_path / "g.csv"]
    twice = CANVAS.replace("Homework 1 (70)", "Homework 2 (70)")
    (tmp_path / "r.csv").write_text(twice)
    ran = run_cli(*words, "--roster", tmp_path / "r.csv")
    assert ran.status == 2
    assert "several assignments have this name: 'Homework 2 (70)', 'Homework 2 (71)'" in ran.err
    (tmp_path / "r.csv").write_text(CANVAS.replace("Homework 2", "Final"))
    ran = run_cli(*words, "--roster", tmp_path / "r.csv")
    assert ran.status == 2
    assert "choose one with --assignment (there are: 'Homework 1', 'Final')" in ran.err
    assert not (tmp_path / "g.csv").exists()


def test_other_points_possible_are_told(export):
    roster = CANVAS.replace("10.00,10.00", "10.00,50.00")
    ran, rows = export("canvas", report("ada"), roster=roster)
    assert rows[1][-1] == "50.00"
    assert "Canvas has 50.00 points possible for 'Homework 2 (71)', the reports 10" in ran.err


def test_canvas_without_a_roster(export):
    names = ("@eve", "ada", "lovelaceada_LATE_101_555_hw2")
    ran, rows = export("canvas", *map(report, names))
    assert ran.status == 0
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 2"],
        ["    Points Possible", "", "", "", "", "10"],
        ["'@eve", "", "", "'@eve", "", "7.5"],
        ["ada", "", "", "ada", "", "7.5"],
        ["lovelaceada_LATE_101_555_hw2", "101", "", "", "", "7.5"],
    ]


def test_moodle_gets_its_worksheet_back_with_grades_and_feedback(export):
    folder = "Ada_Lovelace_101_assignsubmission_file"
    ran, rows = export("moodle", report(folder), report("alan@uni.edu"), roster=MOODLE)
    assert ran.status == 0
    header, ada, alan, eve = rows
    assert ",".join(header) == MOODLE.splitlines()[0]
    assert ada[:9] == ["Participant 101", "Ada Lovelace", "ada@uni.edu", "Submitted for grading",
                       "7.5", "10.00", "Yes", "Friday, 2 October 2026, 9:00 PM", "-"]  # fmt: skip
    assert ada[9] == (
        "Homework 2: 7.5 of 10 points<br><br>q1.1 a check: 7.5 of 8<br>"
        "dW: &lt;b&gt;wrong&lt;/b&gt;<br>Hint: A hint."
    )
    assert (alan[4], alan[9]) == ("7.5", "See me after class.")
    assert "the comment 'See me after class.' is kept" in ran.err
    assert (eve[1], eve[4]) == ("'=Eve", "")


def test_feedback_of_an_earlier_export_is_replaced(export):
    roster = MOODLE.replace("See me after class.", "Homework 2: 1 of 10 points")
    ran, rows = export("moodle", report("alan@uni.edu"), roster=roster)
    assert rows[2][9].startswith("Homework 2: 7.5 of 10 points<br>")
    assert "is kept" not in ran.err


def test_moodle_would_skip_more_than_the_maximum_and_that_is_told(export):
    roster = MOODLE.replace("10.00", "5.00")
    ran, _rows = export("moodle", report("ada"), roster=roster)
    assert "7.5 is more than Moodle's maximum of 5: Moodle will skip it" in ran.err


def test_moodle_without_feedback_comments_is_told(export):
    roster = "\n".join(line.rsplit(",", 1)[0] for line in MOODLE.splitlines())
    ran, rows = export("moodle", report("ada"), roster=roster)
    assert ran.status == 0
    assert len(rows[0]) == 9
    assert "has no column Feedback comments" in ran.err


def test_moodle_without_a_roster(export, tmp_path, run_cli):
    ran, rows = export("moodle", report("Ada_Lovelace_101_assignsubmission_file"))
    assert ran.status == 0
    assert rows[0] == [
        "Identifier",
        "Full name",
        "Grade",
        "Last modified (grade)",
        "Feedback comments",
    ]
    assert rows[1][:4] == ["Participant 101", "Ada Lovelace", "7.5", "-"]
    store(tmp_path / "others", report("ada"), report("-eve", 0, "pending"))
    out = tmp_path / "others.csv"
    ran = run_cli("export", tmp_path / "others", "--format", "moodle", "--out", out)
    assert ran.status == 1
    rows = list(csv.reader(io.StringIO(out.read_text())))
    assert rows[0] == ["Username", "Homework 2", "Feedback: Homework 2"]
    assert [row[:2] for row in rows[1:]] == [["'-eve", ""], ["ada", "7.5"]]
    assert rows[1][2] == ""


def test_gradescope_scores_as_a_table(export):
    ran, rows = export("gradescope", report("submission_9001"), report("alan"), roster=GRADESCOPE)
    assert ran.status == 0
    assert rows == [
        ["First Name", "Last Name", "SID", "Email", "Sections", "Submission ID", "Total Score",
         "Max Points", "Status"],
        ["Ada", "Lovelace", "s1", "ada@uni.edu", "Lab 1", "9001", "7.5", "10", "Graded"],
        ["Alan", "Turing", "s2", "alan@uni.edu", "Lab 1", "9002", "7.5", "10", "Graded"],
        ["'=Eve", "X", "s3", "eve@uni.edu", "Lab 1", "", "", "", "Missing"],
    ]  # fmt: skip
    assert "Gradescope cannot import scores for programming assignments" in ran.err


def handed_out(archive, tmp_path, number, email="x@y.z"):
    """Run the exported autograder as Gradescope does; return its status and results."""
    root = tmp_path / f"autograder_{number}"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(root / "source")
        assert packed.getinfo("run_autograder").external_attr >> 16 == 0o755
    users = {"id": number, "users": [{"email": email, "id": 1, "name": "Student"}]}
    (root / "submission_metadata.json").write_text(json.dumps(users))
    command = [sys.executable, "-I", str(root / "source" / "run_autograder"), str(root)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    results = root / "results" / "results.json"
    return ran, json.loads(results.read_text()) if results.exists() else None


def test_the_gradescope_autograder_hands_out_the_results(export, tmp_path):
    reports = (report("submission_9001"), report("submission_9002", 0, "pending"))
    ran, archive = export("gradescope", *reports, name="grades.zip")
    assert ran.status == 1
    assert (
        "not exported: submission_9002: no grade is exported: a person must still mark q1.2"
        in ran.err
    )
    status, results = handed_out(archive, tmp_path, 9001)
    assert status.returncode == 0
    assert results["score"] == 7.5
    assert "hidden input 42" not in json.dumps(results)
    status, results = handed_out(archive, tmp_path, 9002)
    assert (status.returncode, results) == (1, None)
    assert "There is no grade for this submission" in status.stdout


def test_the_gradescope_autograder_finds_students_by_email(export, tmp_path):
    roster = "\n".join(",".join(line.split(",")[:4]) for line in GRADESCOPE.splitlines())
    ran, archive = export("gradescope", report("alan"), roster=roster, name="grades.zip")
    assert ran.status == 0
    _status, results = handed_out(archive, tmp_path, 77, "Alan@Uni.edu")
    assert results["score"] == 7.5
    with zipfile.ZipFile(archive) as packed:
        assert set(packed.namelist()) == {"setup.sh", "run_autograder", "grades.json"}
        assert list(json.loads(packed.read("grades.json"))) == ["alan@uni.edu"]


def test_gradescope_without_any_number_needs_a_roster(export):
    ran, out = export("gradescope", report("ada"), name="grades.zip")
    assert ran.status == 2
    assert "ada: has no Gradescope number (submission_123) and no email address" in ran.err
    assert "no grade can be exported; nothing was written" in ran.err
    assert not out.exists()


@pytest.mark.parametrize("platform", ["canvas", "moodle", "gradescope"])
def test_a_list_of_another_platform_is_refused(platform, export):
    ran, _out = export(platform, report("ada"), roster="Name;Points\nada;1\n")
    assert ran.status == 2
    assert "roster.csv:1: not a" in ran.err
    assert "download it" in ran.err


def test_a_list_without_any_of_the_students_is_refused_and_nothing_written(export, tmp_path):
    ran, out = export("canvas", report("zoe"), roster=CANVAS)
    assert ran.status == 2
    assert "zoe: matches no student" in ran.err
    assert "no submission belongs to any of its students" in ran.err
    assert not out.exists()


def test_unmatched_reports_are_told_and_the_others_exported(export):
    ran, rows = export("canvas", report("ada"), report("zoe"), roster=CANVAS)
    assert ran.status == 1
    assert rows[2][-1] == "7.5"
    assert "not exported: zoe: matches no student in" in ran.err
    assert "1 of 2 grades" in ran.out


def test_reports_of_two_assignments_are_refused(export):
    ran, _out = export("canvas", report("ada"), report("alan", assignment="hw3"))
    assert ran.status == 2
    assert "the reports belong to several assignments (hw2, hw3)" in ran.err


def test_the_roster_is_not_overwritten(export, tmp_path):
    ran, _out = export("canvas", report("ada"), roster=CANVAS, name="roster.csv")
    assert ran.status == 2
    assert "is the roster; name another file" in ran.err
    assert (tmp_path / "roster.csv").read_text() == CANVAS


def test_different_numbers_of_points_are_told(export):
    ran, _rows = export("canvas", report("ada"), report("alan", max_score=100.0), roster=CANVAS)
    assert "the reports are out of 10 and 100 points" in ran.err


def test_a_broken_report_does_not_say_what_the_assignment_is_worth(export):
    ran, rows = export("canvas", report("ada"), report("alan", 0, "broken", max_score=100.0))
    assert rows[1][-1] == "10"
    assert "are out of" not in ran.err


def test_a_control_character_of_a_report_reaches_no_file_or_terminal(export):
    evil = report("ada")
    evil["questions"][0]["checks"][0]["message"] = "\x1b[2J=1+1\x00"
    ran, rows = export("moodle", evil, roster=MOODLE)
    assert "\x1b" not in ran.out + ran.err + rows[1][9]
    assert "\x00" not in rows[1][9]
