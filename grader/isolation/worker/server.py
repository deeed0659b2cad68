"""The fork server: a clean process with the libraries loaded, which forks one child per request.

It talks to the trusted side over a sequenced-packet socket in small JSON messages. A request to
spawn brings two descriptors along: the child's end of the wire and the pipe for its output.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Collection
from typing import Any

from . import child, compiler, hugepages, lockdown, modules, ordinary, scratch
from .outside import UnfitError
from .stems import FOR_EVER, StemKeeper

MAX_DESCRIPTORS = 64  # two for each worker that is made at a time
PEEK = os.WEXITED | os.WNOHANG | os.WNOWAIT
MANY = 16  # workers after which a server's memory is put into huge pages
MAX_MESSAGE = 32 * 1024  # control messages hold a handful of numbers and two paths


def serve(control_fd: str, options_json: str, before: Collection[str]) -> None:
    """Serve requests from the descriptor ``control_fd`` until it is closed by the other side.

    ``before`` are the modules that had been loaded before the grader's own.
    """
    options = json.loads(options_json)
    control = socket.socket(fileno=int(control_fd))
    if not options["preload"]:  # else these libraries load most of them, too
        modules.LOADED_AHEAD.update(name for name in sys.modules if name not in before)
    _preload(options["preload"])
    ordinary.prepare(options["preload"])
    lockdown.become_subreaper()
    # Threads do not survive a fork: a child that needs a lost thread would hang forever.
    tasks = len(os.listdir("/proc/self/task"))
    host = lockdown.prepare(options)
    lockdown.hide_memory()
    names = [f"landlock abi {host.landlock_abi}" if n == "landlock" else n for n in host.layers]
    _send(control, {"isolation": names, "missing": host.missing, "tasks": tasks, "uid": host.uid})
    gc.collect()
    gc.freeze()
    server = _Server(control, host)
    try:
        while server.answers_next():
            pass
    finally:
        # The grader is gone, however it ended: no student process may outlive it. A fork that was
        # stopped before it has asked to end with this process would.
        server.reap_all()
    os._exit(0)


def _preload(names: list[str]) -> None:
    importlib.import_module("numpy")
    loaded = {name: importlib.import_module(name) for name in names}
    with modules.ahead_of_time():
        if "torch" in loaded:
            _warm_torch(loaded["torch"])
        if "matplotlib" in loaded:
            _warm_matplotlib(loaded["matplotlib"])
        # Modules that homework imports and that cost milliseconds each in every child otherwise.
        for name in (
            "collections", "copy", "dataclasses", "functools", "itertools", "math", "random", "re",
            "traceback", "linecache", "tokenize", "typing", "time", "warnings", "numpy.linalg",
            "numpy.random", "string", "json", "operator", "inspect", "importlib.util", "tempfile",
            "sqlite3", "bz2",
        ):  # fmt: skip
            importlib.import_module(name)


def _warm_torch(torch: Any) -> None:
    """Do once what takes a second the first time: an optimizer, a backward pass."""
    torch.set_num_threads(1)
    compiler.put_to_sleep()
    layer = torch.nn.Linear(2, 1)
    optimiser = torch.optim.Adam(layer.parameters())
    torch.nn.functional.binary_cross_entropy_with_logits(
        layer(torch.zeros(1, 2)), torch.zeros(1, 1)
    ).backward()
    optimiser.step()
    importlib.import_module("torch.utils.data")


def _warm_matplotlib(matplotlib: Any) -> None:
    """Choose the backend that needs no screen, and draw once: finding fonts takes seconds."""
    matplotlib.use("agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    figure, axes = pyplot.subplots()
    axes.set_title("title")
    figure.canvas.draw()
    pyplot.close(figure)


class _Server:
    """Forks workers, and ends them with everything that they have started."""

    def __init__(self, control: socket.socket, host: lockdown.Host) -> None:
        self._control = control
        self._host = host
        self._folders: dict[int, str] = {}
        self._stems = StemKeeper(host)
        self._made = 0

    def answers_next(self) -> bool:
        """Answer the next request; False if there is none any more."""
        self.wait()
        message, fds, _flags, _addr = socket.recv_fds(self._control, MAX_MESSAGE, MAX_DESCRIPTORS)
        if not message:
            return False
        request, message = json.loads(message), b""  # a child inherits what is here
        _send(self._control, self.answer(request, fds))
        return True

    def wait(self) -> None:
        """Wait for a request, and answer the system calls about which workers ask meanwhile."""
        if self._stems.listeners:
            self._stems.answer(FOR_EVER, self._control.fileno())

    def answer(self, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        """Do what the grader asks for, with the descriptors that it has sent along."""
        try:
            match request["op"]:
                case "spawn":
                    return self._spawn(request, fds)
                case "settle":
                    unfit = self._stems.settle(request["pid"])
                    return {"unfit": unfit, "busy_s": self._stems.busy_s(request["pid"])}
                case "fork":
                    return self._fork(request["pid"], fds)
                case "use":
                    return {"fit": self._stems.use(request["pid"]), "tasks": self._tasks()}
                case "keep" | "end" as what:
                    {"keep": self._stems.keep, "end": self._stems.end}[what](request["pid"])
                    return {}
                case _:
                    return self._reap(request["pid"], request["grace_s"])
        finally:
            for fd in fds:
                os.close(fd)

    def _spawn(self, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        self._settle_down()
        sys.stdout.flush()
        sys.stderr.flush()
        ours = theirs = None
        request["limits"]["tasks"] = self._tasks()
        if request["stem"] and self._stems.are_possible:
            ours, theirs = socket.socketpair()
        try:
            request["scratch"] = _scratch_folder(request, self._host)
            pid = os.fork()
        except OSError as error:
            return {"error": f"cannot fork a worker: {error.strerror}"}
        if pid == 0:
            try:
                wire_fd, output_fd = fds
                child.run(
                    request, wire_fd=wire_fd, output_fd=output_fd, host=self._host, channel=theirs
                )
            except BaseException as error:
                # Where the child's output goes: the trusted side reports it with the failure.
                text = f"{type(error).__name__}: {error}"
                with contextlib.suppress(OSError):
                    os.write(fds[1], text.encode())
            finally:
                os._exit(child.EXIT_SETUP_FAILED)
        self._folders[pid] = request["scratch"]
        self._made += 1
        stem = False
        if ours is not None and theirs is not None:
            theirs.close()
            with ours:
                stem = self._stems.add(pid, ours, fds)
        return {"pid": pid, "scratch": request["scratch"], "stem": stem}

    def _tasks(self) -> int:
        """Return how many tasks the user of all workers may have, so that one has its own number.

        What outlives a check has the same user.
        """
        return lockdown.MAX_TASKS + len(self._stems.pids)

    def _settle_down(self) -> None:
        """Make later forks cheaper, once it is known that there are many, and while there is none.

        It takes a second with torch, and makes each of its forks several milliseconds faster.
        """
        if self._made >= MANY and not lockdown.children(self._host):
            self._made = -sys.maxsize
            hugepages.collapse(lockdown.libc, lockdown.read("self/maps", self._host.proc))

    def _fork(self, stem: int, fds: list[int]) -> dict[str, Any]:
        try:
            return {"pids": self._stems.fork(stem, fds), "unfit": ""}
        except UnfitError as error:
            return {"unfit": str(error)}

    def _reap(self, pid: int, grace_s: float) -> dict[str, Any]:
        """End a child with everything it started, remove its files, and report how it had ended.

        A child that has closed its connection gets ``grace_s`` seconds to end by itself: its files
        are closed a moment before it can be waited for, and its exit status is worth knowing.
        As the subreaper this server inherits whatever a student's process left behind, also in
        other sessions; the loop ends when there is no child but what outlives a check.
        """
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline and os.waitid(os.P_PID, pid, PEEK) is None:
            self._stems.answer(0.001)
        queued_s = lockdown.time_in_queue(self._host, pid)
        status, cpu_s = _kill_and_wait(pid)
        strays = self.reap_all(self._stems.pids)
        self._stems.after(pid)
        folder = self._folders.pop(pid, "")
        if folder:
            scratch.remove(folder)
        return {"status": status, "cpu_s": cpu_s, "queued_s": queued_s, "strays": strays}

    def reap_all(self, but: Collection[int] = ()) -> int:
        """End every child in any session, ``but`` some; return how many there were."""
        count = 0
        while remaining := [pid for pid in lockdown.children(self._host) if pid not in but]:
            for pid in remaining:
                _kill_and_wait(pid)
                count += 1
        return count


def _scratch_folder(request: dict[str, Any], host: lockdown.Host) -> str:
    """Make the folder that a worker without a root folder of its own gets; return its path."""
    if host.has("namespaces") or not host.has_scratch or not request["limits"]["scratch_mb"]:
        return ""
    folder = tempfile.mkdtemp(prefix="scratch-", dir=os.path.dirname(request["submission"]))
    if host.worker_uid != os.geteuid():
        os.chown(folder, host.worker_uid, -1)
    return folder


def _kill_and_wait(pid: int) -> tuple[int | None, float]:
    ended, status, usage = os.wait4(pid, os.WNOHANG)
    was_running = ended == 0
    if was_running:
        for kill in (os.killpg, os.kill):
            try:
                kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        _ended, status, usage = os.wait4(pid, 0)
    # A status of None says that the child was alive until it was ended here.
    cpu_s = usage.ru_utime + usage.ru_stime
    return (None if was_running else os.waitstatus_to_exitcode(status)), cpu_s


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())
