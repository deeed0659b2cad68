"""Ctrl-C at every moment: one sentence, exit status 130, and nothing of what is graded is lost."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.toy import make
from tests.conftest import ROOT, without_seed_warning

CHECKS = """
      - {id: q1.1, title: line, points: 4, kind: values, function: Line, driver: toy.line,
         cases: line, shares: {values: 0.75, edge_cases: 0.25}, outputs: {value: 0.5, slope: 0.5}}
"""
WRONG = ("s1", "s4", "s7")
CHANGES = ("graded_at", "duration_s")  # of reports, from one run to the next


@pytest.fixture
def folder() -> Iterator[Path]:
    """The toy assignment and a class of ten, where workers may read them."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        make(made, CHECKS)
        right = (made / "reference" / "toy.py").read_text()
        for number in range(10):
            student = made / "class" / f"s{number}"
            student.mkdir(parents=True)
            wrong = right.replace("return", "return 2 *") if student.name in WRONG else right
            (student / "toy.py").write_text(wrong)
        for path in (made / "class").rglob("*"):
            path.chmod(0o755)
        yield made


class Grading:
    """A run of ``grader grade class`` in a process group of its own, as a shell starts it."""

    def __init__(self, folder: Path, *words: str, out: str = "out") -> None:
        self.out = folder / out
        command = [sys.executable, "-m", "grader", "grade", "class", "--out", out, *words]
        self.process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def graded(self, count: int) -> None:
        """Wait until so many reports are there."""
        deadline = time.monotonic() + 60
        while len(list(self.out.glob("*/report.json"))) < count:
            assert time.monotonic() < deadline
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.005)

    def interrupt(self) -> None:
        """Send what a terminal sends: to every process of the group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self) -> tuple[int, str, str]:
        """Return the exit status and what was printed."""
        out, err = self.process.communicate(timeout=60)
        assert "Traceback" not in out + err
        return self.process.returncode, out, without_seed_warning(err)


def graded(out: Path) -> dict[str, object]:
    """Return the reports, without times."""
    return {
        path.parent.name: _timeless(json.loads(path.read_text()))
        for path in out.glob("*/report.json")
    }


def _timeless(value: object) -> object:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in CHANGES}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def listed(out: Path) -> list[str]:
    with (out / "gradebook.csv").open(encoding="utf-8-sig") as file:
        return [row["submission"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_was_interrupted_and_resumed_equals_what_was_not(jobs, folder):
    first = Grading(folder, "--jobs", jobs)
    first.graded(3)
    first.interrupt()
    status, out, err = first.ended()
    assert (status, out) == (130, "")
    counts, overview, onward = err.splitlines()
    done = re.fullmatch(
        r"interrupted; (\d+) of 10 submissions graded, and these reports are complete", counts
    )
    assert done is not None
    assert overview == "overview: out/index.html, out/gradebook.csv"
    left = 10 - int(done[1])
    assert 0 < left < 10
    assert onward == f"to grade the other {left}, run the same command again"
    assert {*listed(first.out)} == {*graded(first.out)}
    page = (first.out / "index.html").read_text()
    assert all(name in page for name in listed(first.out))

    second = Grading(folder, "--jobs", jobs)
    status, out, err = second.ended()
    assert (status, err) == (0, "")
    again = re.search(r"(\d+) submissions? graded, (\d+) unchanged \(--force", out)
    assert again is not None, out
    assert int(again[1]) + int(again[2]) == 10
    # A report may have been written in the very moment of the interruption, and not be counted.
    assert left - int(jobs) <= int(again[1]) <= left
    whole = Grading(folder, "--jobs", jobs, out="whole")
    assert whole.ended()[0] == 0
    assert graded(second.out) == graded(whole.out)
    assert len(graded(whole.out)) == 10
    tables = [
        (run.out / "gradebook.csv").read_text(encoding="utf-8-sig") for run in (second, whole)
    ]
    assert tables[0] == tables[1]
    before = {path: path.read_bytes() for path in second.out.glob("*/*") if path.is_file()}
    status, out, err = Grading(folder).ended()
    assert (status, err) == (0, "")
    assert "0 submissions graded, 10 unchanged" in out
    assert {path: path.read_bytes() for path in before} == before


def test_a_resumed_run_may_be_interrupted_too(folder):
    rounds = 0
    while rounds < 4:
        run = Grading(folder, "--jobs", "1")
        run.graded(2 * rounds + 2)
        run.interrupt()
        status, _out, err = run.ended()
        assert status == 130, err
        rounds += 1
    assert Grading(folder).ended()[0] == 0
    assert listed(run.out) == [f"s{number}" for number in range(10)]


@pytest.mark.parametrize("pause", [0.0, 0.002, 0.01, 0.03, 0.1, 0.3])
def test_control_c_again_and_again_is_the_same(pause, folder):
    run = Grading(folder, "--jobs", "2")
    run.graded(2)
    for _time in range(5):
        if run.process.poll() is not None:
            break
        run.interrupt()
        time.sleep(pause)
    status, out, err = run.ended()
    assert (status, out) == (130, "")
    assert err.startswith("interrupted; ")
    assert len(listed(run.out)) >= 2


@pytest.mark.parametrize(
    "module",
    ["click.core", "click", "grader.frontends.streams", "numpy", "pydantic", "yaml", "rich.console",
     "grader.assignment.rubric", "grader.checks", "grader.run.batch"],
)  # fmt: skip
def test_control_c_while_the_program_is_starting(module, folder):
    """Python writes which modules it has imported: the moment is the same on every machine."""
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "grader", "grade", "class", "--out", "out"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.rpartition("|")[2].strip() == module:
            process.send_signal(signal.SIGINT)
            break
    else:
        pytest.fail(f"{module} is not imported")
    out, err = process.communicate(timeout=60)
    told = without_seed_warning(err).splitlines()
    told = [line for line in told if not line.startswith("import time:")]
    assert (process.returncode, out, told) == (130, "", ["interrupted"])
    assert not (folder / "out").exists()


def test_control_c_ends_all_children_and_keeps_what_is_graded(folder):
    for number in range(10, 40):
        shutil.copytree(folder / "class" / "s0", folder / "class" / f"s{number}")
    command = [sys.executable, "-m", "grader", "grade", str(folder / "class"), "--jobs", "2"]
    command += ["--rubric", str(folder / "rubric.yaml"), "--out", str(folder / "out")]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(list((folder / "out").glob("*/report.json"))) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    group = os.getpgid(process.pid)
    os.killpg(group, signal.SIGINT)  # as a terminal does: to every process of the group
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    reports = [json.loads(path.read_text()) for path in (folder / "out").glob("*/report.json")]
    assert 2 <= len(reports) < 40
    first, overview, onward = without_seed_warning(err).splitlines()
    assert first.startswith("interrupted; ")
    assert first.endswith(" of 40 submissions graded, and these reports are complete")
    out = folder / "out"
    assert overview == f"overview: {out / 'index.html'}, {out / 'gradebook.csv'}"
    assert re.fullmatch(r"to grade the other \d+, run the same command again", onward)
    listed = (folder / "out" / "gradebook.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert len(listed) >= 2
    assert {report["score"] for report in reports} <= {2, 4}
    deadline = time.monotonic() + 10
    while _alive(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(group)


def _alive(group: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, process_group = path.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(process_group) == group and state != "Z":
            found.append(int(path.parent.name))
    return found
