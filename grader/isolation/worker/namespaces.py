"""A root folder, network and shared memory of the fork server's own, inherited by its children.

The new root is an empty read-only file system that holds read-only binds of the libraries and of
the folder where submissions are staged: hidden files do not exist in it, not even their names. A
worker mounts its scratch folder (``scratch.py``) in it.
Root does this directly and changes its user later; a plain user needs a user namespace, which
not every machine allows, and which containers never do. Sources: unshare(2), mount_namespaces(7),
user_namespaces(7), pivot_root(2).
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from . import scratch

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x8000000, 0x10000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND = 1, 2, 4, 32, 4096
MS_REC, MS_PRIVATE, MNT_DETACH = 16384, 1 << 18, 2
# Flags that a mount inherited from a more privileged namespace must keep: they are the same
# numbers in statvfs(3) and mount(2).
LOCKED = os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
MAX_STEPS = 1000  # on the way along a path with links; a circle of links ends here
MOUNT_POINTS = ("/mnt", "/media", "/srv", "/opt", "/sys", "/boot", "/var", "/etc")
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}  # numbers of the system call


class _NotPermittedError(Exception):
    """A step is not permitted here; the message says which."""


def enter(libc: ctypes.CDLL, readable: Iterable[str], hidden: Iterable[str], staging: str) -> str:
    """Move this process into namespaces of its own.

    Returns an empty text, or the step that failed. It is tried in a forked child first: a failure
    half-way would leave this process without its files.
    """
    shown = [*readable, staging, *DEVICES]
    pid = os.fork()
    if pid == 0:
        try:
            _enter(libc, shown, hidden)
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1] != 0:
        return "this machine does not allow a private root folder"
    try:
        _enter(libc, shown, hidden)
    except (_NotPermittedError, OSError) as error:
        return str(error)
    return ""


def _enter(libc: ctypes.CDLL, shown: Iterable[str], hidden: Iterable[str]) -> None:
    _unshare(libc)
    _mount(libc, "none", "/", None, MS_REC | MS_PRIVATE)
    # Everything is opened before the new root covers a part of the old one.
    plan = _Plan()
    for path in shown:
        plan.add(path)
    root = plan.unused_folder()
    _mount(libc, "none", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m")
    plan.carry_out(libc, root)
    scratch.mount_point(root)
    for path in hidden:
        place = root + scratch.relocated(os.path.realpath(path))
        if os.path.isdir(place):
            _mount(libc, "none", place, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "mode=755")
        elif os.path.exists(place):
            _mount(libc, "/dev/null", place, None, MS_BIND)
    os.chdir(root)
    if libc.syscall(PIVOT_ROOT[os.uname().machine], b".", b".") != 0:
        raise _NotPermittedError("pivot_root")
    if libc.umount2(b".", MNT_DETACH) != 0:
        raise _NotPermittedError("umount")
    os.chdir("/")
    _mount(libc, None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _unshare(libc: ctypes.CDLL) -> None:
    """Leave the machine's mounts, network and shared memory; a plain user's id stays the same."""
    user, group = os.geteuid(), os.getegid()
    flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET
    if libc.unshare(flags | (CLONE_NEWUSER if user != 0 else 0)) != 0:
        raise _NotPermittedError("unshare")
    if user == 0:
        return
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


class _Plan:
    """What the new root holds: opened folders and files by real path, and the links to them."""

    def __init__(self) -> None:
        self._links: dict[str, str] = {}
        self._handles: dict[str, int] = {}

    def add(self, path: str) -> None:
        """Open ``path``, and note every symbolic link that leads to it."""
        waiting = [part for part in os.path.abspath(path).split(os.sep) if part]
        at = ""
        for _ in range(MAX_STEPS):
            if not waiting:
                break
            at = f"{at}/{waiting.pop(0)}"
            if os.path.islink(at):
                target = os.readlink(at)
                self._links[at] = target
                resolved = os.path.normpath(os.path.join(os.path.dirname(at), target))
                waiting = [part for part in resolved.split(os.sep) if part] + waiting
                at = ""
        if at and at not in self._handles and os.path.exists(at):
            self._handles[at] = os.open(at, os.O_PATH | os.O_CLOEXEC)

    def unused_folder(self) -> str:
        """Return a folder of the old root that holds nothing of the new one."""
        for folder in MOUNT_POINTS:
            inside = [p for p in self._handles if f"{p}/".startswith(f"{folder}/")]
            if os.path.isdir(folder) and not os.path.islink(folder) and not inside:
                return folder
        raise _NotPermittedError("no folder to mount on")

    def carry_out(self, libc: ctypes.CDLL, root: str) -> None:
        """Make the links, and bind everything that was opened, below ``root``."""
        for link, target in self._links.items():
            place = root + scratch.relocated(link)
            os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
            os.symlink(target, place)
        for path, handle in self._handles.items():
            if not any(path.startswith(other + os.sep) for other in self._handles):
                _bind(libc, handle, root + scratch.relocated(path))
        for handle in self._handles.values():
            os.close(handle)


def _bind(libc: ctypes.CDLL, handle: int, place: str) -> None:
    """Bind what is open at ``handle`` read-only to ``place``, which is made for it."""
    is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
    os.makedirs(place if is_folder else os.path.dirname(place), mode=0o755, exist_ok=True)
    if not is_folder:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    _mount(libc, f"/proc/self/fd/{handle}", place, None, MS_BIND | MS_REC)
    if is_folder:
        kept = os.statvfs(place).f_flag & LOCKED
        flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | kept
        _mount(libc, None, place, None, flags)


def _mount(
    libc: ctypes.CDLL,
    source: str | None,
    target: str,
    kind: str | None,
    flags: int,
    data: str | None = None,
) -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    options = None if data is None else data.encode()
    if libc.mount(*words, ctypes.c_ulong(flags), options) != 0:
        raise _NotPermittedError(f"mount {target}: {os.strerror(ctypes.get_errno())}")
