"""What every check kind is made of: its context, its judgment, and the kind itself."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from grader.author.cases import BASE_GROUP
from grader.author.evidence import Figure
from grader.errors import AskAgainError, Blocked, Cause, Failure, Reason, WorkerLost
from grader.isolation.sandbox.calls import FunctionCall, fit
from grader.model import CheckSpec, Part, Question, Signature, Tier

from .student_code import StudentModule
from .watched import Compared, Watch, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from grader.assignment.reference import Assignment, SolvedCase
    from grader.isolation.bounded import BoundedChild

    from .numerics import Comparison

SAME_FACTOR = 1.0e-6  # relative
# With these a function has not been written, if all cases end so; a single one may be a branch.
NOT_WRITTEN: frozenset[str] = frozenset(["not_implemented", "missing", "import_error"])


class Stubs:
    """Whether all cases of a check end because the function has not been written.

    One branch that raises ``NotImplementedError`` costs the cases that reach it; where every case
    does, the report says once that nothing is there.
    """

    def __init__(self) -> None:
        self._first: Failure | None = None
        self._all = True

    def add(self, failed: Failure | None) -> None:
        """Take how a case ended; None if it came to an end."""
        if failed is None or failed.reason not in NOT_WRITTEN:
            self._all = False
        elif self._first is None:
            self._first = failed

    def settle(self) -> None:
        """Raise the first failure if all cases ended so."""
        if self._all and self._first is not None:
            raise self._first


@dataclass(frozen=True)
class Judgement:
    """What a check found: parts whose shares add up to one, notes, and measured values.

    ``message`` replaces the messages of the parts where these would repeat each other; ``figures``
    are for the report. Parts that are ``undecided``, by their names, wait for a person: the check
    is pending, with the points of the others.
    """

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    measurements: dict[str, Any] = field(default_factory=dict)
    message: str | None = None
    figures: tuple[Figure, ...] = ()
    undecided: tuple[str, ...] = ()


def _no_hurry() -> None:
    """Leave workers their time."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Context:
    """Everything a check may use.

    ``open_module`` starts a fresh worker with the student's module loaded; it raises ``Failure``
    if that is impossible. Its argument is the seed of the worker's random generators, which student
    code can read: ``worker_seed``, or another that follows from ``public_seed``. ``seed`` draws the
    data and may follow from a secret: no worker gets it, nor anything that follows from it. Then
    the data are ``private``, and no text of student code may be part of a message.
    ``read_file`` returns the bytes of a file of the submission; it raises ``Failure`` if the file
    is missing or too large. ``device`` is where training should run, ``cpu`` or ``cuda``.
    ``last_try`` says that a worker was lost before, without clear guilt.
    ``open_reference`` is like ``open_module``, with the reference in the submission's place, under
    the same limits; it raises ``Unloadable`` if the reference needs its package around it, and is
    None where there is no reference. No worker of the student's may be open then.
    ``bounded`` is the child in which the assignment's code works on what student code gave; None to
    do that in this process.
    ``at_once`` says to send the calls of all cases before any answer is read. What is found counts
    only if everything is right, or if the worker gives any call's values as a new one does, which
    ``goes_on`` says; otherwise the check is asked again, case by case.
    ``documents`` are the names of all files of the submission, which ``read_file`` reads, too.
    ``open_fresh`` opens a worker that has done nothing else, if that of ``open_module`` may have.
    After ``hurry`` the check's workers have a part of its time: student code has used it up once.
    ``watch`` is called with every value that is compared.
    """

    assignment: Assignment
    question: Question
    seed: int
    tier: Tier
    data: Path | None
    open_module: Callable[[int], AbstractContextManager[StudentModule]]
    read_file: Callable[[str], bytes]
    device: str = "cpu"
    open_reference: Callable[[int], AbstractContextManager[StudentModule]] | None = None
    last_try: bool = False
    bounded: BoundedChild | None = None
    public_seed: int = 0
    worker_seed: int = 0
    private: bool = False
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    answered: bool = False
    hurry: Callable[[], None] = _no_hurry
    at_once: bool = False
    goes_on: Callable[[], bool] = _never
    open_fresh: Callable[[int], AbstractContextManager[StudentModule]] | None = None
    documents: Sequence[str] = ()
    watch: Watch | None = None

    def compared(
        self,
        module: StudentModule | None,
        case: SolvedCase,
        found: Comparison | Failure | Blocked,
        given: Any = None,
        function: str = "",
    ) -> None:
        """Show a value that was compared, or why ``function`` gave none, to who watches."""
        if self.watch is not None:
            comparison = stopped(function, found) if isinstance(found, Failure | Blocked) else found
            calls = tuple(module.made) if module is not None else ()
            line = module.repaired if module is not None else None
            self.watch(Compared(case, comparison, given, calls, self.answered, line))

    def only_right(self) -> None:
        """Say that something is not right; raises ``AskAgainError`` where all is asked at once."""
        if self.at_once and not self.goes_on():
            raise AskAgainError


