"""A person's marks: read with all problems told, put into reports, and kept apart from ours."""

import csv
import io
import json
import shutil
import tempfile
from pathlib import Path

import pytest

from tests import class_of_three
from tests.class_of_three import contents, reports_in
from tests.conftest import checks_of

FILLED = """\
submission;check;points;comment;marker
alice;q1.1;1,5;"good; but
short";Ada
;;;;
'@bob;q1.1;0;;
alice;q1.3;1;secret praise;Ada
'@bob;q1.3;1;;
"""


@pytest.fixture(scope="module")
def graded():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield class_of_three.grade(Path(folder))


@pytest.fixture
def reports(graded, tmp_path):
    """A copy of the graded class's reports, to mark."""
    return Path(shutil.copytree(graded, tmp_path / "reports"))


@pytest.fixture
def mark(run_cli, reports, tmp_path):
    """Mark with a file of this text; return how the command ended."""

    def run(text, *options, name="marks.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return run_cli("mark", reports, "--marks", path, *options)

    return run


def gradebook(folder):
    text = (folder / "gradebook.csv").read_text(encoding="utf-8-sig")
    return {row["submission"]: row for row in csv.DictReader(io.StringIO(text))}


def test_pending_checks_get_their_points_and_the_grade_is_complete(mark, reports):
    before = reports_in(reports)
    ran = mark("\ufeff" + FILLED.replace("\n", "\r\n"))
    assert (ran.status, ran.err) == (0, "")
    assert "4 marks put into 2 reports" in ran.out
    after = reports_in(reports)
    alice, bob = after["alice"], after["@bob"]
    assert (before["alice"]["status"], before["alice"]["score"]) == ("pending", 1)
    assert (alice["status"], alice["score"], alice["questions"][0]["score"]) == (
        "complete",
        3.5,
        3.5,
    )
    assert (bob["status"], bob["score"]) == ("complete", 1.25)
    check = checks_of(alice)["q1.1"]
    assert (check["outcome"], check["points"], check["reason"]) == ("partial", 1.5, None)
    assert check["message"] == "good; but\nshort"
    assert check["marked"]["by"] == "Ada"
    assert check["marked"]["file"] == "marks.csv"
    assert check["marked"]["machine"]["outcome"] == "pending"
    assert check["marked"]["machine"]["message"] == "why.md, 2 words: a person must mark this"
    assert [checks_of(bob)[name]["outcome"] for name in ("q1.1", "q1.3")] == ["failed", "passed"]
    assert after["carol"] == before["carol"]


def test_everything_that_shows_grades_is_rewritten_and_pictures_stay(mark, reports):
    before = contents(reports)
    mark(FILLED)
    after = contents(reports)
    changed = {name for name in after if after[name] != before[name]}
    files = ("report.json", "results.json", "report.html")
    assert changed == {"gradebook.csv", "index.html"} | {
        f"{name}/{file}" for name in ("alice", "@bob") for file in files
    }
    assert set(after) == set(before)
    rows = gradebook(reports)
    assert rows["alice"]["score"] == "3.5"
    assert (rows["alice"]["q1.1"], rows["'@bob"]["q1.1"]) == ("1.5", "0.0")
    page = (reports / "alice" / "report.html").read_text(encoding="utf-8")
    assert "data:image/jpeg;base64," in page
    assert "Marked by Ada (marks.csv)." in page
    assert "a person must mark this" not in page
    assert '<a rel="prev" href="../%40bob/report.html">Previous: @bob</a>' in page
    results = json.loads((reports / "alice" / "results.json").read_text())
    assert results["score"] == 3.5
    # One of the four points is hidden from students.
    assert results["output"] == "2.5 of 3 points in the visible checks"


def test_a_comment_on_a_hidden_check_is_not_for_students(mark, reports):
    mark(FILLED)
    results = (reports / "alice" / "results.json").read_text()
    assert "good; but" in results
    assert "secret praise" not in results
    assert "secret praise" in (reports / "alice" / "report.html").read_text()


def test_marking_twice_with_the_same_file_changes_nothing(mark, reports):
    mark(FILLED)
    once = contents(reports)
    ran = mark(FILLED)
    assert (ran.status, contents(reports)) == (0, once)
    assert "0 marks put into 0 reports; already there: 4" in ran.out


def test_a_mark_can_be_corrected(mark, reports):
    mark(FILLED)
    ran = mark("alice: {q1.1: 2}\n", name="later.yaml")
    assert ran.status == 0
    check = checks_of(reports_in(reports)["alice"])["q1.1"]
    assert (check["points"], check["message"], check["outcome"]) == (2, "", "passed")
    assert check["marked"]["machine"]["outcome"] == "pending"


def test_yaml_says_the_same_as_a_table(mark, reports, graded, tmp_path):
    text = """
        alice:
          q1.1: {points: 1.5, comment: "good; but\\nshort", marker: Ada}
          q1.3: {points: 1, comment: secret praise, marker: Ada}
        "@bob": {q1.1: 0, q1.3: "1,0"}
    """
    assert mark(text, name="marks.yaml").status == 0
    by_yaml = reports_in(reports)
    shutil.rmtree(reports)
    shutil.copytree(graded, reports)
    mark(FILLED, name="marks.yaml.csv")
    by_table = reports_in(reports)
    for report in (*by_yaml.values(), *by_table.values()):
        for check in checks_of(report).values():
            check.get("marked", {}).pop("file", None)
    assert by_yaml == by_table


def test_an_appeal_needs_override_and_keeps_what_the_machine_said(mark, reports):
    text = "carol: {q1.1: {points: 2, comment: it was in the mail, marker: Ada}}\n"
    untouched = contents(reports)
    ran = mark(text, name="appeal.yaml")
    assert ran.status == 2
    assert "appeal.yaml:1: carol q1.1 is not pending: it is failed with 0 of 2" in ran.err
    assert "add --override" in ran.err
    assert contents(reports) == untouched
    ran = mark(text, "--override", name="appeal.yaml")
    assert ran.status == 0
    assert "1 of them instead of the grader's own" in ran.out
    report = reports_in(reports)["carol"]
    check = checks_of(report)["q1.1"]
    assert (report["score"], check["points"], check["outcome"]) == (3, 2, "passed")
    machine = check["marked"]["machine"]
    assert (machine["points"], machine["outcome"], machine["reason"]) == (0, "failed", "missing")
    page = " ".join((reports / "carol" / "report.html").read_text().split())
    assert "Marked by Ada (appeal.yaml). The grader had given 0 / 2 (failed):" in page
    assert "why.md is not in the submission" in page
    shown = json.loads((reports / "carol" / "results.json").read_text())["tests"][0]["output"]
    assert shown.startswith("it was in the mail\nMarked by a person; the grader had given 0 of 2")
    # Applied again, it needs no flag: nothing changes.
    assert mark(text, name="appeal.yaml").status == 0
    # A second decision keeps what the machine said, not what the first person said.
    mark("carol: {q1.1: 1}\n", "--override", name="second.yaml")
    assert checks_of(reports_in(reports)["carol"])["q1.1"]["marked"]["machine"] == machine


def test_all_problems_are_told_at_once_and_nothing_is_written(mark, reports):
    untouched = contents(reports)
    ran = mark(
        "submission,check,points,comment\n"
        "alice,q1.1,1,fine\n"
        "alic,q1.1,x,\n"
        "alice,q9,1,\n"
        "alice,q1.1,2,\n"
        "@bob,q1.1,2.5,\n"
        "@bob,q1.3,-1,\n"
        "@bob,q1.1,,a comment alone\n"
        ",q1.1,1,\n"
        "carol,q1.2,1,\n"
        "alice,q1.3,nan,\n"
    )
    assert ran.status == 2
    told = [line.partition("marks.csv:")[2] for line in ran.err.splitlines()]
    expected = [
        "3: points: 'x' is not a number; write 1.5 or 1,5",
        "3: there is no report for 'alic' (did you mean 'alice'?)",
        "4: the report of alice has no check 'q9' (it has: q1.1, q1.2, q1.3)",
        "5: alice q1.1 has points twice: 1 and 2 (first in",
        "6: @bob q1.1: points: 2.5 is more than the check's 2",
        "7: points: -1 is negative; the least is 0",
        "9: submission is empty",
        "10: carol q1.2 is not pending: it is passed with 1 of 1 points;",
        "11: points: 'nan' is not a number",
    ]
    assert len(told) == len(expected) + 1
    for line, start in zip(told, expected, strict=False):
        assert line.startswith(start)
    assert ran.err.endswith("9 problems; no report was changed\n")
    assert contents(reports) == untouched


def test_a_comment_without_points_is_kept_for_later(mark, reports):
    text = "submission,check,points,comment\nalice,q1.1,,ask Ben\n@bob,q1.1,1,\ncarol,q1.1,,\n"
    ran = mark(text)
    assert (ran.status, ran.err) == (0, "")
    counts = "rows not filled in: 1; comments without points, kept for later: 1"
    assert f"1 mark put into 1 report; {counts}" in ran.out
    after = reports_in(reports)
    assert checks_of(after["alice"])["q1.1"]["outcome"] == "pending"
    assert "ask Ben" not in json.dumps(after)
    ran = mark("alice:\n  q1.1: {comment: ask Ben}\n  q1.3: {points: 1}\n", name="later.yaml")
    assert ran.status == 0
    assert "1 mark put into 1 report; comments without points, kept for later: 1" in ran.out


def test_the_same_mark_twice_is_no_problem_but_two_comments_are(mark):
    again = 'submission,check,points,comment\nalice,q1.1,1,a\nalice,q1.1,"1,0",a\n'
    assert mark(again).status == 0
    ran = mark(again.replace('"1,0",a', "1,b"))
    assert ran.status == 2
    assert "has a comment twice: 'a' and 'b'" in ran.err


def test_two_files_that_contradict_each_other_are_refused(run_cli, reports, tmp_path):
    for name, points in (("a.yaml", 1), ("b.yaml", 2)):
        (tmp_path / name).write_text(f"alice: {{q1.1: {points}}}\n")
    files = [word for name in ("a.yaml", "b.yaml") for word in ("--marks", tmp_path / name)]
    ran = run_cli("mark", reports, *files)
    assert ran.status == 2
    assert (
        f"b.yaml:1: alice q1.1 has points twice: 1 and 2 (first in {tmp_path / 'a.yaml'}:1)"
        in ran.err
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.csv", "submission,check,coment\nalice,q1.1,x\n", "m.csv:1: the column points is m"),
        ("m.csv", "submission,check,points,coment\na,b,1,\n", "(did you mean 'comment'?)"),
        ("m.csv", "submission,check,points\nalice,q1.1,1,5\n", "put text that contains the sep"),
        ("m.csv", b"submission,check,points\nalice,q1.1,\xe9\n", "m.csv:2: byte 0xe9 is not UTF-8"),
        ("m.yaml", "- alice\n", "m.yaml:1: must map submissions to checks"),
        ("m.yaml", "alice: 3\n", "m.yaml:1: 'alice' must map checks to points"),
        ("m.yaml", "alice:\n  q1.1: {point: 3}\n", "m.yaml:2: alice q1.1: unknown key 'point' ("),
        ("m.yaml", "alice:\n  q1.1: {points: 1, comment: 3}\n", "comment: '3' is not text"),
        ("m.yaml", "alice: {q1.1: yes}\n", "m.yaml:1: q1.1: 'yes' is true in YAML 1.1"),
        ("m.yaml", "alice: {q1.1: .inf}\n", "points: 'inf' is not a number"),
        ("m.yaml", "alice: {q1.1: 1, q1.1: 2}\n", "key 'q1.1' appears twice"),
        ("m.yaml", "alice: [\n", "is not YAML"),
        ("m.yaml", "alice: {q1.1: [1]}\n", "is not a number"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_so_is_told(name, text, words, run_cli, reports, tmp_path):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    ran = run_cli("mark", reports, "--marks", path)
    assert ran.status == 2
    assert words in ran.err
    assert "no report was changed" in ran.err


def test_marks_for_a_broken_report_never_complete_it(run_cli, reports, tmp_path):
    path = reports / "alice" / "report.json"
    report = json.loads(path.read_text())
    checks = report["questions"][0]["checks"]
    checks[1] |= {"outcome": "broken", "points": 0.0, "message": "the disk is full"}
    report |= {"status": "broken", "score": None}
    path.write_text(json.dumps(report))
    (tmp_path / "m.yaml").write_text("alice: {q1.1: 2, q1.3: 1}\n")
    ran = run_cli("mark", reports, "--marks", tmp_path / "m.yaml")
    assert ran.status == 0
    assert "broken, without a grade: alice" in ran.err
    after = reports_in(reports)["alice"]
    assert (after["status"], after["score"]) == ("broken", None)
    assert checks_of(after)["q1.1"]["points"] == 2
    (tmp_path / "m.yaml").write_text("alice: {q1.2: 1}\n")
    ran = run_cli("mark", reports, "--marks", tmp_path / "m.yaml", "--override")
    assert ran.status == 2
    assert "the grader failed in this check; grade the submission again" in ran.err
    report |= {"questions": []}
    path.write_text(json.dumps(report))
    ran = run_cli("mark", reports, "--marks", tmp_path / "m.yaml")
    assert "the report is broken and has no checks" in ran.err


def test_after_regrading_the_marks_that_still_fit_come_back(run_cli, mark, reports, graded):
    mark(FILLED)
    shutil.rmtree(reports)
    shutil.copytree(graded, reports)
    path = reports / "alice" / "report.json"
    report = json.loads(path.read_text())
    del report["questions"][0]["checks"][2]  # the rubric has no q1.3 any more
    path.write_text(json.dumps(report))
    ran = mark(FILLED)
    assert ran.status == 2
    ran = mark(FILLED, "--reapply")
    assert ran.status == 1
    assert "3 marks put into 2 reports" in ran.out
    assert "not applied: " in ran.err
    assert "marks.csv:6: the report of alice has no check 'q1.3' (it has: q1.1, q1.2)" in ran.err
    assert reports_in(reports)["alice"]["score"] == 2.5
    # A file that contradicts itself is refused all the same.
    assert mark(f"{FILLED}alice;q1.1;1;;\n", "--reapply").status == 2


def test_out_leaves_the_reports_alone(mark, reports, tmp_path):
    untouched = contents(reports)
    assert mark(FILLED, "--out", tmp_path / "marked").status == 0
    assert contents(reports) == untouched
    assert set(contents(tmp_path / "marked")) == set(untouched) - {".sources.json"}
    assert reports_in(tmp_path / "marked")["alice"]["score"] == 3.5
    ran = mark(FILLED, "--out", reports / "marked")
    assert ran.status == 2
    assert "name a folder outside of it" in ran.err


def test_the_gradebook_keeps_the_columns_of_the_rubric(mark, reports):
    path = reports / "gradebook.csv"
    path.write_text(path.read_text().replace("max_score,q1.1", "max_score,q0.1,q1.1"))
    mark(FILLED)
    header = path.read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == "submission,status,score,max_score,q0.1,q1.1,q1.2,q1.3"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"schema_version": 2}', '{"schema_version": 1}', "\xff"]
)
def test_what_is_no_report_is_told_with_its_file(text, run_cli, mark, reports):
    (reports / "alice" / "report.json").write_text(text, encoding="latin-1")
    ran = mark(FILLED)
    assert ran.status == 2
    assert f"{reports / 'alice' / 'report.json'}: " in ran.err
    assert "Traceback" not in ran.err


def test_a_folder_without_reports_is_told(run_cli, tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        ran = run_cli("mark", folder, "--marks", tmp_path / "m.csv")
        assert ran.status == 2
        assert "--out folder of grader grade" in ran.err


def test_marks_or_a_template_must_be_asked_for(run_cli, reports, tmp_path):
    ran = run_cli("mark", reports)
    assert ran.status == 2
    assert "use one of --marks FILE, --template FILE, --page FILE" in ran.err


def test_evil_comments_are_text_everywhere(mark, reports):
    evil = "</p><script>alert(1)</script> \x1b[2J =1+1"
    ran = mark(f'submission,check,points,comment,marker\nalice,q1.1,1,"{evil}",<b>\x1b[31m\n')
    assert ran.status == 0
    assert "\x1b" not in ran.out + ran.err
    page = (reports / "alice" / "report.html").read_text()
    assert "<script>" not in page
    assert "\x1b" not in page
    assert "=1+1" not in (reports / "gradebook.csv").read_text(encoding="utf-8-sig")
