"""Calls of a student's functions, and what an exception in them means."""

from __future__ import annotations

import builtins
import re
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from grader.checks import causes
from grader.checks.numerics import as_array, described_type
from grader.checks.own_words import USUAL_TYPES, own_words
from grader.errors import Failure, Reason
from grader.isolation.sandbox.calls import FunctionCall, Wanted, fit, in_batches
from grader.isolation.sandbox.connection import WorkerConnection
from grader.isolation.sandbox.reply import Reply
from grader.isolation.sandbox.student_error import StudentError
from grader.isolation.wire import Opaque
from grader.isolation.wire.codec import MAX_BUFFERS
from grader.isolation.worker.newer import newer_name
from grader.model import Signature
from grader.readers.texts import clipped

from .watched import CallMade

if TYPE_CHECKING:
    from .answers import Answers

KEPT_CALLS = 2  # a forward function, and the one that reads its cache
Withhold = Literal["", "errors", "all"]
# What the system says of a disk that is full, and of a file that is larger than allowed.
FULL = re.compile(r"\[Errno (?:27|28|122)\]")
MAX_CALLERS = 3  # frames shown besides the innermost one
MAX_LINE_SHOWN = 80  # characters
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
            f"{file} imports {name!r}, which {_lacks(name)}: functions that use it will fail"
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


def _lacks(package: str) -> str:
    """Return what is wrong with a package that cannot be imported, after "which"."""
    return newer_name(package) or "is neither in the submission nor installed in the grader"


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


def failure(
    error: StudentError, function: str, file: str, forbidden: Sequence[str] = ()
) -> Failure:
    """Return the failure that an exception raised by student code means."""
    if error.undefined:
        instead = f"; {error.text}" if error.text else ""
        return Failure("missing", f"{file} has no function {function}{instead}")
    package = error.missing_package
    if package is not None and package in forbidden:
        message = f"{function} uses {package!r}{located(error)}"
        message += ": solve this question without it"
        return Failure("forbidden", message, causes.of_package(package, forbidden=True))
    if package is not None:
        named = f"{package!r}, which" if package else "a package that"
        message = f"{function} needs {named} {_lacks(package)}{located(error)}"
        return Failure("import_error", message, causes.of_package(package, forbidden=False))
    if "NotImplementedError" in error.kinds:
        return Failure("not_implemented", _not_implemented(error, function))
    reason: Reason = "memory" if "MemoryError" in error.kinds else "exception"
    cause = causes.of_exception(error.kinds) if reason == "exception" else None
    return Failure(reason, f"{function} raised {described(error)}", cause)


def _not_implemented(error: StudentError, function: str) -> str:
    """Return which function is a stub: the innermost one that is named."""
    inner = error.where[-1][2] if error.where else ""
    words = f": {error.text}" if error.text not in ("", function, inner) else ""
    if not inner or inner in (function, "<module>"):
        return f"{function} is not implemented yet{words}"
    return f"{function} calls {inner}, which is not implemented yet{located(error)}{words}"


def described(error: StudentError) -> str:
    """Return an exception's type, text and place, and what is special about being graded."""
    text = f"{error.type}: {error.text}" if error.text else error.type
    text += located(error)
    if "PermissionError" in error.kinds or "Read-only file system" in error.text:
        text += (
            ": during grading, code may not start processes or open connections, and writes only "
            "to its working folder, its home and temporary folders"
        )
    elif FULL.search(error.text):
        text += ": during grading, the files that code writes may not take more room than this"
    elif "FileNotFoundError" in error.kinds and "'/" in error.text:
        text += ": during grading, only the files that you handed in are there"
    return text


def located(error: StudentError) -> str:
    """Return where in the student's files an exception was raised, and what had called that."""
    if not error.where:
        return ""
    lines = error.lines if len(error.lines) == len(error.where) else ("",) * len(error.where)
    frames = [_frame(place, line) for place, line in zip(error.where, lines, strict=True)]
    chain = list(dict.fromkeys(reversed(frames)))  # a recursion repeats its frames
    callers = [words for words in chain[1:] if "<module>" not in words]
    if len(callers) > MAX_CALLERS:  # the outermost is the function that the check calls
        callers = [*callers[: MAX_CALLERS - 1], f"... and at last from {callers[-1]}"]
    return f" ({'; called from '.join([chain[0], *callers])})"


def _frame(place: tuple[str, int, str], line: str) -> str:
    file, number, function = place
    words = f"{file}, line {number}{f', in {function}' if function else ''}"
    text = clipped(" ".join(line.split()), MAX_LINE_SHOWN)
    return f"{words}: `{text}`" if text and "`" not in text else words
