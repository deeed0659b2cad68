"""The stems of one submission: workers that have loaded a module and are forked for each check.

``isolation/worker/stems.py`` says how, and what makes a worker unfit. What cannot be a stem is an
ordinary worker, and each check gets one of its own.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from grader.errors import Closing
from grader.isolation.wire import Encoder, pack

from .left_out import LeftOut
from .limits import Limits
from .reply import Reply
from .worker import Forked, Worker

MOST = 4  # stems of a submission at a time: each counts as a task of its user
MOST_FORKS = 12  # that wait at a time; the server takes 64 descriptors at once
MAX_FAILURES = 2  # stems of a module and limits that become unfit: then no more of them
ASK_TIMEOUT_S = 2.0

Key = tuple[str, float, int, int, int]
Plant = Callable[["_Stem"], tuple[bool, Forked | None]]


class StemServer(Protocol):
    """What stems ask of their fork server."""

    def started(self, submission: Path, limits: Limits, *, stem: bool = False) -> Forked:
        """Fork a child that locks itself down, and can be forked in turn if it is a ``stem``."""

    def left_out(self, submission: Path) -> LeftOut:
        """Return the statements of a submission that are not run."""

    def settle(self, pid: int) -> bool:
        """Make a stem of a worker that has loaded its module; say whether that is possible."""

    def fork(self, stem: int, count: int) -> list[Forked] | str:
        """Fork a stem, which has been asked to; if it is gone, say why it was unfit, or nothing."""

    def use(self, fork: int) -> bool:
        """Let a fork go on; say whether nothing has changed since it was made."""

    def end(self, stem: int) -> None:
        """End a stem."""


@dataclass(frozen=True)
class _Stem:
    """A stem with our ends of what it has open, and what came of loading its module.

    Its forks that wait for a check are stopped: they run no code while another check does.
    """

    forked: Forked
    reply: Reply
    output: bytes
    waiting: list[Forked] = field(default_factory=list)

    def ask(self, count: int) -> None:
        """Ask it to fork some times; raises ``OSError`` if it does not listen."""
        encoder = Encoder()
        body = encoder.encode({"op": "fork", "id": "", "count": count})
        self.forked.wire.settimeout(ASK_TIMEOUT_S)
        for piece in pack(body, encoder.buffers):
            self.forked.wire.sendall(piece)

    def close(self) -> None:
        """Close our ends."""
        for forked in (self.forked, *self.waiting):
            forked.wire.close()
            os.close(forked.output_fd)
        self.waiting.clear()


class Stems(Closing):
    """The stems in one fork server, of the submission that is graded now."""

    def __init__(self, server: StemServer) -> None:
        self._server = server
        self._submission: Path | None = None
        self._stems: dict[Key, _Stem] = {}
        self._failures: Counter[Key] = Counter()
        self._expected = 1

    def worker(
        self, submission: Path, limits: Limits, seed: int, module: str, expected: int = 1
    ) -> Worker | None:
        """Return a worker that has loaded a module, or that becomes a stem when it does.

        None if an ordinary one has to do it. ``expected`` says how many are likely to be asked for,
        this one included: so many forks are made together.
        """
        self._expected = max(1, min(expected, MOST_FORKS))
        if submission != self._submission:
            self.end()
            self._submission = submission
        key = (module, limits.timeout_s, limits.memory_mb, limits.output_kb, limits.scratch_mb)
        stem = self._stems.get(key)
        forked = self._fork(key, stem) if stem is not None else None
        if stem is not None and forked is not None:
            worker = Worker(forked, limits, seed=seed, loaded=stem.reply)
            worker.output += stem.output
            return worker
        if self._failures[key] >= MAX_FAILURES:
            return None
        start = partial(self._server.started, submission, limits, stem=True)
        left_out = self._server.left_out(submission)
        plant = partial(self._plant, key)
        return _Seedling(start, limits, left_out, seed=seed, plant=plant)

    def _plant(self, key: Key, stem: _Stem) -> tuple[bool, Forked | None]:
        """Make a stem of a worker that has loaded its module.

        Returns:
            Whether it has become one, and its first fork; if there is none, the stem is gone.
        """
        if not self._server.settle(stem.forked.pid):
            self._failures[key] = MAX_FAILURES
            return False, None
        while len(self._stems) >= MOST:
            self._end(next(iter(self._stems)))
        self._stems[key] = stem
        return True, self._fork(key, stem)

    def _fork(self, key: Key, stem: _Stem) -> Forked | None:
        """Return a fork of a stem; None if that is unfit, and gone."""
        made: list[Forked] | str = stem.waiting
        if not made:
            made = "it does not listen"
            with contextlib.suppress(OSError):
                stem.ask(self._expected)
                made = self._server.fork(stem.forked.pid, self._expected)
        if not isinstance(made, str):
            stem.waiting[:] = made
            if self._server.use(stem.waiting[0].pid):
                return stem.waiting.pop(0)
            made = ""
        # One whose files a check has changed is replaced; one that does not fork, never.
        self._failures[key] += MAX_FAILURES if made else 1
        self._end(key)
        return None

    def _end(self, key: Key) -> None:
        stem = self._stems.pop(key)
        stem.close()
        self._server.end(stem.forked.pid)

    def end(self) -> None:
        """End all of them: nothing of a submission may reach the next one."""
        for key in list(self._stems):
            self._end(key)
        self._failures.clear()

    def close(self) -> None:
        """Close our ends of them; their server is gone."""
        for stem in self._stems.values():
            stem.close()
        self._stems.clear()


class _Seedling(Worker):
    """A worker that becomes a stem once its module is loaded; its first fork takes its place."""

    def __init__(
        self,
        start: Callable[[], Forked],
        limits: Limits,
        left_out: LeftOut,
        *,
        seed: int,
        plant: Plant,
    ) -> None:
        self._plant = plant
        self._start = start
        super().__init__(start(), limits, start, left_out, seed=seed)

    def _attach(self, forked: Forked) -> None:
        self._forked = forked
        super()._attach(forked)

    def load(self, module: str) -> Reply:
        """Import the module, and go on as a fork of the worker that has imported it."""
        reply = super().load(module)
        if self._loaded is not None or reply.error is not None or not self._forked.is_stem:
            return reply
        stem = _Stem(self._forked, reply, bytes(self.output))
        is_stem, forked = self._plant(stem)
        if not is_stem:
            return reply
        self._selector.close()
        if forked is not None:
            self._loaded = reply
            self._begin(forked)
            return reply
        self._begin(self._start())
        return super().load(module)
