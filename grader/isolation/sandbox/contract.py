"""The contract that isolation must keep on every machine: attacks that must not succeed.

``canary`` tries the quick attacks from one worker when a fork server starts; ``full_suite`` also
tries those that cost a worker its life. The level of isolation depends only on what was stopped,
never on what should have been there.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from grader.errors import BrokenError, WorkerLost

from .limits import Limits
from .server import ForkServer
from .worker import Reply, Worker

# Not imported: they need modules that only some systems have.
ATTACKS = Path(__file__).with_name("attacks.py")
DEADLY_ATTACKS = Path(__file__).with_name("deadly_attacks.py")
Level = Literal["full", "partial", "none"]
LEVELS: tuple[Level, ...] = ("full", "partial", "none")
PROBE_LIMITS = Limits(timeout_s=20.0, memory_mb=256, output_kb=64)
QUICK = Limits(timeout_s=1.0, memory_mb=256, output_kb=64)  # for what only a deadline ends
PATIENT = Limits(timeout_s=20.0, memory_mb=256, output_kb=64)  # also on a busy machine
DISCONNECT_S = 10.0  # until every process of an ended worker must be gone


@dataclass(frozen=True)
class Attack:
    """An attack and what it is about.

    Attributes:
        name: its function in ``attacks.py``, that of a ``DeadlyAttack`` in ``deadly_attacks.py``.
        aim: what is protected, in plain words.
        text: what the attack tries.
        layers: the layers that stop it, each alone, on a machine that has them.
        needed_for: ``full`` if only that level requires that it is stopped, ``partial`` if even
            that level does, ``None`` if it is only reported.
    """

    name: str
    aim: str
    text: str
    layers: tuple[str, ...]
    needed_for: Level | None = "full"


FILES, OTHERS, MACHINE, LIMITS = "hidden files", "other processes", "the machine", "limits"
PROBES = (
    Attack("reads_the_reference", FILES, "open a hidden file by its path",
           ("namespaces", "landlock")),
    Attack("reads_a_private_file", FILES, "open a file that only the grader's user may read",
           ("namespaces", "setuid", "landlock")),
    Attack("reads_a_neighbour", FILES, "look for other submissions next to its own",
           ("namespaces", "setuid", "landlock")),
    Attack("reads_through_proc", FILES, "reach the grader's files and memory through /proc",
           ("namespaces", "setuid", "landlock")),
    Attack("sees_names", FILES, "ask whether a hidden file exists, and its size",
           ("namespaces",), None),
    Attack("lists_the_machine", FILES, "list the root folder", ("landlock",), None),
    Attack("writes_files", MACHINE, "leave a file somewhere",
           ("namespaces", "landlock", "seccomp")),
    Attack("changes_its_files", MACHINE, "change the staged submission or its modes",
           ("namespaces", "setuid", "seccomp")),
    Attack("signals_the_grader", OTHERS, "send signals to the grader",
           ("setuid", "landlock", "seccomp")),
    Attack("signals_by_a_file", OTHERS, "make the kernel send signals for it (F_SETOWN)",
           ("seccomp",)),
    Attack("traces_the_server", OTHERS, "trace the fork server", ("setuid", "seccomp")),
    Attack("reads_memory", OTHERS, "read the fork server's memory", ("setuid", "seccomp")),
    Attack("opens_the_grader", OTHERS, "open the grader as a descriptor", ("seccomp",)),
    Attack("limits_the_grader", OTHERS, "set limits of the grader", ("setuid", "seccomp")),
    Attack("slows_the_grader", OTHERS, "set the grader's processors and priority",
           ("setuid", "seccomp")),
    Attack("starts_processes", MACHINE, "start a process", ("seccomp",)),
    Attack("runs_programs", MACHINE, "run a program", ("landlock", "seccomp")),
    Attack("opens_sockets", MACHINE, "open a socket of any family", ("seccomp",)),
    Attack("sends_to_the_machine", MACHINE, "connect to services of the machine",
           ("namespaces", "seccomp")),
    Attack("shares_memory", MACHINE, "make memory that outlives it", ("seccomp",)),
    Attack("is_root", OTHERS, "be root or in root's groups", ("setuid",)),
    Attack("has_capabilities", MACHINE, "hold a capability", ("setuid", "no_new_privs")),
    Attack("may_gain_privileges", MACHINE, "run without no_new_privs", ("no_new_privs",)),
    Attack("gains_privileges", MACHINE, "unshare, mount, chroot, change groups", ("seccomp",)),
    Attack("uses_doors_of_the_kernel", MACHINE, "use io_uring, userfaultfd, keys, perf, bpf",
           ("seccomp",)),
    Attack("outlives_the_grader", OTHERS, "stay alive when the grader dies", ("seccomp",)),
    Attack("sees_the_environment", FILES, "read the grader's environment",
           ("environment",), "partial"),
    Attack("holds_descriptors", FILES, "find files that the grader has open",
           ("process",), "partial"),
    Attack("holds_our_modules", FILES, "find the grader's modules in its memory",
           ("process",), "partial"),
    Attack("has_no_limits", LIMITS, "raise its limits", ("rlimits",), "partial"),
)  # fmt: skip


@dataclass(frozen=True)
class DeadlyAttack(Attack):
    """An attack that gets its own worker; ``lost`` lists the reasons for which it must be lost.

    ``error`` is the exception that stops it instead.
    """

    lost: tuple[str, ...] = ()
    error: str = ""


DEADLY = (
    DeadlyAttack("eats_memory", LIMITS, "take all the memory", ("rlimits",), "partial",
                 error="MemoryError"),
    DeadlyAttack("computes_for_ever", LIMITS, "ignore signals and compute forever", ("process",),
                 "partial", lost=("timeout",)),
    DeadlyAttack("sleeps_for_ever", LIMITS, "sleep forever", ("process",), "partial",
                 lost=("timeout",)),
    DeadlyAttack("prints_for_ever", LIMITS, "print forever", ("process",), "partial",
                 lost=("output_limit",)),
    DeadlyAttack("starts_many_processes", LIMITS, "start processes that outlive it", ("process",),
                 "partial"),
    DeadlyAttack("ends_itself", LIMITS, "leave without an answer", ("process",), "partial",
                 lost=("crashed",)),
    DeadlyAttack("forges_an_answer", LIMITS, "announce more than fits into memory", ("process",),
                 "partial", lost=("crashed", "output_limit")),
    DeadlyAttack("answers_one_byte_at_a_time", LIMITS, "keep the grader waiting", ("process",),
                 "partial", lost=("crashed", "timeout")),
    DeadlyAttack("returns_a_gigabyte", LIMITS, "return more than an answer may hold", ("process",),
                 "partial", lost=("crashed", "output_limit")),
    DeadlyAttack("sends_a_pickle", LIMITS, "send a pickle", ("process",), "partial",
                 lost=("crashed",)),
)  # fmt: skip


@dataclass(frozen=True)
class AttackResult:
    """Whether an attack was stopped, and what it got or how it ended."""

    attack: Attack
    stopped: bool
    detail: str


@dataclass(frozen=True)
class IsolationLevel:
    """What the attacks found on this machine."""

    findings: tuple[AttackResult, ...]

    @property
    def level(self) -> Level:
        """``full``, ``partial`` or ``none``: the level whose required attacks were all stopped."""
        failed = {finding.attack.needed_for for finding in self.findings if not finding.stopped}
        if "partial" in failed:
            return "none"
        return "partial" if "full" in failed else "full"

    @property
    def open(self) -> tuple[AttackResult, ...]:
        """The attacks that succeeded although a level requires that they are stopped."""
        return tuple(f for f in self.findings if not f.stopped and f.attack.needed_for)

    def described(self) -> list[str]:
        """Return the level and what was stopped, for the list ``isolation`` of a report."""
        stopped = sum(finding.stopped for finding in self.findings)
        lines = [self.level, f"{stopped} of {len(self.findings)} attacks stopped"]
        names = [finding.attack.name for finding in self.findings if not finding.stopped]
        return lines + ([f"not stopped: {', '.join(names)}"] if names else [])


def canary(server: ForkServer, hidden: Sequence[Path]) -> IsolationLevel:
    """Try all quick attacks from one worker of ``server``.

    Args:
        server: a running fork server.
        hidden: files that no worker may read, such as the rubric and the reference.

    Raises:
        BrokenError: the attacks could not be tried.
    """
    with _scene(server, hidden) as (folder, target):
        try:
            with server.spawn(folder, PROBE_LIMITS, 0) as worker:
                _expect(worker.load(ATTACKS.stem))
                names = [attack.name for attack in PROBES]
                reply = _expect(worker.call("probe", (names, target), ()))
        except WorkerLost as lost:
            raise BrokenError(f"isolation could not be tested: {lost.message}") from None
    return IsolationLevel(
        tuple(
            AttackResult(attack, result == "stopped", detail)
            for attack, (result, detail) in zip(PROBES, reply.value, strict=True)
        )
    )


def full_suite(server: ForkServer, hidden: Sequence[Path]) -> IsolationLevel:
    """Try all attacks: those of ``canary``, then each trial in a worker of its own."""
    quick = canary(server, hidden)
    with _scene(server, hidden) as (folder, _target):
        slow = [_try(server, folder, trial) for trial in DEADLY]
    return IsolationLevel((*quick.findings, *slow))


def _try(server: ForkServer, folder: Path, trial: DeadlyAttack) -> AttackResult:
    started = time.monotonic()
    limits = QUICK if "timeout" in trial.lost else PATIENT
    try:
        with server.spawn(folder, limits, 0) as worker:
            _expect(worker.load(DEADLY_ATTACKS.stem))
            ended = _ending(worker, trial)
    except WorkerLost as lost:
        ended = AttackResult(trial, lost.reason in trial.lost, lost.message)
    if time.monotonic() - started > limits.timeout_s + DISCONNECT_S:
        return AttackResult(trial, stopped=False, detail="it kept the grader waiting")
    left = _children_of(server.pid)
    if left:
        return AttackResult(trial, stopped=False, detail=f"{left} processes are still running")
    return ended


def _ending(worker: Worker, trial: DeadlyAttack) -> AttackResult:
    reply = worker.call(trial.name, (), ())
    if reply.error is not None:
        stopped = reply.error.type == trial.error
        return AttackResult(trial, stopped, f"{reply.error.type}: {reply.error.text}")
    # A trial without a requirement is judged by what it leaves behind.
    return AttackResult(
        trial, not (trial.lost or trial.error), f"returned {str(reply.value)[:100]}"
    )


def _children_of(pid: int) -> int:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return len(text.split())


def _expect(reply: Reply) -> Reply:
    """Raise if the attacks themselves fail: that would look as if they were stopped."""
    if reply.error is not None:
        words = f"{reply.error.type}: {reply.error.text}"
        raise BrokenError(f"isolation could not be tested: {words}")
    return reply


@contextlib.contextmanager
def _scene(server: ForkServer, hidden: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Stage the attacks and create their targets; everything is removed afterwards."""
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="canary-", dir=server.staging))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for source in (ATTACKS, DEADLY_ATTACKS):
            shutil.copyfile(source, folder / source.name)
            (folder / source.name).chmod(0o444)
        folder.chmod(0o755)
        neighbour = Path(tempfile.mkdtemp(prefix="neighbour-", dir=server.staging.parent))
        stack.callback(shutil.rmtree, neighbour, ignore_errors=True)
        neighbour.chmod(0o755)
        (neighbour / "secret").write_bytes(b"another student's work")
        (neighbour / "secret").chmod(0o644)
        private = neighbour / "private"
        private.write_bytes(b"for the grader only")
        private.chmod(0o600)
        anyone = neighbour / "anyone"
        anyone.mkdir()
        anyone.chmod(0o777)  # the worst case: a folder in which everybody may write
        name = f"grader-{secrets.token_hex(8)}"
        yield (
            folder,
            {
                "hidden_files": [str(path) for path in hidden or [neighbour / "secret"]],
                "private_file": str(private),
                "above": str(server.staging.parent),
                "neighbour": neighbour.name,
                "grader": os.getpid(),
                "server": server.pid,
                "own": str(folder),
                "open_folder": str(anyone),
                "tcp_port": _listener(stack, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
                "udp_port": _listener(stack, socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
                "abstract_name": name,
                "abstract": _listener(stack, socket.AF_UNIX, socket.SOCK_STREAM, f"\0{name}"),
            },
        )


def _listener(stack: contextlib.ExitStack, family: int, kind: int, address: Any) -> int:
    """Open a service for the attacks to reach; return its port."""
    try:
        service = stack.enter_context(socket.socket(family, kind))
        service.bind(address)
        if kind == socket.SOCK_STREAM:
            service.listen()
    except OSError:
        return 0  # a machine without this family offers nothing to connect to
    return int(service.getsockname()[1]) if family == socket.AF_INET else 0
