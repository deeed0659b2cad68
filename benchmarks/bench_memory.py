"""The most memory that grading takes: of the grader, its fork servers and its workers together.

Run with ``make bench`` or ``python benchmarks/bench_memory.py``. Memory is the proportional set
size (PSS): a page that several processes share counts once. It is looked up every 30 ms, so that
a shorter peak can be missed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HONEST = ROOT / "reference" / "submissions" / "full_marks" / "plain"
GOALS_MB = {("q3", "q4"): 300, (): 2048}
PAUSE_S = 0.03


def main() -> None:
    """Print the peak of q3 and q4, and of everything, beside their goals."""
    for questions, goal in GOALS_MB.items():
        named = [word for question in questions for word in ("--only", question)]
        with tempfile.TemporaryDirectory() as out:
            words = ["-m", "grader", "grade", HONEST, "--rubric", ROOT / "rubric.yaml"]
            command = [sys.executable, *words, "--out", out, *named]
            peak, processes = watched([str(word) for word in command])
        what = " + ".join(questions) or "everything"
        verdict = "met" if peak <= goal else "missed"
        print(f"{what}: {peak:.0f} MB at most, in {processes} processes; goal {goal} MB: {verdict}")


def watched(command: list[str]) -> tuple[float, int]:
    """Run a command; return the largest sum of its processes' memory in MB, and their number."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, processes = 0.0, 0
    while running.poll() is None:
        found = [memory_mb(pid) for pid in tree(running.pid)]
        if sum(found) > peak:
            peak, processes = sum(found), sum(one > 0 for one in found)
        time.sleep(PAUSE_S)
    if running.returncode != 0:
        sys.exit(f"grading ended with status {running.returncode}")
    return peak, processes


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all that come from it."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))
    except OSError:
        return  # it ended while it was looked at


def memory_mb(pid: int) -> float:
    """Return a process's proportional set size; 0 for one that has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.partition("\nPss:")[2].split()[0]) / 1024
    except (OSError, IndexError, ValueError):
        return 0.0


if __name__ == "__main__":
    main()