def case_by_case(
    context: Context,
    cases: Sequence[SolvedCase],
    judge_case: Callable[[StudentModule, SolvedCase], object],
    calls_of: Callable[[Sequence[SolvedCase]], list[FunctionCall]],
) -> Iterator[tuple[StudentModule, bool]]:
    """Judge cases one by one; yield each module that was opened, and whether it is still there.

    One worker serves all cases, ordinary ones first. If it is lost in a special case (an endless
    loop for one time step), that costs what this group of cases is worth: the rest of the group is
    left out, since nothing is left to lose, and the other groups get another worker. The last
    module that comes is there.

    Args:
        context: the check's.
        cases: all of them.
        judge_case: judges one, its failures included; it lets ``WorkerLost`` pass.
        calls_of: the calls by which cases in this order are judged if everything is right.

    Raises:
        WorkerLost: in an ordinary case, or for the first time without clear guilt.
    """
    waiting = deque(sorted(cases, key=lambda case: case.group != BASE_GROUP))
    calls = calls_of(waiting) if context.at_once else []
    if not fit(calls):
        raise AskAgainError
    is_there = False
    while not is_there:
        with context.open_module(context.worker_seed) as module:
            is_there = True
            if context.at_once:
                module.call_ahead(calls)
            while waiting and is_there:
                case = waiting.popleft()
                try:
                    judge_case(module, case)
                except WorkerLost as lost:
                    context.only_right()
                    if case.group == BASE_GROUP or (lost.retry and not context.last_try):
                        raise
                    is_there = False
                    waiting = deque(other for other in waiting if other.group != case.group)
            yield module, is_there


class Tally:
    """How one group of cases fares: it earns what the worst case does."""

    def __init__(self) -> None:
        self.cases = self.failed = 0
        self.earned = 1.0
        self.reason: Reason | None = None
        self.cause: Cause | None = None
        self._message = ""
        self._ratios: list[float | None] = []

    def add(
        self,
        earned: float,
        reason: Reason | None,
        message: str,
        cause: Cause | None,
        ratio: float | None = None,
    ) -> None:
        """Add a case; of the messages the first one stays."""
        self.cases += 1
        self.earned = min(self.earned, earned)
        if reason is None:
            return
        self.failed += 1
        self._ratios.append(ratio)
        if self.reason is None:
            self.reason, self._message, self.cause = reason, message, cause

    def explain(self, message: str, cause: Cause) -> None:
        """Take another message and the cause for what the first case that failed shows."""
        self._message, self.cause = message, cause

    @property
    def summary(self) -> str:
        """The message, with how many cases fail, and a factor that they have in common."""
        if self.cases < 2 or self.failed < 2:  # noqa: PLR2004
            return self._message
        factor = self._factor()
        words = f"; each time it is {factor:.6g} times the expected value" if factor else ""
        return f"{self._message}{words} ({self.failed} of {self.cases} similar cases fail)"

    def _factor(self) -> float | None:
        """Return by how much single numbers are off, if by the same factor in every case."""
        known = [ratio for ratio in self._ratios if ratio is not None]
        if self.cause is not None or len(known) < len(self._ratios):
            return None
        first = known[0]
        return first if all(math.isclose(r, first, rel_tol=SAME_FACTOR) for r in known) else None


