"""Machines that fail and assignments that are wrong: one message, ``broken``, never a zero."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests import machines
from tests.checks.toy import make
from tests.conftest import ROOT, SUBMISSIONS, Ran, checks_of

PLAIN = SUBMISSIONS / "full_marks" / "plain"
ONLY = ("--only", "q3.1", "--only", "q4.1", "--rubric", str(ROOT / "rubric.yaml"))
RIGHT = """
class Line:
    def __init__(self, slope):
        self.slope = slope

    def value(self, x):
        return self.slope * x

def train(x):
    return 2 * x
"""
REFERENCE = "\n\ndef train(x):\n    return 2 * x\n"
VALUES = """
      - {id: q1.1, title: line, points: 2, kind: values, function: Line, driver: toy.line,
         cases: line, shares: {values: 0.75, edge_cases: 0.25}, outputs: {value: 0.5, slope: 0.5}}
"""
PROPERTY = """
      - {id: q1.2, title: trained, points: 2, kind: property, function: train, dataset: toy,
         driver: toy.train, judge: toy.look, properties: {half: 0.75, device: 0.25}}
"""


@pytest.fixture
def folder(open_folder: Path) -> Path:
    """A folder that any user may enter: workers run as one."""
    return open_folder


def ran(command: list[str], **environment: str) -> Ran:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def messages(done: Ran) -> list[str]:
    """Return what was said, without the warning of the public seed that tests are graded with."""
    lines = [line for line in done.err.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith("warning: graded with the public seed")]


def with_small_disk(place: Path, kilobytes: int, command: list[str], **environment: str) -> Ran:
    """Run a command with a disk of its own at ``place``; what is left there is copied back."""
    reason = machines.lacking("container")
    if reason is not None:
        pytest.skip(reason)
    place.mkdir(exist_ok=True)
    kept = place.with_name("kept")
    script = (
        'mount -t tmpfs -o "size=$0k,mode=755" none "$1" && shift && kept="$1" && shift && "$@"; '
        'status=$?; cp -a "$PLACE" "$kept"; exit $status'
    )
    wrapped = ["unshare", "-m", "sh", "-c", script, str(kilobytes), str(place), str(kept)]
    return ran([*wrapped, *command], PLACE=str(place), **environment)


def test_a_full_disk_is_one_message_and_leaves_whole_reports_only(folder):
    handed_in = folder / "handed_in"
    for number in range(8):
        (handed_in / f"s{number}").mkdir(parents=True)
        shutil.copy(PLAIN / "rnn_layers.py", handed_in / f"s{number}")
    out = folder / "out"
    command = [sys.executable, "-m", "grader", "grade", str(handed_in), "--out", str(out), *ONLY]
    done = with_small_disk(out, 128, [*command, "--jobs", "1"])
    assert done.status == 3
    # The reports of some submissions, and the overview; once for each, whatever the file.
    assert 1 <= len(messages(done)) <= 2
    for message in messages(done):
        assert message.startswith("broken: ")
        assert "cannot be written: No space left on device" in message
    assert "8 submissions graded" in done.out
    reports = list((folder / "kept").glob("*/report.json"))
    assert 0 < len(reports) < 8
    for path in (folder / "kept").rglob("*"):
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".html":
            assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
        else:
            assert path.is_dir()


def test_a_full_disk_for_temporary_files_is_broken_and_no_zero(folder):
    (folder / "big").mkdir()
    shutil.copy(PLAIN / "rnn_layers.py", folder / "big")
    (folder / "big" / "weights.bin").write_bytes(os.urandom(6_000_000))
    place, out = folder / "temporary", folder / "out"
    command = [sys.executable, "-m", "grader", "grade", str(folder / "big"), str(PLAIN)]
    done = with_small_disk(
        place, 4000, [*command, "--jobs", "1", "--out", str(out), *ONLY], TMPDIR=str(place)
    )
    assert done.status == 3
    (message,) = messages(done)
    assert message.startswith("broken: cannot copy big: No space left on device")
    made = {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/report.json")}
    assert (made["big"]["status"], made["big"]["score"]) == ("broken", None)
    assert (made["plain"]["status"], made["plain"]["score"]) == ("complete", 4)


def test_an_output_folder_of_somebody_else_is_one_message(folder):
    reason = machines.lacking("user")
    if reason is not None:
        pytest.skip(reason)
    out = folder / "out"
    out.mkdir()
    command = [sys.executable, "-m", "grader", "grade", str(PLAIN), "--out", str(out), *ONLY]
    done = ran(machines.command("user", *command))
    assert done.status == 3
    assert messages(done) == [f"broken: --out {out}: cannot write there: Permission denied"]
    assert list(out.iterdir()) == []


def test_a_report_folder_of_somebody_else_is_one_message(folder):
    reason = machines.lacking("user")
    if reason is not None:
        pytest.skip(reason)
    out = folder / "out"
    (out / "plain").mkdir(parents=True)
    out.chmod(0o777)
    command = [sys.executable, "-m", "grader", "grade", str(PLAIN), "--out", str(out), *ONLY]
    done = ran(machines.command("user", *command))
    assert done.status == 3
    (message,) = messages(done)

    assert message == "broken: its report cannot be written: Permission denied [plain]"
    assert list((out / "plain").iterdir()) == []


def toy(folder: Path, checks: str = VALUES + PROPERTY) -> tuple[Path, Path]:
    """Write the toy assignment and a right submission; return the rubric and the submission."""
    rubric = make(folder / "assignment", checks)
    with (rubric.parent / "reference" / "toy.py").open("a") as file:
        file.write(REFERENCE)
    (folder / "right").mkdir()
    (folder / "right" / "toy.py").write_text(RIGHT)
    return rubric, folder / "right"


def edit(rubric: Path, file: str, old: str, new: str) -> None:
    path = rubric.parent / "reference" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


RAISES = "raise ZeroDivisionError('ours')"
FAULTS = {
    "the solution": ("toy.py", "return self.slope * x", RAISES, "q1.1", "on the reference raised"),
    "the driver": ("drivers/toy.py", "model = ", f"{RAISES}; model = ", "q1.1", "the driver"),
    "the data set": ("datasets/toy.py", "return {", f"{RAISES}; return {{", "q1.2", "the data set"),
    "the judge": ("judges/toy.py", "right = float", f"{RAISES}; right = float", "q1.2", "judge"),
    "a driver that runs in the worker alone": (
        "drivers/toy.py", "def train(student, *, seed, device, x):",
        f"def train(student, *, seed, device, x):\n    {RAISES}",
        "q1.2", "the driver toy.train fails on the reference: ZeroDivisionError",
    ),
    "a judge that fails as on a forged result": (
        "judges/toy.py", "right = float", "raise ValueError('ours'); right = float", "q1.2",
        "the judge toy.look fails on the reference: ValueError: ours",
    ),
    "a broken judge": (
        "judges/toy.py", "import numpy as np", "import not_there", "q1.2", "imported",
    ),
    "a broken data set": (
        "datasets/toy.py", "import numpy as np", "import not_there", "q1.2", "imported",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_assignment_is_broken_and_costs_nobody_points(name, folder, grade):
    file, old, new, broken, words = FAULTS[name]
    rubric, submission = toy(folder)
    edit(rubric, file, old, new)
    done, reports = grade(submission, options=("--rubric", rubric))
    assert done.status == 3
    (message,) = messages(done)
    assert message.startswith("broken: ")
    assert words in message
    assert "Traceback" not in done.out + done.err
    checks = checks_of(reports["right"])
    assert {check: found["outcome"] for check, found in checks.items()} == {
        check: "broken" if check == broken else "passed" for check in checks
    }
    assert (reports["right"]["status"], reports["right"]["score"]) == ("broken", None)


LOADING = {
    "the solution cannot be imported": ("toy.py", "import numpy as np", "import not_there"),
    "the cases cannot be imported": ("cases/toy.py", "import numpy as np", "import not_there"),
    "the cases raise": ("cases/toy.py", "for group in", f"{RAISES}\n    for group in"),
    "the solution is no Python": ("toy.py", "class Line:", "class Line"),
    "the driver is no Python": ("drivers/toy.py", "def train(", "def train(("),
}


@pytest.mark.parametrize("name", LOADING)
def test_an_assignment_that_cannot_be_loaded_is_told_before_anything_is_graded(name, folder, grade):
    rubric, submission = toy(folder)
    edit(rubric, *LOADING[name])
    done, reports = grade(submission, options=("--rubric", rubric))
    (message, *more) = messages(done)
    assert message.startswith("broken: ")
    assert "Traceback" not in done.out + done.err
    scores = [made["score"] for made in reports.values()]
    assert (done.status, more, scores) == (3, [], []) or scores == [None]


@pytest.mark.parametrize("value", ["None", "'text'", "[1, [2]]", "x[:0]", "object()"])
def test_what_a_student_makes_up_is_not_our_fault(value, folder, grade):
    rubric, submission = toy(folder)
    (submission / "toy.py").write_text(RIGHT.replace("return 2 * x", f"return {value}"))
    edit(rubric, "judges/toy.py", "right = float", "result['value'][3] + 1; right = float")
    done, reports = grade(submission, options=("--rubric", rubric))
    assert done.status == 0
    found = checks_of(reports["right"])["q1.2"]
    assert (found["outcome"], found["points"]) == ("failed", 0)
    assert reports["right"]["score"] == 2


def test_an_interpreter_that_is_gone_is_one_message(folder, grade, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(folder / "no_python"))
    rubric, submission = toy(folder)
    done, reports = grade(submission, options=("--rubric", rubric))
    assert done.status == 3
    (message,) = messages(done)
    assert message.startswith("broken: ")
    assert "No such file or directory" in message
    assert reports["right"]["score"] is None


def test_a_fork_server_that_ends_at_once_is_one_message_with_its_last_words(
    folder, grade, monkeypatch
):
    boot = folder / "boot.py"
    boot.write_text(
        dedent("""
        import sys
        sys.exit("no licence for this library")
    """)
    )
    monkeypatch.setattr("grader.isolation.sandbox.server.BOOT", boot)
    rubric, submission = toy(folder)
    done, reports = grade(submission, options=("--rubric", rubric))
    assert done.status == 3
    (message,) = messages(done)
    assert "the fork server did not start: no licence for this library" in message
    assert reports["right"]["score"] is None


def test_a_submission_that_vanishes_before_its_turn_is_broken_and_others_are_graded(
    folder, grade, monkeypatch
):
    rubric, submission = toy(folder)
    gone = folder / "gone"
    shutil.copytree(submission, gone)
    from grader.run import batch

    original = batch.run

    def vanishing(job, work, jobs):
        shutil.rmtree(gone)
        return original(job, work, jobs)

    monkeypatch.setattr(batch, "run", vanishing)
    done, reports = grade(submission, gone, options=("--rubric", rubric))
    assert done.status == 3
    (message,) = messages(done)
    assert message.startswith("broken: ")
    assert "vanished" in message
    assert (reports["gone"]["status"], reports["gone"]["score"]) == ("broken", None)
    assert (reports["right"]["status"], reports["right"]["score"]) == ("complete", 4)
