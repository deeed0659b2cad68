"""Kinds of machine that a grader runs on, made out of this one.

``python tests/machines.py KIND COMMAND...`` runs a command as if on a machine of that kind. It
needs root, and replaces itself by the command::

    root                 as it is
    user                 an unprivileged user
    user-without-userns  the same where user namespaces are not allowed
    container            root with the capabilities and the seccomp profile that Docker gives
    container-without-landlock  the same on a kernel without Landlock

Sources: the default capabilities and seccomp profile of Docker (moby,
``profiles/seccomp/default_linux.go``, ``oci/caps/defaults.go``), as far as they matter here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import stat
import struct
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("root", "user", "user-without-userns", "container", "container-without-landlock")
USER = 54321
CLONE_NEWNS, CLONE_NAMESPACES = 0x20000, 0x7E020080
MS_BIND, MS_REC, MS_PRIVATE, MS_NOSUID, MS_NODEV = 4096, 16384, 1 << 18, 2, 4
PR_CAPBSET_DROP, PR_SET_SECCOMP = 24, 22
# chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw,
# sys_chroot, mknod, audit_write, setfcap
DOCKER_CAPABILITIES = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31)
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOAD, EQUAL, AND, RETURN, ANY_BIT = 0x20, 0x15, 0x54, 0x06, 0x45
NUMBERS = {  # x86_64, aarch64
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "bpf": (321, 280), "perf_event_open": (298, 241),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "mount_setattr": (442, 442),
    "quotactl": (179, 60), "reboot": (169, 142), "swapon": (167, 224), "acct": (163, 89),
    "init_module": (175, 105), "kexec_load": (246, 104), "clone": (56, 220), "clone3": (435, 435),
    "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}  # fmt: skip
LANDLOCK = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
libc = ctypes.CDLL(None, use_errno=True)


def lacking(kind: str) -> str | None:
    """Return why this kind cannot be made here; None if it can."""
    if kind == "root" and os.geteuid() == 0:
        return None
    if os.geteuid() != 0:
        return "only root can make other machines"
    if platform.machine() not in ("x86_64", "aarch64"):
        return f"no table of system calls for {platform.machine()}"
    pid = os.fork()
    if pid == 0:
        os._exit(1 if libc.unshare(CLONE_NEWNS) != 0 else 0)
    if os.waitpid(pid, 0)[1] != 0:
        return "mount namespaces are not allowed here"
    return None


def command(kind: str, *words: object) -> list[str]:
    """Return the command line that runs ``words`` on a machine of this kind."""
    return [sys.executable, str(Path(__file__).resolve()), kind, *(str(word) for word in words)]


def become(kind: str) -> None:
    """Turn this process into one of a machine of this kind."""
    if kind == "root":
        return
    _checked(libc.unshare(CLONE_NEWNS), "unshare")
    _checked(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "private mounts")
    # What another user must be able to reach may lie below a folder that only root may enter.
    needed = [str(ROOT), sys.prefix, sysconfig.get_config_var("installed_base")]
    for closed in sorted({folder for path in needed if (folder := _first_closed(path))}):
        _open_up(closed, needed)
    if kind.startswith("user"):
        _filter(["unshare"] if kind == "user-without-userns" else [], namespaces=False)
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
        return
    denied = [name for name in NUMBERS if name not in LANDLOCK and not name.startswith("clone")]
    absent = list(LANDLOCK) if kind == "container-without-landlock" else []
    _filter(denied, absent=[*absent, "clone3"], namespaces=True)
    for capability in range(64):
        if capability not in DOCKER_CAPABILITIES:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def _first_closed(path: str) -> str | None:
    """Return the topmost folder above ``path`` that other users may not enter."""
    folder = Path("/")
    for part in Path(path).resolve().parts[1:]:
        folder /= part
        if not folder.stat().st_mode & stat.S_IXOTH:
            return str(folder)
    return None


def _open_up(folder: str, needed: list[str]) -> None:
    """Cover ``folder`` by an open one that holds nothing but what is needed of it."""
    inside = {os.path.realpath(path) for path in needed}
    inside = {path for path in inside if path.startswith(f"{folder}/")}
    handles = {path: os.open(path, os.O_PATH) for path in inside}
    options = b"mode=755"
    flags = MS_NOSUID | MS_NODEV
    _checked(libc.mount(b"none", folder.encode(), b"tmpfs", flags, options), "cover")
    for path, handle in handles.items():
        os.makedirs(path, exist_ok=True)
        source = f"/proc/self/fd/{handle}".encode()
        _checked(libc.mount(source, path.encode(), None, MS_BIND | MS_REC, None), "bind")
        os.close(handle)


def _filter(denied: list[str], *, absent: list[str] | None = None, namespaces: bool) -> None:
    """Deny system calls to this process and all that follow it, as a container's profile does."""
    column = platform.machine() == "aarch64"
    program = [(LOAD, 0, 0, 0)]
    for name in denied:
        program += [(EQUAL, 0, 1, NUMBERS[name][column]), (RETURN, 0, 0, ERRNO | errno.EPERM)]
    for name in absent or []:
        program += [(EQUAL, 0, 1, NUMBERS[name][column]), (RETURN, 0, 0, ERRNO | errno.ENOSYS)]
    if namespaces:
        program += [
            (EQUAL, 0, 4, NUMBERS["clone"][column]),
            (LOAD, 0, 0, 16),
            (ANY_BIT, 0, 1, CLONE_NAMESPACES),
            (RETURN, 0, 0, ERRNO | errno.EPERM),
            (RETURN, 0, 0, ALLOW),
        ]
    program.append((RETURN, 0, 0, ALLOW))
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    prog = Program(len(program), code)
    _checked(libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(prog), 0, 0), "seccomp")


def _checked(result: int, what: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), what)


if __name__ == "__main__":
    become(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
