"""Plain workers end when they should, and say why, as forked ones do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from grader.errors import BrokenError, WorkerLost
from grader.isolation.sandbox import Limits
from grader.isolation.sandbox.plain import ENTRY, ProcessPool
from tests.conftest import ROOT

LIMITS = Limits(timeout_s=30.0, memory_mb=512, output_kb=64)


@pytest.fixture
def spawn(tmp_path):
    """Start a worker for a module ``answer`` with this source; all end with the test."""
    workers = []
    with ProcessPool() as pool:

        def start(source: str, limits: Limits = LIMITS, hidden: tuple[str, ...] = ()):
            (tmp_path / "answer.py").write_text(source)
            worker = pool.spawn((), tmp_path, limits, seed=7, hidden=hidden)
            workers.append(worker)
            return worker

        yield start
        for worker in workers:
            worker.close()


def test_it_calls_functions_with_arrays_and_keeps_what_is_opaque(spawn):
    worker = spawn(
        "def forward(x):\n    return 2 * x, {'x': x}\ndef backward(d, cache):\n"
        "    return d * cache['x']\n"
    )
    assert worker.load("answer").error is None
    doubled, cache = worker.call("forward", (np.arange(3.0),), (1,)).value
    assert doubled.tolist() == [0, 2, 4]
    assert worker.call("backward", (np.ones(3), cache), ()).value.tolist() == [0, 1, 2]


def test_an_exception_has_its_place(spawn):
    worker = spawn("def forward(x):\n    return x[7]\n")
    worker.load("answer")
    error = worker.call("forward", (np.zeros(2),), ()).error
    assert (error.type, error.where) == ("IndexError", (("answer.py", 2, "forward"),))


def test_large_arrays_pass_both_ways(spawn):
    worker = spawn("def forward(x):\n    return x + 1\n")
    worker.load("answer")
    array = np.zeros((1500, 1000))
    assert worker.call("forward", (array,), ()).value.sum() == array.size


def test_the_seed_decides_what_is_drawn(spawn):
    source = "import random, numpy\ndef draw():\n    return random.random() + numpy.random.rand()\n"
    drawn = []
    for _ in range(2):
        worker = spawn(source)
        worker.load("answer")
        drawn.append(worker.call("draw", (), ()).value)
    assert drawn[0] == drawn[1]


def test_its_own_folder_is_where_files_are_found(spawn, tmp_path):
    (tmp_path / "notes.txt").write_text("here")
    worker = spawn("def read():\n    return open('notes.txt').read()\n")
    worker.load("answer")
    assert worker.call("read", (), ()).value == "here"


def test_forbidden_packages_raise_where_they_are_used(spawn):
    worker = spawn("import yaml\ndef f():\n    return yaml.dump(1)\n", hidden=("yaml",))
    assert worker.load("answer").error is None
    assert worker.call("f", (), ()).error.missing_package == "yaml"


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        ("while True: pass", "timeout", "did not finish within 1 s"),
        ("import time; time.sleep(99)", "timeout", "waiting most of the time"),
        ("while True: print('x' * 1000)", "output_limit", "printed more than 64 KiB"),
        ("import os; os._exit(3)", "crashed", "exited with status 3"),
        ("import ctypes; ctypes.string_at(0)", "crashed", "segmentation fault"),
        ("import os; os.kill(os.getpid(), 15)", "crashed", "killed by signal 15"),
    ],
)
def test_a_lost_worker_says_why(body, reason, words, spawn):
    worker = spawn(f"def f():\n    {body}\n", Limits(1.0, 512, 64))
    worker.load("answer")
    with pytest.raises(WorkerLost, match=words) as lost:
        worker.call("f", (), ())
    assert lost.value.reason == reason


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("sum(range(10 ** 10))", ""),
        ("import os; os._exit(3)", "the process exited with status 3"),
        ("import os; os.kill(os.getpid(), 9)", "the process was killed by signal 9"),
        ("while True:\n    try: list(range(1000))\n    except: pass", ""),
        ("import time; time.sleep(99)", ""),
    ],
)
def test_a_statement_that_ends_it_is_left_out_of_the_next_one(statement, why, spawn):
    worker = spawn(f"{statement}\ndef f():\n    return 3\n", Limits(6.0, 512, 64))
    loaded = worker.load("answer")
    assert [row[3] for row in loaded.skipped] == [why]
    assert worker.call("f", (), ()).value == 3


def test_printing_much_while_loading_costs_nothing(spawn):
    worker = spawn("print('x' * 900_000)\ndef f():\n    print('x')\n    return 3\n")
    assert worker.load("answer").cut
    assert worker.call("f", (), ()).value == 3


def test_what_it_prints_is_kept_and_never_meets_the_wire(spawn):
    worker = spawn(
        "import os, sys\ndef f():\n    print('printed'); sys.stderr.write('told\\n')\n"
        "    os.write(1, b'raw\\n'); os.system('echo below')\n    return input is not None\n"
    )
    worker.load("answer")
    assert worker.call("f", (), ()).value is True
    worker.close()
    text = worker.output.decode()
    assert all(word in text for word in ("printed", "told", "raw", "below"))


def test_what_is_printed_while_it_is_mute_is_dropped(spawn):
    worker = spawn(
        "import os\ndef f(x):\n    print('printed', x)\n    os.system(f'echo told {x}')\n"
    )
    worker.load("answer")
    worker.call("f", (1,), ())
    worker.mute()
    worker.call("f", (2,), ())
    worker.close()
    assert bytes(worker.output).split() == [b"printed", b"1", b"told", b"1"]


def test_a_started_process_does_not_keep_it_waiting(spawn):
    worker = spawn(
        "import subprocess, sys, os\ndef f():\n"
        "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "    os._exit(0)\n"
    )
    worker.load("answer")
    started = time.monotonic()
    with pytest.raises(WorkerLost, match="exited with status 0"):
        worker.call("f", (), ())
    assert time.monotonic() - started < 20


def test_a_library_that_is_missing_is_our_side(tmp_path):
    with ProcessPool() as pool:
        worker = pool.spawn(("no_such_library",), tmp_path, LIMITS, seed=0)
        with worker, pytest.raises(BrokenError, match="No module named 'no_such_library'") as told:
            worker.load("answer")
    assert "\n" not in str(told.value)


def test_processes_are_started_ahead_and_end_with_the_pool(tmp_path):
    (tmp_path / "answer.py").write_text("def f():\n    return 1\n")
    pool = ProcessPool([(), ()])
    first = pool._spare
    worker = pool.spawn((), tmp_path, LIMITS, seed=0)
    assert worker._process is first
    spare = pool._spare
    assert spare is not None
    assert spare is not first
    with worker:
        worker.load("answer")
        assert worker.call("f", (), ()).value == 1
    pool.close()
    assert spare._process.poll() is not None


def test_it_ends_when_the_grader_is_gone():
    process = subprocess.Popen(
        [sys.executable, str(ENTRY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = process.communicate(b"", timeout=60)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_a_loop_outlives_a_killed_grader_by_seconds_only(tmp_path):
    (tmp_path / "answer.py").write_text(
        "import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))\nwhile True: pass\n"
    )
    script = (
        "import os, sys, threading, grader.isolation.sandbox.plain as plain\n"
        "from pathlib import Path\nfrom grader.isolation.sandbox import Limits\n"
        "plain.LIFE = -3.9\n"  # of a limit of one second: so that it is over after 1.1 s
        "worker = plain.ProcessPool().spawn(\n"
        "    (), Path(sys.argv[1]), Limits(1.0, 512, 64), seed=0)\n"
        "def end():\n"
        "    while not (Path(sys.argv[1]) / 'pid').exists(): pass\n"
        "    os._exit(9)\n"
        "threading.Thread(target=end, daemon=True).start()\n"
        "worker.load('answer')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False, timeout=60
    )
    assert ran.returncode == 9
    pid = int((tmp_path / "pid").read_text() or 0)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and _lives(pid):
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return stat[0] != "Z"  # nobody may be there to take note of its end
