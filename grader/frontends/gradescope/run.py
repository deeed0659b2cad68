"""One run on the platform: always leaves results, and never a zero that is the grader's fault."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from grader.assignment import secret
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import BrokenError, GraderError, RubricError, UsageError
from grader.frontends.gradescope import budget, memory, metadata, policies, results
from grader.frontends.gradescope.folders import Folders, closed
from grader.frontends.gradescope.results import GradedRun
from grader.frontends.gradescope.time_and_memory import TimeAndMemory, timeouts
from grader.intake import submission
from grader.intake.wanted import asked_by
from grader.isolation.sandbox import Level
from grader.job import Job, Settings, Submitted
from grader.model import Rubric, Tier
from grader.reports.files import write_json
from grader.reports.report import Report
from grader.run import batch

ISOLATION = "GRADER_ISOLATION"
SEED, PUBLIC = "GRADER_SEED", "public"
IDENTIFIER = "submission"
OVERTIME_S = 15.0  # for the grader itself, which has no share; after that it is killed
FRUGAL_BELOW_MB = 3000  # with less, one fork server at a time


@dataclass(frozen=True)
class Options:
    """What the caller asks for: the rubric, the tier with its data, the checks to run."""

    rubric: Path
    tier: Tier = "mini"
    data: Path | None = None
    wanted: frozenset[str] | None = None


@dataclass(frozen=True)
class ContainerRun:
    """How a run ended. ``why`` is for the instructor; ``made`` is None if nothing was graded."""

    results: dict[str, Any]
    made: Report | None = None
    why: tuple[str, ...] = ()

    @property
    def graded(self) -> bool:
        """Whether the platform gets a grade."""
        return "score" in self.results


def run(places: Folders, options: Options, environment: Mapping[str, str]) -> ContainerRun:
    """Grade the submission in ``places`` and write its results.

    Args:
        places: where the platform puts things.
        options: what to grade with.
        environment: ``GRADER_TIME_BUDGET_S``, ``GRADER_MEMORY_MB``, ``GRADER_ISOLATION``,
            ``GRADER_SEED_FILE`` and ``GRADER_SEED``.

    Raises:
        BrokenError: the results cannot be written.
    """
    started = time.monotonic()
    try:
        outcome = _graded(places, options, environment)
    except RubricError as error:
        outcome = ContainerRun(results.withheld(), why=tuple(error.problems))
    except GraderError as error:
        outcome = ContainerRun(results.withheld(), why=(str(error),))
    except Exception as error:  # noqa: BLE001 - our own error must not leave a traceback and a zero
        text = f"the grader itself failed: {type(error).__name__}: {error}"
        outcome = ContainerRun(results.withheld(), why=(text,))
    outcome.results["execution_time"] = round(time.monotonic() - started, 1)
    write_json(places.results, outcome.results)
    return outcome


def _graded(places: Folders, options: Options, environment: Mapping[str, str]) -> ContainerRun:
    # If the grader is killed from here on, this is what it leaves.
    write_json(places.results, results.withheld(results.NOT_STARTED))
    total_s = budget.seconds(environment.get(budget.VARIABLE, ""))
    least = _isolation(environment)
    memory_mb = memory.limit_mb(environment)
    rubric = load_rubric(options.rubric, KINDS, run_reference=False)
    told = metadata.read(places.metadata)
    checks = {check.id for question in rubric.questions for check in question.checks}
    about = GradedRun(rubric, told, options.wanted or frozenset(checks))
    policy = rubric.policies.rate_limit
    over = policies.limited(policy, told) if policy is not None else None
    if policy is not None and over is not None:
        found = results.over_limit(rubric, policy, over)
        return ContainerRun(found, why=("over the rate limit",))
    frugal = memory_mb is not None and memory_mb < FRUGAL_BELOW_MB
    hidden = tuple(path for path in (places.metadata, places.results) if path.is_file())
    settings = Settings(options.tier, options.data, isolation=least, hidden=hidden, frugal=frugal)
    settings = seeded(settings, rubric, environment)
    with closed(places), tempfile.TemporaryDirectory(prefix="gradescope-") as scratch:
        shared = budget.TimeBudget(total_s, timeouts(rubric.questions, about.wanted))
        journal = _Journal(places.results, Path(scratch) / "report.json", about)
        steering = TimeAndMemory(shared, memory_mb, journal.note, frugal=frugal)
        job = Job(rubric, settings, None, steering)
        submitted = Submitted(IDENTIFIER, _submission(places.submission, rubric), about.wanted)
        made = _followed(job, submitted, shared)
        made = None if made is None else results.with_lateness(about, made)
        not_reached = journal.not_reached()
        why = _unknown(about)
        if made is not None:
            return ContainerRun(
                results.final(about, made, not_reached), made, (*why, *_our_failures(made))
            )
        over_time = (
            f"the grader was still running {OVERTIME_S:g} s after its budget of {total_s:g} s"
        )
        made = journal.report()
        if made is None:
            raise BrokenError(f"{over_time}, and no check was finished")
        return ContainerRun(results.unfinished(about, made, not_reached), made, (*why, over_time))


def _followed(job: Job, submitted: Submitted, shared: budget.TimeBudget) -> Report | None:
    """Return the report of a submission; None if the grader itself was too slow."""
    with contextlib.closing(batch.run(job, [submitted], 1)) as events:
        overtime_since: float | None = None
        for event in events:
            if isinstance(event, batch.SubmissionDone):
                return event.report
            if shared.left_s() == 0:
                overtime_since = overtime_since or time.monotonic()
                if time.monotonic() - overtime_since > OVERTIME_S:
                    return None
    return None


class _Noted(BaseModel):
    """What the grading process tells the one that waits: the report so far, and what it lacks."""

    model_config = ConfigDict(defer_build=True)

    report: Report
    not_reached: tuple[str, ...]


class _Journal:
    """Keeps the results so far on disk, for the platform and for the waiting process.

    It is written by the grading process, after each check.
    """

    def __init__(self, public: Path, private: Path, about: GradedRun) -> None:
        self._public = public
        self._private = private
        self._about = about

    def note(self, made: Report, not_reached: tuple[str, ...]) -> None:
        """Write both files."""
        noted = _Noted(report=made, not_reached=not_reached)
        write_json(self._private, noted.model_dump())
        if made.status == "broken":
            write_json(self._public, results.withheld())
        else:
            write_json(self._public, results.unfinished(self._about, made, not_reached))

    def report(self) -> Report | None:
        """Return the last report."""
        noted = self._read()
        return noted.report if noted is not None else None

    def not_reached(self) -> frozenset[str]:
        """Return the ids of the checks that were not run."""
        noted = self._read()
        return frozenset(noted.not_reached if noted is not None else ())

    def _read(self) -> _Noted | None:
        if not self._private.is_file():
            return None
        return _Noted.model_validate(json.loads(self._private.read_text(encoding="utf-8")))


def _submission(folder: Path, rubric: Rubric) -> Path:
    """Return what the student handed in: the folder, or the one archive or folder in it."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; the platform creates it for each run")
    modules, texts = asked_by(rubric)
    found = submission.find([folder], list(modules), texts=texts)
    only = found[0][1] if len(found) == 1 else folder
    return only if isinstance(only, Path) else folder


