"""The grader killed at any moment: what it has written is whole, and nothing of it lives on."""

from __future__ import annotations

import contextlib
import csv
import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from grader.cli import main
from grader.intake.staging import OWNER, UNNAMED, YOUNG_S, StagingFolder, remove_stale
from tests.conftest import ROOT, SUBMISSIONS

MOMENTS = int(os.environ.get("GRADER_KILLS", "20"))
SEED = 20261
PR_SET_CHILD_SUBREAPER = 36
GONE_S = 3.0
SCHEMA = json.loads((ROOT / "grader" / "reports" / "report.schema.json").read_text())
CHECKS = ("q3.1", "q4.1")
NAMES = {"report.json", "results.json", "report.html", "pytest.json", "gradebook.csv", "index.html"}
NAMES |= {".sources.json"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that workers may enter, with three small submissions in it."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        for kind in ("plain", "loop", "vectorised"):
            (made / "handed_in" / kind).mkdir(parents=True)
            source = SUBMISSIONS / "full_marks" / kind / "rnn_layers.py"
            shutil.copy(source, made / "handed_in" / kind)
        (made / "temporary").mkdir()
        (made / "temporary").chmod(0o711)
        yield made


@pytest.fixture
def orphans() -> Iterator[set[int]]:
    """Let what others leave behind become our children; yields those that are ours already."""
    prctl = ctypes.CDLL(None).prctl
    before = _children()
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield before
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    for pid in _children() - before:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _children() -> set[int]:
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
            found |= {int(word) for word in file.read().split()}
    return found


def left_after(seconds: float, before: set[int]) -> list[str]:
    """Wait until nothing is left of a killed grader; return the command lines of what is."""
    deadline = time.monotonic() + seconds
    while True:
        left = _children() - before
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        left = _children() - before
        if not left or time.monotonic() > deadline:
            return [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in left]
        time.sleep(0.005)


def arguments(folder: Path) -> list[str]:
    only = [word for check in CHECKS for word in ("--only", check)]
    rubric = ["--rubric", str(ROOT / "rubric.yaml"), "--jobs", "2"]
    return ["grade", str(folder / "handed_in"), "--out", str(folder / "out"), *only, *rubric]


def forked(folder: Path) -> int:
    """Run the command line in a fork of this process, which has loaded everything already."""
    pid = os.fork()
    if pid == 0:
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        tempfile.tempdir = str(folder / "temporary")
        try:
            main(arguments(folder), standalone_mode=False)
            os._exit(0)
        finally:
            os._exit(9)
    return pid


def started(folder: Path) -> int:
    """Run the command line as a process of its own."""
    environment = {**os.environ, "TMPDIR": str(folder / "temporary")}
    command = [sys.executable, "-m", "grader", *arguments(folder)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **quiet)
    process.returncode = 0  # waited for here, and not by the object's destructor
    return process.pid


def made_old(folder: Path) -> None:
    """Make a folder older than one that may still get its owner."""
    before = folder.stat().st_mtime - 2 * YOUNG_S
    os.utime(folder, (before, before))


def assert_whole(out: Path) -> int:
    """Check every file below ``out``, hidden ones too; return how many reports there are."""
    reports = 0
    for path in out.rglob("*") if out.exists() else ():
        if path.is_dir():
            continue
        if path.name.startswith((".unfinished-", ".probe-")):
            continue  # a name that no reader and no pattern for reports asks for
        assert path.name in NAMES
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            made = json.loads(text)
            assert text.endswith("}\n")
            if path.name == "report.json":
                jsonschema.Draft202012Validator(SCHEMA).validate(made)
                assert (made["status"], made["score"]) == ("complete", made["max_score"])
                reports += 1
        elif path.suffix == ".html":
            assert text.rstrip().endswith("</html>")
        else:
            rows = list(csv.reader(text.splitlines()))
            assert len(rows) == 4
            assert len({len(row) for row in rows}) == 1
    return reports


def test_a_kill_at_any_moment_leaves_whole_reports_and_nobody(folder, orphans):
    begun = time.monotonic()
    _pid, status = os.waitpid(forked(folder), 0)
    whole_s = time.monotonic() - begun
    assert os.WEXITSTATUS(status) == 0
    assert assert_whole(folder / "out") == 3
    rng = random.Random(SEED)
    moments = [(number + rng.random()) / MOMENTS * whole_s for number in range(MOMENTS)]
    seen = set()
    for number, moment in enumerate(moments):
        if number % 5:
            shutil.rmtree(folder / "out", ignore_errors=True)  # else old reports are replaced
        pid = forked(folder)
        time.sleep(moment)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert left_after(GONE_S, orphans) == [], f"killed after {moment:.3f} s"
        seen.add(assert_whole(folder / "out"))
    assert len(seen) > 1, "the moments hit nothing"
    for staged in (folder / "temporary").iterdir():
        made_old(staged)  # one that was killed before its folder had an owner counts as well
    assert os.waitstatus_to_exitcode(os.waitpid(forked(folder), 0)[1]) == 0
    left = sorted(str(path) for path in (folder / "temporary").rglob("*"))
    assert left == [], "what the killed ones staged is left"


def test_a_grader_with_nothing_to_do_removes_what_a_killed_one_staged(folder):
    # A grader may be killed when all its reports are written: then the next one grades nothing.
    assert os.waitstatus_to_exitcode(os.waitpid(forked(folder), 0)[1]) == 0
    before = {path: path.stat().st_mtime_ns for path in folder.glob("out/*/report.json")}
    staged = folder / "temporary" / "grader-killed"
    (staged / "grading-x").mkdir(parents=True)
    (staged / OWNER).write_text("")
    assert os.waitstatus_to_exitcode(os.waitpid(forked(folder), 0)[1]) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.glob("out/*/report.json")} == before
    assert list((folder / "temporary").iterdir()) == []


