"""Points have two decimals at most wherever people see them; report.json keeps all."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.frontends.gradescope.metadata import Earlier
from grader.frontends.gradescope.policies import RateLimited
from grader.frontends.gradescope.results import over_limit
from grader.frontends.student import screen
from grader.lateness import Lateness, late_text
from grader.model import CheckResult, LateSpec, RateLimitSpec
from grader.readers.texts import hundredths, plain
from grader.reports import gradebook, html, terminal, terminal_class
from grader.reports.results import gradescope
from tests.conftest import ROOT
from tests.frontends.gradescope.test_policies import DUE
from tests.made_reports import check, report, store, typed

LONG = re.compile(r"\d[.,]\d{3,}|\de[-+]?\d")
POINTS = (1.2345, 1 / 3, 2.6666, 0.0049, 7.9999, 0.005, 1.005, 2.675, 6.1e-05, 100 / 7)
ROSTER = "Student,ID,SIS Login ID,Section,Homework 2 (71)\n    Points Possible,,,,10.00\n"
COLUMNS = "Identifier,Full name,Email address,Grade,Last modified (grade)"
MOODLE = f"{COLUMNS}\nParticipant 1,A,ada@x.edu,,-\n"
GRADESCOPE = "First Name,Last Name,SID,Email,Sections\nAda,L,1,ada@x.edu,\n"


def ugly(name: str, points: float) -> dict:
    """Return a report in which everything that is counted has many digits."""
    machine = {"outcome": "failed", "reason": "mismatch", "points": points / 3, "message": "wrong",
               "cause": None}  # fmt: skip
    marked = {"points": points / 7, "comment": "fine", "by": "ann", "file": "marks.csv",
              "machine": machine}  # fmt: skip
    parts = [{"name": "values", "points": points / 7, "max_points": points / 3, "reason": None,
              "message": "", "cause": None}]  # fmt: skip
    checks = [
        check("q1.1", "partial", points, points * 1.01, message="dW is wrong", parts=parts),
        check("q1.2", "passed", points / 7, points / 7, marked=marked),
        check("q1.3", "failed", 0.0, points / 9, visibility="hidden"),
    ]
    question = {"id": "q1", "title": "Q", "score": points, "max_score": points, "checks": checks}
    return report(name, score=points, max_score=points * 1.37, questions=[question])


def visible(page: str) -> str:
    """Return the text of a page."""
    without = re.sub(r"<(style|script|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"<[^>]*>", " ", without)


def printed(shown: object) -> str:
    text = io.StringIO()
    Console(file=text, width=200).print(shown)
    return text.getvalue()


@pytest.mark.parametrize("points", POINTS)
def test_reports(points, tmp_path):
    made = typed(ugly("ada", points))
    gradebook.write(tmp_path / "gradebook.csv", [], [made])
    html.write_index(tmp_path / "index.html", [made])
    found = gradescope(made)
    shown = {
        "terminal": printed(terminal.report(made)),
        "summary": printed(terminal_class.summary([made])),
        "page": visible(html.report(made)),
        "index": visible((tmp_path / "index.html").read_text()),
        "gradebook": (tmp_path / "gradebook.csv").read_text(encoding="utf-8-sig"),
        "results": json.dumps(found),
    }
    assert {name: LONG.search(text) for name, text in shown.items()} == dict.fromkeys(shown)
    for name in ("terminal", "summary", "page", "index"):
        assert plain(points) in shown[name]
    assert found["score"] == hundredths(points)
    assert found["tests"][0]["score"] == hundredths(points)


@pytest.mark.parametrize("points", POINTS)
@pytest.mark.parametrize(
    ("platform", "roster"),
    [("canvas", ROSTER), ("moodle", MOODLE), ("gradescope", GRADESCOPE)],
    ids=["canvas", "moodle", "gradescope"],
)
def test_exports(points, platform, roster, run_cli, tmp_path):
    folder = store(tmp_path / "reports", ugly("ada@x.edu", points))
    row = '"L, Ada",1,ada@x.edu,1,\n' if platform == "canvas" else ""
    (tmp_path / "roster.csv").write_text(roster + row)
    for name in ("up.csv", *(["up.zip"] if platform == "gradescope" else [])):
        words = ["--format", platform, "--roster", tmp_path / "roster.csv", "--out"]
        ran = run_cli("export", folder, *words, tmp_path / name)
        assert ran.status == 0, ran.err
        text = (tmp_path / name).read_bytes()
        if name.endswith(".zip"):
            with zipfile.ZipFile(tmp_path / name) as archive:
                text = archive.read("grades.json")
        assert LONG.search(text.decode() + ran.out + ran.err) is None
        assert str(plain(points)).encode() in text


@pytest.mark.parametrize("points", POINTS)
def test_diff_and_mark(points, run_cli, tmp_path):
    old = store(tmp_path / "old", ugly("ada", points), ugly("ben", points / 3))
    new = store(tmp_path / "new", ugly("ada", points * 0.9), ugly("ben", points * 1.1))
    ran = run_cli("diff", old, new, "--csv", tmp_path / "diff.csv")
    assert ran.status == 1
    assert LONG.search(ran.out + (tmp_path / "diff.csv").read_text()) is None
    assert not re.search(r" [-+]0(?![.\d])", ran.out)  # a change is not nothing
    (tmp_path / "marks.csv").write_text(f"submission,check,points\nada,q1.1,{points * 0.5:f}\n")
    ran = run_cli("mark", old, "--marks", tmp_path / "marks.csv", "--override")
    assert LONG.search(ran.out + ran.err) is None
    assert ran.status == 0, ran.err


@pytest.mark.parametrize("points", POINTS)
def test_at_home_and_late_and_limited(points):
    rubric = load_rubric(ROOT / "rubric.yaml", KINDS, run_reference=False)
    spec = rubric.questions[0].checks[0].model_copy(update={"points": points * 1.1})
    result = CheckResult(spec, "partial", points, "mismatch", "wrong")
    (head, *_rest) = screen.lines(result)
    assert LONG.search(printed(head)) is None
    told = late_text(LateSpec(per_day=0.1), Lateness(2), points)
    assert LONG.search(told) is None
    limited = RateLimited(Earlier(DUE, points, {}), DUE)
    found = over_limit(rubric, RateLimitSpec(submissions=1), limited)
    assert found["score"] == hundredths(points)
    assert LONG.search(json.dumps(found)) is None


@given(st.integers(0, 10**7))
def test_halves_count_up_and_all_screens_agree(ten_thousandths):
    points = ten_thousandths / 10_000
    assert hundredths(points) == (ten_thousandths + 50) // 100 / 100
    assert float(plain(points)) == hundredths(points)
    assert "." not in plain(points) or not plain(points).endswith("0")
