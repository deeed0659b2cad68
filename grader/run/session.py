"""Grading one submission: runs its checks, decides whose fault a failure is, never raises."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from grader import scoring
from grader.assignment import secret, signatures
from grader.assignment.reference import Assignment
from grader.author.evidence import Figure, HandedInFiles, Text
from grader.checks import KINDS, Context, Judgement, StudentModule, causes, rerun
from grader.checks.watched import Watch
from grader.errors import (
    RAISED,
    AskAgainError,
    Blocked,
    Failure,
    GraderError,
    IsolationError,
    Pending,
    WorkerLost,
)
from grader.intake.submission import Submission
from grader.isolation.sandbox import Limits, StudentError
from grader.isolation.sandbox.limits import MAX_REPLY_BYTES
from grader.job import CheckDone, Settings, Steering
from grader.model import CheckResult, CheckSpec, Question, Rubric
from grader.reports import building, clipping
from grader.reports.report import Report
from grader.run import words
from grader.run.loading import Loader
from grader.run.workers import WorkerSource
from grader.seeds import seed_for

HURRIED = 0.2  # of a check's time is for trying it again once student code has used it up
LEAST_TIME_S = 2.0
MAX_TEXT_FILE = 16 * 1024 * 1024  # a million labels are 2 MB
MAX_KEPT_TEXT, MAX_KEPT_TEXTS = 256 * 1024, 40  # bytes of a file that is read once; such files


class Session:
    """Grades one staged submission, check by check, in any order.

    Attributes:
        results: the results so far by the check's id, in the order in which they came.
        raised: the exceptions of student code by the check's id, as its worker reported them.

    Args:
        rubric: what to grade by.
        assignment: the assignment's own code.
        submission: what was handed in, staged where workers can read it.
        workers: where workers come from.
        settings: what is the same for all submissions.
        steering: decides about order, limits and what is left out; by default nothing is.
        on_check: called with each result.
        watch: called with each value that a check compares.
    """

    def __init__(
        self,
        rubric: Rubric,
        assignment: Assignment,
        submission: Submission,
        workers: WorkerSource,
        settings: Settings,
        *,
        steering: Steering | None = None,
        on_check: CheckDone | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.rubric = rubric
        self.submission = submission
        self.settings = settings
        self.results: dict[str, CheckResult] = {}
        self.raised: dict[str, tuple[StudentError, ...]] = {}
        self._assignment = assignment
        self._workers = workers
        self._steering = steering
        self._on_check = on_check
        self._watch = watch
        self._signatures = signatures.of_rubric(rubric)
        self._loader = Loader(submission, workers, self._limits)
        self._reply_bytes: Callable[[], int | None] = _no_limit
        self._time_share = 1.0
        self._texts: dict[str, bytes | Failure] = {}  # the submission's files, as they were read

    def ordered(self, wanted: Collection[str]) -> Sequence[tuple[Question, CheckSpec]]:
        """Return the checks with these ids in the order in which they should run."""
        questions = self.rubric.questions
        chosen = [(q, check) for q in questions for check in q.checks if check.id in wanted]
        steering = self._steering
        if steering is not None:
            chosen.sort(key=lambda one: steering.rank(*one))
        self._loader.expect(chosen)
        return chosen

    def run(self, question: Question, check: CheckSpec) -> CheckResult:
        """Run one check and keep its result. A fault of the grader gives ``broken``.

        Raises:
            IsolationError: this machine does not isolate as well as was asked for.
        """
        steering = self._steering
        if steering is None:
            result = self._run(question, check)
        else:
            result = steering.run(question, check, partial(self._run, question, check))
        self.results[check.id] = result
        if steering is not None:
            # What is noted on the way serves a run that is cut short; this one goes on without.
            with contextlib.suppress(GraderError):
                steering.progress(self.report)
        if self._on_check is not None:
            self._on_check(result)
        return result

    def report(self) -> Report:
        """Return the report of all checks done so far."""
        about = self.submission, self.settings.tier, self._workers.isolation
        seed = secret.label(self.settings.secret, self.settings.public_seed(self.rubric))
        return building.of_results(self.rubric, *about, self.results, seed)

    def seed(self, check: CheckSpec) -> int:
        """Return the seed of a check's data, which no worker may learn."""
        return seeds_of(self.rubric, self.settings, check)[0]

    def public_seed(self, check: CheckSpec) -> int:
        """Return a seed of a check that anybody may know."""
        return seeds_of(self.rubric, self.settings, check)[1]

    def _run(self, question: Question, check: CheckSpec) -> CheckResult:
        """Run one check; any exception but the one that ends the run becomes an outcome."""
        seed = self.seed(check)
        question = question.of(check)
        self._loader.forget()
        self._time_share = 1.0
        started = time.monotonic()
        try:
            result = self._run_kind(question, check, seed)
        except IsolationError:
            raise
        except GraderError as error:
            self._workers.replace(question)
            result = CheckResult(check, "broken", 0.0, message=str(error))
        except RAISED as error:  # our own error must not cost a student points
            if sys.stderr.isatty():
                traceback.print_exc()
            result = CheckResult(check, "broken", 0.0, message=our_failure(error))
        self.raised[check.id] = tuple(self._loader.raised)
        return dataclasses.replace(
            clipping.result(result),
            seed=None if self.settings.secret is not None else seed,
            hint=check.hint.strip() if result.outcome not in ("passed", "broken") else "",
            duration_s=round(time.monotonic() - started, 4),
            output=self._loader.printed.decode(errors="replace"),
        )

    def _limits(self, question: Question, check: CheckSpec) -> Limits:
        timeout_s = max(check.timeout_s * self._time_share, min(check.timeout_s, LEAST_TIME_S))
        limits = Limits(timeout_s, check.memory_mb, check.output_kb)
        if (most := self._reply_bytes()) is not None:
            limits = dataclasses.replace(limits, max_reply_bytes=min(most, MAX_REPLY_BYTES))
        steering = self._steering
        return limits if steering is None else steering.limits(question, check, limits)

    def _run_kind(self, question: Question, check: CheckSpec, seed: int) -> CheckResult:
        """Run a check; what its exceptions say may be shown only where the data are public."""
        is_shown = check.visibility == "visible" and check.withhold_text is None
        private = is_shown and self.settings.secret is not None
        context = self._context(question, check, seed, private=private)
        result = self._judged(check, context)
        if not (private and self._loader.withheld and words.tell_of_an_exception(result)):
            return result
        public = dataclasses.replace(
            self._context(question, check, context.public_seed, private=False),
            tier="mini",
            data=None,
        )
        with contextlib.suppress(GraderError):
            if (shown := words.with_words_of(result, self._judged(check, public))) is not None:
                return shown
        return dataclasses.replace(result, notes=(*result.notes, words.WITHHELD))

    def _context(
        self, question: Question, check: CheckSpec, seed: int, *, private: bool
    ) -> Context:
        settings, loader = self.settings, self._loader
        return Context(
            self._assignment,
            question,
            seed,
            settings.tier,
            settings.data,
            partial(loader.student, question, check, private=private),
            self._read_file,
            settings.device,
            partial(loader.reference, self.rubric, question, check),
            bounded=self._workers.bounded,
            public_seed=self.public_seed(check),
            private=private,
            worker_seed=seed_for("worker", check.id, self.public_seed(check)),
            signatures=self._signatures,
            hurry=self._hurry,
            documents=self.submission.files,
            watch=self._watch,
        )

    def _hurry(self) -> None:
        self._time_share = HURRIED

    def _judged(self, check: CheckSpec, context: Context) -> CheckResult:
        # Asked when the first worker starts, once the reference has worked.
        self._reply_bytes = functools.cache(partial(KINDS[check.kind].reply_bytes, check, context))
        try:
            turn = self._turn(check, context)
            found = self._tried(check, turn) if turn is not None else None
            if found is not None and scoring.is_full(found.parts):
                judgement = found
            else:
                again = partial(self._in_turn, turn) if turn is not None and found else None
                judgement = self._with_retry(check, context, found, again)
        except Pending as pending:
            shown: list[Figure] = [Text(pending.file, pending.text)] if pending.text else []
            if pending.others:
                shown.append(HandedInFiles("handed in", pending.others))
            return CheckResult(check, "pending", 0.0, message=pending.message, figures=tuple(shown))
        except Blocked as blocked:
            cause = causes.of_failure(blocked)
            return CheckResult(check, "blocked", 0.0, blocked.reason, blocked.message, cause)
        except Failure as failed:
            cause = causes.of_failure(failed)
            return CheckResult(check, "failed", 0.0, failed.reason, failed.message, cause)
        parts = tuple(map(causes.completed, judgement.parts))
        if judgement.undecided:
            waiting = judgement.undecided
            parts = tuple(dataclasses.replace(p, undecided=p.name in waiting) for p in parts)
        messages = [part.message for part in parts if part.message and part.earned < 1]
        message = "\n".join(messages) if judgement.message is None else judgement.message
        return CheckResult(
            check,
            "pending" if judgement.undecided else scoring.outcome_of(parts),
            scoring.points_of(parts, check.points),
            scoring.reason_of(parts),
            message,
            scoring.cause_of(parts),
            notes=tuple(dict.fromkeys(judgement.notes)),
            parts=parts,
            measurements=judgement.measurements,
            figures=judgement.figures,
        )

    def _turn(self, check: CheckSpec, context: Context) -> Context | None:
        """Return the context in the worker that does all checks of a program proven to be pure.

        It is an ordinary worker if the program is not. None for a check that asks otherwise.
        """
        if not (KINDS[check.kind].asks_at_once and self._workers.asks_at_once):
            return None
        opened = partial(self._opened, check, context)
        goes_on = partial(self._loader.judges_in_turn, context.question)
        return dataclasses.replace(
            context, open_module=opened, open_fresh=context.open_module, goes_on=goes_on
        )

    def _tried(self, check: CheckSpec, turn: Context) -> Judgement | None:
        """Judge in turn, if that can be.

        First all is asked at once, also of other programs, if only to find that all is right; then
        case by case. None if neither says enough.
        """
        run = partial(KINDS[check.kind].run, check)
        found = self._in_turn(dataclasses.replace(turn, at_once=True), run)
        if found is None and turn.goes_on():
            found = self._in_turn(turn, run)
        return found

    def _in_turn(
        self, turn: Context, run: Callable[[Context], Judgement | None]
    ) -> Judgement | None:
        """Judge; None if there is more to judge than values."""
        with (
            self._loader.on_trial() as keep,
            contextlib.suppress(AskAgainError, Failure, Blocked, Pending),
        ):
            found = run(turn)
            if found is not None and (scoring.is_full(found.parts) or turn.goes_on()):
                keep()
                return found
        return None

    def _opened(
        self, check: CheckSpec, context: Context, seed: int
    ) -> contextlib.AbstractContextManager[StudentModule]:
        """Open a worker that may have done other checks."""
        return self._loader.student(
            context.question, check, seed, private=context.private, in_turns=True
        )

    def _with_retry(
        self,
        check: CheckSpec,
        context: Context,
        found: Judgement | None,
        in_turn: rerun.InTurn | None,
    ) -> Judgement:
        """Run a check, once more in a fresh worker if the first was lost without clear guilt.

        ``found`` is how it was judged already, if it was; ``in_turn`` runs it there once more.
        """
        kind = KINDS[check.kind]
        try:
            return rerun.run(kind, check, context, found, in_turn)
        except WorkerLost as lost:
            if not lost.retry or self._loader.cannot_load(context.question):
                raise
            first = lost
        if first.reason == "timeout":
            self._hurry()  # who sleeps would sleep again
        try:
            return rerun.run(kind, check, dataclasses.replace(context, last_try=True))
        except WorkerLost as lost:
            if lost.reason == first.reason == "timeout":
                raise first from None  # with the check's own limit in its message
            raise

    def _read_file(self, name: str) -> bytes:
        """Return the bytes of a file of the submission, which nobody changes; small ones are kept.

        Raises:
            Failure: it is not there, or it is too large.
        """
        found = self._texts.get(name)
        if found is None:
            try:
                found = self._read(name)
            except Failure as failed:
                found = Failure(failed.reason, failed.message)
            small = isinstance(found, Failure) or len(found) <= MAX_KEPT_TEXT
            if small and len(self._texts) < MAX_KEPT_TEXTS:
                self._texts[name] = found
        if isinstance(found, Failure):
            raise Failure(found.reason, found.message)
        return found

    def _read(self, name: str) -> bytes:
        path = self.submission.folder / self.submission.path_of(name)
        if name in self.submission.places.obstacles or not path.is_file():
            raise Failure("missing", self.submission.missing(name))
        if path.stat().st_size > MAX_TEXT_FILE:
            raise Failure("wrong_shape", f"{name} is {path.stat().st_size} bytes long")
        return path.read_bytes()


def seeds_of(rubric: Rubric, settings: Settings, check: CheckSpec) -> tuple[int, int]:
    """Return the seed of a check's data, which no worker may learn, and one that anybody may."""
    public = seed_for(rubric.assignment, check.id, settings.public_seed(rubric))
    if settings.secret is None:
        return public, public
    return settings.secret.seed_for(rubric.assignment, check.id), public


def _no_limit() -> None:
    """Leave the size of replies to the worker's limits."""


def our_failure(error: BaseException) -> str:
    """Return the message for an exception in our own code, with the line that raised it."""
    trace = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(trace.filename).name}, line {trace.lineno}"
    return f"the grader itself failed: {type(error).__name__}: {error} ({place})"
