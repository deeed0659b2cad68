"""A student who hands in again, under another name, is compared with the same student."""

from __future__ import annotations

import pytest

from grader.deliver.marking import changes
from tests.made_reports import report, typed


def handed_in(name: str, points: float = 7.5, /, **student: object):
    made = report(name, points)
    if student:
        made["submission"]["student"] = student
    return {name: typed(made)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("ada_101_5551_hw2", {"name": "ada", "id": "101"}),
         ("ada_LATE_101_7777_hw2-1", {"name": "ada", "id": "101", "late": True})),
        (("ada_101_5551_hw2", {"id": "101"}), ("ada_101_5560_files", {"id": "101"})),
        (("team_7_201_6001_hw2", {"name": "team_7_201"}),
         ("team_7_201_7777_hw2-1", {"name": "team_7_201"})),
        (("team_7_201_6001_hw2", {}), ("team_7_201_7777_hw2", {})),
        (("anon_x9Z_1_a", {"id": "anon_x9Z"}), ("anon_x9Z_2_a", {"id": "anon_x9Z"})),
        (("submission_9001", {"id": "1", "email": "a@b.c"}),
         ("submission_9010", {"id": "1", "email": "A@b.c"})),
        (("submission_9001", {"email": "a@b.c, d@b.c"}),
         ("submission_9010", {"email": "d@b.c, a@b.c"})),
        (("submission_9001", {"id": "3001"}), ("submission_9010", {"id": "3001"})),
        (("a@b.c_1_hw2", {"email": "a@b.c"}), ("a@b.c_12_hw2", {"email": "a@b.c"})),
        (("Ada_7_assignsubmission_file", {"id": "7"}), ("Ada_L_7_assignsubmission_file",
                                                       {"id": "7"})),
    ],
)  # fmt: skip
def test_the_same_student_is_compared(old, new):
    before, after = handed_in(old[0], **old[1]), handed_in(new[0], 3.0, **new[1])
    (change,) = changes.compare(before, after)
    assert (change.submission, change.submission_before) == (new[0], old[0])
    assert (change.kind, change.delta) == ("changed", -4.5)
    assert change.notes[0] == f"handed in again: {old[0]} in OLD"
    (same,) = changes.compare(before, handed_in(new[0], **new[1]))
    assert same.kind == "same"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([("ada_101_1_a", {"id": "101"})], [("bob_102_2_a", {"id": "102"})]),
        ([("ada", {})], [("bob", {})]),
        ([("submission_1", {"email": "a@b.c"})], [("submission_2", {"email": "a@b.c, d@b.c"})]),
        # Nobody knows which is which.
        ([("x_101_1_a", {"id": "101"}), ("x_101_2_b", {"id": "101"})],
         [("x_101_3_c", {"id": "101"})]),
    ],
)  # fmt: skip
def test_different_students_are_not(old, new):
    before = {k: v for name, student in old for k, v in handed_in(name, **student).items()}
    after = {k: v for name, student in new for k, v in handed_in(name, **student).items()}
    found = changes.compare(before, after)
    assert {change.kind for change in found} == {"new", "removed"}
    assert len(found) == len(old) + len(new)


def test_a_submission_that_kept_its_name_is_compared_with_itself():
    both = handed_in("ada_101_1_a", id="101")
    after = {**both, **handed_in("ada_101_9_b", id="101")}
    kinds = {one.submission: one.kind for one in changes.compare(both, after)}
    assert kinds == {"ada_101_1_a": "same", "ada_101_9_b": "new"}
