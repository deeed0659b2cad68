"""A filter of system calls, compiled once in the fork server and installed by every child.

What a worker never needs fails with ``EPERM``: new processes and programs, sockets, signals to
others, shared memory, changes to files, every kind of privilege. Sources: seccomp(2), and the
kernel's ``Documentation/userspace-api/seccomp_filter.rst``.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import struct
import sys
from collections.abc import Iterable

from .syscalls import CHANGES, CONDITIONAL, HARMFUL, IGNORED, MODES, NUMBERS, SHARED

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
RET_ALLOW, RET_ERRNO, RET_KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
RET_ASK = 0x7FC00000  # SECCOMP_RET_USER_NOTIF: who holds the filter's listener decides
SECCOMP = {"x86_64": 317, "aarch64": 277}  # numbers of the system call
SET_MODE_FILTER, NEW_LISTENER = 1, 8
IGNORE = RET_ERRNO  # with errno 0: the call is not made and reports success
NO_CALL = RET_ERRNO | errno.ENOSYS
LOAD_WORD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
AND = 0x54
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH_*
X32_BIT = 0x40000000  # a second set of numbers on x86_64
NEWEST = 463  # system calls from here on are unknown to this table: programs expect ENOSYS of them
OFFSET_NUMBER, OFFSET_ARCH, OFFSET_ARGUMENTS = 0, 4, 16

CLONE_VM, CLONE_FILES, CLONE_THREAD = 0x100, 0x400, 0x10000
CLONE_NAMESPACES = 0x7E020080
CLOSE_RANGE_UNSHARE = 2
MAP_SHARED = 1
# What Python and C libraries ask of open files; F_SETOWN and F_SETSIG, by which a file sends
# signals to any process, are not among them.
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1030, 1034)
# F_SETLK, F_SETLKW: report success and lock nothing. A lock on a file that all workers can read,
# such as a library, would carry a message from one worker to another.
LOCK_COMMANDS = (6, 7)
# MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ: what moves pages of a shared file into
# the page cache or out of it. Advice may be ignored, so these report success and do nothing.
CACHE_ADVICE = (3, 20, 21, 22)
IOCTL_REQUESTS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS ... FIONBIO, FIOCLEX
# Names of threads and of memory areas, and questions; never the parent-death signal.
PRCTL_OPTIONS = (3, 15, 16, 21, 23, 39, 0x53564D41)

DRIVER_CALLS = ("ioctl", "prctl", "sched_setaffinity")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant

# PR_SET_PDEATHSIG with SIGKILL: a fork has to say again that it ends with its server.
DIES_TOO: list[Instruction] = [
    (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS),
    (JUMP_EQUAL, 0, 3, 1),
    (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS + 8),
    (JUMP_EQUAL, 0, 1, 9),
    (RETURN, 0, 0, RET_ALLOW),
]


# Memory that is shared with a file: whoever writes there leaves no trace in the file's times.
SHARED_FILE: list[Instruction] = [
    (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS + 8 * 3),
    (AND, 0, 0, MAP_SHARED),
    (JUMP_EQUAL, 1, 0, MAP_SHARED),
    (RETURN, 0, 0, RET_ALLOW),
    (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS + 8 * 4),
    (JUMP_EQUAL, 0, 1, 0xFFFFFFFF),
    (RETURN, 0, 0, RET_ALLOW),
    (RETURN, 0, 0, RET_ASK),
]


class _SockFprog(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def machine() -> str:
    """Return the name of the architecture, as in ``ARCHITECTURES``."""
    return os.uname().machine


def compile_filter(
    pid: int,
    *,
    read_only: bool = False,
    modes: bool = False,
    accelerator: bool = False,
    asks: int | None = None,
) -> bytes | None:
    """Return the program for the process ``pid``; None on an architecture without a table.

    Args:
        pid: the only process that may be sent signals.
        read_only: whether to refuse opening files for writing, and all other changes of files;
            otherwise Landlock, the mounts or the user id say where that is possible.
        modes: whether to allow changes of modes and times, which Landlock does not cover.
        accelerator: whether to allow all that is not known to do harm, for an accelerator's driver.
        asks: the flags of ``clone`` about which the listener is asked (``stems.py``). It is asked,
            too, about calls that name a process, since a fork has another number than its stem,
            and about memory that is shared with a file.
    """
    if machine() not in ARCHITECTURES or sys.byteorder != "little":
        return None
    # That of a stem names no process: it is compiled in the fork server, for all of them.
    named = pid if asks is None else 0
    return _compiled(named, read_only=read_only, modes=modes, accelerator=accelerator, asks=asks)


@functools.lru_cache(maxsize=4)
def _compiled(
    pid: int, *, read_only: bool, modes: bool, accelerator: bool, asks: int | None
) -> bytes:
    column, arch = ARCHITECTURES[machine()]
    program: list[Instruction] = [
        (LOAD_WORD, 0, 0, OFFSET_ARCH),
        (JUMP_EQUAL, 1, 0, arch),
        (RETURN, 0, 0, RET_KILL_PROCESS),
        (LOAD_WORD, 0, 0, OFFSET_NUMBER),
        (JUMP_AT_LEAST, 0, 1, X32_BIT),
        (RETURN, 0, 0, RET_KILL_PROCESS),
        (JUMP_AT_LEAST, 0, 1, NEWEST),
        (RETURN, 0, 0, RET_ERRNO | errno.ENOSYS),
    ]
    denied, listed = RET_ERRNO | errno.EPERM, RET_ALLOW
    table, otherwise = NUMBERS, denied
    if accelerator:
        table, listed, otherwise = HARMFUL, denied, RET_ALLOW
    else:
        table = {**NUMBERS, **({} if read_only else CHANGES), **(MODES if modes else {})}
    for numbers in table.values():
        number = numbers[column]
        if number is not None:
            program += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, listed)]
    for name, rule in _conditions(pid, asks, read_only=read_only).items():
        number = {**CONDITIONAL, **SHARED}[name][column]
        if number is not None and not (accelerator and name in DRIVER_CALLS):
            program += [(JUMP_EQUAL, 0, len(rule), number), *rule]
    program.append((RETURN, 0, 0, otherwise))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _conditions(pid: int, asks: int | None, *, read_only: bool) -> dict[str, list[Instruction]]:
    """Return, for calls that depend on their arguments, programs that end in a verdict."""
    # glibc tries clone3 first, whose flags lie in memory where no filter can see them.
    refuse_politely: list[Instruction] = [(RETURN, 0, 0, RET_ERRNO | errno.ENOSYS)]
    # A thread that had open files of its own could hide them from who looks at its process.
    thread = CLONE_VM | CLONE_FILES | CLONE_THREAD
    new_thread: list[Instruction] = [
        (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS),
        (AND, 0, 0, thread | CLONE_NAMESPACES),
        (JUMP_EQUAL, 0, 1, thread),
        (RETURN, 0, 0, RET_ALLOW),
        (RETURN, 0, 0, RET_ERRNO | errno.EPERM),
    ]
    ask: list[Instruction] = [
        (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS),
        (JUMP_EQUAL, 0, 1, asks or 0),
        (RETURN, 0, 0, RET_ASK),
    ]
    itself = _one_of(0, [pid]) if asks is None else [(RETURN, 0, 0, RET_ASK)]
    itself_or_0 = _one_of(0, [0, pid]) if asks is None else _zero_or_asked()
    return {
        "open": _without(1, WRITING) if read_only else [(RETURN, 0, 0, RET_ALLOW)],
        "openat": _without(2, WRITING) if read_only else [(RETURN, 0, 0, RET_ALLOW)],
        "clone": new_thread if asks is None else [*ask, *new_thread],
        "clone3": refuse_politely,
        "close_range": _without(2, CLOSE_RANGE_UNSHARE),
        "kill": itself,
        "tgkill": itself,
        "prlimit64": itself_or_0,
        "sched_setaffinity": itself_or_0,
        "fcntl": [*_ignored(1, LOCK_COMMANDS), *_one_of(1, FCNTL_COMMANDS)],
        "madvise": [*_ignored(2, CACHE_ADVICE), (RETURN, 0, 0, RET_ALLOW)],
        "mmap": [(RETURN, 0, 0, RET_ALLOW)] if asks is None else SHARED_FILE,
        **{name: [(RETURN, 0, 0, IGNORE if name in IGNORED else NO_CALL)] for name in SHARED},
        "ioctl": _one_of(1, IOCTL_REQUESTS),
        "prctl": _one_of(0, PRCTL_OPTIONS)
        if asks is None
        else [*DIES_TOO, *_one_of(0, PRCTL_OPTIONS)],
        # Without an address: the answer on the wire, never a datagram.
        "sendto": [
            (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS + 8 * 4),
            (JUMP_EQUAL, 0, 3, 0),
            (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS + 8 * 4 + 4),
            (JUMP_EQUAL, 0, 1, 0),
            (RETURN, 0, 0, RET_ALLOW),
            (RETURN, 0, 0, RET_ERRNO | errno.EPERM),
        ],
    }


def _one_of(argument: int, values: Iterable[int]) -> list[Instruction]:
    """Allow a call whose argument, a C int, has one of the values."""
    program: list[Instruction] = [(LOAD_WORD, 0, 0, OFFSET_ARGUMENTS + 8 * argument)]
    for value in values:
        program += [(JUMP_EQUAL, 0, 1, value), (RETURN, 0, 0, RET_ALLOW)]
    return [*program, (RETURN, 0, 0, RET_ERRNO | errno.EPERM)]


def _zero_or_asked() -> list[Instruction]:
    """Allow a call that names no process but its own, by 0; ask about any other."""
    return [
        (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS),
        (JUMP_EQUAL, 0, 1, 0),
        (RETURN, 0, 0, RET_ALLOW),
        (RETURN, 0, 0, RET_ASK),
    ]


def _ignored(argument: int, values: Iterable[int]) -> list[Instruction]:
    """Leave out a call whose argument, a C int, has one of the values, and report success."""
    program: list[Instruction] = [(LOAD_WORD, 0, 0, OFFSET_ARGUMENTS + 8 * argument)]
    for value in values:
        program += [(JUMP_EQUAL, 0, 1, value), (RETURN, 0, 0, IGNORE)]
    return program


def _without(argument: int, bits: int) -> list[Instruction]:
    """Allow a call whose argument has none of the bits."""
    return [
        (LOAD_WORD, 0, 0, OFFSET_ARGUMENTS + 8 * argument),
        (AND, 0, 0, bits),
        (JUMP_EQUAL, 0, 1, 0),
        (RETURN, 0, 0, RET_ALLOW),
        (RETURN, 0, 0, RET_ERRNO | errno.EPERM),
    ]


def install(libc: ctypes.CDLL, program: bytes, *, listens: bool = False) -> int:
    """Put the calling process under the filter permanently.

    Returns:
        The descriptor of its listener if ``listens``; otherwise -1.

    Raises:
        OSError: the kernel refuses it.
    """
    prog = _SockFprog(len(program) // 8, program)
    if listens:
        number = SECCOMP[machine()]
        listener = int(libc.syscall(number, SET_MODE_FILTER, NEW_LISTENER, ctypes.byref(prog)))
        if listener < 0:
            raise OSError(ctypes.get_errno(), "seccomp with a listener")
        return listener
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(prog), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return -1
