"""Workers that are forked from one that has loaded the module: nothing travels between checks."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from grader.errors import BrokenError, WorkerLost
from grader.isolation.sandbox import ForkServer
from tests.isolation.sandbox.conftest import MODULE, STEM_LIMITS, made


def test_a_module_is_imported_once_for_all_checks(checked):
    check = checked()
    tokens, imported_by, pids = zip(*(check() for _ in range(4)), strict=True)
    assert len(set(tokens)) == len(set(imported_by)) == 1
    assert len({*pids, *imported_by}) == 5


def test_a_check_sees_the_module_as_it_is_after_the_import(checked):
    check = checked()
    assert [check("remember") for _ in range(3)] == [1, 1, 1]


def test_a_file_that_a_check_writes_is_gone_in_the_next(checked):
    check = checked()
    first = check()[0]
    assert check("write_a_file") == ["data.txt", "left", "module.py"]
    assert check("files") == ["data.txt", "module.py"]
    assert check()[0] != first  # another stem


def test_what_a_check_writes_through_memory_is_gone_in_the_next(checked):
    check = checked()
    assert [check("change_by_a_map", text) for text in ("secret", "second")] == ["before"] * 2


def test_a_check_that_reads_files_keeps_the_stem(checked):
    check = checked(f"{MODULE}\ndef read():\n    return open('data.txt').read()\n")
    token = check()[0]
    assert check("read") == "before"
    assert check()[0] == token


def test_a_module_that_changes_files_in_every_check_gets_workers_of_its_own(checked, stem_server):
    check = checked(f"{MODULE}\n")
    for _ in range(4):
        assert check("write_a_file") == ["data.txt", "left", "module.py"]
    assert len(stem_server._stems._stems) == 0


def test_a_dead_check_takes_no_other_along(checked):
    check = checked()
    token = check()[0]
    with pytest.raises(WorkerLost, match="exited with status 3"):
        check("leave")
    assert check()[0] == token


@pytest.mark.parametrize("what", ["fork", "signal_the_stem"])
def test_a_check_can_neither_fork_nor_reach_its_stem(checked, what):
    check = checked()
    check()
    assert check(what) == "refused"


def test_a_fork_that_nobody_has_asked_for_is_refused(checked):
    check = checked()
    token = check()[0]
    assert check("fork_as_stems_do") == -1
    assert check()[0] == token


def test_a_fork_has_the_descriptors_of_any_worker(checked):
    check = checked()
    check()
    assert check("descriptors") == [0, 1, 2, 3]


def test_random_numbers_follow_the_seed_of_the_check(checked, stem_folder, stem_server):
    check = checked()
    first, second, other = (check("draw", seed=seed) for seed in (7, 7, 8))
    assert first == second != other
    with stem_server.spawn(stem_folder, STEM_LIMITS, 7) as ordinary:
        ordinary.load("module")
        assert ordinary.call("draw", (), ()).value == first


@pytest.mark.parametrize(
    "unfit",
    [
        "import threading\nthreading.Timer(60, print).start()",
        "LOG = open('log', 'w')",
        "PIPE = os.pipe()",
        "SHARED = mmap.mmap(-1, 4096)",
        "for i in range(500): open(str(i), 'w').close()",
    ],
    ids=["a thread", "a file", "a pipe", "shared memory", "many files"],
)
def test_a_module_that_holds_more_than_memory_gets_workers_of_its_own(checked, unfit):
    check = checked(f"{MODULE}\n{unfit}\n")
    assert len({check()[0] for _ in range(3)}) == 3
    assert check("remember") == 1


def test_state_in_shared_memory_does_not_reach_the_next_check(checked):
    count = "def count():\n    SHARED[0] += 1\n    return SHARED[0]\n"
    check = checked(f"{MODULE}\nSHARED = mmap.mmap(-1, 8)\n{count}")
    assert [check("count") for _ in range(3)] == [1, 1, 1]


def test_what_is_printed_by_the_import_is_in_every_check(checked, stem_folder, stem_server):
    checked()()
    with stem_server.spawn(stem_folder, STEM_LIMITS, 7, "module") as worker:
        worker.load("module")
        worker.call("who", (), ())
    assert bytes(worker.output) == b"imported\n"


def test_stems_end_with_their_submission(checked, stem_server):
    pid = checked()()[1]
    os.kill(pid, 0)
    with stem_server.spawn(made(stem_server), STEM_LIMITS, 7, "module") as worker:
        worker.load("module")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_stem_that_was_ended_is_replaced(checked):
    check = checked()
    token, pid, _own = check()
    os.kill(pid, signal.SIGKILL)
    assert check()[0] != token


def test_stems_end_with_their_server(stem_server):
    with ForkServer((), stem_server.staging) as other:
        worker = other.spawn(made(other), STEM_LIMITS, 7, "module")
        worker.load("module")
        _token, stem, fork = worker.call("who", (), ()).value
        os.kill(other.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(map(_is_alive, (stem, fork))) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(_is_alive, (stem, fork)))
        with pytest.raises(BrokenError):
            worker.close()


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def used(stem_server, stem_folder, function="who", *arguments, expected=1):
    """Return what a function gives in a check, of which so many are expected."""
    with stem_server.spawn(stem_folder, STEM_LIMITS, 7, "module", expected) as worker:
        assert worker.load("module").error is None
        reply = worker.call(function, arguments, ())
        assert reply.error is None, reply.error
        return reply.value


def test_workers_that_are_expected_are_made_together_and_stopped(stem_server, stem_folder):
    token = used(stem_server, stem_folder, expected=3)[0]
    (stem,) = stem_server._stems._stems.values()
    waiting = [forked.pid for forked in stem.waiting]
    assert len(waiting) == 2
    for pid in waiting:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        assert state == "T"  # it runs no code while another check does
    used_then = [used(stem_server, stem_folder, expected=2)[::2] for _ in waiting]
    assert sorted(used_then) == [(token, pid) for pid in sorted(waiting)]  # in any order
    assert stem.waiting == []
    assert used(stem_server, stem_folder)[0] == token  # another fork of the same stem


def test_a_check_that_writes_files_ends_those_that_wait(stem_server, stem_folder):
    token = used(stem_server, stem_folder, expected=3)[0]
    (stem,) = stem_server._stems._stems.values()
    pids = [stem.pid, *(forked.pid for forked in stem.waiting)]
    assert used(stem_server, stem_folder, "write_a_file", expected=2) == [
        "data.txt",
        "left",
        "module.py",
    ]
    assert used(stem_server, stem_folder, "files") == ["data.txt", "module.py"]
    assert used(stem_server, stem_folder)[0] != token
    assert not any(map(_is_alive, pids))


def test_what_waits_ends_with_its_submission(stem_server, stem_folder):
    used(stem_server, stem_folder, expected=4)
    (stem,) = stem_server._stems._stems.values()
    pids = [stem.pid, *(forked.pid for forked in stem.waiting)]
    assert len(pids) == 4
    stem_server.leave()
    assert not any(map(_is_alive, pids))


def test_a_check_has_its_threads_however_many_workers_wait(stem_server, stem_folder):
    module = """