def name_problems(spec: Any) -> Iterator[str]:
    """Yield names that a check of gradients uses and does not declare."""
    if spec.shares and set(spec.shares) != set(spec.gradients):
        yield f"shares: must name each of the gradients {sorted(spec.gradients)}"
    for name in spec.opaque:
        if name not in spec.returns:
            yield f"opaque: {name!r} is not one of the outputs in returns"
    for name in spec.gradients if spec.function == spec.forward else ():
        if name not in spec.returns:
            yield f"gradients: {name!r} is not one of the outputs in returns"


def in_lines(parts: tuple[Part, ...], alike: dict[str, Hashable]) -> str:
    """Return one line per cause: parts that are wrong for the same cause share a line.

    ``alike`` tells causes apart, by the names of parts.
    """
    groups: dict[Hashable, list[Part]] = {}
    for part in parts:
        if part.earned < 1:
            groups.setdefault(alike.get(part.name, ""), []).append(part)
    lines = []
    for found in groups.values():
        others = [part.name for part in found[1:] if part.message != found[0].message]
        lines.append(found[0].message + (f" [also wrong: {', '.join(others)}]" if others else ""))
    return "\n".join(lines)


class Unloadable(Exception):  # noqa: N818 - not an error: the reference need not be usable so
    """The reference cannot be imported as a submission is."""


class Recorder(Protocol):
    """Where a kind puts what a student's machine needs in place of the reference."""

    @property
    def assignment(self) -> Assignment:
        """The assignment that is recorded."""

    @property
    def question(self) -> Question:
        """The question of the check, with the check's module."""

    @property
    def seed(self) -> int:
        """What to draw the cases with: not the seed that is graded with."""

    def cases(self, function: str, cases: Sequence[SolvedCase]) -> None:
        """Keep solved cases, with what each known mistake of ``function`` makes of them."""

    def driver(self, file: str, source: str) -> None:
        """Keep the source of a driver's file."""

    def items(self, dataset: str, items: str, count: int) -> None:
        """Keep how many ``items`` a data set has."""


class CheckKind(ABC):
    """One kind of check: a name, the keys it adds to the rubric, and its judgement.

    What else the engine needs to know of a kind is said here and in its ``CheckSpec``: no other
    room knows a key of a kind. What is said below holds for a kind that needs nothing of the
    reference and stays with the instructor.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The value of ``kind`` in a rubric."""

    @property
    @abstractmethod
    def options(self) -> type[CheckSpec]:
        """The rubric keys of this kind."""

    @abstractmethod
    def run(self, spec: Any, context: Context) -> Judgement:
        """Judge; the judgement's parts, message and figures are what a report shows.

        Raises:
            Failure: nothing can earn points.
            Blocked: something that it stands on is missing.
            Pending: a person must mark it.
        """

    asks_at_once = False  # whether it heeds ``Context.at_once``

    def reply_bytes(self, spec: Any, context: Context) -> int | None:
        """Return how many bytes of arrays and texts a worker may send at once; None for the most.

        It is asked before a worker starts, and once per check.
        """
        del self, spec, context
        return None

    def prepare(self, spec: Any, context: Context) -> None:
        """Make, so that it is kept, what takes long and follows from the reference and the seed."""
        del self, spec, context

    def problems(self, spec: Any, question: Question, assignment: Assignment) -> Iterator[str]:
        """Yield what in a valid-looking ``spec`` does not fit the assignment's reference."""
        del self, spec, question, assignment
        yield from ()

    def disagreements(self, spec: Any, question: Question, assignment: Assignment) -> Iterator[str]:
        """Yield what the reference, when it is run, does not do as ``spec`` says."""
        del self, spec, question, assignment
        yield from ()

    def record(self, spec: Any, recorder: Recorder) -> bool:
        """Record what a student's machine needs; say whether the check can be run there."""
        del self, spec, recorder
        return False
