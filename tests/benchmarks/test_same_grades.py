"""The tool for "this change touches no grade" notices each difference that is one."""

import importlib.util
import json
import re
import sys
from copy import deepcopy

import pytest

from tests.conftest import ROOT

CHECK = {
    "id": "q3.1", "points": 2.0, "max_points": 2.0, "outcome": "passed", "reason": None,
    "message": "", "duration_s": 0.1,
}  # fmt: skip
OTHER = CHECK | {"id": "q3.2", "points": 1.0, "outcome": "partial", "reason": "mismatch"}
REPORT = {
    "status": "complete", "score": 3.0, "max_score": 4.0,
    "questions": [{"id": "q3", "checks": [CHECK, OTHER]}],
}  # fmt: skip


@pytest.fixture
def tool():
    """The tool, loaded anew."""
    spec = importlib.util.spec_from_file_location(
        "same_grades", ROOT / "benchmarks" / "same_grades.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def written(folder, reports):
    for name, report in reports.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "report.json").write_text(json.dumps(report))
    return folder


def changed(check="q3.2", **fields):
    report = deepcopy(REPORT)
    for each in report["questions"][0]["checks"]:
        if each["id"] == check:
            each.update(fields)
    return report


@pytest.fixture
def run(tool, capsys):
    """Run the tool; return its exit status and the lines that it prints."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            tool.main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, (printed.out + printed.err).splitlines()

    return run


@pytest.fixture
def compared(tmp_path, run):
    """Compare two sides, each given as reports by example."""

    def compare(old, new, *patterns):
        return run(written(tmp_path / "old", old), written(tmp_path / "new", new), *patterns)

    return compare


def test_equal_grades_with_other_words_and_times_are_the_same(compared):
    other = changed(message="other words", duration_s=7.0, cause="transposed")
    status, lines = compared({"wrong.a": REPORT}, {"wrong.a": other})
    assert (status, lines) == (0, ["0 differences in 2 checks of 1 examples"])


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"points": 1.0001}, "points 1.0 -> 1.0001"),
        ({"max_points": 3.0}, "max_points 2.0 -> 3.0"),
        ({"outcome": "failed"}, "outcome partial -> failed"),
        ({"reason": "timeout"}, "reason mismatch -> timeout"),
        ({"points": 0.0, "outcome": "failed"}, "points 1.0 -> 0.0, outcome partial -> failed"),
    ],
)
def test_a_difference_in_one_check_is_named(compared, fields, line):
    status, lines = compared({"wrong.a": REPORT}, {"wrong.a": changed(**fields)})
    assert (status, lines[0]) == (1, f"wrong.a: q3.2: {line}")
    assert lines[1:] == ["1 differences in 2 checks of 1 examples"]


@pytest.mark.parametrize("field", ["status", "score", "max_score"])
def test_a_difference_of_the_whole_example_is_named(compared, field):
    status, lines = compared({"wrong.a": REPORT}, {"wrong.a": REPORT | {field: "other"}})
    assert (status, lines[0]) == (1, f"wrong.a: {field}: {REPORT[field]} -> other")


def test_a_check_that_is_gone_is_a_difference(compared):
    less = deepcopy(REPORT)
    del less["questions"][0]["checks"][0]
    status, lines = compared({"a": REPORT}, {"a": less})
    assert (status, lines[:-1]) == (1, ["a: q3.1: on the old side only"])


def test_a_check_that_is_new_is_a_difference(compared):
    more = deepcopy(REPORT)
    more["questions"][0]["checks"].append(OTHER | {"id": "q3.3"})
    status, lines = compared({"a": REPORT}, {"a": more})
    assert (status, lines[:-1]) == (1, ["a: q3.3: on the new side only"])


def test_an_example_on_one_side_only_is_a_difference(compared):
    status, lines = compared({"a": REPORT, "b": REPORT}, {"a": REPORT, "c": REPORT})
    assert status == 1
    assert lines[:2] == ["b: on the old side only", "c: on the new side only"]


def test_a_pattern_limits_the_comparison(compared):
    old = {"wrong.rnn_a": REPORT, "wrong.lstm": REPORT}
    new = {"wrong.rnn_a": REPORT, "wrong.lstm": changed(points=0.0)}
    status, lines = compared(old, new, "wrong/rnn_*")
    assert (status, lines) == (0, ["0 differences in 2 checks of 1 examples"])


def test_nothing_in_common_is_an_error_not_the_same(compared):
    assert compared({"a": REPORT}, {"b": REPORT}) == (2, ["error: no example is on both sides"])


@pytest.mark.parametrize("side", ["no-such-commit", "."])
def test_a_side_without_reports_is_an_error(run, tmp_path, monkeypatch, side):
    monkeypatch.chdir(tmp_path)
    status, lines = run(side, side)
    assert (status, len(lines)) == (2, 1)
    assert re.search("has no reports|no such commit", lines[0])


# An engine of one commit: it writes the score that it holds.
ENGINE = """
import json, pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1]) / "wrong.a"
out.mkdir()
(out / "report.json").write_text(json.dumps(
    {"status": "complete", "score": SCORE, "max_score": 4.0, "questions": []}))
"""


@pytest.fixture
def repository(tool, tmp_path, monkeypatch):
    """A repository of two commits, whose engines give 3 points and 2."""
    folder = tmp_path / "repository"
    (folder / "grader").mkdir(parents=True)
    (folder / "grader" / "__init__.py").touch()
    monkeypatch.setattr(tool, "ROOT", folder)
    monkeypatch.setattr(tool, "KEPT", tmp_path / "kept")
    tool.git("init", "--quiet")
    for score in ("3.0", "2.0"):
        engine = ENGINE.replace("SCORE", score)
        (folder / "grader" / "__main__.py").write_text(engine, encoding="utf-8")
        tool.git("add", ".")
        tool.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", score)
    return folder


def test_a_commit_is_graded_by_its_own_code(run, repository):
    status, lines = run("HEAD~1", "HEAD")
    assert status == 1
    assert "wrong.a: score: 3.0 -> 2.0" in lines


def test_a_commit_is_compared_with_work_that_is_not_committed(run, repository):
    file = repository / "grader" / "__main__.py"
    file.write_text(ENGINE.replace("SCORE", "1.0"), encoding="utf-8")
    status, lines = run("HEAD", repository)
    assert status == 1
    assert "wrong.a: score: 2.0 -> 1.0" in lines


def test_no_worktree_is_left(tool, run, repository):
    assert run("HEAD", "HEAD")[0] == 0
    assert len(tool.git("worktree", "list").splitlines()) == 1


def test_a_commit_without_an_engine_is_not_graded_by_the_installed_one(tool, run, repository):
    tool.git("rm", "-r", "--quiet", "grader")
    tool.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "empty")
    status, lines = run("HEAD", "HEAD")
    assert status == 2
    assert "grader is imported from" in lines[-1]


def test_an_engine_that_fails_is_an_error(run, repository):
    (repository / "grader" / "__main__.py").write_text("raise SystemExit(2)", encoding="utf-8")
    assert run(repository, repository)[0] == 2
