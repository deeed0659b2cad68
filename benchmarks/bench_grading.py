"""Wall time per submission of ``grader grade`` for q3 and q4, beside a cold pytest per submission.

Run it with ``make bench``. All figures come from one run on one machine, so only their ratios
travel. The isolation is on; the first submission pays for the start of the fork servers.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "reference" / "submissions" / "full_marks" / "plain"
COPIES = 100
COLD_RUNS = 16
ROUNDS = 3
CORES = 2
GOALS = {"numpy only": 3.0, "importing torch": 15.0}


def main() -> None:
    """Measure in turn, several rounds, and print medians with the least and the most."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(COPIES):
            shutil.copytree(EXAMPLE, folder / "class" / f"student{number:03}")
        measured: dict[str, list[float]] = {}

        def record(label: str, measure: Callable[[], float]) -> None:
            measured.setdefault(label, []).append(measure())

        for round_number in range(ROUNDS):
            out = folder / f"out{round_number}"
            record("grader grade", lambda out=out: grade(folder / "class", out))  # type: ignore[misc]
            for torch, label in ((False, "numpy only"), (True, "importing torch")):
                record(f"{label}, one at a time", lambda torch=torch: cold(1, torch=torch))  # type: ignore[misc]
                record(f"{label}, {CORES} at a time", lambda torch=torch: cold(CORES, torch=torch))  # type: ignore[misc]
    ours = statistics.median(measured["grader grade"])
    print(f"seconds per submission over {ROUNDS} rounds: median (least to most), ratio to ours")
    for label, values in measured.items():
        middle = statistics.median(values)
        spread = f"{middle:.4f} ({min(values):.4f} to {max(values):.4f})"
        print(f"{label:32} {spread:28} {middle / ours:6.1f}")
    for label, goal in GOALS.items():
        ratio = statistics.median(measured[f"{label}, one at a time"]) / ours
        print(f"goal: at least {goal:g} times a cold pytest {label}: {ratio:.1f}")


def grade(submissions: Path, out: Path) -> float:
    """Grade the whole class once; return seconds per submission, start and reports included."""
    command = [sys.executable, "-m", "grader", "grade", str(submissions), "--out", str(out)]
    command += ["--rubric", str(ROOT / "rubric.yaml"), "--jobs", str(CORES)]
    started = time.perf_counter()
    subprocess.run(
        [*command, "--only", "q3", "--only", "q4"], check=True, stdout=subprocess.DEVNULL, cwd=ROOT
    )
    return (time.perf_counter() - started) / COPIES


def cold(at_a_time: int, *, torch: bool) -> float:
    """Run one cold pytest process per submission; return seconds per submission."""
    environment = {
        **os.environ,
        "BENCH_MODULE": str(EXAMPLE / "rnn_layers.py"),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        **({"BENCH_IMPORT_TORCH": "1"} if torch else {}),
    }
    file = ROOT / "benchmarks" / "inprocess_checks.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    command += ["-c", os.devnull, f"--rootdir={ROOT}"]
    runs = COLD_RUNS // 4 if torch else COLD_RUNS

    def once(_number: int) -> None:
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, env=environment, cwd=file.parent
        )

    once(0)  # warm the disk cache
    started = time.perf_counter()
    with ThreadPoolExecutor(at_a_time) as pool:
        list(pool.map(once, range(runs)))
    return (time.perf_counter() - started) / runs


if __name__ == "__main__":
    main()
