"""The limits a child puts on itself before it reads a line of student code.

Every layer is tried, never assumed: ``prepare`` finds out in the fork server which of them this
machine has, and its answer goes into every report. Sources: prctl(2), setrlimit(2), landlock(7),
mount_namespaces(7).
"""

from __future__ import annotations

import ctypes
import glob
import os
import resource
import stat
import sys
from dataclasses import dataclass, field
from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 1, 4, 38, 36
CLONE_NEWNS, MS_RDONLY, MS_NOSUID, MS_NODEV = 0x00020000, 1, 2, 4
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 32, 4096, 16384, 1 << 18, 2
SIGKILL = 9
MIB = 1024 * 1024
MAX_TASKS = 16  # threads of one worker; numeric libraries ask for none, a data loader for a few
MAX_ACCELERATOR_TASKS = 128
MAX_OPEN_FILES = 256
UID_BASE = 1_000_000_000  # beyond the ranges that systems hand out; plus the server's pid
NOBODY = 65534

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_RULE_PATH_BENEATH = 1
FS_EXECUTE, FS_READ_FILE, FS_READ_DIR, FS_WRITE_FILE = 1 << 0, 1 << 2, 1 << 3, 1 << 1
# File-system rights known to each ABI version: a ruleset may only name rights the kernel knows.
FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
FS_RIGHTS_FROM_5 = (1 << 16) - 1
NET_RIGHTS, ABI_WITH_NETWORK = 0b11, 4  # bind and connect of TCP sockets
SCOPES, ABI_WITH_SCOPES = 0b11, 6  # abstract Unix sockets and signals

libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Host:
    """What ``prepare`` found: the layers that work here and what they need."""

    layers: list[str] = field(default_factory=list)
    uid: int | None = None
    landlock_abi: int = 0
    readable: list[str] = field(default_factory=list)


