"""The limits a child puts on itself before it reads a line of student code.

Every layer is tested, never assumed: ``prepare`` finds out in the fork server which of them this
machine has, and its answer goes into every report. The trusted side tests what the layers stop
(``isolation/sandbox/contract.py``). Sources: prctl(2), setrlimit(2), capabilities(7).
"""

from __future__ import annotations

import ctypes
import fcntl
import glob
import os
import resource
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import landlock, namespaces, scratch, seccomp

# In the order in which they are put on. "process" is the separate process itself.
LAYERS = (
    "process", "environment", "rlimits", "no_new_privs", "namespaces", "setuid", "landlock",
    "seccomp",
)  # fmt: skip
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 1, 4, 38, 36
PR_CAPBSET_DROP, LAST_CAPABILITY = 24, 63
CAPABILITY_VERSION = 0x20080522
SIGKILL = 9
MIB = 1024 * 1024
MAX_BESIDE = 64  # stems of a submission, and forks of theirs that wait: tasks of the same user
MAX_TASKS = 48  # threads of one worker; a ThreadPoolExecutor starts up to 32 by itself
MAX_ACCELERATOR_TASKS = 128
MAX_OPEN_FILES = 256
UID_BASE = 1_000_000_000  # beyond the ranges that systems hand out; plus the server's pid
NOBODY = 65534
PROC_FD = 300
READ_AT_ONCE = 16 * 1024  # bytes of a file of /proc; the kernel hands out 4 KiB of most

libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Host:
    """What ``prepare`` found: the layers that work here and what they need.

    ``missing`` says why layers that were requested do not work here.
    """

    layers: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    uid: int | None = None
    landlock_abi: int = 0
    rules: list[landlock.PathRule] = field(default_factory=list)
    accelerator: bool = False
    proc: int = -1  # a descriptor of /proc, which the private root folder does not hold

    def has(self, layer: str) -> bool:
        """Say whether children use this layer."""
        return layer in self.layers

    @property
    def owns_nothing(self) -> bool:
        """Whether a worker can change no file of the machine's because of who and where it is."""
        return self.has("namespaces") or self.has("setuid")

    @property
    def has_scratch(self) -> bool:
        """Whether a worker can be given a folder of its own, and nothing besides.

        Another user id alone is not enough: folders that are open to everybody remain.
        """
        return self.has("namespaces") or self.has("landlock")

    @property
    def worker_uid(self) -> int:
        """The user id that workers have."""
        return self.uid if self.has("setuid") and self.uid is not None else os.geteuid()


