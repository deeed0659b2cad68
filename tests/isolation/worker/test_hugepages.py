"""Memory in huge pages: what is in it stays as it is."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import numpy as np
import pytest

from grader.isolation.sandbox import ForkServer, Limits
from grader.isolation.worker import hugepages, server

LIMITS = Limits(timeout_s=8, memory_mb=512, output_kb=64)
LIBC = ctypes.CDLL(None, use_errno=True)


def _in_huge_pages(pid: int | str) -> int:
    """Return the KiB of a process's own memory that lie in huge pages."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"AnonHugePages:\s+(\d+)", text)
    return int(found[1]) if found else 0


def _is_possible() -> bool:
    data = np.ones(8 * hugepages.SIZE, np.uint8)
    hugepages.collapse(LIBC, Path("/proc/self/maps").read_bytes())
    return bool(data.all()) and _in_huge_pages("self") > 0


def test_memory_keeps_its_contents():
    data = np.arange(hugepages.SIZE, dtype=np.int64)  # 16 MiB
    made = hugepages.collapse(LIBC, Path("/proc/self/maps").read_bytes())
    assert made >= 0
    assert int(data.sum()) == hugepages.SIZE * (hugepages.SIZE - 1) // 2


def test_only_own_memory_is_touched():
    asked = []

    class Recorder:
        @staticmethod
        def madvise(at, size, advice):
            asked.append((at.value, size.value, advice))
            return -1

    maps = b"""\
00400000-00a00000 rw-p 00000000 00:00 0                          [heap]
00b00000-00f00000 rw-p 00000000 00:00 0
01000000-01400000 r--p 00000000 00:00 0
02000000-02400000 rw-s 00000000 00:05 77                         /dev/zero (deleted)
03000000-03400000 rw-p 00000000 fe:00 99                         /usr/lib/a library.so
04000000-04100000 rw-p 00000000 00:00 0
7ffd0000000-7ffd0400000 rw-p 00000000 00:00 0                    [stack]
"""
    assert hugepages.collapse(Recorder(), maps) == 0
    assert [at for at, _size, _advice in asked] == [0x400000, 0x600000, 0x800000, 0xC00000]
    assert {(size, advice) for _at, size, advice in asked} == {(hugepages.SIZE, 25)}


@pytest.mark.skipif(not _is_possible(), reason="this kernel makes no huge pages when asked")
def test_a_server_that_makes_many_workers_uses_them(tmp_path_factory):
    staging = tmp_path_factory.mktemp("staging")
    staging.chmod(0o755)
    (staging / "answer.py").write_text("def f(x):\n    return x + 1\n", encoding="ascii")
    for folder in (staging, *staging.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    with ForkServer(("torch",), staging) as running:
        for turn in range(server.MANY + 2):
            with running.spawn(staging, LIMITS, turn) as worker:
                worker.load("answer")
                assert worker.call("f", (turn,), ()).value == turn + 1
            if turn == 0:
                before = _in_huge_pages(running.pid)
        assert _in_huge_pages(running.pid) > before + 50_000
