"""The gradebook: a row per submission, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.readers.tables import cell
from grader.reports.gradebook import write
from grader.reports.report import Report
from tests import made_reports
from tests.made_reports import typed

CHECKS = ("q1.1", "q1.2", "q1.3")


def report(identifier: str, status: str = "complete", score: Any = 3.5, **points: Any) -> Report:
    checks = [
        made_reports.check(name.replace("_", "."), outcome, value or 0.0, 2.0)
        for name, (outcome, value) in points.items()
    ]
    made = made_reports.report_of(*checks, score=score or 0.0)
    made |= {"status": status, "score": score, "max_score": 6.0}
    made["submission"]["id"] = identifier
    return typed(made)


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def test_a_row_per_submission_and_a_column_per_check(tmp_path):
    path = tmp_path / "gradebook.csv"
    reports = [
        report("zoe", q1_1=("passed", 2.0), q1_2=("partial", 1.5), q1_3=("failed", 0.0)),
        report("adam", "pending", 2.0, q1_1=("passed", 2.0), q1_2=("pending", None)),
        report("bob", "broken", None, q1_1=("broken", None), q1_3=("blocked", 0.0)),
        report("eve", "broken", None),
    ]
    write(path, CHECKS, reports)
    assert rows(path) == [
        ["submission", "status", "score", "max_score", "q1.1", "q1.2", "q1.3"],
        ["adam", "pending", "2.0", "6.0", "2.0", "", ""],
        ["bob", "broken", "", "6.0", "", "", "0.0"],
        ["eve", "broken", "", "6.0", "", "", ""],
        ["zoe", "complete", "3.5", "6.0", "2.0", "1.5", "0.0"],
    ]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "=", "-",
            " =1+1", "\n=1", "\u00a0@x", "\u3000=1", " \t +1", "\uff1d1+1", "\uff0b1", "\uff0d1",
            "\uff20x", " \uff1dcmd", "\ufe66x", "\t1", "\n1"]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["alice", "a=b", "1+1", "a-b", "a@b", "", "'x", "ünï"])
def test_harmless_text_is_left_alone(text):
    assert cell(text) == text


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=20))
def test_no_text_begins_as_a_formula(text):
    for start in (cell(text)[:1], cell(text).lstrip()[:1]):
        assert unicodedata.normalize("NFKC", start) not in ("=", "+", "-", "@")
    assert not cell(text).startswith(("\t", "\r", "\n"))
    assert cell(text).removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize("identifier", ["=cmd|' /C calc'!A0", "a,b", 'a"b', "@x", "a\nb"])
def test_a_submissions_name_reaches_the_file_as_one_harmless_cell(identifier, tmp_path):
    path = tmp_path / "gradebook.csv"
    write(path, CHECKS, [report(identifier)])
    assert rows(path)[1][0] == cell(identifier)
    assert len(rows(path)) == 2


def test_a_group_that_the_platform_names_has_a_row_for_each_member(tmp_path):
    path = tmp_path / "gradebook.csv"
    made = made_reports.report("submission_9001")
    made["submission"]["student"] = {
        "name": "Ada Lovelace, Alan Turing",
        "email": "ada@x.edu, alan@x.edu",
    }
    write(path, [], [typed(made), report("zoe")])
    assert [row[:1] + row[4:5] for row in rows(path)] == [
        ["submission", "student"],
        ["submission_9001", "Ada Lovelace"],
        ["submission_9001", "Alan Turing"],
        ["zoe", ""],
    ]


def test_a_spreadsheet_is_told_that_it_is_utf_8(tmp_path):
    path = tmp_path / "gradebook.csv"
    write(path, CHECKS, [report("Ünal")])
    assert path.read_bytes().startswith(b"\xef\xbb\xbfsubmission,")
