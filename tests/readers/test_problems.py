"""Problems of files: each once, in order, one line each whatever the file holds."""

from __future__ import annotations

import pytest

from grader.readers.problems import MAX_LINE, Problem, Problems


def test_problems_are_sorted_by_file_and_line_and_told_once():
    problems = Problems("b.yaml")
    problems.add(10, "is late", "q2")
    problems.add(9, "is early", "q1")
    problems.add(10, "is late", "q2")
    problems.extend([Problem("a.csv", 3, "", "first"), Problem("b.yaml", 10, "", "before q2")])
    assert problems.printed == [
        "a.csv:3: first",
        "b.yaml:9: q1: is early",
        "b.yaml:10: before q2",
        "b.yaml:10: q2: is late",
    ]
    assert len(problems) == 4


def test_no_problems_are_nothing():
    problems = Problems("a.yaml")
    assert not problems
    assert problems.printed == []
    problems.add(1, "is empty")
    assert problems


def test_a_problem_of_the_whole_file_has_no_line():
    assert str(Problem("a.yaml", 0, "", "cannot be read")) == "a.yaml: cannot be read"


@pytest.mark.parametrize("end", ["\n", "\r", "\x1b[2J", "\u2028", "\u202e", "\ud800"])
def test_what_a_file_holds_starts_no_line_and_moves_no_cursor(end):
    line = str(Problem("a.yaml", 1, f"q1{end}b.yaml:2: x", f"a{end}b"))
    assert line.isprintable()
    assert line.startswith("a.yaml:1: q1")


def test_a_problem_is_not_of_any_length():
    assert len(str(Problem("a.yaml", 1, "k", "x" * 100_000))) == len("a.yaml:1: ") + MAX_LINE + 3
