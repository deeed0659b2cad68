"""Does a class come out right that many machines grade, of which one is lost in the middle?

::

    python benchmarks/many_machines.py                        # 1,000 submissions, dask and shards
    python benchmarks/many_machines.py --only hyperqueue      # needs: pip install hyperqueue
    python benchmarks/many_machines.py --only cost            # what a class costs

A class of right and wrong programs is graded on q3.1 in each of these ways, the machines being
processes here:

* dask: a scheduler and three workers, one of which is ended by SIGKILL when a third is graded;
* shards: three runs of ``grader grade --shard K/3`` at once, one of which is ended by SIGKILL and
  started again, and ``grader merge``;
* hyperqueue: a HyperQueue server with two workers that run six shards, and ``grader merge``.

Seen must be a report of each submission, with the points that its program deserves. ``cost`` prints
seconds per submission, of the start, and of merging, from which docs/scaling.md computes. The exit
status is 1 if a report is missing, wrong, or broken.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAIN = ROOT / "reference" / "submissions" / "full_marks" / "plain"
MODULE = (PLAIN / "rnn_layers.py").read_text()
MISTAKE = ("np.tanh(", "np.sin(")  # loses all of q3.1
WRONG_EVERY = 5
POINTS = {True: 2.0, False: 0.0}
GRADER = [sys.executable, "-m", "grader"]
# HyperQueue's own Python may be another one, in an environment outside of this project.
SUBMIT = """
import os, sys
from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
folder, grader, shards = sys.argv[1], sys.argv[2].split(), int(sys.argv[3])
with LocalCluster() as cluster:
    for _ in range(2):
        cluster.start_worker(WorkerConfig(cores=1))
    client, job = cluster.client(), Job()
    for k in range(1, shards + 1):
        job.program([*grader, "grade", "class", "--shard", f"{k}/{shards}", "--out", f"hq/{k}",
                     *sys.argv[4:]], cwd=folder, env=dict(os.environ), stdout=f"{folder}/{k}.out",
                    stderr=f"{folder}/{k}.err")
    client.wait_for_jobs([client.submit(job)])
"""


def main() -> None:
    """Print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--only", choices=["dask", "shards", "hyperqueue", "cost"], action="append")
    parser.add_argument("--hyperqueue-python", default=sys.executable,
                        help="a Python with hyperqueue (default: this one)")  # fmt: skip
    options = parser.parse_args()
    names = ("dask", "distributed", "numpy", "torch")
    told = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    print(f"{sys.version.split()[0]}, {told}, {len(os.sched_getaffinity(0))} cores")
    ways: dict[str, Callable[[Path], int]] = {
        "dask": _dask,
        "shards": _shards,
        "hyperqueue": lambda folder: _hyperqueue(folder, options.hyperqueue_python),
        "cost": _cost,
    }
    problems = 0
    for name in options.only or ["dask", "shards"]:
        with tempfile.TemporaryDirectory(prefix="machines-") as made:
            folder = Path(made)
            folder.chmod(0o755)
            _make_class(folder / "class", options.count)
            problems += ways[name](folder)
    sys.exit(1 if problems else 0)


def _make_class(folder: Path, count: int) -> None:
    for number in range(count):
        student = folder / f"s{number:06d}"
        student.mkdir(parents=True)
        text = f"{MODULE}\n# submission {number}\n"
        wrong = text.replace(*MISTAKE)
        (student / "rnn_layers.py").write_text(text if number % WRONG_EVERY else wrong)


def _options(*checks: str) -> list[str]:
    only = [word for check in checks for word in ("--only", check)]
    return ["--rubric", str(ROOT / "rubric.yaml"), "--seed", "public", *only]


def _start(folder: Path, *words: str, name: str) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            words, cwd=folder, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip


def _ended(folder: Path, process: subprocess.Popen[bytes], name: str) -> None:
    if process.wait() != 0:
        sys.exit(f"{name} ended with status {process.returncode}: "
                 f"{(folder / f'{name}.log').read_text()[-2000:]}")  # fmt: skip


def _graded(out: Path) -> int:
    return sum(1 for _path in out.glob("*/report.json"))


def _judged(out: Path, count: int, what: str, seconds: float) -> int:
    """Print and return how many reports are not what they must be."""
    seen: Counter[str] = Counter()
    for number in range(count):
        try:
            made = json.loads((out / f"s{number:06d}" / "report.json").read_bytes())
        except OSError:
            seen["missing"] += 1
            continue
        right = made["score"] == POINTS[bool(number % WRONG_EVERY)]
        seen["right" if right else made["status"]] += 1
    rows = (out / "gradebook.csv").read_text().count("\n") - 1
    told = ", ".join(f"{number} {name}" for name, number in seen.items())
    rate = count / seconds
    print(f"{what}: {told}; {rows} in the gradebook; {seconds:.1f} s, {rate:.1f} a second")
    return count - seen["right"] + abs(rows - count)