import threading
import time

def most():
    stop, started = threading.Event(), 0
    try:
        while started < 100:
            threading.Thread(target=stop.wait, daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    stop.set()
    return started
"""
    (stem_folder / "module.py").write_text(module)
    counts = [used(stem_server, stem_folder, "most", expected=12 - number) for number in range(12)]
    assert counts == [47] * 12  # as many as a worker of its own


MAPPED = """
import mmap

with open("counter", "wb") as file:
    file.write(bytes(4096))

def count(access):
    with open("counter", "r+b") as file, mmap.mmap(file.fileno(), 0, access=access) as memory:
        if access == mmap.ACCESS_WRITE:
            memory[0] += 1
        return memory[0]
"""


def test_what_a_check_writes_by_memory_is_gone_in_the_next(checked):
    check = checked(f"{MODULE}\n{MAPPED}")
    assert [check("count", 2, expected=3) for _ in range(4)] == [1, 1, 1, 1]


def test_a_private_map_of_a_file_keeps_the_stem(checked):
    check = checked(f"{MODULE}\n{MAPPED}")
    before = check(expected=3)[0]
    assert check("count", 3) == 0
    assert check()[0] == before


def test_a_module_that_has_mapped_a_file_while_it_was_imported_can_be_a_stem(checked):
    check = checked(f"{MODULE}\n{MAPPED}\nSEEN = count(mmap.ACCESS_WRITE)")
    assert check()[0] == check()[0]
    assert [check("count", 2) for _ in range(2)] == [2, 2]
