"""Calls of a student's functions."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from grader.checks import causes
from grader.checks.numerics import as_array, described_type
from grader.checks.own_words import USUAL_TYPES, own_words
from grader.checks.raised import described, failure, lacks
from grader.errors import Failure
from grader.isolation.sandbox.calls import FunctionCall, Wanted, fit, in_batches
from grader.isolation.sandbox.connection import WorkerConnection
from grader.isolation.sandbox.reply import Reply
from grader.isolation.sandbox.student_error import StudentError
from grader.isolation.wire import Opaque
from grader.isolation.wire.codec import MAX_BUFFERS
from grader.model import Signature

from .watched import CallMade

if TYPE_CHECKING:
    from .answers import Answers

KEPT_CALLS = 2  # a forward function, and the one that reads its cache
Withhold = Literal["", "errors", "all"]
MAX_LINES = 100_000  # of a student's file
MAX_SKIPPED_SHOWN = 3  # statements that were left out, in a module's notes
# What a worker does another way, by the name it reports (``isolation/worker/ordinary.py``).
ADAPTED = {
    "DataLoader": "DataLoader ran without worker processes (num_workers=0); its batches are the "
    "same",
    "Pool": "multiprocessing.Pool ran as a pool of threads: graded code starts no processes",
    "ProcessPoolExecutor": "ProcessPoolExecutor ran as a pool of threads: graded code starts no "
    "processes",
    "torch.compile": "torch.compile was left out: the network ran uncompiled, with the same values",
}


class ForeignFailure(Failure):
    """An exception in the worker that no line of the student's raised, or so it is reported.

    It may be the driver's own, also where the student's code has called into the driver.
    """


class StudentModule:
    """A student's module inside a worker, as seen from the trusted side.

    ``notes`` collects what is worth telling though it costs no points, ``raised`` the exceptions of
    the code. ``withhold`` keeps what the code says from the student: it goes to ``withheld``, for
    the instructor. ``errors`` is for hidden data, which an exception could carry out; ``all`` is
    for a driver that holds answers, and keeps returned texts from the judge as well. ``places``
    says how many lines each file that was handed in has. ``made`` has the last calls,
    and ``repaired`` is the line that was put right (see ``repair``).
    """

    def __init__(
        self,
        worker: WorkerConnection,
        file: str,
        missing_packages: Sequence[str],
        forbidden: Sequence[str] = (),
        *,
        withhold: Withhold = "",
        places: Mapping[str, int] | None = None,
    ) -> None:
        self._worker = worker
        self._places = places
        self.file = file
        self._forbidden = forbidden
        self._withhold = withhold
        self._missing_packages = missing_packages
        self.withheld: list[str] = []
        self.raised: list[StudentError] = []
        self.notes: list[str] = [
            f"{file} imports {name!r}, which {lacks(name)}: functions that use it will fail"
            for name in missing_packages
            if name not in (*forbidden, "grader")  # which notebooks that check themselves import
        ]
        self.made: deque[CallMade] = deque(maxlen=KEPT_CALLS)
        self.repaired: int | None = None
        self.mutated: dict[str, set[str]] = {}
        self._layouts: dict[Signature, dict[str, Any] | None] = {}
        self._twice: dict[str, str] = {}

    def tell(self, loaded: Reply) -> None:
        """Note what came up while the module was imported: statements that were left out."""
        self._twice = dict(loaded.twice)
        shown = loaded.skipped[:MAX_SKIPPED_SHOWN]
        for file, line, text, why in shown:
            words = f"`{text}` " if self._withhold != "all" else ""
            ending = "took too long" if not why else f"failed ({why})" if words else "failed"
            self.notes.append(
                f"{file}, line {line}: {words}{ending} and was left out; statements outside the "
                "functions cost no points"
            )
        self.notes += [
            f"{self.file}: {name} was computed from the package {package!r}, which is not "
            "installed in the grader"
            for name, package in loaded.made
            if package not in self._forbidden and self._withhold != "all"
        ]
        if more := len(loaded.skipped) - len(shown):
            self.notes.append(f"{self.file}: {more} more statements outside the functions failed")
        if loaded.cut:
            self.notes.append(
                f"{self.file}: statements outside the functions print very much; most of it was "
                "dropped"
            )

    def _heard(self, reply: Reply, function: str) -> None:
        """Note what a call did another way, and whether another definition hides this one."""
        notes = [ADAPTED[name] for name in reply.adapted if name in ADAPTED]
        if words := self._twice.get(function):
            notes.append(f"{self.file}: {words}")
        self.notes += [note for note in notes if note not in self.notes]

    def call(
        self,
        function: str,
        arguments: dict[str, Any],
        returns: Sequence[str],
        opaque: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Call ``function`` and return its outputs by name.

        Args:
            function: its name in the module.
            arguments: values by name, in the order of the parameters; copied for every call.
            returns: the names of the outputs, in order.
            opaque: the outputs that stay in the worker as handles.

        Raises:
            Failure: it raises, is missing, or returns another number of values.
        """
        self.made.append(CallMade(function, arguments, returns))
        reply = self._worker.call(function, tuple(arguments.values()), positions(returns, opaque))
        return self._outputs(reply, function, list(arguments), returns)

    def call_each(
        self,
        function: str,
        arguments: Sequence[dict[str, Any]],
        returns: Sequence[str],
        opaque: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Call ``function`` for several arguments, as ``call`` does; they are sent together.

        Raises:
            Failure: a call raises, or returns another number of values.
        """
        kept = positions(returns, opaque)
        calls = [FunctionCall(function, tuple(one.values()), kept) for one in arguments]
        names = list(arguments[0]) if arguments else []
        found = []
        most = max(1, MAX_BUFFERS // max(1, len(returns)))  # whose outputs fit into one answer
        parts = [calls[start : start + most] for start in range(0, len(calls), most)]
        for batch in chain.from_iterable(map(in_batches, parts)):
            if not fit(batch):
                replies = [self._worker.call(function, one.arguments, kept) for one in batch]
            else:
                replies = self._worker.call_together(batch)
            found += [self._outputs(reply, function, names, returns) for reply in replies]
        return found

    def _outputs(
        self, reply: Reply, function: str, names: Sequence[str], returns: Sequence[str]
    ) -> dict[str, Any]:
        """Return the outputs by name that a reply holds; raises ``Failure``."""
        self._heard(reply, function)
        if reply.error is not None:
            raise self._failure(reply.error, function)
        for index in reply.mutated:
            if 0 <= index < len(names):
                self.mutated.setdefault(function, set()).add(names[index])
        value = without_class_names(reply.value) if self._withhold else reply.value
        try:
            return unpack(function, value, returns)
        except Failure as failed:
            if words := self._twice.get(function):
                raise Failure(failed.reason, f"{failed.message}; {words}", failed.cause) from None
            raise

    def call_ahead(self, calls: Sequence[FunctionCall]) -> None:
        """Send calls that ``call`` will make, in this order, before any of them is answered."""
        self._worker.call_ahead(calls)

    def have_answered(self, answers: Answers) -> None:
        """Have functions answered by the reference from now on."""
        self._worker.have_answered(answers.wanted, answers)

    def times(self, forward: FunctionCall, backward: FunctionCall) -> tuple[float, float] | None:
        """Return how many seconds a call takes, and one with what it has kept; None if one fails.

        The worker says so: see ``WorkerConnection.times``.
        """
        value = self._worker.times(forward, backward).value
        if type(value) is not tuple or [type(one) for one in value] != [float, float]:
            return None
        return value

    def mute(self) -> None:
        """Have what the module prints dropped from now on, until the next check begins."""
        self._worker.mute()

    def repair(
        self, function: str, wanted: Sequence[Wanted], passed_over: Sequence[int]
    ) -> int | None:
        """Put a function right with a change of one place; return its number, None if none is.

        ``wanted`` are arguments, and what it should return for them; ``passed_over`` the numbers of
        changes that come before it.
        """
        value = self._worker.repair(function, wanted, passed_over).value
        line, number = value if type(value) is tuple and len(value) == 2 else (0, 0)  # noqa: PLR2004
        are_numbers = type(line) is type(number) is int
        good = are_numbers and 0 < line < MAX_LINES and number > max(passed_over, default=-1)
        self.repaired = line if good else None
        return number if good else None

    def layout(self, signature: Signature) -> dict[str, Any] | None:
        """Return how a function makes its caches (``isolation/worker/cache_layout.py``), if known.

        Student code shares the process that says so, and may say anything.
        """
        if signature not in self._layouts:
            reply = self._worker.layout(
                *(signature.function, signature.outputs, list(signature.opaque), signature.reader)
            )
            known = reply.error is None and type(reply.value) is dict
            self._layouts[signature] = reply.value if known else None
        return self._layouts[signature]

    def drive(
        self, driver: tuple[str, str], function: str, needs: str, arguments: dict[str, Any]
    ) -> Any:
        """Run a driver's function on the module; ``needs`` is the student's function it calls."""
        name, source = driver
        self.made.append(CallMade(function, arguments, driver=driver))
        reply = self._worker.drive(name, source, function, needs, arguments)
        self._heard(reply, needs)
        if reply.error is not None:
            raise self._failure(reply.error, needs, source)
        if self._withhold == "all":
            return without_texts(reply.value)
        return without_class_names(reply.value) if self._withhold else reply.value

    def _failure(self, error: StudentError, function: str, source: str = "") -> Failure:
        self.raised.append(error)
        ours = own_words(error.text, source) if error.by_driver else None
        if self._withhold:
            if self._withhold == "all" or error.text or not hasattr(builtins, error.type):
                self.withheld.append(described(error))
            # Named before the driver was there, so the name cannot be one of its secrets.
            error = error.without_words(
                self._missing_packages, self._places, named=self._withhold == "errors"
            )
        failed = failure(error, function, self.file, self._forbidden)
        # "freeze must return the model": freeze has raised nothing.
        says_all = ours is not None and (bool(self._withhold) or ours.startswith(f"{function} "))
        words = ours if ours is not None and says_all else failed.message
        by_it = bool(error.where) and error.where[-1][2] in (function, "")
        if by_it and (twice := self._twice.get(function)):
            words += f"; {twice}"
        foreign = failed.reason != "missing" and (error.by_driver or not error.where)
        return (ForeignFailure if foreign else Failure)(failed.reason, words, failed.cause)

    def mutation_notes(self) -> list[str]:
        """Return one note for each function that changed its arguments in place."""
        return [
            f"{function} changes its argument{'s' if len(names) > 1 else ''} "
            f"{', '.join(sorted(names))} in place: no points lost, but callers may not expect this"
            for function, names in self.mutated.items()
        ]


def positions(returns: Sequence[str], opaque: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the outputs that stay in the worker."""
    return tuple(index for index, name in enumerate(returns) if name in opaque)


def without_texts(value: Any) -> Any:
    """Return a value without anything that student code can choose freely, but with its kind.

    A text or the name of a class could carry what the driver beside the code holds.
    """
    if type(value) is dict:
        return {key: without_texts(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(without_texts(item) for item in value)
    if type(value) is str:
        return Opaque(0, "str")
    return _with_usual_type(value)


def without_class_names(value: Any) -> Any:
    """Return a value without the names of classes that student code can choose freely."""
    if type(value) is dict:
        return {key: without_class_names(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(without_class_names(item) for item in value)
    return _with_usual_type(value)


def _with_usual_type(value: Any) -> Any:
    if type(value) is Opaque:
        known = value.type_name in USUAL_TYPES or hasattr(builtins, value.type_name)
        return value if known else Opaque(value.handle, "object")
    return value


def unpack(function: str, value: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the outputs of a function by name; raises ``Failure`` if their number is wrong."""
    wanted = f"{len(names)} values ({', '.join(names)})" if len(names) > 1 else names[0]
    items = [value] if len(names) == 1 else value
    if value is None or (
        type(items) in (tuple, list) and items and all(item is None for item in items)
    ):
        message = f"{function} returns None, expected {wanted}: is a return missing, or the code?"
        raise Failure("not_implemented", message)
    several = type(items) in (tuple, list)
    if not several or len(items) != len(names):
        one = "one value" if as_array(value) is not None else described_type(value)
        what = f"{function} returns {f'{len(items)} values' if several else one}"
        raise Failure("wrong_shape", f"{what}, expected {wanted}", causes.NUMBER_OF_VALUES)
    return dict(zip(names, items, strict=True))
