"""Starts a fork server and talks to it (``grader/isolation/worker/server.py``)."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Collection
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from grader.errors import BrokenError, Closing

from .connection import IMPORT_SEED
from .left_out import LeftOut
from .limits import Ending, Limits
from .stems import Stems
from .worker import Forked, Worker

BOOT = Path(__file__).resolve().parent.parent / "worker" / "boot.py"
MAX_MESSAGE = 32 * 1024
START_TIMEOUT_S = 120.0  # importing torch takes 2 s here, and much longer from a cold network disk
END_TIMEOUT_S = 5.0  # to end its children and itself
REQUEST_TIMEOUT_S = 30.0  # a fork takes milliseconds; a machine this slow cannot grade anything
WORKERS_UMASK = 0o022  # other users pass through the folders that a server makes
# One thread everywhere: a pool of threads in the server would hang its forked children.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # sets of words are then in the same order in every run
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Each further thread would reserve 64 MiB of a worker's address space.
    "MALLOC_ARENA_MAX": "2",
}
# Which device the workers of this process use, and how much of its memory.
FOR_DEVICES = ("CUDA_VISIBLE_DEVICES", "PYTORCH_CUDA_ALLOC_CONF")


class ForkServer(Closing):
    """A clean process with libraries loaded, from which workers are forked.

    Args:
        preload: names of the modules to import besides numpy, such as ``torch``.
        staging: the folder below which submissions are staged.
        hidden: packages that its workers must not have, such as ``torch`` where students write
            gradients by hand.
        without: layers of isolation to leave out (``grader/isolation/worker/lockdown.py``).
        accelerator: whether its workers may use the machine's, which needs device files.

    Raises:
        BrokenError: it does not start, or does not answer.
    """

    def __init__(
        self,
        preload: tuple[str, ...],
        staging: Path,
        *,
        hidden: tuple[str, ...] = (),
        without: Collection[str] = (),
        accelerator: bool = False,
    ) -> None:
        self.preload = preload
        self.hidden = hidden
        self.staging = staging
        self.missing: dict[str, str] = {}
        self.uid: int | None = None
        self._left_out: dict[Path, LeftOut] = {}
        self._stems = Stems(self)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        options = json.dumps(
            {
                "preload": list(preload),
                "staging": str(staging),
                "hidden": list(hidden),
                "without": sorted(without),
                "accelerator": accelerator,
            }
        )
        # Without that layer a worker sees what its server sees.
        outside = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment = {**outside, **ENVIRONMENT} if "environment" in without else {**ENVIRONMENT}
        if accelerator:
            environment |= {name: outside[name] for name in FOR_DEVICES if name in outside}
        with theirs:
            # Its own standard error goes to the grader: what it prints there is about the grader.
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-s", str(BOOT), str(theirs.fileno()), options],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=environment,
                    cwd="/",
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                    umask=WORKERS_UMASK,
                )
            except OSError as error:
                ours.close()
                what = f"{sys.executable}: {error.strerror}"
                raise BrokenError(f"cannot start the fork server: {what}") from None
        self._control = ours
        try:
            self.isolation = self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> list[str]:
        """Wait until the libraries are loaded; return the layers of isolation that work here."""
        self._control.settimeout(START_TIMEOUT_S)
        hello = self._receive("the fork server did not start")
        self._control.settimeout(REQUEST_TIMEOUT_S)
        if hello["tasks"] != 1:
            raise BrokenError(
                f"the fork server runs {hello['tasks']} threads but must run only one: a library "
                "that it loaded ignores OMP_NUM_THREADS=1"
            )
        self.missing, self.uid = hello["missing"], hello["uid"]
        layers: list[str] = hello["isolation"]
        return layers

    def close(self) -> None:
        """End the server, which ends its children."""
        self._control.close()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
        self._stems.close()
        if self._process.stderr is not None:
            self._process.stderr.close()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    def spawn(
        self,
        submission: Path,
        limits: Limits,
        seed: int,
        module: str = "",
        expected: int = 1,
        *,
        in_turns: bool = False,
    ) -> Worker:
        """Return a locked-down worker that may read ``submission`` but no file of the grader.

        Args:
            submission: the folder of the staged code.
            limits: what the worker may use.
            seed: of its random generators once a module is loaded.
            module: what it will load; then it may be the fork of one that has (``stems.py``).
            expected: how many such workers are likely to be asked for, this one included.
            in_turns: whether it may have done other checks, if its program is proven to be pure.
        """
        if module:
            ready = self._stems.worker(
                submission, limits, seed, module, expected, in_turns=in_turns
            )
            if ready is not None:
                return ready
        again = partial(self.started, submission, limits)
        return Worker(again(), limits, again, self.left_out(submission), seed=seed)

    def left_out(self, submission: Path) -> LeftOut:
        """Return the statements of a submission that are not run."""
        return self._left_out.setdefault(submission, LeftOut())

    def started(self, submission: Path, limits: Limits, *, stem: bool = False) -> Forked:
        """Fork a child that locks itself down; a ``stem`` can be forked in turn, where that works.

        Raises:
            BrokenError: there is no child.
        """
        request = {
            "op": "spawn",
            "submission": str(submission),
            "limits": {**asdict(limits), "cpu_s": limits.cpu_s},
            "hidden": list(self.hidden),
            "seed": IMPORT_SEED,
            "stem": stem,
        }
        answer, ends = self._with_ends(request, 1)
        if answer.get("pid") is None:
            raise BrokenError("the fork server does not fork")
        about = answer["scratch"], answer["pid"], answer["stem"]
        return Forked(partial(self.reap, answer["pid"]), *ends[0], *about)

    def fork(self, stem: int, count: int) -> list[Forked] | str:
        """Fork a stem, which waits for it; if it is gone, say why it was unfit, or nothing.

        Raises:
            BrokenError: the server is gone.
        """
        answer, ends = self._with_ends({"op": "fork", "pid": stem}, count)
        if answer["unfit"] or not answer.get("pids"):
            return str(answer["unfit"])
        made = zip(answer["pids"], ends, strict=True)
        return [Forked(partial(self.reap, pid), *own, "", pid) for pid, own in made]

    def use(self, fork: int) -> int | None:
        """Let a fork go on; return how many tasks its user may have, None if it has changed."""
        answer = self._ask({"op": "use", "pid": fork}, [])
        return int(answer["tasks"]) if answer["fit"] else None

    def settle(self, pid: int) -> float | None:
        """Stop a worker that has loaded its module and can be a stem; None if it cannot.

        Returns for how many seconds it has computed, or waited for a processor.
        """
        answer = self._ask({"op": "settle", "pid": pid}, [])
        return None if answer["unfit"] else float(answer["busy_s"])

    def keep(self, pid: int) -> None:
        """Let a worker live on when other checks end."""
        self._ask({"op": "keep", "pid": pid}, [])

    def leave(self) -> None:
        """End what waits for the next check of a submission: there is none."""
        self._stems.end()

    def end(self, stem: int) -> None:
        """End a stem."""
        self._ask({"op": "end", "pid": stem}, [])

    def _with_ends(
        self, request: dict[str, Any], count: int
    ) -> tuple[dict[str, Any], list[tuple[socket.socket, int]]]:
        """Have workers made; return the answer, and our ends of each one's wire and output."""
        ours: list[tuple[socket.socket, int]] = []
        theirs: list[int] = []
        answer: dict[str, Any] = {}
        try:
            for _ in range(count):
                wire, its = socket.socketpair()
                read_end, write_end = os.pipe()
                ours.append((wire, read_end))
                theirs += [its.detach(), write_end]
            answer = self._ask(request, theirs)
        finally:
            for fd in theirs:
                os.close(fd)
            if not (answer.get("pid") or answer.get("pids")):
                for wire, read_end in ours:
                    wire.close()
                    os.close(read_end)
        return answer, ours

    def reap(self, pid: int, grace_s: float = 0.0) -> Ending:
        """End the worker ``pid`` with everything it started; it has ``grace_s`` to end itself."""
        answer = self._ask({"op": "reap", "pid": pid, "grace_s": grace_s}, [])
        return Ending(answer["status"], answer["cpu_s"], answer["strays"], answer["queued_s"])

    def _ask(self, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], fds)
        except OSError as error:
            raise BrokenError(f"the fork server is gone: {self._last_words(error)}") from None
        answer = self._receive("the fork server ended while it was needed")
        if "error" in answer:
            raise BrokenError(str(answer["error"]))
        return answer

    def _receive(self, problem: str) -> dict[str, Any]:
        try:
            data = self._control.recv(MAX_MESSAGE)
        except OSError as error:
            raise BrokenError(f"{problem}: no answer: {error}") from None
        if not data:
            words = self._last_words("it said nothing")
            raise BrokenError(f"{problem}: {words}")
        answer: dict[str, Any] = json.loads(data)
        return answer

    def _last_words(self, otherwise: object) -> str:
        """Return the last line that the server wrote before it ended."""
        self._process.kill()
        if self._process.stderr is None or self._process.stderr.closed:
            return str(otherwise)
        stderr = self._process.communicate()[1] or b""
        lines = stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else str(otherwise)