@pytest.mark.parametrize("reports", [0, 1, 2])
def test_a_process_of_its_own_killed_while_it_grades(reports, folder, orphans):
    pid = started(folder)
    deadline = time.monotonic() + 60
    while len(list((folder / "out").glob("*/report.json"))) < reports:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert left_after(GONE_S, orphans) == []
    assert assert_whole(folder / "out") >= reports


def test_a_hostile_process_does_not_outlive_a_killed_grader(folder, orphans):
    shutil.rmtree(folder / "handed_in")
    shutil.copytree(SUBMISSIONS / "hostile" / "leaves_a_process", folder / "handed_in" / "one")
    for moment in (0.7, 1.0, 1.4):
        pid = forked(folder)
        time.sleep(moment)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert left_after(GONE_S, orphans) == [], f"killed after {moment:.3f} s"


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_in_use_is_left_alone_and_one_of_the_dead_is_removed(temporary):
    mine = StagingFolder()
    (mine.path / "s1").mkdir()
    pid = os.fork()
    if pid == 0:
        dead = StagingFolder()
        (dead.path / "s1" / "submission").mkdir(parents=True)
        (dead.path / "s1" / "submission" / "x.py").write_text("x = 1\n")
        os._exit(0)
    os.waitpid(pid, 0)
    assert len(list(temporary.iterdir())) == 2
    remove_stale()
    assert list(temporary.iterdir()) == [mine.path]
    assert (mine.path / "s1").is_dir()
    mine.close()
    assert list(temporary.iterdir()) == []


def test_a_folder_is_in_use_as_long_as_a_child_of_its_owner_lives(temporary):
    read_end, write_end = os.pipe()
    child_read, child_write = os.pipe()
    owner = os.fork()
    if owner == 0:
        StagingFolder()
        if os.fork() == 0:
            os.close(child_write)
            os.write(write_end, b"x")
            os.read(child_read, 1)  # until the test closes its end
        os._exit(0)
    os.close(child_read)
    os.waitpid(owner, 0)
    os.read(read_end, 1)
    remove_stale()
    assert len(list(temporary.iterdir())) == 1
    os.close(child_write)
    deadline = time.monotonic() + 5
    while list(temporary.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
        remove_stale()
    assert list(temporary.iterdir()) == []
    os.close(read_end)
    os.close(write_end)


def test_what_cannot_be_removed_keeps_its_owner_and_goes_later(temporary, monkeypatch):
    folder = StagingFolder()
    (folder.path / "s1").mkdir()
    (folder.path / "note.txt").write_text("x")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_args, **_options: None)  # as if it were in use
        folder.close()
    assert sorted(path.name for path in folder.path.iterdir()) == [OWNER, "s1"]
    remove_stale()
    assert list(temporary.iterdir()) == []


def test_what_only_looks_like_a_folder_of_ours_is_left_alone(temporary):
    other = temporary / "elsewhere"
    other.mkdir()
    (other / OWNER).write_text("")
    (temporary / "grader-link").symlink_to(other)
    (temporary / "grader-file").write_text("")
    (temporary / "grader-without-an-owner").mkdir()
    linked = temporary / "grader-linked-owner"
    linked.mkdir()
    (linked / OWNER).symlink_to(other / OWNER)
    before = sorted(temporary.rglob("*"))
    remove_stale()
    assert sorted(temporary.rglob("*")) == before


@pytest.mark.parametrize(
    ("holds", "old", "stays"),
    [((), True, False), ((UNNAMED,), True, False), ((), False, True), (("x.py",), True, True)],
)
def test_an_empty_folder_without_an_owner_is_removed_when_it_is_old(holds, old, stays, temporary):
    folder = temporary / "grader-x"
    folder.mkdir()
    for name in holds:
        (folder / name).write_text("")
    if old:
        made_old(folder)
    remove_stale()
    assert folder.exists() == stays


def test_a_temporary_folder_that_is_not_there_is_one_message(temporary, monkeypatch):
    from grader.errors import BrokenError

    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "gone"))
    with pytest.raises(BrokenError, match=r"cannot create a folder in .*: No such file"):
        StagingFolder()


@pytest.mark.slow
def test_killed_again_and_again_nothing_is_lost_or_graded_twice():
    command = [sys.executable, str(ROOT / "benchmarks" / "killed.py"), "--count", "16"]
    ran = subprocess.run(
        [*command, "--kills", "5"], cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "killed 5 times; 0 problems" in ran.stdout, ran.stdout + ran.stderr
    assert ran.returncode == 0