def become_subreaper() -> None:
    """Inherit orphaned descendants, so that none can outlive its submission unnoticed."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def hide_memory() -> None:
    """Keep processes of the same user from tracing this one and from reading its memory."""
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def prepare(options: dict[str, Any]) -> Host:
    """Find out which layers work on this machine, once, in the fork server.

    ``options`` holds ``staging`` (the folder of the submissions), ``hidden`` (names of packages
    whose files must not be readable), ``without`` (layers to leave out) and ``accelerator``.
    """
    wanted = [layer for layer in LAYERS if layer not in options["without"]]
    host = Host(accelerator=options["accelerator"])
    opened = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    # Out of the way of the numbers that a child gives to its wire.
    host.proc = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, PROC_FD)
    os.close(opened)
    staging, readable = options["staging"], _readable()
    hidden = _files_of(options["hidden"], readable)
    host.layers = [layer for layer in wanted if layer in LAYERS[:4]]
    probes: dict[str, Callable[[], str]] = {
        "namespaces": lambda: _namespaces(readable, hidden, staging, host),
        "setuid": lambda: _setuid([*readable, staging], host),
        "landlock": lambda: _landlock(readable, hidden, host),
        "seccomp": lambda: _seccomp(host),
    }
    for layer, probe in probes.items():
        if layer in wanted:
            problem = probe()
            if problem:
                host.missing[layer] = problem
            else:
                host.layers.append(layer)
    return host


def _readable() -> list[str]:
    """Return the folders of the standard library, of installed packages and of shared libraries.

    Not the whole prefix: on many machines that is ``/usr`` or ``/usr/local``, where a course may
    keep its reference.
    """
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = {sysconfig.get_path(name) for name in names}
    paths |= set(sys.path)
    base = sysconfig.get_config_var("installed_base") or "/usr"
    paths |= {os.path.join(base, "lib"), "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share"}
    return sorted(path for path in paths if path and os.path.isdir(path))


def _files_of(packages: list[str], readable: list[str]) -> list[str]:
    """Return the files and folders, directly in the readable ones, that belong to packages."""
    return [
        os.path.join(folder, name)
        for folder in readable
        for name in os.listdir(folder)
        if name.partition(".")[0] in packages
    ]


def _namespaces(readable: list[str], hidden: list[str], staging: str, host: Host) -> str:
    if host.accelerator:
        return "the accelerator's driver needs the machine's own files"
    return namespaces.enter(libc, readable, hidden, staging)


def _setuid(needed: list[str], host: Host) -> str:
    if os.geteuid() != 0:
        return "the grader does not run as root"
    for uid in (UID_BASE + os.getpid(), NOBODY):
        if _trial(uid, needed):
            host.uid = uid
            return ""
    return "another user cannot enter the folder of Python or of the submissions"


def _landlock(readable: list[str], hidden: list[str], host: Host) -> str:
    host.landlock_abi = landlock.abi(libc)
    if host.landlock_abi <= 0:
        return "this kernel does not have it"
    read = landlock.READ_FILE | landlock.READ_DIR
    # A private root folder holds nothing of what is hidden: a few rules do for hundreds.
    host.rules = landlock.rules_for(readable, [] if host.has("namespaces") else hidden)
    host.rules.append(("/dev/null", landlock.READ_FILE | landlock.WRITE_FILE))
    host.rules.append(("/dev/urandom", landlock.READ_FILE))
    if host.accelerator:
        devices = glob.glob("/dev/nvidia*")
        host.rules += [(path, read | landlock.WRITE_FILE) for path in devices]
        machine = ("/proc/driver", "/proc/devices", "/proc/self", "/proc/cpuinfo", "/sys/devices")
        host.rules += [(path, read) for path in machine]
    return ""


def _seccomp(host: Host) -> str:
    program = seccomp.compile_filter(1, accelerator=host.accelerator)
    if program is None:
        return f"there is no table of system calls for {seccomp.machine()}"
    pid = os.fork()
    if pid == 0:
        try:
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            seccomp.install(libc, program)
            os._exit(0)
        finally:
            os._exit(1)
    return "" if os.waitpid(pid, 0)[1] == 0 else "the kernel refuses a filter"


def _trial(uid: int, needed: list[str]) -> bool:
    """Become ``uid`` in a child and see whether it can enter everything that it needs."""
    pid = os.fork()
    if pid == 0:
        try:
            _drop_to(uid)
            # Submissions are reached by name; libraries are searched, too.
            *libraries, staging = needed
            good = all(os.access(path, os.R_OK | os.X_OK) for path in libraries)
            os._exit(0 if good and os.access(staging, os.X_OK) else 1)
        finally:
            os._exit(2)
    return os.waitpid(pid, 0)[1] == 0


def _drop_to(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def address_space(host: Host) -> int:
    """Return the bytes of address space that this process has mapped."""
    return int(read("self/statm", host.proc).split()[0]) * resource.getpagesize()


def read(path: str, folder: int) -> bytes:
    """Return the bytes of a file in ``folder``, a descriptor of ``/proc``."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        pieces = []
        while piece := os.read(fd, READ_AT_ONCE):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(fd)


def children(host: Host) -> list[int]:
    """Return the children of this process, dead and alive."""
    return [int(word) for word in read("thread-self/children", host.proc).split()]


