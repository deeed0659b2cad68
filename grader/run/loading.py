"""Opening workers: with a submission's module loaded, or with the reference in its place."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from grader.checks import StudentModule
from grader.checks.base import Unloadable
from grader.checks.raised import described, failure
from grader.checks.student_code import Withhold
from grader.errors import Failure, WorkerLost
from grader.intake import notebook, sources
from grader.intake.submission import Submission
from grader.intake.wanted import ambiguous, unreadable
from grader.isolation.sandbox import Limits, StudentError
from grader.isolation.sandbox.connection import WorkerConnection
from grader.isolation.worker import cells
from grader.model import CheckSpec, Question, Rubric
from grader.run.workers import Needs, WorkerSource, needs

Loading = tuple[str, Needs]  # a module, as it is imported beside these libraries


def _loading(question: Question) -> Loading:
    return question.module, needs(question)


class Loader:
    """Opens the workers of one submission, and remembers which of its modules cannot be imported.

    Attributes:
        printed: what the workers printed since ``forget``.
        withheld: whether words of student code were kept from the student since then.
        raised: the exceptions of student code since then.

    Args:
        submission: what was handed in.
        workers: where workers come from.
        limits: returns what a worker for a check may use; it raises ``Pending`` if none can be
            started.
    """

    def __init__(
        self,
        submission: Submission,
        workers: WorkerSource,
        limits: Callable[[Question, CheckSpec], Limits],
    ) -> None:
        self.printed = bytearray()
        self.raised: list[StudentError] = []
        self.withheld = False
        self._lines: dict[str, int] | None = None
        self._submission = submission
        self._workers = workers
        self._limits = limits
        self._failures: dict[Loading, tuple[Failure, StudentError | None]] = {}
        self._lost_once: set[Loading] = set()
        self._deciding: dict[Loading, bool] = {}  # what its last worker says of itself
        self._expected: Counter[Loading] = Counter()

    def expect(self, chosen: Sequence[tuple[Question, CheckSpec]]) -> None:
        """Note which checks will be run: their workers can be made together."""
        self._expected = Counter(_loading(q.of(check)) for q, check in chosen if check.functions)

    def forget(self) -> None:
        """Forget what was printed and raised: another check begins."""
        self.printed.clear()
        self.raised.clear()
        self.withheld = False

    @contextlib.contextmanager
    def on_trial(self) -> Iterator[Callable[[], None]]:
        """Yield what keeps that which is printed and raised; otherwise it is forgotten."""
        before = len(self.printed), len(self.raised), self.withheld
        kept: list[bool] = []
        yield partial(kept.append, True)
        if not kept:
            del self.printed[before[0] :], self.raised[before[1] :]
            self.withheld = before[2]

    def cannot_load(self, question: Question) -> bool:
        """Say whether it is known already that a question's module cannot be imported."""
        return _loading(question) in self._failures

    def judges_in_turn(self, question: Question) -> bool:
        """Say whether a worker that has done other checks gives any call's values as a new one."""
        return self._deciding.get(_loading(question), False)

    @contextlib.contextmanager
    def student(
        self,
        question: Question,
        check: CheckSpec,
        seed: int,
        *,
        private: bool = False,
        in_turns: bool = False,
    ) -> Iterator[StudentModule]:
        """Open a worker with the question's module loaded.

        What its exceptions say is kept from students if the data are ``private``. ``in_turns`` says
        that the worker may have done other checks, if its program is proven to be pure.

        Raises:
            Failure: the module is missing or cannot be imported.
        """
        loading = _loading(question)
        if loading in self._failures:
            failed, error = self._failures[loading]
            self.raised += [error] if error is not None else []
            raise failed
        problem = unreadable(self._submission, question.module)
        if problem is not None:
            self._failures[loading] = problem, None
            raise problem
        limits = self._limits(question, check)  # before a server takes memory
        path = self._submission.path_of(question.module).removesuffix(".py")
        expected = max(1, self._expected[loading])
        self._expected[loading] -= 1
        worker = self._workers.spawn(
            *(question, self._submission.folder, limits, seed, path, expected), in_turns=in_turns
        )
        module: StudentModule | None = None
        try:
            level: Withhold = "all" if check.withhold_text else "errors" if private else ""
            module = self._load(worker, question, level)
            if in_turns:
                self._deciding[loading] = worker.decides
            yield module
        finally:
            worker.close()
            if in_turns:
                self._deciding[loading] = worker.decides
            self.printed += worker.output
            if module is not None:
                self.raised += module.raised
                self.withheld |= bool(module.withheld)
                for words in module.withheld:
                    self.printed += f"\nraised: {words}\n".encode()

    @contextlib.contextmanager
    def reference(
        self, rubric: Rubric, question: Question, check: CheckSpec, seed: int
    ) -> Iterator[StudentModule]:
        """Open a worker with the reference's module loaded, as if it had been handed in.

        Raises:
            Unloadable: there is no reference here, or it cannot be imported on its own.
        """
        with self._workers.reference(rubric) as folder:
            if folder is None:
                raise Unloadable
            limits = self._limits(question, check)
            worker = self._workers.spawn(question, folder, limits, seed)
            try:
                reply = worker.load(question.module.removesuffix(".py"))
                if reply.error is not None:
                    raise Unloadable(described(reply.error))
                yield StudentModule(worker, question.module, (), question.forbidden)
            finally:
                worker.close()

    def _line_counts(self) -> dict[str, int]:
        if self._lines is None:
            self._lines = _line_counts(self._submission.folder)
        return self._lines

    def _load(
        self, worker: WorkerConnection, question: Question, withhold: Withhold
    ) -> StudentModule:
        module, loading = self._submission.shown(question.module), _loading(question)
        path = self._submission.path_of(question.module)
        try:
            reply = worker.load(path.removesuffix(".py"))
        except WorkerLost as lost:
            again = _lost_while_imported(module, lost)
            if not lost.retry or loading in self._lost_once:
                self._failures[loading] = again, None
            self._lost_once.add(loading)
            raise again from None
        if reply.error is not None:
            data = (self._submission.folder / path).read_bytes()
            failed = _unimportable(module, data, reply.error, question)
            self._failures[loading] = failed, reply.error
            self.raised.append(reply.error)
            raise failed
        loaded = StudentModule(
            *(worker, module, reply.missing_packages, question.forbidden),
            withhold=withhold,
            places=self._line_counts() if withhold else None,
        )
        loaded.tell(reply)
        loaded.notes += ambiguous(self._submission, reply.missing_packages)
        return loaded


