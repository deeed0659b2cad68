"""Grading one submission: runs its checks, decides whose fault a failure is, never raises."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader import scoring
from grader.assignment import Assignment
from grader.checks import KINDS, Context, Judgement, StudentModule
from grader.checks.base import described, failure
from grader.closing import Closing
from grader.errors import Blocked, Failure, GraderError, Pending, WorkerLost
from grader.evidence import Text
from grader.model import CheckResult, CheckSpec, Device, Question, Rubric, Tier
from grader.sandbox import ForkServer, Limits, Worker
from grader.seeds import seed_for
from grader.submission import Submission, stage

MAX_TEXT_FILE = 16 * 1024 * 1024  # a million labels are 2 MB
MAX_MESSAGE = 4000  # characters of one check's message


@dataclass(frozen=True)
class Settings:
    """What is the same for all submissions of a run.

    ``seed`` replaces the rubric's if given; ``device`` is where training runs.
    """

    tier: Tier = "mini"
    data: Path | None = None
    seed: int | None = None
    device: Device = "cpu"


class Workshop(Closing):
    """Fork servers and the staging folder of one grading process, shared by its submissions.

    Args:
        parent: the folder to stage in; by default the system's folder for temporary files.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._staging = Path(tempfile.mkdtemp(prefix="grading-", dir=parent))
        # Workers enter it under another user id; the names in it are not listed for them.
        self._staging.chmod(0o711)
        self._servers: dict[tuple[str, ...], ForkServer] = {}
        self._count = 0

    def close(self) -> None:
        """End all servers and remove everything staged."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        shutil.rmtree(self._staging, ignore_errors=True)

    def stage(self, identifier: str, path: Path, rubric: Rubric) -> Submission:
        """Stage a submission into a folder of its own."""
        self._count += 1
        modules = [name for question in rubric.questions for name in question.modules]
        supplied = {file.name: file for question in rubric.questions for file in question.supplied}
        target = self._staging / f"s{self._count}" / "submission"
        return stage(identifier, path, target, modules, tuple(supplied.values()))

    def unstage(self) -> None:
        """Remove the submission staged last."""
        shutil.rmtree(self._staging / f"s{self._count}", ignore_errors=True)

    def server(self, preload: tuple[str, ...]) -> ForkServer:
        """Return the fork server with these libraries, started at its first use."""
        # numpy is in every server
        key = tuple(name for name in preload if name != "numpy")
        if key not in self._servers:
            self._servers[key] = ForkServer(key, self._staging)
        return self._servers[key]

    def replace(self, preload: tuple[str, ...]) -> None:
        """Drop a server that no longer answers; the next use starts another one."""
        server = self._servers.pop(tuple(name for name in preload if name != "numpy"), None)
        if server is not None:
            server.close()

    @property
    def isolation(self) -> list[str]:
        """The layers of isolation in force: those that every server used has reached."""
        layers = [server.isolation for server in self._servers.values()]
        return [layer for layer in layers[0] if all(layer in o for o in layers)] if layers else []


class Session:
    """Grades one staged submission, check by check, in any order."""

    def __init__(
        self,
        rubric: Rubric,
        assignment: Assignment,
        submission: Submission,
        workshop: Workshop,
        settings: Settings,
    ) -> None:
        self.rubric = rubric
        self.submission = submission
        self.settings = settings
        self.results: dict[str, CheckResult] = {}
        self._assignment = assignment
        self._workshop = workshop
        self._load_failures: dict[str, Failure] = {}
        self._lost_once: set[str] = set()
        self._output = bytearray()

    @property
    def isolation(self) -> list[str]:
        """The layers of isolation that the workers of this session ran in."""
        return self._workshop.isolation

    def run(self, question: Question, check: CheckSpec) -> CheckResult:
        """Run one check and keep its result. A fault of ours becomes the outcome ``broken``."""
        seed = self.seed(check)
        question = question.of(check)
        self._output.clear()
        started = time.monotonic()
        try:
            result = self._judge(question, check, seed)
        except GraderError as error:
            self._workshop.replace(question.preload)
            result = CheckResult(check, "broken", 0.0, message=str(error))
        except Exception as error:  # noqa: BLE001 - an error of ours must not cost a student points
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

    def _judge(self, question: Question, check: CheckSpec, seed: int) -> CheckResult:
        @contextlib.contextmanager
        def open_module(worker_seed: int) -> Iterator[StudentModule]:
            with self._loaded(question, check, worker_seed) as module:
                yield module

        settings = self.settings
        context = Context(
            self._assignment,
            question,
            seed,
            settings.tier,
            settings.data,
            open_module,
            self._read_file,
            settings.device,
        )
        try:
            judgement = self._with_retry(check, context)
        except Pending as pending:
            shown = Text(pending.file, pending.text)
            return CheckResult(check, "pending", 0.0, message=pending.message, figures=(shown,))
        except Blocked as blocked:
            return CheckResult(check, "blocked", 0.0, blocked.reason, blocked.message)
        except Failure as failed:
            return CheckResult(check, "failed", 0.0, failed.reason, failed.message)
        parts = judgement.parts
        messages = [part.message for part in parts if part.message and part.earned < 1]
        message = "\n".join(messages) if judgement.message is None else judgement.message
        return CheckResult(
            check,
            scoring.outcome_of(parts),
            scoring.points_of(parts, check.points),
            scoring.reason_of(parts),
            message,
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
            if not lost.retry or context.question.module in self._load_failures:
                raise
        return kind.run(check, context)

    def _read_file(self, name: str) -> bytes:
        """Return the bytes of a file of the submission."""
        path = self.submission.folder / name
        if not path.is_file():
            raise Failure("missing", self.submission.missing(name))
        if path.stat().st_size > MAX_TEXT_FILE:
            raise Failure("wrong_shape", f"{name} is {path.stat().st_size} bytes long")
        return path.read_bytes()

    @contextlib.contextmanager
    def _loaded(self, question: Question, check: CheckSpec, seed: int) -> Iterator[StudentModule]:
        """Open a worker with the question's module loaded."""
        if question.module in self._load_failures:
            raise self._load_failures[question.module]
        problem = unreadable(self.submission, question.module)
        if problem is not None:
            self._load_failures[question.module] = problem
            raise problem
        accelerator = self.settings.device == "cuda" and "torch" in question.preload
        limits = Limits(check.timeout_s, check.memory_mb, check.output_kb, accelerator=accelerator)
        server = self._workshop.server(question.preload)
        worker = server.spawn(self.submission.folder, limits, seed)
        try:
            yield self._load(worker, question.module)
        finally:
            worker.close()
            self._output += worker.output

    def _load(self, worker: Worker, module: str) -> StudentModule:
        try:
            reply = worker.load(module.removesuffix(".py"))
        except WorkerLost as lost:
            message = f"{module} while it was imported: {lost.message}"
            again = WorkerLost(lost.reason, message, retry=lost.retry)
            if not lost.retry or module in self._lost_once:
                self._load_failures[module] = again
            self._lost_once.add(module)
            raise again from None
        if reply.error is not None:
            failed = failure(reply.error, module, module)
            if failed.reason != "memory":
                text = f"{module} cannot be imported: {described(reply.error)}"
                failed = Failure("import_error", text)
            self._load_failures[module] = failed
            raise failed
        return StudentModule(worker, module, reply.missing_packages)


def unreadable(submission: Submission, module: str) -> Failure | None:
    """Return why a module cannot be Python source at all, without importing it."""
    path = submission.folder / module
    if not path.is_file():
        return Failure("missing", submission.missing(module))
    data = path.read_bytes()
    zero = data.find(b"\0")
    if zero >= 0:
        line = data[:zero].count(b"\n") + 1
        message = f"{module}, line {line}: is not Python source text: it holds a NUL byte"
        return Failure("import_error", f"{message} (a binary or UTF-16 file?)")
    return None


def _clipped(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]} [...]"
