"""Memory of the fork server in huge pages: forking copies one entry for each, not one for 4 KiB.

A process with torch loaded has 250 MB of its own. Its page tables are copied for each fork and torn
down again with it, which takes most of a fork's time. Where a fork writes, the kernel splits that
huge page again and copies 4 KiB of it, as it would have. Sources: madvise(2), MADV_COLLAPSE, and
the kernel's ``Documentation/admin-guide/mm/transhuge.rst``.
"""

from __future__ import annotations

import ctypes

SIZE = 2 * 1024 * 1024
MADV_COLLAPSE = 25  # since Linux 6.1; refused elsewhere, and then nothing changes


def collapse(libc: ctypes.CDLL, maps: bytes) -> int:
    """Put this process's own memory into huge pages where the kernel allows it; return how many.

    No other process may share it: call it while there is no fork. ``maps`` is its
    ``/proc/self/maps``.
    """
    made = 0
    for line in maps.splitlines():
        place, rights, _offset, _device, _inode, *name = line.split(maxsplit=5)
        if rights != b"rw-p" or name not in ([], [b"[heap]"]):
            continue
        start, end = (int(part, 16) for part in place.split(b"-"))
        for at in range(-(-start // SIZE) * SIZE, end - SIZE + 1, SIZE):
            where = ctypes.c_void_p(at), ctypes.c_size_t(SIZE)
            made += libc.madvise(*where, MADV_COLLAPSE) == 0
    return made
