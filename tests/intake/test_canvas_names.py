"""Names of Canvas whose group, title or both hold numbers: read where clear, else left in doubt."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.intake import canvas
from grader.intake.submission import find, stage
from tests.intake.test_downloads import MODULES, RIGHT, WRONG, laid_out, zipped

# The students of a course: number -> name, as ``letters`` writes it.
PEOPLE = {
    "7": ["booleboris"], "12": ["curiemarie"], "101": ["lovelaceada"], "102": ["hoppergrace"],
    "103": ["shannonclaude"], "301": ["noetheremmy"], "5551": ["erdospaul"],
}  # fmt: skip


def users(*names: str, people: canvas.People | None = None) -> list[list[str]]:
    """Return the numbers of students that remain for each name."""
    left = canvas.settled({name: canvas.readings(name) for name in names}, people)
    return [[way.user for way in left[name]] for name in names]


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("team_7_101_6001_hw2.zip", "101"),
        ("team_7_LATE_101_6001_hw2.zip", "101"),
        ("7_12_101_6001_hw2.zip", "101"),
        ("lab3team_7_101_6001_hw2.zip", "101"),
        ("lab_3_team_7_101_6001_hw2.zip", "101"),
        ("the_a_team_101_6001_hw2.zip", "101"),
        ("42_101_6001_hw2.zip", "101"),
        ("team_2026_301_6001_hw2.zip", "301"),
        ("team_7_101_text.html", "101"),
        ("lovelaceada_101_5551_hw2.zip", "101"),
        ("lovelaceada_101_6001_2_hw.zip", "101"),
        ("lovelaceada_101_6001_20261120_hw.zip", "101"),
        ("lovelaceada_101_5551_20261120_hw.zip", "101"),  # the file has a student's number
        ("lovelaceada_101_6001_exercise_3_4_b.py", "101"),
        ("alpha_101_6001_2_hw.zip", "101"),
        ("o_neil_LATE_102_6001_a_9_10_b.py", "102"),
        ("anon_x9Z_6001_a_7_12_b.py", "anon_x9Z"),
    ],
)
def test_the_list_of_students_says_how_a_name_is_read(name, user):
    assert users(name, people=PEOPLE) == [[user]]


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("team_7_8801_6001_hw2.zip", {"7": ["x"], "12": ["y"]}),  # 8801 has left the course
        ("team_7_999_6001_hw2.zip", {"7": ["x"]}),
        ("red_12_204_9001_a.py", {"7": ["x"], "12": ["y"], "103": ["z"]}),
        ("group_3_9001_70001_hw.zip", {"3": ["x"], "4": ["y"]}),
        ("team_7_201_6001_hw2.zip", {}),
        ("team_7_201_6001_hw2.zip", {"1": ["x"]}),
        ("1_2_3_4_hw.zip", {}),
        ("alpha_101_5551_20261120_hw.zip", {}),
        ("team_7_LATE_9_10_12_hw.zip", {}),
        ("x_7_50_60_y.py", {"7": ["a"]}),
    ],
)
def test_what_may_be_a_stranger_s_stays_in_doubt(name, people):
    (found,) = users(name, people=people)
    if "LATE" in name:
        assert found == ["9"]  # what stands before the number says it
    else:
        assert len(found) > 1


def test_the_other_names_of_a_download_say_how_a_name_is_read():
    group = [
        "projectgroup3_203_6003_hw2.zip",
        "team_12_202_6002_hw2.zip",
        "team_7_201_6001_hw2.zip",
    ]
    assert users(*group) == [["203"], ["202"], ["201"]]
    single = ["ada_101_6003_hw.zip", "ada_101_6004_20261120_fig.zip", "bob_102_6005_99999_x.zip"]
    assert users(*single) == [["101"], ["101"], ["102"]]


def test_a_student_who_has_left_gives_no_points_to_a_namesake_of_the_number():
    names = ["lovelaceada_101_6001_hw.zip", "erdosold_998_5551_20261120_hw.zip"]
    assert users(*names, people=PEOPLE) == [["101"], ["998"]]


NAMES = st.from_regex(r"[a-z]{1,6}(_[a-z]{1,4})?", fullmatch=True)


@settings(deadline=None, max_examples=200)
@given(
    groups=st.lists(st.tuples(NAMES, st.integers(1, 99)), min_size=2, max_size=6, unique=True),
    first=st.integers(20_000, 30_000),
    numbers=st.booleans(),
)
def test_teams_with_numbers_are_read_as_their_members(groups, first, numbers):
    people = {str(first + at): ["somebody"] for at in range(len(groups))}
    people |= {str(number): ["a stranger"] for _name, number in groups}
    title = "2_hw.zip" if numbers else "hw.zip"
    names = [
        f"{name}_{number}_{first + at}_{900_000 + at}_{title}"
        for at, (name, number) in enumerate(groups)
    ]
    assert users(*names, people=people) == [[str(first + at)] for at in range(len(groups))]


def test_two_teams_are_two_submissions_and_two_files_of_a_team_one(tmp_path):
    files = {
        "team_7_201_6001_rnn_layers.py": RIGHT,
        "team_7_201_6002_explanation.md": b"words",
        "lab_7_305_6003_hw2.zip": zipped({"rnn_layers.py": WRONG}),
    }
    found = find([laid_out(tmp_path / "class", files)], MODULES)
    assert [name for name, _origin in found] == ["lab_7_305_6003_hw2", "team_7_201_6002_files"]
    made = stage(*found[1], tmp_path / "staged", MODULES)
    assert (made.folder / "rnn_layers.py").read_bytes() == RIGHT
    # Nothing in the names says which number is the student's: the report has none.
    assert made.student is not None
    assert made.student.plain() == {"name": "team_7_201", "late": False}
