"""What is to be done: the same for all submissions of a run, and one submission's part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from grader.intake.notebook import SUFFIX as NOTEBOOK
from grader.intake.submission import Origin
from grader.isolation.sandbox import Level, Limits, Policy
from grader.model import CheckResult, CheckSpec, Device, Question, Rubric, Tier
from grader.reports.frame import Frame
from grader.reports.report import Report
from grader.seeds import Secret

MAX_HIDDEN_TRIED = 3  # files of the reference that the canary tries to read


@dataclass(frozen=True)
class Settings:
    """What is the same for all submissions of a run.

    Data are drawn from ``secret``; without one from ``seed``, or else from the rubric's, both of
    which are public. ``device`` is where training runs; ``isolation`` is the least level to grade
    with, and ``locked`` is False to switch isolation off. ``hidden`` are further files that no
    worker may read; ``frugal`` runs one fork server at a time.
    """

    tier: Tier = "mini"
    data: Path | None = None
    seed: int | None = None
    device: Device = "cpu"
    isolation: Level = "full"
    locked: bool = True
    hidden: tuple[Path, ...] = ()
    frugal: bool = False
    secret: Secret | None = None

    def public_seed(self, rubric: Rubric) -> int:
        """Return the seed that anybody may know: of the data, if there is no secret."""
        return rubric.seed if self.seed is None else self.seed

    def policy(self, rubric: Rubric) -> Policy:
        """Return what is demanded of isolation, with the files of the assignment to hide."""
        solutions = sorted(rubric.reference.glob("*.py"))[:MAX_HIDDEN_TRIED]
        data = [path for path in (self.data,) if path is not None]
        hidden = (rubric.path.resolve(), *solutions, *data, *self.hidden)
        return Policy(self.isolation, hidden, self.locked, self.device == "cuda")


CheckDone = Callable[[CheckResult], None]


class Steering(Protocol):
    """Decides in which order checks run, with which limits, and which are left out."""

    def rank(self, question: Question, check: CheckSpec) -> tuple[float, ...]:
        """Return the rank of a check; those of low rank run first."""

    def run(
        self, question: Question, check: CheckSpec, run: Callable[[], CheckResult]
    ) -> CheckResult:
        """Return the result of a check, which calling ``run`` gives."""

    def limits(self, question: Question, check: CheckSpec, limits: Limits) -> Limits:
        """Return the limits of the worker that is about to start for a check.

        Raises:
            Pending: it cannot be started here.
        """

    def progress(self, made: Callable[[], Report]) -> None:
        """Take what makes the report of all checks done so far; called after each."""


@dataclass(frozen=True)
class HandedIn:
    """Digests of a submission's files, before they are staged, and of what staging depends on.

    ``by_functions`` is that of a submission with notebooks, which are chosen by the functions that
    the rubric asks for. ``contents`` depends on the files alone.
    """

    digest: str
    by_functions: str
    contents: str

    def of(self, files: Sequence[str]) -> str:
        """Return the digest that counts for a submission of which these files were staged."""
        has_notebooks = any(name.lower().endswith(NOTEBOOK) for name in files)
        return self.by_functions if has_notebooks else self.digest


@dataclass(frozen=True)
class Submitted:
    """A submission to grade: its id, where it is, and the ids of the checks to run.

    ``contested`` says why it belongs to nobody until a person decides; empty if that is clear.
    ``wanted`` may be one of several ``parts`` of the checks that are graded side by side.
    ``basis`` is None if nobody will ask whether it has changed; ``earlier`` is an earlier report,
    with the checks that need not be run again. ``frame`` is what its files do not tell.
    """

    identifier: str
    path: Origin
    wanted: frozenset[str]
    contested: str = ""
    basis: HandedIn | None = None
    earlier: Report | None = None
    part: int = 0
    parts: int = 1
    frame: Frame = field(default_factory=Frame)


@dataclass(frozen=True)
class Job:
    """What is the same for all submissions of a run.

    ``out`` is None to write no reports; without ``steering`` checks run in the rubric's order.
    ``steering_of`` makes the steering of each submission, when its turn comes. ``bases`` are the
    digests of what each check's grade depends on beside the submission, by the check's id. Unless a
    submission ``may_split``, its checks stay in one process, and within one time limit.
    """

    rubric: Rubric
    settings: Settings
    out: Path | None
    steering: Steering | None = None
    steering_of: Callable[[Submitted], Steering] | None = None
    bases: Mapping[str, str] = field(default_factory=dict)
    may_split: bool = True

    def steered(self, submitted: Submitted) -> Steering | None:
        """Return what steers the grading of a submission, if anything does."""
        return self.steering if self.steering_of is None else self.steering_of(submitted)
