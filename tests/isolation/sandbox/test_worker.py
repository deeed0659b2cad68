"""A worker's limits and endings, seen from the trusted side."""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from grader.errors import BrokenError, WorkerLost
from grader.isolation.sandbox import ForkServer, Limits
from grader.isolation.wire import Opaque
from tests.conftest import ROOT

MODULE = """
import ctypes, gc, json, os, resource, struct, sys, threading, time
import numpy as np

COUNTER = []

def echo(*arguments):
    return arguments if len(arguments) != 1 else arguments[0]

def pair(x):
    return x * 2, {"kept": x}

def from_cache(cache):
    return cache["kept"]

def mutate(x, y):
    x += 1
    return x

def count():
    COUNTER.append(1)
    return len(COUNTER)

def modules():
    return sorted(sys.modules)

def path():
    return list(sys.path)

def environment():
    return dict(os.environ)

def descriptors():
    import fcntl
    found = []
    for fd in range(1024):
        try:
            fcntl.fcntl(fd, fcntl.F_GETFD)
            found.append(fd)
        except OSError:
            pass
    return found

def grab_text(needle):
    return [repr(type(o)) for o in gc.get_objects() if isinstance(o, str) and needle in o][:5]

def read(name):
    with open(name) as file:
        return file.read()

def listing(name):
    return os.listdir(name)

def write(name):
    with open(name, "w") as file:
        file.write("x" * 10)

def write_more(name):
    with open(name, "a") as file:
        file.write("x")

def execute(name):
    os.execv(name, [name])

def run(name):
    import subprocess
    return subprocess.run([name], capture_output=True).returncode

def ids():
    return list(os.getresuid()) + list(os.getresgid()) + list(os.getgroups())

def signal_to(pid):
    os.kill(pid, 9)

def exit_with(code):
    os._exit(code)

def crash():
    ctypes.string_at(0)

def spin():
    while True:
        pass

def sleep(seconds):
    time.sleep(seconds)

def ignore_cpu_limit():
    import signal
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass

def hoard():
    kept = []
    while True:
        kept.append(np.ones(2 ** 20))

def chatter():
    while True:
        print("spam" * 1000)

def say_much():
    print("much " * 100_000)

def say(text):
    print(text)
    sys.stderr.write("err")
    os.write(1, b"raw")
    return 1

def close_stdout():
    sys.stdout.close()
    os.close(1)
    return 1

def big(megabytes):
    return np.zeros(megabytes * 2 ** 17)

def forge(data, pause):
    os.write(3, data.tobytes())
    time.sleep(pause)
    return 1

def close_wire():
    os.close(3)
    time.sleep(60)

def recurse(n):
    return recurse(n + 1)

def orphan():
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
    except PermissionError:
        return 0
    time.sleep(0.05)
    return os.getpid()

def raise_rope():
    raise ValueError("x" * 10 ** 7)

class Hostile(Exception):
    def __str__(self):
        raise KeyboardInterrupt

def raise_hostile():
    raise Hostile

class Sly(np.ndarray):
    pass

def subclass():
    return np.zeros(3).view(Sly)

def torch_is_here():
    return "torch" in sys.modules
"""

LIMITS = Limits(timeout_s=10, memory_mb=512, output_kb=64)


@pytest.fixture(scope="module")
def staged():
    # Not pytest's own folder for temporary files: that is closed to the user ids of workers.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "staged"
        folder.mkdir()
        for part in (folder, folder.parent):
            part.chmod(0o755)
        (folder / "module.py").write_text(MODULE)
        yield folder


@pytest.fixture(scope="module")
def server(staged):
    with ForkServer((), staged.parent) as running:
        yield running


@pytest.fixture
def worker(server, staged):
    with server.spawn(staged, LIMITS, 7) as running:
        assert running.load("module").error is None
        yield running


def start(server, staged, **limits):
    wanted = Limits(**{"timeout_s": 10, "memory_mb": 512, "output_kb": 64, **limits})
    running = server.spawn(staged, wanted, 7)
    assert running.load("module").error is None
    return running


