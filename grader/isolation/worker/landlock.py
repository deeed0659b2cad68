"""Landlock: lets a worker read some files and write none.

Source: landlock(7), and the kernel's ``include/uapi/linux/landlock.h``.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH_BENEATH = 1
WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_FILE, MAKE_LINK = 1 << 4, 1 << 5, 1 << 7, 1 << 8, 1 << 12
REFER, ABI_WITH_REFER = 1 << 13, 2  # moving files to another folder
TRUNCATE, ABI_WITH_TRUNCATE = 1 << 14, 3
# File-system rights known to each ABI version: a ruleset may only name rights the kernel knows.
FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
FS_RIGHTS_FROM_5 = (1 << 16) - 1
NET_RIGHTS, ABI_WITH_NETWORK = 0b11, 4  # bind and connect of TCP sockets
SCOPES, ABI_WITH_SCOPES = 0b11, 6  # abstract Unix sockets and signals

PathRule = tuple[str, int]  # path, access rights below it


class _RulesetAttr(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneathAttr(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def abi(libc: ctypes.CDLL) -> int:
    """Return the version of Landlock that the kernel offers; 0 or less without it."""
    return int(libc.syscall(CREATE_RULESET, None, 0, 1))


def rules_for(readable: Iterable[str], hidden: Iterable[str]) -> list[PathRule]:
    """Return rules that allow reading below ``readable``, except what is in ``hidden``.

    Landlock can only grant. A folder that holds something hidden is listed and granted entry by
    entry: its names can be read, which imports need, but not the contents of what is hidden.
    """
    rules: list[PathRule] = []
    concealed = [os.path.realpath(path) for path in hidden]
    waiting = list(readable)
    while waiting:
        path = waiting.pop()
        real = os.path.realpath(path)
        if real in concealed:
            continue
        if any(other.startswith(real + os.sep) for other in concealed):
            rules.append((path, READ_DIR))
            waiting += [os.path.join(path, name) for name in os.listdir(path)]
        else:
            rules.append((path, READ_FILE | READ_DIR))
    return rules


def own_folder(version: int) -> int:
    """Return the rights in a folder in which a worker may do what it likes with its files."""
    rights = WRITE_FILE | READ_FILE | READ_DIR | REMOVE_DIR | REMOVE_FILE
    rights |= MAKE_DIR | MAKE_FILE | MAKE_LINK
    rights |= REFER if version >= ABI_WITH_REFER else 0
    return rights | (TRUNCATE if version >= ABI_WITH_TRUNCATE else 0)


def restrict(libc: ctypes.CDLL, version: int, rules: Iterable[PathRule]) -> None:
    """Allow the calling process what the rules say and nothing else, permanently.

    Raises:
        OSError: the kernel refuses it.
    """
    has_network, has_scopes = version >= ABI_WITH_NETWORK, version >= ABI_WITH_SCOPES
    attr = _RulesetAttr(
        FS_RIGHTS.get(version, FS_RIGHTS_FROM_5),
        NET_RIGHTS if has_network else 0,
        SCOPES if has_scopes else 0,
    )
    # An older kernel refuses a structure with fields that it does not know.
    size = 8 * (1 + has_network + has_scopes)
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(attr), size, 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock ruleset")
    for path, access in rules:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = access if os.path.isdir(path) else access & ~READ_DIR
        rule = _PathBeneathAttr(allowed, fd)
        failed = libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0)
        os.close(fd)
        if failed:
            raise OSError(ctypes.get_errno(), f"landlock rule for {path}")
    if libc.syscall(RESTRICT_SELF, ruleset, 0) != 0:
        raise OSError(ctypes.get_errno(), "landlock")
    os.close(ruleset)
