"""Whether importing a module takes what each process has of its own: the time, or its number.

A module that notes when it was imported, to stop some seconds later, would find in a fork that was
made from it that this was long ago. It is imported anew for each check. What its statements mention
is looked at, and what the functions mention that they may call: a clock that is read in a function
only, when a check calls it, does not matter.
"""

from __future__ import annotations

import ast
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType

OWN = frozenset(
    [
        "time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns",
        "process_time", "process_time_ns", "thread_time", "thread_time_ns", "clock_gettime",
        "clock_gettime_ns", "default_timer", "now", "utcnow", "today", "localtime", "gmtime",
        "ctime", "getrusage", "getpid", "get_native_id",
    ]
)  # fmt: skip
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass
class Moments:
    """What the statements of a student's modules mention, as they are run."""

    called: set[str] = field(default_factory=set)  # outside functions
    inside: dict[str, set[str]] = field(default_factory=dict)  # functions and classes
    own: set[str] = field(default_factory=lambda: set(OWN))  # and other names for them

    def note(self, statement: ast.stmt, code: CodeType) -> None:
        """Note a statement that has been run, and its ``code``."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            imported = statement.names if isinstance(statement, ast.ImportFrom) else []
            self.own |= {a.asname for a in imported if a.asname and a.name in OWN}
        elif isinstance(statement, DEFINITIONS):
            self.inside.setdefault(statement.name, set()).update(self._mentioned(statement, code))
            self.called |= set(_run_by(code)) - {statement.name}
        elif not _is_main(statement):
            self.called |= self._mentioned(statement, code)

    def _mentioned(self, statement: ast.stmt, code: CodeType) -> set[str]:
        """Return the names in a statement; of ``time.sleep`` it is not ``time``."""
        names = set(_names(code))
        if "time" not in names:
            return names  # walking its tree takes a while
        bare = {id(node.value) for node in ast.walk(statement) if isinstance(node, ast.Attribute)}
        return {
            node.attr if isinstance(node, ast.Attribute) else node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Attribute)
            or (isinstance(node, ast.Name) and id(node) not in bare)
        } | (names - {"time"})

    def are_taken(self) -> bool:
        """Say whether the import may have taken the time, or set a timer."""
        waiting, seen = list(self.called), set(self.called)
        while waiting:
            new = self.inside.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        return bool(seen & self.own) or _has_timer()


def _is_main(statement: ast.stmt) -> bool:
    """Say whether a statement is what a module does only when it is the main program."""
    return isinstance(statement, ast.If) and "__name__" in {
        node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)
    }


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names in a piece of code and in what it defines."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _run_by(code: CodeType) -> Iterator[str]:
    """Yield the names that a definition mentions when it is run: of decorators, or a class."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and not inner.co_flags & 1:  # CO_OPTIMIZED: a function
            yield from _run_by(inner)


def _has_timer() -> bool:
    """Say whether a timer runs, which a fork would not have."""
    if not hasattr(signal, "getitimer"):
        return False
    kinds = signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF
    return any(signal.getitimer(kind)[0] for kind in kinds)