@contextmanager
def _cluster(folder: Path, count: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    dask = [sys.executable, "-m", "dask"]
    address = f"tcp://127.0.0.1:{port}"
    started = [
        _start(folder, *dask, "scheduler", "--host", "127.0.0.1", "--port", port,
               "--no-dashboard", name="scheduler"),
        *(_start(folder, *dask, "worker", address, "--nthreads", "1", "--no-nanny",
                 "--no-dashboard", "--local-directory", str(folder / "dask"),
                 name=f"worker{number}") for number in range(count)),
    ]  # fmt: skip
    try:
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def _dask(folder: Path) -> int:
    count = len(list((folder / "class").iterdir()))
    with _cluster(folder, 3) as (address, workers):
        started = time.monotonic()
        words = [*GRADER, "grade", "class", "--out", "out", "--dask", address, *_options("q3.1")]
        run = _start(folder, *words, name="grade")
        while _graded(folder / "out") < count / 3 and run.poll() is None:
            time.sleep(0.2)
        workers[0].send_signal(signal.SIGKILL)
        print(f"dask: a worker killed after {_graded(folder / 'out')} reports")
        _ended(folder, run, "grade")
        return _judged(folder / "out", count, "dask, three workers", time.monotonic() - started)


def _shards(folder: Path) -> int:
    count = len(list((folder / "class").iterdir()))
    started = time.monotonic()
    words = [[*GRADER, "grade", "class", "--shard", f"{k}/3", "--out", f"parts/{k}", "--jobs", "1",
              *_options("q3.1")] for k in (1, 2, 3)]  # fmt: skip
    runs = [_start(folder, *words[k], name=f"shard{k}") for k in range(3)]
    while _graded(folder / "parts" / "2") < count / 9 and runs[1].poll() is None:
        time.sleep(0.2)
    runs[1].send_signal(signal.SIGKILL)
    runs[1].wait()
    print(f"shards: 2/3 killed after {_graded(folder / 'parts' / '2')} of its reports")
    runs[1] = _start(folder, *words[1], name="shard1")
    for k, run in enumerate(runs):
        _ended(folder, run, f"shard{k}")
    return _merged(folder, "parts", count, "three shards", started)


def _merged(folder: Path, parts: str, count: int, what: str, started: float) -> int:
    before = time.monotonic()
    words = [*GRADER, "merge", parts, "--out", "all"]
    _ended(folder, _start(folder, *words, name="merge"), "merge")
    print(f"merge: {1000 * (time.monotonic() - before) / count:.1f} ms per report")
    return _judged(folder / "all", count, what, time.monotonic() - started)


def _hyperqueue(folder: Path, python: str) -> int:
    count = len(list((folder / "class").iterdir()))
    started = time.monotonic()
    shards = "6"
    options = [*_options("q3.1"), "--jobs", "1"]
    words = [python, "-c", SUBMIT, str(folder), " ".join(GRADER), shards, *options]
    _ended(folder, _start(folder, *words, name="hyperqueue"), "hyperqueue")
    return _merged(folder, "hq", count, "HyperQueue, two workers, six shards", started)


def _cost(folder: Path) -> int:
    count = len(list((folder / "class").iterdir()))
    for checks, of in ((("q3.1",), count), (("q3", "q4"), min(count, 200))):
        if checks != ("q3.1",):
            for number in range(of):
                shutil.copytree(PLAIN, folder / "class" / f"s{number:06d}", dirs_exist_ok=True)
        seconds = {}
        for most in (1, of):
            names = sorted(str(path) for path in (folder / "class").iterdir())[:most]
            seconds[most] = _timed(folder, *_options(*checks), "--jobs", "1", names=names)
        pairs = zip(seconds[1], seconds[of], strict=True)
        each, cpu = ((many - one) / (of - 1) for one, many in pairs)
        start = seconds[1][0] - each
        times = (
            f"{1000 * each:.0f} ms per submission with one job, {1000 * cpu:.0f} ms of processor"
        )
        print(f"{' and '.join(checks)}: {times}; {start:.1f} s to start ({of} submissions)")
    whole, cpu = _timed(folder, *_options(), "--jobs", "1", names=[str(PLAIN)])
    print(f"all of mini: {whole:.0f} s for one submission, of which {cpu:.0f} s of processor")
    return 0


def _timed(folder: Path, *options: str, names: Sequence[str]) -> tuple[float, float]:
    """Return the seconds that grading took, and those of the processor."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        before, used = time.monotonic(), _processor_s()
        run = _start(folder, *GRADER, "grade", *names, "--out", out, *options, name="cost")
        _ended(folder, run, "cost")
        return time.monotonic() - before, _processor_s() - used


def _processor_s() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


if __name__ == "__main__":
    main()
