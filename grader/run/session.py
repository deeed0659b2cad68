"""Grading one submission: runs its checks, decides whose fault a failure is, never raises."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from grader import scoring
from grader.assignment.reference import Assignment
from grader.author.evidence import Text
from grader.checks import KINDS, Context, Judgement, StudentModule, causes
from grader.checks.base import Unloadable
from grader.checks.student_code import described, failure
from grader.errors import RAISED, Blocked, Failure, GraderError, IsolationError, Pending, WorkerLost
from grader.intake import notebook, sources
from grader.intake.submission import Submission
from grader.intake.wanted import ambiguous, unreadable
from grader.isolation.sandbox import Limits
from grader.isolation.sandbox.dialogue import Dialogue
from grader.job import Settings
from grader.model import CheckResult, CheckSpec, Question, Rubric
from grader.run.workshop import Needs, needs
from grader.run.workshop import Workshop as Workshop  # noqa: PLC0414 - for all who judge
from grader.seeds import seed_for

MAX_TEXT_FILE = 16 * 1024 * 1024  # a million labels are 2 MB
MAX_MESSAGE = 4000  # characters of one check's message


class Spawner(Protocol):
    """What starts the workers of a question."""

    def spawn(self, submission: Path, limits: Limits, seed: int) -> Dialogue:
        """Start a worker that runs the code in ``submission``."""


class Workers(Protocol):
    """Where a session gets its workers from."""

    def server(self, question: Question) -> Spawner:
        """Return what starts the workers of a question."""

    def replace(self, question: Question) -> None:
        """Drop what no longer answers."""

    @property
    def isolation(self) -> list[str]:
        """The layers of isolation that the workers run in."""


Loading = tuple[str, Needs]  # a module, as it is imported beside these libraries


def _loading(question: Question) -> Loading:
    return question.module, needs(question)


class Session:
    """Grades one staged submission, check by check, in any order."""

    def __init__(
        self,
        rubric: Rubric,
        assignment: Assignment,
        submission: Submission,
        workshop: Workers,
        settings: Settings,
    ) -> None:
        self.rubric = rubric
        self.submission = submission
        self.settings = settings
        self.results: dict[str, CheckResult] = {}
        self._assignment = assignment
        self._workshop = workshop
        self._load_failures: dict[Loading, Failure] = {}
        self._lost_once: set[Loading] = set()
        self._output = bytearray()
        self.refusal: IsolationError | None = None

    @property
    def isolation(self) -> list[str]:
        """The layers of isolation that the workers of this session ran in."""
        return self._workshop.isolation

    def run(self, question: Question, check: CheckSpec) -> CheckResult:
        """Run one check and keep its result. A fault of ours becomes the outcome ``broken``.

        Raises:
            IsolationError: this machine does not isolate as well as was asked for.
        """
        seed = self.seed(check)
        question = question.of(check)
        self._output.clear()
        started = time.monotonic()
        try:
            result = self._judge(question, check, seed)
        except IsolationError as error:
            self.refusal = error
            raise
        except GraderError as error:
            self._workshop.replace(question)
            result = CheckResult(check, "broken", 0.0, message=str(error))
        except RAISED as error:  # an error of ours must not cost a student points
            trace = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(trace.filename).name}, line {trace.lineno}"
            message = f"the grader itself failed: {type(error).__name__}: {error} ({place})"
            if sys.stderr.isatty():
                traceback.print_exc()
            result = CheckResult(check, "broken", 0.0, message=message)
        result = dataclasses.replace(
            result,
            seed=seed,
            message=_clipped(result.message),
            hint=check.hint.strip() if result.outcome not in ("passed", "broken") else "",
            duration_s=round(time.monotonic() - started, 4),
            output=self._output.decode(errors="replace"),
        )
        self.results[check.id] = result
        return result

    def seed(self, check: CheckSpec) -> int:
        """Return the seed of a check."""
        base = self.rubric.seed if self.settings.seed is None else self.settings.seed
        return seed_for(self.rubric.assignment, check.id, base)

    def limits(self, question: Question, check: CheckSpec) -> Limits:  # noqa: ARG002 - see grading
        """Return the limits of a worker that is about to start for a check.

        Raises:
            Pending: it cannot be started here.
        """
        return Limits(check.timeout_s, check.memory_mb, check.output_kb)

    def _judge(self, question: Question, check: CheckSpec, seed: int) -> CheckResult:
        @contextlib.contextmanager
        def open_module(worker_seed: int) -> Iterator[StudentModule]:
            with self._loaded(question, check, worker_seed) as module:
                yield module

        settings = self.settings

        @contextlib.contextmanager
        def open_reference(worker_seed: int) -> Iterator[StudentModule]:
            with self._reference(question, check, worker_seed) as module:
                yield module

        context = Context(
            self._assignment,
            question,
            seed,
            settings.tier,
            settings.data,
            open_module,
            self._read_file,
            settings.device,
            open_reference if isinstance(self._workshop, Workshop) else None,
        )
        try:
            judgement = self._with_retry(check, context)
        except Pending as pending:
            shown = Text(pending.file, pending.text)
            return CheckResult(check, "pending", 0.0, message=pending.message, figures=(shown,))
        except Blocked as blocked:
            cause = causes.of_failure(blocked)
            return CheckResult(check, "blocked", 0.0, blocked.reason, blocked.message, cause)
        except Failure as failed:
            cause = causes.of_failure(failed)
            return CheckResult(check, "failed", 0.0, failed.reason, failed.message, cause)
        parts = tuple(map(causes.completed, judgement.parts))
        messages = [part.message for part in parts if part.message and part.earned < 1]
        message = "\n".join(messages) if judgement.message is None else judgement.message
        return CheckResult(
            check,
            scoring.outcome_of(parts),
            scoring.points_of(parts, check.points),
            scoring.reason_of(parts),
            message,
            scoring.cause_of(parts),
            notes=tuple(dict.fromkeys(judgement.notes)),
            parts=parts,
            measurements=judgement.measurements,
            figures=judgement.figures,
        )

    def _with_retry(self, check: CheckSpec, context: Context) -> Judgement:
        """Run a check, once more in a fresh worker if the first was lost without clear guilt."""
        kind = KINDS[check.kind]
        try:
            return kind.run(check, context)
        except WorkerLost as lost:
            if not lost.retry or _loading(context.question) in self._load_failures:
                raise
        return kind.run(check, context)

    def _read_file(self, name: str) -> bytes:
        """Return the bytes of a file of the submission."""
        path = self.submission.folder / self.submission.path_of(name)
        if not path.is_file():
            raise Failure("missing", self.submission.missing(name))
        if path.stat().st_size > MAX_TEXT_FILE:
            raise Failure("wrong_shape", f"{name} is {path.stat().st_size} bytes long")
        return path.read_bytes()

    @contextlib.contextmanager
    def _loaded(self, question: Question, check: CheckSpec, seed: int) -> Iterator[StudentModule]:
        """Open a worker with the question's module loaded."""
        loading = _loading(question)
        if loading in self._load_failures:
            raise self._load_failures[loading]
        problem = unreadable(self.submission, question.module)
        if problem is not None:
            self._load_failures[loading] = problem
            raise problem
        limits = self.limits(question, check)  # before a server takes memory
        worker = self._workshop.server(question).spawn(self.submission.folder, limits, seed)
        module: StudentModule | None = None
        try:
            module = self._load(worker, question, withhold=check.withhold_text)
            yield module
        finally:
            worker.close()
            self._output += worker.output
            for words in module.withheld if module is not None else ():
                self._output += f"\nraised: {words}\n".encode()

    @contextlib.contextmanager
    def _reference(
        self, question: Question, check: CheckSpec, seed: int
    ) -> Iterator[StudentModule]:
        """Open a worker with the reference's module, as if it had been handed in."""
        assert isinstance(self._workshop, Workshop)  # noqa: S101 - or there is no such function
        with self._workshop.reference(self.rubric) as folder:
            limits = self.limits(question, check)
            worker = self._workshop.server(question).spawn(folder, limits, seed)
            try:
                reply = worker.load(question.module.removesuffix(".py"))
                if reply.error is not None:
                    raise Unloadable(described(reply.error))
                yield StudentModule(worker, question.module, (), question.forbidden)
            finally:
                worker.close()

    def _load(self, worker: Dialogue, question: Question, *, withhold: bool) -> StudentModule:
        module, loading = self.submission.shown(question.module), _loading(question)
        path = self.submission.path_of(question.module)
        try:
            reply = worker.load(path.removesuffix(".py"))
        except WorkerLost as lost:
            message = f"{module} while it was imported: {lost.message}"
            if lost.reason == "timeout" and module.lower().endswith(notebook.SUFFIX):
                message += ": take out the cells that train, or shorten what they do"
            again = WorkerLost(lost.reason, message, retry=lost.retry)
            if not lost.retry or loading in self._lost_once:
                self._load_failures[loading] = again
            self._lost_once.add(loading)
            raise again from None
        if reply.error is not None:
            failed = failure(reply.error, module, module, question.forbidden)
            if failed.reason not in ("memory", "forbidden"):
                text = f"{module} cannot be imported: {described(reply.error)}"
                data = (self.submission.folder / path).read_bytes()
                if remedy := sources.explained(module, data, reply.error.kinds):
                    text += f"; {remedy}"
                failed = Failure("import_error", text, failed.cause)
            self._load_failures[loading] = failed
            raise failed
        loaded = StudentModule(
            *(worker, module, reply.missing_packages, question.forbidden), withhold=withhold
        )
        loaded.notes += ambiguous(self.submission, reply.missing_packages)
        return loaded


def _clipped(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]} [...]"
