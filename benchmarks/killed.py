"""Is anything lost, torn or graded twice if grading is killed again and again?

::

    python benchmarks/killed.py                     # 200 submissions, 20 kills, two jobs
    python benchmarks/killed.py --count 40 --kills 5 --jobs 1 --seed 3

A class of right and wrong programs is graded whole first. Then it is graded into another folder,
and the process is ended by SIGKILL at random moments and started again, as often as was asked for,
and once more until it ends by itself. Seen must be:

* no report changes once it is there (nothing is graded twice), and each is whole JSON at all times;
* in the end all reports and the gradebook are those of the run that nobody disturbed, times aside;
* no process of a killed run lives on, and no folder for staging is left.

The exit status is 1 if anything of this is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("full_marks/plain", "full_marks/loop", "full_marks/vectorised")
MISTAKE = ("np.tanh(", "np.sin(")
TIMES = ("graded_at", "duration_s")
GONE_S = 10.0


def main() -> None:
    """Print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="killed-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "tmp").mkdir(mode=0o711)
        _make_class(folder / "class", options.count)
        started = time.monotonic()
        _finished(_start(folder, "whole", options.jobs))
        whole_s = time.monotonic() - started
        print(f"{options.count} submissions, not disturbed: {whole_s:.1f} s")
        problems, kills = _killed_again_and_again(folder, options, rng, whole_s)
        problems += _differences(folder / "whole", folder / "killed")
    print(f"killed {kills} times; {len(problems)} problems")
    for problem in problems[:20]:
        print(f"    {problem}")
    sys.exit(1 if problems else 0)


def _make_class(folder: Path, count: int) -> None:
    for number in range(count):
        student = folder / f"s{number:04d}"
        student.mkdir(parents=True)
        source = ROOT / "reference" / "submissions" / SOURCES[number % len(SOURCES)]
        text = (source / "rnn_layers.py").read_text(encoding="utf-8")
        text = text.replace(*MISTAKE) if number % 4 == 0 else text
        (student / "rnn_layers.py").write_text(f"{text}\n# {number}\n", encoding="utf-8")


def _start(folder: Path, out: str, jobs: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "grader", "grade", str(folder / "class"), "--jobs", str(jobs)]
    command += ["--out", str(folder / out), "--only", "q3.1", "--only", "q3.2", "--seed", "5"]
    command += ["--rubric", str(ROOT / "rubric.yaml")]
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _finished(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=1800)
    if process.returncode != 0:
        sys.exit(f"grader grade ended with {process.returncode}:\n{said}")
    return said


def _killed_again_and_again(
    folder: Path, options: argparse.Namespace, rng: random.Random, whole_s: float
) -> tuple[list[str], int]:
    problems: list[str] = []
    seen: dict[str, bytes] = {}
    kills = 0
    # Each start does a part of the work, wherever it is cut; the first seconds are for starting.
    longest = 1.5 + 2 * whole_s / options.kills
    while kills < options.kills:
        process = _start(folder, "killed", options.jobs)
        time.sleep(rng.uniform(0, longest))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate()
        problems += _left_over(process.pid)
        problems += _changed(folder / "killed", seen)
    said = _finished(_start(folder, "killed", options.jobs))
    problems += _changed(folder / "killed", seen)
    print(next((line for line in said.splitlines() if "unchanged" in line), said))
    left = [path.name for path in (folder / "tmp").iterdir()]
    return problems + [f"left in the folder for temporary files: {name}" for name in left], kills


def _changed(out: Path, seen: dict[str, bytes]) -> list[str]:
    """Return which reports are torn or are not what they were; note those that are new."""
    problems = []
    for path in sorted(out.glob("*/report.json")):
        raw = path.read_bytes()
        name = path.parent.name
        try:
            json.loads(raw)
        except ValueError:
            problems.append(f"{name}: its report is torn")
        if seen.setdefault(name, raw) != raw:
            problems.append(f"{name}: was graded twice")
    return problems


def _left_over(session: int) -> list[str]:
    """Wait until no process of a session is left; return those that stay."""
    deadline = time.monotonic() + GONE_S
    while (left := _of_session(session)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [f"process {pid} lives on" for pid in left]


def _of_session(session: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            found.append(int(path.parent.name))
    return found


def _differences(whole: Path, killed: Path) -> list[str]:
    problems = []
    names = {path.parent.name for out in (whole, killed) for path in out.glob("*/report.json")}
    for name in sorted(names):
        one, other = (_timeless(out / name) for out in (whole, killed))
        if one != other:
            told = "; ".join(_told_apart(one, other)[:3])
            problems.append(f"{name}: its report is another one: {told}")
        files = [sorted(p.name for p in (out / name).iterdir()) for out in (whole, killed)]
        if files[0] != files[1]:
            problems.append(f"{name}: has the files {files[1]}, not {files[0]}")
    tables = [(out / "gradebook.csv").read_bytes() for out in (whole, killed)]
    return problems + ([] if tables[0] == tables[1] else ["the gradebook is another one"])


def _told_apart(one: Any, other: Any, at: str = "") -> list[str]:
    """Return where two reports differ, and what each says there."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        pairs = [(one.get(key), other.get(key), f"{at}.{key}".lstrip(".")) for key in keys]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [
            (a, b, f"{at}[{number}]") for number, (a, b) in enumerate(zip(one, other, strict=True))
        ]
    else:
        return [f"{at}: {str(one)[:300]!r}, then {str(other)[:300]!r}"] if one != other else []
    return [line for a, b, where in pairs for line in _told_apart(a, b, where)]


def _timeless(folder: Path) -> Any:
    try:
        return _without_times(json.loads((folder / "report.json").read_bytes()))
    except (OSError, ValueError):
        return None


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in TIMES}
    return [_without_times(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
