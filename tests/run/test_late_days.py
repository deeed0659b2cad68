"""Late days and groups outside Gradescope: what tables, names and earlier homeworks say."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from grader.errors import UsageError
from grader.intake.downloads import Collected, HandedInFile, Student
from grader.lateness import Lateness
from grader.model import LateSpec, Policies, Rubric
from grader.reports.frame import GroupReport, LateReport, MemberReport
from grader.reports.report import Report
from grader.run.late_days import Frames, Told, frames
from tests import made_reports
from tests.made_reports import typed

DUE = datetime(2026, 3, 1, 23, 59, tzinfo=timezone.utc)
ADA = Student("lovelaceada", "101", late=False)
BEN = Student("benross", "102", late=True)
CLASS = {"lovelaceada_101_5551_hw2": ADA, "benross_LATE_102_5552_hw2": BEN, "carol": None}
ADAS, BENS, CAROLS = CLASS
TENTH = LateSpec(per_day=0.1)


@pytest.fixture
def told(tmp_path):
    """Return what is told, with tables as text and earlier reports as JSON."""

    def made(
        times: str = "", groups: str = "", earlier: list[dict[str, Any]] | None = None, **more: Any
    ) -> Told:
        for name, text in (("times.csv", times), ("groups.csv", groups)):
            (tmp_path / name).write_text(text, encoding="utf-8")
        folder = tmp_path / "hw1"
        if earlier:
            made_reports.store(folder, *earlier)
        return Told(
            tmp_path / "times.csv" if times else None,
            more.pop("due", DUE),
            tmp_path / "groups.csv" if groups else None,
            (folder,) if earlier else (),
        )

    return made


def framed(
    told: Told,
    policy: LateSpec | None = TENTH,
    students: dict[str, Student | None] = CLASS,
    earlier: dict[str, Report] | None = None,
) -> Frames:
    rubric = Rubric(Path("rubric.yaml"), "hw9", "Homework 9", 0, Path(), (), Policies(policy))
    found = [
        (name, Path(name) if one is None else Collected(name, (HandedInFile(Path(name), ""),), one))
        for name, one in students.items()
    ]
    return frames(rubric, told, found, earlier or {})


def late(made: Frames, name: str) -> LateReport | None:
    return made.frames[name].late


def days(made: Frames, name: str) -> int:
    found = late(made, name)
    return 0 if found is None else found.days


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("lovelaceada_101_5551_hw2,2026-03-02T00:00:00Z", 1),
        ("101,2026-03-03 00:30 +0000", 2),
        ("Ada Lovelace,2026-03-02 00:58:00 +0100", 0),
        ("101,2026-03-01T23:59:00Z", 0),
    ],
)
def test_a_table_of_times_says_how_late(told, row, expected):
    made = framed(told(f"student,handed_in\n{row}\n"))
    assert days(made, ADAS) == expected


def test_the_report_says_when_it_was_due_and_handed_in(told):
    found = late(framed(told("student,handed_in\n101,2026-03-02T12:00:00Z\n")), ADAS)
    assert (found.handed_in, found.due) == ("2026-03-02 12:00+00:00", "2026-03-01 23:59+00:00")
    assert not found.at_least


def test_canvas_word_late_is_one_day_at_least(told):
    made = framed(told())
    assert late(made, BENS).at_least
    assert [days(made, name) for name in CLASS] == [0, 1, 0]
    settled = late(made, BENS).settled(8.0, 10.0)
    assert settled.points == 1
    assert settled.text().startswith("Submitted at least 1 day late: you lose 1 point (")


def test_canvas_word_late_costs_nothing_where_it_may_be_within_the_grace_period(told):
    made = framed(told(), LateSpec(per_day=0.1, grace_minutes=10))
    assert late(made, BENS) is None
    assert any(BENS in note and "nothing is taken off" in note for note in made.notes)


def test_a_time_is_stronger_than_canvas_word(told):
    made = framed(told("id,handed_in\n102,2026-03-01T22:00:00Z\n"))
    assert late(made, BENS) is None


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("due", "2026-03-03T23:59:00Z", 0),
        ("extension_days", "1", 1),
        ("extension_days", "2", 0),
        ("extension_days", "0,5", 1),
    ],
)
def test_an_extension_of_one_student_moves_the_date(told, columns, cells, expected):
    table = (
        f'id,handed_in,{columns}\n101,2026-03-03T06:00:00Z,"{cells}"\n102,2026-03-03T06:00:00Z,\n'
    )
    made = framed(told(table))
    assert (days(made, ADAS), days(made, BENS)) == (expected, 2)


def test_an_extension_without_a_time_leaves_canvas_word_to_a_person(told):
    made = framed(told("id,extension_days\n102,1\n"))
    assert late(made, BENS) is None
    assert any(BENS in note and "nothing is taken off" in note for note in made.notes)


def test_gradescopes_table_of_grades_is_read_as_it_is(told):
    table = (
        "First Name,Last Name,SID,Email,Submission ID,Submission Time,Lateness (H:M:S)\n"
        "Ada,Lovelace,7,ada@x.edu,9001,2026-03-03 07:59:00 -0800,40:00:00\n"
        "Ben,Ross,8,ben@x.edu,9002,2026-03-01 07:59:00 -0800,00:00:00\n"
        "Zoe,Nobody,9,zoe@x.edu,,,\n"
    )
    students = {"submission_9001": None, "submission_9002": Student("Ben Ross", "8", "ben@x.edu")}
    made = framed(told(table), students=students)
    assert [days(made, name) for name in students] == [2, 0]
    assert made.notes == []


def test_days_may_be_told_in_place_of_times(told):
    made = framed(told("student,days_late\ncarol,3\n"), LateSpec(per_day=0.1, max_days=2))
    assert (days(made, CAROLS), late(made, CAROLS).over) == (3, True)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("student,handed_in\n101,soon\n", "times.csv:2: handed_in: 'soon' is not a date"),
        ("student,days_late\n101,1.5\n", "times.csv:2: days_late: '1.5' is not a number of whole"),
        ("student,days_late\n101,-1\n", "'-1' is not a number"),
        ("student,when\n101,1\n", "needs a column that says whose"),
        ("handed_in\n2026-03-01\n", "needs a column that says whose"),
        ("student,handed_in\n101,2026-03-02\n", "give both a time zone"),
        ("student,days_late\n101,1\nlovelaceada,2\n", f"lines 2, 3 are all about {ADAS}"),
    ],
)
def test_what_a_table_lacks_is_refused_with_its_line(told, table, text):
    with pytest.raises(UsageError, match=text.replace(".", r"\.")):
        framed(told(table))


def test_a_row_that_fits_two_students_is_refused(told):
    students = {"a": Student("Li Wei", "1"), "b": Student("Li Wei", "2")}
    with pytest.raises(UsageError, match="'Li Wei' \\(line 2\\) fits several submissions: a, b"):
        framed(told("name,days_late\nLi Wei,1\n"), students=students)
    made = framed(told("name,id,days_late\nLi Wei,2,1\n"), students=students)
    assert (days(made, "a"), days(made, "b")) == (0, 1)


def test_times_need_a_date_and_a_rule(told):
    table = "student,handed_in\n101,2026-03-02T12:00:00Z\n"
    with pytest.raises(UsageError, match="add --due DATE"):
        framed(told(table, due=None))
    with pytest.raises(UsageError, match="the rubric has no rule for late days"):
        framed(told(table), None)


def test_who_is_not_in_the_table_is_named(told):
    made = framed(told("student,days_late\n101,1\nzoe,2\n"))
    assert "no time for 2 submissions, taken to be in time unless" in made.notes[1]
    assert "1 row of no submission: 'zoe' (line 3)" in made.notes[0]


def earlier_report(
    name: str, bank_days: int, student: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    found = LateReport.of_lateness(TENTH, Lateness(bank_days, bank_days=bank_days, bank_left=0))
    made = made_reports.report(name)
    if found is not None:
        made["late"] = found.settled(7.5, 10.0).model_dump()
    made["submission"] |= more | ({"student": student} if student else {})
    return made


BANK = LateSpec(per_day=0.1, bank_days=3)
TWO_DAYS = "student,days_late\n101,2\nbenross,2\ncarol,2\n"


def test_a_bank_pays_for_late_days_as_long_as_it_lasts(told):
    before = [
        earlier_report("lovelaceada_101_4000_hw1", 2, {"name": "lovelaceada", "id": "101"}),
        earlier_report("carol", 3),
    ]
    made = framed(told(TWO_DAYS, earlier=before), BANK)
    paid = {name: (late(made, name).bank_days, late(made, name).bank_left) for name in CLASS}
    assert paid == {ADAS: (1, 0), BENS: (2, 1), CAROLS: (0, 0)}
    assert [late(made, name).settled(8.0, 10.0).points for name in CLASS] == [1, 0, 2]
    assert "your late days pay for 1 of them, 0 left" in late(made, ADAS).settled(8.0, 10.0).text()


def test_free_days_are_used_before_the_bank(told):
    made = framed(told(TWO_DAYS), LateSpec(per_day=0.1, free_days=1, bank_days=3))
    assert (late(made, ADAS).bank_days, late(made, ADAS).bank_left) == (1, 2)
    assert late(made, ADAS).settled(8.0, 10.0).points == 0


def test_a_bank_does_not_pay_after_the_last_accepted_day(told):
    made = framed(told(TWO_DAYS), LateSpec(per_day=0.1, max_days=1, bank_days=3))
    assert (late(made, ADAS).bank_days, late(made, ADAS).settled(8.0, 10.0).points) == (0, 8)


def test_who_used_days_is_known_by_name_where_the_platform_numbers_anew(told):
    before = [
        earlier_report("x", 1, {"name": "lovelaceada", "id": "900"}),
        earlier_report("y", 3, {"name": "somebodyelse", "id": "101"}),
    ]
    made = framed(told(TWO_DAYS, earlier=before), BANK)
    assert late(made, ADAS).bank_left + late(made, ADAS).bank_days == 2


def test_two_of_one_name_pay_nothing_for_one_another(told):
    students = {"a": Student("Li Wei", "1"), "b": Student("Li Wei", "2")}
    before = [
        earlier_report("x", 3, {"name": "Li Wei", "id": "8"}),
        earlier_report("y", 1, {"name": "Li Wei", "id": "2"}),
    ]
    made = framed(told("id,days_late\n1,1\n2,1\n", earlier=before), BANK, students)
    assert (late(made, "a").bank_left, late(made, "b").bank_left) == (2, 1)
    assert any("may be" in note for note in made.notes)


def test_a_folder_of_this_homework_is_no_earlier_one(told):
    same = made_reports.report("x", assignment="hw9")
    with pytest.raises(UsageError, match="holds reports of the homework that is graded: 'hw9'"):
        framed(told(TWO_DAYS, earlier=[same]), BANK)


GROUPS = (
    "name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id\n"
    "Ada Lovelace,101,s1,ada,A,Team 7,7,\n"
    "Eve Moneypenny,104,s4,eve,A,Team 7,7,\n"
    "Zoe Nobody,109,s9,zoe,A,Team 8,8,\n"
)


def test_canvas_list_of_groups_is_read_as_it_is(told):
    made = framed(told(groups=GROUPS))
    assert made.frames[BENS].group is None
    group = made.frames[ADAS].group
    assert group.name == "Team 7"
    assert group.members[1] == MemberReport(
        name="Eve Moneypenny", id="s4", login="eve", canvas_id="104"
    )


def test_groups_without_a_hand_in_are_named(told):
    notes = framed(told(groups=GROUPS)).notes
    assert [note for note in notes if "no hand-in" in note] == [
        "groups.csv: no hand-in of 1 group: 'Team 8'"
    ]


def test_a_group_is_found_by_its_own_name(told):
    students = {"team7_555_1_hw2": Student("team7", "555")}
    made = framed(told(groups=GROUPS), students=students)
    assert made.frames["team7_555_1_hw2"].group.name == "Team 7"


def test_two_hand_ins_of_one_group_stay_apart_and_are_named(told):
    students = {"a": Student("adalovelace", "101"), "e": Student("evemoneypenny", "104")}
    made = framed(told(groups=GROUPS), students=students)
    assert [frame.group for frame in made.frames.values()] == [None, None]
    assert "group 'Team 7' handed in 2 times (a, e)" in made.notes[0]


def test_the_latest_extension_in_a_group_counts_and_the_emptiest_bank(told):
    table = "id,handed_in,extension_days\n101,2026-03-04T12:00:00Z,\n104,,1\n"
    before = [earlier_report("x", 2, {"name": "Eve Moneypenny", "id": "9"})]
    made = framed(told(table, GROUPS, before), BANK)
    assert (days(made, ADAS), late(made, ADAS).bank_days, late(made, ADAS).bank_left) == (2, 1, 0)


def test_days_of_a_group_are_used_by_each_member(told):
    group = {"name": "T", "members": [{"name": "Ada Lovelace"}, {"name": "lovelace, ada"}]}
    group["members"][1] = {"name": "carol", "login": "carol"}
    before = [earlier_report("x", 2, group=group)]
    students = {"submission": Student("adalovelace", "1")}
    made = framed(told("id,days_late\n1,2\n", earlier=before), BANK, students)
    assert late(made, "submission").bank_days == 1


def test_what_was_told_before_stays_until_something_else_is_told(told):
    first = framed(told("student,days_late\n101,2\n", GROUPS, due=None), BANK)
    made = {ADAS: typed(made_reports.report(ADAS)).framed(first.frames[ADAS])}
    again = framed(told(due=None), BANK, earlier=made)
    assert again.frames[ADAS] == first.frames[ADAS]
    dearer = framed(told(due=None), LateSpec(per_day=0.2, max_days=1), earlier=made)
    assert (late(dearer, ADAS).per_day, late(dearer, ADAS).over) == (0.2, True)
    without = framed(told(due=None), None, earlier=made)
    assert late(without, ADAS) is None
    other = framed(told("student,days_late\n101,1\n", due=None), BANK, earlier=made)
    assert days(other, ADAS) == 1


def test_different_lists_have_different_digests(told):
    digests = {
        framed(told(due=None), None).digest,
        framed(told()).digest,
        framed(told(due=None)).digest,
        framed(told("student,days_late\n101,1\n")).digest,
        framed(told("student,days_late\n101,2\n")).digest,
        framed(told(groups=GROUPS)).digest,
        framed(told(), BANK).digest,
    }
    assert len(digests) == 7
    assert "" in digests


def test_points_follow_marks_and_other_checks():
    spec = LateSpec(per_day=0.1, of="score")
    frame = Frames().frames.get("x") or typed(made_reports.report("x")).frame
    late_by_two = frame.model_copy(update={"late": LateReport.of_lateness(spec, Lateness(2))})
    made = typed(made_reports.report("x", 8.0, "pending")).framed(late_by_two)
    assert (made.score, made.late.score_before, made.late.points) == (6.4, 8.0, 1.6)
    check = made.by_id()["q1.2"].model_copy(update={"outcome": "passed", "points": 1.0})
    marked = made.with_check(check)
    assert (marked.score, marked.late.score_before, marked.late.points) == (7.2, 9.0, 1.8)
    assert Report.read(marked.model_dump_json().encode()) == marked


def test_a_broken_report_has_no_deduction():
    broken = typed(made_reports.report("x", status="broken"))
    late_by_two = broken.frame.model_copy(
        update={"late": LateReport.of_lateness(TENTH, Lateness(2))}
    )
    made = broken.framed(late_by_two)
    assert (made.score, made.late.points, made.late.score_before) == (None, None, None)
    group = GroupReport(name="T", members=(MemberReport(name="Ada"),))
    assert made.framed(made.frame.model_copy(update={"group": group})).students == "T: Ada"
