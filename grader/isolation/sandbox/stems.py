"""The stems of one submission: workers that have loaded a module and are forked for each check.

``isolation/worker/stems.py`` says how, and what makes a worker unfit. What cannot be a stem is an
ordinary worker, and each check gets one of its own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from grader.errors import AskAgainError, Closing, WorkerLost
from grader.isolation.wire import Encoder, pack

from .left_out import LeftOut
from .limits import Limits, Spent
from .reply import Reply
from .worker import Forked, Worker

MOST = 4  # stems of a submission at a time
MOST_FORKS = 12  # that wait at a time; the server takes 64 descriptors at once
# What may be asked of a worker that does several checks.
OPS_OF_TURNS = frozenset(["turn", "call", "calls", "layout", "answer", "mute", "times"])
PROOF_S = 1.0  # for the proof; it takes milliseconds
MAX_FAILURES = 2  # stems of a module and limits that become unfit: then no more of them

Key = tuple[str, float, int, int, int]


class StemServer(Protocol):
    """What stems ask of their fork server."""

    def started(self, submission: Path, limits: Limits, *, stem: bool = False) -> Forked:
        """Fork a child that locks itself down, and can be forked in turn if it is a ``stem``."""

    def left_out(self, submission: Path) -> LeftOut:
        """Return the statements of a submission that are not run."""

    def settle(self, pid: int) -> float | None:
        """Stop a worker that has loaded its module and can be a stem; None if it cannot.

        Returns for how many seconds it has computed, or waited for a processor.
        """

    def fork(self, stem: int, count: int) -> list[Forked] | str:
        """Fork a stem, which waits for it; if it is gone, say why it was unfit, or nothing."""

    def use(self, fork: int) -> int | None:
        """Let a fork go on; return how many tasks its user may have, None if it has changed."""

    def end(self, stem: int) -> None:
        """End a stem."""

    def keep(self, pid: int) -> None:
        """Let a worker live on when other checks end."""


@dataclass(frozen=True)
class _Stem:
    """A stem, what came of loading its module, and what that took of its time.

    Its forks that wait for a check are stopped: they run no code while another check does.
    """

    pid: int
    reply: Reply
    output: bytes
    spent: Spent
    waiting: list[Forked] = field(default_factory=list)

    def close(self) -> None:
        """Close our ends of the forks that wait."""
        while self.waiting:
            forked = self.waiting.pop()
            forked.wire.close()
            os.close(forked.output_fd)


class Stems(Closing):
    """The stems in one fork server, of the submission that is graded now."""

    def __init__(self, server: StemServer) -> None:
        self._server = server
        self._submission: Path | None = None
        self._stems: dict[Key, _Stem] = {}
        self._failures: Counter[Key] = Counter()
        self._pure: dict[Key, Seedling] = {}
        self._expected = 1

    def worker(
        self,
        submission: Path,
        limits: Limits,
        seed: int,
        module: str,
        expected: int = 1,
        *,
        in_turns: bool = False,
    ) -> Worker | None:
        """Return a worker that has loaded a module, or that becomes a stem when it does.

        None if an ordinary one has to do it. ``expected`` says how many are likely to be asked for,
        this one included: so many forks are made together. ``in_turns`` says that it may be one
        that has done other checks, if the program is proven to be pure.
        """
        if submission != self._submission:
            self.end()
            self._submission = submission
        key = (module, limits.timeout_s, limits.memory_mb, limits.output_kb, limits.scratch_mb)
        known = self._pure.get(key)
        # Whoever does most checks in turns needs few forks.
        self._expected = 1 if known is not None else max(1, min(expected, MOST_FORKS))
        if in_turns and known is not None and known.takes_turn(limits, seed):
            return known
        stem = self._stems.get(key)
        forked = self._fork(key, stem) if stem is not None else None
        if stem is not None and forked is not None:
            worker = Worker(forked, limits, seed=seed, loaded=stem.reply, spent=stem.spent)
            worker.output += stem.output
            return worker
        if self._failures[key] >= MAX_FAILURES:
            return None
        return Seedling(
            partial(self._server.started, submission, limits, stem=True),
            limits,
            self._server.left_out(submission),
            seed=seed,
            settle=partial(self._settle, key),
            plant=partial(self._plant, key),
            keep=partial(self._keep, key) if in_turns and known is None else None,
        )

    def _keep(self, key: Key, worker: Seedling) -> None:
        """Keep a worker that does one check after another."""
        self._pure[key] = worker
        self._server.keep(worker.pid)

    def _settle(self, key: Key, pid: int, reply: Reply) -> float | None:
        """Stop a worker that has loaded its module; None if it cannot be a stem.

        Returns for how many seconds it has computed.
        """
        busy_s = None if reply.alone else self._server.settle(pid)
        if busy_s is None:
            self._failures[key] = MAX_FAILURES
        return busy_s

    def _plant(self, key: Key, stem: _Stem) -> Forked | None:
        """Keep a stem; return its first fork. If there is none, the stem is gone."""
        while len(self._stems) >= MOST:
            self._end(next(iter(self._stems)))
        self._stems[key] = stem
        return self._fork(key, stem)

    def _fork(self, key: Key, stem: _Stem) -> Forked | None:
        """Return a fork of a stem; None if that is unfit, and gone."""
        made = stem.waiting or self._server.fork(stem.pid, self._expected)
        why = made if isinstance(made, str) else ""
        if not isinstance(made, str):
            stem.waiting[:] = made
            # A stem can count its forks; in which order they are used it cannot know.
            place = secrets.randbelow(len(made))
            tasks = self._server.use(stem.waiting[place].pid)
            if tasks is not None:
                return replace(stem.waiting.pop(place), tasks=tasks)
        # One whose files a check has changed is replaced; one that does not fork, never.
        self._failures[key] += MAX_FAILURES if why else 1
        self._end(key)
        return None

    def _end(self, key: Key) -> None:
        stem = self._stems.pop(key)
        stem.close()
        self._server.end(stem.pid)

    def end(self) -> None:
        """End all of them: nothing of a submission may reach the next one."""
        for key in list(self._stems):
            self._end(key)
        for worker in self._pure.values():
            worker.end()
        self._pure.clear()
        self._failures.clear()

    def close(self) -> None:
        """Close our ends of what waits; their server is gone."""
        for stem in self._stems.values():
            stem.close()
        for worker in self._pure.values():
            worker.leave()
        self._stems.clear()
        self._pure.clear()


class Seedling(Worker):
    """A worker that becomes a stem once its module is loaded; its first fork takes its place.

    If the module is proven to be pure, and ``keep`` takes it, it does one check after another.
    """

    def __init__(
        self,
        start: Callable[[], Forked],
        limits: Limits,
        left_out: LeftOut,
        *,
        seed: int,
        settle: Callable[[int, Reply], float | None],
        plant: Callable[[_Stem], Forked | None],
        keep: Callable[[Seedling], object] | None = None,
    ) -> None:
        self._start = start
        self._settle = settle
        self._plant = plant
        self._keep = keep
        self._in_turns = self._is_asked = self._decides = False
        self._printed_first = b""  # by the import, which each check shows
        super().__init__(start(), limits, start, left_out, seed=seed)

    def _attach(self, forked: Forked) -> None:
        self._forked = forked
        super()._attach(forked)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._forked.pid

    def load(self, module: str) -> Reply:
        """Import the module, and go on as a fork of the worker that has imported it."""
        if self._loaded is not None:
            return self._loaded
        if self._keep is not None and self._is_proven(module):
            reply = super().load(module)
            if reply.pure and reply.error is None:
                self._in_turns = self._seeded = True
                self._loaded, self._printed_first = reply, bytes(self.output)
                self._keep(self)
                return reply
            self.end()  # it is not what was proven, which is our side's business
            self._begin(self._start())
        reply = super().load(module)
        if reply.error is not None or not self._forked.is_stem:
            return reply
        spent_s = self._spent_s()
        busy_s = self._settle(self._forked.pid, reply)
        if busy_s is None:
            return reply
        stem = _Stem(self._forked.pid, reply, bytes(self.output), Spent(spent_s, busy_s))
        self._become_a_stem()
        forked = self._plant(stem)
        if forked is None:
            self._begin(self._start())
            return super().load(module)
        self._loaded, self._spent = reply, stem.spent
        self._begin(forked)
        return reply

    def _is_proven(self, module: str) -> bool:
        """Say whether the program is pure, before anything of it is run.

        What becomes of the worker meanwhile costs nothing: another one goes on.
        """
        try:
            (asked,) = self._sent([{"op": "prove", "module": module}])
            self._expect_by(min(self._last, time.monotonic() + PROOF_S))
            with self._strictly():
                answer = self._answer_to(asked)
            proven, self._decides = answer.get("result") is True, answer.get("unwritten") is False
        except WorkerLost:
            self._begin(self._start())
            return False
        self._start_time()
        return proven

    def _become_a_stem(self) -> None:
        """Ask for it, and close our ends: nobody talks to a stem, and nobody hears it."""
        encoder = Encoder()
        asked = pack(encoder.encode({"op": "stem", "id": ""}), encoder.buffers)
        with contextlib.suppress(OSError):  # who is gone is missed when it should fork
            self._forked.wire.send(b"".join(asked), socket.MSG_NOSIGNAL)
        self._leave()

    def takes_turn(self, limits: Limits, seed: int) -> bool:
        """Begin another check; say whether the worker is there to do it."""
        if not self.waits_for_a_turn:
            return False
        self._limits, self._seed, self._seeded = limits, seed, False
        self._ahead.clear()
        self._answered.clear()
        self._answer = None
        self._start_time()
        self.output = bytearray(self._printed_first)
        return True

    def _beginning(self) -> dict[str, Any]:
        if self._in_turns:
            return {"op": "turn", "seed": self._seed}
        return super()._beginning()

    def _sent(self, bodies: Sequence[dict[str, Any]]) -> list[str]:
        if self._in_turns and any(body["op"] not in OPS_OF_TURNS for body in bodies):
            raise AskAgainError  # the others change the module
        self._is_asked = True
        return super()._sent(bodies)

    @contextlib.contextmanager
    def _as_alone(self) -> Iterator[None]:
        """Let a worker that has done other checks decide about values only.

        How much time and memory there is, or how deep a call may go, is its own business.

        Raises:
            AskAgainError: it was lost, or a call has raised.
        """
        try:
            yield
        except WorkerLost:
            if self._in_turns:
                raise AskAgainError from None
            raise

    def _request(self, body: dict[str, Any]) -> Reply:
        with self._as_alone():
            reply = super()._request(body)
        if self._in_turns and reply.error is not None:
            raise AskAgainError
        return reply

    def _replies_to(self, bundle_id: str, count: int) -> list[Reply]:
        with self._as_alone():
            replies = super()._replies_to(bundle_id, count)
        if self._in_turns and any(reply.error is not None for reply in replies):
            raise AskAgainError
        return replies

    def _answer_to(self, call_id: str, calls: int = 1) -> dict[str, Any]:
        answer = super()._answer_to(call_id, calls)
        self._is_asked = False
        return answer

    def close(self) -> None:
        """End the worker, but not one that waits for its next turn."""
        if self._in_turns and not (self._closed or self._is_asked):
            self._drain_output()
            self._printed = 0
        else:
            self.end()

    @property
    def waits_for_a_turn(self) -> bool:
        """Whether it is there to do another check, after those that it has done."""
        return self._in_turns and not self._closed

    @property
    def decides(self) -> bool:
        """Whether any call's values are those of a new worker: no memory is used unwritten."""
        return self.waits_for_a_turn and self._decides

    def leave(self) -> None:
        """Close our ends of a worker that has ended with its server."""
        if not self._closed:
            self._leave()
