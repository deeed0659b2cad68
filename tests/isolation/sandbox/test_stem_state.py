"""Nothing passes from one check of a stem to the next, whatever its module does."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from grader.errors import BrokenError, WorkerLost
from grader.isolation.sandbox import ForkServer
from tests.isolation.sandbox.conftest import MODULE, STEM_LIMITS, made

# A stem that is not ours: what a student's module may do in the place of ``fork_when_asked``.
HOSTILE = (
    MODULE
    + '''
import sys
import threading
import time

stems = sys.modules.get("_dlg.worker.stems")
python = ctypes.PyDLL(None)
COUNT = 0

def in_the_stem():
    """Run in the stem after each fork."""

def in_the_fork():
    """Run in each fork before its check."""

def fork_when_asked():
    global COUNT
    while True:
        os.closerange(0, 4)
        python.PyOS_BeforeFork()
        COUNT += 1
        if python.syscall({clone}, 0x8011, 0, 0, 0, 0) == 0:
            break
        python.PyOS_AfterFork_Parent()
        in_the_stem()
    python.PyOS_AfterFork_Child()
    in_the_fork()

if stems is not None:
    stems.fork_when_asked = fork_when_asked

def scratch_file(name="/scratch/x"):
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, 4096)
    return fd

def map_a_file(access):
    global MAP
    MAP = mmap.mmap(scratch_file(), 4096, access=access)
    os.closerange(4, 99)
    os.unlink("/scratch/x")

def remove_its_folder():
    os.mkdir("/scratch/d")
    os.chdir("/scratch/d")
    os.rmdir("/scratch/d")
'''.replace("{clone}", str({"x86_64": 56, "aarch64": 220}.get(os.uname().machine, 56)))
)


def is_kept(check):
    """Say whether two checks are forks of one stem."""
    return check()[0] == check()[0]


def test_a_stem_of_another_making_is_kept_while_it_does_no_harm(checked):
    assert is_kept(checked(HOSTILE))


@pytest.mark.parametrize(
    "unfit",
    [
        "fd = scratch_file(); os.unlink('/scratch/x'); os.dup2(fd, 0); os.close(fd)",
        "r, w = os.pipe(); os.dup2(r, 0); os.dup2(w, 2); os.close(r); os.close(w)",
        "fd = os.eventfd(0); os.dup2(fd, 0); os.close(fd)",
        "os.set_blocking(1, False)",
        "map_a_file(mmap.ACCESS_COPY)",
        "remove_its_folder()",
        "import signal; signal.setitimer(signal.ITIMER_PROF, 60)",
    ],
    ids=[
        *("a file as 0", "a pipe as 0", "an eventfd as 0", "flags", "a map of a file"),
        *("a removed folder", "a timer"),
    ],
)
def test_a_module_that_could_share_something_gets_workers_of_its_own(checked, unfit):
    assert not is_kept(checked(f"{HOSTILE}\n{unfit}\n"))


@pytest.mark.parametrize(
    "trick",
    [
        "def in_the_stem(): os.dup2(3, 50)",
        "def in_the_stem(): threading.Thread(target=time.sleep, args=(9,)).start()",
        "def in_the_fork(): os.dup2(scratch_file(), 0)",
        "def in_the_fork(): scratch_file()",
        "def in_the_fork(): map_a_file(mmap.ACCESS_WRITE)",
        "def in_the_fork(): map_a_file(mmap.ACCESS_COPY)",
        "def in_the_fork(): remove_its_folder()",
        "stems.fork_when_asked = lambda: time.sleep(99)",
        "stems.fork_when_asked = lambda: os._exit(0)",
        "stems.fork_when_asked = lambda: None",
    ],
    ids=[
        *("keeps a wire", "a thread", "a file as 0", "a file"),
        *("a map that is shared", "a map that is not", "a removed folder"),
        *("does not ask", "ends", "goes on"),
    ],
)
def test_a_stem_that_does_not_do_what_stems_do_is_ended(checked, trick):
    check = checked(f"{HOSTILE}\nif stems is not None:\n    exec({trick!r})\n")
    assert [check("remember", expected=2) for _ in range(2)] == [1, 1]
    assert not is_kept(check)


def test_each_check_has_open_files_of_its_own(checked):
    check = checked(
        f"{MODULE}\nimport fcntl\ndef flags():\n"
        "    found = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in range(4)]\n"
        "    for fd in range(4):\n"
        "        fcntl.fcntl(fd, fcntl.F_SETFL, found[fd] | os.O_APPEND)\n"
        "    return found\n"
    )
    first, *others = (check("flags", expected=3 - turn) for turn in range(3))
    assert others == [first] * 2
    assert not any(flags & os.O_APPEND for flags in first)


@pytest.mark.parametrize(
    "call",
    [
        "import resource; resource.prlimit(pid, resource.RLIMIT_NOFILE, (9, 9))",
        "import resource; resource.prlimit(pid, resource.RLIMIT_STACK)",
        "os.sched_setaffinity(pid, {0})",
        "os.kill(pid, 0)",
        "os.setpriority(os.PRIO_PROCESS, pid, 5)",
        "os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))",
        "os.sched_setparam(pid, os.sched_param(0))",
        "os.pidfd_open(pid)",
        "os.setpgid(pid, 0)",
    ],
)
def test_a_check_can_change_nothing_of_its_stem(checked, call):
    check = checked(
        f"{MODULE}\nimport sys\ndef changes(pid):\n    try:\n        {call}\n"
        "    except PermissionError:\n        return 'refused'\n    return 'allowed'\n"
    )
    stem = check()[1]
    assert check("changes", stem) == "refused"
    assert check()[1] == stem


CALLS_OF_OTHERS = {
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "get_robust_list": (274, 100),
    "kcmp": (312, 272),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "setns": (308, 268),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "unshare": (272, 97),
}


def test_no_call_that_names_another_process_is_made(checked):
    column = ("x86_64", "aarch64").index(os.uname().machine)
    numbers = [pair[column] for pair in CALLS_OF_OTHERS.values()]
    check = checked(
        f"{MODULE}\nlibc = ctypes.CDLL(None, use_errno=True)\ndef tried(pid, numbers):\n"
        "    return [(libc.syscall(n, pid, 0, 0, 0, 0, 0), ctypes.get_errno()) for n in numbers]\n"
    )
    found = check("tried", check()[1], numbers)
    assert {pair for pair in found if pair not in [(-1, 1), (-1, 38)]} == set()


@pytest.mark.parametrize(
    "change",
    [
        "os.utime('/scratch', ns=(5, 5))",
        "os.chmod('/scratch', 0o711)",
        "os.utime('data.txt', ns=(5, os.stat('data.txt').st_mtime_ns))",
        "os.rename('data.txt', 'e'); os.rename('e', 'data.txt')",
        "os.close(os.open('/scratch/work', os.O_TMPFILE | os.O_RDWR))",
        "os.close(os.open('e', os.O_CREAT)); os.unlink('e')",
    ],
    ids=["times of the folder", "mode", "time of access", "another name", "no name", "a file"],
)
def test_a_trace_in_the_scratch_folder_ends_the_stem(checked, change):
    check = checked(
        f"{MODULE}\ndef change():\n    {change}\n    return os.stat('/scratch').st_mode\n"
    )
    token = check(expected=3)[0]
    check("change", expected=2)
    assert check()[0] != token


def test_a_stem_hears_no_seed_and_does_not_know_when_its_forks_are_used(checked):
    check = checked(
        f"{HOSTILE}\ndef known():\n    frame, found = __import__('sys')._getframe(), []\n"
        "    while frame is not None:\n        found.append(frame.f_locals.get('seed'))\n"
        "        frame = frame.f_back\n    return COUNT, found\n"
    )
    known = [check("known", seed=1000 + turn, expected=6 - turn) for turn in range(6)]
    assert not any(type(value) is int for _count, found in known for value in found)
    assert sorted(count for count, _found in known) == list(range(1, 7))


@pytest.mark.parametrize("log", ["", "LOG = open('log', 'w')"], ids=["a stem", "no stem"])
def test_a_process_may_signal_itself(checked, log):
    check = checked(
        f"{MODULE}\nimport signal, threading\nGOT = []\n{log}\n"
        "signal.signal(signal.SIGUSR1, lambda *a: GOT.append(1))\ndef signals():\n"
        "    signal.raise_signal(signal.SIGUSR1)\n    me = getattr(os, 'getpid')()\n"
        "    os.kill(me, signal.SIGUSR1)\n    signal.pthread_kill(threading.get_ident(), 10)\n"
        "    os.sched_setaffinity(me, os.sched_getaffinity(0))\n"
        "    for other in (os.getppid(), 0, -1):\n        try:\n            os.kill(other, 10)\n"
        "        except PermissionError:\n            GOT.append('refused')\n    return GOT\n"
    )
    for _ in range(2):
        assert check("signals") == [1, 1, 1, "refused", "refused", "refused"]


def test_a_program_that_aborts_has_done_that(checked):
    check = checked(f"{MODULE}\ndef abort():\n    os.abort()\n")
    token = check()[0]
    with pytest.raises(WorkerLost, match="killed by signal 6"):
        check("abort")
    assert check()[0] == token


@pytest.mark.parametrize(
    ("module", "kept"),
    [
        ("import time\nT0 = time.time()", False),
        ("from time import monotonic as clock\nT0 = clock()", False),
        ("import time\ndef start():\n    return time.perf_counter()\nT0 = start()", False),
        ("import time\nclass A:\n    def __init__(self): self.t = time.time()\nT = A()", False),
        ("from datetime import datetime\nT0 = datetime.now()", False),
        ("PID = os.getpid()", False),
        ("import time\ntime.sleep(0.01)", True),
        ("import time\ndef used():\n    return time.time()", True),
        ("import time\nif __name__ == '__main__':\n    print(time.time())", True),
    ],
)  # fmt: skip
def test_a_module_that_takes_the_time_is_imported_for_each_check(checked, module, kept):
    assert is_kept(checked(f"{MODULE}\n{module}\n")) == kept


def test_a_check_has_the_time_that_the_import_leaves(checked):
    check = checked(
        f"{MODULE}\nimport time\ntime.sleep(0.9)\n"
        "def work(seconds):\n    time.sleep(seconds)\n    return TOKEN\n"
    )
    limits = replace(STEM_LIMITS, timeout_s=4)
    token = check("work", 0.1, limits=limits, expected=2)
    assert check("work", 2.0, limits=limits) == token
    for _ in range(2):
        with pytest.raises(WorkerLost) as lost:
            check("work", 3.5, limits=limits)
        assert lost.value.reason == "timeout"


def test_a_stem_that_is_slow_to_be_forked_is_not_used_again(checked):
    check = checked(
        f"{HOSTILE}\ndef in_the_stem():\n    if stems is not None:\n        time.sleep(0.4)\n"
    )
    tokens = [check()[0] for _ in range(4)]
    assert tokens[0] == tokens[1]
    assert len(set(tokens)) == 3


def test_a_server_that_dies_while_a_stem_is_made_is_named(stem_server, monkeypatch):
    with ForkServer((), stem_server.staging) as other:
        settle = ForkServer.settle

        def dies(server, pid):
            settled = settle(server, pid)
            os.kill(server.pid, signal.SIGKILL)
            return settled

        monkeypatch.setattr(ForkServer, "settle", dies)
        with (
            pytest.raises(BrokenError, match=r"the fork server (is gone|ended)") as broken,
            other.spawn(made(other), STEM_LIMITS, 7, "module") as worker,
        ):
            worker.load("module")
        assert "start" not in str(broken.value)
        unrelated = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]
    for fd in unrelated:
        os.fstat(fd)  # nobody has closed it in the place of another
        os.close(fd)