def _line_counts(folder: Path) -> dict[str, int]:
    """Return how many lines each source file has, by the name that workers give it."""
    found: dict[str, int] = {}
    for path in sorted(folder.rglob("*.py")):
        if not path.is_file():
            continue
        name = path.relative_to(folder)
        text = path.read_bytes().decode("utf-8", errors="replace")
        found[name.as_posix()] = text.count("\n") + 1
        if text.startswith(cells.MARK):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                notebook, sources = cells.cells_of(text)
                for number, source in sources:
                    found[f"{notebook}, cell {number}"] = source.count("\n") + 1
    return found


def _lost_while_imported(module: str, lost: WorkerLost) -> WorkerLost:
    message = f"{module} while it was imported: {lost.message}"
    if lost.reason == "timeout" and module.lower().endswith(notebook.SUFFIX):
        message += ": take out the cells that train, or shorten what they do"
    return WorkerLost(lost.reason, message, retry=lost.retry)


def _unimportable(module: str, data: bytes, error: StudentError, question: Question) -> Failure:
    """Return the failure of a module with the source ``data`` that raised while it was imported."""
    failed = failure(error, module, module, question.forbidden)
    if failed.reason in ("memory", "forbidden"):
        return failed
    text = f"{module} cannot be imported: {described(error)}"
    if remedy := sources.explained(
        module, data, error.kinds, error.where[-1][1] if error.where else 0
    ):
        text += f"; {remedy}"
    return Failure("import_error", text, failed.cause)
