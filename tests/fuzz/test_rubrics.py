"""Whatever stands in a rubric, it loads, or each problem is told in one line with its place."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError
from grader.model import Rubric
from grader.reports import building
from tests.fuzz.guard import at_most, count, fuzzing, within
from tests.fuzz.hostile_rubrics import ROOT, rubrics

SECONDS, MEMORY = 10, 1 << 30
LONGEST = 1000  # characters of a problem, without its place


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("rubrics")
    for name in ("reference", "submissions_template"):
        (made / name).symlink_to(ROOT / name)
    return made


def assert_told(problem: str, path: Path, lines: int) -> None:
    """Check that a problem is one line that names its place, and can be shown on any terminal."""
    told = problem.removeprefix(f"{path}:")
    assert told != problem
    found = re.fullmatch(r"(\d+): (.+)", told)
    assert found is not None, ascii(told)
    assert 1 <= int(found[1]) <= lines + 2
    assert found[2].isprintable(), ascii(found[2])
    assert len(found[2]) <= LONGEST
    assert "Traceback" not in told


def try_to_load(path: Path, lines: int) -> str:
    """Load a rubric; return what came of it."""
    refused = None
    try:
        with within(SECONDS), at_most(MEMORY):
            rubric = load_rubric(path, KINDS)
    except RubricError as error:
        refused = error.problems
    if refused is not None:
        assert refused
        for problem in refused:
            assert_told(problem, path, lines)
        return "refused"
    assert type(rubric) is Rubric
    total = sum(question.max_score for question in rubric.questions)
    assert rubric.max_score == pytest.approx(total)
    made = building.broken(rubric, "x", "mini", "x")
    json.dumps(made.model_dump(), allow_nan=False, ensure_ascii=False).encode("utf-8")
    return "loaded"


@fuzzing(short=50, long=4_000)
@given(text=rubrics)
def test_any_rubric_loads_or_is_refused_line_by_line(text, folder):
    path = folder / "rubric.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    count("rubrics", try_to_load(path, text.count("\n") + text.count("\r") + len(text) // 40))


@fuzzing(short=20, long=1_000)
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-16")))
def test_any_bytes_are_refused_line_by_line(raw, folder):
    path = folder / "rubric.yaml"
    path.write_bytes(raw)
    count("rubrics: bytes", try_to_load(path, len(raw)))


@pytest.mark.parametrize("depth", [10, 40, 60, 300, 3_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")]
)
def test_any_depth_of_nesting_is_refused_soon(depth, opening, closing, folder):
    path = folder / "rubric.yaml"
    path.write_text(
        "questions: " + ("\n" if not closing else "") + opening * depth + "x" + closing * depth
    )
    before = sys.getrecursionlimit()
    assert try_to_load(path, 3) == "refused"
    assert sys.getrecursionlimit() == before
