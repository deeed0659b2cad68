"""What a new run changed: per student, sorted by the loss, and nothing where nothing did."""

import copy
import csv
import io
import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import scoring
from grader.deliver.marking import changes
from tests import class_of_three
from tests.class_of_three import CHECKS, CLASS, WRONG, reports_in
from tests.conftest import checks_of
from tests.made_reports import typed


@pytest.fixture(scope="module")
def graded():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield class_of_three.grade(Path(folder))


@pytest.fixture(scope="module")
def reports(graded):
    return reports_in(graded)


def compare(old, new):
    """Compare reports that are given as JSON values."""
    return changes.compare(
        {name: typed(made) for name, made in old.items()},
        {name: typed(made) for name, made in new.items()},
    )


def edited(reports, name, **checks):
    """Return a copy of the reports in which checks of one have other values."""
    made = copy.deepcopy(reports)
    report = made[name]
    for check, values in checks.items():
        checks_of(report)[check.replace("_", ".")].update(values)
    points = [check["points"] for check in checks_of(report).values()]
    report["score"] = report["questions"][0]["score"] = scoring.points_total(points)
    return made


def test_the_same_run_has_no_differences(graded, run_cli):
    ran = run_cli("diff", graded, graded)
    assert (ran.status, ran.out) == (0, "3 submissions; all grades are the same\n")
    ran = run_cli("diff", graded, graded, "--all")
    assert ran.status == 0
    assert ran.out.count("nothing") == 3


def test_a_regrading_with_another_rubric_and_another_hand_in(graded, run_cli, tmp_path):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        again = {**CLASS, "alice": {**CLASS["alice"], "toy.py": WRONG}, "dora": CLASS["carol"]}
        del again["@bob"]
        checks = CHECKS.replace("half: 0.75, device: 0.25", "half: 0.5, device: 0.5")
        new = class_of_three.grade(Path(folder), again, checks)
        files = ("--json", tmp_path / "d.json", "--csv", tmp_path / "d.csv")
        ran = run_cli("diff", graded, new, *files)
    assert (ran.status, ran.err) == (1, "")
    words = " ".join(ran.out.split())
    assert "alice 1 0.5 -0.5 different submission (sha256)" in words
    assert "q1.2 passed 1 / 1 -> partial (mismatch) 0.5 / 1" in words
    assert "3 of 4 submissions changed; 1 lost points (most: 0.5); 0 gained points" in words
    assert "mean change -0.25; 1 only in NEW; 1 only in OLD" in words
    assert words.index("@bob") < words.index("alice") < words.index("dora")
    assert "carol" not in words
    found = json.loads((tmp_path / "d.json").read_text())
    assert found["summary"]["largest_loss"] == 0.5
    assert [one["submission"] for one in found["submissions"]] == ["@bob", "alice", "dora"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "d.csv").read_text())))
    assert [row["submission"] for row in rows] == ["'@bob", "alice", "dora"]
    assert (rows[1]["check"], rows[1]["score_change"]) == ("q1.2", "-0.5")
    assert rows[1]["points_before"], rows[1]["points_after"] == ("1", "0.5")


def test_changes_are_sorted_by_the_size_of_the_loss(reports):
    wide = {name: copy.deepcopy(reports["alice"]) for name in "abcdefg"}
    new = copy.deepcopy(wide)
    for name, score in (("a", 1.5), ("b", 0.25), ("c", 1.0), ("d", 0.5), ("e", None)):
        new[name]["score"] = score
    new["e"]["status"] = "broken"
    del new["f"]
    new["h"] = new.pop("g")
    found = compare(wide, new)
    assert [change.submission for change in found] == ["e", "f", "g", "b", "d", "c", "a", "h"]
    figures = changes.summary(found)
    assert (figures.lost, figures.gained, figures.new, figures.removed) == (2, 1, 1, 2)
    assert (figures.largest_loss, figures.largest_gain) == (0.75, 0.5)
    assert figures.mean_change == -0.1875
    assert (figures.compared, figures.changed) == (4, 7)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"points": 0.5, "outcome": "partial", "reason": "mismatch"},
         "q1.2 passed 1 / 1 -> partial (mismatch) 0.5 / 1"),
        ({"max_points": 2.0}, "q1.2 passed 1 / 1 -> passed 1 / 2"),
        ({"extra_credit": True}, "q1.2 passed 1 / 1 -> passed 1 / 1, extra credit"),
    ],
)  # fmt: skip
def test_every_part_of_a_grade_is_compared(values, told, reports, tmp_path, run_cli):
    for name, made in (("old", reports), ("new", edited(reports, "alice", q1_2=values))):
        for report in made.values():
            folder = tmp_path / name / report["submission"]["id"]
            folder.mkdir(parents=True)
            (folder / "report.json").write_text(json.dumps(report))
    ran = run_cli("diff", tmp_path / "old", tmp_path / "new")
    assert ran.status == 1
    assert told in " ".join(ran.out.split())