def call(worker, function, *arguments, opaque=()):
    reply = worker.call(function, arguments, opaque)
    assert reply.error is None, reply.error
    return reply.value


def test_values_come_back_as_they_went(worker):
    array = np.arange(6.0).reshape(2, 3)
    value = call(worker, "echo", array, 1.5, "text", [1, None, (True, {"k": -0.0})])
    assert np.array_equal(value[0], array)
    assert value[1:] == (1.5, "text", [1, None, (True, {"k": -0.0})])


def test_opaque_outputs_stay_in_the_worker_and_can_be_handed_back(worker):
    doubled, cache = call(worker, "pair", np.ones(2), opaque=(1,))
    assert isinstance(cache, Opaque)
    assert np.array_equal(doubled, [2, 2])
    assert np.array_equal(call(worker, "from_cache", cache), [1, 1])


def test_changed_arguments_are_reported_and_ours_are_not_spoilt(worker):
    x, y = np.zeros(3), np.zeros(3)
    reply = worker.call("mutate", (x, y), ())
    assert reply.mutated == (0,)
    assert not x.any()


def test_state_does_not_survive_into_the_next_worker(server, staged):
    for _ in range(2):
        with start(server, staged) as worker:
            assert call(worker, "count") == 1


def test_the_worker_holds_nothing_of_ours(worker):
    names = call(worker, "modules")
    ours = [n for n in names if n.partition(".")[0] in ("grader", "reference", "pytest", "_pytest")]
    assert ours == []
    assert [n for n in names if n.startswith("_dlg")] == sorted(
        ["_dlg", "_dlg.wire", "_dlg.worker"]
        + [f"_dlg.wire.{name}" for name in ("bundle", "codec", "strict", "values")]
        + [f"_dlg.worker.{name}" for name in (
            "absent", "answered", "at_most", "blocks", "cache_layout", "cells", "child", "clock",
            "compiler",
            "definitions", "described", "exchanges", "generators", "hugepages", "landlock",
            "layout", "listener", "lockdown", "modules", "moments", "mutants", "namespaces",
            "newer", "ordinary", "output", "outside", "program_text", "pure", "pure_function",
            "pure_names", "redirect", "repair", "scratch", "seccomp", "server", "statements",
            "stems", "syscalls", "turns",
        )]
    )  # fmt: skip
    assert str(ROOT) not in call(worker, "path")
    assert call(worker, "grab_text", "rnn_step_forward(rng") == []


def test_the_environment_and_descriptors_are_bare(worker, monkeypatch):
    own = {"HOME", "TMPDIR", "MPLCONFIGDIR", "USER", "LOGNAME"}
    bare = {"PATH", "LANG", "OMP_NUM_THREADS", "LC_CTYPE"}
    assert set(call(worker, "environment")) <= bare | own
    assert call(worker, "descriptors") == [0, 1, 2, 3]


def test_files_of_ours_cannot_be_read(worker, server):
    if not any(layer.startswith("landlock") for layer in server.isolation):
        pytest.skip("this kernel has no Landlock: files are protected by their modes alone")
    for name in (ROOT / "reference" / "rnn_layers.py", ROOT / "rubric.yaml", "/etc/passwd"):
        reply = worker.call("read", (str(name),), ())
        assert reply.error is not None, name
        assert reply.error.type in ("PermissionError", "FileNotFoundError")
    assert worker.call("listing", ("/",), ()).error is not None


def test_nothing_can_be_written_outside_its_own_folder(worker, staged):
    for name in (staged / "new.txt", staged.parent / "new.txt", "/var/lock/new-file", "/new-file"):
        assert worker.call("write", (str(name),), ()).error is not None
        assert not Path(name).exists()
    for name in ("/tmp/new-file-of-a-worker", "/dev/shm/new-file-of-a-worker"):
        worker.call("write", (name,), ())  # these lead into its own folder
        assert not Path(name).exists()
    assert worker.call("write_more", (str(staged / "module.py"),), ()).error is not None
    assert (staged / "module.py").read_text() == MODULE


