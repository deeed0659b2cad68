"""What a hostile submission would try, run in a worker to see whether it is stopped.

This file is copied to where submissions are staged and imported there like one: it imports only the
standard library. It calls ``posix`` for files: for the programs of students a worker puts something
else in the place of ``os.open`` (``worker/redirect.py``). Every attack takes the dictionary
``target`` and raises ``OSError`` when it is stopped; otherwise it returns what it got. None of them
harms a machine that stops nothing. Attacks that may cost the worker its life are in
``deadly_attacks.py``.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import posix
import resource
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x20000
PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, SIGKILL = 1, 3, 39, 9
CAPABILITY_VERSION = 0x20080522
# Numbers of system calls without a function in the C library: x86_64, aarch64.
CALLS = {
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "perf_event_open": (298, 241),
    "pidfd_open": (434, 434),
    "userfaultfd": (323, 282),
}
FAMILIES = ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG")
EXPECTED_VARIABLES = {
    *("PATH", "LANG", "OMP_NUM_THREADS", "LC_CTYPE"),
    *("HOME", "TMPDIR", "MPLCONFIGDIR", "USER", "LOGNAME"),  # its scratch folder
}
LAST_OF_OURS = 3  # standard streams and the wire
MAX_DESCRIPTORS = 1024

Target = dict[str, Any]


class Stopped(OSError):
    """An attack got nothing although nothing raised an error."""


def _call(name: str, *arguments: Any) -> int:
    number = CALLS[name][os.uname().machine == "aarch64"]
    return _checked(libc.syscall(number, *arguments))


def _checked(result: int, *, harmless: tuple[int, ...] = ()) -> int:
    """Raise the error of a C function; errors in ``harmless`` mean that the call went through."""
    if result < 0 and ctypes.get_errno() not in harmless:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _first(attempts: list[Callable[[], Any]]) -> Any:
    """Return what the first successful attempt got; raises the error of the last one."""
    last: OSError = Stopped("nothing to try")
    for attempt in attempts:
        try:
            return attempt()
        except OSError as error:
            last = error
    raise last


def _read(path: str) -> str:
    if os.path.isdir(path):
        return f"{len(posix.listdir(path))} names in {path}"
    handle = posix.open(path, os.O_RDONLY)
    try:
        return f"{len(posix.read(handle, 100))} bytes of {path}"
    finally:
        posix.close(handle)


def reads_the_reference(target: Target) -> Any:
    return _first([partial(_read, path) for path in target["hidden_files"]])


def reads_a_private_file(target: Target) -> Any:
    return _read(target["private_file"])


def reads_a_neighbour(target: Target) -> Any:
    above = target["above"]
    names = [name for name in posix.listdir(above) if name == target["neighbour"]]
    if not names:
        raise Stopped("it is not there")
    return _read(os.path.join(above, names[0], "secret"))


def reads_through_proc(target: Target) -> Any:
    def attempts(pid: int) -> list[Callable[[], Any]]:
        proc = f"/proc/{pid}"
        return [
            lambda: posix.listdir(f"{proc}/root/"),
            lambda: posix.listdir(f"{proc}/cwd/"),
            lambda: posix.listdir(f"{proc}/fd"),
            lambda: _read(f"{proc}/environ"),
            lambda: _read(f"{proc}/maps"),
            lambda: posix.close(posix.open(f"{proc}/mem", os.O_RDONLY)),
        ]

    return _first([a for pid in (target["grader"], target["server"]) for a in attempts(pid)])


def sees_names(target: Target) -> Any:
    return _first([partial(posix.stat, path) for path in target["hidden_files"]])


def lists_the_machine(_target: Target) -> Any:
    return posix.listdir("/")


def writes_files(target: Target) -> Any:
    # The scratch folder may be written to, and lies where the machine's folders are looked for.
    private = os.path.realpath(os.path.dirname(os.environ.get("HOME", "/nowhere")))

    def attempt(folder: str) -> str:
        path = os.path.join(folder, f"left-behind-{os.getpid()}")
        posix.close(posix.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        posix.unlink(path)
        return path

    folders = [
        folder
        for folder in (target["own"], "/tmp", "/var/tmp", "/dev/shm", target["open_folder"])  # noqa: S108
        if not _leads_to(folder).startswith(private)
    ]
    return _first([partial(attempt, folder) for folder in folders])


def _leads_to(path: str) -> str:
    """Return where a path of the machine leads, link by link."""
    try:
        return os.path.join(os.path.dirname(path), posix.readlink(path))
    except OSError:
        return os.path.realpath(path)


def changes_its_files(target: Target) -> Any:
    path = os.path.join(target["own"], "attacks.py")
    return _first(
        [
            lambda: posix.chmod(path, 0o644),
            lambda: posix.utime(path),
            lambda: posix.close(posix.open(path, os.O_RDWR)),
            lambda: posix.rename(path, f"{path}.moved"),
        ]
    )


def signals_the_grader(target: Target) -> Any:
    return _first([partial(os.kill, target[name], 0) for name in ("grader", "server")])


def signals_by_a_file(target: Target) -> Any:
    import fcntl

    return fcntl.fcntl(1, fcntl.F_SETOWN, target["grader"])


def traces_the_server(target: Target) -> Any:
    _checked(libc.ptrace(PTRACE_SEIZE, target["server"], None, None))
    libc.ptrace(PTRACE_DETACH, target["server"], None, None)
    return "attached"


def reads_memory(target: Target) -> Any:
    buffer = ctypes.create_string_buffer(1)
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 1)
    done = libc.process_vm_readv(target["server"], vector, 1, vector, 1, 0)
    return _checked(done, harmless=(errno.EFAULT,))


def opens_the_grader(target: Target) -> Any:
    posix.close(_call("pidfd_open", target["grader"], 0))
    return "a descriptor"


def limits_the_grader(target: Target) -> Any:
    return resource.prlimit(target["grader"], resource.RLIMIT_NOFILE)


def slows_the_grader(target: Target) -> Any:
    pid = target["grader"]
    return _first(
        [
            lambda: os.sched_setaffinity(pid, os.sched_getaffinity(pid)),
            lambda: os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid)),
        ]
    )


def starts_processes(_target: Target) -> Any:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return f"process {pid}"


def runs_programs(_target: Target) -> Any:
    # With a pointer to nowhere as arguments: a permitted call fails later, by EFAULT.
    result = libc.execve(b"/bin/sh", ctypes.c_void_p(1), ctypes.c_void_p(1))
    return _checked(result, harmless=(errno.EFAULT,))


def opens_sockets(_target: Target) -> Any:
    for name in FAMILIES:
        family = getattr(socket, name, None)
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            with contextlib.suppress(OSError):
                if family is not None:
                    socket.socket(family, kind).close()
                    return name
    raise Stopped("no family of sockets")


def sends_to_the_machine(target: Target) -> Any:
    def tcp() -> str:
        with socket.create_connection(("127.0.0.1", target["tcp_port"]), 1):
            return "TCP"

    def abstract() -> str:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("\0" + target["abstract_name"])
            return "an abstract socket"

    def udp() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"answers", ("127.0.0.1", target["udp_port"]))
            return "UDP"

    return _first([tcp, abstract, udp])


def shares_memory(_target: Target) -> Any:
    def segment() -> str:
        identifier = _checked(libc.shmget(0, ctypes.c_size_t(4096), 0o1600))
        libc.shmctl(identifier, 0, None)
        return "a System V segment"

    def queue() -> str:
        identifier = _checked(libc.msgget(0, 0o1600))
        libc.msgctl(identifier, 0, None)
        return "a message queue"

    def file() -> str:
        posix.close(os.memfd_create("left"))
        return "a file in memory"

    return _first([segment, queue, file])


def gains_privileges(target: Target) -> Any:
    own = target["own"].encode()
    return _first(
        [
            lambda: _checked(libc.unshare(CLONE_NEWNS)),
            lambda: _checked(libc.unshare(CLONE_NEWUSER)),
            lambda: _checked(libc.mount(b"none", own, b"tmpfs", 0, None)),
            lambda: _checked(libc.chroot(own)),
            lambda: os.setgroups([0]),
        ]
    )


def uses_doors_of_the_kernel(_target: Target) -> Any:
    space = ctypes.create_string_buffer(256)
    return _first(
        [
            lambda: posix.close(_call("io_uring_setup", 1, space)),
            lambda: posix.close(_call("userfaultfd", 1)),
            lambda: _call("keyctl", 0, -3, 1),
            lambda: posix.close(_call("perf_event_open", space, 0, -1, -1, 0)),
            lambda: _call("bpf", 0, space, 64),
        ]
    )


def is_root(_target: Target) -> Any:
    if 0 not in (*os.getresuid(), *os.getresgid(), *os.getgroups()):
        raise Stopped("another user")
    return f"user {os.getuid()}, groups {os.getgroups()}"


def has_capabilities(_target: Target) -> Any:
    sets = (ctypes.c_uint32 * 6)()
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    _checked(libc.capget(header, sets))
    if not any(sets):
        raise Stopped("no capabilities")
    return f"capabilities {sets[3]:08x}{sets[0]:08x}"


def may_gain_privileges(_target: Target) -> Any:
    if libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1:
        raise Stopped("no_new_privs is set")
    return "programs could change the user"


def outlives_the_grader(_target: Target) -> Any:
    _checked(libc.prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0))
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    return "no signal when its parent dies"


def sees_the_environment(_target: Target) -> Any:
    more = set(os.environ) - EXPECTED_VARIABLES
    if not more:
        raise Stopped("an empty environment")
    return sorted(more)


def holds_descriptors(_target: Target) -> Any:
    found = []
    for fd in range(LAST_OF_OURS + 1, MAX_DESCRIPTORS):
        with contextlib.suppress(OSError):
            os.fstat(fd)
            found.append(fd)
    if not found:
        raise Stopped("only its own")
    return found


def holds_our_modules(_target: Target) -> Any:
    ours = {"grader", "reference", "pytest", "_pytest"} & set(sys.modules)
    if not ours:
        raise Stopped("none")
    return sorted(ours)


def has_no_limits(_target: Target) -> Any:
    limits = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE")
    for name in limits:
        what = getattr(resource, name)
        if resource.getrlimit(what)[1] == resource.RLIM_INFINITY:
            return name
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            return f"{name} raised"
    raise Stopped("all are set")


def probe(names: list[str], target: Target) -> list[list[str]]:
    """Try the attacks of these names; return for each ``stopped`` or ``done`` and what it got."""
    found = []
    for name in names:
        try:
            found.append(["done", str(globals()[name](target))[:200]])
        except OSError as error:
            found.append(["stopped", str(error)[:200]])
    return found