def time_in_queue(host: Host, pid: int) -> float:
    """Return for how many seconds a child was ready to run while other processes ran.

    Source: the kernel's ``Documentation/scheduler/sched-stats.rst``, ``/proc/<pid>/schedstat``.
    """
    try:
        return int(read(f"{pid}/schedstat", host.proc).split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0  # not every kernel keeps track of it


def make_scratch(host: Host, request: dict[str, Any]) -> tuple[str, str]:
    """Make the scratch folder of a worker; return it, and the working folder in it.

    Without one, the submission is the working folder. Called before anything is locked down.
    """
    submission = str(request["submission"])
    base = request["scratch"]
    if host.has("namespaces") and request["limits"]["scratch_mb"]:
        base = scratch.mount(libc, host.worker_uid, request["limits"]["scratch_mb"])
    if not base:
        return "", submission
    size_mb = request["limits"]["scratch_mb"]
    # As the worker's user: a root without CAP_DAC_OVERRIDE may not write into its folder.
    before = os.geteuid()
    if host.worker_uid != before:
        os.seteuid(host.worker_uid)
    try:
        work = scratch.fill(base, submission, size_mb)
        os.chdir(work)
    finally:
        if host.worker_uid != before:
            os.seteuid(before)
    return base, work


def apply(
    host: Host, limits: dict[str, Any], submission: str, own: str = "", asks: int | None = None
) -> int:
    """Lock the calling process down for good.

    Args:
        host: what works on this machine.
        limits: the worker's.
        submission: the one folder that it may read besides the libraries.
        own: the folder in which it may write, if there is one.
        asks: the flags of ``clone`` about which somebody else is asked.

    Returns:
        The listener by which that one is asked, a descriptor; otherwise -1.
    """
    size = address_space(host)
    if host.has("setuid") and host.uid is not None:
        _drop_to(host.uid)
    elif host.has("no_new_privs"):
        _drop_capabilities()
    # After the change of user, which clears both of these.
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    hide_memory()
    if host.has("rlimits"):
        _limit_resources(
            *(limits, size, limits["scratch_mb"] * MIB if own else 0),
            own_user=host.has("setuid"),
            accelerator=host.accelerator,
            is_stem=asks is not None,
        )
    if host.has("no_new_privs") and libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if host.has("landlock"):
        read = landlock.READ_FILE | landlock.READ_DIR
        rules = [*host.rules, (submission, read)]
        if own:
            rules.append((own, landlock.own_folder(host.landlock_abi)))
        landlock.restrict(libc, host.landlock_abi, rules)
    if host.has("seccomp"):
        program = filter_of(host, has_own=bool(own), asks=asks)
        if program is None:
            raise OSError(0, "seccomp")
        return seccomp.install(libc, program, listens=asks is not None)
    return -1


def filter_of(host: Host, *, has_own: bool = True, asks: int | None = None) -> bytes | None:
    """Return the filter of system calls of this process; it may have a folder of its own."""
    return seccomp.compile_filter(
        os.getpid(),
        read_only=not has_own,
        modes=has_own and host.owns_nothing,
        accelerator=host.accelerator,
        asks=asks,
    )


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def _drop_capabilities() -> None:
    """Give up what root, or the creator of a user namespace, may do."""
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = _CapabilityHeader(CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.capset(ctypes.byref(header), ctypes.byref(nothing)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _limit_resources(
    limits: dict[str, Any],
    size: int,
    file_bytes: int,
    *,
    own_user: bool,
    accelerator: bool,
    is_stem: bool,
) -> None:
    wanted = [
        (resource.RLIMIT_CPU, int(limits["cpu_s"]), int(limits["cpu_s"]) + 1),
        (resource.RLIMIT_FSIZE, file_bytes, file_bytes),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES, MAX_OPEN_FILES),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ]
    if not accelerator:
        # CUDA reserves address space for all memory of host and device.
        budget = size + limits["memory_mb"] * MIB
        wanted.append((resource.RLIMIT_AS, budget, budget))
    if own_user:
        # A user of the machine has other processes that count; the worker's own user id has none.
        tasks = MAX_ACCELERATOR_TASKS if accelerator else limits["tasks"]
        # A worker that becomes a stem has forks, which set their own limit (``allow_tasks``).
        wanted.append((resource.RLIMIT_NPROC, tasks, tasks + MAX_BESIDE * is_stem))
    for what, soft, hard in wanted:
        ceiling = resource.getrlimit(what)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)  # noqa: PLW2901
        resource.setrlimit(what, (soft, hard))


def allow_tasks(before: int, tasks: int) -> None:
    """Let the user of this process, a fork, have so many, if it could have so many ``before``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft == before:  # else it is the student's own choice
        resource.setrlimit(resource.RLIMIT_NPROC, (min(tasks, hard), hard))