def test_no_program_can_be_run(worker):
    for function in ("execute", "run"):
        assert worker.call(function, ("/bin/true",), ()).error.type in (
            "PermissionError", "FileNotFoundError",
        )  # fmt: skip


def test_root_becomes_nobody_we_know(worker, server):
    if os.geteuid() != 0:
        pytest.skip("not root: the worker has our own user id")
    assert "setuid" in server.isolation
    ids = call(worker, "ids")
    assert len(set(ids)) == 1
    assert ids[0] > 60000


def test_the_grader_cannot_be_signalled(worker, server):
    if os.geteuid() != 0 and not any("landlock abi" in layer for layer in server.isolation):
        pytest.skip("a plain user's worker may signal the user's processes on this kernel")
    assert worker.call("signal_to", (os.getpid(),), ()).error.type == "PermissionError"


@pytest.mark.parametrize(
    ("function", "arguments", "reason", "words", "retry"),
    [
        ("exit_with", (0,), "crashed", "exited with status 0", True),
        ("exit_with", (3,), "crashed", "exited with status 3", True),
        ("crash", (), "crashed", "segmentation fault", True),
        ("chatter", (), "output_limit", "more than 64 KiB", False),
        ("big", (80,), "output_limit", "returned more than 67108864 bytes", False),
        ("close_wire", (), "crashed", "closed its connection", True),
    ],
)
def test_a_lost_worker_says_how(function, arguments, reason, words, retry, server, staged):
    with start(server, staged) as worker, pytest.raises(WorkerLost) as lost:
        worker.call(function, arguments, ())
    assert lost.value.reason == reason
    assert words in lost.value.message
    assert lost.value.retry is retry


def test_an_endless_loop_is_a_timeout_of_its_own_making(server, staged):
    for _ in range(5):
        with start(server, staged, timeout_s=1.0) as worker, pytest.raises(WorkerLost) as lost:
            worker.call("spin", (), ())
        assert lost.value.reason == "timeout"
        if not lost.value.retry:
            return
    pytest.fail("a process that computes all the time was taken for one that waits")


def test_a_sleeper_is_a_timeout_that_deserves_a_second_try(server, staged):
    with start(server, staged, timeout_s=1.0) as worker, pytest.raises(WorkerLost) as lost:
        worker.call("sleep", (60,), ())
    assert lost.value.reason == "timeout"
    assert lost.value.retry


def test_time_is_counted_over_all_calls_of_a_worker(server, staged):
    with start(server, staged, timeout_s=1.0) as worker:
        started = time.monotonic()
        for _ in range(2):
            call(worker, "sleep", 0.3)
        with pytest.raises(WorkerLost, match="did not finish within 1 s"):
            worker.call("sleep", (0.9,), ())
        assert time.monotonic() - started < 5


def test_memory_beyond_the_budget_is_a_clean_error(server, staged):
    with start(server, staged, memory_mb=256) as worker:
        assert worker.call("hoard", (), ()).error.type == "MemoryError"
        assert call(worker, "echo", 1) == 1


def test_a_reply_within_the_limit_arrives_whole(server, staged):
    with start(server, staged) as worker:
        assert call(worker, "big", 40).nbytes == 40 * 2**20


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense that is no frame at all",
        b"DLG\x01\xff\xff\xff\x7f",
        b"DLG\x02\x02\x00\x00\x00{}",
        b"DLG\x01\x02\x00\x00\x00{}",
        b'DLG\x01\x1c\x00\x00\x00{"body":{},"buffers":[9e9]}  ',
        b'DLG\x01\x25\x00\x00\x00{"body":{},"buffers":[99999999999999]}',
        b'DLG\x01\x31\x00\x00\x00{"body":{"id":"0","result":1},"buffers":[]}      ',
    ],
)
def test_a_forged_answer_gains_nothing(data, server, staged):
    with start(server, staged) as worker, pytest.raises(WorkerLost) as lost:
        worker.call("forge", (np.frombuffer(data, np.uint8), 5.0), ())
    assert lost.value.reason == "crashed"
    assert "invalid answer" in lost.value.message


