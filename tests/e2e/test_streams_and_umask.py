"""Full or closed output, a strict umask, a folder nobody may read: one sentence each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import machines
from tests.conftest import ROOT, SUBMISSIONS

PYTHON = f"{sys.executable} -m grader"
GRADE = f"{PYTHON} grade handed_in --only q3.1 --rubric {ROOT / 'rubric.yaml'} --out out"


@pytest.fixture
def folder(open_folder):
    for name in ("ada", "ben"):
        (open_folder / "handed_in" / name).mkdir(parents=True)
        (open_folder / "handed_in" / name).chmod(0o755)
        shutil.copy(SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py",
                    open_folder / "handed_in" / name)  # fmt: skip
    return open_folder


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip


def scores(folder: Path) -> dict[str, float | None]:
    return {
        path.parent.name: json.loads(path.read_text())["score"]
        for path in (folder / "out").glob("*/report.json")
    }


@pytest.mark.parametrize(
    ("redirected", "why"),
    [("> /dev/full", "No space left on device"), (">&-", "it is closed"),
     ("<&- >&-", "it is closed")],
)  # fmt: skip
def test_output_that_goes_nowhere_costs_no_report(redirected, why, folder):
    ran = shell(f"{GRADE} {redirected}", folder)
    told = f"broken: standard output cannot be written: {why}; what was written to out is complete"
    said = [line for line in ran.stderr.splitlines() if "the public seed" not in line]
    assert (ran.returncode, said) == (3, [told])
    assert scores(folder) == {"ada": 2, "ben": 2}
    assert (folder / "out" / "gradebook.csv").read_text().count("\n") == 3
    assert (folder / "out" / "index.html").is_file()


@pytest.mark.parametrize(
    "line",
    ["--help", "--version", "grade --help", "diff {a} {a}", "diff {a} {a} --all --json d.json",
     "export {a} --format canvas --out up.csv", "export {a} --format moodle --out up.csv",
     "mark {a} --template marks.csv", "new course", "check --help"],
)  # fmt: skip
@pytest.mark.parametrize("redirected", ["> /dev/full", ">&-"])
def test_every_command_says_it_in_one_sentence(line, redirected, tmp_path, run_cli):
    from tests.made_reports import report, store

    store(tmp_path / "a", report("ada", 0.0, "pending"))
    ran = shell(f"{PYTHON} {line.format(a=tmp_path / 'a')} {redirected}", tmp_path)
    assert ran.returncode == 3, ran.stderr
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("broken: standard output cannot be written: ")
    assert "Traceback" not in ran.stderr
    made = [word for word in ("d.json", "up.csv", "marks.csv", "course") if word in line]
    assert all((tmp_path / name).exists() for name in made)


def test_a_reader_that_has_enough_costs_no_report(folder):
    ran = shell(f"set -o pipefail; {GRADE} | true", folder)
    assert ran.returncode == 3
    assert "Broken pipe" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert scores(folder) == {"ada": 2, "ben": 2}


@pytest.mark.parametrize("umask", ["077", "027", "007", "177", "277", "022", "002", "000"])
def test_a_umask_costs_no_points_and_is_kept(umask, folder):
    (folder / "out").mkdir()  # 177 makes folders that nobody but root may enter
    ran = shell(f"umask {umask}; {GRADE}", folder)
    for name in ("ada/report.json", "ben/report.html", "gradebook.csv", "index.html"):
        mode = (folder / "out" / name).stat().st_mode & 0o777
        assert mode == 0o666 & ~int(umask, 8), name
    assert ran.returncode == 0, ran.stderr
    assert scores(folder) == {"ada": 2, "ben": 2}
    assert "isolation: full" in ran.stdout


@pytest.mark.skipif(machines.lacking("user") is not None, reason="needs an ordinary user")
@pytest.mark.parametrize("place", ["ben", "ben/sub", "ben/rnn_layers.py"])
def test_what_cannot_be_read_is_named_and_the_others_are_graded(place, folder):
    (folder / "handed_in" / "ben" / "sub").mkdir()
    (folder / "handed_in" / place).chmod(0)
    (folder / "out").mkdir()
    (folder / "out").chmod(0o777)
    ran = shell(f"{sys.executable} {ROOT / 'tests' / 'machines.py'} user {GRADE}", folder)
    (folder / "handed_in" / place).chmod(0o755)
    assert ran.returncode == 3, ran.stderr
    assert f"handed_in/{place}: cannot be read: Permission denied [ben]" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert scores(folder) == {"ada": 2, "ben": None}