@pytest.mark.parametrize(
    "values", [{"message": "worded anew"}, {"duration_s": 9.0}, {"points": 1 + 1e-9}, {"seed": 1}]
)
def test_what_changes_no_grade_is_no_difference(values, reports):
    new = copy.deepcopy(reports)
    checks_of(new["alice"])["q1.2"].update(values)
    assert {change.kind for change in compare(reports, new)} == {"same"}


def test_new_and_removed_checks_are_told(reports):
    new = copy.deepcopy(reports)
    checks = new["alice"]["questions"][0]["checks"]
    checks[0] = {**checks[0], "id": "q1.0"}
    (change,) = [one for one in compare(reports, new) if one.kind != "same"]
    assert [(one.check, one.kind) for one in change.checks] == [
        ("q1.0", "new"),
        ("q1.1", "removed"),
    ]


def test_marks_that_regrading_lost_are_told(graded, run_cli, tmp_path):
    (tmp_path / "m.yaml").write_text("alice: {q1.1: {points: 2, marker: Ada}}\n")
    marked = tmp_path / "marked"
    assert run_cli("mark", graded, "--marks", tmp_path / "m.yaml", "--out", marked).status == 0
    ran = run_cli("diff", marked, graded)
    assert ran.status == 1
    assert "q1.1 passed 2 / 2, marked by Ada -> pending 0 / 2" in " ".join(ran.out.split())
    assert "marks missing in NEW: q1.1" in ran.out
    assert "1 mark of OLD missing in" in ran.err
    assert "--reapply" in ran.err
    ran = run_cli("diff", graded, marked)
    assert ran.err == ""


def test_a_submission_can_not_write_to_the_terminal(reports, run_cli, tmp_path):
    evil = copy.deepcopy(reports["alice"])
    evil["submission"]["id"] = "a\x1b[2J[bold]"
    for name, score in (("old", 1.0), ("new", 0.5)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(json.dumps({**evil, "score": score}))
    ran = run_cli("diff", tmp_path / "old", tmp_path / "new")
    assert ran.status == 1
    assert "\x1b" not in ran.out
    assert "[bold]" in ran.out


def test_two_reports_of_one_submission_are_refused(graded, run_cli, tmp_path):
    folder = shutil.copytree(graded, tmp_path / "twice")
    shutil.copytree(folder / "alice", folder / "alice_again")
    ran = run_cli("diff", folder, graded)
    assert ran.status == 2
    assert "belongs to alice, like" in ran.err


VALUES = st.fixed_dictionaries(
    {
        "points": st.sampled_from([0.0, 0.5, 1.0]),
        "outcome": st.sampled_from(["passed", "partial", "failed", "pending"]),
    }
)


@settings(deadline=None, max_examples=80)
@given(old=st.lists(VALUES, max_size=3), new=st.lists(VALUES, max_size=3))
def test_a_comparison_is_empty_with_itself_and_turns_round(old, new, reports):
    def made(values):
        every = {}
        for number, value in enumerate(values):
            every |= {f"s{number}": edited(reports, "alice", q1_2=value)["alice"]}
        return every

    one, two = made(old), made(new)
    assert all(change.kind == "same" for change in compare(one, one))
    there = {change.submission: change for change in compare(one, two)}
    back = {change.submission: change for change in compare(two, one)}
    assert set(there) == set(back) == {*one, *two}
    for name, change in there.items():
        assert (change.before, change.after) == (back[name].after, back[name].before)
        assert change.delta is None or change.delta == -(back[name].delta or 0)
    figures, turned = changes.summary(there.values()), changes.summary(back.values())
    assert (figures.lost, figures.new) == (turned.gained, turned.removed)
    assert figures.largest_loss == turned.largest_gain
    rows = changes.as_rows(there.values())
    assert {len(row) for row in rows} == {len(changes.COLUMNS)}