def test_half_a_frame_ends_at_the_deadline(server, staged):
    with start(server, staged, timeout_s=1.0) as worker, pytest.raises(WorkerLost) as lost:
        worker.call("forge", (np.frombuffer(b"DLG\x01\x10", np.uint8), 60.0), ())
    assert lost.value.reason == "timeout"


def test_endless_recursion_is_an_exception_and_the_worker_lives(worker):
    assert worker.call("recurse", (0,), ()).error.type == "RecursionError"
    assert call(worker, "echo", 1) == 1


def test_the_text_of_an_exception_is_cut_and_cannot_fail(worker):
    assert len(worker.call("raise_rope", (), ()).error.text) == 2000
    assert "could not be produced" in worker.call("raise_hostile", (), ()).error.text


def test_a_subclass_of_array_does_not_travel(worker):
    assert isinstance(call(worker, "subclass"), Opaque)


def test_what_is_printed_is_kept_for_the_instructor(server, staged):
    with start(server, staged) as worker:
        call(worker, "say", "hello")
    assert bytes(worker.output) == b"rawhelloerr" or b"hello" in worker.output
    assert b"err" in worker.output
    assert b"raw" in worker.output


def test_what_is_printed_while_it_is_mute_is_dropped_and_has_no_limit(server, staged):
    with start(server, staged) as worker:
        call(worker, "say", "hello")
        worker.mute()
        call(worker, "say", "nobody")
        call(worker, "say_much")
    assert b"hello" in worker.output
    assert b"nobody" not in worker.output
    assert b"much" not in worker.output


def test_closing_standard_output_hurts_nobody(worker):
    assert call(worker, "close_stdout") == 1
    assert call(worker, "echo", 2) == 2


def test_no_process_outlives_its_worker(server, staged):
    with start(server, staged) as worker:
        pid = call(worker, "orphan")
        ours = server_pid(server)
        group = [p for p in _processes() if pid == _session_of(p) or ours == _parent_of(p)]
        assert len(group) >= 1
    left = [p for p in _processes() if _parent_of(p) == server_pid(server)]
    assert left == []


def server_pid(server):
    return server._process.pid


def _processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["X", "-1", "-1", "-1"]


def _parent_of(pid):
    return int(_stat(pid)[1])


def _session_of(pid):
    return int(_stat(pid)[3])


def test_a_server_that_is_gone_is_our_fault(staged):
    with ForkServer((), staged.parent) as server:
        server._process.kill()
        server._process.wait()
        with pytest.raises(BrokenError, match="fork server"):
            server.spawn(staged, LIMITS, 0)


def test_a_server_that_cannot_import_a_library_is_our_fault(staged):
    with pytest.raises(BrokenError, match="No module named 'not_a_library'"):
        ForkServer(("not_a_library",), staged.parent)


def test_torch_is_loaded_only_where_it_is_asked_for_and_runs_one_thread(server, staged):
    with start(server, staged) as worker:
        assert call(worker, "torch_is_here") is False
    with (
        ForkServer(("torch",), staged.parent) as other,
        start(other, staged, memory_mb=1024) as worker,
    ):
        assert call(worker, "torch_is_here") is True


def test_a_worker_that_cannot_be_set_up_is_our_fault(server, staged):
    with (
        server.spawn(staged / "not_there", LIMITS, 7) as worker,
        pytest.raises(BrokenError, match="cannot set up a worker: FileNotFoundError"),
    ):
        worker.load("module")
    with start(server, staged) as worker:
        assert call(worker, "echo", 1) == 1


def test_the_exit_status_of_a_failed_setup_does_not_make_it_our_fault(server, staged):
    with start(server, staged) as worker, pytest.raises(WorkerLost, match="exited with status 97"):
        worker.call("exit_with", (97,), ())
