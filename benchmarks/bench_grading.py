"""Time per submission of ``grader grade`` for q3 and q4, beside other ways to grade.

Run it with ``make bench``. All figures come from one run on one machine, round by round in turn, so
only their ratios travel. The isolation is on; starting the grader and its fork servers counts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bench_memory
import inprocess_comparisons as comparisons

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
EXAMPLES = ROOT / "reference" / "submissions"
HELPER = EXAMPLES / "_honest" / "honest_layers.py"  # which wrong examples take the rest from
RIGHT = ("plain", "loop", "vectorised")
WRONG = (
    "rnn_backward_forgets_time_order", "rnn_step_without_bias",
    "lstm_backward_drops_dnext_h", "lstm_gates_in_torch_order", "lstm_path_through_h_missing",
    "tanh_derivative_of_wrong_array",
)  # fmt: skip
WRONG_EVERY = 5  # one submission of so many is wrong
FORKS = 40
ONE, TWO = "grader grade --jobs 1", "grader grade --jobs 2"
SESSION = "one unsafe pytest session for all"
NUMPY, TORCH = "cold pytest, numpy only", "cold pytest that imports torch"
# Its time is at least so many times ours with two jobs.
GOALS = {SESSION: 1.0, NUMPY: 6.0, TORCH: 35.0, ONE: 1.85}
MEMORY_GOAL_MB = 120


def main() -> None:
    """Measure in turn, several rounds, and print medians with the least and the most."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="submissions")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wrong-every", type=int, default=WRONG_EVERY, help="0: all are right")
    parser.add_argument("--cold", type=int, default=16, help="cold processes a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = made(folder / "class", options.count, options.wrong_every)
        few = files[: options.cold]
        ways: dict[str, Callable[[], float]] = {
            ONE: lambda: graded(folder, options.count, 1),
            TWO: lambda: graded(folder, options.count, 2),
            SESSION: lambda: pytest_of(files) / len(files),
            NUMPY: lambda: each(few, pytest_of),
            f"{NUMPY}, two at a time": lambda: each(few, pytest_of, 2),
            TORCH: lambda: each(few[: max(2, options.cold // 4)], pytest_with_torch),
            "cold unittest, as gradescope-utils": lambda: each(few, unittest_of),
            "floor: comparisons in this process": lambda: compared(files),
            "floor: fork and exit of this process": forked,
        }
        measured: dict[str, list[float]] = {label: [] for label in ways}
        for _ in range(options.rounds):
            for label, way in ways.items():
                measured[label].append(way())
        memory = [peak_mb(folder, jobs) for jobs in (1, 2)]
    report(measured, memory)


def report(measured: dict[str, list[float]], memory: Sequence[float]) -> None:
    """Print what was measured, and the goals."""
    ours = statistics.median(measured[TWO])
    print(f"q3 and q4, milliseconds per submission: median (least to most), ratio to {TWO}")
    for label, values in measured.items():
        middle = statistics.median(values)
        spread = f"{middle * 1e3:.2f} ({min(values) * 1e3:.2f} to {max(values) * 1e3:.2f})"
        print(f"{label:38} {spread:34} {middle / ours:8.2f}")
    for label, goal in GOALS.items():
        ratio = statistics.median(measured[label]) / ours
        verdict = "met" if ratio >= goal else "missed"
        print(f"goal: at least {goal:g} times as fast as {label}: {ratio:.2f}, {verdict}")
    more = memory[1] - memory[0]
    verdict = "met" if more <= MEMORY_GOAL_MB else "missed"
    print(f"goal: at most {MEMORY_GOAL_MB} MB for a further job: {more:.0f} MB, {verdict}")


def made(folder: Path, count: int, wrong_every: int = WRONG_EVERY) -> list[Path]:
    """Make a class in which one submission of so many is wrong, or none; return their files."""
    files = []
    for number in range(count):
        turn, place = divmod(number + 1, wrong_every) if wrong_every else (0, 1)
        wrong = f"wrong/{WRONG[(turn - 1) % len(WRONG)]}"
        right = f"full_marks/{RIGHT[number % len(RIGHT)]}"
        source = EXAMPLES / (right if place else wrong) / "rnn_layers.py"
        target = folder / f"student{number:04}"
        target.mkdir(parents=True)
        shutil.copyfile(HELPER, target / HELPER.name)
        files.append(Path(shutil.copyfile(source, target / source.name)))
    return files


def command_of(folder: Path, jobs: int) -> list[str]:
    """Return the command that grades the class afresh."""
    out = tempfile.mkdtemp(dir=folder)
    command = [sys.executable, "-m", "grader", "grade", str(folder / "class"), "--out", out]
    command += ["--rubric", str(ROOT / "rubric.yaml"), "--jobs", str(jobs)]
    return [*command, "--only", "q3", "--only", "q4"]


def graded(folder: Path, count: int, jobs: int) -> float:
    """Grade the class once; return seconds per submission, start and reports included."""
    return seconds(command_of(folder, jobs)) / count


def peak_mb(folder: Path, jobs: int) -> float:
    """Return the most memory that grading the class takes, in MB."""
    return bench_memory.watched(command_of(folder, jobs))[0]


def seconds(command: Sequence[str], environment: dict[str, str] | None = None) -> float:
    """Run a command, whose exit status may say that tests failed; return how long it takes."""
    started = time.perf_counter()
    ran = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, check=False,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    if ran.returncode not in (0, 1):
        sys.exit(ran.stderr.decode(errors="replace") or f"exit status {ran.returncode}")
    return time.perf_counter() - started


def environment_of(files: Sequence[Path]) -> dict[str, str]:
    """Return the variables for the comparisons of these files."""
    return {
        "BENCH_MODULES": "\n".join(map(str, files)),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}",
        "OMP_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def pytest_of(files: Sequence[Path], **more: str) -> float:
    """Compare files in one pytest session."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [str(HERE / "inprocess_checks.py"), "-c", os.devnull, f"--rootdir={ROOT}"]
    return seconds(command, {**environment_of(files), **more})


def pytest_with_torch(files: Sequence[Path]) -> float:
    """Compare files in one pytest session that has imported torch."""
    return pytest_of(files, BENCH_IMPORT_TORCH="1")


def unittest_of(files: Sequence[Path]) -> float:
    """Compare a file in a process of unittest."""
    return seconds([sys.executable, str(HERE / "inprocess_unittest.py")], environment_of(files))


def each(
    files: Sequence[Path], way: Callable[[Sequence[Path]], float], at_a_time: int = 1
) -> float:
    """Run one process for each file; return seconds per file."""
    way(files[:1])  # warm the disk cache
    started = time.perf_counter()
    with ThreadPoolExecutor(at_a_time) as pool:
        list(pool.map(lambda file: way([file]), files))
    return (time.perf_counter() - started) / len(files)


def compared(files: Sequence[Path]) -> float:
    """Make the comparisons of all files here; return seconds per file."""
    started = time.perf_counter()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for file in files:
            comparisons.compared(file)
    return (time.perf_counter() - started) / len(files)


def forked() -> float:
    """Fork this process, which has numpy; return seconds until the child has ended."""
    started = time.perf_counter()
    for _ in range(FORKS):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    return (time.perf_counter() - started) / FORKS


if __name__ == "__main__":
    main()
