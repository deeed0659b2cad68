"""The time that statements outside all functions may take.

A statement is interrupted by a signal when its time is over. The signal becomes an exception only
below the statement itself, never in the code here that runs it: so it cannot escape. Where it is
swallowed again and again, or where one call into C runs on, the trusted side starts anew without
the statement (``sandbox/connection.py``): it hears where the worker is.
"""

from __future__ import annotations

import _thread
import ast
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

Place = tuple[str, int, int]  # file below the submission, line, column

LEAST_S = 0.2  # a statement's time when earlier ones have used up all there is
RUSHED_S = 0.02  # and when that, too, has happened often
BUDGETS = 2  # times the budget of one statement, for all together: half of a check's time
AGAIN_S = 0.1  # how soon a program that catches everything is interrupted again
GENTLE = 3  # interrupts at such distances; then they come fast enough to hit a handler, too
FAST_S = 0.0005
MOST = 500  # interrupts that a statement may swallow
EXIT_STUCK = 96  # the worker's, after these


class TakesTooLongError(BaseException):
    """A statement outside all functions has used up its time."""


@dataclass
class _Running:
    """A statement that is being run; ``inner_s`` is the time of statements that it imported."""

    code: CodeType
    place: Place
    started: float
    inner_s: float = 0.0
    interrupts: int = 0


class Clock:
    """Runs statements, and interrupts each of them when its time is over.

    ``budget_s`` is for one statement; all statements together have twice as much, and little each
    after that. ``tell`` hears which statement runs now, or that none does.
    """

    def __init__(self) -> None:
        self.budget_s = 5.0
        self.tell: Callable[[Place | None], None] = tell_nobody
        self._spent_s = 0.0
        self._running: list[_Running] = []

    def execute(self, code: CodeType, namespace: dict[str, Any], place: Place) -> None:
        """Run one statement in ``namespace``; interrupt it with ``TakesTooLongError``."""
        running = _Running(code, place, time.monotonic())
        self._running.append(running)
        self.tell(place)
        try:
            with self._interrupts():
                exec(code, namespace)  # noqa: S102 - where student code runs
        finally:
            self._running.pop()
            elapsed = time.monotonic() - running.started
            self._spent_s += elapsed - running.inner_s
            outer = self._running[-1] if self._running else None
            if outer is not None:
                outer.inner_s += elapsed
            self.tell(outer.place if outer is not None else None)

    def interrupt(self, _signal: int, frame: FrameType | None) -> None:
        """Raise ``TakesTooLongError`` in the statement that runs, if ``frame`` is part of it."""
        running = self._running[-1] if self._running else None
        if running is None or not _is_below(frame, running.code):
            return
        running.interrupts += 1
        if running.interrupts > MOST:
            os._exit(EXIT_STUCK)
        if running.interrupts == GENTLE and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, FAST_S, FAST_S)
        raise TakesTooLongError

    def _allowed_s(self) -> float:
        left = BUDGETS * self.budget_s - self._spent_s
        if left > LEAST_S:
            return min(self.budget_s, left)
        return LEAST_S if left > -self.budget_s / 2 else RUSHED_S

    @contextlib.contextmanager
    def _interrupts(self) -> Iterator[None]:
        """Interrupt what runs in this block after its time, by a timer if the system has them."""
        if not hasattr(signal, "setitimer"):
            with self._interrupts_by_a_thread(self._allowed_s()):
                yield
            return
        before = signal.signal(signal.SIGALRM, self.interrupt)
        signal.setitimer(signal.ITIMER_REAL, self._allowed_s(), AGAIN_S)
        try:
            yield
        finally:
            # A statement that loads another module begins anew when that is done.
            outer = len(self._running) > 1
            signal.setitimer(signal.ITIMER_REAL, self._allowed_s() if outer else 0, AGAIN_S)
            if signal.getsignal(signal.SIGALRM) == self.interrupt:  # else it is the program's own
                with contextlib.suppress(ValueError, TypeError):
                    signal.signal(signal.SIGALRM, before)

    @contextlib.contextmanager
    def _interrupts_by_a_thread(self, allowed_s: float) -> Iterator[None]:
        before = signal.signal(signal.SIGINT, self.interrupt)
        done, lock = threading.Event(), threading.Lock()

        def watch() -> None:
            pause = allowed_s
            while not done.wait(pause):
                with lock:
                    if not done.is_set():
                        _thread.interrupt_main()
                pause = AGAIN_S

        threading.Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            with lock:
                done.set()
            time.sleep(0)  # a last interrupt arrives here, where it does nothing
            with contextlib.suppress(ValueError, TypeError):
                signal.signal(signal.SIGINT, before)


def tell_nobody(_place: Place | None) -> None:
    """Say nothing: nobody waits for a module to be loaded."""


CLOCK = Clock()


def _is_below(frame: FrameType | None, code: CodeType) -> bool:
    """Say whether ``frame`` was called by a statement, and not by what runs statements."""
    while frame is not None and frame.f_code.co_filename != __file__:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False


def is_quick(statement: ast.stmt) -> bool:
    """Say whether a statement needs no clock.

    A plain definition takes no time, and an import is never stopped halfway: it would leave a
    library of which a part is missing. Decorators and default values are computed.
    """
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return True
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = statement.args
        defaults = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
        return not statement.decorator_list and not any(map(_computes, defaults))
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _computes(expression: ast.expr) -> bool:
    simple = (ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Tuple, ast.UnaryOp, ast.USub)
    return not all(isinstance(node, simple) for node in ast.walk(expression))
