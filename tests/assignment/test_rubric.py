"""Rubrics: the shipped one loads, and every file in ``rejects`` is refused for what it says.

A comment ``# reject: TEXT`` in one of those files stands in the line that the problem must be
reported for, and the problem's text must begin with TEXT. One run must report them all, and nothing
else.
"""

from __future__ import annotations

import functools
import os
import random
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import BrokenError, RubricError, UsageError
from grader.model import Rubric
from tests.conftest import ROOT

SHIPPED = ROOT / "rubric.yaml"
REJECTS = Path(__file__).parent / "rejects"
MARK = "# reject: "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a rubric, with this repository's reference in it."""
    for name in ("reference", "submissions_template"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def problems(path: Path) -> list[str]:
    with pytest.raises(RubricError) as caught:
        load_rubric(path, KINDS)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def marked(text: str) -> list[tuple[int, str]]:
    return [
        (number, expected.strip())
        for number, line in enumerate(text.splitlines(), 1)
        for expected in line.split(MARK)[1:]
    ]


def test_the_marks_of_a_reject_are_read_with_their_lines():
    assert marked(f"a: 1\nb: 2  {MARK}x: y {MARK}z\n") == [(2, "x: y"), (2, "z")]


@pytest.mark.parametrize("path", sorted(REJECTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_mistake_is_reported_in_its_line_and_nothing_else_is(path, folder):
    text = path.read_text()
    copy = folder / "rubric.yaml"
    copy.write_text(text)
    expected = [f"{copy}:{line}: {problem}" for line, problem in marked(text)]
    assert expected, "a file that says what is wrong with it has at least one mark"
    found = problems(copy)
    unexplained = [one for one in found if not any(one.startswith(other) for other in expected)]
    unreported = [one for one in expected if not any(other.startswith(one) for other in found)]
    assert (unexplained, unreported) == ([], [])
    assert len(found) == len(expected)
    assert all("\n" not in problem for problem in found)


def test_rejects_cover_five_mistakes_at_once():
    assert len(marked((REJECTS / "five_mistakes.yaml").read_text())) == 5


def test_problems_are_in_the_order_of_their_lines(folder):
    copy = folder / "rubric.yaml"
    copy.write_text((REJECTS / "five_mistakes.yaml").read_text())
    lines = [int(problem.split(":")[1]) for problem in problems(copy)]
    assert lines == sorted(lines)


def test_the_shipped_rubric_loads_and_adds_up():
    rubric = load_rubric(SHIPPED, KINDS)
    raw = yaml.safe_load(SHIPPED.read_text())
    assert isinstance(rubric, Rubric)
    assert rubric.max_score == raw["points"]
    assert [question.max_score for question in rubric.questions] == [
        question["points"] for question in raw["questions"]
    ]
    assert rubric.reference == ROOT / "reference"
    assert rubric.seed == raw["seed"]
    ids = [check.id for question in rubric.questions for check in question.checks]
    assert len(ids) == len(set(ids))


def test_defaults_apply_where_a_check_says_nothing(folder):
    text = (REJECTS / "negative_tolerance_in_defaults.yaml").read_text()
    path = folder / "rubric.yaml"
    text = text.replace("rtol: -1.0", "timeout_s: 3\n  rtol: 0.25", 1)
    path.write_text(text.replace("kind: gradient", "kind: gradient\n        rtol: 0.125"))
    forward, gradient = load_rubric(path, KINDS).questions[0].checks
    assert (forward.rtol, forward.timeout_s) == (0.25, 3)
    assert (gradient.rtol, gradient.timeout_s) == (0.125, 3)


def test_a_rubric_is_frozen():
    rubric = load_rubric(SHIPPED, KINDS)
    with pytest.raises(AttributeError):
        rubric.seed = 1
    with pytest.raises(ValueError, match="frozen"):
        rubric.questions[0].checks[0].points = 100.0


def test_points_add_up_despite_binary_fractions(folder):
    text = (REJECTS / "assignment_total_does_not_add_up.yaml").read_text()
    text = text.replace("points: 30 ", "points: 0.3 ").replace(
        "    points: 3\n", "    points: 0.3\n"
    )
    text = text.replace("        points: 1\n", "        points: 0.1\n")
    text = text.replace("        points: 2\n", "        points: 0.2\n")
    path = folder / "rubric.yaml"
    path.write_text(text)
    assert load_rubric(path, KINDS).max_score == 0.3


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.yaml: cannot be read: No such file"):
        load_rubric(tmp_path / "nowhere.yaml", KINDS)


def test_a_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        load_rubric(tmp_path, KINDS)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "1: is empty"),
        (b"\xef\xbb\xbf", "1: is empty"),
        (b"---\n", "1: must be a mapping"),
        (b"~", "1: must be a mapping"),
        (b"assignment: demo\ntitle: caf\xe9\n", "2: byte 0xe9 is not UTF-8 text"),
        ("assignment: demo\n".encode("utf-16"), "1: is UTF-16 text; save it as UTF-8"),
        (b"assignment: \x01\n", "1: is not YAML: unacceptable character"),
        (b"assignment: " + b"[" * 100_000, "1: is nested too deeply"),
        (b"assignment: " + b"[" * 60 + b"]" * 60, "1: is not YAML: too many or too deeply nested"),
        (b"{" * 100_000, "1: is nested too deeply"),
        (b"- " * 100_000, "1: is nested too deeply"),
        (b"#" * 5_000_000, "1: is 5000000 bytes long"),
        (b"%", "1: is not YAML"),
    ],
    ids=lambda value: value[:20].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_a_file_that_is_no_rubric_at_all_is_refused_in_one_line(raw, problem, tmp_path):
    path = tmp_path / "rubric.yaml"
    path.write_bytes(raw)
    (found,) = problems(path)
    assert found.startswith(f"{path}:{problem}")
    assert "\n" not in found
    assert len(found) < len(str(path)) + 300


def test_a_byte_order_mark_is_no_problem(folder):
    path = folder / "rubric.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SHIPPED.read_bytes())
    assert load_rubric(path, KINDS).max_score == load_rubric(SHIPPED, KINDS).max_score


def test_windows_line_ends_are_no_problem(folder):
    path = folder / "rubric.yaml"
    path.write_bytes(SHIPPED.read_bytes().replace(b"\n", b"\r\n"))
    assert load_rubric(path, KINDS).max_score == load_rubric(SHIPPED, KINDS).max_score


def test_long_wrong_values_are_not_repeated_at_length(folder):
    path = folder / "rubric.yaml"
    for value in ("x" * 10_000, "[" + "1, " * 5_000 + "]", "9" * 5_000, "0x" + "f" * 5_000):
        path.write_text(
            re.sub(r"(?m)^points: .*$", f"points: {value}", SHIPPED.read_text(), count=1)
        )
        assert all(len(problem) < len(str(path)) + 300 for problem in problems(path))


def test_a_reference_whose_code_cannot_be_imported_is_our_fault(tmp_path):
    cases = tmp_path / "reference" / "cases"
    cases.mkdir(parents=True)
    for name in ("__init__.py", "rnn_layers.py"):
        (tmp_path / "reference" / name).touch()
    (cases / "rnn_layers.py").write_text("import surely_not_installed\n")
    text = (REJECTS / "assignment_total_does_not_add_up.yaml").read_text()
    (tmp_path / "rubric.yaml").write_text(text.replace("points: 30 ", "points: 3 "))
    with pytest.raises(BrokenError, match="cannot be imported: ModuleNotFoundError"):
        load_rubric(tmp_path / "rubric.yaml", KINDS)


TOKENS = ["[", "]", "{", "}", ":", "- ", "&a ", "*a", "!!int ", "!x ", "? ", "| ", "> ", "'", '"',
          "#", "%", "\t", "~", "no", "1e-3", ".nan", ".inf", "0x10", "1:30", "2020-01-01", "-1",
          "0", "<<: ", "\n", "  ", "x", "\u2028", "\x85", "\ufeff", "\N{PILE OF POO}", "=", "[]",
          "{}", "null", "true", "'x'", "99999999999999999999", "!!python/object:os.system ",
          "values", "rnn_forward", "x" * 300]  # fmt: skip


EDITS = st.tuples(
    st.sampled_from(["delete", "duplicate", "scalar", "insert", "swap", "indent"]),
    st.sampled_from(TOKENS) | st.text(max_size=4),
)


def _edited(edits: list[tuple[str, str]], rng: random.Random) -> str:
    """Edit the shipped rubric at places that a plain generator draws, evenly over the file."""
    lines = SHIPPED.read_text().splitlines()
    for edit, token in edits:
        at = rng.randrange(len(lines))
        line = lines[at]
        if edit == "delete":
            del lines[at]
        elif edit == "duplicate":
            lines.insert(at, line)
        elif edit == "scalar":
            lines[at] = f"{line.partition(': ')[0]}: {token}"
        elif edit == "insert":
            place = rng.randrange(len(line) + 1)
            lines[at] = line[:place] + token + line[place:]
        elif edit == "swap":
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], line
        else:
            lines[at] = " " * rng.randrange(8) + line.lstrip()
    return "\n".join(lines) + "\n"


@functools.cache
def _scratch(parent: Path) -> Path:
    # A folder of its own: a rubric above their folders would be every other test's, too.
    folder = parent / "edited_rubrics"
    folder.mkdir()
    (folder / "reference").symlink_to(ROOT / "reference")
    return folder / "rubric.yaml"


# The same edits in every run, at other places in each part; `make fuzz` draws new ones.
@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@settings(deadline=None, max_examples=8, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), edits=st.lists(EDITS, min_size=1, max_size=3))
def test_any_edit_of_the_shipped_rubric_loads_or_is_refused(part, seed, edits, tmp_path_factory):
    text = _edited(edits, random.Random(4 * seed + part))
    path = _scratch(tmp_path_factory.getbasetemp())
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    try:
        rubric = load_rubric(path, KINDS)
    except RubricError as error:
        refused = error.problems
    else:
        total = sum(check.points for question in rubric.questions for check in question.checks)
        assert total == pytest.approx(rubric.max_score)
        return
    assert refused
    for problem in refused:
        place, line, _ = problem.removeprefix(str(path.parent)).split(":", 2)
        assert place == f"{os.sep}rubric.yaml"
        assert 1 <= int(line) <= text.count("\n") + 2
