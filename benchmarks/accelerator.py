"""Grading on an accelerator: right programs earn everything, and one bad program costs one check.

::

    python benchmarks/accelerator.py          # a few minutes; says so and ends where there is none

1. Full-mark examples score what they claim with ``--device cuda``; so do hostile examples that
   attack training checks, and wrong ones.
2. A program that starts a kernel without end, one that fills the device's memory, and one that
   keeps half of it cost their own check only: the next one of the same process passes.
3. No fork server has the device open, before or after it has forked workers.
4. With as many processes as devices and one more, all of them finish.

The exit status is 1 if anything of this is not so.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.run import accelerator

ROOT = Path(__file__).resolve().parent.parent
PLAIN = ROOT / "reference" / "submissions" / "full_marks" / "plain"
FULL = ("full_marks/plain", "full_marks/vectorised", "full_marks/network_in_a_wrapper")
NO_MERIT = ("hostile/*model*", "hostile/*predict*", "hostile/*memory*", "hostile/*style*")
LIMIT_S = 30.0  # of the attacked check, instead of the rubric's
TRAINING = ("q6.1", "q6.2")  # the first is attacked, the second must not notice
ATTACKS = {
    "starts a kernel without end": """
def train_bag_of_words(*arguments, **options):
    device = torch.device("cuda")
    torch.cuda._sleep(1 << 62)
    torch.ones(1, device=device).item()
""",
    "fills the memory of the device": """
def train_bag_of_words(*arguments, **options):
    kept = []
    while True:
        kept.append(torch.ones(1 << 28, device="cuda"))
""",
    "keeps half of the device": """
_train_bag_of_words = train_bag_of_words


def train_bag_of_words(*arguments, **options):
    global kept
    free, _total = torch.cuda.mem_get_info()
    kept = torch.ones(free // 2, dtype=torch.uint8, device="cuda")
    return _train_bag_of_words(*arguments, **options)
""",
}
EARNS = {"keeps half of the device"}


def main() -> None:
    """Print one line for each thing that must be seen."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--claims", nargs="*", default=[*FULL, *NO_MERIT], metavar="PATTERN",
                        help="the examples of step 1")  # fmt: skip
    options = parser.parse_args()
    if accelerator.usable("cuda") == "cpu":
        print("There is no accelerator on this machine that torch can use: nothing was run.")
        return
    problems = _claims(options.claims)
    with tempfile.TemporaryDirectory(prefix="accelerator-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        problems += _attacks(folder)
        problems += _shared(folder)
    for problem in problems:
        print(f"PROBLEM {problem}")
    sys.exit(1 if problems else 0)


def _grader(*words: object) -> tuple[int, str, float]:
    command = [sys.executable, "-m", "grader", *map(str, words), "--device", "cuda"]
    started = time.monotonic()
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr, time.monotonic() - started


def _claims(patterns: Sequence[str]) -> list[str]:
    status, said, seconds = _grader("verify", *patterns, "--jobs", "2")
    print(f"claims of {len(patterns)} patterns: exit status {status}, {seconds:.0f} s")
    return [] if status == 0 else [f"not as claimed:\n{said}"]


def _rubric(folder: Path) -> Path:
    """Return a copy of the assignment in which the attacked check has less time."""
    made = folder / "assignment"
    if not made.is_dir():
        made.mkdir()
        leave_out = shutil.ignore_patterns("submissions", "__pycache__")
        for name in ("reference", "submissions_template"):
            shutil.copytree(ROOT / name, made / name, ignore=leave_out)
        lines = (ROOT / "rubric.yaml").read_text(encoding="utf-8").splitlines()
        start = lines.index(f"      - id: {TRAINING[0]}")
        at = next(n for n in range(start, len(lines)) if "timeout_s:" in lines[n])
        indentation = lines[at].partition("timeout_s")[0]
        lines[at] = f"{indentation}timeout_s: {LIMIT_S:g}"
        (made / "rubric.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made / "rubric.yaml"


def _attacks(folder: Path) -> list[str]:
    problems = []
    for name, text in ATTACKS.items():
        student = folder / name.replace(" ", "_")
        shutil.copytree(PLAIN, student)
        with (student / "text_classification.py").open("a", encoding="utf-8") as module:
            module.write(f"\nimport torch\n{text}")
        watched = _Watch()
        with watched:
            _status, _said, seconds = _graded(folder, student, jobs=1)
        attacked, next_one = _checks(folder / "out" / student.name)
        told = f"{attacked['outcome']}, {attacked['reason']}; then {next_one['outcome']}"
        print(f"{name}: {told}; {seconds:.0f} s; fork servers with the device: {watched.found}")
        if (attacked["points"] > 0) != (name in EARNS) or attacked["outcome"] == "broken":
            problems.append(f"{name}: {attacked}")
        if next_one["outcome"] != "passed":
            problems.append(f"{name}: the next check is {next_one}")
        if attacked["duration_s"] > LIMIT_S + 5:
            problems.append(f"{name}: took {attacked['duration_s']} s of {LIMIT_S:g} s")
        problems += [f"{name}: {server}" for server in watched.found]
    return problems


def _graded(folder: Path, *students: Path, jobs: int) -> tuple[int, str, float]:
    only = [word for check in TRAINING for word in ("--only", check)]
    rubric = _rubric(folder)
    out = folder / "out"
    return _grader("grade", *students, "--out", out, "--rubric", rubric, "--jobs", jobs, *only)


def _checks(folder: Path) -> list[dict[str, Any]]:
    report = json.loads((folder / "report.json").read_bytes())
    found = [check for question in report["questions"] for check in question["checks"]]
    return sorted(found, key=lambda check: str(check["id"]))


def _shared(folder: Path) -> list[str]:
    """Grade with one process more than there are devices."""
    count = len(accelerator.devices()) + 1
    students = [folder / f"student{number}" for number in range(count)]
    for student in students:
        shutil.copytree(PLAIN, student)
    status, said, seconds = _graded(folder, *students, jobs=count)
    print(f"{count} processes on {count - 1} devices: exit status {status}, {seconds:.0f} s")
    passed = [c["outcome"] for s in students for c in _checks(folder / "out" / s.name)]
    return [] if status == 0 and set(passed) == {"passed"} else [f"shared: {passed}\n{said}"]


class _Watch:
    """Looks, while grading runs, for fork servers that have a device open."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._ends.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ends.wait(0.2):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    if b"boot.py" in path.read_bytes() and _is_server(path.parent):
                        self.found |= _devices_of(path.parent)
                except OSError:  # it has ended
                    continue


def _is_server(process: Path) -> bool:
    """Say whether a process is a fork server, and not a worker that was forked from one."""
    parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return b"boot.py" not in Path(f"/proc/{parent}/cmdline").read_bytes()


def _devices_of(process: Path) -> set[str]:
    links = (str(path.readlink()) for path in (process / "fd").iterdir())
    return {f"process {process.name} has {link} open" for link in links if "/dev/nvidia" in link}


if __name__ == "__main__":
    main()
