"""Whose submission it is: by identifier, the platform's number, email name, or full name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.deliver.exports.known import FORMATS
from grader.deliver.exports.roster import match, name_forms
from grader.intake.submission import safe_id
from grader.readers.tables import Row, Sheet

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
ADA = ("Lovelace, Ada", "101", "s1", "ada@uni.edu", "1")
ALAN = ("Turing, Alan Mathison", "102", "s2", "at42", "1")
RENE = ("Thom, René", "103", "00123", "rthom", "1")
ADA_2 = ("Lovelace, Ada", "104", "s4", "ada@other.edu", "1")


def canvas(*students):
    rows = [
        Row(line, dict(zip(CANVAS, cells, strict=True))) for line, cells in enumerate(students, 2)
    ]
    return FORMATS["canvas"].roster(Sheet("roster.csv", list(CANVAS), rows))


@pytest.mark.parametrize(
    ("submission", "row"),
    [
        ("s1", 0),
        ("S2", 1),
        ("at42", 1),
        ("ada@uni.edu", 0),
        ("ada", 0),
        ("Lovelace_Ada", 0),
        ("ada_lovelace", 0),
        ("AlanMathisonTuring", 1),
        ("Rene_Thom", 2),
        ("00123", 2),
        ("102", 1),
        ("lovelaceada_101_5551_hw2", 0),
        ("lovelaceada_LATE_101_5551_hw2-1", 0),
        ("thomrene_103_5551_hw_2", 2),
    ],
)
def test_a_submission_finds_its_student(submission, row):
    made = match(canvas(ADA, ALAN, RENE), [submission])
    assert made.rows == {row: submission}
    assert made.problems == []
    assert len(made.without) == 2


@pytest.mark.parametrize(
    ("submission", "words"),
    [
        (
            "turing_alan_mathisom",
            "no student in roster.csv (did you mean 'Turing, Alan Mathison'?)",
        ),
        ("123", "123: matches no student in roster.csv (did you mean '00123'?)"),
        ("lovelaceada_999_5551_hw2", "matches no student"),  # a namesake who is not on the list
        ("at42-2", "at42-2: matches no student in roster.csv (did you mean 'at42'?)"),
    ],
)
def test_a_submission_of_nobody_is_told(submission, words):
    made = match(canvas(ADA, ALAN, RENE), [submission])
    assert made.rows == {}
    (problem,) = made.problems
    assert words in problem


def test_what_fits_two_students_is_never_guessed():
    made = match(canvas(ADA, ALAN, ADA_2), ["ada", "ada_lovelace", "ada@other.edu"])
    assert made.rows == {2: "ada@other.edu"}
    assert made.problems == [
        f"{name}: matches more than one student: 'Lovelace, Ada' (line 2) "
        "and 'Lovelace, Ada' (line 4)"
        for name in ("ada", "ada_lovelace")
    ]
    assert made.without == ["'Turing, Alan Mathison' (line 3)"]


def test_two_submissions_of_one_student_are_both_left_out():
    made = match(canvas(ADA, ALAN), ["s1", "ada", "at42"])
    assert made.rows == {1: "at42"}
    assert made.problems == [
        "s1, ada: all match 'Lovelace, Ada' (line 2); none is exported: keep one report"
    ]


def test_an_identifier_is_stronger_than_a_name():
    namesake = ("At42, Bob", "105", "s5", "Lovelace_Ada", "1")
    assert match(canvas(ADA, namesake), ["lovelace_ada"]).rows == {1: "lovelace_ada"}


def test_long_names_are_tried_in_two_orders_only():
    assert name_forms("Ruiz y Picasso, Pablo Diego José") == [
        "ruizypicassopablodiegojose",
        "pablodiegojoseruizypicasso",
    ]
    assert name_forms(" , ") == []


WORDS = st.text(st.characters(categories=["L"]), min_size=1, max_size=6)


@settings(deadline=None, max_examples=150)
@given(first=WORDS, last=WORDS, number=st.integers(1, 10**6))
def test_moodle_folders_find_their_participant(first, last, number):
    columns = ["Identifier", "Full name", "Grade", "Last modified (grade)"]
    cells = (f"Participant {number}", f"{first} {last}", "", "-")
    other = (f"Participant {number + 1}", f"{first} {last}", "", "-")
    rows = [Row(2 + i, dict(zip(columns, c, strict=True))) for i, c in enumerate((cells, other))]
    roster = FORMATS["moodle"].roster(Sheet("roster.csv", columns, rows))
    name = safe_id(f"{first} {last}_{number}_assignsubmission_file_")
    assert match(roster, [name]).rows == {0: name}