def become_subreaper() -> None:
    """Inherit orphaned descendants, so that none can outlive its submission unseen."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def prepare(options: dict[str, Any]) -> Host:
    """Find out which layers work on this machine; called once in the fork server."""
    host = Host(layers=["process", "environment", "rlimits", "no_new_privs"])
    roots = {sys.prefix, sys.base_prefix, *sys.path, "/usr/lib", "/lib", "/lib64", "/usr/share"}
    host.readable = sorted(root for root in roots if os.path.exists(root))
    if os.geteuid() == 0:
        host.uid = _usable_uid(host.readable, options["staging"])
        if host.uid is not None:
            host.layers.append("setuid")
    abi = libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)
    if abi > 0:
        host.landlock_abi = abi
        host.layers.append(f"landlock abi {abi}")
    return host


def _usable_uid(readable: list[str], staging: str) -> int | None:
    """Return a user id under which the interpreter's files can still be read, or None.

    An interpreter below a folder that only root may enter could not import a module lazily any
    more; in a mount namespace of our own such folders are replaced by ones that hold nothing but
    the interpreter.
    """
    needed = [*readable, staging]
    closed = {folder for path in needed if (folder := _first_closed(path)) is not None}
    if closed and not all(_open_up(folder, needed) for folder in sorted(closed)):
        return None
    for uid in (UID_BASE + os.getpid(), NOBODY):
        if _trial(uid, readable, staging):
            return uid
    return None


def _first_closed(path: str) -> str | None:
    """Return the topmost folder above ``path`` that other users may not enter."""
    parts = os.path.realpath(path).split(os.sep)
    for end in range(2, len(parts) + 1):
        folder = os.sep.join(parts[:end])
        if os.path.isdir(folder) and not os.stat(folder).st_mode & stat.S_IXOTH:
            return folder
    return None


def _open_up(folder: str, needed: list[str]) -> bool:
    """Cover ``folder`` by an empty one that holds read-only binds of the needed paths below it."""
    inside = {p for p in (os.path.realpath(path) for path in needed) if p.startswith(folder + "/")}
    tops = [p for p in sorted(inside) if not any(p.startswith(q + "/") for q in inside)]
    if os.path.realpath(folder) in {os.path.realpath(path) for path in needed}:
        return False
    if libc.unshare(CLONE_NEWNS) != 0:
        return False
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        return False
    # Opened in the new namespace: a mount of another namespace cannot be the source of a bind.
    handles = {top: os.open(top, os.O_PATH | os.O_CLOEXEC) for top in tops if os.path.isdir(top)}
    target = folder.encode()
    try:
        if libc.mount(b"none", target, b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=755") != 0:
            return False
        if all(_bind(handle, top) for top, handle in handles.items()):
            return True
        libc.umount2(target, MNT_DETACH)
        return False
    finally:
        for handle in handles.values():
            os.close(handle)


def _bind(handle: int, target: str) -> bool:
    """Bind the folder open at ``handle`` read-only to the path ``target``."""
    os.makedirs(target, mode=0o755, exist_ok=True)
    source, place = f"/proc/self/fd/{handle}".encode(), target.encode()
    if libc.mount(source, place, None, MS_BIND | MS_REC, None) != 0:
        return False
    flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV
    return bool(libc.mount(None, place, None, flags, None) == 0)


def _trial(uid: int, readable: list[str], staging: str) -> bool:
    """Become ``uid`` in a child and see whether everything needed can be entered there."""
    pid = os.fork()
    if pid == 0:
        try:
            _drop_to(uid)
            good = all(os.access(path, os.R_OK) for path in readable)
            good = good and os.access(staging, os.X_OK)
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    return os.waitpid(pid, 0)[1] == 0


def _drop_to(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def apply(host: Host, limits: dict[str, Any], submission: str) -> None:
    """Lock the calling process down for good; ``submission`` is the one folder it may read."""
    if host.uid is not None:
        _drop_to(host.uid)
    # After the change of user, which clears both of these.
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    _limit_resources(limits)
    if host.uid is not None:
        # A user of the machine has processes that count too; our own user id has none but ours.
        tasks = MAX_ACCELERATOR_TASKS if limits["accelerator"] else MAX_TASKS
        resource.setrlimit(resource.RLIMIT_NPROC, (tasks, tasks))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if host.landlock_abi > 0:
        _landlock(host, submission, accelerator=limits["accelerator"])


def _limit_resources(limits: dict[str, Any]) -> None:
    budget = _address_space() + limits["memory_mb"] * MIB
    if limits["accelerator"]:
        # CUDA reserves address space for all memory of host and device.
        budget = resource.RLIM_INFINITY
    cpu_s = int(limits["cpu_s"])
    for what, soft, hard in (
        (resource.RLIMIT_AS, budget, budget),
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES, MAX_OPEN_FILES),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ):
        ceiling = resource.getrlimit(what)[1]
        if soft == resource.RLIM_INFINITY:
            continue
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)  # noqa: PLW2901
        resource.setrlimit(what, (soft, hard))


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


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


def _landlock(host: Host, submission: str, *, accelerator: bool) -> None:
    """Allow reading libraries and the submission, writing to the null device, nothing else.

    With an accelerator, also what its driver needs: its device files, and facts about the machine.
    """
    abi = host.landlock_abi
    has_network, has_scopes = abi >= ABI_WITH_NETWORK, abi >= ABI_WITH_SCOPES
    attr = _RulesetAttr(
        FS_RIGHTS.get(abi, FS_RIGHTS_FROM_5),
        NET_RIGHTS if has_network else 0,
        SCOPES if has_scopes else 0,
    )
    # An older kernel refuses a structure with fields that it does not know.
    size = 8 * (1 + has_network + has_scopes)
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(attr), size, 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock ruleset")
    read = FS_READ_FILE | FS_READ_DIR
    rules = [(path, read) for path in (*host.readable, submission)]
    rules += [("/dev/null", FS_READ_FILE | FS_WRITE_FILE), ("/dev/urandom", FS_READ_FILE)]
    if accelerator:
        rules += [(path, read | FS_WRITE_FILE) for path in glob.glob("/dev/nvidia*")]
        machine = ("/proc/driver", "/proc/devices", "/proc/self", "/proc/cpuinfo", "/sys/devices")
        rules += [(path, read) for path in machine]
    for path, access in rules:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = access if os.path.isdir(path) else access & ~FS_READ_DIR
        rule = _PathBeneathAttr(allowed, fd)
        failed = libc.syscall(
            LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, ctypes.byref(rule), 0
        )
        os.close(fd)
        if failed:
            raise OSError(ctypes.get_errno(), f"landlock rule for {path}")
    if libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) != 0:
        raise OSError(ctypes.get_errno(), "landlock")
    os.close(ruleset)