def _unknown(about: GradedRun) -> tuple[str, ...]:
    """Return what the rubric's policies need but the metadata do not say."""
    if about.rubric.policies.late is None and about.rubric.policies.rate_limit is None:
        return ()
    lines = list(about.metadata.problems)
    if about.metadata.created is None:
        lines.append("no created_at in the metadata: late days and limits are not applied")
    elif about.rubric.policies.late is not None and about.metadata.due is None:
        lines.append("no due_date in the metadata: lateness costs no points")
    return tuple(lines)


def _isolation(environment: Mapping[str, str]) -> Level:
    level = environment.get(ISOLATION, "") or "full"
    if level == "full":
        return "full"
    if level == "partial":
        return "partial"
    raise UsageError(f"{ISOLATION}={level}: must be full or partial")


def seeded(settings: Settings, rubric: Rubric, environment: Mapping[str, str]) -> Settings:
    """Return the settings with the image's secret, or with the public seed that is asked for."""
    named = environment.get(SEED, "")
    if named == "":
        file = environment.get(secret.VARIABLE, "")
        found = secret.read_or_make(rubric.assignment, Path(file) if file else None)
        return replace(settings, secret=found.secret, hidden=(*settings.hidden, found.path))
    if named != PUBLIC and not named.isdecimal():
        raise UsageError(f"{SEED}={named}: must be a number or {PUBLIC}")
    return replace(settings, seed=None if named == PUBLIC else int(named))


def _our_failures(made: Report) -> tuple[str, ...]:
    """Return what failed in the grader, each message once."""
    if made.status != "broken":
        return ()
    told = [f"{check.id}: {check.message}" for check in made.checks() if check.outcome == "broken"]
    return tuple(dict.fromkeys(told or made.submission.notes))
