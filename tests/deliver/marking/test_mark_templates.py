"""The table that a person fills in: what waits, safe in a spreadsheet, and back into reports."""

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

from grader.deliver.marking import apply, marks
from grader.reports.stored import Stored
from tests import class_of_three
from tests.class_of_three import reports_in
from tests.made_reports import typed


@pytest.fixture(scope="module")
def graded():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield class_of_three.grade(Path(folder))


@pytest.fixture
def reports(graded, tmp_path):
    """A copy of the graded class's reports, to mark."""
    return Path(shutil.copytree(graded, tmp_path / "reports"))


def test_a_template_lists_what_waits_and_can_be_filled_in(run_cli, reports, tmp_path):
    path = tmp_path / "m.csv"
    ran = run_cli("mark", reports, "--template", path)
    assert ran.status == 0
    assert "4 pending checks; fill in points" in ran.out
    text = path.read_text(encoding="utf-8")
    assert text.startswith("\ufeffsubmission,check,title,max_points,points,comment")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert [(row["submission"], row["check"], row["max_points"]) for row in rows] == [
        (name, *check) for name in ("'@bob", "alice") for check in (("q1.1", "2"), ("q1.3", "1"))
    ]
    assert {row["points"] + row["comment"] for row in rows} == {""}
    ran = run_cli("mark", reports, "--marks", path)
    assert "0 marks put into 0 reports; rows not filled in: 4" in ran.out
    assert "still to be marked by a person: 4 checks in 2 reports" in ran.out
    ran = run_cli("mark", reports, "--template", path)
    assert ran.status == 2
    assert "already exists" in ran.err
    assert path.read_text(encoding="utf-8") == text


def test_a_template_knows_which_hand_in_was_marked(run_cli, reports, tmp_path):
    path = tmp_path / "m.csv"
    run_cli("mark", reports, "--template", path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("alice,q1.1,explanation,2,,", "alice,q1.1,explanation,2,2,"))
    assert run_cli("mark", reports, "--marks", path).status == 0
    report = json.loads((reports / "alice" / "report.json").read_text())
    report["submission"]["sha256"] = "0" * 64
    (reports / "alice" / "report.json").write_text(json.dumps(report))
    ran = run_cli("mark", reports, "--marks", path)
    assert ran.status == 2
    assert "alice q1.1: a different version of the submission was marked" in ran.err


NAMES = st.from_regex(r"[@+\-\w][\w.@+-]{0,8}", fullmatch=True).filter(lambda n: n.isprintable())
POINTS = st.integers(0, 20_000).map(lambda n: n / 10_000)


@pytest.fixture(scope="module")
def pending(graded):
    return reports_in(graded)["alice"]


@settings(deadline=None, max_examples=60)
@given(
    given=st.dictionaries(NAMES, st.tuples(POINTS, st.text(max_size=20)), min_size=1, max_size=4)
)
def test_a_filled_template_reaches_the_reports(given, pending):
    stored = {}
    for name in given:
        report = copy.deepcopy(pending)
        report["submission"]["id"] = name
        stored[name] = Stored(Path(name), typed(report))
    text, rows = marks.template(stored.values())
    assert rows == 2 * len(given)
    table = list(csv.reader(io.StringIO(text[1:], newline="")))
    for row in table[1:]:
        points, comment = given[row[0].removeprefix("'")]
        row[4:6] = [str(points).replace(".", ","), comment] if row[1] == "q1.1" else ["", ""]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file, delimiter=";").writerows(table)
        reading = marks.read([path])
    if any("\0" in comment for _points, comment in given.values()):
        assert "NUL byte" in str(reading.problems.printed)
        return
    assert reading.problems.printed == []
    assert reading.unfilled == len(given)
    made = apply.plan(stored, reading.marks, override=False)
    assert made.problems.printed == []
    for name, (points, _comment) in given.items():
        check = made.reports[name].by_id()["q1.1"]
        assert check.points == pytest.approx(points)
        assert made.reports[name].score == pytest.approx(1 + points)
        assert made.reports[name].status == "pending"  # q1.3 still is
        assert stored[name].report.score == 1
